package trace

import (
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update rewrites it); got\n%s\nwant\n%s", name, got, want)
	}
}

var (
	years []float64
	hares = []float64{30, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22, 25.4, 27.1, 40.3, 57, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7}
	lynx  = []float64{4, 6.1, 9.8, 35.2, 59.4, 41.7, 19, 13, 8.3, 9.1, 7.4, 8, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6}
)

// pelts is data as points with curves through them.
func pelts() *Plot {
	years = years[:0]
	for i := range hares {
		years = append(years, 1900+float64(i))
	}
	var t, h, l []float64
	for i := range 201 {
		s := float64(i) / 10
		t = append(t, 1900+s)
		h = append(h, 40+30*math.Sin(0.6*s))
		l = append(l, 30+20*math.Sin(0.6*s-1))
	}
	return &Plot{Title: "pelts", XLabel: "year", YLabel: "thousand pelts", Series: []Series{
		{Name: "x", X: t, Y: h, Color: 1}, {Name: "y", X: t, Y: l, Color: 2},
		{Name: "hare", Style: Points, X: years, Y: hares, Color: 1}, {Name: "lynx", Style: Points, X: years, Y: lynx, Color: 2}}}
}

func TestDraw(t *testing.T) {
	decay := &Plot{LogY: true, XLabel: "iteration", YLabel: "loss", Series: []Series{{Name: "loss"}}}
	for i := range 100 {
		decay.Series[0].X = append(decay.Series[0].X, float64(i))
		decay.Series[0].Y = append(decay.Series[0].Y, math.Exp(-float64(i)/7))
	}
	decay.Series[0].Y[40], decay.Series[0].Y[41], decay.Series[0].Y[42] = math.NaN(), -1, 0
	p := pelts()
	band := &Plot{Series: []Series{{Name: "90 %", Style: Band, X: p.Series[0].X, Y: p.Series[1].Y, Hi: p.Series[0].Y}, {Name: "mean", X: p.Series[0].X, Y: p.Series[0].Y}}}
	for _, c := range []struct {
		name string
		p    *Plot
		o    DrawOptions
	}{
		{"pelts", p, DrawOptions{}},
		{"pelts_narrow_color", p, DrawOptions{Width: 40, Height: 6, Color: true}},
		{"log", decay, DrawOptions{Width: 60}},
		{"band", band, DrawOptions{Width: 50}},
		{"constant", &Plot{Series: []Series{{Name: "c", X: []float64{0, 1}, Y: []float64{5, 5}}}}, DrawOptions{Width: 30}},
		{"one_point", &Plot{Series: []Series{{Style: Points, X: []float64{0}, Y: []float64{0}}}}, DrawOptions{Width: 30}},
		{"nothing", &Plot{Title: "T", Series: []Series{{Name: "n", X: []float64{1}, Y: []float64{math.Inf(1)}}}}, DrawOptions{}},
		{"empty", &Plot{}, DrawOptions{}},
		{"tiny_scale", &Plot{YLabel: "mol/L", Series: []Series{{X: []float64{0, 1e6, 2e6}, Y: []float64{1e-9, 3e-9, 2e-9}}}}, DrawOptions{Width: 50}},
		{"many_series", many(), DrawOptions{Width: 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if err := Draw(&b, c.p, c.o); err != nil {
				t.Fatal(err)
			}
			golden(t, "plot_"+c.name+".txt", b.String())
		})
	}
}

func many() *Plot {
	p := &Plot{}
	for i := range 7 {
		p.Series = append(p.Series, Series{Name: "state number " + string(rune('1'+i)), X: []float64{0, 1}, Y: []float64{0, float64(i)}})
	}
	return p
}

func TestDrawRefuses(t *testing.T) {
	for _, s := range []Series{{Name: "a", X: []float64{1}}, {Name: "a", Style: Band, X: []float64{1}, Y: []float64{1}}} {
		if err := Draw(io.Discard, &Plot{Series: []Series{s}}, DrawOptions{}); err == nil || !strings.Contains(err.Error(), "`a`") {
			t.Errorf("got %v", err)
		}
	}
}

