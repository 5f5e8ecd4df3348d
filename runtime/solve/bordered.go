package solve

import (
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Bordered is the mass matrix of a system, bordered by bases N and K of its left and right null space: [M N; Kᵀ 0], which has an inverse. It serves one goroutine.
type Bordered struct {
	n  int
	lu sparse.Solver
	b  []float64
}

// NewBordered factors that of the mass matrix at θ.
func NewBordered(sys *system.System, th []float64) (*Bordered, error) {
	values := make([]float64, sys.Mass.Pattern.NNZ())
	sys.Mass.Values.Clone().Eval(values, 0, nil, th)
	left, right, err := nullSpaces(sys.Mass.Pattern, values)
	if err != nil {
		return nil, err
	}
	return bordered(sys.Mass.Pattern, values, left, right)
}

func bordered(m *sparse.Pattern, values []float64, left, right [][]term) (*Bordered, error) {
	n, k := m.N(), len(left)
	var is, js []int
	var vs []float64
	put := func(i, j int, v float64) { is, js, vs = append(is, i), append(js, j), append(vs, v) }
	for j := range n {
		rows, first := m.Column(j)
		for a, i := range rows {
			put(int(i), j, values[first+a])
		}
	}
	for q := range k {
		for _, e := range left[q] {
			put(e.i, n+q, e.v)
		}
		for _, e := range right[q] {
			put(n+q, e.i, e.v)
		}
	}
	p, err := sparse.NewPattern(n+k, is, js)
	if err != nil {
		return nil, err
	}
	a := make([]float64, p.NNZ())
	for e, v := range vs {
		a[p.Index(is[e], js[e])] += v
	}
	choice, err := sparse.Choose(p)
	if err != nil {
		return nil, err
	}
	lu := choice.New()
	if err := lu.Factor(a); err != nil {
		return nil, err
	}
	return &Bordered{n: n, lu: lu, b: make([]float64, n+k)}, nil
}

// Solve replaces f by an x with M·x = f, as far as there is one: the x that has no part along K.
func (b *Bordered) Solve(f []float64) {
	clear(b.b)
	copy(b.b, f[:b.n])
	b.lu.Solve(b.b)
	copy(f, b.b[:b.n])
}

// SolveTransposed replaces f by a y with Mᵀ·y = f, as far as there is one: the y that has no part along N.
func (b *Bordered) SolveTransposed(f []float64) {
	clear(b.b)
	copy(b.b, f[:b.n])
	b.lu.SolveTransposed(b.b)
	copy(f, b.b[:b.n])
}
