package sens_test

import (
	"context"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Sensitivities without error control are solved for all the same: those of implicit steps agree with the discrete adjoint as well as the equations of the steps are solved,
// which is to a small part of the tolerance, also where the states themselves stand still.
func TestStatesOnlyIsSolved(t *testing.T) {
	// x stays where it is, so that there is nothing to iterate for; not so its sensitivity, whose rate changes all the time.
	still := testsys.System("still", []string{"x", "y"}, []testsys.Param{{Name: "k", Value: 3}, {Name: "a", Value: 1}},
		testsys.Fixed(1, 1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(t.Times(3).Sin().Times(0.9).Plus(1)).Mul(th[1].Sub(x[0])), x[0].Sub(x[1])}
		})
	for _, c := range []struct {
		name string
		sys  *system.System
		th   []float64
	}{{"still", still, nil}, {"prothero", testsys.ProtheroRobinson(), []float64{50, 1.3, 0.4}}, {"lotka_volterra", testsys.LotkaVolterra(), nil}} {
		for _, name := range []string{"BDF", "RadauIIA5", "KenCarp4", "Rodas5P"} {
			p := &solve.Problem{Sys: c.sys, Method: find(t, name), Theta: c.th, T1: 3, Rtol: 1e-5, Atol: 1e-5, Hmax: 0.2}
			loss := &squares{times: []float64{0.4, 1.1, 3}, targets: make([]float64, 3*c.sys.NX), weights: []float64{1}}
			a, f := make([]float64, c.sys.NTheta), make([]float64, c.sys.NTheta)
			if _, _, err := sens.Adjoint(context.Background(), p, loss, a); err != nil {
				t.Fatal(err)
			}
			_, sol, err := (sens.ForwardMethod{StatesOnly: true}).Gradient(context.Background(), p, loss, f)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%-15s %-10s %.1e, %d steps", c.name, name, worst(f, a), sol.Stats.Steps)
			if !(worst(f, a) < 1e-4) {
				t.Errorf("%s, %s: forward %v, discrete %v", c.name, name, f, a)
			}
		}
	}
}
