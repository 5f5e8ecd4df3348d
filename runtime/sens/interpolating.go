package sens

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// interpolating integrates λ, and with it the integral over θ, along the dense output of the forward solution.
//
// R. Serban, A. C. Hindmarsh, CVODES: the sensitivity-enabled ODE solver in SUNDIALS, ASME IDETC 2005, 257–269.
type interpolating struct {
	r    *backwards
	sys  *system.System
	p    solve.Problem
	ws   solve.Workspace
	x0   []float64
	rate []float64
	f    system.Func // its right-hand side, to look at the rates before it begins
}

// begin makes the way to integrate.
func (r *backwards) begin() error {
	switch r.c.Kind {
	case Quadrature:
		return r.beginQuadrature()
	case Backsolve:
		return r.beginBacksolve()
	}
	r.by = integrated(r.q.Sys)
	sys := r.adjointSystem(r.by)
	w := &interpolating{r: r, sys: sys, p: r.problem(sys), x0: make([]float64, sys.NX), rate: make([]float64, sys.NX), f: sys.RHS.Clone()}
	r.way = w
	return nil
}

func (w *interpolating) over(from, to float64) error {
	r := w.r
	nx := len(r.lam)
	clear(w.x0)
	copy(w.x0, r.lam)
	if r.border != nil {
		r.border.SolveTransposed(w.x0[:nx])
	}
	w.p.X0 = w.x0
	span := r.span(&w.p, from, to)
	w.f.Eval(w.rate, 0, w.x0, nil)
	if !finite(w.rate) {
		return r.spoilt(from)
	}
	r.sizes(w.p.AtolVec, w.x0[:nx], w.rate[nx:], span)
	sol, err := w.ws.Solve(r.ctx, &w.p)
	if err != nil {
		return err
	}
	if err := r.came(sol); err != nil {
		return err
	}
	r.ended(sol.XEnd[:nx])
	for k, v := range sol.XEnd[nx:] {
		i := r.by[k]
		r.g[i] += v
		r.parts[i] += math.Abs(v)
	}
	return nil
}

// integrated are the entries of θ that a right-hand side may depend on: initial values and their switches are none of them.
func integrated(sys *system.System) []int {
	by := make([]bool, sys.NTheta)
	for i := range by {
		by[i] = true
	}
	for _, s := range sys.Theta {
		if s.Role == system.RoleInit || s.Role == system.RoleFlag && sys.Find(s.Name, system.RoleInit) != nil {
			for i := range s.Size() {
				by[s.Off+i] = false
			}
		}
	}
	out := []int{}
	for i, yes := range by {
		if yes {
			out = append(out, i)
		}
	}
	return out
}

// ended takes λ from μ.
func (r *backwards) ended(mu []float64) {
	if r.border == nil {
		copy(r.lam, mu)
		return
	}
	p := r.q.Sys.Mass.Pattern
	for j := range r.lam {
		rows, first := p.Column(j)
		r.lam[j] = 0
		for k, i := range rows {
			r.lam[j] += r.mass[first+k] * mu[i]
		}
	}
}

// adjointSystem is that of μ, and of the integral over the entries of θ in by, for the track of r.
func (r *backwards) adjointSystem(by []int) *system.System {
	sys := r.q.Sys
	nx, nq := sys.NX, len(by)
	f := newAdjointRHS(r.track, sys, by)
	out := &system.System{
		Name: "the " + r.name + " of " + nameOf(sys), NX: nx + nq, RHS: f,
		NoGradient: "derivatives of an adjoint are not offered", NoSecond: "derivatives of an adjoint are not offered",
	}
	for i, name := range sys.StateNames() {
		out.States = append(out.States, system.Slot{Name: "∂loss/∂" + name, Off: i})
	}
	if len(by) > 0 {
		names := thetaNames(sys)
		for k, i := range by {
			out.States = append(out.States, system.Slot{Name: "∂loss/∂" + names[i], Off: nx + k})
		}
	}
	out.Latent = make([]bool, len(out.States))
	if f := r.solver().Info().Family; sys.Mass == nil && !f.Implicit() && f != method.Automatic {
		return out
	}
	out.Pattern = adjointPattern(sys.Pattern, nx, nq)
	out.Jacobian = func() system.Jacobian { return newAdjointJacobian(r.track, sys, by, out.Pattern) }
	if sys.Mass != nil {
		out.Mass = transposedMass(sys, r.q.Theta, nq)
		rows := make([]bool, nx)
		for j := range nx {
			in, _ := sys.Mass.Pattern.Column(j)
			for _, i := range in {
				rows[i] = true
			}

		}
		out.Algebraic = make([]bool, nx+nq)
		for i, some := range rows {
			out.Algebraic[i] = !some
		}
	}
	return out
}

// adjointPattern is where −(∂f/∂x)ᵀ may be non-zero, and below it the rows of the integral.
func adjointPattern(p *sparse.Pattern, nx, nq int) *sparse.Pattern {
	if p == nil {
		p = sparse.DensePattern(nx)
	}
	var rows, cols []int
	for j := range nx {
		in, _ := p.Column(j)
		for _, i := range in {
			rows, cols = append(rows, j), append(cols, int(i))
		}
		for i := range nq {
			rows, cols = append(rows, nx+i), append(cols, j)
		}
	}
	all, err := sparse.NewPattern(nx+nq, rows, cols)
	if err != nil {
		panic(err) // the indices are those of a pattern
	}
	return all
}

// transposedMass is Mᵀ at θ, and the identity for the integral.
func transposedMass(sys *system.System, th []float64, nq int) *system.Mass {
	p := sys.Mass.Pattern
	values := make([]float64, p.NNZ())
	sys.Mass.Values.Clone().Eval(values, 0, nil, th)
	var rows, cols []int
	for j := range p.N() {
		in, _ := p.Column(j)
		for _, i := range in {
			rows, cols = append(rows, j), append(cols, int(i))
		}
	}
	for i := range nq {
		rows, cols = append(rows, sys.NX+i), append(cols, sys.NX+i)
	}
	t, err := sparse.NewPattern(sys.NX+nq, rows, cols)
	if err != nil {
		panic(err) // the indices are those of a pattern
	}
	v := make([]float64, t.NNZ())
	for j := range p.N() {
		in, first := p.Column(j)
		for k, i := range in {
			v[t.Index(j, int(i))] = values[first+k]
		}
	}
	for i := range nq {
		v[t.Index(sys.NX+i, sys.NX+i)] = 1
	}
	return &system.Mass{Pattern: t, Values: constants(v)}
}

// constants is a function of nothing.
type constants []float64

var _ system.Func = constants(nil)

// Dims implements system.Func.
func (c constants) Dims() (x, th, z int) { return 0, 0, len(c) }

// Prepare implements system.Func.
func (c constants) Prepare([]float64) {}

// Eval implements system.Func.
func (c constants) Eval(z []float64, _ float64, _, _ []float64) { copy(z, c) }

// VJP implements system.Func.
func (c constants) VJP(_, _ []float64, _ float64, _, _, _ []float64) float64 { return 0 }

// JVP implements system.Func.
func (c constants) JVP(dz []float64, _ float64, _, _ []float64, _ float64, _, _ []float64) { clear(dz) }

// Tangent implements system.Func.
func (c constants) Tangent() system.Func { return constants(make([]float64, len(c))) }

// Clone implements system.Func.
func (c constants) Clone() system.Func { return c }
