package solve_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

type expr = testsys.Expr

// rooted is a system of states from x0 with a right-hand side and no parameters.
func rooted(x0 []float64, f func(x []expr) []expr) *system.System {
	names := []string{"x", "y", "z", "w"}[:len(x0)]
	return testsys.System("rooted", names, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(x0...), func(_ expr, x, _ []expr) []expr { return f(x) })
}

func TestSteadyStates(t *testing.T) {
	sq := func(e expr) expr { return e.Mul(e) }
	for _, c := range []struct {
		name   string
		sys    *system.System
		by     solve.SteadyBy
		want   []float64
		how    string
		stable string
	}{
		{"linear", rooted([]float64{5, 7}, func(x []expr) []expr {
			return []expr{x[0].Times(-2).Add(x[1]).Plus(1), x[0].Sub(x[1].Times(3)).Plus(2)}
		}), solve.SteadyAuto, []float64{1, 1}, "Newton's method, 1 iteration", "stable"},
		{"square root", rooted([]float64{1e6}, func(x []expr) []expr { return []expr{sq(x[0]).Neg().Plus(2)} }), solve.SteadyAuto, []float64{math.Sqrt2}, "Newton", "stable"},
		{"exponential", rooted([]float64{-3}, func(x []expr) []expr { return []expr{x[0].Exp().Neg().Plus(1e-3)} }), solve.SteadyAuto, []float64{math.Log(1e-3)}, "Newton", "stable"},
		{"the unstable root nearby", rooted([]float64{0.1}, func(x []expr) []expr { return []expr{x[0].Sub(x[0].Mul(sq(x[0])))} }), solve.SteadyNewton, []float64{0}, "Newton", "unstable: 1 of 1"},
		{"where the solution goes", rooted([]float64{0.1}, func(x []expr) []expr { return []expr{x[0].Sub(x[0].Mul(sq(x[0])))} }), solve.SteadyContinuation, []float64{1}, "continuation", "stable"},
		{"in time", rooted([]float64{0.1}, func(x []expr) []expr { return []expr{x[0].Sub(x[0].Mul(sq(x[0])))} }), solve.SteadyIntegration, []float64{1}, "integration", "stable"},
		{"A and B", rooted([]float64{3, 0}, func(x []expr) []expr {
			r := x[0].Times(2).Sub(x[1])
			return []expr{r.Neg(), r}
		}), solve.SteadyAuto, []float64{1, 2}, "conserved", "stable for given conserved quantities, of which there are 1"},
		// 2 A ⇌ B, so that A + 2 B = 1.
		{"a dimer", rooted([]float64{1, 0}, func(x []expr) []expr {
			r := sq(x[0]).Times(0.1).Sub(x[1].Times(1e-3))
			return []expr{r.Times(-2), r}
		}), solve.SteadyAuto, []float64{(math.Sqrt(801) - 1) / 400, (1 - (math.Sqrt(801)-1)/400) / 2}, "conserved", "stable for given"},
		{"in a closed system in time", rooted([]float64{3, 0}, func(x []expr) []expr {
			r := x[0].Times(2).Sub(x[1])
			return []expr{r.Neg(), r}
		}), solve.SteadyIntegration, []float64{1, 2}, "integration", "stable for given"},
		{"a double root", rooted([]float64{1}, func(x []expr) []expr { return []expr{sq(x[0]).Neg()} }), solve.SteadyAuto, []float64{0}, "Newton", "undecided"},
	} {
		r, err := solve.FindSteady(context.Background(), &solve.SteadyProblem{Sys: c.sys, By: c.by})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		t.Logf("%s: %v, %s, %+v, %s", c.name, r.X, r.How, r.Stats, r.Stability)
		for i, w := range c.want {
			if math.Abs(r.X[i]-w) > 1e-8*(1+math.Abs(w)) {
				t.Errorf("%s: %v, want %v (%s)", c.name, r.X, c.want, r.How)
			}
		}
		if !strings.Contains(r.How, c.how) || !strings.HasPrefix(r.Stability, c.stable) {
			t.Errorf("%s: %s; %s", c.name, r.How, r.Stability)
		}
	}
}

// TestSteadyOfRatesFarApart: Robertson's reactions with a way back, whose rates are nine powers of ten apart and whose mass is conserved.
func TestSteadyOfRatesFarApart(t *testing.T) {
	sys := rooted([]float64{1, 0, 0}, func(x []expr) []expr {
		a, b, c, d := x[0].Times(0.04), x[1].Mul(x[2]).Times(1e4), x[1].Mul(x[1]).Times(3e7), x[2].Times(0.1)
		return []expr{b.Sub(a).Add(d), a.Sub(b).Sub(c), c.Sub(d)}
	})
	for _, by := range []solve.SteadyBy{solve.SteadyAuto, solve.SteadyIntegration} {
		r, err := solve.FindSteady(context.Background(), &solve.SteadyProblem{Sys: sys, By: by})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v, %s, %+v, %s", r.X, r.How, r.Stats, r.Stability)
		// From z: y = sqrt(0.1 z/3e7), and 0.04 x = 1e4 y z + 0.1 z.
		x, y, z := r.X[0], r.X[1], r.X[2]
		if math.Abs(y-math.Sqrt(0.1*z/3e7)) > 1e-9*y || math.Abs(0.04*x-1e4*y*z-0.1*z) > 1e-10 || math.Abs(x+y+z-1) > 1e-9 || x < 0 || z < 0 {
			t.Errorf("%v", r.X)
		}
		if !strings.HasPrefix(r.Stability, "stable for given") {
			t.Errorf("%s", r.Stability)
		}
	}
}

