package sens

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// The continuous adjoint of M·x' = f(t, x, θ) is, backwards in time between outputs and events,
//
//	Mᵀ μ' = −(∂f/∂x)ᵀ μ,   dL/dθ = ∫ μᵀ (∂f/∂θ − ∂M/∂θ x') dt + …,
//
// with λ = Mᵀ μ the derivative of the loss by the state. At an output time λ grows by ∂L/∂x. With a singular M only that part of ∂L/∂x which is a combination of
// rows of M can go on: the rest acts through the algebraic equations at that time, Nᵀ f = 0 with N the left null space, on what they determine, and on θ.
// Events are carried over as by the discrete adjoint.
//
// Y. Cao, S. Li, L. Petzold, R. Serban, Adjoint sensitivity analysis for differential-algebraic equations: the adjoint DAE system and its numerical solution,
// SIAM Journal on Scientific Computing 24 (2003), 1076–1089; R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, Neural ordinary differential equations,
// NeurIPS 2018; Y. Ma, V. Dixit, M. J. Innes, X. Guo, C. Rackauckas, A comparison of automatic differentiation and continuous sensitivity analysis for
// derivatives of differential equation solutions, IEEE HPEC 2021.

// Kind is a way to integrate the adjoint equations.
type Kind int

// The kinds.
const (
	Interpolating Kind = iota // states from the dense output, the integral over θ beside λ
	Quadrature                // states from the dense output, the integral over θ by a Gauss–Kronrod rule after λ
	Backsolve                 // states integrated backwards too
)

var kindNames = [...]string{"interpolating", "quadrature", "backsolve"}

// String is the kind's name in the table of Methods.
func (k Kind) String() string { return kindNames[k] }

// ContinuousMethod is how a continuous adjoint is integrated. The zero value is the interpolating one, by the problem's own solver and tolerance.
type ContinuousMethod struct {
	Kind Kind
	// Solver integrates backwards; nil: the problem's own, or Vern7 where that does not choose its steps, or wants equations of a form that the adjoint does not have.
	Solver method.Method
	// Rtol is the relative tolerance of λ and of the integral; 0: the problem's. What is absolute follows from the size of the loss's derivatives.
	Rtol float64
}

// Gradient computes the gradient of a loss by the continuous adjoint: the derivative of the solution of the differential equations, as exact as the tolerance, where the
// discrete adjoint is that of the steps. The results mean what those of Adjoint mean. Where the states of backsolve depart from those of the solution by more
// than a thousand tolerances, Stats.Departed of the solution says by how much.
func (c ContinuousMethod) Gradient(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	name := c.Kind.String() + " adjoint"
	q, err := prepare(p, loss)
	if err != nil {
		return 0, nil, err
	}
	if len(g) != q.Sys.NTheta {
		return 0, nil, fmt.Errorf("the gradient has room for %d of %d parameters", len(g), q.Sys.NTheta)
	}
	for _, err := range []error{differentiable(q.Sys, name), whole(&q, "the "+name), reducible(&q, name), c.reversible(&q)} {
		if err != nil {
			return 0, nil, err
		}
	}
	q.NoDense = false
	clear(g)
	sol, err := solve.Solve(ctx, &q)
	if err != nil {
		return 0, nil, err
	}
	if ok, err := complete(sol, len(q.Times)); !ok {
		return failed, sol, err
	}
	r := &backwards{ctx: ctx, c: c, name: name, q: &q, sol: sol, g: g, gx: make([]float64, len(sol.X))}
	value, err := evaluate(loss, sol, sol.Events, q.Theta, r.gx, g, &r.gt)
	if err == nil && value-value == 0 {
		if err = r.run(); err == nil {
			for _, i := range switches(q.Sys) {
				g[i] = 0
			}
			if err = checkGradient(q.Sys, g, nil, math.NaN()); err == nil {
				return value, sol, nil
			}
		}
		var bad *NonFinite
		if errors.As(err, &bad) {
			var s suspect
			if bad.T == bad.T {
				x := make([]float64, sol.NX)
				r.track.at(bad.T, x)
				s.accuse(&solve.StepRecord{T: bad.T, T1: bad.T, X: x, X1: x})
			}
			bad.blame(&q, sol, loss, r.gx, &s)
			return value, sol, err
		}
	}
	clear(g)
	return value, sol, err
}

// reversible refuses what a kind cannot do.
func (c ContinuousMethod) reversible(q *solve.Problem) error {
	if c.Kind != Backsolve {
		return nil
	}
	const instead = "take adjoint = interpolating or quadrature, which read the states from the solution"
	switch sys := q.Sys; {
	case sys.Mass != nil:
		return helped(refuse("%s has no backsolve adjoint: its algebraic equations or mass matrix hold no initial values for an integration backwards", nameOf(sys)), instead)
	case sys.Invariants != nil:
		return helped(refuse("%s has no backsolve adjoint: an integration backwards does not keep its invariants", nameOf(sys)), instead)
	}
	return nil
}

