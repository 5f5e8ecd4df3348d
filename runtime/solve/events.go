package solve

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/udl-lang/udl/runtime/system"
)

// Cause is what made an event fire.
type Cause int

// The causes.
const (
	ByGuard Cause = iota // its guard passed zero, at a time that was located
	ByTime               // its time had come
	ByEvent              // another event at the same time changed its guard
	AtStart              // its guard held at the start
	ByDelay              // its assignments, that had been delayed, were made
	ByInput              // an input that jumps took its guard across zero
)

// Fired is an event that happened.
type Fired struct {
	T     float64
	Event int // index into the system's Events
	Cause Cause
	// Guard is which of the system's guards passed zero, of ByGuard.
	Guard int
	// Count of an Every: it fired at T0 + Count·period.
	Count int
	// Of ByDelay: which Fired read the values that are assigned now.
	// It is −1 with a Sink, as that is not kept.
	From int
	// Step is how many steps were made before.
	Step int
	// Before and After are the states, length NX. A delayed event changes nothing when it fires.
	Before, After []float64
}

// EventError is an event that makes no sense where the integration starts.
type EventError struct {
	Event     string
	Where     any    // the compiler's place in the source
	Text, Try string // what is wrong, and what to do
}

func (e *EventError) Error() string { return e.Text + ": " + e.Try }

// Limits on what events may do.
const (
	maxAtOnce   = 100   // firings of one event at one time: beyond is a loop
	maxZeno     = 20    // firings of one event in a row, each hardly later than the one before
	zenoShare   = 1e-12 // of the time span: that is hardly later
	zenoUlps    = 64    // roundings of the time: that is not later at all, and counts for several
	zenoWeight  = 20    // of events
	slideWeight = 5     // of what jumps in the right-hand side, where a pass through zero may be two changes
	suddenly    = 1e-9  // of the time between two firings: that is a touch, while bounces that die down come quicker by and by
	noiseFactor = 16 * 0x1p-52
	blurShare   = 1e-3 // of the tolerance
)

// pending is a delayed assignment.
type pending struct {
	t     float64
	event int
	from  int // index of the Fired that read the values
	x     []float64
}

// eventer carries out a system's events along an integration. A nil eventer has none.
type eventer struct {
	sys *system.System
	st  *Stepper
	p   *Problem
	sol *Solution

	guards, rhs           system.Func
	resets, times, delays []system.Func // by event
	order                 []int         // events, those of high priority first
	rank                  []int         // of each event in order

	ng       int    // guards that something depends on; the rest are parts of these
	holds    []bool // by guard: on which side of zero it is
	g        []float64
	noise    []float64 // by guard: what rounding makes of zero
	blur     []float64 // by guard: how little beyond zero the solution cannot tell from a touch
	hasNoise []bool    // both are known for this step
	floor    []float64 // by guard: what it may lie beyond zero because its zero was just located, 0 for nothing
	at       []float64 // by guard: its distance from the zero that was located now, 0 for none
	samples  []float64
	levels   []piece   // of the search, by how often the step was halved
	trust    int       // for how many steps more a few samples tell, where they are not longer than
	trusted  float64   // this by more than a quarter; 0 for not at all
	resolved bool      // the whole step needed no halving
	crowd    float64   // where a guard changes too fast to be seen, 0 for nowhere
	cuts     []float64 // scratch: where a guard of several parts is looked at
	x, dx    []float64
	gz, gx   []float64
	known    bool    // the samples at the end of the last step are those at the start of the next
	quiet    bool    // no guard came near zero in this step
	located  int     // the guard whose zero ended this step, −1 for none
	slack    float64 // how exactly, in time

	moment  []float64 // by event: the next time of At and Every
	period  []float64
	count   []int // of Every: which multiple is next
	pending []pending
	told    int // how many have gone into the solution
	due     []due
	atOnce  []int // by event: firings at this time
	zeno    []int
	inRow   []int     // by event: how often in a row, with hardly any time between
	burst   []float64 // by event: since when it fires with hardly any time between
	lastAt  []float64
	gap     []float64 // by event: the time between the last two firings
	own     []bool    // by guard: an event of it has fired at this time, and nothing since
	stopped bool
	why     string // what is wrong, in words; the event is culprit
	try     string // what to do about it
	culprit int
	err     error // of Jumped

	// Of what jumps in the right-hand side:
	th, before []float64 // θ with the values that hold, and with those before this time; nil without jumps
	jumpOf     []int     // by guard: whose it is, −1 for an event's
	changed    bool      // values have changed at this time
	jumps      int       // how many of the solution's Jumps lie before this time
}

