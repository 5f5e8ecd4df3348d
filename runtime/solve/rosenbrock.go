package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// rosenbrock steps linearly implicit Runge–Kutta methods:
//
//	E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.7,
//
// in the form of method.Rosenbrock. J is exact and new in every step, which the orders of these methods rest on; a step that the error refuses keeps it.
type rosenbrock struct {
	*rosenbrockScheme
	s     *Stepper
	mat   *matrix
	whole system.Step // steps compiled with the model, nil where there are none
	all   bool        // whole measures the error as the settings ask

	u          [][]float64 // stages
	flat       []float64
	ft         []float64
	w          []float64
	autonomous bool
	fresh      bool // J, ft are those at (t, x)
	haveF0     bool
	control

	clear float64 // length of a step up to which inside trusts what it saw last; 0: look at the next
	since int     // steps since then
}

// rosenbrockScheme is a Rosenbrock method's rows without their zeros. It is immutable and may be shared.
type rosenbrockScheme struct {
	m          *method.Rosenbrock
	a, g       []combo
	b, e       combo
	denseTerms []int
	probes     []probe // of the dense output, in the u
}

func newRosenbrockScheme(m *method.Rosenbrock) *rosenbrockScheme {
	c := &rosenbrockScheme{m: m, b: newCombo(m.B), e: newCombo(m.E)}
	for i := range m.Stages {
		c.a, c.g = append(c.a, newCombo(m.A[i])), append(c.g, newCombo(m.G[i]))
	}
	for i, row := range m.Dense {
		for _, v := range row {
			if v != 0 {
				c.denseTerms = append(c.denseTerms, i)
				break
			}
		}
	}
	c.probes = probes(m.Dense, m.Stages)
	return c
}

func newRosenbrock(m *method.Rosenbrock, s *Stepper) (*rosenbrock, error) {
	r := &rosenbrock{rosenbrockScheme: newRosenbrockScheme(m), s: s, control: control{k1: float64(m.ErrorOrder())}}
	nx := s.sys.NX
	if s.sys.Stepping != nil {
		r.whole = s.sys.Stepping(m)
	}
	r.flat = make([]float64, m.Stages*nx)
	for i := range m.Stages {
		r.u = append(r.u, r.flat[i*nx:(i+1)*nx:(i+1)*nx])
	}
	r.ft, r.w = make([]float64, nx), make([]float64, nx)
	var err error
	if r.whole == nil {
		r.mat, err = newMatrix(s.sys, &s.stats) // prepare follows
	}
	return r, err
}

// needMatrix makes the iteration matrix, which whole steps have in themselves and need for a step only where they distrust their own.
func (r *rosenbrock) needMatrix() (err error) {
	if r.mat == nil {
		if r.mat, err = newMatrix(r.s.sys, &r.s.stats); err == nil {
			r.mat.prepare(r.s.th)
		}
	}
	return err
}

func (r *rosenbrock) prepare() {
	s := r.s
	if r.mat != nil {
		r.mat.stats = &s.stats
		r.mat.prepare(s.th)
	}
	if r.all = r.whole != nil && s.set.controlled && s.set.errGroup == s.sys.NX; r.all {
		r.whole.Prepare(s.th, s.set.rtol, s.set.atol)
	} else if r.mat == nil {
		_ = r.needMatrix() // as below: the step says so
	}
}

func (r *rosenbrock) restart() {
	r.fresh, r.haveF0, r.clear = false, false, 0
	r.forgetErrors()
}

func (r *rosenbrock) ready() bool {
	s := r.s
	if s.next == 0 || !r.all { // f at the start is what the first step is chosen by
		if !r.haveF0 {
			s.eval(s.k[0], s.t, s.x)
			r.haveF0 = true
		}
		if !finite(s.k[0]) {
			s.status, s.badT = NonFinite, s.t
			copy(s.x1, s.x)
			return false
		}
	}
	return true
}

func (r *rosenbrock) attempt() float64 {
	err := r.make()
	if err <= 1 && r.s.set.controlled {
		err = max(err, r.inside())
	}
	return err
}

const (
	insideEvery = 6    // steps
	insideNear  = 0.02 // errors from which on every step is checked
	insideLeap  = 1.5  // growth of steps at most until the next check
)

// inside is the scaled error of the dense output, as radau.inside measures it: the error estimate sees nothing of a stiff component that follows a driver, and neither of
// what the output makes of it between the step's ends. It costs whole steps a factorisation, so that not every step is checked.
func (r *rosenbrock) inside() float64 {
	s, h := r.s, math.Abs(r.s.h)
	if h <= r.clear && r.since < insideEvery {
		return 0
	}
	c, worst := s.h*r.m.Gamma, 0.0
	if r.all && r.needMatrix() != nil {
		return 0
	}
	if r.all && !r.fresh { // the ordinary step has its factors
		r.linearise()
	}
	if r.all && (!finite(r.mat.v) || r.mat.factor(c) != nil) {
		return 0
	}
	for _, p := range r.probes {
		worst = max(worst, s.defect(p, 1, r.u, c, r.mat, r.w))
	}
	r.clear, r.since = 0, 0
	if worst <= insideNear {
		r.clear = h * min(math.Pow(0.5/max(worst, 1e-10), 1/r.k1), insideLeap)
	}
	return worst
}

