package ad

import (
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
)

// The Jacobian of fields. Of a stencil each leg is one array of partial derivatives, by the neighbours that this leg reads: a diagonal of the Jacobian. Carried forwards
// leg by leg, derivatives stay arrays, nothing is multiplied by zero, and what does not depend on the state is found to be constant.

// Term says that some elements of z depend on one element of x each: element i of z, from Row on, on x[Cols[i]], by the number Off + i of the result; on none
// where Cols is −1.
type Term struct {
	Off, Row int
	Cols     []int32
}

// maxTerms is how many legs a value may have.
const maxTerms = 32

// leg is a Term of a node on the way: its partial derivatives are the elements of coef, which has the node's shape.
type leg struct {
	cols []int32
	coef ir.ID
}

// Terms is ∂z/∂x as a list of terms, whose numbers are result vector 0, and ∂z/∂t as result vector 1, where z is output vector 0 of g with x of nx numbers.
// Terms at one place add up. ok is false where the derivatives are not of that kind: sums over a field, products of matrices.
func Terms(g *ir.Graph, nx int) (h *ir.Graph, terms []Term, ok bool, err error) {
	j := newJacobian(g)
	h = j.h
	legs := make([][]leg, j.values)
	old := h.At(diag.Span{})
	defer h.At(old)
	for id := range legs {
		n := h.Nodes[id]
		h.At(n.Span)
		if legs[id], ok, err = legsOf(h, ir.ID(id), &n, legs, nx); !ok || err != nil || len(legs[id]) > maxTerms {
			return nil, nil, false, err
		}
	}
	off := 0
	for _, o := range g.Outputs {
		for _, l := range legs[j.to[o.Node]] {
			h.Output(ir.Output{Name: "J", Off: off, Node: l.coef})
			terms = append(terms, Term{Off: off, Row: o.Off, Cols: l.cols})
			off += len(l.cols)
		}
	}
	return h, terms, true, j.time(1)
}

func legsOf(h *ir.Graph, id ir.ID, n *ir.Node, legs [][]leg, nx int) (out []leg, ok bool, err error) {
	if n.Op == ir.OpInput {
		in := h.Inputs[n.Ints[0]]
		if in.Bank != ir.BankX {
			return nil, true, nil
		}
		l := leg{make([]int32, n.Shape.Size()), h.Fill(n.Shape, 1)}
		for i := range l.cols {
			if l.cols[i] = int32(in.Off + i); in.Off+i >= nx {
				l.cols[i] = -1
			}
		}
		return []leg{l}, true, nil
	}
	depends := false
	for i, a := range n.Args {
		depends = depends || len(legs[a]) > 0 && !ignores(n, i)
	}
	if !depends {
		return nil, true, nil
	}
	if err := differentiable(n); err != nil {
		return nil, false, err
	}
	size := n.Shape.Size()
	// moved is each leg of the argument with its elements elsewhere: element i of the result is element from(i), or none.
	moved := func(from func(i int) int, coef func(c ir.ID) ir.ID) []leg {
		for _, l := range legs[n.Args[0]] {
			m := leg{make([]int32, size), coef(l.coef)}
			for i := range m.cols {
				if m.cols[i] = -1; from(i) >= 0 {
					m.cols[i] = l.cols[from(i)]
				}
			}
			out = append(out, m)
		}
		return out
	}
	switch n.Op {
	case ir.OpReshape:
		return moved(func(i int) int { return i }, func(c ir.ID) ir.ID { return h.Reshape(c, n.Shape) }), true, nil
	case ir.OpGather:
		return moved(func(i int) int { return n.Ints[i] }, func(c ir.ID) ir.ID { return h.Gather(c, n.Ints, n.Shape) }), true, nil
	case ir.OpScatter:
		back := make([]int, size)
		for i := range back {
			back[i] = -1
		}
		for i, to := range n.Ints {
			if back[to] >= 0 {
				return nil, false, nil // a sum
			}
			back[to] = i
		}
		return moved(func(i int) int { return back[i] }, func(c ir.ID) ir.ID { return h.Scatter(c, n.Ints, n.Shape) }), true, nil
	case ir.OpConcat:
		return joined(h, n, legs), true, nil
	}
	if n.Op.Info().Class != ir.Elementwise {
		return nil, false, nil
	}
	return chained(h, id, n, legs), true, nil
}

// joined are the legs of a concatenation: the first of all its pieces in one, then the second.
func joined(h *ir.Graph, n *ir.Node, legs [][]leg) (out []leg) {
	for k := 0; ; k++ {
		var cols []int32
		var coefs []ir.ID
		some := false
		for _, a := range n.Args {
			if k < len(legs[a]) {
				cols, coefs, some = append(cols, legs[a][k].cols...), append(coefs, legs[a][k].coef), true
				continue
			}
			for range h.Shape(a).Size() {
				cols = append(cols, -1)
			}
			coefs = append(coefs, h.Fill(h.Shape(a), 0))
		}
		if !some {
			return out
		}
		out = append(out, leg{cols, h.Concat(coefs...)})
	}
}

// chained are the legs of an elementwise operation: those of its arguments by the chain rule, legs to the same places together.
func chained(h *ir.Graph, id ir.ID, n *ir.Node, legs [][]leg) (out []leg) {
	size := n.Shape.Size()
	var tangents [][]ir.ID // of each leg, by argument
	for i, a := range n.Args {
		if ignores(n, i) {
			continue
		}
		for _, l := range legs[a] {
			cols := l.cols
			if len(cols) != size { // a scalar beside arrays
				cols = slices.Repeat(cols, size)
			}
			k := slices.IndexFunc(out, func(o leg) bool { return slices.Equal(o.cols, cols) })
			if k < 0 {
				k = len(out)
				out = append(out, leg{cols: cols})
				t := make([]ir.ID, len(n.Args))
				for i := range t {
					t[i] = ir.None
				}
				tangents = append(tangents, t)
			}
			if t := tangents[k]; t[i] == ir.None {
				t[i] = l.coef
			} else {
				t[i] = h.Add(t[i], l.coef)
			}
		}
	}
	kept := out[:0]
	for k, l := range out {
		if l.coef = n.Op.Info().JVP(h, id, n.Args, tangents[k]); l.coef != ir.None {
			kept = append(kept, l)
		}
	}
	return kept
}
