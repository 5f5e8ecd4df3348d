package solve

import (
	"errors"
	"math"
)

// corrector is the simplified Newton iteration of a multistep method: its matrix M − c·J is kept from step to step until it no longer serves.
//
// P. N. Brown, G. D. Byrne, A. C. Hindmarsh, VODE: a variable-coefficient ODE solver, SIAM Journal on Scientific and Statistical Computing 10 (1989),
// 1038–1051, for when it is made anew, and for the factor 2/(1 + c/ĉ) by which matrix.solveNear corrects what a matrix for another ĉ finds; the rate of
// convergence outlives a new matrix, though, since J is exact and the rate is that of the equations.
type corrector struct {
	s   *Stepper
	mat *matrix
	d   []float64

	whys slowErrors

	c    float64 // the matrix is M − c·J; 0: there is none
	have bool    // J is known
	age  int     // steps since J was evaluated
	rate float64 // of convergence, seen last

	norm1 float64 // what J's eigenvalues do not exceed, < 0 where nobody has asked yet
}

var errNotFinite = errors.New("a value is not finite")

// slow names the state that the last correction d changed most.
func (it *corrector) slow(w []float64) error {
	at, most := 0, -1.0
	for i, v := range it.d {
		if v = math.Abs(v * w[i]); v > most {
			at, most = i, v
		}
	}
	return it.whys.of(it.s.sys, at)
}

// When iterations end and matrices are made anew; the figures were chosen by work at equal error over the stiff problems of internal/ivp.
const (
	newtonTol   = 0.01 // of the tolerance, that an error of the iteration may have
	newtonSteps = 4
	newtonDecay = 0.3  // what is left of an old rate where a better one is seen
	newtonDAE   = 0.1  // rate that is reckoned with at least where there are algebraic equations
	newtonDrift = 0.3  // relative change of c that a matrix serves for
	newtonOld   = 20   // steps that a Jacobian serves for
	newtonWorst = 2.0  // rate of iterations that diverge
	newtonExact = 1e-6 // of the tolerance, where steps are prescribed, so that the result is a smooth function of everything
)

func (it *corrector) init(s *Stepper, mat *matrix) {
	it.s, it.mat = s, mat
	it.d, it.whys = make([]float64, s.sys.NX), slowErrors{}
}

// forget drops matrix and Jacobian, as after a jump of the state.
func (it *corrector) forget() { it.c, it.have, it.rate, it.norm1 = 0, false, 1, -1 }

// weigh writes the reciprocals of atol + rtol·max(|x|, |y|) into w.
func (it *corrector) weigh(w, x, y []float64) {
	atol, rtol := it.s.set.atol[:len(w)], it.s.set.rtol
	x, y = x[:len(w)], y[:len(w)]
	for i := range w {
		w[i] = 1 / (atol[i] + rtol*max(math.Abs(x[i]), math.Abs(y[i])))
	}
}

// norm is the root mean square of v_i·w_i over the states under control, the largest of those of the groups.
func (it *corrector) norm(v, w []float64) float64 {
	worst := 0.0
	g := it.s.set.errGroup
	for lo := 0; lo < it.s.set.errStates; lo += g {
		if m := squares(v[lo:lo+g], w[lo:lo+g]) / float64(g); !(m <= worst) {
			if worst = m; m != m {
				break
			}
		}
	}
	return math.Sqrt(worst)
}

// normAll is norm with the states that are not under control as one more group: their equations are solved too.
func (it *corrector) normAll(v, w []float64) float64 {
	size, n := it.norm(v, w), it.s.set.errStates
	if n == len(v) {
		return size
	}
	if m := math.Sqrt(squares(v[n:], w[n:]) / float64(len(v)-n)); !(m <= size) {
		return m
	}
	return size
}

// squares is the sum of those of v_i·w_i.
func squares(v, w []float64) float64 {
	var s0, s1 float64
	i := 0
	for ; i+1 < len(v); i += 2 {
		r, q := v[i]*w[i], v[i+1]*w[i+1]
		s0 += r * r
		s1 += q * q
	}
	if i < len(v) {
		r := v[i] * w[i]
		s0 += r * r
	}
	return s0 + s1
}

// solve finds e, and x1 = P + e, of the step that is tried.
func (it *corrector) solve(b *bdf, c float64) error {
	anew := !it.have || it.age >= newtonOld
	for {
		var err error
		if anew || it.c == 0 || math.Abs(c/it.c-1) > newtonDrift {
			err = it.renew(b, c, anew)
		}
		if err == nil {
			err = it.iterate(b, c)
		}
		if err == nil {
			it.age++
			return nil
		}
		if _, slow := err.(*slowError); it.have && it.age == 0 && err != errNotFinite && !slow && it.mat.direct("fails") {
			it.c, anew = 0, false
			continue
		}
		if it.have && it.age == 0 || err == errNotFinite && anew {
			return err
		}
		anew = true
	}
}

// refused is what attempt returns for a step that could not be made.
func (it *corrector) refused(err error) float64 {
	if err == errNotFinite {
		return math.NaN()
	}
	it.s.why = err.Error()
	return math.Inf(1)
}

// renew makes the matrix for c, with J at the predicted point where anew asks for it.
func (it *corrector) renew(b *bdf, c float64, anew bool) error {
	if anew {
		it.mat.jacobian(nil, it.s.t1, b.pred)
		it.age, it.norm1 = 0, -1
		if it.have = finite(it.mat.v); !it.have {
			copy(it.s.x1, b.pred)
			return errNotFinite
		}
	}
	it.c = 0
	if err := it.mat.factor(c); err != nil {
		return err
	}
	it.c = c
	return nil
}

func (it *corrector) iterate(b *bdf, c float64) error {
	s, d := it.s, it.d
	tol, most := newtonTol, newtonSteps
	if !s.set.controlled {
		tol, most, it.rate = newtonExact, 5*newtonSteps, 1
	}
	if r := c / it.c; it.mat.mass != nil && it.mat.krylov == nil {
		// What a matrix for ĉ leaves of algebraic equations, whatever rate was seen when it was new. Their errors do not shrink with the step, so that what is
		// left of them would count as an error of all that follow.
		it.rate = max(it.rate, newtonDAE, math.Abs(1-r)/(1+r))
	}
	last := 0.0
	for m := range most {
		b.residual(d, c, m == 0)
		if err := it.mat.solveNear(d, c, s.t1, s.x1, b.w, krylovShare*tol); err != nil {
			return err
		}
		s.stats.Newton++
		size := it.normAll(d, b.w)
		if !(size <= math.MaxFloat64) {
			return errNotFinite
		}
		e := b.e[:len(d)]
		for i, v := range d {
			e[i] += v
		}
		if m > 0 {
			rate := size / last
			if rate > newtonWorst {
				return it.slow(b.w)
			}
			it.rate = max(newtonDecay*it.rate, rate)
		}
		if size*min(1, max(it.rate, it.mat.left())) <= tol {
			x1, pred := s.x1[:len(d)], b.pred[:len(d)]
			for i, v := range e {
				x1[i] = pred[i] + v
			}
			if !finite(x1) {
				return errNotFinite
			}
			return nil
		}
		last = size
	}
	return it.slow(b.w)
}
