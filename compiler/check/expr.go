package check

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// expr checks an expression. It is nil when something in it is wrong, which has then been said; the
// other parts of the expression are checked all the same.
func (c *checker) expr(cx *ctx, e ast.Expr) *model.Expr {
	switch e := e.(type) {
	case *ast.Number:
		return num(e.Value, e.Span())
	case *ast.Bool:
		if e.Value {
			return num(1, e.Span())
		}
		return num(0, e.Span())
	case *ast.Ident:
		return c.ident(cx, e)
	case *ast.Paren:
		return c.expr(cx, e.X)
	case *ast.Unary:
		return c.unary(cx, e)
	case *ast.Binary:
		return c.binary(cx, e)
	case *ast.Call:
		return c.callExpr(cx, e)
	case *ast.Index:
		return c.index(cx, e)
	case *ast.Member:
		return c.member(cx, e)
	case *ast.Prime:
		return c.prime(cx, e)
	case *ast.If:
		return c.ifExpr(cx, e)
	case *ast.List:
		return c.list(cx, e)
	case *ast.Reduce:
		return c.reduce(cx, e)
	case *ast.Tuple:
		c.fail(cx, "E0223", e.Span(), "a tuple is not a value").At("%s", plural(len(e.Elems), "value")).
			WithHelp("take it apart, `let (a, b) = …`, or write an array, `[…]`")
	case *ast.String:
		c.misplaced(cx, e, "a text")
	case *ast.Range:
		c.misplaced(cx, e, "a range")
	case *ast.Record:
		c.misplaced(cx, e, "a record")
	case *ast.Formula:
		c.misplaced(cx, e, "a formula with parameters of its own")
	case *ast.Lambda:
		c.misplaced(cx, e, "a lambda")
	case *ast.Bind:
		c.misplaced(cx, e, "a range of an index")
	}
	return nil
}

// misplaced holds where each kind of value that is no number does belong.
func (c *checker) misplaced(cx *ctx, e ast.Expr, what string) {
	where := map[string]string{
		"a text": "a text stands after a declaration, as its documentation", "a range": "ranges stand in indices and after `in`",
		"a record": "records stand in the calls of a script", "a lambda": "for a function of one's own write `fn f(x) = …`",
		"a formula with parameters of its own": "it stands after `unknown f(x) =`", "a range of an index": "it stands in `sum[j in 1..n]` and on the left of an equation",
	}
	c.fail(cx, "E0230", e.Span(), "%s is not a number", what).At("a number or an array is wanted").WithHelp("%s", where[what])
}

func (c *checker) unary(cx *ctx, e *ast.Unary) *model.Expr {
	x := c.expr(cx, e.X)
	if x == nil {
		return nil
	}
	switch e.Op {
	case "+":
		return x
	case "-":
		if x.Op == model.Num {
			v := make([]float64, len(x.Val))
			for i := range v {
				v[i] = -x.Val[i]
			}
			return &model.Expr{Op: model.Num, Val: v, Shape: x.Shape, Span: e.Span()}
		}
		return &model.Expr{Op: model.Call, Name: "neg", Args: []*model.Expr{x}, Shape: x.Shape, Span: e.Span()}
	}
	return &model.Expr{Op: model.Call, Name: e.Op, Args: []*model.Expr{x}, Shape: x.Shape, Span: e.Span()}
}

func (c *checker) binary(cx *ctx, e *ast.Binary) *model.Expr {
	if e.Op == "then" {
		c.fail(cx, "E0230", e.Span(), "`then` chains optimisers").At("a number or an array is wanted").WithHelp("for a choice write `if c then a else b`")
		return nil
	}
	// A long sum is a deep tree to the left: it is walked down by a loop, so that the stack does not grow with it.
	var spine []*ast.Binary
	var left ast.Expr = e
	for {
		b, ok := left.(*ast.Binary)
		if !ok || b.Op == "then" {
			break
		}
		spine = append(spine, b)
		left = b.X
	}
	x := c.expr(cx, left)
	for i := len(spine) - 1; i >= 0; i-- {
		b := spine[i]
		x = c.operator(cx, b, x, c.expr(cx, b.Y))
	}
	return x
}

func (c *checker) operator(cx *ctx, e *ast.Binary, x, y *model.Expr) *model.Expr {
	if x == nil || y == nil {
		return nil
	}
	out := &model.Expr{Op: model.Call, Name: e.Op, Args: []*model.Expr{x, y}, Span: e.Span()}
	var ok bool
	if e.Op == "@" {
		out.Shape, ok = c.product(cx, e, x, y)
	} else {
		out.Shape, ok = c.common(cx, e.Op, e.Span(), x, y)
	}
	if !ok {
		return nil
	}
	return out
}

