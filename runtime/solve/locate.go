package solve

import (
	"math"
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

// sample evaluates all guards at the nodes of the accepted step. Where start, middle and end show all of them far from zero for all that they move, and a
// step not much shorter has lately shown that this tells, it leaves it at that and is false.
func (e *eventer) sample() bool {
	st := e.st
	if e.known { // the end of the step before
		for i := range e.g {
			s := e.samples[i*(nodes+1):]
			s[0] = s[nodes]
		}
	} else {
		e.put(0, st.t, st.x)
	}
	e.put(nodes, st.t1, st.x1)
	e.putIn(nodes / 2)
	e.known = true
	if e.trust--; e.trust > 0 && math.Abs(st.h) <= 1.25*e.trusted && e.allFar() {
		return false
	}
	e.sampleRest()
	return true
}

// resample is sample for a step that has been made anew with another end, at all nodes.
func (e *eventer) resample() {
	e.put(nodes, e.st.t1, e.st.x1)
	e.putIn(nodes / 2)
	e.known = true
	e.sampleRest()
}

// sampleRest evaluates the guards at the nodes that sample has not looked at yet, and where the polynomials through these are held against them.
func (e *eventer) sampleRest() {
	for j := 1; j < nodes; j++ {
		if j != nodes/2 {
			e.putIn(j)
		}
	}
	p := &e.levels[0]
	for k, at := range checkAt {
		e.guardsIn(at)
		for i, v := range e.g {
			p.checks[i*len(checkAt)+k] = v
		}
	}
}

// put takes the guards at (t, x) as samples at node j.
func (e *eventer) put(j int, t float64, x []float64) {
	e.guardsAt(e.g, t, x)
	for i, v := range e.g {
		e.samples[i*(nodes+1)+j] = v
	}
}

// putIn is put on the step's continuous extension.
func (e *eventer) putIn(j int) {
	st := e.st
	t := st.t + nodeAt[j]*st.h
	st.Interpolate(t, e.x)
	e.put(j, t, e.x)
}

// guardsIn evaluates all guards at a fraction of the step, on its continuous extension.
func (e *eventer) guardsIn(th float64) {
	st := e.st
	t := st.t + th*st.h
	st.Interpolate(t, e.x)
	e.guardsAt(e.g, t, e.x)
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

// guardIn is guard i at a fraction of the step, on its continuous extension.
func (e *eventer) guardIn(i int, th float64) float64 {
	e.guardsIn(th)
	return e.g[i]
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
	for range maxShorter {
		clear(e.hasNoise)
		e.resolved, e.crowd = true, 0
		var first float64
		first, e.located = e.search(0, 2)
		if e.trusted = 0; e.resolved {
			e.trusted, e.trust = math.Abs(st.h), trustSteps
		}
		if e.crowd == 0 {
			if e.located < 0 {
				first, e.located = e.resting()
			}
			if e.located < 0 || st.t+first*st.h == st.t1 {
				e.located = -1 // nowhere, or at the end of the step, which is looked at anyway
				return
			}
			e.known = false
			e.polish(e.located, st.t+first*st.h)
			return
		}
		// Somewhere a guard changes too fast to be seen at all: the step ends before, or is made so short that it can be.
		width := e.levels[maxDepth].b - e.levels[maxDepth].a
		te := st.t + e.crowd*st.h
		if !(te > st.t+4*0x1p-52*max(math.Abs(st.t), math.Abs(st.h))) {
			return
		}
		if st.set.controlled {
			st.next = min(st.next, 16*width*math.Abs(st.h))
		}
		e.located, e.known = -1, false
		t, t1, h := st.t, st.t1, st.h
		if !st.redo(te) {
			st.shorten(t, h, t1, te)
			return
		}
		if e.crowd > width {
			return
		}
		e.resample()
	}
}

// resting finds a guard that comes to zero within the step and stays there, as max(x, 0) does, so that it passes nothing: there it is no longer positive.
func (e *eventer) resting() (float64, int) {
	first, who := 2.0, -1
	for i, holds := range e.holds {
		s := e.levels[0].of(i)
		if !holds || s[nodes] != 0 || s[nodes-1] != 0 || !(s[0] > 0) {
			continue
		}
		a, b := 0.0, nodeAt[nodes-1]
		for m := 0.5 * b; m > a && m < b && b-a > 0x1p-50; m = a + 0.5*(b-a) {
			if e.guardIn(i, m) > 0 {
				a = m
			} else {
				b = m
			}
		}
		if b < first {
			first, who = b, i
		}
	}
	return first, who
}

// polish makes the step anew so that it ends at the zero of guard i near te.
func (e *eventer) polish(i int, te float64) {
	st := e.st
	t, t1, h := st.t, st.t1, st.h
	tiny := 4 * 0x1p-52 * max(math.Abs(t), math.Abs(h))
	te = min(max(te, t+tiny), t1)
	e.slack = tiny
	last := math.Inf(1)
	before, behind := t, t1 // between which the guard changes side, as the step itself has it
	for n := range 12 {
		if !st.redo(te) {
			st.shorten(t, h, t1, te)
			return
		}
		e.guardsAt(e.g, te, st.x1)
		g := e.g[i]
		if (g > 0) == e.holds[i] {
			before = max(before, te)
		} else {
			behind = min(behind, te)
		}
		slope := e.within(i, te)
		d := -g / slope
		if !(math.Abs(d) < 0.5*(te-t)) || math.Abs(d) >= last {
			// No better: a slope near zero, or rounding, or a guard that jumps.
			if math.Abs(g) > e.stepNoise(i) && !(math.Abs(d) <= max(1e-7*math.Abs(h), 16*tiny)) {
				e.halve(i, te, before, behind, t1, tiny)
			}
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

// halve makes the step anew until it ends just where guard i has changed side: for guards that jump across zero, where their slope says nothing. The step ended at
// te, and at first at end.
func (e *eventer) halve(i int, te, before, behind, end, tiny float64) {
	st := e.st
	t, h := st.t, end-st.t
	first, crossed := te, te == behind || behind < end
	try := func(at float64) (ok bool) {
		te = at
		if !st.redo(at) {
			st.shorten(t, h, end, at)
			return false
		}
		e.guardsAt(e.g, at, st.x1)
		if (e.g[i] > 0) == e.holds[i] {
			before = at
		} else {
			behind, crossed = at, true
		}
		return true
	}
	// Its time by the continuous extension may be a little early: a little later it will have come.
	for d := 1e-9 * math.Abs(h); !crossed && te < end; d *= 8 {
		if !try(min(first+d, end)) {
			return
		}
	}
	if !crossed {
		try(first)
		return
	}
	for behind-before > tiny {
		m := before + 0.5*(behind-before)
		if m <= before || m >= behind {
			break
		}
		if !try(m) {
			return
		}
	}
	if te != behind {
		try(behind)
	}
	e.slack = tiny
}

// within is the derivative of guard i along the solution at the end of the step. With a mass matrix x' is not f, and the step itself must tell.
func (e *eventer) within(i int, te float64) float64 {
	st := e.st
	if e.sys.Mass == nil {
		return e.slope(i, te, st.x1)
	}
	g, d := e.g[i], 1e-3*st.h
	return (g - e.guardIn(i, 1-1e-3)) / d
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
