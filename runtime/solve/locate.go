package solve

import (
	"math"
	"slices"
)

// Where a guard passes zero within an accepted step is looked for on the step's continuous extension: the guard is sampled at Chebyshev points, the
// polynomial through the samples is searched for sign changes and for extrema that reach across zero, so that two crossings between samples are not
// missed, and what it finds is confirmed and bracketed by the guard itself. The bracket is closed by Chandrupatla's method. Then the
// step is made anew, ending where the zero was found, and the time corrected by Newton's method on the step itself, since the
// continuous extension is less accurate than the method.
//
// L. F. Shampine, S. Thompson, Event location for ordinary differential equations, Computers & Mathematics with Applications 39 (2000), 43–54;
// T. R. Chandrupatla, A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without using
// derivatives, Advances in Engineering Software 28 (1997), 145–149; J. P. Boyd, Finding the zeros of a univariate equation: proxy rootfinders,
// Chebyshev interpolation, and the companion matrix, SIAM Review 55 (2013), 375–396.

// nodes is the degree of the polynomial through a guard's samples; fine is in how many pieces each interval between samples is searched.
const (
	nodes = 8
	fine  = 4
)

// nodeAt are the Chebyshev–Lobatto points on 0..1, fineAt those between which the search looks, nodeWeight the barycentric weights.
var nodeAt, nodeWeight, fineAt = chebyshev()

func chebyshev() (x, w [nodes + 1]float64, f [nodes*fine + 1]float64) {
	for j := range x {
		x[j] = 0.5 * (1 - math.Cos(math.Pi*float64(j)/nodes))
		w[j] = 1
		if j%2 == 1 {
			w[j] = -1
		}
		if j == 0 || j == nodes {
			w[j] *= 0.5
		}
	}
	x[0], x[nodes/2], x[nodes] = 0, 0.5, 1
	for j := range nodes {
		for k := range fine {
			f[j*fine+k] = x[j] + (x[j+1]-x[j])*float64(k)/fine
		}
	}
	f[nodes*fine] = 1
	return
}

// proxy is the polynomial through samples g at the nodes, by the barycentric formula.
func proxy(g []float64, at float64) float64 {
	num, den := 0.0, 0.0
	for j, x := range nodeAt {
		d := at - x
		if d == 0 {
			return g[j]
		}
		v := nodeWeight[j] / d
		num += v * g[j]
		den += v
	}
	return num / den
}

// sample evaluates all guards at the nodes of the accepted step. Where start, middle and end show all of them far from zero for all that they move, it
// leaves it at that and is false.
func (e *eventer) sample() bool {
	st := e.st
	put := func(j int, x []float64) {
		t := st.t + nodeAt[j]*st.h
		if j == nodes {
			t = st.t1
		}
		e.guardsAt(e.g, t, x)
		for i, v := range e.g {
			e.samples[i*(nodes+1)+j] = v
		}
	}
	if e.known { // the end of the step before
		for i := range e.g {
			s := e.samples[i*(nodes+1):]
			s[0] = s[nodes]
		}
	} else {
		put(0, st.x)
	}
	put(nodes, st.x1)
	st.Interpolate(st.t+0.5*st.h, e.x)
	put(nodes/2, e.x)
	e.known = true
	if e.allFar() {
		return false
	}
	for j := 1; j < nodes; j++ {
		if j != nodes/2 {
			st.Interpolate(st.t+nodeAt[j]*st.h, e.x)
			put(j, e.x)
		}
	}
	return true
}

// farFactor is how many times the guard's movement over a step, as three samples show it, its distance from zero is when it is not looked at closer.
const farFactor = 4

// allFar looks at three samples of each guard.
func (e *eventer) allFar() bool {
	for i, holds := range e.holds {
		s := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
		if (s[0] > 0) != holds || e.floor[i] > 0 {
			return false
		}
		if parts := e.parts(i); parts != nil {
			for _, p := range parts {
				if !e.far(p) {
					return false
				}
			}
		} else if !e.far(i) {
			return false
		}
	}
	return true
}