// common is the shape of an elementwise operation: that of the arrays, which must be alike; scalars fit all.
func (c *checker) common(cx *ctx, name string, at diag.Span, args ...*model.Expr) (types.Shape, bool) {
	var first *model.Expr
	for _, a := range args {
		switch {
		case a.Shape.IsScalar():
		case first == nil:
			first = a
		case !a.Shape.Equal(first.Shape):
			d := c.fail(cx, "E0204", first.Span, "the shapes %s and %s do not fit `%s`", first.Shape.Brackets(), a.Shape.Brackets(), name).
				At("%s", first.Shape).And(a.Span, "%s", a.Shape)
			if name == "*" && len(first.Shape) == 2 && first.Shape[1] == a.Shape[0] {
				d.WithHelp("the matrix product is `@`")
			} else {
				d.WithHelp("`%s` works element by element, on equal shapes or a scalar with an array", name)
			}
			return nil, false
		}
	}
	if first == nil {
		return nil, true
	}
	return first.Shape, true
}

// product is the shape of the matrix product.
func (c *checker) product(cx *ctx, e *ast.Binary, x, y *model.Expr) (types.Shape, bool) {
	a, b := x.Shape, y.Shape
	if a.IsScalar() || b.IsScalar() {
		c.fail(cx, "E0204", x.Span, "`@` is the product of matrices and vectors").At("%s", a).And(y.Span, "%s", b).WithHelp("with a scalar use `*`")
		return nil, false
	}
	if len(a) > 2 || len(b) > 2 {
		c.fail(cx, "E0204", x.Span, "`@` is the product of matrices and vectors").At("%s", a).And(y.Span, "%s", b).WithHelp("take a matrix out of the array, as `A[1]`")
		return nil, false
	}
	if a[len(a)-1] != b[0] {
		d := c.fail(cx, "E0204", x.Span, "the inner extents of `@` differ: %d and %d", a[len(a)-1], b[0]).At("%s", a).And(y.Span, "%s", b)
		if len(a) == 2 && a[0] == b[0] {
			d.WithHelp("perhaps `transpose(%s)`", x.Span.Text())
		} else {
			d.WithHelp("as many columns on the left as rows on the right")
		}
		return nil, false
	}
	var s types.Shape
	if len(a) == 2 {
		s = append(s, a[0])
	}
	if len(b) == 2 {
		s = append(s, b[1])
	}
	return s, true
}

func (c *checker) ifExpr(cx *ctx, e *ast.If) *model.Expr {
	cond, a, b := c.expr(cx, e.Cond), c.expr(cx, e.Then), c.expr(cx, e.Else)
	if cond == nil || a == nil || b == nil {
		return nil
	}
	shape, ok := c.common(cx, "if", e.Span(), a, b, cond)
	if !ok {
		return nil
	}
	return &model.Expr{Op: model.If, Args: []*model.Expr{cond, a, b}, Shape: shape, Span: e.Span()}
}

// list stacks its elements along a new first axis; one of numbers only is a number.
func (c *checker) list(cx *ctx, e *ast.List) *model.Expr {
	if len(e.Elems) == 0 {
		c.fail(cx, "E0204", e.Span(), "an empty list has no shape").At("no elements").WithHelp("an array has at least one element")
		return nil
	}
	out := &model.Expr{Op: model.List, Span: e.Span()}
	ok, constant := true, true
	for _, x := range e.Elems {
		v := c.expr(cx, x)
		if v == nil {
			ok = false
			continue
		}
		constant = constant && v.Op == model.Num
		out.Args = append(out.Args, v)
		if first := out.Args[0]; ok && !v.Shape.Equal(first.Shape) {
			c.fail(cx, "E0204", v.Span, "the elements of a list are not alike").At("%s", v.Shape).And(first.Span, "%s", first.Shape).
				WithHelp("rows of a matrix are equally long")
			ok = false
		}
	}
	if !ok {
		return nil
	}
	if n := out.Args[0].Shape.Size(); n > maxSize/len(out.Args) {
		c.fail(cx, "E0228", e.Span(), "this array has too many elements").At("more than %d", maxSize).WithHelp("choose a smaller extent")
		return nil
	}
	out.Shape = append(types.Shape{len(out.Args)}, out.Args[0].Shape...)
	if constant {
		for _, a := range out.Args {
			out.Val = append(out.Val, a.Val...)
		}
		out.Op, out.Args = model.Num, nil
	}
	return out
}

