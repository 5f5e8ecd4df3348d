package sens

import (
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Events move with θ, and what comes after them with their time. Of an event whose guard g(t, x, θ) passes zero at t, along x' = f⁻ before it,
//
//	dt = −(g_x S + g_θ) / (g_x f⁻ + g_t),
//
// and of one at a time of its own dt is the derivative of that time. With Δ the state after the event,
//
//	S⁺ = Δ_x (S⁻ + f⁻ dt) + Δ_t dt + Δ_θ − f⁺ dt;
//
// of several events at one time each reads what the one before left. The adjoint is the transpose of this.
//
// M. A. Aizerman, F. R. Gantmakher, On the stability of periodic motions, Journal of Applied Mathematics and Mechanics 22 (1958), 1065–1078;
// S. Galán, W. F. Feehery, P. I. Barton, Parametric sensitivity functions for hybrid discrete/continuous systems, Applied Numerical
// Mathematics 31 (1999), 17–47.

// EventLoss is a Loss that reads the times of events too.
type EventLoss interface {
	Loss
	// Events is called before each Eval, with the times of the events in order and room for the derivatives by them, which Eval, when it is given gx,
	// fills. gt may be nil. The error is for a number of events that the loss is not made for.
	Events(t, gt []float64) error
}

// evaluate is loss.Eval for a loss that may read event times, whose derivatives by them go into gt.
func evaluate(loss Loss, sol *solve.Solution, fired []solve.Fired, th, gx, gth []float64, gt *[]float64) (float64, error) {
	if e, ok := loss.(EventLoss); ok {
		var to []float64
		if gt != nil {
			*gt = append((*gt)[:0], make([]float64, len(fired))...)
			to = *gt
		}
		if err := e.Events(solve.FiredTimes(fired), to); err != nil {
			return 0, err
		}
	} else if gt != nil {
		*gt = (*gt)[:0]
	}
	return loss.Eval(sol.X, th, gx, gth)
}

// complete says whether a solve has come to where its outputs end: at its end, or stopped by an event after the last output. The error is for
// one that an event stopped before.
func complete(sol *solve.Solution, outputs int) (bool, error) {
	switch {
	case sol.Status == solve.Done:
		return true, nil
	case sol.Status != solve.Stopped:
		return false, nil
	case len(sol.T) < outputs:
		return false, helped(refuse("an event stops the run at t = %.6g, before the last output time, so a loss over all of them has no value", sol.TEnd),
			"end the times before it; or let an event switch the right-hand side off, by a `discrete`, instead of ending the run")
	}
	return true, nil
}

// reducible refuses events that have no derivative here, by the name of the method.
func reducible(p *solve.Problem, method string) error {
	sys := p.Sys
	if len(sys.Jumps) > 0 && p.T1 < p.T0 {
		return helped(refuse("%s has no %s gradient backwards in time: the jumps of its right-hand side, such as `%s`, are located forward only", nameOf(sys), method, sys.Jumps[0].Name),
			"write the equations in s = −t, each derivative with the other sign, and integrate them forward")
	}
	if len(sys.Jumps) > 0 && sys.Mass != nil {
		return refuse("%s has no %s gradient: its right-hand side jumps beside algebraic equations or a mass matrix, which is not differentiated", nameOf(sys), method)
	}
	if len(sys.Events) == 0 {
		return nil
	}
	if sys.Mass != nil {
		return helped(refuse("%s has no %s gradient: its events act on algebraic equations, which is not differentiated", nameOf(sys), method),
			"solve the algebraic equations by hand, as lets, so that x' = f is left; or leave the events out of what is differentiated")
	}
	for i := range sys.Events {
		if sys.Events[i].Delay != nil {
			return helped(refuse("%s has no %s gradient: the assignments of `%s` are delayed (`after`), which is not differentiated", nameOf(sys), method, sys.Events[i].Name),
				"where the delay is that of a moment, add it there, `at t = t0 + delay { … }`; else leave the delay out")
		}
	}
	return nil
}

// jumps differentiates events. It serves one goroutine.
type jumps struct {
	sys         *system.System
	guards, rhs system.Func
	resets      []system.Func
	times       []system.Func

	before, after []float64 // f on both sides
	a, b          []float64 // dt = a·S⁻ + b
	a2, b2        []float64
	gz, lam, dx   []float64
	dth           []float64
	jumping       bool
	soft          func(gx, x []float64) float64 // what of a guard the tolerances do not tell
	span          float64
}

func newJumps(sys *system.System) *jumps {
	j := &jumps{sys: sys, rhs: sys.RHS.Clone()}
	if sys.Guards != nil {
		j.guards = sys.Guards.Clone()
		_, _, ng := j.guards.Dims()
		j.gz = make([]float64, ng)
	}
	n := sys.NX
	j.before, j.after, j.lam, j.dx = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	j.a, j.a2 = make([]float64, n), make([]float64, n)
	j.b, j.b2, j.dth = make([]float64, sys.NTheta), make([]float64, sys.NTheta), make([]float64, sys.NTheta)
	for i := range sys.Events {
		var reset, at system.Func
		if f := sys.Events[i].Reset; f != nil {
			reset = f.Clone()
		}
		if f := sys.Events[i].Time; f != nil {
			at = f.Clone()
		}
		j.resets, j.times = append(j.resets, reset), append(j.times, at)
	}
	return j
}

// prepare fixes a problem.
func (j *jumps) prepare(p *solve.Problem) {
	th := p.Theta
	j.rhs.Prepare(th)
	if j.guards != nil {
		j.guards.Prepare(th)
	}
	j.jumping = len(j.sys.Jumps) > 0
	for i := range j.resets {
		if j.resets[i] != nil {
			j.resets[i].Prepare(th)
		}
		if j.times[i] != nil {
			j.times[i].Prepare(th)
		}
	}
	rtol, atol := p.Rtol, p.Atol
	if rtol == 0 {
		rtol = solve.DefaultRtol
	}
	if atol == 0 {
		atol = solve.DefaultAtol
	}
	j.span = math.Abs(p.T1 - p.T0)
	j.soft = func(gx, x []float64) float64 {
		s := 0.0
		for i, v := range gx {
			a := atol
			if p.AtolVec != nil {
				a = p.AtolVec[i]
			}
			s += math.Abs(v) * (a + rtol*math.Abs(x[i]))
		}
		return s
	}
}

// grazing is how uncertain the tolerances may leave the time of an event, as a share of the time span, for its derivative to mean anything.
const grazing = 1e-3

// moves finds how the time of the events at one moment moves: dt = a·S⁻ + b. x is the state before them, start says that this is where the run begins.
func (j *jumps) moves(m moment, x []float64, start bool) error {
	clear(j.a)
	clear(j.b)
	t := m.time()
	j.set(m.before)
	j.rhs.Eval(j.before, t, x, nil)
	first := ""
	for k := range len(m.fired) + len(m.jumped) {
		f, name, kind := m.at(k, j.sys)
		if f.Cause == solve.ByEvent || f.Cause == solve.AtStart && k >= len(m.fired) {
			continue
		}
		clear(j.a2)
		clear(j.b2)
		switch f.Cause {
		case solve.ByGuard:
			clear(j.gz)
			j.gz[f.Guard] = 1
			slope := j.guards.VJP(j.a2, j.b2, t, x, nil, j.gz)
			for i, v := range j.a2 {
				slope += v * j.before[i]
			}
			if slope == 0 || !(j.soft(j.a2, x) <= grazing*j.span*math.Abs(slope)) {
				return refuse("the event `%s` at t = %.6g grazes: its condition hardly changes there (at the rate %.3g), so its time has no reliable derivative", name, t, slope)
			}
			for i := range j.a2 {
				j.a2[i] /= -slope
			}
			for i := range j.b2 {
				j.b2[i] /= -slope
			}
		case solve.ByTime:
			n := 1.0
			if kind == system.EventEvery {
				n = float64(f.Count)
			}
			one := [1]float64{n}
			j.times[f.Event].VJP(nil, j.b2, t, nil, nil, one[:])
			if start && !zero(j.b2) {
				return refuse("the event `%s` happens right at the start, t = %.6g, so moving its time has no derivative", name, t)
			}
		}
		if first != "" && !(alike(j.a, j.a2) && alike(j.b, j.b2)) {
			return refuse("the events `%s` and `%s` happen both at t = %.6g, but their times move differently, so what comes after has no derivative", first, name, t)
		}
		if first == "" {
			first = name
			copy(j.a, j.a2)
			copy(j.b, j.b2)
		}
	}
	return nil
}

// moment is what happened at one time: events, and jumps of the right-hand side, with θ before and after, nil where nothing jumps.
type moment struct {
	fired, jumped []solve.Fired
	before, after []float64
}

func (m *moment) time() float64 {
	if len(m.fired) > 0 {
		return m.fired[0].T
	}
	return m.jumped[0].T
}

// ends are the states before and after.
func (m *moment) ends() (x, x1 []float64) {
	if n := len(m.fired); n > 0 {
		return m.fired[0].Before, m.fired[n-1].After
	}
	return m.jumped[0].Before, m.jumped[0].Before
}

// at is one of what happened, with its name and the kind of event that it is.
func (m *moment) at(k int, sys *system.System) (*solve.Fired, string, system.EventKind) {
	if k < len(m.fired) {
		f := &m.fired[k]
		return f, sys.Events[f.Event].Name, sys.Events[f.Event].Kind
	}
	f := &m.jumped[k-len(m.fired)]
	return f, sys.Jumps[f.Event].Name, system.EventWhen
}

// set lets f and the guards see θ on one side of what jumps.
func (j *jumps) set(th []float64) {
	if j.jumping && th != nil {
		j.rhs.Prepare(th)
		j.guards.Prepare(th)
	}
}

// alike says whether two derivatives agree, up to what location leaves.
func alike(a, b []float64) bool {
	scale := 0.0
	for i := range a {
		scale = max(scale, math.Abs(a[i]), math.Abs(b[i]))
	}
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= 1e-6*scale) {
			return false
		}
	}
	return true
}

