package solve_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

// rows collects what a sink is given.
type rows struct{ t, x []float64 }

func (r *rows) take(t float64, x []float64) error {
	r.t, r.x = append(r.t, t), append(r.x, x...)
	return nil
}

// A sink is given what a solution would have kept, to the bit, whatever the solver, with times in a list, by a step, or at every step; and nothing is kept.
func TestSinkTakesWhatIsKept(t *testing.T) {
	var ws solve.Workspace // of which nothing of the solve before may remain
	for _, p := range everySolver(t) {
		name := p.Method.Info().Name
		for _, end := range []float64{6, -6} {
			p.T1 = end
			for _, by := range []float64{0, 0.1, 0.7} {
				p.Times, p.By, p.Sink, p.NoDense = nil, 0, nil, true
				if by != 0 {
					for k := 0; float64(k)*by <= 6*(1+1e-12); k++ {
						p.Times = append(p.Times, math.Copysign(min(float64(k)*by, 6), end))
					}
				}
				want := run(t, p)
				for _, listed := range []bool{true, false} {
					if !listed && by == 0 {
						continue
					}
					var got rows
					p.Sink = got.take
					if !listed {
						p.Times, p.By = nil, math.Copysign(by, end)
					}
					s, err := ws.Solve(context.Background(), p)
					if err != nil || s.Status != solve.Done {
						t.Fatal(name, err, s.Fault)
					}
					if !slices.Equal(got.t, want.T) || !slices.Equal(got.x, want.X) {
						t.Errorf("%s to %v by %v: the sink got %d rows, kept were %d, and they differ", name, end, by, len(got.t), len(want.T))
					}
					if len(s.T)+len(s.X)+s.NumSteps() != 0 || s.Mesh() != nil || s.Stats.Steps != want.Stats.Steps || !slices.Equal(s.XEnd, want.XEnd) {
						t.Errorf("%s: kept %d times, %d steps; %v at the end, want %v", name, len(s.T), s.NumSteps(), s.XEnd, want.XEnd)
					}
				}
			}
		}
	}
}

// So it is with algebraic equations.
func TestSinkWithMass(t *testing.T) {
	for _, m := range massives() {
		p := &solve.Problem{Sys: m.sys, Method: mustFind(t, "Rodas5P"), T1: 3, Rtol: 1e-8, Atol: 1e-10}
		for k := range 31 {
			p.Times = append(p.Times, 3*float64(k)/30)
		}
		want := run(t, p)
		var got rows
		p.Sink = got.take
		if s := run(t, p); s.Status != solve.Done || !slices.Equal(got.t, want.T) || !slices.Equal(got.x, want.X) {
			t.Errorf("%s: %v; %d rows, kept %d, and they differ", m.name, s.Status, len(got.t), len(want.T))
		}
		x, y := m.at(3)
		if n := len(got.x); math.Hypot(got.x[n-2]-x, got.x[n-1]-y) > 1e-6 {
			t.Errorf("%s ends at %v, want %v, %v", m.name, got.x[n-2:], x, y)
		}
	}
}

// A million outputs, then as many steps, take no more memory than a thousand; the last of them are right.
func TestSinkMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var most, before uint64
	n, last := 0, 0.0
	p := &solve.Problem{Sys: pendulum(t), Method: mustFind(t, "Verlet"), X0: []float64{0.1, 0}, Step: 0.05, MaxSteps: 1 << 40, T1: 50_000, By: 0.05}
	p.Sink = func(at float64, x []float64) error {
		if n++; n%250_000 == 1000 { // while it runs
			if h := heap(); before == 0 {
				before = h
			} else {
				most = max(most, h)
			}
		}
		last = at
		return nil
	}
	s := run(t, p)
	if n != 1_000_001 || last != p.T1 || s.Status != solve.Done || s.Stats.Steps < 999_999 {
		t.Errorf("%d rows to %v, %v, %d steps", n, last, s.Status, s.Stats.Steps)
	}
	t.Logf("%d bytes after a thousand rows, %d at most", before, most)
	if most > before+1<<20 {
		t.Errorf("%d bytes of heap after a thousand rows, %d later", before, most)
	}
	if energy := s.XEnd[1]*s.XEnd[1]/2 - math.Cos(s.XEnd[0]); math.Abs(energy+math.Cos(0.1)) > 1e-5 {
		t.Errorf("the energy is %v at the end", energy)
	}
	// Nothing is allocated for a row.
	count := func(end float64) float64 {
		q := *p
		q.T1, q.Sink = end, func(float64, []float64) error { return nil }
		var ws solve.Workspace
		return testing.AllocsPerRun(2, func() {
			if s, err := ws.Solve(context.Background(), &q); err != nil || s.Status != solve.Done {
				t.Fatal(err, s.Fault)
			}
		})
	}
	if a, b := count(10), count(1000); b > a {
		t.Errorf("%v allocations for 200 rows, %v for 20 000", a, b)
	}
}

