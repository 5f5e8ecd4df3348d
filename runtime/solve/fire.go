package solve

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
)

// passed makes due the events of a guard that has just come to the side it holds, or changes what jumps there; it is false where that goes wrong.
func (e *eventer) passed(guard int, cause Cause, t float64, x []float64) (ok bool) {
	if e.jumpOf != nil && e.jumpOf[guard] >= 0 {
		return e.jumped(guard, cause, t, x)
	}
	for i := range e.sys.Events {
		ev := &e.sys.Events[i]
		if ev.Kind != system.EventWhen && ev.Kind != system.EventStop || ev.Guard != guard {
			continue
		}
		if ev.Direction == system.Either || (ev.Direction == system.Rising) == e.holds[guard] {
			e.push(due{event: i, cause: cause, guard: guard})
		}
	}
	return true
}

// push adds an event to those due, unless it is among them.
func (e *eventer) push(d due) {
	for _, o := range e.due {
		if o.event == d.event && o.cause != ByDelay && d.cause != ByDelay {
			return
		}
	}
	e.due = append(e.due, d)
}

// fire carries out all that is due now, in order, and restarts the stepper where the state has changed. x is that of the stepper, unless what has jumped moved
// algebraic unknowns; it is left as it is.
func (e *eventer) fire(x []float64) Status {
	t := e.st.T()
	for i := range e.sys.Events {
		if e.moment[i] == t {
			e.push(due{event: i, cause: ByTime, count: e.count[i]})
			if e.moment[i] = math.Inf(1); e.period[i] > 0 {
				e.count[i]++
				e.moment[i] = e.snap(e.p.T0 + float64(e.count[i])*e.period[i])
			}
		}
	}
	for k := range e.pending {
		if e.pending[k].t == t {
			e.due = append(e.due, due{event: e.pending[k].event, cause: ByDelay, pending: k})
		}
	}
	if len(e.due) == 0 && !e.changed {
		return Running
	}
	clear(e.atOnce)
	clear(e.own)
	e.known = false
	if e.p.Sink != nil && len(e.due) > 0 {
		e.sol.Events = e.sol.Events[:0] // the last of them are kept
	}
	count := len(e.sol.Events)
	x = slices.Clone(x)
	begin := slices.Clone(e.st.X())
	for len(e.due) > 0 {
		at := 0
		for k, d := range e.due {
			if e.rank[d.event] < e.rank[e.due[at].event] {
				at = k
			}
		}
		d := e.due[at]
		e.due = slices.Delete(e.due, at, at+1)
		if s := e.one(d, t, x); s != Running {
			copy(e.st.X(), x)
			return s
		}
		if e.guards != nil && !e.settle(d, t, x) {
			copy(e.st.X(), x)
			return EventFault
		}
	}
	if len(e.sol.Events) > count {
		copy(e.sol.Events[count].Before, begin) // where the step ended
	}
	e.pending = slices.DeleteFunc(e.pending, func(p pending) bool { return p.t == t })
	if e.p.Jumped != nil {
		if e.err = e.p.Jumped(e.sol.Events[count:], e.sol.Jumps[e.jumps:], x, e.before, e.th, e.st.stats.Steps == 0); e.err != nil {
			return Cancelled
		}
	}
	e.jumps = len(e.sol.Jumps)
	changed := e.changed
	if changed {
		copy(e.before, e.th)
		e.remember()
		e.changed = false
	}
	if changed || !slices.Equal(x, begin) || e.st.isCut {
		if s := e.restart(t, x, count); s != Running {
			return s
		}
	}
	if e.p.Sink != nil {
		e.sol.Jumps, e.jumps = e.sol.Jumps[:0], 0
	}
	if e.stopped {
		return Stopped
	}
	return Running
}

