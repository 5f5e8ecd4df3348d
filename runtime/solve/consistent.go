// Consistent initial values of M·x' = f(t, x). With bases N and K of the left and right null space of M the equations say Nᵀ·f = 0 whatever x' is; x moves
// along K only, which leaves M·x alone. Newton's method with the natural level function: P. Deuflhard, "Newton Methods for Nonlinear Problems", Springer 2004,
// section 3.3. Invariants are met by moves of minimal norm (Gauss–Newton), guesses first.

package solve

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// InitialError says which equation the initial values do not satisfy, and where.
type InitialError struct {
	Equation system.Equation
	Residual float64
	T        float64
	At       []system.Operand // the states that stand in the equation
	Why      string           // "" for given values that contradict the equation
	help     string
}

func (e *InitialError) Error() string {
	var at strings.Builder
	for i, o := range e.At {
		if i == 6 {
			at.WriteString(", …")
			break
		}
		if i > 0 {
			at.WriteString(", ")
		}
		fmt.Fprintf(&at, "%s = %.6g", o.Name, o.Value)
	}
	if at.Len() == 0 {
		fmt.Fprintf(&at, "t = %.6g", e.T)
	}
	if e.Why == "" {
		return fmt.Sprintf("inconsistent initial values: %s gives %.3g at %s", e.Equation.Name, e.Residual, at.String())
	}
	return fmt.Sprintf("no consistent initial values: %s; %s gives %.3g at %s", e.Why, e.Equation.Name, e.Residual, at.String())
}

// Help says what may mend it.
func (e *InitialError) Help() string { return e.help }

const (
	// looseness is by how much, relatively, given values may miss an invariant: more is a contradiction, less is rounding of what was typed.
	looseness   = 1e-6
	mostNewton  = 60
	leastDamped = 1e-5
)

// Consistent changes x so that the algebraic equations and the invariants of the system hold at t. Values of differential states are kept (M·x, in general), those of
// algebraic unknowns are first guesses. Where values of differential states miss an invariant by no more than rounding of what was typed, they
// are moved onto it, as little as can be; by more, it is an *InitialError, as it is where the algebraic equations have no solution in reach. atol has NX entries.
// It allocates, and uses clones of the system's functions.
func Consistent(sys *system.System, t float64, x, th []float64, rtol float64, atol []float64) error {
	if sys.Mass == nil && sys.Invariants == nil {
		return nil
	}
	return (&consistent{sys: sys, t: t, x: x, th: th, rtol: rtol, atol: atol}).run()
}

// run moves x.
func (c *consistent) run() error {
	sys := c.sys
	if err := c.algebra(); err != nil {
		return err
	}
	if sys.Invariants == nil {
		return c.newton()
	}
	if err := c.invariants(); err != nil {
		return err
	}
	// Where M has dependent columns that are not zero, solving the equations moves differential states too.
	for range 10 {
		if err := c.newton(); err != nil {
			return err
		}
		if c.met() {
			return nil
		}
		if err := c.project(false); err != nil {
			return err
		}
	}
	return c.contradiction(c.worst())
}

type consistent struct {
	sys   *system.System
	t     float64
	x, th []float64
	rtol  float64
	atol  []float64
	// nearest lets differential states move onto the invariants from wherever they are.
	nearest bool
	// keep notes the derivatives of the invariants where the guesses began to move, in began.
	keep  bool
	began [][]term

	left, right [][]term
	f           system.Func
	jac         system.Jacobian
	pattern     *sparse.Pattern
	v           []float64 // J
	fx          []float64

	inv  system.Func
	g    []float64
	rows [][]term // ∂g/∂x
	gx   []float64
}

func (c *consistent) scale(i int, x float64) float64 {
	a := 1e-8
	if i < len(c.atol) {
		a = c.atol[i]
	}
	return max(a+c.rtol*math.Abs(x), math.SmallestNonzeroFloat64)
}

