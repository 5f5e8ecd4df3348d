package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// radau steps Radau IIA methods, of one order or of several by turns. The increments Z_i = X_i − x of all stages are solved for at once, in the variables W = T⁻¹Z in which the simplified Newton
// iteration falls apart into one real and some complex systems. It serves M·x' = f with singular M of index 1 as it stands. The stages' polynomial is the dense
// output, and beyond the step it is where the next one's iteration begins.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.8; E. Hairer, G. Wanner, Stiff differential equations
// solved by Radau methods, Journal of Computational and Applied Mathematics 111 (1999), 93–111, whose measure of errors is taken: the estimate is of order s where
// the method is of order 2s − 1, so that a tolerance for the latter is one of 0.1·rtol^((s+1)/(2s)) for the former.
//
// More stages pay where Newton's method converges fast, which is at small steps, that is at stringent tolerances: the order rises after some steps in which it does,
// and falls where it does not converge or hardly (the second paper, section 4).
//
// The step-size control is predictive: K. Gustafsson, Control-theoretic techniques for stepsize selection in implicit Runge–Kutta methods, ACM Transactions on
// Mathematical Software 20 (1994), 496–517.
type radau struct {
	*radauScheme // of the step at hand
	radauFamily
	level int // of the family
	since int // steps since it changed
	s     *Stepper
	nw    *newton
	pairs []*pair

	z, w, f  [][]float64 // increments, these transformed, and f at the stages
	d        [][]float64 // corrections of w
	zflat    []float64
	zold     []float64    // the increments of the step before, one after the other
	old      *radauScheme // which made it
	made     *radauScheme // that made the step which lies ready
	hold     float64      // its length; 0: there is none to start from
	f0       []float64    // f(t, x)
	tmp      []float64
	weights  []float64 // scratch
	all      []int     // 0, 1, …
	factored float64   // h of the factors at hand; 0: none
	haveF0   bool
	first    bool    // no step was accepted since the start
	share    float64 // the tolerance of the estimate over that of the solution

	hacc, erracc float64 // of the last accepted step
}

// radauFamily are the methods that make the steps, by their number of stages. It is immutable and may be shared.
type radauFamily []*radauScheme

// radauScheme is one method with its interpolation. It is immutable and may be shared.
type radauScheme struct {
	tab    *method.RadauTableau
	scale  []float64 // 1/(c_i Π (c_i − c_j))
	probes []probe
}

func newRadau(m *method.Radau, s *Stepper) (*radau, error) {
	r := &radau{s: s}
	for _, stages := range m.Stages {
		if r.radauFamily = append(r.radauFamily, newRadauScheme(m.Tableau(2*stages-1))); !m.Varies {
			break
		}
	}
	var err error
	if r.nw, err = newNewton(s); err != nil {
		return nil, err
	}
	most, nx := r.most(), s.sys.NX
	if r.pairs, err = newPairs(r.nw.mat, most/2); err != nil {
		return nil, err
	}
	r.zflat, r.z = rowsOf(most, nx)
	_, r.w = rowsOf(most, nx)
	_, r.f = rowsOf(most, nx)
	r.zold = make([]float64, most*nx)
	r.f0, r.tmp = make([]float64, nx), make([]float64, nx)
	_, r.d = rowsOf(most, nx)
	r.weights = make([]float64, most)
	for i := range most {
		r.all = append(r.all, i)
	}
	return r, nil
}

func newRadauScheme(tab *method.RadauTableau) *radauScheme {
	c := &radauScheme{tab: tab}
	for i, ci := range tab.C {
		p := 1 / ci
		for j, cj := range tab.C {
			if j != i {
				p /= ci - cj
			}
		}
		c.scale = append(c.scale, p)
	}
	for _, i := range []int{tab.Stages / 2, tab.Stages - 1} { // two, since a driver may by accident meet the polynomial at one
		c.probes = append(c.probes, c.probe((tab.C[i-1]+tab.C[i])/2))
	}
	return c
}

