// Package irtest makes random graphs, for the tests of everything that handles graphs. Only tests
// import it.
package irtest

import (
	"fmt"
	"math"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/types"
)

// Extents of the banks that random graphs read: x, θ, and t with one.
const (
	NX     = 7
	NTheta = 25
)

// Smooth are elementwise operations whose derivatives differences can check anywhere near 0.
var Smooth = []ir.Op{ir.OpNeg, ir.OpSin, ir.OpCos, ir.OpTanh, ir.OpSigmoid, ir.OpSoftplus, ir.OpAtan, ir.OpErf, ir.OpAsinh, ir.OpAdd, ir.OpSub, ir.OpMul}

// All are the elementwise operations of the table.
func All() []ir.Op {
	var ops []ir.Op
	for op := ir.Op(0); op < ir.NumOps; op++ {
		if op.Info().Class == ir.Elementwise {
			ops = append(ops, op)
		}
	}
	return ops
}

// gen is one graph under way.
type gen struct {
	rt    *rapid.T
	g     *ir.Graph
	nodes []ir.ID
}

// Graph draws a graph of elementwise operations from ops and of all structural and matrix
// operations, and nz, the length of its output vector 0. With wild it also has products, extremes,
// added outputs and constants that are not finite.
func Graph(rt *rapid.T, ops []ir.Op, wild bool) (g *ir.Graph, nz int) {
	w := &gen{rt: rt, g: ir.New()}
	g = w.g
	w.nodes = []ir.ID{
		g.Input("t", ir.BankT, 0, nil), g.Input("x", ir.BankX, 0, types.Shape{3}), g.Input("y", ir.BankX, 3, nil), g.Input("z", ir.BankX, 4, nil),
		g.Input("u", ir.BankX, 5, types.Shape{2}), g.Input("W", ir.BankTheta, 0, types.Shape{4, 3}), g.Input("b", ir.BankTheta, 12, types.Shape{4}),
		g.Input("V", ir.BankTheta, 16, types.Shape{3, 3}), g.Num(0.5), g.Num(2), g.Const(types.Shape{3}, 1, 0, -1), g.Num(0), g.Num(1),
	}
	if wild {
		w.nodes = append(w.nodes, g.Num(math.Inf(1)), g.Num(math.NaN()), g.Num(math.Copysign(0, -1)), g.Num(-1))
	}
	for range rapid.IntRange(1, 25).Draw(rt, "nodes") {
		w.grow(ops, wild)
	}
	for i := range rapid.IntRange(1, 4).Draw(rt, "outputs") {
		z := w.pick("output")
		if i == 0 {
			z = w.nodes[len(w.nodes)-1]
		}
		g.Output(ir.Output{Name: fmt.Sprint("z", i), Off: nz, Node: z, Add: wild && rapid.Bool().Draw(rt, "add")})
		nz += g.Shape(z).Size()
	}
	return g, nz
}

func (w *gen) pick(label string) ir.ID { return rapid.SampledFrom(w.nodes).Draw(w.rt, label) }

// like picks a node of a shape, or a scalar.
func (w *gen) like(s types.Shape) ir.ID {
	var fit []ir.ID
	for _, n := range w.nodes {
		if t := w.g.Shape(n); t.IsScalar() || t.Equal(s) {
			fit = append(fit, n)
		}
	}
	return rapid.SampledFrom(fit).Draw(w.rt, "operand")
}

func (w *gen) add(n ir.ID) { w.nodes = append(w.nodes, n) }

func (w *gen) grow(ops []ir.Op, wild bool) {
	g, rt := w.g, w.rt
	a := w.pick("a")
	s := g.Shape(a)
	index := func(bound int) []int {
		return rapid.SliceOfN(rapid.IntRange(0, bound-1), 1, 5).Draw(rt, "index")
	}
	switch rapid.IntRange(0, 12).Draw(rt, "kind") {
	default:
		op := rapid.SampledFrom(ops).Draw(rt, "op")
		args := []ir.ID{a, a, a}[:op.Info().Arity]
		for i := 1; i < len(args); i++ {
			args[i] = w.like(s)
		}
		if len(args) > 1 && rapid.Bool().Draw(rt, "swap") {
			args[0], args[1] = args[1], args[0]
		}
		w.add(g.Do(op, args...))
	case 0:
		w.product(a)
	case 1:
		idx := index(s.Size())
		w.add(g.Gather(a, idx, types.Shape{len(idx)}))
	case 2:
		w.add(g.Gather(a, []int{rapid.IntRange(0, s.Size()-1).Draw(rt, "element")}, nil))
	case 3:
		if len(s) == 1 {
			idx := rapid.SliceOfN(rapid.IntRange(0, s[0]), s[0], s[0]).Draw(rt, "places")
			w.add(g.Scatter(a, idx, types.Shape{s[0] + 1}))
		}
	case 4:
		w.add(g.Concat(a, w.pick("b"), w.pick("c")))
	case 5:
		if len(s) > 0 {
			op := ir.OpSum
			if wild {
				op = rapid.SampledFrom([]ir.Op{ir.OpSum, ir.OpProd, ir.OpRMin, ir.OpRMax}).Draw(rt, "reduction")
			}
			w.add(g.Reduce(op, a, rapid.IntRange(0, len(s)-1).Draw(rt, "axis")))
		}
	case 6:
		if !s.IsScalar() {
			w.add(g.Dot(a, w.like(s)))
		}
	case 7:
		if s.IsScalar() {
			w.add(g.Expand(a, types.Shape{3}, []int{-1}))
		} else {
			w.add(g.Reshape(a, types.Shape{1, s.Size()}))
		}
	case 8: // what the compiler knows as a layer
		if len(s) == 1 && s[0] == 3 {
			w.add(g.Do(ir.OpTanh, g.Add(g.MatMul(w.nodes[5], a, false, false), w.nodes[6])))
		}
	}
}

// product multiplies a with whatever fits, from either side.
func (w *gen) product(a ir.ID) {
	g := w.g
	s := g.Shape(a)
	if len(s) == 0 || len(s) > 2 {
		return
	}
	for _, b := range w.nodes {
		t := g.Shape(b)
		if len(t) == 0 || len(t) > 2 {
			continue
		}
		if len(s) == 1 && len(t) == 1 && rapid.Bool().Draw(w.rt, "outer") {
			w.add(g.Outer(a, b))
			return
		}
		ta, tb := rapid.Bool().Draw(w.rt, "ta"), rapid.Bool().Draw(w.rt, "tb")
		inner := s[len(s)-1]
		if len(s) == 2 && ta {
			inner = s[0]
		}
		other := t[0]
		if len(t) == 2 && tb {
			other = t[1]
		}
		if inner == other {
			w.add(g.MatMul(a, b, ta, tb))
			return
		}
	}
}

// Banks are ordinary values for a random graph to read.
func Banks() *ir.Banks {
	v := func(n int, k float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = math.Round(800*math.Sin(k*float64(i+1))) / 1000
		}
		return x
	}
	return &ir.Banks{ir.BankT: {0.7}, ir.BankX: v(NX, 1), ir.BankTheta: v(NTheta, 2), ir.BankGZ: v(2000, 3), ir.BankDT: {0.3}, ir.BankDX: v(NX, 4), ir.BankDTheta: v(NTheta, 5)}
}
