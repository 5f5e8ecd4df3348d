package solve

import "math"

// The step-size control is proportional-integral: after a step with scaled error e_n the next is
//
//	h_{n+1} = h_n · S · e_n^(−0.7/k) · e_{n−1}^(0.4/k),  k one more than the lower of both orders.
//
// K. Gustafsson, Control theoretic techniques for stepsize selection in explicit Runge–Kutta
// methods, ACM Transactions on Mathematical Software 17 (1991), 533–554; E. Hairer, G. Wanner,
// Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.2.
const (
	safety   = 0.9
	shrink   = 0.2  // the strongest cut after a step
	grow     = 10.0 // the strongest growth after a step
	badCut   = 0.2  // after a value that is not finite there is no error to go by
	minError = 1e-4 // errors below are taken for this one, lest a lucky step dictate the next
)

// accepted is the factor from an accepted step to the next.
func (s *Stepper) accepted(err float64) float64 {
	// One logarithm and one exponential do for both powers, which would cost as much as a stage.
	e := math.Log(max(err, minError))
	f := safety * math.Exp((0.4*s.logErr-0.7*e)/s.k1)
	s.logErr = e
	f = min(max(f, shrink), grow)
	if s.rejected {
		// Growing right after a rejection would only invite the next one.
		f = min(f, 1)
	}
	return f
}

// refused is the factor from a rejected step to the next attempt.
func (s *Stepper) refused(err float64) float64 {
	return max(shrink, safety*math.Pow(err, -1/s.k1))
}

// norm is the root mean square of e_i/(atol_i + rtol·max(|x_i|, |y_i|)), and the largest of
// these where the states are measured in groups.
func (s *Stepper) norm(e, x, y []float64) float64 {
	worst := 0.0
	g := s.set.errGroup
	for lo := 0; lo < s.set.errStates; lo += g {
		sum := 0.0
		for i := lo; i < lo+g; i++ {
			r := e[i] / (s.set.atol[i] + s.set.rtol*max(math.Abs(x[i]), math.Abs(y[i])))
			sum += r * r
		}
		if v := math.Sqrt(sum / float64(g)); v > worst || v != v {
			worst = v
			if v != v {
				return v
			}
		}
	}
	return worst
}

// firstStep chooses the first step from the sizes of x, x' and x”, such that a step of
// Euler's method would err by a hundredth of the tolerance.
//
// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd edition,
// Springer 1993, section II.4.
func (s *Stepper) firstStep() float64 {
	span := math.Abs(s.tEnd - s.t)
	hmax := min(s.set.hmax, span)
	f0 := s.k[0]
	d0, d1 := s.norm(s.x, s.x, s.x), s.norm(f0, s.x, s.x)
	h0 := 1e-6
	if d0 >= 1e-5 && d1 >= 1e-5 {
		h0 = 0.01 * d0 / d1
	}
	h0 = min(h0, hmax)
	for range 20 {
		for i := range s.x1 {
			s.x1[i] = s.x[i] + s.set.dir*h0*f0[i]
		}
		s.eval(s.tmp, s.t+s.set.dir*h0, s.x1)
		for i := range s.e {
			s.e[i] = (s.tmp[i] - f0[i]) / h0
		}
		d2 := s.norm(s.e, s.x, s.x)
		if math.IsNaN(d2) || math.IsInf(d2, 0) {
			// The trial step left where f is defined; a shorter one must do.
			h0 *= 0.1
			continue
		}
		h1 := max(1e-6, 1e-3*h0)
		if d := max(d1, d2); d > 1e-15 {
			h1 = math.Pow(0.01/d, 1/s.k1)
		}
		return min(100*h0, h1, hmax)
	}
	return h0
}
