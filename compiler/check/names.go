package check

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
)

// numbers are the named numbers of the language; they cannot be redefined.
var numbers = map[string]float64{"pi": math.Pi, "inf": math.Inf(1), "nan": math.NaN()}

// ident looks a name up where a value is wanted.
func (c *checker) ident(cx *ctx, e *ast.Ident) *model.Expr {
	if e.Name == "end" {
		if cx.end > 0 {
			return num(float64(cx.end), e.Span())
		}
		c.fail(cx, "E0230", e.Span(), "`end` is the last index").At("not inside an index").WithHelp("use it as `u[end]` or `u[2..end]`")
		return nil
	}
	if l := cx.find(e.Name); l != nil {
		if l.given {
			c.fail(cx, "E0230", e.Span(), "`%s` is a solution, not a number", e.Name).At("used as a value").WithHelp("say which quantity, as `%s.x`", e.Name)
			return nil
		}
		if l.fn != nil {
			c.fail(cx, "E0222", e.Span(), "`%s` is a function, not a value", e.Name).At("not called").WithHelp("call it, `%s(…)`", e.Name)
			return nil
		}
		if l.sym == nil {
			return nil
		}
		return ref(l.sym, e.Span())
	}
	if e.Name == "t" {
		return c.timeRef(cx, e.Span())
	}
	if v, ok := numbers[e.Name]; ok {
		return num(v, e.Span())
	}
	if !cx.top {
		if d, ok := c.names[e.Name]; ok {
			return c.entryRef(cx, d, e.Span())
		}
	}
	if c.res != nil {
		if vals, shape, ok := c.res.Capture(e.Name); ok {
			return &model.Expr{Op: model.Num, Val: vals, Shape: shape, Span: e.Span()}
		}
	}
	if d := c.fromScript(e.Name); d != nil {
		return c.entryRef(cx, d, e.Span())
	}
	c.noSuch(cx, e)
	return nil
}

func (c *checker) timeRef(cx *ctx, at diag.Span) *model.Expr {
	switch {
	case c.res != nil:
		c.fail(cx, "E0216", at, "`t` is not known in a lambda").At("the time").WithHelp("the output times are `s.t`, s the lambda's solution")
	case cx.stage == stageConst:
		c.fail(cx, "E0216", at, "%s must be known before the run", cx.what).At("the time is not").WithHelp("use numbers and constants")
	case cx.top:
		c.fail(cx, "E0216", at, "a function of the script does not see the time").At("`t` is only known in a model").WithHelp("make it an argument, or put the function into the model")
	default:
		return ref(c.time, at)
	}
	return nil
}

// fromScript finds a constant or unknown of the script; each model has its own symbol for it.
func (c *checker) fromScript(name string) *entry {
	if e, ok := c.outer[name]; ok {
		return e
	}
	var e *entry
	if it, ok := c.sc.consts[name]; ok {
		e = &entry{name: name, kind: kindConst, item: it, span: it.Name.Span(), script: true}
	} else if u, ok := c.sc.unknowns[name]; ok {
		e = &entry{name: name, kind: kindUnknown, unk: u, span: u.Name.Span(), script: true}
	} else {
		return nil
	}
	c.outer[name] = e
	return e
}

// entryRef is the value of a declared name.
func (c *checker) entryRef(cx *ctx, e *entry, at diag.Span) *model.Expr {
	e.used = true
	switch e.kind {
	case kindRefused:
		return nil
	case kindFn, kindUnknown:
		c.fail(cx, "E0222", at, "`%s` is a function, not a value", e.name).At("not called").WithHelp("call it, `%s(…)`", e.name)
		return nil
	}
	if cx.stage == stageConst && e.kind != kindConst {
		c.fail(cx, "E0216", at, "%s must be known before the run", cx.what).At("`%s` is %s", e.name, e.kind).
			WithHelp("use numbers and constants, or make the quantity a `let`")
		return nil
	}
	if !c.settle(e) {
		return nil
	}
	return ref(e.sym, at)
}

