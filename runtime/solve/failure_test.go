package solve_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// one is a system of one state x without parameters.
func one(x0 float64, f func(t, x testsys.Expr) testsys.Expr) *system.System {
	return testsys.System("one", []string{"x"}, nil, testsys.Fixed(x0),
		func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr { return []testsys.Expr{f(t, x[0])} })
}

// pole is x' = x², x(0) = 1, whose solution 1/(1 − t) ends at t = 1.
func pole() *system.System {
	return one(1, func(_, x testsys.Expr) testsys.Expr { return x.Mul(x) })
}

func wantFault(t *testing.T, s *solve.Solution, status solve.Status, parts ...string) {
	t.Helper()
	if s.Status != status || s.Fault == nil || s.Fault.Status != status {
		t.Fatalf("status %v, fault %v; want %v", s.Status, s.Fault, status)
	}
	for _, p := range parts {
		if !strings.Contains(s.Fault.Error(), p) {
			t.Errorf("the fault reads %q, without %q", s.Fault.Error(), p)
		}
	}
	t.Logf("%v\n%s", s.Fault, s.Fault.Help())
}

func TestPole(t *testing.T) {
	for _, m := range method.All() {
		if !m.Adaptive() || m.Order < 3 {
			continue
		}
		s := run(t, &solve.Problem{Sys: pole(), Method: m, T1: 2})
		wantFault(t, s, solve.StepTooSmall, "t = 1:", "x = ", "driven by x")
		if math.Abs(s.TEnd-1) > 1e-5 || s.TEnd != s.Fault.T || s.XEnd[0] < 1e6 {
			t.Errorf("%s stops at %v with x = %v, the pole is at 1", m.Name, s.TEnd, s.XEnd)
		}
		// What it has is right, and can be read off.
		out := make([]float64, 1)
		if err := s.At(0.5, out); err != nil || math.Abs(out[0]-2) > 1e-3 {
			t.Errorf("%s: x(0.5) = %v, %v", m.Name, out, err)
		}
		err := s.At(1.5, out)
		if err == nil || !strings.Contains(err.Error(), "stopped early") {
			t.Errorf("%s: beyond the pole At says %v", m.Name, err)
		}
		if s.T[len(s.T)-1] != s.TEnd {
			t.Errorf("%s: outputs end at %v, the solution at %v", m.Name, s.T[len(s.T)-1], s.TEnd)
		}
	}
}

func TestPoleKeepsOutputsBefore(t *testing.T) {
	s := run(t, &solve.Problem{Sys: pole(), T1: 2, Times: []float64{0, 0.5, 0.9, 1.5, 2}})
	wantFault(t, s, solve.StepTooSmall)
	if len(s.T) != 3 || len(s.X) != 3 || math.Abs(s.X[2]-10) > 1e-2 {
		t.Errorf("kept %v %v", s.T, s.X)
	}
}

// With a fixed step the same pole ends in overflow.
func TestPoleFixedStep(t *testing.T) {
	rk4, _ := method.Lookup("rk4")
	s := run(t, &solve.Problem{Sys: pole(), Method: rk4, T1: 3, Step: 0.01})
	wantFault(t, s, solve.NonFinite, "x'")
	if s.TEnd < 0.9 || s.TEnd > 1.2 {
		t.Errorf("stops at %v", s.TEnd)
	}
}

func TestEdgeOfDefinition(t *testing.T) {
	// x' = −1/(2x) from 1: x = √(1 − t), which meets the edge of log at t = 1.
	sys := one(1, func(_, x testsys.Expr) testsys.Expr {
		return x.Log().Times(0).Sub(x.Const(0.5).Div(x))
	})
	called := false
	sys.Explain = func(tt float64, x, _ []float64) *system.Fault {
		called = true
		if x[0] > 0 {
			t.Errorf("Explain is asked at x = %v, where nothing is wrong", x[0])
		}
		return &system.Fault{Quantity: "x'", Expr: "log(x)", Value: math.NaN(), Operands: []system.Operand{{Name: "x", Value: x[0]}}}
	}
	s := run(t, &solve.Problem{Sys: sys, T1: 2})
	if s.Status == solve.NonFinite {
		wantFault(t, s, solve.NonFinite, "log(x) = NaN with x = -")
		if !called {
			t.Error("Explain was not asked")
		}
	} else if s.Status != solve.StepTooSmall {
		t.Error(s.Status)
	}
	if math.Abs(s.TEnd-1) > 1e-5 {
		t.Errorf("stops at %v", s.TEnd)
	}
}