// forward carries S, one vector after the other for the entries of θ in wrt, over what happened at one time, and writes dt for each into dts.
func (j *jumps) forward(m moment, s []float64, wrt []int, dts []float64, start bool) error {
	nx := j.sys.NX
	t := m.time()
	x, x1 := m.ends()
	if err := j.moves(m, x[:nx], start); err != nil {
		return err
	}
	j.set(m.after)
	j.rhs.Eval(j.after, t, x1[:nx], nil)
	for n, q := range wrt {
		sq := s[n*nx : (n+1)*nx]
		dt := j.b[q] + dot(j.a, sq)
		dts[n] = dt
		add(sq, dt, j.before)
		j.dth[q] = 1
		for k := range m.fired {
			if r := j.resets[m.fired[k].Event]; r != nil {
				r.JVP(j.dx, t, m.fired[k].Before[:nx], nil, dt, sq, j.dth)
				copy(sq, j.dx)
			}
		}
		j.dth[q] = 0
		add(sq, -dt, j.after)
	}
	return nil
}

// backward carries λ from after what happened at one time to before it, and adds to g; gt are the loss's derivatives by the times of the events, nil for none.
func (j *jumps) backward(m moment, lam, g, gt []float64, start bool) error {
	t := m.time()
	x, x1 := m.ends()
	if err := j.moves(m, x, start); err != nil {
		return err
	}
	j.set(m.after)
	j.rhs.Eval(j.after, t, x1, nil)
	dt := -dot(lam, j.after)
	for _, v := range gt {
		dt += v
	}
	for k := len(m.fired) - 1; k >= 0; k-- {
		if r := j.resets[m.fired[k].Event]; r != nil {
			clear(j.lam)
			dt += r.VJP(j.lam, g, t, m.fired[k].Before, nil, lam)
			copy(lam, j.lam)
		}
	}
	dt += dot(lam, j.before)
	add(lam, dt, j.a)
	add(g, dt, j.b)
	return nil
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// ---- the adjoint's part ----

// jump carries λ over what happened after so many steps, if anything did. What the next step handed back goes through f there.
func (w *Workspace) jump(sol *solve.Solution, steps int, o *int, g []float64) error {
	hi, hj := w.fired, w.jumped
	for w.fired > 0 && sol.Events[w.fired-1].Step == steps {
		w.fired--
	}
	for w.jumped > 0 && sol.Jumps[w.jumped-1].Step == steps {
		w.jumped--
	}
	if w.fired == hi && w.jumped == hj {
		return nil
	}
	m := moment{fired: sol.Events[w.fired:hi], jumped: sol.Jumps[w.jumped:hj]}
	if sol.Frozen() {
		w.thAfter = sol.StepTheta(steps, w.thAfter)
		w.thBefore = sol.StepTheta(max(steps-1, 0), w.thBefore)
		m.after, m.before = w.thAfter, w.thBefore
	}
	t, nx := m.time(), sol.NX
	near := t
	if len(m.fired) > 0 {
		near -= 8 * 0x1p-52 * math.Abs(t)
	}
	for ; *o >= 0 && w.problem.Times[*o] >= near; *o-- { // outputs at this time show the state after
		add(w.lam, 1, w.gx[*o*nx:(*o+1)*nx])
	}
	if w.handed {
		_, x1 := m.ends()
		w.rhs.VJP(w.lam, g, t, x1, nil, w.hand)
		clear(w.hand)
		w.handed = false
	}
	var gt []float64
	if len(w.gt) > 0 {
		gt = w.gt[w.fired:hi]
	}
	if !zero(w.lam) || !zero(gt) {
		if err := w.jumps.backward(m, w.lam, g, gt, steps == 0); err != nil {
			return err
		}
	}
	if sol.Frozen() && steps > 0 {
		w.see(m.before)
	}
	return nil
}

// see lets the steps' functions see another θ.
func (w *Workspace) see(th []float64) {
	w.th = th
	w.rhs.Prepare(th)
	if w.whole != nil {
		w.whole.Prepare(th)
	}
	w.engineTh = nil
}

// ---- the augmented system's part ----

// headed is a function of the states alone, as one of the states and their sensitivities. With whole it gives the sensitivities back unchanged.
type headed struct {
	f      system.Func
	nx, nz int
	all    int
	whole  bool
}

var _ system.Func = (*headed)(nil)

func newHeaded(f system.Func, all int, whole bool) system.Func {
	nx, _, nz := f.Dims()
	return &headed{f: f.Clone(), nx: nx, nz: nz, all: all, whole: whole}
}

// Dims implements system.Func.
func (h *headed) Dims() (x, th, z int) {
	_, th, z = h.f.Dims()
	if h.whole {
		z = h.all
	}
	return h.all, th, z
}

// Prepare implements system.Func.
func (h *headed) Prepare(th []float64) { h.f.Prepare(th) }

// Eval implements system.Func.
func (h *headed) Eval(z []float64, t float64, x, th []float64) {
	h.f.Eval(z[:h.nz], t, x[:h.nx], th)
	if h.whole {
		copy(z[h.nz:h.all], x[h.nx:h.all])
	}
}

// VJP implements system.Func.
func (h *headed) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	if gx != nil {
		if h.whole {
			add(gx[h.nx:h.all], 1, gz[h.nz:h.all])
		}
		gx = gx[:h.nx]
	}
	return h.f.VJP(gx, gth, t, x[:h.nx], th, gz[:h.nz])
}

