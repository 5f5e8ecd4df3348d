package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// Stepper integrates a problem one accepted step at a time. Step allocates nothing. A Stepper
// serves one goroutine.
type Stepper struct {
	sys       *system.System
	rhs, init system.Func // its own
	m         method.Method
	sc        *Scheme // of the explicit Runge–Kutta method, nil where there is none
	eng       engine  // of any other method, nil where there is none
	useEngine bool    // the engine makes the steps
	auto      *switcher
	onto      *Projection // of the system, nil where it has no invariants
	given     bool        // the engine was made for a problem with a preconditioner
	algebra   *Algebra    // of the system, nil where it has no mass matrix
	turn      int         // for the next step: 1 to the explicit method, 2 to the engine, 0 stay
	whole     system.Step // one of sc's method, compiled as one; nil where there is none
	useWhole  bool
	set       settings
	p         *Problem
	th        []float64

	t, t1, tEnd float64
	t0          float64 // where the last start or restart was
	meshAt      int
	h           float64 // the last step with its sign, from t to t1
	next        float64 // the next step to try, positive
	x, x1       []float64
	k           [][]float64 // all stages
	kflat       []float64   // their memory, one after the other
	tmp, e      []float64
	inner       []float64 // scratch of defect
	zero        []float64
	dense       []float64 // scratch: weights of the continuous extension

	control
	rejected bool // the step before was
	haveK0   bool
	moved    bool   // a step from t to t1 lies ready
	isCut    bool   // that step went on to t + h
	opened   bool   // algebra knows the step that lies ready
	adjusted bool   // x1 is not what the engine made it, but was moved onto the algebraic equations
	extra    bool   // the stages of the continuous extension alone were computed for it
	bad      bool   // the last rejection was for a value that is not finite
	why      string // an engine's reason for its last refusal, "" where that is the error
	badT     float64
	attempts int
	refusals int // in a row
	kinks    kinks

	status   Status
	stats    Stats
	switches []Switch
	shifted  []Shift // given initial values that did not stay
	done     <-chan struct{}
}

// Status is Running until the end is reached or the integration stops.
func (s *Stepper) Status() Status { return s.status }

// Stats counts the work since the start.
func (s *Stepper) Stats() Stats { return s.stats }

// T is the time reached.
func (s *Stepper) T() float64 {
	if s.moved {
		return s.t1
	}
	return s.t
}

// X is the state at T, length NX, valid until the next Step. Read only.
func (s *Stepper) X() []float64 {
	if s.moved {
		return s.x1
	}
	return s.x
}

// Last is the accepted step that Step has just made: from t to t + h.
func (s *Stepper) Last() (t, h float64) { return s.t, s.h }

// Interpolate writes the state at a time within the last accepted step into out, length NX. Algebraic unknowns there are solutions of their equations.
func (s *Stepper) Interpolate(t float64, out []float64) {
	switch {
	case !s.moved || t == s.t:
		copy(out, s.x)
	case t == s.t1:
		copy(out, s.x1)
	case s.useEngine:
		s.eng.interpolate((t-s.t)/s.h, out)
		if s.algebra != nil {
			if !s.opened {
				s.stats.Evals += s.algebra.Open(s.t, s.x, s.t1, s.x1)
				s.opened = true
			}
			s.stats.Evals += s.algebra.Inside(t, out)
		}
	default:
		s.needExtra()
		s.sc.Dense((t-s.t)/s.h, out, s.x, s.h, s.k, s.dense)
	}
}

func (s *Stepper) eval(z []float64, t float64, x []float64) {
	s.rhs.Eval(z, t, x, nil)
	s.stats.Evals++
}

// needExtra computes the stages that only the continuous extension needs, once for a step.
func (s *Stepper) needExtra() {
	if s.extra {
		return
	}
	for i := s.sc.Method.Stages; i < s.sc.Stages(); i++ {
		s.stage(i)
	}
	s.extra = true
}

func (s *Stepper) stage(i int) {
	t := s.sc.StageTime(i, s.t, s.h, s.t1)
	if i == s.sc.End {
		s.eval(s.k[i], t, s.x1)
		return
	}
	s.sc.StagePoint(i, s.tmp, s.x, s.h, s.k)
	s.eval(s.k[i], t, s.tmp)
}

