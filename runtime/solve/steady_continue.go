package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// Pseudo-transient continuation: steps of the implicit Euler method, M·Δx = τ f(x + Δx), each by two iterations of Newton's method with one matrix M − τJ, the second of which tells by
// its size how far τ may grow, until the steps are iterations of Newton's method for f itself. It follows the solution as far as is needed to reach what that tends to, and
// keeps linear conserved quantities: from wᵀf = 0 everywhere follows wᵀMΔx = 0. So it serves where J is singular for their sake.
//
// C. T. Kelley, D. E. Keyes, Convergence analysis of pseudo-transient continuation, SIAM Journal on Numerical Analysis 35 (1998), 508–523; P. Deuflhard, Newton Methods
// for Nonlinear Problems, Springer 2004, section 6.4.
const (
	mostContraction = 0.5  // the second iteration is at most so long as the first
	mostChange      = 1.0  // of a state by a step, in units of its size; or it might jump to where the solution does not go
	aim             = 0.1  // what the length of a step aims at
	growth          = 10.0 // of a step, at most
	longSteps       = 1e12 // in units of 1/‖J‖: as good as infinite
	longest         = 1e14 // beyond this, rounding of τJ would wash away M
)

// follow is true at a steady state reached by continuation.
func (s *steady) follow() bool {
	if s.begin(); s.ctx.Err() != nil {
		return false
	}
	n, why := s.transient(s.p.Iterations * 3)
	s.iterations += n
	if why != "" {
		s.said("continuation failed after %s (%s)", iterations(n), why)
		return false
	}
	if n < 0 {
		return false
	}
	s.said("pseudo-transient continuation, %s", iterations(n))
	return s.polish()
}

// polish lets Newton's method have the last word where the Jacobian is regular.
func (s *steady) polish() bool {
	if s.lu != nil {
		x, f := append([]float64(nil), s.x...), append([]float64(nil), s.f...)
		done, n, _ := s.damped(20)
		if done {
			s.iterations += n
			s.said("Newton's method, %s", iterations(n))
			s.singular = nil
			return true
		}
		copy(s.x, x)
		copy(s.f, f)
	}
	if s.singular == nil {
		s.said("Newton's method found no root near there")
		return false
	}
	s.out.Singular = true
	s.said("linear conserved quantities have the values of the start")
	return true
}

// transient makes steps from x; n is −1 when cancelled.
func (s *steady) transient(most int) (n int, why string) {
	s.conserve()
	tau, good := 0.0, 0
	for n = 1; n <= most; n++ {
		if s.ctx.Err() != nil {
			return -1, ""
		}
		s.mat.jacobian(nil, s.p.T, s.x)
		if !finite(s.mat.v) {
			return n, "a derivative is not finite"
		}
		jac := s.jacobianNorm()
		if tau == 0 {
			rate := 1e-6 * jac
			for i, v := range s.f {
				rate = max(rate, math.Abs(v)/(math.Abs(s.x[i])+s.p.Atol/s.p.Rtol))
			}
			tau = aim / max(rate, 1e-30)
		}
		for {
			if tau*jac < 1e-20 {
				return n, "steps became too short"
			}
			contraction, change, first := s.euler(tau)
			if !(contraction <= mostContraction && change <= mostChange) {
				tau /= 4
				continue
			}
			s.x, s.xt = s.xt, s.x
			s.f, s.ft = s.ft, s.f
			if good++; first > 1 {
				good = 0
			}
			if good >= 2 && (tau*jac >= longSteps || zero(s.f)) {
				return n, ""
			}
			tau = min(tau*min(growth, max(0.5, min(aim/contraction, 0.5*mostChange/change))), longest/max(jac, 1e-200))
			break
		}
	}
	return most, "what the solution tends to was not reached"
}

// jacobianNorm is the largest sum of moduli of a column of J.
func (s *steady) jacobianNorm() (norm float64) {
	for j := range s.x {
		rows, first := s.mat.pattern.Column(j)
		sum := 0.0
		for k := range rows {
			sum += math.Abs(s.mat.v[first+k])
		}
		norm = max(norm, sum)
	}
	return norm
}

