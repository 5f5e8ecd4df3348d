package sens_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// wild are parameters of the Lotka–Volterra equations that make them swing.
var wild = []float64{1.5, 1, 3, 1, 1, 1}

// Where steps cannot be repeated differences take smaller ones: more of them than a limit for the solve itself allows, and with regard to each state's tolerance.
func TestDifferencesOfStepsOfTheirOwn(t *testing.T) {
	lv := testsys.LotkaVolterra()
	small := testsys.System("small", []string{"x", "y"}, []testsys.Param{{Name: "b", Value: 1.5}}, testsys.Fixed(1, 1e-8),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{t.Const(0), th[0].Mul(x[1]).Mul(t.Sin()).Neg()}
		})
	for _, c := range []struct {
		name string
		p    solve.Problem
		loss *squares
	}{
		{"a limit on steps", solve.Problem{Sys: lv, Theta: wild, T1: 4, Rtol: 1e-5, Atol: 1e-5}, &squares{times: []float64{1.1, 4}, targets: make([]float64, 4), weights: []float64{1, 1}}},
		{"a small state", solve.Problem{Sys: small, T1: 2, AtolVec: []float64{1e-6, 1e-14}}, &squares{times: []float64{2}, targets: []float64{0, 0}, weights: []float64{0, 1e16}}},
	} {
		c.p.Method = find(t, "ROCK2")
		a, d := make([]float64, c.p.Sys.NTheta), make([]float64, c.p.Sys.NTheta)
		q := c.p
		q.Method, q.Rtol, q.Atol = find(t, "Vern7"), 1e-10, 1e-10
		first, err := solve.Solve(context.Background(), &c.p)
		if err != nil || first.Status != solve.Done {
			t.Fatal(err, first)
		}
		c.p.MaxSteps = 2*(first.Stats.Steps+first.Stats.Rejected) + 50
		if _, _, err := sens.Adjoint(context.Background(), &q, c.loss, a); err != nil {
			t.Fatal(err)
		}
		if _, sol, err := sens.FiniteDifferences(context.Background(), &c.p, c.loss, nil, d); err != nil {
			t.Errorf("%s: %v, after a solve of %d steps", c.name, err, sol.Stats.Steps)
			continue
		}
		t.Logf("%s: %v, %.1e", c.name, d, worst(d, a))
		if !(worst(d, a) < 1e-5) {
			t.Errorf("%s: differences %v, at a stringent tolerance %v", c.name, d, a)
		}
	}
}

// A solve that does not come to its end is told as such.
func TestDifferencesThatFail(t *testing.T) {
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), Theta: wild, Method: find(t, "ROCK2"), T1: 4, Rtol: 1e-4, Atol: 1e-4}
	loss := &squares{times: []float64{4}, targets: make([]float64, 2), weights: []float64{1, 1}}
	p.Hmin = 2e-3 // which the tolerance itself allows, but not a thousandth of it
	g := make([]float64, p.Sys.NTheta)
	_, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, g)
	var f *solve.Fault
	if !errors.As(err, &f) || !strings.Contains(err.Error(), "the difference by") {
		t.Error(err, g)
	}
}

// A parameter of the size of a millionth is moved by parts of itself, where the loss bends that much.
func TestDifferencesByASmallParameter(t *testing.T) {
	sys := testsys.System("small", []string{"x"}, []testsys.Param{{Name: "C", Value: 1e-6}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Times(-1e-6).Div(th[0])}
		})
	p := &solve.Problem{Sys: sys, T1: 1, Rtol: 1e-9, Atol: 1e-9}
	a, d := make([]float64, 1), make([]float64, 1)
	if _, _, err := sens.Adjoint(context.Background(), p, last{1}, a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sens.FiniteDifferences(context.Background(), p, last{1}, nil, d); err != nil || !(worst(d, a) < 1e-8) {
		t.Error(a, d, err)
	}
}

// The steps of an adjoint allocate nothing where there is a mass matrix either.
func TestNoAllocationsWithMass(t *testing.T) {
	sys := algebraicSys(t)
	loss := &squares{times: []float64{3}, targets: make([]float64, 2), weights: []float64{1, 2}}
	for _, name := range []string{"Rodas5P", "RadauIIA5", "BDF", "KenCarp4"} {
		var allocs, steps [2]float64
		for k, tol := range []float64{1e-4, 1e-9} {
			var ws sens.Workspace
			p := &solve.Problem{Sys: sys, Method: find(t, name), T1: 3, Rtol: tol, Atol: tol}
			g := make([]float64, 3)
			allocs[k] = testing.AllocsPerRun(3, func() {
				_, sol, err := ws.Adjoint(context.Background(), p, loss, g)
				if err != nil {
					t.Fatal(err)
				}
				steps[k] = float64(sol.Stats.Steps)
			})
		}
		t.Logf("%s: %v allocations over %v steps", name, allocs, steps)
		if more := allocs[1] - allocs[0]; more > 40 { // Newton's method at the start, to the tolerance
			t.Errorf("%s: %v allocations over %v steps", name, allocs, steps)
		}
	}
}
