package block

import (
	"math"
	"math/big"
	"sync"
)

// Sine and cosine.
//
// Up to trigUsual: x = k·π/2 + r with π/2 in three parts (Cody and Waite, as for the exponential); r is kept with the part that its
// rounding loses, so that it is good to some 100 bits next to the multiples of π/2 too. Beyond, the product of x with the bits of 2/π that matter
// (Payne and Hanek, ACM SIGNUM Newsletter 18, 1983), in sums of floats: x is a 53-bit integer times a power of two, multiples of 4 of the factor
// do not matter, and a window of four floats out of 2/π is enough for 32 binades of x. On |r| ≤ π/4 a polynomial each, fitted by Remez's exchange (sine) and at
// Chebyshev's nodes (cosine), to relative errors of 2⁻⁵⁷ and 2⁻⁶⁰; the lost part of r enters by the derivative.

const (
	halfPi1   = 0x1.921fb54442d18p+0
	halfPi2   = 0x1.1a62633145c07p-54
	halfPi3   = -0x1.f1976b7ed8fbcp-110
	trigUsual = 0x1p20
)

var (
	sinPoly = []float64{
		-0x1.5555555555549p-3, 0x1.111111110f861p-7, -0x1.a01a019c0e4dap-13, 0x1.71de3574bb7e6p-19, -0x1.ae5e63ce4ba28p-26, 0x1.5d9247000037bp-33,
	}
	cosPoly = []float64{
		0x1.5555555555555p-5, -0x1.6c16c16c16963p-10, 0x1.a01a019f4ddfdp-16, -0x1.27e4fa16cc1bcp-22, 0x1.1eeb67d014ecep-29, -0x1.907cd8f26aa3fp-37,
	}
)

// Sin is the sine, within 1 ulp for every argument; NaN at the infinities.
func (g *Builder) Sin(x Value) Value { return g.circular(x, 0) }

// Cos is the cosine, within 1 ulp for every argument; NaN at the infinities.
func (g *Builder) Cos(x Value) Value { return g.circular(x, 1) }

// circular is the sine of x + quarter·π/2.
func (g *Builder) circular(x Value, quarter uint64) Value {
	kd := g.FMA(x, g.Const(2/math.Pi), g.Const(magic))
	k := g.Sub(kd, g.Const(magic))
	r0 := g.FMA(g.Neg(k), g.Const(halfPi1), x)
	r, lost := g.twoFNMA(k, halfPi2, r0)
	lost = g.FMA(g.Neg(k), g.Const(halfPi3), lost)
	usual := g.quadrant(kd, quarter, r, lost)
	if quarter == 0 {
		usual = g.Select(g.EQ(x, g.Const(0)), x, usual) // −0 stays −0
	}
	return g.Cold(g.Cmp(NLE, g.Abs(x), g.Const(trigUsual)), usual, func() Value {
		kd, r, lost := g.payneHanek(g.Abs(x))
		neg := g.signOf(x)
		y := g.quadrant(kd, quarter, r, lost)
		if quarter == 0 {
			y = g.Xor(y, neg)
		}
		far := g.Cmp(NLT, g.Abs(x), g.Const(math.Inf(1)))
		return g.Select(far, g.Const(math.NaN()), y)
	})
}

// twoFNMA is r0 − k·c rounded, and what was lost.
func (g *Builder) twoFNMA(k Value, c float64, r0 Value) (r, lost Value) {
	p, pl := g.twoMul(k, g.Const(c))
	r, lost = g.twoSum(r0, g.Neg(p))
	return r, g.Sub(lost, pl)
}

// quadrant is the sine of r + lost + (k + quarter)·π/2, where k stands in the low bits of kd.
func (g *Builder) quadrant(kd Value, quarter uint64, r, lost Value) Value {
	if quarter != 0 {
		kd = g.AddQ(kd, g.Bits(quarter))
	}
	z := g.Mul(r, r)
	rz := g.Mul(r, z)
	half := g.Mul(z, g.Const(0.5))
	// sin(r + l) ≈ r + (r³·S + l·(1 − r²/2))
	sine := g.Add(r, g.FMA(rz, g.estrin(sinPoly, z), g.FMA(g.Neg(half), lost, lost)))
	// cos(r + l) ≈ 1 − r²/2 + (r⁴·C − r·l), with the rounding error of 1 − r²/2
	w := g.Sub(g.Const(1), half)
	low := g.Sub(g.Sub(g.Const(1), w), half)
	cosine := g.Add(w, g.Add(low, g.FMA(g.Mul(z, z), g.estrin(cosPoly, z), g.Neg(g.Mul(r, lost)))))
	odd := g.LT(g.Or(g.ShiftLeft(kd, 63), g.Const(1)), g.Const(0))
	sign := g.signOf(g.ShiftLeft(kd, 62))
	return g.Xor(g.Select(odd, cosine, sine), sign)
}

