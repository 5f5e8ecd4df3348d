package train

import "math"

// Line search for the strong Wolfe conditions: first steps grow until an interval is found that
// must hold a good one, then the interval shrinks by cubic interpolation, guarded by bisection.
// An infinite value is the far end of an interval, so that a solve that fails only shortens the
// step. Where the strong conditions cannot be had, since the slope jumps across a kink of abs, max and their like, a
// step that meets the weak ones is taken: it lies behind the kink, so that the curvature learns of both sides.
//
// J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition, Springer 2006, algorithms 3.5
// and 3.6, equation 3.59; A. S. Lewis, M. L. Overton, Nonsmooth optimization via quasi-Newton methods, Mathematical
// Programming 141 (2013), 135–163.

const (
	armijo     = 1e-4 // share of the predicted decrease that a step must bring
	wolfe      = 0.9  // share of the slope that may be left
	maxTrials  = 30
	patience   = 8 // trials after which the weak conditions are enough
	growth     = 4.0
	insideEnds = 0.1 // a trial keeps this share of the interval away from its ends
)

// lineSearch searches along dir from x0. It owns nothing: x and g are the optimiser's point and
// gradient, which it moves.
type lineSearch struct {
	r        *run
	x0, g0   []float64 // where the search starts
	x, g     []float64 // the trial
	dir      []float64
	accepted float64 // the step at which x and g stand
}

// probe is a point on the line.
type probe struct{ a, f, d float64 } // step, value, slope; slope NaN where the value is +Inf

// at evaluates the step a.
func (s *lineSearch) at(a float64) (probe, error) {
	for i := range s.x {
		s.x[i] = s.x0[i] + a*s.dir[i]
	}
	s.accepted = a
	f, err := s.r.eval(s.x, s.g)
	t := probe{a: a, f: f, d: math.NaN()}
	if err == nil && !math.IsInf(f, 1) {
		t.d = dot(s.dir, s.g)
	}
	return t, err
}

// search looks for a step from f0 with slope d0 < 0, trying first the given one. On success x and
// g stand there. It fails when no trial lowered the value; x and g then stand where they stood.
func (s *lineSearch) search(f0, d0, first float64) (f, step float64, ok bool, err error) {
	copy(s.x0, s.x)
	copy(s.g0, s.g)
	lo := probe{0, f0, d0}
	best := lo
	var hi, weak probe // weak: the lowest step that meets the weak conditions
	bracketed := false
	a := first
	for trial := 0; trial < maxTrials; trial++ {
		if trial >= patience && weak.a > 0 {
			best = weak
			break
		}
		t, err := s.at(a)
		if err != nil {
			return f0, 0, false, err
		}
		if t.f < best.f {
			best = t
		}
		low := t.f <= f0+armijo*t.a*d0 && t.f < f0
		if low && t.d >= wolfe*d0 && (weak.a == 0 || t.f < weak.f) {
			weak = t
		}
		switch {
		case !low || t.f >= lo.f && lo.a > 0:
			hi, bracketed = t, true
		case math.Abs(t.d) <= -wolfe*d0:
			return t.f, t.a, true, nil
		case !bracketed && t.d < 0:
			lo, a = t, growth*t.a
			continue
		case t.d*(hi.a-lo.a) >= 0 || !bracketed:
			// The minimum lies between the new low point and the old one.
			hi, lo, bracketed = lo, t, true
		default:
			lo = t
		}
		w := hi.a - lo.a
		if math.Abs(w) <= 1e-14*math.Max(math.Abs(hi.a), math.Abs(lo.a)) || lo.a+0.5*w == lo.a {
			if weak.a > 0 {
				best = weak
			}
			break
		}
		a = lo.a + w*inside(lo, hi)
	}
	if best.a == 0 {
		copy(s.x, s.x0)
		copy(s.g, s.g0)
		return f0, 0, false, nil
	}
	// Not as good as it should be, yet lower: a candidate that the optimiser may go on from.
	if s.accepted != best.a {
		if best, err = s.at(best.a); err != nil {
			return f0, 0, false, err
		}
	}
	return best.f, best.a, true, nil
}

// inside is the share of the way from lo to hi at which to try next: the minimum of the cubic
// through both values and slopes, kept away from the ends.
func inside(lo, hi probe) float64 {
	w := hi.a - lo.a
	if math.IsInf(hi.f, 1) {
		// Nothing is known of how far the finite values reach, so the step is cut hard.
		return 0.25
	}
	d1 := lo.d + hi.d - 3*(lo.f-hi.f)/(lo.a-hi.a)
	d2 := math.Copysign(math.Sqrt(d1*d1-lo.d*hi.d), w)
	p := 1 - (hi.d+d2-d1)/(hi.d-lo.d+2*d2)
	if !(p >= 0 && p <= 1) {
		return 0.5
	}
	return min(max(p, insideEnds), 1-insideEnds)
}

// learn tells h of the accepted step. A step that shows no positive curvature is kept from it, since
// it would cost the approximation its definiteness. x0 and g0 are overwritten.
func (s *lineSearch) learn(h curvature) {
	step, change := s.x0, s.g0
	for i := range s.x {
		step[i] = s.x[i] - s.x0[i]
		change[i] = s.g[i] - s.g0[i]
	}
	sy, ss, yy := dot(step, change), dot(step, step), dot(change, change)
	if yy > 0 && sy > 1e-12*math.Sqrt(ss)*math.Sqrt(yy) {
		h.update(step, change, sy, yy)
	}
}