// probe is one at θ = at.
func (c *radauScheme) probe(at float64) probe {
	p := probe{at: at}
	for i, scale := range c.scale {
		w := scale * at
		sum := 1 / at
		for j, cj := range c.tab.C {
			if j != i {
				w *= at - cj
				sum += 1 / (at - cj)
			}
		}
		p.w, p.d = append(p.w, w), append(p.d, w*sum)
	}
	return p
}

// most is the largest number of stages.
func (f radauFamily) most() int { return f[len(f)-1].tab.Stages }

// Iterations that a step may take: 7, 12, 17 for 3, 5, 7 stages.
func (c *radauScheme) iterations() int { return 7 + (c.tab.Stages-3)*5/2 }

const (
	radauGrow   = 8.0 // the strongest growth after a step
	radauFirst  = 0.1 // after a first step that was refused
	radauRecall = 1e-2
	fastRate    = 2e-3 // Newton's rate up to which the order may rise
	slowRate    = 0.8  // and from which it falls
	settled     = 10   // steps before it rises again
	radauShare  = 10.0 // the estimate's tolerance at most, in those of the solution: about what the dense output errs by within steps
)

func (r *radau) prepare() {
	r.take(0)
	r.nw.prepare(r.iterations(), r.share)
	for _, p := range r.pairs {
		p.pivots.chosen = false
	}
}

// take makes the steps from here on by another method of the family.
func (r *radau) take(level int) {
	r.level, r.since = level, 0
	r.radauScheme = r.radauFamily[level]
	s := float64(r.tab.Stages)
	r.share = 1
	if r.s.set.controlled {
		r.share = min(0.1*math.Pow(r.s.set.rtol, (s+1)/(2*s)-1), radauShare)
	}
	r.nw.tune(r.iterations(), r.share)
	r.factored, r.hacc = 0, 0
}

// vary changes the order for the next step, which is to be f times as long as this one.
func (r *radau) vary(f float64) {
	r.since++
	switch {
	case r.level > 0 && r.nw.worst >= slowRate:
		r.take(r.level - 1)
	case r.level+1 < len(r.radauFamily) && r.since >= settled && r.nw.worst <= fastRate && f > 0.8 && f < 1.2:
		r.take(r.level + 1)
	}
}

func (r *radau) restart() {
	r.nw.restart()
	r.take(0)
	r.factored, r.hold, r.haveF0, r.first = 0, 0, false, true
	r.hacc, r.erracc = 0, 1
}

func (r *radau) ready() bool {
	s := r.s
	if r.haveF0 {
		return true
	}
	s.eval(r.f0, s.t, s.x)
	copy(s.k[0], r.f0)
	if !finite(r.f0) {
		s.status, s.badT = NonFinite, s.t
		copy(s.x1, s.x)
		return false
	}
	r.haveF0 = true
	return true
}

func (r *radau) attempt() float64 {
	s, nw := r.s, r.nw
	nw.begin()
	for {
		anew, ok := nw.jacobian()
		if !ok {
			s.badT = s.t
			copy(s.x1, s.x)
			return math.NaN()
		}
		if anew || math.Abs(s.h-r.factored) > sameCoef*math.Abs(s.h) {
			if err := r.factor(); err != nil {
				s.why = err.Error()
				return math.Inf(1)
			}
		}
		v := r.solve()
		if v == converged {
			break
		}
		if !nw.renew() {
			return nw.failed(v)
		}
	}
	r.made = r.radauScheme
	last := r.z[r.tab.Stages-1]
	for i, v := range last {
		s.x1[i] = s.x[i] + v
	}
	if !s.set.controlled {
		return 0
	}
	err := r.estimate()
	if err <= 1 {
		err = max(err, r.inside())
	}
	return err
}

// inside is the scaled error of the stages' polynomial between the stages. Of stiff components the estimate sees nothing there: what follows a driver at h|λ| ≫ 1 is right
// at every stage, however little of the driver the polynomial through them shows.
func (r *radau) inside() float64 {
	worst := 0.0
	for _, p := range r.probes {
		worst = max(worst, r.s.defect(p, 1, r.z[:r.tab.Stages], r.s.h/r.tab.Gamma, r.nw.mat, r.s.e))
	}
	return worst
}

