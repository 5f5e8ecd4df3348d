package opt

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/types"
)

// moves change no number, only where it comes from.
var moves = []rule{reshapes, gathers, concats, repetitions}

func reshapes(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpReshape {
		return ir.None, false
	}
	src := w.g.Nodes[a[0]]
	switch src.Op {
	case ir.OpReshape:
		return w.g.Reshape(src.Args[0], n.Shape), true
	case ir.OpGather:
		return w.g.Gather(src.Args[0], src.Ints, n.Shape), true
	case ir.OpInput:
		in := w.g.Inputs[src.Ints[0]]
		return w.g.Input(in.Name, in.Bank, in.Off, n.Shape), true
	}
	return ir.None, false
}

func gathers(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpGather || len(n.Ints) == 0 {
		return ir.None, false
	}
	src := w.g.Nodes[a[0]]
	switch src.Op {
	case ir.OpReshape:
		return w.gather(src.Args[0], n.Ints, n.Shape), true
	case ir.OpGather:
		idx := make([]int, len(n.Ints))
		for i, k := range n.Ints {
			idx[i] = src.Ints[k]
		}
		return w.gather(src.Args[0], idx, n.Shape), true
	case ir.OpInput:
		if !run(n.Ints) {
			return ir.None, false
		}
		// A piece of an input is an input: it is read in place, and its cotangent is added in place.
		in := w.g.Inputs[src.Ints[0]]
		return w.g.Input(pieceName(in, n.Ints), in.Bank, in.Off+n.Ints[0], n.Shape), true
	case ir.OpConcat:
		off := 0
		for _, p := range src.Args {
			size := w.g.Shape(p).Size()
			if all(n.Ints, off, off+size) {
				idx := make([]int, len(n.Ints))
				for i, k := range n.Ints {
					idx[i] = k - off
				}
				return w.gather(p, idx, n.Shape), true
			}
			off += size
		}
	}
	return ir.None, false
}

// gather is a gather, itself subject to the rules.
func (w *walk) gather(a ir.ID, idx []int, shape types.Shape) ir.ID {
	src := w.g.Shape(a)
	if len(idx) == src.Size() && run(idx) {
		return w.node(&ir.Node{Op: ir.OpReshape, Shape: shape, Span: w.span()}, []ir.ID{a})
	}
	return w.node(&ir.Node{Op: ir.OpGather, Ints: idx, Shape: shape, Span: w.span()}, []ir.ID{a})
}

// run reports whether indices rise by 1.
func run(idx []int) bool {
	for i, k := range idx {
		if k != idx[0]+i {
			return false
		}
	}
	return true
}

func all(idx []int, lo, hi int) bool {
	for _, k := range idx {
		if k < lo || k >= hi {
			return false
		}
	}
	return true
}

// pieceName is the name of a piece of an input in the user's notation.
func pieceName(in ir.Input, idx []int) string {
	switch {
	case in.Shape.IsScalar():
		return in.Name
	case len(idx) == 1:
		return ir.Element(in.Name, in.Shape, idx[0])
	case len(in.Shape) == 1:
		return fmt.Sprintf("%s[%d..%d]", in.Name, idx[0]+1, idx[len(idx)-1]+1)
	}
	return in.Name
}

// concats flattens concatenations, joins neighbouring pieces of a bank to one input, and pieces of
// one array to one gather.
func concats(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpConcat {
		return ir.None, false
	}
	var parts []ir.ID
	changed := false
	for _, p := range a {
		size := w.g.Shape(p).Size()
		if size == 0 {
			changed = true
			continue
		}
		if src := w.of(p, ir.OpConcat); src != nil {
			parts = append(parts, src.Args...)
			changed = true
			continue
		}
		if src := w.of(p, ir.OpReshape); src != nil {
			p = src.Args[0]
			changed = true
		}
		if len(parts) > 0 {
			if j, ok := w.join(parts[len(parts)-1], p); ok {
				parts[len(parts)-1] = j
				changed = true
				continue
			}
		}
		parts = append(parts, p)
	}
	if !changed || len(parts) == 0 {
		return ir.None, false
	}
	return w.g.Reshape(w.g.Concat(parts...), n.Shape), true
}

