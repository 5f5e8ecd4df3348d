package solve

import (
	"errors"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
)

// Newton's method with the error-oriented, affine invariant damping of algorithm NLEQ-ERR: a step x + λΔx is taken where the
// simplified correction Δx̄ = −J(x)⁻¹ f(x + λΔx), computed with the same factors, has become shorter; λ follows from how far it is from (1 − λ)Δx. Nothing depends on
// how the equations are scaled. Linear equations take one step, and Δx̄ corrects its rounding.
//
// P. Deuflhard, Newton Methods for Nonlinear Problems: Affine Invariance and Adaptive Algorithms, Springer 2004, section 3.3.3.
const (
	leastDamping = 1e-8
	// singularCondition is from which condition on J does not determine a correction: rounding of its entries makes an inverse of a matrix that has none.
	singularCondition = 1e13
)

// newton is true at a root.
func (s *steady) newton() bool {
	if s.lu == nil {
		s.said("Newton's method cannot be used, for the derivatives of the equations are singular (%v)", s.singular)
		return false
	}
	done, n, why := s.damped(s.p.Iterations)
	s.iterations += n
	if done {
		s.said("Newton's method, %s", iterations(n))
		return true
	}
	switch {
	case why == "":
		return false
	case n == 0:
		s.said("Newton's method does not apply (%s)", why)
		return false
	}
	s.said("Newton's method failed after %s (%s)", iterations(n), why)
	return false
}

// damped iterates from x; why is "" when cancelled.
func (s *steady) damped(most int) (done bool, n int, why string) {
	lambda, last, lastBar := 1.0, 0.0, 0.0
	gap := 0.0 // ‖Δx̄ − Δx‖, Δx̄ of the step before
	for n = 1; n <= most; n++ {
		if s.ctx.Err() != nil {
			return false, n - 1, ""
		}
		s.mat.jacobian(nil, s.p.T, s.x)
		if !finite(s.mat.v) {
			return false, n - 1, "a derivative is not finite"
		}
		if err := s.factor(n == 1); err != nil {
			return false, n - 1, err.Error()
		}
		for i, v := range s.f {
			s.d[i] = -v
		}
		s.lu.Solve(s.d)
		size := s.norm(s.d, s.x)
		if !(size < math.Inf(1)) {
			return false, n - 1, "a correction is not finite"
		}
		if size == 0 {
			return true, n, ""
		}
		if n > 1 {
			for i, v := range s.d {
				s.w[i] = s.bar[i] - v
			}
			gap = s.norm(s.w, s.x)
			lambda = min(1, last*lastBar/(gap*size)*lambda)
			if gap == 0 {
				lambda = 1
			}
			if s.rounded() {
				return true, n, ""
			}
		}
		reduced := false
		for {
			if lambda < leastDamping {
				return false, n, "steps became too short: no root lies in this direction"
			}
			for i, v := range s.d {
				s.xt[i] = s.x[i] + lambda*v
			}
			s.eval(s.ft, s.xt)
			if !finite(s.ft) {
				lambda, reduced = lambda/4, true
				continue
			}
			for i, v := range s.ft {
				s.bar[i] = -v
			}
			s.lu.Solve(s.bar)
			lastBar = s.norm(s.bar, s.x)
			for i, v := range s.bar {
				s.w[i] = v - (1-lambda)*s.d[i]
			}
			next := math.Inf(1)
			if bend := s.norm(s.w, s.x); bend > 0 {
				next = 0.5 * size * lambda * lambda / bend
			}
			if !(lastBar < size*(1-lambda/4)) && !(lambda == 1 && lastBar <= 1) {
				lambda, reduced = min(next, lambda/2), true
				continue
			}
			next = min(1, next)
			if lambda == 1 && next == 1 && s.norm(s.bar, s.xt) <= 1 {
				for i, v := range s.bar {
					s.x[i] = s.xt[i] + v
				}
				s.eval(s.f, s.x)
				return finite(s.f), n, "the root is not where the equations are defined"
			}
			if next >= 4*lambda && !reduced {
				lambda = next
				continue
			}
			break
		}
		last = size
		s.x, s.xt = s.xt, s.x
		s.f, s.ft = s.ft, s.f
	}
	return false, most, "more iterations than are allowed"
}

// factor factors J; look says to ask also how well it determines a correction.
func (s *steady) factor(look bool) error {
	s.counter.Factors++
	if err := s.lu.Factor(s.mat.v); err != nil {
		var g *sparse.GrowthError
		if errors.As(err, &g) {
			return err
		}
		s.singular = s.mat.named(err)
		return s.singular
	}
	if look && sparse.Condition(s.lu, &sparse.Matrix{Pattern: s.mat.pattern, Values: s.mat.v}) > singularCondition {
		s.singular = errSingular
		return errSingular
	}
	return nil
}

var errSingular = errors.New("the equations do not determine all states: some combination of them is zero everywhere, as in a closed system")
