package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// adams steps Adams–Bashforth–Moulton methods of variable order and step in PECE mode, on modified divided differences. With ψ_i the span of the last i steps, this one
// included, ψ_i(n) that before it,
//
//	φ_i = ψ_1(n) … ψ_{i−1}(n) f[t_n, …, t_{n−i+1}],  φ*_i = β_i φ_i,  β_i = Π_{j<i} ψ_j/ψ_j(n),
//	predict  p = x + h Σ_{i≤k} g_i φ*_i,  evaluate f(p),  δ = f(p) − Σ_{i≤k} φ*_i,  correct  x1 = p + h g_{k+1} δ,  evaluate f(x1),
//
// the error of order k is h (g_{k+1} − g_k) δ. The choices of order and step are the book's: orders and steps are raised together from the start, with steps doubled,
// until an error says otherwise; then a step is halved or doubled or kept, for the sake of orders being raised only after steps of one length.
//
// L. F. Shampine, M. K. Gordon, Computer Solution of Ordinary Differential Equations: The Initial Value Problem, Freeman 1975, chapters 5 to 7, 9 and 10.
//
// Within a step the state is x plus the integral of the polynomial that the corrector integrates, so it is of the corrector's order and meets both ends.
type adams struct {
	adamsReader
	m *method.Adams
	s *Stepper

	k, tried   int         // order of the next step, of the last attempt
	phi        [][]float64 // φ_1 … of the past that ends at (t, x)
	psi        []float64   // ψ_1(n) … of that past
	now, sigma []float64   // of the last attempt: ψ_i, σ_i = (i−1)! Π_{j<i} h/ψ_j
	g          []float64
	row        []float64 // of the last attempt, as a step is remembered
	fp         []float64 // f at the predicted state, then, with ended, at the new one
	sum        []float64 // Σ φ*_i

	begun, fresh bool // there is a past; it includes f at (t, x)
	ended        bool
	starting     bool // orders and steps are raised together
	anew         bool // the last step ended at a kink, behind which the past is of no use
	same         int  // so many steps were of one length
	fails        int
	lower        bool    // the errors of the last attempt speak for a lower order
	erk, erkm1   float64 // scaled errors of the last attempt, for equal steps, at its order and at that below
	h            float64 // the last step
}

// adamsReader interpolates a step from what it is remembered by: the order k, then α_i = h/ψ_i and ψ_{i−1}(n)/h for i = 1 … MaxOrder, then φ*_1 … φ*_k, δ.
type adamsReader struct{ most int }

// adamsCare multiplies the errors. The book measures them by the Euclidean norm, not by the root mean square over the states, and errors of many small steps of one
// sign pile up; with four, global errors are about those of Runge–Kutta methods at the same tolerance, for a tenth more evaluations.
const adamsCare = 4

// adamsMost is room for all orders.
const adamsMost = 16

func newAdams(m *method.Adams, s *Stepper) *adams {
	nx, most := s.sys.NX, m.MaxOrder
	a := &adams{adamsReader: adamsReader{most}, m: m, s: s}
	buf := make([]float64, (most+2)*nx+2*nx+a.width()+4*(most+3))
	cut := func(n int) []float64 {
		c := buf[:n:n]
		buf = buf[n:]
		return c
	}
	for range most + 2 {
		a.phi = append(a.phi, cut(nx))
	}
	a.fp, a.sum, a.row = cut(nx), cut(nx), cut(a.width())
	a.psi, a.now, a.sigma, a.g = cut(most+3), cut(most+3), cut(most+3), cut(most+3)
	return a
}

// head is where the differences begin in a row.
func (r adamsReader) head() int { return 1 + 2*r.most }

// star is φ*_{i+1} in a row, and δ for i = k.
func (r adamsReader) star(row []float64, nx, i int) []float64 {
	return row[r.head()+i*nx : r.head()+(i+1)*nx]
}

func (a *adams) prepare() {}

func (a *adams) restart() {
	a.begun, a.fresh, a.anew = false, false, false
	a.k, a.tried = 1, 1
}

func (a *adams) ready() bool {
	s := a.s
	if a.anew && s.set.controlled {
		a.restart()
		s.next = 0
	}
	if a.begun && a.fresh {
		return true
	}
	if a.begun && a.ended {
		copy(s.k[0], a.fp)
	} else {
		s.eval(s.k[0], s.t, s.x)
	}
	if !finite(s.k[0]) {
		s.status, s.badT = NonFinite, s.t
		copy(s.x1, s.x)
		return false
	}
	if a.begun {
		a.update()
		a.order()
	} else {
		copy(a.phi[0], s.k[0])
		a.k, a.same, a.h = 1, 0, 0
		a.starting, a.begun = true, true
	}
	a.fresh, a.fails = true, 0
	return true
}

