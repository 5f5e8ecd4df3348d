package sens

import (
	"context"
	"errors"
	"fmt"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// The discrete adjoint is the reverse of the accepted steps, their sizes held fixed: with λ the
// derivative of the loss by the state at the end of a step, and κ_i that by stage k_i,
//
//	κ_i = h B_i λ + h Σ_{j>i} A[j][i] μ_j + h Σ_outputs b_i(θ) ∂L/∂x,   μ_j = (∂f/∂x)ᵀ κ_j,
//	λ  ← λ + Σ_j μ_j + Σ_outputs ∂L/∂x,   dL/dθ += Σ_j (∂f/∂θ)ᵀ κ_j.
//
// W. W. Hager, Runge–Kutta methods in optimal control and the transformed adjoint system,
// Numerische Mathematik 87 (2000), 247–282; A. Sandu, On the properties of Runge–Kutta discrete
// adjoints, Lecture Notes in Computer Science 3994 (2006), 550–557.

// Adjoint computes the gradient of a loss by the discrete adjoint: the exact derivative, up to
// rounding, of the numbers that the solver computes over steps held fixed. Only where an event ends a step it is as exact as the tolerance, no
// more: its time moves as the solution does, along f. The projection of steps onto invariants is differentiated, up to squares of what it moves. Initial values that the solver makes
// consistent are differentiated as such: a first guess that gives way has no part in the loss. It writes dL/dθ into g, length NTheta, which
// includes initial values where they depend on θ; entries that are switches get 0. p.Times is not used.
//
// Where the solve does not come to its end, the value is +∞, g is 0, and the solution's status
// and fault tell why; the error is nil. An error is a call that makes no sense, an error of the
// loss itself, a gradient that is not finite (*NonFinite), or the cause of ctx if it ends during
// the backward pass.
func Adjoint(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	return new(Workspace).Adjoint(ctx, p, loss, g)
}

// Workspace computes gradients one after the other in the same memory, as training does. The
// zero value is ready. A solution it returns is valid until the next call. A Workspace serves
// one goroutine.
type Workspace struct {
	fwd       solve.Workspace
	problem   solve.Problem
	keeping   solve.Checkpoints // of problem
	sys       *system.System
	rhs, init system.Func
	flags     []int
	sc        *solve.Scheme

	gx           []float64 // of the loss by the outputs
	lam, xb      []float64 // by the states at the end and at the start of a step
	mu, point    []float64
	kb           [][]float64    // by the stages
	kbflat       []float64      // their memory, one after the other
	whole        system.Reverse // a step in one piece, nil where there is none
	k            [][]float64    // the stages
	kbuf, weight []float64
	engine       reverse // of steps that no explicit Runge–Kutta method made, nil where there are none
	engineOf     method.Method
	onto         *solve.Projection // of the system, nil where it has no invariants
	rtol         float64           // that it measures by
	atol         []float64
	from         []float64        // what a step led to before it was projected
	rec          solve.StepRecord // the step it is at
	algebra      *solve.Algebra   // of states within steps, nil where there is no mass matrix
	atStart      []float64        // by the state at the start of a step, through those within
	engineTh     []float64        // θ it was prepared for in this backward pass, nil before
	hand         []float64        // by the first stage of the step that follows, which is the last of this one
	handed       bool

	jumps                     *jumps
	fired                     int       // how many events lie before where the backward pass is
	jumped                    int       // how many jumps of the right-hand side
	th                        []float64 // as the step it is at saw it
	thAfter, thBefore, thLast []float64
	suspect                   suspect
	gt                        []float64 // of the loss by their times; empty for a loss that does not read them
}

// bind makes the buffers for a solution.
func (w *Workspace) bind(sol *solve.Solution, nt int) {
	sc, nx, sys := sol.Scheme(), sol.NX, w.problem.Sys
	if w.sys != sys {
		w.rhs, w.init = sys.RHS.Clone(), nil
		if sys.Init != nil {
			w.init = sys.Init.Clone()
		}
		w.flags = switches(sys)
		w.onto, w.from = solve.NewProjection(sys), make([]float64, nx)
		if w.jumps = nil; len(sys.Events)+len(sys.Jumps) > 0 {
			w.jumps = newJumps(sys)
		}
	}
	if w.sys != sys {
		w.engine, w.algebra, w.atStart = nil, solve.NewAlgebra(sys), make([]float64, nx)
	}
	if sc == nil {
		if w.sys != sys || w.lam == nil {
			w.lam, w.xb, w.hand = make([]float64, nx), make([]float64, nx), make([]float64, nx)
		}
		w.whole = nil
	} else if w.sys != sys || w.sc != sc {
		n := sc.Stages()
		w.lam, w.xb, w.mu, w.point, w.hand = make([]float64, nx), make([]float64, nx), make([]float64, nx), make([]float64, nx), make([]float64, nx)
		w.kb, w.k = make([][]float64, n), make([][]float64, n)
		w.kbflat = make([]float64, n*nx)
		for i := range w.kb {
			w.kb[i] = w.kbflat[i*nx : (i+1)*nx]
		}
		w.whole = nil
		if sys.Reversing != nil {
			w.whole = sys.Reversing(sc.Method)
		}
		w.kbuf = make([]float64, (n-sc.Method.Stages)*nx)
		w.weight = make([]float64, n)
	}
	w.sys, w.sc = sys, sc
	if cap(w.gx) < nt*nx {
		w.gx = make([]float64, nt*nx)
	}
	w.gx = w.gx[:nt*nx]
}

// GX0 is the derivative of the last loss by the initial state, length NX: for problems whose
// initial state was given as X0. That by a first guess that gives way is 0. Read only, valid until the next call.
func (w *Workspace) GX0() []float64 { return w.lam }

// Value computes the loss alone, with the same results as Adjoint.
func (w *Workspace) Value(ctx context.Context, p *solve.Problem, loss Loss) (float64, *solve.Solution, error) {
	var err error
	if w.problem, err = prepare(p, loss); err != nil {
		return 0, nil, err
	}
	w.problem.NoDense = true
	sol, err := w.fwd.Solve(ctx, &w.problem)
	if err != nil {
		return 0, nil, err
	}
	if ok, err := complete(sol, len(w.problem.Times)); !ok {
		return failed, sol, err
	}
	v, err := evaluate(loss, sol, sol.Events, w.problem.Theta, nil, nil, nil)
	return v, sol, err
}

// Adjoint is the function Adjoint, in the memory of the workspace.
func (w *Workspace) Adjoint(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	var err error
	if w.problem, err = prepare(p, loss); err != nil {
		return 0, nil, err
	}
	q := &w.problem
	if len(g) != q.Sys.NTheta {
		return 0, nil, fmt.Errorf("the gradient has room for %d of %d parameters", len(g), q.Sys.NTheta)
	}
	if err := differentiable(q.Sys, "discrete adjoint"); err != nil {
		return 0, nil, err
	}
	if err := whole(q, "discrete adjoint"); err != nil {
		return 0, nil, err
	}
	if err := reducible(q, "discrete adjoint"); err != nil {
		return 0, nil, err
	}
	q.NoDense = false
	w.bound(p.Checkpoints)
	clear(g)
	sol, err := w.fwd.Solve(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	if ok, err := complete(sol, len(q.Times)); !ok {
		return failed, sol, err
	}
	w.bind(sol, len(q.Times))
	value, err := evaluate(loss, sol, sol.Events, q.Theta, w.gx, g, &w.gt)
	if err != nil {
		clear(g)
		return value, sol, err
	}
	if value-value != 0 {
		clear(g)
		return value, sol, nil
	}
	if _, err = w.backward(ctx, sol, g, false); err != nil {
		clear(g)
		return value, sol, err
	}
	if whole := w.whole; whole != nil && !finite(g) {
		// The ordinary loop leaves out stages that nothing comes through, where a derivative may be infinite.
		w.whole = nil
		clear(g)
		if _, err = evaluate(loss, sol, sol.Events, q.Theta, w.gx, g, &w.gt); err == nil {
			_, err = w.backward(ctx, sol, g, false)
		}
		w.whole = whole
		if err != nil {
			clear(g)
			return value, sol, err
		}
	}
	for _, i := range w.flags {
		g[i] = 0
	}
	if !finite(g) {
		// Once more, to see where.
		again := make([]float64, len(g))
		if _, err = evaluate(loss, sol, sol.Events, q.Theta, w.gx, again, &w.gt); err != nil {
			return value, sol, err
		}
		w.suspect.found = false
		t, err := w.backward(ctx, sol, again, true)
		if err != nil {
			return value, sol, err
		}
		err = checkGradient(q.Sys, g, nil, t)
		var e *NonFinite
		if errors.As(err, &e) {
			e.blame(q, sol, loss, w.gx, &w.suspect)
		}
		return value, sol, err
	}
	return value, sol, nil
}

// bound lets steps that memory does not hold be made again, and counts in its limit what the loss is differentiated by.
func (w *Workspace) bound(c *solve.Checkpoints) {
	q := &w.problem
	if w.keeping = (solve.Checkpoints{}); c != nil {
		w.keeping = *c
	}
	q.Checkpoints = &w.keeping
	w.keeping.Beside = 8 * int64(len(q.Times)*q.Sys.NX)
}

// backward walks the steps from the last to the first and adds to g. With look it returns the
// time at which a value ceased to be finite.
func (w *Workspace) backward(ctx context.Context, sol *solve.Solution, g []float64, look bool) (bad float64, err error) {
	q := &w.problem
	nx := sol.NX
	th := q.Theta
	dir := 1.0
	if q.T1 < q.T0 {
		dir = -1
	}
	w.rhs.Prepare(th)
	if w.whole != nil {
		w.whole.Prepare(th)
	}
	clear(w.lam)
	clear(w.hand)
	w.handed, w.engineTh = false, nil
	bad = q.T0
	var done <-chan struct{}
	if ctx != nil {
		done = ctx.Done()
	}
	w.fired, w.jumped = len(sol.Events), len(sol.Jumps)
	if w.jumps != nil {
		w.jumps.prepare(q)
	}
	if w.onto != nil {
		w.onto.Prepare(th)
		w.rtol, w.atol = tolerances(q)
	}
	if w.th = th; sol.Frozen() {
		w.thLast = sol.StepTheta(sol.NumSteps(), w.thLast)
		w.see(w.thLast)
	}
	o := len(q.Times) - 1
	for n := sol.NumSteps() - 1; n >= 0; n-- {
		select {
		case <-done:
			return bad, context.Cause(ctx)
		default:
		}
		if err := w.fwd.Recall(ctx, n); err != nil {
			return bad, err
		}
		if w.fired+w.jumped > 0 {
			if err := w.jump(sol, n+1, &o, g); err != nil {
				return bad, err
			}
		}
		st := sol.StepRecord(n)
		if st.Cut {
			return bad, refuse("an event cuts a step of %s at t = %.6g, which has no discrete adjoint: take a one-step method, such as Tsit5 or Rodas5P", sol.Used(), st.T1)
		}
		if !w.handed && zero(w.lam) && !(w.engineTh != nil && w.engine.waits()) && (o < 0 || (q.Times[o]-st.T)*dir <= 0) {
			continue // nothing after this step counts
		}
		if look {
			w.suspect.before(w.lam)
		}
		if st.Engine {
			if o, err = w.stepEngine(sol, st, o, dir, g); err != nil {
				return bad, err
			}
			if look && !(finite(w.lam) && finite(g)) {
				look, bad = false, st.T1
				w.suspect.accuse(&st)
			}
			continue
		}
		w.open(&st)
		inside := false
		for ; o >= 0 && (q.Times[o]-st.T)*dir > 0; o-- {
			gx := w.gx[o*nx : (o+1)*nx]
			if (q.Times[o]-st.T1)*dir >= 0 {
				add(w.lam, 1, gx)
				continue
			}
			inside = true
			add(w.xb, 1, gx)
			idx := w.sc.DenseWeights((q.Times[o]-st.T)/st.H, w.weight)
			for m, i := range idx {
				add(w.kb[i], st.H*w.weight[m], gx)
			}
		}
		w.step(&st, g, inside)
		if look && !(finite(w.lam) && finite(w.hand) && finite(g)) {
			look, bad = false, st.T1
			w.suspect.accuse(&st)
		}
	}
	for ; o >= 0; o-- {
		add(w.lam, 1, w.gx[o*nx:(o+1)*nx])
	}
	if w.handed {
		x0 := sol.XEnd
		if sol.NumSteps() > 0 {
			x0 = sol.StepRecord(0).X
		}
		w.rhs.VJP(w.lam, g, q.T0, x0, nil, w.hand)
		w.handed = false
		if look && !(finite(w.lam) && finite(g)) {
			look = false
			w.suspect.accuse(&solve.StepRecord{T: q.T0, X: x0, T1: q.T0, X1: x0})
		}
	}
	if w.fired+w.jumped > 0 {
		if err := w.jump(sol, 0, &o, g); err != nil {
			return bad, err
		}
	}
	if err := w.initial(g); err != nil {
		return bad, err
	}
	if q.X0 == nil {
		w.init.VJP(nil, g, q.T0, nil, th, w.lam)
	}
	return bad, nil
}

// stepEngine carries λ over a step that no explicit Runge–Kutta method made, with the outputs in it, of which the last is o.
func (w *Workspace) stepEngine(sol *solve.Solution, rec solve.StepRecord, o int, dir float64, g []float64) (int, error) {
	q := &w.problem
	nx := sol.NX
	w.rec = rec
	st := &w.rec
	if m := sol.EngineMethod(); w.engine == nil || w.engineOf != m {
		var err error
		if w.engine, err = newReverse(m, q.Sys); err != nil {
			return o, err
		}
		w.engineOf, w.engineTh = m, nil
	}
	if w.engineTh == nil {
		w.engine.prepare(w.th)
		w.engineTh = w.th
		if w.algebra != nil {
			rtol, atol := sol.Tolerances()
			w.algebra.Prepare(w.th, rtol, atol)
		}
	}
	if w.handed { // the next step took its first stage at its start, which is this step's end
		w.rhs.VJP(w.lam, g, st.T1, st.X1, nil, w.hand)
		clear(w.hand)
		w.handed = false
	}
	for ; o >= 0 && (q.Times[o]-st.T1)*dir >= 0; o-- {
		add(w.lam, 1, w.gx[o*nx:(o+1)*nx])
	}
	// Within the step algebraic unknowns were solved for, beside the states at its ends.
	inside := w.algebra.Active() && o >= 0 && (q.Times[o]-st.T)*dir > 0
	if inside {
		w.algebra.Open(st.T, st.X, st.T1, st.X1)
		clear(w.atStart)
		for k := o; k >= 0 && (q.Times[k]-st.T)*dir > 0; k-- {
			w.algebra.Back(q.Times[k], sol.Row(k), w.gx[k*nx:(k+1)*nx], w.atStart, w.lam, g)
		}
	}
	w.engine.open(st)
	for ; o >= 0 && (q.Times[o]-st.T)*dir > 0; o-- {
		w.engine.output((q.Times[o]-st.T)/st.H, w.gx[o*nx:(o+1)*nx])
	}
	if e, ok := w.engine.(interface{ atEnd(lam []float64) }); ok {
		e.atEnd(w.lam)
	}
	if w.onto != nil && !zero(w.lam) { // what the step led to was moved onto the invariants
		if err := w.unproject(st, g); err != nil {
			return o, err
		}
	}
	if err := w.engine.back(w.lam, g); err != nil || !inside {
		return o, err
	}
	add(w.lam, 1, w.atStart)
	return o, nil
}

// unproject carries λ from the projected end of a step to what the step itself led to.
func (w *Workspace) unproject(st *solve.StepRecord, g []float64) error {
	if r, ok := w.engine.(interface{ reached(x []float64) }); ok {
		r.reached(w.from)
		return w.onto.BackFrom(st.T1, w.from, st.X1, w.rtol, w.atol, w.lam, g)
	}
	return w.onto.Back(st.T1, st.X1, w.rtol, w.atol, w.lam, g)
}

// open clears the derivatives by what belongs to a step and points k at its stages.
func (w *Workspace) open(st *solve.StepRecord) {
	nx := len(st.X)
	clear(w.xb)
	clear(w.kbflat)
	m := w.sc.Method
	for i := range w.k {
		if i < m.Stages {
			w.k[i] = st.K[i*nx : (i+1)*nx]
		} else {
			w.k[i] = w.kbuf[(i-m.Stages)*nx : (i-m.Stages+1)*nx]
		}
	}
}

// step carries λ from the end of a step to its start, with what the outputs within have put
// into xb and kb; inside says that there are some.
func (w *Workspace) step(st *solve.StepRecord, g []float64, inside bool) {
	sc := w.sc
	m := sc.Method
	first, all := m.Stages, sc.Stages()
	if w.whole != nil && !(zero(w.hand) && zero(w.kb[sc.End])) {
		// Where nothing comes through the last stage, its derivative, which may be infinite, must not be touched.
		w.whole.Back(st.T, st.H, st.T1, st.X, st.K, st.X1, w.lam, w.kbflat, w.xb, w.hand, g)
		w.handed = !zero(w.hand)
		return
	}
	if inside && all > first && (all > first+1 || sc.End != first) {
		// The points of extra stages are made of extra stages.
		for i := first; i < all; i++ {
			x := st.X1
			if i != sc.End {
				x = w.point
				sc.StagePoint(i, x, st.X, st.H, w.k)
			}
			w.rhs.Eval(w.k[i], sc.StageTime(i, st.T, st.H, st.T1), x, nil)
		}
	}
	for i := all - 1; i >= first; i-- {
		if i != sc.End {
			w.stage(i, st, g)
		}
	}
	if end := sc.End; end >= 0 {
		// The stage at the new point is the first of the next step: one product does for both.
		kb := w.kb[end]
		if w.handed {
			add(kb, 1, w.hand)
		}
		if !zero(kb) {
			w.rhs.VJP(w.lam, g, st.T1, st.X1, nil, kb)
		}
	}
	add(w.xb, 1, w.lam)
	idx, weight := sc.StepWeights()
	for n, i := range idx {
		add(w.kb[i], st.H*weight[n], w.lam)
	}
	for i := first - 1; i > 0; i-- {
		if i != sc.End {
			w.stage(i, st, g)
		}
	}
	w.handed = false
	if sc.End >= 0 {
		copy(w.hand, w.kb[0])
		w.handed = !zero(w.hand)
	} else if !zero(w.kb[0]) {
		w.rhs.VJP(w.xb, g, st.T, st.X, nil, w.kb[0])
	}
	w.lam, w.xb = w.xb, w.lam
}

// stage carries κ_i to the state at the start, to the stages before and to θ.
func (w *Workspace) stage(i int, st *solve.StepRecord, g []float64) {
	if zero(w.kb[i]) {
		return
	}
	sc := w.sc
	sc.StagePoint(i, w.point, st.X, st.H, w.k)
	clear(w.mu)
	w.rhs.VJP(w.mu, g, sc.StageTime(i, st.T, st.H, st.T1), w.point, nil, w.kb[i])
	add(w.xb, 1, w.mu)
	idx, weight := sc.StageWeights(i)
	for n, j := range idx {
		add(w.kb[j], st.H*weight[n], w.mu)
	}
}

// add is y += a x.
func add(y []float64, a float64, x []float64) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}

func zero(x []float64) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// finite reports whether no element is infinite or not a number.
func finite(x []float64) bool {
	s := 0.0
	for _, v := range x {
		s += v - v
	}
	return s == 0
}