// TestSteadyKeepsWhatRoundingMoves: E + ES and the like stay where the residual of their equations, which are summed in different orders, does not cancel to the last bit.
func TestSteadyKeepsWhatRoundingMoves(t *testing.T) {
	drift := func(r expr) expr { return r.Times(1 + 0x1p-52).Plus(0x1p-54) } // as rounding in other places would make it
	for _, c := range []struct {
		name string
		sys  *system.System
		kept func(x []float64) float64
		root func(x []float64) float64
	}{
		{"an open enzyme", rooted([]float64{0, 1, 0}, func(x []expr) []expr {
			v := x[0].Mul(x[1]).Times(10).Sub(x[2].Times(3))
			return []expr{x[2].Sub(x[0].Mul(x[1]).Times(10)).Sub(x[0].Times(0.3)).Plus(1), v.Neg(), drift(v)}
		}), func(x []float64) float64 { return x[1] + x[2] - 1 }, func(x []float64) float64 { return 10*x[0]*x[1] - 3*x[2] }},
		{"at its root but for one state", rooted([]float64{0.3, 0.5, 0.5, 0}, func(x []expr) []expr {
			v := x[0].Mul(x[1]).Times(10).Sub(x[2].Times(3))
			return []expr{x[2].Sub(x[0].Mul(x[1]).Times(10)).Sub(x[0].Times(0.1)).Plus(1), v.Neg(), drift(v), x[2].Times(2).Sub(x[3].Times(0.1))}
		}), func(x []float64) float64 { return x[1] + x[2] - 1 }, func(x []float64) float64 { return 2*x[2] - 0.1*x[3] }},
		{"two pools", rooted([]float64{1, 0, 3, 0}, func(x []expr) []expr {
			v, w := x[0].Times(2).Sub(x[1].Mul(x[1])), x[2].Sub(x[3].Mul(x[1]).Times(7))
			return []expr{v.Neg(), drift(v), w.Neg(), drift(w)}
		}), func(x []float64) float64 { return math.Abs(x[0]+x[1]-1) + math.Abs(x[2]+x[3]-3) }, func(x []float64) float64 { return x[2] - 7*x[3]*x[1] }},
	} {
		for _, by := range []solve.SteadyBy{solve.SteadyAuto, solve.SteadyContinuation, solve.SteadyIntegration} {
			r, err := solve.FindSteady(context.Background(), &solve.SteadyProblem{Sys: c.sys, By: by})
			if err != nil {
				t.Errorf("%s, %v: %v", c.name, by, err)
				continue
			}
			if d := c.kept(r.X); math.Abs(d) > 1e-12 || math.Abs(c.root(r.X)) > 1e-9 {
				t.Errorf("%s, %v: what is conserved is off by %.3g at %v (%s)", c.name, by, d, r.X, r.How)
			}
		}
	}
}

// TestNoSteadyState: the error names the equation and where it stands.
func TestNoSteadyState(t *testing.T) {
	sq := func(e expr) expr { return e.Mul(e) }
	for name, c := range map[string]struct {
		sys *system.System
		eq  string
	}{
		"no root":       {rooted([]float64{1}, func(x []expr) []expr { return []expr{sq(x[0]).Plus(1)} }), "x'"},
		"at infinity":   {rooted([]float64{1}, func(x []expr) []expr { return []expr{x[0].Neg().Exp()} }), "x'"},
		"a constant":    {rooted([]float64{1, 1}, func(x []expr) []expr { return []expr{x[0].Neg(), x[1].Times(0).Plus(3)} }), "y'"},
		"not a number":  {rooted([]float64{-1}, func(x []expr) []expr { return []expr{x[0].Log()} }), "x'"},
		"contradiction": {rooted([]float64{1, 1}, func(x []expr) []expr { return []expr{x[0].Add(x[1]), x[0].Add(x[1]).Plus(1)} }), "x'"},
	} {
		_, err := solve.FindSteady(context.Background(), &solve.SteadyProblem{Sys: c.sys, MaxSteps: 20000})
		var se *solve.SteadyError
		if !errors.As(err, &se) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %v (%s)", name, err, se.Help())
		if c.eq != se.Equation && name != "contradiction" || se.Help() == "" || len(se.Tried) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSteadyBadCalls(t *testing.T) {
	sys := rooted([]float64{1}, func(x []expr) []expr { return []expr{x[0].Neg()} })
	for _, p := range []solve.SteadyProblem{{}, {Sys: sys, Rtol: -1}, {Sys: sys, Atol: math.NaN()}, {Sys: sys, T: math.Inf(1)}, {Sys: sys, X0: []float64{1, 2}}, {Sys: sys, Theta: []float64{1, 2}}} {
		var se *solve.SteadyError
		if _, err := solve.FindSteady(context.Background(), &p); err == nil || errors.As(err, &se) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	// Invariants alone do not say which rows are derivatives of them.
	bound := *sys
	bound.Invariants = sys.RHS
	if _, err := solve.FindSteady(context.Background(), &solve.SteadyProblem{Sys: &bound}); err == nil || !strings.Contains(err.Error(), "as they were written") {
		t.Errorf("invariants: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := solve.FindSteady(ctx, &solve.SteadyProblem{Sys: sys}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
