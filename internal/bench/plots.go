package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/udl-lang/udl/runtime/trace"
	pictures "github.com/udl-lang/udl/runtime/trace/figure"
)

// plot draws the curves of a problem: error across, time up, all points and not the envelope alone.
func (w *work) plot() *trace.Plot {
	p := &trace.Plot{Title: w.problem, XLabel: "error at the end", YLabel: "time of a solve, ms", LogX: true, LogY: true}
	for i, who := range w.who {
		line, dots := trace.Series{Name: who, Color: i + 1}, trace.Series{Style: trace.Points, Color: i + 1}
		for _, q := range w.points[i] {
			if q.err > 0 {
				line.X, line.Y = append(line.X, q.err), append(line.Y, q.ns/1e6)
			}
		}
		if len(line.X) == 0 {
			continue
		}
		dots.X, dots.Y = line.X, line.Y
		p.Series = append(p.Series, line, dots)
	}
	return p
}

// plotFile is where a problem's plot lies, beside the document.
func plotFile(problem string) string { return "work-precision-" + problem + ".svg" }

// writePlots saves the plots in dir.
func writePlots(dir string, works []work) error {
	for i := range works {
		if err := pictures.Save(filepath.Join(dir, plotFile(works[i].problem)), works[i].plot(), pictures.Size{Width: 14, Height: 10}); err != nil {
			return err
		}
	}
	return nil
}

// writeWorks makes the section of the document on CVODE.
func writeWorks(w io.Writer, works []work) {
	if len(works) == 0 {
		return
	}
	io.WriteString(w, `
## Against CVODE

The problems are solved by CVODE's BDF with an analytic Jacobian, its own dense or banded solver, for the two-dimensional problem its BiCGStab, which is faster there than its GMRES, than a preconditioner of
2 by 2 blocks and than KLU's sparse factorisation; and by udl's solvers on the model's text, with the same tolerances. Both keep their memory from one solve to the next and give the state at the end alone; Model.Solve is what a Go program calls with no solver named, and keeps dense output.
The error is the greatest of |x − v|/(atol/rtol + |v|) over the states at the end, v being known from elsewhere to more digits. Ratios are of the times to the *same* error: both curves are cut down to the points that no other point beats in
time and error, interpolated in the logarithms, and compared at four errors a decade from 1e-4 to 1e-10 wherever both have data; the figure is the geometric mean, for the best of udl's solvers.

| problem | end | atol | the end is known from |
|---|---:|---|---|
`)
	for i := range works {
		if s, err := findStiff(works[i].problem); err == nil {
			if e, err := s.load(); err == nil {
				fmt.Fprintf(w, "| %s, %d states | %g | %g rtol | %s |\n", s.name, len(e.End), e.T1, s.scale, e.From)
			}
		}
	}
	for i := range works {
		fmt.Fprintf(w, "\n![Work and precision: %s](%s)\n", works[i].problem, plotFile(works[i].problem))
	}
}
