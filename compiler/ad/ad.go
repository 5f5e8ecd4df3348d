package ad

import (
	"errors"
	"fmt"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
)

// JVP is the directional derivative of every output of g: a graph that reads the banks of g and the
// tangents BankDT, BankDX and BankDTheta, laid out as t, x and θ. It writes to the places of g's
// outputs; an output that does not move is zero. Inputs from other banks are held fixed.
//
// It fails where a registered function on the way has no derivative.
func JVP(g *ir.Graph) (*ir.Graph, error) {
	tangent := map[ir.Bank]ir.Bank{ir.BankT: ir.BankDT, ir.BankX: ir.BankDX, ir.BankTheta: ir.BankDTheta}
	return forward(g, func(h *ir.Graph, in ir.Input) ir.ID {
		b, ok := tangent[in.Bank]
		if !ok {
			return ir.None
		}
		return h.Input("d"+in.Name, b, in.Off, in.Shape)
	})
}

// Tangent is JVP with dt = 0, made a function of t, [x, dx] and [θ, dθ], where x has nx numbers and
// θ nth: derivatives of a derivative are those of its tangent.
func Tangent(g *ir.Graph, nx, nth int) (*ir.Graph, error) {
	shift := map[ir.Bank]int{ir.BankX: nx, ir.BankTheta: nth}
	return forward(g, func(h *ir.Graph, in ir.Input) ir.ID {
		by, ok := shift[in.Bank]
		if !ok {
			return ir.None
		}
		return h.Input("d"+in.Name, in.Bank, by+in.Off, in.Shape)
	})
}

// ByTime is the derivative of every output of g by t, a function of the same banks.
func ByTime(g *ir.Graph) (*ir.Graph, error) {
	return forward(g, func(h *ir.Graph, in ir.Input) ir.ID {
		if in.Bank != ir.BankT {
			return ir.None
		}
		return h.Fill(in.Shape, 1)
	})
}

// forward builds a graph of tangents; seed gives the tangent of an input, or None.
func forward(g *ir.Graph, seed func(h *ir.Graph, in ir.Input) ir.ID) (*ir.Graph, error) {
	h := ir.New()
	to := h.Embed(g)
	d := make([]ir.ID, len(h.Nodes))
	for i := range d {
		d[i] = ir.None
	}
	for _, in := range h.Inputs[:len(h.Inputs):len(h.Inputs)] {
		d[in.Node] = seed(h, in)
	}
	if err := push(h, d, nil); err != nil {
		return nil, err
	}
	for _, o := range g.Outputs {
		dz := d[to[o.Node]]
		if dz == ir.None {
			if o.Add {
				continue
			}
			dz = h.Fill(g.Shape(o.Node), 0)
		}
		o.Node = dz
		h.Output(o)
	}
	return h, nil
}

// push carries tangents forwards through the first len(d) nodes of a graph, or those of them in only, wherever
// an argument has one and the node has none yet.
func push(g *ir.Graph, d []ir.ID, only []bool) error {
	old := g.At(diag.Span{})
	defer func() { g.At(old) }()
	for id := range d {
		// The rules append to g.Nodes, so a pointer into it would not do.
		n := g.Nodes[id]
		if d[id] != ir.None || len(n.Args) == 0 || only != nil && !only[id] {
			continue
		}
		t := make([]ir.ID, len(n.Args))
		moves := false
		for i, a := range n.Args {
			t[i] = d[a]
			moves = moves || t[i] != ir.None
		}
		if !moves {
			continue
		}
		if err := differentiable(&n); err != nil {
			return err
		}
		g.At(n.Span)
		d[id] = n.Op.Info().JVP(g, ir.ID(id), n.Args, t)
	}
	return nil
}

// Along adds to g the derivatives of nodes in a direction: seed gives that of each input, None for zero, and may add nodes. The result has
// None for a node that does not move. Other nodes than those that lead to these may have no derivative.
func Along(g *ir.Graph, nodes []ir.ID, seed func(in ir.Input) ir.ID) ([]ir.ID, error) {
	only := make([]bool, len(g.Nodes))
	for _, id := range nodes {
		only[id] = true
	}
	for id := len(only) - 1; id >= 0; id-- {
		if only[id] {
			for _, a := range g.Nodes[id].Args {
				only[a] = true
			}
		}
	}
	d := make([]ir.ID, len(g.Nodes))
	for i := range d {
		d[i] = ir.None
	}
	for _, in := range g.Inputs[:len(g.Inputs):len(g.Inputs)] {
		if only[in.Node] {
			d[in.Node] = seed(in)
		}
	}
	if err := push(g, d, only); err != nil {
		return nil, err
	}
	out := make([]ir.ID, len(nodes))
	for i, id := range nodes {
		out[i] = d[id]
	}
	return out, nil
}

