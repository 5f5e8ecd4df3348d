package ir

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Dump writes a graph for the eyes of a developer or a curious user, one line a node: number, operation and
// arguments, shape, and the place in the source it comes from.
func Dump(w io.Writer, g *Graph) error {
	b := bufio.NewWriter(w)
	for id := range g.Nodes {
		n := &g.Nodes[id]
		text := n.Op.String()
		switch n.Op {
		case OpConst:
			text += " " + values(n.Data)
		case OpInput:
			in := g.Inputs[n.Ints[0]]
			text += fmt.Sprintf(" %s = %v[%d..%d]", in.Name, in.Bank, in.Off, in.Off+in.Shape.Size()-1)
			if in.Shape.IsScalar() {
				text = fmt.Sprintf("input %s = %v[%d]", in.Name, in.Bank, in.Off)
			}
		case OpExt, OpExtGrad:
			text += " " + n.Ext.Name
		}
		for i, a := range n.Args {
			text += fmt.Sprintf(" %%%d", a)
			if n.Op == OpMatMul && n.Ints[i] == 1 {
				text += "ᵀ"
			}
		}
		switch n.Op {
		case OpGather, OpScatter:
			text += " at " + list(n.Ints)
		case OpSum, OpProd, OpRMin, OpRMax:
			text += " over " + list(n.Ints)
		}
		shape := ""
		if !n.Shape.IsScalar() {
			shape = n.Shape.Brackets()
		}
		line := fmt.Sprintf("  %%%-4d = %-36s %-10s", id, text, shape)
		if !n.Span.IsZero() {
			line += " " + n.Span.String()
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
	for _, o := range g.Outputs {
		op := "="
		if o.Add {
			op = "+="
		}
		fmt.Fprintf(b, "  out%d[%d] %s %%%d %s\n", o.Vec, o.Off, op, o.Node, o.Name)
	}
	return b.Flush()
}

// shown is how many elements of an array a dump shows.
const shown = 6

func values(v []float64) string {
	if len(v) == 1 {
		return fmt.Sprint(v[0])
	}
	var p []string
	for i, x := range v {
		if i == shown {
			p = append(p, "…")
			break
		}
		p = append(p, fmt.Sprint(x))
	}
	return "[" + strings.Join(p, ", ") + "]"
}

func list(v []int) string {
	f := make([]float64, len(v))
	for i, k := range v {
		f[i] = float64(k)
	}
	if len(f) == 1 {
		return "[" + values(f) + "]"
	}
	return values(f)
}
