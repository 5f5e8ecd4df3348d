package native

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// deep calls f with n frames above it, so that the stack grows around it.
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

// TestStress runs generated code on many goroutines under a collector that never rests, a profiler's signals, fresh stacks that grow, and programs
// that come and go. UDL_STRESS is how long (60s for the whole of it).
func TestStress(t *testing.T) {
	ws := widths(t)
	length := 300 * time.Millisecond
	if s := os.Getenv("UDL_STRESS"); s != "" {
		length, _ = time.ParseDuration(s)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	if pprof.StartCPUProfile(io.Discard) == nil { // refused when the test itself is being profiled
		defer pprof.StopCPUProfile()
	}
	const n = 1024
	x, y := parameters(n), parameters(n)
	blk := kernelBlock(t, kernels[len(kernels)-1].build)
	want := make([]float64, n)
	it, err := block.NewInterp(blk, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := it.Run([][]float64{x, y, want}, n); err != nil {
		t.Fatal(err)
	}
	stop := time.Now().Add(length)
	var runs, bad, gcs atomic.Int64
	var wg sync.WaitGroup
	work := func(id int) {
		w := ws[id%len(ws)]
		var c *Code
		for k := 0; time.Now().Before(stop); k++ {
			if k%8 == 0 {
				var err error
				if c, err = Compile(Options{}, Segment{Block: blk, Width: w}); err != nil {
					t.Error(err)
					return
				}
			}
			heap := make([]float64, n)
			var inner sync.WaitGroup
			inner.Go(func() {
				var stack [64]float64
				deep((id*37+k*11)%300, func() {
					f := c.NewFrame()
					f.Bind(0, x)
					f.Bind(1, y)
					f.Bind(2, heap)
					_ = f.Run(n / w)
					f.Bind(2, stack[:])
					_ = f.Run(64 / w)
				})
				for i, v := range stack {
					if v != want[i] {
						bad.Add(1)
					}
				}
			})
			inner.Wait()
			for i, v := range heap {
				if v != want[i] {
					bad.Add(1)
				}
			}
			runs.Add(1)
		}
	}
	for id := range 16 {
		wg.Go(func() { work(id) })
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			runtime.GC()
			gcs.Add(1)
		}
	})
	wg.Wait()
	t.Logf("%d runs, %d collections, %d mismatches", runs.Load(), gcs.Load(), bad.Load())
	if bad.Load() != 0 {
		t.Error("generated code computed something else under stress")
	}
}

// BenchmarkPause measures how long a stop of the world takes while a goroutine is in generated code all the time, and, to compare, in plain Go.
func BenchmarkPause(b *testing.B) {
	const n = 1 << 18
	x, out := parameters(n), make([]float64, n)
	c, err := Compile(Options{}, Segment{Block: kernelBlock(b, kernels[len(kernels)-1].build), Width: 1})
	if err != nil {
		b.Skip(err)
	}
	f := c.NewFrame()
	f.Bind(0, x)
	f.Bind(1, x)
	f.Bind(2, out)
	for name, work := range map[string]func(){
		"go":     func() { goLotkaVolterra(out, x, x) },
		"native": func() { _ = f.Run(n) },
	} {
		b.Run(name, func(b *testing.B) {
			var stop atomic.Bool
			var wg sync.WaitGroup
			wg.Go(func() {
				for !stop.Load() {
					work()
				}
			})
			var took []time.Duration
			var ms runtime.MemStats
			for b.Loop() {
				t := time.Now()
				runtime.ReadMemStats(&ms) // stops the world
				took = append(took, time.Since(t))
				time.Sleep(50 * time.Microsecond)
			}
			stop.Store(true)
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
			b.ReportMetric(float64(took[len(took)*9/10].Microseconds()), "p90-µs")
		})
	}
}
