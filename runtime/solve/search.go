package solve

import (
	"math"
	"slices"
)

// A polynomial through a guard's samples shows its zeros only where it is the guard. So it is held against the guard at points that are no nodes, and where the two
// differ by more than a small share of what the guard moves, and it may reach zero, the piece of the step is halved and each half is sampled anew, the
// first one first: what oscillates within a step, bends or jumps is seen, and what is smooth costs three evaluations. It is adaptive Chebyshev interpolation,
// as in the article of Boyd, section 4.

// Limits on the search.
const (
	maxDepth      = 10   // halvings of a step
	resolvedShare = 2e-4 // of the guard's range, by which a polynomial may miss it
	awayFactor    = 512  // times what it misses it by, and a guard is that far from zero: it is not looked at closer
	maxShorter    = 4    // times that a step is made shorter since guards change too fast
	closest       = 1e-9 // of the time span: pieces so short are not looked at closer
	trustSteps    = 32   // steps for which few samples tell as much as many did
)

// checkAt are the places at which a polynomial is held against its guard.
var checkAt = [3]float64{0.0937, 0.4103, 0.7831}

// piece is a part of a step, from a to b as fractions of it.
type piece struct {
	a, b            float64
	samples, checks []float64 // of all guards, at nodeAt and checkAt of the piece
	open            []bool    // by guard: it is to be looked at
}

// newLevels makes room for pieces of all sizes: all guards, of which ng are looked at.
func newLevels(samples []float64, all, ng int) []piece {
	levels := make([]piece, maxDepth+1)
	per := (nodes + 1 + len(checkAt)) * all
	room, open := make([]float64, (maxDepth+1)*per), make([]bool, (maxDepth+1)*ng)
	for d := range levels {
		r := room[d*per : (d+1)*per]
		levels[d] = piece{b: 1, samples: r[:(nodes+1)*all], checks: r[(nodes+1)*all:], open: open[d*ng : (d+1)*ng]}
	}
	levels[0].samples = samples
	for i := range levels[0].open {
		levels[0].open[i] = true
	}
	return levels
}

// of are the samples of guard i.
func (p *piece) of(i int) []float64 { return p.samples[i*(nodes+1) : (i+1)*(nodes+1)] }

// fill samples the guards on the piece from a to b.
func (e *eventer) fill(p *piece, a, b float64) {
	p.a, p.b = a, b
	for j, x := range nodeAt {
		e.guardsIn(a + (b-a)*x)
		for i, v := range e.g {
			p.samples[i*(nodes+1)+j] = v
		}
	}
	for k, x := range checkAt {
		e.guardsIn(a + (b-a)*x)
		for i, v := range e.g {
			p.checks[i*len(checkAt)+k] = v
		}
	}
}

// search finds the first crossing, before the given fraction of the step, of the guards that are open in the piece of level d, and whose it is, −1 for none.
func (e *eventer) search(d int, first float64) (float64, int) {
	p := &e.levels[d]
	who, halve := -1, false
	note := func(i int, th float64, ok bool) {
		if ok && th < first {
			first, who = th, i
		}
	}
	for i, open := range p.open {
		again := false
		switch {
		case !open:
		case !e.finiteIn(p, i):
			th, ok := e.plain(p, i)
			note(i, th, ok)
		case e.tells(p, i):
			th, ok := e.crossing(p, i)
			note(i, th, ok)
		case d < maxDepth:
			again = true
		default: // there it jumps or bends, or does so again and again
			th, ok := e.plain(p, i)
			if sides, much := e.sides(p, i); much && (!ok || sides > 1) {
				if e.crowd == 0 {
					if e.crowd = p.a; p.a == 0 {
						e.crowd = p.b
					}
				}
				break
			}
			if !ok {
				th, ok = e.crossing(p, i)
			}
			note(i, th, ok)
		}
		if d < maxDepth {
			e.levels[d+1].open[i] = again
		}
		halve = halve || again
	}
	if !halve {
		return first, who
	}
	e.resolved = false
	m := 0.5 * (p.a + p.b)
	for _, h := range [...][2]float64{{p.a, m}, {m, p.b}} {
		if h[0] >= first {
			break
		}
		e.fill(&e.levels[d+1], h[0], h[1])
		th, g := e.search(d+1, first)
		if g >= 0 {
			return th, g
		}
		if e.crowd > 0 {
			break
		}
	}
	return first, who
}

// finiteIn says whether guard i and its parts are finite on a piece, as far as they are sampled.
func (e *eventer) finiteIn(p *piece, i int) bool {
	for _, k := range e.parts(i) {
		if !finite(p.of(k)) {
			return false
		}
	}
	return finite(p.of(i))
}

// tells says whether the polynomials of guard i, or of what it is made of, are the guards.
func (e *eventer) tells(p *piece, i int) bool {
	if parts := e.parts(i); parts != nil {
		for _, k := range parts {
			if !e.tellsOf(p, k, i) {
				return false
			}
		}
		return true
	}
	return e.tellsOf(p, i, i)
}

