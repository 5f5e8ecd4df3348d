package types

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// unit reads a product such as "mol", "L", -1: names with powers.
func unit(pairs ...any) Unit {
	var fs []Factor
	for i := 0; i < len(pairs); i += 2 {
		fs = append(fs, Factor{pairs[i].(string), R(pairs[i+1].(int), 1)})
	}
	return NewUnit(fs...)
}

// What names mean, against the SI brochure and UCUM.
func TestScales(t *testing.T) {
	for _, x := range []struct {
		a, b   Unit
		factor float64
	}{
		{unit("h", 1), unit("min", 1), 60},
		{unit("day", 1), unit("h", 1), 24},
		{unit("week", 1), unit("d", 1), 7},
		{unit("year", 1), unit("day", 1), 365.25},
		{unit("year", 1), unit("month", 1), 12},
		{unit("yr", 1), unit("years", 1), 1},
		{unit("mol", 1, "L", -1), unit("M", 1), 1},
		{unit("mmol", 1, "L", -1), unit("uM", 1), 1000},
		{unit("kg", 1), unit("g", 1), 1000},
		{unit("N", 1), unit("kg", 1, "m", 1, "s", -2), 1},
		{unit("J", 1), unit("N", 1, "m", 1), 1},
		{unit("W", 1, "h", 1), unit("J", 1), 3600},
		{unit("kWh", 1), unit("MJ", 1), 3.6},
		{unit("Pa", 1), unit("N", 1, "m", -2), 1},
		{unit("bar", 1), unit("kPa", 1), 100},
		{unit("atm", 1), unit("mmHg", 1), 760},
		{unit("V", 1, "A", 1), unit("W", 1), 1},
		{unit("ohm", 1), unit("V", 1, "A", -1), 1},
		{unit("S", 1), unit("Ω", -1), 1},
		{unit("F", 1), unit("C", 1, "V", -1), 1},
		{unit("H", 1), unit("Wb", 1, "A", -1), 1},
		{unit("T", 1), unit("Wb", 1, "m", -2), 1},
		{unit("mL", 1), unit("cm", 3), 1},
		{unit("Hz", 1), unit("s", -1), 1},
		{unit("deg", 1), unit("rad", 1), math.Pi / 180},
		{unit("µm", 1), unit("um", 1), 1},
		{unit("percent", 1), One, 0.01},
		{unit("pelt", 1), unit("pelt", 1), 1},
		{unit("cal", 1), unit("J", 1), 4.184},
		{unit("Da", 1), unit("ag", 1), 1.66053906660e-6},
	} {
		f, same := x.a.Ratio(x.b)
		if !same || math.Abs(f/x.factor-1) > 1e-6 {
			t.Errorf("1 %v is %g %v (same %v), not %g", x.a, f, x.b, same, x.factor)
		}
		if x.a.Equal(x.b) != (x.factor == 1) {
			t.Errorf("%v equal %v is wrong", x.a, x.b)
		}
	}
	for _, x := range [][2]Unit{
		{unit("hare", 1), unit("lynx", 1)}, {unit("m", 1), unit("s", 1)}, {unit("pH", 1), unit("H", 1)},
		{unit("mouse", 1), unit("ouse", 1)}, {unit("g", 1), unit("m", 1)}, {unit("min", 1), unit("m", 1)}, {One, unit("m", 1)},
	} {
		if _, same := x[0].Ratio(x[1]); same {
			t.Errorf("%v measures the same as %v", x[0], x[1])
		}
	}
}

