package lower

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// Func makes the nodes of a builtin function from those of its arguments. Of an elementwise
// builtin the arguments are of one shape, or scalars.
type Func func(g *ir.Graph, args []ir.ID) ir.ID

// RepFunc makes the nodes of a representation: in has shape [nIn], or [points, nIn] for many
// points at once; the result has shape [nOut] or [points, nOut]. w holds the weights by name.
type RepFunc func(g *ir.Graph, opt sig.Options, in ir.ID, w map[string]ir.ID, nOut int) ir.ID

// Builtins is how lowering sees the meaning of builtins.
type Builtins interface {
	Func(name string) (f Func, elementwise bool, ok bool)
	Rep(name string) (RepFunc, bool)
	External(name string) (*ir.External, bool)
}

// val is a lowered expression inside loops over index variables: a node whose first axes run
// over the variables it depends on, followed by the expression's own axes.
type val struct {
	id   ir.ID
	over []*model.Symbol
}

// Lowerer builds one graph. It panics with a *diag.Diagnostic on what cannot be lowered;
// the exported functions turn that into an error.
type lowerer struct {
	g    *ir.Graph
	b    Builtins
	refs map[*model.Symbol]val
	lets func(s *model.Symbol) val // how a let not yet in refs is found; nil when there are none
	// consts makes the constants that are written in others.
	consts map[*model.Symbol]func() val
	all    bool                            // lets finds symbols of every kind
	deriv  func(s *model.Symbol) val       // the value of a state's derivative
	jump   func(e *model.Expr) (val, bool) // what a call that jumps is frozen to; nil where nothing is frozen
	loop   []*model.Symbol                 // index variables in scope, outermost first
	fixed  map[*model.Symbol]int           // index variables that are unrolled, with their value
}

func (l *lowerer) fail(e *model.Expr, code diag.Code, format string, args ...any) {
	panic(diag.New(code, e.Span, format, args...))
}

// recovered turns a diagnostic panic of this package into an error.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case *diag.Diagnostic:
		*err = r
	default:
		panic(r)
	}
}

func count(v *model.Symbol) int { return (v.Hi0-v.Lo0)/v.Step + 1 }

func dims(over []*model.Symbol) types.Shape {
	var s types.Shape
	for _, v := range over {
		s = append(s, count(v))
	}
	return s
}

func (l *lowerer) expr(e *model.Expr) val {
	old := l.g.At(e.Span)
	defer l.g.At(old)
	switch e.Op {
	case model.Num:
		return val{id: l.g.Const(e.Shape, e.Val...)}
	case model.Ref:
		return l.ref(e)
	case model.Deriv:
		if l.deriv == nil {
			l.fail(e, "E0391", "a derivative has no value here")
		}
		return l.deriv(e.Sym)
	case model.Call:
		return l.call(e)
	case model.External:
		f, ok := l.b.External(e.Name)
		if !ok {
			l.fail(e, "E0201", "no Go function `%s` is registered", e.Name)
		}
		return l.each(e, func(args []ir.ID) ir.ID { return l.g.Call(f, args...) })
	case model.CallU:
		return l.unknown(e)
	case model.Index:
		return l.index(e)
	case model.List:
		return l.list(e)
	case model.Reduce:
		return l.reduce(e)
	case model.LetIn:
		for i, s := range e.Syms {
			l.refs[s] = l.expr(e.Args[i])
		}
		return l.expr(e.Args[len(e.Syms)])
	case model.If:
		return l.selectOf(e)
	case model.Diff:
		return l.diff(e)
	}
	panic(fmt.Sprintf("lower: expression kind %d", e.Op))
}

func (l *lowerer) ref(e *model.Expr) val {
	s := e.Sym
	if s.Kind == model.IndexVar {
		if k, ok := l.fixed[s]; ok {
			return val{id: l.g.Num(float64(k))}
		}
		v := make([]float64, count(s))
		for i := range v {
			v[i] = float64(s.Lo0 + i*s.Step)
		}
		return val{l.g.Const(types.Shape{len(v)}, v...), []*model.Symbol{s}}
	}
	if v, ok := l.refs[s]; ok {
		return v
	}
	if s.Kind == model.Const && s.Structural || s.Kind == model.Local && s.Def != nil {
		v := l.expr(s.Def)
		l.refs[s] = v
		return v
	}
	if make, ok := l.consts[s]; ok {
		v := make()
		l.refs[s] = v
		return v
	}
	if l.lets != nil && (l.all || s.Kind == model.Let) && (s.Def != nil || s.Kind == model.State || s.Kind == model.Latent || s.Kind == model.Discrete) {
		v := l.lets(s)
		l.refs[s] = v
		return v
	}
	l.fail(e, "E0391", "`%s` has no value here", s.Name)
	return val{}
}

