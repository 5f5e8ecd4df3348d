package lower

import (
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// EventScalar is the graph of one number of an event: its time, its delay.
func EventScalar(m *model.Model, lay *Layout, b Builtins, e *model.Expr) (g *ir.Graph, err error) {
	defer recovered(&err)
	l, _ := dynamic(m, lay, b)
	l.g.Output(ir.Output{Name: "value", Node: l.expr(e).id})
	return l.g, nil
}

// Reset is the graph of the whole state after an event from that before, and which scalars of it may change.
func Reset(m *model.Model, lay *Layout, b Builtins, ev *model.Event) (g *ir.Graph, changes []int, err error) {
	defer recovered(&err)
	l, _ := dynamic(m, lay, b)
	for i, s := range m.States {
		var parts []model.Part
		for _, u := range ev.Updates {
			if u.State == s {
				parts = append(parts, u.Part)
			}
		}
		x := lay.X[i]
		id := l.refs[s].id
		if len(parts) > 0 {
			var set []int
			id, set = l.assigned(id, s.Shape, parts)
			for _, k := range set {
				changes = append(changes, x.Off+k)
			}
		}
		l.g.Output(ir.Output{Name: s.Name, Off: x.Off, Node: id})
	}
	return l.g, changes, nil
}

// assigned is a state with some of its elements given anew.
func (l *lowerer) assigned(old ir.ID, shape types.Shape, parts []model.Part) (ir.ID, []int) {
	n := shape.Size()
	var set []int
	if len(parts) == 1 && parts[0].Flat == nil {
		for k := range n {
			set = append(set, k)
		}
		p := parts[0]
		return l.expand(l.expr(p.RHS), p.RHS.Shape, nil, shape), set
	}
	ids, pos := []ir.ID{old}, make([]int, n)
	for k := range pos {
		pos[k] = k
	}
	at := n
	for _, p := range parts {
		ids = append(ids, l.part(p))
		for i, f := range p.Flat {
			pos[f] = at + i
		}
		at += len(p.Flat)
		set = append(set, p.Flat...)
	}
	return l.g.Gather(l.g.Concat(ids...), pos, shape), set
}

// part is the values of one written equation or assignment, in the order of its elements.
func (l *lowerer) part(p model.Part) ir.ID {
	depth := len(l.loop)
	l.loop = append(l.loop, p.Vars...)
	v := l.expr(p.RHS)
	per := p.RHS.Shape
	if len(p.Vars) == 0 && per.IsScalar() && len(p.Flat) > 1 {
		per = types.Shape{len(p.Flat)}
	} else if k := dims(p.Vars).Size(); per.IsScalar() && len(p.Flat) > k {
		per = types.Shape{len(p.Flat) / k}
	}
	id := l.expand(v, p.RHS.Shape, p.Vars, per)
	l.loop = l.loop[:depth]
	return id
}
