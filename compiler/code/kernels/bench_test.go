package kernels

import (
	"fmt"
	"testing"
)

func BenchmarkFunctions(b *testing.B) {
	for f := range numFunctions {
		for _, n := range []int{1, 2, 3, 4, 5, 8, 12, 16, 50, 256} {
			x, d := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = 0.1 + float64(i)/64
			}
			for _, s := range Available() {
				b.Run(fmt.Sprintf("%s/%d/%s", functionNames[f], n, names[s.level]), func(b *testing.B) {
					for b.Loop() {
						s.unary(f, d, x)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
				})
			}
		}
	}
}

func BenchmarkProducts(b *testing.B) {
	for _, shape := range [][2]int{{1, 4}, {1, 8}, {1, 16}, {2, 8}, {4, 1}, {8, 1}, {8, 2}, {16, 1}, {50, 1}, {3, 5}, {6, 6}, {7, 7}, {2, 2}, {2, 5}, {5, 2}, {3, 3}, {4, 4}, {5, 5}, {8, 8}, {2, 50}, {50, 2}, {16, 16}, {50, 50}, {64, 64}, {128, 128}, {256, 256}, {512, 512}} {
		m, n := shape[0], shape[1]
		w, x, y := make([]float64, m*n), make([]float64, n), make([]float64, m)
		for i := range w {
			w[i] = float64(i % 7)
		}
		for _, op := range []struct {
			name string
			run  func(s Set)
		}{
			{"MatVec", func(s Set) { s.MatVec(y, w, x, nil) }},
			{"MatTVec", func(s Set) { s.MatTVec(x, w, y) }},
			{"OuterAdd", func(s Set) { s.OuterAdd(w, y, x) }},
		} {
			for _, s := range Available() {
				b.Run(fmt.Sprintf("%s/%dx%d/%s", op.name, m, n, names[s.level]), func(b *testing.B) {
					for b.Loop() {
						op.run(s)
					}
					b.ReportMetric(2*float64(m*n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
		}
	}
}

func BenchmarkPow(b *testing.B) {
	for _, n := range []int{1, 2, 3, 5, 8, 50, 256} {
		x, y, d := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = 0.1+float64(i)/64, float64(i)/50-2.5
		}
		for _, s := range Available() {
			b.Run(fmt.Sprintf("array/%d/%s", n, names[s.level]), func(b *testing.B) {
				for b.Loop() {
					s.Pow(d, x, y)
				}
			})
			b.Run(fmt.Sprintf("number/%d/%s", n, names[s.level]), func(b *testing.B) {
				for b.Loop() {
					s.Pow(d, x, y[:1])
				}
			})
		}
	}
}
