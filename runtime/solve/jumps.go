package solve

import (
	"math"
	"slices"
	"sort"
)

// Where a right-hand side jumps, as at the condition of an `if`, no step may straddle the jump, or the order is lost. So what jumps is held frozen over each
// step, by values in θ, and the step ends where a guard says that the value changes: as at an event that changes nothing but the equations.
//
// C. W. Gear, O. Østerby, Solving ordinary differential equations with discontinuities, ACM Transactions on Mathematical Software 10 (1984), 23–44.

// frozenAt are the values of a system's jumps from a step on.
type frozenAt struct {
	step   int
	values []float64
}

// stepTheta is θ as step n saw it. buf is memory for it.
func (s *Solution) stepTheta(n int, buf []float64) []float64 {
	if len(s.frozen) == 0 {
		return s.Theta
	}
	k := sort.Search(len(s.frozen), func(i int) bool { return s.frozen[i].step > n }) - 1
	buf = append(buf[:0], s.Theta...)
	buf[s.frozenSwitch] = 1
	copy(buf[s.frozenSwitch+1:], s.frozen[max(k, 0)].values)
	return buf
}

// StepTheta is θ as step n saw it, with the values of what jumps in the right-hand side; buf is memory for it, and the result may be Theta itself.
func (s *Solution) StepTheta(n int, buf []float64) []float64 { return s.stepTheta(n, buf) }

// Frozen says whether the values of what jumps were held over steps.
func (s *Solution) Frozen() bool { return len(s.frozen) > 0 }

// retheta goes on with another θ, after which the stepper must be restarted.
func (s *Stepper) retheta(th []float64) {
	s.th = th
	s.rhs.Prepare(th)
	if s.useWhole {
		s.whole.Prepare(th, s.set.rtol, s.set.atol)
	}
	if s.eng != nil {
		s.eng.prepare()
	}
	if s.onto != nil {
		s.onto.Prepare(th)
	}
	if s.algebra != nil {
		s.algebra.Prepare(th, s.set.rtol, s.set.atol)
	}
}

// freeze finds the values of what jumps at the start, and holds them.
func (e *eventer) freeze(t float64, x []float64) {
	if len(e.sys.Jumps) == 0 {
		return
	}
	e.th = slices.Clone(e.st.th)
	e.th[e.sys.Frozen] = 1
	e.jumpOf = make([]int, len(e.g))
	for i := range e.jumpOf {
		e.jumpOf[i] = -1
	}
	for k := range e.sys.Jumps {
		j := &e.sys.Jumps[k]
		e.jumpOf[j.Guard] = k
		if j.Steps {
			e.jumpOf[j.Guard+1] = k
		}
	}
	// What one jump gives may stand in the guard of another.
	for range len(e.sys.Jumps) + 1 {
		e.guards.Prepare(e.th)
		e.guardsAt(e.g, t, x)
		changed := false
		for k := range e.sys.Jumps {
			j := &e.sys.Jumps[k]
			v := &e.th[j.Value]
			want := *v
			switch up := e.g[j.Guard]; {
			case !j.Steps && (up > 0 || up == 0 && j.Closed):
				want = 1
			case !j.Steps:
				want = 0
			case up >= 0:
				want += 1 + math.Floor(up)
			case e.g[j.Guard+1] > 0:
				want -= math.Ceil(e.g[j.Guard+1])
			}
			if want != *v && want-want == 0 {
				*v, changed = want, true
			}
		}
		if !changed {
			break
		}
	}
	e.st.retheta(e.th)
	e.before = slices.Clone(e.th)
	e.remember()
}

// remember notes the values from the next step on.
func (e *eventer) remember() {
	at, n := e.st.stats.Steps, len(e.sys.Jumps)
	values := slices.Clone(e.th[e.sys.Frozen+1 : e.sys.Frozen+1+n])
	f := &e.sol.frozen
	if e.p.Sink != nil {
		*f = (*f)[:0] // there are no steps to look them up for
	}
	if k := len(*f); k > 0 && (*f)[k-1].step == at {
		(*f)[k-1].values = values
		return
	}
	*f = append(*f, frozenAt{at, values})
	e.sol.frozenSwitch = e.sys.Frozen
}

// jumped changes the value of what jumps at guard i, which has just come to the side that it holds. It is false where it changes for ever.
func (e *eventer) jumped(i int, cause Cause, t float64, x []float64) bool {
	k := e.jumpOf[i]
	j := &e.sys.Jumps[k]
	v := &e.th[j.Value]
	switch {
	case !j.Steps && e.holds[i]:
		*v = 1
	case !j.Steps:
		*v = 0
	case !e.holds[i]:
		return true // it left the side on which the whole number would change
	default:
		n := 1 + math.Floor(max(0, e.g[i]))
		if i != j.Guard {
			n = -n
		}
		*v += n
		e.holds[j.Guard], e.holds[j.Guard+1] = false, false
	}
	e.guards.Prepare(e.th)
	e.st.retheta(e.th)
	e.changed = true
	if j.Steps && cause == ByGuard { // the other guard is zero now, where this one was
		e.guardsAt(e.gz, t, x)
		for _, g := range []int{j.Guard, j.Guard + 1} {
			if e.gz[g] > 0 {
				e.floor[g] = max(e.floor[g], 2*e.gz[g])
			}
		}
	}
	e.st.stats.Jumps++
	e.sol.Jumps = append(e.sol.Jumps, Fired{T: t, Event: k, Guard: i, Cause: cause, From: -1, Step: e.st.stats.Steps, Before: slices.Clone(x), After: slices.Clone(x)})
	n := len(e.sys.Events) + k
	if e.atOnce[n]++; e.atOnce[n] > maxAtOnce || cause == ByGuard && e.often(n, t) {
		e.culprit = n
		e.why = "the solution slides along it: on both sides the equations lead back to it, so that it changes for ever"
		e.try = "give the jump some width, as tanh(x/0.01) for sign(x), or switch by two thresholds and a `discrete`"
		return false
	}
	return true
}

// eventName is the name of an event, or of what jumps where the number lies beyond the events.
func (e *eventer) eventName(i int) (name string, where any) {
	if n := len(e.sys.Events); i >= n {
		return e.sys.Jumps[i-n].Name, e.sys.Jumps[i-n].Where
	}
	return e.sys.Events[i].Name, e.sys.Events[i].Where
}
