package lower

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
)

// A right-hand side, or the guard of an event, that jumps (a comparison, floor, ceil, round, sign, mod of what changes along a solution) can be frozen: what the jumping operation gives is then
// read from θ, so that the right-hand side is smooth, and the solver changes it where a guard passes zero. A switch in θ, 0 by default, says whether it is
// frozen: who knows nothing of jumps sees the operations themselves.

// Jump is one jumping operation of a right-hand side.
type Jump struct {
	Name   string // "x > 3", as written
	Span   diag.Span
	Steps  bool // the frozen value is a whole number, that of floor; else a truth, 0 or 1
	Closed bool // the truth holds where its guard is zero
	Guards int  // how many guards it has: one, or one upwards and one downwards
}

// maxJumps is how many are frozen: a model with more, as one with a condition at each point of a grid, is left as it is.
const maxJumps = 64

// freezer freezes the jumps that a lowerer meets, in their order.
type freezer struct {
	l        *lowerer
	lay      *Layout
	discrete map[int]bool // scalars of the state that only events change
	seen     map[freezeKey]int
	jumps    []Jump
	guards   []ir.ID
	left     *model.Expr // one of the right-hand side that cannot be frozen
	rough    *model.Expr // one of an event's condition
	depends  map[ir.ID]bool
}

type freezeKey struct {
	name string
	a, b ir.ID
}

// freeze makes the lowerer freeze jumps.
func (l *lowerer) freeze(m *model.Model, lay *Layout) *freezer {
	f := &freezer{l: l, lay: lay, discrete: map[int]bool{}, seen: map[freezeKey]int{}, depends: map[ir.ID]bool{}}
	for _, p := range lay.X {
		if p.Sym.Kind == model.Discrete {
			for k := range p.Shape.Size() {
				f.discrete[p.Off+k] = true
			}
		}
	}
	l.jump = f.call
	return f
}

var freezable = map[string]bool{"<": true, "<=": true, ">": true, ">=": true, "floor": true, "ceil": true, "round": true, "sign": true, "mod": true}

var notFreezable = map[string]bool{"==": true, "!=": true, "trunc": true, "fmod": true, "heaviside": true}

// moves says whether a node changes along a solution, other than by events.
func (f *freezer) moves(id ir.ID) bool {
	if v, ok := f.depends[id]; ok {
		return v
	}
	n := &f.l.g.Nodes[id]
	v := false
	if n.Op == ir.OpInput {
		in := f.l.g.Inputs[n.Ints[0]]
		switch in.Bank {
		case ir.BankT:
			v = true
		case ir.BankX:
			for k := range in.Shape.Size() {
				v = v || !f.discrete[in.Off+k]
			}
		}
	}
	for _, a := range n.Args {
		v = v || f.moves(a)
	}
	f.depends[id] = v
	return v
}

// events meets the jumps in the conditions of events, such as the mod in `when mod(t, 1) > 0.5`: with these frozen a guard is smooth within each step, and
// where one of them changes it is looked at anew. What cannot be frozen there is kept apart.
func (f *freezer) events(m *model.Model) {
	left := f.left
	f.left = nil
	for _, ev := range m.Events {
		if ev.Guard == nil {
			continue
		}
		f.l.expr(ev.Guard)
		for _, p := range ev.Parts {
			f.l.expr(p)
		}
	}
	f.left, f.rough = left, f.left
}