// due is an event that is to fire at this time.
type due struct {
	event   int
	cause   Cause
	pending int // of ByDelay
	count   int
	guard   int // of ByGuard and ByEvent
}

// newEventer makes ready the events of a problem; nil where there are none.
func newEventer(st *Stepper, sol *Solution) (*eventer, error) {
	sys, p := st.sys, st.p
	sol.Events, sol.Jumps, sol.frozen = nil, nil, nil
	if len(sys.Events) == 0 && (len(sys.Jumps) == 0 || st.set.dir < 0) {
		return nil, nil
	}
	if st.set.dir < 0 {
		return nil, &EventError{Event: sys.Events[0].Name, Where: sys.Events[0].Where, Text: nameOf(sys) + " has events, which only happen forward in time",
			Try: "give the end of the time span after its start"}
	}
	e := &eventer{sys: sys, st: st, p: p, sol: sol, rhs: st.rhs, located: -1, culprit: -1}
	n := len(sys.Events)
	nx := sys.NX
	if sys.Guards != nil {
		e.guards = sys.Guards.Clone()
		e.guards.Prepare(st.th)
		_, _, all := e.guards.Dims()
		ng := all
		if sys.GuardParts != nil {
			ng = len(sys.GuardParts)
		}
		e.ng = ng
		e.g, e.noise, e.gz, e.blur, e.floor, e.at = make([]float64, all), make([]float64, ng), make([]float64, all), make([]float64, ng), make([]float64, ng), make([]float64, ng)
		e.holds, e.own, e.hasNoise = make([]bool, ng), make([]bool, ng), make([]bool, ng)
		e.samples = make([]float64, all*(nodes+1))
		e.levels = newLevels(e.samples, all, ng)
	}
	e.x, e.dx, e.gx = make([]float64, nx), make([]float64, nx), make([]float64, nx)
	e.resets, e.times, e.delays = make([]system.Func, n), make([]system.Func, n), make([]system.Func, n)
	e.moment, e.period, e.count = make([]float64, n), make([]float64, n), make([]int, n)
	all := n + len(sys.Jumps)
	e.atOnce, e.zeno, e.inRow = make([]int, all), make([]int, all), make([]int, all)
	e.lastAt, e.burst, e.gap = make([]float64, all), make([]float64, all), make([]float64, all)
	for i := range e.lastAt {
		e.lastAt[i] = math.Inf(-1)
	}
	for i := range sys.Events {
		ev := &sys.Events[i]
		e.order = append(e.order, i)
		e.resets[i], e.times[i], e.delays[i] = clone(ev.Reset, st.th), clone(ev.Time, st.th), clone(ev.Delay, st.th)
		e.moment[i] = math.Inf(1)
		if ev.Kind != system.EventAt && ev.Kind != system.EventEvery {
			continue
		}
		var v [1]float64
		e.times[i].Eval(v[:], p.T0, nil, nil)
		switch {
		case math.IsNaN(v[0]):
			return nil, &EventError{Event: ev.Name, Where: ev.Where, Text: fmt.Sprintf("the time of the event `%s` is not a number", ev.Name),
				Try: "look at the parameters that it is made of"}
		case ev.Kind == system.EventAt:
			if v[0] = e.snap(v[0]); v[0] >= p.T0 {
				e.moment[i] = v[0]
			}
		case !(v[0] > 64*0x1p-52*max(math.Abs(p.T0), math.Abs(p.T1))):
			return nil, &EventError{Event: ev.Name, Where: ev.Where, Text: fmt.Sprintf("the event `%s` has the period %v", ev.Name, v[0]),
				Try: "a period must be positive, and longer than what rounding does to the time"}
		default:
			e.period[i] = v[0]
			if !ev.Initially {
				e.count[i] = 1
			}
			e.moment[i] = e.snap(p.T0 + float64(e.count[i])*v[0])
		}
	}
	slices.SortStableFunc(e.order, func(a, b int) int {
		switch pa, pb := sys.Events[a].Priority, sys.Events[b].Priority; {
		case pa > pb:
			return -1
		case pa < pb:
			return 1
		}
		return 0
	})
	e.rank = make([]int, n)
	for r, i := range e.order {
		e.rank[i] = r
	}
	return e, nil
}

// snap takes a time that is the start or the end but for rounding, as 3·0.1 is 0.3, to be it.
func (e *eventer) snap(t float64) float64 {
	for _, end := range [...]float64{e.p.T0, e.p.T1} {
		if math.Abs(t-end) <= 8*0x1p-52*math.Abs(end) {
			return end
		}
	}
	return t
}

