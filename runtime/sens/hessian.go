package sens

import (
	"context"
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// A Hessian–vector product H v is the gradient of the derivative of the loss along v. With u = ∂x/∂θ v that is ℓ = ∂L/∂x·u + ∂L/∂θ·v, a loss on the system
//
//	x' = f(t, x, θ),   u' = (∂f/∂x) u + (∂f/∂θ) v,   u(T0) = ∂x0/∂θ v,
//
// whose gradient by θ the discrete adjoint gives: forward over reverse, at the cost of a few gradients whatever the number of parameters.
//
// B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994), 147–160.

// HessianVector writes H v into hv, both of length NTheta, H the matrix of second derivatives of the loss by θ; entries of v that are switches count as 0, and theirs of hv are 0. The results
// mean what those of Adjoint mean; the solution has the states followed by u. The second derivatives of the loss itself are extrapolated central differences of its gradient, good to
// nine digits; those of the system are exact. Events, jumps, invariants and mass matrices that depend on θ are refused.
func HessianVector(ctx context.Context, p *solve.Problem, loss Loss, v, hv []float64) (float64, *solve.Solution, error) {
	q, err := prepare(p, loss)
	if err != nil {
		return 0, nil, err
	}
	sys := q.Sys
	nx, nth := sys.NX, sys.NTheta
	if len(v) != nth || len(hv) != nth {
		return 0, nil, fmt.Errorf("the direction has %d entries and the product room for %d, of %d parameters", len(v), len(hv), nth)
	}
	if err := twice(&q); err != nil {
		return 0, nil, err
	}
	clear(hv)
	v = append([]float64(nil), v...)
	for _, i := range switches(sys) {
		v[i] = 0
	}
	if zero(v) {
		value, sol, err := new(Workspace).Value(ctx, p, loss)
		return value, sol, err
	}
	along := &alongLoss{loss: loss, nx: nx, nth: nth, th: q.Theta}
	q.Sys = double(sys, q.Theta)
	q.Theta = append(append([]float64(nil), q.Theta...), v...)
	if p.X0 != nil {
		q.X0 = append(append([]float64(nil), p.X0...), make([]float64, nx)...)
	}
	// u is as large as v makes it.
	size := 0.0
	for i, d := range v {
		size = max(size, math.Abs(d)/max(math.Abs(q.Theta[i]), 0.1))
	}
	_, atol := tolerances(p)
	q.AtolVec = append(append([]float64(nil), atol...), atol...)
	for i := range nx {
		q.AtolVec[nx+i] *= size
	}
	q.ErrGroup, q.ErrStates = nx, 0
	g := make([]float64, 2*nth)
	_, sol, err := Adjoint(ctx, &q, along, g)
	if err != nil {
		return along.value, sol, err
	}
	if ok, err := complete(sol, len(q.Times)); !ok || along.value-along.value != 0 {
		return along.value, sol, err
	}
	copy(hv, g[:nth])
	for _, i := range switches(sys) {
		hv[i] = 0
	}
	return along.value, sol, nil
}

// twice refuses what is not differentiated twice.
func twice(q *solve.Problem) error {
	sys := q.Sys
	no := func(why string) error { return refuse("%s has no Hessian–vector products: %s", nameOf(sys), why) }
	switch {
	case sys.NoGradient != "":
		return no(sys.NoGradient)
	case sys.NoSecond != "":
		return no(sys.NoSecond)
	case len(sys.Events) > 0:
		return no(fmt.Sprintf("events such as `%s` are differentiated once only", sys.Events[0].Name))
	case len(sys.Jumps) > 0:
		return no(fmt.Sprintf("jumps such as `%s` are differentiated once only", sys.Jumps[0].Name))
	case sys.Invariants != nil:
		return no("the projection onto its invariants is differentiated once only")
	}
	if m := newMassByTheta(sys); m != nil {
		m.prepare(q.Theta)
		if m.depends(sys.NTheta) {
			return no("its mass matrix depends on parameters, which is differentiated once only")
		}
	}
	return whole(q, "a Hessian–vector product")
}

// alongLoss is the derivative of a loss along a direction, as a loss on the states and their derivatives.
type alongLoss struct {
	loss    Loss
	nx, nth int
	th      []float64
	value   float64 // of the loss itself

	x, u, gx, gth, at, th2 []float64
	d                      [2][]float64
}

// Times implements Loss.
func (l *alongLoss) Times() []float64 { return l.loss.Times() }

// Eval implements Loss.
func (l *alongLoss) Eval(xu, thv, gxu, gthv []float64) (float64, error) {
	nx, nth := l.nx, l.nth
	n := len(xu) / 2
	l.x, l.u = resized(l.x, n), resized(l.u, n)
	for i := range n {
		row, col := i/nx, i%nx
		l.x[i], l.u[i] = xu[2*row*nx+col], xu[(2*row+1)*nx+col]
	}
	th, v := thv[:nth], thv[nth:2*nth]
	l.gx, l.gth = resized(l.gx, n), resized(l.gth, nth)
	clear(l.gth)
	var err error
	if l.value, err = l.loss.Eval(l.x, th, l.gx, l.gth); err != nil || l.value-l.value != 0 {
		return l.value, err
	}
	slope := dot(l.gx, l.u) + dot(l.gth, v)
	if gxu == nil {
		return slope, nil
	}
	if err := l.bend(th, v); err != nil {
		return 0, err
	}
	for i := range n {
		row, col := i/nx, i%nx
		gxu[2*row*nx+col], gxu[(2*row+1)*nx+col] = l.d[0][i], l.gx[i]
	}
	if gthv != nil {
		add(gthv[:nth], 1, l.d[0][n:])
		add(gthv[nth:2*nth], 1, l.gth)
	}
	return slope, nil
}

// bendStep is the step of the differences relative to what moves, bendApart by how much those of a step and of half of it may differ, of the largest: the extrapolated one is then as good as
// its square. bendTries is how often a step that is too long is made a tenth.
const (
	bendStep  = 1e-3
	bendApart = 1e-5
	bendTries = 5
)

// bend writes the derivative of the loss's gradient, by states and by θ, along (u, v) into d[0].
func (l *alongLoss) bend(th, v []float64) error {
	n, nth := len(l.x), l.nth
	for k := range l.d {
		l.d[k] = resized(l.d[k], n+nth)
		clear(l.d[k])
	}
	h := l.reach(th, v)
	if math.IsInf(h, 1) {
		return nil
	}
	best, least := make([]float64, n+nth), math.Inf(1)
	for range bendTries {
		finite, err := l.slopes(h, th, v)
		if err != nil {
			return err
		}
		if finite {
			apart, size := 0.0, 0.0
			for i, near := range l.d[1] {
				apart, size = max(apart, math.Abs(near-l.d[0][i])), max(size, math.Abs(near))
			}
			if size > 0 {
				apart /= size
			}
			if apart < least {
				least = apart
				for i, wide := range l.d[0] {
					best[i] = (4*l.d[1][i] - wide) / 3
				}
			}
			if apart <= bendApart {
				break
			}
		}
		// The loss bends within the step, or has no value at its ends.
		h /= 10
	}
	if math.IsInf(least, 1) {
		return helped(refuse("there is no Hessian–vector product here: the loss has no finite derivatives beside the solution, however near"), "take values at which the loss is smooth")
	}
	copy(l.d[0], best)
	return nil
}

// reach is the first step: nothing that moves changes by more than bendStep of its own size, which for a state that passes through zero is a part of what it is at other times. What
// does not move has no say. Inf where nothing moves.
func (l *alongLoss) reach(th, v []float64) float64 {
	h, nx := math.Inf(1), l.nx
	one := func(size, otherwise, move float64) {
		if move == 0 {
			return
		}
		if size = max(size, bendStep*otherwise); size == 0 {
			size = bendStep
		}
		h = min(h, bendStep*size/math.Abs(move))
	}
	for c := range nx {
		largest := 0.0
		for i := c; i < len(l.x); i += nx {
			largest = max(largest, math.Abs(l.x[i]))
		}
		for i := c; i < len(l.x); i += nx {
			one(math.Abs(l.x[i]), largest, l.u[i])
		}
	}
	for i, d := range v {
		one(math.Abs(th[i]), 0, d)
	}
	return h
}

// slopes writes the central differences of step h into d[0], and those of half of it into d[1]; false where they are not finite.
func (l *alongLoss) slopes(h float64, th, v []float64) (finite bool, err error) {
	n, nth := len(l.x), l.nth
	l.at, l.th2 = resized(l.at, n), resized(l.th2, nth)
	gx, gth := make([]float64, n), make([]float64, nth)
	for k, step := range [...]float64{h, h / 2} {
		clear(l.d[k])
		for _, sign := range [...]float64{1, -1} {
			copy(l.at, l.x)
			add(l.at, sign*step, l.u)
			copy(l.th2, th)
			add(l.th2, sign*step, v)
			clear(gth)
			value, err := l.loss.Eval(l.at, l.th2, gx, gth)
			if err != nil {
				return false, err
			}
			if value-value != 0 {
				return false, nil
			}
			add(l.d[k][:n], sign/(2*step), gx)
			add(l.d[k][n:], sign/(2*step), gth)
		}
		for _, d := range l.d[k] {
			if d-d != 0 {
				return false, nil
			}
		}
	}
	return true, nil
}

func resized(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}

// double is the system of the states followed by their derivatives along a direction, which is the second half of θ.
func double(sys *system.System, th []float64) *system.System {
	nx := sys.NX
	out := &system.System{
		Name: sys.Name, NX: 2 * nx, NTheta: 2 * sys.NTheta, RHS: newDoubled(sys.RHS), Signals: sys.Signals, Kinks: sys.Kinks, Latent: make([]bool, 2*len(sys.States)),
	}
	if sys.Init != nil {
		out.Init = newDoubled(sys.Init)
	}
	if sys.ByTime != nil {
		out.ByTime = func() system.Func { return newDoubled(sys.ByTime()) }
	}
	if sys.Explain != nil {
		out.Explain = func(t float64, x, th []float64) *system.Fault { return sys.Explain(t, x[:nx], th[:sys.NTheta]) }
	}
	for k := range 2 {
		mark := ""
		if k > 0 {
			mark = "d"
		}
		for _, s := range sys.States {
			s.Name, s.Off = mark+s.Name, s.Off+k*nx
			out.States = append(out.States, s)
		}
		for _, s := range sys.Theta {
			s.Name, s.Off = mark+s.Name, s.Off+k*sys.NTheta
			out.Theta = append(out.Theta, s)
		}
		out.Algebraic = append(out.Algebraic, sys.Algebraic...)
		out.Guesses = append(out.Guesses, sys.Guesses...)
	}
	if sys.Pattern != nil {
		out.Pattern = blocks(sys.Pattern, 1, true)
	}
	if sys.Mass != nil {
		// Its entries do not depend on θ.
		one := make([]float64, sys.Mass.Pattern.NNZ())
		sys.Mass.Values.Clone().Eval(one, 0, nil, th)
		out.Mass = &system.Mass{Pattern: blocks(sys.Mass.Pattern, 1, false), Values: constants(append(one[:len(one):len(one)], one...))}
	}
	return out
}

// doubled is (t, [x, u], [θ, v]) → [f, (∂f/∂x) u + (∂f/∂θ) v].
type doubled struct {
	f, tangent  system.Func
	nx, nth, nz int
}

var _ system.Func = (*doubled)(nil)

func newDoubled(f system.Func) *doubled {
	d := &doubled{f: f.Clone(), tangent: f.Tangent()}
	d.nx, d.nth, d.nz = f.Dims()
	return d
}

// Dims implements system.Func.
func (d *doubled) Dims() (x, th, z int) { return 2 * d.nx, 2 * d.nth, 2 * d.nz }

// Prepare implements system.Func.
func (d *doubled) Prepare(th []float64) {
	d.f.Prepare(th[:d.nth])
	d.tangent.Prepare(th)
}

// Eval implements system.Func.
func (d *doubled) Eval(z []float64, t float64, x, th []float64) {
	if th != nil {
		d.Prepare(th)
	}
	d.f.Eval(z[:d.nz], t, x[:d.nx], nil)
	d.tangent.Eval(z[d.nz:2*d.nz], t, x, nil)
}

// VJP implements system.Func.
func (d *doubled) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	if th != nil {
		d.Prepare(th)
	}
	var gx1, gth1 []float64
	if gx != nil {
		gx1 = gx[:d.nx]
	}
	if gth != nil {
		gth1 = gth[:d.nth]
	}
	return d.f.VJP(gx1, gth1, t, x[:d.nx], nil, gz[:d.nz]) + d.tangent.VJP(gx, gth, t, x, nil, gz[d.nz:2*d.nz])
}