// prime is x' on a right-hand side: the value of a state's derivative.
func (c *checker) prime(cx *ctx, e *ast.Prime) *model.Expr {
	order := 0
	var x ast.Expr = e
	for {
		x = ast.Unparen(x)
		p, ok := x.(*ast.Prime)
		if !ok {
			break
		}
		order++
		x = p.X
	}
	if ix, ok := x.(*ast.Index); ok { // u[2]' is u'[2]
		base := c.derivative(cx, ast.Unparen(ix.X), order, e.Span())
		if base == nil {
			return nil
		}
		return c.indexOf(cx, base, ix)
	}
	return c.derivative(cx, x, order, e.Span())
}

func (c *checker) derivative(cx *ctx, x ast.Expr, order int, at diag.Span) *model.Expr {
	mark := primes(order)
	id, ok := x.(*ast.Ident)
	if !ok {
		if m, isMember := x.(*ast.Member); isMember {
			if root, path, _ := flatten(m); c.res != nil { // s.x' of a solution is the state x'
				if s, ok := root.(*ast.Ident); ok {
					if l := cx.find(s.Name); l != nil && l.given {
						path[len(path)-1] += mark
						return c.resolved(s.Name, path, at)
					}
				}
			}
			v := c.member(cx, m)
			if v == nil {
				return nil
			}
			if v.Op == model.Ref && (v.Sym.Kind == model.State || v.Sym.Kind == model.Latent) {
				return c.rate(cx, v.Sym, order, at)
			}
		}
		v := c.expr(cx, x)
		if v == nil {
			return nil
		}
		d := c.fail(cx, "E0213", at, "only a state has a derivative").At("the prime stands after an expression")
		if len(v.Shape) == 2 {
			d.Code = "E0214"
			d.Message = "a prime is a derivative, not a transpose"
			d.WithHelp("transpose is `transpose(…)`")
		} else {
			d.WithHelp("name it as a state, or use `diff(e, x)`")
		}
		return nil
	}
	if l := cx.find(id.Name); l != nil {
		if l.sym == nil {
			return nil
		}
		// An argument of a function that is nothing but a state has its derivative.
		if b := c.bound[l.sym]; b != nil && b.Op == model.Ref && (b.Sym.Kind == model.State || b.Sym.Kind == model.Latent) {
			return c.rate(cx, b.Sym, order, at)
		}
	}
	v := c.ident(cx, id)
	if v == nil {
		return nil
	}
	if v.Op == model.Ref && (v.Sym.Kind == model.State || v.Sym.Kind == model.Latent) {
		return c.rate(cx, v.Sym, order, at)
	}
	if len(v.Shape) >= 1 {
		c.fail(cx, "E0214", at, "a prime is a derivative, not a transpose").At("`%s` is %s, not a state", id.Name, c.nature(v)).WithHelp("transpose is `transpose(%s)`", id.Name)
		return nil
	}
	d := c.fail(cx, "E0213", at, "`%s` has no derivative", id.Name+mark[:len(mark)-1]).At("`%s` is %s, not a state", id.Name, c.nature(v))
	if v.Op == model.Ref && v.Sym.Kind == model.Let {
		d.WithHelp("write out its derivative, or make it a state")
	} else {
		d.WithHelp("it does not change in time; use it without the prime")
	}
	return nil
}

// nature says what kind of thing a name stands for.
func (c *checker) nature(v *model.Expr) string {
	if v.Op != model.Ref {
		return "a number"
	}
	switch v.Sym.Kind {
	case model.Param:
		return "a parameter"
	case model.Const:
		return "a constant"
	case model.Let:
		if v.Sym.Input {
			return "an input"
		}
		return "a `let`"
	case model.Time:
		return "the time"
	case model.IndexVar:
		return "an index"
	case model.Local:
		return "an argument"
	case model.Weight:
		return "a weight"
	case model.Discrete:
		return "a `discrete`"
	}
	return "given"
}

// rate is the derivative of a state: another state where the state has more than one, else the value of its equation.
func (c *checker) rate(cx *ctx, s *model.Symbol, order int, at diag.Span) *model.Expr {
	name := s.Name
	for ; order > 1; order-- {
		if s.Vel == nil {
			c.fail(cx, "E0213", at, "`%s` has no derivative of this order", name).At("its equation is `%s'`", s.Name).WithHelp("declare `state %s = …, %s' = …` and write an equation for `%s''`", name, name, name)
			return nil
		}
		s = s.Vel
	}
	if s.Vel != nil {
		return ref(s.Vel, at)
	}
	if cx.stage == stageInit {
		c.fail(cx, "E0391", at, "`%s'` has no value at the start", s.Name).At("derivatives follow from the states").WithHelp("write out what it is")
		return nil
	}
	c.derivs = true
	return &model.Expr{Op: model.Deriv, Sym: s, Shape: s.Shape, Span: at}
}