// union joins index variables in the order of the loops in scope.
func (l *lowerer) union(vs ...val) []*model.Symbol {
	in := map[*model.Symbol]bool{}
	n := 0
	for _, v := range vs {
		for _, s := range v.over {
			if !in[s] {
				in[s] = true
				n++
			}
		}
	}
	out := make([]*model.Symbol, 0, n)
	for _, s := range l.loop {
		if in[s] {
			out = append(out, s)
		}
	}
	return out
}

// What one expression may grow to: loops over indices multiply.
const (
	maxElements = 1 << 24 // numbers in one array
	maxUnrolled = 1 << 14 // repetitions of what has no form for many points at once
)

// fit checks that an expression of a shape over index variables is no larger than a machine bears.
func (l *lowerer) fit(e *model.Expr, over []*model.Symbol, shape types.Shape) {
	n := 1.0
	for _, v := range over {
		n *= float64(count(v))
	}
	for _, d := range shape {
		n *= float64(d)
	}
	if n > maxElements {
		panic(diag.New("E0393", e.Span, "this has %.0f elements, more than %d", n, maxElements).At("too large").
			WithHelp("sum over fewer indices at once, or factor the sum"))
	}
}

// expand gives v, of own shape own, the axes over (a superset of its own), then shape; own is
// shape, or scalar and repeated over shape.
func (l *lowerer) expand(v val, own types.Shape, over []*model.Symbol, shape types.Shape) ir.ID {
	full := append(append(types.Shape{}, dims(over)...), shape...)
	if len(full) == 0 {
		full = nil
	}
	if l.g.Shape(v.id).Equal(full) && len(v.over) == len(over) {
		return v.id
	}
	d := make([]int, len(full))
	for i, s := range over {
		d[i] = -1
		for k, t := range v.over {
			if t == s {
				d[i] = k
			}
		}
	}
	for i := range shape {
		d[len(over)+i] = -1
		if len(own) > 0 {
			d[len(over)+i] = len(v.over) + i
		}
	}
	return l.g.Expand(v.id, full, d)
}

// elementwise lowers the arguments of an elementwise operation and brings them to one shape;
// plain scalars stay scalars.
func (l *lowerer) elementwise(e *model.Expr, f func(args []ir.ID) ir.ID) val {
	vs := make([]val, len(e.Args))
	for i, a := range e.Args {
		vs[i] = l.expr(a)
	}
	return l.join(e, vs, f)
}

func (l *lowerer) join(e *model.Expr, vs []val, f func(args []ir.ID) ir.ID) val {
	over := l.union(vs...)
	l.fit(e, over, e.Shape)
	ids := make([]ir.ID, len(vs))
	for i, v := range vs {
		if len(v.over) == 0 && e.Args[i].Shape.IsScalar() {
			ids[i] = v.id
			continue
		}
		ids[i] = l.expand(v, e.Args[i].Shape, over, e.Shape)
	}
	return val{f(ids), over}
}

func (l *lowerer) call(e *model.Expr) val {
	if l.jump != nil {
		if v, ok := l.jump(e); ok {
			return v
		}
	}
	f, elementwise, ok := l.b.Func(e.Name)
	if !ok {
		l.fail(e, "E0201", "nothing is known of `%s`", e.Name)
	}
	apply := func(args []ir.ID) ir.ID { return f(l.g, args) }
	if elementwise {
		return l.elementwise(e, apply)
	}
	return l.each(e, apply)
}