// update makes f at the end of the accepted step part of the past.
func (a *adams) update() {
	nx, k := a.s.sys.NX, a.tried
	top, more, next := a.phi[k], a.phi[k+1], a.sum
	for i, f := range a.s.k[0] {
		d := f - next[i]
		more[i] = d - top[i] // where the steps were of one length
		top[i] = d
		next[i] = 0
	}
	for j := k - 1; j >= 0; j-- {
		star, phi := a.star(a.row, nx, j), a.phi[j]
		for i, v := range star {
			next[i] += v
			phi[i] = next[i] + top[i]
		}
	}
}

// order chooses order and length of the step after one of order k that was accepted.
func (a *adams) order() {
	s, k := a.s, a.tried
	erk := a.erk
	if a.lower || k == a.most {
		a.starting = false
	}
	switch {
	case a.starting:
		a.k = k + 1
		if s.set.controlled {
			s.next = max(s.next, 2*math.Abs(a.h))
		}
		return
	case a.lower:
		a.k, erk = k-1, a.erkm1
	case a.same > k && k < a.most:
		up := a.constant(k+1) * s.norm(a.phi[k+1], s.x, s.x)
		switch {
		case k > 1 && a.erkm1 <= min(erk, up):
			a.k, erk = k-1, a.erkm1
		case k == 1 && up < 0.5*erk || k > 1 && up < erk:
			a.k, erk = k+1, up
		}
	}
	if !s.set.controlled {
		return
	}
	f := 1.0
	switch p := float64(a.k + 1); {
	case erk*math.Exp2(p) <= 0.5:
		f = 2
	case erk > 0.5:
		f = min(max(math.Pow(0.5/erk, 1/p), 0.5), 0.9)
	}
	s.next = f * math.Abs(a.h)
}

// constant is what a difference of order k counts in the error of the method of order k with equal steps.
func (a *adams) constant(k int) float64 { return adamsCare * math.Abs(a.h*a.m.GammaStar[k]) }

func (a *adams) attempt() float64 {
	s, k, h := a.s, a.k, a.s.h
	nx := s.sys.NX
	a.tried, a.ended = k, false
	row := a.row
	row[0] = float64(k)
	alpha, offset := row[1:1+a.most], row[1+a.most:1+2*a.most]
	beta, before := 1.0, 0.0
	a.sigma[0] = 1
	for i := range k {
		offset[i] = before / h
		a.now[i] = before + h
		before = a.psi[i]
		alpha[i] = h / a.now[i]
		a.sigma[i+1] = float64(i+1) * alpha[i] * a.sigma[i]
		star := a.star(row, nx, i)
		for n, v := range a.phi[i] {
			star[n] = beta * v
		}
		beta *= a.now[i] / a.psi[i]
	}
	a.integrals(1, k, row, a.g)
	copy(s.tmp, s.x)
	clear(a.sum)
	for i := k - 1; i >= 0; i-- {
		star := a.star(row, nx, i)
		add(s.tmp, h*a.g[i], star)
		add(a.sum, 1, star)
	}
	s.eval(a.fp, s.t1, s.tmp)
	delta := a.star(row, nx, k)
	for i, f := range a.fp {
		delta[i] = f - a.sum[i]
		s.x1[i] = s.tmp[i] + h*a.g[k]*delta[i]
	}
	if !finite(s.x1) {
		return math.NaN()
	}
	// The errors of orders k and below.
	a.h = h
	size := s.norm(delta, s.x, s.x1)
	a.erk = a.constant(k) * a.sigma[k] * size
	a.erkm1, a.lower = 0, false
	if k > 1 {
		add(delta, 1, a.star(row, nx, k-1))
		a.erkm1 = a.constant(k-1) * a.sigma[k-1] * s.norm(delta, s.x, s.x1)
		low := a.erkm1
		if k > 2 {
			add(delta, 1, a.star(row, nx, k-2))
			low = max(low, a.constant(k-2)*a.sigma[k-2]*s.norm(delta, s.x, s.x1))
		}
		a.lower = k == 2 && low <= 0.5*a.erk || k > 2 && low <= a.erk
		for i, f := range a.fp {
			delta[i] = f - a.sum[i]
		}
	}
	err := 0.0
	if s.set.controlled {
		err = adamsCare * math.Abs(h*(a.g[k]-a.g[k-1])) * size
	}
	if err <= 1 { // a step to where f is not defined must be found out while it can be refused
		s.eval(a.fp, s.t1, s.x1)
		a.ended = true
		if !finite(a.fp) {
			return math.NaN()
		}
	}
	return err
}

