package trace

// Places of tick marks: P. S. Heckbert, "Nice numbers for graph labels", Graphics Gems
// (1990) 61–63, with the ticks kept inside the limits.

import (
	"math"
	"strconv"
	"strings"
)

// Tick is a mark on an axis.
type Tick struct {
	Value float64
	Label string
}

// Ticks places about n marks (n ≥ 2) on round values between two limits, on a logarithmic axis at
// powers of ten, and labels them with as many digits as tell them apart.
func Ticks(l Limits, n int, log bool) []Tick {
	n = max(n, 2)
	if span := l.Hi - l.Lo; !(span >= 1/huge) || math.IsInf(span, 0) || l.Lo+span/100 == l.Lo || log && l.Lo <= 0 {
		return nil
	}
	if log {
		if t := logTicks(l, n); len(t) >= 2 {
			return t
		}
	}
	return linearTicks(l, n)
}

func linearTicks(l Limits, n int) []Tick {
	// How many marks fall inside depends on where the limits lie, so steps that seem too small
	// are tried first.
	step := niceStep((l.Hi - l.Lo) / float64(2*n+2))
	var first, last float64
	for {
		// A hair of tolerance, so that limits that are round themselves are marked.
		first, last = math.Ceil(l.Lo/step-1e-9), math.Floor(l.Hi/step+1e-9)
		if last-first+1 <= float64(n) {
			break
		}
		// One mark alone shows no scale: rather some more than n.
		next := niceStep(step * 1.01)
		if math.Floor(l.Hi/next+1e-9)-math.Ceil(l.Lo/next-1e-9) < 1 && last-first < 6 {
			break
		}
		step = next
	}
	var vals []float64
	for k := first; k <= last; k++ {
		vals = append(vals, k*step+0) // +0 turns -0 into 0
	}
	return label(vals, step)
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is not below x.
func niceStep(x float64) float64 {
	e := math.Floor(math.Log10(x))
	p := math.Pow(10, e)
	for _, m := range [...]float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// label writes values that are step apart.
func label(vals []float64, step float64) []Tick {
	most := 0.0
	for _, v := range vals {
		most = math.Max(most, math.Abs(v))
	}
	ticks := make([]Tick, len(vals))
	exp := math.Floor(math.Log10(step) + 1e-9)
	science := most >= 1e6 || most < 1e-3 // a lone 0 included
	for i, v := range vals {
		ticks[i].Value = v
		if science && v != 0 {
			digits := max(0, int(math.Floor(math.Log10(most)+1e-9)-exp))
			ticks[i].Label = tidyExponent(strconv.FormatFloat(v, 'e', min(digits, 16), 64))
		} else if science {
			ticks[i].Label = "0"
		} else {
			ticks[i].Label = strconv.FormatFloat(v, 'f', max(0, int(-exp)), 64)
		}
	}
	return ticks
}

// tidyExponent writes 1.5e-07 as 1.5e-7 and 1e+06 as 1e6.
func tidyExponent(s string) string {
	i := strings.IndexByte(s, 'e')
	if i < 0 {
		return s
	}
	sign := ""
	if s[i+1] == '-' {
		sign = "-"
	}
	exp := strings.TrimLeft(s[i+2:], "0")
	if exp == "" {
		return s[:i]
	}
	return s[:i] + "e" + sign + exp
}

func logTicks(l Limits, n int) []Tick {
	lo, hi := math.Log10(l.Lo), math.Log10(l.Hi)
	first, last := math.Ceil(lo-1e-9), math.Floor(hi+1e-9)
	var ticks []Tick
	mark := func(v float64) {
		// Powers of ten come out of math.Pow with a last bit too many.
		if r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 3, 64), 64); err == nil {
			v = r
		}
		form := byte('g')
		if v < 0.99e-3 || v > 0.99e6 {
			form = 'e'
		}
		ticks = append(ticks, Tick{v, tidyExponent(strconv.FormatFloat(v, form, -1, 64))})
	}
	decades := int(last-first) + 1
	if decades > n {
		stride := float64((decades + n - 1) / n)
		for e := math.Ceil(first/stride) * stride; e <= last; e += stride {
			mark(math.Pow(10, e))
		}
		return ticks
	}
	steps := []float64{1}
	if 3*decades <= n {
		steps = []float64{1, 2, 5}
	}
	for e := first - 1; e <= last; e++ {
		for _, m := range steps {
			v := m * math.Pow(10, e)
			if v >= l.Lo*(1-1e-9) && v <= l.Hi*(1+1e-9) {
				mark(v)
			}
		}
	}
	return ticks
}
