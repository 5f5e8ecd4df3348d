package main

import (
	"fmt"
	"math"
	"slices"
)

// figure is what a row's measurement gave.
type figure struct {
	median, min, max float64
	detail           string // in words: the times behind a ratio
	target           float64
	absent           string // why there is no figure, with what there is in detail
}

// spread is the figure of the values of several rounds.
func spread(x []float64) figure {
	return figure{median: median(x), min: slices.Min(x), max: slices.Max(x)}
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[n/2] + s[(n-1)/2]) / 2
}

// bound is a row's target. The zero value is none.
type bound struct {
	limit   float64
	set     bool
	atLeast bool
}

func atMost(v float64) bound  { return bound{limit: v, set: true} }
func atLeast(v float64) bound { return bound{limit: v, set: true, atLeast: true} }

// verdict is "ok", "short", or "" without a target or a figure.
func (b bound) verdict(f figure) string {
	switch {
	case !b.set || f.absent != "":
		return ""
	case b.atLeast && f.median >= b.limit, !b.atLeast && f.median <= b.limit:
		return "ok"
	}
	return "short"
}

func (b bound) String() string {
	switch {
	case !b.set:
		return ""
	case b.atLeast:
		return "≥ " + number(b.limit)
	}
	return "≤ " + number(b.limit)
}

// number writes three digits.
func number(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// duration writes nanoseconds in a unit that suits them.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	case ns < 1e9:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	}
	return fmt.Sprintf("%.3g s", ns/1e9)
}

// disagreement is an error of two sides that do not find the same.
type disagreement struct {
	a, b meter
	i, n int
	x, y float64
}

func (d *disagreement) Error() string {
	if d.n < 0 {
		return fmt.Sprintf("%s on %s and %s on %s do not give as many numbers", d.a.job, d.a.side, d.b.job, d.b.side)
	}
	return fmt.Sprintf("number %d of %d: %s on %s gives %.17g, %s on %s gives %.17g", d.i+1, d.n, d.a.job, d.a.side, d.x, d.b.job, d.b.side, d.y)
}

// agree compares what two sides found, number by number, to a relative tolerance.
func agree(a, b meter, x, y []float64, tol float64) error {
	if len(x) != len(y) {
		return &disagreement{a: a, b: b, n: -1}
	}
	for i := range x {
		// Near zero what counts is the size of the terms that cancelled, which is not much below 1 in any subject.
		if d := math.Abs(x[i] - y[i]); !(d <= tol*max(math.Abs(x[i]), math.Abs(y[i]))+1e-3*tol) {
			return &disagreement{a, b, i, len(x), x[i], y[i]}
		}
	}
	return nil
}
