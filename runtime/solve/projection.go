package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// Projection moves a state onto the invariants of a system, and onto its algebraic equations with them: the smallest change, measured in tolerances, that
// makes
//
//	c(x) = (invariants(t, x, θ), algebraic rows of f(t, x, θ)) = 0.
//
// A system whose index was reduced by differentiating its constraints keeps the derivatives that it was made of as invariants; integration alone would drift off them.
//
// E. Eich, Convergence results for a coordinate projection method applied to mechanical systems with algebraic constraints, SIAM Journal on Numerical
// Analysis 30 (1993), 1467–1482; E. Hairer, C. Lubich, G. Wanner, Geometric Numerical Integration, 2nd edition, Springer 2006, section IV.4.
//
// A Projection serves one goroutine; only its making allocates.
type Projection struct {
	sys      *system.System
	inv, rhs system.Func
	rows     []int // algebraic rows of f
	n, m     int   // of x, of c

	c, z, gz []float64
	weight   []float64 // squares of the tolerances
	lu       normal
	y, back  []float64

	th     []float64 // θ as prepared
	curves *curved   // nil before they are asked for
}

// normal is C at a point, and the equations with C W Cᵀ. It serves one goroutine.
type normal interface {
	// prepare fixes θ.
	prepare(th []float64)
	// linearise evaluates C at (t, x) and factors C W Cᵀ.
	linearise(t float64, x, weight []float64) error
	// times writes C·v into y, and back Cᵀ·y into v.
	times(y, v []float64)
	back(v, y []float64)
	// Solve replaces y by (C W Cᵀ)⁻¹·y.
	Solve(y []float64)
}

// NewProjection makes the projection of a system; nil where it has no invariants.
func NewProjection(sys *system.System) *Projection {
	if sys.Invariants == nil {
		return nil
	}
	_, _, ni := sys.Invariants.Dims()
	p := &Projection{sys: sys, inv: sys.Invariants.Clone(), rhs: sys.RHS.Clone(), n: sys.NX}
	if diagonal(sys.Mass) {
		for i, a := range sys.Algebraic {
			if a {
				p.rows = append(p.rows, i)
			}
		}
	}
	p.m = ni + len(p.rows)
	p.c, p.z, p.gz = make([]float64, p.m), make([]float64, p.n), make([]float64, max(p.n, ni))
	p.weight, p.y, p.back = make([]float64, p.n), make([]float64, p.m), make([]float64, p.n)
	if k := newKKT(p); k != nil {
		p.lu = k
	} else {
		p.lu = newGram(p)
	}
	return p
}

// diagonal reports whether a mass matrix has entries on its diagonal only, so that its empty rows are those of the algebraic equations.
func diagonal(m *system.Mass) bool {
	if m == nil {
		return false
	}
	for j := range m.Pattern.N() {
		rows, _ := m.Pattern.Column(j)
		for _, i := range rows {
			if int(i) != j {
				return false
			}
		}
	}
	return true
}

// Prepare fixes θ and the tolerances that changes are measured by.
func (p *Projection) Prepare(th []float64) {
	p.inv.Prepare(th)
	p.rhs.Prepare(th)
	p.lu.prepare(th)
	p.th = append(p.th[:0], th...)
	if p.curves != nil {
		p.curves.prepared = false
	}
}

// constraints evaluates c at (t, x).
func (p *Projection) constraints(t float64, x []float64) {
	ni := p.m - len(p.rows)
	p.inv.Eval(p.c[:ni], t, x, nil)
	if len(p.rows) > 0 {
		p.rhs.Eval(p.z, t, x, nil)
		for k, i := range p.rows {
			p.c[ni+k] = p.z[i]
		}
	}
}

// linearise evaluates C and factors C W Cᵀ.
func (p *Projection) linearise(t float64, x []float64) error {
	if err := p.lu.linearise(t, x, p.weight); err != nil {
		return fmt.Errorf("the constraints depend on each other at t = %.6g: %w", t, err)
	}
	return nil
}

// weigh measures changes by the tolerances at x.
func (p *Projection) weigh(x []float64, rtol float64, atol []float64) {
	for i, v := range x {
		w := atol[i] + rtol*math.Abs(v)
		p.weight[i] = w * w
	}
}

// Project moves x, at time t. The error says that there is no point near by.
func (p *Projection) Project(t float64, x []float64, rtol float64, atol []float64) error {
	p.weigh(x, rtol, atol)
	for range 8 {
		p.constraints(t, x)
		if err := p.linearise(t, x); err != nil {
			return err
		}
		copy(p.y, p.c)
		p.lu.Solve(p.y)
		p.lu.back(p.back, p.y)
		size := 0.0
		for j, d := range p.back {
			x[j] -= p.weight[j] * d
			size += d * d * p.weight[j]
		}
		if size = math.Sqrt(size / float64(p.n)); size <= 1e-3 {
			return nil
		}
		if size != size {
			break
		}
	}
	return fmt.Errorf("no state near by satisfies the constraints at t = %.6g", t)
}

// Back carries the derivative lam of a loss by the projected state to that by the state before, and adds that by θ to g; x is the projected state.
func (p *Projection) Back(t float64, x []float64, rtol float64, atol []float64, lam, g []float64) error {
	p.weigh(x, rtol, atol)
	if err := p.linearise(t, x); err != nil {
		return err
	}
	ni := p.m - len(p.rows)
	for j, w := range p.weight {
		p.back[j] = w * lam[j]
	}
	p.lu.times(p.y, p.back)
	p.lu.Solve(p.y)
	for k := range p.y {
		p.y[k] = -p.y[k]
	}
	// −(Cᵀ y) to the state and −(c_θᵀ y) to θ, by the transposed products themselves.
	p.inv.VJP(lam, g, t, x, nil, p.y[:ni])
	if len(p.rows) > 0 {
		clear(p.back)
		for k, i := range p.rows {
			p.back[i] = p.y[ni+k]
		}
		p.rhs.VJP(lam, g, t, x, nil, p.back)
	}
	return nil
}
