package udl_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
)

const decay = "model Decay { param k = 0.5 in 0..10; state x = 2; let y = 3*x; x' = -k*x }"

func parse(t *testing.T, text string, opts ...udl.Option) *udl.Model {
	t.Helper()
	m, err := udl.Parse("test.udl", text, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSolve(t *testing.T) {
	m := parse(t, decay)
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 4, By: 1, Rtol: 1e-9, Set: map[string]any{"k": 1.0, "x": 3}})
	if err != nil {
		t.Fatal(err)
	}
	y, err := s.Series("y")
	if err != nil || len(y) != 5 || math.Abs(y[4]-9*math.Exp(-4)) > 1e-7 {
		t.Errorf("y = %v, %v", y, err)
	}
	if x, err := s.At(0.5, "x"); err != nil || math.Abs(x[0]-3*math.Exp(-0.5)) > 1e-6 {
		t.Errorf("x(0.5) = %v, %v", x, err)
	}
	if _, err := s.At(5, "x"); err == nil {
		t.Error("a time outside the solution gave no error")
	}
	if _, err := s.Series("z"); err == nil || !strings.Contains(err.Error(), "x, y") {
		t.Errorf("unknown series: %v", err)
	}
	if s.Status() != "done" {
		t.Errorf("status %s", s.Status())
	}
}

func TestFitData(t *testing.T) {
	m := parse(t, decay)
	d := &udl.Data{Columns: map[string][]float64{"x": nil}}
	for i := range 11 {
		tt := 0.2 * float64(i)
		d.Time = append(d.Time, tt)
		d.Columns["x"] = append(d.Columns["x"], 2*math.Exp(-1.3*tt))
	}
	d.Columns["x"][4] = math.NaN() // missing
	n := 0
	f, err := m.Fit(context.Background(), udl.FitOptions{Data: d, Train: "bfgs(iters = 50)", Progress: func(int, float64, float64) { n++ }})
	if err != nil {
		t.Fatal(err)
	}
	if k, _ := f.Value("k"); math.Abs(k[0]-1.3) > 1e-4 || n == 0 || f.Loss() > 1e-8 {
		t.Errorf("k = %v after %d iterations, loss %g", k, n, f.Loss())
	}
	if k, _ := m.Value("k"); k[0] != 0.5 {
		t.Errorf("the original changed: k = %v", k)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		code string
		run  func() error
	}{
		"syntax": {"E0106", func() error { _, err := udl.Parse("a.udl", "model M { state x = 1.; x' = x }"); return err }},
		"name":   {"E0201", func() error { _, err := udl.Parse("a.udl", "model M { state x = 1; x' = y }"); return err }},
		"set": {"E0714", func() error {
			_, err := parse(t, decay).Solve(ctx, udl.SolveOptions{T1: 1, Set: map[string]any{"q": 1.0}})
			return err
		}},
		"bounds": {"E0714", func() error {
			_, err := parse(t, decay).Solve(ctx, udl.SolveOptions{T1: 1, Set: map[string]any{"k": 11.0}})
			return err
		}},
		"no span": {"E0706", func() error { _, err := parse(t, decay).Solve(ctx, udl.SolveOptions{}); return err }},
		"solver": {"E0701", func() error {
			_, err := parse(t, decay).Solve(ctx, udl.SolveOptions{T1: 1, Solver: "Tsit6"})
			return err
		}},
		"pole": {"E0502", func() error {
			_, err := parse(t, "model M { state x = 1; x' = x^2 }").Solve(ctx, udl.SolveOptions{T1: 2})
			return err
		}},
		"missing": {"E0600", func() error { _, err := udl.Load("no such file.udl"); return err }},
		"no grad": {"E0510", func() error {
			m := parse(t, "model M { param a = 1; state x = 1; x' = f(x)*a }", udl.WithFunc(udl.Func{Name: "f", N: 1, Eval: func(x []float64) float64 { return -x[0] }}))
			_, err := m.Fit(ctx, udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 1, By: 0.5}, Loss: "s -> s.x[end]"})
			return err
		}},
	} {
		l := diag.From(c.run())
		if len(l) != 1 || string(l[0].Code) != c.code {
			t.Errorf("%s: want one %s, got %v", name, c.code, l)
		}
	}
}

func TestPartialSolutionIsKept(t *testing.T) {
	m := parse(t, "model M { state x = 1; x' = x^2 }")
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2})
	if err == nil || s == nil {
		t.Fatalf("solution %v, error %v", s, err)
	}
	ts := s.Times()
	if end := ts[len(ts)-1]; math.Abs(end-1) > 1e-3 {
		t.Errorf("the pole is at 1, the solution ends at %g", end)
	}
}