func TestNaNAtStart(t *testing.T) {
	sys := one(-1, func(_, x testsys.Expr) testsys.Expr { return x.Log() })
	sys.Explain = func(_ float64, x, _ []float64) *system.Fault {
		return &system.Fault{Quantity: "x'", Expr: "log(x)", Value: math.NaN(), Operands: []system.Operand{{Name: "x", Value: x[0]}}}
	}
	s := run(t, &solve.Problem{Sys: sys, T0: 3, T1: 5})
	wantFault(t, s, solve.NonFinite, "t = 3", "in x'", "log(x) = NaN with x = -1")
	if len(s.T) != 1 || s.X[0] != -1 {
		t.Errorf("the start is not kept: %v %v", s.T, s.X)
	}
	// The initial value itself.
	bad := one(math.Inf(1), func(_, x testsys.Expr) testsys.Expr { return x })
	s = run(t, &solve.Problem{Sys: bad, T1: 1})
	wantFault(t, s, solve.NonFinite, "x = +Inf")
	if len(s.T) != 0 {
		t.Errorf("kept %v", s.T)
	}
}

// A right-hand side that turns NaN at t = 1 whatever the state.
func TestNaNOnTheWay(t *testing.T) {
	sys := one(0, func(tt, _ testsys.Expr) testsys.Expr { return tt.Neg().Plus(1).Sqrt() })
	for _, name := range []string{"Tsit5", "Vern7", "BS3"} {
		s := run(t, &solve.Problem{Sys: sys, Method: mustMethod(t, name), T1: 2})
		wantFault(t, s, solve.NonFinite, "t = 1:", "in x'")
		if math.Abs(s.TEnd-1) > 1e-6 || s.TEnd > 1 || math.Abs(s.XEnd[0]-2./3) > 1e-4 {
			t.Errorf("%s: stops at %v with %v", name, s.TEnd, s.XEnd)
		}
	}
}

// A stiff problem with an explicit method is not wrong, it is slow: the limit on steps ends it.
func TestStiffRunsIntoStepLimit(t *testing.T) {
	sys := one(1, func(tt, x testsys.Expr) testsys.Expr { return x.Sub(tt.Cos()).Times(-1e6) })
	s := run(t, &solve.Problem{Sys: sys, T1: 10, MaxSteps: 2000})
	wantFault(t, s, solve.MaxSteps, "2000 steps")
	if s.Stats.Steps+s.Stats.Rejected != 2000 || s.TEnd <= 0 || math.Abs(s.XEnd[0]-math.Cos(s.TEnd)) > 1e-4 {
		t.Errorf("%+v at %v: %v", s.Stats, s.TEnd, s.XEnd)
	}
	if !strings.Contains(s.Fault.Help(), "stiff") {
		t.Error(s.Fault.Help())
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("interrupted"))
	s, err := solve.Solve(ctx, &solve.Problem{Sys: pole(), T1: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, s, solve.Cancelled, "interrupted")
	if len(s.T) != 1 {
		t.Error(s.T)
	}

	// On the way: from within Progress.
	ctx, cancel = context.WithCancelCause(context.Background())
	n := 0
	s, err = solve.Solve(ctx, &solve.Problem{Sys: pole(), T1: 0.5, Progress: func(float64) {
		if n++; n == 3 {
			cancel(nil)
		}
	}})
	if err != nil || s.Status != solve.Cancelled || s.Stats.Steps != 3 || len(s.T) != 4 {
		t.Error(s.Status, s.Stats, err)
	}

	// By the clock.
	ctx2, stop := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer stop()
	stiff := one(1, func(tt, x testsys.Expr) testsys.Expr { return x.Sub(tt.Cos()).Times(-1e9) })
	s, err = solve.Solve(ctx2, &solve.Problem{Sys: stiff, T1: 10, MaxSteps: 1 << 40, NoDense: true, Times: []float64{}})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, s, solve.Cancelled, "deadline")
}

func TestMemoryLimit(t *testing.T) {
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 1000, MaxMemory: 100_000}
	s := run(t, p)
	wantFault(t, s, solve.MemoryLimit, "100000 bytes")
	// Two states and seven stages of it, and the outputs: 8·(18 + 3) bytes a step.
	if n := s.NumSteps(); n < 300 || n > 620 || s.TEnd <= 0 || len(s.T) > n+1 {
		t.Errorf("%d steps to %v, %d outputs", n, s.TEnd, len(s.T))
	}
	out := make([]float64, 2)
	if err := s.At(s.TEnd*0.7, out); err != nil {
		t.Error(err)
	}
	// The same without dense output and with few outputs needs next to nothing.
	p.NoDense, p.Times, p.T1 = true, []float64{100}, 100
	if s = run(t, p); s.Status != solve.Done || len(s.T) != 1 {
		t.Error(s.Status)
	}
	// More outputs than memory.
	p.Times = make([]float64, 10_000)
	if s = run(t, p); s.Status != solve.MemoryLimit || len(s.T) != 0 {
		t.Error(s.Status, len(s.T))
	}
}

