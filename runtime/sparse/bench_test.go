package sparse

import (
	"fmt"
	"testing"
)

func benchmark(b *testing.B, name string, s Solver, values []float64) {
	rhs := make([]float64, s.N())
	for i := range rhs {
		rhs[i] = 1 + float64(i%3)
	}
	if err := s.Factor(values); err != nil {
		b.Fatal(err)
	}
	b.Run(name+"/factor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Factor(values)
		}
		b.ReportMetric(float64(s.Nonzeros()), "nnz")
	})
	b.Run(name+"/refactor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Refactor(values)
		}
	})
	x := make([]float64, len(rhs))
	b.Run(name+"/solve", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			copy(x, rhs)
			s.Solve(x)
		}
	})
	b.Run(name+"/transposed", func(b *testing.B) {
		for b.Loop() {
			copy(x, rhs)
			s.SolveTransposed(x)
		}
	})
}

func BenchmarkSparse(b *testing.B) {
	for _, m := range []int{64, 200} {
		a := laplacian(m)
		b.Run(fmt.Sprintf("laplacian%d/analyze", m), func(b *testing.B) {
			for b.Loop() {
				_, _ = Analyze(a.Pattern, Options{})
			}
		})
		f, _ := NewLU(a.Pattern)
		benchmark(b, fmt.Sprintf("laplacian%d", m), f, a.Values)
	}
	a := circuit(5000, source(1))
	f, _ := NewLU(a.Pattern)
	benchmark(b, "circuit5000", f, a.Values)
	for _, n := range []int{10, 20, 50} {
		a = random(n, 3, source(1))
		f, _ = NewLU(a.Pattern)
		benchmark(b, fmt.Sprintf("random%d", n), f, a.Values)
	}
}

func BenchmarkBanded(b *testing.B) {
	for _, a := range []*Matrix{tridiagonal(20), tridiagonal(1000), laplacian(64)} {
		benchmark(b, fmt.Sprint(a.N()), NewBanded(a.Pattern), a.Values)
	}
}

func BenchmarkDense(b *testing.B) {
	for _, n := range []int{3, 10, 20, 100} {
		a := random(n, 20*n, source(1))
		v := make([]float64, n*n)
		for i := range n {
			for j := range n {
				v[i*n+j] = a.At(i, j)
			}
		}
		benchmark(b, fmt.Sprint(n), NewDense(n), v)
	}
}
