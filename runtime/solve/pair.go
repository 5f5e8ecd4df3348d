package solve

import (
	"errors"

	"github.com/udl-lang/udl/runtime/sparse"
)

// pair is the matrix M − c·J for complex c, that of a pair of conjugate eigenvalues. Small and full ones are factored as complex numbers, others as the real matrix
// of twice the size with blocks of two, which leaves them banded or sparse.
type pair struct {
	m      *matrix // whose J and M it takes
	re, im []float64
	dense  *sparse.ComplexDense

	lu     sparse.Solver // of the matrix of twice the size, nil where dense serves
	v, b   []float64
	pivots pivots
	ready  bool // there are factors in dense
}

// newPairs makes n of them.
func newPairs(m *matrix, n int) ([]*pair, error) {
	p := m.shifted.Pattern()
	doubled := sparse.Doubled(p)
	choice, err := sparse.Choose(doubled)
	if err != nil {
		return nil, m.named(err)
	}
	var all []*pair
	for range n {
		q := &pair{m: m, re: make([]float64, p.NNZ()), im: make([]float64, p.NNZ())}
		if m.sys.Solving != nil {
			q.lu = m.sys.Solving(doubled)
		}
		switch {
		case q.lu != nil:
		case choice.Kind == sparse.KindDense:
			q.dense = sparse.NewComplexDense(p)
		default:
			q.lu = choice.New()
		}
		if q.lu != nil {
			q.v, q.b = make([]float64, 4*p.NNZ()), make([]float64, 2*m.n)
		}
		all = append(all, q)
	}
	return all, nil
}

// factor factors M − (re + i·im)·J. The error names the equation that makes it singular.
func (q *pair) factor(re, im float64) error {
	q.m.shifted.SetComplex(q.re, q.im, q.m.mass, re, im, q.m.v)
	q.m.stats.Factors++
	if q.dense != nil {
		err := q.dense.Factor(q.re, q.im)
		q.ready = err == nil
		return q.m.named(err)
	}
	sparse.SetDoubled(q.m.shifted.Pattern(), q.v, q.re, q.im)
	if err := q.pivots.factor(q.lu, q.v); err != nil {
		var s *sparse.SingularError
		if errors.As(err, &s) {
			err = halved(s)
		}
		return q.m.named(err)
	}
	return nil
}

// solve replaces re + i·im by A⁻¹ times it.
func (q *pair) solve(re, im []float64) {
	if q.dense != nil {
		q.dense.Solve(re, im)
		return
	}
	for i := range re {
		q.b[2*i], q.b[2*i+1] = re[i], im[i]
	}
	q.lu.Solve(q.b)
	for i := range re {
		re[i], im[i] = q.b[2*i], q.b[2*i+1]
	}
}

// halved is an error of the matrix of twice the size in terms of the complex one.
func halved(s *sparse.SingularError) *sparse.SingularError {
	once := func(list []int) (out []int) {
		seen := map[int]bool{}
		for _, i := range list {
			if !seen[i/2] {
				seen[i/2] = true
				out = append(out, i/2)
			}
		}
		return out
	}
	return &sparse.SingularError{Row: s.Row / 2, Col: s.Col / 2, Structural: s.Structural, Rank: -1, Rows: once(s.Rows), Cols: once(s.Cols)}
}

// pivots are those of a factored matrix, and the entries that they were chosen for, which tell how to come by the same again.
type pivots struct {
	chosen bool // there are some
	of     []float64
	later  bool // others were factored with them since
}

// factor factors with the pivots of the last time where they still serve.
func (p *pivots) factor(lu sparse.Solver, a []float64) error {
	if p.chosen {
		err := lu.Refactor(a)
		if err == nil {
			p.later = true
			return nil
		}
		var g *sparse.GrowthError
		if !errors.As(err, &g) {
			p.chosen = false
			return err
		}
	}
	err := lu.Factor(a)
	if p.chosen, p.later = err == nil, false; p.chosen {
		if p.of == nil {
			p.of = make([]float64, len(a))
		}
		copy(p.of, a)
	}
	return err
}
