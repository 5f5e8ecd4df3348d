package trace

import (
	"fmt"
	"math"
	"strings"
)

// Style is how a series is drawn.
type Style int

// The styles.
const (
	Line   Style = iota // joined by straight lines, with a gap where a value is not finite
	Points              // a mark at each point: data
	Band                // the area between Y and Hi
)

// Series is one curve, cloud of points or band of a Plot.
type Series struct {
	Name  string // in the legend; "" for none
	Style Style
	X, Y  []float64 // of one length
	Hi    []float64 // of a Band: its upper edge, of the same length
	// Color is 0 for a colour of the series' own; series with the same positive Color share it
	// (and their mark and dashes), as data and fit of one quantity should.
	Color int
}

// Plot describes a figure; Draw puts it into a terminal, package figure into a file.
type Plot struct {
	Title          string
	XLabel, YLabel string
	LogX, LogY     bool // logarithmic axes: values ≤ 0 are left out, with a note
	Series         []Series
}

// Check says whether every series has as many Y (and Hi) as X.
func (p *Plot) Check() error {
	for i := range p.Series {
		s := &p.Series[i]
		if len(s.X) != len(s.Y) || s.Style == Band && len(s.Hi) != len(s.X) {
			return fmt.Errorf("series `%s` has %d x values and %d y values: they must be equal", s.Name, len(s.X), max(len(s.Y), len(s.Hi)))
		}
	}
	return nil
}

// Slots numbers the colours in use: one small number per series, equal where Color is.
func (p *Plot) Slots() []int {
	slot := make([]int, len(p.Series))
	of := map[int]int{}
	next := 0
	for i, s := range p.Series {
		if k, ok := of[s.Color]; ok && s.Color > 0 {
			slot[i] = k
			continue
		}
		slot[i] = next
		if s.Color > 0 {
			of[s.Color] = next
		}
		next++
	}
	return slot
}

// Drawable says whether a point can be shown: finite, and positive on a logarithmic axis.
func (p *Plot) Drawable(x, y float64) bool {
	return drawable(x, p.LogX) && drawable(y, p.LogY)
}

func drawable(v float64, log bool) bool {
	// NaN compares false. What is so large that differences overflow counts as infinite.
	return math.Abs(v) <= huge && (!log || v >= 1/huge)
}

// Limits are the ends of both axes, with a little room around the data, and never empty. ok is
// false when no point can be drawn.
func (p *Plot) Limits() (x, y Limits, ok bool) {
	x, y = emptyLimits(), emptyLimits()
	for i := range p.Series {
		s := &p.Series[i]
		for k := range s.X {
			if p.Drawable(s.X[k], s.Y[k]) {
				x.add(s.X[k])
				y.add(s.Y[k])
			}
			if s.Style == Band && p.Drawable(s.X[k], s.Hi[k]) {
				x.add(s.X[k])
				y.add(s.Hi[k])
			}
		}
	}
	if x.Lo > x.Hi {
		return x, y, false
	}
	return x.widen(p.LogX, 0), y.widen(p.LogY, 0.03), true
}

// Notes say, in the user's words, what could not be drawn.
func (p *Plot) Notes() []string {
	var notes []string
	for i := range p.Series {
		s := &p.Series[i]
		bad, neg := 0, 0
		for k := range s.X {
			switch {
			case !drawable(s.X[k], false) || !drawable(s.Y[k], false) || s.Style == Band && !drawable(s.Hi[k], false):
				bad++
			case !p.Drawable(s.X[k], s.Y[k]):
				neg++
			}
		}
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("series %d", i+1)
		}
		if bad > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s not drawn, not finite or missing", name, count(bad, "point")))
		}
		if neg > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s not drawn, not positive on a logarithmic axis", name, count(neg, "point")))
		}
	}
	return notes
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Labels are the axis labels with a word about a logarithmic axis.
func (p *Plot) Labels() (x, y string) {
	add := func(s string, log bool) string {
		if log && !strings.Contains(s, "log") {
			return strings.TrimSpace(s + " (log)")
		}
		return s
	}
	return add(p.XLabel, p.LogX), add(p.YLabel, p.LogY)
}

// Limits are the two ends of an axis.
type Limits struct{ Lo, Hi float64 }

func emptyLimits() Limits { return Limits{math.Inf(1), math.Inf(-1)} }

func (l *Limits) add(v float64) { l.Lo, l.Hi = math.Min(l.Lo, v), math.Max(l.Hi, v) }

// huge keeps differences, padding and ratios of limits finite.
const huge = 1e300

// widen gives room: a share pad of the length on both sides, and a length at all to a constant.
func (l Limits) widen(log bool, pad float64) Limits {
	if log {
		lo, hi := math.Log10(l.Lo), math.Log10(l.Hi)
		if hi-lo < 1e-9 {
			lo, hi = lo-0.5, hi+0.5
		}
		d := (hi - lo) * pad
		return Limits{math.Pow(10, math.Max(lo-d, -305)), math.Pow(10, math.Min(hi+d, 305))}
	}
	// What differs by rounding only is a constant to the eye.
	if m := math.Max(math.Abs(l.Lo), math.Abs(l.Hi)); l.Hi-l.Lo <= math.Max(1e-12*m, 1/huge) {
		d := math.Max(0.1*m, 1e-280)
		if m == 0 {
			d = 1
		}
		return Limits{l.Lo - d, l.Hi + d}
	}
	d := (l.Hi - l.Lo) * pad
	return Limits{l.Lo - d, l.Hi + d}
}

// At is where v stands between the ends, 0 to 1.
func (l Limits) At(v float64, log bool) float64 {
	if log {
		return (math.Log10(v) - math.Log10(l.Lo)) / (math.Log10(l.Hi) - math.Log10(l.Lo))
	}
	return (v - l.Lo) / (l.Hi - l.Lo)
}