func TestWrongCalls(t *testing.T) {
	euler, _ := method.Lookup("Euler")
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		want   string
		change func(p *solve.Problem)
	}{
		{"rtol is NaN", func(p *solve.Problem) { p.Rtol = nan }},
		{"rtol is -1", func(p *solve.Problem) { p.Rtol = -1 }},
		{"atol is +Inf", func(p *solve.Problem) { p.Atol = inf }},
		{"y: atol is 0", func(p *solve.Problem) { p.AtolVec = []float64{1, 0} }},
		{"atol has 3 values for 2 states", func(p *solve.Problem) { p.AtolVec = []float64{1, 1, 1} }},
		{"the end of the time span is NaN", func(p *solve.Problem) { p.T1 = nan }},
		{"the start of the time span is -Inf", func(p *solve.Problem) { p.T0 = -inf }},
		{"largest step is -1", func(p *solve.Problem) { p.Hmax = -1 }},
		{"first step is NaN", func(p *solve.Problem) { p.H0 = nan }},
		{"smallest step 2 is larger than the largest step 1", func(p *solve.Problem) { p.Hmin, p.Hmax = 2, 1 }},
		{"Euler has no error estimate", func(p *solve.Problem) { p.Method = euler }},
		{"1 parameter values were given, the system has 6", func(p *solve.Problem) { p.Theta = []float64{1} }},
		{"3 initial values were given for 2 states", func(p *solve.Problem) { p.X0 = []float64{1, 2, 3} }},
		{"output time 11 lies outside 0..10", func(p *solve.Problem) { p.Times = []float64{1, 11} }},
		{"output time -1 lies outside", func(p *solve.Problem) { p.Times = []float64{-1} }},
		{"2 comes after 3", func(p *solve.Problem) { p.Times = []float64{1, 3, 2} }},
		{"output time 2 is NaN", func(p *solve.Problem) { p.Times = []float64{1, nan} }},
		{"mesh of steps must begin at 0 and end at 10", func(p *solve.Problem) { p.Mesh = []float64{0, 5} }},
		{"5 comes after 6", func(p *solve.Problem) { p.Mesh = []float64{0, 6, 5, 10} }},
		{"only one can hold", func(p *solve.Problem) { p.Mesh, p.Step = []float64{0, 10}, 1 }},
		{"must not be negative", func(p *solve.Problem) { p.MaxSteps = -1 }},
		{"there is no system", func(p *solve.Problem) { p.Sys = nil }},
		{"no initial values", func(p *solve.Problem) { s := *p.Sys; s.Init = nil; p.Sys = &s }},
		{"right-hand side takes", func(p *solve.Problem) { s := *p.Sys; s.NX = 3; p.Sys = &s }},
		{"does not fit", func(p *solve.Problem) { p.ErrStates = 3 }},
	} {
		p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 10}
		c.change(p)
		s, err := solve.Solve(context.Background(), p)
		if err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want an error with %q, got %v", c.want, err)
		}
	}
	for _, v := range []float64{0, -1, nan, inf} {
		if err := solve.CheckTolerance("rtol", v); err == nil || !strings.Contains(err.Error(), "rtol is") {
			t.Errorf("tolerance %v: %v", v, err)
		}
	}
	if err := solve.CheckTolerance("rtol", 1e-6); err != nil {
		t.Error(err)
	}
}

func TestAtRefuses(t *testing.T) {
	s := run(t, &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 1, NoDense: true, Times: []float64{0, 0.5, 1}})
	out := make([]float64, 2)
	for _, v := range []float64{0, 0.5, 1} {
		if err := s.At(v, out); err != nil {
			t.Errorf("an output time is refused: %v", err)
		}
	}
	for _, v := range []float64{0.25, -0.1, 1.1, math.NaN()} {
		if err := s.At(v, out); err == nil {
			t.Errorf("At(%v) gives %v", v, out)
		}
	}
	if err := s.At(0.5, out[:1]); err == nil {
		t.Error("room for too few states is accepted")
	}
	if s.Mesh() != nil {
		t.Error("a mesh without dense output")
	}
}

// Every end of a step that became too small has help, but for those whose reason says itself what to do.
func TestHelpOfSmallSteps(t *testing.T) {
	for _, f := range []solve.Fault{{}, {Why: "Newton's method does not solve the equations of a step, least of all for x"}, {Fold: true}, {Undetermined: true}} {
		f.Status = solve.StepTooSmall
		if f.Help() == "" {
			t.Errorf("%+v: no help", f)
		}
	}
}

// A workspace that was short of memory has what the next problem allows.
func TestMoreMemory(t *testing.T) {
	var w solve.Workspace
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 100, Times: []float64{100}}
	for _, c := range []struct {
		memory int64
		want   solve.Status
	}{{60_000, solve.MemoryLimit}, {0, solve.Done}, {60_000, solve.MemoryLimit}, {100_000, solve.MemoryLimit}, {0, solve.Done}} {
		p.MaxMemory = c.memory
		sol, err := w.Solve(context.Background(), p)
		if err != nil || sol.Status != c.want {
			t.Errorf("%d bytes: %v, want %v (%v)", c.memory, sol.Status, c.want, err)
		}
	}
}
