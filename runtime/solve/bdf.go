package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// bdf steps backward differentiation formulas of variable order and step in fixed-leading-coefficient form, on scaled divided differences of the past:
//
//	φ_1 = x_n,  φ_{j+1} = ψ_1 ⋯ ψ_j · [x_n, …, x_{n−j}],  ψ_j = t_n − t_{n−j}.
//
// A new step scales them by β_j, the ratios of the products of the new ψ and the old ones, and the sum of the first k+1 is the polynomial through the past
// at the new time. With e = x_{n+1} − P(t_{n+1}) the new differences are sums: φ_{k+2} = e, φ_j = β_j·φ_j + φ_{j+1}. So a step costs few sweeps over the
// state, orders change by counting one difference more or less, and the differences estimate the errors of all orders, whatever the steps were.
//
// K. R. Jackson, R. Sacks-Davis, An alternative implementation of variable step-size multistep formulas for stiff ODEs, ACM Transactions on Mathematical
// Software 6 (1980), 295–318; K. E. Brenan, S. L. Campbell, L. R. Petzold, Numerical Solution of Initial-Value Problems in Differential-Algebraic Equations,
// SIAM 1996, section 5.2. Newton's iteration is in corrector.go, the choice of order and step in bdfcontrol.go, the dense output in bdfdense.go.
type bdf struct {
	m   *method.BDF
	s   *Stepper
	mat *matrix
	it  corrector

	phi  [MaxBDF + 3][]float64 // φ_1 … at index 0 …
	e    []float64             // the correction of the last attempt
	pred []float64             // P(t1)
	hist []float64             // P'(t1)·h/γ, which e adds up with in the equation of a step
	v    []float64             // scratch
	w    []float64             // weights of the norm
	raw  []float64             // x1 before it is projected; nil where it is not

	k     int // order of the next step
	steps int // since the last start
	psi   [MaxBDF + 3]float64
	next  [MaxBDF + 3]float64 // ψ at the end of the step that is tried
	beta  [MaxBDF + 3]float64
	coef  [MaxBDF + 3]float64 // of β·φ in hist
	share float64             // the error over e

	strict float64 // what errors are multiplied by

	haveF0 bool
	after  int  // the order of the step after the accepted one
	wait   int  // steps before another order is considered
	fails  int  // refusals for the error in a row
	hold   int  // steps in which a step is not made shorter before it has to be
	still  int  // steps in which a step is not made longer
	down   bool // the order of the next step is lower than that of the last
	stay   int  // steps in which the order is not lowered
}

// MaxBDF is the highest order of backward differentiation formulas that there is.
const MaxBDF = 5

// bdfGamma is γ_k = Σ_{j≤k} 1/j, the leading coefficients.
var bdfGamma = [MaxBDF + 1]float64{0, 1, 3. / 2, 11. / 6, 25. / 12, 137. / 60}

func newBDF(m *method.BDF, s *Stepper) (*bdf, error) {
	if m.MaxOrder < 1 || m.MaxOrder > MaxBDF {
		return nil, fmt.Errorf("%s has orders 1 to %d, not %d", m.Name, MaxBDF, m.MaxOrder)
	}
	b := &bdf{m: m, s: s}
	nx := s.sys.NX
	flat := make([]float64, nx*(len(b.phi)+5))
	cut := func() []float64 {
		c := flat[:nx:nx]
		flat = flat[nx:]
		return c
	}
	for i := range b.phi {
		b.phi[i] = cut()
	}
	b.e, b.pred, b.hist, b.v, b.w = cut(), cut(), cut(), cut(), cut()
	if s.sys.Mass != nil && s.sys.Invariants != nil {
		b.raw = make([]float64, nx)
	}
	mat, err := newMatrixOf(s.sys, &s.stats, m.Linear)
	if err != nil {
		return nil, err
	}
	b.mat = mat
	if b.strict = bdfStrict; s.sys.Mass != nil {
		b.strict = bdfStrictDAE
	}
	b.it.init(s, mat)
	return b, nil
}

func (b *bdf) prepare() {
	b.mat.stats = &b.s.stats
	if b.s.p.Preconditioner != nil {
		b.mat.precondition(b.s.p.Preconditioner)
	}
	b.mat.prepare(b.s.th)
	b.s.stats.Linear = b.mat.kind
	b.it.forget()
}

func (b *bdf) restart() {
	b.steps, b.k, b.after, b.haveF0 = 0, 1, 1, false
	b.wait, b.fails = 2, 0
	b.down, b.stay, b.hold, b.still = false, 0, 0, 0
	b.it.forget()
}

