package solve

import "math"

// insideTol is how many tolerances a dense output may err by within a step, as its defect tells.
const insideTol = 20

// probe is a place within a step where the dense output P is held against the equation: for vectors u_i of the step's, P = x + a Σ w_i u_i and h·P' = a Σ d_i u_i there.
type probe struct {
	at   float64 // θ
	w, d []float64
}

// probes are those of a continuous extension Σ_k p_ik θ^(k+1) by stages.
func probes(dense [][]float64, stages int) (all []probe) {
	for _, at := range []float64{0.3, 0.7} { // two, since a driver may by accident meet the polynomial at one
		p := probe{at: at, w: make([]float64, stages), d: make([]float64, stages)}
		for i, row := range dense {
			power := 1.0
			for k, v := range row {
				p.d[i] += float64(k+1) * v * power
				power *= at
				p.w[i] += v * power
			}
		}
		all = append(all, p)
	}
	return all
}

// defect is what (M − cJ)⁻¹ c, factored in mat, makes of the defect f(P) − M·P' at a probe, over what is allowed. With c in proportion to h it falls as the error of P
// does when steps shorten, and of stiff components it is that error. It is 0 where P leaves the domain of f, which the stages did not. e is scratch.
func (s *Stepper) defect(p probe, a float64, u [][]float64, c float64, mat *matrix, e []float64) float64 {
	x, slope := s.tmp, s.inner
	copy(x, s.x)
	clear(slope)
	for i, u := range u {
		w, d := a*p.w[i], a*p.d[i]/s.h
		if w == 0 && d == 0 {
			continue
		}
		for n, v := range u {
			x[n] += w * v
			slope[n] -= d * v
		}
	}
	s.eval(e, s.t+p.at*s.h, x)
	mat.addMass(e, slope)
	for n := range e {
		e[n] *= c
	}
	mat.solve(e)
	if v := s.norm(e, s.x, s.x1) / insideTol; v > 0 && !math.IsInf(v, 1) {
		return v
	}
	return 0
}

// Inside is the error of a Rosenbrock method's dense output within a step that others have made, as the step control measures it: 1 and less is well. The Stepper must have been
// started for the same problem, with the same θ; the step goes from (t, x) to (t + h, x1), and k are its stages, one after the other. Other methods give 0.
func (s *Stepper) Inside(t, h float64, x, x1, k []float64) float64 {
	r, ok := s.eng.(*rosenbrock)
	if !ok {
		return 0
	}
	s.t, s.h, s.t1 = t, h, t+h
	copy(s.x, x)
	copy(s.x1, x1)
	copy(r.flat, k)
	r.fresh, r.clear = false, 0
	if !r.all { // no step has been made that left its factors
		r.linearise()
		if !finite(r.mat.v) || r.mat.factor(h*r.m.Gamma) != nil {
			return 0
		}
	}
	return r.inside()
}
