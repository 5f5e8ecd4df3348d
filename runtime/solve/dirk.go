package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// dirk steps diagonally implicit Runge–Kutta methods with an explicit first stage. Stage i solves for z = X_i − x
//
//	M z − hγ f(t + c_i h, x + z) = h Σ_{j<i} a_ij g_j,  and then  g_i = (M z − h Σ_{j<i} a_ij g_j)/(hγ),
//
// g_i being f there. Taking it from the equation rather than from f spares stiff components what f would make of the error that the iteration leaves (Hosea and
// Shampine). M⁻¹ appears nowhere, so M may be singular: the combinations of rows that M does not reach say 0 = Σ_j a_ij g_j, which is 0 = f(X_i) as long as the
// first g, the last one of the step before, is zero there; what it is not, the step's end is rid of, since R(∞) = 0.
//
// Where the method's own continuous extension is of lower order, the dense output is the polynomial of degree 5 through the states and their derivatives at the
// ends of this step and at the start of the one before; the method's own serves in the first step after a start and after much longer ones.
//
// The error estimate h Σ e_i g_i is multiplied by (M − hγJ)⁻¹, lest stiff components dominate it.
//
// With a part of the right-hand side for the method's explicit companion (Problem.Explicit), g_i is that of the rest, and the sums take in h Σ_{j<i} â_ij times that
// part.
//
// M. E. Hosea, L. F. Shampine, Analysis and implementation of TR-BDF2, Applied Numerical Mathematics 20 (1996), 21–37; C. A. Kennedy, M. H. Carpenter, Additive
// Runge–Kutta schemes for convection–diffusion–reaction equations, Applied Numerical Mathematics 44 (2003), 139–181; C. A. Kennedy, M. H. Carpenter, Diagonally
// implicit Runge–Kutta methods for ordinary differential equations, NASA/TM-2016-219173, sections 4 and 5.
type dirk struct {
	*dirkScheme
	s  *Stepper
	nw *newton

	k, g, z  [][]float64 // x' and M·x' at the stages (the same memory where M is the identity and nothing is explicit), and X_i − x
	kflat    []float64
	w, r     []float64
	split    *split    // nil: nothing is explicit
	haveG0   bool      // g[0] is that at (t, x)
	haveK0   bool      // k[0] is, too
	factored float64   // c of the factors of M − c·J at hand; 0: none
	past     []float64 // of the step before: (x at its start) − x, x' there, and its length over that of this one; the latter 0: there is none to go by
	hold     float64   // its length, 0: none
	control
}

// shortPast is how long the step before must be, in lengths of this one, for the dense output to take it in: errors of what is far too near count too much.
const shortPast = 0.15

// insideShare is how many tolerances two ways to interpolate may be apart.
const insideShare = 15

// dirkScheme is a method's rows without their zeros. It is immutable and may be shared.
type dirkScheme struct {
	m          *method.DIRK
	a, predict []combo // stages before
	e          combo
	explicit   []combo
	start      combo // h·x' at the start, of the z
	b          combo
	wide       bool // the dense output takes in the step before
	denseTerms []int
	probes     []probe // of the method's own continuous extension, in h·k
}

func newDirkScheme(m *method.DIRK) *dirkScheme {
	c := &dirkScheme{m: m, e: newCombo(m.E), b: newCombo(m.B), wide: m.DenseOrder < m.Order, a: make([]combo, m.Stages), predict: make([]combo, m.Stages)}
	for i := 1; i < m.Stages; i++ {
		c.a[i], c.predict[i] = newCombo(m.A[i][:i]), newCombo(m.Predict[i])
	}
	for _, row := range m.Explicit {
		c.explicit = append(c.explicit, newCombo(row))
	}
	for i, row := range m.Dense {
		if newCombo(row).w != nil {
			c.denseTerms = append(c.denseTerms, i)
		}
	}
	c.start = newCombo(startSlope(m.C))
	c.probes = probes(m.Dense, m.Stages)
	return c
}

