package solve

import (
	"fmt"
	"math"
)

// A sink takes the outputs one by one, so that a run may be as long as it likes: what the integration itself remembers does not grow.

// mostSwitches is how many switches are told of an integration whose outputs go to a sink.
const mostSwitches = 100

// Grid is the output times From, From + By, … that do not lie beyond To. To is among them when it is reached to a relative 1e-9 of By.
type Grid struct{ From, To, By float64 }

// gridMost is how many times a grid may have: beyond, their numbers are not exact.
const gridMost = 1 << 53

// Len is how many times there are, 0 where By does not lead from From to To; ok is false where they are too many to count.
func (g Grid) Len() (n int, ok bool) {
	v := math.Floor((g.To-g.From)/g.By*(1+1e-15)+1e-9) + 1
	switch {
	case v > gridMost:
		return 0, false
	case !(v > 0):
		return 0, true
	}
	return int(v), true
}

// At is time i, from 0.
func (g Grid) At(i int) float64 {
	t := g.From + float64(i)*g.By
	if i > 0 && math.Abs(t-g.To) <= 1e-9*math.Abs(g.By) {
		return g.To
	}
	return t
}

// checkSink checks what goes with a sink.
func (p *Problem) checkSink(dir float64) error {
	switch by := p.By; {
	case by == 0:
	case p.Sink == nil:
		return fmt.Errorf("outputs every %v are for a sink: without one, list the output times", by)
	case p.Times != nil:
		return fmt.Errorf("outputs every %v and a list of output times were given: only one can hold", by)
	case !(by*dir > 0) || math.IsInf(by, 0):
		return fmt.Errorf("outputs every %v do not lead from %v to %v", by, p.T0, p.T1)
	default:
		if _, ok := (Grid{p.T0, p.T1, by}).Len(); !ok {
			return fmt.Errorf("outputs every %v from %v to %v are more than can be counted", by, p.T0, p.T1)
		}
	}
	return nil
}

// prepare makes ready for the times asked for; events says that there are some.
func (o *outputs) prepare(events bool) {
	o.n = len(o.p.Times)
	if o.p.Sink == nil {
		return
	}
	o.hold, o.row = events, make([]float64, o.sol.NX)
	if o.p.By != 0 {
		o.grid = Grid{o.p.T0, o.p.T1, o.p.By}
		o.n, _ = o.grid.Len()
	}
}

// everyStep says that no times were asked for.
func (o *outputs) everyStep() bool { return o.p.Times == nil && o.p.By == 0 }

// time is the i-th of the times asked for.
func (o *outputs) time(i int) float64 {
	if o.p.By != 0 {
		return o.grid.At(i)
	}
	return o.p.Times[i]
}

// send hands one row to the sink.
func (o *outputs) send(t float64, x []float64) Status {
	if o.err != nil {
		return SinkFailed
	}
	if o.err = o.p.Sink(t, x); o.err != nil {
		o.refused = fmt.Sprintf("the output at t = %.6g could not be handed on", t)
		return SinkFailed
	}
	return Running
}

// lookEach is after how many outputs within one step the context is asked whether to go on.
const lookEach = 1024

// sink hands on the outputs of the step just accepted. Those at its end, where events may happen, wait in the solution's T and X for flush.
func (o *outputs) sink() Status {
	t1 := o.st.T()
	near := nearly(t1)
	put := func(t float64) Status {
		if o.hold && t >= near {
			o.sol.T, o.sol.X = append(o.sol.T, t), append(o.sol.X, o.row...)
			return Running
		}
		return o.send(t, o.row)
	}
	if o.everyStep() {
		copy(o.row, o.st.X())
		return put(t1)
	}
	for k := 0; o.next < o.n; k++ {
		t := o.time(o.next)
		at := t
		switch {
		case (t-t1)*o.dir <= 0:
		case t1 == o.p.T1: // a time beyond the end by rounding
			at = t1
		default:
			return Running
		}
		if k%lookEach == lookEach-1 && o.st.cancelled() {
			return Cancelled
		}
		o.st.Interpolate(at, o.row)
		if s := put(t); s != Running {
			return s
		}
		o.next++
	}
	return Running
}

// flush hands on the rows that waited for events.
func (o *outputs) flush() Status {
	if o.p.Sink == nil {
		return Running
	}
	status := Running
	for i, t := range o.sol.T {
		if status = o.send(t, o.sol.Row(i)); status != Running {
			break
		}
	}
	o.sol.T, o.sol.X = o.sol.T[:0], o.sol.X[:0]
	return status
}
