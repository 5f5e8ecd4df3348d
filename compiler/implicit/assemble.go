package implicit

import (
	"strconv"
	"strings"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// System is what becomes of a model with implicit equations.
type System struct {
	Model  *model.Model  // with the derivatives that are states now
	Layout *lower.Layout // of it
	RHS    *ir.Graph     // f of M·x' = f, of the length of x

	Pattern *sparse.Pattern // of M
	Mass    *ir.Graph       // the entries of M, from θ

	Algebraic  []bool // per element of x
	Guesses    []bool
	Equations  []system.Equation
	Invariants *ir.Graph // nil when no index was reduced
	Conserved  []system.Equation
	AsWritten  []int // per row: the invariant of which it is the highest derivative, −1 where the row itself is as written; nil when no index was reduced
}

// Lower makes the system of a model with implicit equations. dress puts functions of time in the place of inputs of each layout; nil: none.
func Lower(m *model.Model, b lower.Builtins, dress func(*lower.Layout)) (*System, error) {
	if dress == nil {
		dress = func(*lower.Layout) {}
	}
	a, c, err := constantsOf(m, b, dress, nil, false)
	if err != nil {
		return nil, err
	}
	// Once more with what was found to depend, if anything was: as it stands, if it can stay so, else differentiated.
	if with := a.dependent(c); with != nil {
		a, c, err = constantsOf(m, b, dress, with, true)
		if err == nil && a.written.level && !a.collapsed(c) {
			a, c, err = constantsOf(m, b, dress, with, false)
		}
		if err != nil {
			return nil, err
		}
	}
	s := &assembly{analysis: a, constants: c, own: a.whose()}
	s.place()
	dress(s.layout)
	out := &System{Model: s.model, Layout: s.layout, Algebraic: s.algebraic, Equations: s.equations()}
	out.Guesses = s.guesses()
	out.RHS = s.rhs()
	if out.Pattern, out.Mass, err = s.mass(); err != nil {
		return nil, err
	}
	out.Invariants, out.Conserved, out.AsWritten = s.invariants()
	return out, nil
}

// constantsOf analyses a model, with combinations in the place of rows, and says which derivatives go into the mass matrix.
func constantsOf(m *model.Model, b lower.Builtins, dress func(*lower.Layout), with []combination, flat bool) (*analysis, *constants, error) {
	lay := lower.LayoutOf(m)
	dress(lay)
	a, err := analyse(m, lay, b, with, flat)
	if err != nil {
		return nil, nil, err
	}
	c, err := a.collapse()
	return a, c, err
}

// assembly lays the system out.
type assembly struct {
	*analysis
	*constants
	own []int // of each element of the states: which loose one it is

	model     *model.Model
	layout    *lower.Layout
	final     map[int]int // offsets of the variables beyond the states
	n         int         // length of x
	algebraic []bool
	lead      []int // per offset of x: the equation whose row it is, −1 where it is an explicit derivative
	next      []int // per offset: the variable that is its derivative, −1 where it has an equation
}

// kept is the highest derivative of a loose element that is a state.
func (s *assembly) kept(q int) int {
	if s.gone[q] {
		return s.order[q] - 1
	}
	return s.order[q]
}

// place adds states for the derivatives that stay, and says what each row is.
func (s *assembly) place() {
	m := *s.m
	m.States = append([]*model.Symbol(nil), m.States...)
	m.Eqs = append([]*model.Equation(nil), m.Eqs...)
	s.final = map[int]int{}
	s.n = s.nx
	add := func(of *model.Symbol, name string, shape types.Shape) {
		sym := &model.Symbol{Name: name, Kind: model.Latent, Shape: shape, Span: of.Span, Lo: of.Lo, Hi: of.Hi, Doc: "derivative of " + of.Name + ", an unknown"}
		sym.Lo, sym.Hi = infinite()
		m.States = append(m.States, sym)
		m.Eqs = append(m.Eqs, &model.Equation{State: sym, Span: of.Span})
		s.n += shape.Size()
	}
	for i, st := range s.m.States {
		off, size := s.lay.X[i].Off, st.Shape.Size()
		for level := 1; ; level++ {
			var at []int
			for k := range size {
				if q := s.own[off+k]; q >= 0 && s.kept(q) >= level {
					at = append(at, k)
				}
			}
			if len(at) == 0 {
				break
			}
			mark := strings.Repeat("'", level)
			for j, k := range at {
				s.final[s.variable(s.own[off+k], level)] = s.n + j
			}
			if len(at) == size {
				add(st, st.Name+mark, st.Shape)
				continue
			}
			for _, k := range at {
				add(st, ir.Element(st.Name, st.Shape, k)+mark, nil)
			}
		}
	}
	s.model = &m
	s.layout = lower.LayoutOf(&m)
	s.layout.SetRates(&m, func(i, k int) int {
		if i >= len(s.m.States) {
			return -1
		}
		q := s.own[s.lay.X[i].Off+k]
		if s.kept(q) < 1 {
			return -1
		}
		return s.final[s.variable(q, 1)]
	})

	s.algebraic = make([]bool, s.n)
	s.lead, s.next = filled(s.n, -1), filled(s.n, -1)
	for i, q := range s.found.ofRow {
		top := s.order[q]
		if !s.gone[q] {
			s.algebraic[s.offset(s.variable(q, top))] = true
		}
		s.lead[s.offset(s.variable(q, s.kept(q)))] = i
		for level := range s.kept(q) {
			s.next[s.offset(s.variable(q, level))] = s.variable(q, level+1)
		}
	}
}

// guesses marks what has no initial value by rights: unknowns without derivative as written, and the derivatives that are states now.
func (s *assembly) guesses() []bool {
	g := append([]bool(nil), s.algebraic...)
	for off := s.nx; off < s.n; off++ {
		g[off] = true
	}
	for q, v := range s.loose {
		if s.plain[q] {
			g[v] = true
		}
	}
	return g
}

// offset is where a variable stands in x, −1 where it does not.
func (s *assembly) offset(v int) int {
	if v < s.nx {
		return v
	}
	if off, ok := s.final[v]; ok {
		return off
	}
	return -1
}

// elem is one element of a node.
type elem struct {
	node ir.ID
	k    int
}

// pick is an array of elements of nodes.
func pick(g *ir.Graph, es []elem, shape types.Shape) ir.ID {
	start := map[ir.ID]int{}
	var nodes []ir.ID
	n := 0
	idx := make([]int, len(es))
	for i, e := range es {
		at, ok := start[e.node]
		if !ok {
			at = n
			start[e.node] = at
			nodes = append(nodes, e.node)
			n += g.Shape(e.node).Size()
		}
		idx[i] = at + e.k
	}
	if len(nodes) == 1 {
		return g.Gather(nodes[0], idx, shape)
	}
	return g.Gather(g.Concat(nodes...), idx, shape)
}

// copied embeds the graph with the variables at their final places, those that are gone as input gives them.
func (s *assembly) copied(h *ir.Graph, roots []ir.ID, gone func(h *ir.Graph, b ir.Bank, v int) ir.ID) []ir.ID {
	g := s.o.G
	g.Outputs = nil
	for _, r := range roots {
		g.Output(ir.Output{Node: r})
	}
	live := g.Live()
	g.Outputs = nil
	to := make([]ir.ID, len(g.Nodes))
	for id := range g.Nodes {
		to[id] = ir.None
		if !live[id] {
			continue
		}
		n := &g.Nodes[id]
		if n.Op != ir.OpInput {
			args := make([]ir.ID, len(n.Args))
			for i, x := range n.Args {
				args[i] = to[x]
			}
			to[id] = h.Rebuild(n, args)
			continue
		}
		in := g.Inputs[n.Ints[0]]
		if in.Bank == ir.BankTheta || gone == nil && in.Bank == ir.BankT || in.Bank == ir.BankX && in.Off < s.nx && gone == nil {
			to[id] = h.Input(in.Name, in.Bank, in.Off, in.Shape)
			continue
		}
		to[id] = s.moved(h, in, gone)
	}
	out := make([]ir.ID, len(roots))
	for i, r := range roots {
		out[i] = to[r]
	}
	return out
}

// moved is an input at its final place.
func (s *assembly) moved(h *ir.Graph, in ir.Input, gone func(h *ir.Graph, b ir.Bank, v int) ir.ID) ir.ID {
	size := in.Shape.Size()
	at := make([]int, size)
	for k := range at {
		at[k] = -1
		if in.Bank == ir.BankX && gone == nil {
			at[k] = s.offset(in.Off + k)
		}
	}
	whole := at[0] >= 0
	for k := range at {
		whole = whole && at[k] == at[0]+k
	}
	if whole {
		return h.Input(in.Name, ir.BankX, at[0], in.Shape)
	}
	es := make([]elem, size)
	for k := range at {
		switch {
		case at[k] >= 0:
			name := in.Name
			if !in.Shape.IsScalar() {
				name = ir.Element(in.Name, in.Shape, k)
			}
			es[k] = elem{h.Input(name, ir.BankX, at[k], nil), 0}
		case gone != nil:
			es[k] = elem{gone(h, in.Bank, in.Off+k), 0}
		default:
			es[k] = elem{h.Num(0), 0}
		}
	}
	return pick(h, es, in.Shape)
}

// row is what stands on the right of one row of x.
func (s *assembly) row(off int) (e elem, variable int) {
	switch {
	case s.lead[off] >= 0:
		q := s.eqs[s.lead[off]]
		return elem{s.rest[q.eq][q.level], q.k}, -1
	case s.next[off] >= 0:
		return elem{}, s.next[off]
	}
	i, k := stateAt(s.lay, off)
	return elem{s.o.Rates[i], k}, -1
}

// stateAt says which element of which state stands at a place in x.
func stateAt(lay *lower.Layout, off int) (i, k int) {
	lo, hi := 0, len(lay.X)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if lay.X[mid].Off <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo, off - lay.X[lo].Off
}

// rhs is the graph of f.
func (s *assembly) rhs() *ir.Graph {
	g := s.o.G
	type piece struct {
		node ir.ID
		out  ir.Output
	}
	var pieces []piece
	for i, p := range s.layout.X {
		es := make([]elem, p.Shape.Size())
		for k := range es {
			e, v := s.row(p.Off + k)
			if v >= 0 {
				e = elem{g.Input(p.Name+"'", ir.BankX, v, nil), 0}
			}
			es[k] = e
		}
		name := s.model.States[i].Name + "'"
		pieces = append(pieces, piece{pick(g, es, p.Shape), ir.Output{Name: name, Off: p.Off}})
	}
	roots := make([]ir.ID, len(pieces))
	for i, p := range pieces {
		roots[i] = p.node
	}
	h := ir.New()
	for i, id := range s.copied(h, roots, nil) {
		o := pieces[i].out
		o.Node = id
		h.Output(o)
	}
	return h
}

// equations names the rows.
func (s *assembly) equations() []system.Equation {
	names := system.Names(slotsOf(s.layout))
	out := make([]system.Equation, s.n)
	for off := range out {
		if i := s.lead[off]; i >= 0 {
			q := s.eqs[i]
			out[off] = system.Equation{Name: derived(s.written.text(s.m.Implicit[q.eq], q.eq, q.k), q.level), Where: s.m.Implicit[q.eq].Span}
			continue
		}
		out[off] = system.Equation{Name: names[off] + "'"}
		if off < s.nx {
			i, _ := stateAt(s.lay, off)
			out[off].Where = s.m.Eqs[i].Span
		} else {
			out[off].Where = s.m.Span
		}
	}
	return out
}

// derived names a derivative of an equation.
func derived(name string, level int) string {
	switch level {
	case 0:
		return name
	case 1:
		return "the derivative of " + name
	}
	return "the " + ordinal(level) + " derivative of " + name
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return strconv.Itoa(n) + "st"
	case n%10 == 2:
		return strconv.Itoa(n) + "nd"
	case n%10 == 3:
		return strconv.Itoa(n) + "rd"
	}
	return strconv.Itoa(n) + "th"
}

