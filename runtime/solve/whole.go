package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// stepWhole is the loop of Step over whole steps. Around a step of some fifty nanoseconds everything counts, so it makes its decisions, which are
// those of refuse, choose, take and the control, in one place.
func (s *Stepper) stepWhole() bool {
	stages := s.sc.Method.Stages
	for {
		if s.attempts >= s.set.maxSteps || s.attempts%16 == 0 { // a look at a channel costs as much as a tenth of a step
			if s.status = s.refuse(); s.status != Running {
				return false
			}
		}
		want := s.next
		if want > s.set.hmax {
			want = s.set.hmax
		}
		t1 := s.t + s.set.dir*want
		last := want*method.Stretch >= math.Abs(s.tEnd-s.t)
		if last {
			t1 = s.tEnd
		}
		h := t1 - s.t
		size := math.Abs(h)
		if !last && (size < s.minStep() || t1 == s.t) {
			s.status = StepTooSmall
			if s.bad {
				// To be blamed is the step whose stages are at hand.
				s.status = NonFinite
			} else {
				s.h, s.t1 = h, t1
			}
			return false
		}
		s.h, s.t1, s.badT = h, t1, t1
		s.attempts++
		q, e, factor := s.whole.Attempt(s.t, h, t1, s.logErr, s.x, s.kflat, s.x1)
		s.stats.Evals += stages - 1
		if q <= 1 {
			s.moved, s.bad, s.extra = true, false, false
			st := &s.stats
			if st.Steps == 0 {
				st.First, st.Smallest = size, size
			}
			st.Steps++
			if size > st.Largest {
				st.Largest = size
			}
			if !last && size < st.Smallest {
				st.Smallest = size
			}
			s.logErr = e
			s.next = size * s.calm(factor)
			s.rejected = false
			if s.auto != nil {
				s.auto.watch(s)
			}
			return true
		}
		s.stats.Rejected++
		s.bad = math.IsNaN(q) || math.IsInf(q, 0)
		s.next = factor * size
		s.rejected = true
	}
}
