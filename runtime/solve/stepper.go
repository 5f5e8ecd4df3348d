package solve

import (
	"context"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// Stats counts the work of an integration.
type Stats struct {
	Steps    int     // accepted
	Rejected int     // rejected by the error, or for values that are not finite
	Evals    int     // of the right-hand side
	First    float64 // the first accepted step, positive
	Smallest float64 // the smallest accepted step but the last, which the end may cut; positive
	Largest  float64
	Events   int  // that fired
	Jumps    int  // in the right-hand side
	Whole    bool // the steps were made by code compiled with the model in one piece

	// Of methods that solve equations in each step:
	Jacobians int    // evaluations of ∂f/∂x
	Factors   int    // factorisations of the iteration matrix
	Newton    int    // iterations of Newton's method
	Failed    int    // steps that Newton's method did not solve
	Krylov    int    // products of the iteration matrix with vectors, where linear equations are solved iteratively
	Linear    string // how the linear equations are solved, and why so

	// Of a solver that is chosen by the problem:
	Chosen   string // which methods, and why
	Switches int    // from one method to another
}

// Switch is a change from one method to another within an integration.
type Switch struct {
	T      float64
	Method string // from here on
}

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
	turn      int         // for the next step: 1 to the explicit method, 2 to the engine, 0 stay
	whole     system.Step // one of sc's method, compiled as one; nil where there is none
	useWhole  bool
	set       settings
	p         *Problem
	th        []float64

	t, t1, tEnd float64
	t0          float64 // where the last start or restart was, at step n0
	n0, meshAt  int
	h           float64 // the last step with its sign, from t to t1
	next        float64 // the next step to try, positive
	x, x1       []float64
	k           [][]float64 // all stages
	kflat       []float64   // their memory, one after the other
	tmp, e      []float64
	zero        []float64
	dense       []float64 // scratch: weights of the continuous extension

	k1       float64 // order of the error estimate's leading term
	logErr   float64 // binary logarithm of the last accepted step's error
	rejected bool    // the step before was
	haveK0   bool
	moved    bool   // a step from t to t1 lies ready
	isCut    bool   // that step went on to t + h
	extra    bool   // the stages of the continuous extension alone were computed for it
	bad      bool   // the last rejection was for a value that is not finite
	why      string // an engine's reason for its last refusal, "" where that is the error
	badT     float64
	attempts int
	kinks    kinks

	status   Status
	stats    Stats
	switches []Switch
	done     <-chan struct{}
}

// NewStepper checks the problem and stands at its start. Errors are those of a call that makes
// no sense; an initial value that is not finite is a status.
func NewStepper(ctx context.Context, p *Problem) (*Stepper, error) {
	s := new(Stepper)
	if err := s.start(ctx, p); err != nil {
		return nil, err
	}
	return s, nil
}

// Start is NewStepper in the memory of s, for one problem after another.
func (s *Stepper) Start(ctx context.Context, p *Problem) error { return s.start(ctx, p) }

// First readies the first step without making it: f at the start, valid until the next call, and the length of the step that would be
// tried, positive. It is false where there is none, as Status tells.
func (s *Stepper) First() (k0 []float64, h float64, ok bool) {
	if s.status != Running || !s.ready() {
		return nil, 0, false
	}
	return s.k[0], s.next, true
}

