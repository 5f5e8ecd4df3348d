package compiler

import (
	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
)

// legs is a Jacobian by ad.Terms: the graph of the numbers that its entries are made of, and which is where.
type legs struct {
	graph   *ir.Graph
	numbers int
	from    []int32
	adds    [][2]int32
}

// legs gives nil where the entries are sure to be cheaper, or derivatives are not of that kind.
func (js *jacobians) legs(s *shared) (*legs, error) {
	if cost, ok := code.Cost(s.g); ok && cost <= cheap {
		return nil, nil
	}
	h, terms, ok, err := ad.Terms(s.g, s.nx)
	if err != nil || !ok {
		return nil, err
	}
	total := 0
	for _, t := range terms {
		total += len(t.Cols)
	}
	l := &legs{}
	var at []int32
	l.graph, at, l.numbers = compact(opt.Run(h), total)
	zero := int32(l.numbers) // the last number, which nobody writes
	l.numbers++
	l.from = make([]int32, js.pattern.NNZ())
	for i := range l.from {
		l.from[i] = zero
	}
	for _, t := range terms {
		for i, c := range t.Cols {
			if c < 0 {
				continue
			}
			k := js.pattern.Index(t.Row+i, int(c))
			switch from := at[t.Off+i]; {
			case k < 0: // zero whatever the values are
			case l.from[k] == zero:
				l.from[k] = from
			default:
				l.adds = append(l.adds, [2]int32{int32(k), from})
			}
		}
	}
	return l, nil
}

// compact lets results of vector 0 that are one number over and over be that number once. at says where each of the total numbers of before is now, of
// which there are size.
func compact(g *ir.Graph, total int) (h *ir.Graph, at []int32, size int) {
	at = make([]int32, total)
	c := &ir.Graph{Nodes: append([]ir.Node(nil), g.Nodes...), Inputs: g.Inputs}
	for _, o := range g.Outputs {
		if o.Vec != 0 {
			c.Outputs = append(c.Outputs, o)
			continue
		}
		n := g.Shape(o.Node).Size()
		off := o.Off
		one := repeated(c, o.Node)
		if one != ir.None {
			o.Node = one
		}
		for i := range n {
			if at[off+i] = int32(size); one == ir.None {
				at[off+i] += int32(i)
			}
		}
		o.Off = size
		if size++; one == ir.None {
			size += n - 1
		}
		c.Outputs = append(c.Outputs, o)
	}
	h = ir.New()
	to := h.Embed(c)
	for _, o := range c.Outputs {
		o.Node = to[o.Node]
		h.Output(o)
	}
	return h, at, size
}

// repeated is the number that an array is over and over; None where it is not.
func repeated(g *ir.Graph, id ir.ID) ir.ID {
	n := g.Nodes[id]
	if n.Shape.Size() <= 1 {
		return ir.None
	}
	if n.Op == ir.OpGather && g.Shape(n.Args[0]).IsScalar() {
		return n.Args[0]
	}
	if v, ok := g.Uniform(id); ok {
		g.Nodes = append(g.Nodes, ir.Node{Op: ir.OpConst, Data: []float64{v}})
		return ir.ID(len(g.Nodes) - 1)
	}
	return ir.None
}
