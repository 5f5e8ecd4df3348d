package ir

import (
	"fmt"
	"math"
)

// Interpret evaluates a graph the slow and obvious way: one node after the other, each into an
// array of its own. It says what a program made of the graph must compute, to the bit. Results go
// to (or are added to) the vectors of out, as the outputs say; out may not overlap the banks.
//
// The error says which bank or vector is too short.
func Interpret(g *Graph, in *Banks, out [][]float64) error {
	v, err := Values(g, in)
	if err != nil {
		return err
	}
	for _, o := range g.Outputs {
		n := len(v[o.Node])
		if o.Vec < 0 || o.Vec >= len(out) || o.Off < 0 || o.Off+n > len(out[o.Vec]) {
			return fmt.Errorf("output %q needs numbers %d to %d of vector %d", o.Name, o.Off, o.Off+n, o.Vec)
		}
		to := out[o.Vec][o.Off:]
		for i, x := range v[o.Node] {
			if o.Add {
				to[i] += x
			} else {
				to[i] = x
			}
		}
	}
	return nil
}

// Values evaluates every node that the outputs depend on; the others' values are nil.
func Values(g *Graph, in *Banks) ([][]float64, error) {
	live := g.Live()
	v := make([][]float64, len(g.Nodes))
	for id := range g.Nodes {
		if !live[id] {
			continue
		}
		n := &g.Nodes[id]
		if n.Op == OpInput {
			p := g.Inputs[n.Ints[0]]
			size := p.Shape.Size()
			if p.Off+size > len(in[p.Bank]) {
				return nil, fmt.Errorf("input %q needs numbers %d to %d of bank %v, which has %d", p.Name, p.Off, p.Off+size, p.Bank, len(in[p.Bank]))
			}
			v[id] = in[p.Bank][p.Off : p.Off+size : p.Off+size]
			continue
		}
		args := make([][]float64, len(n.Args))
		for i, a := range n.Args {
			args[i] = v[a]
		}
		v[id] = g.Apply(n, args)
	}
	return v, nil
}

// Apply is the value of a node, row-major, given those of its arguments; not of an input.
func (g *Graph) Apply(n *Node, args [][]float64) []float64 {
	if n.Op == OpConst {
		return n.Data
	}
	out := make([]float64, n.Shape.Size())
	switch n.Op.Info().Class {
	case Elementwise:
		var x [3]float64
		for k := range out {
			for i, a := range args {
				if g.Shape(n.Args[i]).IsScalar() {
					x[i] = a[0]
				} else {
					x[i] = a[k]
				}
			}
			out[k] = n.Op.Info().Eval(x[0], x[1], x[2])
		}
	case Structural:
		g.move(n, args, out)
	case Reducing:
		to := g.ReduceMap(n)
		for o := range out {
			out[o] = Start(n.Op)
		}
		for k, x := range args[0] {
			out[to[k]] = fold(n.Op, out[to[k]], x)
		}
	case Matrix:
		g.multiply(n, args, out)
	case Foreign:
		x := make([]float64, len(args))
		for i, a := range args {
			x[i] = a[0]
		}
		if n.Op == OpExtGrad {
			n.Ext.Grad(x, out)
		} else {
			out[0] = n.Ext.Eval(x)
		}
	}
	return out
}

func (g *Graph) move(n *Node, args [][]float64, out []float64) {
	switch n.Op {
	case OpReshape:
		copy(out, args[0])
	case OpGather:
		for k, i := range n.Ints {
			out[k] = args[0][i]
		}
	case OpScatter:
		for k, i := range n.Ints {
			out[i] += args[0][k]
		}
	case OpConcat:
		off := 0
		for _, a := range args {
			off += copy(out[off:], a)
		}
	}
}

// Start is the value of a reduction of nothing.
func Start(op Op) float64 {
	switch op {
	case OpProd:
		return 1
	case OpRMin:
		return math.Inf(1)
	case OpRMax:
		return math.Inf(-1)
	}
	return 0
}

func fold(op Op, a, x float64) float64 {
	switch op {
	case OpProd:
		return a * x
	case OpRMin:
		return min(a, x)
	case OpRMax:
		return max(a, x)
	}
	return a + x
}

func (g *Graph) multiply(n *Node, args [][]float64, out []float64) {
	if n.Op == OpOuter {
		for i, x := range args[0] {
			for j, y := range args[1] {
				out[i*len(args[1])+j] = x * y
			}
		}
		return
	}
	d := g.MatMulDims(n)
	for i := range d.M {
		for j := range d.N {
			s := 0.0
			for k := range d.K {
				// The conversion forbids fusing, which some architectures do and others do not.
				s += float64(args[0][i*d.A[0]+k*d.A[1]] * args[1][k*d.B[0]+j*d.B[1]])
			}
			out[i*d.N+j] = s
		}
	}
}

// Dims are the extents of a product [M, K]·[K, N] and the strides of a row and of a column of
// its factors.
type Dims struct {
	M, K, N int
	A, B    [2]int
}

// MatMulDims is the plan of a MatMul node, with vectors as a row on the left, a column on the right.
func (g *Graph) MatMulDims(n *Node) Dims {
	var d Dims
	sa, sb := g.Shape(n.Args[0]), g.Shape(n.Args[1])
	switch {
	case len(sa) == 1:
		d.M, d.K, d.A = 1, sa[0], [2]int{sa[0], 1}
	case n.Ints[0] == 1:
		d.M, d.K, d.A = sa[1], sa[0], [2]int{1, sa[1]}
	default:
		d.M, d.K, d.A = sa[0], sa[1], [2]int{sa[1], 1}
	}
	switch {
	case len(sb) == 1:
		d.N, d.B = 1, [2]int{1, 1}
	case n.Ints[1] == 1:
		d.N, d.B = sb[0], [2]int{1, sb[1]}
	default:
		d.N, d.B = sb[1], [2]int{sb[1], 1}
	}
	return d
}
