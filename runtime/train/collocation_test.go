package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// noisy solves a system and adds noise in proportion to the root mean square of each state.
func noisy(t *testing.T, sys *system.System, th, times []float64, noise float64, seed uint64) *Data {
	t.Helper()
	sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, Theta: th, T0: times[0], T1: times[len(times)-1], Times: times, Rtol: 1e-9, Atol: 1e-9})
	if err != nil || !sol.Status.Ended() {
		t.Fatal(err, sol.Fault)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	d := &Data{Times: times}
	for i, name := range sys.StateNames() {
		c := Column{Name: name, Of: Quantity{Index: i}}
		size := 0.0
		for j := range times {
			size += sol.Row(j)[i] * sol.Row(j)[i]
		}
		for j := range times {
			c.Values = append(c.Values, sol.Row(j)[i]+noise*math.Sqrt(size/float64(len(times)))*rng.NormFloat64())
		}
		d.Columns = append(d.Columns, c)
	}
	return d
}

func span(lo, hi float64, n int) []float64 {
	t := make([]float64, n+1)
	for i := range t {
		t[i] = lo + (hi-lo)*float64(i)/float64(n)
	}
	return t
}

// phaseOf prepares a fit and gives one of its phases, as it starts.
func phaseOf(t *testing.T, s Spec, k int) (phase, []float64) {
	t.Helper()
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	return f.phases[k], f.phases[k].begin(context.Background())
}