// noSuch explains a name that nothing is known of.
func (c *checker) noSuch(cx *ctx, e *ast.Ident) {
	if old, ok := c.unknown[e.Name]; ok {
		// One slip may show in many equations: it is told once, at its first place.
		if at := &old.Labels[0].Span; at.Src == e.Span().Src && e.Span().Lo < at.Lo {
			*at = e.Span()
		}
		return
	}
	if c.quiet > 0 {
		return
	}
	var d *diag.Diagnostic
	switch {
	case c.isFunction(e.Name):
		d = c.fail(cx, "E0222", e.Span(), "`%s` is a function, not a value", e.Name).At("not called").WithHelp("call it, `%s(…)`", e.Name)
	case c.res == nil && c.sc.script[e.Name]:
		d = c.fail(cx, "E0215", e.Span(), "a model does not see the script's `%s`", e.Name).At("a variable of the script").
			WithHelp("values come in by `set = {…}`: declare `param %s` or `const %s` in the model", e.Name, e.Name)
	case c.res != nil && c.sc.script[e.Name]:
		d = c.fail(cx, "E0215", e.Span(), "`%s` is not made of numbers", e.Name).At("a lambda captures numbers and arrays").
			WithHelp("take the numbers out of it first, `v = %s.…`, and use `v`", e.Name)
	default:
		d = c.fail(cx, "E0201", e.Span(), "nothing is called `%s`", e.Name).At("not declared")
		hint := "declare it: `param`, `const`, `let` or `state`"
		if c.res != nil {
			hint = "give it a value before"
			if c.sc.models[e.Name] != nil {
				hint = "it is a model: its parameters, as they are in the solution `s` of the lambda, are `s.k`"
			}
		}
		suggest(d, e.Name, c.candidates(cx, sig.Function, sig.Constant), hint)
	}
	c.unknown[e.Name] = d
}

func (c *checker) isFunction(name string) bool {
	if _, ok := c.env.Lookup(name, sig.Function, sig.Representation); ok {
		return true
	}
	if _, ok := c.sc.fns[name]; ok {
		return true
	}
	if _, ok := c.sc.externals[name]; ok {
		return true
	}
	return name == "diff"
}

// candidates lists the names that may have been meant.
func (c *checker) candidates(cx *ctx, kinds ...sig.Kind) []string {
	out := c.env.Names(kinds...)
	for l := cx.locals; l != nil; l = l.up {
		out = append(out, l.name)
	}
	if !cx.top {
		for n := range c.names {
			out = append(out, n)
		}
	}
	for n := range c.sc.consts {
		out = append(out, n)
	}
	for n := range c.sc.fns {
		out = append(out, n)
	}
	for n := range c.sc.unknowns {
		out = append(out, n)
	}
	for n := range c.sc.externals {
		out = append(out, n)
	}
	if c.res != nil {
		for n := range c.sc.script {
			out = append(out, n)
		}
	}
	return out
}

// suggest sets the help: the nearest name, or a general hint.
func suggest(d *diag.Diagnostic, name string, names []string, hint string) {
	if near := diag.Suggest(name, names); near != "" {
		d.WithHelp("did you mean `%s`?", near)
		return
	}
	d.WithHelp("%s", hint)
}

