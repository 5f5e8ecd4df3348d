package ir

import (
	"strconv"
	"strings"

	"github.com/udl-lang/udl/lang/types"
)

// depth is how far Format looks into an expression before it writes "…".
const depth = 6

// Format prints the expression of a node in the user's notation, for messages: log(x[2] - k). Operators
// within operators stand in brackets, so that nobody has to remember a precedence. Moves of
// elements that the user did not write (repetition, change of shape) are left out, and what lies
// deeper than a few levels is "…".
func Format(g *Graph, id ID) string { return g.format(id, false, depth) }

// format prints an expression, as an operand in brackets if it is more than a name or a call.
func (g *Graph) format(id ID, operand bool, left int) string {
	n := &g.Nodes[id]
	switch n.Op {
	case OpConst:
		if len(n.Data) == 1 {
			return number(n.Data[0], operand)
		}
		return values(n.Data)
	case OpInput:
		return g.Inputs[n.Ints[0]].Name
	case OpReshape:
		return g.format(n.Args[0], operand, left)
	}
	if left == 0 {
		return "…"
	}
	arg := func(i int, operand bool) string { return g.format(n.Args[i], operand, left-1) }
	call := func(name, open, end string) string {
		var p []string
		for i := range n.Args {
			p = append(p, arg(i, false))
		}
		return name + open + strings.Join(p, ", ") + end
	}
	wrap := func(s string) string {
		if operand {
			return "(" + s + ")"
		}
		return s
	}
	info := n.Op.Info()
	switch n.Op {
	case OpNeg:
		return wrap("-" + arg(0, true))
	case OpNot:
		return wrap("not " + arg(0, true))
	case OpMatMul:
		f := [2]string{}
		for i := range f {
			f[i] = arg(i, true)
			if n.Ints[i] == 1 {
				f[i] = "transpose(" + arg(i, false) + ")"
			}
		}
		return wrap(f[0] + " @ " + f[1])
	case OpSelect:
		return wrap("if " + arg(0, true) + " then " + arg(1, true) + " else " + arg(2, true))
	case OpGather:
		return g.formatGather(n, operand, left)
	case OpConcat:
		return call("", "[", "]")
	case OpRMin, OpRMax:
		return call(info.Name[1:], "(", ")")
	case OpExt:
		return call(n.Ext.Name, "(", ")")
	case OpExtGrad:
		return call(n.Ext.Name, "'(", ")")
	}
	if info.Infix {
		return wrap(arg(0, true) + " " + info.Name + " " + arg(1, true))
	}
	return call(info.Name, "(", ")")
}

// formatGather prints one element with its index; a slice, a transposition or a repetition as the
// array it is of.
func (g *Graph) formatGather(n *Node, operand bool, left int) string {
	s := g.Shape(n.Args[0])
	if len(n.Ints) == 1 && len(s) > 0 {
		return Element(g.format(n.Args[0], true, left-1), s, n.Ints[0])
	}
	return g.format(n.Args[0], operand, left)
}

// Element names one element of an array as the user would: u[3], A[1, 2].
func Element(name string, s types.Shape, flat int) string {
	p := make([]string, len(s))
	for d := len(s) - 1; d >= 0; d-- {
		p[d] = strconv.Itoa(flat%s[d] + 1)
		flat /= s[d]
	}
	return name + "[" + strings.Join(p, ", ") + "]"
}

func number(v float64, operand bool) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	switch s {
	case "+Inf":
		return "inf"
	case "-Inf":
		s = "-inf"
	case "NaN":
		return "nan"
	}
	if s[0] == '-' && operand {
		return "(" + s + ")"
	}
	return s
}
