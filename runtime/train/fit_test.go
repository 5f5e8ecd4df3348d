package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// line is x' = slope, x(t0) = start: a straight line, whose fits are known in closed form.
func line(start, slope float64) *system.System {
	return testsys.System("Line", []string{"x"}, []testsys.Param{{Name: "start", Value: start}, {Name: "slope", Value: slope}},
		func(th []testsys.Expr) []testsys.Expr { return th[:1] },
		func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return th[1:2] })
}

func lineData(n int, seed uint64) *Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	d := &Data{Columns: []Column{{Name: "y"}}}
	for i := range n {
		t := 0.3 * float64(i)
		d.Times = append(d.Times, t)
		d.Columns[0].Values = append(d.Columns[0].Values, 2-0.7*t+0.1*rng.NormFloat64())
	}
	return d
}

func fit(t *testing.T, s Spec) *Result {
	t.Helper()
	r, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFitMae(t *testing.T) {
	d := lineData(30, 5)
	d.Columns[0].Values[3] = 40 // an outlier, which least absolute values ignore
	r := fit(t, Spec{Sys: line(1, 1), Data: d, Compare: LossSpec{Kind: "mae"}})
	if math.Abs(r.Theta[0]-2) > 0.15 || math.Abs(r.Theta[1]+0.7) > 0.05 {
		t.Errorf("%v, %v", r.Theta, r.Report)
	}
}

func TestFitErrors(t *testing.T) {
	good := func() Spec { return Spec{Sys: line(1, 1), Data: lineData(10, 1)} }
	for _, c := range []struct {
		name string
		edit func(s *Spec)
		want string
	}{
		{"no system", func(s *Spec) { s.Sys = nil }, "no system"},
		{"no data", func(s *Spec) { s.Data = nil }, "nothing to train on"},
		{"both", func(s *Spec) { s.Loss = &last{} }, "exclude each other"},
		{"theta", func(s *Spec) { s.Theta = []float64{1} }, "1 parameter values were given, the system has 2"},
		{"theta NaN", func(s *Spec) { s.Theta = []float64{1, math.NaN()} }, "slope starts at NaN"},
		{"outside", func(s *Spec) { s.Sys.Theta[1].Lo, s.Sys.Theta[1].Hi = 2, 3 }, "slope starts at 1, outside its bounds 2..3"},
		{"no room", func(s *Spec) { s.Sys.Theta[1].Lo, s.Sys.Theta[1].Hi = 1, 1 }, "slope: the bounds 1..1 leave no room"},
		{"nothing free", func(s *Spec) { s.Free = []Free{} }, "nothing in it is free"},
		{"all const", func(s *Spec) { s.Sys.Theta[0].Role, s.Sys.Theta[1].Role = system.RoleConst, system.RoleConst }, "nothing in it is free"},
		{"bad index", func(s *Spec) { s.Free = []Free{{Name: "p", Index: []int{2}}} }, "p is entry 2"},
		{"method", func(s *Spec) { s.Gradient = "differences" }, "cannot use the gradient method"},
		{"held out", func(s *Spec) { s.HeldOut.Last = 2 }, "a share of 2 cannot be held out"},
		{"held out of a function", func(s *Spec) { s.Data, s.Loss, s.HeldOut.Last = nil, &last{}, 0.5 }, "only data can be held out"},
		{"held out reversed", func(s *Spec) { s.HeldOut = HeldOut{From: 2, To: 1} }, "cannot be held out"},
		{"tolerance", func(s *Spec) { s.Problem.Rtol = -1 }, "rtol is -1"},
		{"no derivatives", func(s *Spec) { s.Sys.NoGradient = "f is a Go function without a derivative" }, "without a derivative"},
		{"scale", func(s *Spec) { s.AutoScale = []AutoScale{{Slot: "U.scale"}} }, "no input scale U.scale"},
		{"loss", func(s *Spec) { s.Compare.Kind = "sum" }, "no loss \"sum\"; there are sse, mse"},
		{"optimiser", func(s *Spec) { s.Stages = []Stage{{}} }, "no optimiser"},
	} {
		s := good()
		c.edit(&s)
		if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// last is a loss of its own: (x(1) − goal)², or whatever value is.
type last struct {
	goal  float64
	value func(x float64) float64
	calls int
}

func (l *last) Times() []float64 { return []float64{1} }

func (l *last) Eval(x, _, gx, _ []float64) (float64, error) {
	l.calls++
	if l.value != nil {
		if gx != nil {
			gx[0] = 0
		}
		return l.value(x[0]), nil
	}
	if gx != nil {
		gx[0] = 2 * (x[0] - l.goal)
	}
	return (x[0] - l.goal) * (x[0] - l.goal), nil
}

func TestFitOwnLoss(t *testing.T) {
	l := &last{goal: 7}
	free, err := Select(line(1, 1), line(1, 1).Defaults(), []string{"slope"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := fit(t, Spec{Sys: line(1, 1), Free: free, Loss: l, Problem: solve.Problem{T0: 0, T1: 1}})
	if r.Theta[0] != 1 || math.Abs(r.Theta[1]-6) > 1e-5 || r.Report.Train.N != 0 || l.calls != r.Report.Evals {
		t.Errorf("%v: %v", r.Theta, r.Report)
	}
}

// pole is x' = p x², x(0) = 1: infinite at t = 1/p.
func pole(p float64) *system.System {
	return testsys.System("Pole", []string{"x"}, []testsys.Param{{Name: "p", Value: p}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0].Mul(x[0]))}
		})
}

func TestStartErrors(t *testing.T) {
	d := &Data{Times: []float64{0, 0.5, 1, 1.5, 2}, Columns: []Column{{Name: "y", Values: []float64{1, 1, math.NaN(), 1, 1},
		Place: func(row int) string { return fmt.Sprintf("d.csv:%d: y", row+2) }}}}
	start := func(s Spec) *StartError {
		t.Helper()
		_, err := Fit(context.Background(), s)
		var e *StartError
		if !errors.As(err, &e) {
			t.Fatalf("%v", err)
		}
		t.Log(e, "\n  help:", e.Help())
		return e
	}
	has := func(e *StartError, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(e.Error(), w) {
				t.Errorf("%v lacks %q", e, w)
			}
		}
		if e.Help() == "" {
			t.Errorf("%v has no help", e)
		}
	}
	// The solution ends at the pole t = 0.8, after the datum at 0.5; the one at 1 is missing.
	e := start(Spec{Sys: pole(1.25), Data: d})
	if e.Fault == nil || math.Abs(e.Fault.T-0.8) > 0.01 || e.Row != 3 || e.Place != "d.csv:5: y" {
		t.Errorf("%+v", e)
	}
	has(e, "the loss is infinite at the start", "t = 0.8", "x = ", "d.csv:5: y")

	e = start(Spec{Sys: line(1, -1), Data: d, Compare: LossSpec{Log: true}})
	if e.Value == nil || e.Row != 3 || e.Value.Time != 1.5 || math.Abs(e.Value.Value+0.5) > 1e-12 {
		t.Errorf("%+v", e)
	}
	has(e, "x = -0.5 at t = 1.5, which has no logarithm, compared with d.csv:5: y")

	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		e = start(Spec{Sys: line(1, -1), Loss: &last{value: func(float64) float64 { return v }}, Problem: solve.Problem{T1: 1}})
		if e.Row != -1 || e.Fault != nil || e.Value != nil {
			t.Errorf("%+v", e)
		}
		has(e, "the loss function")
	}

	// sqrt(p) at p = 0: the loss is finite, its derivative is not.
	root := testsys.System("Root", []string{"x"}, []testsys.Param{{Name: "p", Value: 0}}, testsys.Fixed(1),
		func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Sqrt()} })
	e = start(Spec{Sys: root, Data: lineData(5, 1)})
	if e.Free != "p" || e.Grad == nil || e.Row < 0 {
		t.Errorf("%+v", e)
	}
	has(e, "its derivative by p is not finite")

	limited := peltsSpec(1.3)
	limited.Problem.MaxSteps = 5
	e = start(limited)
	if e.Fault == nil || e.Fault.Status != solve.MaxSteps || e.Row < 0 {
		t.Errorf("%+v", e)
	}
	has(e, "the limit of 5 steps", "row")
}

