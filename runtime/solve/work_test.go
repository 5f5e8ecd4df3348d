package solve_test

import (
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// What a method buys: evaluations and the error at the end, at a tolerance where a high order
// should pay. The bound is generous; the figures are in the log.
func TestWork(t *testing.T) {
	for _, c := range []struct {
		name string
		sys  *system.System
	}{
		{"lotka_volterra", testsys.LotkaVolterra()},
		{"rigid_body", testsys.RigidBody()},
		{"lorenz_short", testsys.Lorenz()},
		{"pleiades", testsys.Pleiades()},
		{"arenstorf", testsys.Arenstorf()},
	} {
		ref := load(t, c.name)
		evals, errs := map[string]float64{}, map[string]float64{}
		for _, name := range []string{"Tsit5", "Vern7", "Vern9"} {
			s := run(t, &solve.Problem{Sys: c.sys, Method: mustMethod(t, name), X0: ref.Initial, T0: ref.T0, T1: ref.TEnd, Times: []float64{},
				Rtol: 1e-11, Atol: 1e-11})
			if s.Status != solve.Done || ref.Times[len(ref.Times)-1] != ref.TEnd {
				t.Fatalf("%s %s: %v", c.name, name, s.Fault)
			}
			worst := 0.0
			for j, w := range ref.Reference[len(ref.Reference)-1] {
				worst = math.Max(worst, math.Abs(s.XEnd[j]-w))
			}
			evals[name], errs[name] = float64(s.Stats.Evals), worst
			t.Logf("%-15s %-6s %6d evaluations, %5d steps, %3d rejected, error %.1e", c.name, name, s.Stats.Evals, s.Stats.Steps, s.Stats.Rejected, worst)
		}
		// The evaluations that Vern7 would need for the error of Vern9, by its order.
		fair := evals["Vern7"] * math.Pow(errs["Vern7"]/errs["Vern9"], 1./7)
		if evals["Vern9"] > fair {
			t.Errorf("%s: Vern9 needs more evaluations than Vern7 for the same error", c.name)
		}
		t.Logf("%-15s Vern9 does with %.2f of the evaluations of Vern7 for the same error", c.name, evals["Vern9"]/fair)
	}
}

// VCABM's two evaluations a step, whatever the order: what it needs, of those of Vern7 and Vern9 for the same error by their orders.
func TestWorkOfAdams(t *testing.T) {
	for _, c := range []struct {
		name string
		sys  *system.System
	}{
		{"pleiades", testsys.Pleiades()},
		{"arenstorf", testsys.Arenstorf()},
	} {
		ref := load(t, c.name)
		for _, tol := range []float64{1e-9, 1e-11} {
			evals, errs := map[string]float64{}, map[string]float64{}
			for _, name := range []string{"VCABM", "Vern7", "Vern9"} {
				s := run(t, &solve.Problem{Sys: c.sys, Method: mustFind(t, name), X0: ref.Initial, T0: ref.T0, T1: ref.TEnd, Times: []float64{}, Rtol: tol, Atol: tol})
				if s.Status != solve.Done {
					t.Fatalf("%s %s: %v", c.name, name, s.Fault)
				}
				for j, w := range ref.Reference[len(ref.Reference)-1] {
					errs[name] = math.Max(errs[name], math.Abs(s.XEnd[j]-w))
				}
				evals[name] = float64(s.Stats.Evals)
				t.Logf("%-10s %g %-6s %6d evaluations, %5d steps, %3d rejected, error %.1e", c.name, tol, name, s.Stats.Evals, s.Stats.Steps, s.Stats.Rejected, errs[name])
			}
			share := func(name string, order float64) float64 {
				return evals["VCABM"] / (evals[name] * math.Pow(errs[name]/errs["VCABM"], 1/order))
			}
			a, b := share("Vern7", 7), share("Vern9", 9)
			t.Logf("%-10s %g: VCABM takes %.2f of the evaluations of Vern7, %.2f of those of Vern9", c.name, tol, a, b)
			if a > 1.1 || b > 1.1 {
				t.Errorf("%s at %g: VCABM takes %.2f of the evaluations of Vern7, %.2f of those of Vern9", c.name, tol, a, b)
			}
		}
	}
}
