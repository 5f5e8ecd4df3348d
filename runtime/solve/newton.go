package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// newton is what the implicit methods share of solving the equations of a step by simplified Newton iterations: when an iteration has come near enough, when it
// will not, and when a Jacobian of an earlier step still serves.
//
// With the rate θ_k = |Δ_k|/|Δ_{k−1}|, what is left after iteration k is about η|Δ_k|, η = θ/(1 − θ); the first iteration takes η from the solution before.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.8, whose constants are taken but for
// the first iteration, which is not believed to have converged by rates of other steps alone.
type newton struct {
	s     *Stepper
	mat   *matrix
	haveJ bool // J is that of this step or an earlier one
	fresh bool // J is that at the step's start

	sc    []float64 // atol + rtol·|x| at the step's start, times share
	share float64   // of the tolerances, that errors are measured by
	kappa float64   // iterations stop where what is left is below this part of the tolerance
	most  int       // iterations
	exact bool      // steps are prescribed: the equations are solved to rounding, so that the result is a smooth function of everything

	iter    int     // iterations of the present solution
	last    float64 // |Δ| of its last one
	ratio   float64 // θ of its last one
	eta     float64
	etaH    float64 // the length of the step that it was measured in
	worst   float64 // the largest θ of the step
	shrink  float64 // how much shorter a step should converge, after slow
	culprit int     // the state whose correction was the largest when an iteration failed
	whys    slowErrors
}

// What one more iteration says.
type verdict int

const (
	onward verdict = iota
	converged
	diverged
	nonFinite
)

const (
	keepJacobian = 1e-3 // rates below this one let the next step take the same Jacobian
	trust        = 1e-2 // the least η that a first iteration is judged by: a rate of another step may say nothing of this one
	worstRate    = 0.99 // rates above it diverge
	sameLow      = 1.0  // a next step of between these times the last one is as long as the last one, so that its factors serve
	sameHigh     = 1.2
	sameCoef     = 1e-8 // relative differences of coefficients below this one are rounding of times
	failedCut    = 0.5  // after a step whose equations could not be solved
	exactEnough  = 1e-4 // of the tolerance: where solving to rounding may end when rounding is larger than thought
)

func newNewton(s *Stepper) (*newton, error) {
	n := &newton{s: s, sc: make([]float64, s.sys.NX), share: 1, whys: slowErrors{}}
	var err error
	n.mat, err = newMatrix(s.sys, &s.stats)
	return n, err
}

// prepare follows new settings; iterations is how many may be made, share of the tolerances what errors are measured by.
func (n *newton) prepare(iterations int, share float64) {
	s := n.s
	n.mat.stats = &s.stats
	n.mat.prepare(s.th)
	s.stats.Linear = n.mat.kind
	n.tune(iterations, share)
}

// tune follows a change of method within an integration.
func (n *newton) tune(iterations int, share float64) {
	s := n.s
	n.share, n.most = share, iterations
	rtol := s.set.rtol * share
	n.kappa = max(10*0x1p-52/rtol, min(0.03, math.Sqrt(rtol)))
	if n.exact = !s.set.controlled; n.exact {
		n.kappa, n.most = 10*0x1p-52/rtol, 6*iterations
	}
}

func (n *newton) restart() {
	n.haveJ, n.fresh = false, false
	n.eta, n.etaH, n.worst = 1, 0, 1
	n.culprit = -1
}

// begin is called at the start of each attempt of a step.
func (n *newton) begin() {
	s := n.s
	for i, v := range s.x {
		n.sc[i] = n.share * (s.set.atol[i] + s.set.rtol*math.Abs(v))
	}
	n.worst = 0
	h := math.Abs(s.h)
	if h > sameHigh*n.etaH { // the rate of a much shorter step says nothing
		n.eta = 1
	}
	n.etaH = h
}

// jacobian evaluates J at the start of the step unless an earlier one serves; anew says that it did. It is not ok where J is not finite.
func (n *newton) jacobian() (anew, ok bool) {
	if n.haveJ {
		return false, true
	}
	n.mat.jacobian(nil, n.s.t, n.s.x)
	n.haveJ, n.fresh = finite(n.mat.v), true
	return true, n.haveJ
}

