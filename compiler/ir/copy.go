package ir

// Live marks the nodes that the outputs depend on.
func (g *Graph) Live() []bool {
	live := make([]bool, len(g.Nodes))
	for _, o := range g.Outputs {
		live[o.Node] = true
	}
	for id := len(g.Nodes) - 1; id >= 0; id-- {
		if !live[id] {
			continue
		}
		for _, a := range g.Nodes[id].Args {
			live[a] = true
		}
	}
	return live
}

// Embed copies the nodes that src's outputs depend on, but no outputs, and returns for each node of src its copy
// here, None for the rest. Nodes that are here already are shared.
func (g *Graph) Embed(src *Graph) []ID {
	return g.EmbedWith(src, func(n *Node, args []ID) ID { return g.Rebuild(n, args) })
}

// EmbedWith is Embed with a word in how each node but the inputs is made: build sees the node of src and
// the copies of its arguments, a slice that is its own to keep.
func (g *Graph) EmbedWith(src *Graph, build func(n *Node, args []ID) ID) []ID {
	live := src.Live()
	to := make([]ID, len(src.Nodes))
	if len(g.Nodes) == 0 {
		g.Nodes = make([]Node, 0, len(src.Nodes)+len(src.Nodes)/8)
		g.memo = make(map[uint64]ID, len(src.Nodes))
	}
	total := 0
	for id := range src.Nodes {
		total += len(src.Nodes[id].Args)
	}
	slab := make([]ID, total) // the copies' arguments, in one piece
	old := g.at
	defer func() { g.At(old) }()
	for id := range src.Nodes {
		to[id] = None
		if !live[id] {
			continue
		}
		n := &src.Nodes[id]
		g.at = n.Span
		if n.Op == OpInput {
			in := src.Inputs[n.Ints[0]]
			to[id] = g.Input(in.Name, in.Bank, in.Off, in.Shape)
			continue
		}
		args := slab[:len(n.Args):len(n.Args)]
		slab = slab[len(n.Args):]
		for i, a := range n.Args {
			args[i] = to[a]
		}
		to[id] = build(n, args)
	}
	return to
}
