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

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/system"
)

// tank is x' = c − k x, y' = x − y, with x(0) = 2c and y(0) = 0 unless they are given. θ = (k, c, x, flag of x, y, flag of y).
func tank() *system.System {
	s := testsys.System("Tank", []string{"x", "y"}, []testsys.Param{{Name: "k", Value: 0.7}, {Name: "c", Value: 1}, {Name: "x", Value: 0},
		{Name: "x", Value: 0}, {Name: "y", Value: 0}, {Name: "y", Value: 0}},
		func(th []testsys.Expr) []testsys.Expr {
			one := th[0].Const(1)
			x := th[3].Mul(th[2]).Add(one.Sub(th[3]).Mul(th[1]).Mul(one.Const(2)))
			return []testsys.Expr{x, th[5].Mul(th[4])}
		},
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[1].Sub(th[0].Mul(x[0])), x[0].Sub(x[1])}
		})
	for i, r := range []system.Role{system.RoleParam, system.RoleConst, system.RoleInit, system.RoleFlag, system.RoleInit, system.RoleFlag} {
		s.Theta[i].Role = r
	}
	return s
}

// tanks are n trajectories of it with c, lengths, gaps and noise of their own.
func tanks(n int, seed uint64) []Trajectory {
	rng := rand.New(rand.NewPCG(seed, 7))
	var out []Trajectory
	for i := range n {
		c := 0.5 + rng.Float64()
		d := &Data{Columns: []Column{{Name: "x", Of: Quantity{Index: 0}}, {Name: "y", Of: Quantity{Index: 1}, Weight: 2}}}
		for j := range 6 + i%3 {
			t := 0.3 * float64(j)
			a, b := c/0.9, 2*c-c/0.9
			x := a + b*math.Exp(-0.9*t)
			y := a*(1-math.Exp(-t)) + b/(1-0.9)*(math.Exp(-0.9*t)-math.Exp(-t))
			d.Times = append(d.Times, t)
			d.Columns[0].Values = append(d.Columns[0].Values, x+0.01*rng.NormFloat64())
			d.Columns[1].Values = append(d.Columns[1].Values, y+0.01*rng.NormFloat64())
		}
		d.Columns[0].Values[3] = math.NaN()
		if i == 1 {
			d.Columns[1].Weights = slices.Repeat([]float64{0.5}, len(d.Times))
		}
		out = append(out, Trajectory{Data: d, Index: []int{1}, Values: []float64{c}})
	}
	return out
}

func freely(t *testing.T, sys *system.System, names ...string) (th []float64, free []Free) {
	t.Helper()
	th = sys.Defaults()
	free, err := Select(sys, th, names, 0)
	if err != nil {
		t.Fatal(err)
	}
	return th, free
}

// The gradient over several trajectories is that of differences, by what is shared and by what each has for itself; it and
// the loss are the same to the bit on any number of threads.
func TestTrajectoriesGradient(t *testing.T) {
	for _, gradient := range []string{"discrete", "forward"} {
		for _, kind := range []string{"sse", "mse"} {
			var first []float64
			for _, threads := range []int{1, 2, 5} {
				sys := tank()
				th, free := freely(t, sys, "k", "x")
				s := Spec{Sys: sys, Theta: th, Free: free, Trajectories: tanks(70, 3), Gradient: gradient, Compare: LossSpec{Kind: kind}, Threads: threads}
				s.Problem.Rtol, s.Problem.Atol = 1e-9, 1e-11
				f, err := prepare(&s)
				if err != nil {
					t.Fatal(err)
				}
				if n := f.trial.Dim(); n != 71 {
					t.Fatalf("%d variables, one is shared and one is each trajectory's", n)
				}
				u, g := f.trial.start(), make([]float64, f.trial.Dim())
				for i := range u {
					u[i] *= 1 + 0.1*math.Sin(float64(i))
				}
				v, err := f.trial.Eval(context.Background(), u, g)
				if err != nil {
					t.Fatal(err)
				}
				if all := append([]float64{v}, g...); first == nil {
					first = all
				} else if !slices.Equal(all, first) {
					t.Errorf("%s: %d threads give other bits", gradient, threads)
				}
				if threads > 1 {
					continue
				}
				for _, k := range []int{0, 1, 2, 40, 70} {
					const h = 1e-5
					w := slices.Clone(u)
					w[k] += h
					up, _ := f.trial.Eval(context.Background(), w, nil)
					w[k] -= 2 * h
					down, _ := f.trial.Eval(context.Background(), w, nil)
					if want := (up - down) / (2 * h); math.Abs(g[k]-want) > 1e-6*normInf(g) {
						t.Errorf("%s, %s: component %d is %v, by differences %v", gradient, kind, k, g[k], want)
					}
				}
			}
		}
	}
}

