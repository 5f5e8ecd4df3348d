package udl_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
)

// noisy is exp(−0.7 t) with a ripple, at n times.
func noisy(n int) *udl.Data {
	d := &udl.Data{Columns: map[string][]float64{"x": nil}}
	for i := range n {
		t := 0.25 * float64(i)
		d.Time = append(d.Time, t)
		d.Columns["x"] = append(d.Columns["x"], math.Exp(-0.7*t)+0.01*math.Sin(5*t))
	}
	return d
}

func TestFitResultAndProfile(t *testing.T) {
	ctx := context.Background()
	m := parse(t, "model Decay { param k = 1 in 0..10, c = 0; state x = 1; x' = c - k*x }")
	if m.FitResult() != nil {
		t.Error("a model that was not fitted has a result")
	}
	f, err := m.Fit(ctx, udl.FitOptions{Data: noisy(12)})
	if err != nil {
		t.Fatal(err)
	}
	r := f.FitResult().Report
	if len(r.Params) != 2 || len(r.Residuals) != 12 || !(math.Abs(r.Identify.Corr[0][1]) < 1) {
		t.Errorf("%+v", r)
	}
	p, err := f.Profile(ctx, "k", udl.ProfileOptions{Level: 0.9, Points: 5})
	if err != nil {
		t.Fatal(err)
	}
	// Student's with 10 degrees of freedom; the model is close to linear.
	if w := 1.812 * r.Params[0].StdErr; math.Abs(p.Hi-p.Lo-2*w) > 0.02*w || p.Level != 0.9 {
		t.Errorf("%v, standard error %v", p, r.Params[0].StdErr)
	}
	if _, err := f.Profile(ctx, "q", udl.ProfileOptions{}); err == nil {
		t.Error("a profile of nothing")
	}
}

// A fit that is stopped goes on from its checkpoint to the same bits.
func TestFitCheckpoint(t *testing.T) {
	m := parse(t, "model Decay { param k = 1 in 0..10, c = 0; state x = 1; x' = c - k*x }")
	o := udl.FitOptions{Data: noisy(12), Train: "adam(iters = 20) then lbfgs(iters = 20)"}
	want, err := m.Fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Checkpoint, o.Every = filepath.Join(t.TempDir(), "run"), "7"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	o.Progress = func(int, float64, float64) {
		if n++; n == 12 {
			cancel()
		}
	}
	if _, err := m.Fit(ctx, o); err == nil {
		t.Error("it was not stopped")
	}
	o.Progress = func(int, float64, float64) { n++ }
	got, err := m.Fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	all := len(want.FitResult().History)
	if got.Loss() != want.Loss() || n != all || len(got.FitResult().History) != all {
		t.Errorf("loss %v, want %v; %d iterations, want %d", got.Loss(), want.Loss(), n, all)
	}
	o.Train = "adam(iters = 20)"
	if _, err := m.Fit(context.Background(), o); len(diag.From(err)) != 1 || diag.From(err)[0].Code != "E0519" {
		t.Errorf("another fit: %v", err)
	}
	o.Fresh = true
	if _, err := m.Fit(context.Background(), o); err != nil {
		t.Error(err)
	}
}

// Who watches a fit is told how far it is, over all its phases and stages.
func TestFitWatch(t *testing.T) {
	m := parse(t, "model Decay { param k = 1 in 0..10, c = 0; state x = 1; x' = c - k*x }")
	made, all, calls, left := -1, 0, 0, 0
	o := udl.FitOptions{Data: noisy(12), Train: "adam(iters = 20) then lbfgs(iters = 20)", Method: "shooting(grow = 2)", Watch: func(p udl.FitProgress) {
		calls++
		if p.Made < made || p.Made > p.All || p.Left < 0 || !(p.GradNorm >= 0) || p.Phases != 2 || p.Optimiser == "" {
			t.Errorf("%+v after %d of %d", p, made, all)
		}
		if made, all = p.Made, p.All; p.Left > 0 {
			left++
		}
	}}
	f, err := m.Fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if all != 80 || calls != len(f.FitResult().History) || left < calls/2 {
		t.Errorf("%d of %d iterations, %d calls for %d, %d with a time left", made, all, calls, len(f.FitResult().History), left)
	}
	o.Starts, o.Method = 3, ""
	most := 0
	o.Watch = func(p udl.FitProgress) { most, all = max(most, p.Made), p.All }
	if _, err := m.Fit(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if all != 120 || most > all || most < 60 {
		t.Errorf("%d of %d iterations of three starts", most, all)
	}
}
