package ad

import (
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
)

// Sparsity is the structure of ∂z/∂x for output vector 0 of g with nz numbers and bank x with nx: for each
// row the columns, rising, that may not be zero whatever the values are. Products with a
// constant zero do not count as dependence, nor do steps (floor, comparisons) and conditions.
func Sparsity(g *ir.Graph, nz, nx int) [][]int {
	return Dependence(g, nz, func(b ir.Bank, off int) int {
		if b != ir.BankX || off >= nx {
			return -1
		}
		return off
	})
}

// Dependence is Sparsity with a say in what counts: column numbers the inputs, −1 for those that do not matter.
func Dependence(g *ir.Graph, nz int, column func(b ir.Bank, off int) int) [][]int {
	live := g.Live()
	deps := make([][][]int, len(g.Nodes)) // of each element of each node; shared, never written to
	for id := range g.Nodes {
		if live[id] {
			deps[id] = elements(g, ir.ID(id), deps, column)
		}
	}
	rows := make([][]int, nz)
	for _, o := range g.Outputs {
		if o.Vec != 0 {
			continue
		}
		for k, d := range deps[o.Node] {
			if r := o.Off + k; r < nz {
				rows[r] = union(rows[r], d)
			}
		}
	}
	return rows
}

// elements lists what each element of a node depends on; nil for a node that depends on nothing.
func elements(g *ir.Graph, id ir.ID, deps [][][]int, column func(b ir.Bank, off int) int) [][]int {
	n := &g.Nodes[id]
	size := n.Shape.Size()
	if n.Op == ir.OpInput {
		in := g.Inputs[n.Ints[0]]
		var d [][]int
		single := make([]int, size) // one piece for all
		for k := range size {
			c := column(in.Bank, in.Off+k)
			if c < 0 {
				continue
			}
			if d == nil {
				d = make([][]int, size)
			}
			single[k] = c
			d[k] = single[k : k+1 : k+1]
		}
		return d
	}
	depends := false
	for i, a := range n.Args {
		depends = depends || deps[a] != nil && !ignores(n, i)
	}
	if !depends {
		return nil
	}
	d := make([][]int, size)
	switch n.Op.Info().Class {
	case ir.Elementwise:
		for i, a := range n.Args {
			if deps[a] == nil || ignores(n, i) {
				continue
			}
			for k := range d {
				at := k
				if g.Shape(a).IsScalar() {
					at = 0
				}
				if !zeroFactor(g, n, i, k) {
					d[k] = union(d[k], deps[a][at])
				}
			}
		}
	case ir.Structural:
		moved(g, n, deps, d)
	case ir.Reducing:
		for k, o := range g.ReduceMap(n) {
			d[o] = union(d[o], deps[n.Args[0]][k])
		}
	case ir.Matrix:
		product(g, n, deps, d)
	default: // each element on all arguments
		var all []int
		for _, a := range n.Args {
			if deps[a] != nil {
				all = union(all, deps[a][0])
			}
		}
		for k := range d {
			d[k] = all
		}
	}
	return d
}

// ignores reports whether the derivative of a node by its i-th argument is zero everywhere.
func ignores(n *ir.Node, i int) bool {
	switch n.Op {
	case ir.OpSign, ir.OpFloor, ir.OpCeil, ir.OpRound, ir.OpTrunc, ir.OpNot, ir.OpLt, ir.OpLe, ir.OpEq, ir.OpNe, ir.OpAnd, ir.OpOr:
		return true
	}
	return n.Op == ir.OpSelect && i == 0
}

// zeroFactor reports whether argument i of a product is multiplied with a constant zero at element k.
func zeroFactor(g *ir.Graph, n *ir.Node, i, k int) bool {
	if n.Op != ir.OpMul {
		return false
	}
	c := &g.Nodes[n.Args[1-i]]
	if c.Op != ir.OpConst {
		return false
	}
	return c.Data[min(k, len(c.Data)-1)] == 0
}

func moved(g *ir.Graph, n *ir.Node, deps [][][]int, d [][]int) {
	switch n.Op {
	case ir.OpReshape:
		copy(d, deps[n.Args[0]])
	case ir.OpGather:
		for k, i := range n.Ints {
			d[k] = deps[n.Args[0]][i]
		}
	case ir.OpScatter:
		for k, i := range n.Ints {
			d[i] = union(d[i], deps[n.Args[0]][k])
		}
	case ir.OpConcat:
		off := 0
		for _, a := range n.Args {
			copy(d[off:], deps[a])
			off += g.Shape(a).Size()
		}
	}
}

func product(g *ir.Graph, n *ir.Node, deps [][][]int, d [][]int) {
	a, b := n.Args[0], n.Args[1]
	at := func(id ir.ID, k int) []int {
		if deps[id] == nil {
			return nil
		}
		return deps[id][k]
	}
	if n.Op == ir.OpOuter {
		w := g.Shape(b)[0]
		for k := range d {
			d[k] = union(at(a, k/w), at(b, k%w))
		}
		return
	}
	zero := func(id ir.ID, k int) bool { return g.Nodes[id].Op == ir.OpConst && g.Nodes[id].Data[k] == 0 }
	m := g.MatMulDims(n)
	for i := range m.M {
		for j := range m.N {
			var all []int
			for k := range m.K {
				x, y := i*m.A[0]+k*m.A[1], k*m.B[0]+j*m.B[1]
				if !zero(a, x) && !zero(b, y) {
					all = union(union(all, at(a, x)), at(b, y))
				}
			}
			d[i*m.N+j] = all
		}
	}
}

// union of rising lists, sharing memory where one holds the other.
func union(a, b []int) []int {
	if len(b) == 0 || len(a) == len(b) && len(a) > 0 && (&a[0] == &b[0] || slices.Equal(a, b)) {
		return a
	}
	if len(a) == 0 {
		return b
	}
	out := make([]int, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			out = append(out, a[i])
			i++
		case a[i] > b[j]:
			out = append(out, b[j])
			j++
		default:
			out = append(out, a[i])
			i++
			j++
		}
	}
	out = append(append(out, a[i:]...), b[j:]...)
	switch len(out) {
	case len(a):
		return a
	case len(b):
		return b
	}
	return out
}
