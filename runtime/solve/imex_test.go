package solve_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// swingParts is swing with the force, or what is not linear, as the explicit part: x' = y, y' = −x + p cos t; of the same dimensions as its right-hand side.
func swingParts() (*system.System, system.Func) {
	sys := swing()
	return sys, testsys.Func(2, 1, func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[1].Times(0.3), th[0].Mul(t.Cos()).Sub(x[0].Times(0.6))}
	})
}

func TestIMEXOrders(t *testing.T) {
	sys, part := swingParts()
	for _, name := range []string{"KenCarp4", "KenCarp5"} {
		m, _ := method.Find(name)
		info := m.Info()
		var hs, errs, dense []float64
		for _, n := range []int{60, 90, 135} {
			s := run(t, &solve.Problem{Sys: sys, Explicit: part, Method: m, X0: []float64{1, 0.3}, T1: 4, Step: 4 / float64(n)})
			if s.Status != solve.Done || s.Stats.Steps != n {
				t.Fatal(s.Status, s.Fault)
			}
			x, y := swingAt(4)
			hs, errs = append(hs, 4/float64(n)), append(errs, math.Hypot(s.XEnd[0]-x, s.XEnd[1]-y))
			worst, out := 0.0, make([]float64, 2)
			for k := range n {
				for _, theta := range []float64{0.23, 0.5, 0.81} {
					at := 4 * (float64(k) + theta) / float64(n)
					if err := s.At(at, out); err != nil {
						t.Fatal(err)
					}
					x, y := swingAt(at)
					worst = math.Max(worst, math.Hypot(out[0]-x, out[1]-y))
				}
			}
			dense = append(dense, worst)
		}
		p, q := slope(hs, errs), slope(hs, dense)
		t.Logf("%s: order %.2f %.1e, dense %.2f %.1e", name, p, errs, q, dense)
		if math.Abs(p-float64(info.Order)) > 0.2 {
			t.Errorf("%s: order %.2f, want %d", name, p, info.Order)
		}
		if math.Abs(q-4) > 0.2 { // its own continuous extension, of order 3
			t.Errorf("%s: order of the dense output %.2f, want 4", name, q)
		}
	}
}

// relaxed is x' = λ(x − cos y), stiff, and y' = x + sin t, which is not.
func relaxed(lambda float64) (*system.System, system.Func) {
	params := []testsys.Param{{Name: "lambda", Value: lambda}}
	rhs := func(stiff bool) func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			if stiff {
				return []testsys.Expr{th[0].Mul(x[0].Sub(x[1].Cos())), x[0].Add(t.Sin())}
			}
			return []testsys.Expr{t.Const(0), x[0].Add(t.Sin())}
		}
	}
	return testsys.System("relaxed", []string{"x", "y"}, params, testsys.Fixed(1, 0), rhs(true)), testsys.Func(2, 1, rhs(false))
}

// The stiff part does not bound the steps, as it would if all were explicit, and the error follows the tolerance.
func TestIMEXStiff(t *testing.T) {
	sys, part := relaxed(-1e5)
	rodas, _ := method.Find("Rodas5P")
	ref := run(t, &solve.Problem{Sys: sys, Method: rodas, T1: 10, Rtol: 1e-12, Atol: 1e-12})
	for _, name := range []string{"KenCarp4", "KenCarp5"} {
		m, _ := method.Find(name)
		for _, tol := range []float64{1e-4, 1e-6, 1e-8} {
			s := run(t, &solve.Problem{Sys: sys, Explicit: part, Method: m, T1: 10, Rtol: tol, Atol: tol})
			if s.Status != solve.Done {
				t.Fatal(s.Fault)
			}
			worst, out := 0.0, make([]float64, 2)
			for i, at := range s.T {
				if err := ref.At(at, out); err != nil {
					t.Fatal(err)
				}
				worst = math.Max(worst, math.Hypot(s.Row(i)[0]-out[0], s.Row(i)[1]-out[1]))
			}
			t.Logf("%s %g: error %.1e in %d steps", name, tol, worst, s.Stats.Steps)
			if worst > 100*tol || s.Stats.Steps > 10_000 { // 300,000 were all explicit
				t.Errorf("%s at %g: error %.2g, %d steps", name, tol, worst, s.Stats.Steps)
			}
		}
	}
	// One stepper for problems with and without an explicit part, one after the other.
	m, _ := method.Find("KenCarp4")
	var w solve.Workspace
	with := &solve.Problem{Sys: sys, Explicit: part, Method: m, T1: 1}
	without := &solve.Problem{Sys: sys, Method: m, T1: 1}
	var ends [4]float64
	for i, p := range []*solve.Problem{with, without, with, without} {
		s, err := w.Solve(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = s.XEnd[1]
	}
	if ends[0] != ends[2] || ends[1] != ends[3] || ends[0] == ends[1] {
		t.Errorf("the ends are %v", ends)
	}
}

func TestIMEXRefuses(t *testing.T) {
	sys, part := swingParts()
	find := func(name string) method.Method { m, _ := method.Find(name); return m }
	massive := *sys
	massive.Mass = massOf(1, []float64{2, 0}, []float64{0, 1})
	for _, c := range []struct {
		p    *solve.Problem
		want string
	}{
		{&solve.Problem{Sys: sys, Explicit: part, T1: 1}, "Tsit5 treats no part of the right-hand side explicitly: take one of KenCarp4, KenCarp5"},
		{&solve.Problem{Sys: sys, Explicit: part, Method: find("TRBDF2"), T1: 1}, "take one of KenCarp4, KenCarp5"},
		{&solve.Problem{Sys: sys, Explicit: one(1, func(_, x testsys.Expr) testsys.Expr { return x }).RHS, Method: find("KenCarp4"), T1: 1}, "takes 1 and 0 and gives 1"},
		{&solve.Problem{Sys: &massive, Explicit: part, Method: find("KenCarp4"), T1: 1}, "a mass matrix"},
	} {
		if _, err := solve.Solve(context.Background(), c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
