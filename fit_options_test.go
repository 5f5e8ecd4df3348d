package udl_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
)

// Optimisers, prices, early stopping and several starts from Go.
func TestFitOptions(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("wave.udl", "model Wave { param w = 1 in 0.1..10; param c = 0.3; state x = 0, v = 1; x' = v; v' = -w^2*x - c*v }")
	if err != nil {
		t.Fatal(err)
	}
	d := &udl.Data{Columns: map[string][]float64{"x": nil}}
	for i := range 41 {
		at := 0.15 * float64(i)
		d.Time = append(d.Time, at)
		d.Columns["x"] = append(d.Columns["x"], math.Sin(4.3*at)/4.3)
	}
	fit := func(o udl.FitOptions) *udl.Model {
		t.Helper()
		o.Data, o.Rtol = d, 1e-8
		best, err := m.Fit(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return best
	}
	value := func(m *udl.Model, name string) float64 {
		v, ok := m.Value(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		return v[0]
	}
	a := fit(udl.FitOptions{Starts: 6, SolveOptions: udl.SolveOptions{Seed: 3}, Threads: 1, Regularise: "{c: l1(1e-6)}"})
	b := fit(udl.FitOptions{Starts: 6, SolveOptions: udl.SolveOptions{Seed: 3}, Regularise: "{c: l1(1e-6)}"})
	if w, c := value(a, "w"), value(a, "c"); math.Abs(w-4.3) > 1e-3 || math.Abs(c) > 1e-3 || w != value(b, "w") || !slices.Equal([]float64{a.Loss()}, []float64{b.Loss()}) {
		t.Errorf("w = %v, c = %v\n%s", w, c, a.Report())
	}
	if r := a.Report(); !strings.Contains(r, "by lm") || !strings.Contains(r, "start 6") || !strings.Contains(r, "regularisation") {
		t.Errorf("%s", r)
	}
	e := fit(udl.FitOptions{HoldOut: "0.3", Patience: 5, Train: "adam(rate = warmup(0.05, steps = 10), iters = 200)"})
	if !strings.Contains(e.Report(), "stopped early") {
		t.Errorf("%s", e.Report())
	}
	if _, err := m.Fit(ctx, udl.FitOptions{Data: d, Patience: 5}); err == nil || !strings.Contains(err.Error(), "held out") {
		t.Error(err)
	}
}

// A checkpoint is of one fit: another schedule, late as it may differ, or another distribution of starts is named.
func TestCheckpointOfAnotherFit(t *testing.T) {
	ctx := context.Background()
	fit := func(prior, train, dir string) error {
		m, err := udl.Parse("decay.udl", "model P { param k = 1 in 0..10 ~ "+prior+"; state x = 2; x' = -k*x }")
		if err != nil {
			t.Fatal(err)
		}
		d := &udl.Data{Time: []float64{0, 1, 2}, Columns: map[string][]float64{"x": {2, 1.1, 0.5}}}
		_, err = m.Fit(ctx, udl.FitOptions{Data: d, Starts: 3, Train: train, Checkpoint: dir})
		return err
	}
	const late = "adam(rate = step(0.05, every = 120), iters = 150)"
	for _, c := range []struct{ prior, train, want string }{
		{"lognormal(0, 1)", late, ""},
		{"lognormal(0, 2)", late, "how starts are drawn"},
		{"lognormal(0, 1)", "adam(rate = step(0.05, every = 140), iters = 150)", "the optimisers"},
	} {
		dir := t.TempDir() + "/run.ckpt"
		if err := fit("lognormal(0, 1)", late, dir); err != nil {
			t.Fatal(err)
		}
		if err := fit(c.prior, c.train, dir); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %q", c.prior, c.train, err, c.want)
		}
	}
}
