package opt

import (
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
)

// Pass is one row of the table.
type Pass struct {
	Name string // as in `udl check --dump=NAME`
	Why  string // what it does, and why it stands where it does
	run  func(g *ir.Graph) *ir.Graph
}

// passes in their order. Every pass rebuilds the graph from its outputs with hash-consing, so
// that common subexpressions are one node and nodes that became dead are left behind by the next.
var passes = []Pass{
	{"moves", "Joins moves of elements (slices, repetitions, concatenations) with each other and with the inputs. First, so that the others see the operations behind them.", with(moves)},
	{"simplify", "Folds constants and applies identities, together, since each gives the other work. Before powers: a constant exponent may come of folding.", with(folds, identities)},
	{"powers", "Turns small powers into products and roots. After simplify, which knows x^0 and x^1 without rounding.", having(ir.OpPow, with(powers))},
	{"merge", "Makes one node of a*b and b*a. Late, when operands have stopped changing.", with(order)},
	{"outputs", "Lets results that are mere arrangements of others be stored piece by piece. After all that makes such arrangements.", outputs},
	{"dead", "Drops what no output needs any more. Last.", with()},
}

// Passes lists the table in order.
func Passes() []Pass { return append([]Pass(nil), passes...) }

// Run applies all passes.
func Run(g *ir.Graph) *ir.Graph { return Trace(g, nil) }

// Trace is Run with a look at the graph after each pass; visit may be nil.
func Trace(g *ir.Graph, visit func(pass string, g *ir.Graph)) *ir.Graph {
	for _, p := range passes {
		g = p.run(g)
		if visit != nil {
			visit(p.Name, g)
		}
	}
	return g
}

// rule gives a simpler node for op applied to args, or says no. n carries the rest of the node
// (shape, indices, constants); its own arguments are those of another graph.
type rule func(w *walk, n *ir.Node, args []ir.ID) (ir.ID, bool)

// walk is one pass under way.
type walk struct {
	g     *ir.Graph
	rules []rule
}

// with makes a pass of lists of rules; the first that has something to say wins.
func with(lists ...[]rule) func(g *ir.Graph) *ir.Graph {
	var all []rule
	for _, l := range lists {
		all = append(all, l...)
	}
	return func(g *ir.Graph) *ir.Graph {
		w := &walk{ir.New(), all}
		to := w.g.EmbedWith(g, w.node)
		for _, o := range g.Outputs {
			o.Node = to[o.Node]
			w.g.Output(o)
		}
		return w.g
	}
}

// having runs a pass only where there is an operation for it, since rebuilding a graph is most of the
// cost of a pass.
func having(op ir.Op, pass func(g *ir.Graph) *ir.Graph) func(g *ir.Graph) *ir.Graph {
	return func(g *ir.Graph) *ir.Graph {
		for i := range g.Nodes {
			if g.Nodes[i].Op == op {
				return pass(g)
			}
		}
		return g
	}
}

func (w *walk) node(n *ir.Node, args []ir.ID) ir.ID {
	for _, r := range w.rules {
		if id, ok := r(w, n, args); ok {
			return id
		}
	}
	return w.g.Rebuild(n, args)
}

// do is an elementwise operation, itself subject to the rules.
func (w *walk) do(op ir.Op, args ...ir.ID) ir.ID {
	n := ir.Node{Op: op, Span: w.span()}
	for _, a := range args {
		if s := w.g.Shape(a); !s.IsScalar() {
			n.Shape = s
		}
	}
	return w.node(&n, args)
}

// span is the place that nodes are being made for.
func (w *walk) span() diag.Span {
	s := w.g.At(diag.Span{})
	w.g.At(s)
	return s
}

// like gives a the shape of n, of which it is a value or one element repeated.
func (w *walk) like(a ir.ID, n *ir.Node) ir.ID {
	if w.g.Shape(a).IsScalar() && !n.Shape.IsScalar() {
		return w.g.Gather(a, make([]int, n.Shape.Size()), n.Shape)
	}
	return a
}

// is reports whether a node is a constant whose elements are all v.
func (w *walk) is(a ir.ID, v float64) bool {
	c, ok := w.g.Uniform(a)
	return ok && c == v
}

// of is the node behind a if it is of the given operation, else nil.
func (w *walk) of(a ir.ID, op ir.Op) *ir.Node {
	if n := &w.g.Nodes[a]; n.Op == op {
		return n
	}
	return nil
}
