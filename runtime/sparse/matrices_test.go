package sparse

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tester is what helpers need of a testing.T or a rapid.T.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// builder collects triplets.
type builder struct {
	n          int
	rows, cols []int
	vals       []float64
}

func (b *builder) add(i, j int, v float64) {
	b.rows, b.cols, b.vals = append(b.rows, i), append(b.cols, j), append(b.vals, v)
}

func (b *builder) matrix() *Matrix {
	m, err := FromTriplets(b.n, b.rows, b.cols, b.vals)
	if err != nil {
		panic(err)
	}
	return m
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func tridiagonal(n int) *Matrix {
	b := &builder{n: n}
	for i := range n {
		b.add(i, i, 2.5)
		if i > 0 {
			b.add(i, i-1, -1)
			b.add(i-1, i, -1.2)
		}
	}
	return b.matrix()
}

func laplacian(m int) *Matrix {
	b := &builder{n: m * m}
	for x := range m {
		for y := range m {
			i := x*m + y
			b.add(i, i, 4)
			if x > 0 {
				b.add(i, i-m, -1)
				b.add(i-m, i, -1)
			}
			if y > 0 {
				b.add(i, i-1, -1)
				b.add(i-1, i, -1)
			}
		}
	}
	return b.matrix()
}

// arrow points to the upper left: in its own order it fills entirely.
func arrow(n int) *Matrix {
	b := &builder{n: n}
	b.add(0, 0, float64(n))
	for i := 1; i < n; i++ {
		b.add(i, i, 3+float64(i%7))
		b.add(0, i, 1)
		b.add(i, 0, 1.5)
	}
	return b.matrix()
}

// random has about per entries in a row, no symmetry, no zero-free diagonal, but a hidden permutation that makes it regular.
func random(n, per int, r *rand.Rand) *Matrix {
	b := &builder{n: n}
	perm := r.Perm(n)
	for i := range n {
		b.add(i, perm[i], 3*float64(per)*(1+r.Float64()))
		for range per - 1 {
			b.add(i, r.IntN(n), r.NormFloat64())
		}
	}
	return b.matrix()
}

// scattered is a band without symmetry whose rows and columns were shuffled apart.
func scattered(n int, r *rand.Rand) *Matrix {
	b := &builder{n: n}
	rows, cols := r.Perm(n), r.Perm(n)
	for i := range n {
		b.add(rows[i], cols[i], 4+r.Float64())
		for range 4 {
			b.add(rows[i], cols[min(n-1, max(0, i+r.IntN(25)-10))], r.NormFloat64())
		}
	}
	return b.matrix()
}

// circuit is modified nodal analysis: conductances between nodes mostly near each other, a few hubs, and voltage sources, whose
// rows have a zero on the diagonal; conductances span nine decades.
func circuit(n int, r *rand.Rand) *Matrix {
	b := &builder{n: n}
	nodes := n - n/10
	stamp := func(i, j int, g float64) {
		b.add(i, i, g)
		b.add(j, j, g)
		b.add(i, j, -g)
		b.add(j, i, -g)
	}
	for i := range nodes {
		b.add(i, i, 1e-3)
		stamp(i, (i+1)%nodes, math.Pow(10, 9*r.Float64()-6))
		stamp(i, min(nodes-1, i/2+r.IntN(5)), math.Pow(10, 9*r.Float64()-6))
		if i%50 == 0 {
			b.add(i, (i+3)%nodes, 0.1*r.Float64()) // a controlled source: no symmetry
		}
	}
	for s := range n - nodes {
		b.add(nodes+s, 9*s, 1)
		b.add(9*s, nodes+s, 1)
	}
	return b.matrix()
}

func vector(n int, r *rand.Rand) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

func normInf(v []float64) (m float64) {
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

func (m *Matrix) norms() (one, inf float64) {
	rows := make([]float64, m.n)
	for j := range m.n {
		s := 0.0
		for k := m.ptr[j]; k < m.ptr[j+1]; k++ {
			s += math.Abs(m.Values[k])
			rows[m.row[k]] += math.Abs(m.Values[k])
		}
		one = max(one, s)
	}
	return one, normInf(rows)
}

// residual of a solve, or of a transposed one, beside ‖A‖‖x‖.
func residual(m *Matrix, x, b []float64, transposed bool) float64 {
	y := make([]float64, m.n)
	one, inf := m.norms()
	if transposed {
		m.MulTransposed(y, x)
		inf = one
	} else {
		m.Mul(y, x)
	}
	for i := range y {
		y[i] -= b[i]
	}
	return normInf(y) / (inf * normInf(x))
}

// solves checks both solves and returns the residuals' maximum.
func solves(t testing.TB, s Solver, m *Matrix, r *rand.Rand) {
	t.Helper()
	b := vector(m.n, r)
	x := append([]float64(nil), b...)
	s.Solve(x)
	if e := residual(m, x, b, false); !(e <= 1e-10) {
		t.Errorf("%T: residual %.2g of a solve", s, e)
	}
	copy(x, b)
	s.SolveTransposed(x)
	if e := residual(m, x, b, true); !(e <= 1e-10) {
		t.Errorf("%T: residual %.2g of a transposed solve", s, e)
	}
}

func factored(t testing.TB, m *Matrix) *LU {
	t.Helper()
	f, err := NewLU(m.Pattern)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Factor(m.Values); err != nil {
		t.Fatal(err)
	}
	return f
}
