package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// dirk is the adjoint of a step of a diagonally implicit method,
//
//	X_i = x + h Σ_{j≤i} A_ij k_j,  k_i = f(t_i, X_i),  x1 = X_s:
//
// with k̄_i the derivative by k_i and J_i that of f at its stage, the last stage first,
//
//	(1 − hγJ_i)ᵀ v_i = X̄_i + J_iᵀ k̄_i,  k̄_j += h A_ij v_i for j < i,  x̄ += v_i,
//
// and by θ through k̄_i + hγ v_i. Outputs that the step before has a part in are handed back to its start.
//
// J. M. Sanz-Serna, Symplectic Runge–Kutta schemes for adjoint equations, automatic differentiation, optimal control, and more, SIAM Review 58 (2016), 3–33.
type dirk struct {
	m     *method.DIRK
	rhs   system.Func
	lin   *solve.Linear
	dense *solve.Interpolation
	st    *solve.StepRecord
	nx    int

	kb            [][]float64
	xb            []float64
	point, v, w   []float64
	late, later   []float64 // what comes to the start of the step before: of the step at hand, and of the one after it for this one's
	slope, steep  []float64 // the same by x' there
	weights       []float64
	wait, waiting bool // late, later are not zero
}

func newDirk(m *method.DIRK, sys *system.System) (reverse, error) {
	if sys.Mass != nil {
		return newMassDirk(m, sys)
	}
	lin, err := solve.NewLinear(sys)
	if err != nil {
		return nil, err
	}
	d := &dirk{m: m, rhs: sys.RHS.Clone(), lin: lin, nx: sys.NX, dense: solve.InterpolationOf(m), weights: make([]float64, m.Stages)}
	for range m.Stages {
		d.kb = append(d.kb, make([]float64, d.nx))
	}
	buf := make([]float64, 8*d.nx)
	cut := func() []float64 {
		c := buf[:d.nx:d.nx]
		buf = buf[d.nx:]
		return c
	}
	d.xb, d.point, d.v, d.w, d.late, d.later, d.slope, d.steep = cut(), cut(), cut(), cut(), cut(), cut(), cut(), cut()
	return d, nil
}

func (d *dirk) prepare(th []float64) {
	d.rhs.Prepare(th)
	d.lin.Prepare(th)
	d.waiting, d.wait = false, false
}

func (d *dirk) open(st *solve.StepRecord) {
	d.st = st
	clear(d.xb)
	for _, k := range d.kb {
		clear(k)
	}
	d.wait = false
	clear(d.late)
	clear(d.slope)
}

// waits says that the step before must be opened, whatever comes from elsewhere.
func (d *dirk) waits() bool { return d.waiting }

func (d *dirk) output(theta float64, gx []float64) {
	add(d.xb, 1, gx)
	past, slope := d.dense.Weights(theta, d.st, d.weights)
	for i, w := range d.weights {
		if w != 0 {
			add(d.kb[i], d.st.H*w, gx)
		}
	}
	if past != 0 || slope != 0 {
		d.wait = true
		add(d.late, past, gx)
		add(d.xb, -past, gx)
		add(d.slope, d.st.H*slope, gx)
	}
}

func (d *dirk) back(lam, g []float64) error {
	st, m := d.st, d.m
	h, c := st.H, st.H*m.Gamma
	last := m.Stages - 1
	for i := last; i >= 0; i-- {
		t := stageTime(st, m.C[i])
		copy(d.point, st.X)
		for j, a := range m.A[i] {
			if a != 0 {
				add(d.point, h*a, st.K[j*d.nx:(j+1)*d.nx])
			}
		}
		kb := d.kb[i]
		if i == 0 { // explicit: X_0 = x
			if d.waiting { // the step after this one took x' here
				add(kb, 1, d.steep)
			}
			d.rhs.VJP(d.xb, g, t, d.point, nil, kb)
			break
		}
		clear(d.v)
		if i == last {
			copy(d.v, lam)
		}
		if !zero(kb) {
			d.rhs.VJP(d.v, nil, t, d.point, nil, kb)
		}
		if zero(d.v) && zero(kb) {
			continue
		}
		d.lin.Jacobian(nil, t, d.point)
		if err := d.lin.Factor(c); err != nil {
			return err
		}
		d.lin.SolveTransposed(d.v)
		add(d.xb, 1, d.v)
		for j, a := range m.A[i][:i] {
			if a != 0 {
				add(d.kb[j], h*a, d.v)
			}
		}
		copy(d.w, kb)
		add(d.w, c, d.v)
		d.rhs.VJP(nil, g, t, d.point, nil, d.w)
	}
	if d.waiting {
		add(d.xb, 1, d.later)
	}
	d.waiting = d.wait
	copy(d.later, d.late)
	copy(d.steep, d.slope)
	copy(lam, d.xb)
	return nil
}
