package compiler_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// long are runs of a million steps, so short that no memory of the usual size holds all of them beside others.
var long = []struct {
	name, text, method string
	t1, hmax, step     float64
}{
	{"Lotka–Volterra by Tsit5", "param a = 1.5, b = 1, c = 3, d = 1\nstate x = 1, y = 1\nx' = a*x - b*x*y\ny' = d*x*y - c*y", "Tsit5", 5000, 0.005, 0},
	{"Lotka–Volterra by RK4", "param a = 1.5, b = 1, c = 3, d = 1\nstate x = 1, y = 1\nx' = a*x - b*x*y\ny' = d*x*y - c*y", "RK4", 5000, 0, 0.005},
	{"a neural network by Tsit5", "state x = 2, y = 0\nunknown U(x, y) -> (p, q) = NN(hidden = [16], act = tanh)\nlet (p, q) = U(x, y)\nx' = p - 0.1*x\ny' = q - 0.1*y", "Tsit5", 2000, 0.002, 0},
	{"a stiff pair by Rodas5P", "param k = 40\nstate x = 1, y = 0\nx' = -k*(x - cos(y))\ny' = 1 - 0.1*x*y", "Rodas5P", 5000, 0.005, 0},
	{"impacts", "param g = 9.81, e = 1, c = 0.1\nstate h = 1, v = 0\nh' = v\nv' = -g\nwhen h < 0 { v := -e*v }", "Tsit5", 5000, 0.005, 0},
}

// gradientOf gives a gradient of a run in so much memory (0: all that it wants; −1: recursive), with how long it took and how many bytes it allocated in all, which no memory that it held at a time can exceed.
func gradientOf(tb testing.TB, k int, short float64, memory int64) (g []float64, sol *solve.Solution, took time.Duration, bytes uint64) {
	tb.Helper()
	c := long[k]
	sys := compile(tb, "model M {\n"+c.text+"\n}").System
	m, _ := method.Find(c.method)
	t1 := c.t1 * short
	p := &solve.Problem{Sys: sys, Method: m, T1: t1, Hmax: c.hmax, Step: c.step, MaxSteps: 10_000_000}
	if memory != 0 {
		p.Checkpoints = &solve.Checkpoints{Memory: max(memory, 0), Recursive: memory < 0}
	}
	loss := &eventLoss{states: true}
	for i := range 100 {
		loss.times = append(loss.times, t1*float64(i+1)/100)
	}
	g = make([]float64, sys.NTheta)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	_, sol, err := sens.Adjoint(context.Background(), p, loss, g)
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil || sol.Status != solve.Done {
		tb.Fatalf("%s: %v, %v", c.name, err, sol)
	}
	return g, sol, took, after.TotalAlloc - before.TotalAlloc
}

// A million steps in 64 MiB; those of other models in a tenth of both, but with UDL_LONG=1.
func TestLongGradient(t *testing.T) {
	for k, c := range long {
		short := 0.1
		if k == 0 || os.Getenv("UDL_LONG") != "" {
			short = 1
		}
		memory := int64(64_000_000 * short)
		want, free, whole, all := gradientOf(t, k, short, 0)
		got, sol, took, bytes := gradientOf(t, k, short, memory)
		t.Logf("%-26s %d steps, %d events: %.0f MiB in %.2f s; in bounds %.1f MiB in %.2f s, %.2f times, %d steps again from %d checkpoints", c.name, free.Stats.Steps, free.Stats.Events,
			float64(all)/(1<<20), whole.Seconds(), float64(bytes)/(1<<20), took.Seconds(), took.Seconds()/whole.Seconds(), sol.Stats.Repeated, sol.Stats.Checkpoints)
		if bytes > uint64(memory)+3<<20 { // code that is made on the way is among it
			t.Errorf("%s: %d bytes were allocated", c.name, bytes)
		}
		if sol.Stats.Repeated == 0 || !slices.EqualFunc(got, want, sameBits) {
			t.Errorf("%s: %v by %d steps made again, want %v", c.name, got, sol.Stats.Repeated, want)
		}
	}
}

// BenchmarkLongGradient is a million steps kept, in 64 MB, in less, and in as little as recursion takes.
func BenchmarkLongGradient(b *testing.B) {
	for _, memory := range []int64{0, 64_000_000, 6_400_000, 640_000, -1} {
		b.Run(fmt.Sprintf("memory=%d", memory), func(b *testing.B) {
			steps := 0
			for b.Loop() {
				_, sol, _, bytes := gradientOf(b, 0, 1, memory)
				steps = sol.Stats.Steps
				b.ReportMetric(float64(bytes)/(1<<20), "MiB")
				b.ReportMetric(float64(sol.Stats.Repeated)/float64(steps), "again/step")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(steps), "ns/step")
		})
	}
}