// JVP implements system.Func.
func (d *doubled) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if th != nil {
		d.Prepare(th)
	}
	var dx1, dth1 []float64
	if dx != nil {
		dx1 = dx[:d.nx]
	}
	if dth != nil {
		dth1 = dth[:d.nth]
	}
	d.f.JVP(dz[:d.nz], t, x[:d.nx], nil, dt, dx1, dth1)
	d.tangent.JVP(dz[d.nz:2*d.nz], t, x, nil, dt, dx, dth)
}

// Clone implements system.Func.
func (d *doubled) Clone() system.Func { return newDoubled(d.f) }

// Tangent implements system.Func.
func (d *doubled) Tangent() system.Func {
	t := &doubledTangent{d: d, first: d.f.Tangent(), second: d.tangent.Tangent()}
	t.x, t.th, t.gx, t.gth = make([]float64, 2*d.nx), make([]float64, 2*d.nth), make([]float64, 2*d.nx), make([]float64, 2*d.nth)
	t.dx, t.dth = make([]float64, 2*d.nx), make([]float64, 2*d.nth)
	return t
}

// doubledTangent is the tangent of a doubled function: of [x, u] and its direction [dx, du], of [θ, v] and theirs. Its first half wants of these those without u and v.
type doubledTangent struct {
	d             *doubled
	first, second system.Func
	x, th, gx, gth,
	dx, dth []float64
}

