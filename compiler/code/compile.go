package code

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/compiler/ir"
)

// Compile makes a program of a graph. Run the passes of package opt first; what they leave is
// computed. It fails for a graph that is not well formed or too large to address.
func Compile(g *ir.Graph) (*Program, error) {
	if err := ir.Verify(g); err != nil {
		return nil, err
	}
	total := 0
	for id := range g.Nodes {
		if total += g.Shape(ir.ID(id)).Size(); total > math.MaxInt32/2 {
			return nil, fmt.Errorf("the model needs more than %d numbers of working memory; make its arrays smaller", math.MaxInt32/2)
		}
	}
	prep, rest := hoist(g)
	p := reference(rest)
	p.whole = g
	if prep != nil {
		p.prep = reference(prep)
		p.prepared = length(prep, 0)
	}
	return p, nil
}

// reference plans a graph for the portable back end.
func reference(g *ir.Graph) *Program {
	c := &compiler{g: g, live: g.Live()}
	c.fuse()
	c.schedule()
	return c.plan()
}

// length is the number of elements that a graph writes of a result vector.
func length(g *ir.Graph, vec int) int {
	n := 0
	for _, o := range g.Outputs {
		if o.Vec == vec {
			n = max(n, o.Off+g.Shape(o.Node).Size())
		}
	}
	return n
}

// compiler is one compilation under way.
type compiler struct {
	g    *ir.Graph
	live []bool
	uses []int // by live nodes and outputs

	inside []bool // computed within the step of its only user
	root   []ir.ID
	shift  []int // of a view into its root
	steps  []step
	outer  map[int]ir.ID // outputs that are added outer products
}

// step is one instruction or kernel to be: the node whose value it gives and the nodes it reads.
type step struct {
	node    ir.ID
	how     fusion
	args    []ir.ID
	product ir.ID // dense: the MatMul
}

// fusion is how a step takes in operands that nobody else reads.
type fusion uint8

const (
	plain fusion = iota
	mulAdd
	mulSub
	subMul
	mulMul
	tanhBack
	dot
	dense // W x + b and an activation; args are W, x, b (or None)
)

func (c *compiler) size(id ir.ID) int { return c.g.Shape(id).Size() }

// scalar reports whether a node is an elementwise operation on single numbers.
func (c *compiler) scalar(id ir.ID) bool {
	return c.g.Nodes[id].Op.Info().Class == ir.Elementwise && c.size(id) == 1
}

// own reports whether a is an operation op that only its user reads, so that it may disappear in it.
func (c *compiler) own(a ir.ID, op ir.Op) bool {
	return c.g.Nodes[a].Op == op && c.uses[a] == 1 && !c.inside[a]
}

// fuse decides which nodes are computed within their users, from the outputs inwards.
func (c *compiler) fuse() {
	g := c.g
	n := len(g.Nodes)
	c.uses, c.inside = make([]int, n), make([]bool, n)
	for id := range g.Nodes {
		if c.live[id] {
			for _, a := range g.Nodes[id].Args {
				c.uses[a]++
			}
		}
	}
	for _, o := range g.Outputs {
		c.uses[o.Node]++
	}
	c.outer = map[int]ir.ID{}
	for i, o := range g.Outputs {
		if o.Add && c.own(o.Node, ir.OpOuter) {
			c.inside[o.Node] = true
			c.outer[i] = o.Node
		}
	}
	how := make([]step, n)
	for id := n - 1; id >= 0; id-- {
		if !c.live[id] || c.inside[id] {
			continue
		}
		how[id] = c.match(ir.ID(id))
	}
	c.steps = how
}

// match finds the largest pattern that ends in a node.
func (c *compiler) match(id ir.ID) step {
	n := &c.g.Nodes[id]
	s := step{node: id, args: n.Args, product: ir.None}
	if c.scalar(id) {
		return c.matchScalar(s, n)
	}
	take := func(how fusion, args []ir.ID, inner ...ir.ID) step {
		for _, a := range inner {
			c.inside[a] = true
		}
		return step{node: id, how: how, args: args, product: ir.None}
	}
	layer := func(m, bias ir.ID, inner ...ir.ID) step {
		x := c.g.Nodes[m].Args
		s := take(dense, []ir.ID{x[0], x[1], bias}, inner...)
		s.product = m
		return s
	}
	switch {
	case n.Op == ir.OpSum && n.Shape.IsScalar() && c.own(n.Args[0], ir.OpMul):
		m := &c.g.Nodes[n.Args[0]]
		if c.size(m.Args[0]) == c.size(n.Args[0]) && c.size(m.Args[1]) == c.size(n.Args[0]) {
			return take(dot, m.Args, n.Args[0])
		}
	case n.Op == ir.OpMul:
		for i := range 2 {
			if b, inner := c.oneMinusSquare(n.Args[1-i]); inner != nil && c.size(n.Args[i]) == c.size(id) && c.size(b) == c.size(id) {
				return take(tanhBack, []ir.ID{n.Args[i], b}, inner...)
			}
		}
	case n.Op == ir.OpMatMul:
		if c.isDense(id) {
			return layer(id, ir.None)
		}
	case n.Op == ir.OpAdd:
		if m, b := c.layer(id); m != ir.None {
			return layer(m, b, m)
		}
	}
	if n.Op.Info().Class == ir.Elementwise && len(n.Args) == 1 && c.uses[n.Args[0]] == 1 && !c.inside[n.Args[0]] {
		a := n.Args[0]
		if m, b := c.layer(a); m != ir.None {
			return layer(m, b, a, m)
		}
		if c.isDense(a) {
			return layer(a, ir.None, a)
		}
	}
	return s
}

