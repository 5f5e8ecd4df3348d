package udl_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/udl-lang/udl"
)

func ExampleModel_Ensemble() {
	m, err := udl.Parse("decay.udl", "model Decay { param k = 1 in 0..10; state x = 1; x' = -k*x }")
	if err != nil {
		udl.Explain(os.Stdout, err)
		return
	}
	e, err := m.Ensemble(context.Background(), udl.EnsembleOptions{
		N: 1000, Vary: map[string]string{"k": "uniform(0.5, 1.5)"},
		SolveOptions: udl.SolveOptions{T1: 2, By: 1, Seed: 1},
	})
	if err != nil {
		udl.Explain(os.Stdout, err)
		return
	}
	mean, _ := e.Mean("x")
	fmt.Printf("%d members, mean of x: %.2f\n", e.N(), mean)
	// Output: 1000 members, mean of x: [1.00 0.39 0.16]
}

func TestEnsembleReproducible(t *testing.T) {
	m, err := udl.Parse("m", "model M { param k = 1, c[2] = 0.1; state x = 1, y = 0; let e = x + y; x' = -k*x + c[1]*y; y' = k*x - c[2]*y }")
	if err != nil {
		t.Fatal(err)
	}
	var first []float64
	for _, threads := range []int{1, 2, 3} {
		e, err := m.Ensemble(context.Background(), udl.EnsembleOptions{N: 200, Threads: threads,
			Vary:         map[string]string{"k": "gamma(2, 2)", "c": "beta(2, 3)", "x": "normal(1, 0.1)"},
			SolveOptions: udl.SolveOptions{T1: 3, At: []float64{0, 1, 3}, Seed: 5}})
		if err != nil {
			t.Fatal(err)
		}
		var all []float64
		for _, q := range []string{"x", "y", "e", "k", "c"} {
			v, err := e.Series(q)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v...)
		}
		if len(all) != 200*(3*3+3) {
			t.Fatalf("%d numbers", len(all))
		}
		if first == nil {
			first = all
		}
		for i := range all {
			if math.Float64bits(all[i]) != math.Float64bits(first[i]) {
				t.Fatalf("%d threads: number %d is %v, not %v", threads, i, all[i], first[i])
			}
		}
	}
	few, err := m.Ensemble(context.Background(), udl.EnsembleOptions{N: 3, Vary: map[string]string{"k": "gamma(2, 2)"}, SolveOptions: udl.SolveOptions{T1: 1, Seed: 5}})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := few.Series("k")
	for i := range k {
		if k[i] != first[200*9+i] {
			t.Errorf("member %d draws %v alone, %v among many", i, k[i], first[200*9+i])
		}
	}
}

func TestSweep(t *testing.T) {
	m, err := udl.Parse("m", "model M { param k = 1; state x = 1; x' = -k*x }")
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Sweep(context.Background(), udl.SweepOptions{Over: map[string][]float64{"k": {1, 2}, "x": {1, 3, 5}}, SolveOptions: udl.SolveOptions{T1: 1}})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := s.Series("x")
	i := 0
	for _, k := range []float64{1, 2} {
		for _, x0 := range []float64{1, 3, 5} {
			if want := x0 * math.Exp(-k); x[2*i] != x0 || math.Abs(x[2*i+1]-want) > 1e-5*want {
				t.Errorf("k = %v, x = %v: %v and %v, want %v", k, x0, x[2*i], x[2*i+1], want)
			}
			i++
		}
	}
	if _, err := s.Series("nothing"); err == nil {
		t.Error("no error for an unknown name")
	}
	if _, err := m.Ensemble(context.Background(), udl.EnsembleOptions{N: 5, Vary: map[string]string{"k": "normal(0"}}); err == nil {
		t.Error("no error for a broken expression")
	}
}
