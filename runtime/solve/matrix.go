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

// matrix is the iteration matrix A = M − c·J of the implicit methods: J from the system, by groups of columns where it has no code of its own for it,
// A factored by what suits its pattern. It serves one goroutine; only its making allocates.
type matrix struct {
	n       int
	pattern *sparse.Pattern
	jac     system.Jacobian
	v       []float64 // J
	mass    []float64 // M, nil for the identity
	massOf  *system.Mass
	massF   system.Func
	shifted *sparse.Shifted
	a       []float64 // A
	sums    []float64 // scratch of norm
	lu      sparse.Solver
	kind    string
	pivots  pivots // of lu
	c       float64
	krylov  *krylov // solves the equations iteratively, in place of lu; nil where lu does
	first   *krylov // what krylov is at the start of a problem
	jt      float64 // where J was evaluated
	jx      []float64
	choice  *sparse.Choice // of what takes over where GMRES disappoints; nil where nothing may
	sys     *system.System
	stats   *Stats
}

// newMatrix analyses the pattern of a system's iteration matrix.
func newMatrix(sys *system.System, stats *Stats) (*matrix, error) {
	return newMatrixOf(sys, stats, "direct")
}

// newMatrixOf is newMatrix with the way to solve equations: "direct", "krylov", or "auto" for the cheaper one.
func newMatrixOf(sys *system.System, stats *Stats, linear string) (*matrix, error) {
	m := &matrix{n: sys.NX, pattern: sys.Pattern, sys: sys, stats: stats, massOf: sys.Mass}
	if m.pattern == nil {
		m.pattern = sparse.DensePattern(m.n)
	}
	if sys.Jacobian != nil {
		m.jac = sys.Jacobian()
	}
	if m.jac == nil {
		m.jac = newColoured(sys.RHS, m.pattern)
	}
	m.v, m.sums = make([]float64, m.pattern.NNZ()), make([]float64, m.n)
	var massPattern *sparse.Pattern
	if sys.Mass != nil {
		massPattern = sys.Mass.Pattern
		m.mass = make([]float64, massPattern.NNZ())
		m.massF = sys.Mass.Values.Clone()
	}
	m.shifted = sparse.NewShifted(massPattern, m.pattern)
	m.a = make([]float64, m.shifted.Pattern().NNZ())
	if linear == "krylov" {
		m.kind = "GMRES with ILU(0), as asked for"
		var err error
		m.krylov, err = newKrylov(sys, m.shifted.Pattern())
		return m, m.named(err)
	}
	c, err := sparse.Choose(m.shifted.Pattern())
	if err != nil {
		return nil, m.named(err)
	}
	if linear == "auto" && sys.Mass == nil {
		if cost := krylovCost(m.shifted.Pattern()); 2*cost < c.Factor/solvesPerFactor+c.Solve {
			if m.krylov, err = newKrylov(sys, m.shifted.Pattern()); err == nil {
				m.first, m.choice = m.krylov, &c
				m.kind = fmt.Sprintf("GMRES with ILU(0): about %.2g ms a solve, where that takes about %.2g ms and a factorisation %.2g ms by %s",
					cost/1e6, c.Solve/1e6, c.Factor/1e6, c.Reason)
				return m, nil
			}
		}
	}
	if sys.Solving != nil {
		m.lu = sys.Solving(m.shifted.Pattern())
	}
	if m.kind = c.Reason; m.lu == nil {
		m.lu = c.New()
	} else {
		m.kind = "compiled with the pattern; " + m.kind
	}
	return m, nil
}

// prepare follows a new θ.
func (m *matrix) prepare(th []float64) {
	m.jac.Prepare(th)
	if m.first != nil {
		m.krylov = m.first
		m.krylov.solves, m.krylov.directions = 0, 0
	}
	if m.krylov != nil {
		m.krylov.rhs.Prepare(th)
	}
	if m.mass != nil {
		m.massF.Eval(m.mass, 0, nil, th)
	}
	m.pivots.chosen = false // what was pivoted well for other values may not be for these, and every run must give the same bits
}

// precondition makes a user's preconditioner that of GMRES, which then is taken.
func (m *matrix) precondition(pre Preconditioner) {
	if m.krylov == nil {
		m.krylov = bareKrylov(m.sys)
	}
	m.krylov.pre, m.choice, m.first = pre, nil, nil
	m.kind = "GMRES with the preconditioner that was given"
	if m.jx == nil {
		m.jx = make([]float64, m.n)
	}
}

// jacobian evaluates ∂f/∂x at (t, x), and ∂f/∂t into ft unless that is nil.
func (m *matrix) jacobian(ft []float64, t float64, x []float64) {
	m.jac.Eval(m.v, ft, t, x)
	if m.jx != nil {
		m.jt = t
		copy(m.jx, x)
	}
	m.stats.Jacobians++
}

// norm is the smaller of the largest sums of moduli over a row and over a column of J, which its eigenvalues do not exceed.
func (m *matrix) norm() float64 {
	clear(m.sums)
	cols := 0.0
	for j := range m.n {
		rows, first := m.pattern.Column(j)
		sum := 0.0
		for k, i := range rows {
			v := math.Abs(m.v[first+k])
			m.sums[i] += v
			sum += v
		}
		cols = max(cols, sum)
	}
	rows := 0.0
	for _, v := range m.sums {
		rows = max(rows, v)
	}
	return min(rows, cols)
}

