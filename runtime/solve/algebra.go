package solve

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Algebra corrects states of M·x' = f that were interpolated. The error control sees ends of steps only, and an algebraic unknown that follows a signal may move much
// more within a step than the polynomial through its values knows. With bases N and K of the left and right null space of M, as for consistent initial values, Newton's method
// solves
//
//	Nᵀ·f(t, x + K·ζ) = 0
//
// for ζ, which leaves M·x as it was interpolated. Where it does not converge, x stays as it is. Where M depends on θ and its dependent rows or columns are not
// merely zero, nothing is corrected, for the derivative by θ would want x'.
//
// An Algebra serves one goroutine; Correct, Back and Slope, but for its first call after M has changed, allocate nothing. What they compute depends on their arguments alone, not on earlier calls.
type Algebra struct {
	sys     *system.System
	f       system.Func
	jac     system.Jacobian
	pattern *sparse.Pattern // of J
	v       []float64       // J
	massF   system.Func
	mass    []float64 // M that the bases were made for; nil before
	now     []float64 // scratch of M

	left, right    [][]term
	lu             sparse.Solver // nil where there is nothing to correct
	picks          []pick
	a              []float64 // Nᵀ·J·K
	b, fx, gz, old []float64
	t0, t1         float64   // ends of the open step
	c0, c1, d0, d1 []float64 // the states there, corrected, and what the others differ by
	turned         []float64
	slopes         *slopes // nil before it is needed for these bases
	rtol           float64
	atol           []float64
}

// pick says that an entry of J, times a number, is part of one of Nᵀ·J·K.
type pick struct {
	from, to int
	w        float64
}

const (
	algebraSteps  = 10
	algebraEnough = 1e-3 // of the tolerance: a correction after which quadratic convergence leaves nothing
)

// NewAlgebra makes what corrects states of a system; nil where it has no algebraic equations.
func NewAlgebra(sys *system.System) *Algebra {
	if sys.Mass == nil {
		return nil
	}
	c := &Algebra{sys: sys, f: sys.RHS.Clone(), massF: sys.Mass.Values.Clone(), pattern: sys.Pattern}
	if c.pattern == nil {
		c.pattern = sparse.DensePattern(sys.NX)
	}
	if sys.Jacobian != nil {
		c.jac = sys.Jacobian()
	}
	if c.jac == nil {
		c.jac = newColoured(sys.RHS, c.pattern)
	}
	c.v, c.now = make([]float64, c.pattern.NNZ()), make([]float64, sys.Mass.Pattern.NNZ())
	for _, v := range []*[]float64{&c.fx, &c.gz, &c.old, &c.c0, &c.c1, &c.d0, &c.d1, &c.turned} {
		*v = make([]float64, sys.NX)
	}
	return c
}

// Prepare fixes θ and the tolerances; atol has NX entries and is kept.
func (c *Algebra) Prepare(th []float64, rtol float64, atol []float64) {
	c.rtol, c.atol = rtol, atol
	c.massF.Eval(c.now, 0, nil, th)
	if c.mass == nil || !slices.Equal(c.mass, c.now) {
		c.mass = append(c.mass[:0], c.now...)
		c.bases(th)
	}
	c.f.Prepare(th)
	c.jac.Prepare(th)
}

// bases finds N and K of M, and where the entries of Nᵀ·J·K come from.
func (c *Algebra) bases(th []float64) {
	c.lu, c.slopes = nil, nil
	var err error
	if c.left, c.right, err = nullSpaces(c.sys.Mass.Pattern, c.mass); err != nil {
		c.left, c.right = nil, nil
	}
	if len(c.left) == 0 {
		return
	}
	plain := func(y []term) bool { return len(y) == 1 }
	all := true
	for k := range c.left {
		all = all && plain(c.left[k]) && plain(c.right[k])
	}
	if !all && c.massMoves(th) {
		return
	}
	n := len(c.left)
	byRow := make([][]term, c.sys.NX)
	for k, y := range c.left {
		for _, e := range y {
			byRow[e.i] = append(byRow[e.i], term{k, e.v})
		}
	}
	var is, js []int
	var ps []pick
	for q, y := range c.right {
		for _, e := range y {
			rows, first := c.pattern.Column(e.i)
			for l, i := range rows {
				for _, r := range byRow[i] {
					is, js, ps = append(is, r.i), append(js, q), append(ps, pick{from: first + l, w: r.v * e.v})
				}
			}
		}
	}
	p, err := sparse.NewPattern(n, is, js)
	if err != nil {
		return
	}
	choice, err := sparse.Choose(p)
	if err != nil { // unknowns that no equation determines
		return
	}
	for k := range ps {
		ps[k].to = p.Index(is[k], js[k])
	}
	c.picks, c.a, c.b = ps, make([]float64, p.NNZ()), make([]float64, n)
	c.lu = choice.New()
}

