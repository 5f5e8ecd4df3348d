package solve

import (
	"errors"
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// krylov solves (M − c·J)·x = b by GMRES, from products of J with vectors, which are exact derivatives of the right-hand side at the point in question, and
// with the incomplete factors of a matrix M − ĉ·Ĵ near by as preconditioner. That stands on the left: so what the iteration makes small is about the
// error of x, and is measured as Newton's iteration measures it.
//
// Y. Saad, M. H. Schultz, GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear systems, SIAM Journal on Scientific and Statistical
// Computing 7 (1986), 856–869; P. N. Brown, A. C. Hindmarsh, Reduced storage matrix methods in stiff ODE systems, Applied Mathematics and Computation 31
// (1989), 40–91, for the scaled norm and the tolerance within Newton's iteration.
type krylov struct {
	rhs  system.Func
	ilu  *sparse.ILU
	v    [krylovDim + 1][]float64 // orthonormal
	h    [krylovDim][krylovDim + 2]float64
	cs   [krylovDim]float64 // rotations that make h triangular
	sn   [krylovDim]float64
	g    [krylovDim + 1]float64
	w2   []float64 // squares of the weights, over their number
	b, r []float64
	x    []float64
}

const (
	krylovDim       = 20   // directions before a restart
	krylovRestarts  = 3    // before it is given up
	krylovShare     = 0.1  // of the tolerance of Newton's iteration, that an error of the linear equations may have
	solvesPerFactor = 6.0  // about how often a matrix is used, for the choice
	krylovTypical   = 4.0  // about how many directions a solve takes
	costIncomplete  = 2.0  // nanoseconds of a preconditioner's entry
	costVector      = 10.0 // and of an unknown, in the products and the sums of vectors
)

// krylovCost is about how many nanoseconds a solve takes.
func krylovCost(p *sparse.Pattern) float64 {
	return krylovTypical * (costIncomplete*float64(p.NNZ()) + costVector*float64(p.N()))
}

func newKrylov(sys *system.System, p *sparse.Pattern) (*krylov, error) {
	ilu, err := sparse.NewILU(p)
	if err != nil {
		return nil, err
	}
	n := p.N()
	k := &krylov{rhs: sys.RHS.Clone(), ilu: ilu}
	flat := make([]float64, n*(krylovDim+5))
	cut := func() []float64 {
		c := flat[:n:n]
		flat = flat[n:]
		return c
	}
	for i := range k.v {
		k.v[i] = cut()
	}
	k.w2, k.b, k.r, k.x = cut(), cut(), cut(), cut()
	return k, nil
}

var errKrylov = errors.New("GMRES does not converge")

// solve is matrix.solveNear.
func (k *krylov) solve(m *matrix, b []float64, c, t float64, x0, w []float64, tol float64) error {
	n := len(b)
	over := 1 / float64(n)
	for i, v := range w {
		k.w2[i] = v * v * over
	}
	x := k.x[:n]
	clear(x)
	copy(k.b, b)
	copy(k.v[0], b)
	k.ilu.Solve(k.v[0])
	first := math.Sqrt(dot3(k.v[0], k.v[0], k.w2))
	beta := first
	for range krylovRestarts {
		if !(beta <= math.MaxFloat64) {
			return fmt.Errorf("%w: a value is not finite", errKrylov)
		}
		if beta <= tol {
			break
		}
		times(k.v[0], 1/beta)
		j := k.cycle(m, c, t, x0, beta, tol)
		// x += V·y, with h triangular.
		var y [krylovDim]float64
		for i := j - 1; i >= 0; i-- {
			s := k.g[i]
			for l := i + 1; l < j; l++ {
				s -= k.h[l][i] * y[l]
			}
			y[i] = s / k.h[i][i]
		}
		for i := range j {
			add(x, y[i], k.v[i])
		}
		if last := math.Abs(k.g[j]); last <= tol {
			beta = last
			break
		}
		// The residual anew.
		k.multiply(m, k.r, x, c, t, x0)
		for i := range k.r {
			k.v[0][i] = k.b[i] - k.r[i]
		}
		k.ilu.Solve(k.v[0])
		beta = math.Sqrt(dot3(k.v[0], k.v[0], k.w2))
	}
	if beta > tol && !(beta <= 0.5*first) {
		return errKrylov
	}
	if first <= tol {
		copy(x, k.v[0])
	}
	copy(b, x)
	return nil
}

// cycle builds directions from v[0] until the residual, of beta at the start, is below tol, and returns how many.
func (k *krylov) cycle(m *matrix, c, t float64, x0 []float64, beta, tol float64) int {
	k.g[0] = beta
	for j := range krylovDim {
		z, h := k.v[j+1], &k.h[j]
		k.multiply(m, z, k.v[j], c, t, x0)
		k.ilu.Solve(z)
		m.stats.Krylov++
		for i := 0; i <= j; i++ {
			h[i] = dot3(k.v[i], z, k.w2)
			add(z, -h[i], k.v[i])
		}
		norm := math.Sqrt(dot3(z, z, k.w2))
		for i := range j {
			h[i], h[i+1] = k.cs[i]*h[i]+k.sn[i]*h[i+1], -k.sn[i]*h[i]+k.cs[i]*h[i+1]
		}
		r := math.Hypot(h[j], norm)
		if r == 0 {
			return j
		}
		k.cs[j], k.sn[j] = h[j]/r, norm/r
		h[j] = r
		k.g[j], k.g[j+1] = k.cs[j]*k.g[j], -k.sn[j]*k.g[j]
		if !(math.Abs(k.g[j+1]) > tol) || j == krylovDim-1 || norm == 0 {
			return j + 1
		}
		times(z, 1/norm)
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
