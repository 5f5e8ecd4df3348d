package check

import (
	"strconv"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxCalls bounds the functions that are inlined: functions of functions can grow without end.
const maxCalls = 100_000

// maxDepth bounds functions that call functions that call functions.
const maxDepth = 200

// callExpr is f(a, b). A name is looked up as state or let first (x(t - tau) is a delay), then as a function of the
// model, of the script, of Go, and among the builtins.
func (c *checker) callExpr(cx *ctx, e *ast.Call) *model.Expr {
	id, ok := ast.Unparen(e.Fun).(*ast.Ident)
	if !ok {
		if inner, ok := e.Fun.(*ast.Call); ok {
			if f, ok := inner.Fun.(*ast.Ident); ok && refusedCalls[f.Name] != "" {
				c.refuse(refusedCalls[f.Name], "`"+f.Name+"`", e.Span())
				return nil
			}
		}
		c.fail(cx, "E0222", e.Fun.Span(), "this is not a function").At("cannot be called").WithHelp("for a product write `*`")
		return nil
	}
	l := cx.find(id.Name)
	if l != nil && l.fn != nil {
		return c.inline(cx, l.fn, e, l.home, l.home.top)
	}
	if l != nil && l.given {
		c.refuse("at", "reading a solution between its output times in a lambda, `"+id.Name+"(…)`,", e.Span())
		return nil
	}
	if !cx.top {
		if d, ok := c.names[id.Name]; ok {
			switch d.kind {
			case kindState, kindLet, kindInput:
				d.used = true
				c.refuse("delay", "a delay, `"+id.Name+"(t - tau)`,", e.Span())
				return nil
			case kindRefused:
				return nil
			case kindFn:
				d.used = true
				return c.inline(cx, d.fn, e, nil, false)
			case kindUnknown:
				d.used = true
				return c.callUnknown(cx, d, e)
			}
		}
	}
	if f, ok := c.sc.fns[id.Name]; ok {
		return c.inline(cx, f, e, nil, true)
	}
	if d := c.fromScript(id.Name); d != nil && d.kind == kindUnknown {
		if c.res != nil {
			c.fail(cx, "E0222", e.Span(), "`%s` has no values outside a model", id.Name).At("an unknown function").WithHelp("read quantities of the solution instead")
			return nil
		}
		d.used = true
		return c.callUnknown(cx, d, e)
	}
	if x, ok := c.sc.externals[id.Name]; ok {
		return c.externalCall(cx, x, e)
	}
	if id.Name == "diff" {
		return c.diff(cx, e)
	}
	if b, ok := c.env.Lookup(id.Name, callable...); ok {
		if b.Kind == sig.Representation {
			return c.anonymous(cx, b, e)
		}
		return c.builtin(cx, b, e)
	}
	if topic, ok := refusedCalls[id.Name]; ok {
		c.refuse(topic, "`"+id.Name+"`", e.Span())
		return nil
	}
	if refusedReps[id.Name] {
		c.refuse(id.Name, "the representation `"+id.Name+"`", e.Span())
		return nil
	}
	c.noFunction(cx, id, e)
	return nil
}

// noFunction explains the call of what is no function.
func (c *checker) noFunction(cx *ctx, id *ast.Ident, e *ast.Call) {
	for _, a := range e.Args {
		c.expr(cx, a.Value)
	}
	_, isNumber := numbers[id.Name]
	if l := cx.find(id.Name); l != nil || id.Name == "t" || isNumber || !cx.top && c.names[id.Name] != nil {
		if d := c.names[id.Name]; d != nil && !cx.top {
			d.used = true
		}
		c.fail(cx, "E0222", id.Span(), "`%s` is not a function", id.Name).At("cannot be called").WithHelp("for a product write `%s*(…)`", id.Name)
		return
	}
	if _, ok := c.env.Lookup(id.Name, sig.Verb, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery); ok {
		c.fail(cx, "E0222", id.Span(), "`%s` belongs in a script", id.Name).At("not for equations").WithHelp("call it after the model")
		return
	}
	if _, ok := c.env.Lookup(id.Name, sig.Distribution); ok {
		c.fail(cx, "E0222", id.Span(), "`%s` is a distribution", id.Name).At("not for equations").WithHelp("it stands after `~`, as a prior")
		return
	}
	if old, ok := c.unknown[id.Name]; ok {
		if at := &old.Labels[0].Span; at.Src == id.Span().Src && id.Span().Lo < at.Lo {
			*at = id.Span()
		}
		return
	}
	if c.res == nil && c.sc.script[id.Name] && c.quiet == 0 {
		c.unknown[id.Name] = c.fail(cx, "E0215", id.Span(), "a model does not see the script's `%s`", id.Name).At("a variable of the script").
			WithHelp("a function for models is declared, `fn %s(x) = …`", id.Name)
		return
	}
	if c.quiet > 0 {
		return
	}
	d := c.fail(cx, "E0201", id.Span(), "there is no function `%s`", id.Name).At("not declared")
	suggest(d, id.Name, c.candidates(cx, callable...), "declare it: `fn "+id.Name+"(x) = …`")
	c.unknown[id.Name] = d
}

func are(n int) string {
	if n == 1 {
		return "is 1"
	}
	return "are " + itoa(n)
}

func paramNames(b *sig.Builtin) []string {
	out := make([]string, len(b.Params))
	for i, p := range b.Params {
		out[i] = p.Name
	}
	return out
}

// mandatory counts the parameters without a default.
func mandatory(b *sig.Builtin) int {
	n := 0
	for _, p := range b.Params {
		if p.Default == "" {
			n++
		}
	}
	return n
}

// matchArgs brings arguments, by position and by name, into the order of the parameters.
func (c *checker) matchArgs(cx *ctx, name string, params []string, least int, variadic bool, args []*ast.Arg, at diag.Span) ([]ast.Expr, bool) {
	out := make([]ast.Expr, len(params))
	var rest []ast.Expr
	n, ok := 0, true
	for i, a := range args {
		k := i
		if a.Name != nil {
			k = -1
			for j, p := range params {
				if p == a.Name.Name {
					k = j
				}
			}
			if k < 0 {
				d := c.fail(cx, "E0207", a.Name.Span(), "`%s` has no argument `%s`", name, a.Name.Name).At("unknown argument")
				suggest(d, a.Name.Name, params, "it takes: "+listing(params))
				ok = false
				continue
			}
		}
		n++
		switch {
		case k >= len(params) && variadic:
			rest = append(rest, a.Value)
		case k >= len(params):
		case out[k] != nil:
			c.fail(cx, "E0207", a.Span(), "the argument `%s` of `%s` is given twice", params[k], name).At("given again").And(out[k].Span(), "given here").WithHelp("leave one of them out")
			ok = false
		default:
			out[k] = a.Value
		}
	}
	if !ok {
		return nil, false
	}
	missing := ""
	for k := range params {
		if k < least && out[k] == nil && missing == "" {
			missing = params[k]
		}
	}
	if missing != "" || n > len(params) && !variadic {
		want := plural(len(params), "argument")
		switch {
		case variadic:
			want = plural(least, "argument") + " or more"
		case least < len(params):
			want = itoa(least) + " to " + want
		}
		d := c.fail(cx, "E0207", at, "`%s` takes %s, here %s", name, want, are(n)).At("%d given", n)
		if missing != "" {
			d.WithHelp("`%s` is missing", missing)
		} else if len(params) == 0 {
			d.WithHelp("write `%s()`", name)
		} else {
			d.WithHelp("it takes: %s", listing(params))
		}
		return nil, false
	}
	for len(out) > 0 && out[len(out)-1] == nil {
		out = out[:len(out)-1]
	}
	for _, o := range out {
		if o == nil {
			c.fail(cx, "E0207", at, "an argument of `%s` in between is missing", name).WithHelp("it takes: %s", listing(params))
			return nil, false
		}
	}
	return append(out, rest...), true
}

// exprs checks several expressions; ok is false when one of them is wrong.
func (c *checker) exprs(cx *ctx, es []ast.Expr) ([]*model.Expr, bool) {
	out, ok := make([]*model.Expr, len(es)), true
	for i, e := range es {
		out[i] = c.expr(cx, e)
		ok = ok && out[i] != nil
	}
	return out, ok
}

// builtin is the call of a function of the table.
func (c *checker) builtin(cx *ctx, b *sig.Builtin, e *ast.Call) *model.Expr {
	variadic := len(b.Params) > 0 && b.Params[len(b.Params)-1].Variadic
	given, ok := c.matchArgs(cx, b.Name, paramNames(b), mandatory(b), variadic, e.Args, e.Span())
	if !ok {
		for _, a := range e.Args {
			c.expr(cx, a.Value)
		}
		return nil
	}
	args, ok := c.exprs(cx, given)
	if !ok {
		return nil
	}
	out := &model.Expr{Op: model.Call, Name: b.Name, Args: args, Span: e.Span()}
	switch shaper := b.Shaper; {
	case shaper == sig.Reduction:
		if args[0].Shape.IsScalar() {
			c.overScalar(cx, b.Name, args[0])
			return nil
		}
	case shaper == sig.Special && b.Shape != nil:
		if len(args) == 1 && (b.Name == "min" || b.Name == "max") && args[0].Shape.IsScalar() {
			c.overScalar(cx, b.Name, args[0])
			return nil
		}
		shapes := make([]types.Shape, len(args))
		for i, a := range args {
			shapes[i] = a.Shape
		}
		s, err := b.Shape(shapes)
		if err != nil {
			d := c.fail(cx, "E0204", e.Span(), "%v", err).At("in the call of `%s`", b.Name)
			if b.Example != "" {
				d.WithHelp("for example `%s`", b.Example)
			}
			return nil
		}
		out.Shape = s
	default:
		if out.Shape, ok = c.common(cx, b.Name, e.Span(), args...); !ok {
			return nil
		}
	}
	return out
}

func (c *checker) overScalar(cx *ctx, name string, a *model.Expr) {
	c.fail(cx, "E0204", a.Span, "`%s` takes an array", name).At("a scalar").WithHelp("over an index write `%s[j in 1..n] …`", name)
}

// inline puts the body of a function in place of its call, its parameters bound to the arguments. home is
// what a function of a formula sees besides.
func (c *checker) inline(cx *ctx, f *ast.Fn, e *ast.Call, home *ctx, top bool) *model.Expr {
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
	}
	given, ok := c.matchArgs(cx, f.Name.Name, names, len(names), false, e.Args, e.Span())
	if !ok {
		for _, a := range e.Args {
			c.expr(cx, a.Value)
		}
		return nil
	}
	args, ok := c.exprs(cx, given)
	depth := 0
	for s := cx.call; s != nil; s = s.up {
		if s.fn == f {
			c.fail(nil, "E0227", e.Span(), "`%s` calls itself", f.Name.Name).At("called again").And(f.Name.Span(), "declared here").
				WithHelp("a function is put in place of its call, so it cannot come back to itself")
			return nil
		}
		depth++
	}
	if c.calls++; c.calls > maxCalls || depth > maxDepth {
		if !c.grown {
			c.fail(nil, "E0232", e.Span(), "too many functions in functions").At("functions are put in place of their calls, and here they are too many").
				WithHelp("name results that are used twice, by `let`")
		}
		c.grown = true
	}
	if c.grown {
		return nil
	}
	inner := &ctx{stage: cx.stage, what: cx.what, top: top || cx.top, call: &site{fn: f, span: e.Span(), up: cx.call}}
	if home != nil {
		inner.locals = home.locals
	}
	out := &model.Expr{Op: model.LetIn, Name: f.Name.Name, Span: e.Span()}
	seen := map[string]bool{}
	for i, p := range f.Params {
		if seen[p.Name] {
			c.fail(nil, "E0202", p.Span(), "`%s` is declared twice", p.Name).At("two parameters of one name").WithHelp("rename one of them")
			return nil
		}
		seen[p.Name] = true
		if _, is := reserved[p.Name]; is {
			c.fail(nil, "E0217", p.Span(), "`%s` cannot be redefined", p.Name).At("used as a parameter").WithHelp("choose another name")
			return nil
		}
		s := &model.Symbol{Name: p.Name, Kind: model.Local, Span: p.Span()}
		if args[i] == nil {
			inner.locals = &local{name: p.Name, up: inner.locals}
			continue
		}
		s.Shape = args[i].Shape
		c.bound[s] = args[i]
		out.Syms = append(out.Syms, s)
		out.Args = append(out.Args, args[i])
		inner.locals = &local{name: p.Name, sym: s, up: inner.locals}
	}
	var body *model.Expr
	if t, isTuple := ast.Unparen(f.Body).(*ast.Tuple); isTuple {
		body = c.stacked(inner, t)
	} else {
		body = c.expr(inner, f.Body)
	}
	if body == nil || !ok {
		return nil
	}
	out.Args = append(out.Args, body)
	out.Shape = body.Shape
	return out
}

// stacked is a tuple of equal shapes as an array: what a function of several results gives.
func (c *checker) stacked(cx *ctx, t *ast.Tuple) *model.Expr {
	l := &ast.List{Elems: t.Elems}
	l.SetSpan(t.Span())
	return c.list(cx, l)
}