// startSlope gives weights w with h·x'(t) ≈ Σ w_i (X_i − x): the derivative of the polynomial through x and three stages at different times, two where there are no
// more. It serves where M·x' = f does not give x'.
func startSlope(c []float64) []float64 {
	var at []int
	for i := 1; i < len(c) && len(at) < 3; i++ {
		apart := true
		for _, j := range at {
			apart = apart && c[i] != c[j]
		}
		if apart {
			at = append(at, i)
		}
	}
	w := make([]float64, len(c))
	for _, i := range at { // d/dθ of θ/c_i Π (θ − c_j)/(c_i − c_j) at 0
		w[i] = 1 / c[i]
		for _, j := range at {
			if j != i {
				w[i] *= -c[j] / (c[i] - c[j])
			}
		}
	}
	return w
}

func newDirk(m *method.DIRK, s *Stepper) (*dirk, error) {
	d := &dirk{dirkScheme: newDirkScheme(m), s: s, control: control{k1: float64(m.ErrorOrder())}}
	var err error
	if d.nw, err = newNewton(s); err != nil {
		return nil, err
	}
	nx := s.sys.NX
	d.kflat, d.k = rowsOf(m.Stages, nx)
	_, d.z = rowsOf(m.Stages, nx)
	if d.g = d.k; s.sys.Mass != nil {
		_, d.g = rowsOf(m.Stages, nx)
	}
	d.w, d.r = make([]float64, nx), make([]float64, nx)
	if d.wide {
		d.past = make([]float64, 2*nx+1)
	}
	return d, nil
}

// dirkIterations is how many iterations a stage may take.
const dirkIterations = 10

func (d *dirk) prepare() {
	d.divide(d.s.p.Explicit)
	d.nw.prepare(dirkIterations, 1)
	if d.split != nil {
		d.split.f.Prepare(d.s.th)
	}
}

// rowsOf are vectors one after the other in memory.
func rowsOf(n, nx int) (flat []float64, all [][]float64) {
	flat = make([]float64, n*nx)
	for i := range n {
		all = append(all, flat[i*nx:(i+1)*nx:(i+1)*nx])
	}
	return flat, all
}

func (d *dirk) restart() {
	d.nw.restart()
	d.haveG0, d.haveK0, d.factored, d.hold = false, false, 0, 0
	d.forgetErrors()
}

func (d *dirk) ready() bool {
	s := d.s
	if d.haveG0 {
		return true
	}
	s.eval(d.g[0], s.t, s.x)
	copy(s.k[0], d.g[0])
	if d.split != nil {
		copy(d.k[0], d.g[0])
		d.split.take(0, s.t, s.x, d.g[0])
	}
	if !finite(s.k[0]) {
		s.status, s.badT = NonFinite, s.t
		copy(s.x1, s.x)
		return false
	}
	d.haveG0, d.haveK0 = true, s.sys.Mass == nil
	return true
}

func (d *dirk) attempt() float64 {
	s, nw := d.s, d.nw
	nw.begin()
	for {
		anew, ok := nw.jacobian()
		if !ok {
			s.badT = s.t
			copy(s.x1, s.x)
			return math.NaN()
		}
		if c := s.h * d.m.Gamma; anew || math.Abs(c-d.factored) > sameCoef*math.Abs(c) {
			d.factored = 0
			if err := nw.mat.factor(c); err != nil {
				s.why = err.Error()
				return math.Inf(1)
			}
			d.factored = c
		}
		v := d.stages()
		if v == converged {
			break
		}
		if !nw.renew() {
			return nw.failed(v)
		}
	}
	if d.split != nil {
		combine(d.z[d.m.Stages-1], s.zero, s.h, d.b.w, d.b.idx, d.k)
	}
	for i, v := range d.z[d.m.Stages-1] {
		s.x1[i] = s.x[i] + v
	}
	d.slopes()
	if !s.set.controlled {
		return 0
	}
	combine(s.e, s.zero, s.h, d.e.w, d.e.idx, d.g)
	nw.mat.solve(s.e)
	if d.split != nil { // whose error no stiffness damps
		combine(s.e, s.e, s.h, d.e.w, d.e.idx, d.split.g)
	}
	err := s.norm(s.e, s.x, s.x1) * d.m.Weight()
	if err <= 1 {
		err = max(err, d.inside())
	}
	return err
}

// inside compares both ways to interpolate, in the middle of the step, so that outputs are not much worse than the step's end; where there is one way only, it holds it against
// the equation.
func (d *dirk) inside() float64 {
	s := d.s
	if !d.wide && d.split == nil {
		worst := 0.0
		for _, p := range d.probes {
			worst = max(worst, s.defect(p, s.h, d.k, s.h*d.m.Gamma, d.nw.mat, s.e))
		}
		return worst
	}
	if !d.wide || d.split != nil || d.remember()[len(d.past)-1] < shortPast {
		return 0
	}
	d.interpolate(0.5, d.r)
	d.own(0.5, s.h, d.w, s.x, d.kflat)
	for n, v := range d.r {
		d.w[n] -= v
	}
	return s.norm(d.w, s.x, s.x1) / insideShare
}