// Step makes one accepted step, however many attempts it takes. It is false when there is none:
// at the end, or when the integration stops, as Status tells.
func (s *Stepper) Step() bool {
	if s.status != Running {
		return false
	}
	s.commit()
	if s.p.Mesh != nil && s.auto != nil && s.auto.explicit != nil && s.t != s.tEnd {
		s.follow()
	}
	if s.kinks.forget {
		s.forget()
	}
	if s.turn != 0 {
		s.change()
	}
	if !s.ready() {
		return false
	}
	if s.useWhole && !s.useEngine {
		return s.stepWhole()
	}
	for {
		if s.status = s.refuse(); s.status != Running {
			return false
		}
		h, t1 := s.h, s.t1
		last := s.choose()
		if s.set.controlled && !last && s.kinks.want == 0 && (math.Abs(s.h) < s.minStep() || s.t1 == s.t) {
			s.status = StepTooSmall
			if s.bad {
				// To be blamed is the step whose stages are at hand.
				s.status, s.h, s.t1 = NonFinite, h, t1
			}
			return false
		}
		s.attempts++
		if s.useEngine {
			if ok, stop := s.attemptEngine(last); stop {
				return ok
			}
			continue
		}
		err := s.across(s.attempt())
		if err <= 1 {
			s.take(err, last)
			return true
		}
		s.stats.Rejected++
		if !s.set.controlled {
			s.status = NonFinite
			return false
		}
		if s.bad = math.IsNaN(err) || math.IsInf(err, 0); s.bad {
			s.next = method.BadCut * math.Abs(s.h)
		} else {
			s.next = s.refused(err) * math.Abs(s.h)
		}
		s.rejected = true
	}
}

// ready computes what a step starts from; it is false at the end, and where f is not finite.
func (s *Stepper) ready() bool {
	if s.t == s.tEnd {
		s.status = Done
		return false
	}
	if s.useEngine {
		return s.readyEngine()
	}
	if !s.haveK0 {
		s.eval(s.k[0], s.t, s.x)
		s.haveK0 = true
		if !finite(s.k[0]) {
			s.status, s.badT = NonFinite, s.t
			copy(s.x1, s.x)
			return false
		}
	}
	if s.next == 0 && s.set.controlled {
		if s.next = s.p.H0; s.next == 0 {
			// Where states are near zero against their tolerance it may come out shorter than a step can be.
			s.next = max(s.firstStep(), min(100*s.minStep(), s.set.hmax))
		}
	}
	return true
}

// refuse looks at the limits before an attempt.
func (s *Stepper) refuse() Status {
	if s.attempts >= s.set.maxSteps {
		return MaxSteps
	}
	if s.cancelled() {
		return Cancelled
	}
	return Running
}

// cancelled asks the context.
func (s *Stepper) cancelled() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// minStep is the smallest step at t: the user's, or where the stages' times begin to coincide.
func (s *Stepper) minStep() float64 {
	return max(s.p.Hmin, 16*0x1p-52*math.Abs(s.t), 1e-24*math.Abs(s.tEnd-s.p.T0))
}

// choose sets h and t1 of the next attempt; last says that it ends at the end.
func (s *Stepper) choose() (last bool) {
	// A sliver left over at the end is not worth a step: the last one is stretched a little.
	want, stretch := 0.0, method.Stretch
	switch {
	case s.p.Mesh != nil:
		s.meshAt = s.nextMesh()
		if s.t1 = s.p.Mesh[s.meshAt]; (s.tEnd-s.t1)*s.set.dir < 0 {
			s.t1 = s.tEnd
		}
		s.h = s.t1 - s.t
		return s.t1 == s.tEnd
	case s.p.Step != 0:
		want, stretch = s.p.Step, 1+1e-9
		// A multiple of the step, so that the times do not drift by sums of rounding.
		s.t1 = s.t0 + s.set.dir*want*float64(s.onGrid(want))
	default:
		want = min(s.next, s.set.hmax)
		s.t1 = s.t + s.set.dir*want
	}
	if want*stretch >= math.Abs(s.tEnd-s.t) {
		s.t1, last = s.tEnd, true
	}
	if len(s.kinks.times) > 0 && s.cutAtKink(stretch) {
		last = s.t1 == s.tEnd
	}
	s.h = s.t1 - s.t
	return last
}

