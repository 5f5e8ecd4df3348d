package code

import (
	"cmp"
	"math"
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
)

// planner gives every value its place and emits the program.
type planner struct {
	*compiler
	p        *Program
	place    []ref // of roots
	known    []bool
	last     []int // the last step that reads a root; later than all for results
	direct   map[ir.ID]ref
	into     map[ir.ID]slot // roots that are written where a concatenation wants them
	slots    map[slotKey]int32
	free     map[int][]int32 // by size
	next     int32
	temps    []int32 // room that the kernel at hand works in
	tempSize []int
}

type slot struct {
	root ir.ID
	at   int
}

// slotKey is a number that scalar instructions read and that is not computed: an element of an
// input or a constant.
type slotKey struct {
	space uint8
	off   int32
	bits  uint64 // of a constant
}

func (c *compiler) plan() *Program {
	n := len(c.g.Nodes)
	pl := &planner{compiler: c, p: &Program{g: c.g}, place: make([]ref, n), known: make([]bool, n),
		direct: map[ir.ID]ref{}, into: map[ir.ID]slot{}, slots: map[slotKey]int32{}, free: map[int][]int32{}}
	pl.forward()
	pl.results()
	pl.constants()
	pl.inputs()
	pl.lifetimes()
	for i := range c.steps {
		pl.emit(i)
	}
	pl.finish()
	pl.p.size = int(pl.next) + 1
	return pl.p
}

// computed reports whether a root is the result of a step.
func (pl *planner) computed(r ir.ID) bool {
	op := pl.g.Nodes[r].Op
	return op != ir.OpConst && op != ir.OpInput
}

// forward lets the parts of concatenations be computed in place.
func (pl *planner) forward() {
	for _, s := range pl.steps {
		n := &pl.g.Nodes[s.node]
		if n.Op != ir.OpConcat {
			continue
		}
		off := 0
		for _, a := range n.Args {
			size := pl.size(a)
			r := pl.root[a]
			if _, taken := pl.into[r]; !taken && size > 0 && pl.computed(r) && pl.shift[a] == 0 && pl.size(r) == size {
				pl.into[r] = slot{s.node, off}
			}
			off += size
		}
	}
}

// home is the root whose memory holds a node, and where in it.
func (pl *planner) home(id ir.ID) (r ir.ID, at int) {
	r, at = pl.root[id], pl.shift[id]
	for {
		s, ok := pl.into[r]
		if !ok {
			return r, at
		}
		r, at = s.root, at+s.at
		at += pl.shift[r]
		r = pl.root[r]
	}
}

// results lets arrays be computed where the caller wants them, unless single elements
// of them are read or written, or results overlap.
func (pl *planner) results() {
	type span struct{ lo, hi int }
	spoilt := map[int]bool{}
	spans := map[int][]span{}
	for _, o := range pl.g.Outputs {
		spans[o.Vec] = append(spans[o.Vec], span{o.Off, o.Off + pl.size(o.Node)})
		spoilt[o.Vec] = spoilt[o.Vec] || o.Add || o.Vec >= maxOut
	}
	for v, s := range spans {
		slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
		for i := 1; i < len(s); i++ {
			spoilt[v] = spoilt[v] || s[i].lo < s[i-1].hi
		}
	}
	touched := map[ir.ID]bool{}
	for _, s := range pl.steps {
		if pl.scalar(s.node) {
			// Scalar instructions reach the scratch memory only, as operands and as parts of a concatenation.
			for _, a := range append([]ir.ID{s.node}, s.args...) {
				r, _ := pl.home(a)
				touched[r] = true
			}
		}
	}
	for _, o := range pl.g.Outputs {
		r, at := pl.home(o.Node)
		if _, taken := pl.direct[r]; taken || spoilt[o.Vec] || touched[r] || at != 0 || pl.size(r) != pl.size(o.Node) || pl.size(r) < 2 || !pl.computed(r) {
			continue
		}
		pl.direct[r] = ref{spaceOut + uint8(o.Vec), int32(o.Off)}
	}
}

