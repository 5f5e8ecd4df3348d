package train

import (
	"fmt"
	"math"
)

// Bounds are kept by a change of variable: the optimiser sees u, any real number, the model sees
// θ(u), always within its bounds, smooth and increasing.
//
//	no bounds       θ = s u
//	lo ≤ θ          θ = lo + s log(1 + eᵘ)
//	     θ ≤ hi     θ = hi − s log(1 + e⁻ᵘ)
//	lo ≤ θ ≤ hi     θ = lo + (hi − lo)/(1 + e⁻ᵘ)
//
// s is the scale: the magnitude that θ is expected to have, so that parameters of very different
// magnitudes look alike to the optimiser. One-sided bounds use the softplus, whose growth is only
// linear, where an exponential would let a long step overshoot by magnitudes.
//
// The Stan Development Team, Stan Reference Manual 2.36, chapter Constraint transforms, for the
// logistic form; C. Dugas et al., Advances in Neural Information Processing Systems 13 (2001),
// 472–478, for the softplus.

// Transform is the map between a bounded θ and an unbounded u. NewTransform makes one.
type Transform struct {
	Lo, Hi float64 // ∓Inf without bounds
	Scale  float64 // positive; not used with two bounds, whose distance is the scale
}

// inward is how far from a bound a start is moved: this share of the width between two bounds, or
// of 1 + |bound| with one.
const inward = 1e-6

// NewTransform checks bounds and scale; scale 0 means 1. The error says what is wrong with them.
func NewTransform(lo, hi, scale float64) (Transform, error) {
	if scale == 0 {
		scale = 1
	}
	t := Transform{lo, hi, scale}
	switch {
	case !(scale > 0) || math.IsInf(scale, 0):
		return t, fmt.Errorf("the scale is %v; it must be a positive number", scale)
	case math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 1) || math.IsInf(hi, -1):
		return t, fmt.Errorf("%v..%v are no bounds", lo, hi)
	case lo >= hi:
		return t, fmt.Errorf("the bounds %v..%v leave no room to train", lo, hi)
	}
	if t.two() {
		w := hi - lo
		if math.IsInf(w, 0) {
			return t, fmt.Errorf("the bounds %v..%v are too far apart; leave one out", lo, hi)
		}
		if !(lo+inward*w > lo && hi-inward*w < hi) {
			return t, fmt.Errorf("the bounds %v..%v are too close together for numbers of this size", lo, hi)
		}
	}
	return t, nil
}

func (t Transform) two() bool { return !math.IsInf(t.Lo, 0) && !math.IsInf(t.Hi, 0) }

// Value is θ(u).
func (t Transform) Value(u float64) float64 {
	switch {
	case t.two():
		// From the nearer end, so that no digits are lost there.
		w := t.Hi - t.Lo
		if u < 0 {
			return min(t.Lo+w*logistic(u), t.Hi)
		}
		return max(t.Hi-w*logistic(-u), t.Lo)
	case !math.IsInf(t.Lo, 0):
		return t.Lo + t.Scale*softplus(u)
	case !math.IsInf(t.Hi, 0):
		return t.Hi - t.Scale*softplus(-u)
	}
	return t.Scale * u
}

// Slope is dθ/du, positive.
func (t Transform) Slope(u float64) float64 {
	switch {
	case t.two():
		return (t.Hi - t.Lo) * logistic(u) * logistic(-u)
	case !math.IsInf(t.Lo, 0):
		return t.Scale * logistic(u)
	case !math.IsInf(t.Hi, 0):
		return t.Scale * logistic(-u)
	}
	return t.Scale
}

// Inverse is u with θ(u) = θ, for a θ strictly within the bounds: see Inside.
func (t Transform) Inverse(th float64) float64 {
	switch {
	case t.two():
		return math.Log((th - t.Lo) / (t.Hi - th))
	case !math.IsInf(t.Lo, 0):
		return invSoftplus((th - t.Lo) / t.Scale)
	case !math.IsInf(t.Hi, 0):
		return -invSoftplus((t.Hi - th) / t.Scale)
	}
	return th / t.Scale
}

// Inside moves a start that lies on a bound, or nearer to it than 1e-6 of the width, inside by
// that much; of one bound the width is 1 + |bound|. A θ beyond the bounds is returned as it is, with ok false.
func (t Transform) Inside(th float64) (v float64, ok bool) {
	if !(th >= t.Lo && th <= t.Hi) || math.IsInf(th, 0) {
		return th, false
	}
	near := func(bound float64) float64 {
		if t.two() {
			return inward * (t.Hi - t.Lo)
		}
		return inward * (1 + math.Abs(bound))
	}
	if !math.IsInf(t.Lo, 0) {
		th = max(th, t.Lo+near(t.Lo))
	}
	if !math.IsInf(t.Hi, 0) {
		th = min(th, t.Hi-near(t.Hi))
	}
	return th, true
}

func logistic(u float64) float64 { return 1 / (1 + math.Exp(-u)) }

func softplus(u float64) float64 { return max(u, 0) + math.Log1p(math.Exp(-math.Abs(u))) }

// invSoftplus is log(eʸ − 1), written so that neither a large nor a small y loses digits.
func invSoftplus(y float64) float64 { return y + math.Log(-math.Expm1(-y)) }