func nameOf(sys *system.System) string {
	if sys.Name == "" {
		return "the system"
	}
	return sys.Name
}

func clone(f system.Func, th []float64) system.Func {
	if f == nil {
		return nil
	}
	f = f.Clone()
	f.Prepare(th)
	return f
}

func (e *eventer) guardsAt(g []float64, t float64, x []float64) { e.guards.Eval(g, t, x, nil) }

// velocity writes x' into dx. With a mass matrix f is not x'; where the equations do not determine that, f must do.
func (e *eventer) velocity(t float64, x []float64) {
	if a := e.st.algebra; a == nil || !a.Slope(e.dx, t, x) {
		e.st.eval(e.dx, t, x)
	}
}

// slope is the derivative of guard i along the solution.
func (e *eventer) slope(i int, t float64, x []float64) float64 {
	e.velocity(t, x)
	e.guards.JVP(e.gz, t, x, nil, 1, e.dx, nil)
	return e.gz[i]
}

// noiseAt finds what rounding makes of a zero of each guard at (t, x).
func (e *eventer) noiseAt(t float64, x []float64) {
	for i := range e.noise {
		clear(e.gz)
		e.gz[i] = 1
		clear(e.gx)
		sum := math.Abs(e.guards.VJP(e.gx, nil, t, x, nil, e.gz)) * math.Abs(t)
		for k, v := range e.gx {
			sum += math.Abs(v * x[k])
		}
		e.noise[i] = noiseFactor * sum
		if !(e.noise[i] >= 0) || math.IsInf(e.noise[i], 0) {
			e.noise[i] = 0
		}
	}
}

// begin fires what happens at the start, before the first output.
func (e *eventer) begin() Status {
	t, x := e.st.T(), e.st.X()
	e.freeze(t, x)
	if e.guards != nil {
		e.guardsAt(e.g, t, x)
		e.noiseAt(t, x)
		g := slices.Clone(e.g[:e.ng])
		for i, v := range g {
			e.holds[i] = e.side(i, v, t, x, e.atRest(i, v))
		}
		for i, v := range g {
			// A jump that is zero at the start goes by where it goes from there.
			if e.jumpOf != nil && e.jumpOf[i] >= 0 && math.Abs(v) <= e.noise[i] && e.holds[i] != e.atRest(i, v) && !e.jumped(i, AtStart, t, x) {
				return EventFault
			}
		}
		if e.changed {
			if x = slices.Clone(x); e.balance(e.lastJump(), t, x) != Running || !e.settleAll(-1, t, x) {
				return EventFault
			}
		}
	}
	for i := range e.sys.Events {
		ev := &e.sys.Events[i]
		if ev.Initially && (ev.Kind == system.EventWhen || ev.Kind == system.EventStop) && e.holds[ev.Guard] == (ev.Direction != system.Falling) {
			e.due = append(e.due, due{event: i, cause: AtStart})
		}
	}
	return e.fire(x)
}

// side says on which side of zero a guard of value v is; where it is zero up to rounding, the way it goes decides, and where it does not go, was.
func (e *eventer) side(i int, v, t float64, x []float64, was bool) bool {
	if math.Abs(v) > e.noise[i] {
		return v > 0
	}
	s := e.slope(i, t, x)
	if s == 0 || s-s != 0 {
		return was
	}
	return s > 0
}

// horizon is where the next step must end at the latest.
func (e *eventer) horizon() float64 {
	end := e.p.T1
	for _, t := range e.moment {
		end = min(end, t)
	}
	for i := range e.pending {
		end = min(end, e.pending[i].t)
	}
	return end
}

// step makes a step that ends at the first event within it, records it, and then they fire. It is Running, or why there are no more.
func (e *eventer) step(o *outputs) Status {
	st := e.st
	st.tEnd = e.horizon()
	if !st.Step() {
		return st.status
	}
	e.locate()
	if s := o.step(); s != Running {
		return s
	}
	n := e.told
	s := e.end()
	if e.told > n {
		o.jumped(st.T(), st.X())
	}
	if s == Running {
		s = o.flush()
	}
	return s
}

// nearly is where times begin that are t within what rounding does to a time.
func nearly(t float64) float64 { return t - 8*0x1p-52*math.Abs(t) }

// jumped gives the outputs at t, within what rounding does to a time, the values after the events there.
func (o *outputs) jumped(t float64, x []float64) {
	near := nearly(t)
	for i := len(o.sol.T) - 1; i >= 0 && o.sol.T[i] >= near; i-- {
		copy(o.sol.X[i*o.sol.NX:(i+1)*o.sol.NX], x)
	}
}

