package compiler

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/implicit"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// Compiled is a model ready to run. It is immutable and may be shared by goroutines.
type Compiled struct {
	Model  *model.Model
	Layout *lower.Layout
	System *system.System

	builtins lower.Builtins
	how      code.Options
	source   *model.Model // as it was checked: Model has the states that implicit equations add
	signals  []Signal
}

// Compile turns a checked model into a system. The error is a *diag.Diagnostic with a place.
func Compile(m *model.Model, b lower.Builtins) (*Compiled, error) {
	return CompileWith(m, b, code.Options{})
}

// CompileWith is Compile with a choice of back end.
func CompileWith(m *model.Model, b lower.Builtins, how code.Options) (*Compiled, error) {
	return compile(m, nil, b, how)
}

// compile is CompileWith with functions of time in the place of inputs, which dress puts there; nil: none.
func compile(m *model.Model, dress func(*lower.Layout), b lower.Builtins, how code.Options) (*Compiled, error) {
	source := m
	var lay *lower.Layout
	var imp *implicit.System
	var left *model.Expr // a jump that cannot be frozen
	if len(m.Implicit) > 0 {
		var err error
		if imp, err = implicit.Lower(m, b, dress); err != nil {
			return nil, err
		}
		m, lay = imp.Model, imp.Layout
	} else {
		lay = lower.LayoutOf(m)
		if dress != nil {
			dress(lay)
		}
		var err error
		if left, err = lay.Freeze(m, b); err != nil {
			return nil, err
		}
	}
	c := &Compiled{Model: m, Layout: lay, builtins: b, how: how, source: source}
	s := &system.System{Name: m.Name, NX: lay.NX, NTheta: lay.NTheta}
	c.System = s
	for i, p := range lay.X {
		s.States = append(s.States, slot(p))
		s.Latent = append(s.Latent, m.States[i].Kind == model.Latent)
	}
	for _, p := range lay.Theta {
		ts := system.ThetaSlot{Slot: slot(p), Role: p.Role, Lo: math.Inf(-1), Hi: math.Inf(1)}
		ts.Default = make([]float64, p.Shape.Size())
		if p.Sym.Unknown != nil {
			ts.Owner = p.Sym.Unknown.Name
		}
		if err := c.defaults(&ts, p, b); err != nil {
			return nil, err
		}
		s.Theta = append(s.Theta, ts)
	}
	s.Randomize = c.randomize
	for i := range s.Theta {
		if t := &s.Theta[i]; t.Role == system.RoleWeight || t.Role == system.RoleScale {
			c.draw(t.Default, lay.Theta[i].Sym, 0)
		}
	}

	g, err := lower.Initial(m, lay, b)
	if err != nil {
		return nil, err
	}
	if s.Init, err = newFunc(g, 0, lay.NTheta, lay.NX, once); err != nil {
		return nil, err
	}
	if imp != nil {
		g = imp.RHS
	} else if g, err = lower.RHS(m, lay, b); err != nil {
		return nil, err
	}
	rhs, err := newFunc(g, lay.NX, lay.NTheta, lay.NX, how)
	if err != nil {
		return nil, err
	}
	s.RHS = rhs
	rhs.s.sys = s
	s.Pattern = rhs.s.pattern()
	s.Stepping = rhs.s.stepping
	s.Solving = rhs.s.solving
	s.Reversing = rhs.s.reversing
	s.Lanes = rhs.s.lanes
	s.Directing = rhs.s.directing
	s.Backend = rhs.s.backend
	if s.NoGradient = noGradient(g); s.NoGradient == "" {
		s.NoGradient = jumps(m, lay, imp == nil && left == nil)
	}
	s.NoSecond = noSecond(g)
	for _, in := range rhs.s.g.Inputs {
		if in.Bank == ir.BankT {
			s.ByTime = rhs.s.byTime
		}
	}
	s.Jacobian = rhs.s.jacobian
	if noGradient(g) != "" {
		s.Jacobian = rhs.s.byDifferences
	}
	s.Explain, s.Blame = c.explain(rhs.s), c.blame
	if err = c.events(b, how); err != nil {
		return nil, err
	}
	if imp != nil {
		if err := c.constrain(imp, how); err != nil {
			return nil, err
		}
	}
	if lay.NOut > 0 {
		for _, p := range lay.Out {
			s.Outs = append(s.Outs, slot(p))
		}
		if g, err = lower.Outputs(m, lay, b); err != nil {
			return nil, err
		}
		if s.Output, err = newFunc(g, lay.NX, lay.NTheta, lay.NOut, how); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// constrain adds what a system with implicit equations has beside its right-hand side. Lanes, and the reverse of whole steps, are made for x' = f alone.
func (c *Compiled) constrain(imp *implicit.System, how code.Options) error {
	s := c.System
	s.Reversing, s.Lanes = nil, nil
	s.Algebraic, s.Guesses, s.Equations, s.Conserved = imp.Algebraic, imp.Guesses, imp.Equations, imp.Conserved
	values, err := newFunc(imp.Mass, 0, s.NTheta, imp.Pattern.NNZ(), once)
	if err != nil {
		return err
	}
	s.Mass = &system.Mass{Pattern: imp.Pattern, Values: values}
	if imp.Invariants != nil {
		f, err := newFunc(imp.Invariants, s.NX, s.NTheta, len(imp.Conserved), how)
		if err != nil {
			return err
		}
		s.Invariants, s.InvariantsPattern, s.AsWritten = f, f.s.pattern(), imp.AsWritten
	}
	return nil
}

func slot(p lower.Piece) system.Slot {
	return system.Slot{Name: p.Name, Off: p.Off, Shape: p.Shape, Doc: p.Sym.Doc, Unit: p.Sym.Unit.String()}
}

// defaults fills the default and bounds of a parameter or constant.
func (c *Compiled) defaults(ts *system.ThetaSlot, p lower.Piece, b lower.Builtins) error {
	s := p.Sym
	if p.Role == system.RoleInit || p.Role == system.RoleFlag {
		return nil
	}
	if s.Kind == model.Param || s.Kind == model.Weight && s.Def != nil {
		ts.Lo, ts.Hi = s.Lo, s.Hi
	}
	if s.Def == nil {
		return nil
	}
	v, err := lower.Constant(s.Def, b)
	if err != nil {
		return err
	}
	for i := range ts.Default {
		ts.Default[i] = v[i%len(v)]
	}
	return nil
}

// randomize implements system.System.Randomize.
func (c *Compiled) randomize(th []float64, seed uint64) {
	for _, p := range c.Layout.Theta {
		if p.Role == system.RoleWeight && p.Sym.Spec.Init != nil {
			c.draw(th[p.Off:p.Off+p.Shape.Size()], p.Sym, seed)
		}
	}
}

// draw fills one array of weights. Each has a stream of its own, named by its unknown and
// itself, so that adding an unknown to a model does not change the others' weights.
func (c *Compiled) draw(w []float64, s *model.Symbol, seed uint64) {
	if s.Spec.Init == nil {
		return
	}
	h := fnv.New64a()
	h.Write([]byte(s.Name))
	s.Spec.Init(w, rand.New(rand.NewPCG(seed, h.Sum64())))
	if s.Spec.Role != "scale" {
		return
	}
	// An automatic scale starts from the inputs' bounds; fit replaces it by that of the data.
	for i, name := range s.Unknown.Inputs {
		for _, q := range append(append([]*model.Symbol(nil), c.Model.States...), c.Model.Params...) {
			if q.Name == name && i < len(w) {
				if m := math.Max(math.Abs(q.Lo), math.Abs(q.Hi)); q.Hi > q.Lo && !math.IsInf(m, 0) && m > 0 {
					w[i] = m
				}
			}
		}
	}
}

// noGradient names the first registered Go function without a derivative.
func noGradient(g *ir.Graph) string {
	for _, n := range g.Nodes {
		if n.Ext != nil && !n.Ext.Differentiable() {
			return "the registered function `" + n.Ext.Name + "` has no derivative"
		}
		if info := n.Op.Info(); info.Class == ir.Elementwise && info.VJP == nil {
			return "`" + info.Name + "` has no derivative"
		}
	}
	return ""
}

// noSecond names the first registered Go function of states or parameters, of which there are first derivatives only.
func noSecond(g *ir.Graph) string {
	moves := make([]bool, len(g.Nodes))
	for _, in := range g.Inputs {
		moves[in.Node] = in.Bank == ir.BankX || in.Bank == ir.BankTheta
	}
	for i, n := range g.Nodes {
		for _, a := range n.Args {
			moves[i] = moves[i] || moves[a]
		}
		if n.Ext != nil && moves[i] {
			return "the registered function `" + n.Ext.Name + "` has no second derivative, which this needs"
		}
	}
	return ""
}

// explain finds where a right-hand side stops being finite.
func (c *Compiled) explain(s *shared) func(t float64, x, th []float64) *system.Fault {
	return func(t float64, x, th []float64) *system.Fault {
		f := s.bind()
		z := make([]float64, s.nz)
		f.Eval(z, t, x, th)
		id, operands, value, ok := s.eval.Fault(&f.eval.in)
		if !ok {
			return nil
		}
		n := &s.g.Nodes[id]
		fault := &system.Fault{Where: n.Span, Expr: n.Span.Text(), Value: value}
		if fault.Expr == "" {
			fault.Expr = ir.Format(s.g, id)
		}
		for i, a := range n.Args {
			if i < len(operands) {
				fault.Operands = append(fault.Operands, system.Operand{Name: ir.Format(s.g, a), Value: operands[i]})
			}
		}
		fault.Quantity = c.quantity(n.Span)
		return fault
	}
}

// quantity is the equation or let that a place stands in, "" for none.
func (c *Compiled) quantity(at diag.Span) string {
	name := ""
	for _, eq := range c.Model.Eqs {
		if within(at, eq.Span) {
			name = eq.State.Name + "'"
		}
	}
	for _, q := range c.Model.Implicit {
		if within(at, q.Span) {
			name = implicit.Text(q)
		}
	}
	for _, l := range c.Model.Lets {
		if within(at, l.Span) || l.Def != nil && within(at, l.Def.Span) {
			name = l.Name
		}
	}
	return name
}

func within(in, out diag.Span) bool {
	return in.Src != nil && in.Src == out.Src && in.Lo >= out.Lo && in.Hi <= out.Hi
}

// Graphs lowers the model anew and hands each graph over after every pass, for `udl check --dump`.
func Graphs(m *model.Model, b lower.Builtins, visit func(graph, pass string, g *ir.Graph)) error {
	lay := lower.LayoutOf(m)
	rhs := func() (*ir.Graph, error) { return lower.RHS(m, lay, b) }
	if len(m.Implicit) > 0 {
		imp, err := implicit.Lower(m, b, nil)
		if err != nil {
			return err
		}
		m, lay = imp.Model, imp.Layout
		rhs = func() (*ir.Graph, error) { return imp.RHS, nil }
	}
	for _, part := range []struct {
		name string
		make func() (*ir.Graph, error)
	}{
		{"init", func() (*ir.Graph, error) { return lower.Initial(m, lay, b) }},
		{"rhs", rhs},
		{"output", func() (*ir.Graph, error) { return lower.Outputs(m, lay, b) }},
	} {
		g, err := part.make()
		if err != nil {
			return err
		}
		visit(part.name, "lower", g)
		opt.Trace(g, func(pass string, g *ir.Graph) { visit(part.name, pass, g) })
	}
	return nil
}

// Syntax is the tree that the model was checked from.
func (c *Compiled) Syntax() *ast.Model { return c.source.Syntax }
