package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/eval"
)

func TestSpoken(t *testing.T) {
	for d, want := range map[time.Duration]string{200 * time.Millisecond: "1s", 7400 * time.Millisecond: "7s", 42 * time.Second: "45s", 59700 * time.Millisecond: "60s", 190 * time.Second: "3m10s",
		2*time.Hour + 5*time.Minute: "2h05m", 200 * time.Hour: "9 days"} {
		if got := spoken(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// However narrow the terminal, a line does not wrap, and what matters most is said first.
func TestBarFits(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120, 200} {
		var out bytes.Buffer
		p := &progress{w: &out, width: width}
		f := &train.Progress{Point: train.Point{Loss: 1.234567e-10, Best: 1.234567e-10, GradNorm: 3.3e-7}, Starts: 20, Start: 11, Phases: 4, Method: "shooting to t = 1905.25",
			Made: 12345, All: 100000, Left: 3*time.Hour + 11*time.Minute}
		p.report(eval.Progress{What: "fit LynxHare", Stage: "adabelief", Iter: 345, Total: 1000, Best: f.Best, Fit: f})
		for _, line := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if n := len([]rune(strings.TrimRight(line, " "))); n > width && width > 60 {
				t.Errorf("%d columns: %d in %q", width, n, line)
			}
		}
		if width >= 120 {
			for _, w := range []string{"fit LynxHare adabelief", "loss 1.23457e-10", "3h11m left", "gradient 3.3e-07"} {
				if !strings.Contains(out.String(), w) {
					t.Errorf("%d columns: no %q in %q", width, w, out.String())
				}
			}
		}
		p.clear()
	}
	if s := fmt.Sprint(parts(eval.Progress{What: "ensemble M", Best: math.NaN()})); s != "[ensemble M]" {
		t.Error(s)
	}
}
