package signal

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func must(t *testing.T, kind Kind, ts, v []float64, outside bool) *Signal {
	t.Helper()
	s, err := New(kind, ts, v, outside)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestValuesOfEachKind(t *testing.T) {
	ts, v := []float64{0, 1, 3}, []float64{2, 4, 0}
	for _, c := range []struct {
		kind    Kind
		outside bool
		at      float64
		want    float64
	}{
		{Hold, false, 0, 2}, {Hold, false, 0.999, 2}, {Hold, false, 1, 4}, {Hold, false, math.Nextafter(1, 0), 2}, {Hold, false, 3, 0},
		{Hold, true, -1e300, 2}, {Hold, true, 7, 0},
		{Linear, false, 0.5, 3}, {Linear, false, 1, 4}, {Linear, false, 2, 2}, {Linear, false, 3, 0},
		{Linear, true, -5, 2}, {Linear, true, 100, 0},
		{Cubic, false, 0, 2}, {Cubic, false, 1, 4}, {Cubic, false, 3, 0}, {Cubic, false, 2, 2 + 2*2 + -4.0/3*2*1},
		{Cubic, true, -1, 2}, {Cubic, true, 4, 0},
	} {
		if got := must(t, c.kind, ts, v, c.outside).Eval(c.at); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("%v at %v: %v, want %v", c.kind, c.at, got, c.want)
		}
	}
}

// TestCubicReproducesCubics: not-a-knot splines are exact for cubics, on uneven knots too, with their derivatives.
func TestCubicReproducesCubics(t *testing.T) {
	f := func(x float64) float64 { return 1 - 2*x + 0.5*x*x + 0.25*x*x*x }
	df := func(x float64) float64 { return -2 + x + 0.75*x*x }
	ts := []float64{-1, -0.7, 0.1, 0.2, 1.5, 2}
	var v []float64
	for _, x := range ts {
		v = append(v, f(x))
	}
	for n := 4; n <= len(ts); n++ {
		s := must(t, Cubic, ts[:n], v[:n], false)
		d := s.Derivative()
		for x := -1.0; x <= ts[n-1]; x += 0.01 {
			if e := math.Abs(s.Eval(x) - f(x)); e > 1e-13 {
				t.Fatalf("%d knots, value at %v: error %g", n, x, e)
			}
			if e := math.Abs(d.Eval(x) - df(x)); e > 1e-12 {
				t.Fatalf("%d knots, derivative at %v: error %g", n, x, e)
			}
			if e := math.Abs(d.Derivative().Eval(x) - (1 + 1.5*x)); e > 1e-11 {
				t.Fatalf("%d knots, second derivative at %v: error %g", n, x, e)
			}
		}
	}
}

// TestCubicOrder: the error on a smooth function falls with the fourth power of the spacing, up to the ends.
func TestCubicOrder(t *testing.T) {
	worst := func(n int) float64 {
		ts, v := make([]float64, n+1), make([]float64, n+1)
		for i := range ts {
			ts[i] = 3 * float64(i) / float64(n)
			v[i] = math.Sin(ts[i])
		}
		s, e := must(t, Cubic, ts, v, false), 0.0
		for x := 0.0; x <= 3; x += 0.001 {
			e = max(e, math.Abs(s.Eval(x)-math.Sin(x)))
		}
		return e
	}
	if p := math.Log2(worst(160) / worst(320)); math.Abs(p-4) > 0.2 {
		t.Errorf("order %.2f", p)
	}
}

func TestKinks(t *testing.T) {
	below := func(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }
	for _, c := range []struct {
		kind    Kind
		v       []float64
		outside bool
		want    []float64
	}{
		{Hold, []float64{0, 1, 1, 2}, false, []float64{below(1), 1, below(3), 3}},
		{Hold, []float64{0, 1, 1, 2}, true, []float64{below(1), 1, below(3), 3}},
		{Linear, []float64{0, 1, 2, 2}, false, []float64{2}},
		{Linear, []float64{0, 1, 2, 2}, true, []float64{0, 2, 3}},
		{Cubic, []float64{0, 1, 2, 2}, false, nil},
		{Cubic, []float64{0, 1, 2, 2}, true, []float64{0, 3}},
	} {
		if got := must(t, c.kind, []float64{0, 1, 2, 3}, c.v, c.outside).Kinks(); !slices.Equal(got, c.want) {
			t.Errorf("%v of %v: kinks %v, want %v", c.kind, c.v, got, c.want)
		}
	}
}

// TestCubicKinks: the knots of a rough table are kinks, those of a dense one of a smooth function are not, nor the second and the last but one, where not even the
// third derivative jumps.
func TestCubicKinks(t *testing.T) {
	rough := []float64{0, 1.1, 2.4, 2.56, 3.16, 3.93, 4, 5}
	if got := must(t, Cubic, rough, []float64{-1, -2, -0.5, 0.34, -1.7, 1.2, -1, -1}, false).Kinks(); !slices.Equal(got, rough[2:6]) {
		t.Errorf("kinks %v", got)
	}
	for _, c := range []struct {
		noise       float64
		least, most int
	}{{0, 0, 0}, {1e-7, 0, 0}, {1e-2, 150, 200}} {
		var ts, v []float64
		for i := range 201 {
			x := 0.05 * float64(i)
			ts, v = append(ts, x), append(v, 2+math.Sin(x)+c.noise*math.Sin(1e4*x))
		}
		if n := len(must(t, Cubic, ts, v, false).Kinks()); n < c.least || n > c.most {
			t.Errorf("noise of %g: %d kinks", c.noise, n)
		}
	}
}

// TestPieceByGuessAndBySearch compares the guess with a plain search, on even and uneven knots.
func TestPieceByGuessAndBySearch(t *testing.T) {
	for _, knots := range [][]float64{{0, 1, 2, 3, 4}, {0, 0.001, 5, 5.5, 90}, {-3, 7}, {1}} {
		for _, outside := range []bool{false, true} {
			s := must(t, Hold, knots, make([]float64, len(knots)), outside)
			for _, k := range knots {
				for _, x := range []float64{k, math.Nextafter(k, 1e9), math.Nextafter(k, -1e9), k + 0.3, k - 0.3, -1e308, 1e308} {
					want := 0
					for i, s := range s.knots {
						if s <= x {
							want = i
						}
					}
					if got := s.piece(x); got != want {
						t.Fatalf("knots %v at %v: piece %d, want %d", s.knots, x, got, want)
					}
				}
			}
		}
	}
}

func TestBadTables(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		kind Kind
		t, v []float64
		row  int
	}{
		{Linear, []float64{0, 1}, []float64{1}, -1}, {Linear, nil, nil, -1}, {Linear, []float64{0}, []float64{1}, -1},
		{Hold, []float64{0, nan}, []float64{1, 1}, 1}, {Hold, []float64{0, 1}, []float64{nan, 1}, 0},
		{Cubic, []float64{0, 0}, []float64{1, 1}, 1}, {Linear, []float64{0, 2, 1}, []float64{1, 1, 1}, 2},
	} {
		_, err := New(c.kind, c.t, c.v, false)
		var te *TableError
		if !errors.As(err, &te) || te.Row != c.row || te.Help == "" {
			t.Errorf("%v of %v, %v: %v", c.kind, c.t, c.v, err)
		}
	}
}

func TestEvalAllocatesNothing(t *testing.T) {
	s := must(t, Cubic, []float64{0, 1, 2, 4, 8}, []float64{0, 1, 0, 1, 0}, true)
	x := 0.0
	if n := testing.AllocsPerRun(100, func() { x += s.Eval(x) + 0.1 }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