// leapt says whether guard i, of value v at the end of a step, has jumped across zero, as an input's table makes it do, and not passed through it.
func (e *eventer) leapt(i int, v float64) bool {
	if len(e.sys.Kinks) == 0 {
		return false // there is no table
	}
	s := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
	size := max(math.Abs(s[0]), math.Abs(s[nodes/2]), math.Abs(s[nodes]))
	return e.st.kinks.sliver || math.Abs(v) > 1e-4*size && math.Abs(e.st.h) <= 64*0x1p-52*math.Abs(e.st.t1)
}

// eventsAfter is the first of the events that fired when so many steps had been made, or more.
func (s *Solution) eventsAfter(steps int) int {
	return sort.Search(len(s.Events), func(i int) bool { return s.Events[i].Step >= steps })
}

// end fires what happens at the end of the step, which is recorded already.
func (e *eventer) end() Status {
	t, x := e.st.T(), e.st.X()
	if !e.quiet {
		if !e.flips() {
			return EventFault
		}
		if e.changed {
			if x = slices.Clone(x); e.balance(e.lastJump(), t, x) != Running || !e.settleAll(-1, t, x) {
				return EventFault
			}
		}
	}
	return e.fire(x)
}

// flips finds the guards that pass zero where the step ends, among them the one whose zero ended it.
func (e *eventer) flips() bool {
	t, x := e.st.T(), e.st.X()
	if e.known { // the end is where the samples end
		for i := range e.g {
			e.g[i] = e.samples[i*(nodes+1)+nodes]
		}
	} else {
		e.guardsAt(e.g, t, x)
	}
	near := false
	for i, v := range e.g[:e.ng] {
		s := e.samples[i*(nodes+1) : (i+1)*(nodes+1)]
		near = near || i == e.located || (v > 0) != e.holds[i] || math.Abs(v) <= 1e-9*math.Abs(s[0])
		if (v > 0) == e.holds[i] && math.Abs(v) > e.floor[i] {
			e.floor[i] = 0
		}
	}
	if !near {
		return true
	}
	e.noiseAt(t, x)
	e.velocity(t, x)
	e.guards.JVP(e.gz, t, x, nil, 1, e.dx, nil)
	g, slopes := e.g[:e.ng], e.gz
	if e.jumpOf != nil { // what changes when one jumps
		g, slopes = slices.Clone(g), slices.Clone(slopes)
	}
	jumps := e.st.stats.Jumps
	for k := range g {
		i := e.jumpsFirst(k)
		v := g[i]
		side := -1.0
		if e.holds[i] {
			side = 1
		}
		zero := max(e.noise[i], e.floor[i], math.Abs(slopes[i])*max(e.slack, 4*0x1p-52*math.Abs(t)))
		if e.st.stats.Jumps > jumps && !(math.Abs(e.g[i]-v) <= zero) {
			continue // what just jumped stands in it: it is looked at anew, with all that jumps here
		}
		crossed, rests := i == e.located, false
		switch {
		case crossed:
		case math.Abs(v) <= zero && slopes[i] == 0: // as where a table comes to zero and stays there
			crossed, rests = e.rests(i, v) != e.holds[i], true
		case math.Abs(v) <= zero:
			crossed = side*slopes[i] < 0
		default: // right at the end, or the step is another one than that in which it was looked for
			crossed = side*v < 0
		}
		if crossed {
			cause := ByGuard
			if e.leapt(i, v) || rests && e.st.kinks.ends(t) {
				cause = ByInput // nothing is left of a zero, or the table's time is its
			} else {
				e.at[i] = math.Abs(v)
				if e.jumpOf != nil && e.jumpOf[i] >= 0 {
					e.floor[i] = max(2*math.Abs(v), e.noise[i])
				}
			}
			e.holds[i] = !e.holds[i]
			clear(e.atOnce)
			if !e.passed(i, cause, t, x) {
				return false
			}
			if e.st.stats.Jumps > jumps {
				e.guardsAt(e.g, t, x)
			}
		}
	}
	return true
}

// jumpsFirst orders the guards: those of jumps, then those of events, in which jumps may stand.
func (e *eventer) jumpsFirst(k int) int {
	if len(e.sys.Jumps) == 0 {
		return k
	}
	return (k + e.sys.Jumps[0].Guard) % e.ng
}

// FiredTimes are the times of events.
func FiredTimes(fired []Fired) []float64 {
	t := make([]float64, len(fired))
	for i := range fired {
		t[i] = fired[i].T
	}
	return t
}
