package solve

import (
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// What a Problem's zero values mean.
const (
	DefaultRtol      = 1e-6
	DefaultAtol      = 1e-9
	DefaultMaxSteps  = 100_000
	DefaultMaxMemory = 1 << 30
)

// Problem is an initial value problem x' = f(t, x, θ), x(T0) = x0(θ), and how to solve it. Only
// Sys and T1 are needed; other zero values mean the default that is named.
type Problem struct {
	Sys    *system.System
	Method method.Method // nil: Tsit5
	Theta  []float64     // parameters, length Sys.NTheta; nil: the system's defaults
	X0     []float64     // initial state, length Sys.NX; nil: what Sys.Init gives
	// Explicit is a part of the right-hand side that is not stiff, of which a method with an explicit companion (KenCarp4, KenCarp5) then treats the rest
	// implicitly: the equations to be solved are those of Sys.RHS − Explicit. nil: all is implicit. Gradients do not know of it.
	Explicit system.Func

	// T0 and T1 are where the integration starts and ends. T1 < T0 integrates backwards.
	T0, T1 float64
	// Times are the output times, from T0 towards T1; nil: the start and every accepted step.
	// They are read off the dense output and never force a step.
	Times []float64

	// Sink, if not nil, takes the outputs in their order as they are reached, those at an event's time with the state after it, and the Solution keeps none of them: no
	// T and X, no dense output, no events but the last. So the memory does not grow with the length of the run. x, of length NX, is valid during
	// the call. Its error ends the integration, with the status SinkFailed.
	Sink func(t float64, x []float64) error
	// By, with a Sink, asks for outputs at T0, T0 + By, … to T1 without a list of them; its sign is that of T1 − T0. 0: at Times.
	By float64

	// The local error of state i is kept below Atol + Rtol·|x_i| in the root mean square over
	// the states. 0 means the default; what a user typed is tested by CheckTolerance, which
	// refuses 0.
	Rtol, Atol float64
	AtolVec    []float64 // in place of Atol, one for each scalar state

	H0   float64 // first step; 0: chosen
	Hmax float64 // largest step; 0: |T1 − T0|
	Hmin float64 // smallest step before the integration gives up; 0: where t + h = t is near

	// Step is a fixed step, without error control. A method without an error estimate needs it.
	Step float64
	// Mesh prescribes all steps by their ends, T0 first and T1 last, without error control: the
	// steps of an earlier Solution (its Mesh) make the solution a smooth function of θ.
	Mesh []float64

	// MeshEngine tells, for a solver that changes methods, by which of them each step of the Mesh is made, as an earlier Solution's MeshEngine; nil: by
	// the explicit one.
	MeshEngine []bool
	// MeshOrders are the orders of the steps of a Mesh, for a multistep method, as an earlier Solution's MeshOrders; nil: as high as a start allows.
	MeshOrders []int

	MaxSteps  int   // attempted steps, rejected ones included; 0: 100 000
	MaxMemory int64 // bytes kept for outputs and dense output; 0: 1 GiB
	NoDense   bool  // keep no dense output: At then refuses, and no gradient can be had
	// Checkpoints, if not nil, has a solution at Times keep, of steps that memory does not hold, a stretch at a time, and the Workspace make the others again where it is
	// asked to Recall them. Dense output it then has none. nil: where memory ends, so does the solution.
	Checkpoints *Checkpoints
	// OutputsFirst gives up the dense output, where MaxMemory does not hold both it and the outputs at Times, rather than stop.
	OutputsFirst bool

	// Jumped is told of the events that fired at one time, and of what jumped in the right-hand side, with the state after them, which it may change beyond the
	// system's own, and θ before and after, nil where nothing can jump: for systems that carry sensitivities behind their states. start says that this is
	// before the first step. Its error is that of Solve.
	Jumped func(fired, jumped []Fired, x, before, after []float64, start bool) error

	// Preconditioner, if not nil, has BDF solve its linear equations by GMRES with it; other methods factor.
	Preconditioner Preconditioner

	// Project moves the state that a step ends with, of a method that is no explicit Runge–Kutta method, onto what the system itself does not know: for systems
	// that carry sensitivities behind their states. Its error refuses the step.
	Project func(t float64, x []float64) error

	// Progress is called after every accepted step with its end. It must be quick.
	Progress func(t float64)

	// Nearest moves initial values that miss an invariant to the nearest that do not, however far that is, where otherwise more than rounding is an error: for
	// differences by initial values that a constraint ties.
	Nearest bool

	// ErrStates is how many of the leading states are under error control; 0: all.
	// ErrGroup, if not 0, measures the states in groups of this many, the worst of which
	// counts. Systems that carry sensitivities behind their states use both.
	ErrStates, ErrGroup int
}

// CheckTolerance tells, in the words of a user, what is wrong with a tolerance that was typed:
// it must be positive and finite. name is the option, "rtol" or "atol".
func CheckTolerance(name string, v float64) error {
	if v > 0 && !math.IsInf(v, 0) {
		return nil
	}
	return fmt.Errorf("%s is %v; a tolerance must be a positive number, such as 1e-6", name, v)
}

// settings are a problem's, with the defaults filled in.
type settings struct {
	m          method.Method
	info       method.Info
	rk         *method.RK // the explicit method, nil where there is none
	rtol       float64
	atol       []float64
	hmax       float64
	maxSteps   int
	maxMemory  int64
	errStates  int
	errGroup   int
	controlled bool // step-size control is on
	dir        float64
}

// resolve checks a problem and fills in its defaults. atol is a buffer to reuse.
func (p *Problem) resolve(atol []float64) (settings, error) {
	var s settings
	if p.Sys == nil || p.Sys.RHS == nil {
		return s, fmt.Errorf("there is no system to solve")
	}
	sys := p.Sys
	if err := p.checkDims(); err != nil {
		return s, err
	}
	if s.m = p.Method; s.m == nil {
		s.m = method.Default()
	}
	s.info = s.m.Info()
	s.rk, _ = s.m.(*method.RK)
	if err := p.checkExplicit(s.m); err != nil {
		return s, err
	}
	if sys.Mass != nil && !s.info.Mass {
		e := &UnsuitedError{Others: strings.Join(method.WithMass(), ", "), text: fmt.Sprintf("%s solves x' = f only, and the system has %s", s.info.Name, algebraic(sys))}
		e.Because, e.Derivative = implicitRow(sys)
		return s, e
	}
	for _, v := range [...]struct {
		name string
		v    float64
	}{{"start", p.T0}, {"end", p.T1}} {
		if math.IsNaN(v.v) || math.IsInf(v.v, 0) {
			return s, fmt.Errorf("the %s of the time span is %v; it must be a finite number", v.name, v.v)
		}
	}
	s.dir = 1
	if p.T1 < p.T0 {
		s.dir = -1
	}
	if err := p.checkTolerances(&s, atol); err != nil {
		return s, err
	}
	span := math.Abs(p.T1 - p.T0)
	for _, v := range [...]struct {
		name string
		v    float64
	}{{"first step", p.H0}, {"largest step", p.Hmax}, {"smallest step", p.Hmin}, {"fixed step", p.Step}} {
		if !(v.v >= 0) || math.IsInf(v.v, 0) {
			return s, fmt.Errorf("the %s is %v; it must be a positive number, backwards in time too", v.name, v.v)
		}
	}
	if s.hmax = p.Hmax; s.hmax == 0 {
		s.hmax = span
	}
	if p.Hmin > s.hmax && s.hmax > 0 {
		return s, fmt.Errorf("the smallest step %v is larger than the largest step %v", p.Hmin, s.hmax)
	}
	s.controlled = p.Step == 0 && p.Mesh == nil
	if s.controlled && !s.info.Adaptive {
		return s, fmt.Errorf("%s has no error estimate to choose steps by: give it a fixed step, or take another solver, such as Tsit5", s.info.Name)
	}
	if r, ok := s.m.(*method.Radau); ok && r.Varies && !s.controlled {
		return s, fmt.Errorf("prescribed steps need a fixed order, such as RadauIIA5(order = %d)", r.Orders()[0])
	}
	if p.Step != 0 && s.info.Family == method.Automatic {
		return s, fmt.Errorf("a fixed step needs a solver by name, such as Tsit5 or Rodas5P")
	}
	if s.maxSteps = p.MaxSteps; s.maxSteps == 0 {
		s.maxSteps = DefaultMaxSteps
	}
	if s.maxMemory = p.MaxMemory; s.maxMemory == 0 {
		s.maxMemory = DefaultMaxMemory
	}
	if s.maxSteps < 0 || s.maxMemory < 0 {
		return s, fmt.Errorf("the limits on steps (%d) and memory (%d bytes) must not be negative", p.MaxSteps, p.MaxMemory)
	}
	if s.errStates = p.ErrStates; s.errStates == 0 {
		s.errStates = sys.NX
	}
	if s.errGroup = p.ErrGroup; s.errGroup == 0 {
		s.errGroup = max(1, s.errStates)
	}
	if s.errStates < 0 || s.errStates > sys.NX || s.errGroup < 0 || s.errStates%s.errGroup != 0 {
		return s, fmt.Errorf("the error is measured over %d of %d states in groups of %d, which does not fit", p.ErrStates, sys.NX, p.ErrGroup)
	}
	if err := p.checkTimes(s.dir); err != nil {
		return s, err
	}
	if err := p.checkSignals(); err != nil {
		return s, err
	}
	return s, p.checkMesh(s.dir)
}

func (p *Problem) checkDims() error {
	sys := p.Sys
	if nx, nth, nz := sys.RHS.Dims(); nx != sys.NX || nth != sys.NTheta || nz != sys.NX {
		return fmt.Errorf("the system has %d states and %d parameters, but its right-hand side takes %d and %d and gives %d values", sys.NX, sys.NTheta, nx, nth, nz)
	}
	if p.X0 == nil {
		if sys.Init == nil {
			return fmt.Errorf("the system has no initial values, and none were given")
		}
		if _, nth, nz := sys.Init.Dims(); nth != sys.NTheta || nz != sys.NX {
			return fmt.Errorf("the system has %d states and %d parameters, but its initial values take %d parameters and give %d values", sys.NX, sys.NTheta, nth, nz)
		}
	} else if len(p.X0) != sys.NX {
		return fmt.Errorf("%d initial values were given for %d states", len(p.X0), sys.NX)
	}
	if p.Theta != nil && len(p.Theta) != sys.NTheta {
		return fmt.Errorf("%d parameter values were given, the system has %d", len(p.Theta), sys.NTheta)
	}
	return nil
}

func (p *Problem) checkTolerances(s *settings, atol []float64) error {
	if s.rtol = p.Rtol; s.rtol == 0 {
		s.rtol = DefaultRtol
	}
	if err := CheckTolerance("rtol", s.rtol); err != nil {
		return err
	}
	a := p.Atol
	if a == 0 {
		a = DefaultAtol
	}
	if err := CheckTolerance("atol", a); err != nil {
		return err
	}
	nx := p.Sys.NX
	if cap(atol) < nx {
		atol = make([]float64, nx)
	}
	s.atol = atol[:nx]
	if p.AtolVec == nil {
		for i := range s.atol {
			s.atol[i] = a
		}
		return nil
	}
	if len(p.AtolVec) != nx {
		return fmt.Errorf("atol has %d values for %d states", len(p.AtolVec), nx)
	}
	for i, v := range p.AtolVec {
		if err := CheckTolerance("atol", v); err != nil {
			return fmt.Errorf("%s: %w", p.stateName(i), err)
		}
		s.atol[i] = v
	}
	return nil
}

// tighten makes the tolerances a part of what they are.
func (s *settings) tighten(share float64) {
	s.rtol *= share
	for i := range s.atol {
		s.atol[i] *= share
	}
}

// stateName is the name of scalar state i, for messages.
func (p *Problem) stateName(i int) string {
	if names := p.Sys.StateNames(); i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("state %d", i+1)
}

// slack is how far an output time may lie beyond the end: what rounding does to 0.1·k.
func slack(t0, t1 float64) float64 { return 1e-12 * math.Abs(t1-t0) }

func (p *Problem) checkTimes(dir float64) error {
	if err := p.checkSink(dir); err != nil {
		return err
	}
	for i, t := range p.Times {
		switch {
		case math.IsNaN(t) || math.IsInf(t, 0):
			return fmt.Errorf("output time %d is %v; it must be a finite number", i+1, t)
		case (t-p.T0)*dir < -slack(p.T0, p.T1) || (t-p.T1)*dir > slack(p.T0, p.T1):
			return fmt.Errorf("output time %v lies outside %v..%v", t, p.T0, p.T1)
		case i > 0 && (t-p.Times[i-1])*dir < 0:
			return fmt.Errorf("output times must run from %v to %v, but %v comes after %v", p.T0, p.T1, t, p.Times[i-1])
		}
	}
	return nil
}

func (p *Problem) checkMesh(dir float64) error {
	if p.Mesh == nil {
		return nil
	}
	if p.Step != 0 {
		return fmt.Errorf("a fixed step and a mesh of steps were given: only one can hold")
	}
	n := len(p.Mesh)
	if n == 0 || p.Mesh[0] != p.T0 || p.Mesh[n-1] != p.T1 {
		return fmt.Errorf("the mesh of steps must begin at %v and end at %v", p.T0, p.T1)
	}
	if p.MeshOrders != nil && len(p.MeshOrders) != n-1 {
		return fmt.Errorf("the orders of %d steps are given for a mesh of %d", len(p.MeshOrders), n-1)
	}
	if p.MeshEngine != nil && len(p.MeshEngine) != n-1 {
		return fmt.Errorf("the methods of %d steps are given for a mesh of %d", len(p.MeshEngine), n-1)
	}
	for i := 1; i < n; i++ {
		if !((p.Mesh[i]-p.Mesh[i-1])*dir > 0) {
			return fmt.Errorf("the mesh of steps must run from %v to %v without stopping or turning back, but %v comes after %v", p.T0, p.T1, p.Mesh[i], p.Mesh[i-1])
		}
	}
	return nil
}

// algebraic says what of a system asks for a method with mass matrices.
func algebraic(sys *system.System) string {
	for _, a := range sys.Algebraic {
		if a {
			return "algebraic equations"
		}
	}
	return "a mass matrix"
}

// UnsuitedError says that a method cannot handle what a system needs, and which can.
type UnsuitedError struct {
	text    string
	Others  string          // the methods that can
	Because system.Equation // the first that asks for them; none where the system does not say
	// Derivative says that it was written with a derivative, which it does not give by itself.
	Derivative bool
}

func (e *UnsuitedError) Error() string { return e.text + ": take one of " + e.Others }

// Text is the error without the others.
func (e *UnsuitedError) Text() string { return e.text }

// implicitRow is the first equation that does not give the derivative of one state, and whether there is a derivative in it.
func implicitRow(sys *system.System) (eq system.Equation, derivative bool) {
	in := make([]int, sys.NX) // how many derivatives stand in a row
	own := make([]bool, sys.NX)
	for j := range sys.NX {
		rows, _ := sys.Mass.Pattern.Column(j)
		for _, i := range rows {
			in[i]++
			own[i] = own[i] || int(i) == j
		}
	}
	names := sys.StateNames()
	for i, eq := range sys.Equations {
		if in[i] == 1 && own[i] && eq.Name == names[i]+"'" {
			continue
		}
		return eq, in[i] > 0 || strings.Contains(eq.Name, "'")
	}
	return system.Equation{}, false
}