// factor factors all matrices for the step.
func (r *radau) factor() error {
	h := r.s.h
	r.factored = 0
	if err := r.nw.mat.factor(h / r.tab.Gamma); err != nil {
		return err
	}
	for k, p := range r.pairs[:len(r.tab.Alpha)] {
		a, b := r.tab.Alpha[k], r.tab.Beta[k]
		n := a*a + b*b
		if err := p.factor(h*a/n, -h*b/n); err != nil { // h/(α + iβ)
			return err
		}
	}
	r.factored = h
	return nil
}

// solve solves for the stages, from where the polynomial of the step before leads.
func (r *radau) solve() verdict {
	s, nw, tab := r.s, r.nw, r.tab
	f, d := r.f[:tab.Stages], r.d[:tab.Stages]
	if r.hold == 0 {
		clear(r.zflat)
		for i := range r.w { // all, those of higher orders too
			clear(r.w[i])
		}
	} else {
		nx := len(s.x)
		end := r.zold[(r.old.tab.Stages-1)*nx:][:nx]
		for i, c := range tab.C {
			z := r.z[i]
			for n, v := range end {
				z[n] = -v
			}
			r.old.add(1+c*s.h/r.hold, z, r.zold, r.weights[:r.old.tab.Stages])
		}
		r.transform(r.w, tab.TInv, r.z[:tab.Stages])
	}
	nw.solving()
	for {
		for i, c := range tab.C {
			t := s.stageTime(c)
			for n, v := range r.z[i] {
				r.tmp[n] = s.x[n] + v
			}
			s.eval(f[i], t, r.tmp)
			if !finite(f[i]) {
				nw.iter++
				s.stats.Newton++
				s.badT = t
				copy(s.x1, r.tmp)
				return nonFinite
			}
		}
		r.transform(d, tab.TInv, f)
		r.correct()
		sum := 0.0
		for _, c := range d {
			v := nw.norm(c)
			sum += v * v
		}
		v := nw.next(math.Sqrt(sum / float64(tab.Stages)))
		if v == nonFinite || v == diverged {
			nw.blame(d[0])
			s.badT = s.t1
			return v
		}
		for i, c := range d {
			add(r.w[i], 1, c)
		}
		r.transform(r.z, tab.T, r.w[:tab.Stages])
		if v == converged {
			return v
		}
	}
}

// transform writes the combinations out_i = Σ_j a_ij in_j of stages; out must not be in.
func (r *radau) transform(out [][]float64, a [][]float64, in [][]float64) {
	for i, row := range a {
		combine(out[i], r.s.zero, 1, row, r.all[:len(row)], in)
	}
}

// correct turns d, f transformed, into the corrections of W: with c = h/γ, (M − cJ) ΔW = c·d − M·W, and the same with complex c for each pair.
func (r *radau) correct() {
	tab, h := r.tab, r.s.h
	c := h / tab.Gamma
	for n := range r.d[0] {
		r.d[0][n] *= c
	}
	r.lessMass(r.d[0], r.w[0])
	r.nw.mat.solve(r.d[0])
	for k, p := range r.pairs[:len(r.tab.Alpha)] {
		a, b := tab.Alpha[k], tab.Beta[k]
		re, im := h*a/(a*a+b*b), -h*b/(a*a+b*b)
		f, g := r.d[2*k+1], r.d[2*k+2]
		for n, v := range f {
			f[n], g[n] = re*v-im*g[n], re*g[n]+im*v
		}
		r.lessMass(f, r.w[2*k+1])
		r.lessMass(g, r.w[2*k+2])
		p.solve(f, g)
	}
}

// lessMass subtracts M·x from y.
func (r *radau) lessMass(y, x []float64) {
	if r.s.sys.Mass == nil {
		for n, v := range x {
			y[n] -= v
		}
		return
	}
	for n, v := range x {
		r.tmp[n] = -v
	}
	r.nw.mat.addMass(y, r.tmp)
}

