package code

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
)

// Fault finds why results are not finite at given inputs: the first node, in the order of the computation, whose
// value is not finite while those of its operands are, and from which a result became so. A value that an `if` then did
// not choose is not to blame. It returns the node (of the graph that was compiled), the operands' values and the
// node's value, at the first bad element of an array; operands of other extent are represented by
// their element of largest magnitude. If an input itself is not finite it is the fault, without operands. ok is false when all results are
// finite, or the inputs do not fit.
//
// It evaluates the graph anew; it is for messages, not for speed.
func (p *Program) Fault(in *Banks) (id ir.ID, operands []float64, value float64, ok bool) {
	v, err := ir.Values(p.whole, in)
	if err != nil {
		return ir.None, nil, 0, false
	}
	g := p.whole
	blamed := make([]bool, len(v))
	for _, o := range g.Outputs {
		if bad(v[o.Node]) >= 0 {
			blamed[o.Node] = true
		}
	}
	first := ir.None
	for i := len(v) - 1; i >= 0; i-- {
		if !blamed[i] {
			continue
		}
		n := &g.Nodes[i]
		source := true
		for k, a := range n.Args {
			if bad(v[a]) >= 0 && chosen(n, k, v) {
				blamed[a] = true
				source = false
			}
		}
		if source {
			first = ir.ID(i)
		}
	}
	if first == ir.None {
		return ir.None, nil, 0, false
	}
	n := &g.Nodes[first]
	at := bad(v[first])
	for _, a := range n.Args {
		operands = append(operands, pick(v[a], len(v[first]), at))
	}
	return first, operands, v[first][at], true
}

// Place is where in the source the i-th instruction comes from, and the node it computes.
func (p *Program) Place(i int) (ir.ID, diag.Span) { return p.origin[i], p.g.Nodes[p.origin[i]].Span }

// chosen reports whether operand k of a node matters: of an `if`, whether any element takes that branch.
func chosen(n *ir.Node, k int, v [][]float64) bool {
	if n.Op != ir.OpSelect || k == 0 {
		return true
	}
	for _, c := range v[n.Args[0]] {
		if (c != 0) == (k == 1) {
			return true
		}
	}
	return false
}

// bad is the first element that is not finite, or −1.
func bad(v []float64) int {
	for i, x := range v {
		if !(math.Abs(x) <= math.MaxFloat64) {
			return i
		}
	}
	return -1
}

// pick is the element of an operand that goes with element at of n.
func pick(v []float64, n, at int) float64 {
	switch {
	case len(v) == n:
		return v[at]
	case len(v) == 0:
		return 0
	}
	most := v[0]
	for _, x := range v {
		if math.Abs(x) > math.Abs(most) {
			most = x
		}
	}
	return most
}
