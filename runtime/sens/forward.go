package sens

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Forward sensitivities S_q = ∂x/∂θ_q satisfy S_q' = (∂f/∂x) S_q + ∂f/∂θ_q, S_q(T0) = ∂x0/∂θ_q,
// and are integrated together with x as one larger system.
//
// A. C. Hindmarsh, P. N. Brown, K. E. Grant, S. L. Lee, R. Serban, D. E. Shumaker,
// C. S. Woodward, SUNDIALS: suite of nonlinear and differential/algebraic equation solvers, ACM
// Transactions on Mathematical Software 31 (2005), 363–396, whose scaling of the sensitivities'
// tolerances is used here.

// ForwardMethod is how forward sensitivities are computed. The zero value differentiates by all
// of θ but its switches.
type ForwardMethod struct {
	// Wrt are the entries of θ to differentiate by; nil: all that are no switches.
	Wrt []int
	// StatesOnly leaves the sensitivities out of the error control, so that the steps are those of the
	// plain solve and the gradient is, to rounding, that of the discrete adjoint. Without it
	// S_q is held to rtol and to atol/max(|θ_q|, 0.1), and the step fits the states and every S_q.
	StatesOnly bool
}

// Forward computes the gradient of a loss by forward sensitivities, which are under error
// control. It writes dL/dθ_wrt into g, of the length of wrt; with wrt nil, of length NTheta. The
// results mean what those of Adjoint mean, except that the solution has values at its output
// times only.
func Forward(ctx context.Context, p *solve.Problem, loss Loss, wrt []int, g []float64) (float64, *solve.Solution, error) {
	return ForwardMethod{Wrt: wrt}.Gradient(ctx, p, loss, g)
}

// Sensitivities computes S = ∂x/∂θ_wrt at the problem's output times: nt × NX × np, row-major,
// np the length of wrt (nil: all but switches, in order). Where the solve stops early nt is the
// number of outputs reached, as the solution's status tells.
func Sensitivities(ctx context.Context, p *solve.Problem, wrt []int) ([]float64, *solve.Solution, error) {
	return ForwardMethod{Wrt: wrt}.Sensitivities(ctx, p)
}

// Gradient is the function Forward with the method's settings.
func (f ForwardMethod) Gradient(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	q, err := prepare(p, loss)
	if err != nil {
		return 0, nil, err
	}
	wrt, err := checkWrt(q.Sys, f.Wrt)
	if err != nil {
		return 0, nil, err
	}
	want := len(wrt)
	if f.Wrt == nil {
		want = q.Sys.NTheta
	}
	if len(g) != want {
		return 0, nil, fmt.Errorf("the gradient has room for %d of %d parameters", len(g), want)
	}
	clear(g)
	aug, sol, moved, err := f.run(ctx, new(ForwardWorkspace), &q, wrt)
	if err != nil {
		return failed, sol, err
	}
	if ok, err := complete(sol, len(q.Times)); !ok {
		return failed, sol, err
	}
	gx := make([]float64, len(sol.X))
	gth := make([]float64, q.Sys.NTheta)
	var gt []float64
	value, err := evaluate(loss, sol, sol.Events, q.Theta, gx, gth, &gt)
	if err != nil || value-value != 0 {
		return value, sol, err
	}
	flag := make([]bool, q.Sys.NTheta)
	for _, i := range switches(q.Sys) {
		flag[i] = true
	}
	nx := q.Sys.NX
	for n, i := range wrt {
		sum := gth[i]
		for it := range sol.T {
			row := aug.Row(it)[(n+1)*nx : (n+2)*nx]
			for j, s := range row {
				sum += gx[it*nx+j] * s
			}
		}
		for e, v := range gt {
			sum += v * moved[e*len(wrt)+n]
		}
		if flag[i] {
			sum = 0
		}
		if f.Wrt == nil {
			g[i] = sum
		} else {
			g[n] = sum
		}
	}
	err = checkGradient(q.Sys, g, f.Wrt, math.NaN())
	var bad *NonFinite
	if errors.As(err, &bad) {
		bad.blame(&q, sol, loss, gx, nil)
	}
	return value, sol, err
}

