package libm

import (
	"math"
	"math/bits"
)

// Sine, cosine and tangent: reduction by π/2 in three parts (Cody and Waite 1980), for large
// arguments and for those close to a multiple of π/2 by M. Payne and R. Hanek, Radian reduction for trigonometric
// functions, SIGNUM Newsletter 18 (1983); the remainder is carried in two numbers.

const (
	twoOverPi = 0.6366197723675814
	pio2A     = 1.5707963267341256 // 33 bits, as the next
	pio2B     = 6.077100506303966e-11
	pio2C     = 2.0222662487959506e-21 // π/2 − A − B

	pio2Hi = 1.5707963267948966
	pio2Lo = 6.123233995736766e-17
)

// bitsTwoOverPi is 2/π after the binary point, behind 64 zeros.
var bitsTwoOverPi = [...]uint64{0,
	0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
	0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4,
	0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
	0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d}

// quadrant writes finite x as q π/2 + r + rl with |r| ≤ π/4 (or a hair more); q counts modulo 4.
func quadrant(x float64) (r, rl float64, q int64) {
	a := math.Abs(x)
	if a <= math.Pi/4 {
		return x, 0, 0
	}
	if a < 0x1p20 {
		m := math.FMA(x, twoOverPi, rounder)
		q = int64(math.Float64bits(m)) - int64(math.Float64bits(rounder))
		k := m - rounder
		h, e := twoSum(math.FMA(-k, pio2A, x), float64(-k*pio2B))
		e = math.FMA(-k, pio2C, e)
		r = h + e
		if math.Abs(r) > 0x1p-20 {
			return r, (h - r) + e, q
		}
	}
	r, rl, q = manyBits(a)
	if x < 0 {
		return -r, -rl, -q
	}
	return r, rl, q
}

// manyBits is quadrant for a ≥ π/4 by as much of 2/π as a's exponent asks for.
func manyBits(a float64) (r, rl float64, q int64) {
	b := math.Float64bits(a)
	e := int(b>>52) - 1075
	m := b&(1<<52-1) | 1<<52 // a = m 2ᵉ
	// Bits of 2/π whose product with m is a multiple of 4 are not wanted; the next 192 are.
	at := uint(e - 2 + 64)
	word, shift := at/64, at%64
	var w [3]uint64
	for i := range w {
		w[i] = bitsTwoOverPi[word+uint(i)]<<shift | bitsTwoOverPi[word+uint(i)+1]>>(64-shift)
	}
	h2, p2 := bits.Mul64(m, w[2])
	h1, l1 := bits.Mul64(m, w[1])
	p1, c := bits.Add64(l1, h2, 0)
	p0, _ := bits.Add64(m*w[0], h1, c)
	q = int64(p0 >> 62)
	f0, f1, f2 := p0<<2|p1>>62, p1<<2|p2>>62, p2<<2
	neg := f0>>63 == 1
	if neg { // nearer to the next quadrant
		q++
		var br uint64
		f2, br = bits.Sub64(0, f2, 0)
		f1, br = bits.Sub64(0, f1, br)
		f0, _ = bits.Sub64(0, f0, br)
	}
	exp := 0
	if f0 == 0 {
		f0, f1, f2, exp = f1, f2, 0, -64
	}
	if f0 == 0 {
		f0, f1, f2, exp = f1, f2, 0, -128
	}
	if n := uint(bits.LeadingZeros64(f0)); n > 0 && n < 64 {
		f0, f1 = f0<<n|f1>>(64-n), f1<<n|f2>>(64-n)
		exp -= int(n)
	}
	// 53 bits, then the 64 that follow.
	hi := math.Ldexp(float64(f0>>11), exp-53)
	lo := math.Ldexp(float64(f0<<53|f1>>11), exp-53-64)
	r = float64(hi * pio2Hi)
	rl = math.FMA(hi, pio2Hi, -r) + math.FMA(hi, pio2Lo, float64(lo*pio2Hi))
	if neg {
		return -r, -rl, q
	}
	return r, rl, q
}

// sinKernel is sin(r + rl) − r, |r| ≤ π/4.
func sinKernel(r, rl float64) float64 {
	const (
		c0 = -0.16666666666666666
		c1 = 0.008333333333333331
		c2 = -0.00019841269841265063
		c3 = 2.7557319219337312e-06
		c4 = -2.5052106231802837e-08
		c5 = 1.6058531516797758e-10
		c6 = -7.586691094197958e-13
	)
	z := r * r
	z2 := z * z
	p := math.FMA(math.FMA(math.FMA(c6, z, c5), z, c4), z2, math.FMA(c3, z, c2))
	p = math.FMA(p, z2, math.FMA(c1, z, c0))
	return math.FMA(float64(r*z), p, rl*math.FMA(-0.5, z, 1))
}

// cosKernel is cos(r + rl) as the sum of two numbers, |r| ≤ π/4.
func cosKernel(r, rl float64) (hi, lo float64) {
	const (
		c0 = 0.041666666666666664
		c1 = -0.0013888888888888887
		c2 = 2.4801587301584645e-05
		c3 = -2.755731922140179e-07
		c4 = 2.0876755790721963e-09
		c5 = -1.1470460830795304e-11
		c6 = 4.7458685530816656e-14
	)
	z := r * r
	z2 := z * z
	p := math.FMA(math.FMA(math.FMA(c6, z, c5), z, c4), z2, math.FMA(c3, z, c2))
	p = math.FMA(p, z2, math.FMA(c1, z, c0))
	h := 0.5 * z
	hi = 1 - h
	// r² is rounded; its tail matters where the cosine is carried in two numbers.
	tail := math.FMA(r, r, -z)
	return hi, ((1 - hi) - h) + math.FMA(z2, p, math.FMA(-r, rl, -0.5*tail))
}

// finite reports whether x is neither infinite nor NaN.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// Sin is the sine.
func Sin(x float64) float64 {
	if math.Abs(x) < 0x1p-27 {
		return x
	}
	if !finite(x) {
		return math.NaN()
	}
	return sinOf(quadrant(x))
}

// Cos is the cosine.
func Cos(x float64) float64 {
	if !finite(x) {
		return math.NaN()
	}
	r, rl, q := quadrant(x)
	return sinOf(r, rl, q+1)
}

// sinOf is sin(q π/2 + r + rl).
func sinOf(r, rl float64, q int64) float64 {
	var v float64
	if q&1 == 0 {
		v = r + sinKernel(r, rl)
	} else {
		hi, lo := cosKernel(r, rl)
		v = hi + lo
	}
	if q&2 != 0 {
		return -v
	}
	return v
}

// Tan is the tangent.
func Tan(x float64) float64 {
	if math.Abs(x) < 0x1p-27 {
		return x
	}
	if !finite(x) {
		return math.NaN()
	}
	r, rl, q := quadrant(x)
	t := sinKernel(r, rl)
	s := r + t
	sl := (r - s) + t
	c, cl := cosKernel(r, rl)
	// The tail is made small: quotient takes it to the first order only.
	c, cl = c+cl, (c-(c+cl))+cl
	if q&1 == 0 {
		return quotient(s, sl, c, cl)
	}
	return -quotient(c, cl, s, sl)
}