// each applies an operation that takes whole arrays. Where its arguments run over index
// variables it is applied for each combination of them.
func (l *lowerer) each(e *model.Expr, f func(args []ir.ID) ir.ID) val {
	vs := make([]val, len(e.Args))
	for i, a := range e.Args {
		vs[i] = l.expr(a)
	}
	over := l.union(vs...)
	if len(over) == 0 {
		ids := make([]ir.ID, len(vs))
		for i, v := range vs {
			ids[i] = v.id
		}
		return val{id: f(ids)}
	}
	n := l.unroll(e, over)
	flat := make([]ir.ID, len(vs))
	for i, v := range vs {
		flat[i] = l.expand(v, e.Args[i].Shape, over, e.Args[i].Shape)
	}
	parts := make([]ir.ID, n)
	for k := range n {
		ids := make([]ir.ID, len(vs))
		for i := range vs {
			m := e.Args[i].Shape.Size()
			idx := make([]int, m)
			for j := range idx {
				idx[j] = k*m + j
			}
			ids[i] = l.g.Gather(flat[i], idx, e.Args[i].Shape)
		}
		parts[k] = f(ids)
	}
	return val{l.g.Reshape(l.g.Concat(parts...), append(dims(over), e.Shape...)), over}
}

func (l *lowerer) selectOf(e *model.Expr) val {
	return l.elementwise(e, func(a []ir.ID) ir.ID { return l.g.Select(a[0], a[1], a[2]) })
}

func (l *lowerer) list(e *model.Expr) val {
	vs := make([]val, len(e.Args))
	for i, a := range e.Args {
		vs[i] = l.expr(a)
	}
	over := l.union(vs...)
	m := e.Shape[1:].Size()
	ids := make([]ir.ID, len(vs))
	for i, v := range vs {
		ids[i] = l.expand(v, e.Args[i].Shape, over, e.Args[i].Shape)
	}
	n := dims(over).Size()
	all := l.g.Concat(ids...)
	if n == 1 {
		return val{l.g.Reshape(all, append(dims(over), e.Shape...)), over}
	}
	// Concat is list-major; the axes of the loops come first.
	idx := make([]int, 0, n*m*len(vs))
	for k := range n {
		for i := range vs {
			for j := range m {
				idx = append(idx, i*n*m+k*m+j)
			}
		}
	}
	return val{l.g.Gather(all, idx, append(dims(over), e.Shape...)), over}
}

var reducers = map[string]ir.Op{"sum": ir.OpSum, "mean": ir.OpSum, "prod": ir.OpProd, "min": ir.OpRMin, "max": ir.OpRMax}

func (l *lowerer) reduce(e *model.Expr) val {
	depth := len(l.loop)
	l.loop = append(l.loop, e.Vars...)
	body := l.expr(e.Args[0])
	over := l.union(body, val{over: e.Vars})
	l.fit(e, over, e.Args[0].Shape)
	id := l.expand(body, e.Args[0].Shape, over, e.Args[0].Shape)
	l.loop = l.loop[:depth]
	var axes []int
	var rest []*model.Symbol
	n := 1
	for i, s := range over {
		if within(s, e.Vars) {
			axes = append(axes, i)
			n *= count(s)
		} else {
			rest = append(rest, s)
		}
	}
	id = l.g.Reduce(reducers[e.Name], id, axes...)
	if e.Name == "mean" {
		id = l.g.Div(id, l.g.Num(float64(n)))
	}
	return val{id, rest}
}

func within(s *model.Symbol, list []*model.Symbol) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// unknown calls a representation with all points of the loops at once.
func (l *lowerer) unknown(e *model.Expr) val {
	u := e.Unk
	if u.Rep == nil { // a formula: its parameters are bound, its inputs are locals
		depth := map[*model.Symbol]val{}
		vs := make([]val, len(e.Args))
		for i, a := range e.Args {
			vs[i] = l.expr(a)
		}
		for i, p := range u.Params {
			depth[p], l.refs[p] = l.refs[p], vs[i]
		}
		v := l.expr(u.Formula)
		for p, old := range depth {
			l.refs[p] = old
		}
		return v
	}
	f, ok := l.b.Rep(u.Rep.Name)
	if !ok {
		l.fail(e, "E0390", "the representation `%s` is not built yet", u.Rep.Name)
	}
	vs := make([]val, len(e.Args))
	for i, a := range e.Args {
		vs[i] = l.expr(a)
	}
	over := l.union(vs...)
	points := dims(over).Size()
	ids := make([]ir.ID, len(vs))
	for i, v := range vs {
		ids[i] = l.expand(v, e.Args[i].Shape, over, e.Args[i].Shape)
	}
	in := l.g.Concat(ids...)
	if len(over) > 0 {
		idx := make([]int, 0, points*u.NIn)
		for k := range points {
			off := 0
			for _, a := range e.Args {
				m := a.Shape.Size()
				for j := range m {
					idx = append(idx, off+k*m+j)
				}
				off += points * m
			}
		}
		in = l.g.Gather(in, idx, types.Shape{points, u.NIn})
	}
	w := map[string]ir.ID{}
	for _, s := range u.Weights {
		w[s.Spec.Name] = l.refs[s].id
	}
	out := f(l.g, u.Options, in, w, u.NOut)
	return val{l.g.Reshape(out, append(dims(over), u.Shape...)), over}
}