// massMoves says whether M depends on θ.
func (c *Algebra) massMoves(th []float64) bool {
	gz, gth := make([]float64, len(c.mass)), make([]float64, len(th))
	for i := range gz {
		gz[i] = 1 + math.Mod(0.618*float64(i), 1) // so that nothing cancels
	}
	c.massF.VJP(nil, gth, 0, nil, th, gz)
	return !zero(gth)
}

// Active says whether there is anything to correct.
func (c *Algebra) Active() bool { return c != nil && c.lu != nil }

// factor evaluates and factors Nᵀ·J·K at x; it is false where that has no inverse.
func (c *Algebra) factor(t float64, x []float64) bool {
	c.jac.Eval(c.v, nil, t, x)
	clear(c.a)
	for _, p := range c.picks {
		c.a[p.to] += p.w * c.v[p.from]
	}
	return finite(c.a) && c.lu.Factor(c.a) == nil // with pivots of its own: the result must not depend on what was factored before
}

// newton computes the correction at x into b and its size in tolerances; it is not a number where there is none.
func (c *Algebra) newton(t float64, x []float64) float64 {
	c.f.Eval(c.fx, t, x, nil)
	for k, y := range c.left {
		c.b[k] = 0
		for _, e := range y {
			c.b[k] += e.v * c.fx[e.i]
		}
	}
	if zero(c.b) {
		return 0
	}
	if !finite(c.b) || !c.factor(t, x) {
		return math.NaN()
	}
	c.lu.Solve(c.b)
	size := 0.0
	for k, y := range c.right {
		for _, e := range y {
			sc := max(c.atol[e.i]+c.rtol*math.Abs(x[e.i]), 0x1p-50*math.Abs(x[e.i]), math.SmallestNonzeroFloat64)
			size = max(size, math.Abs(c.b[k]*e.v)/sc)
			if v := c.b[k]; v != v {
				return v
			}
		}
	}
	return size
}

// Correct moves x, at time t, onto the algebraic equations, and tells how often it evaluated f.
func (c *Algebra) Correct(t float64, x []float64) (evals int) {
	if c.lu == nil {
		return 0
	}
	copy(c.old, x)
	last := math.Inf(1)
	for evals < algebraSteps {
		evals++
		size := c.newton(t, x)
		if !(size <= math.MaxFloat64) || size > last/2 && size > algebraEnough {
			break
		}
		for k, y := range c.right {
			for _, e := range y {
				x[e.i] -= c.b[k] * e.v
			}
		}
		if size <= algebraEnough {
			return evals
		}
		last = size
	}
	copy(x, c.old)
	return evals
}

// Open fixes the step whose inside is asked for: its ends, with the states there. The error control lets them miss the algebraic equations a little.
func (c *Algebra) Open(t0 float64, x0 []float64, t1 float64, x1 []float64) (evals int) {
	if c.lu == nil {
		return 0
	}
	c.t0, c.t1 = t0, t1
	copy(c.c0, x0)
	copy(c.c1, x1)
	evals = c.Correct(t0, c.c0) + c.Correct(t1, c.c1)
	for i := range c.d0 {
		c.d0[i], c.d1[i] = x0[i]-c.c0[i], x1[i]-c.c1[i]
	}
	return evals
}

// Inside corrects x, interpolated at t in the open step. What the states at its ends miss the equations by is missed there, too, so that the result is continuous:
//
//	x → C(t, x) + (1 − s)·(x0 − C(t0, x0)) + s·(x1 − C(t1, x1)),
//
// with C for Correct and s for the part of the step that lies before t.
func (c *Algebra) Inside(t float64, x []float64) (evals int) {
	if c.lu == nil {
		return 0
	}
	evals = c.Correct(t, x)
	c.miss(1, t, x)
	return evals
}

// miss adds to x what it is to miss the equations by at t, times a.
func (c *Algebra) miss(a, t float64, x []float64) {
	s := (t - c.t0) / (c.t1 - c.t0)
	for i := range x {
		x[i] += a * ((1-s)*c.d0[i] + s*c.d1[i])
	}
}