// A sink that fails ends the run at once, with its error; so does a context, inside a single step too.
func TestSinkEndsTheRun(t *testing.T) {
	full := errors.New("the disk is full")
	n := 0
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 1000, By: 0.25, Sink: func(at float64, x []float64) error {
		if n++; n > 10 {
			return full
		}
		return nil
	}}
	s := run(t, p)
	wantFault(t, s, solve.SinkFailed, "the output at t = 2.5 could not be handed on: the disk is full")
	if n != 11 || !errors.Is(s.Fault, full) || s.TEnd < 2.5 || s.TEnd > 10 || s.Status.Ended() || s.Status.String() != "output failed" {
		t.Errorf("%d rows, the end at %v, %v", n, s.TEnd, s.Status)
	}
	// At the start already.
	p.Sink = func(float64, []float64) error { return full }
	if s := run(t, p); s.Status != solve.SinkFailed || s.Stats.Steps != 0 || !errors.Is(s.Fault, full) {
		t.Errorf("%v after %d steps", s.Status, s.Stats.Steps)
	}

	// One step holds a million outputs: x' = 1 is made in few.
	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	line := one(0, func(t, _ testsys.Expr) testsys.Expr { return t.Const(1) })
	s, err := solve.Solve(ctx, &solve.Problem{Sys: line, T1: 1e9, By: 1, Sink: func(at float64, x []float64) error {
		if n++; n == 100_000 {
			cancel()
		}
		if math.Abs(x[0]-at) > 1e-12*at {
			t.Fatalf("x(%v) = %v", at, x)
		}
		return nil
	}})
	if err != nil || s.Status != solve.Cancelled || !errors.Is(s.Fault, context.Canceled) || n > 110_000 {
		t.Errorf("%v, %v after %d rows", err, s.Status, n)
	}
}

// A solution whose outputs are gone says so, and what makes no sense is refused.
func TestSinkRefusals(t *testing.T) {
	ignore := func(float64, []float64) error { return nil }
	s := run(t, &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 2, Sink: ignore})
	out := make([]float64, 2)
	for _, at := range []float64{0, 1} {
		if err := s.At(at, out); err == nil || !strings.Contains(err.Error(), "went to a sink and nothing of them is kept, so the solution is known at its end only, t = 2") {
			t.Errorf("At(%v) says %v", at, err)
		}
	}
	if err := s.At(2, out); err != nil || !slices.Equal(out, s.XEnd) {
		t.Errorf("At the end: %v, %v", out, err)
	}
	for _, c := range []struct {
		want string
		p    solve.Problem
	}{
		{"outputs every 0.1 are for a sink", solve.Problem{T1: 1, By: 0.1}},
		{"only one can hold", solve.Problem{T1: 1, By: 0.1, Times: []float64{1}, Sink: ignore}},
		{"do not lead from 0 to 1", solve.Problem{T1: 1, By: -0.1, Sink: ignore}},
		{"do not lead from 1 to 0", solve.Problem{T0: 1, By: 0.1, Sink: ignore}},
		{"do not lead", solve.Problem{T1: 1, By: math.NaN(), Sink: ignore}},
		{"do not lead", solve.Problem{T1: 1, By: math.Inf(1), Sink: ignore}},
		{"more than can be counted", solve.Problem{T1: 1, By: 1e-300, Sink: ignore}},
	} {
		c.p.Sys = testsys.LotkaVolterra()
		if _, err := solve.Solve(context.Background(), &c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