// estimate is the scaled error of the step that was solved; in a first step and after a refused one the estimate is filtered once more, which makes it small for
// stiff components.
func (r *radau) estimate() float64 {
	s, tab := r.s, r.tab
	c := s.h / tab.Gamma
	e, sum := s.e, s.tmp
	clear(sum)
	for i, w := range tab.E {
		add(sum, w/s.h, r.z[i])
	}
	load := func(f []float64) float64 {
		copy(e, f)
		r.nw.mat.addMass(e, sum)
		for n := range e {
			e[n] *= c
		}
		r.nw.mat.solve(e)
		return s.norm(e, s.x, s.x1) / r.share
	}
	err := load(r.f0)
	if err >= 1 && (r.first || s.rejected) {
		for n, v := range e {
			r.tmp[n] = s.x[n] + v
		}
		s.eval(r.f[0], s.t, r.tmp)
		if again := load(r.f[0]); !math.IsNaN(again) {
			return again
		}
		return load(r.f0)
	}
	return err
}

func (r *radau) errors() {} // they are there already

// factor from the error alone, smaller after many iterations.
func (r *radau) plain(err float64) float64 {
	m := float64(r.iterations())
	safe := method.Safety * min(1, (1+2*m)/(float64(r.nw.iter)+2*m))
	f := safe * math.Pow(max(err, 1e-10), -1/float64(r.tab.Stages+1))
	return min(max(f, method.Shrink), radauGrow)
}

func (r *radau) accept(err float64) float64 {
	f := r.plain(err)
	h := math.Abs(r.s.h)
	if r.hacc != 0 {
		g := method.Safety * (h / r.hacc) * math.Pow(r.erracc/max(err*err, 1e-20), 1/float64(r.tab.Stages+1))
		f = min(f, max(g, method.Shrink))
	}
	r.hacc, r.erracc = h, max(radauRecall, err)
	f = r.s.calm(f)
	g := r.nw.steady(f)
	if len(r.radauFamily) > 1 {
		r.vary(f)
	}
	return g
}

func (r *radau) refuse(err float64) float64 {
	if f, ok := r.nw.refuse(err); ok {
		if r.level > 0 { // Newton's method is in trouble
			r.take(r.level - 1)
		}
		return f
	}
	if r.first {
		return radauFirst
	}
	return min(r.plain(err), 0.95)
}

func (r *radau) commit() {
	r.nw.commit()
	copy(r.zold, r.zflat)
	r.hold, r.old = r.s.h, r.made
	r.haveF0, r.first = false, false
}

// width: the increments, and where the order varies the number of stages.
func (r *radau) width() int { return r.most()*r.s.sys.NX + len(r.radauFamily) - 1 }

func (r *radau) save(row []float64) {
	n := copy(row, r.zflat)
	if len(r.radauFamily) > 1 {
		row[n] = float64(r.made.tab.Stages)
	}
}

func (r *radau) keep(m *mark) {
	held(m, r)
	r.nw.keep(m)
	for _, p := range r.pairs {
		p.keep(m)
	}
	m.vectors(r.zflat, r.zold, r.f0)
	m.vectors(r.w...)
}

func (r *radau) reader() reader { return r.radauFamily }

func (r *radau) interpolate(theta float64, out []float64) {
	copy(out, r.s.x)
	r.made.add(theta, out, r.zflat, r.weights[:r.made.tab.Stages])
}

func (f radauFamily) dense(st *StepRecord, theta float64, out []float64) {
	var w [8]float64
	c := f[0]
	if len(f) > 1 {
		c = f[(int(st.K[f.most()*len(out)])-f[0].tab.Stages)/2]
	}
	copy(out, st.X)
	c.add(theta, out, st.K, w[:c.tab.Stages])
}

// add adds Σ w_i(θ) Z_i, the Z one after the other: the polynomial through 0 at 0 and Z_i at c_i.
func (c *radauScheme) add(theta float64, out, z, w []float64) {
	nx := len(out)
	for i := range w {
		v := c.scale[i] * theta
		for j, cj := range c.tab.C {
			if j != i {
				v *= theta - cj
			}
		}
		add(out, v, z[i*nx:(i+1)*nx])
	}
}
