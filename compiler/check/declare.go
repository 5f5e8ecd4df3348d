package check

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// reserved names have one meaning everywhere.
var reserved = map[string]string{"t": "the time", "pi": "3.14159…", "inf": "infinity", "nan": "not a number"}

// collect takes note of every declaration of a model before any is looked into, since they may stand in any order.
func (c *checker) collect(m *ast.Model) {
	var rates []*ast.Item
	for _, s := range m.Body {
		switch s := s.(type) {
		case *ast.Decl:
			rates = append(rates, c.collectDecl(s)...)
		case *ast.Time:
			c.collectTime(s)
		case *ast.Let:
			c.collectLet(s)
		case *ast.Fn:
			if e := c.declare(s.Name, kindFn); e != nil {
				e.fn = s
			}
		case *ast.Unknown:
			if e := c.declare(s.Name, kindUnknown); e != nil {
				e.unk = s
			}
		case *ast.Equation:
			c.eqs = append(c.eqs, s)
		case *ast.Version:
		case *ast.Assign:
			name := "v"
			if len(s.Names) > 0 {
				name = s.Names[0].Name
			}
			c.fail(nil, "E0219", s.Span(), "a new quantity needs `let`").At("this only gives a name to a value in a script").
				WithHelp("write `let %s = …`, or `%s' = …` for a derivative", name, name)
		default:
			if !c.refuseDecl(s) {
				c.fail(nil, "E0219", s.Span(), "this is neither a declaration nor an equation").At("a model has no statements").
					WithHelp("put it after the model's closing `}`")
			}
		}
	}
	for _, it := range rates {
		c.collectRate(it)
	}
}

// declare enters a name; nil when it cannot be.
func (c *checker) declare(id *ast.Ident, k kind) *entry {
	if id == nil {
		return nil
	}
	if what, ok := reserved[id.Name]; ok {
		c.fail(nil, "E0217", id.Span(), "`%s` cannot be redefined", id.Name).At("`%s` is always %s", id.Name, what).WithHelp("choose another name")
		return nil
	}
	if old, ok := c.names[id.Name]; ok {
		c.fail(nil, "E0202", id.Span(), "`%s` is declared twice", id.Name).At("declared again").
			And(old.span, "first declared here, as %s", old.kind).WithHelp("rename one of them")
		old.twice = old.twice || old.kind != k
		return nil
	}
	e := &entry{name: id.Name, kind: k, span: id.Span()}
	c.names[id.Name] = e
	c.order = append(c.order, e)
	return e
}

// collectDecl returns the items x' = …, which belong to a state that may stand further on.
func (c *checker) collectDecl(s *ast.Decl) (rates []*ast.Item) {
	kinds := map[string]kind{"param": kindParam, "const": kindConst, "state": kindState, "latent": kindState, "discrete": kindState, "input": kindInput}
	k, ok := kinds[s.Kind]
	if !ok {
		c.refuse(s.Kind, "`"+s.Kind+"`", s.Span())
		k = kindRefused
	}
	for _, it := range s.Items {
		if it.Order > 0 && k == kindState && s.Kind != "discrete" {
			rates = append(rates, it)
			continue
		}
		if it.Order > 0 && k != kindRefused {
			c.fail(nil, "E0213", it.Span(), "%s has no derivative", k).At("with a prime").WithHelp("only a state has one: `state %s = …, %s' = …`", it.Name.Name, it.Name.Name)
			continue
		}
		if e := c.declare(it.Name, k); e != nil {
			e.item = it
			e.latent = s.Kind == "latent"
			e.discrete = s.Kind == "discrete"
		}
	}
	return rates
}

func (c *checker) collectRate(it *ast.Item) {
	e, ok := c.names[it.Name.Name]
	name := it.Name.Name + primes(it.Order)
	if !ok || e.kind != kindState {
		c.fail(nil, "E0208", it.Span(), "`%s` has a value at the start, but there is no state `%s`", name, it.Name.Name).
			WithHelp("declare both: `state %s = …, %s = …`", it.Name.Name, name)
		return
	}
	for len(e.rates) < it.Order {
		if len(e.rates) > 16 {
			c.fail(nil, "E0229", it.Span(), "a derivative of order %d is too high", it.Order).WithHelp("write a system of states of lower order")
			return
		}
		e.rates = append(e.rates, nil)
	}
	if old := e.rates[it.Order-1]; old != nil {
		c.fail(nil, "E0202", it.Span(), "`%s` is declared twice", name).At("declared again").And(old.Span(), "first declared here").WithHelp("leave one of them out")
		return
	}
	e.rates[it.Order-1] = it
}

func (c *checker) collectTime(s *ast.Time) {
	if !c.time.Span.IsZero() {
		c.fail(nil, "E0202", s.Span(), "the unit of time is declared twice").At("declared again").And(c.time.Span, "first declared here").WithHelp("leave one of them out")
		return
	}
	c.time.Span = s.Span()
	c.time.Unit = c.annotation(s.Unit)
}

func (c *checker) collectLet(s *ast.Let) {
	d := &letDecl{Let: s}
	for _, n := range s.Names {
		e := c.declare(n, kindLet)
		if e != nil {
			e.let = d
		}
		d.entries = append(d.entries, e)
	}
}

func primes(n int) string {
	s := ""
	for range n {
		s += "'"
	}
	return s
}

// ---- what is not built yet ----

// refuse says once per topic that something of the language is not built yet.
func (c *checker) refuse(topic, what string, at diag.Span) {
	if !c.refused[topic] && c.quiet == 0 {
		c.refused[topic] = true
		c.fail(nil, "E0390", at, "%s is not built yet", what).At("part of the language, but udl cannot run it yet").WithHelp("leave it out for now")
	}
}

// refuseDecl refuses the declarations that have no meaning yet and takes their names out of sight.
func (c *checker) refuseDecl(s ast.Stmt) bool {
	hide := func(ids ...*ast.Ident) {
		for _, id := range ids {
			c.declare(id, kindRefused)
		}
	}
	switch s := s.(type) {
	case *ast.Noise:
		c.refuse("noise", "`noise`", s.Span())
		hide(s.Name)
	case *ast.Setting:
		topic := "space"
		if s.Word == "calculus" {
			topic = "noise"
		}
		c.refuse(topic, "`"+s.Word+"`", s.Span())
	case *ast.History:
		c.refuse("delay", "`history`", s.Span())
	case *ast.Event:
		if s.Kind != "jump" {
			c.evs = append(c.evs, s)
			break
		}
		c.refuse("event", "`jump`", s.Span())
		c.partial = true
	case *ast.Axis:
		c.refuse("space", "`axis`", s.Span())
		hide(s.Name)
	case *ast.FieldDecl:
		c.refuse("space", "`field`", s.Span())
		hide(s.Name)
	case *ast.Boundary:
		c.refuse("space", "`boundary`", s.Span())
	case *ast.Observe:
		c.refuse("observe", "`observe`", s.Span())
	case *ast.Part:
		c.refuse("part", "`part`", s.Span())
		hide(s.Name)
	default:
		return false
	}
	return true
}

// refusedCalls are the functions of the language that have no meaning yet, by topic.
var refusedCalls = map[string]string{
	"d": "space", "laplacian": "space", "grad": "space", "div": "space", "conv": "space", "maxpool": "space", "meanpool": "space",
	"caputo": "caputo",
}

// refusedReps are the representations of the language that have no meaning yet.
var refusedReps = map[string]bool{"spline": true, "tensor": true, "cnn": true, "chain": true, "dense": true}