// backwards is one integration of the adjoint equations.
type backwards struct {
	ctx  context.Context
	c    ContinuousMethod
	name string
	q    *solve.Problem
	sol  *solve.Solution
	g    []float64
	gx   []float64 // of the loss by the outputs
	gt   []float64 // of the loss by the times of events
	lam  []float64

	track  *track
	jumps  *jumps
	border *solve.Bordered // nil without a mass matrix
	mass   []float64       // its entries
	way    interface {
		over(from, to float64) error // carries λ, and adds to g
	}
	by    []int     // the entries of θ that are integrated over beside λ
	parts []float64 // how much went into each entry of g, in modulus
}

func (r *backwards) run() error {
	q, sys, sol := r.q, r.q.Sys, r.sol
	r.lam, r.parts = make([]float64, sol.NX), make([]float64, len(r.g))
	r.track = newTrack(sol, sys)
	if len(sys.Events)+len(sys.Jumps) > 0 {
		r.jumps = newJumps(sys)
		r.jumps.prepare(q)
	}
	var err error
	if sys.Mass != nil {
		if r.border, err = solve.NewBordered(sys, q.Theta); err != nil {
			return err
		}
		r.mass = make([]float64, sys.Mass.Pattern.NNZ())
		sys.Mass.Values.Clone().Eval(r.mass, 0, nil, q.Theta)
	}
	if err := r.begin(); err != nil {
		return err
	}
	o := len(q.Times) - 1
	fired, jumped := len(sol.Events), len(sol.Jumps)
	for end := sol.NumSteps(); ; {
		hi, hj := fired, jumped
		for fired > 0 && sol.Events[fired-1].Step == end {
			fired--
		}
		for jumped > 0 && sol.Jumps[jumped-1].Step == end {
			jumped--
		}
		m := moment{fired: sol.Events[fired:hi], jumped: sol.Jumps[jumped:hj]}
		if end == 0 {
			for ; o >= 0; o-- {
				r.output(o)
			}
		}
		if len(m.fired)+len(m.jumped) > 0 {
			var gt []float64
			if len(r.gt) > 0 {
				gt = r.gt[fired:hi]
			}
			if o, err = r.happened(m, end, o, gt); err != nil {
				return err
			}
		}
		if end == 0 {
			break
		}
		start := 0
		if fired > 0 {
			start = max(start, sol.Events[fired-1].Step)
		}
		if jumped > 0 {
			start = max(start, sol.Jumps[jumped-1].Step)
		}
		if o, err = r.stretch(start, end, o); err != nil {
			return err
		}
		end = start
	}
	if err := initialBack(q, r.lam, r.g, r.name); err != nil {
		return err
	}
	if q.X0 == nil {
		sys.Init.Clone().VJP(nil, r.g, q.T0, nil, q.Theta, r.lam)
	}
	return nil
}

// happened carries λ over events and jumps after so many steps, with the outputs from o on down that show the state after them.
func (r *backwards) happened(m moment, steps, o int, gt []float64) (int, error) {
	if r.sol.Frozen() {
		m.after, m.before = r.sol.StepTheta(steps, nil), r.sol.StepTheta(max(steps-1, 0), nil)
	}
	near := m.time()
	if len(m.fired) > 0 {
		near -= r.track.dir * 8 * 0x1p-52 * math.Abs(near)
	}
	for ; o >= 0 && (r.q.Times[o]-near)*r.track.dir >= 0; o-- {
		r.output(o)
	}
	if zero(r.lam) && zero(gt) {
		return o, nil
	}
	return o, r.jumps.backward(m, r.lam, r.g, gt, steps == 0)
}

func (r *backwards) output(o int) {
	nx := r.sol.NX
	add(r.lam, 1, r.gx[o*nx:(o+1)*nx])
}

// stretch carries λ over the steps start ≤ n < end, with the outputs in them, of which the last is o.
func (r *backwards) stretch(start, end, o int) (int, error) {
	tr, times := r.track, r.q.Times
	tr.open(start, end)
	at := tr.t1
	for {
		changed := at == tr.t1
		for ; o >= 0 && (times[o]-at)*tr.dir >= 0; o-- {
			r.output(o)
			changed = true
		}
		next := tr.t0
		if o >= 0 && (times[o]-tr.t0)*tr.dir > 0 {
			next = times[o]
		}
		next, behind := r.kink(at, next)
		if !zero(r.lam) {
			if changed && r.border != nil {
				if err := r.consistent(at); err != nil {
					return o, err
				}
			}
			if err := r.way.over(at, next); err != nil {
				return o, err
			}
			if !finite(r.lam) || !finite(r.g) {
				return o, r.spoilt(next)
			}
		}
		if at = next; at == tr.t0 {
			return o, nil
		}
		at = behind
	}
}

