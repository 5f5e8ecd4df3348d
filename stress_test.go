package udl_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/compiler/code/native/execmem"
)

// stressed are models that lead to every kind of code: whole steps, networks, stencils, functions that only the reference knows in between.
var stressed = []string{
	`model M { param a = 1.5, b = 1, c = 3, d = 1; state x = 1, y = 1; x' = a*x - b*x*y; y' = d*x*y - c*y }`,
	`model M { param a = 0.3; state x = 1, y = 2; unknown U(x, y) -> (p, q) = NN(hidden = [5, 5]); let (p, q) = U(x, y); x' = -a*x + p; y' = -y + q }`,
	`model M { state u[2] = [2, 0]; unknown f(v) -> (a, b) = NN(hidden = [50]); u' = f(u^3) - u }`,
	`model M { param D = 0.2; const n = 16; state u[n, n] = 1; u[i, j]' = sin(u[i, j]) + D*(u[mod(i, n) + 1, j] + u[mod(i + n - 2, n) + 1, j] - 2*u[i, j]) }`,
	`model M { param k = 0.7; state x = 1, y = 2, z = 0.5; x' = -k*x + erf(y); y' = atan(x) - y; z' = log1p(x*x) - cbrt(z) }`,
	`model M { state x = 1, y = 0, z = 0; x' = -0.04*x + 10*y*z; y' = 0.04*x - 10*y*z - 3*y^2; z' = 3*y^2 }`,
	`model M { param A[12, 12] = 0.05; state u[12] = 0.5; u' = A@tanh(u) - u }`,
}

// deep calls f with n frames above it, so that its stack has to grow.
//
//go:noinline
func deep(n int, f func()) byte {
	var pad [64]byte
	if n == 0 {
		f()
		return pad[0]
	}
	return deep(n-1, f) + pad[n&63]
}

// TestStress solves different models on 16 goroutines under a collector that never rests, a profiler's signals and stacks that grow; every solution
// must be the first one's to the bit. UDL_STRESS is how long (`make stress`: a minute).
func TestStress(t *testing.T) {
	length := 300 * time.Millisecond
	if s := os.Getenv("UDL_STRESS"); s != "" {
		length, _ = time.ParseDuration(s)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	if pprof.StartCPUProfile(io.Discard) == nil { // refused when the test itself is being profiled
		defer pprof.StopCPUProfile()
	}
	before := stops()
	stop := time.Now().Add(length)
	var runs, bad, gcs atomic.Int64
	var wg sync.WaitGroup
	for id := range 16 {
		wg.Go(func() {
			m, err := udl.Parse("stress", stressed[id%len(stressed)])
			if err != nil {
				t.Error(err)
				return
			}
			var first []float64
			for k := 0; time.Now().Before(stop); k++ {
				var inner sync.WaitGroup
				inner.Go(func() { // a goroutine of its own has a fresh stack
					deep((id*37+k*11)%300, func() {
						s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, By: 0.1, Seed: 1})
						if err != nil {
							t.Error(err)
							return
						}
						var all []float64
						for _, q := range s.Names() {
							v, _ := s.Series(q)
							all = append(all, v...)
						}
						if first == nil {
							first = all
						}
						for i := range first {
							if math.Float64bits(all[i]) != math.Float64bits(first[i]) {
								bad.Add(1)
							}
						}
					})
				})
				inner.Wait()
				runs.Add(1)
			}
		})
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			runtime.GC()
			gcs.Add(1)
		}
	})
	wg.Wait()
	t.Logf("%d solves, %d collections, %d mismatches; the world took %s to stop", runs.Load(), gcs.Load(), bad.Load(), since(before, stops()))
	if bad.Load() != 0 {
		t.Error("a model computed something else under stress")
	}
}

// TestStops logs how long the collector waits for goroutines that run generated code, and how long for the same models in plain Go, in turns.
// It asserts nothing, for by the clock of a busy machine neither has a bound; what bounds a call is its number of instructions, which native.Compile holds.
func TestStops(t *testing.T) {
	length := 200 * time.Millisecond
	if s := os.Getenv("UDL_STRESS"); s != "" {
		length, _ = time.ParseDuration(s)
		length /= 4
	}
	for _, how := range []string{"", "off", "", "off"} {
		t.Setenv("UDL_NATIVE", how)
		stop := time.Now().Add(length)
		before := stops()
		var wg sync.WaitGroup
		for id := range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				m, err := udl.Parse("stops", stressed[3-id%4])
				if err != nil {
					t.Error(err)
					return
				}
				for time.Now().Before(stop) {
					if _, err := m.Solve(context.Background(), udl.SolveOptions{T1: 50, By: 10, Seed: 1}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Go(func() {
			for time.Now().Before(stop) {
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		})
		wg.Wait()
		t.Logf("UDL_NATIVE=%q: the world took %s to stop", how, since(before, stops()))
	}
}

// stops is the distribution of the times that the collector waited for all goroutines to stop.
func stops() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(s)
	h := *s[0].Value.Float64Histogram()
	h.Counts = append([]uint64(nil), h.Counts...)
	return &h
}

// since summarises what came between two distributions, as upper bounds of their classes.
func since(a, b *metrics.Float64Histogram) string {
	var total uint64
	for i := range b.Counts {
		total += b.Counts[i] - a.Counts[i]
	}
	var text []string
	for _, q := range []struct {
		name string
		part float64
	}{{"half", 0.5}, {"99 %", 0.99}, {"all", 1}} {
		var sum uint64
		for i := range b.Counts {
			if sum += b.Counts[i] - a.Counts[i]; float64(sum) >= q.part*float64(total) {
				text = append(text, fmt.Sprintf("%s %.3g µs", q.name, 1e6*b.Buckets[i+1]))
				break
			}
		}
	}
	return fmt.Sprintf("%s (%d times)", strings.Join(text, ", "), total)
}

// TestManyModels compiles models, runs each once and drops it: the memory that was executable goes back, and so does the rest. UDL_MODELS is
// how many (`make stress`: 100,000).
func TestManyModels(t *testing.T) {
	n := 300
	if s := os.Getenv("UDL_MODELS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	run := func(i int) {
		m, err := udl.Parse("many", fmt.Sprintf("model M { param a = %d; state x = 1, y = 0.5; x' = -a*x + sin(y)*%d; y' = x - tanh(y) }", i%7+1, i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Solve(context.Background(), udl.SolveOptions{T1: 0.1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		run(i)
	}
	live, heap := settle()
	for i := range n {
		run(i)
	}
	after, grown := settle()
	t.Logf("%d models: executable areas %d → %d, heap %d → %d kB", n, live, after, heap>>10, grown>>10)
	if after > live+8 {
		t.Errorf("%d executable areas are left", after-live)
	}
	if grown > heap+heap/2+(4<<20) {
		t.Errorf("the heap has grown from %d to %d bytes", heap, grown)
	}
}

// settle collects until nothing changes any more.
func settle() (live int64, heap uint64) {
	var m runtime.MemStats
	for range 10 {
		runtime.GC()
		time.Sleep(2 * time.Millisecond)
	}
	runtime.ReadMemStats(&m)
	return int64(execmem.Live()), m.HeapAlloc
}
