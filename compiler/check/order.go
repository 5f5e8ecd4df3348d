package check

import (
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
)

// assemble lists what the model is made of, in source order.
func (c *checker) assemble() {
	m := c.out
	for _, e := range c.order {
		if e.status != done {
			continue
		}
		switch e.kind {
		case kindParam:
			m.Params = append(m.Params, e.sym)
		case kindConst:
			m.Consts = append(m.Consts, e.sym)
		case kindUnknown:
			m.Unknowns = append(m.Unknowns, e.learned)
		case kindState:
			for _, s := range e.chain {
				v := c.covers(s)
				m.States = append(m.States, s)
				at := s.Span
				if len(v.parts) > 0 {
					at = v.parts[0].Span
				}
				m.Eqs = append(m.Eqs, &model.Equation{State: s, Parts: v.parts, Span: at})
			}
		}
	}
	m.Implicit = c.implicit
	var outer []*entry
	for _, e := range c.outer {
		if e.status == done {
			outer = append(outer, e)
		}
	}
	slices.SortFunc(outer, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range outer {
		if e.kind == kindConst {
			m.Consts = append(m.Consts, e.sym)
		} else {
			m.Unknowns = append(m.Unknowns, e.learned)
		}
	}
	for _, e := range c.nameAnonymous() {
		m.Unknowns = append(m.Unknowns, e.learned)
	}
}

// node is a quantity whose value needs those of others: a let, the derivative of a state, or the state's
// initial value.
type node struct {
	sym  *model.Symbol
	rate bool
}

func (n node) name() string {
	if n.rate {
		return n.sym.Name + "'"
	}
	return n.sym.Name
}

// orderer walks the dependencies of one kind of evaluation, depth first (Tarjan, SIAM J. Comput. 1, 1972), and says
// where they come back to where they started.
type orderer struct {
	c     *checker
	init  bool // at the start: states have expressions, derivatives no value
	state map[node]status
	path  []node
}

// cycles finds quantities that depend on themselves by way of derivatives, and initial values that do.
func (c *checker) cycles() {
	run := &orderer{c: c, state: map[node]status{}}
	if c.derivs {
		for _, l := range c.out.Lets {
			run.visit(node{l, false})
		}
		for _, s := range c.out.States {
			run.visit(node{s, true})
		}
	}
	start := &orderer{c: c, init: true, state: map[node]status{}}
	for _, s := range c.out.States {
		start.visit(node{s, false})
	}
}

func (o *orderer) visit(n node) {
	switch o.state[n] {
	case done:
		return
	case busy:
		from := slices.Index(o.path, n)
		var names []string
		for _, p := range o.path[from:] {
			names = append(names, p.name())
		}
		o.c.sayCircle(n.sym.Span, append(names, n.name()))
		return
	}
	o.state[n] = busy
	o.path = append(o.path, n)
	for _, e := range o.meanings(n) {
		o.walk(e)
	}
	o.path = o.path[:len(o.path)-1]
	o.state[n] = done
}

// meanings are the expressions that give a node its value.
func (o *orderer) meanings(n node) []*model.Expr {
	if !n.rate {
		return []*model.Expr{n.sym.Def}
	}
	var out []*model.Expr
	for _, p := range o.c.covers(n.sym).parts {
		out = append(out, p.RHS)
	}
	return out
}

func (o *orderer) walk(e *model.Expr) {
	e.Walk(func(x *model.Expr) bool {
		switch x.Op {
		case model.Ref, model.Diff:
			switch x.Sym.Kind {
			case model.Let:
				o.visit(node{x.Sym, false})
			case model.State, model.Latent, model.Discrete:
				if o.init {
					o.visit(node{x.Sym, false})
				}
			}
		case model.Deriv:
			if o.init {
				d := o.c.fail(nil, "E0391", x.Span, "`%s'` has no value at the start", x.Sym.Name).At("derivatives follow from the states")
				if len(o.path) > 0 {
					d.And(o.path[0].sym.Span, "needed for this initial value")
				}
				d.WithHelp("write out what it is")
				break
			}
			o.visit(node{x.Sym, true})
		case model.CallU:
			if x.Unk.Formula != nil {
				o.walk(x.Unk.Formula)
			}
		}
		return true
	})
}

// unused warns of what is declared and never used. A `let` is not held to it, since it can be read off every
// solution; a name taken from several outputs, and a latent state, are there only to be used.
func (c *checker) unused() {
	for _, e := range c.order {
		if e.used {
			continue
		}
		var what string
		switch {
		case e.kind == kindState && !e.latent, e.kind == kindLet && len(e.let.Names) < 2, e.kind == kindRefused:
			continue
		case e.kind == kindState:
			what = "the latent state"
		case e.kind == kindLet:
			what = "the output"
		default:
			what = strings.TrimPrefix(strings.TrimPrefix(e.kind.String(), "a "), "an ")
			what = "the " + what
		}
		c.warn("E0380", e.span, "%s `%s` is never used", what, e.name).At("declared here").WithHelp("use it or leave it out")
	}
}

// annotatedAnywhere is a place where a unit is given, if there is one.
func (c *checker) annotatedAnywhere() (at diag.Span, yes bool) {
	if c.time != nil && c.time.Unit.Known() {
		return c.time.Span, true
	}
	lists := [][]*model.Symbol{c.out.Params, c.out.Consts, c.out.States, c.out.Lets}
	for _, u := range c.out.Unknowns {
		lists = append(lists, u.Weights)
	}
	for _, l := range lists {
		for _, s := range l {
			if s.Unit.Known() {
				return s.Span, true
			}
		}
	}
	return at, false
}