// integrals writes g_i(θ) = ∫_0^θ Π_{j<i} (s + ψ_{j−1}(n)/h)·h/ψ_j ds for i = 1 … k+1, by repeated integration.
func (r adamsReader) integrals(theta float64, k int, row, g []float64) {
	alpha, offset := row[1:1+r.most], row[1+r.most:1+2*r.most]
	var w [adamsMost]float64 // of one i, integrated q times, times (q−1)!
	p := 1.0
	for q := 1; q <= k+1; q++ {
		p *= theta
		w[q] = p / float64(q)
	}
	g[0] = w[1]
	for i := 1; i <= k; i++ {
		for q := 1; q <= k+1-i; q++ {
			w[q] = alpha[i-1] * ((theta+offset[i-1])*w[q] - w[q+1])
		}
		g[i] = w[1]
	}
}

func (a *adams) accept(float64) float64 { return 1 } // ready chooses, when the second evaluation is at hand

func (a *adams) refuse(err float64) float64 {
	a.starting = false
	if math.IsNaN(err) || math.IsInf(err, 0) {
		a.k = 1
		return method.BadCut
	}
	if a.lower {
		a.k = a.tried - 1
	}
	// After the third refusal the past is no help.
	if a.fails++; a.fails >= 3 {
		a.k = 1
		return min(0.5, math.Sqrt(0.5/max(a.erk, 1e-300)))
	}
	return 0.5
}

func (a *adams) errors() {
	s, k := a.s, a.tried
	delta := a.star(a.row, s.sys.NX, k)
	for i, v := range delta {
		s.e[i] = s.h * (a.g[k] - a.g[k-1]) * v
	}
}

func (a *adams) commit() {
	s := a.s
	// Times are sums, so steps meant to be equal are so but for rounding.
	if math.Abs(s.h-a.psi[0]) <= 1e-6*math.Abs(s.h) && a.same > 0 {
		a.same++
	} else {
		a.same = 1
	}
	a.h = s.h
	// Spans beyond the order are those of the past all the same.
	for i := a.most + 1; i > 0; i-- {
		a.psi[i] = a.psi[i-1] + s.h
	}
	a.psi[0] = s.h
	a.fresh = false
	a.anew = s.kinks.want != 0
}

func (a *adams) width() int { return a.head() + (a.most+1)*a.s.sys.NX }

func (a *adams) save(row []float64) { copy(row, a.row[:a.head()+(a.tried+1)*a.s.sys.NX]) }

func (a *adams) keep(m *mark) {
	held(m, a)
	m.vectors(a.phi...)
	m.vectors(a.psi, a.now, a.sigma, a.g, a.row, a.fp, a.sum)
}

func (a *adams) reader() reader { return a.adamsReader }

func (a *adams) interpolate(theta float64, out []float64) {
	a.at(theta, out, a.s.x, a.s.h, a.row)
}

func (r adamsReader) dense(st *StepRecord, theta float64, out []float64) {
	r.at(theta, out, st.X, st.H, st.K)
}

func (r adamsReader) at(theta float64, out, x []float64, h float64, row []float64) {
	var g [adamsMost]float64
	k := int(row[0])
	r.integrals(theta, k, row, g[:])
	copy(out, x)
	for i := k; i >= 0; i-- {
		add(out, h*g[i], r.star(row, len(out), i))
	}
}

// MaxAdams is room for what depends on the order of an Adams method.
const MaxAdams = adamsMost

// AdamsStep reads a step of an Adams method of an Order k, as the Stepper made it, for who differentiates it: with φ_i the modified differences of f before it and δ
// what the predicted state adds,
//
//	p = x + h Σ_{i<k} g_i φ_i,  δ = f(t1, p) − Σ_{i<k} φ_i,  x(t + θh) = x + h Σ_{i<k} g_i(θ) φ_i + h g_k(θ) δ,
//
// g being g(1), i counted from 0.
type AdamsStep struct {
	Order int
	st    *StepRecord
	r     adamsReader
}

// AdamsStepOf reads a step of the method.
func AdamsStepOf(m *method.Adams, st *StepRecord) AdamsStep {
	return AdamsStep{Order: int(st.K[0]), st: st, r: adamsReader{m.MaxOrder}}
}

// Weights writes g_0(θ) … g_k(θ).
func (a AdamsStep) Weights(theta float64, g *[MaxAdams]float64) {
	a.r.integrals(theta, a.Order, a.st.K, g[:])
}

// Term is φ_i, and δ for i = k. Read only.
func (a AdamsStep) Term(i int) []float64 { return a.r.star(a.st.K, len(a.st.X), i) }

// Past writes the weights by which φ_i is made of f at the start of the step, at that of the step before it, and so on: w_0 … w_i.
func (a AdamsStep) Past(i int, w *[MaxAdams]float64) {
	alpha, offset := a.st.K[1:1+a.r.most], a.st.K[1+a.r.most:1+2*a.r.most]
	scale := 1.0
	for j := range i {
		scale /= alpha[j]
	}
	for j := range i + 1 {
		w[j] = scale
		for l := range i + 1 {
			if l != j {
				w[j] /= offset[l] - offset[j]
			}
		}
	}
}
