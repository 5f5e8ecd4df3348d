package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// rock steps the stabilised explicit methods ROCK2 and ROCK4: the number of stages of a step follows from its length and the spectral radius of ∂f/∂x.
//
// A. Abdulle, A. A. Medovikov, Second order Chebyshev methods based on orthogonal polynomials, Numerische Mathematik 90 (2001), 1–18; A. Abdulle, Fourth order
// Chebyshev methods with recurrence relation, SIAM Journal on Scientific Computing 23 (2002), 2041–2054. The choice of steps is theirs, with the predictor of
//
// H. A. Watts, Step size control in ordinary differential equation solvers, Transactions of the Society for Computer Simulation 1 (1984), 15–25.
//
// The spectral radius is estimated by the power method, as there, by exact products with the Jacobian where the system has derivatives, by differences of f where
// it has none; a fifth is added for safety. The estimate holds for 25 steps, or until the error refuses one.
type rock struct {
	m       *method.ROCK
	s       *Stepper
	k1      float64
	longest float64

	f1         []float64 // f at the end, where it is needed
	xs         [3][]float64
	ks         [][]float64
	v, w       []float64 // for the power method: v is what came out last
	c          []float64 // of the polynomial through the last attempt
	form       polynomial
	scheme     *method.ROCKScheme
	rho        float64 // of ∂f/∂x, safety included
	age        int     // steps since it was estimated, −1 when there is none
	haveF0     bool
	haveF1     bool
	warm       bool    // v is of an estimate before
	errBefore  float64 // of the step accepted last, 0 when there is none
	stepBefore float64
}

// How the spectral radius is found, and how steps are chosen by it.
const (
	rockAge     = 25   // steps that an estimate serves
	rockPowers  = 50   // products, at most
	rockSettled = 0.05 // relative change between two that ends the iteration
	rockMargin  = 1.2
	rockSafety  = 0.8
	rockGrow    = 5.0
	rockShrink  = 0.1
)

func newRock(m *method.ROCK, s *Stepper) *rock {
	nx := s.sys.NX
	all := m.Schemes()
	end := all[0]
	degree := 1 + len(end.Dense)
	buf := make([]float64, (6+degree+len(end.B))*nx)
	cut := func(n int) []float64 {
		c := buf[:n:n]
		buf = buf[n:]
		return c
	}
	r := &rock{m: m, s: s, k1: float64(m.ErrorOrder()), longest: m.Longest(), f1: cut(nx), v: cut(nx), w: cut(nx), c: cut(degree * nx), form: polynomial(degree)}
	for i := range r.xs {
		r.xs[i] = cut(nx)
	}
	for range end.B {
		r.ks = append(r.ks, cut(nx))
	}
	return r
}

func (r *rock) prepare() {}

func (r *rock) restart() {
	r.haveF0, r.haveF1, r.warm = false, false, false
	r.age, r.errBefore = -1, 0
}

func (r *rock) ready() bool {
	s := r.s
	if !r.haveF0 {
		s.eval(s.k[0], s.t, s.x)
		r.haveF0 = true
	}
	if !finite(s.k[0]) {
		s.status, s.badT = NonFinite, s.t
		copy(s.x1, s.x)
		return false
	}
	if r.age < 0 || r.age >= rockAge {
		r.estimate()
	}
	if s.set.controlled && s.next*r.rho > r.longest {
		s.next = r.longest / r.rho * (1 - 1e-9)
	}
	return true
}

// estimate finds the spectral radius of ∂f/∂x at (t, x).
func (r *rock) estimate() {
	s := r.s
	exact := s.sys.NoGradient == ""
	// What came out last time is near the dominant direction; what is rough finds one that it is no part of.
	size := 0.0
	if r.warm {
		size = length(r.v)
	}
	seed := uint64(1)
	for i := range r.v {
		seed = seed*6364136223846793005 + 1442695040888963407
		rough := float64(int64(seed)) / (1 << 63)
		if size > 0 {
			rough = r.v[i]/size*math.Sqrt(float64(len(r.v))) + 0.3*rough
		}
		r.v[i] = rough
	}
	size = length(r.v)
	r.warm, r.age = true, 0
	// Differences go as far as half the digits of the state.
	far := 0x1p-26 * length(s.x)
	if far == 0 {
		far = 0x1p-26
	}
	last := 0.0
	for n := range rockPowers {
		scale(r.v, 1/size)
		if exact {
			s.rhs.JVP(r.w, s.t, s.x, nil, 0, r.v, nil)
			s.stats.Evals++
		} else {
			for i, v := range r.v {
				s.tmp[i] = s.x[i] + far*v
			}
			s.eval(r.w, s.t, s.tmp)
			for i, v := range s.k[0] {
				r.w[i] = (r.w[i] - v) / far
			}
		}
		size = length(r.w)
		if math.IsNaN(size) || math.IsInf(size, 0) {
			r.warm = false
			break // the step that this is for will tell
		}
		if size == 0 { // nothing of v was left: what came before was all there is
			r.warm = false
			break
		}
		r.v, r.w = r.w, r.v
		if n > 0 && math.Abs(size-last) <= rockSettled*max(size, last) {
			last = max(size, last)
			break
		}
		last = size
	}
	r.rho = rockMargin * last
}

