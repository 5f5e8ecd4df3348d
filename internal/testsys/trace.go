package testsys

import "math"

// Expr is a symbolic value. Those of one trace may be combined freely.
type Expr struct {
	g  *graph
	id int
}

type op int

const (
	opConst op = iota
	opT
	opX
	opTheta
	opAdd
	opSub
	opMul
	opDiv
	opExp
	opLog
	opSin
	opCos
	opTanh
	opSqrt
)

// node is one operation. a is an operand or, of opX and opTheta, the index of the input; a node
// comes after its operands.
type node struct {
	op   op
	a, b int
	c    float64
}

type graph struct {
	nx, nth int
	nodes   []node
	out     []int
}

func (g *graph) add(n node) Expr {
	g.nodes = append(g.nodes, n)
	return Expr{g, len(g.nodes) - 1}
}

func (g *graph) constant(v float64) Expr { return g.add(node{op: opConst, c: v}) }

func (g *graph) isConst(i int, v float64) bool {
	return g.nodes[i].op == opConst && g.nodes[i].c == v
}

// Const is a number in the trace of e.
func (e Expr) Const(v float64) Expr { return e.g.constant(v) }

// Add is e + f.
func (e Expr) Add(f Expr) Expr { return e.g.add(node{op: opAdd, a: e.id, b: f.id}) }

// Sub is e − f.
func (e Expr) Sub(f Expr) Expr { return e.g.add(node{op: opSub, a: e.id, b: f.id}) }

// Mul is e·f.
func (e Expr) Mul(f Expr) Expr { return e.g.add(node{op: opMul, a: e.id, b: f.id}) }

// Div is e/f.
func (e Expr) Div(f Expr) Expr { return e.g.add(node{op: opDiv, a: e.id, b: f.id}) }

// Times is v·e for a number.
func (e Expr) Times(v float64) Expr { return e.Mul(e.Const(v)) }

// Plus is e + v for a number.
func (e Expr) Plus(v float64) Expr { return e.Add(e.Const(v)) }

// Neg is −e.
func (e Expr) Neg() Expr { return e.Times(-1) }

// Exp is the exponential.
func (e Expr) Exp() Expr { return e.g.add(node{op: opExp, a: e.id}) }

// Log is the natural logarithm.
func (e Expr) Log() Expr { return e.g.add(node{op: opLog, a: e.id}) }

// Sin is the sine.
func (e Expr) Sin() Expr { return e.g.add(node{op: opSin, a: e.id}) }

// Cos is the cosine.
func (e Expr) Cos() Expr { return e.g.add(node{op: opCos, a: e.id}) }

// Tanh is the hyperbolic tangent.
func (e Expr) Tanh() Expr { return e.g.add(node{op: opTanh, a: e.id}) }

// Sqrt is the square root.
func (e Expr) Sqrt() Expr { return e.g.add(node{op: opSqrt, a: e.id}) }

// eval computes all nodes.
func (g *graph) eval(v []float64, t float64, x, th []float64) {
	for i, n := range g.nodes {
		switch n.op {
		case opConst:
			v[i] = n.c
		case opT:
			v[i] = t
		case opX:
			v[i] = x[n.a]
		case opTheta:
			v[i] = th[n.a]
		case opAdd:
			v[i] = v[n.a] + v[n.b]
		case opSub:
			v[i] = v[n.a] - v[n.b]
		case opMul:
			v[i] = v[n.a] * v[n.b]
		case opDiv:
			v[i] = v[n.a] / v[n.b]
		case opExp:
			v[i] = math.Exp(v[n.a])
		case opLog:
			v[i] = math.Log(v[n.a])
		case opSin:
			v[i] = math.Sin(v[n.a])
		case opCos:
			v[i] = math.Cos(v[n.a])
		case opTanh:
			v[i] = math.Tanh(v[n.a])
		case opSqrt:
			v[i] = math.Sqrt(v[n.a])
		}
	}
}

// partials are the derivatives of node i by its operands, from the values of all nodes.
func (g *graph) partials(i int, v []float64) (da, db float64) {
	n := g.nodes[i]
	switch n.op {
	case opAdd:
		return 1, 1
	case opSub:
		return 1, -1
	case opMul:
		return v[n.b], v[n.a]
	case opDiv:
		return 1 / v[n.b], -v[i] / v[n.b]
	case opExp:
		return v[i], 0
	case opLog:
		return 1 / v[n.a], 0
	case opSin:
		return math.Cos(v[n.a]), 0
	case opCos:
		return -math.Sin(v[n.a]), 0
	case opTanh:
		return 1 - v[i]*v[i], 0
	case opSqrt:
		return 0.5 / v[i], 0
	}
	return 0, 0
}

// tangent is the graph of (t, [x, dx], [θ, dθ]) → dz.
func (g *graph) tangent() *graph {
	return g.forward(2*g.nx, 2*g.nth, func(d *graph, n node) (Expr, bool) {
		switch n.op {
		case opX:
			return d.add(node{op: opX, a: g.nx + n.a}), true
		case opTheta:
			return d.add(node{op: opTheta, a: g.nth + n.a}), true
		}
		return Expr{}, false
	})
}

// byTime is the derivative by t, a function of the same.
func (g *graph) byTime() *graph {
	return g.forward(g.nx, g.nth, func(d *graph, n node) (Expr, bool) {
		return d.constant(1), n.op == opT
	})
}

// forward is the graph of tangents from those of the inputs: seed's, or zero where it says so.
func (g *graph) forward(nx, nth int, seed func(d *graph, n node) (Expr, bool)) *graph {
	d := &graph{nx: nx, nth: nth, nodes: append([]node(nil), g.nodes...)}
	zero := d.constant(0)
	dot := make([]Expr, len(g.nodes))
	for i, n := range g.nodes {
		at := func(id int) Expr { return Expr{d, id} }
		// by is the product with a derivative, dropped where that is zero.
		by := func(e, de Expr) Expr {
			if d.isConst(de.id, 0) {
				return zero
			}
			return e.Mul(de)
		}
		self := at(i)
		switch n.op {
		case opConst:
			dot[i] = zero
		case opT, opX, opTheta:
			dot[i] = zero
			if e, ok := seed(d, n); ok {
				dot[i] = e
			}
		case opAdd:
			dot[i] = dot[n.a].Add(dot[n.b])
		case opSub:
			dot[i] = dot[n.a].Sub(dot[n.b])
		case opMul:
			dot[i] = by(at(n.b), dot[n.a]).Add(by(at(n.a), dot[n.b]))
		case opDiv:
			dot[i] = dot[n.a].Sub(by(self, dot[n.b])).Div(at(n.b))
		case opExp:
			dot[i] = by(self, dot[n.a])
		case opLog:
			dot[i] = dot[n.a].Div(at(n.a))
		case opSin:
			dot[i] = by(at(n.a).Cos(), dot[n.a])
		case opCos:
			dot[i] = by(at(n.a).Sin().Neg(), dot[n.a])
		case opTanh:
			dot[i] = by(self.Mul(self).Neg().Plus(1), dot[n.a])
		case opSqrt:
			dot[i] = dot[n.a].Times(0.5).Div(self)
		}
	}
	for _, o := range g.out {
		d.out = append(d.out, dot[o].id)
	}
	return d
}
