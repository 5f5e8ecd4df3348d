package train

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawTransform(t *rapid.T) Transform {
	scale := math.Pow(10, rapid.Float64Range(-6, 6).Draw(t, "scale"))
	lo := rapid.Float64Range(-100, 100).Draw(t, "lo")
	hi := lo + math.Pow(10, rapid.Float64Range(-4, 6).Draw(t, "width"))
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		lo, hi = math.Inf(-1), math.Inf(1)
	case 1:
		hi = math.Inf(1)
	case 2:
		lo = math.Inf(-1)
	}
	tr, err := NewTransform(lo, hi, scale)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// size is the magnitude against which rounding in θ is measured.
func size(tr Transform) float64 {
	s := tr.Scale
	if tr.two() {
		s = tr.Hi - tr.Lo
	}
	for _, b := range []float64{tr.Lo, tr.Hi} {
		if !math.IsInf(b, 0) {
			s = math.Max(s, math.Abs(b))
		}
	}
	return s
}

func TestTransformRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTransform(t)
		u := rapid.Float64Range(-20, 20).Draw(t, "u")
		th := tr.Value(u)
		if !(th >= tr.Lo && th <= tr.Hi) {
			t.Fatalf("θ = %v lies outside %v..%v", th, tr.Lo, tr.Hi)
		}
		in, ok := tr.Inside(th)
		if !ok || in != th {
			return // too near a bound: starts there are moved
		}
		back := tr.Value(tr.Inverse(th))
		if math.Abs(back-th) > 1e-13*math.Max(math.Abs(th), size(tr)) {
			t.Fatalf("%+v: θ = %v comes back as %v", tr, th, back)
		}
	})
}

func TestTransformSlope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTransform(t)
		u := rapid.Float64Range(-8, 8).Draw(t, "u")
		const h = 1e-5
		// Differences of θ lose the digits of its bounds, so they are allowed those.
		want := (tr.Value(u+h) - tr.Value(u-h)) / (2 * h)
		got := tr.Slope(u)
		if !(got > 0) || math.Abs(got-want) > 1e-8*got+1e-15*size(tr)/h {
			t.Fatalf("%+v at %v: slope %v, by differences %v", tr, u, got, want)
		}
	})
}

func TestTransformFarOut(t *testing.T) {
	inf := math.Inf(1)
	for _, b := range [][2]float64{{-inf, inf}, {0, inf}, {-inf, 0}, {0, 5}, {-3, -2}} {
		tr, err := NewTransform(b[0], b[1], 2)
		if err != nil {
			t.Fatal(err)
		}
		prev := math.Inf(-1)
		for _, u := range []float64{-1e300, -1e4, -700, -30, -1, 0, 1, 30, 700, 1e4, 1e300} {
			th, d := tr.Value(u), tr.Slope(u)
			if !(th >= b[0] && th <= b[1]) || th < prev || math.IsNaN(d) || d < 0 || math.IsInf(d, 0) {
				t.Errorf("%v: θ(%v) = %v, slope %v", b, u, th, d)
			}
			prev = th
		}
	}
}

func TestInside(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		lo, hi, start, want float64
		ok                  bool
	}{
		{0, 5, 0, 5e-6, true},
		{0, 5, 5, 5 - 5e-6, true},
		{0, 5, 1e-9, 5e-6, true},
		{0, 5, 2, 2, true},
		{0, inf, 0, 1e-6, true},
		{9, inf, 9, 9 + 1e-5, true},
		{-inf, -9, -9, -9 - 1e-5, true},
		{-inf, inf, -7, -7, true},
		{0, 5, -1, -1, false},
		{0, 5, math.NaN(), math.NaN(), false},
		{-inf, inf, inf, inf, false},
	} {
		tr, err := NewTransform(c.lo, c.hi, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := tr.Inside(c.start)
		if ok != c.ok || math.Abs(got-c.want) > 1e-15*math.Max(1, math.Abs(c.want)) && got != c.want {
			t.Errorf("%+v: %v, %v", c, got, ok)
		}
		if u := tr.Inverse(got); ok && (math.IsNaN(u) || math.IsInf(u, 0)) {
			t.Errorf("%+v: u = %v", c, u)
		}
	}
}

func TestTransformErrors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		lo, hi, scale float64
		want          string
	}{
		{2, 1, 1, "leave no room"},
		{1, 1, 1, "leave no room"},
		{inf, inf, 1, "no bounds"},
		{nan, 1, 1, "no bounds"},
		{-1e308, 1e308, 1, "too far apart"},
		{1e9, 1e9 + 1e-6, 1, "too close together"},
		{0, 1, -1, "scale"},
		{0, 1, inf, "scale"},
	} {
		if _, err := NewTransform(c.lo, c.hi, c.scale); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