func differentiable(n *ir.Node) error {
	switch {
	case n.Op == ir.OpExt && !n.Ext.Differentiable():
		return fmt.Errorf("the registered function `%s` has no derivative; give it one where it is registered", n.Ext.Name)
	case n.Op == ir.OpExtGrad:
		return fmt.Errorf("the registered function `%s` has no second derivative, which is needed here; write it in the language instead", n.Ext.Name)
	case n.Op.Info().JVP == nil:
		return fmt.Errorf("`%v` has no derivative", n.Op)
	}
	return nil
}

// VJP is the transposed derivative: a graph that reads the banks of g and the cotangents of its outputs
// in BankGZ, laid out as output vector 0 of g, and adds to three output vectors: 0 is gx, 1 is gθ, 2 is gt
// (length 1), laid out as x, θ and t. Only inputs that matter get outputs. Inputs from other banks are held fixed.
//
// It fails where a registered function on the way has no derivative, and when g has more
// output vectors than one or reads cotangents itself.
func VJP(g *ir.Graph) (*ir.Graph, error) { return vjp(g, true) }

// VJPAtTime is VJP with t held fixed: gt is not touched.
func VJPAtTime(g *ir.Graph) (*ir.Graph, error) { return vjp(g, false) }

func vjp(g *ir.Graph, byTime bool) (*ir.Graph, error) {
	h := ir.New()
	to := h.Embed(g)
	for _, in := range h.Inputs {
		if in.Bank == ir.BankGZ {
			return nil, errors.New("a graph that reads cotangents has no transposed derivative")
		}
	}
	s := newSweep(h)
	vec := map[ir.Bank]int{ir.BankX: 0, ir.BankTheta: 1}
	if byTime {
		vec[ir.BankT] = 2
	}
	inputs := h.Inputs[:len(h.Inputs):len(h.Inputs)]
	var by []ir.ID
	for _, in := range inputs {
		if _, ok := vec[in.Bank]; ok {
			by = append(by, in.Node)
		}
	}
	s.want(by...)
	for _, o := range g.Outputs {
		if o.Vec != 0 {
			return nil, fmt.Errorf("output %q goes to vector %d; only functions with one result vector have a transposed derivative", o.Name, o.Vec)
		}
		if z := to[o.Node]; s.wanted[z] {
			s.add(z, h.Input("g"+o.Name, ir.BankGZ, o.Off, g.Shape(o.Node)), false)
		}
	}
	if err := s.pull(); err != nil {
		return nil, err
	}
	for _, in := range inputs {
		v, ok := vec[in.Bank]
		if !ok {
			continue
		}
		if ct := s.total(in.Node); ct != ir.None {
			h.Output(ir.Output{Name: "g" + in.Name, Vec: v, Off: in.Off, Node: ct, Add: true})
		}
	}
	return h, nil
}

// Derivative adds to g the derivative of node y by node x and returns its node. x counts as independent: what
// else it depends on is held fixed. If y is a scalar the result has the shape of x; otherwise x must be a scalar
// and the result has the shape of y. It is an array of zeros where y does not depend on x.
// Derivatives may be taken of derivatives.
func Derivative(g *ir.Graph, y, x ir.ID) (ir.ID, error) {
	sy, sx := g.Shape(y), g.Shape(x)
	switch {
	case sy.IsScalar():
		s := newSweep(g)
		s.upTo(y)
		s.want(x)
		if !s.wanted[y] {
			return g.Fill(sx, 0), nil
		}
		s.add(y, g.Num(1), false)
		s.stop = x
		if err := s.pull(); err != nil {
			return ir.None, err
		}
		if d := s.total(x); d != ir.None {
			return d, nil
		}
		return g.Fill(sx, 0), nil
	case sx.IsScalar():
		if y < x {
			return g.Fill(sy, 0), nil
		}
		d := make([]ir.ID, y+1)
		for i := range d {
			d[i] = ir.None
		}
		d[x] = g.Num(1)
		// Only what leads to y: other nodes may have no derivative.
		if err := push(g, d, leadingTo(g, y)); err != nil {
			return ir.None, err
		}
		if d[y] == ir.None {
			return g.Fill(sy, 0), nil
		}
		return d[y], nil
	}
	return ir.None, fmt.Errorf("this is the derivative of an array (%v) by an array (%v); differentiate one element of it", sy, sx)
}