// tellsOf is tells for guard k, a part of i.
func (e *eventer) tellsOf(p *piece, k, i int) bool {
	s := p.of(k)
	lo, hi, miss := math.Inf(1), math.Inf(-1), 0.0
	for _, v := range s {
		lo, hi = min(lo, v), max(hi, v)
	}
	for n, at := range checkAt {
		v := p.checks[k*len(checkAt)+n]
		lo, hi = min(lo, v), max(hi, v)
		miss = max(miss, math.Abs(v-proxy(s, at)))
	}
	if miss <= resolvedShare*(hi-lo) {
		return true
	}
	near := max(lo, -hi, 0) // how far from zero all of it is
	return near > awayFactor*miss || miss <= e.stepNoise(i)+16*0x1p-52*max(math.Abs(lo), math.Abs(hi))
}

// sides says how often guard i changes side in a piece that cannot be halved, and whether that piece is long enough, and the guard moves there by more than a trifle of what
// it does over the step, to be looked at closer.
func (e *eventer) sides(p *piece, i int) (n int, much bool) {
	s, c, k := p.of(i), p.checks[i*len(checkAt):(i+1)*len(checkAt)], 0
	last, lo, hi := s[0], s[0], s[0]
	look := func(v float64) {
		if (v > 0) != (last > 0) {
			n++
		}
		last, lo, hi = v, min(lo, v), max(hi, v)
	}
	for j := 1; j <= nodes; j++ {
		for ; k < len(c) && checkAt[k] < nodeAt[j]; k++ {
			look(c[k])
		}
		look(s[j])
	}
	whole := e.levels[0].of(i)
	first, most := whole[0], whole[0]
	for _, v := range whole {
		first, most = min(first, v), max(most, v)
	}
	width := (p.b - p.a) * math.Abs(e.st.h)
	return n, hi-lo > 1e-3*(most-first) && width > max(closest*math.Abs(e.p.T1-e.p.T0), 1e3*e.st.minStep())
}

// composite is crossing for a guard made of others by minimum and maximum. Between zeros of those it keeps its side, so it is enough to look between them, however
// close they are.
func (e *eventer) composite(p *piece, i int, side, beyond float64, parts []int) (float64, bool) {
	at := append(e.cuts[:0], nodeAt[1:]...)
	for _, k := range parts {
		g := p.of(k)
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
	start := p.a == 0 && side*p.of(i)[0] <= 0
	prev := p.a
	look := func(at float64) (float64, bool) {
		th := p.a + (p.b-p.a)*at
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

// crossing finds where within a piece guard i first leaves the side that it is on, by the polynomial through its samples; ok is false where it does not.
func (e *eventer) crossing(p *piece, i int) (th float64, ok bool) {
	g := p.of(i)
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
	parts := e.parts(i)
	if parts == nil && !crosses && lo > hi-lo {
		return 0, false // far from zero for all that it moves
	}
	// What lies less beyond zero than this is zero: a touch is no crossing, nor is what is left of the zero that was just located.
	beyond := -max(e.stepNoise(i), e.floor[i])
	if side*e.levels[0].of(i)[nodes] >= beyond {
		beyond -= e.blur[i]
	}
	if parts != nil {
		return e.composite(p, i, side, beyond, parts)
	}
	// Along the polynomial, from the start: the first place beyond zero, which the guard itself must confirm.
	in := func(at float64) float64 { return p.a + (p.b-p.a)*at }
	start := p.a == 0 && side*g[0] <= 0 // as right after its own event
	prev, before := 0.0, 0.0
	p0, p1 := 0.0, max(0, side*g[0])
	for k := 1; k < len(fineAt); k++ {
		at := fineAt[k]
		p2 := side * proxy(g, at)
		if p2 < beyond {
			if v := side * e.guardIn(i, in(at)); v < beyond {
				return e.bracket(i, side, in(prev), in(at), start && prev == 0)
			}
		} else if k > 1 && !(start && before == 0) {
			// The lowest point of the parabola through three neighbours may lie between them, at the step's ends too.
			if low, v := vertex(before, p0, prev, p1, at, p2); v < beyond && low > before && side*e.guardIn(i, in(low)) < beyond {
				return e.bracket(i, side, in(before), in(low), false)
			}
		}
		p0, p1, before, prev = p1, p2, prev, at
	}
	return 0, false
}

// plain looks for a crossing at the samples alone.
func (e *eventer) plain(p *piece, i int) (float64, bool) {
	side := -1.0
	if e.holds[i] {
		side = 1
	}
	g := p.of(i)
	for j := 1; j <= nodes; j++ {
		if side*g[j] < 0 {
			b := p.a + (p.b-p.a)*nodeAt[j]
			if side*g[j-1] >= 0 {
				return e.bracket(i, side, p.a+(p.b-p.a)*nodeAt[j-1], b, false)
			}
			return b, true
		}
	}
	return 0, false
}