// reduce is sum[j in 1..n] e.
func (c *checker) reduce(cx *ctx, e *ast.Reduce) *model.Expr {
	out := &model.Expr{Op: model.Reduce, Name: e.Op.Name, Span: e.Span()}
	inner := cx
	ok, empty := true, false
	for _, b := range e.Binds {
		s, good := c.indexVar(inner, b)
		if !good {
			ok = false
			inner = inner.bind(b.Var.Name, &model.Symbol{Name: b.Var.Name, Kind: model.IndexVar, Lo0: 1, Hi0: 0, Step: 1}, false)
			continue
		}
		empty = empty || steps(s) <= 0
		out.Vars = append(out.Vars, s)
		inner = inner.bind(b.Var.Name, s, false)
	}
	body := c.expr(inner, e.Body)
	if !ok || body == nil {
		return nil
	}
	out.Shape = body.Shape
	out.Args = []*model.Expr{body}
	if empty {
		neutral, known := map[string]float64{"sum": 0, "prod": 1}[e.Op.Name]
		if !known {
			c.fail(cx, "E0206", e.Span(), "`%s` of nothing", e.Op.Name).At("the range is empty").WithHelp("only `sum` and `prod` of an empty range have a value")
			return nil
		}
		return fill(num(neutral, e.Span()), body.Shape)
	}
	return out
}

// externalCall is the call of a Go function of scalars.
func (c *checker) externalCall(cx *ctx, x External, e *ast.Call) *model.Expr {
	out := &model.Expr{Op: model.External, Name: x.Name, Span: e.Span()}
	ok := true
	for _, a := range e.Args {
		if a.Name != nil {
			c.fail(cx, "E0207", a.Name.Span(), "`%s` is a Go function: its arguments have no names", x.Name).At("a name").WithHelp("give the values alone, in order")
			ok = false
		}
		v := c.expr(cx, a.Value)
		if v == nil {
			ok = false
			continue
		}
		if !v.Shape.IsScalar() {
			c.fail(cx, "E0204", v.Span, "`%s` is a Go function of scalars", x.Name).At("%s", v.Shape).WithHelp("call it for each element, as `%s(u[i])` in an equation for `u[i]'`", x.Name)
			ok = false
		}
		out.Args = append(out.Args, v)
	}
	if len(e.Args) != x.N {
		c.fail(cx, "E0207", e.Span(), "`%s` takes %s, here %s", x.Name, plural(x.N, "argument"), are(len(e.Args))).At("%d given", len(e.Args)).WithHelp("give %d", x.N)
		ok = false
	}
	if !ok {
		return nil
	}
	return out
}

// diff is diff(e, x), the derivative by a variable.
func (c *checker) diff(cx *ctx, e *ast.Call) *model.Expr {
	if len(e.Args) != 2 || e.Args[0].Name != nil || e.Args[1].Name != nil {
		c.fail(cx, "E0207", e.Span(), "`diff` takes an expression and a variable, here %s", are(len(e.Args))).At("%s given", plural(len(e.Args), "argument")).
			WithHelp("write `diff(e, x)`, nested for a second derivative")
		return nil
	}
	body := c.expr(cx, e.Args[0].Value)
	by := c.expr(cx, e.Args[1].Value)
	if body == nil || by == nil {
		return nil
	}
	whole, idx := by, (*model.Expr)(nil)
	if by.Op == model.Index && by.Args[0].Op == model.Ref {
		whole, idx = by.Args[0], by
	}
	if whole.Op != model.Ref || whole.Sym.Kind == model.IndexVar {
		c.fail(cx, "E0231", by.Span, "`diff` is by a variable").At("not a variable").WithHelp("name a state, parameter, `let` or argument")
		return nil
	}
	if !body.Shape.IsScalar() && !whole.Shape.IsScalar() {
		c.fail(cx, "E0204", body.Span, "`diff` of an array by an array is not an array").At("%s", body.Shape).And(by.Span, "%s", whole.Shape).
			WithHelp("take the derivative of one element, or by one element")
		return nil
	}
	out := &model.Expr{Op: model.Diff, Sym: whole.Sym, Args: []*model.Expr{body}, Shape: body.Shape, Span: e.Span()}
	if body.Shape.IsScalar() {
		out.Shape = whole.Shape
	}
	if idx != nil {
		out = &model.Expr{Op: model.Index, Args: []*model.Expr{out}, Idx: idx.Idx, Shape: idx.Shape, Span: e.Span()}
	}
	return out
}

// callable are the kinds of builtins that can be called in a model.
var callable = []sig.Kind{sig.Function, sig.Representation}
