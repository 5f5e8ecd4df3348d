package solve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// What a SteadyProblem's zero values mean.
const (
	SteadyRtol       = 1e-9
	SteadyAtol       = 1e-12
	SteadyIterations = 100
)

// SteadyBy is how a steady state is looked for.
type SteadyBy int

// The ways. Auto tries the others in this order.
const (
	SteadyAuto         SteadyBy = iota
	SteadyNewton                // damped Newton's method: the nearest root, stable or not
	SteadyContinuation          // pseudo-transient continuation: implicit steps that grow
	SteadyIntegration           // along the solution until nothing moves
)

var steadyNames = [...]string{"auto", "newton", "continuation", "integration"}

// String is the word of the language.
func (b SteadyBy) String() string { return steadyNames[b] }

// SteadyProblem is f(T, x, θ) = 0 for x, from a first guess. Only Sys is needed; other zero values mean the default that is named.
type SteadyProblem struct {
	Sys   *system.System
	Theta []float64 // nil: the system's defaults
	X0    []float64 // nil: what Sys.Init gives
	T     float64   // the time is held here
	By    SteadyBy

	Rtol, Atol float64 // of the last correction of each state; SteadyRtol and SteadyAtol
	Iterations int     // most iterations of Newton's method, and of continuation; SteadyIterations
	MaxSteps   int     // of an integration; DefaultMaxSteps
}

// Steady is a steady state.
type Steady struct {
	X, F  []float64 // the state, and f there, both of length NX
	Theta []float64
	T     float64
	How   string // in words
	By    SteadyBy
	// Singular is set where ∂f/∂x is singular: steady states are no single points, and X is the one that shares its linear conserved quantities with the start.
	Singular bool
	Stats    SteadyStats
	// Eigenvalues of ∂f/∂x at X: nil where there are more than MaxEigenvalues states, or algebraic equations. Stability says what follows, or why nothing does.
	Eigenvalues []complex128
	Stability   string
}

// SteadyStats counts the work.
type SteadyStats struct {
	Iterations int // of all ways tried
	Evals      int
	Jacobians  int
	Factors    int
	Steps      int     // of integrations
	Residual   float64 // the largest |f_i|
	Linear     string  // how the linear equations are solved, and why so
}

// FindSteady looks for a steady state. Where none is found the error is a *SteadyError; any other is a call that makes no sense.
func FindSteady(ctx context.Context, p *SteadyProblem) (*Steady, error) {
	s, err := newSteady(ctx, p)
	if err != nil {
		return nil, err
	}
	if !finite(s.f) {
		return nil, s.failed("f is not finite at the start")
	}
	return s.find()
}

// steady is a search in progress.
type steady struct {
	ctx     context.Context
	p       SteadyProblem
	sys     *system.System // of the equations as written: that of p, but for a reduced index
	rhs     system.Func
	mat     *matrix       // M − τ·J; its v is J
	lu      sparse.Solver // of J; nil where its pattern is singular
	linear  string
	counter Stats
	out     *Steady

	x, f       []float64 // the point reached, and f there
	xt, ft     []float64 // a point tried
	d, bar, w  []float64 // correction, simplified correction, scratch
	start      []float64
	tried      []string
	singular   error     // why J cannot be used alone
	best       []float64 // the end of the way that came nearest, for the error
	bestF      []float64
	iterations int

	looked bool        // for kept
	kept   [][]float64 // w of the conserved quantities wᵀM·x, orthonormal
	off    []float64   // scratch of keep
}

