package main

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	api "github.com/udl-lang/udl"
	"github.com/udl-lang/udl/runtime/method"
)

// TestStiffProblems solves each problem with udl: its model must lead from its initial values to the known end.
func TestStiffProblems(t *testing.T) {
	for i := range stiffs {
		s := &stiffs[i]
		e, err := s.load()
		if err != nil {
			t.Fatal(err)
		}
		if s.initial == nil {
			if got := startOf(t, s); !slices.Equal(got, e.Initial) {
				t.Errorf("%s: the model starts at %v, CVODE at %v", s.name, got, e.Initial)
			}
		}
		if s.name == "bruss2d" && testing.Short() {
			continue
		}
		name := "Rodas5P"
		if s.name == "bruss2d" {
			name = "Tsit5" // hardly stiff, and its Jacobian is large
		}
		f, err := s.engine(name, e)
		if err != nil {
			t.Fatal(err)
		}
		_, end, err := f(context.Background(), 1e-7, 1)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if got := s.errorOf(end, e.End); !(got < 1e-5) {
			t.Errorf("%s with %s: the error at the end is %.2g", s.name, name, got)
		}
		for _, n := range append(s.solvers, s.beside...) {
			if _, ok := method.Find(n); !ok {
				t.Errorf("%s: there is no solver %s", s.name, n)
			}
		}
	}
}

// startOf is the initial state of a problem's model.
func startOf(t *testing.T, s *stiff) (x []float64) {
	m, err := api.Parse(s.model, modelText(s.model))
	if err != nil {
		t.Fatal(err)
	}
	sol, err := m.Solve(context.Background(), api.SolveOptions{T1: 1e-9, At: []float64{0, 1e-9}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.states {
		v, err := sol.Series(name)
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, v[0])
	}
	return x
}

// TestPublicSide compares what the public package finds with the end, initial values given and not.
func TestPublicSide(t *testing.T) {
	for _, name := range []string{"orego", "bruss1d"} {
		s, err := findStiff(name)
		if err != nil {
			t.Fatal(err)
		}
		e, err := s.load()
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.public(e)
		if err != nil {
			t.Fatal(err)
		}
		_, end, err := f(context.Background(), 1e-7, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.errorOf(end, e.End); !(got < 1e-5) {
			t.Errorf("%s: the error at the end is %.2g", name, got)
		}
	}
}

func TestCurves(t *testing.T) {
	// A method of order four, whose time goes with err^(-1/4), against one three times as fast, with points that others beat.
	line := func(factor float64) []point {
		var p []point
		for k := 3.0; k <= 11; k++ {
			p = append(p, point{rtol: math.Pow(10, -k), err: math.Pow(10, -k+0.3), ns: factor * math.Pow(10, k/4)})
		}
		return append(p, point{rtol: 1, err: 2e-4, ns: factor * 1e6}, point{rtol: 1, err: math.NaN(), ns: 1}, point{rtol: 1, err: 0, ns: 1})
	}
	c := envelope(line(3))
	if len(c) != 9 {
		t.Fatalf("%d points: %v", len(c), c)
	}
	got := compare(envelope(line(1)), c)
	if math.Abs(got.mean-1.0/3) > 1e-12 || got.n != 25 || got.lo != 4 || got.hi != 10 || len(got.decades) != 7 {
		t.Errorf("%+v", got)
	}
	ns, ok := c.at(math.Pow(10, -4.45))
	if want := 3 * math.Pow(10, 4.75/4); !ok || math.Abs(ns-want) > 1e-9*want {
		t.Errorf("between points: %v, %v, want %v", ns, ok, want)
	}
	if _, ok := c.at(1); ok {
		t.Error("a time to an error above the loosest")
	}
	if _, ok := c.at(1e-12); ok {
		t.Error("a time to an error below the tightest")
	}
	if none := compare(envelope(nil), c); none.n != 0 || !math.IsNaN(none.mean) {
		t.Errorf("without points: %+v", none)
	}
}

func TestWorkVerdict(t *testing.T) {
	pts := func(factor float64, from, to int) []point {
		var p []point
		for k := from; k <= to; k++ {
			p = append(p, point{rtol: math.Pow(10, -float64(k)), err: math.Pow(10, -float64(k)), ns: factor * float64(k) * 1e6})
		}
		return p
	}
	w := work{problem: "vdpol", who: []string{cvode, "A", "B", "C", "D"}, counts: []string{"A", "B", "D"},
		points: [][]point{pts(1, 2, 12), pts(0.5, 2, 12), pts(0.1, 2, 6), pts(0.2, 2, 12), nil}}
	var curves []curve
	for _, p := range w.points {
		curves = append(curves, envelope(p))
	}
	f, err := w.verdict([][]curve{curves})
	// B does not come near, C does not count, D has no points.
	if err != nil || math.Abs(f.median-0.5) > 1e-9 || !strings.HasPrefix(f.detail, "A, to 1e-4 0.5") || !strings.Contains(f.detail, "D does not run") {
		t.Errorf("%+v, %v", f, err)
	}
	w.points[2] = pts(0.3, 8, 12) // more precise than needed at its loosest
	for i := range curves {
		curves[i] = envelope(w.points[i])
	}
	if f, err := w.verdict([][]curve{curves}); err != nil || math.Abs(f.median-0.3) > 1e-9 || !strings.HasPrefix(f.detail, "B, to 1e-8 0.3") {
		t.Errorf("%+v, %v", f, err)
	}
	w.points[1] = []point{{1e-6, 1, 0.5}, {1e-8, 2, 0.4}}
	if _, err := w.verdict([][]curve{curves}); err == nil {
		t.Error("a solver that finds another end passes")
	}
	var out bytes.Buffer
	writeWorks(&out, []work{w})
	if !strings.Contains(out.String(), plotFile("vdpol")) || !strings.Contains(out.String(), "digits") {
		t.Error(out.String())
	}
	if err := writePlots(t.TempDir(), []work{w}); err != nil {
		t.Error(err)
	}
}
