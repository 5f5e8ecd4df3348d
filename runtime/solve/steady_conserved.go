package solve

import (
	"math"
	"math/rand/v2"
)

// Linear conserved quantities wᵀM·x, those for which wᵀf is zero everywhere. Steps of continuation keep them but for rounding: what is left of wᵀf is multiplied by the length of the step, which
// knows no bounds, and moves the solution along the steady states. So they are found, and each step is told what they have to be.
//
// They are looked for by inverse iteration with the matrix of a long step: (M − τJ)ᵀw = Mᵀw where wᵀJ = 0, while all else shrinks by τ times its eigenvalue (G. H. Golub, C. F. Van Loan, Matrix
// Computations, 4th ed., 2013, section 7.6.1). The point is one in general position, where J has no rank defect but for their sake; and at other points they are made sure of.
const (
	mostConserved = 64    // quantities; where there are more nothing is corrected
	farSighted    = 1e10  // the step, in units of 1/‖J‖: long, but not so long that rounding of τJ hides M
	conservedTol  = 1e-11 // of a sum of zero, in units of the moduli of its terms
)

// conserve finds the conserved quantities, once.
func (s *steady) conserve() {
	if s.looked {
		return
	}
	s.looked = true
	n := len(s.x)
	r := rand.New(rand.NewPCG(1, 2))
	size := s.p.Atol / s.p.Rtol
	for _, v := range s.start {
		size = max(size, math.Abs(v))
	}
	point := func(share float64) []float64 {
		y := make([]float64, n)
		for i, v := range s.start {
			y[i] = v + share*(0.5+r.Float64())*max(math.Abs(v), size)
		}
		return y
	}
	first, others := point(0.05), [][]float64{point(0.02), point(0.1), point(0.5)}
	defer func() { s.mat.jacobian(nil, s.p.T, s.x) }()
	s.mat.jacobian(nil, s.p.T, first)
	if !finite(s.mat.v) {
		return
	}
	if s.mat.factor(farSighted/max(s.jacobianNorm(), 1e-200)) != nil {
		return
	}
	var found [][]float64
	w, z := make([]float64, n), make([]float64, n)
	for {
		for i := range w {
			w[i] = r.Float64() - 0.5
		}
		for range 6 {
			s.massTransposed(z, w)
			s.mat.lu.SolveTransposed(z)
			for _, u := range found {
				d := dot(u, z)
				for i := range z {
					z[i] -= d * u[i]
				}
			}
			norm := math.Sqrt(dot(z, z))
			if !(norm > 0 && norm < math.Inf(1)) {
				break
			}
			for i := range z {
				w[i] = z[i] / norm
			}
		}
		for i, v := range w { // what is rounding of a zero
			if math.Abs(v) < 1e-12 {
				w[i] = 0
			}
		}
		if !s.leftNull(w) {
			break
		}
		if len(found) == mostConserved {
			return
		}
		found = append(found, append([]float64(nil), w...))
	}
	for _, y := range others {
		s.eval(s.ft, y)
		s.mat.jacobian(nil, s.p.T, y)
		if !finite(s.ft) || !finite(s.mat.v) {
			return
		}
		s.terms(s.bar, y)
		for _, w := range found {
			sum, terms := 0.0, 0.0
			for i, v := range w {
				sum += v * s.ft[i]
				terms += math.Abs(v) * (s.bar[i] + math.Abs(s.ft[i]))
			}
			if !s.leftNull(w) || math.Abs(sum) > conservedTol*terms {
				return
			}
		}
	}
	s.kept = found
}

// leftNull reports whether wᵀJ is zero up to rounding.
func (s *steady) leftNull(w []float64) bool {
	for j := range s.x {
		rows, first := s.mat.pattern.Column(j)
		sum, terms := 0.0, 0.0
		for k, i := range rows {
			v := w[i] * s.mat.v[first+k]
			sum += v
			terms += math.Abs(v)
		}
		if !(math.Abs(sum) <= conservedTol*terms) && math.Abs(sum) > math.SmallestNonzeroFloat64 {
			return false
		}
	}
	return true
}

// keep changes the right-hand side b of a step's equation (M − τJ)d = b at x, so that conserved quantities come back to the values of the start.
func (s *steady) keep(b, x []float64) {
	if len(s.kept) == 0 {
		return
	}
	clear(s.w)
	for i := range x {
		s.off[i] = s.start[i] - x[i]
	}
	s.mat.addMass(s.w, s.off)
	for i := range b {
		s.w[i] -= b[i]
	}
	for _, w := range s.kept {
		d := dot(w, s.w)
		for i, v := range w {
			b[i] += d * v
		}
	}
}

// massTransposed writes Mᵀ·y into z.
func (s *steady) massTransposed(z, y []float64) {
	if s.mat.mass == nil {
		copy(z, y)
		return
	}
	p := s.mat.massOf.Pattern
	for j := range z {
		rows, first := p.Column(j)
		z[j] = 0
		for k, i := range rows {
			z[j] += s.mat.mass[first+k] * y[i]
		}
	}
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
