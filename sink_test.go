package udl_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
)

// A run of a million outputs of which none is kept: what they are to give is gathered as they come.
func ExampleModel_Solve_sink() {
	m, err := udl.Parse("swing.udl", "model Swing { state q = 1, v = 0; let energy = q^2/2 + v^2/2; q' = v; v' = -q }", udl.WithLimits(udl.Limits{Steps: 1e7}))
	if err != nil {
		udl.Explain(os.Stdout, err)
		return
	}
	energy := slices.Index(m.Columns(), "energy")
	outputs, largest := 0, 0.0
	sol, err := m.Solve(context.Background(), udl.SolveOptions{T1: 100_000, By: 0.1, Solver: "Yoshida6(dt = 0.25)",
		Sink: func(t float64, values []float64) error {
			outputs++
			largest = max(largest, values[energy])
			return nil // an error would end the run
		}})
	if err != nil {
		udl.Explain(os.Stdout, err)
		return
	}
	fmt.Println(m.Columns())
	fmt.Printf("%d outputs to t = %g, the energy never above %.3f\n", outputs, sol.End(), largest)
	// Output:
	// [q v energy]
	// 1000001 outputs to t = 100000, the energy never above 0.500
}

// What the sink is given is what a solution that is kept has; the solution that is not says so.
func TestSink(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("m.udl", "model M { param k = 1; state x = 1, u[2] = [1, 2]; let y = 2*x; let w = k*u; x' = -k*x; u' = [u[2], -u[1]]; every 1 { x := x + 1 } }")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"x", "u[1]", "u[2]", "y", "w[1]", "w[2]"}; !slices.Equal(m.Columns(), want) {
		t.Errorf("the columns are %v, want %v", m.Columns(), want)
	}
	for _, o := range []udl.SolveOptions{{T1: 5}, {T1: 5, By: 0.25}, {T1: 5, At: []float64{1, 2.5, 5}}, {T1: 5, By: 0.5, Solver: "Rodas5P", Set: map[string]any{"k": 2.0}}} {
		kept, err := m.Solve(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		var ts []float64
		got := map[string][]float64{}
		o.Sink = func(at float64, v []float64) error {
			ts = append(ts, at)
			for i, n := range []string{"x", "u", "u", "y", "w", "w"} {
				got[n] = append(got[n], v[i])
			}
			return nil
		}
		sol, err := m.Solve(ctx, o)
		if err != nil || sol.Status() != "done" || !slices.Equal(ts, kept.Times()) {
			t.Fatalf("%v, %v; the sink got %v, kept are %v", err, sol.Status(), ts, kept.Times())
		}
		for n, v := range got {
			if want, err := kept.Series(n); err != nil || !slices.Equal(v, want) {
				t.Errorf("%s: the sink got %v, kept are %v", n, v, want)
			}
			end, err := sol.At(sol.End(), n)
			if want, _ := kept.At(5, n); err != nil || !slices.Equal(end, want) {
				t.Errorf("%s at the end is %v, %v, want %v", n, end, err, want)
			}
			if _, err := sol.Series(n); err == nil || !strings.Contains(err.Error(), "are not kept") {
				t.Errorf("Series(%q) gives %v", n, err)
			}
			if _, err := sol.At(1, n); err == nil || !strings.Contains(err.Error(), "known at its end only, t = 5") {
				t.Errorf("At(1, %q) gives %v", n, err)
			}
		}
		if len(sol.Times()) != 0 || sol.Stats().Steps != kept.Stats().Steps {
			t.Errorf("%d times are kept; %d steps, %d", len(sol.Times()), sol.Stats().Steps, kept.Stats().Steps)
		}
	}
}

// The sink's error comes back as it is, with how far the solve had come; a context ends the run too; other calls refuse a sink.
func TestSinkEnds(t *testing.T) {
	m, err := udl.Parse("m.udl", "model M { state x = 1, y = 0; x' = y; y' = -x }")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the queue is closed")
	n := 0
	o := udl.SolveOptions{T1: 1e3, By: 0.5, Sink: func(float64, []float64) error {
		if n++; n > 7 {
			return full
		}
		return nil
	}}
	sol, err := m.Solve(context.Background(), o)
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "the output at t = 3.5 could not be handed on: the queue is closed") || n != 8 {
		t.Fatalf("%v after %d rows", err, n)
	}
	if sol == nil || sol.Status() != "output failed" || sol.End() < 3.5 || sol.End() > 20 {
		t.Errorf("%+v", sol)
	}
	var told strings.Builder
	udl.Explain(&told, err)
	for _, want := range []string{"E0517", "7 outputs up to t = 3 were handed on"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("explained:\n%s", told.String())
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	o.Sink = func(float64, []float64) error {
		if n++; n == 100 {
			cancel()
		}
		return nil
	}
	if _, err := m.Solve(ctx, o); err == nil || !strings.Contains(err.Error(), "cancelled") || n > 200 {
		t.Errorf("%v after %d rows", err, n)
	}

	o.Sink = func(float64, []float64) error { panic("a fault of the program") }
	if _, err := m.Solve(context.Background(), o); err == nil || !strings.Contains(err.Error(), "a fault of the program") {
		t.Errorf("a panic gives %v", err)
	}

	loss := "s -> s.x[end]"
	calls := map[string]func() error{
		"fit": func() error {
			_, err := m.Fit(context.Background(), udl.FitOptions{SolveOptions: o, Loss: loss})
			return err
		},
		"grad": func() error {
			_, _, err := m.Gradient(context.Background(), udl.FitOptions{SolveOptions: o, Loss: loss})
			return err
		},
		"ensemble": func() error {
			_, err := m.Ensemble(context.Background(), udl.EnsembleOptions{SolveOptions: o, Vary: map[string]string{"x": "[1, 2]"}})
			return err
		},
		"sweep": func() error {
			_, err := m.Sweep(context.Background(), udl.SweepOptions{SolveOptions: o, Over: map[string][]float64{"x": {1, 2}}})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), "Sink is for Solve: "+name) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// A million outputs take no more memory than the first thousand.
func TestSinkMemory(t *testing.T) {
	m, err := udl.Parse("m.udl", "model M { state x = 1, y = 0; discrete n = 0; let r = x^2 + y^2; x' = y; y' = -x; every 10 { n := n + 1 } }", udl.WithLimits(udl.Limits{Steps: 1e8}))
	if err != nil {
		t.Fatal(err)
	}
	var before, most uint64
	n := 0
	sol, err := m.Solve(context.Background(), udl.SolveOptions{T1: 100_000, By: 0.1, Solver: "Vern7", Sink: func(at float64, v []float64) error {
		if n++; n%200_000 == 1000 {
			var s runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&s)
			if before == 0 {
				before = s.HeapAlloc
			}
			most = max(most, s.HeapAlloc)
		}
		return nil
	}})
	if err != nil || n != 1_000_001 || sol.Stats().Events != 10_000 {
		t.Fatal(err, n, sol.Stats())
	}
	t.Logf("heap %d bytes after a thousand outputs, %d at most", before, most)
	if most > before+1<<20 {
		t.Errorf("heap %d bytes after a thousand outputs, %d at most", before, most)
	}
}