// join makes one node of two neighbours in a concatenation.
func (w *walk) join(p, q ir.ID) (ir.ID, bool) {
	a, b := w.g.Nodes[p], w.g.Nodes[q]
	size := types.Shape{a.Shape.Size() + b.Shape.Size()}
	switch {
	case a.Op == ir.OpInput && b.Op == ir.OpInput:
		x, y := w.g.Inputs[a.Ints[0]], w.g.Inputs[b.Ints[0]]
		if x.Bank == y.Bank && x.Off+x.Shape.Size() == y.Off {
			return w.g.Input(joined(x.Name, y.Name), x.Bank, x.Off, size), true
		}
	case a.Op == ir.OpGather && b.Op == ir.OpGather && a.Args[0] == b.Args[0]:
		return w.g.Gather(a.Args[0], append(append([]int(nil), a.Ints...), b.Ints...), size), true
	}
	return ir.None, false
}

// joined names two inputs in one, "[x, y]", and gives up on listing more than a few.
func joined(a, b string) string {
	a = strings.TrimSuffix(strings.TrimPrefix(a, "["), "]")
	const few = 60
	if len(a)+len(b) > few {
		if !strings.HasSuffix(a, "…") {
			a += ", …"
		}
		return "[" + a + "]"
	}
	return "[" + a + ", " + b + "]"
}

// repetitions lets a repeated number serve an elementwise operation as the scalar it is; if
// all operands are repeated ones, the result is repeated instead.
func repetitions(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op.Info().Class != ir.Elementwise || n.Shape.IsScalar() {
		return ir.None, false
	}
	b := make([]ir.ID, len(a))
	changed := false
	for i, x := range a {
		b[i] = x
		if src := w.of(x, ir.OpGather); src != nil && w.g.Shape(src.Args[0]).IsScalar() {
			b[i] = src.Args[0]
			changed = true
		}
	}
	if !changed {
		return ir.None, false
	}
	return w.like(w.do(n.Op, b...), n), true
}

// outputs stores concatenations piece by piece, and adds scattered pieces where they belong.
func outputs(g *ir.Graph) *ir.Graph {
	arranged := false
	for _, o := range g.Outputs {
		switch g.Nodes[o.Node].Op {
		case ir.OpReshape, ir.OpConcat, ir.OpScatter, ir.OpConst:
			arranged = true
		}
	}
	if !arranged {
		return g
	}
	h := ir.New()
	to := h.Embed(g)
	for _, o := range g.Outputs {
		o.Node = to[o.Node]
		emit(h, o)
	}
	return h
}

func emit(g *ir.Graph, o ir.Output) {
	n := &g.Nodes[o.Node]
	switch n.Op {
	case ir.OpReshape:
		o.Node = n.Args[0]
		emit(g, o)
		return
	case ir.OpConcat:
		for _, p := range n.Args {
			size := g.Shape(p).Size()
			o.Node = p
			emit(g, o)
			o.Off += size
		}
		return
	case ir.OpConst:
		if v, ok := g.Uniform(o.Node); o.Add && ok && v == 0 {
			return
		}
	case ir.OpScatter:
		if o.Add && scattered(g, o) {
			return
		}
	}
	g.Output(o)
}

// scattered emits the pieces of a scatter that writes each place once, if each piece stays in one run.
func scattered(g *ir.Graph, o ir.Output) bool {
	n := g.Nodes[o.Node]
	seen := map[int]bool{}
	for _, k := range n.Ints {
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	parts := n.Args
	if src := &g.Nodes[parts[0]]; src.Op == ir.OpConcat {
		parts = src.Args
	}
	off := 0
	for _, p := range parts {
		size := g.Shape(p).Size()
		if !run(n.Ints[off : off+size]) {
			return false
		}
		off += size
	}
	base := o.Off
	off = 0
	for _, p := range parts {
		size := g.Shape(p).Size()
		if size > 0 {
			o.Off, o.Node = base+n.Ints[off], p
			emit(g, o)
		}
		off += size
	}
	return true
}
