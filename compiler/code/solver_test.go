package code_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/sparse"
)

// matrices draws patterns: dense, banded, block triangular, random with a transversal off the diagonal.
func pattern(t testing.TB, rng *rand.Rand, n int, kind int) *sparse.Pattern {
	t.Helper()
	var rows, cols []int
	add := func(i, j int) {
		if i >= 0 && j >= 0 && i < n && j < n {
			rows, cols = append(rows, i), append(cols, j)
		}
	}
	for i := range n {
		switch kind {
		case 0:
			for j := range n {
				add(i, j)
			}
		case 1:
			for j := i - 2; j <= i+1; j++ {
				add(i, j)
			}
		case 2:
			add(i, i)
			for range 2 {
				add(i, i/4*4+rng.IntN(n))
			}
		default:
			add(i, (i+1)%n)
			for range 3 {
				add(i, rng.IntN(n))
			}
		}
	}
	p, err := sparse.NewPattern(n, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSolver compares solutions with the matrix, both ways, and with the solver that exchanges rows.
func TestSolver(t *testing.T) {
	if len(code.Widths()) == 0 {
		t.Skip("no generated code here")
	}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rng.IntN(30)
		p := pattern(t, rng, n, int(seed)%4)
		s, err := code.WholeSolver(p)
		if err != nil {
			t.Fatalf("%d: %v", seed, err)
		}
		lu := s.New()
		for round := range 3 {
			m := sparse.Matrix{Pattern: p, Values: make([]float64, p.NNZ())}
			for i := range m.Values {
				m.Values[i] = rng.NormFloat64()
			}
			if round == 1 { // pivots on the diagonal that serve
				for j := range n {
					if k := p.Index(j, j); k >= 0 {
						m.Values[k] += 20
					}
				}
			}
			if round == 2 { // a pivot that vanishes, in the first place where one may
				if k := p.Index(0, 0); k >= 0 {
					m.Values[k] = 1e-14
				}
			}
			err := lu.Factor(m.Values)
			var singular *sparse.SingularError
			if errors.As(err, &singular) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			x, b := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			for _, way := range []struct {
				name  string
				mul   func(y, x []float64)
				solve func(b []float64)
			}{{"A", m.Mul, lu.Solve}, {"Aᵀ", m.MulTransposed, lu.SolveTransposed}} {
				way.mul(b, x)
				y := append([]float64(nil), b...)
				way.solve(y)
				r := make([]float64, n)
				way.mul(r, y)
				scale := 0.0
				for i := range y {
					scale = math.Max(scale, math.Abs(y[i]))
				}
				for i := range r {
					if !(math.Abs(r[i]-b[i]) <= 1e-8*(1+scale)) { // the threshold lets six digits go
						t.Fatalf("seed %d round %d: %s·y is %v in row %d, not %v", seed, round, way.name, r[i], i, b[i])
					}
				}
			}
			if a := testing.AllocsPerRun(5, func() { _ = lu.Factor(m.Values); lu.Solve(x); lu.SolveTransposed(x) }); a != 0 && lu.Growth() < 1e6 && round == 1 {
				t.Errorf("seed %d: %v allocations", seed, a)
			}
		}
	}
}

// TestSolverDoubt holds that a matrix which the fixed order does not serve is solved all the same, and one that is singular is named.
func TestSolverDoubt(t *testing.T) {
	if len(code.Widths()) == 0 {
		t.Skip("no generated code here")
	}
	p := sparse.DensePattern(2)
	s, err := code.WholeSolver(p)
	if err != nil {
		t.Fatal(err)
	}
	lu := s.New()
	if err := lu.Factor([]float64{2, 1, 1, 2}); err != nil {
		t.Fatal(err)
	}
	tiny := []float64{1e-12, 1, 1, 1e-12}
	var g *sparse.GrowthError
	if err := lu.Refactor(tiny); !errors.As(err, &g) {
		t.Errorf("refactoring gives %v, not a GrowthError", err)
	}
	if err := lu.Factor(tiny); err != nil {
		t.Fatal(err)
	}
	b := []float64{1, 2}
	if lu.Solve(b); math.Abs(b[0]-2) > 1e-10 || math.Abs(b[1]-1) > 1e-10 {
		t.Errorf("the solution is %v", b)
	}
	if err := lu.Refactor(tiny); err != nil {
		t.Errorf("refactoring with exchanges gives %v", err)
	}
	if err := lu.Factor([]float64{2, 1e9, 1e-9, 2}); err != nil || lu.Growth() > 10 {
		t.Errorf("a change of units gives %v, growth %v", err, lu.Growth())
	}
	if err := lu.Factor([]float64{0, 0, 0, 1}); err == nil {
		t.Error("a singular matrix is no error")
	}
	if err := lu.Factor([]float64{math.NaN(), 0, 0, 1}); err == nil {
		t.Error("NaN is no error")
	}
	if err := lu.Factor([]float64{2, 1, 1, 2}); err != nil {
		t.Fatal(err)
	}
	b = []float64{3, 3}
	if lu.Solve(b); b[0] != 1 || b[1] != 1 {
		t.Errorf("after others the solution is %v", b)
	}
	// Singular by structure.
	q, _ := sparse.NewPattern(2, []int{0, 1}, []int{0, 0})
	if _, err := code.WholeSolver(q); err == nil {
		t.Error("a pattern that is singular whatever the values is no error")
	}
}