// algebra finds what is to be solved along which directions.
func (c *consistent) algebra() error {
	sys := c.sys
	c.f = sys.RHS.Clone()
	c.f.Prepare(c.th)
	c.fx = make([]float64, sys.NX)
	if sys.Mass == nil {
		return nil
	}
	m := make([]float64, sys.Mass.Pattern.NNZ())
	sys.Mass.Values.Clone().Eval(m, 0, nil, c.th)
	var err error
	if c.left, c.right, err = nullSpaces(sys.Mass.Pattern, m); err != nil {
		return err
	}
	if len(c.left) == 0 {
		return nil
	}
	if c.pattern = sys.Pattern; c.pattern == nil {
		c.pattern = sparse.DensePattern(sys.NX)
	}
	if sys.Jacobian != nil {
		c.jac = sys.Jacobian()
	}
	if c.jac == nil {
		c.jac = newColoured(sys.RHS, c.pattern)
	}
	c.jac.Prepare(c.th)
	c.v = make([]float64, c.pattern.NNZ())
	return nil
}

// residual writes Nᵀ·f at x.
func (c *consistent) residual(out, x []float64) bool {
	c.f.Eval(c.fx, c.t, x, nil)
	finite := true
	for k, y := range c.left {
		s := 0.0
		for _, e := range y {
			s += e.v * c.fx[e.i]
		}
		out[k] = s
		finite = finite && !math.IsNaN(s) && !math.IsInf(s, 0)
	}
	return finite
}

// each goes through the entries of J that make Nᵀ·J·K: entry at of J goes into (r, q) with weight w.
func (c *consistent) each(do func(r, q int, w float64, at int)) {
	byRow, byCol := make([][]term, c.sys.NX), make([][]term, c.sys.NX)
	for k, y := range c.left {
		for _, e := range y {
			byRow[e.i] = append(byRow[e.i], term{k, e.v})
		}
	}
	for k, y := range c.right {
		for _, e := range y {
			byCol[e.i] = append(byCol[e.i], term{k, e.v})
		}
	}
	for j, ks := range byCol {
		if len(ks) == 0 {
			continue
		}
		rows, first := c.pattern.Column(j)
		for l, i := range rows {
			for _, r := range byRow[i] {
				for _, q := range ks {
					do(r.i, q.i, r.v*q.v, first+l)
				}
			}
		}
	}
}

// reduced is the pattern of Nᵀ·J·K.
func (c *consistent) reduced() (*sparse.Pattern, error) {
	var is, js []int
	c.each(func(r, q int, _ float64, _ int) { is, js = append(is, r), append(js, q) })
	return sparse.NewPattern(len(c.left), is, js)
}

// reduce writes Nᵀ·J·K at x into a.
func (c *consistent) reduce(p *sparse.Pattern, a []float64) {
	c.jac.Eval(c.v, nil, c.t, c.x)
	clear(a)
	c.each(func(r, q int, w float64, at int) { a[p.Index(r, q)] += w * c.v[at] })
}

// newton solves Nᵀ·f(x + K·y) = 0.
func (c *consistent) newton() error {
	n := len(c.left)
	if n == 0 {
		return nil
	}
	p, err := c.reduced()
	if err != nil {
		return err
	}
	b, dx, next := make([]float64, n), make([]float64, n), make([]float64, n)
	trial := make([]float64, c.sys.NX)
	if !c.residual(b, c.x) {
		return c.notFinite(b)
	}
	met := !slices.ContainsFunc(b, func(v float64) bool { return v != 0 })
	if met && !slices.ContainsFunc(c.left, func(y []term) bool { return len(y) > 1 }) {
		return nil // whether they determine anything or not; where rows of M depend on each other, that is looked at
	}
	choice, err := sparse.Choose(p)
	if err != nil {
		return c.singular(err, b)
	}
	lu := choice.New()
	a := make([]float64, p.NNZ())
	damping := 1.0
	last := math.Inf(1)
	for range mostNewton {
		c.reduce(p, a)
		if err := lu.Factor(a); err != nil {
			return c.singular(err, b)
		}
		if met {
			return nil
		}
		copy(dx, b)
		lu.Solve(dx)
		size := c.size(dx)
		if math.IsNaN(size) {
			return c.failed("Newton's method left the finite numbers", b)
		}
		for {
			copy(trial, c.x)
			for k, y := range c.right {
				for _, e := range y {
					trial[e.i] -= damping * dx[k] * e.v
				}
			}
			if c.residual(next, trial) {
				copy(dx, next)
				lu.Solve(dx) // the next simplified correction: its size is the natural level function
				after := c.size(dx)
				if after <= (1-damping/4)*size || after <= 1e-3 && size <= 1 {
					copy(c.x, trial)
					copy(b, next)
					damping = min(1, 2*damping)
					// Quadratic convergence has taken it to rounding when a correction is this small, or when it no longer helps.
					if after <= 1e-6 || size <= 1e-3 && after >= size/2 || size <= 1e-3 && after >= last {
						return nil
					}
					last = after
					break
				}
			}
			if size <= 1e-3 { // rounding is all that is left
				return nil
			}
			if damping /= 2; damping < leastDamped {
				return c.failed("no step of Newton's method brings the equations closer to zero", b)
			}
			copy(dx, b)
			lu.Solve(dx)
		}
	}
	return c.failed(fmt.Sprintf("Newton's method has not converged in %d steps", mostNewton), b)
}

