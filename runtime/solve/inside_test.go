package solve_test

import (
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// follower is x' = −λ (x − sin ωt), x(0) = 0, and its solution.
func follower(lambda, omega float64) (*solve.Problem, func(t float64) float64) {
	sys := testsys.System("follower", []string{"x"}, nil, testsys.Fixed(0), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[0].Sub(t.Times(omega).Sin()).Times(-lambda)}
	})
	q := lambda / (lambda*lambda + omega*omega)
	return &solve.Problem{Sys: sys, T1: 7}, func(t float64) float64 {
		return q * (lambda*math.Sin(omega*t) - omega*math.Cos(omega*t) + omega*math.Exp(-lambda*t))
	}
}

// TestInsideStiffSteps: a stiff component that follows a driver is within some tolerances at any time, not only where steps end.
func TestInsideStiffSteps(t *testing.T) {
	nine, _ := varyingRadau().Of(9)
	thirteen, _ := varyingRadau().Of(13)
	for _, m := range []method.Method{mustFind(t, "RadauIIA5"), nine, thirteen, varyingRadau(), mustFind(t, "BDF"), mustFind(t, "Rodas4"), mustFind(t, "Rodas4P"), mustFind(t, "Rodas5P"), mustFind(t, "TRBDF2"), mustFind(t, "Rosenbrock23")} {
		info := m.Info()
		for _, lambda := range []float64{300, 7e3, 1e5, 1e8} {
			for _, omega := range []float64{0.3, 2, 17} {
				for _, rtol := range []float64{1e-3, 1e-6, 1e-8} {
					if info.Order < 4 && rtol < 1e-5 { // too many steps
						continue
					}
					p, exact := follower(lambda, omega)
					p.Method, p.Rtol, p.Atol = m, rtol, rtol
					s := run(t, p)
					if s.Status != solve.Done {
						t.Fatal(info.Name, s.Fault)
					}
					worst, end, out := 0.0, 0.0, make([]float64, 1)
					for i := range s.NumSteps() {
						st := s.StepRecord(i)
						for k := 1; k <= 40; k++ {
							at := st.T + st.H*float64(k)/40
							if err := s.At(at, out); err != nil {
								t.Fatal(err)
							}
							off := math.Abs(out[0]-exact(at)) / (p.Atol + rtol*math.Abs(exact(at)))
							if k == 40 {
								end = math.Max(end, off)
							}
							worst = math.Max(worst, off)
						}
					}
					t.Logf("%-22s λ = %g, ω = %g, %g: %.3g tolerances, %.3g at ends; %d steps, %d rejected, %d evaluations", info.Name, lambda, omega, rtol, worst, end, s.Stats.Steps, s.Stats.Rejected, s.Stats.Evals)
					if worst > 100 {
						t.Errorf("%s, λ = %g, ω = %g, %g: errors of %.3g tolerances", info.Name, lambda, omega, rtol, worst)
					}
				}
			}
		}
	}
}

func varyingRadau() *method.Radau {
	m, _ := method.Find("RadauIIA5")
	return m.(*method.Radau).Varying()
}
