package sens

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// backsolve integrates the states backwards too, together with λ and the integral over θ, from where the solution ended. It is told how far that departs from the solution
// itself; what the equations damp forwards grows backwards.
//
// R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, Neural ordinary differential equations, NeurIPS 2018; A. Gholami, K. Keutzer, G. Biros, ANODE:
// unconditionally accurate memory-efficient gradients for neural ODEs, IJCAI 2019, for what goes wrong.
type backsolve struct {
	r    *backwards
	p    solve.Problem
	ws   solve.Workspace
	x0   []float64
	rate []float64
	f    system.Func
	x    []float64 // the state that it has come to
	at   float64   // and where
	seen int       // the track that x belongs to
	size []float64 // of the states over the solution

	worst      float64 // in tolerances
	worstAt    float64
	worstState int
	worstBy    float64
}

// departs is by how many tolerances the states may depart before that is told.
const departs = 1000

func (r *backwards) beginBacksolve() error {
	sys, nx, nth := r.q.Sys, r.q.Sys.NX, len(r.g)
	for i := range nth {
		r.by = append(r.by, i)
	}
	f := &reverseRHS{tr: r.track, sys: sys, nx: nx, nth: nth, f: sys.RHS.Clone()}
	all := &system.System{
		Name: "the " + r.name + " of " + nameOf(sys), NX: 2*nx + nth, RHS: f,
		NoGradient: "derivatives of an adjoint are not offered", NoSecond: "derivatives of an adjoint are not offered",
	}
	all.States = append(all.States, sys.States...)
	for i, name := range sys.StateNames() {
		all.States = append(all.States, system.Slot{Name: "∂loss/∂" + name, Off: nx + i})
	}
	for i, name := range thetaNames(sys) {
		all.States = append(all.States, system.Slot{Name: "∂loss/∂" + name, Off: 2*nx + i})
	}
	all.Latent = make([]bool, len(all.States))
	if fam := r.solver().Info().Family; sys.NoSecond != "" && (fam.Implicit() || fam == method.Automatic) {
		return refuse("%s has no backsolve adjoint through %s: %s", nameOf(sys), r.solver().Info().Name, sys.NoSecond)
	}
	w := &backsolve{r: r, p: r.problem(all), x0: make([]float64, all.NX), rate: make([]float64, all.NX), f: f.Clone(), x: make([]float64, nx), size: make([]float64, nx)}
	for n := range r.sol.NumSteps() {
		for i, v := range r.sol.StepRecord(n).X {
			w.size[i] = max(w.size[i], math.Abs(v))
		}
	}
	for i, v := range r.sol.XEnd {
		w.size[i] = max(w.size[i], math.Abs(v))
	}
	r.way = w
	return nil
}

func (w *backsolve) over(from, to float64) error {
	r := w.r
	nx := len(r.lam)
	if w.seen != r.track.version || w.at != from {
		// What happened at the start of this track is known, and so is the state before.
		r.track.at(from, w.x)
		w.seen = r.track.version
	}
	clear(w.x0)
	copy(w.x0, w.x)
	copy(w.x0[nx:], r.lam)
	w.p.X0 = w.x0
	span := r.span(&w.p, from, to)
	w.f.Eval(w.rate, 0, w.x0, nil)
	if !finite(w.rate) {
		return r.spoilt(from)
	}
	_, atol := tolerances(r.q)
	copy(w.p.AtolVec, atol)
	r.sizes(w.p.AtolVec[nx:], w.x0[nx:2*nx], w.rate[2*nx:], span)
	sol, err := w.ws.Solve(r.ctx, &w.p)
	if err != nil {
		return err
	}
	r.sol.Stats.Backward += sol.Stats.Steps
	if sol.Status == solve.Cancelled {
		return r.came(sol)
	}
	if sol.Status != solve.Done {
		return helped(refuse("backsolve cannot find the way back: %v", sol.Fault), "take adjoint = interpolating or quadrature, which read the states from the solution")
	}
	copy(w.x, sol.XEnd)
	w.at = to
	copy(r.lam, sol.XEnd[nx:2*nx])
	for i, v := range sol.XEnd[2*nx:] {
		r.g[i] += v
		r.parts[i] += math.Abs(v)
	}
	w.compare(to)
	return nil
}

// compare holds the states against the solution.
func (w *backsolve) compare(t float64) {
	r := w.r
	there := w.x0[:len(w.x)]
	r.track.at(t, there)
	rtol, atol := tolerances(r.q)
	for i, v := range there {
		by := math.Abs(v - w.x[i])
		if d := by / (atol[i] + rtol*w.size[i]); d > w.worst || d != d {
			w.worst, w.worstAt, w.worstState, w.worstBy = d, t, i, by
		}
	}
	if w.worst <= departs {
		return
	}
	r.sol.Stats.DepartedBy = w.worst
	r.sol.Stats.Departed = fmt.Sprintf("the states integrated backwards depart from the solution: at t = %.6g `%s` is off by %.3g, %.3g %% of its size and %.3g times the tolerance; the gradient by backsolve is no better than that",
		w.worstAt, r.q.Sys.StateNames()[w.worstState], w.worstBy, 100*w.worstBy/max(w.size[w.worstState], math.SmallestNonzeroFloat64), w.worst)
}

