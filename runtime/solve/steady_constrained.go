package solve

import (
	"errors"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Steady states of systems whose index was reduced. A row that is a derivative of a constraint says nothing of a steady state: it is zero wherever nothing moves, so that
// its roots are no roots of the constraint, and where time stands in the constraint it contradicts it. So the constraint itself is put back in its place. The equations are then
// the model's own with all derivatives zero, as many as there are unknowns, and their index does not matter.

// undifferentiated is the system of the equations as they were written; sys itself where nothing was differentiated.
func undifferentiated(sys *system.System) (*system.System, error) {
	if sys.Invariants == nil {
		return sys, nil
	}
	if len(sys.AsWritten) != sys.NX {
		return nil, errors.New("a steady state needs the constraints as they were written, and this system only has invariants")
	}
	out := *sys
	out.RHS = &replaced{Func: sys.RHS.Clone(), by: sys.Invariants.Clone(), from: sys.AsWritten}
	out.Jacobian = nil // of other rows
	out.Invariants, out.InvariantsPattern, out.Conserved, out.AsWritten = nil, nil, nil, nil
	out.Equations = make([]system.Equation, sys.NX)
	for i, k := range sys.AsWritten {
		switch {
		case k >= 0 && k < len(sys.Conserved):
			out.Equations[i] = sys.Conserved[k]
		case i < len(sys.Equations):
			out.Equations[i] = sys.Equations[i]
		default:
			out.Equations[i].Name = EquationName(sys, i)
		}
	}
	var err error
	if out.Pattern, err = replacedPattern(sys); err != nil {
		return nil, err
	}
	if m := sys.Mass; m != nil {
		from := make([]int, m.Pattern.NNZ())
		for j := range m.Pattern.N() {
			rows, first := m.Pattern.Column(j)
			for l, i := range rows {
				if from[first+l] = -1; sys.AsWritten[i] >= 0 {
					from[first+l] = nothing
				}
			}
		}
		out.Mass = &system.Mass{Pattern: m.Pattern, Values: &replaced{Func: m.Values.Clone(), from: from}}
	}
	return &out, nil
}

// replacedPattern is where the derivatives of the equations as written may be non-zero; nil: anywhere.
func replacedPattern(sys *system.System) (*sparse.Pattern, error) {
	if sys.Pattern == nil || sys.InvariantsPattern == nil {
		return nil, nil
	}
	rowOf := map[int]int{}
	for i, k := range sys.AsWritten {
		if k >= 0 {
			rowOf[k] = i
		}
	}
	var is, js []int
	for j := range sys.NX {
		rows, _ := sys.Pattern.Column(j)
		for _, i := range rows {
			if sys.AsWritten[i] < 0 {
				is, js = append(is, int(i)), append(js, j)
			}
		}
		rows, _ = sys.InvariantsPattern.Column(j)
		for _, k := range rows {
			if i, ok := rowOf[int(k)]; ok {
				is, js = append(is, i), append(js, j)
			}
		}
	}
	return sparse.NewPattern(sys.NX, is, js)
}

// nothing stands for a zero in replaced.
const nothing = -2

// replaced is a function some of whose entries are those of another: from[i] says which, −1 for its own, and nothing for zero.
type replaced struct {
	system.Func
	by       system.Func // nil where from names none
	from     []int
	z, g, gb []float64
}

// scratch is allocated at the first use.
func (r *replaced) scratch() {
	if r.z == nil && r.by != nil {
		_, _, n := r.by.Dims()
		r.z, r.gb = make([]float64, n), make([]float64, n)
	}
	if r.g == nil {
		r.g = make([]float64, len(r.from))
	}
}

func (r *replaced) Prepare(th []float64) {
	r.Func.Prepare(th)
	if r.by != nil {
		r.by.Prepare(th)
	}
}

// put writes the entries of z that are not the function's own.
func (r *replaced) put(z []float64) {
	for i, k := range r.from {
		switch {
		case k >= 0:
			z[i] = r.z[k]
		case k == nothing:
			z[i] = 0
		}
	}
}

func (r *replaced) Eval(z []float64, t float64, x, th []float64) {
	r.scratch()
	r.Func.Eval(z, t, x, th)
	if r.by != nil {
		r.by.Eval(r.z, t, x, th)
	}
	r.put(z)
}

func (r *replaced) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	r.scratch()
	r.Func.JVP(dz, t, x, th, dt, dx, dth)
	if r.by != nil {
		r.by.JVP(r.z, t, x, th, dt, dx, dth)
	}
	r.put(dz)
}

func (r *replaced) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	r.scratch()
	clear(r.gb)
	for i, k := range r.from {
		if r.g[i] = 0; k >= 0 {
			r.gb[k] += gz[i]
		} else if k != nothing {
			r.g[i] = gz[i]
		}
	}
	gt := r.Func.VJP(gx, gth, t, x, th, r.g)
	if r.by != nil {
		gt += r.by.VJP(gx, gth, t, x, th, r.gb)
	}
	return gt
}

func (r *replaced) Tangent() system.Func {
	out := &replaced{Func: r.Func.Tangent(), from: r.from}
	if r.by != nil {
		out.by = r.by.Tangent()
	}
	return out
}

func (r *replaced) Clone() system.Func {
	out := &replaced{Func: r.Func.Clone(), from: r.from}
	if r.by != nil {
		out.by = r.by.Clone()
	}
	return out
}

// begin moves x, and with it the start, to where the algebraic equations and the constraints hold, as a solution would begin; from there steps of continuation are short corrections. Where
// there is no such point in reach x stays.
func (s *steady) begin() {
	sys := s.p.Sys
	if sys.Mass == nil && sys.Invariants == nil {
		return
	}
	x := append([]float64(nil), s.x...)
	atol := make([]float64, len(x))
	for i := range atol {
		atol[i] = s.p.Atol
	}
	c := &consistent{sys: sys, t: s.p.T, x: x, th: s.p.Theta, rtol: s.p.Rtol, atol: atol, nearest: true}
	if c.run() != nil || !finite(x) {
		return
	}
	s.eval(s.ft, x)
	if !finite(s.ft) {
		return
	}
	copy(s.x, x)
	copy(s.start, x)
	copy(s.f, s.ft)
}

// moving reports whether a constraint that was differentiated depends on time: with the time held, its derivatives contradict it.
func (s *steady) moving() bool {
	if s.p.Sys.Invariants == nil {
		return false
	}
	inv := s.p.Sys.Invariants.Clone()
	inv.Prepare(s.p.Theta)
	_, _, n := inv.Dims()
	dz := make([]float64, n)
	for _, t := range []float64{s.p.T, s.p.T + 1e-3*(1+math.Abs(s.p.T))} {
		inv.JVP(dz, t, s.x, nil, 1, nil, nil)
		for _, v := range dz {
			if v != 0 && !math.IsNaN(v) {
				return true
			}
		}
	}
	return false
}