// constants places the arrays; single numbers are slots.
func (pl *planner) constants() {
	for id := range pl.g.Nodes {
		n := &pl.g.Nodes[id]
		if pl.live[id] && n.Op == ir.OpConst && len(n.Data) != 1 {
			pl.set(ir.ID(id), ref{spaceConst, int32(len(pl.p.arrays))})
			pl.p.arrays = append(pl.p.arrays, n.Data...)
		}
	}
	slot := func(bits uint64, v float64) int32 {
		k := slotKey{space: spaceConst, bits: bits}
		at, ok := pl.slots[k]
		if !ok {
			at = pl.next
			pl.slots[k] = at
			pl.next++
			pl.p.scalars = append(pl.p.scalars, v)
		}
		return at
	}
	for id := range pl.g.Nodes {
		if n := &pl.g.Nodes[id]; pl.live[id] && n.Op == ir.OpConst && len(n.Data) == 1 {
			pl.set(ir.ID(id), ref{spaceMem, slot(math.Float64bits(n.Data[0]), n.Data[0])})
		}
	}
	// Single elements of constant arrays, where folding left any.
	pl.eachScalarOperand(func(a ir.ID) {
		if r, at := pl.home(a); pl.g.Nodes[r].Op == ir.OpConst {
			v := pl.g.Nodes[r].Data[at]
			slot(math.Float64bits(v), v)
		}
	})
}

func (pl *planner) eachScalarOperand(f func(a ir.ID)) {
	for _, s := range pl.steps {
		if pl.scalar(s.node) {
			for _, a := range s.args {
				f(a)
			}
		}
	}
}

// inputs places the inputs in their banks, and gives slots to the elements that scalar instructions read, neighbours
// side by side.
func (pl *planner) inputs() {
	for id := range pl.g.Nodes {
		if n := &pl.g.Nodes[id]; pl.live[id] && n.Op == ir.OpInput {
			in := pl.g.Inputs[n.Ints[0]]
			pl.set(ir.ID(id), ref{uint8(in.Bank), int32(in.Off)})
		}
	}
	var keys []slotKey
	pl.eachScalarOperand(func(a ir.ID) {
		if r, at := pl.home(a); pl.g.Nodes[r].Op == ir.OpInput {
			p := pl.place[r].plus(at)
			keys = append(keys, slotKey{space: p.space, off: p.off})
		}
	})
	slices.SortFunc(keys, func(a, b slotKey) int {
		return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.off, b.off))
	})
	for _, k := range slices.Compact(keys) {
		bank := ir.Bank(k.space)
		list := &pl.p.loads
		if bank == ir.BankTheta || bank == ir.BankPrep {
			list = &pl.p.fixed
		}
		if n := len(*list); n > 0 && (*list)[n-1].bank == bank && (*list)[n-1].off+(*list)[n-1].n == k.off {
			(*list)[n-1].n++
		} else {
			*list = append(*list, load{bank, k.off, pl.next, 1})
		}
		pl.slots[k] = pl.next
		pl.next++
	}
}

func (pl *planner) set(id ir.ID, r ref) { pl.place[id], pl.known[id] = r, true }

func (pl *planner) lifetimes() {
	pl.last = make([]int, len(pl.g.Nodes))
	for i, s := range pl.steps {
		r, _ := pl.home(s.node)
		pl.last[r] = max(pl.last[r], i)
		for _, a := range s.args {
			if a != ir.None {
				r, _ := pl.home(a)
				pl.last[r] = max(pl.last[r], i)
			}
		}
	}
	end := func(a ir.ID) {
		r, _ := pl.home(a)
		pl.last[r] = len(pl.steps)
	}
	for i, o := range pl.g.Outputs {
		if x, ok := pl.outer[i]; ok {
			end(pl.g.Nodes[x].Args[0])
			end(pl.g.Nodes[x].Args[1])
			continue
		}
		end(o.Node)
	}
}

// at is where a node's value is, for operations on arrays.
func (pl *planner) at(id ir.ID) ref {
	r, at := pl.home(id)
	if !pl.known[r] {
		if d, ok := pl.direct[r]; ok {
			pl.set(r, d)
		} else {
			pl.set(r, ref{spaceMem, pl.alloc(pl.size(r))})
		}
	}
	return pl.place[r].plus(at)
}

// mem is where a number is in the scratch memory, for scalar instructions.
func (pl *planner) mem(id ir.ID) int32 {
	r, at := pl.home(id)
	switch n := &pl.g.Nodes[r]; n.Op {
	case ir.OpInput:
		p := pl.place[r].plus(at)
		return pl.slots[slotKey{space: p.space, off: p.off}]
	case ir.OpConst:
		return pl.slots[slotKey{space: spaceConst, bits: math.Float64bits(n.Data[at])}]
	}
	return pl.at(id).off
}

func (pl *planner) alloc(size int) int32 {
	if l := pl.free[size]; len(l) > 0 {
		pl.free[size] = l[:len(l)-1]
		return l[len(l)-1]
	}
	at := pl.next
	pl.next += int32(size)
	return at
}

