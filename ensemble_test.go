package udl_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
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

// Values given by Go, members by themselves, members that stop, and limits.
func TestEnsembleParts(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("m", "model M { param a = 1, c[2] = 1; state x = 1; let y = x^2; x' = a*c[1]*x^2 }")
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Ensemble(ctx, udl.EnsembleOptions{Vary: map[string]string{"x": "uniform(0.9, 1)"},
		Values:       map[string]any{"a": []float64{0.1, 2, 0.2}, "c": [][]float64{{1, 0}, {1, 1}, {1, 2}}},
		SolveOptions: udl.SolveOptions{T1: 1, By: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if e.N() != 3 || e.Failed() != 1 || len(e.Stopped()) != 1 || e.Stopped()[0] != 1 || e.Backend() == "" {
		t.Errorf("%d members, %d failed, %v stopped, by %q", e.N(), e.Failed(), e.Stopped(), e.Backend())
	}
	c, err := e.Values("c")
	if err != nil || len(c) != 6 || c[5] != 2 {
		t.Errorf("c is %v, %v", c, err)
	}
	x0, err := e.Values("x")
	x, _ := e.Series("x")
	if err != nil || x0[2] != x[6] {
		t.Errorf("x starts at %v and at %v, %v", x0, x, err)
	}
	s, err := e.Member(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	if y, _ := s.Series("y"); math.Abs(y[2]-x[8]*x[8]) > 1e-4 {
		t.Errorf("y of the last member is %v, x %v", y, x[6:])
	}
	if s, err := e.Member(ctx, 1); err != nil || s.Status() == "done" {
		t.Errorf("a member that stops: %v", err)
	}
	if _, err := e.Member(ctx, 3); err == nil {
		t.Error("a fourth of three members")
	}
	for _, f := range []func(string) ([]float64, error){e.Series, e.Values, e.Mean, e.SD, func(n string) ([]float64, error) { return e.Quantile(0.5, n) }} {
		if _, err := f("nothing"); err == nil {
			t.Error("no error for an unknown name")
		}
	}
	if _, err := e.Quantile(95, "x"); err == nil {
		t.Error("a quantile of 95")
	}
	if _, err := m.Ensemble(ctx, udl.EnsembleOptions{Vary: map[string]string{"a": "uniform(0, 1)"}, Values: map[string]any{"a": []float64{1}}, SolveOptions: udl.SolveOptions{T1: 1}}); err == nil {
		t.Error("a quantity that is drawn and given")
	}
	if e, err := m.Ensemble(ctx, udl.EnsembleOptions{Values: map[string]any{"a": []float64{2, 3}}, SolveOptions: udl.SolveOptions{T1: 1}}); err == nil || e.Failed() != 2 {
		t.Errorf("no member reaches the end: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Ensemble(done, udl.EnsembleOptions{N: 10, Vary: map[string]string{"a": "uniform(0, 0.1)"}, SolveOptions: udl.SolveOptions{T1: 1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	small, _ := udl.Parse("m", "model M { state x = 1; x' = -x }", udl.WithLimits(udl.Limits{Memory: 1 << 16}))
	if _, err := small.Ensemble(ctx, udl.EnsembleOptions{N: 1e6, Vary: map[string]string{"x": "normal(0, 1)"}, SolveOptions: udl.SolveOptions{T1: 1}}); err == nil {
		t.Error("a million members in 64 KiB")
	}
}

// Back ends agree to rounding, and what is drawn is the same on all.
func TestEnsembleBackends(t *testing.T) {
	const text = "model M { param k = 1; state x = 1, y = 0; x' = y; y' = -k*sin(x) }"
	o := udl.EnsembleOptions{N: 100, Vary: map[string]string{"k": "lognormal(0, 0.1)", "x": "normal(1, 0.1)"}, SolveOptions: udl.SolveOptions{T1: 5, By: 1, Rtol: 1e-8}}
	var runs [2]*udl.Ensemble
	for i, opts := range [][]udl.Option{nil, {udl.WithoutNative()}} {
		m, err := udl.Parse("m", text, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if runs[i], err = m.Ensemble(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := runs[0].Series("x")
	b, _ := runs[1].Series("x")
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9 {
			t.Fatalf("number %d is %v and %v", i, a[i], b[i])
		}
	}
	for _, name := range []string{"k", "x"} {
		a, _ := runs[0].Values(name)
		b, _ := runs[1].Values(name)
		if !slices.Equal(a, b) {
			t.Errorf("%s is drawn in two ways", name)
		}
	}
}

// TestEnsembleInsideSteps: members whose stiff component follows a driver are right at outputs within steps, in lanes as by themselves.
func TestEnsembleInsideSteps(t *testing.T) {
	m, err := udl.Parse("m", "model M { param L = 1e5; state x = 0; x' = -L*(x - sin(2*t)) }")
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Ensemble(context.Background(), udl.EnsembleOptions{N: 5, Vary: map[string]string{"L": "[1e8, 1e7, 1e6, 1e5, 7000]"},
		SolveOptions: udl.SolveOptions{T1: 37, By: 0.1, Solver: "Rodas5P"}})
	if err != nil {
		t.Fatal(err)
	}
	xs, err := e.Series("x")
	if err != nil {
		t.Fatal(err)
	}
	per := len(xs) / 5
	for i, l := range []float64{1e8, 1e7, 1e6, 1e5, 7000} {
		worst := 0.0
		for k, x := range xs[i*per : (i+1)*per] {
			s, c := math.Sincos(0.2 * float64(k))
			if k > 0 {
				worst = max(worst, math.Abs(x-l*(l*s-2*c)/(l*l+4)))
			}
		}
		t.Logf("λ = %g: %.2g", l, worst)
		if worst > 1e-4 {
			t.Errorf("λ = %g: off by %.2g", l, worst)
		}
	}
}
