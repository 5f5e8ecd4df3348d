package libm

import "math"

// Logarithms: x = 2ᵏ m with m in [√½, √2), and log m = 2 artanh s, s = f/(2 + f), f = m − 1,
// whose series in s² converges quickly (the arrangement of K. C. Ng in the Sun math library; the
// coefficients are our own).

// split is x = 2ᵏ m for positive finite x.
func split(x float64) (m float64, k int64) {
	if x < 0x1p-1022 {
		x *= 0x1p54
		k = -54
	}
	b := math.Float64bits(x)
	e := int64(b-0x3fe6a09e667f3bcd) >> 52 // the bits of √½
	return math.Float64frombits(b - uint64(e)<<52), k + e
}

// artanhTail is (artanh s − s)/s for z = s², s ≤ 3 − 2√2.
func artanhTail(z float64) float64 {
	const (
		c0 = 0.3333333333333333
		c1 = 0.2000000000000044
		c2 = 0.1428571428540085
		c3 = 0.11111111196073517
		c4 = 0.09090897896931605
		c5 = 0.07693121109439696
		c6 = 0.06634352886485036
		c7 = 0.06543665238301859
	)
	z2 := z * z
	lo := math.FMA(math.FMA(c3, z, c2), z2, math.FMA(c1, z, c0))
	hi := math.FMA(math.FMA(c7, z, c6), z2, math.FMA(c5, z, c4))
	return float64(z * math.FMA(hi, z2*z2, lo))
}

// logSum is k ln 2 + log(1 + f) + c for a correction c far below the rest.
func logSum(f float64, k int64, c float64) float64 {
	s := f / (2 + f)
	h := 0.5 * float64(f*f)
	t := 2*artanhTail(s*s) + h
	kf := float64(k)
	return math.FMA(kf, ln2Hi, -((h - math.FMA(s, t, math.FMA(kf, ln2Lo, c))) - f))
}

// Log is the natural logarithm.
func Log(x float64) float64 {
	if v, ok := logSpecial(x); ok {
		return v
	}
	m, k := split(x)
	return logSum(m-1, k, 0)
}

// logSpecial handles what has no logarithm, and infinity.
func logSpecial(x float64) (float64, bool) {
	if x > 0 && x <= math.MaxFloat64 {
		return 0, false
	}
	switch {
	case x == 0:
		return math.Inf(-1), true
	case x < 0:
		return math.NaN(), true
	}
	return x, true
}

// Log1p is log(1 + x), accurate near 0.
func Log1p(x float64) float64 {
	switch {
	case math.Abs(x) < 0x1p-54:
		return x
	case x > -0.2928 && x < 0.4142:
		return logSum(x, 0, 0)
	case x <= -1 || !(x <= math.MaxFloat64):
		v, _ := logSpecial(1 + x)
		return v
	}
	u := 1 + x
	c := x - (u - 1)
	if x > 1 {
		c = 1 - (u - x)
	}
	m, k := split(u)
	return logSum(m-1, k, c/u)
}

// logParts is log x = k ln 2 + hi + lo, hi + lo to about 2⁻⁶⁵ of itself, for positive finite x.
func logParts(x float64) (hi, lo float64, k int64) {
	const (
		third   = 0.3333333333333333
		thirdLo = 1.850371707708594e-17

		q0 = 0.20000000000000012
		q1 = 0.14285714285669143
		q2 = 0.11111111135601
		q3 = 0.09090904115640233
		q4 = 0.07692787990550393
		q5 = 0.06642959034716547
		q6 = 0.06457052053887044
	)
	m, k := split(x)
	f := m - 1
	d := 2 + f
	s := f / d
	sl := math.FMA(-s, f-(d-2), math.FMA(-s, d, f)) / d
	z := float64(s * s)
	zl := math.FMA(s, s, -z) + 2*float64(s*sl)
	z2 := z * z
	q := math.FMA(math.FMA(math.FMA(q6, z, q5), z, q4), z2, math.FMA(q3, z, q2))
	q = math.FMA(q, z2, math.FMA(q1, z, q0))
	u := float64(z2 * q)
	w := float64(z * third)
	wl := math.FMA(z, third, -w) + math.FMA(z, thirdLo, float64(zl*third))
	v := w + u
	vl := (w - v) + u + wl
	p := float64(s * v)
	pl := math.FMA(s, v, -p) + math.FMA(s, vl, float64(sl*v))
	hi = s + p
	lo = (s - hi) + p + (pl + sl)
	return 2 * hi, 2 * lo, k
}

// Log2 is the logarithm to base 2, exact for powers of 2.
func Log2(x float64) float64 {
	if v, ok := logSpecial(x); ok {
		return v
	}
	hi, lo, k := logParts(x)
	t := float64(hi * log2e)
	tl := math.FMA(hi, log2e, -t) + math.FMA(hi, log2eLo, float64(lo*log2e))
	s, e := twoSum(float64(k), t)
	return s + (e + tl)
}

// Log10 is the logarithm to base 10, exact for powers of 10.
func Log10(x float64) float64 {
	const (
		inv, invLo = 0.4342944819032518, 1.098319650216765e-17   // 1/ln 10
		two, twoLo = 0.30102999566395283, 2.8363394551044964e-14 // log10 2; the first has 42 bits
	)
	if v, ok := logSpecial(x); ok {
		return v
	}
	hi, lo, k := logParts(x)
	t := float64(hi * inv)
	tl := math.FMA(hi, inv, -t) + math.FMA(hi, invLo, float64(lo*inv))
	kf := float64(k)
	s, e := twoSum(kf*two, t)
	return s + (e + math.FMA(kf, twoLo, tl))
}

// Pow is xʸ with C's rulings: x⁰ = 1ʸ = 1 even for NaN, a negative base takes whole exponents only.
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return x + y
	case y == 1:
		return x
	}
	a := math.Abs(x)
	sign := 1.0
	whole, odd := parity(y)
	if x < 0 || x == 0 && math.Signbit(x) {
		if odd {
			sign = -1
		} else if !whole && a != 0 && !math.IsInf(a, 0) {
			return math.NaN()
		}
	}
	switch {
	case a == 1 && math.IsInf(y, 0):
		return 1
	case a == 0 || math.IsInf(a, 0) || math.IsInf(y, 0):
		if (a > 1) == (y > 0) {
			return sign * math.Inf(1)
		}
		return sign * 0
	}
	hi, lo, k := logParts(a)
	kf := float64(k)
	h, e := twoSum(kf*ln2Hi, hi)
	l := e + math.FMA(kf, ln2Lo, lo)
	p := float64(y * h)
	switch {
	case p > 710:
		return sign * math.Inf(1)
	case p < -746:
		return sign * 0
	}
	pl := math.FMA(y, h, -p) + float64(y*l)
	r, rl, n := reduce(p)
	c := expTail(r)
	t := float64((rl + pl) * (1 + (r + c)))
	return sign * scale(1+(r+(c+t)), n)
}

// parity says whether y is a whole number, and whether an odd one; ±∞ counts as even.
func parity(y float64) (whole, odd bool) {
	a := math.Abs(y)
	if a >= 0x1p53 {
		return true, false
	}
	if math.Trunc(a) != a {
		return false, false
	}
	return true, int64(a)&1 == 1
}