// Back carries the derivative lam of a loss by x, that Inside gave at t, to that by what was interpolated, and adds those by the ends of the step to lam0 and lam1 and that by θ to g.
func (c *Algebra) Back(t float64, x, lam, lam0, lam1, g []float64) {
	if c.lu == nil {
		return
	}
	s := (t - c.t0) / (c.t1 - c.t0)
	for k, to := range [][]float64{lam0, lam1} {
		w, at, end := 1-s, c.t0, c.c0
		if k == 1 {
			w, at, end = s, c.t1, c.c1
		}
		// w·(x − C(x)): the derivative of the second term of that with the sign turned first.
		for i, v := range lam {
			c.turned[i] = -w * v
		}
		c.backCorrect(at, end, c.turned, g)
		for i, v := range lam {
			to[i] += w*v + c.turned[i]
		}
	}
	copy(c.turned, x)
	c.miss(-1, t, c.turned)
	c.backCorrect(t, c.turned, lam, g)
}

// backCorrect carries the derivative lam of a loss by the state x that Correct gave to that by the state before, and adds that by θ to g. A state that is not a root, which Correct
// has left as it was, changes nothing.
func (c *Algebra) backCorrect(t float64, x, lam, g []float64) {
	if !(c.newton(t, x) <= algebraEnough) || !c.factor(t, x) {
		return
	}
	for k, y := range c.right {
		c.b[k] = 0
		for _, e := range y {
			c.b[k] += e.v * lam[e.i]
		}
	}
	c.lu.SolveTransposed(c.b)
	clear(c.gz)
	for k, y := range c.left {
		for _, e := range y {
			c.gz[e.i] -= c.b[k] * e.v
		}
	}
	c.f.VJP(lam, g, t, x, nil, c.gz)
}

// slopes are the equations of x': those of M·x' = f, in which a row for each of Nᵀ is replaced by Nᵀ·(J·x' + ∂f/∂t) = 0.
type slopes struct {
	lu    sparse.Solver // nil where there is none
	mass  []pick        // of M
	picks []pick        // of J
	to    []int         // the row that each of Nᵀ replaces
	a, ft []float64
}

// Slope writes x' at (t, x), which satisfies the algebraic equations. It is false where M·x' = f does not determine it there.
func (c *Algebra) Slope(dx []float64, t float64, x []float64) bool {
	if c.slopes == nil {
		c.slopes = c.newSlopes()
	}
	s := c.slopes
	if s.lu == nil {
		return false
	}
	c.f.Eval(dx, t, x, nil)
	c.jac.Eval(c.v, s.ft, t, x)
	clear(s.a)
	for _, p := range s.mass {
		s.a[p.to] += c.mass[p.from]
	}
	for _, p := range s.picks {
		s.a[p.to] += p.w * c.v[p.from]
	}
	for k, y := range c.left {
		sum := 0.0
		for _, e := range y {
			sum -= e.v * s.ft[e.i]
		}
		dx[s.to[k]] = sum
	}
	if !finite(s.a) || s.lu.Factor(s.a) != nil {
		return false
	}
	s.lu.Solve(dx)
	return finite(dx)
}

func (c *Algebra) newSlopes() *slopes {
	n := c.sys.NX
	s := &slopes{ft: make([]float64, n)}
	replaced := make([]bool, n)
	byRow := make([][]term, n)
	for k, y := range c.left {
		to := -1
		for _, e := range y { // the largest coefficient of those that are left
			byRow[e.i] = append(byRow[e.i], term{k, e.v})
			if !replaced[e.i] && (to < 0 || math.Abs(e.v) > math.Abs(y[to].v)) {
				to = slices.Index(y, e)
			}
		}
		if to < 0 {
			return s
		}
		s.to = append(s.to, y[to].i)
		replaced[y[to].i] = true
	}
	var is, js []int
	for j := range n {
		rows, first := c.sys.Mass.Pattern.Column(j)
		for l, i := range rows {
			if !replaced[i] {
				is, js, s.mass = append(is, int(i)), append(js, j), append(s.mass, pick{from: first + l})
			}
		}
	}
	for j := range n {
		rows, first := c.pattern.Column(j)
		for l, i := range rows {
			for _, r := range byRow[i] {
				is, js, s.picks = append(is, s.to[r.i]), append(js, j), append(s.picks, pick{from: first + l, w: r.v})
			}
		}
	}
	p, err := sparse.NewPattern(n, is, js)
	if err != nil {
		return s
	}
	choice, err := sparse.Choose(p)
	if err != nil {
		return s
	}
	for k := range s.mass {
		s.mass[k].to = p.Index(is[k], js[k])
	}
	for k := range s.picks {
		at := len(s.mass) + k
		s.picks[k].to = p.Index(is[at], js[at])
	}
	s.a = make([]float64, p.NNZ())
	s.lu = choice.New()
	return s
}