// stages solves the equations of all stages.
func (d *dirk) stages() verdict {
	s, nw := d.s, d.nw
	h, c := s.h, s.h*d.m.Gamma
	massive := s.sys.Mass != nil
	for i := 1; i < d.m.Stages; i++ {
		z, w, r, g := d.z[i], d.w, d.r, d.g[i]
		t := s.stageTime(d.m.C[i])
		combine(w, s.zero, h, d.a[i].w, d.a[i].idx, d.g)
		if d.split != nil {
			e := &d.explicit[i]
			combine(w, w, h, e.w, e.idx, d.split.g)
		}
		switch {
		case !massive || d.haveK0:
			combine(z, s.zero, h, d.predict[i].w, d.predict[i].idx, d.k)
		case i == 1:
			clear(z)
		default:
			ratio := d.m.C[i] / d.m.C[i-1]
			for n, v := range d.z[i-1] {
				z[n] = ratio * v
			}
		}
		nw.solving()
		for v := onward; v == onward; {
			for n := range s.tmp {
				s.tmp[n] = s.x[n] + z[n]
			}
			s.eval(r, t, s.tmp)
			if d.split != nil {
				d.split.take(i, t, s.tmp, r)
			}
			if massive {
				for n := range r {
					r[n] = w[n] + c*r[n]
					g[n] = -z[n]
				}
				nw.mat.addMass(r, g)
			} else {
				for n := range r {
					r[n] = w[n] + c*r[n] - z[n]
				}
			}
			nw.mat.solve(r)
			if v = nw.next(nw.norm(r)); v == nonFinite {
				s.badT = t
				copy(s.x1, s.tmp)
				return v
			}
			if v == diverged {
				nw.blame(r)
				return v
			}
			for n := range z {
				z[n] += r[n]
			}
		}
		if massive {
			for n := range g {
				g[n] = -w[n]
			}
			nw.mat.addMass(g, z)
			for n := range g {
				g[n] /= c
			}
			if d.haveK0 {
				d.slope(i)
			}
			continue
		}
		for n := range g {
			g[n] = (z[n] - w[n]) / c
		}
		if d.split != nil {
			for n := range z {
				s.tmp[n] = s.x[n] + z[n]
			}
			d.split.eval(i, t, s.tmp)
			for n, v := range d.split.g[i] {
				d.k[i][n] = g[n] + v
			}
		}
	}
	return converged
}

// slope computes x' at stage i from the stages before.
func (d *dirk) slope(i int) {
	c := d.s.h * d.m.Gamma
	combine(d.w, d.s.zero, d.s.h, d.a[i].w, d.a[i].idx, d.k)
	k := d.k[i]
	for n, v := range d.z[i] {
		k[n] = (v - d.w[n]) / c
	}
}

// slopes computes x' at the stages of the first step after a start, where M·x' = f alone does not give it at the start.
func (d *dirk) slopes() {
	if d.haveK0 {
		return
	}
	combine(d.k[0], d.s.zero, 1/d.s.h, d.start.w, d.start.idx, d.z)
	for i := 1; i < d.m.Stages; i++ {
		d.slope(i)
	}
}

func (d *dirk) errors() {} // they are there already

func (d *dirk) accept(err float64) float64 {
	return d.nw.steady(d.s.calm(d.accepted(err)))
}

func (d *dirk) refuse(err float64) float64 {
	if f, ok := d.nw.refuse(err); ok {
		return f
	}
	return d.refused(err)
}

func (d *dirk) commit() {
	d.nw.commit()
	last := d.m.Stages - 1
	if d.wide {
		nx := len(d.w)
		for n, v := range d.z[last] {
			d.past[n] = -v
		}
		copy(d.past[nx:], d.k[0])
		if d.hold = d.s.h; !d.haveK0 { // k[0] is a guess
			d.hold = 0
		}
	}
	if d.split != nil { // the last stage is not the step's end
		d.haveG0, d.hold = false, 0
		return
	}
	copy(d.g[0], d.g[last])
	copy(d.k[0], d.k[last])
	d.haveK0 = true
}