// isDense reports whether a product has a vector as a factor and an array as its result.
func (c *compiler) isDense(id ir.ID) bool {
	n := &c.g.Nodes[id]
	return n.Op == ir.OpMatMul && (len(c.g.Shape(n.Args[0])) == 1 || len(c.g.Shape(n.Args[1])) == 1)
}

// layer takes a node apart that is W x + b, the product read by nobody else.
func (c *compiler) layer(id ir.ID) (product, bias ir.ID) {
	n := &c.g.Nodes[id]
	if n.Op != ir.OpAdd || len(n.Shape) != 1 {
		return ir.None, ir.None
	}
	for i := range 2 {
		if m, b := n.Args[i], n.Args[1-i]; c.own(m, ir.OpMatMul) && c.isDense(m) && m != b && c.size(b) == c.size(id) && c.size(m) == c.size(id) {
			return m, b
		}
	}
	return ir.None, ir.None
}

// oneMinusSquare takes 1 − b·b apart.
func (c *compiler) oneMinusSquare(id ir.ID) (b ir.ID, inner []ir.ID) {
	if !c.own(id, ir.OpSub) {
		return ir.None, nil
	}
	s := &c.g.Nodes[id]
	one, ok := c.g.Uniform(s.Args[0])
	if !ok || one != 1 || !c.own(s.Args[1], ir.OpMul) {
		return ir.None, nil
	}
	m := &c.g.Nodes[s.Args[1]]
	if m.Args[0] != m.Args[1] || c.size(m.Args[0]) != c.size(id) {
		return ir.None, nil
	}
	return m.Args[0], []ir.ID{id, s.Args[1]}
}

// matchScalar joins a product with the sum, difference or product that alone reads it. Where both operands are
// such products, the one that has no product to take in itself goes, so that the other still can.
func (c *compiler) matchScalar(s step, n *ir.Node) step {
	if n.Op != ir.OpAdd && n.Op != ir.OpSub && n.Op != ir.OpMul || n.Args[0] == n.Args[1] {
		return s
	}
	best := -1
	for i, a := range n.Args {
		if !c.own(a, ir.OpMul) || !c.scalar(a) {
			continue
		}
		if best < 0 || c.takesIn(n.Args[best]) && !c.takesIn(a) {
			best = i
		}
	}
	if best < 0 {
		return s
	}
	m := c.g.Nodes[n.Args[best]].Args
	c.inside[n.Args[best]] = true
	s.args = []ir.ID{m[0], m[1], n.Args[1-best]}
	switch {
	case n.Op == ir.OpMul:
		s.how = mulMul
	case n.Op == ir.OpAdd:
		s.how = mulAdd
	case best == 0:
		s.how = mulSub
	default:
		s.how = subMul
	}
	return s
}

// takesIn reports whether a product has a product of its own to take in.
func (c *compiler) takesIn(id ir.ID) bool {
	a := c.g.Nodes[id].Args
	for _, x := range a {
		if a[0] != a[1] && c.own(x, ir.OpMul) && c.scalar(x) {
			return true
		}
	}
	return false
}

// schedule lists the steps in the order of the graph and finds the nodes that are no work: pieces of others
// that can be read in place.
func (c *compiler) schedule() {
	how := c.steps
	c.steps = nil
	c.root, c.shift = make([]ir.ID, len(c.g.Nodes)), make([]int, len(c.g.Nodes))
	for id := range c.g.Nodes {
		c.root[id] = ir.ID(id)
		if !c.live[id] || c.inside[id] {
			continue
		}
		n := &c.g.Nodes[id]
		switch n.Op {
		case ir.OpConst, ir.OpInput:
			continue
		case ir.OpReshape:
			c.view(ir.ID(id), 0)
			continue
		case ir.OpGather:
			if len(n.Ints) > 0 && consecutive(n.Ints) {
				c.view(ir.ID(id), n.Ints[0])
				continue
			}
		}
		c.steps = append(c.steps, how[id])
	}
}

func (c *compiler) view(id ir.ID, by int) {
	a := c.g.Nodes[id].Args[0]
	c.root[id], c.shift[id] = c.root[a], c.shift[a]+by
}

func consecutive(idx []int) bool {
	for i, k := range idx {
		if k != idx[0]+i {
			return false
		}
	}
	return true
}