// kink is the first of the times from one to another at which f is not smooth in t, and where to go on behind it: where f jumps, at the last number on the other side.
func (r *backwards) kink(from, to float64) (at, behind float64) {
	kinks, dir := r.q.Sys.Kinks, r.track.dir
	if n := len(kinks); n > 0 {
		if dir > 0 {
			for k := sort.SearchFloat64s(kinks, from) - 1; k >= 0 && kinks[k] > to; k-- {
				if kinks[k] == math.Nextafter(from, to) {
					continue // this side of it is where from is
				}
				if behind = kinks[k]; k > 0 && kinks[k-1] == math.Nextafter(behind, to) && kinks[k-1] > to {
					behind = kinks[k-1]
				}
				return kinks[k], behind
			}
			return to, to
		}
		for k := sort.Search(n, func(k int) bool { return kinks[k] > from }); k < n && kinks[k] < to; k++ {
			if kinks[k] == math.Nextafter(from, to) {
				continue
			}
			if behind = kinks[k]; k+1 < n && kinks[k+1] == math.Nextafter(behind, to) && kinks[k+1] < to {
				behind = kinks[k+1]
			}
			return kinks[k], behind
		}
	}
	return to, to
}

// consistent takes from λ at t what cannot go on in time, which acts through the algebraic equations and the invariants there.
func (r *backwards) consistent(t float64) error {
	x := make([]float64, r.sol.NX)
	r.track.at(t, x)
	rtol, atol := tolerances(r.q)
	l, err := solve.Linearise(r.q.Sys, t, x, r.track.th, rtol, atol, true)
	if err != nil {
		return underived(r.q, err, r.name)
	}
	return underived(r.q, l.Back(r.lam, r.g), r.name)
}

// spoilt is the error of a value that ceased to be finite at t, or after it. It names the parameters by which the rate of the integral is not finite there.
func (r *backwards) spoilt(t float64) error {
	e := &NonFinite{T: t}
	g := append([]float64(nil), r.g...)
	if finite(r.lam) {
		mu := append([]float64(nil), r.lam...)
		if r.border != nil {
			r.border.SolveTransposed(mu)
		}
		newAdjointRHS(r.track, r.q.Sys, nil).integrand(g, t, mu)
	}
	if err := checkGradient(r.q.Sys, g, nil, t); err != nil {
		errors.As(err, &e)
	}
	return e
}

// solver is the method that integrates backwards.
func (r *backwards) solver() method.Method {
	m := r.c.Solver
	if m == nil {
		if m = r.q.Method; m == nil {
			m = method.Default()
		}
		if i := m.Info(); !i.Adaptive || i.Family == method.Hamiltonian {
			m, _ = method.Find("Vern7")
		}
	}
	return m
}

// rtol is that of λ and the integral.
func (r *backwards) rtol() float64 {
	if r.c.Rtol != 0 {
		return r.c.Rtol
	}
	rtol, _ := tolerances(r.q)
	return rtol
}

// problem is what all integrations backwards share.
func (r *backwards) problem(sys *system.System) solve.Problem {
	return solve.Problem{Sys: sys, Method: r.solver(), Theta: []float64{}, Times: []float64{}, Rtol: r.rtol(), Hmax: r.q.Hmax, MaxSteps: r.q.MaxSteps, MaxMemory: r.q.MaxMemory,
		NoDense: true, AtolVec: make([]float64, sys.NX), ErrGroup: 1}
}

// span sets the time of an integration backwards, which counts from its beginning.
func (r *backwards) span(p *solve.Problem, from, to float64) float64 {
	r.track.base = from
	p.T0, p.T1 = 0, math.Abs(from-to)
	return p.T1
}

// came says why an integration backwards did not come to its end.
func (r *backwards) came(sol *solve.Solution) error {
	r.sol.Stats.Backward += sol.Stats.Steps
	switch sol.Status {
	case solve.Done:
		return nil
	case solve.Cancelled:
		return context.Cause(r.ctx)
	case solve.NonFinite:
		return r.spoilt(r.track.time(sol.TEnd))
	}
	return helped(refuse("the %s stops at t = %.6g: %v", r.name, r.track.time(sol.TEnd), sol.Fault), "take adjoint = discrete, which differentiates the steps that were made")
}

// sizes fills in absolute tolerances: those of λ by what it starts with, those of the integral over the entries of by by what went into them.
func (r *backwards) sizes(atol, lam, slope []float64, span float64) {
	tol := r.rtol()
	size := 0.0
	for _, v := range lam {
		size = max(size, math.Abs(v))
	}
	for i := range lam {
		atol[i] = tol * size * lamFloor
	}
	atol = atol[len(lam):]
	// A first guess at the derivatives is that by the states times the states: nothing at all may have gone into the integral yet.
	most := 0.0
	for _, v := range r.sol.XEnd {
		most = max(most, math.Abs(v))
	}
	if most *= size; most == 0 {
		most = size
	}
	for i := range atol {
		atol[i] = max(r.parts[r.by[i]], math.Abs(slope[i]*span))
		most = max(most, atol[i])
	}
	for i := range atol {
		atol[i] = tol * max(atol[i]*0.1, most*partFloor)
	}
}

const (
	lamFloor  = 1e-3  // how far below the largest entry of λ another one is of no account
	partFloor = 1e-10 // how far below the largest derivative by an entry of θ another one is of no account
)
