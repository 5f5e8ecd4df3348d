package lower

import (
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// Open is a model with implicit equations as it is written, before unknowns are assigned to equations: one graph over t, x and θ,
// in which the derivatives that no equation gives are inputs too. They stand behind the states: that of element Loose[q] of x at NX + q.
type Open struct {
	G       *ir.Graph
	Rates   []ir.ID // the derivative of each state, of its shape
	Rest    []ir.ID // RHS − LHS of each implicit equation, a vector
	Outputs []ir.ID // of each let, and all that events read
	Loose   []int   // elements of x whose derivative no equation gives, rising
}

// OpenOf lowers a model with implicit equations.
func OpenOf(m *model.Model, lay *Layout, b Builtins) (o *Open, err error) {
	defer recovered(&err)
	o = &Open{}
	for i, eq := range m.Eqs {
		missing := eq.Missing()
		if len(missing) == 0 {
			continue
		}
		at := noRates(eq.State.Shape.Size())
		for _, k := range missing {
			at[k] = lay.NX + len(o.Loose)
			o.Loose = append(o.Loose, lay.X[i].Off+k)
		}
		lay.rates[i] = at
	}
	if err := o.lower(m, lay, b, nil); err != nil {
		return nil, err
	}
	return o, nil
}

// Written is the model with every derivative an input, whether an equation gives it or not: that of element k of x stands at NX + k. It is for
// asking what stands in which equation as written.
func Written(m *model.Model, lay *Layout, b Builtins) (o *Open, err error) {
	defer recovered(&err)
	o = &Open{}
	lay.SetRates(m, func(i, k int) int { return lay.NX + lay.X[i].Off + k })
	err = o.lower(m, lay, b, func(l *lowerer, s *model.Symbol) val {
		return val{id: l.g.Input(s.Name+"'", ir.BankX, lay.NX+lay.X[lay.state[s]].Off, s.Shape)}
	})
	return o, err
}

func (o *Open) lower(m *model.Model, lay *Layout, b Builtins, deriv func(l *lowerer, s *model.Symbol) val) error {
	l, rhs := dynamic(m, lay, b)
	if deriv != nil {
		l.deriv = func(s *model.Symbol) val { return deriv(l, s) }
	}
	o.G = l.g
	for i := range m.States {
		o.Rates = append(o.Rates, rhs(i).id)
	}
	for _, q := range m.Implicit {
		o.Rest = append(o.Rest, l.rest(q))
	}
	for _, p := range lay.Out {
		v := l.ref(&model.Expr{Op: model.Ref, Sym: p.Sym, Span: p.Sym.Span})
		o.Outputs = append(o.Outputs, l.expand(v, p.Sym.Def.Shape, nil, p.Shape))
	}
	for _, ev := range m.Events {
		for _, e := range []*model.Expr{ev.Guard, ev.After} {
			if e != nil {
				o.Outputs = append(o.Outputs, l.expr(e).id)
			}
		}
		for _, u := range ev.Updates {
			if u.Flat == nil {
				o.Outputs = append(o.Outputs, l.expr(u.RHS).id)
			} else {
				o.Outputs = append(o.Outputs, l.part(u.Part))
			}
		}
	}
	return nil
}

// SetRates says where the derivatives stand that no equation gives: at gives an offset in x for an element of state i, −1 for none.
func (lay *Layout) SetRates(m *model.Model, at func(i, k int) int) {
	for i, eq := range m.Eqs {
		lay.rates[i] = nil
		missing := eq.Missing()
		if len(missing) == 0 {
			continue
		}
		lay.rates[i] = noRates(eq.State.Shape.Size())
		for _, k := range missing {
			lay.rates[i][k] = at(i, k)
		}
	}
}

func noRates(n int) []int {
	at := make([]int, n)
	for k := range at {
		at[k] = -1
	}
	return at
}

// consecutive is the first of offsets that follow each other, −1 when they do not.
func consecutive(at []int) int {
	if len(at) == 0 {
		return -1
	}
	for k, off := range at {
		if off < 0 || off != at[0]+k {
			return -1
		}
	}
	return at[0]
}

// rest lowers RHS − LHS, for all values of the index variables.
func (l *lowerer) rest(q *model.Implicit) ir.ID {
	old := l.g.At(q.Span)
	defer l.g.At(old)
	if q.Rate != nil {
		var idx []int
		missing := q.Rate.Missing()
		for k := range q.Rate.State.Shape.Size() {
			if len(missing) > 0 && missing[0] == k {
				missing = missing[1:]
				continue
			}
			idx = append(idx, k)
		}
		d := l.g.Sub(l.equation(q.Rate, noRates(q.Rate.State.Shape.Size())), l.deriv(q.Rate.State).id)
		return l.g.Gather(d, idx, q.Shape)
	}
	depth := len(l.loop)
	l.loop = append(l.loop, q.Vars...)
	r := l.expand(l.expr(q.RHS), q.RHS.Shape, q.Vars, q.Shape)
	if q.LHS != nil {
		r = l.g.Sub(r, l.expand(l.expr(q.LHS), q.LHS.Shape, q.Vars, q.Shape))
	}
	l.loop = l.loop[:depth]
	return l.g.Reshape(r, types.Shape{q.Size()})
}
