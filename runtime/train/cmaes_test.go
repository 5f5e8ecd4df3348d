package train

import (
	"context"
	"math"
	"slices"
	"testing"
)

// rastrigin has a minimum near every point with whole coordinates, the lowest 0 at 0: A. Törn, A. Žilinskas, Global
// Optimization, Lecture Notes in Computer Science 350 (1989).
func rastrigin(u, g []float64) float64 {
	s := 0.0
	for i, x := range u {
		s += x*x + 10*(1-math.Cos(2*math.Pi*x))
		g[i] = 2*x + 20*math.Pi*math.Sin(2*math.Pi*x)
	}
	return s
}

// ellipsoid is a quadratic with curvatures from 1 to 1e6 along turned axes, 0 at 0.
func ellipsoid(u, g []float64) float64 {
	n := len(u)
	s := 0.0
	clear(g)
	for i := range n {
		y, c := 0.0, math.Pow(1e6, float64(i)/float64(n-1))
		at := func(j int) float64 {
			return math.Cos(math.Pi*(float64(j)+0.5)*float64(i)/float64(n)) + 0.1*float64((i+2*j)%3)
		}
		for j, x := range u {
			y += at(j) * x
		}
		s += c * y * y
		for j := range u {
			g[j] += 2 * c * y * at(j)
		}
	}
	return s
}

func TestCMAES(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      func(u, g []float64) float64
		from   []float64
		values map[string]float64
		least  float64
		evals  int // about twice what the tutorial's own code needs
	}{
		{"sphere", bowl(1), []float64{0, 0, 0, 0, 0}, nil, 1e-12, 3000},
		{"ellipsoid", ellipsoid, []float64{3, 3, 3, 3, 3, 3}, nil, 1e-10, 10000},
		{"rosenbrock", rosenbrock, []float64{-1.2, 1}, nil, 1e-12, 2500},
		{"rosenbrock 6", rosenbrock, make([]float64, 6), nil, 1e-10, 15000},
		{"rastrigin 4", rastrigin, []float64{3, -2, 4, 2}, map[string]float64{"sigma": 2, "pop": 200}, 1e-10, 40000},
		{"walled", func(u, g []float64) float64 { return walled(u, g) + math.Log(0.25) + 3*math.Log(0.75) }, []float64{1e-3, 1}, nil, 1e-10, 3000},
		{"one variable", bowl(1), []float64{30}, nil, 1e-12, 3000},
	} {
		for seed := range uint64(3) {
			m, err := Minimise(context.Background(), testObjective(len(c.from), c.f), c.from, []Stage{mustStage(t, "cmaes", c.values)}, Settings{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, seed %d: %.3g after %d generations, %d evaluations, %v", c.name, seed, m.F, m.Iters, m.Evals, m.Status)
			if !(math.Abs(m.F) <= c.least) || m.Evals > c.evals || m.Status != Converged {
				t.Errorf("%s, seed %d: %v at %v", c.name, seed, m.F, m.U)
			}
		}
	}
	// Another seed, other draws.
	run := func(seed uint64) *Minimum {
		m, err := Minimise(context.Background(), testObjective(2, rosenbrock), []float64{0, 0}, []Stage{mustStage(t, "cmaes", map[string]float64{"iters": 5})}, Settings{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if slices.Equal(run(1).U, run(2).U) || !slices.Equal(run(1).U, run(1).U) {
		t.Error("the draws do not follow the seed")
	}
	if _, err := Minimise(context.Background(), testObjective(2, rosenbrock), []float64{0, 0}, []Stage{mustStage(t, "cmaes", map[string]float64{"pop": 2})}, Settings{}); err == nil {
		t.Error("a generation of two")
	}
}

// The trials of a generation are solved on all cores, with the same values on any number of them, and those of Eval.
func TestTrialsOfAGeneration(t *testing.T) {
	var first *Result
	for _, threads := range []int{1, 2, 5} {
		s := peltsSpec(0.9)
		s.Stages, s.Threads, s.Seed = []Stage{mustStage(t, "cmaes", map[string]float64{"iters": 25, "sigma": 0.1}), mustStage(t, "lm", nil)}, threads, 4
		s.Regularise = []Regular{{"alpha", "l2", map[string]float64{"weight": 1e-9}}}
		r := fit(t, s)
		if first == nil {
			first = r
		}
		if !slices.Equal(r.Theta, first.Theta) || r.Report.Evals != first.Report.Evals || math.Abs(r.Loss/peltsSSE-1) > 1e-5 {
			t.Errorf("%d threads: %v at %v, with one %v at %v", threads, r.Loss, r.Theta, first.Loss, first.Theta)
		}
	}
	s := Spec{Sys: observed(), Theta: []float64{1.2, 0.8, 3, 1, 1, 1},
		Data: &Data{Times: []float64{0, 0.5, 1, 2}, Columns: []Column{{Name: "met", Of: Quantity{Output: true}, Values: []float64{1, 2, math.NaN(), 3}}, {Name: "x", Values: []float64{1, 2, 3, 4}}}}}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	var us [][]float64
	for k := range 7 {
		u := f.trial.start()
		u[k%len(u)] *= 1.1
		us = append(us, u)
	}
	us[3] = slices.Clone(us[3])
	us[3][0] = math.Inf(1)
	got := make([]float64, len(us))
	if err := f.trial.Values(context.Background(), us, got); err != nil {
		t.Fatal(err)
	}
	for k, u := range us {
		if want, err := f.trial.Eval(context.Background(), u, nil); err != nil || want != got[k] {
			t.Errorf("point %d: %v, alone %v (%v)", k, got[k], want, err)
		}
	}
}
