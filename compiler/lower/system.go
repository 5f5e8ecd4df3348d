package lower

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
)

// Piece is a named range of a vector.
type Piece struct {
	Name  string
	Sym   *model.Symbol
	Role  system.Role
	Off   int
	Shape types.Shape
}

// Layout says where everything of a model lies.
type Layout struct {
	X      []Piece // one per state
	Theta  []Piece
	Out    []Piece // one per let
	NX     int
	NTheta int
	NOut   int

	theta map[*model.Symbol]int // index into Theta of a parameter, constant or weight
	state map[*model.Symbol]int // index into X
	init  []int                 // per state the index into Theta of its initial value; the flag follows
	rates [][]int               // per state, where in x the derivative of each element stands that no equation gives; −1: nowhere. nil: all are given

	// Jumps are those of the right-hand side that can be frozen; Freeze finds them.
	Jumps    []Jump
	Rough    bool // conditions of events have others, which cannot be frozen
	switchAt int

	signals map[*model.Symbol][]*ir.External // of inputs that a table was given for, a function of time for each element
}

// Signal puts functions of time, one for each element, in the place of an input's own expression.
func (lay *Layout) Signal(input *model.Symbol, fs []*ir.External) {
	if lay.signals == nil {
		lay.signals = map[*model.Symbol][]*ir.External{}
	}
	lay.signals[input] = fs
}

// HasSignal says whether functions of time stand in the place of an input's own expression.
func (lay *Layout) HasSignal(s *model.Symbol) bool { return lay.signals[s] != nil }

// inputs binds the inputs that a table was given for.
func (l *lowerer) inputs(m *model.Model, lay *Layout) {
	for _, s := range m.Lets {
		fs := lay.signals[s]
		if fs == nil {
			continue
		}
		old := l.g.At(s.Span)
		t := l.g.Input("t", ir.BankT, 0, nil)
		ids := make([]ir.ID, len(fs))
		for i, f := range fs {
			ids[i] = l.g.Call(f, t)
		}
		v := ids[0]
		if !s.Shape.IsScalar() {
			v = l.g.Reshape(l.g.Concat(ids...), s.Shape)
		}
		l.refs[s] = val{id: v}
		l.g.At(old)
	}
}

// LayoutOf lays out a model: θ holds parameters, constants, weights, and for each state an initial value
// with a flag that says whether it is in force in place of the state's own expression.
func LayoutOf(m *model.Model) *Layout {
	lay := &Layout{theta: map[*model.Symbol]int{}, state: map[*model.Symbol]int{}}
	add := func(name string, s *model.Symbol, r system.Role, shape types.Shape) {
		lay.Theta = append(lay.Theta, Piece{name, s, r, lay.NTheta, shape})
		lay.NTheta += shape.Size()
	}
	for _, s := range m.Params {
		lay.theta[s] = len(lay.Theta)
		add(s.Name, s, system.RoleParam, s.Shape)
	}
	for _, s := range m.Consts {
		if s.Structural {
			continue
		}
		lay.theta[s] = len(lay.Theta)
		add(s.Name, s, system.RoleConst, s.Shape)
		if Computed(s) {
			add(s.Name, s, system.RoleFlag, types.Scalar)
		}
	}
	for _, u := range m.Unknowns {
		for _, s := range u.Weights {
			lay.theta[s] = len(lay.Theta)
			role := system.RoleWeight
			if s.Spec.Fixed {
				role = system.RoleScale
			}
			add(s.Name, s, role, s.Shape)
		}
	}
	for i, s := range m.States {
		lay.state[s] = i
		lay.X = append(lay.X, Piece{s.Name, s, system.RoleInit, lay.NX, s.Shape})
		lay.NX += s.Shape.Size()
		lay.init = append(lay.init, len(lay.Theta))
		add(s.Name, s, system.RoleInit, s.Shape)
		add(s.Name, s, system.RoleFlag, types.Scalar)
	}
	lay.rates = make([][]int, len(m.States))
	for _, s := range m.Lets {
		lay.Out = append(lay.Out, Piece{s.Name, s, 0, lay.NOut, s.Shape})
		lay.NOut += s.Shape.Size()
	}
	return lay
}