// No numbers whatever may make a plot panic, hang or run over its width.
func TestDrawAnything(t *testing.T) {
	odd := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), 1, 1 + 1e-15, 1e300, -1e-300}), rapid.Float64Range(-10, 10))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		p := &Plot{LogX: rapid.Bool().Draw(t, "logx"), LogY: rapid.Bool().Draw(t, "logy"), XLabel: "x", YLabel: "y"}
		for range rapid.IntRange(0, 3).Draw(t, "series") {
			p.Series = append(p.Series, Series{Name: "s", Style: Style(rapid.IntRange(0, 2).Draw(t, "style")),
				X: rapid.SliceOfN(odd, n, n).Draw(t, "x"), Y: rapid.SliceOfN(odd, n, n).Draw(t, "y"), Hi: rapid.SliceOfN(odd, n, n).Draw(t, "hi")})
		}
		width := rapid.IntRange(24, 70).Draw(t, "width")
		var b strings.Builder
		if err := Draw(&b, p, DrawOptions{Width: width, Height: 5}); err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(b.String(), "\n") {
			if len([]rune(l)) > width && !strings.HasPrefix(l, "(") {
				t.Fatalf("%d wide, not %d: %q", len([]rune(l)), width, l)
			}
		}
	})
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		log    bool
		want   string
	}{
		{0, 1, 5, false, "0.0 0.5 1.0"},
		{0, 1, 6, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{1900, 1920, 5, false, "1900 1905 1910 1915 1920"},
		{-0.03, 0.07, 7, false, "-0.02 0.00 0.02 0.04 0.06"},
		{0, 3e-9, 4, false, "0 1e-9 2e-9 3e-9"},
		{0, 2.5e7, 6, false, "0 5.0e6 1.0e7 1.5e7 2.0e7 2.5e7"},
		{1e-8, 1, 5, true, "1e-8 1e-6 1e-4 0.01 1"},
		{1, 100, 10, true, "1 2 5 10 20 50 100"},
		{3, 4, 4, true, "3.0 3.5 4.0"},
	} {
		var got []string
		for _, k := range Ticks(Limits{c.lo, c.hi}, c.n, c.log) {
			got = append(got, k.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("[%g, %g] n=%d log=%v: %s, want %s", c.lo, c.hi, c.n, c.log, s, c.want)
		}
	}
}

// Marks lie inside, in order, about as many as asked for, at least two, and labels tell them apart.
func TestTicksProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e6, 1e6).Draw(t, "lo")
		hi := lo + math.Pow(10, rapid.Float64Range(-5, 8).Draw(t, "span"))
		n := rapid.IntRange(3, 12).Draw(t, "n")
		ticks := Ticks(Limits{lo, hi}, n, false)
		if len(ticks) > max(n, 6) || len(ticks) < 2 {
			t.Fatalf("%d ticks for n=%d", len(ticks), n)
		}
		eps := 1e-6*(hi-lo) + 1e-15*math.Abs(lo)
		for i, k := range ticks {
			if k.Value < lo-eps || k.Value > hi+eps {
				t.Fatalf("%v outside [%v, %v]", k.Value, lo, hi)
			}
			if i > 0 && (k.Value <= ticks[i-1].Value || k.Label == ticks[i-1].Label) {
				t.Fatalf("%v after %v", k, ticks[i-1])
			}
		}
	})
}

func TestSlots(t *testing.T) {
	p := &Plot{Series: []Series{{Color: 7}, {}, {Color: 3}, {Color: 7}, {}}}
	want := []int{0, 1, 2, 0, 3}
	for i, s := range p.Slots() {
		if s != want[i] {
			t.Fatalf("got %v, want %v", p.Slots(), want)
		}
	}
}

// The pen joins its ends whatever the slope, and a line runs the same dots at most once.
func TestPen(t *testing.T) {
	for x := range 8 {
		for y := range 8 {
			c := newCanvas(4, 2)
			p := pen{c: c}
			p.line(3, 4, x, y, true)
			if c.at(x, y).dots&bits[y%4][x%2] == 0 || c.at(3, 4).dots&bits[0][1] == 0 {
				t.Errorf("to (%d, %d): an end is missing", x, y)
			}
			if want := max(abs(x-3), abs(y-4)) + 1; p.at != want {
				t.Errorf("to (%d, %d): %d dots, want %d", x, y, p.at, want)
			}
		}
	}
}

func ExampleDraw() {
	x := []float64{0, 1, 2, 3, 4}
	Draw(os.Stdout, &Plot{Series: []Series{{Style: Points, X: x, Y: []float64{0, 1, 4, 9, 16}}}}, DrawOptions{Width: 32, Height: 4})
	// Output:
	//    │                          ●
	// 10 ┤                    ●
	//    │             ●
	//  0 ┤●     ●
	//    └┬────────────┬────────────┬
	//     0            2            4
}