func newSteady(ctx context.Context, p *SteadyProblem) (*steady, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	if p.Sys == nil || p.Sys.RHS == nil || p.Sys.NX == 0 {
		return nil, errors.New("there is no system to find a steady state of")
	}
	s := &steady{ctx: ctx, p: *p, sys: p.Sys}
	for _, v := range []struct {
		name string
		v    *float64
		def  float64
	}{{"rtol", &s.p.Rtol, SteadyRtol}, {"atol", &s.p.Atol, SteadyAtol}} {
		if *v.v == 0 {
			*v.v = v.def
		}
		if err := CheckTolerance(v.name, *v.v); err != nil {
			return nil, err
		}
	}
	if s.p.Iterations == 0 {
		s.p.Iterations = SteadyIterations
	}
	if math.IsNaN(p.T) || math.IsInf(p.T, 0) {
		return nil, fmt.Errorf("the time is %v; it must be a finite number", p.T)
	}
	if s.p.Theta == nil {
		s.p.Theta = p.Sys.Defaults()
	}
	one := &Problem{Sys: p.Sys, Theta: s.p.Theta, X0: p.X0, T0: p.T, T1: p.T}
	if err := one.checkDims(); err != nil {
		return nil, err
	}
	if err := one.checkSignals(); err != nil {
		return nil, err
	}
	if why := p.Sys.NoGradient; why != "" && p.Sys.Jacobian == nil {
		return nil, fmt.Errorf("a steady state needs derivatives of the equations: %s", why)
	}
	var err error
	if s.sys, err = undifferentiated(p.Sys); err != nil {
		return nil, err
	}
	n := p.Sys.NX
	for _, v := range []*[]float64{&s.x, &s.f, &s.xt, &s.ft, &s.d, &s.bar, &s.w, &s.off} {
		*v = make([]float64, n)
	}
	s.rhs = s.sys.RHS.Clone()
	s.rhs.Prepare(s.p.Theta)
	if p.X0 != nil {
		copy(s.x, p.X0)
	} else {
		p.Sys.Init.Clone().Eval(s.x, p.T, nil, s.p.Theta)
	}
	s.start = append(s.start, s.x...)
	s.eval(s.f, s.x)
	if s.mat, err = newMatrix(s.sys, &s.counter); err != nil {
		return nil, err
	}
	s.mat.prepare(s.p.Theta)
	if c, err := sparse.Choose(s.mat.pattern); err != nil {
		s.singular = s.mat.named(err)
	} else {
		s.lu, s.linear = c.New(), c.Reason
	}
	s.out = &Steady{Theta: s.p.Theta, T: p.T}
	return s, nil
}

// find tries one way after the other.
func (s *steady) find() (*Steady, error) {
	if s.p.Sys.Invariants != nil { // for Newton's method too: the unknowns that keep a constraint have no better guess
		s.begin()
	}
	ways := []struct {
		by  SteadyBy
		run func() bool
	}{{SteadyNewton, s.newton}, {SteadyContinuation, s.follow}, {SteadyIntegration, s.integrate}}
	for _, way := range ways {
		if s.p.By != SteadyAuto && s.p.By != way.by {
			continue
		}
		copy(s.x, s.start)
		s.eval(s.f, s.x)
		resting := zero(s.f)
		if way.run() || resting && s.stay() {
			s.out.By = way.by
			return s.finish(), nil
		}
		if s.ctx.Err() != nil {
			return nil, context.Cause(s.ctx)
		}
		if finite(s.f) && (s.best == nil || largest(s.f) < largest(s.bestF)) {
			s.best, s.bestF = append(s.best[:0], s.x...), append(s.bestF[:0], s.f...)
		}
	}
	if s.best != nil {
		s.x, s.f = s.best, s.bestF
	}
	return nil, s.failed("")
}

// stay takes the start, where f is zero, for the answer, whatever the derivatives of f are there.
func (s *steady) stay() bool {
	if s.ctx.Err() != nil {
		return false
	}
	copy(s.x, s.start)
	s.eval(s.f, s.x)
	if s.singular != nil {
		s.out.Singular = true
		s.conserve()
	}
	s.tried = []string{"nothing moves at the start"}
	return zero(s.f)
}

func (s *steady) eval(z, x []float64) {
	s.rhs.Eval(z, s.p.T, x, nil)
	s.counter.Evals++
}

// norm is the root mean square of corrections, in units of what is tolerated at x: one or less has converged.
func (s *steady) norm(d, x []float64) float64 {
	sum := 0.0
	for i, v := range d {
		r := v / (s.p.Atol + s.p.Rtol*math.Abs(x[i]))
		sum += r * r
	}
	return math.Sqrt(sum / float64(len(d)))
}

