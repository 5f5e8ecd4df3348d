package ad

import (
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/sparse"
)

// A whole Jacobian as one graph: the tangents along one seed for each group of columns that share no row, all over the same values. Seeds
// are constants, so what they make zero or constant is folded, and what does not depend on a group's columns costs nothing.
//
// A. R. Curtis, M. J. D. Powell, J. K. Reid, On the estimation of sparse Jacobian matrices, J. Inst. Maths Applics 13 (1974); here the
// products are exact.

// The result vectors of Entries.
const (
	VecValue   = iota // z
	VecEntries        // ∂z/∂x, in the order of the pattern
	VecTime           // ∂z/∂t
)

// Entries is z, the entries of ∂z/∂x that the pattern of c lists, and ∂z/∂t, where z is output vector 0 of g. Every input of x must be a
// scalar, as opt.Scalars makes them.
//
// It fails where a registered function on the way has no derivative. The graph is nil where it would have more nodes than limit.
func Entries(g *ir.Graph, p *sparse.Pattern, c *sparse.Coloring, limit int) (*ir.Graph, error) {
	j := newJacobian(g)
	h := j.h
	for _, o := range g.Outputs {
		o.Node = j.to[o.Node]
		h.Output(o)
	}
	for q := range c.Groups() {
		d, err := j.along(func(in ir.Input) ir.ID {
			if in.Bank == ir.BankX && in.Off < p.N() && c.Group(in.Off) == q {
				return h.Num(1)
			}
			return ir.None
		})
		if err != nil {
			return nil, err
		}
		if len(h.Nodes) > limit {
			return nil, nil
		}
		rows := j.rows(d, p.N())
		for _, col := range c.Columns(q) {
			list, first := p.Column(int(col))
			for k, r := range list {
				e := rows[r]
				if e == ir.None {
					e = h.Num(0)
				}
				h.Output(ir.Output{Name: "J", Vec: VecEntries, Off: first + k, Node: e})
			}
		}
	}
	if err := j.time(VecTime); err != nil {
		return nil, err
	}
	return h, nil
}

// Products is ∂z/∂x times the seed of each group of columns of c, one vector of the length nz after the other, as result vector 0, and ∂z/∂t as 1.
//
// It fails where a registered function on the way has no derivative.
func Products(g *ir.Graph, nz int, c *sparse.Coloring) (*ir.Graph, error) {
	j := newJacobian(g)
	h := j.h
	for q := range c.Groups() {
		d, err := j.along(func(in ir.Input) ir.ID {
			if in.Bank != ir.BankX {
				return ir.None
			}
			seed := make([]float64, in.Shape.Size())
			for i := range seed {
				if c.Group(in.Off+i) == q {
					seed[i] = 1
				}
			}
			if !slices.Contains(seed, 1) {
				return ir.None
			}
			return h.Const(in.Shape, seed...)
		})
		if err != nil {
			return nil, err
		}
		j.outputs(d, 0, q*nz)
	}
	if err := j.time(1); err != nil {
		return nil, err
	}
	return h, nil
}

// jacobian is a copy h of a graph g, to which tangents are added.
type jacobian struct {
	g, h   *ir.Graph
	to     []ir.ID
	inputs []ir.Input
	values int // nodes of g's copy
}

func newJacobian(g *ir.Graph) *jacobian {
	h := ir.New()
	to := h.Embed(g)
	return &jacobian{g: g, h: h, to: to, inputs: h.Inputs[:len(h.Inputs):len(h.Inputs)], values: len(h.Nodes)}
}

// along gives the tangents of all nodes for those of the inputs.
func (j *jacobian) along(seed func(in ir.Input) ir.ID) ([]ir.ID, error) {
	d := make([]ir.ID, j.values)
	for i := range d {
		d[i] = ir.None
	}
	for _, in := range j.inputs {
		d[in.Node] = seed(in)
	}
	return d, push(j.h, d, nil)
}

// rows are the tangents of the results, which are scalars; None for zero.
func (j *jacobian) rows(d []ir.ID, nz int) []ir.ID {
	rows := make([]ir.ID, nz)
	for i := range rows {
		rows[i] = ir.None
	}
	for _, o := range j.g.Outputs {
		dz := d[j.to[o.Node]]
		switch {
		case dz == ir.None:
		case rows[o.Off] == ir.None:
			rows[o.Off] = dz
		default:
			rows[o.Off] = j.h.Add(rows[o.Off], dz)
		}
	}
	return rows
}

// outputs puts the tangents of the results into a result vector.
func (j *jacobian) outputs(d []ir.ID, vec, off int) {
	for _, o := range j.g.Outputs {
		dz := d[j.to[o.Node]]
		if dz == ir.None {
			if o.Add {
				continue
			}
			dz = j.h.Fill(j.g.Shape(o.Node), 0)
		}
		j.h.Output(ir.Output{Name: "J", Vec: vec, Off: off + o.Off, Node: dz, Add: o.Add})
	}
}

// time puts ∂z/∂t into a result vector.
func (j *jacobian) time(vec int) error {
	d, err := j.along(func(in ir.Input) ir.ID {
		if in.Bank == ir.BankT {
			return j.h.Num(1)
		}
		return ir.None
	})
	if err == nil {
		j.outputs(d, vec, 0)
	}
	return err
}
