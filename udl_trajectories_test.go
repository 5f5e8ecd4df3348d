package udl_test

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
)

// Two tanks with one rate, each with its own inflow, constant and start.
func TestFitTrajectories(t *testing.T) {
	ctx := context.Background()
	m := parse(t, `model Tank { param k = 1 in 0..10; const c = 1; input q = 0; state x = 1; x' = c*q - k*x }`)
	var list []udl.Trajectory
	for i, c := range []float64{1, 2} {
		in := map[string]udl.Input{"q": {Times: []float64{0, 1, 3}, Values: []float64{float64(i), 1, 0}, Method: udl.Linear}}
		s, err := m.Solve(ctx, udl.SolveOptions{T1: 3, By: 0.25, Set: map[string]any{"k": 0.6, "c": c, "x": 1 + c}, Inputs: in})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := s.Series("x")
		list = append(list, udl.Trajectory{Data: &udl.Data{Time: s.Times(), Columns: map[string][]float64{"x": x}}, Set: map[string]any{"c": c}, Inputs: in})
	}
	list[1].Name = "large"
	f, err := m.Fit(ctx, udl.FitOptions{Trajectories: list, Free: []string{"k", "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if k, _ := f.Value("k"); math.Abs(k[0]-0.6) > 1e-5 {
		t.Errorf("k = %v", k)
	}
	own := slices.Clone(list)
	for i := range own {
		own[i].Set = map[string]any{"c": float64(i + 1), "x": float64(i + 2)}
	}
	if loss, g, err := f.Gradient(ctx, udl.FitOptions{Trajectories: own}); err != nil || loss > 1e-6 || math.Abs(g["k"][0]) > 1e-3 {
		t.Errorf("at the optimum: loss %v, gradient %v, %v", loss, g, err)
	}
	if n := f.Trajectories(); n != 2 {
		t.Fatalf("%d trajectories", n)
	}
	two, err := f.Trajectory(1)
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := two.Value("x"); math.Abs(x[0]-3) > 1e-4 {
		t.Errorf("it starts at %v, the data at 3", x)
	}
	s, err := two.Solve(ctx, udl.SolveOptions{T1: 3, By: 0.25}) // its inputs are its own
	if err != nil {
		t.Fatal(err)
	}
	x, _ := s.Series("x")
	for i, want := range list[1].Data.Columns["x"] {
		if math.Abs(x[i]-want) > 1e-4 {
			t.Errorf("x at %v is %v, the data say %v", s.Times()[i], x[i], want)
		}
	}
	if !strings.Contains(f.Report(), "large") {
		t.Error(f.Report())
	}
	if _, err := f.Trajectory(2); err == nil {
		t.Error("there are two")
	}
	if _, err := m.Fit(ctx, udl.FitOptions{Trajectories: list, Data: list[0].Data}); err == nil {
		t.Error("data twice")
	}
	list[1].Set = map[string]any{"k": 2.0}
	if _, err := m.Fit(ctx, udl.FitOptions{Trajectories: list}); err == nil || !strings.Contains(err.Error(), "trained with one value for all") {
		t.Error(err)
	}
}

// Twenty trajectories of a network, by mini-batches: the same bits on one core and on several, with generated code and without.
func TestTrajectoriesReproducible(t *testing.T) {
	const text = `model Net { state x = 1, y = 0; unknown f(x, y) -> (a, b) = NN(hidden = [8], act = tanh); let (a, b) = f(x, y); let r = x^2 + y^2; x' = a - y; y' = b + x }`
	var list []udl.Trajectory
	for i := range 20 {
		d := &udl.Data{Columns: map[string][]float64{"x": nil, "r": nil}}
		for j := range 5 + i%4 {
			s := 0.2 * float64(j)
			d.Time = append(d.Time, s)
			d.Columns["x"] = append(d.Columns["x"], math.Cos(s+0.1*float64(i)))
			d.Columns["r"] = append(d.Columns["r"], 1+0.1*s)
		}
		list = append(list, udl.Trajectory{Data: d})
	}
	for _, opts := range [][]udl.Option{nil, {udl.WithoutNative()}} {
		m, err := udl.Parse("net.udl", text, opts...)
		if err != nil {
			t.Fatal(err)
		}
		loss := 0.0
		for _, cores := range []int{1, 2, 7} {
			before := runtime.GOMAXPROCS(cores)
			f, err := m.Fit(context.Background(), udl.FitOptions{Trajectories: list, Free: []string{"f", "y"}, Initial: "{x: \"x\"}", Method: "shooting(batch = 6)",
				Train: "adam(iters = 30)", SolveOptions: udl.SolveOptions{Seed: 4}})
			runtime.GOMAXPROCS(before)
			if err != nil {
				t.Fatal(err)
			}
			if l := f.Loss(); cores == 1 {
				loss = l
			} else if l != loss {
				t.Errorf("%d cores: a loss of %v, on one %v", cores, l, loss)
			}
		}
	}
}

// Several values at one time, in Go: the mean of three is as good as the three.
func TestFitReplicates(t *testing.T) {
	m := parse(t, `model D { param k = 1 in 0..10; state x = 4; x' = -k*x }`)
	fit := func(o udl.FitOptions) float64 {
		o.Rtol = 1e-10
		f, err := m.Fit(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		k, _ := f.Value("k")
		return k[0]
	}
	a := fit(udl.FitOptions{Data: &udl.Data{Time: []float64{0, 1, 1, 1, 2}, Columns: map[string][]float64{"x": {4, 2.5, 2.3, 2.7, 1.4}}}})
	b := fit(udl.FitOptions{Data: &udl.Data{Time: []float64{0, 1, 2}, Columns: map[string][]float64{"x": {4, 2.5, 1.4}, "w": {1, 3, 1}}}, Loss: `sse(weights = {x: "w"})`})
	if math.Abs(a-b) > 1e-7 {
		t.Errorf("%v of all values, %v of their mean with the weight of three", a, b)
	}
}