// euler writes the end of a step of length τ and f there into xt and ft. It returns how much smaller the second correction is than the first, not a number
// where the step cannot be made, the largest change in units of the states' sizes, and the size of the first correction in tolerances.
func (s *steady) euler(tau float64) (contraction, change, first float64) {
	if s.mat.factor(tau) != nil {
		return math.NaN(), 0, 0
	}
	for i, v := range s.f {
		s.d[i] = tau * v
	}
	s.keep(s.d, s.x)
	s.mat.solve(s.d)
	for i, v := range s.d {
		s.xt[i] = s.x[i] + v
	}
	s.eval(s.ft, s.xt)
	// M·Δx is τ(f + JΔx), so that what is left of the equation is τ(f(x + Δx) − f(x) − JΔx).
	for i, v := range s.ft {
		s.bar[i] = v - s.f[i]
	}
	for j, v := range s.d {
		rows, at := s.mat.pattern.Column(j)
		for k, i := range rows {
			s.bar[i] -= s.mat.v[at+k] * v
		}
	}
	for i := range s.bar {
		s.bar[i] *= tau
	}
	s.keep(s.bar, s.xt)
	s.mat.solve(s.bar)
	first = s.norm(s.d, s.x)
	second := s.norm(s.bar, s.x)
	floor := s.p.Atol / s.p.Rtol
	for _, v := range s.x {
		floor = max(floor, 1e-3*math.Abs(v))
	}
	for i, v := range s.bar {
		s.xt[i] += v
		change = max(change, math.Abs(s.xt[i]-s.x[i])/max(math.Abs(s.x[i]), floor))
	}
	s.eval(s.ft, s.xt)
	switch {
	case !finite(s.ft):
		return math.NaN(), 0, 0
	case second <= 1 && first <= 1 || first == 0:
		return 0, change, first
	}
	return second / first, change, first
}

// integrate follows the solution in time, over longer and longer spans, until it hardly moves in one, and a root lies there.
func (s *steady) integrate() bool {
	rate := 0.0
	for i, v := range s.f {
		rate = max(rate, math.Abs(v)/max(math.Abs(s.x[i]), 1))
	}
	span := 1.0
	if rate > 0 {
		span = min(max(1/rate, 1e-9), 1e9)
	}
	if s.moving() {
		s.said("integration is not possible: the time is held, and a constraint depends on it")
		return false
	}
	sys := frozen(s.p.Sys, s.p.T)
	maxSteps := s.p.MaxSteps
	if maxSteps == 0 {
		maxSteps = DefaultMaxSteps
	}
	const (
		slack    = 1000 // what an integration is asked for, in units of the tolerances
		restless = 1e-3 // what moves less in nine times the time passed before may have come to rest
	)
	elapsed := 0.0
	for range 13 {
		sol, err := Solve(s.ctx, &Problem{Sys: sys, Method: method.Auto{}, Theta: s.p.Theta, X0: append([]float64(nil), s.x...), T0: elapsed, T1: elapsed + span,
			Rtol: slack * s.p.Rtol, Atol: slack * s.p.Atol, Times: []float64{elapsed + span}, NoDense: true, MaxSteps: maxSteps})
		if err != nil {
			s.said("integration is not possible: %v", err)
			return false
		}
		s.counter.Steps += sol.Stats.Steps
		s.counter.Evals += sol.Stats.Evals
		if maxSteps -= sol.Stats.Steps + sol.Stats.Rejected; maxSteps <= 0 && sol.Status == Done {
			maxSteps = 1
		}
		if sol.Status == Cancelled {
			return false
		}
		before := append([]float64(nil), s.x...)
		copy(s.x, sol.XEnd)
		s.eval(s.f, s.x)
		if sol.Status != Done {
			s.said("integration stopped after a time of %.4g (%v)", sol.TEnd, sol.Status)
			return false
		}
		elapsed += span
		if s.near(before, restless) && s.settle() {
			return true
		}
		span = 9 * elapsed
	}
	s.said("integration over a time of %.4g came to no rest", elapsed)
	return false
}

