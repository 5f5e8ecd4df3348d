package code

import (
	"errors"
	"fmt"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// assembler turns the parts of a graph into an order of segments and kernels.
type assembler struct {
	*cutter
	place  []ref // in memory, of roots
	known  []bool
	mem    int32
	prep   int32 // numbers of BankPrep: what Prepare computes, then what is laid out anew
	packs  []pack
	packed map[packKey]int32

	done      []bool
	inside    []bool                     // computed in the segment at hand
	vals      [][]block.Value            // there, by element or one for all lanes
	factors   map[ir.ID][2][]block.Value // of the products there
	consumers [][]ir.ID
	left      int                                     // nodes to compute
	first     int                                     // the first lane of the segment at hand
	input     func(bank ir.Bank, off int) block.Value // where a graph is inlined: what its inputs are
	code      []native.Segment
	steps     []stretch
	kernels   []kernel
	todo      []int // outputs that are not written yet
	err       error
}

// stretch is generated code followed by a kernel of the reference; either may be missing.
type stretch struct {
	segments []native.Segment
	open     int // groups of a single segment that is too long for one call; 0 for none
	kernel   int // −1 for none
}

// pack lays out a matrix (or, with one row, a vector) for lanes: element (k, u) at k·stride + u.
type pack struct {
	src        ref
	data       []float64 // of a constant
	n, k       int       // lanes and rows
	at, stride int32
	across     bool // the source has (k, u) at k·n + u
}

type packKey struct {
	root   ir.ID
	shift  int
	n, k   int
	across bool
}

func newAssembler(g *ir.Graph, prepared, wide int, near bool) *assembler {
	c := newCutter(g, wide, near)
	n := len(g.Nodes)
	return &assembler{cutter: c, place: make([]ref, n), known: make([]bool, n), prep: int32(prepared), packed: map[packKey]int32{},
		done: make([]bool, n), inside: make([]bool, n), vals: make([][]block.Value, n), factors: map[ir.ID][2][]block.Value{}}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// run orders everything. It fails where generated code cannot help.
func (a *assembler) run() error {
	a.listConsumers()
	for id := range a.g.Nodes {
		switch a.way[id] {
		case asScalars, asLanes, asTotal, asKernel:
			a.left++
		}
	}
	for i, o := range a.g.Outputs {
		if o.Vec >= maxOut {
			return fmt.Errorf("%d result vectors", o.Vec+1)
		}
		a.todo = append(a.todo, i)
	}
	for a.err == nil && (a.left > 0 || len(a.todo) > 0) {
		if !a.scalars() && !a.laneSegment() && !a.totals() && !a.finish() && !a.reference() {
			return errors.New("no order of computation")
		}
	}
	a.cut(-1)
	return a.err
}

// ready reports whether a node's value is in memory, or was computed in the segment at hand when that may be read by element.
func (a *assembler) ready(id ir.ID, here bool) bool {
	r := a.root[id]
	switch a.way[r] {
	case asRepeat:
		return a.ready(a.g.Nodes[r].Args[0], here)
	case asShift:
		return a.ready(a.g.Nodes[r].Args[0], false)
	case asLeaf, asNothing:
		return true
	}
	return a.done[r] || here && a.inside[r]
}

// alloc gives a root its place in the scratch memory, whole groups of the widest lanes.
func (a *assembler) alloc(r ir.ID) ref {
	if !a.known[r] {
		a.known[r] = true
		a.place[r] = ref{spaceMem, a.mem}
		a.mem += int32(roundUp(max(1, a.size(r)), 8))
	}
	return a.place[r]
}

// at is where a node's value lies, for kernels and lanes: the scratch memory, a bank, or a constant's copy in BankPrep.
func (a *assembler) at(id ir.ID) ref {
	r, s := a.root[id], a.shift[id]
	n := &a.g.Nodes[r]
	switch {
	case n.Op == ir.OpConst:
		return a.pack(r, 0, a.size(r), 1, true).plus(s)
	case n.Op == ir.OpInput && !a.stage[r]:
		in := a.g.Inputs[n.Ints[0]]
		return ref{uint8(in.Bank), int32(in.Off + s)}
	}
	return a.alloc(r).plus(s)
}

// pack lays out a piece of a fixed root anew and gives its place.
func (a *assembler) pack(r ir.ID, shift, n, k int, across bool) ref {
	key := packKey{r, shift, n, k, across}
	if at, ok := a.packed[key]; ok {
		return ref{uint8(ir.BankPrep), at}
	}
	p := pack{n: n, k: k, across: across, stride: int32(roundUp(n, 8))}
	if k == 1 {
		p.across = true
	}
	a.prep = int32(roundUp(int(a.prep), 8))
	p.at = a.prep
	a.prep += p.stride * int32(k)
	if nd := &a.g.Nodes[r]; nd.Op == ir.OpConst {
		p.data = nd.Data[shift:]
	} else {
		in := a.g.Inputs[nd.Ints[0]]
		p.src = ref{uint8(in.Bank), int32(in.Off + shift)}
	}
	a.packs = append(a.packs, p)
	a.packed[key] = p.at
	return ref{uint8(ir.BankPrep), p.at}
}

func (a *assembler) builder() *blocks { return newBlocks(make([]block.Layout, numBases)...) }

// segment closes a block as a segment.
func (a *assembler) segment(b *blocks, width, groups int) {
	blk, err := b.Done()
	if err != nil {
		a.fail(err)
		return
	}
	if len(blk.Instrs) == 0 {
		return
	}
	a.code = append(a.code, native.Segment{Block: blk, Width: width, Groups: groups})
}

func (a *assembler) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// callBudget is how many instructions of generated code may run in one call.
const callBudget = 30_000

// cut ends a stretch of generated code. Code that is too long for one call is divided between segments, and a segment that is too long by
// itself is run piece by piece.
func (a *assembler) cut(kernel int) {
	var now []native.Segment
	cost := 0
	flush := func() {
		if len(now) > 0 {
			a.steps = append(a.steps, stretch{segments: now, kernel: -1})
		}
		now, cost = nil, 0
	}
	for _, s := range byRows(a.code) {
		c := len(s.Block.Instrs) * s.Groups * max(1, s.Rows)
		if cost+c > callBudget {
			flush()
		}
		if c > callBudget && s.Groups > 1 && s.Rows <= 1 {
			open := s.Groups
			s.Groups = 0
			a.steps = append(a.steps, stretch{segments: []native.Segment{s}, open: open, kernel: -1})
			continue
		}
		now, cost = append(now, s), cost+c
	}
	flush()
	a.code = nil
	if kernel >= 0 {
		a.steps = append(a.steps, stretch{kernel: kernel})
	}
}

// byRows divides segments over more rows than one call should take.
func byRows(code []native.Segment) (out []native.Segment) {
	for _, s := range code {
		row := len(s.Block.Instrs) * s.Groups
		rows := max(1, callBudget/row)
		if s.Rows <= rows {
			out = append(out, s)
			continue
		}
		for first := 0; first < s.Rows; first += rows {
			part := s
			part.Rows = min(rows, s.Rows-first)
			part.Block = s.Block.Moved(func(base int) int { return first * (s.Groups*s.Width + s.Gap[base]) })
			out = append(out, part)
		}
	}
	return out
}

// reference adds the first node that is ready for it as a kernel.
func (a *assembler) reference() bool {
	for id := range a.g.Nodes {
		if a.way[id] != asKernel || a.done[id] {
			continue
		}
		ok := true
		for _, x := range a.g.Nodes[id].Args {
			ok = ok && a.ready(x, false)
		}
		if !ok {
			continue
		}
		a.kernels = append(a.kernels, a.kernel(ir.ID(id)))
		a.cut(len(a.kernels) - 1)
		a.done[id] = true
		a.left--
		return true
	}
	return false
}

// kernel describes a node to the reference.
func (a *assembler) kernel(id ir.ID) kernel {
	g, n := a.g, &a.g.Nodes[id]
	if n.Op == ir.OpInput { // a copy for lanes to read
		in := g.Inputs[n.Ints[0]]
		k := kernel{kind: kCopies, n: a.size(id), d: a.alloc(id)}
		k.parts = []part{{ref{uint8(in.Bank), int32(in.Off)}, 0, int32(k.n)}}
		return k
	}
	k := kernel{op: n.Op, act: ir.OpConst, n: n.Shape.Size(), d: a.alloc(id)}
	operands := [...]*ref{&k.a, &k.b, &k.c}
	if n.Op != ir.OpConcat && n.Op.Info().Class != ir.Foreign {
		for i, x := range n.Args {
			*operands[i] = a.at(x)
			k.array[i] = !g.Shape(x).IsScalar()
		}
	}
	tmp := func(size int) ref {
		r := ref{spaceMem, a.mem}
		a.mem += int32(roundUp(max(1, size), 8))
		return r
	}
	describe(&k, g, n, a.at, tmp)
	if n.Op == ir.OpMatMul {
		d := a.g.MatMulDims(n)
		if l := a.asLayer(n); len(g.Shape(l.matrix)) == 2 && len(g.Shape(l.x)) == 1 && (d.M == 1 || d.N == 1) {
			k.kind, k.m, k.k, k.trans = kDense, l.n, l.k, l.across
			k.a, k.b = a.at(l.matrix), a.at(l.x)
		}
	}
	return k
}