// The loss over several is the sum of the losses over each, and the mean is over all values.
func TestTrajectoriesSum(t *testing.T) {
	list := tanks(5, 1)
	for _, kind := range []string{"sse", "mse", "huber"} {
		sum, n := 0.0, 0
		eval := func(list []Trajectory) (float64, int) {
			sys := tank()
			f, err := prepare(&Spec{Sys: sys, Trajectories: list, Compare: LossSpec{Kind: kind}})
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.trial.Eval(context.Background(), f.trial.start(), nil)
			if err != nil {
				t.Fatal(err)
			}
			values := 0
			for _, tr := range f.trial.tr {
				values += tr.data.N()
			}
			return v, values
		}
		for k := range list {
			v, values := eval(list[k : k+1])
			if kind != "sse" {
				v *= float64(values)
			}
			sum += v
			n += values
		}
		got, values := eval(list)
		if kind != "sse" {
			sum /= float64(n)
		}
		if math.Abs(got-sum) > 1e-12*sum || values != n {
			t.Errorf("%s: %v over %d values, each by itself %v over %d", kind, got, values, sum, n)
		}
	}
}

// The rate that all share is found, and the initial values and their names are each trajectory's.
func TestFitTrajectories(t *testing.T) {
	sys := tank()
	th, free := freely(t, sys, "k", "x")
	list := tanks(6, 2)
	list[4].Name = "the fifth"
	r := fit(t, Spec{Sys: sys, Theta: th, Free: free, Trajectories: list, HeldOut: HeldOut{Last: 0.2, Trajectories: []int{5}}, Stages: []Stage{stage(t, "bfgs", "iters", 200)}})
	if math.Abs(r.Theta[0]-0.9) > 0.02 {
		t.Errorf("k = %v, the data were made with 0.9", r.Theta[0])
	}
	if r.Theta[3] != 0 {
		t.Error("the model as such starts where its expression says")
	}
	for k, o := range r.Own {
		own := slices.Clone(r.Theta)
		for i, at := range o.Index {
			own[at] = o.Values[i]
		}
		if k == 5 {
			continue // held out: it starts where its expression says
		}
		if own[3] != 1 || math.Abs(own[2]-2*own[1]) > 0.05 {
			t.Errorf("trajectory %d starts at %v, it was made to start at %v", k+1, own[2], 2*own[1])
		}
	}
	rep := r.Report
	if len(rep.Trajectories) != 6 || rep.Trajectories[5].N != 0 || rep.Trajectories[5].HeldN == 0 || !(rep.Trajectories[0].HeldRMSE < 0.05) || rep.Held == nil || !(rep.Held.RMSE < 0.05) {
		t.Errorf("%+v", rep.Trajectories)
	}
	if len(rep.Params) != 6 || rep.Params[1].Name != "x[1]" || !(rep.Params[1].StdErr > 0) {
		t.Errorf("%+v", rep.Params)
	}
	if s := rep.String(); !strings.Contains(s, "the fifth") || !strings.Contains(s, "6 trajectories") {
		t.Errorf("the report does not tell of trajectories:\n%s", s)
	}
}

