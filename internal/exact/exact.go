// Package exact computes elementary functions in many bits, by plain series: what the tests of faster ones are held against.
package exact

import (
	"math"
	"math/big"
	"sync"
)

// bits are enough for what cancels in between.
const bits = 220

// Num is a number in that many bits.
func Num(x float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(x) }

// series sums term, term·f(1), term·f(1)·f(2), … until it does not count.
func series(term *big.Float, f func(k int, t *big.Float)) *big.Float {
	sum := Num(0)
	for k := 1; term.Sign() != 0 && (sum.Sign() == 0 || term.MantExp(nil) > sum.MantExp(nil)-bits); k++ {
		sum.Add(sum, term)
		f(k, term)
	}
	return sum
}

// Expm1 is e^x − 1, by its series at x/2⁸ or nearer to 0, doubled by u² + 2u.
func Expm1(x *big.Float) *big.Float {
	if x.MantExp(nil) > 8 {
		return Num(0).Sub(Exp(x), Num(1))
	}
	return expm1(x)
}

func expm1(x *big.Float) *big.Float {
	halvings := max(0, x.MantExp(nil)+8)
	r := Num(0).SetMantExp(x, -halvings)
	u := series(Num(0).Set(r), func(k int, t *big.Float) { t.Quo(t.Mul(t, r), Num(float64(k+1))) })
	for range halvings {
		u.Add(Num(0).Mul(u, u), Num(0).Add(u, u))
	}
	return u
}

// Exp is e^x.
func Exp(x *big.Float) *big.Float {
	if f, _ := x.Float64(); math.Abs(f) > 3000 { // far beyond every float
		return Num(1).SetMantExp(Num(1), int(math.Copysign(4000, f)))
	}
	if x.Sign() < 0 { // the doubling loses digits towards −1
		return Num(0).Quo(Num(1), Exp(Num(0).Neg(x)))
	}
	return Num(0).Add(expm1(x), Num(1))
}

// Log is by Halley's iteration on e^y = x, from the float's logarithm; near 1 by the series of 2 artanh.
func Log(x *big.Float) *big.Float {
	if y := artanh2(Num(0).Quo(Num(0).Sub(x, Num(1)), Num(0).Add(x, Num(1)))); y != nil {
		return y
	}
	m := Num(0)
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := Num(math.Log(f) + float64(e)*math.Ln2)
	for range 3 {
		t := Exp(y)
		d := Num(0).Sub(x, t)
		y.Add(y, d.Quo(d.Add(d, d), t.Add(t, x)))
	}
	return y
}

// Log1p is log(1 + x), x > −1.
func Log1p(x *big.Float) *big.Float {
	if y := artanh2(Num(0).Quo(x, Num(0).Add(x, Num(2)))); y != nil {
		return y
	}
	return Log(Num(0).Add(x, Num(1)))
}

// artanh2 is 2 artanh s by its series, nil where that takes long.
func artanh2(s *big.Float) *big.Float {
	if s.Sign() != 0 && s.MantExp(nil) >= -8 {
		return nil
	}
	s2 := Num(0).Mul(s, s)
	power := Num(0).Add(s, s)
	return series(Num(0).Set(power), func(k int, t *big.Float) {
		power.Mul(power, s2)
		t.Quo(power, Num(float64(2*k+1)))
	})
}

// piBits are enough to reduce the largest float by π/2.
const piBits = 1500

// pi is π by Machin's formula.
var pi = sync.OnceValue(func() *big.Float {
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
	sum := arctan(5)
	sum.Sub(sum.Mul(sum, big.NewInt(16)), new(big.Int).Mul(big.NewInt(4), arctan(239)))
	f := new(big.Float).SetPrec(piBits).SetInt(sum)
	return f.SetMantExp(f, -piBits-32)
})

// sin is sin(x + quarter·π/2).
func sin(x float64, quarter int64) *big.Float {
	long := func() *big.Float { return new(big.Float).SetPrec(piBits) }
	half := long().SetMantExp(pi(), -1)
	q := long().Quo(long().SetFloat64(x), half)
	k, _ := q.Add(q, long().SetFloat64(math.Copysign(0.5, x))).Int(nil)
	r := Num(0).Set(long().Sub(long().SetFloat64(x), half.Mul(half, long().SetInt(k))))
	n := new(big.Int).Add(k, big.NewInt(quarter)).Int64() & 3 // of a huge number the low bits are right all the same
	r2 := Num(0).Neg(Num(0).Mul(r, r))
	first, from := r, 1
	if n&1 == 1 {
		first, from = Num(1), 0
	}
	y := series(Num(0).Set(first), func(k int, t *big.Float) { t.Quo(t.Mul(t, r2), Num(float64((from+2*k)*(from+2*k-1)))) })
	if n&2 != 0 {
		y.Neg(y)
	}
	return y
}

// Sin is sin x.
func Sin(x float64) *big.Float { return sin(x, 0) }

// Cos is cos x.
func Cos(x float64) *big.Float { return sin(x, 1) }

// Tanh is tanh x.
func Tanh(x float64) *big.Float {
	if math.Abs(x) > 50 {
		return Num(math.Copysign(1, x))
	}
	u := Expm1(Num(2 * math.Abs(x)))
	return Num(0).Mul(u.Quo(u, Num(0).Add(u, Num(2))), Num(math.Copysign(1, x)))
}

// Sigmoid is 1/(1 + e^−x).
func Sigmoid(x float64) *big.Float {
	return Num(0).Quo(Num(1), Num(0).Add(Num(1), Exp(Num(-x))))
}

// Sqrt is √x.
func Sqrt(x float64) *big.Float { return Num(0).Sqrt(Num(x)) }

// Pow is x^y for x > 0.
func Pow(x, y float64) *big.Float { return Exp(Num(0).Mul(Num(y), Log(Num(x)))) }

// Ulps is the distance of got from want in units of the last place of want.
func Ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if math.IsInf(w, 0) || math.IsInf(got, 0) || math.IsNaN(got) {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	// The unit of the binade that the exact value lies in.
	e := max(want.MantExp(nil)-53, -1074)
	d := Num(0).Sub(Num(got), want)
	u, _ := d.SetMantExp(d, -e).Float64()
	return math.Abs(u)
}
