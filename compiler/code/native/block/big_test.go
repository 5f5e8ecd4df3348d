package block

import (
	"math"
	"math/big"
	"sync"
)

// References for the kernels: plain series in as many bits as it takes.

const refBits = 220

func bf(x float64) *big.Float { return new(big.Float).SetPrec(refBits).SetFloat64(x) }

func fresh() *big.Float { return new(big.Float).SetPrec(refBits) }

var bigLn2 = sync.OnceValue(func() *big.Float { // 2 artanh ⅓
	sum, term, ninth := fresh(), fresh().Quo(bf(2), bf(3)), fresh().Quo(bf(1), bf(9))
	for k := 1; k < 300; k += 2 {
		sum.Add(sum, fresh().Quo(term, bf(float64(k))))
		term.Mul(term, ninth)
	}
	return sum
})

// bigExpm1Small is e^x − 1 for |x| < 1 by its series.
func bigExpm1Small(x *big.Float) *big.Float {
	sum, term := fresh(), bf(1)
	for k := 1; k < 60; k++ {
		term.Mul(term, x)
		term.Quo(term, bf(float64(k)))
		sum.Add(sum, term)
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-refBits {
			break
		}
	}
	return sum
}

func bigExp(x *big.Float) *big.Float {
	f, _ := x.Float64()
	if math.Abs(f) > 3000 { // far beyond every float
		return bf(1).SetMantExp(bf(1), int(math.Copysign(4000, f)))
	}
	k := math.Round(f / math.Ln2)
	r := fresh().Sub(x, fresh().Mul(bf(k), bigLn2()))
	r.SetMantExp(r, -8)
	e := bigExpm1Small(r)
	e.Add(e, bf(1))
	for range 8 {
		e.Mul(e, e)
	}
	return e.SetMantExp(e, int(k))
}

func bigExpm1(x *big.Float) *big.Float {
	if x.Sign() == 0 || x.MantExp(nil) < 0 {
		return bigExpm1Small(x)
	}
	return fresh().Sub(bigExp(x), bf(1))
}

// bigLog improves a float's logarithm by Halley's iteration on e^y = x.
func bigLog(x *big.Float) *big.Float {
	m := fresh()
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := bf(math.Log(f))
	for range 2 {
		t := bigExp(y)
		num := fresh().Sub(m, t)
		num.Add(num, num)
		y.Add(y, num.Quo(num, t.Add(t, m)))
	}
	return y.Add(y, fresh().Mul(bf(float64(e)), bigLn2()))
}

func bigLog1p(x *big.Float) *big.Float {
	if x.Sign() != 0 && x.MantExp(nil) < -20 { // 1 + x would not hold it
		sum, term := fresh(), bf(-1)
		for k := 1; k < 20; k++ {
			term.Mul(term, x)
			term.Neg(term)
			sum.Add(sum, fresh().Quo(term, bf(float64(k))))
		}
		return sum
	}
	return bigLog(fresh().Add(bf(1), x))
}

// bigLogOfPower is log x for pow: near 1 without cancellation.
func bigLogOfPower(x float64) *big.Float {
	if x == 1 {
		return fresh()
	}
	if math.Abs(x-1) < 0x1p-20 {
		return bigLog1p(bf(x - 1))
	}
	return bigLog(bf(x))
}

var longPi = sync.OnceValue(func() *big.Float { return bigPi(1500) })

// bigSinCos reduces in 1500 bits and sums the series.
func bigSinCos(x float64) (sin, cos *big.Float) {
	h := new(big.Float).SetPrec(1500).SetMantExp(longPi(), -1)
	long := new(big.Float).SetPrec(1500).SetFloat64(x)
	q := new(big.Float).SetPrec(1500).Quo(long, h)
	half := big.NewFloat(0.5)
	if x < 0 {
		half = big.NewFloat(-0.5)
	}
	k, _ := q.Add(q, half).Int(nil)
	long.Sub(long, h.Mul(h, new(big.Float).SetPrec(1500).SetInt(k)))
	r := fresh().Set(long)
	series := func(term *big.Float, n int) *big.Float {
		sum, r2 := fresh(), fresh().Mul(r, r)
		for ; n < 60; n += 2 {
			sum.Add(sum, term)
			term.Mul(term, r2)
			term.Quo(term, bf(float64((n+1)*(n+2))))
			term.Neg(term)
		}
		return sum
	}
	s, c := series(fresh().Set(r), 1), series(bf(1), 0)
	switch new(big.Int).And(k, big.NewInt(3)).Int64() {
	case 0:
		return s, c
	case 1:
		return c, s.Neg(s)
	case 2:
		return s.Neg(s), c.Neg(c)
	}
	return c.Neg(c), s
}

// ulps is the distance of got from want in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if math.IsInf(w, 0) || math.IsInf(got, 0) || math.IsNaN(got) {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(w)
	ulp := math.Ldexp(1, max(e-53, -1074))
	d := fresh().Sub(bf(got), want)
	d.Quo(d, bf(ulp))
	f, _ := d.Float64()
	return math.Abs(f)
}