// ready computes x' at a start, the only place where it is needed.
func (b *bdf) ready() bool {
	s := b.s
	if b.steps > 0 {
		return true
	}
	b.needF0()
	if !finite(s.k[0]) {
		s.status, s.badT = NonFinite, s.t
		copy(s.x1, s.x)
		return false
	}
	return true
}

func (b *bdf) needF0() {
	if !b.haveF0 {
		b.s.eval(b.s.k[0], b.s.t, b.s.x)
		b.haveF0 = true
	}
}

// begin makes the differences of a start for a step h: the point, and h·x' for another in the past.
func (b *bdf) begin(h float64) error {
	s := b.s
	b.needF0()
	if !finite(s.k[0]) {
		return errNotFinite
	}
	copy(b.phi[0], s.x)
	b.psi[1] = 0 // the start counts twice, with its derivative
	for j := 2; j < len(b.psi); j++ {
		b.psi[j] = h
	}
	if b.mat.mass == nil {
		for i, v := range s.k[0] {
			b.phi[1][i] = h * v
		}
		return nil
	}
	// With a mass matrix f is not x', and of algebraic states there is none: (M − cJ)·d = f + c·∂f/∂t gives both as c vanishes. What is left of algebraic
	// equations is divided by c and multiplied by h, so c must not be much smaller than h.
	b.it.weigh(b.w, s.x, s.x)
	c := h
	b.mat.jacobian(b.v, s.t, s.x)
	if !finite(b.mat.v) {
		s.badT = s.t
		copy(s.x1, s.x)
		return errNotFinite
	}
	b.it.forget()
	if err := b.mat.factor(c); err != nil {
		return err
	}
	for i, v := range s.k[0] {
		b.phi[1][i] = v + c*b.v[i]
	}
	if err := b.mat.solveNear(b.phi[1], c, s.t, s.x, b.w, 1e-3*b.it.norm(b.phi[1], b.w)); err != nil {
		return err
	}
	for i := range b.phi[1] {
		b.phi[1][i] *= h
	}
	return nil
}

// scale computes the coefficients of a step h of the order k.
func (b *bdf) scale(h float64) {
	k := b.k
	g := bdfGamma[k]
	b.next[1] = h
	b.beta[1] = 1
	alpha, sum := 1.0, 0.0 // α_j = h/ψ_j, and their sum
	for j := 1; j <= k+1; j++ {
		alpha = h / b.next[j]
		sum += alpha
		b.next[j+1] = b.psi[j] + h
		if b.beta[j+1] = b.beta[j] * b.next[j] / b.psi[j]; b.psi[j] == 0 {
			b.beta[j+1] = 1
		}
		b.coef[j+1] = sum / g // of φ_{j+1}, whose derivative at the new time is Σ_{i≤j} 1/ψ_i times itself
	}
	// What the solution leaves in the step's equation, over e; where steps vary it may vanish by chance, and is not trusted then.
	b.share = max(math.Abs(sum-g), alpha)
}

func (b *bdf) attempt() float64 {
	s := b.s
	h := s.h
	if b.steps == 0 {
		if err := b.begin(h); err != nil {
			return b.it.refused(err)
		}
	}
	b.scale(h)
	b.predict(b.k)
	b.it.weigh(b.w, s.x, b.pred)
	if err := b.it.solve(b, h/bdfGamma[b.k]); err != nil {
		s.stats.Failed++
		return b.it.refused(err)
	}
	copy(b.raw, s.x1)
	if !s.set.controlled {
		return 0
	}
	return b.strict * b.share * b.it.norm(b.e, b.w)
}

