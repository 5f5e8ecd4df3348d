package code

import (
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// straight is up to how many groups of lanes are written out one after the other; more are a loop.
const straight = 2

// laneSegment makes a segment of the arrays of one size that can be computed now, their elements as lanes: elementwise operations and layers
// whose inputs are in memory. It is false when there is nothing.
func (a *assembler) laneSegment() bool {
	var list []ir.ID
	n, w := 0, 0
	var over grid // the rows that lanes run over, where a stencil is read
	for id := range a.g.Nodes {
		if a.way[id] != asLanes || a.done[id] || n != 0 && a.size(ir.ID(id)) != n || !a.fits(ir.ID(id)) {
			continue
		}
		if n == 0 {
			n = a.size(ir.ID(id))
			over = a.stencil(n)
			w = a.lanes(n)
			if over.rows > 0 {
				w = a.width(over)
			}
		}
		if !a.sameGrid(ir.ID(id), over) {
			continue
		}
		a.inside[id] = true
		list = append(list, ir.ID(id))
	}
	if len(list) == 0 {
		return false
	}
	var direct []*ir.Output
	kept := a.todo[:0]
	for _, i := range a.todo {
		o := &a.g.Outputs[i]
		if !o.Add && a.inside[o.Node] && n%w == 0 {
			direct = append(direct, o)
			continue
		}
		kept = append(kept, i)
	}
	a.todo = kept
	groups := (n + w - 1) / w
	if over.rows > 0 || groups > straight {
		a.close(a.lanesFrom(list, direct, n, w, 0), list, w, groups, over)
		return true
	}
	for g := range groups - 1 {
		a.segment(a.lanesFrom(list, direct, n, w, g*w), w, 1)
	}
	a.close(a.lanesFrom(list, direct, n, w, (groups-1)*w), list, w, 1, over)
	return true
}

// lanesFrom builds the nodes of a lane segment for the lanes from first on.
func (a *assembler) lanesFrom(list []ir.ID, direct []*ir.Output, n, w, first int) *blocks {
	b := a.builder()
	a.first = first
	for _, id := range list {
		a.vals[id] = []block.Value{a.lane(b, id, n, w)}
	}
	for _, o := range direct {
		b.Store(int(spaceOut)+o.Vec, o.Off+first, a.vals[o.Node][0])
	}
	for _, id := range list {
		if a.wanted(id) {
			b.Store(int(spaceStore), int(a.alloc(id).off)+first, a.vals[id][0])
		}
	}
	a.first = 0
	return b
}

// stencil is the grid of the first gather of size n that moves one, the zero grid where there is none.
func (a *assembler) stencil(n int) (g grid) {
	for id := range a.g.Nodes {
		if a.way[id] == asLanes && a.g.Nodes[id].Op != ir.OpMatMul && !a.done[id] && a.size(ir.ID(id)) == n {
			for _, x := range a.g.Nodes[id].Args {
				if s := a.shifts[x]; s != nil && a.way[x] == asShift {
					return s.pad.grid
				}
			}
		}
	}
	return g
}

// sameGrid reports whether a node's stencils, if any, run over a grid.
func (a *assembler) sameGrid(id ir.ID, over grid) bool {
	for _, x := range a.g.Nodes[id].Args {
		if a.way[x] == asShift && (a.shifts[x].pad.grid != over || a.g.Nodes[id].Op == ir.OpMatMul) {
			return false
		}
	}
	return true
}

// fits reports whether a node can join the lane segment at hand: what it reads is in memory, or computed there lane by lane.
func (a *assembler) fits(id ir.ID) bool {
	n := &a.g.Nodes[id]
	for _, x := range n.Args {
		if n.Op != ir.OpMatMul && a.inside[x] && a.way[x] == asLanes {
			continue
		}
		if !a.ready(x, false) {
			return false
		}
	}
	return true
}

// lane computes a node for a group of lanes.
func (a *assembler) lane(b *blocks, id ir.ID, n, w int) block.Value {
	nd := &a.g.Nodes[id]
	if nd.Op == ir.OpMatMul {
		l, _ := a.layer(id)
		from, stride := a.at(l.matrix), l.n
		if a.cutter.packed(l) {
			r := a.root[l.matrix]
			from, stride = a.pack(r, a.shift[l.matrix], l.n, l.k, l.across), roundUp(l.n, 8)
		}
		return b.sum(l.k, func(k int) (x, y block.Value) {
			return b.Load(int(from.space), int(from.off)+k*stride+a.first), a.element(b, l.x, k)
		})
	}
	operand := func(i int) block.Value { return a.operand(b, nd.Args[i], n, w) }
	if nd.Op == ir.OpMul {
		a.factors[id] = [2][]block.Value{{operand(0)}, {operand(1)}}
	}
	return b.elementwise(nd, operand, func(i int) (x, y block.Value, ok bool) {
		if a.size(nd.Args[i]) == 1 {
			return 0, 0, false
		}
		return a.product(nd.Args[i], 0)
	})
}

// operand reads an operand of lanes.
func (a *assembler) operand(b *blocks, id ir.ID, n, w int) block.Value {
	if a.inside[id] {
		return a.vals[id][0]
	}
	r := a.root[id]
	nd := &a.g.Nodes[r]
	switch {
	case a.way[id] == asShift:
		s := a.shifts[id]
		a.fill(s.pad)
		return b.Load(int(spaceGrid), s.pad.cell(s.dr, s.dc))
	case a.size(id) == 1 || a.way[r] == asRepeat:
		return a.element(b, id, 0)
	case nd.Op == ir.OpConst:
		piece := nd.Data[a.shift[id] : a.shift[id]+n]
		if v, ok := uniform(piece); ok {
			return b.Const(v)
		}
		at := a.pack(r, a.shift[id], n, 1, true)
		return b.Load(int(at.space), int(at.off)+a.first)
	case a.fixed[r] && (n%w != 0 || a.near):
		at := a.pack(r, a.shift[id], n, 1, true)
		return b.Load(int(at.space), int(at.off)+a.first)
	}
	at := a.at(id)
	return b.Load(int(at.space), int(at.off)+a.first)
}

// totals sums large arrays: every lane its part, four parts at a time, then the lanes. It is false when there is nothing.
func (a *assembler) totals() bool {
	some := false
	for id := range a.g.Nodes {
		n := &a.g.Nodes[id]
		if a.way[id] != asTotal || a.done[id] || !a.readyAll(ir.ID(id), false) {
			continue
		}
		some = true
		src, terms, w := a.at(n.Args[0]), a.size(n.Args[0]), a.wide
		b := a.builder()
		parts := b.reduce(ir.OpSum, terms/w, func(k int) block.Value { return b.Load(int(src.space), int(src.off)+k*w) })
		lanes := a.mem
		a.mem += int32(roundUp(w, 8))
		b.Store(int(spaceStore), int(lanes), parts)
		a.segment(b, w, 1)
		b = a.builder()
		rest := terms % w
		sum := b.reduce(ir.OpSum, w+rest, func(k int) block.Value {
			if k < w {
				return b.LoadBroadcast(int(spaceMem), int(lanes)+k)
			}
			return b.LoadBroadcast(int(src.space), int(src.off)+terms-rest+k-w)
		})
		b.Store(int(spaceStore), int(a.alloc(ir.ID(id)).off), sum)
		a.close(b, []ir.ID{ir.ID(id)}, 1, 1, grid{})
	}
	return some
}

// finish writes the results that are left, when everything is computed. It is false when there are none, or nodes are left.
func (a *assembler) finish() bool {
	if a.left > 0 || len(a.todo) == 0 {
		return false
	}
	tail := a.builder()
	for _, i := range a.todo {
		o := &a.g.Outputs[i]
		n := a.size(o.Node)
		switch {
		case n == 0:
		case a.outer[i] == o.Node && o.Add && a.way[o.Node] == asNothing:
			x := a.g.Nodes[o.Node].Args
			a.outerAdd(tail, o, x[0], x[1])
		case n <= smallArray:
			a.write(tail, o)
		default:
			a.move(tail, o, n)
		}
	}
	a.todo = nil
	a.segment(tail, 1, 1)
	return true
}

// pieces divides n elements into groups of lanes, without one that sticks out; what is left over is done one by one.
func (a *assembler) pieces(n int, lanes func(at, width, groups int), single func(at int)) {
	at := 0
	for _, w := range []int{a.wide, 4} {
		if g := (n - at) / w; g > 0 && w <= a.wide {
			lanes(at, w, g)
			at += g * w
		}
	}
	for ; at < n; at++ {
		single(at)
	}
}

// move copies or adds a large array to its result.
func (a *assembler) move(tail *blocks, o *ir.Output, n int) {
	src := a.at(o.Node)
	base := int(spaceOut) + o.Vec
	put := func(b *blocks, at int) {
		v := b.Load(int(src.space), int(src.off)+at)
		if o.Add {
			v = b.Add(b.Load(base, o.Off+at), v)
		}
		b.Store(base, o.Off+at, v)
	}
	a.pieces(n, func(at, width, groups int) {
		b := a.builder()
		put(b, at)
		a.segment(b, width, groups)
	}, func(at int) { put(tail, at) })
}

// outerAdd adds an outer product to a result without forming it: the gradient of a layer's weights.
func (a *assembler) outerAdd(tail *blocks, o *ir.Output, x, y ir.ID) {
	base := int(spaceOut) + o.Vec
	rows, cols := a.size(x), a.size(y)
	src := a.at(y)
	a.pieces(cols, func(at, width, groups int) {
		b := a.builder()
		for i := range rows {
			to := o.Off + i*cols + at
			b.Store(base, to, b.FMA(a.element(b, x, i), b.Load(int(src.space), int(src.off)+at), b.Load(base, to)))
		}
		a.segment(b, width, groups)
	}, func(at int) {
		for i := range rows {
			to := o.Off + i*cols + at
			tail.Store(base, to, tail.FMA(a.element(tail, x, i), a.element(tail, y, at), tail.Load(base, to)))
		}
	})
}
