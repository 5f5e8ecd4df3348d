package sens

import (
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// adjointRHS is (s, [μ, q]) → [(∂f/∂x)ᵀ μ, (∂f/∂θ)ᵀ μ − (∂M/∂θ x')ᵀ μ] along a track backwards; without q the second part is left out. It has no parameters: those
// of f are the track's. It is linear in μ, so that it is its own derivative.
type adjointRHS struct {
	tr           *track
	sys          *system.System
	nx, nq       int
	by           []int // the entries of θ that q belongs to
	f            system.Func
	mass         *massByTheta // nil where M does not depend on θ
	version      int
	x, slope, nu []float64
	all          []float64   // by all of θ
	tangent      system.Func // of f, for derivatives by time; made when it is needed
	byTime       system.Func
	th2          []float64
	xu, gxu      []float64
	gth          []float64
}

var _ system.Func = (*adjointRHS)(nil)

func newAdjointRHS(tr *track, sys *system.System, by []int) *adjointRHS {
	nx := sys.NX
	a := &adjointRHS{tr: tr, sys: sys, nx: nx, nq: len(by), by: by, all: make([]float64, sys.NTheta), f: sys.RHS.Clone(), x: make([]float64, nx), slope: make([]float64, nx), nu: make([]float64, nx)}
	if m := newMassByTheta(sys); m != nil {
		m.prepare(tr.sol.Theta)
		if m.depends(sys.NTheta) {
			a.mass = m
		}
	}
	return a
}

// depends says whether the mass matrix changes with θ.
func (m *massByTheta) depends(nth int) bool {
	g := make([]float64, nth)
	for i := range m.gz {
		clear(m.gz)
		m.gz[i] = 1
		m.values.VJP(nil, g, 0, nil, nil, m.gz)
		if !zero(g) {
			return true
		}
	}
	return false
}

// follow lets f see the θ of the track.
func (a *adjointRHS) follow() {
	if a.version != a.tr.version {
		a.version = a.tr.version
		a.f.Prepare(a.tr.th)
		if a.tangent != nil {
			copy(a.th2, a.tr.th)
			a.tangent.Prepare(a.th2)
			if a.byTime != nil {
				a.byTime.Prepare(a.tr.th)
			}
		}
	}
}

// Dims implements system.Func.
func (a *adjointRHS) Dims() (x, th, z int) { return a.nx + a.nq, 0, a.nx + a.nq }

// Prepare implements system.Func.
func (a *adjointRHS) Prepare([]float64) {}

// Eval implements system.Func.
func (a *adjointRHS) Eval(z []float64, s float64, y, _ []float64) {
	a.follow()
	t := a.tr.time(s)
	a.tr.at(t, a.x)
	a.product(z, t, y[:a.nx])
}

// product writes the values at the states that are in x.
func (a *adjointRHS) product(z []float64, t float64, mu []float64) {
	clear(z[:a.nx+a.nq])
	var gth []float64
	if a.nq > 0 {
		gth = a.all
		clear(gth)
	}
	a.f.VJP(z[:a.nx], gth, t, a.x, nil, mu)
	a.moved(gth, t, mu)
	for k, i := range a.by {
		z[a.nx+k] = gth[i]
	}
	if a.tr.dir < 0 {
		for i := range z[:a.nx+a.nq] {
			z[i] = -z[i]
		}
	}
}

// integrand adds μᵀ (∂f/∂θ − ∂M/∂θ x') at t to g.
func (a *adjointRHS) integrand(g []float64, t float64, mu []float64) {
	a.follow()
	a.tr.at(t, a.x)
	a.f.VJP(nil, g, t, a.x, nil, mu)
	a.moved(g, t, mu)
}

// moved adds what a mass matrix that moves with θ adds.
func (a *adjointRHS) moved(g []float64, t float64, mu []float64) {
	if g == nil || a.mass == nil {
		return
	}
	a.tr.slope(t, a.x, a.slope)
	for i, v := range mu[:a.nx] {
		a.nu[i] = -v
	}
	a.mass.add(g, a.nu, a.slope)
}

// JVP implements system.Func.
func (a *adjointRHS) JVP(dz []float64, s float64, y, _ []float64, ds float64, dy, _ []float64) {
	a.follow()
	t := a.tr.time(s)
	a.tr.at(t, a.x)
	if dy != nil {
		a.product(dz, t, dy[:a.nx])
	} else {
		clear(dz[:a.nx+a.nq])
	}
	if ds != 0 {
		a.inTime(dz, t, y[:a.nx], ds)
	}
}

// inTime adds ds times the derivative by s, the states moving along: with x' the slope of the solution it is that of ∂/∂(x, θ) (μᵀ (∂f/∂x) x'), of what depends on t
// itself, and of a mass matrix times x'. Without second derivatives of f it is taken by differences.
func (a *adjointRHS) inTime(dz []float64, t float64, mu []float64, ds float64) {
	nx, nth := a.nx, a.sys.NTheta
	if a.sys.NoSecond != "" {
		a.differ(dz, t, mu, ds)
		return
	}
	if a.tangent == nil {
		a.tangent = a.f.Tangent()
		a.th2, a.gth = make([]float64, 2*nth), make([]float64, 2*nth)
		a.xu, a.gxu = make([]float64, 2*nx), make([]float64, 2*nx)
		copy(a.th2, a.tr.th)
		a.tangent.Prepare(a.th2)
		if a.sys.ByTime != nil {
			a.byTime = a.sys.ByTime()
			a.byTime.Prepare(a.tr.th)
		}
	}
	a.tr.slope(t, a.x, a.slope)
	copy(a.xu, a.x)
	copy(a.xu[nx:], a.slope)
	clear(a.gxu)
	clear(a.gth)
	a.tangent.VJP(a.gxu, a.gth, t, a.xu, nil, mu)
	if a.byTime != nil {
		a.byTime.VJP(a.gxu[:nx], a.gth[:nth], t, a.x, nil, mu)
	}
	if a.nq > 0 && a.mass != nil {
		a.tr.derivative(1, t, a.slope)
		for i, v := range mu[:nx] {
			a.nu[i] = -v
		}
		a.mass.add(a.gth, a.nu, a.slope)
	}
	add(dz[:nx], -ds, a.gxu)
	for k, i := range a.by {
		dz[nx+k] -= ds * a.gth[i]
	}
}

// differ is inTime by differences: the slope at t of the parabola through three times of the step around it, or, where t is at an end of it, beside it.
func (a *adjointRHS) differ(dz []float64, t float64, mu []float64, ds float64) {
	st := a.tr.sol.StepRecord(a.tr.step(t))
	h := 1e-4 * (st.T1 - st.T)
	mid := t
	switch {
	case (st.T+h-t)*a.tr.dir > 0:
		mid = st.T + h
	case (t-(st.T1-h))*a.tr.dir > 0:
		mid = st.T1 - h
	}
	n := a.nx + a.nq
	z := make([]float64, n)
	off := (t - mid) / h
	weights := [...]float64{off - 0.5, -2 * off, off + 0.5}
	for k, w := range weights {
		if w == 0 {
			continue
		}
		at := mid + float64(k-1)*h
		a.tr.at(at, a.x)
		a.product(z, at, mu)
		add(dz[:n], -ds*a.tr.dir*w/h, z)
	}
	a.tr.at(t, a.x)
}

// VJP implements system.Func; nobody asks for it.
func (a *adjointRHS) VJP(gx, gth []float64, _ float64, _, _, _ []float64) float64 {
	spoil(gx)
	spoil(gth)
	return 0
}

// Tangent implements system.Func; nobody asks for it.
func (a *adjointRHS) Tangent() system.Func { return a }

// Clone implements system.Func.
func (a *adjointRHS) Clone() system.Func { return newAdjointRHS(a.tr, a.sys, a.by) }

// adjointJacobian is the matrix of the linear equations, from the system's own Jacobian.
type adjointJacobian struct {
	rhs   *adjointRHS
	lin   *solve.Linear
	seen  int
	place []int // of an entry of J
	parts []int // of the first row of the integral, by column
	one   []float64
	oneTh []float64
	err   error
}

func newAdjointJacobian(tr *track, sys *system.System, by []int, p *sparse.Pattern) system.Jacobian {
	j := &adjointJacobian{rhs: newAdjointRHS(tr, sys, by), one: make([]float64, sys.NX), oneTh: make([]float64, sys.NTheta)}
	if j.lin, j.err = solve.NewLinear(sys); j.err != nil {
		return j
	}
	own, _ := j.lin.Entries()
	for c := range own.N() {
		rows, _ := own.Column(c)
		for _, i := range rows {
			j.place = append(j.place, p.Index(c, int(i)))
		}
		if len(by) > 0 {
			j.parts = append(j.parts, p.Index(own.N(), c))
		}
	}
	return j
}

// Prepare implements system.Jacobian.
func (j *adjointJacobian) Prepare([]float64) {}

// Eval implements system.Jacobian.
func (j *adjointJacobian) Eval(v, ft []float64, s float64, y []float64) {
	if j.err != nil {
		spoil(v)
		return
	}
	a := j.rhs
	a.follow()
	if j.seen != a.tr.version {
		j.seen = a.tr.version
		j.lin.Prepare(a.tr.th)
	}
	t := a.tr.time(s)
	a.tr.at(t, a.x)
	j.lin.Jacobian(nil, t, a.x)
	_, own := j.lin.Entries()
	for e, at := range j.place {
		v[at] = a.tr.dir * own[e]
	}
	if len(a.by) < a.nx && a.mass == nil {
		for k, i := range a.by {
			j.oneTh[i] = 1
			a.f.JVP(j.one, t, a.x, nil, 0, nil, j.oneTh)
			j.oneTh[i] = 0
			for c, at := range j.parts {
				v[at+k] = a.tr.dir * j.one[c]
			}
		}
		clear(j.one)
		j.inTime(ft, t, y)
		return
	}
	for c, at := range j.parts {
		j.one[c] = 1
		clear(a.all)
		a.f.VJP(nil, a.all, t, a.x, nil, j.one)
		a.moved(a.all, t, j.one)
		for k, i := range a.by {
			v[at+k] = a.tr.dir * a.all[i]
		}
		j.one[c] = 0
	}
	j.inTime(ft, t, y)
}

// inTime writes the derivative by time, unless ft is nil.
func (j *adjointJacobian) inTime(ft []float64, t float64, y []float64) {
	if a := j.rhs; ft != nil {
		clear(ft[:a.nx+a.nq])
		a.inTime(ft, t, y[:a.nx], 1)
	}
}
