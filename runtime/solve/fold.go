package solve

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/udl-lang/udl/runtime/sparse"
)

// foldGrowth is by how much the inverse of the derivatives of the algebraic equations has grown since the start where these no longer determine their unknowns.
const foldGrowth = 1e4

// fold looks whether a step became too small because algebraic equations cease to determine their unknowns, as 0 = z² − x does z where x comes to zero, and says so.
func (f *Fault) fold(s *Stepper, x []float64) {
	if s.sys.Mass == nil || s.sys.Invariants != nil {
		return
	}
	now, eq, unknown := s.determined(f.T, x)
	if eq < 0 {
		return
	}
	at := append([]float64(nil), s.p.X0...)
	if s.p.X0 == nil {
		at = make([]float64, len(x))
		s.init.Eval(at, s.p.T0, nil, s.th)
	}
	if Consistent(s.sys, s.p.T0, at, s.th, s.set.rtol, s.set.atol) != nil {
		return
	}
	if first, _, _ := s.determined(s.p.T0, at); !(now > foldGrowth*first) {
		return
	}
	name := EquationName(s.sys, eq)
	f.Why = fmt.Sprintf("%s ceases to determine %s there: its derivative by it comes to zero", name, s.sys.StateNames()[unknown])
	f.Fold = true
	if eq < len(s.sys.Equations) {
		f.Where = s.sys.Equations[eq].Where
	}
}

// determined is the norm of the inverse of NᵀJK at (t, x), its rows in units of the derivatives by all states; of the equation and the unknown that make it large, the indices, −1 where
// there is nothing to tell.
func (s *Stepper) determined(t float64, x []float64) (norm float64, eq, unknown int) {
	c := &consistent{sys: s.sys, t: t, x: x, th: s.th, rtol: s.set.rtol, atol: s.set.atol}
	if c.algebra() != nil || len(c.left) == 0 {
		return 0, -1, -1
	}
	p, err := c.reduced()
	if err != nil {
		return 0, -1, -1
	}
	c.jac.Eval(c.v, nil, t, x)
	if !finite(c.v) {
		return 0, -1, -1
	}
	a := make([]float64, p.NNZ())
	c.reduce(p, a)
	n := p.N()
	size := make([]float64, c.sys.NX) // of the rows of J
	for j := range c.sys.NX {
		rows, first := c.pattern.Column(j)
		for k, i := range rows {
			size[i] = max(size[i], math.Abs(c.v[first+k]))
		}
	}
	scale := make([]float64, n)
	for k, y := range c.left {
		for _, e := range y {
			scale[k] += math.Abs(e.v) * size[e.i]
		}
	}
	one := 0.0
	for q := range n {
		rows, first := p.Column(q)
		sum := 0.0
		for l, k := range rows {
			if scale[k] > 0 {
				a[first+l] /= scale[k]
			}
			sum += math.Abs(a[first+l])
		}
		one = max(one, sum)
	}
	choice, err := sparse.Choose(p)
	if err != nil {
		return 0, -1, -1
	}
	lu := choice.New()
	if err := lu.Factor(a); err != nil {
		var g *sparse.SingularError
		if !errors.As(err, &g) || g.Row < 0 || g.Row >= n || len(g.Cols) == 0 || g.Cols[0] >= n {
			return 0, -1, -1
		}
		return math.Inf(1), c.left[g.Row][0].i, c.right[g.Cols[0]][0].i
	}
	// A solution for any right-hand side shows what is large in the inverse.
	r := rand.New(rand.NewPCG(1, 2))
	right, left := make([]float64, n), make([]float64, n)
	for k := range n {
		right[k], left[k] = r.Float64()-0.5, r.Float64()-0.5
	}
	lu.Solve(right)
	lu.SolveTransposed(left)
	row, col := 0, 0
	for k := range n {
		if math.Abs(left[k]) > math.Abs(left[row]) {
			row = k
		}
		if math.Abs(right[k]) > math.Abs(right[col]) {
			col = k
		}
	}
	return sparse.Condition(lu, &sparse.Matrix{Pattern: p, Values: a}) / max(one, math.SmallestNonzeroFloat64), c.left[row][0].i, c.right[col][0].i
}
