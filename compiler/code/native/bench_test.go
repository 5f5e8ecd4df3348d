package native

import (
	"fmt"
	"math"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// benchRun times one call of a frame and reports nanoseconds per lane.
func benchRun(b *testing.B, blk *block.Block, w, groups int, open bool, bases ...[]float64) {
	seg := Segment{Block: blk, Width: w, Groups: groups}
	if open {
		seg.Groups = 0
	}
	c, err := Compile(Options{}, seg)
	if err != nil {
		b.Skip(err)
	}
	f := c.NewFrame()
	for i, x := range bases {
		f.Bind(i, x)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Run(groups); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(w*groups), "ns/lane")
	b.ReportMetric(float64(c.Size), "bytes")
	b.ReportMetric(float64(c.Spills), "spills")
}

func BenchmarkRHS(b *testing.B) {
	for _, m := range []struct {
		name  string
		block *block.Block
		plain func(du, u, p []float64)
	}{{"LV", lotkaVolterra(b, 2), goLotkaVolterra}, {"UDE", network(b, 2), goNetwork}} {
		p := parameters(59)
		b.Run(m.name+"/go", func(b *testing.B) {
			u, du := []float64{0.3, 0.4}, make([]float64, 2)
			for b.Loop() {
				m.plain(du, u, p)
			}
		})
		for _, w := range []int{1, 4, 8} {
			groups := 64 / w
			u, du := parameters(128), make([]float64, 128)
			if w == 1 {
				b.Run(m.name+"/single", func(b *testing.B) { benchRun(b, m.block, 1, 1, false, u, p, du) })
			}
			b.Run(fmt.Sprintf("%s/lanes%d", m.name, w), func(b *testing.B) { benchRun(b, m.block, w, groups, true, u, p, du) })
		}
		b.Run(m.name+"/interp16", func(b *testing.B) {
			it, err := block.NewInterp(m.block, 16)
			if err != nil {
				b.Fatal(err)
			}
			bases := [][]float64{parameters(128), p, make([]float64, 128)}
			for b.Loop() {
				_ = it.Run(bases, 4)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/lane")
		})
	}
}

func BenchmarkKernels(b *testing.B) {
	plain := map[string]func(x, y float64) float64{
		"exp": func(x, _ float64) float64 { return math.Exp(x) }, "expm1": func(x, _ float64) float64 { return math.Expm1(x) },
		"log":   func(x, _ float64) float64 { return math.Log(x) },
		"log1p": func(x, _ float64) float64 { return math.Log1p(x) }, "tanh": func(x, _ float64) float64 { return math.Tanh(x) },
		"sin": func(x, _ float64) float64 { return math.Sin(x) }, "cos": func(x, _ float64) float64 { return math.Cos(x) }, "pow": math.Pow,
		"sigmoid": func(x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) },
	}
	const n = 256
	x, y, z := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], y[i] = 0.1+float64(i)/64, float64(i)/50-2
	}
	for _, k := range kernels {
		if f := plain[k.name]; f != nil {
			b.Run(k.name+"/go", func(b *testing.B) {
				for b.Loop() {
					for i := range x {
						z[i] = f(x[i], y[i])
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/lane")
			})
		}
		blk := kernelBlock(b, k.build)
		for _, w := range []int{1, 4, 8} {
			b.Run(fmt.Sprintf("%s/lanes%d", k.name, w), func(b *testing.B) { benchRun(b, blk, w, n/w, true, x, y, z) })
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, m := range []struct {
		name  string
		block *block.Block
	}{{"LV", lotkaVolterra(b, 2)}, {"UDE", network(b, 2)}} {
		b.Run(m.name, func(b *testing.B) {
			for b.Loop() {
				c, err := Compile(Options{}, Segment{Block: m.block, Width: 1, Groups: 1})
				if err != nil {
					b.Skip(err)
				}
				_ = c.Free()
			}
		})
	}
}
