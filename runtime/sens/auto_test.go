package sens_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// many is x' = Σ_k a_k sin(k t) − x/(1 + x²), of thirty parameters, with a jump of x at t = 1.
func many(event bool) *system.System {
	ps := testsys.Params("a", make([]float64, 30))
	for k := range ps {
		ps[k].Value = 0.1 / float64(k+1)
	}
	sys := testsys.System("many", []string{"x"}, ps, testsys.Fixed(1), func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		z := x[0].Neg().Div(x[0].Mul(x[0]).Plus(1))
		for k := range th {
			z = z.Add(th[k].Mul(t.Times(float64(k)).Sin()))
		}
		return []testsys.Expr{z}
	})
	if event {
		sys.Guards = testsys.Func(1, len(ps), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Neg().Plus(0.7)} })
		sys.Events = []system.Event{{Name: "when x < 0.7", Kind: system.EventWhen, Reset: testsys.Func(1, len(ps), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Plus(0.5)}
		}), Changes: []int{0}}}
	}
	return sys
}

// Auto takes the discrete adjoint where there is one, and else what suits, and says why.
func TestAuto(t *testing.T) {
	ctx := context.Background()
	lv := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 3}
	a, d := make([]float64, 6), make([]float64, 6)
	_, sol, err := sens.Auto(ctx, lv, last{3}, a)
	if _, _, err2 := sens.Adjoint(ctx, lv, last{3}, d); err != nil || err2 != nil || !slices.Equal(a, d) || !strings.HasPrefix(sol.Stats.Adjoint, "discrete: the exact derivative") {
		t.Errorf("%v, %v, %v, %q", a, d, err, sol.Stats.Adjoint)
	}
	second := func(sys *system.System) *system.System {
		sys.NoSecond = "`foo` has no second derivative"
		return sys
	}
	for _, c := range []struct {
		name, solver, want, why string
		p                       *solve.Problem
	}{
		{"no second derivatives, few parameters", "Rodas5P", "quadrature: the problem is stiff", "`foo` has no second", &solve.Problem{Sys: second(few()), T1: 3}},
		{"no second derivatives, many parameters", "Rodas5P", "quadrature: the problem is stiff", "`foo` has no second", &solve.Problem{Sys: second(many(true)), T1: 3}},
		{"little memory, few parameters", "Tsit5", "forward: there are few parameters", "do not fit into memory", &solve.Problem{Sys: few(), T1: 3, MaxMemory: 400}},
		{"little memory, many parameters", "Tsit5", "forward: there are many parameters, but memory", "do not fit into memory", &solve.Problem{Sys: many(true), T1: 3, MaxMemory: 2000}},
	} {
		c.p.Method, c.p.Rtol, c.p.Atol = find(t, c.solver), 1e-9, 1e-9
		n := c.p.Sys.NTheta
		g, ref := make([]float64, n), make([]float64, n)
		v, sol, err := sens.Auto(ctx, c.p, last{3}, g)
		if err != nil || !sol.Status.Ended() {
			t.Errorf("%s: %v, %v, %v", c.name, v, sol.Status, err)
			continue
		}
		t.Log(sol.Stats.Adjoint)
		if !strings.HasPrefix(sol.Stats.Adjoint, c.want) || !strings.Contains(sol.Stats.Adjoint, c.why) {
			t.Errorf("%s: %q", c.name, sol.Stats.Adjoint)
		}
		q := *c.p
		q.Method, q.MaxMemory = find(t, "Vern9"), 0
		if _, _, err := sens.Adjoint(ctx, &q, last{3}, ref); err != nil || !(worst(g, ref) < 1e-6) {
			t.Errorf("%s: %v, want %v, %v", c.name, g, ref, err)
		}
	}
	// What nothing can differentiate is refused with the reason of the first.
	no := few()
	no.Events[0].Delay = testsys.Func(0, no.NTheta, func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Const(0.1)} })
	if _, _, err := sens.Auto(ctx, &solve.Problem{Sys: no, T1: 3}, last{3}, make([]float64, no.NTheta)); err == nil || !strings.Contains(err.Error(), "discrete adjoint gradient: the assignments of `when x < 0.7` are delayed") {
		t.Error(err)
	}
}

// few is many with what it has of one parameter.
func few() *system.System {
	sys := testsys.System("few", []string{"x"}, []testsys.Param{{Name: "k", Value: 0.6}}, testsys.Fixed(1), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[0].Mul(th[0]).Neg()}
	})
	m := many(true)
	sys.Guards = testsys.Func(1, 1, func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Neg().Plus(0.7)} })
	sys.Events = []system.Event{m.Events[0]}
	sys.Events[0].Reset = testsys.Func(1, 1, func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Plus(0.5)} })
	return sys
}

// The derivative by an output time is that of the loss along the solution, for every method alike.
func TestByOutputTimes(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		sys    *system.System
		solver string
	}{{driven(), "Vern9"}, {algebraicSys(t), "Rodas5P"}} {
		times := []float64{0, 0.4, 1.3, 2}
		p := &solve.Problem{Sys: c.sys, Method: find(t, c.solver), T1: 2.5, Rtol: 1e-11, Atol: 1e-11}
		want := make([]float64, len(times))
		for i := range times {
			v := [2]float64{}
			for k, h := range []float64{-1e-4, 1e-4} {
				moved := slices.Clone(times)
				if moved[i] += h; moved[i] < 0 {
					moved[i] = 0
				}
				var ws sens.Workspace
				var err error
				if v[k], _, err = ws.Value(ctx, p, odd{moved}); err != nil {
					t.Fatal(err)
				}
			}
			if want[i] = (v[1] - v[0]) / 2e-4; i == 0 {
				continue
			}
		}
		for _, m := range sens.Methods() {
			if m.Name == "differences" || m.Name == "backsolve" && c.sys.Mass != nil || m.Name == "forward" && c.sys.Mass != nil {
				continue
			}
			seen := sens.Recording(odd{times})
			_, sol, err := m.Gradient(ctx, p, seen, make([]float64, c.sys.NTheta))
			if err != nil {
				t.Fatal(m.Name, err)
			}
			got, err := sens.ByOutputTimes(ctx, p, sol, seen)
			if err != nil {
				t.Fatal(err)
			}
			if off := worst(got[1:], want[1:]); !(off < 1e-7) {
				t.Errorf("%s %s: %v, differences %v", c.sys.Name, m.Name, got, want)
			}
		}
	}
}
