package types

import (
	"fmt"
	"math"
	"strings"
)

// Rat is an exact power of a unit, in lowest terms with a positive denominator.
type Rat struct{ Num, Den int }

// R makes num/den in lowest terms; a zero denominator counts as 1.
func R(num, den int) Rat {
	if den == 0 {
		den = 1
	}
	if den < 0 {
		num, den = -num, -den
	}
	a, b := num, den
	if a < 0 {
		a = -a
	}
	for b != 0 {
		a, b = b, a%b
	}
	if a > 1 {
		num, den = num/a, den/a
	}
	return Rat{num, den}
}

// Add, Mul and Inv are exact while the parts stay small, which powers of units do.
func (r Rat) Add(o Rat) Rat { return R(r.Num*o.Den+o.Num*r.Den, r.Den*o.Den) }

// Mul is the product.
func (r Rat) Mul(o Rat) Rat { return R(r.Num*o.Num, r.Den*o.Den) }

// Neg is the opposite.
func (r Rat) Neg() Rat { return Rat{-r.Num, r.Den} }

// Inv is the reciprocal; that of 0 is 0.
func (r Rat) Inv() Rat {
	if r.Num == 0 {
		return r
	}
	return R(r.Den, r.Num)
}

// Zero says whether r is 0.
func (r Rat) Zero() bool { return r.Num == 0 }

// Float is the value.
func (r Rat) Float() float64 { return float64(r.Num) / float64(r.Den) }

// Rational finds the fraction with a denominator up to 64 that a number is, so that x^0.5 and x^(1/3) have
// units; ok is false when there is none, or when it is above 64 in size.
func Rational(x float64) (r Rat, ok bool) {
	if math.IsNaN(x) || math.Abs(x) > 64 {
		return Rat{0, 1}, false
	}
	for den := 1; den <= 64; den++ {
		n := math.Round(x * float64(den))
		if math.Abs(n/float64(den)-x) <= 1e-12*math.Max(1, math.Abs(x)) {
			return R(int(n), den), true
		}
	}
	return Rat{0, 1}, false
}

// Factor is one named unit to a power.
type Factor struct {
	Name string
	Pow  Rat
}

// Unit is a unit of measure: a product of named units to rational powers, kept in the names the user
// wrote. What a name means, its scale and base dimensions, stands in the table of units. The zero Unit is free:
// it was not annotated and is inferred or fits all. Compare units with Equal.
type Unit struct {
	known   bool
	factors []Factor // powers are not 0, each name once, in the order written
}

// One is the unit of plain numbers: known, and dimensionless.
var One = Unit{known: true}

// NewUnit is the product of the factors; "1" as a name is left out.
func NewUnit(fs ...Factor) Unit {
	u := One
	for _, f := range fs {
		if f.Name != "1" {
			u = u.Mul(Unit{true, []Factor{f}})
		}
	}
	return u
}

// Known says whether the unit is not free.
func (u Unit) Known() bool { return u.known }

// Plain says whether the unit is known and names nothing.
func (u Unit) Plain() bool { return u.known && len(u.factors) == 0 }

// Mul is the product of two units; free when one of them is.
func (u Unit) Mul(o Unit) Unit {
	if !u.known || !o.known {
		return Unit{}
	}
	if len(o.factors) == 0 {
		return u
	}
	if len(u.factors) == 0 {
		return o
	}
	out := append(make([]Factor, 0, len(u.factors)+len(o.factors)), u.factors...)
next:
	for _, f := range o.factors {
		for i := range out {
			if out[i].Name != f.Name {
				continue
			}
			out[i].Pow = out[i].Pow.Add(f.Pow)
			if out[i].Pow.Zero() {
				out = append(out[:i], out[i+1:]...)
			}
			continue next
		}
		if !f.Pow.Zero() {
			out = append(out, f)
		}
	}
	return Unit{true, out}
}

// Pow is the unit to a power.
func (u Unit) Pow(p Rat) Unit {
	if !u.known {
		return u
	}
	if p.Zero() || len(u.factors) == 0 {
		return One
	}
	out := make([]Factor, len(u.factors))
	for i, f := range u.factors {
		out[i] = Factor{f.Name, f.Pow.Mul(p)}
	}
	return Unit{true, out}
}

// Div is the quotient of two units.
func (u Unit) Div(o Unit) Unit { return u.Mul(o.Pow(Rat{-1, 1})) }

// Base reduces the unit to base dimensions: seconds, metres, grams, …, and names of the user's own.
// The scale is how many of them the unit is: 60 for min.
func (u Unit) Base() (scale float64, dims map[string]Rat) {
	scale, dims = 1, map[string]Rat{}
	for _, f := range u.factors {
		s, d := meaning(f.Name)
		scale *= math.Pow(s, f.Pow.Float())
		for _, b := range d {
			p := b.Pow.Mul(f.Pow)
			if q, ok := dims[b.Name]; ok {
				p = p.Add(q)
			}
			dims[b.Name] = p
		}
	}
	for n, p := range dims {
		if p.Zero() {
			delete(dims, n)
		}
	}
	return scale, dims
}

// Ratio compares two known units: same says that they measure the same thing, and then 1 u is
// factor o (60 for h and min).
func (u Unit) Ratio(o Unit) (factor float64, same bool) {
	scale, dims := u.Div(o).Base()
	return scale, len(dims) == 0
}

// Equal says whether two units are both free, or known and the same in dimension and scale.
func (u Unit) Equal(o Unit) bool {
	if u.known != o.known {
		return false
	}
	if !u.known || len(u.factors) == 0 && len(o.factors) == 0 {
		return true
	}
	f, same := u.Ratio(o)
	return same && math.Abs(f-1) < 1e-9
}

// String is as the unit would be typed: "mol/L", "1/year", "m/s^2"; "1" when dimensionless, "" when free.
func (u Unit) String() string {
	if !u.known {
		return ""
	}
	var b strings.Builder
	put := func(f Factor, sep string) {
		b.WriteString(sep)
		b.WriteString(f.Name)
		switch p := f.Pow; {
		case p.Den != 1:
			fmt.Fprintf(&b, "^(%d/%d)", p.Num, p.Den)
		case p.Num != 1:
			fmt.Fprintf(&b, "^%d", p.Num)
		}
	}
	for _, f := range u.factors {
		if f.Pow.Num > 0 {
			sep := "*"
			if b.Len() == 0 {
				sep = ""
			}
			put(f, sep)
		}
	}
	if b.Len() == 0 {
		b.WriteByte('1')
	}
	for _, f := range u.factors {
		if f.Pow.Num < 0 {
			put(Factor{f.Name, f.Pow.Neg()}, "/")
		}
	}
	return b.String()
}

// Words is the unit as a message says it: in quotes, "no unit" when dimensionless.
func (u Unit) Words() string {
	switch {
	case !u.known:
		return "a free unit"
	case u.Plain():
		return "no unit"
	}
	return "`" + u.String() + "`"
}