// size is the root mean square of a correction over the tolerances.
func (c *consistent) size(y []float64) float64 {
	s := 0.0
	n := 0
	for k, v := range c.right {
		for _, e := range v {
			r := y[k] * e.v / c.scale(e.i, c.x[e.i])
			s += r * r
			n++
		}
	}
	return math.Sqrt(s / float64(max(n, 1)))
}

// equation names row k of Nᵀ·f and the states in it.
func (c *consistent) equation(k int) (system.Equation, []term) {
	y := c.left[k]
	var names []string
	for _, e := range y {
		names = append(names, EquationName(c.sys, e.i))
	}
	eq := system.Equation{Name: names[0]}
	if y[0].i < len(c.sys.Equations) {
		eq.Where = c.sys.Equations[y[0].i].Where
	}
	if len(names) > 1 {
		eq.Name = "a combination of " + strings.Join(names, "; ")
	}
	in := map[int]bool{}
	for _, e := range y {
		in[e.i] = true
	}
	var row []term
	for j := range c.sys.NX {
		rows, _ := c.pattern.Column(j)
		for _, i := range rows {
			if in[int(i)] {
				row = append(row, term{j, 1})
				break
			}
		}
	}
	return eq, row
}

// failed is the error of an algebraic equation that could not be solved: the one that is furthest off.
func (c *consistent) failed(why string, b []float64) error {
	at := 0
	for k, v := range b {
		if math.Abs(v) > math.Abs(b[at]) || math.IsNaN(v) {
			at = k
		}
	}
	eq, row := c.equation(at)
	return &InitialError{Equation: eq, Residual: b[at], T: c.t, At: c.operands(row), Why: why,
		help: "give first guesses closer to the solution, or check that the equation has one"}
}

func (c *consistent) notFinite(b []float64) error {
	e := c.failed("an algebraic equation is not finite at the first guesses", b).(*InitialError)
	e.help = "give first guesses where the equation is defined"
	return e
}

// singular names the equations and unknowns of a matrix without inverse.
func (c *consistent) singular(err error, b []float64) error {
	var s *sparse.SingularError
	if !errors.As(err, &s) {
		return c.failed("the derivatives of the algebraic equations are not finite", b)
	}
	row := 0
	if s.Row >= 0 && s.Row < len(c.left) {
		row = s.Row
	}
	eq, in := c.equation(row)
	names := c.sys.StateNames()
	var unknowns []string
	for _, q := range s.Cols {
		if q < len(c.right) && len(unknowns) < 5 {
			unknowns = append(unknowns, names[c.right[q][0].i])
		}
	}
	why := "the algebraic equations do not determine their unknowns"
	if len(unknowns) > 0 {
		why = "the algebraic equations do not determine " + strings.Join(unknowns, ", ")
	}
	if len(c.left[row]) > 1 {
		return &InitialError{Equation: eq, Residual: b[row], T: c.t, At: c.operands(in), Why: strings.Replace(why, "the algebraic equations do", "the mass matrix is singular, and what it leaves of the equations does", 1),
			help: "check that the derivatives do not stand in the same combination twice, or that the equations differ in the rest"}
	}
	return &InitialError{Equation: eq, Residual: b[row], T: c.t, At: c.operands(in), Why: why,
		help: "give other first guesses, where the derivative by the unknown is not zero, or check that no equation says what another says already"}
}
