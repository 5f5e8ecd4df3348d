package code

import (
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
)

// What a graph is cut into for generated code. Segments are straight-line code: scalar ones compute elements of small arrays one by
// one, lane ones compute large arrays with their elements (the units of a layer, points) as lanes. What
// neither can do (a function without a row in meanings, a large product of matrices) is a kernel of the reference in between.
//
// Values pass between segments through the scratch memory; nothing there is used twice, so a segment never overwrites what
// it or another still reads.

// way is how a node is computed.
type way uint8

const (
	asLeaf    way = iota // a constant or an input: it is where it is
	asView               // a piece of another node
	asRepeat             // elements of another node, read where they are wanted
	asShift              // a grid moved, read from a copy with a margin
	asScalars            // in a scalar segment, element by element
	asLanes              // in a lane segment
	asTotal              // the sum of a large array, in lanes
	asKernel             // by the reference
	asNothing            // taken in by its user, or dead
)

const (
	smallArray = 4       // arrays of at most so many elements are scalars
	unrolled   = 64      // other work on at most so many elements is too
	maxTotal   = 1 << 12 // sums of more terms are the reference's
)

// spaceStore is the scratch memory under a second name, for stores: see block.Block on bases that overlap.
const (
	spaceStore     = uint8(numSpaces)
	spaceGrid      = spaceStore + 1 // and so are these, for arrays whose rows lie further apart
	spaceGridStore = spaceStore + 2
	numBases       = int(spaceStore) + 3
)

// cutter decides the parts of a graph.
type cutter struct {
	g      *ir.Graph
	live   []bool
	uses   []int
	wide   int  // the most lanes
	near   bool // lanes read copies only, so that a loop has few bases
	way    []way
	root   []ir.ID // of views
	shift  []int
	fixed  []bool // inputs of θ and of what Prepare computed, and constants
	stage  []bool // inputs that must be copied before lanes can read them
	outer  map[int]ir.ID
	pads   map[padKey]*pad
	shifts map[ir.ID]*shifted
}

func newCutter(g *ir.Graph, wide int, near bool) *cutter {
	n := len(g.Nodes)
	c := &cutter{g: g, near: near, live: g.Live(), uses: make([]int, n), wide: wide, way: make([]way, n), root: make([]ir.ID, n),
		shift: make([]int, n), fixed: make([]bool, n), stage: make([]bool, n), outer: map[int]ir.ID{}, pads: map[padKey]*pad{}, shifts: map[ir.ID]*shifted{}}
	for id := range g.Nodes {
		c.root[id] = ir.ID(id)
		if c.live[id] {
			for _, a := range g.Nodes[id].Args {
				c.uses[a]++
			}
		}
	}
	for _, o := range g.Outputs {
		c.uses[o.Node]++
	}
	for i, o := range g.Outputs {
		if o.Add && g.Nodes[o.Node].Op == ir.OpOuter && c.uses[o.Node] == 1 {
			c.outer[i] = o.Node
		}
	}
	for id := range g.Nodes {
		c.way[id] = c.classify(ir.ID(id))
	}
	for _, id := range c.outer {
		c.way[id] = asNothing
	}
	c.demand()
	return c
}

func (c *cutter) size(id ir.ID) int { return c.g.Shape(id).Size() }

// lanes is the width for arrays of n elements.
func (c *cutter) lanes(n int) int {
	if n <= 8 { // two groups of four, whose divisions are quick, before one of eight
		return min(4, c.wide)
	}
	return c.wide
}

func (c *cutter) classify(id ir.ID) way {
	if !c.live[id] {
		return asNothing
	}
	n := &c.g.Nodes[id]
	size := n.Shape.Size()
	switch n.Op {
	case ir.OpConst:
		c.fixed[id] = true
		return asLeaf
	case ir.OpInput:
		b := c.g.Inputs[n.Ints[0]].Bank
		c.fixed[id] = b == ir.BankTheta || b == ir.BankPrep
		return asLeaf
	case ir.OpReshape:
		c.view(id, 0)
		return asView
	case ir.OpGather:
		switch {
		case len(n.Ints) > 0 && consecutive(n.Ints):
			c.view(id, n.Ints[0])
			return asView
		case repeats(n.Ints):
			return asRepeat
		case size <= unrolled:
			return asScalars
		case c.moved(id, n):
			return asShift
		}
		return asKernel
	}
	if size == 0 {
		return asKernel
	}
	switch n.Op.Info().Class {
	case ir.Elementwise:
		switch {
		case meanings[n.Op] == nil:
			return asKernel
		case size <= smallArray:
			return asScalars
		}
		return asLanes
	case ir.Structural:
		if max(size, c.argument(n)) <= unrolled {
			return asScalars
		}
	case ir.Reducing:
		switch terms := c.size(n.Args[0]); {
		case terms <= unrolled:
			return asScalars
		case n.Op == ir.OpSum && size == 1 && terms <= maxTotal && c.wide >= 4:
			return asTotal
		}
	case ir.Matrix:
		return c.matrix(id, n)
	}
	return asKernel
}

// argument is the size of the largest operand.
func (c *cutter) argument(n *ir.Node) int {
	most := 0
	for _, a := range n.Args {
		most = max(most, c.size(a))
	}
	return most
}

