package ir

// Rebuild adds a node like n with other arguments; it is the one way for passes to copy
// nodes between graphs (inputs and outputs excepted).
func (g *Graph) Rebuild(n *Node, args []ID) ID {
	c := *n
	c.Args = args
	old := g.At(n.Span)
	defer g.At(old)
	return g.push(c)
}

// Find looks for a node like n with other arguments.
func (g *Graph) Find(n *Node, args []ID) (ID, bool) {
	c := *n
	c.Args = args
	id, _, ok := g.find(&c)
	return id, ok
}

// Replace is root with from taken for to, in the same graph; what does not depend on from is
// kept as it is.
func (g *Graph) Replace(root, from, to ID) ID {
	memo := map[ID]ID{from: to}
	var walk func(a ID) ID
	walk = func(a ID) ID {
		if a < from {
			return a
		}
		if r, ok := memo[a]; ok {
			return r
		}
		n := g.Nodes[a]
		args := make([]ID, len(n.Args))
		same := true
		for i, x := range n.Args {
			args[i] = walk(x)
			same = same && args[i] == x
		}
		r := a
		if !same {
			r = g.Rebuild(&n, args)
		}
		memo[a] = r
		return r
	}
	return walk(root)
}