// near reports whether the point reached lies within a share of the states' sizes of x.
func (s *steady) near(x []float64, share float64) bool {
	floor := s.p.Atol / s.p.Rtol
	for _, v := range x {
		floor = max(floor, 1e-3*math.Abs(v))
	}
	for i, v := range x {
		if !(math.Abs(s.x[i]-v) <= share*max(math.Abs(v), floor)) {
			return false
		}
	}
	return true
}

// settle takes what an integration came to, within its tolerance, to a root nearby; where there is none, x is as it was.
func (s *steady) settle() bool {
	const nearby = 1e-2
	x, f := append([]float64(nil), s.x...), append([]float64(nil), s.f...)
	back := func() {
		copy(s.x, x)
		copy(s.f, f)
	}
	if s.lu != nil {
		if done, n, _ := s.damped(20); done && s.near(x, nearby) {
			s.iterations += n
			s.said("integration until the solution is at rest; then Newton's method, %s", iterations(n))
			return true
		}
		back()
	}
	if s.singular == nil {
		return false
	}
	if n, why := s.transient(s.p.Iterations); n > 0 && why == "" && s.near(x, nearby) {
		s.iterations += n
		s.out.Singular = true
		s.said("integration until the solution is at rest; then continuation, %s, with linear conserved quantities at the values of the start", iterations(n))
		return true
	}
	back()
	return false
}

// frozen is a system whose time stands still at t: what happens in time, events and tables, is no part of it.
func frozen(sys *system.System, t float64) *system.System {
	out := &system.System{Name: sys.Name, States: sys.States, Theta: sys.Theta, Latent: sys.Latent, NTheta: sys.NTheta, NX: sys.NX, Init: sys.Init,
		RHS: &still{sys.RHS.Clone(), t}, Pattern: sys.Pattern, Mass: sys.Mass, Algebraic: sys.Algebraic, Guesses: sys.Guesses, Equations: sys.Equations,
		InvariantsPattern: sys.InvariantsPattern, Conserved: sys.Conserved, AsWritten: sys.AsWritten, NoGradient: sys.NoGradient}
	if sys.Invariants != nil {
		out.Invariants = &still{sys.Invariants.Clone(), t}
	}
	if sys.Jacobian != nil {
		out.Jacobian = func() system.Jacobian {
			j := sys.Jacobian()
			if j == nil {
				return nil
			}
			return &stillJacobian{j, t}
		}
	}
	if sys.Explain != nil {
		out.Explain = func(_ float64, x, th []float64) *system.Fault { return sys.Explain(t, x, th) }
	}
	return out
}

// still is a function at one time.
type still struct {
	system.Func
	t float64
}

func (f *still) Eval(z []float64, _ float64, x, th []float64) { f.Func.Eval(z, f.t, x, th) }
func (f *still) VJP(gx, gth []float64, _ float64, x, th, gz []float64) float64 {
	f.Func.VJP(gx, gth, f.t, x, th, gz)
	return 0
}
func (f *still) JVP(dz []float64, _ float64, x, th []float64, _ float64, dx, dth []float64) {
	f.Func.JVP(dz, f.t, x, th, 0, dx, dth)
}
func (f *still) Tangent() system.Func { return &still{f.Func.Tangent(), f.t} }
func (f *still) Clone() system.Func   { return &still{f.Func.Clone(), f.t} }

// stillJacobian is a Jacobian at one time.
type stillJacobian struct {
	system.Jacobian
	t float64
}

func (j *stillJacobian) Eval(v, ft []float64, _ float64, x []float64) {
	j.Jacobian.Eval(v, nil, j.t, x)
	clear(ft)
}

func iterations(n int) string {
	if n == 1 {
		return "1 iteration"
	}
	return fmt.Sprintf("%d iterations", n)
}
