package opt

import (
	"github.com/udl-lang/udl/compiler/ir"
)

// Scalars takes every array of a graph apart, so that each number is a node of its own: what is zero of a derivative is then
// seen number by number. It means what g means, to the bit. Smallest and largest elements stay reductions, of a vector of scalars, for the
// sake of their derivative at a tie. ok is false, and nothing is made, where that would take more than limit nodes.
func Scalars(g *ir.Graph, limit int) (h *ir.Graph, ok bool) {
	live := g.Live()
	if size(g, live) > limit {
		return nil, false
	}
	s := &scalars{g: g, h: ir.New(), parts: make([][]ir.ID, len(g.Nodes))}
	for id := range g.Nodes {
		if live[id] {
			s.h.At(g.Nodes[id].Span)
			s.parts[id] = s.node(&g.Nodes[id])
		}
	}
	for _, o := range g.Outputs {
		for i, p := range s.parts[o.Node] {
			s.h.Output(ir.Output{Name: o.Name, Vec: o.Vec, Off: o.Off + i, Node: p, Add: o.Add})
		}
	}
	return s.h, true
}

// size is how many nodes a graph is when taken apart.
func size(g *ir.Graph, live []bool) int {
	total := 0
	for id := range g.Nodes {
		n := &g.Nodes[id]
		if !live[id] {
			continue
		}
		switch n.Op.Info().Class {
		case ir.Matrix:
			if n.Op == ir.OpMatMul {
				d := g.MatMulDims(n)
				total += 2 * d.M * d.N * d.K
				continue
			}
		case ir.Reducing:
			total += g.Shape(n.Args[0]).Size()
			continue
		}
		total += n.Shape.Size()
	}
	return total
}

type scalars struct {
	g, h  *ir.Graph
	parts [][]ir.ID // of each node, its elements
}

func (s *scalars) node(n *ir.Node) []ir.ID {
	h := s.h
	out := make([]ir.ID, n.Shape.Size())
	arg := func(k int) []ir.ID { return s.parts[n.Args[k]] }
	switch n.Op {
	case ir.OpConst:
		for i, v := range n.Data {
			out[i] = h.Num(v)
		}
	case ir.OpInput:
		in := s.g.Inputs[n.Ints[0]]
		for i := range out {
			out[i] = h.Input(in.Name, in.Bank, in.Off+i, nil)
		}
	case ir.OpReshape:
		copy(out, arg(0))
	case ir.OpGather:
		for i, k := range n.Ints {
			out[i] = arg(0)[k]
		}
	case ir.OpScatter:
		for i := range out {
			out[i] = ir.None
		}
		for i, k := range n.Ints {
			out[k] = s.plus(out[k], arg(0)[i])
		}
		for i := range out {
			out[i] = s.plus(out[i], ir.None)
		}
	case ir.OpConcat:
		out = out[:0]
		for k := range n.Args {
			out = append(out, arg(k)...)
		}
	case ir.OpOuter:
		w := len(arg(1))
		for i := range out {
			out[i] = h.Mul(arg(0)[i/w], arg(1)[i%w])
		}
	case ir.OpMatMul:
		d := s.g.MatMulDims(n)
		for i := range out {
			sum := ir.None
			for k := range d.K {
				sum = s.plus(sum, h.Mul(arg(0)[i/d.N*d.A[0]+k*d.A[1]], arg(1)[k*d.B[0]+i%d.N*d.B[1]]))
			}
			out[i] = s.plus(sum, ir.None)
		}
	case ir.OpSum, ir.OpProd, ir.OpRMin, ir.OpRMax:
		from := make([][]ir.ID, len(out))
		for k, to := range s.g.ReduceMap(n) {
			from[to] = append(from[to], arg(0)[k])
		}
		for i := range out {
			out[i] = s.reduce(n.Op, from[i])
		}
	case ir.OpExt:
		args := make([]ir.ID, len(n.Args))
		for k := range args {
			args[k] = arg(k)[0]
		}
		out[0] = h.Rebuild(n, args)
	case ir.OpExtGrad:
		args := make([]ir.ID, len(n.Args))
		for k := range args {
			args[k] = arg(k)[0]
		}
		all := h.Rebuild(n, args)
		for i := range out {
			out[i] = h.Gather(all, []int{i}, nil)
		}
	default:
		for i := range out {
			args := make([]ir.ID, len(n.Args))
			for k := range args {
				a := arg(k)
				args[k] = a[min(i, len(a)-1)]
			}
			out[i] = h.Do(n.Op, args...)
		}
	}
	return out
}

// plus is a sum where None stands for zero.
func (s *scalars) plus(a, b ir.ID) ir.ID {
	switch {
	case a == ir.None && b == ir.None:
		return s.h.Num(0)
	case a == ir.None:
		return b
	case b == ir.None:
		return a
	}
	return s.h.Add(a, b)
}

func (s *scalars) reduce(op ir.Op, x []ir.ID) ir.ID {
	h := s.h
	switch {
	case len(x) == 0:
		return h.Num(ir.Start(op))
	case len(x) == 1:
		return x[0]
	case op == ir.OpRMin || op == ir.OpRMax:
		return h.Reduce(op, h.Concat(x...), 0)
	}
	r := x[0]
	for _, v := range x[1:] {
		if op == ir.OpProd {
			r = h.Mul(r, v)
		} else {
			r = h.Add(r, v)
		}
	}
	return r
}
