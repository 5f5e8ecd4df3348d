package ad

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
)

// Sparsity is the structure of ∂z/∂x for output vector 0 of g with nz numbers and bank x with nx: for each
// row the columns, rising, that may not be zero whatever the values are. Products with a
// constant zero do not count as dependence, nor do steps (floor, comparisons) and conditions.
func Sparsity(g *ir.Graph, nz, nx int) [][]int {
	rows, _ := SparsityWithin(g, nz, nx, math.MaxInt)
	return rows
}

// SparsityWithin is Sparsity that gives up where it would have to look at more than so many entries, of results on the way too.
func SparsityWithin(g *ir.Graph, nz, nx, entries int) (rows [][]int, ok bool) {
	return dependence(g, nz, entries, func(b ir.Bank, off int) int {
		if b != ir.BankX || off >= nx {
			return -1
		}
		return off
	})
}

// Dependence is Sparsity with a say in what counts: column numbers the inputs, −1 for those that do not matter.
func Dependence(g *ir.Graph, nz int, column func(b ir.Bank, off int) int) [][]int {
	rows, _ := dependence(g, nz, math.MaxInt, column)
	return rows
}

func dependence(g *ir.Graph, nz, entries int, column func(b ir.Bank, off int) int) (rows [][]int, ok bool) {
	live := g.Live()
	c := &collector{}
	deps := make([][][]int, len(g.Nodes)) // of each element of each node; shared, never written to
	for id := range g.Nodes {
		if !live[id] {
			continue
		}
		if n := &g.Nodes[id]; entries < n.Shape.Size() && slices.ContainsFunc(n.Args, func(a ir.ID) bool { return deps[a] != nil }) {
			return nil, false
		}
		deps[id] = elements(g, ir.ID(id), deps, column, c)
		for _, d := range deps[id] {
			entries -= len(d)
		}
	}
	rows = make([][]int, nz)
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
	return rows, true
}

// elements lists what each element of a node depends on; nil for a node that depends on nothing.
func elements(g *ir.Graph, id ir.ID, deps [][][]int, column func(b ir.Bank, off int) int, c *collector) [][]int {
	n := &g.Nodes[id]
	size := n.Shape.Size()
	if n.Op == ir.OpInput {
		in := g.Inputs[n.Ints[0]]
		var d [][]int
		var single []int // one piece for all
		for k := range size {
			j := column(in.Bank, in.Off+k)
			if j < 0 {
				continue
			}
			if d == nil {
				d, single = make([][]int, size), make([]int, size)
			}
			single[k] = j
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
		c.reduced(g.ReduceMap(n), deps[n.Args[0]], d)
	case ir.Matrix:
		product(g, n, deps, d, c)
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

func product(g *ir.Graph, n *ir.Node, deps [][][]int, d [][]int, c *collector) {
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
	// What a constant zero does not take out: all of a row and of a column, unless constants hold zeros.
	zero := func(id ir.ID, k int) bool { return g.Nodes[id].Op == ir.OpConst && g.Nodes[id].Data[k] == 0 }
	holes := func(id ir.ID) bool { return g.Nodes[id].Op == ir.OpConst && slices.Contains(g.Nodes[id].Data, 0) }
	m := g.MatMulDims(n)
	if !holes(a) && !holes(b) {
		row, col := make([][]int, m.M), make([][]int, m.N)
		for i := range row {
			for k := range m.K {
				c.add(at(a, i*m.A[0]+k*m.A[1]))
			}
			row[i] = c.take()
		}
		for j := range col {
			for k := range m.K {
				c.add(at(b, k*m.B[0]+j*m.B[1]))
			}
			col[j] = c.take()
		}
		for i := range m.M {
			for j := range m.N {
				d[i*m.N+j] = union(row[i], col[j])
			}
		}
		return
	}
	for i := range m.M {
		for j := range m.N {
			for k := range m.K {
				x, y := i*m.A[0]+k*m.A[1], k*m.B[0]+j*m.B[1]
				if !zero(a, x) && !zero(b, y) {
					c.add(at(a, x))
					c.add(at(b, y))
				}
			}
			d[i*m.N+j] = c.take()
		}
	}
}

// collector unites many lists at the cost of their lengths.
type collector struct {
	seen  []int // by column: the round it was last met in
	round int
	out   []int
	last  []int // the list added last, often the next one too
}

func (c *collector) add(list []int) {
	if len(list) == 0 || len(list) == len(c.last) && &list[0] == &c.last[0] {
		return
	}
	c.last = list
	if top := list[len(list)-1]; top >= len(c.seen) {
		c.seen = append(c.seen, make([]int, top+1-len(c.seen))...)
	}
	for _, j := range list {
		if c.seen[j] <= c.round {
			c.seen[j] = c.round + 1
			c.out = append(c.out, j)
		}
	}
}

// take is the union of what was added since, rising.
func (c *collector) take() []int {
	c.round++
	list := c.last
	c.last = nil
	if len(c.out) == len(list) { // one list, or all within the last
		c.out = c.out[:0]
		return list
	}
	slices.Sort(c.out)
	out := slices.Clone(c.out)
	c.out = c.out[:0]
	return out
}

// reduced unites the elements that are folded into one.
func (c *collector) reduced(into []int, from, d [][]int) {
	start := make([]int, len(d)+1)
	for _, o := range into {
		start[o+1]++
	}
	for o := range d {
		start[o+1] += start[o]
	}
	order := make([]int, len(into))
	for k, o := range into {
		order[start[o]] = k
		start[o]++
	}
	k := 0
	for o := range d {
		for ; k < start[o]; k++ {
			c.add(from[order[k]])
		}
		d[o] = c.take()
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