// Sensitivities is the function Sensitivities with the method's settings.
func (f ForwardMethod) Sensitivities(ctx context.Context, p *solve.Problem) ([]float64, *solve.Solution, error) {
	return new(ForwardWorkspace).Sensitivities(ctx, p, f)
}

// ForwardWorkspace computes sensitivities one after the other in the same memory, as training does. The zero
// value is ready. What it returns is valid until the next call. It serves one goroutine.
type ForwardWorkspace struct {
	fwd solve.Workspace
	sys *system.System // that aug was made of
	wrt []int
	aug *system.System
	s   []float64
}

// augmented is the system of the states and their sensitivities.
func (w *ForwardWorkspace) augmented(sys *system.System, wrt []int) *system.System {
	if w.sys != sys || !slices.Equal(w.wrt, wrt) {
		w.sys, w.wrt, w.aug = sys, slices.Clone(wrt), augment(sys, wrt)
	}
	return w.aug
}

// Sensitivities is the function Sensitivities with a method's settings, in the memory of the workspace.
func (w *ForwardWorkspace) Sensitivities(ctx context.Context, p *solve.Problem, f ForwardMethod) ([]float64, *solve.Solution, error) {
	if p == nil || p.Sys == nil || p.Sys.RHS == nil {
		return nil, nil, fmt.Errorf("there is no system to differentiate")
	}
	q := *p
	if q.Theta == nil {
		q.Theta = q.Sys.Defaults()
	}
	wrt, err := checkWrt(q.Sys, f.Wrt)
	if err != nil {
		return nil, nil, err
	}
	aug, sol, _, err := f.run(ctx, w, &q, wrt)
	if err != nil {
		return nil, sol, err
	}
	nx, np := q.Sys.NX, len(wrt)
	if n := len(sol.T) * nx * np; cap(w.s) < n {
		w.s = make([]float64, n)
	} else {
		w.s = w.s[:n]
	}
	for it := range sol.T {
		row := aug.Row(it)
		for n := range np {
			for j := range nx {
				w.s[(it*nx+j)*np+n] = row[(n+1)*nx+j]
			}
		}
	}
	return w.s, sol, nil
}

