package sparse

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// grid is the matrix of a five-point stencil on an n×n square with s on the diagonal, a little unsymmetric.
func grid(n int, s float64) *Matrix {
	var rows, cols []int
	var v []float64
	put := func(i, j int, x float64) { rows, cols, v = append(rows, i), append(cols, j), append(v, x) }
	for r := range n {
		for c := range n {
			i := r*n + c
			put(i, i, s)
			if r > 0 {
				put(i, i-n, -1)
			}
			if r < n-1 {
				put(i, i+n, -1)
			}
			if c > 0 {
				put(i, i-1, -1.2)
			}
			if c < n-1 {
				put(i, i+1, -0.8)
			}
		}
	}
	m, _ := FromTriplets(n*n, rows, cols, v)
	return m
}

// twin is ILU(0) by its definition, on a full matrix.
func twin(m *Matrix) [][]float64 {
	n := m.N()
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, n)
		for j := range a[i] {
			a[i][j] = m.At(i, j)
		}
	}
	for i := range n {
		for k := range i {
			if m.Index(i, k) < 0 {
				continue
			}
			a[i][k] /= a[k][k]
			for j := k + 1; j < n; j++ {
				if m.Index(i, j) >= 0 {
					a[i][j] -= a[i][k] * a[k][j]
				}
			}
		}
	}
	return a
}

func TestILUTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 40 {
		n := 1 + r.IntN(30)
		var rows, cols []int
		var v []float64
		for i := range n {
			rows, cols, v = append(rows, i), append(cols, i), append(v, 4+r.Float64())
			for range r.IntN(6) {
				rows, cols, v = append(rows, i), append(cols, r.IntN(n)), append(v, r.Float64()-0.5)
			}
		}
		m, err := FromTriplets(n, rows, cols, v)
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewILU(m.Pattern)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Factor(m.Values); err != nil {
			t.Fatal(err)
		}
		want, b := twin(m), make([]float64, n)
		for i := range b {
			b[i] = r.Float64()
		}
		x := append([]float64(nil), b...)
		for i := range n {
			for j := range i {
				x[i] -= want[i][j] * x[j]
			}
		}
		for i := n - 1; i >= 0; i-- {
			for j := i + 1; j < n; j++ {
				x[i] -= want[i][j] * x[j]
			}
			x[i] /= want[i][i]
		}
		f.Solve(b)
		for i := range x {
			if math.Abs(x[i]-b[i]) > 1e-12 {
				t.Fatalf("trial %d, n = %d: entry %d is %v, the definition gives %v", trial, n, i, b[i], x[i])
			}
		}
		if f.N() != n || f.Nonzeros() != m.NNZ() {
			t.Errorf("%d unknowns, %d numbers, want %d, %d", f.N(), f.Nonzeros(), n, m.NNZ())
		}
	}
}

// Where nothing fills in it is LU.
func TestILUExact(t *testing.T) {
	n := 200
	var rows, cols []int
	var v []float64
	for i := range n {
		for j := max(0, i-1); j <= min(n-1, i+1); j++ {
			rows, cols, v = append(rows, i), append(cols, j), append(v, 1/(1+float64(i+2*j)))
			if i == j {
				v[len(v)-1] = 3
			}
		}
	}
	m, _ := FromTriplets(n, rows, cols, v)
	f, _ := NewILU(m.Pattern)
	if err := f.Factor(m.Values); err != nil {
		t.Fatal(err)
	}
	x, b := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = math.Sin(float64(i))
	}
	m.Mul(b, x)
	f.Solve(b)
	for i := range x {
		if math.Abs(x[i]-b[i]) > 1e-13 {
			t.Fatalf("entry %d is %v, want %v", i, b[i], x[i])
		}
	}
}

// As a preconditioner it makes Richardson's iteration converge, where the diagonal alone hardly does.
func TestILUPreconditions(t *testing.T) {
	m := grid(30, 4.05)
	f, err := NewILU(m.Pattern)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Factor(m.Values); err != nil {
		t.Fatal(err)
	}
	n := m.N()
	iterate := func(precondition func(r []float64)) float64 {
		x, r := make([]float64, n), make([]float64, n)
		size := 0.0
		for range 60 {
			m.Mul(r, x)
			size = 0
			for i := range r {
				r[i] = 1 - r[i]
				size = math.Max(size, math.Abs(r[i]))
			}
			precondition(r)
			for i := range x {
				x[i] += r[i]
			}
		}
		return size
	}
	ilu := iterate(f.Solve)
	jacobi := iterate(func(r []float64) {
		for i := range r {
			r[i] /= 4.05
		}
	})
	t.Logf("residual after 60 iterations %.1e, by the diagonal %.1e", ilu, jacobi)
	if ilu > 1e-3*jacobi {
		t.Errorf("residual %.1e, by the diagonal %.1e", ilu, jacobi)
	}
	if a := testing.AllocsPerRun(10, func() { _ = f.Factor(m.Values); f.Solve(make([]float64, 0, n)[:n]) }); a > 1 {
		t.Errorf("%v allocations", a)
	}
}

func TestILURefuses(t *testing.T) {
	p, _ := NewPattern(2, []int{0, 1}, []int{1, 0})
	var inc *IncompleteError
	if _, err := NewILU(p); !errors.As(err, &inc) || inc.Row != 0 {
		t.Errorf("a pattern without a diagonal: %v", err)
	}
	m, _ := FromTriplets(2, []int{0, 0, 1, 1}, []int{0, 1, 0, 1}, []float64{1, 1, 1, 1})
	f, _ := NewILU(m.Pattern)
	if err := f.Factor(m.Values); !errors.As(err, &inc) || inc.Row != 1 {
		t.Errorf("a pivot that vanishes: %v", err)
	}
	var v *ValueError
	if err := f.Factor([]float64{1, 1, math.NaN(), 1}); !errors.As(err, &v) {
		t.Errorf("a NaN: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a solve without factors is allowed")
		}
	}()
	f.Solve(make([]float64, 2))
}

func BenchmarkILU(b *testing.B) {
	m := grid(64, 4.05)
	f, _ := NewILU(m.Pattern)
	x := make([]float64, m.N())
	b.Run("factor", func(b *testing.B) {
		for b.Loop() {
			_ = f.Factor(m.Values)
		}
	})
	b.Run("solve", func(b *testing.B) {
		for b.Loop() {
			x[0] = 1
			f.Solve(x)
		}
	})
}
