package libm

import "math"

// These call Go's math: rarely used, and within about 2 ulp there. On architectures where Go
// fuses operations their last bits may differ from those of others.

// Cbrt is the cube root, of negative numbers too.
func Cbrt(x float64) float64 { return math.Cbrt(x) }

// Asin is the arc sine.
func Asin(x float64) float64 { return math.Asin(x) }

// Acos is the arc cosine.
func Acos(x float64) float64 { return math.Acos(x) }

// Atan is the arc tangent.
func Atan(x float64) float64 { return math.Atan(x) }

// Atan2 is the angle of the point (x, y).
func Atan2(y, x float64) float64 { return math.Atan2(y, x) }

// Asinh is the inverse hyperbolic sine.
func Asinh(x float64) float64 { return math.Asinh(x) }

// Acosh is the inverse hyperbolic cosine.
func Acosh(x float64) float64 { return math.Acosh(x) }

// Atanh is the inverse hyperbolic tangent.
func Atanh(x float64) float64 { return math.Atanh(x) }

// Erf is the error function.
func Erf(x float64) float64 { return math.Erf(x) }

// Erfc is 1 − erf x, accurate for large x.
func Erfc(x float64) float64 { return math.Erfc(x) }

// Gamma is the gamma function; NaN at the negative whole numbers.
func Gamma(x float64) float64 { return math.Gamma(x) }

// Lgamma is log |Γ(x)|.
func Lgamma(x float64) float64 { v, _ := math.Lgamma(x); return v }

// Mod is the remainder of a/b with the sign of a, exact (C's fmod).
func Mod(a, b float64) float64 { return math.Mod(a, b) }

// Hypot is √(x² + y²) without overflow.
func Hypot(x, y float64) float64 {
	x, y = math.Abs(x), math.Abs(y)
	switch {
	case math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Inf(1) // even beside NaN
	case x < y:
		x, y = y, x
	}
	if !(y > x*0x1p-60) { // y is far below an ulp, or NaN, or both are 0
		return x + y
	}
	s := 1.0
	switch { // powers of two, so that scaling is exact
	case x > 0x1p500:
		s = 0x1p-600
	case x < 0x1p-400:
		s = 0x1p600
	}
	x, y = x*s, y*s
	// The square of the larger in two numbers keeps the sum to half an ulp.
	h := float64(x * x)
	l := math.FMA(x, x, -h)
	g := float64(y * y)
	sum := h + g
	return math.Sqrt(sum+(((h-sum)+g)+(l+math.FMA(y, y, -g)))) / s
}