func length(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

func scale(x []float64, a float64) {
	for i := range x {
		x[i] *= a
	}
}

func (r *rock) attempt() float64 {
	s := r.s
	h := s.h
	r.haveF1 = false
	if s.rejected && r.age > 0 {
		r.estimate()
	}
	z := math.Abs(h) * r.rho
	if r.scheme = r.m.Pick(z); r.scheme == nil {
		s.why = fmt.Sprintf("the spectral radius of ∂f/∂x, some %.3g, asks of %s for a step below %.3g: take a shorter one, or a solver for stiff problems, such as Rodas5P",
			r.rho, r.m.Name, r.longest/r.rho)
		clear(s.e)
		return math.Inf(1)
	}
	c := r.scheme
	clear(r.c)
	before, x, next := s.x, r.xs[0], r.xs[1]
	spare := r.xs[2]
	for i, v := range s.k[0] {
		x[i] = s.x[i] + h*c.Mu[0]*v
	}
	r.remember(0, x)
	for j := 1; j < c.Degree; j++ {
		s.eval(next, s.stageTime(c.C[j]), x)
		mu, kappa := h*c.Mu[j], c.Kappa[j]
		for i, v := range next {
			next[i] = mu*v + (1+kappa)*x[i] - kappa*before[i]
		}
		r.remember(j, next)
		if j == 1 {
			before, x, next = x, next, spare
		} else {
			before, x, next = x, next, before
		}
	}
	from := c.C[c.Degree]
	for i, row := range c.A {
		at, t := x, from
		if i > 0 {
			at = s.tmp
			copy(at, x)
			for j, a := range row {
				add(at, h*a, r.ks[j])
				t += a
			}
			r.remember(c.Degree+i-1, at)
		}
		s.eval(r.ks[i], s.stageTime(t), at)
	}
	copy(s.x1, x)
	for i, b := range c.B {
		add(s.x1, h*b, r.ks[i])
	}
	r.remember(c.Stages-1, s.x1)
	n := len(s.x1)
	for i, v := range s.x1 {
		r.c[i] = v - s.x[i]
		for m := range c.Dense {
			r.c[i] -= r.c[(m+1)*n+i]
		}
	}
	if !finite(s.x1) {
		return math.NaN()
	}
	err := 0.0
	if s.set.controlled {
		r.errors()
		if !finite(s.e) {
			return math.NaN()
		}
		err = s.norm(s.e, s.x, s.x1)
	}
	if err <= 1 { // a step to where f is not defined must be found out while it can be refused
		if r.needF1(); !finite(r.f1) {
			return math.NaN()
		}
	}
	return err
}

func (r *rock) errors() {
	s, c := r.s, r.scheme
	clear(s.e)
	if c == nil {
		return
	}
	for i, e := range c.E {
		if i < len(r.ks) {
			add(s.e, s.h*e, r.ks[i])
			continue
		}
		r.needF1()
		add(s.e, s.h*e, r.f1)
	}
}

func (r *rock) needF1() {
	if !r.haveF1 {
		r.s.eval(r.f1, r.s.t1, r.s.x1)
		r.haveF1 = true
	}
}

func (r *rock) accept(err float64) float64 {
	s, h := r.s, math.Abs(r.s.h)
	e := max(err, method.MinError)
	f := rockSafety * math.Pow(e, -1/r.k1)
	if r.errBefore > 0 && !s.rejected {
		f = min(f, f*h/r.stepBefore*math.Pow(r.errBefore/e, 1/r.k1))
	}
	r.errBefore, r.stepBefore = e, h
	return s.calm(min(max(f, rockShrink), rockGrow))
}

func (r *rock) refuse(err float64) float64 {
	switch {
	case math.IsNaN(err):
		return method.BadCut
	case math.IsInf(err, 1):
		return min(r.longest/(r.rho*math.Abs(r.s.h))*(1-1e-9), rockSafety)
	}
	return max(rockShrink, rockSafety*math.Pow(err, -1/r.k1))
}

func (r *rock) commit() {
	if r.haveF0 = r.haveF1; r.haveF1 {
		copy(r.s.k[0], r.f1)
	}
	r.haveF1 = false
	if r.age >= 0 {
		r.age++
	}
}

// remember adds a value of the step to its polynomial.
func (r *rock) remember(j int, v []float64) {
	x := r.s.x
	n := len(x)
	for m, w := range r.scheme.Dense {
		d, w := r.c[(m+1)*n:(m+2)*n], w[j]
		for i, y := range v[:n] {
			d[i] += w * (y - x[i])
		}
	}
}

// width: beside the polynomial a step is remembered by its scheme, for who makes it again.
func (r *rock) width() int { return len(r.c) + 1 }

func (r *rock) save(row []float64) {
	n := copy(row, r.c)
	row[n] = float64(r.scheme.Stages)
}

func (r *rock) keep(m *mark) {
	held(m, r)
	m.vectors(r.f1, r.v, r.w, r.c)
}

func (r *rock) reader() reader { return r.form }

func (r *rock) interpolate(theta float64, out []float64) { r.form.at(theta, out, r.s.x, r.c) }