// attempt computes the stages, the new state and the scaled error; NaN or ∞ where a value that
// matters is not finite.
func (s *Stepper) attempt() float64 {
	m := s.sc.Method
	s.extra = false
	for i := 1; i < m.Stages; i++ {
		if i != s.sc.End {
			s.stage(i)
		}
	}
	combine(s.x1, s.x, s.h, s.sc.b.w, s.sc.b.idx, s.k)
	s.badT = s.t1
	if !finite(s.x1) {
		return math.NaN()
	}
	if m.FSAL {
		s.stage(s.sc.End)
	}
	if !s.set.controlled {
		if m.FSAL && !finite(s.k[s.sc.End]) {
			return math.NaN()
		}
		return 0
	}
	combine(s.e, s.zero, s.h, s.sc.e.w, s.sc.e.idx, s.k)
	return s.norm(s.e, s.x, s.x1)
}

// take accepts the step that attempt computed.
func (s *Stepper) take(err float64, last bool) {
	h := math.Abs(s.h)
	s.moved, s.bad = true, false
	if s.stats.Steps == 0 {
		s.stats.First, s.stats.Smallest = h, h
	}
	s.stats.Steps++
	s.stats.Largest = max(s.stats.Largest, h)
	if !last && s.kinks.want == 0 {
		s.stats.Smallest = min(s.stats.Smallest, h)
	}
	if s.set.controlled {
		if s.useEngine {
			s.next = h * s.eng.accept(err)
		} else {
			s.next = h * s.calm(s.accepted(err))
		}
		s.rejected = false
		if s.kinks.want != 0 {
			s.afterCut()
		}
	}
	if s.auto != nil && s.set.controlled {
		s.auto.watch(s)
	}
}

// follow turns to the method that the mesh prescribes for the next step.
func (s *Stepper) follow() {
	s.meshAt = s.nextMesh()
	s.turn = 0
	if engine := s.p.MeshEngine != nil && s.p.MeshEngine[s.meshAt-1]; engine != s.useEngine {
		if s.turn = 1; engine {
			s.turn = 2
		}
	}
}

// nextMesh is the first place of the mesh beyond t.
func (s *Stepper) nextMesh() int {
	at := s.meshAt
	for at < len(s.p.Mesh)-1 && (s.p.Mesh[at]-s.t)*s.set.dir <= 0 {
		at++
	}
	return at
}

// change lets another method make the steps from here on.
func (s *Stepper) change() {
	if s.turn == 2 && s.eng == nil {
		if err := s.newEngine(); err != nil { // then the explicit method has to do
			s.eng, s.turn = nil, 0
			return
		}
		s.eng.prepare()
	}
	s.use(s.turn == 2)
	s.turn = 0
	s.haveK0, s.extra = false, false
	s.forgetErrors()
	name := ""
	if s.useEngine {
		s.eng.restart()
		name = s.auto.implicit.Info().Name
	} else {
		// Its steps are of the size that stability allows.
		name = s.auto.explicit.Name
	}
	s.stats.Switches++
	if s.p.Sink == nil || len(s.switches) < mostSwitches {
		s.switches = append(s.switches, Switch{T: s.t, Method: name})
	}
}

// commit moves to the end of the last step, handing on its last stage where that is the first
// stage of the next.
func (s *Stepper) commit() {
	if !s.moved {
		return
	}
	if s.useWhole || s.useEngine { // which find their slices where they were
		move(s.x, s.x1)
	} else {
		s.x, s.x1 = s.x1, s.x
	}
	s.t = s.t1
	s.moved, s.isCut, s.opened = false, false, false
	s.haveK0 = false
	if s.useEngine {
		s.eng.commit()
		s.adjusted = false
		return
	}
	if end := s.sc.End; end >= 0 && (s.sc.Method.FSAL || s.extra) {
		if s.useWhole { // which finds the stages in their order
			move(s.k[0], s.k[end])
		} else {
			s.k[0], s.k[end] = s.k[end], s.k[0]
		}
		s.haveK0 = true
	}
	s.extra = false
}

// move is copy for a few numbers that have just been written one by one: the processor hands those on to loads of the same size only.
func move(to, from []float64) {
	from = from[:len(to)]
	//lint:ignore S1001 copy loads what it moves in larger pieces
	for i, v := range from {
		to[i] = v
	}
}

func finite(x []float64) bool {
	// One comparison per element: v − v is 0 unless v is infinite or not a number.
	sum := 0.0
	for _, v := range x {
		sum += v - v
	}
	return sum == 0
}
