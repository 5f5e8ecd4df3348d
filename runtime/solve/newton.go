package solve

import (
	"errors"
	"math"
)

// newton is the simplified Newton iteration of a multistep method: its matrix M − c·J is kept from step to step until it no longer serves.
//
// P. N. Brown, G. D. Byrne, A. C. Hindmarsh, VODE: a variable-coefficient ODE solver, SIAM Journal on Scientific and Statistical Computing 10 (1989),
// 1038–1051, for when it is made anew and for the factor 2/(1 + c/ĉ) of what a matrix for another ĉ finds; E. Hairer, G. Wanner, Solving Ordinary Differential
// Equations II, 2nd edition, Springer 1996, section IV.8, for when to stop.
type newton struct {
	s   *Stepper
	mat *matrix
	d   []float64

	c      float64 // the matrix is M − c·J; 0: there is none
	have   bool    // J is known
	age    int     // steps since J was evaluated
	used   int     // steps since the matrix was factored
	rate   float64 // of convergence, seen last
	failed bool    // the last step was not solved
}

type newtonResult int

const (
	newtonOK newtonResult = iota
	newtonFailed
	newtonNaN
)

var errNotFinite = errors.New("a value of the Jacobian is not finite")

var (
	newtonTol   = 0.1
	newtonSteps = 4
	newtonRate0 = 0.0
	newtonDecay = 0.3
	newtonDrift = 0.3
	newtonOld   = 20
	newtonUsed  = 20
)

func (it *newton) init(s *Stepper, mat *matrix) {
	it.s, it.mat = s, mat
	it.d = make([]float64, s.sys.NX)
}

// forget drops matrix and Jacobian.
func (it *newton) forget() { it.c, it.have, it.rate = 0, false, 1 }

// restart follows a jump of the state.
func (it *newton) restart() { it.forget() }

// weigh writes the reciprocals of atol + rtol·max(|x|, |y|) into w.
func (it *newton) weigh(w, x, y []float64) {
	atol, rtol := it.s.set.atol[:len(w)], it.s.set.rtol
	x, y = x[:len(w)], y[:len(w)]
	for i := range w {
		w[i] = 1 / (atol[i] + rtol*max(math.Abs(x[i]), math.Abs(y[i])))
	}
}

// norm is the root mean square of v_i·w_i over the states under control, the largest of those of the groups.
func (it *newton) norm(v, w []float64) float64 {
	worst := 0.0
	g := it.s.set.errGroup
	for lo := 0; lo < it.s.set.errStates; lo += g {
		a, b := v[lo:lo+g], w[lo:lo+g]
		var s0, s1 float64
		i := 0
		for ; i+1 < len(a); i += 2 {
			r, q := a[i]*b[i], a[i+1]*b[i+1]
			s0 += r * r
			s1 += q * q
		}
		if i < len(a) {
			r := a[i] * b[i]
			s0 += r * r
		}
		if m := (s0 + s1) / float64(g); m > worst || m != m {
			if worst = m; m != m {
				break
			}
		}
	}
	return math.Sqrt(worst)
}

// solve finds e, and x1 = P + e, of the step that is tried.
func (it *newton) solve(b *bdf, c float64) newtonResult {
	fresh := false
	if !it.have || it.age >= newtonOld {
		fresh = true
	}
	for {
		if fresh || it.c == 0 || math.Abs(c/it.c-1) > newtonDrift || it.used >= newtonUsed {
			if err := it.renew(b, c, fresh); err != nil {
				if err == errNotFinite {
					return newtonNaN
				}
				if !fresh && it.age > 0 {
					fresh = true
					continue
				}
				it.s.why = err.Error()
				return newtonFailed
			}
		}
		r := it.iterate(b, c)
		switch {
		case r == newtonOK:
			it.age++
			it.used++
			return r
		case it.age == 0: // and so is J
			if r == newtonFailed {
				it.s.why = "Newton's iteration does not converge"
			}
			return r
		}
		fresh = true
	}
}

// renew makes the matrix for c, and J at the predicted point where fresh asks for it.
func (it *newton) renew(b *bdf, c float64, fresh bool) error {
	if fresh {
		it.mat.jacobian(nil, it.s.t1, b.pred)
		if it.have = finite(it.mat.v); !it.have {
			return errNotFinite
		}
		it.age = 0
	}
	it.used, it.c, it.rate = 0, 0, max(it.rate, newtonRate0)
	if err := it.mat.factor(c); err != nil {
		return err
	}
	it.c = c
	return nil
}

func (it *newton) iterate(b *bdf, c float64) newtonResult {
	s, d := it.s, it.d
	last := 0.0
	for m := 0; m < newtonSteps; m++ {
		b.residual(d, c, m == 0)
		if err := it.mat.solveNear(d, c, s.t1, s.x1, b.w, krylovShare*newtonTol/bdfStrict); err != nil {
			return newtonFailed
		}
		s.stats.Newton++
		e := b.e[:len(d)]
		size := it.norm(d, b.w)
		if !(size <= math.MaxFloat64) {
			return newtonNaN
		}
		for i, v := range d {
			e[i] += v
		}
		if m > 0 {
			rate := size / last
			if rate > 2 {
				return newtonFailed
			}
			it.rate = max(newtonDecay*it.rate, rate)
		}
		if size*min(1, it.rate) <= newtonTol/bdfStrict {
			x1, pred := s.x1[:len(d)], b.pred[:len(d)]
			for i, v := range e {
				x1[i] = pred[i] + v
			}
			if !finite(x1) {
				return newtonNaN
			}
			return newtonOK
		}
		last = size
	}
	return newtonFailed
}
