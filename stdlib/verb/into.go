package verb

import (
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// solveInto is solve with its outputs handed on as they are reached: into a file, or to a function of the program around.
func (c *Call) solveInto(m *value.Model, p *solve.Problem, into value.Value) (value.Value, error) {
	r, err := c.times()
	if err != nil {
		return nil, err
	}
	p.T0, p.T1, p.By = r.Lo, r.Hi, r.By
	if r.At != nil {
		p.By = 0
		if _, _, p.Times, err = c.span(); err != nil {
			return nil, err
		}
	}
	s := &value.Solution{Model: m, Theta: p.Theta, Gone: &value.Gone{}}
	if f, ok := into.(value.Sink); ok {
		if err := c.run(s, p, f); err != nil {
			return nil, err
		}
		return s, c.endInto(s, p)
	}
	if s.Gone.File, err = c.intoFile(); err != nil {
		return nil, err
	}
	if c.Progress != nil && !c.Quiet {
		p.Progress = c.progressOf("solve "+m.Name(), p)
		defer c.Progress(Progress{What: "solve " + m.Name(), Done: true})
	}
	var wrong error // with the call, not with the file
	err = trace.WriteFile(c.Path(s.Gone.File), func(w io.Writer) error {
		csv := trace.NewCSVWriter(w, append([]string{"t"}, m.Columns()...))
		if wrong = c.run(s, p, csv.Row); wrong != nil {
			return wrong
		}
		if s.Sol.Status == solve.SinkFailed {
			return s.Sol.Fault.Cause
		}
		return csv.Flush()
	})
	switch {
	case wrong != nil:
		return nil, wrong
	case err != nil && s.Sol != nil:
		return nil, c.Bad("into", "cannot write `%s`: %v; the solve had come to t = %s", s.Gone.File, err, value.Short(s.Sol.TEnd, 6)).
			WithHelp("nothing is left of it; a file of that name is as it was before")
	case err != nil:
		return nil, c.Bad("into", "cannot write `%s`: %v", s.Gone.File, err)
	}
	return s, c.endInto(s, p)
}

// intoFile reads the name of the file.
func (c *Call) intoFile() (string, error) {
	name, err := c.TextOf("into", "")
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(filepath.Ext(name), ".csv") {
		return "", c.Bad("into", "`%s` is no name for a table written row by row", name).WithHelp("end it in .csv; other forms are written by `save`, from a solution that is kept")
	}
	if c.FS != nil {
		return "", c.Bad("into", "nothing can be written here: the program reads from a file system of its own")
	}
	return name, nil
}

// run solves, each output a row for take.
func (c *Call) run(s *value.Solution, p *solve.Problem, take func(t float64, values []float64) error) error {
	row := s.Model.Rows(p.Theta)
	p.Sink = func(t float64, x []float64) error {
		if err := take(t, row(t, x)); err != nil {
			return err
		}
		s.Gone.Rows++
		s.Gone.Last = t
		return nil
	}
	var err error
	if s.Sol, err = solve.Solve(c.Ctx, p); err == nil {
		c.shifted(s.Model, s.Sol.Shifted)
	}
	return err
}

// endInto tells how a solve came to a bad end, and what there is all the same.
func (c *Call) endInto(s *value.Solution, p *solve.Problem) error {
	d := c.Failure(s.Sol, p)
	if d == nil {
		return nil
	}
	switch g := s.Gone; {
	case g.Rows > 0 && g.File == "":
		d.Note("%d outputs up to t = %s were handed on", g.Rows, value.Short(g.Last, 6))
	case g.Rows > 0:
		d.Note("%d outputs up to t = %s are in %s", g.Rows, value.Short(g.Last, 6), g.To())
	case g.File != "":
		d.Note("%s holds no outputs", g.To())
	}
	if c.Ctx.Err() != nil {
		return d
	}
	c.Warn(d.AsWarning(), true)
	return nil
}

// thousandths is the scale of the progress of a solve.
const thousandths = 1000

// progressOf reports how much of the time span is behind, at every thousandth of it.
func (c *Call) progressOf(what string, p *solve.Problem) func(t float64) {
	told := 0
	return func(t float64) {
		if k := int(thousandths * (t - p.T0) / (p.T1 - p.T0)); k > told {
			told = k
			c.Progress(Progress{What: what, Iter: k, Total: thousandths, Loss: math.NaN(), Best: math.NaN()})
		}
	}
}