// start makes the stepper ready for a problem, with the memory of the last one where it fits.
func (s *Stepper) start(ctx context.Context, p *Problem) error {
	set, err := p.resolve(s.set.atol)
	if err != nil {
		return err
	}
	if s.sys != p.Sys || s.m != set.m || s.auto != nil && !s.auto.serves(&set) {
		s.sys, s.rhs, s.m = p.Sys, p.Sys.RHS.Clone(), set.m
		if s.init = nil; p.Sys.Init != nil {
			s.init = p.Sys.Init.Clone()
		}
		s.sc, s.eng, s.auto = nil, nil, nil
		if set.info.Family == method.Automatic {
			s.auto = choose(p.Sys, &set)
			set.rk = s.auto.explicit
		}
		n := 1
		if set.rk != nil {
			s.sc = NewScheme(set.rk)
			n = s.sc.Stages()
		}
		nx := p.Sys.NX
		buf := make([]float64, nx*(n+5)+n)
		cut := func(n int) []float64 {
			c := buf[:n:n]
			buf = buf[n:]
			return c
		}
		s.x, s.x1, s.tmp, s.e, s.zero = cut(nx), cut(nx), cut(nx), cut(nx), cut(nx)
		s.dense = cut(n)
		s.k = make([][]float64, n)
		s.kflat = buf
		for i := range s.k {
			s.k[i] = cut(nx)
		}
		s.onto = NewProjection(p.Sys)
		s.whole = nil
		if p.Sys.Stepping != nil && set.rk != nil && set.info.Adaptive {
			s.whole = p.Sys.Stepping(set.rk)
		}
		if s.auto == nil || s.sc == nil || widthOf(s.auto.implicit, nx) == 0 {
			if err := s.newEngine(); err != nil {
				s.m = nil
				return err
			}
		} // else when it is needed: most problems are not stiff
	}
	if s.auto != nil {
		s.auto.tighten(p.Sys, &set)
	}
	for i := range s.k { // in their order: steps of the last problem may have exchanged them
		s.k[i] = s.kflat[i*p.Sys.NX : (i+1)*p.Sys.NX : (i+1)*p.Sys.NX]
	}
	s.set, s.p, s.th = set, p, p.Theta
	if s.th == nil {
		s.th = p.Sys.Defaults()
	}
	s.rhs.Prepare(s.th)
	// A whole step controls its own size by all states as one group.
	if s.useWhole = s.whole != nil && set.controlled && set.errGroup == p.Sys.NX && p.Sys.Kinks == nil; s.useWhole {
		s.whole.Prepare(s.th, set.rtol, set.atol)
	}
	s.tEnd = p.T1
	s.startKinks(p.Sys.Kinks)
	s.attempts = 0
	s.stats, s.switches = Stats{Whole: s.useWhole}, nil
	if s.eng != nil {
		s.eng.prepare()
	}
	if s.onto != nil {
		s.onto.Prepare(s.th)
	}
	s.use(s.sc == nil)
	s.turn = 0
	if s.auto != nil {
		s.auto.start(s)
	}
	s.done = nil
	if ctx != nil {
		s.done = ctx.Done()
	}
	if p.X0 != nil {
		copy(s.x, p.X0)
	} else {
		s.init.Eval(s.x, p.T0, nil, s.th)
	}
	if p.Sys.Mass != nil && finite(s.x) {
		if err := Consistent(p.Sys, p.T0, s.x, s.th, set.rtol, set.atol); err != nil {
			return err
		}
	}
	s.Restart(p.T0, s.x)
	return nil
}

// use says whether the engine or the explicit Runge–Kutta method makes the steps from here on.
func (s *Stepper) use(engine bool) {
	s.useEngine = engine
	if engine {
		s.k1 = 2
	} else {
		s.k1 = float64(s.sc.Method.ErrorOrder())
	}
}

// newEngine makes the engine of the method that is no explicit Runge–Kutta method.
func (s *Stepper) newEngine() (err error) {
	m := s.m
	if s.auto != nil {
		m = s.auto.implicit
	}
	s.eng, err = newEngine(m, s)
	return err
}

// width is how many numbers, beside time, length and state, a step is remembered by.
func (s *Stepper) width() int {
	w := 0
	if s.sc != nil {
		w = s.sc.Method.Stages * s.sys.NX
	}
	switch {
	case s.eng != nil:
		w = max(w, s.eng.width())
	case s.auto != nil:
		w = max(w, widthOf(s.auto.implicit, s.sys.NX))
	}
	return w
}

// Restart stands the stepper at (t, x), length NX, as after a jump of the state: what the last
// step would have handed on, a first stage and a controller's memory, is dropped, and the first
// step is chosen anew. Counts go on.
func (s *Stepper) Restart(t float64, x []float64) {
	copy(s.x, x)
	s.t, s.t1, s.t0 = t, t, t
	s.n0, s.meshAt = s.stats.Steps, 0
	s.h, s.next, s.turn = 0, 0, 0
	s.logErr = method.Log2(method.MinError)
	s.rejected, s.haveK0, s.moved, s.extra, s.bad = false, false, false, false, false
	s.isCut = false
	s.status, s.why = Running, ""
	if s.eng != nil {
		s.eng.restart()
	}
	if !finite(s.x) {
		s.status, s.badT = NonFinite, t
		copy(s.x1, s.x)
	}
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

// Interpolate writes the state at a time within the last accepted step into out, length NX.
func (s *Stepper) Interpolate(t float64, out []float64) {
	switch {
	case !s.moved || t == s.t:
		copy(out, s.x)
	case t == s.t1:
		copy(out, s.x1)
	case s.useEngine:
		s.eng.interpolate((t-s.t)/s.h, out)
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
	n := s.stats.Steps - s.n0 + 1
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
		if len(s.kinks.times) > 0 {
			n = s.onGrid(want)
		}
		s.t1 = s.t0 + s.set.dir*want*float64(n)
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
			s.next = h * s.accepted(err)
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
	s.logErr = method.Log2(method.MinError)
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
	s.moved, s.isCut = false, false
	s.haveK0 = false
	if s.useEngine {
		s.eng.commit()
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