// member is a.x, s.x, U.W1.
func (c *checker) member(cx *ctx, e *ast.Member) *model.Expr {
	root, path, at := flatten(e)
	id, ok := root.(*ast.Ident)
	if !ok {
		if call, isCall := root.(*ast.Call); isCall && c.res != nil {
			if f, isName := call.Fun.(*ast.Ident); isName {
				if l := cx.find(f.Name); l != nil && l.given {
					c.refuse("at", "reading a solution between its output times in a lambda, `"+f.Name+"(…)`,", call.Span())
					return nil
				}
			}
		}
		c.fail(cx, "E0222", e.Span(), "this has no parts, so no `.%s`", path[0]).At("not a name").WithHelp("only parts, unknowns and solutions have parts")
		return nil
	}
	if l := cx.find(id.Name); l != nil {
		if l.given {
			return c.resolved(id.Name, path, at)
		}
		c.fail(cx, "E0222", e.Span(), "`%s` has no parts, so no `.%s`", id.Name, path[0]).At("`%s` is a number or an array", id.Name).WithHelp("use it without the point")
		return nil
	}
	var d *entry
	if !cx.top {
		d = c.names[id.Name]
	}
	if d == nil {
		d = c.fromScript(id.Name)
	}
	if d == nil {
		if c.res != nil && c.sc.script[id.Name] {
			c.fail(cx, "E0215", e.Span(), "a lambda captures numbers and arrays").At("`%s` is neither", id.Name).WithHelp("take the value out first, `v = %s`, and use `v`", e.Span().Text())
			return nil
		}
		c.noSuch(cx, id)
		return nil
	}
	d.used = true
	switch d.kind {
	case kindRefused:
		return nil
	case kindUnknown:
		return c.weight(cx, d, path, e.Span())
	}
	c.fail(cx, "E0222", e.Span(), "`%s` has no parts, so no `.%s`", id.Name, path[0]).At("`%s` is %s", id.Name, d.kind).WithHelp("use it without the point")
	return nil
}

func flatten(e *ast.Member) (root ast.Expr, path []string, at diag.Span) {
	at = e.Span()
	var x ast.Expr = e
	for {
		m, ok := x.(*ast.Member)
		if !ok {
			return x, path, at
		}
		path = append([]string{m.Name.Name}, path...)
		x = m.X
	}
}

// resolved asks the resolver of a lambda.
func (c *checker) resolved(param string, path []string, at diag.Span) *model.Expr {
	s, d := c.res.Member(param, path, at)
	if d != nil {
		if p := (place{d.Code, at}); !c.said[p] {
			c.said[p] = true
			c.errs.Add(d)
		}
		return nil
	}
	if !c.isGiven[s] {
		c.isGiven[s] = true
		c.given = append(c.given, s)
	}
	return ref(s, at)
}

// weight is U.W1, an array of an unknown that has been called before.
func (c *checker) weight(cx *ctx, e *entry, path []string, at diag.Span) *model.Expr {
	if e.status == bad {
		return nil
	}
	if cx.stage == stageConst {
		c.fail(cx, "E0216", at, "%s must be known before the run", cx.what).At("the weights of `%s` are learned", e.name).WithHelp("use numbers and constants")
		return nil
	}
	if e.status == untouched && !c.settleByCall(e) {
		c.fail(cx, "E0222", at, "the weights of `%s` are not known here", e.name).At("their shapes follow from the first call").
			WithHelp("call `%s` in a `let` before", e.name)
		return nil
	}
	var names []string
	for _, w := range e.learned.Weights {
		if w.Spec.Name == path[0] && len(path) == 1 {
			return ref(w, at)
		}
		names = append(names, w.Spec.Name)
	}
	d := c.fail(cx, "E0201", at, "`%s` has no `%s`", e.name, path[0]).At("not one of its weights")
	suggest(d, path[0], names, fmt.Sprintf("it has: %s", listing(names)))
	return nil
}

// settleByCall looks for a call of an unknown whose weights are read before it is met, and settles its inputs by it.
func (c *checker) settleByCall(e *entry) bool {
	look := func(x ast.Expr) {
		ast.Inspect(x, func(n ast.Node) bool {
			call, ok := n.(*ast.Call)
			if !ok || e.status != untouched {
				return e.status == untouched
			}
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == e.name {
				c.quiet++
				c.callUnknown(&ctx{stage: stageRun, what: "a call"}, e, call)
				c.quiet--
			}
			return true
		})
	}
	for _, d := range c.order {
		if d.let != nil {
			look(d.let.Value)
		}
	}
	for _, q := range c.eqs {
		look(q.RHS)
	}
	for _, v := range c.evs {
		look(v.Trigger)
		for _, u := range v.Body {
			look(u.Value)
		}
	}
	return e.status == done
}

func listing(names []string) string {
	s := ""
	for i, n := range names {
		if i == 12 {
			return s + ", …"
		}
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