// rounded reports whether f is zero at x as far as rounding lets it be: |f_i| against the terms Σ |J_ij x_j| that make it.
func (s *steady) rounded() bool {
	s.terms(s.w, s.x)
	for i, v := range s.f {
		if math.Abs(v) > 4*0x1p-52*s.w[i] {
			return false
		}
	}
	return true
}

// terms writes Σ |J_ij x_j| into w.
func (s *steady) terms(w, x []float64) {
	clear(w)
	for j, v := range x {
		rows, first := s.mat.pattern.Column(j)
		for k, i := range rows {
			w[i] += math.Abs(s.mat.v[first+k] * v)
		}
	}
}

// finish fills in the result at the point reached.
func (s *steady) finish() *Steady {
	o := s.out
	o.X, o.F = s.x, s.f
	s.mat.jacobian(nil, s.p.T, s.x)
	o.How = strings.Join(s.tried, "; then ")
	o.Stats = SteadyStats{Iterations: s.iterations, Evals: s.counter.Evals, Jacobians: s.counter.Jacobians, Factors: s.counter.Factors,
		Steps: s.counter.Steps, Linear: s.linear}
	if s.linear == "" {
		o.Stats.Linear = s.mat.kind
	}
	o.Stats.Residual = largest(o.F)
	s.stability()
	return o
}

func largest(v []float64) (m float64) {
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

func (s *steady) said(format string, args ...any) {
	s.tried = append(s.tried, fmt.Sprintf(format, args...))
}

// SteadyError says that no steady state was found.
type SteadyError struct {
	Tried    []string // what, and what came of it
	Names    []string // of the states
	X        []float64
	Equation string // with the largest residual, "" where f is not finite
	Worst    int    // its row
	Where    any    // its place, opaque here; nil where the system does not say
	Residual float64
	Bad      []int // the states whose derivative is not finite
	Source   *system.Fault
}

// failed makes the error at the point reached.
func (s *steady) failed(why string) error {
	e := &SteadyError{Tried: s.tried, Names: s.sys.StateNames(), X: append([]float64(nil), s.x...)}
	if why != "" {
		e.Tried = append(e.Tried, why)
	}
	worst := -1
	for i, v := range s.f {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			e.Bad = append(e.Bad, i)
		case worst < 0 || math.Abs(v) > math.Abs(s.f[worst]):
			worst = i
		}
	}
	if len(e.Bad) > 0 {
		worst = e.Bad[0]
		if s.sys.Explain != nil {
			e.Source = s.sys.Explain(s.p.T, s.x, s.p.Theta)
		}
	}
	e.Worst = worst
	e.Equation, e.Residual = EquationName(s.sys, worst), s.f[worst]
	if worst < len(s.sys.Equations) {
		e.Where = s.sys.Equations[worst].Where
	}
	return e
}

func (e *SteadyError) Error() string {
	var b strings.Builder
	b.WriteString("no steady state was found: ")
	b.WriteString(strings.Join(e.Tried, "; "))
	if len(e.Bad) > 0 {
		fmt.Fprintf(&b, "; not finite is %s", e.Equation)
	} else {
		fmt.Fprintf(&b, "; the largest residual is that of %s, %.4g", e.Equation, e.Residual)
	}
	b.WriteString(at(e.Names, e.X))
	if s := e.Source; s != nil {
		fmt.Fprintf(&b, "; %s = %v", s.Expr, s.Value)
	}
	return b.String()
}

// Help is one line of what to try.
func (e *SteadyError) Help() string {
	if len(e.Bad) > 0 {
		return "start where the equations are defined: `set = {x: …}` gives a state's first guess"
	}
	return "start nearer to it, `set = {x: …}`; the equations may have no steady state, as where something grows for ever or oscillates: look at a `solve`"
}

// at lists some states, for messages.
func at(names []string, x []float64) string {
	var parts []string
	for i, v := range x {
		if i == 6 && len(x) > 7 {
			parts = append(parts, fmt.Sprintf("… (%d states)", len(x)))
			break
		}
		parts = append(parts, fmt.Sprintf("%s = %.6g", names[i], v))
	}
	return " at " + strings.Join(parts, ", ")
}