// far looks at three samples of one guard.
func (e *eventer) far(i int) bool {
	s := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
	a, b, c := s[0], s[nodes/2], s[nodes]
	if a < 0 {
		a, b, c = -a, -b, -c
	}
	lo, hi := min(a, b, c), max(a, b, c)
	return lo > farFactor*(hi-lo)
}

// parts are the guards that guard i is made of, nil where it is one by itself.
func (e *eventer) parts(i int) []int {
	if e.sys.GuardParts == nil {
		return nil
	}
	return e.sys.GuardParts[i]
}

// composite is crossing for a guard made of others by minimum and maximum. Between zeros of those it keeps its side, so it is enough to look between them, however
// close they are.
func (e *eventer) composite(i int, side, beyond float64, parts []int) (float64, bool) {
	at := append(e.cuts[:0], nodeAt[1:]...)
	for _, p := range parts {
		g := e.samples[p*(nodes+1) : (p+1)*(nodes+1)]
		a, fa := 0.0, g[0]
		b, fb := 0.0, fa
		for k := 1; k < len(fineAt); k++ {
			c := fineAt[k]
			fc := proxy(g, c)
			if (fc > 0) != (fb > 0) {
				at = append(at, bisect(g, b, fb, c))
			} else if k > 1 {
				s := 1.0
				if fb < 0 {
					s = -1
				}
				if low, v := vertex(a, s*fa, b, s*fb, c, s*fc); v < 0 { // there and back
					at = append(at, bisect(g, a, fa, low), low, bisect(g, low, s*v, c))
				}
			}
			a, fa, b, fb = b, fb, c, fc
		}
	}
	slices.Sort(at)
	e.cuts = at
	start := side*e.samples[i*(nodes+1)] <= 0
	prev := 0.0
	look := func(th float64) (float64, bool) {
		if th > prev && side*e.guardIn(i, th) < beyond {
			return e.bracket(i, side, prev, th, start && prev == 0)
		}
		prev = max(prev, th)
		return 0, false
	}
	last := 0.0
	for _, c := range at {
		if th, ok := look(0.5 * (last + c)); ok {
			return th, true
		}
		if th, ok := look(c); ok {
			return th, true
		}
		last = c
	}
	return 0, false
}

// bisect finds a zero of the polynomial through the samples g, of value fa at a and of the other sign at b.
func bisect(g []float64, a, fa, b float64) float64 {
	for range 40 {
		m := 0.5 * (a + b)
		if (proxy(g, m) > 0) == (fa > 0) {
			a = m
		} else {
			b = m
		}
	}
	return 0.5 * (a + b)
}

// guardIn is guard i at a fraction of the step, on its continuous extension.
func (e *eventer) guardIn(i int, th float64) float64 {
	st := e.st
	st.Interpolate(st.t+th*st.h, e.x)
	e.guardsAt(e.g, st.t+th*st.h, e.x)
	return e.g[i]
}

// crossing finds where within the step guard i first leaves the side that it is on; ok is false where it does not.
func (e *eventer) crossing(i int) (th float64, ok bool) {
	g := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
	side := -1.0
	if e.holds[i] {
		side = 1
	}
	lo, hi, crosses := math.Inf(1), math.Inf(-1), false
	for j, v := range g {
		v *= side
		lo, hi = min(lo, v), max(hi, v)
		crosses = crosses || j > 0 && v < 0
	}
	if lo-lo != 0 || hi-hi != 0 {
		return e.plain(i, side) // a guard that is not finite somewhere
	}
	parts := e.parts(i)
	if parts == nil && !crosses && lo > hi-lo {
		return 0, false // far from zero for all that it moves
	}
	// What lies less beyond zero than this is zero: a touch is no crossing, nor is what is left of the zero that was just located.
	beyond := -max(e.stepNoise(i), e.floor[i])
	if side*g[nodes] >= beyond {
		beyond -= e.blur[i]
	}
	if parts != nil {
		return e.composite(i, side, beyond, parts)
	}
	// Along the polynomial, from the start: the first place beyond zero, which the guard itself must confirm.
	start := side*g[0] <= 0 // as right after its own event
	prev, before := 0.0, 0.0
	p0, p1 := 0.0, max(0, side*g[0])
	for k := 1; k < len(fineAt); k++ {
		at := fineAt[k]
		p2 := side * proxy(g, at)
		if p2 < beyond {
			if v := side * e.guardIn(i, at); v < beyond {
				return e.bracket(i, side, prev, at, start && prev == 0)
			}
		} else if k > 1 && !(start && before == 0) {
			// The lowest point of the parabola through three neighbours may lie between them, at the step's ends too.
			if low, v := vertex(before, p0, prev, p1, at, p2); v < beyond && low > before && side*e.guardIn(i, low) < beyond {
				return e.bracket(i, side, before, low, false)
			}
		}
		p0, p1, before, prev = p1, p2, prev, at
	}
	return 0, false
}

