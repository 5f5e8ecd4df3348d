package solve

import (
	"fmt"
	"math"
	"sort"

	"github.com/udl-lang/udl/runtime/method"
)

// kinks keeps a stepper from stepping across the times at which the right-hand side is not smooth in t. A step that would straddle one is cut to end
// there. Where f jumps there are two times, a rounding apart: the step before ends where the old value holds, the step from
// one to the other, a sliver, carries the state over unchanged to rounding, and the first stage of the next step has the new value. So
// records, meshes and gradients see nothing but steps.
type kinks struct {
	times  []float64 // those behind the start, the end included, as the integration meets them
	at     int       // the next
	want   float64   // the step that was cut, positive; 0 when the step was not cut
	sliver bool      // the step is across a jump
	forget bool      // behind a jump, where a method's memory of the past does not hold
}

// startKinks takes those of the system's kinks that the integration meets, in its direction.
func (s *Stepper) startKinks(all []float64) {
	k := &s.kinks
	k.times, k.want, k.sliver, k.forget = k.times[:0], 0, false, false
	lo, hi := min(s.p.T0, s.p.T1), max(s.p.T0, s.p.T1)
	from := sort.SearchFloat64s(all, lo)
	for _, t := range all[from:] {
		if t > hi {
			break
		}
		if t != s.p.T0 {
			k.times = append(k.times, t)
		}
	}
	if s.set.dir < 0 {
		for i, j := 0, len(k.times)-1; i < j; i, j = i+1, j-1 {
			k.times[i], k.times[j] = k.times[j], k.times[i]
		}
	}
	k.at = 0
}

// cutAtKink ends the step to t1 at the next kink, where it would reach it stretched.
func (s *Stepper) cutAtKink(stretch float64) (cut bool) {
	k := &s.kinks
	k.want, k.sliver = 0, false
	for k.at > 0 && (k.times[k.at-1]-s.t)*s.set.dir > 0 { // restarted further back
		k.at--
	}
	for k.at < len(k.times) && (k.times[k.at]-s.t)*s.set.dir <= 0 {
		k.at++
	}
	if k.at == len(k.times) {
		return false
	}
	reach := math.Abs(s.t1 - s.t)
	next := k.times[k.at]
	if reach*stretch < math.Abs(next-s.t) {
		return false
	}
	k.want, s.t1 = reach, next
	k.sliver = next == math.Nextafter(s.t, next)
	return true
}

// ends says whether the step that ends at t was to end at a kink.
func (k *kinks) ends(t float64) bool { return k.at < len(k.times) && k.times[k.at] == t }

// onGrid is which multiple of a fixed step lies next behind t, where steps that were cut do not count.
func (s *Stepper) onGrid(step float64) int {
	return 1 + int(math.Abs(s.t-s.t0)/step*(1+1e-12)+1e-9)
}

// afterCut chooses the next step behind a kink: as long as the one that was cut, or anew behind a jump.
func (s *Stepper) afterCut() {
	k := &s.kinks
	switch {
	case k.sliver:
		s.next, s.logErr, k.forget = 0, method.Log2(method.MinError), true
	case k.want > s.next:
		s.next = k.want
	}
}

// across is the error of a step: of a sliver none, since it cannot be shorter, unless it could not be made.
func (s *Stepper) across(err float64) float64 {
	if s.kinks.sliver && !math.IsNaN(err) && !math.IsInf(err, 0) {
		return 0
	}
	return err
}

// leap writes the state behind a jump into x1 where there are algebraic equations: they hold there too, so that the states which they determine jump, and the
// others do not. It returns what an attempt does.
func (s *Stepper) leap() float64 {
	copy(s.x1, s.x)
	if err := Consistent(s.sys, s.t1, s.x1, s.th, s.set.rtol, s.set.atol); err != nil {
		s.why = err.Error()
		return math.Inf(1)
	}
	return 0
}

// forget drops what an engine remembers of the time before a jump.
func (s *Stepper) forget() {
	s.kinks.forget = false
	if s.eng != nil {
		s.eng.restart()
	}
}

// OutsideError is an integration that leaves the times at which a quantity given by a table is known.
type OutsideError struct {
	Name   string
	Lo, Hi float64 // where it is known
	T0, T1 float64 // the integration
}

func (e *OutsideError) Error() string {
	if e.T0 == e.T1 {
		return fmt.Sprintf("the input `%s` is given for t = %v..%v only, but the time is %v", e.Name, e.Lo, e.Hi, e.T0)
	}
	return fmt.Sprintf("the input `%s` is given for t = %v..%v only, but the integration runs over %v..%v", e.Name, e.Lo, e.Hi, e.T0, e.T1)
}

// checkSignals holds the integration against where tables are known.
func (p *Problem) checkSignals() error {
	lo, hi, room := min(p.T0, p.T1), max(p.T0, p.T1), slack(p.T0, p.T1)
	for _, s := range p.Sys.Signals {
		if lo < s.Lo-room || hi > s.Hi+room {
			return &OutsideError{s.Name, s.Lo, s.Hi, p.T0, p.T1}
		}
	}
	return nil
}
