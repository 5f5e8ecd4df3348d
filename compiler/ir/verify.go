package ir

import (
	"errors"
	"fmt"

	"github.com/udl-lang/udl/lang/types"
)

// Verify checks what every graph must satisfy: arguments come before their users, arities,
// shapes and indices fit the operations, inputs and outputs name nodes that exist. The error
// names the node. Passes are held to it in tests.
func Verify(g *Graph) error {
	for id := range g.Nodes {
		if err := g.verifyNode(ID(id)); err != nil {
			return fmt.Errorf("node %%%d (%v): %w", id, g.Nodes[id].Op, err)
		}
	}
	for i, in := range g.Inputs {
		if in.Bank >= NumBanks || in.Off < 0 || in.Node < 0 || int(in.Node) >= len(g.Nodes) || g.Nodes[in.Node].Op != OpInput ||
			g.Nodes[in.Node].Ints[0] != i || !g.Shape(in.Node).Equal(in.Shape) {
			return fmt.Errorf("input %d (%q) does not match its node", i, in.Name)
		}
	}
	for i, o := range g.Outputs {
		if o.Node < 0 || int(o.Node) >= len(g.Nodes) || o.Vec < 0 || o.Off < 0 {
			return fmt.Errorf("output %d (%q) names no node", i, o.Name)
		}
	}
	return nil
}

func (g *Graph) verifyNode(id ID) error {
	n := &g.Nodes[id]
	if n.Op >= NumOps {
		return errors.New("unknown operation")
	}
	info := n.Op.Info()
	if info.Arity >= 0 && info.Class != Leaf && len(n.Args) != info.Arity {
		return fmt.Errorf("%d arguments, not %d", len(n.Args), info.Arity)
	}
	for _, d := range n.Shape {
		if d < 0 {
			return fmt.Errorf("%v", n.Shape)
		}
	}
	for _, a := range n.Args {
		if a < 0 || a >= id {
			return fmt.Errorf("argument %%%d does not come before it", a)
		}
	}
	want := n.Shape
	switch n.Op {
	case OpConst:
		if len(n.Data) != n.Shape.Size() {
			return fmt.Errorf("%d values for %v", len(n.Data), n.Shape)
		}
	case OpInput:
		if len(n.Ints) != 1 || n.Ints[0] < 0 || n.Ints[0] >= len(g.Inputs) {
			return errors.New("no such input")
		}
	case OpReshape:
		if g.Shape(n.Args[0]).Size() != n.Shape.Size() {
			return fmt.Errorf("%v made %v", g.Shape(n.Args[0]), n.Shape)
		}
	case OpGather:
		if err := indices(n.Ints, n.Shape.Size(), g.Shape(n.Args[0]).Size()); err != nil {
			return err
		}
	case OpScatter:
		if err := indices(n.Ints, g.Shape(n.Args[0]).Size(), n.Shape.Size()); err != nil {
			return err
		}
	case OpConcat:
		size := 0
		for _, a := range n.Args {
			size += g.Shape(a).Size()
		}
		want = types.Shape{size}
	case OpMatMul, OpOuter:
		return g.verifyProduct(n)
	case OpExt, OpExtGrad:
		return g.verifyForeign(n)
	default:
		if info.Class == Elementwise {
			want = nil
			for _, a := range n.Args {
				if s := g.Shape(a); !s.IsScalar() {
					if want != nil && !want.Equal(s) {
						return fmt.Errorf("arguments of %v and %v", want, s)
					}
					want = s
				}
			}
		} else {
			seen := map[int]bool{}
			for _, d := range n.Ints {
				if d < 0 || d >= len(g.Shape(n.Args[0])) || seen[d] {
					return fmt.Errorf("axes %v of %v", n.Ints, g.Shape(n.Args[0]))
				}
				seen[d] = true
			}
			want = nil
			for d, k := range g.Shape(n.Args[0]) {
				if !seen[d] {
					want = append(want, k)
				}
			}
		}
	}
	if !want.Equal(n.Shape) {
		return fmt.Errorf("has %v, should have %v", n.Shape, want)
	}
	return nil
}

func indices(idx []int, size, bound int) error {
	if len(idx) != size {
		return fmt.Errorf("%d indices for %d elements", len(idx), size)
	}
	for _, k := range idx {
		if k < 0 || k >= bound {
			return fmt.Errorf("index %d of %d", k, bound)
		}
	}
	return nil
}

func (g *Graph) verifyProduct(n *Node) error {
	a, b := g.Shape(n.Args[0]), g.Shape(n.Args[1])
	if n.Op == OpOuter {
		if len(a) != 1 || len(b) != 1 || !n.Shape.Equal(types.Shape{a[0], b[0]}) {
			return fmt.Errorf("%v and %v made %v", a, b, n.Shape)
		}
		return nil
	}
	if len(a) < 1 || len(a) > 2 || len(b) < 1 || len(b) > 2 || len(n.Ints) != 2 {
		return fmt.Errorf("product of %v and %v", a, b)
	}
	d := g.MatMulDims(n)
	var want types.Shape
	if len(a) == 2 {
		want = append(want, d.M)
	}
	if len(b) == 2 {
		want = append(want, d.N)
	}
	inner := b[0]
	if len(b) == 2 && n.Ints[1] == 1 {
		inner = b[1]
	}
	if inner != d.K || !want.Equal(n.Shape) {
		return fmt.Errorf("product of %v and %v made %v", a, b, n.Shape)
	}
	return nil
}

func (g *Graph) verifyForeign(n *Node) error {
	if n.Ext == nil || n.Ext.N != len(n.Args) {
		return errors.New("function and arguments do not match")
	}
	for _, a := range n.Args {
		if !g.Shape(a).IsScalar() {
			return errors.New("arguments must be scalars")
		}
	}
	want := types.Scalar
	if n.Op == OpExtGrad {
		want = types.Shape{n.Ext.N}
		if n.Ext.Grad == nil {
			return errors.New("the function has no derivative")
		}
	}
	if !want.Equal(n.Shape) {
		return fmt.Errorf("has %v", n.Shape)
	}
	return nil
}