// diff differentiates at compile time. A local name is made independent of whatever else it was
// bound to, so that fn f(a, b) = diff(a*b, a) is b even when called with the same argument twice.
func (l *lowerer) diff(e *model.Expr) val {
	by, ok := l.refs[e.Sym]
	if !ok {
		by = l.ref(&model.Expr{Op: model.Ref, Sym: e.Sym, Span: e.Span, Shape: e.Sym.Shape})
	}
	if len(by.over) > 0 {
		return l.unrolled(e)
	}
	wrt := by.id
	if e.Sym.Kind == model.Local {
		wrt = l.g.Input("·"+e.Sym.Name, ir.BankAux, independent+len(l.g.Inputs), l.g.Shape(by.id))
		l.refs[e.Sym] = val{id: wrt}
	}
	body := l.expr(e.Args[0])
	l.refs[e.Sym] = by
	if len(body.over) > 0 {
		return l.unrolled(e)
	}
	d, err := ad.Derivative(l.g, body.id, wrt)
	if err != nil {
		l.fail(e, "E0392", "this has no derivative: %v", err)
	}
	if wrt != by.id {
		d = l.g.Replace(d, wrt, by.id)
	}
	return val{id: l.g.Reshape(d, e.Shape)}
}

// independent is where the stand-ins of local names lie, beyond any auxiliary input.
const independent = 1 << 40

// unrolled lowers an expression for each value of the index variables in scope in turn.
func (l *lowerer) unrolled(e *model.Expr) val {
	vars := append([]*model.Symbol(nil), l.loop...)
	if len(vars) == 0 {
		l.fail(e, "E0392", "the derivative cannot be formed here")
	}
	saved := l.refs
	oldFixed, oldLoop := l.fixed, l.loop
	l.loop = nil
	var parts []ir.ID
	n := l.unroll(e, vars)
	for k := range n {
		l.refs = map[*model.Symbol]val{}
		l.fixed = map[*model.Symbol]int{}
		for s, v := range oldFixed {
			l.fixed[s] = v
		}
		at, rem := make([]int, len(vars)), k
		for i := len(vars) - 1; i >= 0; i-- {
			at[i] = rem % count(vars[i])
			rem /= count(vars[i])
			l.fixed[vars[i]] = vars[i].Lo0 + at[i]*vars[i].Step
		}
		for s, v := range saved {
			l.refs[s] = l.pick(v, vars, at)
		}
		parts = append(parts, l.expr(e).id)
	}
	l.refs, l.fixed, l.loop = saved, oldFixed, oldLoop
	return val{l.g.Reshape(l.g.Concat(parts...), append(dims(vars), e.Shape...)), vars}
}

// unroll is how often an expression must be repeated over index variables.
func (l *lowerer) unroll(e *model.Expr, over []*model.Symbol) int {
	n := 1.0
	for _, v := range over {
		n *= float64(count(v))
	}
	if n > maxUnrolled {
		panic(diag.New("E0393", e.Span, "this would be repeated %.0f times, more than %d", n, maxUnrolled).At("too many").
			WithHelp("write it for whole arrays, without an index"))
	}
	return int(n)
}

// pick is v at one position of the loops.
func (l *lowerer) pick(v val, vars []*model.Symbol, at []int) val {
	if len(v.over) == 0 {
		return v
	}
	shape := l.g.Shape(v.id)[len(v.over):]
	if len(shape) == 0 {
		shape = nil
	}
	m, off := shape.Size(), 0
	for _, s := range v.over {
		for i, t := range vars {
			if s == t {
				off = off*count(s) + at[i]
			}
		}
	}
	idx := make([]int, m)
	for j := range idx {
		idx[j] = off*m + j
	}
	return val{id: l.g.Gather(v.id, idx, shape)}
}
