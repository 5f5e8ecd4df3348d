package sens_test

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// relative is the largest error of a component relative to itself.
func relative(got, want []float64) float64 {
	w := 0.0
	for i, v := range want {
		if e := math.Abs(got[i]-v) / math.Abs(v); !(e <= w) {
			w = e
		}
	}
	return w
}

func find(t testing.TB, name string) method.Method {
	t.Helper()
	m, ok := method.Find(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	return m
}

// stiffGradients are the methods that differentiate stiff problems, and how.
var stiffGradients = []struct{ solver, gradient string }{
	{"Rodas5P", "discrete"}, {"Rodas5P", "forward"}, {"Rodas4", "discrete"}, {"Rodas4", "forward"}, {"auto", "discrete"}, {"auto", "forward"},
	{"RadauIIA5", "discrete"}, {"RadauIIA5", "forward"}, {"KenCarp4", "discrete"}, {"KenCarp4", "forward"}, {"KenCarp5", "discrete"}, {"BDF", "discrete"}, {"BDF", "forward"},
	{"Rodas5P", "interpolating"}, {"Rodas5P", "quadrature"}, {"auto", "interpolating"}, {"auto", "quadrature"}, {"RadauIIA5", "interpolating"}, {"RadauIIA5", "quadrature"},
	{"BDF", "interpolating"}, {"BDF", "quadrature"},
}

// TestRobertsonGradient holds every component of a stiff gradient, of which they are apart by ten orders of magnitude, to a reference of twenty digits.
func TestRobertsonGradient(t *testing.T) {
	r := load(t, "robertson")
	sys, loss := testsys.Robertson(), r.loss()
	for _, c := range stiffGradients {
		p := &solve.Problem{Sys: sys, Method: find(t, c.solver), T1: loss.times[len(loss.times)-1], Rtol: 1e-8, AtolVec: []float64{1e-10, 1e-14, 1e-10}}
		gm, _ := sens.Lookup(c.gradient)
		g := make([]float64, sys.NTheta)
		v, sol, err := gm.Gradient(context.Background(), p, loss, g)
		if err != nil || sol.Status != solve.Done {
			t.Errorf("%s %s: %v", c.solver, c.gradient, err)
			continue
		}
		off := relative(g, r.Gradient)
		t.Logf("%-10s %-10s off by %.1e, value by %.1e, %d steps", c.solver, c.gradient, off, math.Abs(v/r.Value-1), sol.Stats.Steps)
		if most := worst(g, r.Gradient); !(most < 1e-7) && c.solver != "KenCarp4" && c.solver != "KenCarp5" {
			t.Errorf("%s %s: off by %.1e of the largest component", c.solver, c.gradient, most)
		}
		if !(off < 1e-5) || !(math.Abs(v/r.Value-1) < 1e-6) {
			t.Errorf("%s %s: off by %.1e: %v, want %v", c.solver, c.gradient, off, g, r.Gradient)
		}
	}
}

// TestRosenbrockAdjoint compares the adjoint with differences over the same steps, where the right-hand side depends on time and the outputs lie within steps.
func TestRosenbrockAdjoint(t *testing.T) {
	sys := testsys.ProtheroRobinson()
	th := []float64{50, 1.3, 0.4}
	loss := &squares{times: []float64{0.05, 0.31, 0.77, 1.2, 2}, targets: []float64{0, 0.1, 0.2, 0.3, 0.4}, weights: []float64{1}}
	for _, m := range method.Solvers() {
		info := m.Info()
		if info.Family != method.RosenbrockW && info.Family != method.Automatic {
			continue
		}
		p := &solve.Problem{Sys: sys, Method: m, Theta: th, T1: 2, Rtol: 1e-4, Atol: 1e-4}
		g, d := make([]float64, 3), make([]float64, 3)
		if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
			t.Fatal(err)
		}
		_, sol, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %v, %.1e, %d steps", info.Name, g, worst(g, d), sol.Stats.Steps)
		if !(worst(g, d) < 1e-8) {
			t.Errorf("%s: %v, differences %v", info.Name, g, d)
		}
	}
}