// one carries out one event: x becomes the state after it.
func (e *eventer) one(d due, t float64, x []float64) Status {
	i := d.event
	ev := &e.sys.Events[i]
	f := Fired{T: t, Event: i, Guard: d.guard, Cause: d.cause, Count: d.count, From: -1, Step: e.st.stats.Steps, Before: slices.Clone(x)}
	if e.atOnce[i]++; e.atOnce[i] > maxAtOnce {
		return e.wrong(i, fmt.Sprintf("it fires again and again at one time, set off by itself or by others: %s", e.loop()),
			"give the conditions two thresholds apart from each other (hysteresis), so that what one event does cannot set off the other at once")
	}
	if (d.cause == ByGuard || d.cause == ByInput) && e.often(i, t) {
		return e.tooOften(i, t)
	}
	if d.cause != ByDelay && e.sol != nil {
		e.st.stats.Events++
	}
	wait := 0.0
	switch {
	case d.cause == ByDelay:
		p := &e.pending[d.pending]
		f.From = p.from
		for _, k := range ev.Changes {
			x[k] = p.x[k]
		}
	case ev.Kind == system.EventStop:
		e.stopped = true
	case e.resets[i] != nil:
		if e.delays[i] != nil {
			var v [1]float64
			e.delays[i].Eval(v[:], t, x, nil)
			if wait = v[0]; !(wait >= 0) {
				return e.wrong(i, fmt.Sprintf("its delay is %.6g: it must be 0 or more", wait),
					"keep the delay from below zero, as by `after max(0, …)`")
			}
		}
		e.resets[i].Eval(e.x, t, x, nil)
		if !finite(e.x) {
			return e.wrong(i, "it assigns a value that is not finite: "+e.assigned(i),
				"look at what the assignment divides by, or takes the root or the logarithm of, in the state before the event")
		}
		if wait > 0 && t+wait > t {
			from := len(e.sol.Events)
			if e.p.Sink != nil {
				from = -1 // it will be gone
			}
			e.pending = append(e.pending, pending{t: t + wait, event: i, from: from, x: slices.Clone(e.x)})
		} else {
			copy(x, e.x)
		}
	}
	if e.sys.Mass != nil && !slices.Equal(x, f.Before) {
		if s := e.balance(i, t, x); s != Running {
			return s
		}
	}
	f.After = slices.Clone(x)
	if need := int64(len(e.sol.Events)+1) * int64(16*len(x)+96); need > e.st.set.maxMemory {
		return MemoryLimit
	}
	e.sol.Events = append(e.sol.Events, f)
	e.told++
	return Running
}

// often says whether event i has fired so often, with so little between, that the time does not move on.
func (e *eventer) often(i int, t float64) bool {
	d := t - e.lastAt[i]
	e.inRow[i]++
	switch {
	case d <= zenoUlps*0x1p-52*math.Abs(t):
		if e.zeno[i] += zenoWeight; i >= len(e.sys.Events) {
			e.zeno[i] += slideWeight - zenoWeight
		}
	case d <= zenoShare*(e.p.T1-e.p.T0):
		e.zeno[i]++
	default:
		e.zeno[i], e.burst[i], e.inRow[i] = 0, t, 1
	}
	if e.zeno[i] >= maxZeno {
		return true
	}
	e.lastAt[i], e.gap[i] = t, d
	return false
}

// tooOften tells bounces that die down, where the times between firings shrink, from a condition that hardly passes its threshold.
func (e *eventer) tooOften(i int, t float64) Status {
	if d := t - e.lastAt[i]; d <= suddenly*e.gap[i] {
		return e.wrong(i, fmt.Sprintf("it fires twice within %.2g of time, which is no more than the time's rounding: its condition hardly passes its threshold, as where it only touches it (grazes)", d),
			"move the threshold off the value that the condition only just reaches; where events switch to and fro, give them two thresholds apart from each other (hysteresis)")
	}
	return e.wrong(i, fmt.Sprintf("it fires for ever: %d times within %.2g of time", e.inRow[i], t-e.burst[i]),
		"end before this time, or `stop when` the motion has died down")
}

// settle finds the guards that an event at time t has brought to the other side, and makes due what they set off.
func (e *eventer) settle(d due, t float64, x []float64) bool {
	ev := &e.sys.Events[d.event]
	own := -1
	if ev.Kind == system.EventWhen {
		own = ev.Guard
	}
	if !e.settleAll(own, t, x) {
		return false
	}
	if own >= 0 {
		e.own[own] = true
	}
	return true
}

// settleAll looks at the guards until nothing changes: what jumps may stand in the guard of another, and in algebraic equations.
func (e *eventer) settleAll(own int, t float64, x []float64) bool {
	for {
		was := slices.Clone(e.th)
		if !e.settleOnce(own, t, x) {
			return false
		}
		if slices.Equal(was, e.th) {
			return true
		}
		if e.balance(e.lastJump(), t, x) != Running {
			return false
		}
	}
}

