package compiler_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// driven has an algebraic unknown that moves much more than the differential one that the steps are made for, and others that follow.
const driven = `model M { param a = 1, b = 10
 state x = 1, z = 0, w = 0
 x' = -a*x + w
 0 = z - sin(b*t)*x
 0 = w^3 + w - z - a*x }`

// coupled has a mass matrix with dependent rows and columns that are not zero.
const coupled = `model M { param b = 10
 state x = 1, y = 1, v = 1
 x' - y' = -v + sin(b*t)
 2*x' - 2*y' = x - v + 2*sin(b*t)
 v' = -v + y }`

// betweenEnds compares a solution within its steps, at the outputs asked for and by At, with a reference: the largest error in tolerances.
func betweenEnds(t *testing.T, s *system.System, m method.Method, tol float64, ref *solve.Solution) (ends, inside float64) {
	t.Helper()
	p := &solve.Problem{Sys: s, Method: m, T1: 3, Rtol: tol, Atol: tol}
	sol, err := solve.Solve(context.Background(), p)
	if err != nil || sol.Status != solve.Done {
		t.Fatal(m.Info().Name, tol, err, sol.Fault)
	}
	want, x := make([]float64, s.NX), make([]float64, s.NX)
	off := func(at float64, x []float64) (worst float64) {
		if err := ref.At(at, want); err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			worst = max(worst, math.Abs(v-want[i])/(tol+tol*math.Abs(want[i])))
		}
		return worst
	}
	for i := range sol.T {
		ends = max(ends, off(sol.T[i], sol.Row(i)))
	}
	q := *p
	for i := 0; i+1 < len(sol.T); i++ {
		for _, f := range []float64{.1, .3, .5, .7, .9} {
			q.Times = append(q.Times, sol.T[i]+f*(sol.T[i+1]-sol.T[i]))
		}
	}
	out, err := solve.Solve(context.Background(), &q)
	if err != nil || out.Status != solve.Done {
		t.Fatal(m.Info().Name, tol, err, out.Fault)
	}
	for i, at := range q.Times {
		if err := sol.At(at, x); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(x, out.Row(i), func(a, b float64) bool { return math.Abs(a-b) <= 1e-14*(1+math.Abs(a)) }) {
			t.Fatalf("%s: the output at t = %v is %v, s(t) is %v", m.Info().Name, at, out.Row(i), x)
		}
		inside = max(inside, off(at, x))
	}
	return ends, inside
}

// TestWithinStepsDAE holds that algebraic unknowns are as accurate within steps as at their ends.
func TestWithinStepsDAE(t *testing.T) {
	for name, text := range map[string]string{"driven": driven, "coupled": coupled} {
		s := compile(t, text).System
		precise, _ := method.Find("RadauIIA5")
		ref, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: precise, T1: 3, Rtol: 1e-12, Atol: 1e-12})
		if err != nil || ref.Status != solve.Done {
			t.Fatal(err)
		}
		for _, m := range method.Solvers() {
			if !m.Info().Mass || !m.Info().Adaptive {
				continue
			}
			tols := []float64{1e-4, 1e-6, 1e-8}
			if m.Info().Order < 4 {
				tols = tols[:2]
			}
			for _, tol := range tols {
				ends, inside := betweenEnds(t, s, m, tol, ref)
				t.Logf("%-8s %-12s %.0e  ends %8.3g  inside %8.3g", name, m.Info().Name, tol, ends, inside)
				if inside > 3*ends+20 {
					t.Errorf("%s, %s at %.0e: %.3g tolerances off within steps, %.3g at their ends", name, m.Info().Name, tol, inside, ends)
				}
			}
		}
	}
}

// TestWithinStepsTogether holds that s(t) of a DAE is the same whoever asks and in whatever order.
func TestWithinStepsTogether(t *testing.T) {
	s := compile(t, driven).System
	for _, name := range []string{"Rodas5P", "RadauIIA5"} {
		m, _ := method.Find(name)
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 3})
		if err != nil || sol.Status != solve.Done {
			t.Fatal(name, err)
		}
		const n = 200
		want := make([]float64, n*s.NX)
		for i := range n {
			if err := sol.At(3*float64(i)/n, want[i*s.NX:(i+1)*s.NX]); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for k := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				x := make([]float64, s.NX)
				for j := range n {
					i := (j*(37+2*k) + k) % n
					if err := sol.At(3*float64(i)/n, x); err != nil || !slices.Equal(x, want[i*s.NX:(i+1)*s.NX]) {
						t.Errorf("%s: at t = %v %v, alone %v (%v)", name, 3*float64(i)/n, x, want[i*s.NX:(i+1)*s.NX], err)
						return
					}
				}
			}()
		}
		wg.Wait()
	}
}

