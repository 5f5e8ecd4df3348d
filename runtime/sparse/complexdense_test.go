package sparse

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// randomComplex is a pattern with values: a full diagonal, other entries with the given probability, rows of very different sizes.
func randomComplex(r *rand.Rand, n int, density float64) (p *Pattern, re, im []float64) {
	var rows, cols []int
	for i := range n {
		for j := range n {
			if i == j || r.Float64() < density {
				rows, cols = append(rows, i), append(cols, j)
			}
		}
	}
	p, err := NewPattern(n, rows, cols)
	if err != nil {
		panic(err)
	}
	size := make([]float64, n)
	for i := range size {
		size[i] = math.Pow(10, 12*r.Float64()-6)
	}
	for j := range n {
		rows, _ := p.Column(j)
		for _, i := range rows {
			re, im = append(re, size[i]*r.NormFloat64()), append(im, size[i]*r.NormFloat64())
		}
	}
	return p, re, im
}

// The complex LU says what real LU says of the matrix of twice the size, for b and, transposed, too; both orders of the unknowns of the latter.
func TestComplexDenseAgainstDoubled(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 200 {
		n := 1 + r.IntN(12)
		p, re, im := randomComplex(r, n, 0.2+0.8*r.Float64())
		c := NewComplexDense(p)
		if err := c.Factor(re, im); err != nil {
			t.Fatal(trial, err)
		}
		p2 := Doubled(p)
		v := make([]float64, p2.NNZ())
		SetDoubled(p, v, re, im)
		real := NewDenseOf(p2)
		if err := real.Factor(v); err != nil {
			t.Fatal(trial, err)
		}
		m := &Matrix{p2, v}
		for k := range p.NNZ() { // the blocks are where they should be
			for j := range n {
				if rows, first := p.Column(j); k >= first && k < first+len(rows) {
					i := int(rows[k-first])
					if m.At(2*i, 2*j) != re[k] || m.At(2*i+1, 2*j+1) != re[k] || m.At(2*i+1, 2*j) != im[k] || m.At(2*i, 2*j+1) != -im[k] {
						t.Fatalf("entry (%d, %d) became a wrong block", i, j)
					}
				}
			}
		}
		for _, transposed := range []bool{false, true} {
			x, y, b := make([]float64, n), make([]float64, n), make([]float64, 2*n)
			for i := range n {
				x[i], y[i] = r.NormFloat64(), r.NormFloat64()
				b[2*i], b[2*i+1] = x[i], y[i]
			}
			if transposed { // Aᵀ of (a −b; b a) is that of the conjugate
				for i := range n {
					b[2*i+1] = -b[2*i+1]
				}
				c.SolveTransposed(x, y)
				real.SolveTransposed(b)
				for i := range n {
					b[2*i+1] = -b[2*i+1]
				}
			} else {
				c.Solve(x, y)
				real.Solve(b)
			}
			size := 0.0
			for _, v := range b {
				size = math.Max(size, math.Abs(v))
			}
			for i := range n {
				if d := math.Hypot(x[i]-b[2*i], y[i]-b[2*i+1]); d > 1e-9*size {
					t.Errorf("trial %d, transposed %v: unknown %d is %v + %vi, by the real matrix %v + %vi", trial, transposed, i, x[i], y[i], b[2*i], b[2*i+1])
				}
			}
		}
	}
}

func TestComplexDenseRefuses(t *testing.T) {
	p := DensePattern(2)
	c := NewComplexDense(p)
	var singular *SingularError
	// The second row is i times the first.
	if err := c.Factor([]float64{1, 0, 0, -1}, []float64{0, 1, 1, 0}); !errors.As(err, &singular) || singular.Col != 1 {
		t.Errorf("a singular matrix gives %v", err)
	}
	var value *ValueError
	if err := c.Factor([]float64{1, 0, 0, 1}, []float64{0, math.NaN(), 0, 0}); !errors.As(err, &value) || value.Row != 1 || value.Col != 0 {
		t.Errorf("NaN gives %v", err)
	}
	if err := c.Factor([]float64{1, 0, 0, 1}, []float64{0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	re, im := []float64{1, 2}, []float64{3, 4}
	re4, im4 := []float64{4, 1, 1, 4}, []float64{1, 0, 0, 1}
	if n := testing.AllocsPerRun(10, func() {
		_ = c.Factor(re4, im4)
		c.Solve(re, im)
		c.SolveTransposed(re, im)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestShiftedComplex(t *testing.T) {
	jac, err := NewPattern(2, []int{0, 1}, []int{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	s := NewShifted(nil, jac)
	n := s.Pattern().NNZ()
	re, im := make([]float64, n), make([]float64, n)
	s.SetComplex(re, im, nil, 2, 3, []float64{5, 7})
	a, b := Matrix{s.Pattern(), re}, Matrix{s.Pattern(), im}
	for i, want := range [][]float64{{1, -10}, {0, -13}} {
		for j := range 2 {
			if a.At(i, j) != want[j] || b.At(i, j) != []float64{0, -15, 0, -21}[2*i+j] {
				t.Errorf("entry (%d, %d) is %v + %vi", i, j, a.At(i, j), b.At(i, j))
			}
		}
	}
}