// settleOnce looks at each guard once, those of jumps first, and no further than one that jumps: what it changes may stand in all others.
func (e *eventer) settleOnce(own int, t float64, x []float64) bool {
	e.guardsAt(e.g, t, x)
	e.noiseAt(t, x)
	g := slices.Clone(e.g[:e.ng])
	for k := range g {
		i := e.jumpsFirst(k)
		v := g[i]
		zero := max(e.noise[i], e.floor[i])
		if i == own || e.own[i] || e.at[i] > 0 { // its zero was located now
			zero = max(zero, 2*e.at[i], e.residual(i, t, x))
		}
		holds := v > 0
		atZero := math.Abs(v) <= zero
		if atZero {
			holds = e.goes(i, t, x, e.rests(i, v))
			e.floor[i] = max(2*math.Abs(v), e.noise[i])
		}
		if holds == e.holds[i] {
			continue
		}
		e.holds[i] = holds
		if i == own && atZero {
			continue // right after its own reset a guard at zero does not fire again
		}
		jumps := e.st.stats.Jumps
		if !e.passed(i, ByEvent, t, x) {
			return false
		}
		if e.st.stats.Jumps > jumps {
			return true
		}
	}
	return true
}

// residual is how far from zero a guard may be where its zero was located.
func (e *eventer) residual(i int, t float64, x []float64) float64 {
	s := math.Abs(e.slope(i, t, x)) * max(e.slack, 4*0x1p-52*math.Abs(t))
	if s-s != 0 {
		return 0
	}
	return s
}

// rests is the side of a guard of value v that is zero and stays so: what its condition says there, unless it was brought there by its own passing.
func (e *eventer) rests(i int, v float64) bool {
	if e.at[i] > 0 || e.floor[i] > 0 {
		return e.holds[i]
	}
	return e.atRest(i, v)
}

// atRest says whether a guard of value v counts as positive where it does not move.
func (e *eventer) atRest(i int, v float64) bool {
	if e.jumpOf != nil && e.jumpOf[i] >= 0 {
		if j := &e.sys.Jumps[e.jumpOf[i]]; i == j.Guard && (j.Steps || j.Closed) {
			return v >= 0
		}
	}
	return v > 0
}

// goes says to which side a guard that is zero goes.
func (e *eventer) goes(i int, t float64, x []float64, was bool) bool {
	s := e.slope(i, t, x)
	if s == 0 || s-s != 0 {
		return was
	}
	return s > 0
}

// restart stands the stepper at the state after the events, those from the given one on.
func (e *eventer) restart(t float64, x []float64, from int) Status {
	last, n := e.lastJump(), len(e.sol.Events)
	if n > from {
		last = e.sol.Events[n-1].Event
	}
	if s := e.balance(max(last, 0), t, x); s != Running {
		return s
	}
	if n > from && e.sys.Mass != nil {
		copy(e.sol.Events[n-1].After, x) // what the run goes on with
	}
	e.st.Restart(t, x)
	return e.st.status
}

// lastJump is the number, beyond those of the events, of what jumped last; −1 for nothing.
func (e *eventer) lastJump() int {
	if n := len(e.sol.Jumps); n > 0 {
		return len(e.sys.Events) + e.sol.Jumps[n-1].Event
	}
	return -1
}

// balance brings the algebraic unknowns to what the equations demand after an event, so that nothing reads what they were before it.
func (e *eventer) balance(event int, t float64, x []float64) Status {
	if e.sys.Mass == nil {
		return Running
	}
	if err := Consistent(e.sys, t, x, e.st.th, e.st.set.rtol, e.st.set.atol); err != nil {
		return e.wrong(event, "the algebraic equations have no solution after it: "+err.Error(),
			"let the event assign values that the equations can hold with: change the states that have derivatives, and leave those that the equations determine")
	}
	return Running
}

func (e *eventer) wrong(event int, why, try string) Status {
	e.culprit, e.why, e.try = event, why, try
	return EventFault
}

// loop names the events that take part in one.
func (e *eventer) loop() string {
	var names []string
	for i, n := range e.atOnce {
		if n > maxAtOnce/2 {
			name, _ := e.eventName(i)
			names = append(names, "`"+name+"`")
		}
	}
	return strings.Join(names, ", ")
}

// assigned says which states an event would have made not finite.
func (e *eventer) assigned(i int) string {
	names := e.sys.StateNames()
	for _, k := range e.sys.Events[i].Changes {
		if v := e.x[k]; v-v != 0 {
			return fmt.Sprintf("%s = %v", names[k], v)
		}
	}
	return "a state"
}
