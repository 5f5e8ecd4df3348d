package main

import (
	"math"
	"slices"
)

// point is one solve: what it took and how far from the truth its end was.
type point struct{ rtol, ns, err float64 }

// curve is the lower envelope of points: errors go down, times up, and no point is beaten in both. Between its points time is
// interpolated in the logarithms of both.
type curve []point

// envelope makes a curve of what was measured. Points without an error, exact to the last bit, are left out.
func envelope(points []point) curve {
	var all []point
	for _, p := range points {
		if p.err > 0 && !math.IsInf(p.err, 0) && p.ns > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b point) int {
		if a.ns != b.ns {
			if a.ns < b.ns {
				return -1
			}
			return 1
		}
		if a.err < b.err {
			return -1
		}
		return 1
	})
	var c curve
	for _, p := range all {
		if len(c) == 0 || p.err < c[len(c)-1].err {
			c = append(c, p)
		}
	}
	return c
}

// at is the time to an error; ok is whether the curve has data there.
func (c curve) at(err float64) (ns float64, ok bool) {
	for i := range c {
		if c[i].err > err {
			continue
		}
		if c[i].err == err {
			return c[i].ns, true
		}
		if i == 0 {
			return 0, false // more precise at its loosest
		}
		a, b := c[i-1], c[i]
		w := math.Log(err/a.err) / math.Log(b.err/a.err)
		return math.Exp((1-w)*math.Log(a.ns) + w*math.Log(b.ns)), true
	}
	return 0, false
}

// The errors at which curves are compared: four a decade.
const (
	loosestTarget  = 4.0
	tightestTarget = 10.0
	targetStep     = 0.25
)

// comparison is a curve over another.
type comparison struct {
	mean    float64   // the geometric mean of the ratios
	lo, hi  float64   // the least and the greatest decimal exponent of the errors compared, as 4 for 1e-4
	decades []float64 // the ratio at 1e-4, 1e-5, …; NaN where one curve has no data
	n       int       // how many ratios
	reach   int       // at how many errors b has data and a is that precise, if only at its loosest
}

// compare relates the time of a to that of b, to the same errors.
func compare(a, b curve) comparison {
	var c comparison
	sum := 0.0
	c.lo = math.Inf(1)
	for k := loosestTarget; k <= tightestTarget; k += targetStep {
		r := math.NaN()
		x, okA := a.at(math.Pow(10, -k))
		y, okB := b.at(math.Pow(10, -k))
		if okB && len(a) > 0 && a[len(a)-1].err <= math.Pow(10, -k) {
			c.reach++
		}
		if okA && okB {
			r = x / y
			sum += math.Log(r)
			c.n++
			c.lo, c.hi = min(c.lo, k), max(c.hi, k)
		}
		if k == math.Trunc(k) {
			c.decades = append(c.decades, r)
		}
	}
	if c.n == 0 {
		c.mean = math.NaN()
		return c
	}
	c.mean = math.Exp(sum / float64(c.n))
	return c
}
