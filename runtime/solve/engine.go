package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// engine makes the steps of one method that is no explicit Runge–Kutta method: those are the Stepper's own. It reads the Stepper's t, h, t1, x and settings,
// and writes x1. The Stepper owns the loop, the limits and the outputs.
type engine interface {
	// prepare follows a new θ and new settings, at the start of a problem.
	prepare()
	// restart forgets what was: the Stepper stands at (t, x), where it is about to start.
	restart()
	// ready computes what the next step starts from; it is false, with the Stepper's status set, where there is none.
	ready() bool
	// attempt makes a step from (t, x) to t1 = t + h: it writes x1 and returns the scaled error, not a number where a value is not finite, and
	// +Inf, with the Stepper's why set, where the step could not be computed.
	attempt() float64
	// accept and refuse are the factors from the step that attempt has made to the next one; err is what it returned.
	accept(err float64) float64
	refuse(err float64) float64
	// commit makes the accepted step the past; the Stepper's t and x are its end already.
	commit()
	// interpolate writes the state at t + θh within the accepted step, 0 < θ < 1.
	interpolate(theta float64, out []float64)
	// errors writes the error estimates of the last attempt, by state, into the Stepper's e.
	errors()

	// width is how many numbers, beside time, length and state, a step is remembered by; save writes them, and the reader interpolates from them.
	width() int
	save(row []float64)
	reader() reader

	// keep holds what the next steps rest on, and puts it back: its own struct first, then what steps change of what that leads to.
	keep(m *mark)
}

// reader interpolates remembered steps of an engine. It is immutable and may be shared.
type reader interface {
	dense(st *StepRecord, theta float64, out []float64)
}

// newEngine makes the engine of a method for the Stepper's system; nil for explicit Runge–Kutta methods.
func newEngine(m method.Method, s *Stepper) (engine, error) {
	switch m := m.(type) {
	case nil, *method.RK:
		return nil, nil
	case *method.Rosenbrock:
		return newRosenbrock(m, s)
	case *method.DIRK:
		return newDirk(m, s)
	case *method.Radau:
		return newRadau(m, s)
	case *method.BDF:
		return newBDF(m, s)
	case *method.Symplectic:
		return newSymplectic(m, s)
	case *method.ROCK:
		return newRock(m, s), nil
	case *method.Adams:
		return newAdams(m, s), nil
	}
	return nil, fmt.Errorf("%s is not available for this kind of problem", m.Info().Name)
}

// widthOf is an engine's width before it is made; 0 where only the engine knows.
func widthOf(m method.Method, nx int) int {
	switch m := m.(type) {
	case *method.Rosenbrock:
		return m.Stages * nx
	case *method.BDF:
		return bdfWidth(nx)
	}
	return 0
}

// looksBack is how many steps before a step its record speaks of: those of a multistep method's points, and that from which a stage was taken over.
func looksBack(m method.Method) int {
	switch m.(type) {
	case *method.BDF:
		return MaxBDF
	case *method.DIRK:
		return 1
	}
	return 0
}

// attemptEngine makes one attempt; stop says that the Step is over, ok that it succeeded.
func (s *Stepper) attemptEngine(last bool) (ok, stop bool) {
	s.why = ""
	s.badT = s.t1
	err := s.tryEngine()
	if err <= 1 {
		s.take(err, last)
		s.refusals = 0
		return true, true
	}
	s.stats.Rejected++
	s.refusals++
	s.bad = math.IsNaN(err)
	if !s.set.controlled {
		if s.status = NonFinite; !s.bad {
			s.status = StepTooSmall
		}
		return false, true
	}
	s.next = s.eng.refuse(err) * math.Abs(s.h)
	s.rejected = true
	if s.refusals == stuckAfter && s.sys.Mass != nil {
		s.unstick()
	}
	return false, false
}

// stuckAfter is how many refusals in a row are no matter of the step size alone.
const stuckAfter = 10

// unstick makes the state that steps start from consistent: what a step across a kink has left of an algebraic equation does not shrink with the step size, and would have
// every later step refused.
func (s *Stepper) unstick() {
	copy(s.tmp, s.x)
	if Consistent(s.sys, s.t, s.tmp, s.th, s.set.rtol, s.set.atol) != nil || !finite(s.tmp) {
		return
	}
	copy(s.x, s.tmp)
	s.eng.restart()
	s.eng.ready()
}

// tryEngine makes the step from t to t1 and gives its scaled error, with the new state on the system's invariants.
func (s *Stepper) tryEngine() float64 {
	var err float64
	s.opened = false
	if s.kinks.sliver && s.sys.Mass != nil {
		err = s.leap()
	} else {
		err = s.across(s.eng.attempt())
	}
	if err <= 1 && s.onto != nil {
		if e := s.onto.Project(s.t1, s.x1, s.set.rtol, s.set.atol); e != nil {
			s.why, err = e.Error(), math.Inf(1)
		}
	}
	if err <= 1 && s.p.Project != nil {
		if e := s.p.Project(s.t1, s.x1); e != nil {
			s.why, err = e.Error(), math.Inf(1)
		}
	}
	return err
}

// readyEngine is ready for the engine's steps.
func (s *Stepper) readyEngine() bool {
	if !s.eng.ready() {
		return false
	}
	if s.next == 0 && s.set.controlled {
		if s.next = s.p.H0; s.next == 0 {
			s.next = max(s.firstStep(), min(100*s.minStep(), s.set.hmax)) // as in ready
		}
	}
	return true
}
