package ir

import (
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
)

// ID names a node of a graph. Arguments always have smaller IDs than their users.
type ID int32

// None is no node.
const None ID = -1

// Node is one operation on arrays.
type Node struct {
	Op    Op
	Args  []ID
	Shape types.Shape
	Data  []float64 // Const: the values, row-major
	Ints  []int     // Sum & co: the axes; Gather, Scatter: flat indices; MatMul: transA, transB (0 or 1); Input: its number
	Ext   *External // of an Ext node
	Span  diag.Span
}

// Bank is the vector that an input is a piece of.
type Bank uint8

// The banks. Every compiled function reads t, x and θ; the others exist in derivatives.
const (
	BankT Bank = iota
	BankX
	BankTheta
	BankGZ // cotangent of the outputs, in a VJP
	BankDT // tangents, in a JVP
	BankDX
	BankDTheta
	BankAux  // anything else: the fields of a solution in a compiled loss
	BankPrep // what was computed of θ alone, once for many evaluations; made by package code
	NumBanks
)

// Input is a piece of a bank: Size(Shape) numbers from Off.
type Input struct {
	Name  string
	Bank  Bank
	Off   int
	Shape types.Shape
	Node  ID
}

// Output is a result: the node's values go to (or are added to) the numbers from Off of the
// output vector with that number.
type Output struct {
	Name string
	Vec  int // 0 is z; in a VJP 0 is gx, 1 is gθ, 2 is gt
	Off  int
	Node ID
	Add  bool
}

// External is a Go function in a graph: n scalars in, one out.
type External struct {
	Name string
	N    int
	Eval func(x []float64) float64
	// Grad writes ∂f/∂x into g; nil when the function is not differentiable.
	Grad func(x, g []float64)
	// Partial gives ∂f/∂x_i as a function in turn, so that derivatives compose; it is preferred to Grad, nil where there is none.
	Partial func(i int) *External
}

// Differentiable reports whether the function has a derivative.
func (f *External) Differentiable() bool { return f.Grad != nil || f.Partial != nil }

// Graph is a list of nodes in dependency order, hash-consed: the same operation on the same
// arguments is one node. It is built by one goroutine.
type Graph struct {
	Nodes   []Node
	Inputs  []Input
	Outputs []Output

	at     diag.Span
	strong bool
	memo   map[uint64]ID
	pieces map[place][]int // of Inputs that begin at a place
}

type place struct {
	bank Bank
	off  int
}

// New makes an empty graph.
func New() *Graph { return &Graph{memo: map[uint64]ID{}, pieces: map[place][]int{}} }

// Banks are the vectors that a graph's inputs are pieces of, by Bank. A bank that no input
// reads may be nil.
type Banks [NumBanks][]float64

// String is the bank's name in dumps and errors.
func (b Bank) String() string {
	names := [NumBanks]string{"t", "x", "θ", "gz", "dt", "dx", "dθ", "aux", "prepared"}
	if b < NumBanks {
		return names[b]
	}
	return "?"
}

// At sets the place in the source that nodes made from now on belong to, and returns the previous one.
func (g *Graph) At(s diag.Span) diag.Span {
	old := g.at
	g.at = s
	return old
}

// Shape is the shape of a node.
func (g *Graph) Shape(a ID) types.Shape { return g.Nodes[a].Shape }

// Input declares a piece of a bank, or returns the earlier node of the same piece.
func (g *Graph) Input(name string, b Bank, off int, shape types.Shape) ID {
	at := place{b, off}
	for _, i := range g.pieces[at] {
		if g.Inputs[i].Shape.Equal(shape) {
			return g.Inputs[i].Node
		}
	}
	id := g.push(Node{Op: OpInput, Shape: shape, Ints: []int{len(g.Inputs)}})
	g.pieces[at] = append(g.pieces[at], len(g.Inputs))
	g.Inputs = append(g.Inputs, Input{name, b, off, shape, id})
	return id
}

// Output declares a result.
func (g *Graph) Output(o Output) { g.Outputs = append(g.Outputs, o) }

// Num is a scalar constant.
func (g *Graph) Num(v float64) ID { return g.Const(types.Scalar, v) }

// Const is a constant array.
func (g *Graph) Const(shape types.Shape, v ...float64) ID {
	if len(v) != shape.Size() {
		panic(fmt.Sprintf("ir: %d values for %v", len(v), shape))
	}
	return g.push(Node{Op: OpConst, Shape: shape, Data: append([]float64(nil), v...)})
}

// Fill is an array of one value.
func (g *Graph) Fill(shape types.Shape, v float64) ID {
	d := make([]float64, shape.Size())
	for i := range d {
		d[i] = v
	}
	return g.Const(shape, d...)
}

