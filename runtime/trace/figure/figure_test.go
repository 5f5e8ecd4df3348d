package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/trace"
)

// sample has each style, a gap, a Greek letter and something that cannot be drawn.
func sample() *trace.Plot {
	var x, y, hi []float64
	for i := range 100 {
		x = append(x, float64(i))
		y = append(y, math.Exp(-float64(i)/20))
		hi = append(hi, 2*y[i])
	}
	y[50], y[60] = math.NaN(), -1
	return &trace.Plot{Title: "decay, α = 0.05", XLabel: "t", YLabel: "x <mol>", LogY: true, Series: []trace.Series{
		{Name: "range", Style: trace.Band, X: x, Y: y, Hi: hi},
		{Name: "fit", X: x, Y: y, Color: 1},
		{Name: "data", Style: trace.Points, X: x[:5], Y: y[:5], Color: 1}}}
}

func TestWriteFormats(t *testing.T) {
	check := map[string]func(t *testing.T, b []byte){
		"png": func(t *testing.T, b []byte) {
			im, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if r := im.Bounds(); r.Dx() < 300 || r.Dy() < 180 {
				t.Errorf("size %v", r)
			}
			ink := map[any]bool{}
			for y := range im.Bounds().Dy() {
				for x := range im.Bounds().Dx() {
					ink[im.At(x, y)] = true
				}
			}
			if len(ink) < 10 {
				t.Errorf("only %d colours: nothing was drawn", len(ink))
			}
		},
		"svg": func(t *testing.T, b []byte) {
			d := xml.NewDecoder(bytes.NewReader(b))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range []string{"decay, α", "data", "x &lt;mol&gt; (log)", "1 point not drawn"} {
				if !bytes.Contains(b, []byte(s)) {
					t.Errorf("no %q in it", s)
				}
			}
		},
		"pdf": func(t *testing.T, b []byte) {
			if !bytes.HasPrefix(b, []byte("%PDF")) || !bytes.Contains(b, []byte("%%EOF")) {
				t.Error("not a PDF")
			}
		},
	}
	if len(check) != len(Formats()) {
		t.Fatalf("formats %v, tested %d", Formats(), len(check))
	}
	for _, f := range Formats() {
		t.Run(f, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, f, sample(), Size{Width: 8, Height: 5, DPI: 100}); err != nil {
				t.Fatal(err)
			}
			check[f](t, b.Bytes())
		})
	}
}

func TestOddPlots(t *testing.T) {
	for name, p := range map[string]*trace.Plot{
		"empty":     {},
		"no finite": {Series: []trace.Series{{Name: "a", X: []float64{1}, Y: []float64{math.NaN()}}}},
		"one point": {Series: []trace.Series{{X: []float64{1}, Y: []float64{2}}}},
		"huge":      {Series: []trace.Series{{X: []float64{1, 2}, Y: []float64{-1e299, 1e299}}}},
		"log one":   {LogX: true, LogY: true, Series: []trace.Series{{Style: trace.Points, X: []float64{3}, Y: []float64{1e-200}}}},
		"long name": {Series: []trace.Series{{Name: strings.Repeat("long ", 50), X: []float64{1, 2}, Y: []float64{1, 2}}}},
	} {
		if err := Write(io.Discard, "svg", p, Size{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.SVG")
	if err := Save(path, sample(), Size{}); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Contains(b, []byte("<svg")) {
		t.Errorf("%v", err)
	}
}

func TestFailures(t *testing.T) {
	if err := Save("a.gif", sample(), Size{}); err == nil || !strings.Contains(err.Error(), ".pdf, .png, .svg") {
		t.Errorf("unknown format: %v", err)
	}
	if err := Write(io.Discard, "bmp", sample(), Size{}); err == nil {
		t.Error("an unknown format was written")
	}
	bad := &trace.Plot{Series: []trace.Series{{Name: "a", X: []float64{1}}}}
	if err := Write(io.Discard, "svg", bad, Size{}); err == nil || !strings.Contains(err.Error(), "`a`") {
		t.Errorf("unequal lengths: %v", err)
	}
	if err := Write(full{}, "png", sample(), Size{}); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }
