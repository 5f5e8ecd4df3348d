package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// symplectic is the adjoint of a step of kicks and drifts: each is undone in turn, with λ_q, λ_p the derivatives by what comes after it,
//
//	of q += A h v(t, p):  λ_p += A h (∂v/∂p)ᵀ λ_q,   of p += B h f(t, q):  λ_q += B h (∂f/∂q)ᵀ λ_p,
//
// and likewise by θ: again a symplectic step, backwards. Outputs within a step are Hermite's interpolation of what lies at its ends; where that takes second
// derivatives x” = (∂f/∂x) f + ∂f/∂t, as the quintic does, theirs are those of the tangent of f.
//
// J. M. Sanz-Serna, Symplectic Runge–Kutta schemes for adjoint equations, automatic differentiation, optimal control, and more, SIAM Review 58 (2016), 3–33.
type symplectic struct {
	m       *method.Symplectic
	sys     *system.System
	kicked  []bool
	rhs     system.Func
	tangent system.Func // (t, [x, u], [θ, 0]) → (∂f/∂x) u; nil for cubics
	byTime  system.Func // ∂f/∂t, nil where f does not depend on t
	st      *solve.StepRecord
	refusal error

	nx       int
	kicks    [][]float64 // the state before each kick, and before each drift
	drifts   [][]float64
	x1, z, v []float64
	xb, x1b  []float64 // what outputs within add to the derivative by the state at the start, and at the end
	fb, sb   [2][]float64
	used     [2]bool // by the slope at the start, at the end
	bent     bool    // by the second derivatives
	th2, gth []float64
	xu, gxu  []float64
}

func newSymplectic(m *method.Symplectic, sys *system.System) (*symplectic, error) {
	kicked, err := solve.Separate(sys)
	if err != nil {
		return nil, err // of no steps that were made
	}
	nx, nth := sys.NX, sys.NTheta
	y := &symplectic{m: m, sys: sys, kicked: kicked, rhs: sys.RHS.Clone(), nx: nx}
	if m.DenseOrder > 3 && sys.NoSecond == "" {
		y.tangent = sys.RHS.Tangent()
		if sys.ByTime != nil {
			y.byTime = sys.ByTime()
		}
		y.th2, y.gth = make([]float64, 2*nth), make([]float64, 2*nth)
		y.xu, y.gxu = make([]float64, 2*nx), make([]float64, 2*nx)
	}
	for range m.B {
		y.kicks, y.drifts = append(y.kicks, make([]float64, nx)), append(y.drifts, make([]float64, nx))
	}
	for _, p := range []*[]float64{&y.x1, &y.z, &y.v, &y.xb, &y.x1b, &y.fb[0], &y.fb[1], &y.sb[0], &y.sb[1]} {
		*p = make([]float64, nx)
	}
	return y, nil
}

func (y *symplectic) prepare(th []float64) {
	y.rhs.Prepare(th)
	if y.tangent != nil {
		copy(y.th2, th)
		y.tangent.Prepare(y.th2)
	}
	if y.byTime != nil {
		y.byTime.Prepare(th)
	}
}

func (y *symplectic) open(st *solve.StepRecord) {
	y.st, y.used, y.bent, y.refusal = st, [2]bool{}, false, nil
	clear(y.xb)
	clear(y.x1b)
	for i := range 2 {
		clear(y.fb[i])
		clear(y.sb[i])
	}
}

func (y *symplectic) waits() bool { return false }

func (y *symplectic) output(theta float64, gx []float64) {
	h := y.st.H
	t2, t3 := theta*theta, theta*theta*theta
	value, first, last := 3*t2-2*t3, theta-2*t2+t3, t3-t2
	if y.m.DenseOrder > 3 {
		if y.tangent == nil {
			y.refusal = refuse("%s has no discrete adjoint through outputs within the steps of %s: %s; ask for outputs at multiples of dt", nameOf(y.sys), y.m.Name, y.sys.NoSecond)
			return
		}
		t4, t5 := t2*t2, t2*t3
		value, first, last = 10*t3-15*t4+6*t5, theta-6*t3+8*t4-3*t5, -4*t3+7*t4-3*t5
		add(y.sb[0], h*h*(t2/2-1.5*t3+1.5*t4-t5/2), gx)
		add(y.sb[1], h*h*(t3/2-t4+t5/2), gx)
		y.bent = true
	}
	add(y.xb, 1-value, gx)
	add(y.x1b, value, gx)
	add(y.fb[0], h*first, gx)
	add(y.fb[1], h*last, gx)
	y.used = [2]bool{true, true}
}

func (y *symplectic) back(lam, g []float64) error {
	if y.refusal != nil {
		return y.refusal
	}
	st, m, h := y.st, y.m, y.st.H
	// The step once more, for the states it went through.
	x := y.x1
	copy(x, st.X)
	for i := range m.B {
		copy(y.kicks[i], x)
		y.move(x, stageTime(st, m.C[i]), m.B[i]*h, true)
		copy(y.drifts[i], x)
		if m.A[i] != 0 {
			y.move(x, stageTime(st, m.D[i]), m.A[i]*h, false)
		}
	}
	if y.used[1] {
		add(lam, 1, y.x1b)
		y.ends(lam, g, stageTime(st, 1), x, y.fb[1], y.sb[1])
	}
	for i := len(m.B) - 1; i >= 0; i-- {
		if m.A[i] != 0 {
			y.undo(lam, g, stageTime(st, m.D[i]), y.drifts[i], m.A[i]*h, false)
		}
		y.undo(lam, g, stageTime(st, m.C[i]), y.kicks[i], m.B[i]*h, true)
	}
	if y.used[0] {
		add(lam, 1, y.xb)
		y.ends(lam, g, st.T, st.X, y.fb[0], y.sb[0])
	}
	return nil
}

// move is a kick or a drift of length a.
func (y *symplectic) move(x []float64, t, a float64, kick bool) {
	y.rhs.Eval(y.z, t, x, nil)
	for i, k := range y.kicked {
		if k == kick {
			x[i] += a * y.z[i]
		}
	}
}

// undo carries λ over a kick or a drift that started at x.
func (y *symplectic) undo(lam, g []float64, t float64, x []float64, a float64, kick bool) {
	for i, k := range y.kicked {
		y.v[i] = 0
		if k == kick {
			y.v[i] = a * lam[i]
		}
	}
	if !zero(y.v) {
		y.rhs.VJP(lam, g, t, x, nil, y.v)
	}
}

// ends adds to λ, the derivative by the state x at t, what comes through the slope and the second derivative there.
func (y *symplectic) ends(lam, g []float64, t float64, x, fb, sb []float64) {
	if y.bent {
		nx := y.nx
		y.rhs.Eval(y.z, t, x, nil)
		copy(y.xu, x)
		copy(y.xu[nx:], y.z)
		clear(y.gxu)
		clear(y.gth)
		y.tangent.VJP(y.gxu, y.gth, t, y.xu, nil, sb)
		add(lam, 1, y.gxu[:nx])
		add(fb, 1, y.gxu[nx:])
		add(g, 1, y.gth[:len(g)])
		if y.byTime != nil {
			y.byTime.VJP(lam, g, t, x, nil, sb)
		}
	}
	y.rhs.VJP(lam, g, t, x, nil, fb)
}