func (lay *Layout) lowerer(b Builtins) *lowerer {
	l := &lowerer{g: ir.New(), b: b, refs: map[*model.Symbol]val{}}
	var later []int
	for i, p := range lay.Theta {
		if p.Role == system.RoleInit || p.Role == system.RoleFlag {
			continue
		}
		if p.Role == system.RoleConst && Computed(p.Sym) {
			later = append(later, i)
			continue
		}
		l.refs[p.Sym] = val{id: l.g.Input(p.Name, ir.BankTheta, p.Off, p.Shape)}
	}
	// A constant written in others follows them, unless it was given itself.
	l.consts = map[*model.Symbol]func() val{}
	for _, i := range later {
		p, flag := lay.Theta[i], lay.Theta[i+1]
		l.consts[p.Sym] = func() val {
			own := l.expr(p.Sym.Def)
			given := l.g.Input(p.Name, ir.BankTheta, p.Off, p.Shape)
			f := l.g.Input(p.Name+"?", ir.BankTheta, flag.Off, nil)
			return val{id: l.g.Select(f, given, l.expand(own, p.Sym.Def.Shape, nil, p.Shape))}
		}
	}
	return l
}

// Computed says whether a constant is written in other constants that may be set.
func Computed(s *model.Symbol) bool {
	found := false
	if s.Def != nil {
		s.Def.Walk(func(e *model.Expr) bool {
			found = found || e.Op == model.Ref && e.Sym.Kind == model.Const && !e.Sym.Structural
			return !found
		})
	}
	return found
}

func (l *lowerer) time(m *model.Model) {
	if m.Time != nil {
		l.refs[m.Time] = val{id: l.g.Input("t", ir.BankT, 0, nil)}
	}
}

// Initial is the graph of x(t0): each state's own expression, or the value given for the run.
func Initial(m *model.Model, lay *Layout, b Builtins) (g *ir.Graph, err error) {
	defer recovered(&err)
	l := lay.lowerer(b)
	l.time(m)
	l.inputs(m, lay)
	busy := map[*model.Symbol]bool{}
	l.lets = func(s *model.Symbol) val { return l.expr(s.Def) }
	value := func(i int) val {
		s := m.States[i]
		p := lay.Theta[lay.init[i]]
		own := l.g.Fill(s.Shape, 0)
		if s.Def != nil {
			v := l.expr(s.Def)
			own = l.expand(v, s.Def.Shape, nil, s.Shape)
		}
		given := l.g.Input(s.Name, ir.BankTheta, p.Off, s.Shape)
		flag := l.g.Input(s.Name+"?", ir.BankTheta, lay.Theta[lay.init[i]+1].Off, nil)
		return val{id: l.g.Select(flag, given, own)}
	}
	inner := l.lets
	l.lets = func(s *model.Symbol) val {
		if i, ok := lay.state[s]; ok {
			if busy[s] {
				panic(diag.New("E0209", s.Span, "the initial value of `%s` depends on itself", s.Name))
			}
			busy[s] = true
			return value(i)
		}
		return inner(s)
	}
	l.all = true
	for i, s := range m.States {
		v := l.ref(&model.Expr{Op: model.Ref, Sym: s, Span: s.Span})
		l.g.Output(ir.Output{Name: s.Name, Off: lay.X[i].Off, Node: v.id})
	}
	return l.g, nil
}

// dynamic binds time, states, lets and derivatives, for a graph along a solution.
func dynamic(m *model.Model, lay *Layout, b Builtins) (*lowerer, func(i int) val) {
	l := lay.lowerer(b)
	l.time(m)
	l.inputs(m, lay)
	for i, s := range m.States {
		l.refs[s] = val{id: l.g.Input(s.Name, ir.BankX, lay.X[i].Off, s.Shape)}
	}
	l.lets = func(s *model.Symbol) val { return l.expr(s.Def) }
	done := map[int]val{}
	rhs := func(i int) val {
		if v, ok := done[i]; ok {
			return v
		}
		v := val{id: l.equation(m.Eqs[i], lay.rates[i])}
		done[i] = v
		return v
	}
	l.deriv = func(s *model.Symbol) val { return rhs(lay.state[s]) }
	return l, rhs
}

