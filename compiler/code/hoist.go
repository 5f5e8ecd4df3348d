package code

import "github.com/udl-lang/udl/compiler/ir"

// hoist takes apart what depends on θ and constants alone, which Prepare computes once for many runs: prep gives those
// values as result vector 0, rest reads them from BankPrep. rest is g itself, and prep nil, when there is nothing to gain.
func hoist(g *ir.Graph) (prep, rest *ir.Graph) {
	live := g.Live()
	fixed := make([]bool, len(g.Nodes))  // of θ and constants alone
	worth := make([]bool, len(g.Nodes))  // and computed, not just read
	wanted := make([]bool, len(g.Nodes)) // by what is not fixed
	for id := range g.Nodes {
		n := &g.Nodes[id]
		if !live[id] {
			continue
		}
		switch n.Op {
		case ir.OpConst:
			fixed[id] = true
			continue
		case ir.OpInput:
			fixed[id] = g.Inputs[n.Ints[0]].Bank == ir.BankTheta
			continue
		}
		fixed[id] = n.Op.Info().Class != ir.Foreign
		for _, a := range n.Args {
			fixed[id] = fixed[id] && fixed[a]
		}
		if !fixed[id] {
			for _, a := range n.Args {
				wanted[a] = true
			}
			continue
		}
		worth[id] = !view(n)
		for _, a := range n.Args {
			worth[id] = worth[id] || worth[a]
		}
	}
	size, all := 0, true
	for _, o := range g.Outputs {
		wanted[o.Node] = true
		all = all && fixed[o.Node]
	}
	if all {
		return nil, g // a function of θ is evaluated once for each θ anyway
	}
	prep = ir.New()
	at := map[ir.ID]int{}
	for id := range g.Nodes {
		if fixed[id] && worth[id] && wanted[id] {
			prep.Outputs = append(prep.Outputs, ir.Output{Off: size, Node: ir.ID(id)})
			at[ir.ID(id)] = size
			size += g.Shape(ir.ID(id)).Size()
		}
	}
	if len(at) == 0 {
		return nil, g
	}
	rest = ir.New()
	source := &ir.Graph{Nodes: g.Nodes, Inputs: g.Inputs, Outputs: prep.Outputs}
	to := prep.Embed(source)
	for i := range prep.Outputs {
		prep.Outputs[i].Node = to[prep.Outputs[i].Node]
	}
	// In the rest, a hoisted node is an input; what only it needed is not copied.
	cut := &ir.Graph{Nodes: make([]ir.Node, len(g.Nodes)), Inputs: g.Inputs, Outputs: g.Outputs}
	copy(cut.Nodes, g.Nodes)
	for id, off := range at {
		n := &cut.Nodes[id]
		n.Op, n.Args, n.Ints = ir.OpInput, nil, []int{len(cut.Inputs)}
		cut.Inputs = append(cut.Inputs[:len(cut.Inputs):len(cut.Inputs)], ir.Input{Name: "prepared", Bank: ir.BankPrep, Off: off, Shape: n.Shape, Node: id})
	}
	to = rest.Embed(cut)
	for _, o := range g.Outputs {
		o.Node = to[o.Node]
		rest.Output(o)
	}
	return prep, rest
}

// view reports whether a node only names a piece of another.
func view(n *ir.Node) bool {
	return n.Op == ir.OpReshape || n.Op == ir.OpGather && len(n.Ints) > 0 && consecutive(n.Ints)
}