// run solves for the states and their sensitivities; sol is the part that is the states, and moved the derivatives of the events' times, a row of the length of wrt for each.
func (f ForwardMethod) run(ctx context.Context, w *ForwardWorkspace, p *solve.Problem, wrt []int) (aug, sol *solve.Solution, moved []float64, err error) {
	if err := differentiable(p.Sys, "forward"); err != nil {
		return nil, nil, nil, err
	}
	if err := whole(p, "forward sensitivities"); err != nil {
		return nil, nil, nil, err
	}
	if err := kept(p); err != nil {
		return nil, nil, nil, err
	}
	if err := reducible(p, "forward"); err != nil {
		return nil, nil, nil, err
	}
	sys, nx := p.Sys, p.Sys.NX
	if err := stiffForward(p, wrt); err != nil {
		return nil, nil, nil, err
	}
	q := *p
	q.Sys = w.augmented(sys, wrt)
	q.NoDense = true
	if p.X0 != nil {
		if len(p.X0) != nx {
			return nil, nil, nil, fmt.Errorf("%d initial values were given for %d states", len(p.X0), nx)
		}
		// What was given does not depend on θ.
		q.X0 = make([]float64, q.Sys.NX)
		copy(q.X0, p.X0)
	}
	if x0, err := startForward(p, wrt); err != nil {
		return nil, nil, nil, err
	} else if x0 != nil {
		q.X0 = x0
	}
	q.Project = projectForward(p, wrt)
	if p.AtolVec != nil && len(p.AtolVec) != nx {
		return nil, nil, nil, fmt.Errorf("atol has %d values for %d states", len(p.AtolVec), nx)
	}
	if len(p.Theta) != sys.NTheta {
		return nil, nil, nil, fmt.Errorf("%d parameter values were given, the system has %d", len(p.Theta), sys.NTheta)
	}
	q.AtolVec = make([]float64, q.Sys.NX)
	for j := range nx {
		a := p.Atol
		if a == 0 {
			a = solve.DefaultAtol
		}
		if p.AtolVec != nil {
			a = p.AtolVec[j]
		}
		q.AtolVec[j] = a
		for n, i := range wrt {
			q.AtolVec[(n+1)*nx+j] = a / max(math.Abs(p.Theta[i]), 0.1)
		}
	}
	q.ErrGroup = nx
	if f.StatesOnly {
		q.ErrStates = nx
	}
	if len(sys.Events)+len(sys.Jumps) > 0 {
		j := newJumps(sys)
		j.prepare(p)
		q.Jumped = func(fired, jumped []solve.Fired, x, before, after []float64, start bool) error {
			dts := make([]float64, len(wrt))
			if err := j.forward(moment{fired, jumped, before, after}, x[nx:], wrt, dts, start); err != nil {
				return err
			}
			for range fired {
				moved = append(moved, dts...)
			}
			return nil
		}
	}
	if aug, err = w.fwd.Solve(ctx, &q); err != nil {
		return nil, nil, nil, err
	}
	sol = &solve.Solution{
		T: aug.T, X: make([]float64, len(aug.T)*nx), NX: nx, Status: aug.Status, Stats: aug.Stats,
		Fault: aug.Fault, Theta: aug.Theta, Method: aug.Method, T0: aug.T0, T1: aug.T1,
		TEnd: aug.TEnd, XEnd: aug.XEnd[:nx], Events: aug.Events,
	}
	for it := range sol.T {
		copy(sol.Row(it), aug.Row(it)[:nx])
	}
	return aug, sol, moved, nil
}

// augment is the system of the states followed by S_q for each q of wrt.
func augment(sys *system.System, wrt []int) *system.System {
	nx, np := sys.NX, len(wrt)
	out := &system.System{
		Name: sys.Name, NX: nx * (1 + np), NTheta: sys.NTheta, Theta: sys.Theta,
		NoGradient: "the derivatives of its sensitivities are not offered",
		RHS:        newAugmented(sys.RHS, sys.Directing, wrt, nx),
		Signals:    sys.Signals, Kinks: sys.Kinks,
	}
	if sys.Init != nil {
		out.Init = newAugmented(sys.Init, nil, wrt, 0)
	}
	if sys.Explain != nil {
		out.Explain = func(t float64, x, th []float64) *system.Fault {
			if f := sys.Explain(t, x[:nx], th); f != nil || sys.Blame == nil {
				return f
			}
			ones := make([]float64, nx)
			for i := range ones {
				ones[i] = 1
			}
			f := sys.Blame(sys.RHS, t, x[:nx], th, ones)
			if f != nil {
				f.Expr = "the derivative of `" + f.Expr + "`"
			}
			return f
		}
	}
	out.States = append(out.States, sys.States...)
	for n, i := range wrt {
		for j, name := range sys.StateNames() {
			out.States = append(out.States, system.Slot{
				Name: "∂" + name + "/∂" + thetaName(sys, i), Off: (n+1)*nx + j,
			})
		}
	}
	out.Latent = make([]bool, len(out.States))
	if sys.Pattern != nil {
		out.Pattern = blocks(sys.Pattern, np, true)
	}
	if sys.Mass != nil {
		out.Mass = &system.Mass{Pattern: blocks(sys.Mass.Pattern, np, false), Values: &repeated{f: sys.Mass.Values.Clone(), n: 1 + np}}
	}
	augmentEvents(out, sys)
	for range 1 + np {
		out.Algebraic = append(out.Algebraic, sys.Algebraic...)
	}
	return out
}

