package ad

import (
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
)

// sweep is one reverse pass over the nodes that a graph has when it is made; the nodes it
// adds come after them.
type sweep struct {
	g      *ir.Graph
	wanted []bool // depends on what is differentiated by
	parts  [][]ir.ID
	// masked nodes have a cotangent that came through a choice and is zero where the choice fell on
	// the other side; there partial derivatives need not exist (see ir.Graph.Strong).
	masked []bool
	stop   ir.ID // is not passed through: it is independent
}

func newSweep(g *ir.Graph) *sweep {
	n := len(g.Nodes)
	return &sweep{g: g, wanted: make([]bool, n), parts: make([][]ir.ID, n), masked: make([]bool, n), stop: ir.None}
}

// upTo ends the sweep's view of the graph at y.
func (s *sweep) upTo(y ir.ID) {
	n := int(y) + 1
	s.wanted, s.parts, s.masked = s.wanted[:n], s.parts[:n], s.masked[:n]
}

// want marks the given nodes and all that depends on them.
func (s *sweep) want(xs ...ir.ID) {
	for _, x := range xs {
		if int(x) < len(s.wanted) {
			s.wanted[x] = true
		}
	}
	for id := range s.wanted {
		for _, a := range s.g.Nodes[id].Args {
			s.wanted[id] = s.wanted[id] || s.wanted[a]
		}
	}
}

func (s *sweep) add(id, ct ir.ID, masked bool) {
	s.parts[id] = append(s.parts[id], ct)
	s.masked[id] = s.masked[id] || masked
}

// pull carries cotangents backwards to all wanted nodes.
func (s *sweep) pull() error {
	g := s.g
	old := g.At(diag.Span{})
	strong := g.Strong(false)
	defer func() { g.At(old); g.Strong(strong) }()
	for id := len(s.parts) - 1; id >= 0; id-- {
		n := g.Nodes[id]
		if len(s.parts[id]) == 0 || len(n.Args) == 0 || ir.ID(id) == s.stop {
			continue
		}
		reaches := false
		for _, a := range n.Args {
			reaches = reaches || s.wanted[a]
		}
		if !reaches {
			continue
		}
		if err := differentiable(&n); err != nil {
			return err
		}
		g.At(n.Span)
		g.Strong(s.masked[id])
		masked := s.masked[id] || n.Op == ir.OpSelect || n.Op == ir.OpMin || n.Op == ir.OpMax
		for i, ct := range n.Op.Info().VJP(g, ir.ID(id), s.total(ir.ID(id))) {
			if a := n.Args[i]; ct != ir.None && s.wanted[a] {
				s.add(a, ct, masked)
			}
		}
	}
	return nil
}

// total is the cotangent of a node, the sum of what came from its users in a fixed order; None for zero. Scatters
// are merged into one: the gradient of a state of n elements that n equations read one each must
// not be n vectors of n.
func (s *sweep) total(id ir.ID) ir.ID {
	g := s.g
	sum := ir.None
	var pieces []ir.ID
	var at []int
	for _, p := range s.parts[id] {
		if n := &g.Nodes[p]; n.Op == ir.OpScatter {
			pieces = append(pieces, n.Args[0])
			at = append(at, n.Ints...)
			continue
		}
		if sum == ir.None {
			sum = p
		} else {
			sum = g.Add(sum, p)
		}
	}
	if len(pieces) > 0 {
		v := pieces[0]
		if len(pieces) > 1 || !g.Shape(v).Equal(types.Shape{len(at)}) {
			v = g.Concat(pieces...)
		}
		v = g.Scatter(v, at, g.Shape(id))
		if sum == ir.None {
			sum = v
		} else {
			sum = g.Add(sum, v)
		}
	}
	return sum
}

// leadingTo marks y and what it depends on.
func leadingTo(g *ir.Graph, y ir.ID) []bool {
	m := make([]bool, y+1)
	m[y] = true
	for id := y; id >= 0; id-- {
		if m[id] {
			for _, a := range g.Nodes[id].Args {
				m[a] = true
			}
		}
	}
	return m
}
