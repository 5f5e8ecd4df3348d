package block

import "math"

// The power x^y = e^(y·log x), the logarithm as a sum of two floats with some 68 good bits, as an error of it is multiplied by up to 745 (Tang,
// ACM TOMS 16, 1990; the doubled arithmetic is Dekker's, Numerische Mathematik 18, 1971). log m = 2s + s·(⅔s² + s⁴·P(s²)) with s = (m − 1)/(m + 1) and the square's term doubled too;
// P is interpolated at Chebyshev's nodes to 2⁻⁶⁶ of the logarithm.

var powPoly = []float64{
	0x1.999999999999ap-2, 0x1.2492492492522p-2, 0x1.c71c71c6ea81dp-3, 0x1.745d177ab1a23p-3, 0x1.3b1395c693565p-3, 0x1.1118ca5739a59p-3, 0x1.df7c45d976e07p-4,
	0x1.e033ca1735265p-4,
}

const (
	twoThirds   = 0x1.5555555555555p-1
	twoThirdsLo = 0x1.5555555555555p-55
	ln2Rest2    = -0x1.c4c67fc0d0951p-76
)

// logDoubled is log of a positive normal number over 2^shift, as a sum.
func (g *Builder) logDoubled(x, shift Value) (hi, lo Value) {
	one := g.Const(1)
	e, m := g.apart(x)
	e = g.Sub(e, shift)
	f := g.Sub(m, one)
	d, dl := g.twoSum(m, one)
	inv := g.Div(one, d)
	s := g.Mul(f, inv)
	sl := g.Mul(inv, g.FMA(g.Neg(s), dl, g.FMA(g.Neg(s), d, f)))
	z, zl := g.twoMul(s, s)
	zl = g.FMA(g.Add(s, s), sl, zl)
	// c = ⅔z + z²·P, doubled
	c, cl := g.twoMul(z, g.Const(twoThirds))
	cl = g.FMA(z, g.Const(twoThirdsLo), g.FMA(zl, g.Const(twoThirds), cl))
	c, add := g.fastTwoSum(c, g.Mul(g.Mul(z, z), g.estrin(powPoly, z)))
	cl = g.Add(cl, add)
	// s·c, doubled
	t, tl := g.twoMul(s, c)
	tl = g.FMA(s, cl, g.FMA(sl, c, tl))
	// e·ln 2 + 2s + s·c
	a := g.Mul(e, g.Const(ln2Short))
	b, bl := g.twoMul(e, g.Const(ln2Rest))
	bl = g.FMA(e, g.Const(ln2Rest2), bl)
	h, l1 := g.twoSum(a, g.Add(s, s))
	h, l2 := g.twoSum(h, b)
	h, l3 := g.twoSum(h, t)
	low := g.Add(g.Add(l1, l2), g.Add(l3, g.Add(g.Add(tl, bl), g.Add(sl, sl))))
	return g.fastTwoSum(h, low)
}

// power is e^(y·(hi + lo)), and the exponent.
func (g *Builder) power(y, hi, lo Value) (usual, p Value, e reduced) {
	p, pl := g.twoMul(y, hi)
	pl = g.FMA(y, lo, pl)
	e = g.expReduce(p)
	e.p = g.Add(e.p, g.FMA(pl, e.p, pl)) // e^(r + l) − 1 ≈ p + l·(1 + p)
	s := g.twoPow(e.kd)
	return g.FMA(s, e.p, s), p, e
}

// Pow is x^y, within 1.5 ulp, with the special values of C's pow: 1 for y = 0 and for x = 1 whatever the other is, NaN for a negative x and a y that is no integer.
func (g *Builder) Pow(x, y Value) Value {
	zero, inf := g.Const(0), g.Const(math.Inf(1))
	hi, lo := g.logDoubled(x, zero)
	usual, p, _ := g.power(y, hi, lo)
	good := g.MaskAnd(g.MaskAnd(g.LE(g.Const(smallest), x), g.LT(x, inf)), g.LE(g.Abs(p), g.Const(expUsual)))
	good = g.MaskAnd(good, g.LE(g.Abs(y), g.Const(0x1p900))) // the doubled product is exact as long as nothing in it leaves the range
	return g.Cold(g.MaskNot(good), usual, func() Value { return g.powRare(x, y) })
}

// powRare is the power of any two numbers: the magnitude by that of x, then sign and exceptions.
func (g *Builder) powRare(x, y Value) Value {
	zero, one, inf := g.Const(0), g.Const(1), g.Const(math.Inf(1))
	a := g.Abs(x)
	tiny := g.LT(a, g.Const(smallest))
	hi, lo := g.logDoubled(g.Select(tiny, g.Mul(a, g.Const(0x1p54)), a), g.Select(tiny, g.Const(54), zero))
	// An exponent beyond any need is cut, so that the doubled product stays finite.
	cut := g.Const(0x1p100)
	yc := g.Max(g.Neg(cut), g.Min(cut, y))
	_, p, e := g.power(yc, hi, lo)
	v := g.expRare(p, e)
	// Nought and infinity have logarithms of their own.
	grows := g.MaskXor(g.LT(a, one), g.LT(zero, y)) // |x| > 1 and y > 0, or both below
	v = g.Select(g.MaskOr(g.EQ(a, zero), g.EQ(a, inf)), g.Select(grows, inf, zero), v)
	v = g.Select(g.EQ(a, one), one, v)
	whole := g.EQ(g.Round(y, ToTrunc), y)
	h := g.Mul(y, g.Const(0.5))
	odd := g.MaskAnd(whole, g.Cmp(NE, g.Round(h, ToTrunc), h))
	negative := g.LT(g.Or(g.signOf(x), one), zero) // −0 is
	v = g.Select(g.MaskAnd(negative, odd), g.Neg(v), v)
	bad := g.MaskAnd(g.MaskAnd(g.LT(x, zero), g.LT(a, inf)), g.MaskNot(whole))
	bad = g.MaskOr(bad, g.Cmp(Unordered, x, y))
	v = g.Select(bad, g.Const(math.NaN()), v)
	return g.Select(g.MaskOr(g.EQ(y, zero), g.EQ(x, one)), one, v)
}
