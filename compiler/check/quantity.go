package check

import (
	"math"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// settle makes the symbol of a declared quantity; false when there is none to be had. Constants and lets call each
// other in any order, so a quantity is settled when it is first needed.
func (c *checker) settle(e *entry) bool {
	switch e.status {
	case done:
		return true
	case bad:
		return false
	case busy:
		c.circular(e)
		return false
	}
	quiet := c.quiet
	c.quiet = 0 // this is the turn of e, whoever asked for it
	defer func() { c.quiet = quiet }()
	switch e.kind {
	case kindParam, kindConst:
		c.stack = append(c.stack, e)
		e.status = busy
		ok := c.settleSettable(e)
		c.stack = c.stack[:len(c.stack)-1]
		return e.finish(ok)
	case kindState:
		e.status = busy
		return e.finish(c.settleState(e))
	case kindLet:
		c.settleLet(e.let)
		return e.status == done
	case kindInput:
		c.stack = append(c.stack, e)
		e.status = busy
		ok := c.settleInput(e)
		c.stack = c.stack[:len(c.stack)-1]
		return e.finish(ok)
	}
	return false
}

func (e *entry) finish(ok bool) bool {
	if !ok {
		e.status = bad
	} else if e.status == busy {
		e.status = done
	}
	return e.status == done
}

// circular reports a chain of definitions that comes back to its start.
func (c *checker) circular(e *entry) {
	from := 0
	for i, s := range c.stack {
		if s == e || e.let != nil && s.let == e.let {
			from = i
			break
		}
	}
	chain := append([]*entry(nil), c.stack[from:]...)
	chain[0] = e
	names := make([]string, 0, len(chain)+1)
	for _, s := range chain {
		names = append(names, s.name)
	}
	names = append(names, e.name)
	c.sayCircle(e.span, names)
}

func (c *checker) sayCircle(at diag.Span, names []string) {
	if len(names) > 12 {
		names = append(append(append([]string(nil), names[:8]...), "…"), names[len(names)-2:]...)
	}
	c.fail(nil, "E0209", at, "`%s` depends on itself", names[0]).At("%s", strings.Join(names, " → ")).
		WithHelp("break the circle: one of them must be given without the others")
}

// shapeOf evaluates the extents of a declaration; ok is false after an error.
func (c *checker) shapeOf(cx *ctx, name string, dims []ast.Expr) (types.Shape, bool) {
	var s types.Shape
	ok := true
	for _, d := range dims {
		n, good := c.wholeNumber(cx, d)
		if !good {
			ok = false
			continue
		}
		if n < 1 {
			c.fail(cx, "E0228", d.Span(), "an extent of `%s` is %d", name, n).At("must be 1 or more").WithHelp("an array has at least one element on each axis")
			ok = false
			continue
		}
		if n > maxSize || s.Size() > maxSize/n {
			c.fail(cx, "E0228", d.Span(), "`%s` has too many elements", name).At("more than %d", maxSize).WithHelp("choose a smaller extent")
			return nil, false
		}
		s = append(s, n)
	}
	return s, ok
}

// maxSize bounds the elements of one quantity, so that a slip of the pen is an error and not a
// machine without memory; a field of 256^3 points fits.
const maxSize = 1 << 24

// settleSettable makes a param or a const.
func (c *checker) settleSettable(e *entry) bool {
	it := e.item
	cx := &ctx{stage: stageConst, what: "the value of `" + e.name + "`", top: e.script}
	s := &model.Symbol{Name: e.name, Kind: model.Param, Doc: it.Doc, Span: e.span, Lo: math.Inf(-1), Hi: math.Inf(1)}
	if e.kind == kindConst {
		s.Kind = model.Const
	}
	e.sym = s
	return c.fillSettable(cx, s, it, e.script && it.Shape == nil)
}

// fillSettable checks shape, default, bounds and prior of a parameter or constant; with inferred the shape is the value's.
func (c *checker) fillSettable(cx *ctx, s *model.Symbol, it *ast.Item, inferred bool) bool {
	word := "param"
	if s.Kind == model.Const {
		word = "const"
	}
	s.Unit = c.annotation(it.Unit)
	shape, ok := c.shapeOf(cx, it.Name.Name, it.Shape)
	s.Shape = shape
	if it.Value == nil {
		c.fail(cx, "E0218", it.Span(), "`%s` has no value", it.Name.Name).At("every `%s` has one", word).WithHelp("write `%s %s = …`", word, it.Name.Name)
		ok = false
	} else if v := c.expr(cx, it.Value); v == nil {
		ok = false
	} else if inferred {
		s.Shape, s.Def = v.Shape, v
	} else if !ok || !c.fits(cx, v, s.Shape, it.Name.Name) {
		ok = false
	} else {
		s.Def = fill(v, s.Shape)
	}
	c.bounds(cx, s, it)
	if it.Prior != nil {
		if s.Kind == model.Const {
			c.fail(cx, "E0226", it.Prior.Span(), "a constant has no prior").At("`%s` is not inferred", it.Name.Name).WithHelp("make it a `param`")
		} else {
			s.Prior = c.prior(cx, it.Prior)
		}
	}
	return ok
}

// bounds reads `in lo..hi` and holds the default against it.
func (c *checker) bounds(cx *ctx, s *model.Symbol, it *ast.Item) {
	if it.Bounds == nil {
		return
	}
	b := it.Bounds
	if s.Kind == model.Const {
		c.fail(cx, "E0220", b.Span(), "a constant has no bounds").At("`%s` is not trained", it.Name.Name).WithHelp("make it a `param`")
		return
	}
	if b.Lo == nil || b.Hi == nil || b.By != nil || b.At != nil {
		c.fail(cx, "E0220", b.Span(), "bounds are two numbers").WithHelp("write `in 0..5`, or `in 0..inf`")
		return
	}
	lo, ok1 := c.known(cx, b.Lo)
	hi, ok2 := c.known(cx, b.Hi)
	if !ok1 || !ok2 {
		return
	}
	if !(lo < hi) {
		d := c.fail(cx, "E0220", b.Span(), "the bounds of `%s` are reversed", it.Name.Name).At("%g is not below %g", lo, hi)
		if hi < lo {
			d.WithHelp("write `in %g..%g`", hi, lo)
		} else {
			d.WithHelp("the lower bound must be below the upper one; a quantity that is fixed is a `const`")
		}
		return
	}
	s.Lo, s.Hi = lo, hi
	if s.Def == nil {
		return
	}
	for _, v := range c.values(s.Def) {
		if v < lo || v > hi {
			c.fail(cx, "E0221", it.Value.Span(), "the value of `%s` is outside its bounds", it.Name.Name).At("%g", v).And(b.Span(), "not in here").
				WithHelp("change the value or the bounds")
			return
		}
	}
}

// prior checks `~ lognormal(-1, 0.5)` against the distributions.
func (c *checker) prior(cx *ctx, e ast.Expr) *model.Expr {
	call, ok := e.(*ast.Call)
	id, _ := e.(*ast.Ident)
	if ok {
		id, _ = call.Fun.(*ast.Ident)
	}
	if id == nil {
		c.fail(cx, "E0226", e.Span(), "a prior is a distribution").WithHelp("for example `~ normal(0, 1)`")
		return nil
	}
	b, found := c.env.Lookup(id.Name, sig.Distribution)
	if !found {
		d := c.fail(cx, "E0226", id.Span(), "there is no distribution `%s`", id.Name).At("not a distribution")
		suggest(d, id.Name, c.env.Names(sig.Distribution), "for example `~ normal(0, 1)`")
		return nil
	}
	var args []*ast.Arg
	if call != nil {
		args = call.Args
	}
	vals, ok := c.matchArgs(cx, b.Name, paramNames(b), mandatory(b), false, args, e.Span())
	if !ok {
		return nil
	}
	out := &model.Expr{Op: model.Call, Name: b.Name, Span: e.Span()}
	for _, a := range vals {
		x := c.expr(cx, a)
		if x == nil {
			return nil
		}
		out.Args = append(out.Args, x)
	}
	return out
}

// settleState makes the symbols of a state and of its derivatives that are states too. Initial values are checked
// later, since they may refer to any other.
func (c *checker) settleState(e *entry) bool {
	it := e.item
	cx := &ctx{stage: stageConst, what: "the shape of `" + e.name + "`"}
	k := model.State
	switch {
	case e.latent:
		k = model.Latent
	case e.discrete:
		k = model.Discrete
	}
	shape, ok := c.shapeOf(cx, e.name, it.Shape)
	e.sym = &model.Symbol{Name: e.name, Kind: k, Shape: shape, Unit: c.annotation(it.Unit), Doc: it.Doc, Span: e.span, Lo: math.Inf(-1), Hi: math.Inf(1)}
	e.chain = []*model.Symbol{e.sym}
	if it.Prior != nil {
		e.sym.Prior = c.prior(cx, it.Prior)
	}
	for n, r := range e.rates {
		if r == nil {
			name := e.name + primes(n+1)
			c.fail(nil, "E0229", e.span, "`%s` has no initial value, but a higher derivative has", name).At("needs `%s = …` too", name).
				WithHelp("give all of them: `state %s = …, %s' = …`", e.name, e.name)
			ok = false
			break
		}
		s := &model.Symbol{Name: e.name + primes(n+1), Kind: k, Shape: shape, Unit: c.annotation(r.Unit), Doc: r.Doc, Span: r.Name.Span(), Lo: math.Inf(-1), Hi: math.Inf(1)}
		if len(r.Shape) > 0 {
			if own, good := c.shapeOf(cx, s.Name, r.Shape); good && ok && !own.Equal(shape) {
				c.fail(nil, "E0204", r.Span(), "`%s` is not of the shape of `%s`", s.Name, e.name).At("%s, but %s", own, has(e.name, shape)).WithHelp("leave the shape out")
				ok = false
			}
		}
		e.chain[len(e.chain)-1].Vel = s
		e.chain = append(e.chain, s)
	}
	return ok
}

// initial checks the initial values of a state.
func (c *checker) initial(e *entry) {
	if e.kind != kindState {
		return
	}
	for n, s := range e.chain {
		it := e.item
		if n > 0 {
			it = e.rates[n-1]
		}
		if it.Value == nil {
			c.fail(nil, "E0208", it.Span(), "`%s` has no initial value", s.Name).At("a state starts somewhere").WithHelp("write `state %s = …`", s.Name)
			continue
		}
		cx := &ctx{stage: stageInit, what: "the initial value of `" + s.Name + "`"}
		v := c.expr(cx, it.Value)
		if v != nil && e.status == done && c.fits(cx, v, s.Shape, s.Name) {
			s.Def = v
		}
		c.bounds(&ctx{stage: stageConst, what: "the bound of `" + s.Name + "`"}, s, it)
	}
}

// settleLet makes the symbols of a let. They are added to the model when they are settled, which is after
// everything that they refer to: that is the order wanted.
func (c *checker) settleLet(d *letDecl) {
	var lead *entry
	for _, e := range d.entries {
		if e == nil {
			continue
		}
		e.status = busy
		if lead == nil {
			lead = e
		}
	}
	if lead == nil { // none of its names could be declared
		c.letValue(&ctx{stage: stageRun}, d)
		return
	}
	c.stack = append(c.stack, lead)
	cx := &ctx{stage: stageRun, what: "`" + lead.name + "`"}
	v := c.letValue(cx, d)
	c.stack = c.stack[:len(c.stack)-1]

	defs := make([]*model.Expr, len(d.entries))
	switch {
	case v == nil:
	case len(d.entries) == 1:
		defs[0] = v
	case v.Op == model.List && len(v.Args) == len(defs):
		copy(defs, v.Args)
	case len(v.Shape) == 0 || v.Shape[0] != len(defs):
		c.countMismatch(cx, v, len(defs), d)
		v = nil
	default:
		for i := range defs {
			defs[i] = element(v, i+1, d.Names[i].Span())
		}
	}
	unit := c.annotation(d.Unit)
	for i, e := range d.entries {
		if e == nil {
			continue
		}
		if v == nil || e.status == bad {
			e.status = bad
			continue
		}
		e.sym = &model.Symbol{Name: e.name, Kind: model.Let, Shape: defs[i].Shape, Unit: unit, Doc: d.Doc, Span: e.span, Def: defs[i]}
		e.status = done
		c.out.Lets = append(c.out.Lets, e.sym)
	}
}

// letValue checks the right-hand side of a let, where alone a tuple may stand.
func (c *checker) letValue(cx *ctx, d *letDecl) *model.Expr {
	if t, ok := ast.Unparen(d.Value).(*ast.Tuple); ok {
		if len(d.Names) < 2 {
			c.fail(cx, "E0223", t.Span(), "%d values for one name", len(t.Elems)).At("a tuple").
				WithHelp("write as many names, `let (a, b) = …`, or an array, `[…]`")
			return nil
		}
		return c.tuple(cx, t)
	}
	return c.expr(cx, d.Value)
}

// tuple is a list whose elements need not be alike; it stands only where names or outputs take it apart.
func (c *checker) tuple(cx *ctx, t *ast.Tuple) *model.Expr {
	out := &model.Expr{Op: model.List, Span: t.Span(), Shape: types.Shape{len(t.Elems)}}
	ok := true
	for _, x := range t.Elems {
		v := c.expr(cx, x)
		ok = ok && v != nil
		out.Args = append(out.Args, v)
	}
	if !ok {
		return nil
	}
	return out
}

func (c *checker) countMismatch(cx *ctx, v *model.Expr, n int, d *letDecl) {
	at := d.Names[0].Span().Join(d.Names[len(d.Names)-1].Span())
	if v.Op == model.CallU {
		e := c.fail(cx, "E0203", v.Span, "`%s` returns %s, taken apart into %d", c.callee(v), plural(v.Unk.NOut, "value"), n).
			At("%s", v.Shape).And(at, "%d names", n)
		if len(v.Unk.Outs) > 0 {
			e.WithHelp("take as many as there are, `let (%s) = …`", strings.Join(v.Unk.Outs, ", "))
		} else {
			e.WithHelp("say how many it returns, `-> (a, b)`, or take one name")
		}
		return
	}
	if v.Op == model.List {
		c.fail(cx, "E0223", v.Span, "%s for %s", plural(len(v.Args), "value"), plural(n, "name")).At("%s", plural(len(v.Args), "value")).And(at, "%s", plural(n, "name")).
			WithHelp("write as many names as values")
		return
	}
	c.fail(cx, "E0223", v.Span, "%s cannot be taken apart into %d", v.Shape, n).At("%s", v.Shape).And(at, "%d names", n).
		WithHelp("write as many names as there are elements")
}

// element is v[k], its span that of a name which takes it.
func element(v *model.Expr, k int, at diag.Span) *model.Expr {
	shape := v.Shape[1:]
	if len(shape) == 0 {
		shape = nil
	}
	return &model.Expr{Op: model.Index, Args: []*model.Expr{v}, Idx: []model.Idx{{At: num(float64(k), at)}}, Shape: shape, Span: v.Span}
}

// fill repeats a scalar over a shape.
func fill(v *model.Expr, s types.Shape) *model.Expr {
	if v.Shape.Equal(s) {
		return v
	}
	vals := make([]float64, s.Size())
	if v.Op == model.Num {
		for i := range vals {
			vals[i] = v.Val[0]
		}
		return &model.Expr{Op: model.Num, Val: vals, Shape: s, Span: v.Span}
	}
	for i := range vals {
		vals[i] = 1
	}
	ones := &model.Expr{Op: model.Num, Val: vals, Shape: s, Span: v.Span}
	return &model.Expr{Op: model.Call, Name: "*", Args: []*model.Expr{ones, v}, Shape: s, Span: v.Span}
}

// fits says whether a value may stand where a shape is wanted: equal, or a scalar for every element.
func (c *checker) fits(cx *ctx, v *model.Expr, want types.Shape, name string) bool {
	if v.Shape.IsScalar() || v.Shape.Equal(want) {
		return true
	}
	if want.IsScalar() {
		if u := severalOutputs(v); u != nil {
			d := c.fail(cx, "E0203", u.Span, "`%s` returns %d values, used as 1", c.callee(u), u.Unk.NOut).At("%s, but %s", u.Shape, has(name, want))
			outs := u.Unk.Outs
			text := u.Span.Text()
			if text == "" || strings.ContainsRune(text, '\n') {
				text = c.callee(u) + "(…)"
			}
			if len(outs) == 0 {
				d.WithHelp("index it, `%s[1]`", text)
			} else {
				d.WithHelp("take one output, `let (%s) = %s`, or index it, `%s[1]`", strings.Join(outs, ", "), text, text)
			}
			return false
		}
	}
	d := c.fail(cx, "E0204", v.Span, "the shape of `%s` is %s, not %s", name, want.Brackets(), v.Shape.Brackets())
	if want.IsScalar() {
		d.Message = "`" + name + "` is a scalar, its value is not"
	}
	d.At("%s, but %s", v.Shape, has(name, want))
	if want.IsScalar() {
		d.WithHelp("declare `%s[%s]`, take one element, `…[1]`, or `sum(…)`", name, strings.Trim(v.Shape.Brackets(), "[]"))
	} else {
		d.WithHelp("the shapes must be equal, or the value a scalar")
	}
	return false
}

// severalOutputs finds the call of an unknown that makes an expression an array.
func severalOutputs(e *model.Expr) *model.Expr {
	if e.Shape.IsScalar() {
		return nil
	}
	switch e.Op {
	case model.CallU:
		return e
	case model.Call, model.If:
		for _, a := range e.Args {
			if u := severalOutputs(a); u != nil && a.Shape.Equal(e.Shape) {
				return u
			}
		}
	}
	return nil
}