// stage makes one of the table.
func stage(t *testing.T, name string, option string, v float64) Stage {
	t.Helper()
	s, err := NewStage(name, map[string]float64{option: v})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTrajectoryErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(s *Spec)
		want string
	}{
		{"nothing", func(s *Spec) { s.Trajectories = []Trajectory{} }, "no trajectories"},
		{"no data", func(s *Spec) { s.Trajectories[2].Data = nil }, "trajectory 3: it has no data"},
		{"both", func(s *Spec) { s.Data = s.Trajectories[0].Data }, "not both"},
		{"named", func(s *Spec) { s.Trajectories[1].Name = "June"; s.Trajectories[1].Data.Columns = nil }, "June: there are no data"},
		{"time", func(s *Spec) { s.Trajectories[1].Data.Times[2] = 0 }, "row 3 of the times"},
		{"own and shared", func(s *Spec) { s.Trajectories[1].Index[0] = 0 }, "trajectory 2: k cannot be trained: it is trained with one value for all"},
		{"index", func(s *Spec) { s.Trajectories[1].Index[0] = 9 }, "no entry 9"},
		{"values", func(s *Spec) { s.Trajectories[1].Values = nil }, "0 values were given for 1 entries"},
		{"start", func(s *Spec) { late := 0.1; s.Trajectories[1].T0 = &late }, "starts at 0.1, after the first"},
		{"system", func(s *Spec) { s.Trajectories[1].Sys = line(1, 1) }, "another than that of the fit"},
		{"held out", func(s *Spec) { s.HeldOut.Trajectories = []int{4} }, "no trajectory 5 to hold out"},
		{"all held out", func(s *Spec) { s.HeldOut.Trajectories = []int{0, 1, 2} }, "none is left"},
		{"pole", func(s *Spec) { s.Problem.MaxSteps = 1 }, "trajectory 1: the loss is infinite at the start"},
		{"weights", func(s *Spec) { s.Trajectories[1].Data.Columns[1].Weights = []float64{1} }, "1 weights for 7 times"},
		{"weight", func(s *Spec) { s.Trajectories[1].Data.Columns[1].Weights[0] = -1 }, "row 1 of y: the weight is -1"},
		{"batch", func(s *Spec) { s.Methods = []Method{{Batch: -1}} }, "a batch is a number of trajectories"},
		{"window", func(s *Spec) { s.Methods = []Method{{Window: 1}} }, "two rows or more"},
		{"unmeasured", func(s *Spec) {
			s.Trajectories[1].Data.Columns = s.Trajectories[1].Data.Columns[:1]
			s.Methods = []Method{{Window: 3}}
		}, "trajectory 2: shooting: windows start from measured states, and y is not"},
	} {
		s := Spec{Sys: tank(), Trajectories: tanks(3, 1)}
		c.edit(&s)
		_, err := Fit(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A batch is a function of seed, stage and iteration; every trajectory is in one of an epoch.
func TestBatches(t *testing.T) {
	s := Spec{Sys: tank(), Trajectories: tanks(10, 1), Methods: []Method{{Batch: 4, Window: 3}}, Seed: 5}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	tr := f.trial
	var seen []string
	for iter := 1; iter <= 9; iter++ {
		if !tr.Iteration(1, iter) {
			t.Fatal("a batch is not less than all")
		}
		seen = append(seen, fmt.Sprint(tr.legs))
	}
	for _, iter := range []int{7, 2, 9, 1} { // in any order, as after a resume
		if tr.Iteration(1, iter); fmt.Sprint(tr.legs) != seen[iter-1] {
			t.Errorf("iteration %d: %v, was %s", iter, tr.legs, seen[iter-1])
		}
	}
	count := make([]int, 10)
	for iter := 1; iter <= 3; iter++ {
		tr.Iteration(0, iter)
		for _, l := range tr.legs {
			count[l.tr]++
			if l.hi-l.lo != 3 {
				t.Errorf("a window of %d rows", l.hi-l.lo)
			}
			if l.lo == 3 {
				t.Error("a window starts where x is missing")
			}
		}
	}
	if slices.Max(count) != 1 || slices.Min(count) != 1 {
		t.Errorf("in an epoch trajectories are seen %v times", count)
	}
	if tr.Iteration(0, 0) || len(tr.legs) != 10 {
		t.Error("iteration 0 is not all data")
	}
	// The gradient over windows is that of differences.
	tr.Iteration(0, 2)
	u, g := tr.start(), make([]float64, tr.Dim())
	if _, err := tr.Eval(context.Background(), u, g); err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	up, _ := tr.Eval(context.Background(), []float64{u[0] + h}, nil)
	down, _ := tr.Eval(context.Background(), []float64{u[0] - h}, nil)
	if want := (up - down) / (2 * h); math.Abs(g[0]-want) > 1e-4*math.Abs(want) {
		t.Errorf("%v, by differences %v", g[0], want)
	}
}

// Training by mini-batches ends near the optimum, and what it gives is the loss over all data; a snapshot goes on to the same bits.
func TestFitBatches(t *testing.T) {
	spec := func() Spec {
		return Spec{Sys: tank(), Trajectories: tanks(20, 4), Methods: []Method{{Batch: 6, Window: 4}},
			Stages: []Stage{stage(t, "adam", "iters", 150), stage(t, "adam", "iters", 50)}, Seed: 2}
	}
	var half *Snapshot
	s := spec()
	s.Snapshot = func(x *Snapshot) {
		if x.Stage == 0 && x.Iter == 77 {
			half = x.Clone()
		}
	}
	r := fit(t, s)
	if math.Abs(r.Theta[0]-0.9) > 0.1 {
		t.Errorf("k = %v, the data were made with 0.9", r.Theta[0])
	}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	f.trial.prob.Theta[0] = r.Theta[0]
	if v, _ := f.trial.Eval(context.Background(), f.trial.start(), nil); math.Abs(v-r.Loss) > 1e-9*v {
		t.Errorf("the loss is %v, over all data %v", r.Loss, v)
	}
	s = spec()
	s.Resume = half
	again := fit(t, s)
	if again.Loss != r.Loss || !slices.Equal(again.Theta, r.Theta) {
		t.Errorf("resumed: %v at %v, was %v at %v", again.Loss, again.Theta, r.Loss, r.Theta)
	}
}

// A stage of batches that ends worse than it began gives back where it began.
func TestBatchesThatDiverge(t *testing.T) {
	st, err := NewStage("sgd", map[string]float64{"rate": 1.5, "iters": 3})
	if err != nil {
		t.Fatal(err)
	}
	s := Spec{Sys: tank(), Trajectories: tanks(20, 4), Methods: []Method{{Batch: 6}}, Stages: []Stage{st}}
	r := fit(t, s)
	if r.Loss > r.History[0].Loss || r.Theta[0] != 0.7 {
		t.Errorf("it began at %v and ends at %v, k = %v", r.History[0].Loss, r.Loss, r.Theta[0])
	}
}

// A gradient that is refused is an error, not a number.
func TestTrajectoriesRefused(t *testing.T) {
	sys := tank()
	sys.NoGradient = "f is a Go function without a derivative"
	_, err := Fit(context.Background(), Spec{Sys: sys, Trajectories: tanks(3, 1)})
	var no *sens.RefusedError
	if !errors.As(err, &no) {
		t.Error(err)
	}
}

// A profile of a fit to several trajectories is over all of them: near the optimum its interval is that of the standard errors, of what is
// shared and of what one trajectory has for itself.
func TestProfileTrajectories(t *testing.T) {
	sys := tank()
	th, free := freely(t, sys, "k", "x")
	r := fit(t, Spec{Sys: sys, Theta: th, Free: free, Trajectories: tanks(4, 2), Stages: []Stage{stage(t, "bfgs", "iters", 200)}})
	n := 0
	for _, s := range r.Report.Trajectories {
		n += s.N
	}
	for _, i := range []int{0, 3} {
		e := r.Report.Params[i]
		p, err := r.Profile(context.Background(), e.Name, ProfileOptions{Points: 3})
		if err != nil {
			t.Fatal(err)
		}
		if w := 2 * 2.02 * e.StdErr; math.Abs(p.Hi-p.Lo-w) > 0.05*w || math.Abs(p.Estimate-e.Value) > 1e-9 || math.Abs(p.Loss-r.Loss) > 1e-6*r.Loss {
			t.Errorf("%s: %v..%v at %v, standard error %v of %d values", e.Name, p.Lo, p.Hi, p.Loss, e.StdErr, n)
		}
		if len(p.Names) != 4 {
			t.Errorf("%s: the others are %v", e.Name, p.Names)
		}
	}
}

// An evaluation over many trajectories allocates nothing for each of them.
func TestTrajectoriesAllocate(t *testing.T) {
	count := func(n int) float64 {
		f, err := prepare(&Spec{Sys: tank(), Trajectories: tanks(n, 1), Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		u, g := f.trial.start(), make([]float64, f.trial.Dim())
		return testing.AllocsPerRun(5, func() {
			if _, err := f.trial.Eval(context.Background(), u, g); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := count(3), count(60)
	t.Logf("%v for 3, %v for 60", few, many)
	if many > few+57+10 { // one for each: the choice of the adjoint
		t.Errorf("%v allocations for 3 trajectories, %v for 60", few, many)
	}
}

// Standard errors of what each of many trajectories has for itself are there too: each depends on few.
func TestFisherOfMany(t *testing.T) {
	sys := tank()
	th, free := freely(t, sys, "k", "x")
	r := fit(t, Spec{Sys: sys, Theta: th, Free: free, Trajectories: tanks(80, 2), Stages: []Stage{stage(t, "bfgs", "iters", 300)}})
	one := fit(t, Spec{Sys: sys, Theta: th, Free: free, Trajectories: tanks(80, 2)[:20], Stages: []Stage{stage(t, "bfgs", "iters", 300)}})
	if len(r.Report.Params) != 81 || r.Report.Identify == nil {
		t.Fatalf("%d estimates, %v", len(r.Report.Params), r.Report.Identify)
	}
	// Of what all share four times the data leave half the error.
	if q := r.Report.Params[0].StdErr / one.Report.Params[0].StdErr; math.Abs(q-0.5) > 0.1 {
		t.Errorf("standard error of k %v, of a quarter of the data %v", r.Report.Params[0].StdErr, one.Report.Params[0].StdErr)
	}
	if q := r.Report.Params[5].StdErr / one.Report.Params[5].StdErr; math.Abs(q-1) > 0.2 {
		t.Errorf("standard error of an initial value %v, of a quarter of the data %v", r.Report.Params[5].StdErr, one.Report.Params[5].StdErr)
	}
}