// augmented is (t, [x, S], θ) → [f, (∂f/∂x) S_q + ∂f/∂θ_q]; with nx = 0 for initial values. It
// is evaluated, and differentiated by states and time for implicit solvers; its system says that it has no other derivatives, and what is asked for
// nevertheless is not a number.
type augmented struct {
	f      system.Func
	wrt    []int
	nx, nz int // of f
	nth    int
	oneTh  []float64         // a unit vector of θ
	offer  system.Directing  // nil where there is none
	many   system.Directions // all directions at once, nil where there are none

	th      []float64   // prepared
	tangent system.Func // of f, made when it is needed
	xs, dxs []float64   // its states: [x, S_q], and their direction
	th2     []float64   // its parameters: [θ, the unit vector]
}

var _ system.Func = (*augmented)(nil)

func newAugmented(f system.Func, offer system.Directing, wrt []int, nx int) *augmented {
	_, nth, nz := f.Dims()
	a := &augmented{f: f.Clone(), wrt: wrt, nx: nx, nz: nz, nth: nth, oneTh: make([]float64, nth), offer: offer}
	if offer != nil {
		a.many = offer(wrt)
	}
	return a
}

// Dims implements system.Func.
func (a *augmented) Dims() (x, th, z int) {
	return a.nx * (1 + len(a.wrt)), a.nth, a.nz * (1 + len(a.wrt))
}

// Prepare implements system.Func.
func (a *augmented) Prepare(th []float64) {
	a.f.Prepare(th)
	a.th = append(a.th[:0], th...)
	if a.many != nil {
		a.many.Prepare(th)
	}
}

// Eval implements system.Func.
func (a *augmented) Eval(z []float64, t float64, x, th []float64) {
	nx, nz := a.nx, a.nz
	if th != nil {
		a.Prepare(th)
	}
	a.f.Eval(z[:nz], t, x[:nx], nil)
	if a.many != nil {
		a.many.Eval(z[nz:], t, x[:nx], x[nx:])
		return
	}
	for n, i := range a.wrt {
		a.oneTh[i] = 1
		a.f.JVP(z[(n+1)*nz:(n+2)*nz], t, x[:nx], nil, 0, x[(n+1)*nx:(n+2)*nx], a.oneTh)
		a.oneTh[i] = 0
	}
}

// Clone implements system.Func.
func (a *augmented) Clone() system.Func { return newAugmented(a.f, a.offer, a.wrt, a.nx) }

// VJP implements system.Func.
func (a *augmented) VJP(gx, gth []float64, _ float64, _, _, _ []float64) float64 {
	spoil(gx)
	spoil(gth)
	return math.NaN()
}

// JVP implements system.Func for directions of the states and sensitivities, and of time, as implicit solvers need it; dth must be nil.
func (a *augmented) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if dth != nil {
		spoil(dz)
		return
	}
	if th != nil {
		a.Prepare(th)
	}
	nx, nz := a.nx, a.nz
	var dx0 []float64
	if dx != nil {
		dx0 = dx[:nx]
	}
	a.f.JVP(dz[:nz], t, x[:nx], nil, dt, dx0, nil)
	if a.tangent == nil {
		a.tangent = a.f.Tangent()
		a.xs, a.dxs = make([]float64, 2*nx), make([]float64, 2*nx)
		a.th2 = make([]float64, 2*a.nth)
	}
	copy(a.xs, x[:nx])
	copy(a.th2, a.th)
	for n, i := range a.wrt {
		lo, hi := (n+1)*nx, (n+2)*nx
		copy(a.xs[nx:], x[lo:hi])
		if dx != nil {
			copy(a.dxs, dx0)
			copy(a.dxs[nx:], dx[lo:hi])
		} else {
			clear(a.dxs)
		}
		a.th2[a.nth+i] = 1
		a.tangent.JVP(dz[(n+1)*nz:(n+2)*nz], t, a.xs, a.th2, dt, a.dxs, nil)
		a.th2[a.nth+i] = 0
	}
}

// Tangent implements system.Func.
func (a *augmented) Tangent() system.Func { return a }

func spoil(v []float64) {
	for i := range v {
		v[i] = math.NaN()
	}
}
