package solve_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// kepler is the planar two-body problem from the pericentre of an ellipse, its states in an order that a position does not begin.
func kepler(t testing.TB, eccentricity float64) *system.System {
	sys := testsys.System("kepler", []string{"px", "x", "y", "py"}, []testsys.Param{{Name: "k", Value: 1}},
		testsys.Fixed(0, 1-eccentricity, 0, math.Sqrt((1+eccentricity)/(1-eccentricity))),
		func(t expr, s, th []expr) []expr {
			r := s[1].Mul(s[1]).Add(s[2].Mul(s[2])).Sqrt()
			f := th[0].Div(r.Mul(r).Mul(r)).Times(-1)
			return []expr{s[1].Mul(f), s[0], s[3], s[2].Mul(f)}
		})
	return withPattern(t, sys, 0, 1, 0, 2, 1, 0, 2, 3, 3, 1, 3, 2)
}

func keplerEnergy(x []float64) float64 {
	return (x[0]*x[0]+x[3]*x[3])/2 - 1/math.Hypot(x[1], x[2])
}

func pendulum(t testing.TB) *system.System {
	sys := testsys.System("pendulum", []string{"q", "p"}, []testsys.Param{{Name: "g", Value: 1}}, testsys.Fixed(1.2, 0),
		func(t expr, s, th []expr) []expr { return []expr{s[1], s[0].Sin().Mul(th[0]).Times(-1)} })
	return withPattern(t, sys, 0, 1, 1, 0)
}

func oscillator(t testing.TB) *system.System {
	sys := testsys.System("oscillator", []string{"q", "p"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1, 0),
		func(t expr, s, th []expr) []expr { return []expr{s[1], s[0].Mul(th[0]).Times(-1)} })
	return withPattern(t, sys, 0, 1, 1, 0)
}

// TestEnergyDoesNotDrift over ten thousand periods, a tenth of that with -short: it oscillates as far in the last tenth as in the first, where a Runge–Kutta method of
// the same step loses it for good.
func TestEnergyDoesNotDrift(t *testing.T) {
	periods := 10_000.0
	if testing.Short() {
		periods /= 10
	}
	for _, c := range []struct {
		sys    *system.System
		energy func(x []float64) float64
		step   float64
	}{
		{oscillator(t), func(x []float64) float64 { return (x[0]*x[0] + x[1]*x[1]) / 2 }, 0.25},
		{pendulum(t), func(x []float64) float64 { return x[1]*x[1]/2 - math.Cos(x[0]) }, 0.25},
		{kepler(t, 0.3), keplerEnergy, 0.1},
	} {
		end := periods * 2 * math.Pi
		for _, name := range []string{"Verlet", "Yoshida6"} {
			st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: c.sys, Method: mustFind(t, name), T1: end, Step: c.step, NoDense: true, MaxSteps: 1e7})
			if err != nil {
				t.Fatal(err)
			}
			e0, early, late := c.energy(st.X()), 0.0, 0.0
			for st.Step() {
				d := math.Abs(c.energy(st.X()) - e0)
				if st.T() < end/10 {
					early = math.Max(early, d)
				} else if st.T() > 0.9*end {
					late = math.Max(late, d)
				}
			}
			t.Logf("%s by %s: %d steps, the energy is off by %.2e in the first tenth, %.2e in the last", c.sys.Name, name, st.Stats().Steps, early, late)
			if st.Status() != solve.Done || late > 1.05*early+1e-11 {
				t.Errorf("%s by %s: %v, the energy drifts from %.2e to %.2e", c.sys.Name, name, st.Status(), early, late)
			}
		}
	}
}

// An ellipse comes back to where it began, and a solution to what it was integrated from.
func TestKeplerReturns(t *testing.T) {
	sys := kepler(t, 0.5)
	p := &solve.Problem{Sys: sys, Method: mustFind(t, "Yoshida6"), T1: 2 * math.Pi, Step: 2 * math.Pi / 400}
	sol := run(t, p)
	x := sol.XEnd
	if off := math.Hypot(x[1]-0.5, x[2]) + math.Hypot(x[0], x[3]-math.Sqrt(3)); off > 1e-7 {
		t.Errorf("after one period off by %g: %v", off, x)
	}
	back := run(t, &solve.Problem{Sys: sys, Method: p.Method, X0: append([]float64(nil), x...), T0: 2 * math.Pi, T1: 0, Step: p.Step})
	if off := math.Hypot(back.XEnd[1]-0.5, back.XEnd[2]); off > 1e-12 {
		t.Errorf("there and back: off by %g", off)
	}
}

// Where a system has no derivatives, differences serve the dense output, within the step.
func TestSymplecticWithoutDerivatives(t *testing.T) {
	sys := separable(t)
	blind := *sys
	blind.NoGradient = "for a test"
	out := [2][]float64{make([]float64, 2), make([]float64, 2)}
	var sols [2]*solve.Solution
	for i, s := range []*system.System{sys, &blind} {
		sols[i] = run(t, &solve.Problem{Sys: s, Method: mustFind(t, "Yoshida6"), T1: 4, Step: 0.1})
	}
	for k := range 400 {
		at := 0.01 * float64(k)
		for i, s := range sols {
			if err := s.At(at, out[i]); err != nil {
				t.Fatal(err)
			}
		}
		if off := math.Hypot(out[0][0]-out[1][0], out[0][1]-out[1][1]); off > 1e-12 {
			t.Fatalf("at %v: apart by %g", at, off)
		}
	}
}

func TestNotSeparable(t *testing.T) {
	two := func(f func(t expr, x, th []expr) []expr, names ...string) *system.System {
		init := make([]float64, len(names))
		return testsys.System("M", names, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(init...), f)
	}
	zero := func(n int) func(t expr, x, th []expr) []expr {
		return func(t expr, x, th []expr) []expr {
			out := make([]expr, n)
			for i := range out {
				out[i] = t.Const(0)
			}
			return out
		}
	}
	for _, c := range []struct {
		sys  *system.System
		want string
	}{
		{withPattern(t, two(zero(2), "q", "p"), 0, 1, 1, 0, 1, 1), "p' depends on p"},
		{withPattern(t, two(zero(3), "x", "y", "z"), 0, 1, 1, 2, 2, 0), "of the same group"},
		{two(zero(2), "q", "p"), "not known"},
	} {
		for _, name := range []string{"Verlet", "Yoshida6"} {
			_, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.sys, Method: mustFind(t, name), T1: 1, Step: 0.1})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want %q", err, c.want)
			}
		}
	}
	_, err := solve.Solve(context.Background(), &solve.Problem{Sys: pendulum(t), Method: mustFind(t, "Verlet"), T1: 1})
	if err == nil || !strings.Contains(err.Error(), "fixed step") {
		t.Errorf("without a step: %v", err)
	}
}

// TestSeparate: forces make momenta, whatever the order; what stands alone is kicked by what it gets.
func TestSeparate(t *testing.T) {
	for _, c := range []struct {
		sys  *system.System
		want []bool
	}{
		{pendulum(t), []bool{false, true}},
		{kepler(t, 0.1), []bool{true, false, false, true}},
		{withPattern(t, pendulum(t)), []bool{true, true}},
	} {
		got, err := solve.Separate(c.sys)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range c.want {
			if got[i] != v {
				t.Errorf("%s: momenta %v, want %v", c.sys.Name, got, c.want)
				break
			}
		}
	}
}
