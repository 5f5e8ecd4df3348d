package block

import "math"

// The exponential and its relatives.
//
// Reduction: x = k·ln 2 + r, |r| ≤ ½ ln 2, with ln 2 in two parts (Cody and Waite, Software Manual for the Elementary
// Functions, 1980, chapter 6); a fused multiply-add makes the first step exact. e^r = 1 + r + r²·q(r), q of degree 10,
// fitted by Remez's exchange in 200-bit arithmetic to a relative error of 2⁻⁶⁰; evaluated by Estrin's scheme (Muller,
// Elementary Functions, 3rd ed., section 5.6), whose chains are short. 2^k is built from its bits.

const (
	ln2Hi = 0x1.62e42fefa39efp-1
	ln2Lo = 0x1.abc9e3b39803fp-56
	// magic added to a small number rounds it to an integer, which then stands in the low bits.
	magic = 0x1.8p52
	// expUsual is the range in which e^x and all on the way to it are normal numbers.
	expUsual = 708
	expTop   = 0x1.62e42fefa39efp+9  // above it e^x is infinite
	expLow   = -0x1.74910d52d3052p+9 // below it e^x is nought
)

var expPoly = []float64{
	0x1p-1, 0x1.555555555555bp-3, 0x1.5555555555503p-5, 0x1.111111110ec40p-7, 0x1.6c16c16c305d5p-10, 0x1.a01a01b38a07fp-13, 0x1.a01a01365014bp-16,
	0x1.71ddf002a451fp-19, 0x1.27e5b48f6634dp-22, 0x1.af6c1d81257e1p-26, 0x1.1e3d0c58b8d34p-29,
}

// estrin evaluates a polynomial, lowest coefficient first, in a tree of fused multiply-adds.
func (g *Builder) estrin(c []float64, x Value) Value {
	v := make([]Value, len(c))
	for i := range c {
		v[i] = g.Const(c[i])
	}
	for len(v) > 1 {
		n := 0
		for i := 0; i < len(v); i += 2 {
			if i+1 < len(v) {
				v[n] = g.FMA(v[i+1], x, v[i])
			} else {
				v[n] = v[i]
			}
			n++
		}
		v = v[:n]
		x = g.Mul(x, x)
	}
	return v[0]
}

// twoPow is 2^k for an integer −1022 ≤ k ≤ 1023 that stands in the low bits of kd = k + magic.
func (g *Builder) twoPow(kd Value) Value {
	return g.AddQ(g.ShiftLeft(kd, 52), g.Bits(1023<<52))
}

// reduced is an argument taken apart: x = k·ln 2 + r, kd = k + magic, and p = e^r − 1.
type reduced struct {
	k, kd Value
	r     Value
	rem   Value // x − k·ln2Hi, of which r is the rounded difference to k·ln2Lo
	p, q  Value // p = r + r²·q
	r2    Value
}

func (g *Builder) expReduce(x Value) reduced {
	var e reduced
	e.kd = g.FMA(x, g.Const(math.Log2E), g.Const(magic))
	e.k = g.Sub(e.kd, g.Const(magic))
	e.rem = g.FMA(g.Neg(e.k), g.Const(ln2Hi), x)
	e.r = g.FMA(g.Neg(e.k), g.Const(ln2Lo), e.rem)
	e.r2 = g.Mul(e.r, e.r)
	e.q = g.estrin(expPoly, e.r)
	e.p = g.FMA(e.r2, e.q, e.r)
	return e
}

// tail is what p lacks to e^r − 1, to first order: the error of its last addition, and of r.
func (g *Builder) tail(e reduced) Value {
	lo := g.FMA(g.Neg(e.k), g.Const(ln2Lo), g.Sub(e.rem, e.r))
	return g.Add(g.FMA(e.r2, e.q, g.Sub(e.r, e.p)), lo)
}

// expRare is e^x where it is not a normal number: 2^k in two factors, so that the only rounding to a subnormal is the last; and the ends.
func (g *Builder) expRare(x Value, e reduced) Value {
	half := g.Floor(g.Mul(e.k, g.Const(0.5)))
	s1 := g.twoPow(g.Add(half, g.Const(magic)))
	s2 := g.twoPow(g.Add(g.Sub(e.k, half), g.Const(magic)))
	y := g.Mul(g.FMA(s1, e.p, s1), s2)
	y = g.Select(g.LT(g.Const(expTop), x), g.Const(math.Inf(1)), y)
	y = g.Select(g.LT(x, g.Const(expLow)), g.Const(0), y)
	return g.Select(g.IsNaN(x), x, y)
}

// unusual is where e^x is not simply 2^k·e^r, NaN included.
func (g *Builder) unusual(x Value) Value {
	return g.Cmp(NLE, g.Abs(x), g.Const(expUsual))
}

// Exp is e^x, within 1 ulp.
func (g *Builder) Exp(x Value) Value {
	e := g.expReduce(x)
	s := g.twoPow(e.kd)
	return g.Cold(g.unusual(x), g.FMA(s, e.p, s), func() Value { return g.expRare(x, e) })
}

// signOf is x's sign, the other bits nought.
func (g *Builder) signOf(x Value) Value { return g.And(x, g.Bits(1<<63)) }

// expm1 is 2^k·e^r − 1 as a sum.
func (g *Builder) expm1(e reduced) (u, lo Value) {
	s := g.twoPow(e.kd)
	s1 := g.Sub(s, g.Const(1))
	u = g.FMA(s, e.p, s1)
	return u, g.FMA(s, g.tail(e), g.FMA(s, e.p, g.Sub(s1, u)))
}

// Expm1 is e^x − 1, within 1.5 ulp.
func (g *Builder) Expm1(x Value) Value {
	e := g.expReduce(x)
	y := g.Or(g.Add(g.expm1(e)), g.signOf(x)) // −0 stays −0
	return g.Cold(g.unusual(x), y, func() Value {
		return g.Select(g.LT(x, g.Const(0)), g.Const(-1), g.expRare(x, e))
	})
}

// Sigmoid is 1/(1 + e^−x), within 1.5 ulp, also where it is as small as e^x.
func (g *Builder) Sigmoid(x Value) Value {
	e := g.Exp(g.Neg(g.Abs(x))) // at most 1, so nothing overflows
	one := g.Const(1)
	n := g.Select(g.LT(x, g.Const(0)), e, one)
	d, lost := g.fastTwoSum(one, e)
	inv := g.Div(one, d)
	t := g.Mul(n, inv)
	// One step of Newton on t·(1 + e) = n, with what the sum lost.
	return g.FMA(g.FMA(g.Neg(t), lost, g.FMA(g.Neg(t), d, n)), inv, t)
}

// Tanh is the hyperbolic tangent, within 1 ulp: with u = e^2|x| − 1 it is u/(u + 2), where u has a correction term, without which
// the error is two and a half.
func (g *Builder) Tanh(x Value) Value {
	a := g.Abs(x)
	y := g.Min(g.Const(40), g.Add(a, a)) // the tangent is 1 long before; NaN stays
	u, lo := g.expm1(g.expReduce(y))
	d := g.Add(u, g.Const(2))
	inv := g.Div(g.Const(1), d)
	t := g.Mul(u, inv)
	// One step of Newton on t·(u + 2 + lo) = u + lo, and of the sum u + 2 its rounding error.
	dlo := g.Add(lo, g.Sub(u, g.Sub(d, g.Const(2))))
	res := g.FMA(g.Neg(t), dlo, g.Add(g.FMA(g.Neg(t), d, u), lo))
	return g.Or(g.FMA(res, inv, t), g.signOf(x))
}
