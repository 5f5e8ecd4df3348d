package solve_test

import (
	"math"
	"slices"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// everySolver lists all solvers, every order of those with several, each with a problem on the pendulum, which all of them can solve.
func everySolver(t testing.TB) (problems []*solve.Problem) {
	sys := pendulum(t)
	for _, m := range method.Solvers() {
		p := &solve.Problem{Sys: sys, Method: m, X0: []float64{1, 0.5}, T1: 6, Rtol: 1e-6, Atol: 1e-6}
		if !m.Info().Adaptive {
			p.Step = 0.05
		}
		problems = append(problems, p)
		if r, ok := m.(*method.Radau); ok {
			for _, order := range r.Orders()[1:] {
				q := *p
				q.Method, _ = r.Of(order)
				problems = append(problems, &q)
			}
			q := *p
			q.Method = r.Varying()
			problems = append(problems, &q)
		}
	}
	return problems
}

// With output times and without, every solver makes the same steps, and what it puts out is what At reads off the record, to rounding.
func TestNoSolverStepsToOutputs(t *testing.T) {
	for _, p := range everySolver(t) {
		name := p.Method.Info().Name
		for _, end := range []float64{6, -6} {
			p.T1, p.Times = end, nil
			free := run(t, p)
			for k := range 241 {
				p.Times = append(p.Times, end*float64(k)/240)
			}
			s := run(t, p)
			if s.Status != solve.Done || !slices.Equal(s.Mesh(), free.Mesh()) || s.Stats.Steps != free.Stats.Steps || !slices.Equal(s.XEnd, free.XEnd) {
				t.Errorf("%s: %d steps with outputs, %d without; %v", name, s.Stats.Steps, free.Stats.Steps, s.Fault)
				continue
			}
			out := make([]float64, 2)
			for i, at := range s.T {
				if err := free.At(at, out); err != nil || math.Abs(out[0]-s.Row(i)[0])+math.Abs(out[1]-s.Row(i)[1]) > 1e-14 {
					t.Errorf("%s: output %v at %v, read off %v, %v", name, s.Row(i), at, out, err)
					break
				}
			}
		}
	}
}

// The dense output of every solver begins and ends where its steps do: towards a step's ends it tends to the states there.
func TestEveryDenseOutputIsContinuous(t *testing.T) {
	systems := map[string]*system.System{"pendulum": nil, "stiff": prothero(-1e5, 3)}
	for _, m := range massives() {
		systems[m.name] = m.sys
	}
	for what, sys := range systems {
		for _, p := range everySolver(t) {
			info := p.Method.Info()
			if sys != nil {
				if !info.Family.Implicit() && info.Family != method.Automatic || sys.Mass != nil && !info.Mass {
					continue
				}
				p.Sys, p.X0, p.T1 = sys, nil, 2
			}
			s := run(t, p)
			if s.Status != solve.Done || s.NumSteps() < 3 {
				t.Fatalf("%s, %s: %v", what, info.Name, s.Fault)
			}
			out, worst := make([]float64, s.NX), 0.0
			for n := range s.NumSteps() {
				st := s.StepRecord(n)
				for _, end := range []struct {
					t float64
					x []float64
				}{{math.Nextafter(st.T, st.T1), st.X}, {math.Nextafter(st.T1, st.T), st.X1}} {
					if err := s.At(end.t, out); err != nil {
						t.Fatal(err)
					}
					for i, v := range end.x {
						worst = math.Max(worst, math.Abs(out[i]-v))
					}
				}
			}
			t.Logf("%-8s %-22s %4d steps, jumps of %.1e at most", what, info.Name, s.NumSteps(), worst)
			if worst > 1e-11 {
				t.Errorf("%s, %s: the dense output jumps by %.2g at the end of a step", what, info.Name, worst)
			}
		}
	}
}

// Inside its steps no solver errs much more than at their ends, where it chooses the steps: outputs by the way are as good as the tolerance says.
func TestOutputsAreAsGoodAsSteps(t *testing.T) {
	for _, p := range everySolver(t) {
		info := p.Method.Info()
		if !info.Adaptive {
			continue
		}
		ref := run(t, &solve.Problem{Sys: p.Sys, Method: mustFind(t, "Vern9"), X0: p.X0, T1: p.T1, Rtol: 1e-13, Atol: 1e-13, Hmax: 0.05})
		s := run(t, p)
		x, y := make([]float64, 2), make([]float64, 2)
		off := func(at float64) float64 {
			if s.At(at, x) != nil || ref.At(at, y) != nil {
				t.Fatal("At refuses within the solution")
			}
			return math.Hypot(x[0]-y[0], x[1]-y[1])
		}
		ends, inside := p.Atol, 0.0
		for n := range s.NumSteps() {
			st := s.StepRecord(n)
			ends = math.Max(ends, off(st.T1))
			for k := 1; k < 10; k++ {
				inside = math.Max(inside, off(st.T+(st.T1-st.T)*float64(k)/10))
			}
		}
		t.Logf("%-22s %.1e at the ends of steps, %.1e inside", info.Name, ends, inside)
		if inside > 6*ends {
			t.Errorf("%s: %.2g inside steps, %.2g at their ends", info.Name, inside, ends)
		}
	}
}
