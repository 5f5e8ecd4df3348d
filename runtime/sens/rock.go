package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// rock is the adjoint of a step of ROCK2 or ROCK4, the number of its stages held fixed as its length is: with X̄ the derivatives by the values in the form of
// method.ROCKScheme, the end first and then the recurrence backwards,
//
//	k̄_i = h B_i λ + h Σ_{j>i} A_ji P̄_j,  P̄_i = (∂f/∂x)ᵀ k̄_i,  X̄_Degree = λ + Σ_i P̄_i,
//	X̄_{j} += (1 + κ_j) X̄_{j+1} + h μ_j (∂f/∂x)ᵀ X̄_{j+1},  X̄_{j−1} −= κ_j X̄_{j+1},
//
// and to each of these what outputs within the step take of it. The values are computed anew.
//
// W. W. Hager, Runge–Kutta methods in optimal control and the transformed adjoint system, Numerische Mathematik 87 (2000), 247–282.
type rock struct {
	m   *method.ROCK
	rhs system.Func
	st  *solve.StepRecord
	nx  int

	x       [][]float64 // X_0 … X_Degree
	points  [][]float64 // P_1 …, of the end
	k, kb   [][]float64
	xb, x1b []float64
	db      [][]float64 // what outputs take of the sums of Dense
	inside  bool
	bars    [3][]float64
	v       []float64
}

func newRock(m *method.ROCK, sys *system.System) *rock {
	nx := sys.NX
	some := &m.Schemes()[0]
	r := &rock{m: m, rhs: sys.RHS.Clone(), nx: nx, xb: make([]float64, nx), x1b: make([]float64, nx), v: make([]float64, nx)}
	for range some.B {
		r.k, r.kb, r.points = append(r.k, make([]float64, nx)), append(r.kb, make([]float64, nx)), append(r.points, make([]float64, nx))
	}
	for range some.Dense {
		r.db = append(r.db, make([]float64, nx))
	}
	for i := range r.bars {
		r.bars[i] = make([]float64, nx)
	}
	return r
}

func (r *rock) prepare(th []float64) { r.rhs.Prepare(th) }

func (r *rock) open(st *solve.StepRecord) {
	r.st, r.inside = st, false
	clear(r.xb)
	clear(r.x1b)
	for _, d := range r.db {
		clear(d)
	}
}

func (r *rock) waits() bool { return false }

func (r *rock) output(theta float64, gx []float64) {
	r.inside = true
	add(r.xb, 1-theta, gx)
	add(r.x1b, theta, gx)
	p := theta
	for _, d := range r.db {
		p *= theta
		add(d, p-theta, gx)
	}
}

// scheme is that of the step.
func (r *rock) scheme() *method.ROCKScheme {
	stages := int(r.st.K[(1+len(r.db))*r.nx])
	all := r.m.Schemes()
	i := 0
	for all[i].Stages < stages {
		i++
	}
	return &all[i]
}

func (r *rock) back(lam, g []float64) error {
	st, h, c := r.st, r.st.H, r.scheme()
	r.again(c)
	from := c.C[c.Degree]
	if r.inside {
		add(lam, 1, r.x1b)
		r.taken(c, c.Stages-1, lam)
	}
	xg := r.bars[0]
	copy(xg, lam)
	for i, b := range c.B {
		clear(r.kb[i])
		add(r.kb[i], h*b, lam)
	}
	for i := len(c.B) - 1; i >= 0; i-- {
		at, t := r.x[c.Degree], from
		for _, a := range c.A[i] {
			t += a
		}
		if i > 0 {
			at = r.points[i]
		}
		clear(r.v)
		r.rhs.VJP(r.v, g, stageTime(st, t), at, nil, r.kb[i])
		if i > 0 {
			r.taken(c, c.Degree+i-1, r.v)
		}
		add(xg, 1, r.v)
		for j, a := range c.A[i] {
			add(r.kb[j], h*a, r.v)
		}
	}
	// xg is by X_{j+1}, xh by X_j as far as it is known.
	xh, xi := r.bars[1], r.bars[2]
	clear(xh)
	for j := c.Degree - 1; j >= 0; j-- {
		r.taken(c, j, xg)
		kappa := c.Kappa[j]
		add(xh, 1+kappa, xg)
		clear(xi)
		add(xi, -kappa, xg)
		clear(r.v)
		add(r.v, h*c.Mu[j], xg)
		r.rhs.VJP(xh, g, stageTime(st, c.C[j]), r.x[j], nil, r.v)
		xg, xh, xi = xh, xi, xg
	}
	copy(lam, xg)
	add(lam, 1, r.xb)
	return nil
}

// taken adds what outputs within the step take of its value j.
func (r *rock) taken(c *method.ROCKScheme, j int, bar []float64) {
	if !r.inside {
		return
	}
	for m, d := range r.db {
		add(bar, c.Dense[m][j], d)
		add(r.xb, -c.Dense[m][j], d)
	}
}

// again makes the step once more.
func (r *rock) again(c *method.ROCKScheme) {
	st, h := r.st, r.st.H
	for len(r.x) <= c.Degree {
		r.x = append(r.x, make([]float64, r.nx))
	}
	copy(r.x[0], st.X)
	for j := range c.Degree {
		next := r.x[j+1]
		r.rhs.Eval(r.v, stageTime(st, c.C[j]), r.x[j], nil)
		clear(next)
		add(next, h*c.Mu[j], r.v)
		add(next, 1+c.Kappa[j], r.x[j])
		if j > 0 {
			add(next, -c.Kappa[j], r.x[j-1])
		}
	}
	for i, row := range c.A {
		at, t := r.x[c.Degree], c.C[c.Degree]
		if i > 0 {
			copy(r.points[i], at)
			at = r.points[i]
		}
		for j, a := range row {
			t += a
			add(at, h*a, r.k[j])
		}
		r.rhs.Eval(r.k[i], stageTime(st, t), at, nil)
	}
}