// predict computes P(t1) and hist.
func (b *bdf) predict(k int) {
	n := len(b.pred)
	pred, hist := b.pred, b.hist[:n]
	p0, p1 := b.phi[0][:n], b.phi[1][:n]
	b2, c2 := b.beta[2], b.beta[2]*b.coef[2]
	switch k {
	case 1:
		for i := range pred {
			v := p1[i]
			pred[i] = p0[i] + b2*v
			hist[i] = c2 * v
		}
	case 2:
		p2 := b.phi[2][:n]
		b3, c3 := b.beta[3], b.beta[3]*b.coef[3]
		for i := range pred {
			v, w := p1[i], p2[i]
			pred[i] = p0[i] + (b2*v + b3*w)
			hist[i] = c2*v + c3*w
		}
	case 3:
		p2, p3 := b.phi[2][:n], b.phi[3][:n]
		b3, c3 := b.beta[3], b.beta[3]*b.coef[3]
		b4, c4 := b.beta[4], b.beta[4]*b.coef[4]
		for i := range pred {
			v, w, x := p1[i], p2[i], p3[i]
			pred[i] = p0[i] + (b2*v + b3*w + b4*x)
			hist[i] = c2*v + c3*w + c4*x
		}
	case 4:
		p2, p3, p4 := b.phi[2][:n], b.phi[3][:n], b.phi[4][:n]
		b3, c3 := b.beta[3], b.beta[3]*b.coef[3]
		b4, c4 := b.beta[4], b.beta[4]*b.coef[4]
		b5, c5 := b.beta[5], b.beta[5]*b.coef[5]
		for i := range pred {
			v, w, x, y := p1[i], p2[i], p3[i], p4[i]
			pred[i] = p0[i] + (b2*v + b3*w + b4*x + b5*y)
			hist[i] = c2*v + c3*w + c4*x + c5*y
		}
	default:
		p2, p3, p4, p5 := b.phi[2][:n], b.phi[3][:n], b.phi[4][:n], b.phi[5][:n]
		b3, c3 := b.beta[3], b.beta[3]*b.coef[3]
		b4, c4 := b.beta[4], b.beta[4]*b.coef[4]
		b5, c5 := b.beta[5], b.beta[5]*b.coef[5]
		b6, c6 := b.beta[6], b.beta[6]*b.coef[6]
		for i := range pred {
			v, w, x, y, z := p1[i], p2[i], p3[i], p4[i], p5[i]
			pred[i] = p0[i] + (b2*v + b3*w + b4*x + b5*y + b6*z)
			hist[i] = c2*v + c3*w + c4*x + c5*y + c6*z
		}
	}
}

// residual writes c·f(t1, x1) − M·(e + hist) into r, with x1 = P + e; it is what Newton's iteration brings to zero.
func (b *bdf) residual(r []float64, c float64, first bool) {
	s := b.s
	n := len(r)
	x1, e, pred, hist := s.x1[:n], b.e[:n], b.pred[:n], b.hist[:n]
	if first {
		clear(e)
		copy(x1, pred)
	} else {
		for i := range x1 {
			x1[i] = pred[i] + e[i]
		}
	}
	s.eval(r, s.t1, x1)
	switch {
	case b.mat.mass != nil:
		for i := range r {
			r[i] *= c
			b.v[i] = -(e[i] + hist[i])
		}
		b.mat.addMass(r, b.v)
	case first:
		for i := range r {
			r[i] = c*r[i] - hist[i]
		}
	default:
		for i := range r {
			r[i] = c*r[i] - (e[i] + hist[i])
		}
	}
}

// moved is e, after a projection onto the system's invariants or algebraic equations that of the state it led to.
func (b *bdf) moved() []float64 {
	if (b.s.onto != nil || b.s.adjusted || b.s.p.Project != nil) && !b.s.isCut {
		for i, v := range b.s.x1 {
			b.e[i] = v - b.pred[i]
		}
	}
	return b.e
}

// commit makes the accepted step the past: φ_{k+2} = e, and downwards from there φ_j = β_j·φ_j + φ_{j+1}; φ_{k+3}, by which a higher order is judged, upwards.
func (b *bdf) commit() {
	s := b.s
	k, e := b.k, b.moved()
	top, below, f := b.phi[k+2][:len(e)], b.phi[k+1][:len(e)], b.beta[k+2]
	for i, v := range e {
		top[i] = v - f*below[i]
		below[i] = v
	}
	for j := k; j >= 1; j-- {
		lo, hi, f := b.phi[j][:len(e)], b.phi[j+1][:len(e)], b.beta[j+1]
		for i, v := range hi {
			lo[i] = f*lo[i] + v
		}
	}
	copy(b.phi[0], s.x)
	for j := len(b.psi) - 1; j >= 2; j-- {
		b.psi[j] = b.psi[j-1] + b.next[1]
	}
	b.psi[1] = b.next[1]
	b.steps++
	if !s.set.controlled {
		b.after = b.prescribed()
	}
	b.down = b.after < k
	b.k = b.after
}

func (b *bdf) errors() {
	for i, v := range b.e {
		b.s.e[i] = b.strict * b.share * v
	}
}

func (b *bdf) keep(m *mark) {
	held(m, b)
	m.vectors(b.phi[:]...)
	m.vectors(b.e, b.pred, b.raw)
	b.mat.keep(m)
}

// spectral bounds the moduli of J's eigenvalues.
func (b *bdf) spectral() float64 {
	if !b.it.have {
		return math.Inf(1)
	}
	if b.it.norm1 < 0 {
		b.it.norm1 = b.mat.norm()
	}
	return b.it.norm1
}