// Do applies an elementwise operation. Arguments are of one shape, or scalars, which serve every element.
func (g *Graph) Do(op Op, args ...ID) ID {
	// The arity comes from the order of the constants and not from the table: the table's
	// derivative rules call Do, and Go allows no circle in a variable's initialisation.
	if len(args) != op.arity() {
		panic(fmt.Sprintf("ir: Do(%v) with %d arguments", op, len(args)))
	}
	var shape types.Shape
	for _, a := range args {
		s := g.Shape(a)
		if s.IsScalar() {
			continue
		}
		if shape != nil && !shape.Equal(s) {
			panic(fmt.Sprintf("ir: %v of %v and %v", op, shape, s))
		}
		shape = s
	}
	return g.push(Node{Op: op, Args: slices.Clone(args), Shape: shape})
}

// The arithmetic, for the builders' convenience.

// Add is a + b.
func (g *Graph) Add(a, b ID) ID { return g.Do(OpAdd, a, b) }

// Sub is a − b.
func (g *Graph) Sub(a, b ID) ID { return g.Do(OpSub, a, b) }

// Mul is a·b, element by element.
func (g *Graph) Mul(a, b ID) ID { return g.Do(OpMul, a, b) }

// Div is a/b, element by element.
func (g *Graph) Div(a, b ID) ID { return g.Do(OpDiv, a, b) }

// Neg is −a.
func (g *Graph) Neg(a ID) ID { return g.Do(OpNeg, a) }

// Select is a where c is not zero, else b.
func (g *Graph) Select(c, a, b ID) ID { return g.Do(OpSelect, c, a, b) }

// MatMul is the product of matrices; a vector [k] on the right is a column and gives a vector,
// on the left a row. With ta or tb a matrix is taken transposed (a vector is not).
func (g *Graph) MatMul(a, b ID, ta, tb bool) ID {
	sa, sb := g.Shape(a), g.Shape(b)
	dim := func(s types.Shape, t bool, left bool) (r, c int, vec bool) {
		if len(s) == 1 {
			if left {
				return 1, s[0], true
			}
			return s[0], 1, true
		}
		if t {
			return s[1], s[0], false
		}
		return s[0], s[1], false
	}
	m, k, va := dim(sa, ta, true)
	k2, n, vb := dim(sb, tb, false)
	if k != k2 {
		panic(fmt.Sprintf("ir: matmul of %v and %v", sa, sb))
	}
	var shape types.Shape
	if !va {
		shape = append(shape, m)
	}
	if !vb {
		shape = append(shape, n)
	}
	b2i := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return g.push(Node{Op: OpMatMul, Args: []ID{a, b}, Shape: shape, Ints: []int{b2i(ta && !va), b2i(tb && !vb)}})
}

// Outer is the matrix a_i b_j of two vectors.
func (g *Graph) Outer(a, b ID) ID {
	return g.push(Node{Op: OpOuter, Args: []ID{a, b}, Shape: types.Shape{g.Shape(a)[0], g.Shape(b)[0]}})
}

// Reshape gives the same elements another shape.
func (g *Graph) Reshape(a ID, shape types.Shape) ID {
	if g.Shape(a).Equal(shape) {
		return a
	}
	if g.Shape(a).Size() != shape.Size() {
		panic(fmt.Sprintf("ir: reshape %v to %v", g.Shape(a), shape))
	}
	return g.push(Node{Op: OpReshape, Args: []ID{a}, Shape: shape})
}

// Gather is the array of the elements with the flat indices idx (from 0); slices, transposes and
// broadcasts are gathers.
func (g *Graph) Gather(a ID, idx []int, shape types.Shape) ID {
	if len(idx) != shape.Size() {
		panic(fmt.Sprintf("ir: gather of %d into %v", len(idx), shape))
	}
	n := g.Shape(a).Size()
	same := len(idx) == n
	for i, k := range idx {
		if k < 0 || k >= n {
			panic(fmt.Sprintf("ir: gather index %d of %d", k, n))
		}
		same = same && k == i
	}
	if same {
		return g.Reshape(a, shape)
	}
	return g.push(Node{Op: OpGather, Args: []ID{a}, Ints: append([]int(nil), idx...), Shape: shape})
}

// Scatter is an array of zeros to whose element idx[i] the element i of a is added.
func (g *Graph) Scatter(a ID, idx []int, shape types.Shape) ID {
	if len(idx) != g.Shape(a).Size() {
		panic("ir: scatter length")
	}
	if len(idx) == shape.Size() {
		// What only changes places is a gather the other way round, which back ends know how to read in place.
		back := make([]int, len(idx))
		for i := range back {
			back[i] = -1
		}
		whole := true
		for i, j := range idx {
			whole = whole && back[j] < 0
			back[j] = i
		}
		if whole {
			return g.Gather(a, back, shape)
		}
	}
	return g.push(Node{Op: OpScatter, Args: []ID{a}, Ints: append([]int(nil), idx...), Shape: shape})
}

