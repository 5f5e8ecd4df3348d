package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// radau steps Radau IIA methods. The increments Z_i = X_i − x of all stages are solved for at once, in the variables W = T⁻¹Z in which the simplified Newton
// iteration falls apart into one real and some complex systems. It serves M·x' = f with singular M of index 1 as it stands. The stages' polynomial is the dense
// output, and beyond the step it is where the next one's iteration begins.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.8; E. Hairer, G. Wanner, Stiff differential equations
// solved by Radau methods, Journal of Computational and Applied Mathematics 111 (1999), 93–111, whose measure of errors is taken: the estimate is of order s where
// the method is of order 2s − 1, so that a tolerance for the latter is one of 0.1·rtol^((s+1)/(2s)) for the former.
//
// The step-size control is predictive: K. Gustafsson, Control-theoretic techniques for stepsize selection in implicit Runge–Kutta methods, ACM Transactions on
// Mathematical Software 20 (1994), 496–517.
type radau struct {
	*radauScheme
	s     *Stepper
	nw    *newton
	pairs []*pair

	z, w, f  [][]float64 // increments, these transformed, and f at the stages, or what becomes of it
	zflat    []float64
	zold     []float64 // the increments of the step before, one after the other
	hold     float64   // its length; 0: there is none to start from
	f0       []float64 // f(t, x)
	tmp      []float64
	weights  []float64 // scratch
	stage    []float64 // a component of all stages
	factored float64   // h of the factors at hand; 0: none
	haveF0   bool
	first    bool    // no step was accepted since the start
	share    float64 // the tolerance of the estimate over that of the solution

	hacc, erracc float64 // of the last accepted step
}

// radauScheme is one method with its interpolation. It is immutable and may be shared.
type radauScheme struct {
	tab   *method.RadauTableau
	scale []float64 // 1/(c_i Π (c_i − c_j))
}

func newRadau(m *method.Radau, s *Stepper) (*radau, error) {
	tab := m.Tableau(m.Info().Order)
	r := &radau{radauScheme: &radauScheme{tab: tab}, s: s}
	for i, ci := range tab.C {
		p := 1 / ci
		for j, cj := range tab.C {
			if j != i {
				p /= ci - cj
			}
		}
		r.scale = append(r.scale, p)
	}
	var err error
	if r.nw, err = newNewton(s); err != nil {
		return nil, err
	}
	if r.pairs, err = newPairs(r.nw.mat, len(tab.Alpha)); err != nil {
		return nil, err
	}
	nx := s.sys.NX
	r.zflat, r.z = rowsOf(tab.Stages, nx)
	_, r.w = rowsOf(tab.Stages, nx)
	_, r.f = rowsOf(tab.Stages, nx)
	r.zold = make([]float64, tab.Stages*nx)
	r.f0, r.tmp = make([]float64, nx), make([]float64, nx)
	r.weights, r.stage = make([]float64, tab.Stages), make([]float64, tab.Stages)
	return r, nil
}

// Iterations that a step may take: 7, 12, 17 for 3, 5, 7 stages.
func (r *radau) iterations() int { return 7 + (r.tab.Stages-3)*5/2 }

const (
	radauGrow   = 8.0 // the strongest growth after a step
	radauFirst  = 0.1 // after a first step that was refused
	radauRecall = 1e-2
	radauShare  = 10.0 // the estimate's tolerance at most, in those of the solution: about what the dense output errs by within steps
)

func (r *radau) prepare() {
	s := float64(r.tab.Stages)
	r.share = 1
	if r.s.set.controlled {
		r.share = min(0.1*math.Pow(r.s.set.rtol, (s+1)/(2*s)-1), radauShare)
	}
	r.nw.prepare(r.iterations(), r.share)
	for _, p := range r.pairs {
		p.chosen = false
	}
}

func (r *radau) restart() {
	r.nw.restart()
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
	last := r.z[r.tab.Stages-1]
	for i, v := range last {
		s.x1[i] = s.x[i] + v
	}
	if !s.set.controlled {
		return 0
	}
	return r.estimate()
}

