package code

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// Cost is roughly how many instructions a graph is when every array is taken apart into scalars. ok is false where that cannot be: an
// operation is unknown to generated code.
func Cost(g *ir.Graph) (instructions int, ok bool) { return cost(g, 1) }

// LaneCost is roughly how many instructions a graph is when its arrays are computed in lanes; what generated code cannot do counts as a call.
func LaneCost(g *ir.Graph) int {
	n, _ := cost(g, max(1, native.Host().Widest()))
	return n
}

func cost(g *ir.Graph, lanes int) (instructions int, ok bool) {
	const call = 50
	live := g.Live()
	total := 0
	ok = true
	for id := range g.Nodes {
		if !live[id] {
			continue
		}
		n := &g.Nodes[id]
		size := groups(n.Shape.Size(), lanes)
		switch n.Op.Info().Class {
		case ir.Elementwise:
			if meanings[n.Op] == nil {
				ok = false
				total += n.Shape.Size() * call
				continue
			}
			total += size * scalarCost(n.Op)
		case ir.Matrix:
			total += size
			if n.Op == ir.OpMatMul {
				d := g.MatMulDims(n)
				total += groups(d.M*d.N, lanes) * d.K
			}
		case ir.Reducing:
			total += groups(g.Shape(n.Args[0]).Size(), lanes)
		case ir.Foreign:
			ok = false
			total += call
		}
	}
	return total, ok
}

// groups is how many groups of lanes n elements are, small arrays being done one by one.
func groups(n, lanes int) int {
	if n <= smallArray {
		return n
	}
	return (n + lanes - 1) / lanes
}

// inline builds a graph, every array taken apart, and returns its result vector 0. input gives the elements of the banks.
func inline(b *blocks, g *ir.Graph, results int, input func(bank ir.Bank, off int) block.Value) ([][]block.Value, error) {
	a := newAssembler(g, 0, 1, false)
	a.input = input
	for id := range g.Nodes {
		n := &g.Nodes[id]
		switch a.way[id] {
		case asScalars, asLanes, asTotal, asKernel, asNothing:
			if !a.live[id] || n.Op == ir.OpInput {
				continue
			}
			if c := n.Op.Info().Class; c == ir.Foreign || c == ir.Elementwise && meanings[n.Op] == nil {
				return nil, fmt.Errorf("`%v` has no generated code", n.Op)
			}
			a.vals[id] = a.scalar(b, ir.ID(id))
			a.inside[id] = true
		}
	}
	out := make([][]block.Value, results)
	for _, o := range g.Outputs {
		for e := range a.size(o.Node) {
			for len(out[o.Vec]) <= o.Off+e {
				out[o.Vec] = append(out[o.Vec], absent)
			}
			v := a.element(b, o.Node, e)
			if was := out[o.Vec][o.Off+e]; o.Add && was != absent {
				v = b.Add(was, v)
			}
			out[o.Vec][o.Off+e] = v
		}
	}
	return out, nil
}

// absent stands for an element of a result that the graph does not write.
const absent = block.Value(-1)
