package code

import (
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// consumers lists, for each root, the nodes that read it, views and repeats looked through.
func (a *assembler) listConsumers() {
	a.consumers = make([][]ir.ID, len(a.g.Nodes))
	for id := range a.g.Nodes {
		switch a.way[id] {
		case asView, asRepeat, asShift:
			continue
		case asNothing:
			if !a.live[id] {
				continue
			}
		}
		for _, x := range a.g.Nodes[id].Args {
			r := a.source(x)
			a.consumers[r] = append(a.consumers[r], ir.ID(id))
		}
	}
}

// source is the root whose elements a node's are.
func (a *assembler) source(id ir.ID) ir.ID {
	r := a.root[id]
	for a.way[r] == asRepeat || a.way[r] == asShift {
		r = a.root[a.g.Nodes[r].Args[0]]
	}
	return r
}

// element is element i of a node: what the segment at hand computed, a constant, or what lies in memory, the same for all lanes.
func (a *assembler) element(b *blocks, id ir.ID, i int) block.Value {
	r, i := a.root[id], i+a.shift[id]
	n := &a.g.Nodes[r]
	switch {
	case a.way[r] == asRepeat:
		return a.element(b, n.Args[0], n.Ints[i])
	case n.Op == ir.OpConst:
		return b.Const(n.Data[i])
	case n.Op == ir.OpInput:
		in := a.g.Inputs[n.Ints[0]]
		if a.input != nil {
			return a.input(in.Bank, in.Off+i)
		}
		return b.LoadBroadcast(int(in.Bank), in.Off+i)
	case a.inside[r]:
		return a.vals[r][i]
	}
	return b.LoadBroadcast(int(spaceMem), int(a.alloc(r).off)+i)
}

// scalars makes a segment of everything that can be computed element by element now. It is false when there is nothing.
func (a *assembler) scalars() bool {
	b := a.builder()
	var list []ir.ID
	for id := range a.g.Nodes {
		if a.way[id] != asScalars || a.done[id] || !a.readyAll(ir.ID(id), true) {
			continue
		}
		a.vals[id] = a.scalar(b, ir.ID(id))
		a.inside[id] = true
		list = append(list, ir.ID(id))
	}
	if len(list) == 0 {
		return false
	}
	kept := a.todo[:0]
	for _, i := range a.todo {
		o := &a.g.Outputs[i]
		if r := a.source(o.Node); a.inside[r] && a.way[a.root[o.Node]] != asRepeat {
			a.write(b, o)
			continue
		}
		kept = append(kept, i)
	}
	a.todo = kept
	for _, id := range list {
		if a.wanted(id) {
			at := a.alloc(id)
			for e, v := range a.vals[id] {
				b.Store(int(spaceStore), int(at.off)+e, v)
			}
		}
	}
	a.close(b, list, 1, 1, grid{})
	return true
}

// readyAll reports whether a node can be computed; here says that values of the segment at hand count.
func (a *assembler) readyAll(id ir.ID, here bool) bool {
	for _, x := range a.g.Nodes[id].Args {
		if !a.ready(x, here) {
			return false
		}
	}
	return true
}

// wanted reports whether somebody outside the segment at hand reads a node.
func (a *assembler) wanted(id ir.ID) bool {
	for _, c := range a.consumers[id] {
		if !a.inside[c] {
			return true
		}
	}
	for _, i := range a.todo {
		o := &a.g.Outputs[i]
		if a.source(o.Node) == id {
			return true
		}
	}
	return false
}

func (a *assembler) close(b *blocks, list []ir.ID, width, groups int, over grid) {
	if over.rows > 0 {
		a.rowSegment(b, width, over)
	} else {
		a.segment(b, width, groups)
	}
	for _, id := range list {
		a.inside[id], a.done[id], a.vals[id] = false, true, nil
	}
	a.left -= len(list)
}

// write stores or adds a result of few elements.
func (a *assembler) write(b *blocks, o *ir.Output) {
	for e := range a.size(o.Node) {
		base, at := int(spaceOut)+o.Vec, o.Off+e
		v := a.element(b, o.Node, e)
		if o.Add {
			if x, y, ok := a.product(o.Node, e); ok {
				v = b.FMA(x, y, b.Load(base, at))
			} else {
				v = b.Add(b.Load(base, at), v)
			}
		}
		b.Store(base, at, v)
	}
}

// product gives the factors of element e of a product that only one reads and that the segment at hand computes.
func (a *assembler) product(id ir.ID, e int) (x, y block.Value, ok bool) {
	if a.g.Nodes[id].Op != ir.OpMul || a.uses[id] != 1 || !a.inside[id] {
		return 0, 0, false
	}
	f := a.factors[id]
	return f[0][e], f[1][e], true
}

// scalar computes the elements of a node.
func (a *assembler) scalar(b *blocks, id ir.ID) []block.Value {
	n := &a.g.Nodes[id]
	v := make([]block.Value, n.Shape.Size())
	at := func(k, i int) block.Value { return a.element(b, n.Args[k], i) }
	switch n.Op {
	case ir.OpInput:
		in := a.g.Inputs[n.Ints[0]]
		for e := range v {
			v[e] = b.LoadBroadcast(int(in.Bank), in.Off+e)
		}
	case ir.OpGather:
		for e, i := range n.Ints {
			v[e] = at(0, i)
		}
	case ir.OpScatter:
		for e := range v {
			v[e] = b.Const(0)
		}
		set := make([]bool, len(v))
		for e, i := range n.Ints {
			if x := at(0, e); set[i] {
				v[i] = b.Add(v[i], x)
			} else {
				v[i], set[i] = x, true
			}
		}
	case ir.OpConcat:
		e := 0
		for k, x := range n.Args {
			for i := range a.size(x) {
				v[e] = at(k, i)
				e++
			}
		}
	case ir.OpOuter:
		cols := a.size(n.Args[1])
		for e := range v {
			v[e] = b.Mul(at(0, e/cols), at(1, e%cols))
		}
	case ir.OpMatMul:
		d := a.g.MatMulDims(n)
		for e := range v {
			i, j := e/d.N, e%d.N
			v[e] = b.sum(d.K, func(k int) (x, y block.Value) {
				return at(0, i*d.A[0]+k*d.A[1]), at(1, k*d.B[0]+j*d.B[1])
			})
		}
	case ir.OpSum, ir.OpProd, ir.OpRMin, ir.OpRMax:
		from := make([][]int, len(v))
		if len(v) == 1 {
			for i := range a.size(n.Args[0]) {
				from[0] = append(from[0], i)
			}
		} else {
			for i, e := range a.g.ReduceMap(n) {
				from[e] = append(from[e], i)
			}
		}
		for e := range v {
			v[e] = b.reduce(n.Op, len(from[e]), func(k int) block.Value { return at(0, from[e][k]) })
		}
	default:
		a.elementwise(b, id, n, v)
	}
	return v
}

func (a *assembler) elementwise(b *blocks, id ir.ID, n *ir.Node, v []block.Value) {
	pick := func(k, e int) block.Value {
		if a.size(n.Args[k]) == 1 {
			e = 0
		}
		return a.element(b, n.Args[k], e)
	}
	if n.Op == ir.OpMul {
		var f [2][]block.Value
		for e := range v {
			f[0], f[1] = append(f[0], pick(0, e)), append(f[1], pick(1, e))
		}
		a.factors[id] = f
	}
	for e := range v {
		v[e] = b.elementwise(n, func(i int) block.Value { return pick(i, e) }, func(i int) (x, y block.Value, ok bool) {
			if a.size(n.Args[i]) == 1 {
				return a.product(n.Args[i], 0)
			}
			return a.product(n.Args[i], e)
		})
	}
}
