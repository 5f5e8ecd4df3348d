package libm

import "math"

// The exponential and what is made of it. The argument is reduced by multiples of ln 2 in two parts (W. J. Cody
// and W. Waite, Software Manual for the Elementary Functions, 1980); the remainder's polynomial
// is evaluated in Estrin's scheme, whose short chains of dependent operations suit today's processors.

const (
	log2e   = 1.4426950408889634
	log2eLo = 2.0355273740931033e-17
	ln2Hi   = 0.6931471805598903 // 42 bits: k·ln2Hi is exact for every exponent k
	ln2Lo   = 5.497923018708371e-14

	// rounder, added to a small number, leaves the nearest whole number in the last bits.
	rounder = 0x1.8p52
)

// expTail is (eʳ − 1 − r) for |r| ≤ ln 2/2, to about 2⁻⁶⁰ of 1.
func expTail(r float64) float64 {
	const (
		c3  = 0.16666666666666669
		c4  = 0.041666666666666664
		c5  = 0.008333333333330062
		c6  = 0.0013888888888886552
		c7  = 0.00019841269863053618
		c8  = 2.4801587317144498e-05
		c9  = 2.7557268459997064e-06
		c10 = 2.755728296954995e-07
		c11 = 2.510038549551032e-08
		c12 = 2.0911236630261545e-09
	)
	r2 := r * r
	r4 := r2 * r2
	lo := math.FMA(math.FMA(c6, r, c5), r2, math.FMA(c4, r, c3))
	hi := math.FMA(math.FMA(c10, r, c9), r2, math.FMA(c8, r, c7))
	q := math.FMA(math.FMA(math.FMA(c12, r, c11), r4, hi), r4, lo)
	return float64(r2 * math.FMA(q, r, 0.5))
}

// reduce writes x as k ln 2 + r + rl with |r| ≤ ln 2/2 (or a hair more).
func reduce(x float64) (r, rl float64, k int64) {
	m := math.FMA(x, log2e, rounder)
	k = int64(math.Float64bits(m)) - int64(math.Float64bits(rounder))
	kf := m - rounder
	h := math.FMA(-kf, ln2Hi, x)
	r = math.FMA(-kf, ln2Lo, h)
	return r, math.FMA(-kf, ln2Lo, h-r), k
}

// scale is y·2ᵏ for y near 1, rounded once where the result is subnormal.
func scale(y float64, k int64) float64 {
	switch {
	case k >= -1021 && k <= 1023:
		return math.Float64frombits(math.Float64bits(y) + uint64(k)<<52)
	case k > 1023:
		return math.Float64frombits(math.Float64bits(y)+1023<<52) * math.Float64frombits(uint64(min(k, 2046))<<52)
	}
	return math.Float64frombits(math.Float64bits(y)+uint64(k+1000)<<52) * 0x1p-1000
}

const (
	expMax = 709.782712893384   // ln of the largest number
	expMin = -745.1332191019412 // half the smallest
)

// Exp is eˣ.
func Exp(x float64) float64 {
	if !(x <= expMax) {
		return x + math.Inf(1) // NaN stays
	}
	if x < expMin {
		return 0
	}
	m := math.FMA(x, log2e, rounder)
	k := int64(math.Float64bits(m)) - int64(math.Float64bits(rounder))
	kf := m - rounder
	r := math.FMA(-kf, ln2Lo, math.FMA(-kf, ln2Hi, x))
	return scale(1+(r+expTail(r)), k)
}

// Exp2 is 2ˣ, exact for whole x.
func Exp2(x float64) float64 {
	switch {
	case !(x < 1024):
		return x + math.Inf(1)
	case x < -1075:
		return 0
	}
	m := x + rounder
	k := int64(math.Float64bits(m)) - int64(math.Float64bits(rounder))
	f := x - (m - rounder)
	r := float64(f * math.Ln2)
	rl := math.FMA(f, math.Ln2, -r) + float64(f*2.3190468138462996e-17)
	return scale(1+(r+(expTail(r)+rl)), k)
}

// expm1 is eˣ − 1 as the sum of two numbers, for |x| at most 45.
func expm1(x float64) (hi, lo float64) {
	r, rl, k := reduce(x)
	c := expTail(r)
	p := r + c
	pl := (r - p) + c + rl
	s := math.Float64frombits(uint64(k+1023) << 52)
	hi, lo = twoSum(s-1, s*p)
	return hi, lo + float64(s*pl)
}

// twoSum is a + b exactly, as the sum of two numbers (D. E. Knuth, The Art of Computer Programming 2, 4.2.2).
func twoSum(a, b float64) (hi, lo float64) {
	hi = a + b
	c := hi - a
	return hi, (a - (hi - c)) + (b - c)
}

// quotient is (a + al)/(b + bl).
func quotient(a, al, b, bl float64) float64 {
	y := 1 / b
	q := a * y
	rem := math.FMA(-q, bl, al) + math.FMA(-q, b, a)
	return math.FMA(rem, y, q)
}

const tiny = 0x1p-28

// Expm1 is eˣ − 1, accurate near 0.
func Expm1(x float64) float64 {
	switch {
	case math.Abs(x) < 0x1p-54:
		return x
	case x < -40:
		return -1
	case !(x < 40):
		return Exp(x) // the 1 is less than half an ulp
	}
	hi, lo := expm1(x)
	return hi + lo
}

// Tanh is the hyperbolic tangent, t/(t + 2) with t = e^{2|x|} − 1 carried in two numbers.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	if !(a < 20) {
		if a >= 20 {
			return math.Copysign(1, x)
		}
		return x
	}
	if a < tiny {
		return x
	}
	t, tl := expm1(2 * a)
	d, dl := twoSum(t, 2)
	return math.Copysign(quotient(t, tl, d, dl+tl), x)
}

// hyperMax is where sinh and cosh overflow.
const hyperMax = 710.4758600739439

// halfExp is eˣ/2 for x up to where that overflows.
func halfExp(x float64) float64 {
	if !(x <= hyperMax) {
		return x + math.Inf(1)
	}
	r, rl, k := reduce(x)
	return scale(1+(r+(expTail(r)+rl)), k-1)
}

// Sinh is the hyperbolic sine.
func Sinh(x float64) float64 {
	a := math.Abs(x)
	if a < tiny {
		return x
	}
	if !(a < 22) {
		return math.Copysign(halfExp(a), x)
	}
	t, tl := expm1(a)
	e, el := twoSum(t, 1)
	q := quotient(t, tl, e, el+tl)
	hi, lo := twoSum(t, q)
	return math.Copysign(0.5*(hi+(lo+tl)), x)
}

// Cosh is the hyperbolic cosine.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	if !(a < 22) {
		return halfExp(a)
	}
	e := Exp(a)
	return 0.5*e + 0.5/e
}

// Sigmoid is 1/(1 + e⁻ˣ).
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	d := 1 + e
	return quotient(e, 0, d, e-(d-1))
}

// Softplus is log(1 + eˣ).
func Softplus(x float64) float64 {
	if x > 0 {
		return x + Log1p(Exp(-x))
	}
	return Log1p(Exp(x))
}

// Relu is max(x, 0); NaN stays.
func Relu(x float64) float64 { return max(x, 0) }

// Sign is −1, 0 or 1 with the sign of x; NaN stays.
func Sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}