func TestUnitString(t *testing.T) {
	for want, u := range map[string]Unit{
		"":            {},
		"1":           One,
		"mol/L":       unit("mol", 1, "L", -1),
		"1/year":      unit("year", -1),
		"m/s^2":       unit("m", 1, "s", -2),
		"kg*m^2/s^2":  unit("kg", 1, "m", 2, "s", -2),
		"mol/L/h":     unit("L", -1, "mol", 1, "h", -1),
		"m^(1/2)":     unit("m", 1).Pow(R(1, 2)),
		"1/m^(3/2)":   unit("m", -3).Pow(R(1, 2)),
		"hare":        unit("1", 1, "hare", 1),
		"m/s":         unit("m", 2, "s", -1).Div(unit("m", 1)),
		"mol/L/hare":  unit("mol", 1).Div(unit("L", 1, "hare", 1)),
		"pelt*year^2": unit("pelt", 1).Mul(unit("year", 2)),
	} {
		if got := u.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if w := One.Words() + " " + unit("m", 1).Words() + " " + (Unit{}).Words(); w != "no unit `m` a free unit" {
		t.Error(w)
	}
}

func TestFree(t *testing.T) {
	var free Unit
	m := unit("m", 1)
	if free.Known() || m.Mul(free).Known() || free.Mul(m).Known() || free.Pow(R(2, 1)).Known() || !free.Equal(Unit{}) || free.Equal(One) || m.Equal(free) {
		t.Error("a free unit stays free")
	}
	if !One.Plain() || m.Plain() || free.Plain() || !m.Pow(Rat{0, 1}).Plain() {
		t.Error("plain is known and without names")
	}
}

func TestRational(t *testing.T) {
	for x, want := range map[float64]Rat{0.5: {1, 2}, 1.0 / 3: {1, 3}, -2: {-2, 1}, 0.75: {3, 4}, 0: {0, 1}, 1.4: {7, 5}} {
		if r, ok := Rational(x); !ok || r != want {
			t.Errorf("%g is %v %v", x, r, ok)
		}
	}
	for _, x := range []float64{math.Pi, math.NaN(), math.Inf(1), 1000, math.Sqrt2} {
		if r, ok := Rational(x); ok {
			t.Errorf("%g is %v", x, r)
		}
	}
	if R(2, -4) != (Rat{-1, 2}) || R(3, 0) != (Rat{3, 1}) || R(0, 5) != (Rat{0, 1}) || (Rat{0, 1}).Inv() != (Rat{0, 1}) || R(-2, 3).Inv() != R(-3, 2) {
		t.Error("lowest terms")
	}
}

// Units form an Abelian group with rational powers.
func TestUnitGroup(t *testing.T) {
	names := []string{"m", "s", "h", "mol", "L", "hare", "kg", "N", "M", "uM"}
	gen := rapid.Custom(func(t *rapid.T) Unit {
		u := One
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			p := R(rapid.IntRange(-3, 3).Draw(t, "num"), rapid.IntRange(1, 3).Draw(t, "den"))
			u = u.Mul(NewUnit(Factor{rapid.SampledFrom(names).Draw(t, "name"), R(1, 1)}).Pow(p))
		}
		return u
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := gen.Draw(t, "a"), gen.Draw(t, "b"), gen.Draw(t, "c")
		switch {
		case !a.Mul(b).Equal(b.Mul(a)):
			t.Fatal("commutative")
		case !a.Mul(b).Mul(c).Equal(a.Mul(b.Mul(c))):
			t.Fatal("associative")
		case !a.Div(a).Plain():
			t.Fatal("inverse", a.Div(a))
		case !a.Mul(b).Pow(R(2, 3)).Equal(a.Pow(R(2, 3)).Mul(b.Pow(R(2, 3)))):
			t.Fatal("powers distribute")
		case !a.Pow(R(1, 2)).Pow(R(2, 1)).Equal(a):
			t.Fatal("roots")
		}
		f, same1 := a.Ratio(b)
		g, same2 := b.Ratio(a)
		if same1 != same2 || same1 && math.Abs(f*g-1) > 1e-9 {
			t.Fatal("ratios are inverse", f, g)
		}
	})
}

func TestShape(t *testing.T) {
	s := Shape{2, 3}
	if s.Size() != 6 || s.String() != "shape [2, 3]" || Scalar.String() != "a scalar" || Scalar.Brackets() != "[]" ||
		!s.Equal(Shape{2, 3}) || s.Equal(Shape{3, 2}) || s.Equal(Shape{2}) || !Scalar.IsScalar() || Scalar.Size() != 1 {
		t.Error("shapes")
	}
}
