package solve_test

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// explicit lists the explicit methods that are no Runge–Kutta methods of one row.
func explicit() (list []method.Method) {
	for _, m := range method.Solvers() {
		switch m.Info().Family {
		case method.ExplicitMultistep, method.Stabilised, method.Hamiltonian:
			list = append(list, m)
		}
	}
	return list
}

// separable is swing with its pattern, by which its position and momentum are told apart.
func separable(t testing.TB) *system.System { return withPattern(t, swing(), 0, 1, 1, 0) }

// withPattern gives a system the pattern of pairs row, column.
func withPattern(t testing.TB, sys *system.System, pairs ...int) *system.System {
	t.Helper()
	var rows, cols []int
	for k := 0; k < len(pairs); k += 2 {
		rows, cols = append(rows, pairs[k]), append(cols, pairs[k+1])
	}
	p, err := sparse.NewPattern(sys.NX, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	s := *sys
	s.Pattern = p
	return &s
}

// started is a mesh of n equal steps of which the first is approached by steps that double, so that a method that starts at order 1 has its order.
func started(m method.Method, from, to float64, n int) (mesh []float64, step float64) {
	if m.Info().Family != method.ExplicitMultistep {
		return nil, math.Abs(to-from) / float64(n)
	}
	h := (to - from) / float64(n)
	mesh = []float64{from}
	for i := 14; i >= 0; i-- {
		mesh = append(mesh, from+math.Ldexp(h, -i))
	}
	for i := 2; i < n; i++ {
		mesh = append(mesh, from+h*float64(i))
	}
	return append(mesh, to), 0
}

// TestExplicitOrders measures the orders of the step and of the dense output, forwards and backwards. Of the Adams methods those up to 4, of which each is by one
// more than its name since the corrector goes by one more; the higher ones are measured step by step.
func TestExplicitOrders(t *testing.T) {
	type row struct {
		m           method.Method
		name        string
		order, want int // of the step, of the dense output
		steps       []int
	}
	var rows []row
	for _, m := range explicit() {
		info := m.Info()
		if a, ok := m.(*method.Adams); ok {
			for k := 1; k <= 4; k++ {
				capped := *a
				capped.MaxOrder = k
				rows = append(rows, row{&capped, info.Name, k + 1, k + 1, []int{80, 113, 160}})
			}
			continue
		}
		rows = append(rows, row{m, info.Name, info.Order, min(info.Order, info.Dense+1), stepsFor(info.Order)})
	}
	sys := separable(t)
	const end = 4.0
	for _, r := range rows {
		for _, back := range []bool{false, true} {
			from, to := 0.0, end
			if back {
				from, to = end, 0
			}
			x, y := swingAt(from)
			var hs, errs, dense []float64
			for _, n := range r.steps {
				p := &solve.Problem{Sys: sys, Method: r.m, X0: []float64{x, y}, T0: from, T1: to}
				p.Mesh, p.Step = started(r.m, from, to, n)
				s := run(t, p)
				if s.Status != solve.Done || p.Step != 0 && s.Stats.Steps != n {
					t.Fatalf("%s: %v, %d steps for %d", r.name, s.Status, s.Stats.Steps, n)
				}
				off := func(at float64, x []float64) float64 {
					xe, ye := swingAt(at)
					return math.Hypot(x[0]-xe, x[1]-ye)
				}
				worst, out := 0.0, make([]float64, 2)
				for k := range n {
					for _, theta := range []float64{0.23, 0.5, 0.81} {
						at := from + (to-from)*(float64(k)+theta)/float64(n)
						if err := s.At(at, out); err != nil {
							t.Fatal(err)
						}
						worst = math.Max(worst, off(at, out))
					}
				}
				hs, errs, dense = append(hs, end/float64(n)), append(errs, off(to, s.XEnd)), append(dense, worst)
			}
			p, q := slope(hs, errs), slope(hs, dense)
			t.Logf("%-8s from %v: order %.2f, dense %.2f, errors %.1e", r.name, from, p, q, errs)
			if math.Abs(p-float64(r.order)) > 0.2 {
				t.Errorf("%s from %v: measured order %.2f, want %d (errors %.1e)", r.name, from, p, r.order, errs)
			}
			if math.Abs(q-float64(r.want)) > 0.2 {
				t.Errorf("%s from %v: measured order of the dense output %.2f, want %d (errors %.1e)", r.name, from, q, r.want, dense)
			}
		}
	}
}

func TestExplicitFollowsTolerance(t *testing.T) {
	for _, m := range explicit() {
		if !m.Info().Adaptive || m.Info().Order < 3 {
			continue
		}
		for _, back := range []bool{false, true} {
			from, to := 0.0, 20.0
			if back {
				from, to = to, from
			}
			var tols, errs []float64
			x0, y0 := swingAt(from)
			x, y := swingAt(to)
			for _, tol := range []float64{1e-5, 1e-6, 1e-7, 1e-8, 1e-9} {
				s := run(t, &solve.Problem{Sys: swing(), Method: m, X0: []float64{x0, y0}, T0: from, T1: to, Rtol: tol, Atol: tol})
				tols, errs = append(tols, tol), append(errs, math.Hypot(s.XEnd[0]-x, s.XEnd[1]-y))
			}
			p := slope(tols, errs)
			t.Logf("%-8s from %v: error ~ tol^%.2f, %.1e", m.Info().Name, from, p, errs)
			if p < 0.8 || p > 1.3 {
				t.Errorf("%s: error ~ tol^%.2f", m.Info().Name, p)
			}
		}
	}
}

// What a solution remembers of a step says what the stepper said of it, and both go through the ends.
func TestExplicitDenseAgrees(t *testing.T) {
	sys := separable(t)
	for _, m := range explicit() {
		p := &solve.Problem{Sys: sys, Method: m, T1: 6, Rtol: 1e-7, Atol: 1e-7}
		if !m.Info().Adaptive {
			p.Step = 0.05
		}
		sol := run(t, p)
		st, err := solve.NewStepper(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		a, b := make([]float64, 2), make([]float64, 2)
		for st.Step() {
			t0, h := st.Last()
			for _, theta := range []float64{0, 0.3, 0.7, 1} {
				at := t0 + theta*h
				if theta == 1 {
					at = st.T()
				}
				st.Interpolate(at, a)
				if err := sol.At(at, b); err != nil || a[0] != b[0] || a[1] != b[1] {
					t.Fatalf("%s at %v: %v, %v, %v", m.Info().Name, at, a, b, err)
				}
			}
			for _, at := range []float64{t0 + 1e-9*h, st.T() - 1e-9*h} {
				st.Interpolate(at, a)
				x, y := st.X()[0], st.X()[1]
				if at < t0+0.5*h {
					if err := sol.At(t0, b); err != nil {
						t.Fatal(err)
					}
					x, y = b[0], b[1]
				}
				if math.Hypot(a[0]-x, a[1]-y) > 1e-8*h {
					t.Fatalf("%s: the dense output leaves the ends of the step at %v: %v, %v", m.Info().Name, t0, a, []float64{x, y})
				}
			}
		}
		if st.Status() != solve.Done {
			t.Errorf("%s: %v", m.Info().Name, st.Status())
		}
	}
}

func TestExplicitRestartAndReplay(t *testing.T) {
	sys := separable(t)
	for _, m := range explicit() {
		name := m.Info().Name
		p := &solve.Problem{Sys: sys, Method: m, T1: 8, Rtol: 1e-8, Atol: 1e-8}
		if !m.Info().Adaptive {
			p.Step = 1. / 128
		}
		st, err := solve.NewStepper(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		for st.Step() && st.T() < 3 {
		}
		// Onto another solution of the same equation.
		half := st.T()
		x, y := swingAt(half)
		st.Restart(half, []float64{x + 1, y})
		for st.Step() {
		}
		x, y = swingAt(8)
		e := math.Hypot(st.X()[0]-x-math.Cos(8-half), st.X()[1]-y+math.Sin(8-half))
		tol := 1e-6
		if m.Info().Order == 2 {
			tol = 1e-4
		}
		if st.Status() != solve.Done || e > tol {
			t.Errorf("%s: %v, error %g after a restart", name, st.Status(), e)
		}
		// The same steps once more. Those of one-step methods give the same numbers; with others a choice by what was refused is lost.
		sol := run(t, p)
		q := *p
		q.Step, q.Mesh = 0, sol.Mesh()
		again := run(t, &q)
		off := math.Hypot(again.XEnd[0]-sol.XEnd[0], again.XEnd[1]-sol.XEnd[1])
		t.Logf("%s: error %.1e after a restart, replayed apart by %.1e", name, e, off)
		if m.Info().Family == method.Hamiltonian && off > 1e-12 || off > tol {
			t.Errorf("%s: the same mesh gives %v, not %v", name, again.XEnd, sol.XEnd)
		}
		// A workspace gives the same numbers time after time.
		var w solve.Workspace
		for range 2 {
			s, err := w.Solve(context.Background(), p)
			if err != nil || s.XEnd[0] != sol.XEnd[0] || s.XEnd[1] != sol.XEnd[1] {
				t.Errorf("%s: %v in a workspace, %v alone, %v", name, s.XEnd, sol.XEnd, err)
			}
		}
	}
}

func TestExplicitAllocatesNothing(t *testing.T) {
	sys := separable(t)
	for _, m := range explicit() {
		p := &solve.Problem{Sys: sys, Method: m, T1: 1e6, Rtol: 1e-8, Atol: 1e-8, NoDense: true, MaxSteps: 1e7}
		if !m.Info().Adaptive {
			p.Step = 0.01
		}
		st, err := solve.NewStepper(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 2)
		step := func() {
			if !st.Step() {
				t.Fatal(m.Info().Name, st.Status())
			}
			t0, h := st.Last()
			st.Interpolate(t0+h/3, out)
		}
		step()
		if n := testing.AllocsPerRun(500, step); n != 0 {
			t.Errorf("%s: %v allocations a step", m.Info().Name, n)
		}
	}
}

// A pole ends the solution there, and so does the edge of where f is defined.
func TestExplicitStopsAtAPole(t *testing.T) {
	pole := testsys.System("pole", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Mul(x[0]).Mul(th[0])}
		})
	edge := testsys.System("edge", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Sqrt().Mul(th[0]).Plus(1).Neg()}
		})
	at := 2 - 2*math.Log(2) // where x = 0: x' = −1 − √x
	for _, m := range explicit() {
		if !m.Info().Adaptive {
			continue
		}
		for sys, want := range map[*system.System]float64{pole: 1, edge: at} {
			s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 3, Rtol: 1e-6, Atol: 1e-6})
			if s.Status != solve.StepTooSmall && s.Status != solve.NonFinite || math.Abs(s.TEnd-want) > 1e-3 {
				t.Errorf("%s, %s: %v at %v, want %v", m.Info().Name, sys.Name, s.Status, s.TEnd, want)
			}
			t.Logf("%s: %v", m.Info().Name, s.Fault)
		}
	}
}