// RHS is the graph of x' = f(t, x, θ).
func RHS(m *model.Model, lay *Layout, b Builtins) (g *ir.Graph, err error) {
	defer recovered(&err)
	l, rhs := dynamic(m, lay, b)
	if len(lay.Jumps) > 0 {
		l.freeze(m, lay)
	}
	for i, s := range m.States {
		l.g.Output(ir.Output{Name: s.Name + "'", Off: lay.X[i].Off, Node: rhs(i).id})
	}
	return l.g, nil
}

// Outputs is the graph of the lets.
func Outputs(m *model.Model, lay *Layout, b Builtins) (g *ir.Graph, err error) {
	defer recovered(&err)
	l, _ := dynamic(m, lay, b)
	for _, p := range lay.Out {
		v := l.ref(&model.Expr{Op: model.Ref, Sym: p.Sym, Span: p.Sym.Span})
		l.g.Output(ir.Output{Name: p.Name, Off: p.Off, Node: l.expand(v, p.Sym.Def.Shape, nil, p.Shape)})
	}
	return l.g, nil
}

// equation lowers the derivative of one state out of its parts; rates says where the derivatives stand that no part gives.
func (l *lowerer) equation(eq *model.Equation, rates []int) ir.ID {
	old := l.g.At(eq.Span)
	defer l.g.At(old)
	shape := eq.State.Shape
	if len(eq.Parts) == 1 && eq.Parts[0].Flat == nil {
		p := eq.Parts[0]
		return l.expand(l.expr(p.RHS), p.RHS.Shape, nil, shape)
	}
	ids := []ir.ID{l.g.Num(math.NaN())} // for elements whose derivative nobody asks for
	pos := make([]int, shape.Size())
	n := 1
	if len(rates) == 0 {
		ids, n = nil, 0
	}
	if run := consecutive(rates); run >= 0 {
		return l.g.Input(eq.State.Name+"'", ir.BankX, run, shape)
	}
	for _, p := range eq.Parts {
		ids = append(ids, l.part(p))
		for i, f := range p.Flat {
			pos[f] = n + i
		}
		n += len(p.Flat)
	}
	for k, off := range rates {
		if off >= 0 {
			pos[k] = n
			n++
			ids = append(ids, l.g.Input(eq.State.Name+"'", ir.BankX, off, nil))
		}
	}
	return l.g.Gather(l.g.Concat(ids...), pos, shape)
}

// Series is how a lambda's quantities are bound: a piece of the auxiliary bank, or of θ.
type Series struct {
	Sym  *model.Symbol
	Bank ir.Bank
	Off  int
}

// Lambda is the graph of a lambda's value, output 0, over its inputs.
func Lambda(lam *model.Lambda, inputs []Series, b Builtins) (g *ir.Graph, err error) {
	defer recovered(&err)
	l := &lowerer{g: ir.New(), b: b, refs: map[*model.Symbol]val{}}
	for _, s := range inputs {
		l.refs[s.Sym] = val{id: l.g.Input(s.Sym.Name, s.Bank, s.Off, s.Sym.Shape)}
	}
	v := l.expr(lam.Body)
	l.g.Output(ir.Output{Name: "value", Node: v.id})
	return l.g, nil
}

// Constant evaluates an expression that refers to constants only, such as a default.
func Constant(e *model.Expr, b Builtins) ([]float64, error) {
	return ConstantAt(e, b, func(*model.Symbol) []float64 { return nil })
}

// ConstantAt is Constant with values for some symbols, nil for those that have their own.
func ConstantAt(e *model.Expr, b Builtins, value func(*model.Symbol) []float64) (v []float64, err error) {
	defer recovered(&err)
	l := &lowerer{g: ir.New(), b: b, refs: map[*model.Symbol]val{}}
	l.lets = func(s *model.Symbol) val {
		if v := value(s); v != nil {
			return val{id: l.g.Const(s.Shape, v...)}
		}
		return l.expr(s.Def)
	}
	l.all = true
	r := l.expr(e)
	l.g.Output(ir.Output{Node: r.id})
	v = make([]float64, e.Shape.Size())
	var banks ir.Banks
	if err := ir.Interpret(l.g, &banks, [][]float64{v}); err != nil {
		return nil, err
	}
	return v, nil
}