// factor factors M − c·J. The error names the equation that makes it singular.
func (m *matrix) factor(c float64) error {
	m.stats.Factors++
	m.shifted.Set(m.a, m.mass, c, m.v)
	m.c = c
	if m.krylov != nil && m.choice != nil && m.krylov.dear(m.choice) {
		m.direct("takes more directions than a factorisation pays for")
	}
	if m.krylov != nil {
		return m.named(m.krylov.factor(m, m.a))
	}
	if err := m.pivots.factor(m.lu, m.a); err != nil {
		return m.named(err)
	}
	return nil
}

// solve replaces b by A⁻¹·b.
func (m *matrix) solve(b []float64) { m.lu.Solve(b) }

// direct gives up GMRES where that was chosen here, for the rest of the problem; it is false where it was not.
func (m *matrix) direct(why string) bool {
	if m.krylov == nil || m.choice == nil {
		return false
	}
	m.krylov, m.pivots = nil, pivots{}
	if m.lu == nil {
		m.lu = m.choice.New()
	}
	m.stats.Linear = "GMRES with ILU(0), until it " + why + ", then " + m.choice.Reason
	return true
}

// left is the part of the last solution that solveNear may have left out, where it was solved iteratively and not to the tolerance.
func (m *matrix) left() float64 {
	if m.krylov == nil {
		return 0
	}
	return m.krylov.left
}

// solveNear replaces b by what (M − c·J)⁻¹·b is about, with J at (t, x), from the factors of a matrix near by: by the factors alone, or by as many iterations as
// make the error less than tol in the norm of the weights w.
func (m *matrix) solveNear(b []float64, c, t float64, x, w []float64, tol float64) error {
	if m.krylov != nil {
		return m.krylov.solve(m, b, c, t, x, w, tol)
	}
	m.lu.Solve(b)
	if c != m.c {
		over := 2 / (1 + c/m.c)
		for i := range b {
			b[i] *= over
		}
	}
	return nil
}

// addMass adds M·x to y.
func (m *matrix) addMass(y, x []float64) {
	if m.mass == nil {
		for i, v := range x {
			y[i] += v
		}
		return
	}
	p := m.massOf.Pattern
	for j, v := range x {
		rows, first := p.Column(j)
		for k, i := range rows {
			y[i] += m.mass[first+k] * v
		}
	}
}

// named puts the names of equations and states into an error of the linear algebra.
func (m *matrix) named(err error) error {
	if err == nil {
		return nil
	}
	var inc *sparse.IncompleteError
	if errors.As(err, &inc) {
		return fmt.Errorf("the incomplete factorisation that GMRES is preconditioned by has no pivot in %s; `linear = direct` needs none", EquationName(m.sys, inc.Row))
	}
	var s *sparse.SingularError
	if !errors.As(err, &s) {
		return err
	}
	rows := listed(s.Rows, "; ", func(i int) string { return EquationName(m.sys, i) })
	names := m.sys.StateNames()
	cols := listed(s.Cols, ", ", func(j int) string { return names[j] })
	do := "do"
	if len(s.Rows) == 1 {
		do = "does"
	}
	switch {
	case rows == "" && cols == "":
		return errors.New(stepSingular)
	case rows == "":
		return fmt.Errorf("%s %s", noEquation, cols)
	case cols == "":
		return fmt.Errorf("%s at %s", areSingular, rows)
	}
	return fmt.Errorf("%s: %s %s not determine %s", areSingular, rows, do, cols)
}

// How the errors of a singular matrix begin.
const (
	areSingular  = "the equations are singular"
	stepSingular = "the equations of a step are singular"
	noEquation   = "no equation determines"
)

// singularWhy says whether an engine's reason is a matrix without inverse.
func singularWhy(why string) bool {
	return strings.HasPrefix(why, areSingular) || strings.HasPrefix(why, stepSingular) || strings.HasPrefix(why, noEquation)
}

// mostListed is how many names a message lists.
const mostListed = 6

// listed joins names in the order of their indices, the first few of many.
func listed(is []int, sep string, name func(int) string) string {
	is = slices.Sorted(slices.Values(is))
	var b strings.Builder
	for k, i := range is {
		if k > 0 {
			b.WriteString(sep)
		}
		if k == mostListed && len(is) > mostListed+1 {
			fmt.Fprintf(&b, "… (%d)", len(is))
			break
		}
		b.WriteString(name(i))
	}
	return b.String()
}

// EquationName is the name of row i of the right-hand side: "x'", or the algebraic equation as it was written.
func EquationName(sys *system.System, i int) string {
	if i < len(sys.Equations) {
		return sys.Equations[i].Name
	}
	if names := sys.StateNames(); i < len(names) {
		return names[i] + "'"
	}
	return fmt.Sprintf("equation %d", i+1)
}

// coloured is the Jacobian of a function by its products with sums of unit vectors whose columns share no row.
type coloured struct {
	f     system.Func
	c     *sparse.Coloring
	seeds [][]float64
	dz    []float64
}

func newColoured(f system.Func, p *sparse.Pattern) *coloured {
	c := &coloured{f: f.Clone(), c: sparse.Color(p), dz: make([]float64, p.N())}
	for g := range c.c.Groups() {
		v := make([]float64, p.N())
		c.c.Seed(g, v)
		c.seeds = append(c.seeds, v)
	}
	return c
}

// Prepare implements system.Jacobian.
func (c *coloured) Prepare(th []float64) { c.f.Prepare(th) }

// Eval implements system.Jacobian.
func (c *coloured) Eval(v, ft []float64, t float64, x []float64) {
	for g, seed := range c.seeds {
		c.f.JVP(c.dz, t, x, nil, 0, seed, nil)
		c.c.Recover(g, c.dz, v)
	}
	if ft != nil {
		c.f.JVP(ft, t, x, nil, 1, nil, nil)
	}
}
