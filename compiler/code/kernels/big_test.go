package kernels

import (
	"math"
	"math/big"
	"sync"
)

// References in many bits, by plain series.

const bits = 220

func num(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }

// series sums term, term·f(1), term·f(1)·f(2), … until it does not count.
func series(term *big.Float, f func(k int, t *big.Float)) *big.Float {
	sum := num(0)
	for k := 1; term.Sign() != 0 && (sum.Sign() == 0 || term.MantExp(nil) > sum.MantExp(nil)-bits); k++ {
		sum.Add(sum, term)
		f(k, term)
	}
	return sum
}

// bigExpm1 is e^x − 1, by its series at x/2⁸ or nearer to 0, doubled by u² + 2u.
func bigExpm1(x *big.Float) *big.Float {
	halvings := max(0, x.MantExp(nil)+8)
	r := num(0).SetMantExp(x, -halvings)
	u := series(num(0).Set(r), func(k int, t *big.Float) { t.Quo(t.Mul(t, r), num(float64(k+1))) })
	for range halvings {
		u.Add(num(0).Mul(u, u), num(0).Add(u, u))
	}
	return u
}

func bigExp(x *big.Float) *big.Float {
	if f, _ := x.Float64(); math.Abs(f) > 3000 { // far beyond every float
		return num(1).SetMantExp(num(1), int(math.Copysign(4000, f)))
	}
	if x.Sign() < 0 { // the doubling loses digits towards −1
		return num(0).Quo(num(1), bigExp(num(0).Neg(x)))
	}
	return num(0).Add(bigExpm1(x), num(1))
}

// bigLog is by Halley's iteration on e^y = x, from the float's logarithm; near 1 by the series of 2 artanh.
func bigLog(x *big.Float) *big.Float {
	s := num(0).Quo(num(0).Sub(x, num(1)), num(0).Add(x, num(1)))
	if s.Sign() == 0 || s.MantExp(nil) < -8 {
		s2 := num(0).Mul(s, s)
		power := num(0).Add(s, s)
		return series(num(0).Set(power), func(k int, t *big.Float) {
			power.Mul(power, s2)
			t.Quo(power, num(float64(2*k+1)))
		})
	}
	m := num(0)
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := num(math.Log(f) + float64(e)*math.Ln2)
	for range 3 {
		t := bigExp(y)
		d := num(0).Sub(x, t)
		y.Add(y, d.Quo(d.Add(d, d), t.Add(t, x)))
	}
	return y
}

const piBits = 1500

// bigPi is π by Machin's formula.
var bigPi = sync.OnceValue(func() *big.Float {
	unit := new(big.Int).Lsh(big.NewInt(1), piBits+32)
	arctan := func(n int64) *big.Int { // of 1/n
		sum, term := new(big.Int), new(big.Int).Quo(unit, big.NewInt(n))
		for k := int64(1); term.Sign() != 0; k += 2 {
			d := new(big.Int).Quo(term, big.NewInt(k))
			if k%4 == 3 {
				d.Neg(d)
			}
			sum.Add(sum, d)
			term.Quo(term, big.NewInt(n*n))
		}
		return sum
	}
	pi := arctan(5)
	pi.Sub(pi.Mul(pi, big.NewInt(16)), new(big.Int).Mul(big.NewInt(4), arctan(239)))
	f := new(big.Float).SetPrec(piBits).SetInt(pi)
	return f.SetMantExp(f, -piBits-32)
})

// bigSin is sin(x + quarter·π/2).
func bigSin(x float64, quarter int64) *big.Float {
	long := func() *big.Float { return new(big.Float).SetPrec(piBits) }
	half := long().SetMantExp(bigPi(), -1)
	q := long().Quo(long().SetFloat64(x), half)
	k, _ := q.Add(q, long().SetFloat64(math.Copysign(0.5, x))).Int(nil)
	r := num(0).Set(long().Sub(long().SetFloat64(x), half.Mul(half, long().SetInt(k))))
	n := new(big.Int).Add(k, big.NewInt(quarter)).Int64() & 3 // of a huge number the low bits are right all the same
	r2 := num(0).Neg(num(0).Mul(r, r))
	first, from := r, 1
	if n&1 == 1 {
		first, from = num(1), 0
	}
	y := series(num(0).Set(first), func(k int, t *big.Float) { t.Quo(t.Mul(t, r2), num(float64((from+2*k)*(from+2*k-1)))) })
	if n&2 != 0 {
		y.Neg(y)
	}
	return y
}

// exact are the functions by their numbers.
var exact = [numFunctions]func(x float64) *big.Float{
	fExp: func(x float64) *big.Float { return bigExp(num(x)) },
	fLog: func(x float64) *big.Float { return bigLog(num(x)) },
	fTanh: func(x float64) *big.Float {
		if math.Abs(x) > 50 {
			return num(math.Copysign(1, x))
		}
		u := bigExpm1(num(2 * math.Abs(x)))
		return num(0).Mul(u.Quo(u, num(0).Add(u, num(2))), num(math.Copysign(1, x)))
	},
	fSigmoid: func(x float64) *big.Float { return num(0).Quo(num(1), num(0).Add(num(1), bigExp(num(-x)))) },
	fSin:     func(x float64) *big.Float { return bigSin(x, 0) },
	fCos:     func(x float64) *big.Float { return bigSin(x, 1) },
	fSqrt:    func(x float64) *big.Float { return num(0).Sqrt(num(x)) },
}

func exactPow(x, y float64) *big.Float { return bigExp(num(0).Mul(num(y), bigLog(num(x)))) }

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
	d := num(0).Sub(num(got), want)
	f, _ := d.Quo(d, num(math.Ldexp(1, max(e-53, -1074)))).Float64()
	return math.Abs(f)
}