// call lowers a jumping call, frozen; ok is false for calls that do not jump here.
func (f *freezer) call(e *model.Expr) (v val, ok bool) {
	if !freezable[e.Name] && !notFreezable[e.Name] {
		return val{}, false
	}
	l, g := f.l, f.l.g
	plain, elementwise, known := l.b.Func(e.Name)
	if !known || !elementwise {
		return val{}, false
	}
	vs := make([]val, len(e.Args))
	moves, scalar := false, e.Shape.IsScalar()
	for i, a := range e.Args {
		vs[i] = l.expr(a)
		moves = moves || f.moves(vs[i].id)
		scalar = scalar && len(vs[i].over) == 0
	}
	out := l.join(e, vs, func(args []ir.ID) ir.ID { return plain(g, args) })
	if !moves {
		return out, true
	}
	if !scalar || !freezable[e.Name] {
		if f.left == nil {
			f.left = e
		}
		return out, true
	}
	a := vs[0].id
	b := a
	if len(vs) > 1 {
		b = vs[1].id
	}
	one := g.Num(1)
	// value is the frozen value of one of the jumps that the call has, what says which; its guards are made when it is met first.
	value := func(what string, guards func(m ir.ID) []ir.ID) ir.ID {
		k, old := f.seen[freezeKey{what, a, b}]
		if !old {
			k = len(f.jumps)
			f.seen[freezeKey{what, a, b}] = k
		}
		m := g.Input(fmt.Sprintf("·jump%d", k+1), ir.BankTheta, f.lay.SwitchAt()+1+k, nil)
		if !old {
			made := guards(m)
			f.guards = append(f.guards, made...)
			f.jumps = append(f.jumps, Jump{Name: strings.Join(strings.Fields(e.Span.Text()), " "), Span: e.Span,
				Steps: len(made) == 2, Closed: strings.HasSuffix(what, "="), Guards: len(made)})
		}
		return m
	}
	steps := func(x ir.ID) ir.ID { // floor(x)
		return value(e.Name, func(m ir.ID) []ir.ID { return []ir.ID{g.Sub(x, g.Add(m, one)), g.Sub(m, x)} })
	}
	side := func(what string, x, y ir.ID) ir.ID { // x > y
		return value(what, func(ir.ID) []ir.ID { return []ir.ID{g.Sub(x, y)} })
	}
	var frozen ir.ID
	switch e.Name {
	case ">", ">=":
		frozen = side(e.Name, a, b)
	case "<", "<=":
		frozen = side(e.Name, b, a)
	case "sign": // of what is zero it is zero
		frozen = g.Sub(side("sign, up", a, g.Num(0)), side("sign, down", g.Num(0), a))
	case "floor":
		frozen = steps(a)
	case "ceil":
		frozen = g.Neg(steps(g.Neg(a)))
	case "round":
		frozen = steps(g.Add(a, g.Num(0.5)))
	case "mod":
		frozen = g.Sub(a, g.Mul(b, steps(g.Div(a, b))))
	}
	on := g.Input("·frozen", ir.BankTheta, f.lay.SwitchAt(), nil)
	return val{id: g.Select(on, frozen, out.id)}, true
}

// SwitchAt is where in θ the switch stands that says whether jumps are frozen; their values follow.
func (lay *Layout) SwitchAt() int { return lay.switchAt }

// Freeze finds the jumps of a right-hand side and makes room in θ for them: a switch and a value for each. left is one that cannot be frozen, nil when all can;
// where there are too many none is. The room does not depend on which inputs tables were given for.
func (lay *Layout) Freeze(m *model.Model, b Builtins) (left *model.Expr, err error) {
	defer recovered(&err)
	lay.switchAt = lay.NTheta
	find := func(moving bool) *freezer {
		l, rhs := dynamic(m, lay, b)
		f := l.freeze(m, lay)
		for k, s := range m.Lets {
			if moving && s.Input { // as with a table
				t := l.g.Add(l.g.Input("t", ir.BankT, 0, nil), l.g.Num(float64(k)))
				l.refs[s] = val{id: l.expand(val{id: t}, nil, nil, s.Shape)}
			}
		}
		for i := range m.States {
			rhs(i)
		}
		f.events(m)
		return f
	}
	f := find(false)
	lay.Rough = f.rough != nil
	room := len(f.jumps)
	for _, s := range m.Lets {
		if s.Input {
			room = max(room, len(find(true).jumps))
			break
		}
	}
	switch {
	case room > maxJumps && len(f.jumps) > 0:
		return &model.Expr{Op: model.Call, Name: f.jumps[0].Name, Span: f.jumps[0].Span}, nil
	case room > maxJumps, room == 0:
		return f.left, nil
	}
	lay.Jumps = f.jumps
	sym := &model.Symbol{Name: "·jumps", Kind: model.Given}
	shape := types.Shape{1 + room}
	lay.Theta = append(lay.Theta, Piece{sym.Name, sym, system.RoleFlag, lay.NTheta, shape})
	lay.NTheta += shape.Size()
	return f.left, nil
}

// Guards is the graph of the guards: one number for each event that has one, in source order, then those of the jumps, then those of the comparisons that a condition
// of several is made of; parts says, by guard, which these are.
func Guards(m *model.Model, lay *Layout, b Builtins) (g *ir.Graph, n int, parts [][]int, err error) {
	defer recovered(&err)
	l, rhs := dynamic(m, lay, b)
	var frozen []ir.ID
	if len(lay.Jumps) > 0 {
		f := l.freeze(m, lay)
		for i := range m.States {
			rhs(i)
		}
		f.events(m)
		frozen = f.guards
	}
	put := func(name string, id ir.ID) {
		l.g.Output(ir.Output{Name: name, Off: n, Node: id})
		n++
	}
	for _, ev := range m.Events {
		if ev.Guard != nil {
			put(ev.Name, l.expr(ev.Guard).id)
		}
	}
	for _, id := range frozen {
		put("jump", id)
	}
	parts = make([][]int, n)
	guard := 0
	for _, ev := range m.Events {
		if ev.Guard == nil {
			continue
		}
		for _, p := range ev.Parts {
			parts[guard] = append(parts[guard], n)
			put("part of "+ev.Name, l.expr(p).id)
		}
		guard++
	}
	return l.g, n, parts, nil
}