func (c *cutter) matrix(id ir.ID, n *ir.Node) way {
	if n.Op == ir.OpOuter {
		if c.size(id) <= unrolled {
			return asScalars
		}
		return asKernel
	}
	d := c.g.MatMulDims(n)
	switch {
	case d.M*d.N <= smallArray && d.K <= 16 || d.M*d.N == 1 && d.K <= unrolled || d.M*d.N > 1 && d.M > 1 && d.N > 1 && d.M*d.N*d.K <= unrolled:
		return asScalars
	case d.M != 1 && d.N != 1:
		return asKernel
	}
	if l, ok := c.layer(id); ok && l.k <= maxInner && l.n*l.k < largeLayer {
		return asLanes
	}
	if c.size(n.Args[0])*c.size(n.Args[1]) <= unrolled {
		return asScalars
	}
	return asKernel
}

// largeLayer is from where on a product is better made by the assembly kernels, which read each number of the vector once for several rows.
const largeLayer = 2048

// maxInner keeps the unrolled sum of a layer within what the instruction caches hold.
const maxInner = 1024

// layer is a product of a matrix and a vector as lanes see it: element u of the result is the sum over k of element
// (k, u) of the matrix times element k of x.
type layer struct {
	matrix, x ir.ID
	n, k      int
	across    bool // (k, u) lies at k·n + u, so that lanes read neighbours; else at u·k + k
}

// asLayer names the parts of a product of which one factor is a vector.
func (c *cutter) asLayer(n *ir.Node) layer {
	d := c.g.MatMulDims(n)
	if len(c.g.Shape(n.Args[0])) == 1 {
		return layer{matrix: n.Args[1], x: n.Args[0], n: d.N, k: d.K, across: n.Ints[1] == 0}
	}
	return layer{matrix: n.Args[0], x: n.Args[1], n: d.M, k: d.K, across: n.Ints[0] == 1}
}

// layer takes a product apart that lanes can compute.
func (c *cutter) layer(id ir.ID) (layer, bool) {
	l := c.asLayer(&c.g.Nodes[id])
	if len(c.g.Shape(l.matrix)) != 2 || len(c.g.Shape(l.x)) != 1 {
		return l, false
	}
	r := c.root[l.matrix]
	if c.g.Nodes[r].Op == ir.OpConst || c.fixed[r] {
		return l, true
	}
	return l, l.across && l.n%c.lanes(l.n) == 0
}

// packed reports whether a layer's matrix must be laid out anew for lanes.
func (c *cutter) packed(l layer) bool {
	return !l.across || l.n%c.lanes(l.n) != 0 || c.g.Nodes[c.root[l.matrix]].Op == ir.OpConst
}

func (c *cutter) view(id ir.ID, by int) {
	a := c.g.Nodes[id].Args[0]
	c.root[id], c.shift[id] = c.root[a], c.shift[a]+by
}

func repeats(idx []int) bool {
	return len(idx) > 1 && !slices.ContainsFunc(idx, func(i int) bool { return i != idx[0] })
}

// demand settles what depends on users: repeated elements that somebody wants in memory, and inputs that lanes cannot read in place.
func (c *cutter) demand() {
	for _, o := range c.g.Outputs {
		c.inMemory(o.Node)
	}
	for id := len(c.g.Nodes) - 1; id >= 0; id-- {
		n := &c.g.Nodes[id]
		switch c.way[id] {
		case asKernel, asTotal:
			for _, a := range n.Args {
				c.inMemory(a)
			}
		case asScalars:
			for _, a := range n.Args {
				if c.way[c.root[a]] == asShift {
					c.inMemory(a)
				}
			}
		case asShift:
			c.inMemory(n.Args[0])
		case asView:
			c.inMemory(c.root[id])
		case asRepeat:
			if c.way[c.root[n.Args[0]]] == asShift {
				c.inMemory(n.Args[0])
			}
		case asLanes:
			if n.Op == ir.OpMatMul {
				l, _ := c.layer(ir.ID(id))
				c.inMemory(l.x)
				c.inMemory(l.matrix)
				continue
			}
			for _, a := range n.Args {
				c.readable(a, c.lanes(c.size(ir.ID(id))))
				if c.way[a] != asShift && c.way[c.root[a]] == asShift {
					c.inMemory(a)
				}
			}
		case asNothing: // the factors of an outer product
			if c.live[id] {
				for _, a := range n.Args {
					c.inMemory(a)
				}
			}
		}
	}
}

func (c *cutter) inMemory(id ir.ID) {
	if r := c.root[id]; c.way[r] == asRepeat || c.way[r] == asShift {
		c.way[r] = asKernel
		if c.size(r) <= unrolled {
			c.way[r] = asScalars
		}
	}
}

// readable sees to it that lanes can read an array, up to a whole group.
func (c *cutter) readable(a ir.ID, width int) {
	r := c.root[a]
	if n := c.size(a); n == 1 || n%width == 0 && !c.near || c.fixed[r] || c.g.Nodes[r].Op != ir.OpInput || c.stage[r] {
		return
	}
	c.stage[r] = true
	c.way[r] = asKernel
	if c.size(r) <= unrolled {
		c.way[r] = asScalars
	}
}

// scalarInstructions is roughly how many instructions the scalar segments will have.
func (c *cutter) scalarInstructions() int {
	total := 0
	for id := range c.g.Nodes {
		if c.way[id] != asScalars {
			continue
		}
		n := &c.g.Nodes[id]
		switch n.Op.Info().Class {
		case ir.Elementwise:
			total += n.Shape.Size() * scalarCost(n.Op)
		case ir.Matrix:
			total += 64
		default:
			total += max(n.Shape.Size(), 1)
		}
	}
	return total
}
