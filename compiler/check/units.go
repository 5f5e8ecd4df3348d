package check

// Units are inferred by unification in the free Abelian group of units (Kennedy, "Relational parametricity and
// units of measure", POPL 1997). Powers are rational, so that an equation between units is solved for any of its
// variables by a division of exponents.
//
// The rules, as far as annotations reach:
//   - a quantity without annotation has a free unit, which its uses settle; so has each output of an unknown, each
//     weight, and the time unless `time : year` is said;
//   - a number in an expression has no unit; 0, inf and nan fit all. A default or initial value that is made of
//     numbers alone is in the unit of its quantity;
//   - both sides of + - comparisons, the branches of `if`, the elements of a list, and the arguments of min, max,
//     hypot and their like agree; * / @ ^ and sqrt, cbrt, square multiply and divide; x' has the unit of x by that of t;
//   - exp, log, sin and their like take no unit, which is held against an argument only when its unit is known in the end;
//   - a power that is not known before the run leaves the unit free;
//   - what goes into an unknown function is not restricted.
// In a model without any annotation nothing is checked.

import (
	"math"
	"strconv"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// annotation turns a written unit into one.
func (c *checker) annotation(u *ast.Unit) types.Unit {
	if u == nil {
		return types.Unit{}
	}
	fs := make([]types.Factor, len(u.Factors))
	for i, f := range u.Factors {
		fs[i] = types.Factor{Name: f.Name, Pow: types.R(f.Num, f.Den)}
	}
	return types.NewUnit(fs...)
}

// term is a known unit times powers of free ones.
type term struct {
	known types.Unit
	vars  []varPow
}

type varPow struct {
	v int
	p types.Rat
}

var plain = term{known: types.One}

// inference holds the free units and what was found out about them.
type inference struct {
	c     *checker
	bound []*term // by variable; nil while free
	syms  map[*model.Symbol]term
	outs  map[*model.Unknown][]term
	exprs []typed // everything seen, to be told its unit in the end
	bare  []typed // what must have no unit if its unit is known in the end
	by    []string
	calls []diag.Span // functions inlined, outermost first
}

type typed struct {
	e *model.Expr
	t term
}

// inferUnits checks and settles all units of the model.
func (c *checker) inferUnits() {
	if _, yes := c.annotatedAnywhere(); !yes {
		return
	}
	f := &inference{c: c, syms: map[*model.Symbol]term{}, outs: map[*model.Unknown][]term{},
		exprs: make([]typed, 0, 10*(len(c.out.Lets)+len(c.out.States)))}
	time := f.symbol(c.time)
	for _, l := range [][]*model.Symbol{c.out.Consts, c.out.Params, c.out.Lets, c.out.States} {
		for _, s := range l {
			f.define(s)
		}
	}
	for _, s := range c.out.States {
		v := c.covers(s)
		want := f.div(f.symbol(s), time)
		for i, p := range v.parts {
			f.agree(p.RHS, f.expr(p.RHS), v.left[i], want, "`"+s.Name+"'` is the unit of `"+s.Name+"` by that of time")
		}
	}
	f.events(time)
	for _, q := range c.implicit {
		if q.LHS == nil {
			f.expr(q.RHS)
			continue
		}
		f.same([]*model.Expr{q.LHS, q.RHS})
	}
	for i, b := range f.bare {
		t := f.resolve(b.t)
		if len(t.vars) == 0 && !t.known.Equal(types.One) {
			c.fail(nil, "E0303", b.e.Span, "%s takes a number without unit", f.by[i]).At("%s", unitLabel(t)).
				WithHelp("divide by a reference value of the same unit first")
		}
	}
	for _, x := range f.exprs {
		if t := f.resolve(x.t); len(t.vars) == 0 {
			x.e.Unit = t.known
		}
	}
	for s, t := range f.syms {
		if t := f.resolve(t); len(t.vars) == 0 {
			s.Unit = t.known
		}
	}
}

func unitLabel(t term) string {
	switch {
	case len(t.vars) > 0:
		return "a unit that is not settled"
	case t.known.Plain():
		return "no unit"
	}
	return "unit " + t.known.String()
}

func (f *inference) fresh() term {
	f.bound = append(f.bound, nil)
	return term{types.One, []varPow{{len(f.bound) - 1, types.Rat{Num: 1, Den: 1}}}}
}

func (f *inference) symbol(s *model.Symbol) term {
	if t, ok := f.syms[s]; ok {
		return t
	}
	t := plain
	switch {
	case s.Kind == model.IndexVar:
	case s.Unit.Known():
		t = term{known: s.Unit}
	default:
		t = f.fresh()
	}
	f.syms[s] = t
	return t
}

// define holds the value of a quantity against its unit.
func (f *inference) define(s *model.Symbol) {
	want := f.symbol(s)
	if s.Def == nil || f.literal(s.Def) {
		return
	}
	f.agree(s.Def, f.expr(s.Def), s.Span, want, "")
}

// literal says whether an expression is made of numbers alone.
func (f *inference) literal(e *model.Expr) bool {
	is := true
	e.Walk(func(x *model.Expr) bool {
		switch x.Op {
		case model.Num, model.List, model.If, model.LetIn:
		case model.Call:
		case model.Ref:
			b := f.c.bound[x.Sym]
			is = is && x.Sym.Kind == model.Local && b != nil && f.literal(b)
		default:
			is = false
		}
		return is
	})
	return is
}

// ---- terms ----

func (f *inference) mul(a, b term) term {
	if len(b.vars) == 0 {
		return term{known: a.known.Mul(b.known), vars: a.vars}
	}
	if len(a.vars) == 0 {
		return term{known: a.known.Mul(b.known), vars: b.vars}
	}
	out := term{known: a.known.Mul(b.known), vars: append([]varPow(nil), a.vars...)}
next:
	for _, v := range b.vars {
		for i := range out.vars {
			if out.vars[i].v == v.v {
				out.vars[i].p = out.vars[i].p.Add(v.p)
				if out.vars[i].p.Zero() {
					out.vars = append(out.vars[:i], out.vars[i+1:]...)
				}
				continue next
			}
		}
		out.vars = append(out.vars, v)
	}
	return out
}

func (f *inference) pow(a term, p types.Rat) term {
	if p.Zero() {
		return plain
	}
	out := term{known: a.known.Pow(p)}
	if len(a.vars) > 0 {
		out.vars = make([]varPow, len(a.vars))
		for i, v := range a.vars {
			out.vars[i] = varPow{v.v, v.p.Mul(p)}
		}
	}
	return out
}

func (f *inference) div(a, b term) term { return f.mul(a, f.pow(b, types.Rat{Num: -1, Den: 1})) }

// resolve puts in what is known of the variables.
func (f *inference) resolve(t term) term {
	out := t
	for _, v := range t.vars {
		if f.bound[v.v] == nil {
			continue
		}
		r := f.resolve(*f.bound[v.v])
		f.bound[v.v] = &r
		out = f.mul(f.mul(out, term{types.One, []varPow{{v.v, v.p.Neg()}}}), f.pow(r, v.p))
	}
	return out
}

// unify makes two terms equal; ok is false when they cannot be.
func (f *inference) unify(a, b term) bool {
	r := f.resolve(f.div(a, b))
	if len(r.vars) == 0 {
		return r.known.Equal(types.One)
	}
	v := r.vars[len(r.vars)-1]
	rest := term{known: r.known, vars: r.vars[:len(r.vars)-1]}
	value := f.pow(rest, v.p.Inv().Neg())
	f.bound[v.v] = &value
	return true
}

// agree demands that an expression has the unit wanted at a place.
func (f *inference) agree(e *model.Expr, t term, at diag.Span, want term, note string) {
	if f.unify(t, want) {
		return
	}
	f.report(e.Span, t, at, want, f.literal(e), note)
}

// same demands that expressions agree among themselves, and gives their common unit.
func (f *inference) same(es []*model.Expr) term {
	first := f.expr(es[0])
	for _, e := range es[1:] {
		t := f.expr(e)
		if !f.unify(first, t) {
			f.report(e.Span, t, es[0].Span, first, f.literal(e) || f.literal(es[0]), "")
			// One mistake is told once: the rest of the expression has a unit of its own.
			return f.fresh()
		}
	}
	return first
}

func (f *inference) report(at diag.Span, a term, other diag.Span, b term, number bool, note string) {
	a, b = f.resolve(a), f.resolve(b)
	if factor, same := a.known.Ratio(b.known); same && len(a.vars) == 0 && len(b.vars) == 0 {
		d := f.c.fail(nil, "E0302", at, "%s and %s measure the same, on different scales", a.known.Words(), b.known.Words()).
			At("%s", unitLabel(a)).And(other, "%s", unitLabel(b))
		f.called(d)
		d.WithHelp("1 %s is %s %s: convert by this factor, or annotate both alike", a.known, compact(factor), b.known)
		return
	}
	d := f.c.fail(nil, "E0301", at, "the units %s and %s do not agree", a.known.Words(), b.known.Words()).
		At("%s", unitLabel(a)).And(other, "%s", unitLabel(b))
	f.called(d)
	if a.known.Plain() {
		d.Message = "a number without unit does not agree with " + b.known.Words()
	} else if b.known.Plain() {
		d.Message = a.known.Words() + " does not agree with a number without unit"
	}
	if note != "" {
		d.Note("%s", note)
	}
	if number {
		d.WithHelp("a number in an equation has no unit; give it a name with one, `const c : %s = …`", unitless(a, b))
	} else {
		d.WithHelp("check the equation, or the annotations behind it")
	}
}

// called tells of the function whose body is wrong for this call.
func (f *inference) called(d *diag.Diagnostic) {
	if n := len(f.calls); n > 0 {
		d.And(f.calls[n-1], "called here")
	}
}

func compact(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

func unitless(a, b term) string {
	if a.known.Plain() {
		return b.known.String()
	}
	return a.known.String()
}

// ---- expressions ----

func (f *inference) expr(e *model.Expr) term {
	t := f.unitOf(e)
	f.exprs = append(f.exprs, typed{e, t})
	return t
}

func (f *inference) each(es []*model.Expr) []term {
	out := make([]term, len(es))
	for i, e := range es {
		out[i] = f.expr(e)
	}
	return out
}

func (f *inference) unitOf(e *model.Expr) term {
	switch e.Op {
	case model.Num:
		for _, v := range e.Val {
			if v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
				return plain
			}
		}
		return f.fresh()
	case model.Ref:
		return f.symbol(e.Sym)
	case model.Deriv:
		return f.div(f.symbol(e.Sym), f.symbol(f.c.time))
	case model.Call:
		return f.call(e)
	case model.CallU:
		outs := f.unknown(e)
		for _, o := range outs[1:] {
			if !f.unify(outs[0], o) {
				f.report(e.Span, outs[0], e.Span, o, false, "as an array, all outputs have one unit")
				return f.fresh()
			}
		}
		return outs[0]
	case model.Index:
		if u := e.Args[0]; u.Op == model.CallU && len(e.Idx) == 1 && e.Idx[0].At != nil && e.Idx[0].At.Op == model.Num {
			if outs := f.unknown(u); len(outs) > 1 {
				return outs[int(e.Idx[0].At.Val[0])-1]
			}
		}
		return f.expr(e.Args[0])
	case model.List:
		return f.same(e.Args)
	case model.Reduce:
		t := f.expr(e.Args[0])
		if e.Name != "prod" {
			return t
		}
		n := 1
		for _, v := range e.Vars {
			n *= max(0, steps(v))
		}
		return f.pow(t, types.R(n, 1))
	case model.LetIn:
		for i, s := range e.Syms {
			t := f.expr(e.Args[i])
			if s.Unit.Known() && !f.literal(e.Args[i]) {
				f.agree(e.Args[i], t, s.Span, term{known: s.Unit}, "")
			}
			if s.Unit.Known() {
				t = term{known: s.Unit}
			}
			f.syms[s] = t
		}
		if e.Name == "" {
			return f.expr(e.Args[len(e.Syms)])
		}
		f.calls = append(f.calls, e.Span)
		t := f.expr(e.Args[len(e.Syms)])
		f.calls = f.calls[:len(f.calls)-1]
		return t
	case model.If:
		f.expr(e.Args[0])
		return f.same(e.Args[1:])
	case model.Diff:
		return f.div(f.expr(e.Args[0]), f.symbol(e.Sym))
	}
	f.each(e.Args)
	return f.fresh()
}

// unknown gives the units of the outputs, which all calls share.
func (f *inference) unknown(e *model.Expr) []term {
	args := f.each(e.Args)
	u := e.Unk
	outs, ok := f.outs[u]
	if u.Formula != nil {
		for i, p := range u.Params {
			if own := f.symbol(p); !f.unify(args[i], own) {
				f.report(e.Args[i].Span, args[i], p.Span, own, f.literal(e.Args[i]), "a formula has one unit of each input in every call")
			}
		}
		if !ok {
			for _, w := range u.Weights {
				f.define(w)
			}
			outs = []term{f.expr(u.Formula)}
			f.outs[u] = outs
		}
		return outs
	}
	if !ok {
		for range u.NOut {
			outs = append(outs, f.fresh())
		}
		f.outs[u] = outs
	}
	return outs
}

// none demands that arguments have no unit, if it is known in the end.
func (f *inference) none(what string, es ...*model.Expr) {
	for _, e := range es {
		f.bare = append(f.bare, typed{e, f.expr(e)})
		f.by = append(f.by, what)
	}
}

func (f *inference) call(e *model.Expr) term {
	switch e.Name {
	case "+", "-":
		return f.sum(e)
	case "*":
		return f.product(e)
	case "neg":
		return f.expr(e.Args[0])
	case "@":
		return f.mul(f.expr(e.Args[0]), f.expr(e.Args[1]))
	case "/":
		return f.div(f.expr(e.Args[0]), f.expr(e.Args[1]))
	case "^", "pow":
		return f.power(e)
	case "==", "!=", "<", "<=", ">", ">=":
		f.same(e.Args)
		return plain
	case "and", "or", "not":
		f.each(e.Args)
		return plain
	}
	b, ok := f.c.env.Lookup(e.Name, sig.Function)
	if !ok {
		f.each(e.Args)
		return f.fresh()
	}
	half, third := types.R(1, 2), types.R(1, 3)
	switch b.Unit {
	case sig.SameUnit:
		return f.same(e.Args)
	case sig.AngleOf:
		f.same(e.Args)
		return plain
	case sig.PlainResult:
		f.each(e.Args)
		return plain
	case sig.ProductUnit:
		t := plain
		for _, a := range e.Args {
			t = f.mul(t, f.expr(a))
		}
		return t
	case sig.QuotientUnit:
		ts := f.each(e.Args)
		return f.div(ts[0], ts[len(ts)-1])
	case sig.SqrtUnit:
		return f.pow(f.expr(e.Args[0]), half)
	case sig.CbrtUnit:
		return f.pow(f.expr(e.Args[0]), third)
	case sig.SquareUnit:
		return f.pow(f.expr(e.Args[0]), types.R(2, 1))
	}
	f.none("`"+e.Name+"`", e.Args...)
	return plain
}

// chain lists the operands of a long a + b - c, whose tree is deep to the left.
func chain(e *model.Expr, ops ...string) (operands []*model.Expr, inner []*model.Expr) {
	is := func(x *model.Expr) bool {
		if x.Op != model.Call || len(x.Args) != 2 {
			return false
		}
		for _, o := range ops {
			if x.Name == o {
				return true
			}
		}
		return false
	}
	x := e
	for is(x) {
		operands = append(operands, x.Args[1])
		inner = append(inner, x)
		x = x.Args[0]
	}
	operands = append(operands, x)
	for i, j := 0, len(operands)-1; i < j; i, j = i+1, j-1 {
		operands[i], operands[j] = operands[j], operands[i]
	}
	return operands, inner
}

func (f *inference) sum(e *model.Expr) term {
	operands, inner := chain(e, "+", "-")
	t := f.same(operands)
	for _, x := range inner[1:] {
		f.exprs = append(f.exprs, typed{x, t})
	}
	return t
}

func (f *inference) product(e *model.Expr) term {
	operands, inner := chain(e, "*")
	t := f.expr(operands[0])
	for i, o := range operands[1:] {
		t = f.mul(t, f.expr(o))
		if k := len(inner) - 1 - i; k > 0 {
			f.exprs = append(f.exprs, typed{inner[k], t})
		}
	}
	return t
}

// power is x^p: the unit to a power known before the run, else free.
func (f *inference) power(e *model.Expr) term {
	x := f.expr(e.Args[0])
	f.none("an exponent", e.Args[1])
	if r := f.resolve(x); len(r.vars) == 0 && r.known.Plain() {
		return plain
	}
	if v, ok := f.exponent(e.Args[1]); ok {
		if p, ok := types.Rational(v); ok {
			return f.pow(x, p)
		}
	}
	return f.fresh()
}

// exponent finds the value of an exponent among numbers, constants and arguments of functions.
func (f *inference) exponent(e *model.Expr) (float64, bool) {
	switch {
	case e.Op == model.Ref && e.Sym.Kind == model.Const && e.Sym.Def != nil:
		return f.exponent(e.Sym.Def)
	case e.Op == model.Ref && e.Sym.Kind == model.Local && f.c.bound[e.Sym] != nil:
		return f.exponent(f.c.bound[e.Sym])
	}
	if !e.Shape.IsScalar() {
		return 0, false
	}
	if v := f.c.values(e); len(v) == 1 {
		return v[0], true
	}
	return 0, false
}
