package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// massDirk is the adjoint of a step of a diagonally implicit method where there is a mass matrix, which may be singular,
//
//	M z_i − hγ f(t_i, x + z_i) = h Σ_{j<i} a_ij g_j,  g_i = f(t_i, x + z_i),  k_i = (z_i − h Σ_{j<i} a_ij k_j)/(hγ),  x1 = x + z_s,
//
// where the g and k of the first stage are those of the last one of the step before; after a start g_1 = f(t, x) and k_1 = Σ_i w_i z_i/h. The k serve the dense output
// alone. With ū the derivative by u, the k first, the last stage first,
//
//	z̄_i += k̄_i/(hγ),  k̄_j −= a_ij/γ k̄_i;
//	v = (M − hγJ_i)⁻ᵀ (z̄_i + J_iᵀ ḡ_i),  ḡ_j += h a_ij v,  x̄ += J_iᵀ (ḡ_i + hγ v),
//
// and by θ through f likewise, and through −vᵀ dM z_i. What comes to the first stage is handed to the step before.
//
// J. M. Sanz-Serna, Symplectic Runge–Kutta schemes for adjoint equations, automatic differentiation, optimal control, and more, SIAM Review 58 (2016), 3–33.
type massDirk struct {
	m     *method.DIRK
	rhs   system.Func
	lin   *solve.Linear
	mass  *massByTheta
	dense *solve.Interpolation
	start []float64 // w
	st    *solve.StepRecord
	nx    int

	kb, gb, zb     [][]float64
	xb             []float64
	z, point, v, q []float64
	handK, handG   []float64 // what the step after this one hands to the last stage
	late, later    []float64 // by z_s of the step before, with the sign changed: of the outputs of the step at hand, and of the one after it for this one's
	slope, steep   []float64 // the same by the first k
	weights        []float64
}

func newMassDirk(m *method.DIRK, sys *system.System) (reverse, error) {
	lin, err := solve.NewLinear(sys)
	if err != nil {
		return nil, err
	}
	nx := sys.NX
	d := &massDirk{m: m, rhs: sys.RHS.Clone(), lin: lin, mass: newMassByTheta(sys), dense: solve.InterpolationOf(m), nx: nx, weights: make([]float64, m.Stages)}
	d.start = d.dense.Start()
	buf := make([]float64, (3*m.Stages+11)*nx)
	cut := func() []float64 {
		c := buf[:nx:nx]
		buf = buf[nx:]
		return c
	}
	for range m.Stages {
		d.kb, d.gb, d.zb = append(d.kb, cut()), append(d.gb, cut()), append(d.zb, cut())
	}
	d.xb, d.z, d.point, d.v, d.q = cut(), cut(), cut(), cut(), cut()
	d.handK, d.handG, d.late, d.later, d.slope, d.steep = cut(), cut(), cut(), cut(), cut(), cut()
	return d, nil
}

func (d *massDirk) prepare(th []float64) {
	d.rhs.Prepare(th)
	d.lin.Prepare(th)
	d.mass.prepare(th)
	clear(d.handK)
	clear(d.handG)
	clear(d.later)
	clear(d.steep)
}

func (d *massDirk) open(st *solve.StepRecord) {
	d.st = st
	clear(d.xb)
	for i := range d.kb {
		clear(d.kb[i])
		clear(d.gb[i])
		clear(d.zb[i])
	}
	clear(d.late)
	clear(d.slope)
}

func (d *massDirk) waits() bool {
	return !(zero(d.handK) && zero(d.handG) && zero(d.later) && zero(d.steep))
}

func (d *massDirk) output(theta float64, gx []float64) {
	add(d.xb, 1, gx)
	past, slope := d.dense.Weights(theta, d.st, d.weights)
	for i, w := range d.weights {
		if w != 0 {
			add(d.kb[i], d.st.H*w, gx)
		}
	}
	if past != 0 || slope != 0 {
		add(d.late, past, gx)
		add(d.slope, d.st.H*slope, gx)
	}
}

// reached writes the state that the step leads to by itself.
func (d *massDirk) reached(x []float64) {
	copy(x, d.st.X)
	for j, a := range d.m.A[d.m.Stages-1] {
		add(x, d.st.H*a, d.st.K[j*d.nx:(j+1)*d.nx])
	}
}

func (d *massDirk) back(lam, g []float64) error {
	st, m := d.st, d.m
	h, c := st.H, st.H*m.Gamma
	last := m.Stages - 1
	add(d.xb, 1, lam)
	add(d.zb[last], 1, lam)
	add(d.zb[last], -1, d.later)
	add(d.kb[last], 1, d.handK)
	add(d.gb[last], 1, d.handG)
	add(d.kb[0], 1, d.steep)
	copy(d.later, d.late)
	copy(d.steep, d.slope)
	for i := last; i > 0; i-- {
		if zero(d.kb[i]) {
			continue
		}
		add(d.zb[i], 1/c, d.kb[i])
		for j, a := range m.A[i][:i] {
			if a != 0 {
				add(d.kb[j], -a/m.Gamma, d.kb[i])
			}
		}
	}
	clear(d.handK)
	clear(d.handG)
	goesOn := st.Continues(m.Stages)
	if goesOn {
		copy(d.handK, d.kb[0])
	} else {
		for i, w := range d.start {
			if w != 0 {
				add(d.zb[i], w/h, d.kb[0])
			}
		}
	}
	for i := last; i > 0; i-- {
		if zero(d.zb[i]) && zero(d.gb[i]) {
			continue
		}
		t := stageTime(st, m.C[i])
		clear(d.z)
		for j, a := range m.A[i] {
			if a != 0 {
				add(d.z, h*a, st.K[j*d.nx:(j+1)*d.nx])
			}
		}
		copy(d.point, st.X)
		add(d.point, 1, d.z)
		copy(d.v, d.zb[i])
		if !zero(d.gb[i]) {
			d.rhs.VJP(d.v, nil, t, d.point, nil, d.gb[i])
		}
		d.lin.Jacobian(nil, t, d.point)
		if err := d.lin.Factor(c); err != nil {
			return err
		}
		d.lin.SolveTransposed(d.v)
		for j, a := range m.A[i][:i] {
			if a != 0 {
				add(d.gb[j], h*a, d.v)
			}
		}
		copy(d.q, d.gb[i])
		add(d.q, c, d.v)
		d.rhs.VJP(d.xb, g, t, d.point, nil, d.q)
		for k := range d.z {
			d.z[k] = -d.z[k]
		}
		d.mass.add(g, d.v, d.z)
	}
	if goesOn {
		copy(d.handG, d.gb[0])
	} else if !zero(d.gb[0]) {
		d.rhs.VJP(d.xb, g, st.T, st.X, nil, d.gb[0])
	}
	copy(lam, d.xb)
	return nil
}
