package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// control is the proportional-integral control of package method, with its memory.
type control struct {
	k1     float64 // order of the error estimate's leading term
	logErr float64 // binary logarithm of the last accepted step's error
}

// forgetErrors makes the next step the first.
func (c *control) forgetErrors() { c.logErr = method.Log2(method.MinError) }

// accepted is the factor from an accepted step to the next.
func (c *control) accepted(err float64) float64 {
	e := method.Log2(max(err, method.MinError))
	f := method.Safety * method.Exp2((method.Beta*c.logErr-method.Alpha*e)/c.k1)
	c.logErr = e
	return min(max(f, method.Shrink), method.Grow)
}

// calm keeps a step from growing right after a rejection, which would only invite the next one.
func (s *Stepper) calm(f float64) float64 {
	if s.rejected {
		return min(f, 1)
	}
	return f
}

// refused is the factor from a rejected step to the next attempt.
func (c *control) refused(err float64) float64 {
	return max(method.Shrink, method.Safety*method.Exp2(-method.Log2(err)/c.k1))
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