// JVP implements system.Func.
func (h *headed) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if h.whole {
		clear(dz[h.nz:h.all])
		if dx != nil {
			copy(dz[h.nz:h.all], dx[h.nx:h.all])
		}
	}
	if dx != nil {
		dx = dx[:h.nx]
	}
	h.f.JVP(dz[:h.nz], t, x[:h.nx], th, dt, dx, dth)
}

// Tangent implements system.Func. Events are differentiated once only; what is asked for nevertheless is not a number.
func (h *headed) Tangent() system.Func { return &nowhere{h} }

// Clone implements system.Func.
func (h *headed) Clone() system.Func {
	return &headed{f: h.f.Clone(), nx: h.nx, nz: h.nz, all: h.all, whole: h.whole}
}

// nowhere is a derivative that does not exist.
type nowhere struct{ *headed }

// Eval implements system.Func.
func (n *nowhere) Eval(z []float64, _ float64, _, _ []float64) { spoil(z) }

// augmentEvents gives the augmented system the events of the system.
func augmentEvents(out, sys *system.System) {
	if sys.Guards != nil {
		out.Guards, out.GuardParts = newHeaded(sys.Guards, out.NX, false), sys.GuardParts
	}
	for _, ev := range sys.Events {
		if ev.Reset != nil {
			ev.Reset = newHeaded(ev.Reset, out.NX, true)
		}
		out.Events = append(out.Events, ev)
	}
	out.Jumps, out.Frozen = sys.Jumps, sys.Frozen
}