func (d *dirk) width() int { return len(d.kflat) + len(d.past) }

func (d *dirk) save(row []float64) {
	copy(row[copy(row, d.kflat):], d.remember())
}

// remember is past as the dense output of the step that lies ready takes it.
func (d *dirk) remember() []float64 {
	if d.wide {
		d.past[len(d.past)-1] = d.hold / d.s.h
	}
	return d.past
}

func (d *dirk) keep(m *mark) {
	held(m, d)
	d.nw.keep(m)
	m.vectors(d.kflat, d.past)
	m.vectors(d.g...)
	m.vectors(d.z...)
}

func (d *dirk) reader() reader { return d.dirkScheme }

func (d *dirk) interpolate(theta float64, out []float64) {
	d.at(theta, d.s.h, out, d.s.x, d.kflat, d.remember())
}

func (c *dirkScheme) dense(st *StepRecord, theta float64, out []float64) {
	n := c.m.Stages * len(out)
	c.at(theta, st.H, out, st.X, st.K[:n], st.K[n:])
}

// at is x(t + θh), the k one after the other.
func (c *dirkScheme) at(theta, h float64, out, x, k, past []float64) {
	copy(out, x)
	nx := len(out)
	if c.wide {
		if r := past[2*nx]; r >= shortPast {
			w := throughThree(theta, r)
			for i, b := range c.b.w {
				add(out, h*w.x1*b, k[c.b.idx[i]*nx:][:nx])
			}
			add(out, w.x, past[:nx])
			add(out, h*w.k, past[nx:2*nx])
			add(out, h*w.k0, k[:nx])
			add(out, h*w.k1, k[len(k)-nx:])
			return
		}
	}
	c.own(theta, h, out, x, k)
}

// own is the method's own continuous extension.
func (c *dirkScheme) own(theta, h float64, out, x, k []float64) {
	copy(out, x)
	nx := len(out)
	for _, i := range c.denseTerms {
		add(out, h*method.DenseWeight(c.m.Dense[i], theta), k[i*nx:(i+1)*nx])
	}
}

// hermiteWeights weigh values, less that at 0, and slopes.
type hermiteWeights struct{ x, x1, k, k0, k1 float64 }

// throughThree is the polynomial of degree 5 with given values and slopes at −r, 0 and 1, at θ.
func throughThree(theta, r float64) hermiteWeights {
	a, b := theta+r, theta-1
	// Lagrange's polynomials squared.
	past, now, next := theta*b/(r*(1+r)), a*b/-r, a*theta/(1+r)
	past, now, next = past*past, now*now, next*next
	return hermiteWeights{
		x:  past * (1 + 2*a*(1/r+1/(1+r))),
		x1: next * (1 - 2*b*(1+1/(1+r))),
		k:  past * a,
		k0: now * theta,
		k1: next * b,
	}
}

// Interpolation is the dense output of a diagonally implicit method by its weights, as gradients need them.
type Interpolation struct{ c *dirkScheme }

// InterpolationOf prepares a method's.
func InterpolationOf(m *method.DIRK) *Interpolation { return &Interpolation{newDirkScheme(m)} }

// Start are weights w with which, after a start, x' = Σ_i w_i (X_i − x)/h there, where M·x' = f does not give it.
func (p *Interpolation) Start() []float64 { return startSlope(p.c.m.C) }

// Weights are those of x(t + θh) = x + h Σ_i k_i K_i + past·(x₋ − x) + slope·h·x₋', where K are the stages' derivatives and x₋ is the start of the step before. k has
// length Stages.
func (p *Interpolation) Weights(theta float64, st *StepRecord, k []float64) (past, slope float64) {
	c := p.c
	clear(k)
	if c.wide {
		if r := st.K[(c.m.Stages+2)*len(st.X)]; r >= shortPast {
			w := throughThree(theta, r)
			for i, b := range c.b.w {
				k[c.b.idx[i]] += w.x1 * b
			}
			k[0] += w.k0
			k[len(k)-1] += w.k1
			return w.x, w.k
		}
	}
	for _, i := range c.denseTerms {
		row := c.m.Dense[i]
		for m := len(row) - 1; m >= 0; m-- {
			k[i] = (k[i] + row[m]) * theta
		}
	}
	return 0, 0
}