// factor factors all matrices for the step.
func (r *radau) factor() error {
	h := r.s.h
	r.factored = 0
	if err := r.nw.mat.factor(h / r.tab.Gamma); err != nil {
		return err
	}
	for k, p := range r.pairs {
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
	if r.hold == 0 {
		clear(r.zflat)
		for i := range r.w {
			clear(r.w[i])
		}
	} else {
		nx := len(s.x)
		end := r.zold[(tab.Stages-1)*nx:]
		for i, c := range tab.C {
			z := r.z[i]
			for n, v := range end {
				z[n] = -v
			}
			r.add(1+c*s.h/r.hold, z, r.zold, r.weights)
		}
		r.transform(r.w, tab.TInv, r.z)
	}
	nw.solving()
	for {
		for i, c := range tab.C {
			t := s.stageTime(c)
			for n, v := range r.z[i] {
				r.tmp[n] = s.x[n] + v
			}
			s.eval(r.f[i], t, r.tmp)
			if !finite(r.f[i]) {
				nw.iter++
				s.stats.Newton++
				s.badT = t
				copy(s.x1, r.tmp)
				return nonFinite
			}
		}
		r.transform(r.f, tab.TInv, r.f)
		r.correct()
		sum := 0.0
		for _, d := range r.f {
			v := nw.norm(d)
			sum += v * v
		}
		v := nw.next(math.Sqrt(sum / float64(tab.Stages)))
		if v == nonFinite || v == diverged {
			nw.blame(r.f[0])
			s.badT = s.t1
			return v
		}
		for i, d := range r.f {
			add(r.w[i], 1, d)
		}
		r.transform(r.z, tab.T, r.w)
		if v == converged {
			return v
		}
	}
}

// transform writes the combinations out_i = Σ_j a_ij in_j of stages; out may be in.
func (r *radau) transform(out [][]float64, a [][]float64, in [][]float64) {
	v := r.stage
	for n := range r.s.x {
		for j := range v {
			v[j] = in[j][n]
		}
		for i, row := range a {
			sum := 0.0
			for j, w := range row {
				sum += w * v[j]
			}
			out[i][n] = sum
		}
	}
}

// correct turns f, transformed, into the corrections of W: with c = h/γ, (M − cJ) ΔW = c·f − M·W, and the same with complex c for each pair.
func (r *radau) correct() {
	tab, h := r.tab, r.s.h
	c := h / tab.Gamma
	for n := range r.f[0] {
		r.f[0][n] *= c
	}
	r.lessMass(r.f[0], r.w[0])
	r.nw.mat.solve(r.f[0])
	for k, p := range r.pairs {
		a, b := tab.Alpha[k], tab.Beta[k]
		re, im := h*a/(a*a+b*b), -h*b/(a*a+b*b)
		f, g := r.f[2*k+1], r.f[2*k+2]
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
	if !r.first {
		g := method.Safety * (h / r.hacc) * math.Pow(r.erracc/max(err*err, 1e-20), 1/float64(r.tab.Stages+1))
		f = min(f, max(g, method.Shrink))
	}
	r.hacc, r.erracc = h, max(radauRecall, err)
	return r.nw.steady(r.s.calm(f))
}

func (r *radau) refuse(err float64) float64 {
	if f, ok := r.nw.refuse(err); ok {
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
	r.hold = r.s.h
	r.haveF0, r.first = false, false
}

func (r *radau) width() int { return len(r.zflat) }

func (r *radau) save(row []float64) { copy(row, r.zflat) }

func (r *radau) reader() reader { return r.radauScheme }

func (r *radau) interpolate(theta float64, out []float64) {
	copy(out, r.s.x)
	r.add(theta, out, r.zflat, r.weights)
}

func (c *radauScheme) dense(st *StepRecord, theta float64, out []float64) {
	var w [8]float64
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
