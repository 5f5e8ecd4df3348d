package solve

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// MaxEigenvalues is up to how many states the eigenvalues at a steady state are computed.
const MaxEigenvalues = 200

// stability says what the eigenvalues of J, which is evaluated at the steady state, tell.
func (s *steady) stability() {
	o, n := s.out, s.sys.NX
	switch {
	case s.sys.Mass != nil:
		o.Stability = "not looked at: there are algebraic equations, or a mass matrix"
		return
	case n > MaxEigenvalues:
		o.Stability = fmt.Sprintf("not looked at: more than %d states", MaxEigenvalues)
		return
	}
	a := mat.NewDense(n, n, nil)
	for j := range n {
		rows, first := s.mat.pattern.Column(j)
		for k, i := range rows {
			a.Set(int(i), j, s.mat.v[first+k])
		}
	}
	var e mat.Eigen
	if !finite(s.mat.v) || !e.Factorize(a, mat.EigenNone) {
		o.Stability = "not known: the eigenvalues could not be computed"
		return
	}
	o.Eigenvalues = e.Values(nil)
	slices.SortFunc(o.Eigenvalues, func(p, q complex128) int {
		switch {
		case real(p) != real(q):
			if real(p) > real(q) {
				return -1
			}
			return 1
		case imag(p) > imag(q):
			return -1
		}
		return 1
	})
	norm := mat.Norm(a, 1)
	// What is zero but for the rounding of the matrix; a defective zero would be further off.
	tiny := max(64*0x1p-52*norm*float64(n), s.doubt())
	zeros, grow := 0, 0
	most := math.Inf(-1)
	for _, v := range o.Eigenvalues {
		switch {
		case math.Abs(real(v)) <= tiny && math.Abs(imag(v)) <= tiny:
			zeros++
			continue
		case real(v) > tiny:
			grow++
		}
		most = max(most, real(v))
	}
	switch {
	case grow > 0:
		o.Stability = fmt.Sprintf("unstable: %d of %d eigenvalues with positive real part, the largest %.4g", grow, n, most)
	case zeros == n || math.Abs(most) <= tiny || zeros > 0 && (!o.Singular || zeros > len(s.kept)):
		o.Stability = "undecided: an eigenvalue has no real part, to rounding"
	case zeros > 0:
		o.Stability = fmt.Sprintf("stable for given conserved quantities, of which there are %d: the largest real part of the other eigenvalues is %.4g", zeros, most)
	default:
		o.Stability = fmt.Sprintf("stable: the largest real part of an eigenvalue is %.4g", most)
	}
}

// doubt is by how much J changes where the state changes by ten tolerances: what an eigenvalue is not known to.
func (s *steady) doubt() float64 {
	v := append([]float64(nil), s.mat.v...)
	for i, x := range s.x {
		s.xt[i] = x + 10*(s.p.Atol+s.p.Rtol*math.Abs(x))
	}
	s.mat.jacobian(nil, s.p.T, s.xt)
	for k := range v {
		s.mat.v[k] -= v[k]
	}
	d := s.jacobianNorm()
	copy(s.mat.v, v)
	if math.IsNaN(d) {
		return 0
	}
	return d
}
