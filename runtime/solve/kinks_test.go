package solve_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/signal"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// driven is x' = I(t) − x, x(0) = 0.
type driven struct{ s *signal.Signal }

func (driven) Dims() (x, th, z int)                                         { return 1, 0, 1 }
func (driven) Prepare([]float64)                                            {}
func (d driven) Eval(z []float64, t float64, x, _ []float64)                { z[0] = d.s.Eval(t) - x[0] }
func (d driven) VJP(gx, _ []float64, _ float64, _, _, gz []float64) float64 { gx[0] -= gz[0]; return 0 }
func (d driven) JVP(dz []float64, t float64, _, _ []float64, dt float64, dx, _ []float64) {
	dz[0] = dt * d.s.Derivative().Eval(t)
	if dx != nil {
		dz[0] -= dx[0]
	}
}
func (d driven) Tangent() system.Func { return d }
func (d driven) Clone() system.Func   { return d }

func drivenBy(t *testing.T, kind signal.Kind, ts, v []float64) *system.System {
	t.Helper()
	s, err := signal.New(kind, ts, v, false)
	if err != nil {
		t.Fatal(err)
	}
	return &system.System{Name: "driven", NX: 1, States: []system.Slot{{Name: "x"}}, RHS: driven{s}, Kinks: s.Kinks(),
		Signals: []system.Signal{{Name: "I", Lo: s.Lo, Hi: s.Hi}}}
}

// square is a square wave of period 2 over 0..n, and what a capacitor charged by it through a resistor holds at the end.
func square(n int) (ts, v []float64, end float64) {
	for i := range n + 1 {
		ts, v = append(ts, float64(i)), append(v, float64(5*(1-i%2)))
	}
	for i := range n {
		end = v[i] + (end-v[i])*math.Exp(-1)
	}
	return ts, v, end
}

// TestSquareWave: with its jumps known, a solve is accurate to its tolerance and hardly rejects a step; without them it pays at
// each jump, and errs.
func TestSquareWave(t *testing.T) {
	ts, v, end := square(20)
	sys := drivenBy(t, signal.Hold, ts, v)
	blind := *sys
	blind.Kinks = nil
	for _, m := range method.Solvers() {
		info := m.Info()
		if !info.Adaptive {
			continue
		}
		rtol := 1e-8
		if info.Order <= 2 {
			rtol = 1e-6
		}
		if _, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: sys, Method: m, X0: []float64{0}, T1: 20}); err != nil {
			t.Logf("%s: %v", info.Name, err) // a method for other kinds of problem
			continue
		}
		run := func(s *system.System) (float64, solve.Stats) {
			sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, X0: []float64{0}, T1: 20, Rtol: rtol, Atol: rtol / 100, MaxSteps: 1e6})
			if err != nil || sol.Status != solve.Done {
				t.Fatalf("%s: %v, %v", info.Name, err, sol.Fault)
			}
			return math.Abs(sol.XEnd[0] - end), sol.Stats
		}
		e, st := run(sys)
		eb, sb := run(&blind)
		t.Logf("%-8s error %.1e with %d steps, %d rejected; without kinks %.1e, %d, %d", info.Name, e, st.Steps, st.Rejected, eb, sb.Steps, sb.Rejected)
		if e > 20*rtol && e > 1.5*eb || st.Rejected > 20 || sb.Rejected < 4*st.Rejected {
			t.Errorf("%s: error %g, %d rejected; without kinks %d", info.Name, e, st.Rejected, sb.Rejected)
		}
	}
}

// TestStepsEndAtKinks, forwards and backwards, with control, a fixed step, and a mesh.
func TestStepsEndAtKinks(t *testing.T) {
	sys := drivenBy(t, signal.Linear, []float64{0, 0.35, 1.05, 2}, []float64{0, 1, -1, 0})
	for _, back := range []bool{false, true} {
		for _, step := range []float64{0, 0.1} {
			p := &solve.Problem{Sys: sys, X0: []float64{1}, T1: 2, Step: step}
			if back {
				p.T0, p.T1 = 2, 0
			}
			sol, err := solve.Solve(context.Background(), p)
			if err != nil || sol.Status != solve.Done {
				t.Fatal(err, sol.Fault)
			}
			mesh := sol.Mesh()
			for _, k := range []float64{0.35, 1.05} {
				found := false
				for _, m := range mesh {
					found = found || m == k
				}
				if !found {
					t.Errorf("back %v, step %v: no step ends at %v: %v", back, step, k, mesh)
				}
			}
			if step != 0 && len(mesh) != 23 { // 21 on the grid, and the two kinks between
				t.Errorf("back %v: %d ends of steps: %v", back, len(mesh), mesh)
			}
			again, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, X0: []float64{1}, T0: p.T0, T1: p.T1, Mesh: mesh})
			if err != nil || again.XEnd[0] != sol.XEnd[0] {
				t.Errorf("the same mesh gives %v, not %v: %v", again.XEnd, sol.XEnd, err)
			}
		}
	}
}

// TestFixedStepsKeepTheirOrder over jumps that no step of the grid hits.
func TestFixedStepsKeepTheirOrder(t *testing.T) {
	jump := 1 / math.Sqrt2
	sys := drivenBy(t, signal.Hold, []float64{0, jump, 2}, []float64{1, -1, 7})
	x := 1 - math.Exp(-jump)
	x = -1 + (x+1)*math.Exp(jump-2)
	rk4, _ := method.Lookup("RK4")
	run := func(h float64) float64 {
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, Method: rk4, X0: []float64{0}, T1: 2, Step: h})
		if err != nil {
			t.Fatal(err)
		}
		return math.Abs(sol.XEnd[0] - x)
	}
	if p := math.Log2(run(0.05) / run(0.025)); math.Abs(p-4) > 0.3 {
		t.Errorf("order %.2f", p)
	}
}

// TestBackwardsOverAJump: what was integrated forwards comes back.
func TestBackwardsOverAJump(t *testing.T) {
	ts, v, end := square(4)
	sys := drivenBy(t, signal.Hold, ts, v)
	sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, X0: []float64{end}, T0: 4, T1: 0, Rtol: 1e-10, Atol: 1e-12})
	if err != nil || math.Abs(sol.XEnd[0]) > 1e-7 {
		t.Errorf("x(0) = %v, %v", sol.XEnd, err)
	}
}

func TestOutsideTheTable(t *testing.T) {
	sys := drivenBy(t, signal.Linear, []float64{0, 1}, []float64{0, 1})
	for _, span := range [][2]float64{{0, 2}, {-1, 1}, {1, -0.5}} {
		_, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, X0: []float64{0}, T0: span[0], T1: span[1]})
		var out *solve.OutsideError
		if !errors.As(err, &out) || out.Name != "I" {
			t.Errorf("%v: %v", span, err)
		}
	}
	if _, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, X0: []float64{0}, T0: 0, T1: 1 + 1e-13}); err != nil {
		t.Errorf("the end, but for rounding: %v", err)
	}
}

func TestKinksAllocateNothing(t *testing.T) {
	ts, v, _ := square(2000)
	sys := drivenBy(t, signal.Hold, ts, v)
	st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: sys, X0: []float64{0}, T1: 2000, NoDense: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { st.Step() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