// reverseRHS is (s, [x, λ, q]) → [−f, (∂f/∂x)ᵀ λ, (∂f/∂θ)ᵀ λ], backwards.
type reverseRHS struct {
	tr       *track
	sys      *system.System
	nx, nth  int
	f        system.Func
	tangent  system.Func
	byTime   system.Func
	version  int
	th2, gth []float64
	xu, gxu  []float64
}

var _ system.Func = (*reverseRHS)(nil)

func (b *reverseRHS) follow() {
	if b.version != b.tr.version {
		b.version = b.tr.version
		b.f.Prepare(b.tr.th)
		if b.tangent != nil {
			b.prepare()
		}
	}
}

func (b *reverseRHS) prepare() {
	copy(b.th2, b.tr.th)
	b.tangent.Prepare(b.th2)
	if b.byTime != nil {
		b.byTime.Prepare(b.tr.th)
	}
}

// Dims implements system.Func.
func (b *reverseRHS) Dims() (x, th, z int) { return 2*b.nx + b.nth, 0, 2*b.nx + b.nth }

// Prepare implements system.Func.
func (b *reverseRHS) Prepare([]float64) {}

// Eval implements system.Func.
func (b *reverseRHS) Eval(z []float64, s float64, y, _ []float64) {
	b.follow()
	nx, t := b.nx, b.tr.time(s)
	b.f.Eval(z[:nx], t, y[:nx], nil)
	b.product(z, t, y[:nx], y[nx:2*nx])
	b.turn(z)
}

// turn makes derivatives by t of the states, and the rest as if integrated over t forwards, those by s.
func (b *reverseRHS) turn(z []float64) {
	states, rest := -b.tr.dir, b.tr.dir
	for i := range z[:2*b.nx+b.nth] {
		if i < b.nx {
			z[i] *= states
		} else {
			z[i] *= rest
		}
	}
}

// product writes what is linear in λ.
func (b *reverseRHS) product(z []float64, t float64, x, lam []float64) {
	nx := b.nx
	rest := z[nx : 2*nx+b.nth]
	clear(rest)
	b.f.VJP(rest[:nx], rest[nx:], t, x, nil, lam)
}

// JVP implements system.Func.
func (b *reverseRHS) JVP(dz []float64, s float64, y, _ []float64, ds float64, dy, _ []float64) {
	b.follow()
	nx, t, dt := b.nx, b.tr.time(s), -b.tr.dir*ds
	x, lam := y[:nx], y[nx:2*nx]
	if dy == nil {
		clear(dz[:2*nx+b.nth])
		b.f.JVP(dz[:nx], t, x, nil, dt, nil, nil)
	} else {
		b.f.JVP(dz[:nx], t, x, nil, dt, dy[:nx], nil)
		b.product(dz, t, x, dy[nx:2*nx])
	}
	if b.tangent == nil {
		b.tangent = b.f.Tangent()
		if b.sys.ByTime != nil {
			b.byTime = b.sys.ByTime()
		}
		b.th2, b.gth = make([]float64, 2*b.nth), make([]float64, 2*b.nth)
		b.xu, b.gxu = make([]float64, 2*nx), make([]float64, 2*nx)
		b.prepare()
	}
	clear(b.gxu)
	clear(b.gth)
	if dy != nil {
		copy(b.xu, x)
		copy(b.xu[nx:], dy[:nx])
		b.tangent.VJP(b.gxu, b.gth, t, b.xu, nil, lam)
	}
	add(dz[nx:2*nx], 1, b.gxu)
	add(dz[2*nx:2*nx+b.nth], 1, b.gth)
	if dt != 0 && b.byTime != nil {
		clear(b.gxu)
		clear(b.gth)
		b.byTime.VJP(b.gxu[:nx], b.gth[:b.nth], t, x, nil, lam)
		add(dz[nx:2*nx], dt, b.gxu)
		add(dz[2*nx:2*nx+b.nth], dt, b.gth)
	}
	b.turn(dz)
}

// VJP implements system.Func; nobody asks for it.
func (b *reverseRHS) VJP(gx, gth []float64, _ float64, _, _, _ []float64) float64 {
	spoil(gx)
	spoil(gth)
	return 0
}

// Tangent implements system.Func; nobody asks for it.
func (b *reverseRHS) Tangent() system.Func { return b }

// Clone implements system.Func.
func (b *reverseRHS) Clone() system.Func {
	return &reverseRHS{tr: b.tr, sys: b.sys, nx: b.nx, nth: b.nth, f: b.f.Clone()}
}