// stepNoise is what rounding within the step makes of a zero of guard i; blur is, beside it, how little beyond zero the solution can tell from a touch: a
// small part of its tolerance.
func (e *eventer) stepNoise(i int) float64 {
	st := e.st
	if !e.hasNoise[i] {
		e.hasNoise[i] = true
		clear(e.gz)
		e.gz[i] = 1
		clear(e.gx)
		sum := math.Abs(e.guards.VJP(e.gx, nil, st.t1, st.x1, nil, e.gz)) * math.Abs(st.t1)
		soft := 0.0
		for k, v := range e.gx {
			size := max(math.Abs(st.x[k]), math.Abs(st.x1[k]))
			sum += math.Abs(v) * size
			soft += math.Abs(v) * (st.set.atol[k] + st.set.rtol*size)
		}
		e.noise[i], e.blur[i] = 4*noiseFactor*sum, blurShare*soft
		if v := e.noise[i] + e.blur[i]; v-v != 0 {
			e.noise[i], e.blur[i] = 0, 0
		}
	}
	return e.noise[i]
}

// vertex is the extremum of the parabola through three points.
func vertex(a, fa, b, fb, c, fc float64) (x, v float64) {
	d1, d2 := (fb-fa)/(b-a), (fc-fb)/(c-b)
	q := (d2 - d1) / (c - a)
	if !(q > 0) {
		return b, fb
	}
	x = 0.5*(a+b) - d1/(2*q)
	x = min(max(x, a), c)
	return x, fa + d1*(x-a) + q*(x-a)*(x-b)
}

// plain looks for a crossing at the samples alone.
func (e *eventer) plain(i int, side float64) (float64, bool) {
	g := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
	for j := 1; j <= nodes; j++ {
		if side*g[j] < 0 {
			if side*g[j-1] >= 0 {
				return e.bracket(i, side, nodeAt[j-1], nodeAt[j], false)
			}
			return nodeAt[j], true
		}
	}
	return 0, false
}

// bracket closes in on the zero between a and b, fractions of the step. With deflate the guard is zero at a = 0 already, and the next zero is wanted: that of
// (g(θ) − g(0))/θ.
func (e *eventer) bracket(i int, side, a, b float64, deflate bool) (float64, bool) {
	g0 := e.samples[i*(nodes+1)]
	f := func(th float64) float64 { return side * e.guardIn(i, th) }
	var fa float64
	if deflate {
		f = func(th float64) float64 { return side * (e.guardIn(i, th) - g0) / th }
		// A place near the start where it is on its side.
		a = 0
		for h := b; h > 0x1p-60; h *= 0.125 {
			if v := f(h * 0.125); v > 0 {
				a, fa = h*0.125, v
				break
			} else {
				b = h * 0.125
			}
		}
		if a == 0 {
			return b, true
		}
	} else {
		fa = side * e.guardIn(i, a)
		if a == 0 {
			fa = side * g0
		}
		if fa <= 0 {
			return a, true
		}
	}
	fb := f(b)
	return chandrupatla(f, a, fa, b, fb), true
}