func TestLimits(t *testing.T) {
	ctx := context.Background()
	slow := "model M { state x = 1; x' = -1e5*(x - cos(t)) }"
	if _, err := parse(t, slow, udl.WithLimits(udl.Limits{Steps: 100})).Solve(ctx, udl.SolveOptions{T1: 100}); len(diag.From(err)) == 0 || diag.From(err)[0].Code != "E0501" {
		t.Errorf("steps: %v", err)
	}
	if _, err := parse(t, slow, udl.WithLimits(udl.Limits{Memory: 1000})).Solve(ctx, udl.SolveOptions{T1: 100}); len(diag.From(err)) == 0 || diag.From(err)[0].Code != "E0506" {
		t.Errorf("memory: %v", err)
	}
	start := time.Now()
	_, err := parse(t, slow, udl.WithLimits(udl.Limits{Time: 20 * time.Millisecond, Steps: 1 << 40})).Solve(ctx, udl.SolveOptions{T1: 1e6})
	if err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("time: %v after %v", err, time.Since(start))
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := parse(t, slow).Solve(cancelled, udl.SolveOptions{T1: 1}); err == nil {
		t.Error("a cancelled context gave no error")
	} else if !errors.Is(err, context.Canceled) && len(diag.From(err)) == 0 {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFileSystem(t *testing.T) {
	fsys := fstest.MapFS{
		"lib/m.udl":  {Data: []byte("import \"fn.udl\"\nmodel M { param a = 1; state x = 1; x' = -twice(x)*a }")},
		"lib/fn.udl": {Data: []byte("fn twice(x) = 2*x")},
		"lib/d.csv":  {Data: []byte("t,x\n0,1\n1,0.5\n")},
	}
	m, err := udl.Load("lib/m.udl", udl.WithFS(fsys))
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.ReadCSV(context.Background(), "d.csv", "t")
	if err != nil || len(d.Time) != 2 || d.Columns["x"][1] != 0.5 {
		t.Errorf("%v, %v", d, err)
	}
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 1, By: 1})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Series("x"); math.Abs(x[1]-math.Exp(-2)) > 1e-5 {
		t.Errorf("x = %v", x)
	}
}

// One compiled model on many goroutines: every one gets the same bits.
func TestManyGoroutines(t *testing.T) {
	m := parse(t, "model M { param a = 1; state x = 1, y = 0; unknown U(x, y) -> (p, q) = NN(hidden = [4]); let (p, q) = U(x, y); x' = a*y + p; y' = -x + q }")
	o := udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 2, By: 0.5}, Loss: "s -> sum(s.x^2) + 0.1*sum(s.U.W1^2)"}
	want, wg, err := m.Gradient(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 5 {
				v, g, err := m.Gradient(context.Background(), o)
				if err != nil || v != want {
					t.Errorf("%v, %v", v, err)
					return
				}
				for k := range g {
					for i := range g[k] {
						if g[k][i] != wg[k][i] {
							t.Errorf("%s[%d] differs", k, i)
						}
					}
				}
			}
		}()
	}
	wait.Wait()
}

func TestEvents(t *testing.T) {
	m := parse(t, "model Ball { state y = 10, v = 0; y' = v; v' = -10; when y < 0 { v := -0.5*v }; stop when t > 3 }")
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 4, Rtol: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	ev := s.Events()
	if len(ev) != 3 || ev[0].Name != "when y < 0" || math.Abs(ev[1].T-2*math.Sqrt2) > 1e-9 || ev[2].T != 3 || s.Status() != "event" {
		t.Errorf("%v, %s", ev, s.Status())
	}
	before, ok := ev[0].Before("v")
	after, _ := ev[0].After("v")
	if !ok || math.Abs(before[0]+10*math.Sqrt2) > 1e-8 || after[0] != -0.5*before[0] {
		t.Errorf("v = %v before, %v after", before, after)
	}
	if _, ok := ev[0].Before("w"); ok {
		t.Error("there is no w")
	}
}

// TestSolveOptions: the longest step, the way of gradients, and a time span that is none.
func TestSolveOptions(t *testing.T) {
	m := parse(t, "model Pulse { param k = 1; state x = 0; x' = k*exp(-((t - 50)/0.01)^2) }")
	ctx, loss := context.Background(), "s -> s.x[end]"
	want := 0.01 * math.Sqrt(math.Pi)
	s, err := m.Solve(ctx, udl.SolveOptions{T1: 100, At: []float64{100}, MaxStep: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Series("x"); math.Abs(x[0]-want) > 1e-6 {
		t.Errorf("%v, want %v: the pulse is stepped over", x, want)
	}
	for _, adjoint := range []string{"", "discrete", "forward"} {
		_, g, err := m.Gradient(ctx, udl.FitOptions{SolveOptions: udl.SolveOptions{T0: 49, T1: 51, By: 1, MaxStep: 0.01}, Loss: loss, Adjoint: adjoint})
		if err != nil || math.Abs(g["k"][0]-want) > 1e-6 {
			t.Errorf("%q: %v, %v", adjoint, g, err)
		}
	}
	if _, _, err := m.Gradient(ctx, udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 1, By: 1}, Loss: loss, Adjoint: "backward"}); err == nil {
		t.Error("a way of gradients that there is not")
	}
	for name, run := range map[string]func() error{
		"solve":    func() error { _, err := m.Solve(ctx, udl.SolveOptions{}); return err },
		"gradient": func() error { _, _, err := m.Gradient(ctx, udl.FitOptions{Loss: loss}); return err },
		"fit":      func() error { _, err := m.Fit(ctx, udl.FitOptions{Loss: loss}); return err },
		"ensemble": func() error {
			_, err := m.Ensemble(ctx, udl.EnsembleOptions{N: 2, Vary: map[string]string{"k": "normal(1, 1)"}})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), "no time span") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