// release gives back the memory of those operands of step i that nothing reads later. Before an elementwise
// operation on arrays only those may go whose elements are read just before they are overwritten.
func (pl *planner) release(i int, early bool) {
	s := &pl.steps[i]
	for k, a := range s.args {
		if a == ir.None {
			continue
		}
		r, at := pl.home(a)
		if pl.last[r] != i || !pl.known[r] || !pl.computed(r) || pl.place[r].space != spaceMem {
			continue
		}
		if early && !pl.scalar(s.node) {
			if at != 0 || pl.size(a) != pl.size(s.node) || pl.size(r) != pl.size(a) {
				continue
			}
			shared := false
			for j, b := range s.args {
				if b != ir.None && j != k {
					q, _ := pl.home(b)
					shared = shared || q == r && b != a
				}
			}
			if shared {
				continue
			}
		}
		pl.last[r] = -1 // once only
		pl.free[pl.size(r)] = append(pl.free[pl.size(r)], pl.place[r].off)
	}
}

// emit makes the instruction of a step.
func (pl *planner) emit(i int) {
	s := &pl.steps[i]
	n := &pl.g.Nodes[s.node]
	p := pl.p
	if pl.scalar(s.node) {
		in := instr{code: pl.opcode(s, n)}
		for k, a := range s.args {
			at := pl.mem(a)
			switch k {
			case 0:
				in.a = at
			case 1:
				in.b = at
			case 2:
				in.c = at
			}
		}
		pl.release(i, true)
		in.d = pl.at(s.node).off
		p.code, p.origin = append(p.code, in), append(p.origin, s.node)
		return
	}
	elementwise := n.Op.Info().Class == ir.Elementwise && s.how != dense
	k := pl.kernel(s, n)
	if elementwise {
		pl.release(i, true)
	}
	k.d = pl.at(s.node)
	for t, off := range pl.temps { // not before the result has its place: the kernel uses both at once
		pl.free[pl.tempSize[t]] = append(pl.free[pl.tempSize[t]], off)
	}
	pl.temps, pl.tempSize = pl.temps[:0], pl.tempSize[:0]
	if k.kind == kCopies && n.Op == ir.OpConcat && len(k.parts) == 0 {
		return // all parts are in place
	}
	pl.release(i, false)
	p.code = append(p.code, instr{code: codeKernel, a: int32(len(p.kernels))})
	p.origin = append(p.origin, s.node)
	p.kernels = append(p.kernels, k)
}

func (pl *planner) opcode(s *step, n *ir.Node) opcode {
	switch s.how {
	case mulAdd:
		return codeMulAdd
	case mulSub:
		return codeMulSub
	case subMul:
		return codeSubMul
	case mulMul:
		return codeMulMul
	}
	if c, ok := codes[n.Op]; ok {
		return c
	}
	return codeTable + opcode(n.Op)
}

// kernel describes an operation on arrays, all but the place of its result.
func (pl *planner) kernel(s *step, n *ir.Node) kernel {
	g := pl.g
	k := kernel{op: n.Op, act: ir.OpConst, n: n.Shape.Size()}
	operands := [...]*ref{&k.a, &k.b, &k.c}
	if n.Op != ir.OpConcat && n.Op.Info().Class != ir.Foreign {
		for i, a := range s.args {
			if a != ir.None {
				*operands[i] = pl.at(a)
				k.array[i] = !g.Shape(a).IsScalar()
			}
		}
	}
	switch s.how {
	case tanhBack:
		k.kind = kTanhBack
		return k
	case dot:
		k.kind, k.n = kDot, pl.size(s.args[0])
		return k
	case dense:
		return pl.dense(s, n, k)
	}
	if n.Op == ir.OpConcat {
		pl.concat(&k, s.node, n)
		return k
	}
	describe(&k, g, n, pl.at, func(size int) ref {
		if n.Op.Info().Class == ir.Foreign {
			pl.next += int32(size) // never shared: a registered function may keep its slice a while
			return ref{spaceMem, pl.next - int32(size)}
		}
		r := ref{spaceMem, pl.alloc(size)}
		pl.temps = append(pl.temps, r.off)
		pl.tempSize = append(pl.tempSize, size)
		return r
	})
	return k
}