// chandrupatla finds a zero of f between a and b, where f has the signs of fa and fb; the result is on the side of b.
func chandrupatla(f func(float64) float64, a, fa, b, fb float64) float64 {
	pos := fa > 0
	t := 0.5
	var c, fc float64
	for range 100 {
		x := a + t*(b-a)
		if x == a || x == b {
			break
		}
		fx := f(x)
		if (fx > 0) == (fa > 0) {
			c, fc = a, fa
		} else {
			c, fc = b, fb
			b, fb = a, fa
		}
		a, fa = x, fx
		m, fm := a, fa
		if math.Abs(fb) < math.Abs(fa) {
			m, fm = b, fb
		}
		tol := 2 * 0x1p-52 * math.Abs(m)
		tl := tol / math.Abs(b-c)
		if fm == 0 || tl > 0.5 || math.Abs(b-a) <= tol {
			break
		}
		xi := (a - b) / (c - b)
		phi := (fa - fb) / (fc - fb)
		t = 0.5
		if 1-math.Sqrt(1-xi) < phi && phi < math.Sqrt(xi) {
			t = fa/(fb-fa)*fc/(fb-fc) + (c-a)/(b-a)*fa/(fc-fa)*fb/(fc-fb)
		}
		t = min(max(t, tl), 1-tl)
	}
	// The end on the far side, so that the guard has passed.
	if (fa > 0) != pos || fa == 0 {
		return a
	}
	return b
}

// locate ends the accepted step at the first crossing within it, if there is one.
func (e *eventer) locate() {
	e.located, e.quiet = -1, true
	clear(e.at)
	if len(e.g) == 0 {
		return
	}
	st := e.st
	e.quiet = false
	if !e.sample() {
		e.quiet = true
		return
	}
	clear(e.hasNoise)
	first := 2.0
	for i := range e.ng {
		if th, ok := e.crossing(i); ok && th < first {
			first, e.located = th, i
		}
	}
	if e.located < 0 || st.t+first*st.h == st.t1 {
		e.located = -1 // nowhere, or at the end of the step, which is looked at anyway
		return
	}
	e.known = false
	e.polish(e.located, st.t+first*st.h)
}

// polish makes the step anew so that it ends at the zero of guard i near te.
func (e *eventer) polish(i int, te float64) {
	st := e.st
	t, t1, h := st.t, st.t1, st.h
	tiny := 4 * 0x1p-52 * max(math.Abs(t), math.Abs(h))
	te = min(max(te, t+tiny), t1)
	e.slack = tiny
	last := math.Inf(1)
	for n := range 12 {
		if !st.redo(te) {
			st.shorten(t, h, t1, te)
			return
		}
		e.guardsAt(e.g, te, st.x1)
		g := e.g[i]
		slope := e.slope(i, te, st.x1)
		d := -g / slope
		if !(math.Abs(d) < 0.5*(te-t)) || math.Abs(d) >= last {
			// No better: a slope near zero, or rounding.
			return
		}
		last = math.Abs(d)
		e.slack = max(tiny, 2*last)
		next := min(max(te+d, t+tiny), t1)
		if next == te || last <= 0x1p-52*math.Abs(te) || n == 11 {
			return
		}
		te = next
	}
}

// redo makes the accepted step anew, from the same start to another end. It is false where that does not succeed.
func (s *Stepper) redo(t1 float64) bool {
	s.t1, s.h = t1, t1-s.t
	s.attempts++
	s.moved = true
	var err float64
	if s.useEngine {
		err = s.tryEngine()
	} else {
		err = s.attempt()
	}
	if s.algebra != nil && err-err == 0 { // as the restart after an event would, which must not move the guard again
		s.stats.Evals += s.algebra.Correct(s.t1, s.x1)
		s.adjusted, s.opened = true, false
	}
	return err <= 1 || !s.set.controlled && err-err == 0
}

// shorten ends the step from t to t1 at te, with the state there by its continuous extension: for methods that cannot make a shorter step from the same start.
func (s *Stepper) shorten(t, h, t1, te float64) {
	s.redo(t1)
	s.h = h
	if te != t1 {
		x := make([]float64, len(s.x))
		s.Interpolate(te, x)
		copy(s.x1, x)
	}
	s.t1 = te
	s.isCut, s.opened = true, false
}
