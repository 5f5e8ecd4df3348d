package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// rosenbrock is the adjoint of a step of a Rosenbrock method,
//
//	E u_i = f(t_i, X_i) + (1/h) M Σ_j G_ij u_j + h D_i f_t(t, x),  E = M/(hγ) − J(t, x),  X_i = x + Σ_j A_ij u_j,  x1 = x + Σ_i B_i u_i:
//
// with ū_i the derivative by u_i and v_i = E⁻ᵀ ū_i, the last stage first,
//
//	ū_j += A_ij f_x(X_i)ᵀ v_i + (G_ij/h) Mᵀ v_i,  x̄ += f_x(X_i)ᵀ v_i + ∂/∂x (v_iᵀ J u_i) + h D_i ∂/∂x (v_iᵀ f_t),
//
// and likewise by θ. The derivatives of J's action are those of the tangent of f.
//
// D. Daescu, A. Sandu, G. R. Carmichael, Direct and adjoint sensitivity analysis of chemical kinetic systems with KPP: II—numerical validation and applications,
// Atmospheric Environment 37 (2003), 5097–5114, where the discrete adjoint of these methods is derived.
type rosenbrock struct {
	m       *method.Rosenbrock
	mass    *massByTheta
	rhs     system.Func
	tangent system.Func // (t, [x, u], [θ, 0]) → J u
	byTime  system.Func // f_t, nil where f does not depend on t
	lin     *solve.Linear
	st      *solve.StepRecord

	th2       []float64 // [θ, 0]
	nx, nth   int
	ub        [][]float64
	ubflat    []float64
	xb, mu, v []float64
	point, w  []float64
	xu, gxu   []float64 // [x, u], and the derivative by it
	gth       []float64 // by [θ, dθ]
}

func newRosenbrock(m *method.Rosenbrock, sys *system.System) (*rosenbrock, error) {
	if sys.NoSecond != "" {
		return nil, refuse("%s has no discrete adjoint through %s: %s", nameOf(sys), m.Name, sys.NoSecond)
	}
	lin, err := solve.NewLinear(sys)
	if err != nil {
		return nil, err
	}
	nx, nth := sys.NX, sys.NTheta
	r := &rosenbrock{m: m, mass: newMassByTheta(sys), rhs: sys.RHS.Clone(), tangent: sys.RHS.Tangent(), lin: lin, nx: nx, nth: nth}
	if sys.ByTime != nil {
		r.byTime = sys.ByTime()
	}
	r.ubflat = make([]float64, m.Stages*nx)
	for i := range m.Stages {
		r.ub = append(r.ub, r.ubflat[i*nx:(i+1)*nx])
	}
	buf := make([]float64, 9*nx)
	cut := func(n int) []float64 {
		c := buf[:n:n]
		buf = buf[n:]
		return c
	}
	r.xb, r.mu, r.v, r.point, r.w, r.xu, r.gxu = cut(nx), cut(nx), cut(nx), cut(nx), cut(nx), cut(2*nx), cut(2*nx)
	r.th2, r.gth = make([]float64, 2*nth), make([]float64, 2*nth)
	return r, nil
}

func (r *rosenbrock) prepare(th []float64) {
	r.rhs.Prepare(th)
	copy(r.th2, th)
	r.tangent.Prepare(r.th2)
	if r.byTime != nil {
		r.byTime.Prepare(th)
	}
	r.lin.Prepare(th)
	r.mass.prepare(th)
}

func (r *rosenbrock) open(st *solve.StepRecord) {
	r.st = st
	clear(r.xb)
	clear(r.ubflat)
}

func (r *rosenbrock) waits() bool { return false }

func (r *rosenbrock) output(theta float64, gx []float64) {
	add(r.xb, 1, gx)
	for i, p := range r.m.Dense {
		if b := method.DenseWeight(p, theta); b != 0 {
			add(r.ub[i], b, gx)
		}
	}
}

// reached writes the state that the step leads to by itself.
func (r *rosenbrock) reached(x []float64) {
	copy(x, r.st.X)
	for i, b := range r.m.B {
		add(x, b, r.st.K[i*r.nx:(i+1)*r.nx])
	}
}

func (r *rosenbrock) back(lam, g []float64) error {
	st, m, nx := r.st, r.m, r.nx
	h := st.H
	u := func(i int) []float64 { return st.K[i*nx : (i+1)*nx] }
	add(r.xb, 1, lam)
	for i, b := range m.B {
		if b != 0 {
			add(r.ub[i], b, lam)
		}
	}
	r.lin.Jacobian(nil, st.T, st.X)
	if err := r.lin.Factor(h * m.Gamma); err != nil {
		return err
	}
	clear(r.w) // Σ_i h D_i v_i, which f_t is multiplied by
	copy(r.xu, st.X)
	for i := m.Stages - 1; i >= 0; i-- {
		if zero(r.ub[i]) {
			continue
		}
		copy(r.v, r.ub[i])
		r.lin.SolveTransposed(r.v) // (M − hγJ)⁻ᵀ, and E is that over hγ
		for k := range r.v {
			r.v[k] *= h * m.Gamma
		}
		copy(r.point, st.X)
		for j, a := range m.A[i] {
			if a != 0 {
				add(r.point, a, u(j))
			}
		}
		clear(r.mu)
		r.rhs.VJP(r.mu, g, stageTime(st, m.C[i]), r.point, nil, r.v)
		add(r.xb, 1, r.mu)
		for j, a := range m.A[i] {
			if a != 0 {
				add(r.ub[j], a, r.mu)
			}
		}
		for j, c := range m.G[i] {
			if c != 0 {
				r.lin.AddMassTransposed(r.ub[j], c/h, r.v)
			}
		}
		// v_iᵀ dJ u_i
		copy(r.xu[nx:], u(i))
		clear(r.gxu)
		clear(r.gth)
		r.tangent.VJP(r.gxu, r.gth, st.T, r.xu, nil, r.v)
		add(r.xb, 1, r.gxu[:nx])
		add(g, 1, r.gth[:r.nth])
		if d := m.D[i]; d != 0 {
			add(r.w, h*d, r.v)
		}
		r.byMass(i, g)
	}
	if r.byTime != nil && !zero(r.w) {
		r.byTime.VJP(r.xb, g, st.T, st.X, nil, r.w)
	}
	copy(lam, r.xb)
	return nil
}

// byMass adds the derivative by θ through M: v_iᵀ dM (Σ_j G_ij u_j − u_i/γ)/h.
func (r *rosenbrock) byMass(i int, g []float64) {
	if r.mass == nil {
		return
	}
	nx, st := r.nx, r.st
	clear(r.mu)
	for j, c := range r.m.G[i] {
		add(r.mu, c/st.H, st.K[j*nx:(j+1)*nx])
	}
	add(r.mu, -1/(r.m.Gamma*st.H), st.K[i*nx:(i+1)*nx])
	r.mass.add(g, r.v, r.mu)
}