// describe fills in what a kernel needs to know beside its plain operands. at gives a node's place, tmp room of so many numbers.
func describe(k *kernel, g *ir.Graph, n *ir.Node, at func(ir.ID) ref, tmp func(size int) ref) {
	switch n.Op.Info().Class {
	case ir.Elementwise:
		k.kind = [...]kind{1: kUnary, 2: kBinary, 3: kTernary}[len(n.Args)]
	case ir.Reducing:
		k.kind, k.m = kReduce, g.Shape(n.Args[0]).Size()
		if n.Shape.Size() != 1 {
			k.ints = g.ReduceMap(n)
		}
	case ir.Matrix:
		if n.Op == ir.OpOuter {
			k.kind, k.m, k.n = kOuter, g.Shape(n.Args[0])[0], g.Shape(n.Args[1])[0]
			return
		}
		k.kind, k.dims = kMatMul, g.MatMulDims(n)
		if k.dims.A[1] != 1 {
			k.tmp = tmp(k.dims.K)
		}
	case ir.Structural:
		moving(k, g, n, at)
	case ir.Foreign:
		k.kind, k.ext = kExt, n.Ext
		for _, a := range n.Args {
			k.args = append(k.args, at(a))
		}
		k.tmp = tmp(len(n.Args))
	}
}

// concat describes a concatenation; what was computed in place is no part of the work.
func (pl *planner) concat(k *kernel, id ir.ID, n *ir.Node) {
	k.kind = kCopies
	r, base := pl.home(id)
	off := 0
	for _, a := range n.Args {
		size := pl.size(a)
		if h, at := pl.home(a); size > 0 && (h != r || at != base+off) {
			k.parts = append(k.parts, part{pl.at(a), int32(off), int32(size)})
		}
		off += size
	}
}

func moving(k *kernel, g *ir.Graph, n *ir.Node, at func(ir.ID) ref) {
	switch n.Op {
	case ir.OpConcat:
		k.kind = kCopies
		off := 0
		for _, a := range n.Args {
			size := g.Shape(a).Size()
			if size > 0 {
				k.parts = append(k.parts, part{at(a), int32(off), int32(size)})
			}
			off += size
		}
	case ir.OpScatter:
		k.kind, k.ints, k.m = kScatter, n.Ints, g.Shape(n.Args[0]).Size()
	case ir.OpReshape:
		k.kind, k.parts = kCopies, []part{{at(n.Args[0]), 0, int32(k.n)}}
	default:
		k.kind, k.ints, k.m = kGather, n.Ints, g.Shape(n.Args[0]).Size()
		// Runs of neighbours are copied.
		var parts []part
		from := at(n.Args[0])
		for i := 0; i < len(n.Ints); {
			j := i + 1
			for j < len(n.Ints) && n.Ints[j] == n.Ints[j-1]+1 {
				j++
			}
			parts = append(parts, part{from.plus(n.Ints[i]), int32(i), int32(j - i)})
			i = j
		}
		if 4*len(parts) <= len(n.Ints) {
			k.kind, k.parts = kCopies, parts
		}
	}
}

// dense describes W x + b and an activation. The matrix may stand on either side of the vector.
func (pl *planner) dense(s *step, n *ir.Node, k kernel) kernel {
	g := pl.g
	k.kind, k.m, k.bias = kDense, k.n, s.args[2] != ir.None
	w, x := s.args[0], s.args[1]
	product := &g.Nodes[s.product]
	if n.Op != ir.OpMatMul && n.Op != ir.OpAdd {
		k.act = n.Op
	}
	k.trans = product.Ints[0] == 1
	if len(g.Shape(w)) == 1 && len(g.Shape(x)) == 2 {
		k.a, k.b = k.b, k.a
		w, x = x, w
		k.trans = product.Ints[1] == 0
	}
	k.k = g.Shape(x)[0]
	return k
}

// finish lists the results that are not in place.
func (pl *planner) finish() {
	p := pl.p
	for i, o := range pl.g.Outputs {
		st := store{vec: o.Vec, off: int32(o.Off), n: int32(pl.size(o.Node)), add: o.Add, kernel: -1}
		if x, ok := pl.outer[i]; ok {
			a, b := pl.g.Nodes[x].Args[0], pl.g.Nodes[x].Args[1]
			st.kernel = int32(len(p.kernels))
			p.kernels = append(p.kernels, kernel{kind: kOuter, a: pl.at(a), b: pl.at(b), m: pl.size(a), n: pl.size(b)})
			p.stores = append(p.stores, st)
			continue
		}
		st.src = pl.at(o.Node)
		if st.n == 0 || st.src == (ref{spaceOut + uint8(o.Vec), int32(o.Off)}) {
			continue
		}
		p.stores = append(p.stores, st)
	}
}