// A derivative by a constant that is not finite does not keep the rest from being trained.
func TestSpoiltDerivativeOfAConstant(t *testing.T) {
	sys := testsys.System("Root", []string{"x"}, []testsys.Param{{Name: "c", Value: 0}, {Name: "p", Value: 1}}, testsys.Fixed(1),
		func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Sqrt().Add(th[1])}
		})
	sys.Theta[0].Role = system.RoleConst
	r := fit(t, Spec{Sys: sys, Loss: &last{goal: 3}, Problem: solve.Problem{T1: 1}})
	if math.Abs(r.Theta[1]-2) > 1e-5 {
		t.Errorf("%v: %v", r.Theta, r.Report)
	}
}

// A trial that blows up is left behind: the pole of x' = p x² lies within the data for p > 1/2.
func TestFitPastFailures(t *testing.T) {
	d := &Data{Columns: []Column{{Name: "y"}}}
	for i := range 11 {
		ti := 0.2 * float64(i)
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, 1/(1-0.45*ti))
	}
	for _, o := range Optimisers() {
		values := map[string]float64{}
		if !o.LineSearch {
			values["rate"], values["iters"] = 5, 3000 // steps from 0.2 to far beyond the pole
		}
		tol := 1e-3
		switch o.Name {
		case "sgd", "nesterov", "radam":
			values["clip"], tol = 1, 0.05 // ever the same length: near, and no nearer
		case "adabelief":
			tol = 0.05 // near the pole gradients stray by magnitudes, so that steps become short
		}
		r := fit(t, Spec{Sys: pole(0.2), Data: d, Stages: []Stage{mustStage(t, o.Name, values)}})
		back := 0
		for _, p := range r.History {
			if math.IsInf(p.Loss, 1) {
				back++
			}
		}
		if math.Abs(r.Theta[0]-0.45) > tol || !o.LineSearch && back == 0 {
			t.Errorf("%s: %v after %d failures\n%v", o.Name, r.Theta, back, r.Report)
		}
	}
}