// Concat joins the flattened arguments into one vector.
func (g *Graph) Concat(args ...ID) ID {
	n := 0
	for _, a := range args {
		n += g.Shape(a).Size()
	}
	if len(args) == 1 {
		return g.Reshape(args[0], types.Shape{n})
	}
	return g.push(Node{Op: OpConcat, Args: slices.Clone(args), Shape: types.Shape{n}})
}

// Transpose swaps the axes of a matrix.
func (g *Graph) Transpose(a ID) ID {
	s := g.Shape(a)
	idx := make([]int, 0, s.Size())
	for j := range s[1] {
		for i := range s[0] {
			idx = append(idx, i*s[1]+j)
		}
	}
	return g.Gather(a, idx, types.Shape{s[1], s[0]})
}

// Expand gives a the given shape; dims[i] is the axis of a that axis i of the result runs over, or
// -1 where it is repeated.
func (g *Graph) Expand(a ID, shape types.Shape, dims []int) ID {
	sa := g.Shape(a)
	stride := make([]int, len(sa))
	for d, s := len(sa)-1, 1; d >= 0; d-- {
		stride[d] = s
		s *= sa[d]
	}
	idx := make([]int, shape.Size())
	for k := range idx {
		rem, f := k, 0
		for d := len(shape) - 1; d >= 0; d-- {
			i := rem % shape[d]
			rem /= shape[d]
			if dims[d] >= 0 {
				f += i * stride[dims[d]]
			}
		}
		idx[k] = f
	}
	return g.Gather(a, idx, shape)
}

// Reduce folds the given axes (OpSum, OpProd, OpRMin, OpRMax); the others stay, in order.
func (g *Graph) Reduce(op Op, a ID, axes ...int) ID {
	drop := map[int]bool{}
	for _, d := range axes {
		drop[d] = true
	}
	var shape types.Shape
	for d, n := range g.Shape(a) {
		if !drop[d] {
			shape = append(shape, n)
		}
	}
	if len(axes) == 0 {
		return a
	}
	return g.push(Node{Op: op, Args: []ID{a}, Ints: append([]int(nil), axes...), Shape: shape})
}

// Sum is the sum of all elements.
func (g *Graph) Sum(a ID) ID {
	axes := make([]int, len(g.Shape(a)))
	for i := range axes {
		axes[i] = i
	}
	return g.Reduce(OpSum, a, axes...)
}

// Dot is the sum of products of two arrays of one shape.
func (g *Graph) Dot(a, b ID) ID { return g.Sum(g.Mul(a, b)) }

// Call is a registered Go function of scalars.
func (g *Graph) Call(f *External, args ...ID) ID {
	return g.push(Node{Op: OpExt, Args: slices.Clone(args), Ext: f})
}

// hash mixes all that makes a node what it is; the span does not count.
func (n *Node) hash() uint64 {
	h := uint64(n.Op) + 1
	mix := func(v uint64) {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	for _, a := range n.Args {
		mix(uint64(a))
	}
	for _, d := range n.Shape {
		mix(uint64(d) + 1<<32)
	}
	for _, v := range n.Data {
		mix(math.Float64bits(v))
	}
	for _, v := range n.Ints {
		mix(uint64(v) + 1<<33)
	}
	return h
}

// same reports whether two nodes compute the same. Constants are compared by their bits, so
// that −0 and 0, and one NaN and itself, are told apart and together as they should be.
func (n *Node) same(o *Node) bool {
	if n.Op != o.Op || n.Ext != o.Ext || !n.Shape.Equal(o.Shape) || !slices.Equal(n.Args, o.Args) ||
		!slices.Equal(n.Ints, o.Ints) || len(n.Data) != len(o.Data) {
		return false
	}
	for i, v := range n.Data {
		if math.Float64bits(v) != math.Float64bits(o.Data[i]) {
			return false
		}
	}
	return true
}

// find looks a node up by what it is; h is its hash, or the free place it would take.
func (g *Graph) find(n *Node) (id ID, h uint64, ok bool) {
	for h = n.hash(); ; h++ { // a collision takes the next place
		id, ok := g.memo[h]
		if !ok {
			return None, h, false
		}
		if g.Nodes[id].same(n) {
			return id, h, true
		}
	}
}

func (g *Graph) push(n Node) ID {
	id, h, ok := g.find(&n)
	if ok {
		return id
	}
	n.Span = g.at
	id = ID(len(g.Nodes))
	g.Nodes = append(g.Nodes, n)
	g.memo[h] = id
	return id
}