const windows = 32 // of 32 binades each

// twoOverPi has, by part, for each window i the leading floats of 2/π·2^(32i − 51) modulo 4, computed once from π in 1400 bits.
var twoOverPi = sync.OnceValue(func() *[4][]float64 {
	const prec = 1400
	q := new(big.Float).SetPrec(prec).Quo(big.NewFloat(2).SetPrec(prec), bigPi(prec))
	var t [4][]float64
	for p := range t {
		t[p] = make([]float64, windows)
	}
	for i := range windows {
		f := new(big.Float).SetPrec(prec).SetMantExp(q, 32*i-51-2) // in units of 4
		whole, _ := f.Int(nil)
		f.Sub(f, new(big.Float).SetPrec(prec).SetInt(whole))
		f.SetMantExp(f, 2)
		for p := range t {
			x, _ := f.Float64()
			t[p][i] = x
			f.Sub(f, big.NewFloat(x))
		}
	}
	return &t
})

// bigPi is π by Machin's formula, 16 arctan 1/5 − 4 arctan 1/239.
func bigPi(prec uint) *big.Float {
	one := new(big.Int).Lsh(big.NewInt(1), prec+32)
	arctan := func(n int64) *big.Int {
		term, sum, n2 := new(big.Int).Quo(one, big.NewInt(n)), new(big.Int), big.NewInt(n*n)
		for k := int64(1); term.Sign() != 0; k += 2 {
			d := new(big.Int).Quo(term, big.NewInt(k))
			if k%4 == 1 {
				sum.Add(sum, d)
			} else {
				sum.Sub(sum, d)
			}
			term.Quo(term, n2)
		}
		return sum
	}
	pi := new(big.Int).Mul(big.NewInt(16), arctan(5))
	pi.Sub(pi, new(big.Int).Mul(big.NewInt(4), arctan(239)))
	f := new(big.Float).SetPrec(prec).SetInt(pi)
	return f.SetMantExp(f, -int(prec+32))
}

// payneHanek reduces x ≥ trigUsual: x = k·π/2 + r + lost modulo 2π, kd = k + magic.
func (g *Builder) payneHanek(x Value) (kd, r, lost Value) {
	// With the exponent field E of x the window is (E − 1024)/32; x loses 32 binades for each, and gains 51, which makes it an integer.
	e := g.SubQ(g.ShiftRight(x, 52), g.Bits(1024))
	down := g.And(e, g.Bits(windows*32-32))
	m := g.AddQ(g.SubQ(x, g.ShiftLeft(down, 52)), g.Bits(51<<52))
	at := g.ShiftRight(down, 5)
	t := twoOverPi()
	var p, l [4]Value
	for i := range p {
		p[i], l[i] = g.twoMul(m, g.Table(t[i], at))
	}
	// Multiples of 4 are whole turns. What is left of the three large terms is at most 2 each.
	fold := func(v Value) Value {
		return g.FMA(g.Round(g.Mul(v, g.Const(0.25)), ToEven), g.Const(-4), v)
	}
	a, d1 := g.twoSum(fold(p[0]), fold(l[0]))
	a, d2 := g.twoSum(a, fold(p[1]))
	k := g.Round(a, ToEven)
	// The sum as if in threefold precision (Ogita, Rump and Oishi, SIAM J. Sci. Comput. 26, 2005, SumK), as a may nearly vanish against k.
	terms := []Value{g.Sub(a, k), d2, d1, l[1], p[2], l[2], p[3]}
	for range 2 {
		for i := len(terms) - 2; i >= 0; i-- {
			terms[i], terms[i+1] = g.twoSum(terms[i], terms[i+1])
		}
	}
	hi, lo := terms[0], terms[1]
	for _, t := range terms[2:] {
		lo = g.Add(lo, t)
	}
	r, lost = g.twoMul(hi, g.Const(halfPi1))
	lost = g.FMA(lo, g.Const(halfPi1), g.FMA(hi, g.Const(halfPi2), lost))
	r, lost = g.fastTwoSum(r, lost)
	return g.Add(k, g.Const(magic)), r, lost
}