// linearise computes J and ∂f/∂t at the start of the step.
func (r *rosenbrock) linearise() {
	r.mat.jacobian(r.ft, r.s.t, r.s.x)
	r.autonomous = zero(r.ft)
	r.fresh = true
}

// make makes the step, and gives the error at its end.
func (r *rosenbrock) make() float64 {
	s := r.s
	if r.all {
		s.stats.Whole = true
		q, _, _ := r.whole.Attempt(s.t, s.h, s.t1, r.logErr, s.x, r.flat, s.x1)
		s.stats.Evals += r.m.Stages
		s.stats.Jacobians++
		s.stats.Factors++
		if !math.IsInf(q, 1) {
			return math.Sqrt(q)
		}
		// Its pivots, chosen beforehand, do not serve here.
		if err := r.needMatrix(); err != nil {
			s.why = err.Error()
			return math.Inf(1)
		}
		if !r.haveF0 {
			s.eval(s.k[0], s.t, s.x)
			r.haveF0 = true
		}
	}
	return r.ordinary()
}

// ordinary makes the step by the matrix.
func (r *rosenbrock) ordinary() float64 {
	s, m := r.s, r.m
	h := s.h
	if !r.fresh {
		r.linearise()
	}
	if !finite(r.mat.v) {
		s.badT = s.t
		copy(s.x1, s.x)
		return math.NaN()
	}
	if err := r.mat.factor(h * m.Gamma); err != nil {
		s.why = err.Error()
		return math.Inf(1)
	}
	for i := range m.Stages {
		u := r.u[i]
		switch {
		case i == 0:
			copy(u, s.k[0])
		default:
			a := &r.a[i]
			combine(s.tmp, s.x, 1, a.w, a.idx, r.u)
			s.eval(u, s.stageTime(m.C[i]), s.tmp)
		}
		if d := m.D[i]; d != 0 && !r.autonomous {
			for k, v := range r.ft {
				u[k] += h * d * v
			}
		}
		if g := &r.g[i]; len(g.w) > 0 {
			clear(r.w)
			combine(r.w, r.w, 1/h, g.w, g.idx, r.u)
			r.mat.addMass(u, r.w)
		}
		c := h * m.Gamma
		for k := range u {
			u[k] *= c
		}
		r.mat.solve(u)
	}
	combine(s.x1, s.x, 1, r.b.w, r.b.idx, r.u)
	if !finite(s.x1) {
		return math.NaN()
	}
	if !s.set.controlled {
		return 0
	}
	r.errors()
	return s.norm(s.e, s.x, s.x1)
}

// spectral bounds the modulus of the Jacobian's eigenvalues by its norms, at the start of the last step.
func (r *rosenbrock) spectral() float64 {
	if r.needMatrix() != nil {
		return math.Inf(1)
	}
	if !r.fresh {
		r.mat.jacobian(nil, r.s.t, r.s.x)
	}
	return r.mat.norm()
}

func (r *rosenbrock) errors() { combine(r.s.e, r.s.zero, 1, r.e.w, r.e.idx, r.u) }

func (r *rosenbrock) accept(err float64) float64 {
	return r.s.calm(r.accepted(err))
}

func (r *rosenbrock) refuse(err float64) float64 {
	if math.IsNaN(err) || math.IsInf(err, 1) {
		return method.BadCut
	}
	return r.refused(err)
}

func (r *rosenbrock) commit() {
	r.fresh, r.haveF0 = false, false
	r.since++
}

func (r *rosenbrock) width() int { return len(r.flat) }

func (r *rosenbrock) save(row []float64) { copy(row, r.flat) }

func (r *rosenbrock) keep(m *mark) {
	held(m, r)
	m.vectors(r.flat, r.ft)
	if r.mat != nil {
		r.mat.keep(m)
	}
}

func (r *rosenbrock) reader() reader { return r.rosenbrockScheme }

func (r *rosenbrock) interpolate(theta float64, out []float64) {
	r.at(theta, out, r.s.x, r.flat)
}

func (c *rosenbrockScheme) dense(st *StepRecord, theta float64, out []float64) {
	c.at(theta, out, st.X, st.K)
}

// at is x(t + θh) = x + Σ b_i(θ) u_i, the stages u one after the other.
func (c *rosenbrockScheme) at(theta float64, out, x, u []float64) {
	copy(out, x)
	nx := len(out)
	for _, i := range c.denseTerms {
		add(out, method.DenseWeight(c.m.Dense[i], theta), u[i*nx:(i+1)*nx])
	}
}

// stageTime is t + c·h, the end exactly where c is 1.
func (s *Stepper) stageTime(c float64) float64 {
	switch c {
	case 0:
		return s.t
	case 1:
		return s.t1
	}
	return s.t + c*s.h
}

// add is y += a·x.
func add(y []float64, a float64, x []float64) {
	for i, v := range x[:len(y)] {
		y[i] += a * v
	}
}

func zero(x []float64) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}
