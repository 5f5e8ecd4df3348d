package sens_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// newtonMethods are those whose steps solve equations by Newton's method, each order of a family on its own.
func newtonMethods() (all []method.Method) {
	for _, m := range method.Solvers() {
		switch m := m.(type) {
		case *method.DIRK, *method.BDF:
			all = append(all, m)
		case *method.Radau:
			for _, order := range m.Orders() {
				one, _ := m.Of(order)
				all = append(all, one)
			}
		}
	}
	return all
}

// The adjoint of a step against differences over the same steps, with outputs at their ends and, several to a step or none, within.
func TestImplicitAdjoint(t *testing.T) {
	for _, c := range []struct {
		name  string
		sys   *system.System
		th    []float64
		t1    float64
		times []float64
	}{
		{"prothero", testsys.ProtheroRobinson(), []float64{50, 1.3, 0.4}, 2, []float64{0.05, 0.31, 0.33, 0.35, 0.77, 1.2, 1.201, 2}},
		{"lotka_volterra", testsys.LotkaVolterra(), nil, 4, []float64{0.4, 1.1, 1.11, 1.12, 2.5, 3.9, 4}},
	} {
		loss := &squares{times: c.times, targets: make([]float64, len(c.times)*c.sys.NX), weights: make([]float64, c.sys.NX)}
		for i := range loss.targets {
			loss.targets[i] = 0.1 * float64(i)
		}
		for i := range loss.weights {
			loss.weights[i] = 1
		}
		for _, m := range newtonMethods() {
			p := &solve.Problem{Sys: c.sys, Method: m, Theta: c.th, T1: c.t1, Rtol: 1e-5, Atol: 1e-5}
			g, d := make([]float64, c.sys.NTheta), make([]float64, c.sys.NTheta)
			// Over prescribed steps the equations are solved to rounding.
			first, err := solve.Solve(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			p.Mesh, p.MeshOrders = first.Mesh(), first.MeshOrders()
			if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
				t.Fatal(err)
			}
			if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil {
				t.Fatal(err)
			}
			t.Logf("%-15s %-22s %.1e, %d steps", c.name, m.Info().Name, worst(g, d), first.Stats.Steps)
			if !(worst(g, d) < 3e-8) {
				t.Errorf("%s, %s: %v, differences %v", c.name, m.Info().Name, g, d)
			}
		}
	}
}

// algebraicSys is m·x' = −p x + z, 0 = z + q x − cos t, a mass that is a parameter included.
func algebraicSys(t *testing.T) *system.System {
	sys := testsys.System("algebraic", []string{"x", "z"}, []testsys.Param{{Name: "m", Value: 1.5}, {Name: "p", Value: 2}, {Name: "q", Value: 0.7}}, testsys.Fixed(0, 0),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[1].Sub(th[1].Mul(x[0])), x[1].Add(th[2].Mul(x[0]).Mul(x[0])).Sub(t.Cos())}
		})
	sys.Init = testsys.Func(0, 3, func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{th[0].Const(0.5), th[0].Const(1).Sub(th[2].Times(0.25))}
	})
	p, err := sparse.NewPattern(2, []int{0}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	sys.Mass = &system.Mass{Pattern: p, Values: testsys.Func(0, 3, func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0]} })}
	sys.Algebraic = []bool{false, true}
	return sys
}

func TestImplicitAdjointOfAlgebraic(t *testing.T) {
	sys := algebraicSys(t)
	loss := &squares{times: []float64{0.001, 0.5, 0.9, 0.901, 1.7, 3}, targets: make([]float64, 12), weights: []float64{1, 2}}
	for _, m := range newtonMethods() {
		p := &solve.Problem{Sys: sys, Method: m, T1: 3, Rtol: 1e-6, Atol: 1e-6}
		first, err := solve.Solve(context.Background(), p)
		if err != nil || first.Status != solve.Done {
			t.Fatal(err, first)
		}
		p.Mesh, p.MeshOrders = first.Mesh(), first.MeshOrders()
		g, d := make([]float64, 3), make([]float64, 3)
		_, _, err = sens.Adjoint(context.Background(), p, loss, g)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil {
			t.Fatal(err)
		}
		t.Logf("%-22s %v, %.1e", m.Info().Name, g, worst(g, d))
		if !(worst(g, d) < 3e-8) {
			t.Errorf("%s: %v, differences %v", m.Info().Name, g, d)
		}
	}
}

// Steps of a varying order cannot be repeated: the adjoint is held to that of one order at a stringent tolerance, differences come near it.
func TestVaryingOrderAdjoint(t *testing.T) {
	m, _ := find(t, "RadauIIA5").(*method.Radau)
	nine, _ := m.Of(9)
	sys := testsys.LotkaVolterra()
	loss := &squares{times: []float64{0.4, 1.1, 2.5, 3.9, 4}, targets: make([]float64, 10), weights: []float64{1, 1}}
	var g [2][]float64
	for i, m := range []method.Method{m.Varying(), nine} {
		g[i] = make([]float64, sys.NTheta)
		p := &solve.Problem{Sys: sys, Method: m, T1: 4, Rtol: 1e-11, Atol: 1e-11}
		if _, sol, err := sens.Adjoint(context.Background(), p, loss, g[i]); err != nil || sol.Status != solve.Done {
			t.Fatal(err, sol)
		}
	}
	t.Logf("%v, %.1e", g[0], worst(g[0], g[1]))
	if !(worst(g[0], g[1]) < 1e-8) {
		t.Errorf("%v, by one order %v", g[0], g[1])
	}
	d := make([]float64, sys.NTheta)
	p := &solve.Problem{Sys: sys, Method: m.Varying(), T1: 4, Rtol: 1e-9, Atol: 1e-9}
	if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil || !(worst(g[0], d) < 1e-5) {
		t.Errorf("%v, differences %v, %v", g[0], d, err)
	}
}

// A gradient does not know of an explicit part, and says so.
func TestNoGradientOfExplicitPart(t *testing.T) {
	sys := testsys.LotkaVolterra()
	p := &solve.Problem{Sys: sys, Explicit: sys.RHS, Method: find(t, "KenCarp4"), T1: 1}
	loss := &squares{times: []float64{1}, targets: make([]float64, 2), weights: []float64{1, 1}}
	for _, m := range sens.Methods() {
		g := make([]float64, sys.NTheta)
		_, _, err := m.Gradient(context.Background(), p, loss, g)
		if m.Name == "differences" {
			if err != nil || !(math.Abs(g[0]) > 0) {
				t.Errorf("%s: %v, %v", m.Name, g, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "explicit") {
			t.Errorf("%s: %v, %v", m.Name, g, err)
		}
	}
}