// invariants is the graph of the constraints that were differentiated, with their lower derivatives; of says which of them a row was before.
func (s *assembly) invariants() (h *ir.Graph, names []system.Equation, of []int) {
	var es []elem
	first := filled(len(s.eqs), -1)
	for i, e := range s.eqs {
		if e.level > 0 {
			first[i] = len(es)
		}
		for level := range e.level {
			es = append(es, elem{s.rest[e.eq][level], e.k})
			names = append(names, system.Equation{Name: derived(s.written.text(s.m.Implicit[e.eq], e.eq, e.k), level), Where: s.m.Implicit[e.eq].Span})
		}
	}
	if len(es) == 0 {
		return nil, nil, nil
	}
	of = filled(s.n, -1)
	for off, i := range s.lead {
		if i >= 0 {
			of[off] = first[i]
		}
	}
	h = ir.New()
	root := pick(s.o.G, es, types.Shape{len(es)})
	h.Output(ir.Output{Name: "invariants", Node: s.copied(h, []ir.ID{root}, nil)[0]})
	return h, names, of
}

func slotsOf(lay *lower.Layout) []system.Slot {
	var s []system.Slot
	for _, p := range lay.X {
		s = append(s, system.Slot{Name: p.Name, Off: p.Off, Shape: p.Shape})
	}
	return s
}