// renew gives up J for a new one; it is false where J is new already.
func (n *newton) renew() bool {
	if n.fresh {
		return false
	}
	n.haveJ = false
	return true
}

// solving is called before the first iteration of each set of equations.
func (n *newton) solving() {
	n.iter, n.shrink = 0, failedCut
	if n.exact {
		n.eta = 1
		return
	}
	n.eta = max(math.Pow(n.eta, 0.8), trust)
}

// next judges an iteration by the norm of its correction.
func (n *newton) next(norm float64) verdict {
	n.iter++
	n.s.stats.Newton++
	if !(norm <= math.MaxFloat64) {
		return nonFinite
	}
	if n.iter > 1 {
		theta := norm / n.last
		if n.iter > 2 {
			theta, n.ratio = math.Sqrt(theta*n.ratio), theta
		} else {
			n.ratio = theta
		}
		if theta >= worstRate {
			if n.exact && norm <= exactEnough {
				return converged
			}
			n.worst = max(n.worst, theta)
			return diverged
		}
		n.worst = max(n.worst, theta)
		n.eta = theta / (1 - theta)
		// What will be left after the last iteration that is allowed.
		if left := n.eta * math.Pow(theta, float64(n.most-1-n.iter)) * norm / n.kappa; left >= 1 && !n.exact {
			q := max(1e-4, min(20, left))
			n.shrink = 0.8 * math.Pow(q, -1/float64(4+n.most-1-n.iter))
			return diverged
		}
	}
	n.last = norm
	switch {
	case n.eta*norm <= n.kappa:
		return converged
	case n.iter < n.most:
		return onward
	case n.exact && norm <= exactEnough:
		return converged
	}
	return diverged
}

// norm measures a correction as the error is: root mean square over a group of states, the worst group. States without error control count as one more group.
func (n *newton) norm(d []float64) float64 {
	set := &n.s.set
	worst := 0.0
	for lo := 0; lo < len(d); {
		g := set.errGroup
		if lo >= set.errStates {
			g = len(d) - lo
		}
		sum := 0.0
		for i := lo; i < lo+g; i++ {
			r := d[i] / n.sc[i]
			sum += r * r
		}
		if sum /= float64(g); !(sum <= worst) {
			worst = sum
		}
		lo += g
	}
	return math.Sqrt(worst)
}

// blame remembers which state's correction is the largest, for failed.
func (n *newton) blame(d []float64) {
	worst := -1.0
	for i, v := range d {
		if r := math.Abs(v / n.sc[i]); !(r <= worst) {
			worst, n.culprit = r, i
		}
	}
}

// failed counts a step that was not solved and returns what attempt does.
func (n *newton) failed(v verdict) float64 {
	s := n.s
	s.stats.Failed++
	if v == nonFinite {
		return math.NaN()
	}
	s.why = n.whys.of(s.sys, n.culprit).text
	return math.Inf(1)
}

// slowNewton is how the reason begins where Newton's method does not converge.
const slowNewton = "Newton's method does not solve the equations of a step"

// slowError is an iteration that does not converge, least of all in a state.
type slowError struct{ text string }

func (e *slowError) Error() string { return e.text }

// slowErrors are those that have been told, by state, each made once.
type slowErrors map[int]*slowError

func (w slowErrors) of(sys *system.System, state int) *slowError {
	e := w[state]
	if e == nil {
		e = &slowError{slowNewton}
		if names := sys.StateNames(); state >= 0 && state < len(names) {
			e.text += ", least of all for " + names[state]
		}
		w[state] = e
	}
	return e
}

// commit says whether J may serve in the next step.
func (n *newton) commit() {
	n.fresh = false
	if n.worst > keepJacobian {
		n.haveJ = false
	}
}

// steady makes the step after one of factor f times its length equally long where that saves a factorisation.
func (n *newton) steady(f float64) float64 {
	if f >= sameLow && f <= sameHigh && n.worst <= keepJacobian {
		return 1
	}
	return f
}

// refuse is engine.refuse where there is no error to go by; ok is false where there is.
func (n *newton) refuse(err float64) (f float64, ok bool) {
	switch {
	case math.IsNaN(err):
		return method.BadCut, true
	case math.IsInf(err, 1):
		return n.shrink, true
	}
	return 0, false
}
