package solve_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// heat is u_t = 0.1 u_xx on (0, 1) with u = 0 at both ends, by central differences at n inner points; the second result is the solution of the differences from
// sin πx + ½ sin 3πx, the third the spectral radius.
func heat(n int) (*system.System, func(t float64, i int) float64, float64) {
	h := 1 / float64(n+1)
	names, init := make([]string, n), make([]float64, n)
	rate := func(k float64) float64 { return 0.4 / (h * h) * math.Pow(math.Sin(k*math.Pi*h/2), 2) }
	at := func(t float64, i int) float64 {
		x := math.Pi * h * float64(i+1)
		return math.Exp(-rate(1)*t)*math.Sin(x) + 0.5*math.Exp(-rate(3)*t)*math.Sin(3*x)
	}
	for i := range names {
		names[i], init[i] = fmt.Sprintf("u%d", i+1), at(0, i)
	}
	sys := testsys.System("heat", names, []testsys.Param{{Name: "k", Value: 0.1}}, testsys.Fixed(init...), func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		out := make([]testsys.Expr, n)
		for i := range out {
			d := x[i].Times(-2)
			if i > 0 {
				d = d.Add(x[i-1])
			}
			if i < n-1 {
				d = d.Add(x[i+1])
			}
			out[i] = d.Mul(th[0]).Times(1 / (h * h))
		}
		return out
	})
	return sys, at, rate(float64(n))
}

// TestRockHeat: diffusion on a hundred points, whose steps an explicit Runge–Kutta method is bound to below 7e-4, at the output times, which lie within steps.
func TestRockHeat(t *testing.T) {
	const n = 99
	sys, at, rho := heat(n)
	blind := *sys
	blind.NoGradient = "for a test"
	for _, name := range []string{"ROCK2", "ROCK4"} {
		for _, tol := range []float64{1e-4, 1e-6} {
			for _, s := range []*system.System{sys, &blind} {
				times := []float64{0.1, 0.5, 1, 1.37, 2}
				sol := run(t, &solve.Problem{Sys: s, Method: mustFind(t, name), T1: 2, Times: times, Rtol: tol, Atol: tol})
				if sol.Status != solve.Done {
					t.Fatal(sol.Fault)
				}
				worst := 0.0
				for k, time := range times {
					for i := range n {
						worst = math.Max(worst, math.Abs(sol.Row(k)[i]-at(time, i))/(tol*(1+math.Abs(at(time, i)))))
					}
				}
				st := sol.Stats
				t.Logf("%s at %g, exact products %v: %.2g tolerances, %d steps, %d rejected, %d evaluations, the largest step %.3g = %.0f/ρ", name, tol, s == sys, worst,
					st.Steps, st.Rejected, st.Evals, st.Largest, st.Largest*rho)
				if worst > 20 {
					t.Errorf("%s at %g: off by %.3g tolerances", name, tol, worst)
				}
			}
		}
	}
}

// A fixed step beyond what all stages are stable for is refused with what would do; with control, steps stay within.
func TestRockReach(t *testing.T) {
	sys, _, rho := heat(999)
	for _, name := range []string{"ROCK2", "ROCK4"} {
		m := mustFind(t, name)
		sol := run(t, &solve.Problem{Sys: sys, Method: m, T1: 1, Step: 0.5})
		if sol.Status != solve.StepTooSmall || !strings.Contains(sol.Fault.Error(), "spectral radius") || !strings.Contains(sol.Fault.Error(), "Rodas5P") {
			t.Errorf("%s: %v", name, sol.Fault)
		}
		t.Log(sol.Fault)
		sol = run(t, &solve.Problem{Sys: sys, Method: m, T1: 0.5, Rtol: 1e-2, Atol: 1e-2})
		if most := m.(*method.ROCK).Longest() / rho; sol.Status != solve.Done || sol.Stats.Largest > most || sol.Stats.Largest < most/2 {
			t.Errorf("%s: %v, the largest step %g, stable up to %g", name, sol.Status, sol.Stats.Largest, most)
		}
	}
}

// Where the spectral radius grows under way, a step that it spoils is found out by its error.
func TestRockGrowingRadius(t *testing.T) {
	sys := testsys.System("stiffening", []string{"x", "y"}, []testsys.Param{{Name: "k", Value: 1000}}, testsys.Fixed(1, 1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{t.Mul(t).Mul(th[0]).Mul(t.Cos().Sub(x[0])).Sub(t.Sin()), x[0].Sub(x[1])}
		})
	for _, name := range []string{"ROCK2", "ROCK4"} {
		sol := run(t, &solve.Problem{Sys: sys, Method: mustFind(t, name), T1: 10, Rtol: 1e-5, Atol: 1e-5})
		if e := math.Abs(sol.XEnd[0] - math.Cos(10)); sol.Status != solve.Done || e > 1e-4 {
			t.Errorf("%s: %v, error %g", name, sol.Status, e)
		}
		t.Logf("%s: %+v", name, sol.Stats)
	}
}

func mustFind(t testing.TB, name string) method.Method {
	t.Helper()
	m, ok := method.Find(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	return m
}