func TestFitLet(t *testing.T) {
	// Measure only x y + alpha t of the cycle and find alpha and beta back.
	sys := observed()
	truth := []float64{1.2, 0.8, 3, 1, 1, 1}
	d := &Data{Columns: []Column{{Name: "met", Of: Quantity{Output: true}}}}
	for i := range 30 {
		d.Times = append(d.Times, 0.1*float64(i))
	}
	sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, Theta: truth, T1: 2.9, Times: d.Times, Rtol: 1e-9, Atol: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float64, 2)
	for i, ti := range d.Times {
		sys.Output.Eval(z, ti, sol.Row(i), truth)
		d.Columns[0].Values = append(d.Columns[0].Values, z[0])
	}
	th := slices.Clone(truth)
	th[0], th[1] = 1.5, 1
	free, err := Select(sys, th, []string{"alpha", "beta"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, gradient := range []string{"discrete", "forward"} {
		r := fit(t, Spec{Sys: sys, Theta: th, Free: free, Data: d, Gradient: gradient, Problem: solve.Problem{Rtol: 1e-8, Atol: 1e-10}})
		for i, v := range truth {
			if math.Abs(r.Theta[i]-v) > 1e-4 {
				t.Fatalf("%s: %v\n%v", gradient, r.Theta, r.Report)
			}
		}
		if r.Report.Identify == nil || r.Report.Columns[0].Quantity != "meet" {
			t.Errorf("%+v", r.Report)
		}
	}
}

func TestFitCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := peltsSpec(1.3)
	s.Stages = DefaultStages()
	s.Progress = func(p Progress) {
		if p.Iter == 20 {
			cancel()
		}
	}
	r, err := Fit(ctx, s)
	if err != nil || r.Status != Cancelled || len(r.History) != 21 || r.Loss != r.History[20].Best {
		t.Fatalf("%+v, %v", r, err)
	}
	// What is returned is that best point: the same loss comes out again.
	l, err := NewDataLoss(s.Sys, pelts(), s.Compare)
	if err != nil {
		t.Fatal(err)
	}
	sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s.Sys, Theta: r.Theta, T0: 1900, T1: 1920, Times: l.Times(), Rtol: 1e-8, Atol: 1e-8})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := l.Eval(sol.X, r.Theta, nil, nil); v != r.Loss {
		t.Errorf("the loss there is %v, reported as %v", v, r.Loss)
	}
	if r.Report.Columns[0].N != 21 || math.IsNaN(r.Report.Columns[0].RMSE) {
		t.Errorf("a cancelled fit has a report too: %v", r.Report)
	}
	if r, err := Fit(ctx, s); err != nil || r.Status != Cancelled || !math.IsNaN(r.Loss) || r.Theta[0] != s.Theta[0] {
		t.Errorf("cancelled before it began: %+v, %v", r, err)
	}

	// Cancellation reaches into a long solve.
	slow := peltsSpec(1.3)
	slow.Problem.Hmax, slow.Problem.MaxSteps = 1e-6, 1<<40
	slow.Problem.MaxMemory = 1 << 40
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	r, err = Fit(ctx, slow)
	if err != nil || r.Status != Cancelled || time.Since(begin) > 5*time.Second {
		t.Errorf("%+v, %v after %v", r, err, time.Since(begin))
	}
}

// A trial repeats in the same memory: what a gradient allocates does not grow with the steps.
func TestTrialsReuseMemory(t *testing.T) {
	s := peltsSpec(1.1)
	s.Problem.Rtol, s.Problem.Atol = 1e-10, 1e-10
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	u, g := f.trial.start(), make([]float64, len(f.trial.vars))
	eval := func() {
		if _, err := f.trial.Eval(context.Background(), u, g); err != nil {
			t.Fatal(err)
		}
	}
	eval()
	if a := testing.AllocsPerRun(5, eval); a > 4 {
		t.Errorf("%v allocations per gradient", a)
	}
}
