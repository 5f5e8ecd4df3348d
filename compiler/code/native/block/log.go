package block

import "math"

// Logarithms.
//
// x = 2^e·m with √½ ≤ m < √2, f = m − 1, s = f/(2 + f), log m = 2 artanh s = 2s + s·R(s²), rearranged so that f, which is exact, enters last:
// log m = f − (f²/2 − s·(f²/2 + R)) (Tang, ACM TOMS 16, 1990, and Muller, Elementary Functions, 3rd ed., chapter 11, tell why). R is fitted by Remez's exchange
// in 200-bit arithmetic to a relative error of 2⁻⁵⁸.

var logPoly = []float64{
	0x1.5555555555592p-1, 0x1.999999997fcc6p-2, 0x1.249249420099dp-2, 0x1.c71c51fb593c8p-3, 0x1.7466420c3d43fp-3, 0x1.39a163782598cp-3, 0x1.2f090cfd9db8cp-3,
}

const (
	sqrtHalfBits = 0x3FE6A09E667F3BCD
	one          = 1023 << 52
	exponent     = 0xFFF << 52
	// ln 2 in two parts, of which the first has so few bits that its products with exponents are exact.
	ln2Short = 0x1.62e42p-1
	ln2Rest  = 0x1.fdf473de6af28p-22
	smallest = 0x1p-1022 // normal number
	// log1p needs no exponent between these, where 1 + x is within √½ and √2.
	log1pLow, log1pHigh = -0x1.2bec333018866p-2, 0x1.a827999fcef32p-2
)

// apart takes a positive normal number apart into 2^e·m.
func (g *Builder) apart(x Value) (e, m Value) {
	t := g.AddQ(x, g.Bits((one-sqrtHalfBits)&math.MaxUint64)) // its exponent is that of x/√½
	e = g.Sub(g.Or(g.ShiftRight(t, 52), g.Const(0x1p52)), g.Const(0x1p52+1023))
	m = g.SubQ(x, g.SubQ(g.And(t, g.Bits(exponent&math.MaxUint64)), g.Bits(one)))
	return e, m
}

// logOf is e·ln 2 + log(1 + f) + c.
func (g *Builder) logOf(e, f, c Value) Value {
	s := g.Div(f, g.Add(f, g.Const(2)))
	z := g.Mul(s, s)
	r := g.Mul(z, g.estrin(logPoly, z))
	half := g.Mul(g.Mul(f, g.Const(0.5)), f)
	low := g.FMA(s, g.Add(half, r), g.FMA(e, g.Const(ln2Rest), c))
	return g.FMA(e, g.Const(ln2Short), g.Sub(f, g.Sub(half, low)))
}

// Log is the natural logarithm, within 1 ulp; −∞ at nought, NaN below.
func (g *Builder) Log(x Value) Value {
	core := func(x, shift Value) Value {
		e, m := g.apart(x)
		return g.logOf(g.Sub(e, shift), g.Sub(m, g.Const(1)), g.Const(0))
	}
	inf := g.Const(math.Inf(1))
	normal := g.MaskAnd(g.LE(g.Const(smallest), x), g.LT(x, inf))
	return g.Cold(g.MaskNot(normal), core(x, g.Const(0)), func() Value {
		tiny := g.LT(x, g.Const(smallest))
		y := core(g.Select(tiny, g.Mul(x, g.Const(0x1p54)), x), g.Select(tiny, g.Const(54), g.Const(0)))
		return g.logEnds(x, y)
	})
}

// logEnds puts in the values of log x where it is none of a positive number.
func (g *Builder) logEnds(x, y Value) Value {
	zero, inf := g.Const(0), g.Const(math.Inf(1))
	y = g.Select(g.EQ(x, zero), g.Const(math.Inf(-1)), y)
	y = g.Select(g.LT(x, zero), g.Const(math.NaN()), y)
	return g.Select(g.Cmp(NLT, x, inf), x, y) // +∞ and NaN
}

// Log1p is log(1 + x), within 1 ulp; −∞ at −1, NaN below. The rounding error of 1 + x, divided by it, is added to the logarithm.
func (g *Builder) Log1p(x Value) Value {
	zero, one, inf := g.Const(0), g.Const(1), g.Const(math.Inf(1))
	u, lost := g.twoSum(one, x)
	e, m := g.apart(u)
	near := g.MaskAnd(g.LT(g.Const(log1pLow), x), g.LT(x, g.Const(log1pHigh)))
	c := g.Select(near, zero, g.Div(lost, u))
	f := g.Select(near, x, g.Sub(m, one))
	e = g.Select(near, zero, e)
	y := g.Or(g.logOf(e, f, c), g.signOf(x)) // the logarithm's sign is x's, that of −0 included
	usual := g.MaskAnd(g.LT(g.Const(-1), x), g.LT(x, inf))
	return g.Cold(g.MaskNot(usual), y, func() Value {
		y := g.Select(g.EQ(x, g.Const(-1)), g.Const(math.Inf(-1)), g.Const(math.NaN()))
		return g.Select(g.EQ(x, inf), inf, y)
	})
}

// twoSum is a + b rounded, and what the rounding lost (Knuth, The Art of Computer Programming 2, section 4.2.2).
func (g *Builder) twoSum(a, b Value) (sum, lost Value) {
	sum = g.Add(a, b)
	t := g.Sub(sum, a)
	return sum, g.Add(g.Sub(a, g.Sub(sum, t)), g.Sub(b, t))
}

// fastTwoSum is twoSum for |a| ≥ |b| (Dekker, Numerische Mathematik 18, 1971).
func (g *Builder) fastTwoSum(a, b Value) (sum, lost Value) {
	sum = g.Add(a, b)
	return sum, g.Sub(b, g.Sub(sum, a))
}

// twoMul is a·b rounded, and what the rounding lost.
func (g *Builder) twoMul(a, b Value) (product, lost Value) {
	product = g.Mul(a, b)
	return product, g.FMS(a, b, product)
}
