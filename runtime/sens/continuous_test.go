package sens_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// continuous are the rows of the table whose gradients are those of the equations.
func continuous() (all []sens.Method) {
	for _, m := range sens.Methods() {
		if m.Continuous {
			all = append(all, m)
		}
	}
	return all
}

// Continuous adjoints by every solver against the discrete adjoint of a stringent one: forwards and backwards in time, outputs at the ends, within steps, and twice at one time;
// and with a singular mass matrix, one entry of which is a parameter.
func TestContinuousAdjoints(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		sys   *system.System
		t0    float64
		t1    float64
		times []float64
	}{
		{"driven", driven(), 0.5, 3, []float64{0.5, 0.775, 0.7775, 1.75, 1.75, 2.825, 3}},
		{"back in time", driven(), 3, 1, []float64{3, 2.8, 2.1, 2.1, 1.001, 1}},
		{"algebraic", algebraicSys(t), 0, 3, []float64{0, 0.001, 0.5, 0.9, 0.901, 1.7, 3}},
	} {
		loss := odd{c.times}
		want := make([]float64, c.sys.NTheta)
		ref := &solve.Problem{Sys: c.sys, Method: find(t, "Vern9"), T0: c.t0, T1: c.t1, Rtol: 1e-12, Atol: 1e-12}
		if c.sys.Mass != nil {
			ref.Method, ref.Rtol = find(t, "Rodas5P"), 1e-11
		}
		if _, _, err := sens.Adjoint(ctx, ref, loss, want); err != nil {
			t.Fatal(err)
		}
		for _, m := range method.Solvers() {
			info := m.Info()
			if c.sys.Mass != nil && !info.Mass || info.Family == method.Hamiltonian {
				continue
			}
			tol, bound := 1e-9, 1e-6
			p := &solve.Problem{Sys: c.sys, Method: m, T0: c.t0, T1: c.t1, Rtol: tol, Atol: tol}
			if info.Order <= 3 {
				p.Rtol, p.Atol, bound = 1e-6, 1e-6, 3e-4
			}
			if !info.Adaptive {
				p.Step, bound = 1e-3, 2e-2
				if info.Order >= 4 {
					bound = 1e-6
				}
			}
			for _, gm := range continuous() {
				g := make([]float64, c.sys.NTheta)
				_, sol, err := gm.Gradient(ctx, p, loss, g)
				var no *sens.RefusedError
				if gm.Name == "backsolve" && c.sys.Mass != nil {
					if !errors.As(err, &no) || !strings.Contains(err.Error(), "backsolve") {
						t.Errorf("backsolve of algebraic equations gives %v, %v", g, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s %s %s: %v", c.name, info.Name, gm.Name, err)
					continue
				}
				off := worst(g, want)
				t.Logf("%-12s %-12s %-13s %.1e, %d and %d steps", c.name, info.Name, gm.Name, off, sol.Stats.Steps, sol.Stats.Backward)
				if !(off < bound) {
					t.Errorf("%s %s %s: off by %.1e: %v, want %v", c.name, info.Name, gm.Name, off, g, want)
				}
			}
		}
	}
}

// damped is x' = −k (x − cos t), which backwards grows as e^kt.
func damped() *system.System {
	return testsys.System("damped", []string{"x"}, []testsys.Param{{Name: "k", Value: 20}}, testsys.Fixed(2),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Sub(t.Cos()).Mul(th[0]).Neg()}
		})
}

// Backsolve tells how far its states depart, and refuses where they leave what is finite.
func TestBacksolveDeparts(t *testing.T) {
	ctx := context.Background()
	back, _ := sens.Lookup("backsolve")
	g := make([]float64, 1)
	_, sol, err := back.Gradient(ctx, &solve.Problem{Sys: damped(), T1: 1}, last{1}, g)
	if err != nil || !strings.Contains(sol.Stats.Departed, "`x` is off by") || !strings.Contains(sol.Stats.Departed, "times the tolerance") {
		t.Errorf("%v, %q", err, sol.Stats.Departed)
	}
	t.Log(sol.Stats.Departed)
	_, sol, err = back.Gradient(ctx, &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 3, Rtol: 1e-8, Atol: 1e-8}, last{3}, make([]float64, 6))
	if err != nil || sol.Stats.Departed != "" {
		t.Errorf("%v, %q", err, sol.Stats.Departed)
	}
	stiff := damped()
	_, sol, err = back.Gradient(ctx, &solve.Problem{Sys: stiff, Theta: []float64{3000}, T1: 1}, last{1}, g)
	var no *sens.RefusedError
	if !errors.As(err, &no) && (err != nil || sol.Stats.Departed == "") {
		t.Errorf("%v, %q, %v", g, sol.Stats.Departed, err)
	}
	t.Log(err, g)
	for _, m := range continuous()[:2] {
		if _, _, err := m.Gradient(ctx, &solve.Problem{Sys: stiff, Theta: []float64{3000}, T1: 1, Method: find(t, "Rodas5P")}, last{1}, g); err != nil {
			t.Error(m.Name, err)
		}
	}
}

// A wrong rule is noticed by continuous adjoints as by others.
func TestWrongDerivativeOfContinuous(t *testing.T) {
	sys := driven()
	sys.RHS = wrong{sys.RHS}
	p := &solve.Problem{Sys: sys, T1: 3, Rtol: 1e-9, Atol: 1e-9}
	loss := odd{[]float64{1, 2, 3}}
	want := make([]float64, 3)
	if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, want); err != nil {
		t.Fatal(err)
	}
	for _, m := range continuous() {
		g := make([]float64, 3)
		if _, _, err := m.Gradient(context.Background(), p, loss, g); err != nil {
			t.Fatal(err)
		}
		if off := worst(g, want); off < 3e-8 {
			t.Errorf("%s: a wrong rule went unnoticed: %.1e", m.Name, off)
		}
	}
}

// The rule of seven points integrates polynomials to degree 11, that of three to degree 5.
func TestKronrodRule(t *testing.T) {
	node, weight, low := sens.Kronrod()
	for d := range 12 {
		s, l := 0.0, 0.0
		for i, x := range node {
			s += weight[i] * math.Pow(x, float64(d))
			l += low[i] * math.Pow(x, float64(d))
		}
		want := 0.0
		if d%2 == 0 {
			want = 2 / float64(d+1)
		}
		if math.Abs(s-want) > 1e-15 || d < 6 && math.Abs(l-want) > 1e-15 {
			t.Errorf("degree %d: %v and %v, want %v", d, s, l, want)
		}
	}
}
