package solve

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// split is the part of a right-hand side that is treated explicitly, and what it gave at the stages.
type split struct {
	of system.Func // as the problem has it
	f  system.Func
	g  [][]float64
}

// take evaluates the part at a point of stage i and subtracts it from f there.
func (e *split) take(i int, t float64, x, f []float64) {
	e.eval(i, t, x)
	for n, v := range e.g[i] {
		f[n] -= v
	}
}

func (e *split) eval(i int, t float64, x []float64) { e.f.Eval(e.g[i], t, x, nil) }

// divide makes of the right-hand side an explicit part, nil for nothing, and the rest.
func (d *dirk) divide(f system.Func) {
	if d.split == nil && f == nil || d.split != nil && d.split.of == f {
		return
	}
	nx, mat := d.s.sys.NX, d.nw.mat
	if rest, ok := mat.jac.(*remainder); ok {
		mat.jac = rest.all
	}
	if f == nil {
		d.split, d.g = nil, d.k
		return
	}
	d.split = &split{of: f, f: f.Clone()}
	_, d.split.g = rowsOf(d.m.Stages, nx)
	_, d.g = rowsOf(d.m.Stages, nx)
	mat.jac = &remainder{all: mat.jac, part: newColoured(f, mat.pattern), v: make([]float64, mat.pattern.NNZ()), ft: make([]float64, nx)}
}

// remainder is the Jacobian of f less that of a part of it.
type remainder struct {
	all, part system.Jacobian
	v, ft     []float64
}

// Prepare implements system.Jacobian.
func (r *remainder) Prepare(th []float64) {
	r.all.Prepare(th)
	r.part.Prepare(th)
}

// Eval implements system.Jacobian.
func (r *remainder) Eval(v, ft []float64, t float64, x []float64) {
	r.all.Eval(v, ft, t, x)
	var part []float64
	if ft != nil {
		part = r.ft
	}
	r.part.Eval(r.v, part, t, x)
	for i, w := range r.v {
		v[i] -= w
	}
	for i, w := range part {
		ft[i] -= w
	}
}

// checkExplicit refuses an explicit part that cannot be.
func (p *Problem) checkExplicit(m method.Method) error {
	if p.Explicit == nil {
		return nil
	}
	if d, ok := m.(*method.DIRK); !ok || d.Explicit == nil {
		var names []string
		for _, m := range method.Solvers() {
			if d, ok := m.(*method.DIRK); ok && d.Explicit != nil {
				names = append(names, d.Name)
			}
		}
		return fmt.Errorf("%s treats no part of the right-hand side explicitly: take one of %s", m.Info().Name, strings.Join(names, ", "))
	}
	if p.Sys.Mass != nil {
		return fmt.Errorf("the right-hand side has an explicit part, which goes with x' = f only, and the system has %s", algebraic(p.Sys))
	}
	if nx, nth, nz := p.Explicit.Dims(); nx != p.Sys.NX || nth != p.Sys.NTheta || nz != p.Sys.NX {
		return fmt.Errorf("the system has %d states and %d parameters, but the explicit part of its right-hand side takes %d and %d and gives %d values", p.Sys.NX, p.Sys.NTheta, nx, nth, nz)
	}
	return nil
}