// checkObjective compares gradient and Jacobian of an objective with central differences and with each other.
func checkObjective(t *testing.T, name string, o Objective, u []float64, step, tol float64) {
	t.Helper()
	ctx := context.Background()
	n := o.Dim()
	g := make([]float64, n)
	f, err := o.Eval(ctx, u, g)
	if err != nil || f-f != 0 {
		t.Fatalf("%s: %v, %v", name, f, err)
	}
	at := append([]float64(nil), u...)
	big := normInf(g)
	value := func() float64 {
		v, err := o.Eval(ctx, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for k := range at {
		h := step * math.Max(1, math.Abs(u[k]))
		at[k] = u[k] + h
		hi := value()
		at[k] = u[k] - h
		lo := value()
		at[k] = u[k]
		if d := (hi - lo) / (2 * h); math.Abs(d-g[k]) > tol*math.Max(big, 1e-3*math.Abs(f)) {
			t.Errorf("%s: derivative %d is %.9g, differences have %.9g (largest %.3g)", name, k, g[k], d, big)
		}
	}
	ls, ok := o.(LeastSquares)
	if !ok {
		return
	}
	rows, why := ls.Squares()
	if why != "" {
		return
	}
	r, j := make([]float64, rows), make([]float64, rows*n)
	if ok, err := ls.Residuals(ctx, u, r); !ok || err != nil {
		t.Fatal(name, ok, err)
	}
	if ok, err := ls.Jacobian(ctx, u, j); !ok || err != nil {
		t.Fatal(name, ok, err)
	}
	shift := 0.0
	if c, ok := o.(Shifted); ok {
		shift = c.Offset()
	}
	if s := dot(r, r) + shift; math.Abs(s-f) > 1e-9*math.Abs(f) {
		t.Errorf("%s: the residuals' squares sum to %v, the value is %v", name, s, f)
	}
	for k := range n {
		s := 0.0
		for i := range rows {
			s += 2 * r[i] * j[i*n+k]
		}
		if math.Abs(s-g[k]) > tol*math.Max(big, 1e-3*math.Abs(f)) {
			t.Errorf("%s: Jᵀr has %.9g for derivative %d, the gradient %.9g", name, s, k, g[k])
		}
	}
}

func collocating(s Spec, m Method) Spec {
	m.Name = "collocation"
	s.Methods = []Method{m}
	return s
}

// deviating has a standard deviation for each value of the first column.
func deviating(d *Data) *Data {
	c := *d
	c.Columns = append([]Column(nil), d.Columns...)
	for i := range c.Columns[0].Values {
		c.Columns[0].SDs = append(c.Columns[0].SDs, 0.01*float64(1+i%4))
	}
	return &c
}

// The gradient of every kind of collocation against differences.
func TestCollocationGradient(t *testing.T) {
	lv := testsys.LotkaVolterra()
	th := []float64{1.4, 0.9, 3.2, 1.1, 1.2, 0.8}
	d := noisy(t, lv, lv.Defaults(), span(0, 5, 25), 0.02, 1)
	d.Columns[0].Values[3], d.Columns[1].Values[24] = math.NaN(), math.NaN()
	weighted := *d
	weighted.Columns = append([]Column(nil), d.Columns...)
	weighted.Columns[0].Weight = 3
	weighted.Columns[1].Weights = make([]float64, 26)
	for i := range weighted.Columns[1].Weights {
		weighted.Columns[1].Weights[i] = float64(i % 3)
	}
	for _, c := range []struct {
		name string
		spec Spec
		m    Method
	}{
		{"spline", Spec{Sys: lv, Theta: th, Data: d}, Method{}},
		{"kernel", Spec{Sys: lv, Theta: th, Data: d}, Method{Smooth: "kernel"}},
		{"weights", Spec{Sys: lv, Theta: th, Data: &weighted}, Method{Smoothness: 0.01}},
		{"deviations", Spec{Sys: lv, Theta: th, Data: deviating(d), Compare: LossSpec{Kind: "lognormal"}}, Method{}},
		{"logarithms", Spec{Sys: lv, Theta: th, Data: d, Compare: LossSpec{Log: true}}, Method{Smooth: "kernel", Smoothness: 0.3}},
		{"two trajectories", Spec{Sys: lv, Theta: th, Trajectories: []Trajectory{{Data: d, Index: []int{4}, Values: []float64{0.9}}, {Data: &weighted, Index: []int{4}, Values: []float64{1.3}}},
			Free: []Free{{Name: "alpha", Index: []int{0}}, {Name: "gamma", Index: []int{2}}, {Name: "y0", Index: []int{5}}}}, Method{}},
	} {
		p, u := phaseOf(t, collocating(c.spec, c.m), 0)
		checkObjective(t, c.name, p, u, 1e-5, 1e-7)
	}
	nth := make([]float64, 19)
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range nth {
		nth[i] = 0.5 * rng.NormFloat64()
	}
	ude := testsys.NeuralODE(nth, 3)
	p, u := phaseOf(t, collocating(Spec{Sys: ude, Theta: nth, Data: noisy(t, ude, nth, span(0, 2, 12), 0.05, 2)}, Method{}), 0)
	checkObjective(t, "network", p, u, 1e-5, 1e-7)
}

// From twice the true values, where shooting ends in another minimum, collocation leads to the best fit; its own estimates are near already.
func TestCollocationAsStart(t *testing.T) {
	lv := testsys.LotkaVolterra()
	truth := lv.Defaults()
	th := make([]float64, 6)
	for i, v := range truth {
		th[i] = 2.2 * v
	}
	d := noisy(t, lv, truth, span(0, 12, 60), 0.03, 3)
	bfgs := []Stage{mustStage(t, "bfgs", nil)}
	spec := Spec{Sys: lv, Theta: truth, Data: d, Stages: bfgs}
	best, err := Fit(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.Theta = th
	stuck, err := Fit(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !(stuck.Loss > 2*best.Loss) {
		t.Errorf("shooting alone ends at %v of %v, so that collocation proves nothing", stuck.Loss, best.Loss)
	}
	for _, smooth := range []string{"spline", "kernel"} {
		s := collocating(spec, Method{Smooth: smooth})
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.Loss/best.Loss-1) > 1e-5 {
			t.Errorf("%s: loss %v, the best is %v, shooting alone %v\n%v", smooth, r.Loss, best.Loss, stuck.Loss, r.Report)
		}
		if note := r.Report.Phases[0].Note; len(r.Report.Phases) != 2 || !strings.Contains(note, "x: "+smooth) || !strings.Contains(note, "y: ") {
			t.Errorf("the report has %+v", r.Report.Phases)
		}
		t.Logf("\n%v%s", r.Report, r.Report.Phases[0].Note)
	}
}

func TestCollocationRefused(t *testing.T) {
	lv := testsys.LotkaVolterra()
	d := noisy(t, lv, lv.Defaults(), span(0, 5, 25), 0.02, 1)
	refused := func(s Spec, m Method, want string) {
		t.Helper()
		_, err := Fit(context.Background(), collocating(s, m))
		var e *MethodError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), want) || e.Help == "" {
			t.Errorf("%v, want %q", err, want)
		}
	}
	one := *d
	one.Columns = d.Columns[:1]
	refused(Spec{Sys: lv, Data: &one}, Method{}, "these are not: y")
	hidden := *lv
	hidden.Latent = []bool{false, true}
	refused(Spec{Sys: &hidden, Data: &one}, Method{}, "latent states are never measured, so they have no slopes to compare with: y")
	few := d.rows(func(row int) bool { return row < 4 })
	refused(Spec{Sys: lv, Data: few}, Method{}, "x has 4 values, and a smooth curve needs 5")
	refused(Spec{Sys: lv, Data: d}, Method{Smooth: "splines"}, "no smooth curve")
	refused(Spec{Sys: lv, Data: d}, Method{Smooth: "kernel", Smoothness: 1e-3}, "is not known at t = ")
	event := *lv
	event.Events = []system.Event{{}}
	refused(Spec{Sys: &event, Data: d}, Method{}, "has events")
	mass := *lv
	mass.Mass = &system.Mass{}
	refused(Spec{Sys: &mass, Data: d}, Method{}, "mass matrix")
	// x' = log(x − 2) has no value at the data.
	sys := testsys.System("Log", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0].Sub(x[0].Const(2)).Log())}
		})
	flat := &Data{Times: span(0, 1, 10), Columns: []Column{{Name: "x", Values: make([]float64, 11)}}}
	for i := range flat.Columns[0].Values {
		flat.Columns[0].Values[i] = 1 + 0.01*float64(i)
	}
	refused(Spec{Sys: sys, Data: flat}, Method{}, "the right-hand side of x' is not a number at t = 0")
}