// TestEventOnAlgebraicUnknown holds that an event is found where an algebraic unknown passes zero twice within one step, and when.
func TestEventOnAlgebraicUnknown(t *testing.T) {
	const text = `model M { param b = 10
 state x = 1, z = 0, n = 0, at = 0
 x' = -0.1*x
 n' = 0
 at' = 0
 0 = z - sin(b*t)*x
 when z > 0.6 { n := n + 1; at := t } }`
	s := compile(t, text).System
	// z = 0.6 where sin(10 t) = 0.6·exp(t/10): the last time before 3.
	last := 0.0
	lo, hi := 2.5, 2.67 // where 10 t = 8π and 8.5π, about
	for range 60 {
		last = 0.5 * (lo + hi)
		if math.Sin(10*last) > 0.6*math.Exp(last/10) {
			hi = last
		} else {
			lo = last
		}
	}
	for _, m := range method.Solvers() {
		if !m.Info().Mass || !m.Info().Adaptive {
			continue
		}
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 3, Rtol: 1e-7, Atol: 1e-7})
		if err != nil || sol.Status != solve.Done {
			t.Error(m.Info().Name, err, sol.Fault)
			continue
		}
		if n := sol.XEnd[2]; n != 5 || math.Abs(sol.XEnd[3]-last) > 2e-6 {
			t.Errorf("%s: %v events, the last at t = %.9g, not 5 and %.9g", m.Info().Name, n, sol.XEnd[3], last)
		}
	}
}

// TestAdjointWithinStepsDAE holds that the discrete adjoint knows of the correction of algebraic unknowns within steps.
func TestAdjointWithinStepsDAE(t *testing.T) {
	for name, text := range map[string]string{"driven": driven, "coupled": coupled} {
		s := compile(t, text).System
		for _, solver := range []string{"Rodas4", "Rodas5P", "RadauIIA5", "BDF", "KenCarp4", "TRBDF2"} {
			m, _ := method.Find(solver)
			tol := 1e-5
			if solver == "RadauIIA5" || solver == "BDF" {
				tol = 1e-8 // the differences cannot repeat the steps
			}
			p := &solve.Problem{Sys: s, Method: m, T1: 3, Rtol: tol, Atol: tol}
			loss := weighted{times: []float64{0.171, 0.52, 1.137, 1.7, 1.703, 2.71}}
			g, d := make([]float64, s.NTheta), make([]float64, s.NTheta)
			if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
				t.Fatal(name, solver, err)
			}
			if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil {
				t.Fatal(name, solver, err)
			}
			scale := 0.0
			for _, v := range d {
				scale = max(scale, math.Abs(v))
			}
			for i := range g {
				if !(math.Abs(g[i]-d[i]) <= 1e-7*scale) {
					t.Errorf("%s, %s: %v, by differences %v", name, solver, g, d)
					break
				}
			}
			// Over the same steps forward sensitivities have the derivative of the same numbers.
			if _, _, err := (sens.ForwardMethod{StatesOnly: true}).Gradient(context.Background(), p, loss, d); err != nil {
				t.Fatal(name, solver, err)
			}
			for i := range g {
				if !(math.Abs(g[i]-d[i]) <= 1e-5*scale) {
					t.Errorf("%s, %s: %v, forward %v", name, solver, g, d)
					break
				}
			}
		}
	}
}

// weighted is a sum of all states at some times, each with a weight of its own.
type weighted struct{ times []float64 }

func (l weighted) Times() []float64 { return l.times }

func (l weighted) Eval(x, _, gx, _ []float64) (float64, error) {
	sum := 0.0
	for i, v := range x {
		w := 1 + math.Mod(float64(i)*0.37, 1)
		sum += w * v
		if gx != nil {
			gx[i] = w
		}
	}
	return sum, nil
}

// TestBDFTolerances holds that BDF gets through algebraic equations at every tolerance: what its iteration leaves of them does not shrink with the step, and must not count as an
// error of the steps that follow.
func TestBDFTolerances(t *testing.T) {
	m, _ := method.Find("BDF")
	s := compile(t, driven).System
	for e := 3.0; e < 10; e += 0.1 {
		tol := math.Pow(10, -e)
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 3, Rtol: tol, Atol: tol * 1e-2})
		if err != nil || sol.Status != solve.Done {
			t.Errorf("%.3g: %v %v", tol, err, sol.Fault)
		}
	}
}

// TestWithinStepsAllocateNothing holds that correcting what is interpolated takes no memory.
func TestWithinStepsAllocateNothing(t *testing.T) {
	for name, text := range map[string]string{"driven": driven, "coupled": coupled} {
		s := compile(t, text).System
		m, _ := method.Find("Rodas5P")
		st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 1e6, MaxSteps: 1e9})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, s.NX)
		if n := testing.AllocsPerRun(100, func() {
			st.Step()
			at, h := st.Last()
			st.Interpolate(at+0.3*h, x)
			st.Interpolate(at+0.6*h, x)
		}); n != 0 {
			t.Errorf("%s: %v allocations in a step with two outputs", name, n)
		}
	}
}
