package solve

import (
	"errors"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// krylov solves (M − c·J)·x = b by GMRES, from products of J with vectors, which are exact derivatives of the right-hand side at the point in question, and
// with the incomplete factors of a matrix M − ĉ·Ĵ near by as preconditioner. That stands on the right, so that what the iteration makes small is the residual itself:
// where J damps, as where these methods are of use, the error of x is no larger, which of a preconditioned residual nobody knows. In rows without a derivative the
// residual is measured over the diagonal.
//
// Y. Saad, M. H. Schultz, GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems, SIAM Journal on Scientific and Statistical
// Computing 7 (1986), 856–869; Y. Saad, A flexible inner-outer preconditioned GMRES algorithm, SIAM Journal on Scientific Computing 14 (1993), 461–469, for the form
// that keeps the preconditioned directions; P. N. Brown, A. C. Hindmarsh, Reduced storage matrix methods in stiff ODE systems, Applied Mathematics and Computation 31
// (1989), 40–91, for the scaled norm and the tolerance within Newton's iteration.
type krylov struct {
	rhs  system.Func
	ilu  *sparse.ILU
	pre  Preconditioner           // in place of ilu, nil where there is none
	v    [krylovDim + 1][]float64 // orthonormal
	z    [krylovDim][]float64     // preconditioned
	rows []float64                // by what the residual is divided beside the tolerances; nil where by nothing
	h    [krylovDim][krylovDim + 2]float64
	cs   [krylovDim]float64 // rotations that make h triangular
	sn   [krylovDim]float64
	g    [krylovDim + 1]float64
	w2   []float64 // squares of the weights, over their number
	b, x []float64

	left               float64 // of the last residual, where that is above the tolerance
	solves, directions int     // of the present problem
}

const (
	krylovDim       = 20   // directions before a restart
	krylovRestarts  = 3    // before it is given up
	krylovShare     = 0.1  // of the tolerance of Newton's iteration, that an error of the linear equations may have
	solvesPerFactor = 6.0  // about how often a matrix is used, for the choice
	krylovEnough    = 0.1  // of the residual at the start, that may be left when directions are at an end
	krylovTrial     = 20   // solves before it is judged by what it took
	krylovTypical   = 4.0  // about how many directions a solve takes
	costIncomplete  = 2.0  // nanoseconds of a preconditioner's entry
	costVector      = 10.0 // and of an unknown, in the products and the sums of vectors
)

// krylovCost is about how many nanoseconds a solve takes, with its share of the incomplete factors.
func krylovCost(p *sparse.Pattern) float64 {
	return krylovTypical*directionCost(p) + incompleteCost(p)/solvesPerFactor
}

// directionCost is that of one direction.
func directionCost(p *sparse.Pattern) float64 {
	return costIncomplete*float64(p.NNZ()) + costVector*float64(p.N())
}

// incompleteCost bounds that of incomplete factors: each pivot meets what stands below it with what stands to its right.
func incompleteCost(p *sparse.Pattern) float64 {
	right := make([]float64, p.N())
	below := make([]float64, p.N())
	for j := range p.N() {
		rows, _ := p.Column(j)
		for _, i := range rows {
			switch {
			case int(i) > j:
				below[j]++
			case int(i) < j:
				right[i]++
			}
		}
	}
	sum := 0.0
	for k, b := range below {
		sum += b * right[k]
	}
	return costIncomplete * sum
}

// dear reports whether directions have been so many that the direct solver that was the alternative is cheaper.
func (k *krylov) dear(c *sparse.Choice) bool {
	p := k.ilu.Pattern()
	took := directionCost(p)*float64(k.directions) + incompleteCost(p)*float64(k.solves)/solvesPerFactor
	return k.solves >= krylovTrial && took > float64(k.solves)*(c.Factor/solvesPerFactor+c.Solve)
}

func newKrylov(sys *system.System, p *sparse.Pattern) (*krylov, error) {
	ilu, err := sparse.NewILU(p)
	if err != nil {
		return nil, err
	}
	k := bareKrylov(sys)
	k.ilu = ilu
	return k, nil
}

// bareKrylov is GMRES without a preconditioner.
func bareKrylov(sys *system.System) *krylov {
	n := sys.NX
	k := &krylov{rhs: sys.RHS.Clone()}
	flat := make([]float64, n*(2*krylovDim+4))
	cut := func() []float64 {
		c := flat[:n:n]
		flat = flat[n:]
		return c
	}
	for i := range k.v {
		k.v[i] = cut()
	}
	for i := range k.z {
		k.z[i] = cut()
	}
	k.w2, k.b, k.x = cut(), cut(), cut()
	return k
}

var errKrylov = errors.New("GMRES does not converge")

// factor follows a matrix M − c·J, of which a are the entries.
func (k *krylov) factor(m *matrix, a []float64) error {
	if m.mass != nil {
		if k.rows == nil {
			k.rows = make([]float64, m.n)
		}
		for i := range k.rows {
			k.rows[i] = math.Abs(a[m.shifted.Pattern().Index(i, i)])
		}
		p := m.massOf.Pattern
		for j := range m.n {
			list, first := p.Column(j)
			for n, i := range list {
				if m.mass[first+n] != 0 {
					k.rows[i] = 1
				}
			}
		}
	}
	if k.pre != nil {
		return k.pre.Factor(m.c, m.jt, m.jx)
	}
	return k.ilu.Factor(a)
}

// precondition replaces z by about A⁻¹·z.
func (k *krylov) precondition(z []float64) {
	if k.pre != nil {
		k.pre.Solve(z)
		return
	}
	k.ilu.Solve(z)
}

// Preconditioner is a user's way to nearly solve the linear equations of implicit steps, in place of incomplete factors of the Jacobian: what GMRES takes for A⁻¹, where
// A = M − c·J. The nearer it is, the fewer products GMRES needs; the solution does not depend on it. It serves one goroutine.
type Preconditioner interface {
	// Factor follows A for a c and for J at (t, x), x read only. An error makes the step shorter.
	Factor(c, t float64, x []float64) error
	// Solve replaces b by about A⁻¹·b. It must be linear.
	Solve(b []float64)
}

// solve is matrix.solveNear.
func (k *krylov) solve(m *matrix, b []float64, c, t float64, x0, w []float64, tol float64) error {
	n := len(b)
	over := 1 / float64(n)
	if k.rows == nil {
		for i, v := range w {
			k.w2[i] = v * v * over
		}
	} else {
		for i, v := range w {
			v /= k.rows[i]
			k.w2[i] = v * v * over
		}
	}
	k.solves++
	x := k.x[:n]
	clear(x)
	copy(k.v[0], b)
	first := math.Sqrt(dot3(b, b, k.w2))
	beta := first
	for cycle := range krylovRestarts {
		if !(beta <= math.MaxFloat64) {
			return errNotFinite
		}
		if beta <= tol && cycle > 0 || beta == 0 {
			break
		}
		if cycle == 0 {
			copy(k.b, b)
		}
		times(k.v[0], 1/beta)
		j := k.cycle(m, c, t, x0, beta, tol)
		// x += Z·y, with h triangular.
		var y [krylovDim]float64
		for i := j - 1; i >= 0; i-- {
			s := k.g[i]
			for l := i + 1; l < j; l++ {
				s -= k.h[l][i] * y[l]
			}
			y[i] = s / k.h[i][i]
		}
		for i := range j {
			add(x, y[i], k.z[i])
		}
		if beta = math.Abs(k.g[j]); beta <= tol {
			break
		}
		// The residual anew.
		k.multiply(m, k.v[0], x, c, t, x0)
		for i, v := range k.b {
			k.v[0][i] = v - k.v[0][i]
		}
		beta = math.Sqrt(dot3(k.v[0], k.v[0], k.w2))
	}
	if k.left = 0; beta > tol {
		if k.left = beta / first; !(k.left <= krylovEnough) {
			return errKrylov
		}
	}
	copy(b, x)
	return nil
}

// cycle builds directions from v[0] until the residual, of beta at the start, is below tol, and returns how many.
func (k *krylov) cycle(m *matrix, c, t float64, x0 []float64, beta, tol float64) int {
	k.g[0] = beta
	for j := range krylovDim {
		v, h := k.v[j+1], &k.h[j]
		copy(k.z[j], k.v[j])
		k.precondition(k.z[j])
		k.multiply(m, v, k.z[j], c, t, x0)
		m.stats.Krylov++
		k.directions++
		for i := 0; i <= j; i++ {
			h[i] = dot3(k.v[i], v, k.w2)
			add(v, -h[i], k.v[i])
		}
		norm := math.Sqrt(dot3(v, v, k.w2))
		for i := range j {
			h[i], h[i+1] = k.cs[i]*h[i]+k.sn[i]*h[i+1], -k.sn[i]*h[i]+k.cs[i]*h[i+1]
		}
		r := math.Hypot(h[j], norm)
		if !(r > 0) {
			k.g[j] = beta // no direction at all: the matrix is singular
			return j
		}
		k.cs[j], k.sn[j] = h[j]/r, norm/r
		h[j] = r
		k.g[j], k.g[j+1] = k.cs[j]*k.g[j], -k.sn[j]*k.g[j]
		if !(math.Abs(k.g[j+1]) > tol) || j == krylovDim-1 || norm == 0 {
			return j + 1
		}
		times(v, 1/norm)
	}
	return krylovDim
}

// multiply writes (M − c·J)·v into z.
func (k *krylov) multiply(m *matrix, z, v []float64, c, t float64, x0 []float64) {
	k.rhs.JVP(z, t, x0, nil, 0, v, nil)
	if m.mass == nil {
		for i, a := range v[:len(z)] {
			z[i] = a - c*z[i]
		}
		return
	}
	for i := range z {
		z[i] *= -c
	}
	m.addMass(z, v)
}

// dot3 is Σ a_i·b_i·w_i.
func dot3(a, b, w []float64) float64 {
	b, w = b[:len(a)], w[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+3 < len(a); i += 4 {
		s0 += a[i] * b[i] * w[i]
		s1 += a[i+1] * b[i+1] * w[i+1]
		s2 += a[i+2] * b[i+2] * w[i+2]
		s3 += a[i+3] * b[i+3] * w[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i] * w[i]
	}
	return s0 + s1 + (s2 + s3)
}

func times(x []float64, a float64) {
	for i := range x {
		x[i] *= a
	}
}