var _ system.Func = (*doubledTangent)(nil)

// pick takes the first quarter and the third of v.
func pick(out, v []float64) []float64 {
	n := len(out) / 2
	copy(out[:n], v[:n])
	copy(out[n:], v[2*n:3*n])
	return out
}

// Dims implements system.Func.
func (d *doubledTangent) Dims() (x, th, z int) { return 4 * d.d.nx, 4 * d.d.nth, 2 * d.d.nz }

// Prepare implements system.Func.
func (d *doubledTangent) Prepare(th []float64) {
	d.first.Prepare(pick(d.th, th))
	d.second.Prepare(th)
}

// Eval implements system.Func.
func (d *doubledTangent) Eval(z []float64, t float64, x, th []float64) {
	if th != nil {
		d.Prepare(th)
	}
	nz := d.d.nz
	d.first.Eval(z[:nz], t, pick(d.x, x), nil)
	d.second.Eval(z[nz:2*nz], t, x, nil)
}

// VJP implements system.Func.
func (d *doubledTangent) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	if th != nil {
		d.Prepare(th)
	}
	nz := d.d.nz
	clear(d.gx)
	clear(d.gth)
	s := d.first.VJP(d.gx, d.gth, t, pick(d.x, x), nil, gz[:nz])
	give := func(to, from []float64) {
		if n := len(from) / 2; to != nil {
			add(to[:n], 1, from[:n])
			add(to[2*n:3*n], 1, from[n:])
		}
	}
	give(gx, d.gx)
	give(gth, d.gth)
	return s + d.second.VJP(gx, gth, t, x, nil, gz[nz:2*nz])
}

// JVP implements system.Func.
func (d *doubledTangent) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if th != nil {
		d.Prepare(th)
	}
	nz := d.d.nz
	var dx1, dth1 []float64
	if dx != nil {
		dx1 = pick(d.dx, dx)
	}
	if dth != nil {
		dth1 = pick(d.dth, dth)
	}
	d.first.JVP(dz[:nz], t, pick(d.x, x), nil, dt, dx1, dth1)
	d.second.JVP(dz[nz:2*nz], t, x, nil, dt, dx, dth)
}

// Tangent implements system.Func.
func (d *doubledTangent) Tangent() system.Func { return &nothing{d} }

// Clone implements system.Func.
func (d *doubledTangent) Clone() system.Func { return newDoubled(d.d.f).Tangent() }

// nothing is a derivative that is not offered; it is not a number.
type nothing struct{ *doubledTangent }

// Eval implements system.Func.
func (n *nothing) Eval(z []float64, _ float64, _, _ []float64) { spoil(z) }
