package udl_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/runtime/train"
)

func falling() *udl.Data {
	return &udl.Data{Time: []float64{0, 1, 2, 3}, Columns: map[string][]float64{"x": {3, 1.2, 0.7, 0.45}}}
}

// explained is an error as Explain renders it.
func explained(err error) string {
	var b bytes.Buffer
	udl.Explain(&b, err)
	return b.String()
}

// refuses checks that an error has come, with these words.
func refuses(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; it should tell of %q", words)
		return
	}
	s := explained(err)
	for _, w := range append(words, "") {
		if !strings.Contains(s, w) || strings.Contains(s, "E0799") {
			t.Errorf("%s\nshould tell of %q", s, w)
		}
	}
}

// A program asks by errors.Is why a call has ended: its context, a limit on time, a file that is not there.
func TestErrorsIs(t *testing.T) {
	m := parse(t, "model M { param k = 0.5; state x = 2; unknown U(x) = NN(hidden = [4], act = tanh); x' = -k*x + U(x) }")
	mine := errors.New("mine")
	done, cancel := context.WithCancelCause(context.Background())
	cancel(mine)
	over, stop := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer stop()
	o := udl.SolveOptions{T1: 10, By: 0.5}
	loss := udl.FitOptions{SolveOptions: o, Loss: "s -> sum(s.x)"}
	for name, call := range map[string]func(ctx context.Context) error{
		"Solve":    func(ctx context.Context) error { _, err := m.Solve(ctx, o); return err },
		"Gradient": func(ctx context.Context) error { _, _, err := m.Gradient(ctx, loss); return err },
		"Hessian":  func(ctx context.Context) error { _, err := m.Hessian(ctx, loss, map[string]any{"k": 1}); return err },
		"Steady":   func(ctx context.Context) error { _, err := m.Steady(ctx, udl.SteadyOptions{}); return err },
		"Discover": func(ctx context.Context) error {
			_, err := m.Discover(ctx, "U", udl.DiscoverOptions{T1: 3, By: 0.1})
			return err
		},
		"Ensemble": func(ctx context.Context) error {
			_, err := m.Ensemble(ctx, udl.EnsembleOptions{SolveOptions: o, N: 10, Vary: map[string]string{"k": "uniform(0, 1)"}})
			return err
		},
		"Fit": func(ctx context.Context) error { _, err := m.Fit(ctx, udl.FitOptions{Data: falling()}); return err },
	} {
		if err := call(done); !errors.Is(err, context.Canceled) || !errors.Is(err, mine) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		if err := call(over); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, late: %v", name, err)
		}
	}
	if _, err := udl.Load("nope.udl"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := m.ReadCSV(context.Background(), "nope.csv", "t"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	// Another error of a call whose context happens to be done is not taken for its end.
	if _, err := m.Solve(done, udl.SolveOptions{T1: 1, Solver: "NoSuchSolver"}); err == nil || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A limit on time ends a fit with an error and the best so far; before the first loss there is none.
func TestFitOverTime(t *testing.T) {
	const text = "model L { param k = 1; state x = 1; unknown U(x) = NN(hidden = [5], act = tanh); x' = -k*x + U(x) }"
	for _, limit := range []time.Duration{time.Nanosecond, 200 * time.Millisecond} {
		m, err := udl.Parse("l", text, udl.WithLimits(udl.Limits{Time: limit}))
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Fit(context.Background(), udl.FitOptions{Data: falling(), Train: "adam(iters = 10000000)"})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "time limit of "+limit.String()) {
			t.Errorf("%v: %v", limit, err)
		}
		if (f != nil) != (limit > time.Millisecond) {
			t.Errorf("%v: %v", limit, f)
		}
		if f != nil && (math.IsNaN(f.Loss()) || f.FitResult().Status != train.Cancelled) {
			t.Errorf("%v: loss %v, %v", limit, f.Loss(), f.FitResult().Status)
		}
	}
}

// Options that a call does not heed are errors, by name.
func TestUnheededOptions(t *testing.T) {
	ctx, m := context.Background(), parse(t, "model M { param k = 0.5; state x = 2; x' = -k*x }")
	for name, o := range map[string]udl.FitOptions{
		"Initial": {Initial: "data"}, "HoldOut": {HoldOut: "0.5"}, "Regularise": {Regularise: "{k: l2(100)}"}, "Free": {Free: []string{"k"}},
	} {
		o.Data = falling()
		_, _, err := m.Gradient(ctx, o)
		refuses(t, err, name+" is an option of Fit alone", "help")
		_, err = m.Differentiate(ctx, o)
		refuses(t, err, name)
		_, err = m.Hessian(ctx, o, map[string]any{"k": 1})
		refuses(t, err, name)
	}
	both := udl.FitOptions{Data: falling(), Trajectories: []udl.Trajectory{{Data: falling()}}}
	_, err := m.Hessian(ctx, both, map[string]any{"k": 1})
	refuses(t, err, "Data and Trajectories exclude each other")
	_, err = m.Hessian(ctx, udl.FitOptions{Data: falling()}, nil)
	refuses(t, err, "along is empty", "map[string]any")
	_, err = m.Solve(ctx, udl.SolveOptions{T1: 1, By: 0.5, At: []float64{0.1}})
	refuses(t, err, "By and At")
	_, err = m.Fit(ctx, udl.FitOptions{SolveOptions: udl.SolveOptions{By: 0.5, At: []float64{0.1}}, Data: falling()})
	refuses(t, err, "By and At")
	small, err := udl.Parse("m", "model M { param k = 0.5; state x = 2; x' = -k*x }", udl.WithLimits(udl.Limits{Steps: 3}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = small.Solve(ctx, udl.SolveOptions{T1: 100})
	refuses(t, err, "Limits{Steps: …}")
	if s, err := m.Solve(ctx, udl.SolveOptions{T1: 1, Set: map[string]any{"k": float32(0.25), "x": int64(3)}}); err != nil {
		t.Error(err)
	} else if x, _ := s.At(1, "x"); math.Abs(x[0]-3*math.Exp(-0.25)) > 1e-4 {
		t.Error(x)
	}
}

// Nil and empty values, columns of different lengths and callbacks that panic are errors that say what is wrong.
func TestNothingPanics(t *testing.T) {
	ctx, m := context.Background(), parse(t, "model M { param k = 0.5; state x = 2; unknown U(x) = NN(hidden = [3], act = tanh); x' = -k*x + U(x) }")
	for _, e := range []*udl.Equations{nil, {}} {
		_, err := m.PutBack(ctx, map[string]any{"U": e})
		refuses(t, err, "nil or empty")
		if e.String() != "" || e.Outputs() != nil || e.Terms("U") != nil || e.Inclusion("U") != nil || e.System() != nil {
			t.Error("empty equations have something")
		}
	}
	ragged := &udl.Data{Time: []float64{0, 1, 2, 3, 4, 5, 6}, Columns: map[string][]float64{"x": {3, 1.2, 0.7}}}
	_, err := m.DiscoverData(ctx, ragged, udl.DiscoverOptions{})
	refuses(t, err, "`x` has 3 values, and there are 7 times")
	_, err = m.Fit(ctx, udl.FitOptions{Trajectories: []udl.Trajectory{{Data: ragged}}})
	refuses(t, err, "`x` has 3 values")
	ragged.Columns = map[string][]float64{"x": {7, 6, 5, 4, 3, 2, 1}, "t": {7, 6, 5, 4, 3, 2, 1}}
	_, err = m.DiscoverData(ctx, ragged, udl.DiscoverOptions{Basis: "poly(1)"})
	refuses(t, err, "the column `t`", "over")
	_, err = m.DiscoverData(ctx, &udl.Data{Time: []float64{0, 1, 2}}, udl.DiscoverOptions{})
	refuses(t, err, "no Columns")
	for _, m := range []*udl.Model{nil, {}} {
		_, err := m.Solve(ctx, udl.SolveOptions{T1: 1})
		refuses(t, err, "Load or Parse")
		_, err = m.Fit(ctx, udl.FitOptions{Data: falling()})
		refuses(t, err, "Load or Parse")
		_, _, err = m.Gradient(ctx, udl.FitOptions{Data: falling()})
		refuses(t, err, "Load or Parse")
		_, err = m.Discover(ctx, "U", udl.DiscoverOptions{})
		refuses(t, err, "Load or Parse")
		_, err = m.PutBack(ctx, nil)
		refuses(t, err, "Load or Parse")
		_, err = m.Steady(ctx, udl.SteadyOptions{})
		refuses(t, err, "Load or Parse")
		_, err = m.Profile(ctx, "k", udl.ProfileOptions{})
		refuses(t, err, "Load or Parse")
		if _, ok := m.Value("k"); ok || m.Name() != "" || m.Report() != "" || m.FitResult() != nil || m.Trajectories() != 0 || m.Columns() != nil || !math.IsNaN(m.Loss()) {
			t.Error("an empty model has something")
		}
	}
	f, err := m.Fit(ctx, udl.FitOptions{Data: falling(), Progress: func(int, float64, float64) { panic("user") }})
	refuses(t, err, "Progress panicked: user")
	if f == nil {
		t.Error("the best so far is lost")
	}
	_, err = m.Fit(ctx, udl.FitOptions{Data: falling(), Starts: 2, Watch: func(udl.FitProgress) { panic("user") }})
	refuses(t, err, "Watch panicked: user")
	_, err = m.Solve(ctx, udl.SolveOptions{T1: 1, Sink: func(float64, []float64) error { panic("user") }})
	refuses(t, err, "Sink panicked: user")
}

// What was chosen in all of ten resamplings was chosen with certainty.
func TestInclusionIsWhole(t *testing.T) {
	m := parse(t, "model M { state x = 1; x' = -x }")
	d := &udl.Data{Columns: map[string][]float64{}}
	for i := range 41 {
		s := float64(i) / 10
		d.Time = append(d.Time, s)
		d.Columns["x"] = append(d.Columns["x"], 2*math.Exp(-0.5*s))
	}
	e, err := m.DiscoverData(context.Background(), d, udl.DiscoverOptions{Basis: "[x]", Ensemble: 10})
	if err != nil {
		t.Fatal(err)
	}
	if v := e.Inclusion("x'")["x"]; v != 1 {
		t.Errorf("%v of 10 resamplings: %v", e, v)
	}
}
