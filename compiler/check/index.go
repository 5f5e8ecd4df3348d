package check

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// index is x[a, b..c]. Fewer indices than axes keep the trailing axes.
func (c *checker) index(cx *ctx, e *ast.Index) *model.Expr {
	x := c.expr(cx, e.X)
	if x == nil {
		return nil
	}
	return c.indexOf(cx, x, e)
}

func (c *checker) indexOf(cx *ctx, x *model.Expr, e *ast.Index) *model.Expr {
	if x.Shape.IsScalar() {
		c.fail(cx, "E0204", e.Span(), "%s is a scalar, it has no elements", named(x)).At("a scalar").WithHelp("use it without `[…]`")
		return nil
	}
	if len(e.Args) > len(x.Shape) {
		c.fail(cx, "E0204", e.Span(), "%s for %s", counted(len(e.Args), "index", "indices"), has(named(x), x.Shape)).At("%s", x.Shape).
			WithHelp("give at most %s", counted(len(x.Shape), "index", "indices"))
		return nil
	}
	out := &model.Expr{Op: model.Index, Args: []*model.Expr{x}, Span: e.Span()}
	ok := true
	for k, a := range e.Args {
		ix, n, good := c.indexArg(cx.withEnd(x.Shape[k]), a, x.Shape[k])
		ok = ok && good
		if n > 0 {
			out.Shape = append(out.Shape, n)
		}
		out.Idx = append(out.Idx, ix)
	}
	if !ok {
		return nil
	}
	out.Shape = append(out.Shape, x.Shape[len(e.Args):]...)
	return out
}

// named is how a message calls an expression.
func named(x *model.Expr) string {
	if t := x.Span.Text(); t != "" && len(t) <= 40 {
		return "`" + t + "`"
	}
	return "this"
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}

// indexArg checks one index of an axis of extent n. A range keeps its axis: its length is the second result, else 0.
func (c *checker) indexArg(cx *ctx, a ast.Expr, n int) (model.Idx, int, bool) {
	if r, ok := ast.Unparen(a).(*ast.Range); ok {
		lo, hi, by, good := c.rangeOf(cx, r, 1, n)
		if !good {
			return model.Idx{}, 0, false
		}
		count := 0
		if by > 0 && hi >= lo || by < 0 && lo >= hi {
			count = (hi-lo)/by + 1
		}
		if count == 0 {
			c.fail(cx, "E0205", a.Span(), "the range %d..%d is empty", lo, hi).At("selects nothing").WithHelp("the lower end comes first; backwards is `%d..%d by -1`", lo, hi)
			return model.Idx{}, 0, false
		}
		for _, k := range []int{lo, lo + (count-1)*by} {
			if k < 1 || k > n {
				c.outside(cx, a.Span(), k, n).At("reaches %d", k)
				return model.Idx{}, 0, false
			}
		}
		return model.Idx{Lo: lo, Hi: hi, By: by}, count, true
	}
	if b, ok := a.(*ast.Bind); ok && c.free[b.Var.Name] {
		a = b.Var
	}
	if b, ok := a.(*ast.Bind); ok {
		c.fail(cx, "E0206", b.Span(), "`%s in …` does not stand in an index", b.Var.Name).At("only on the left of an equation, and after `sum`").
			WithHelp("select with a range, `u[2..4]`")
		return model.Idx{}, 0, false
	}
	x := c.expr(cx, a)
	if x == nil {
		return model.Idx{}, 0, false
	}
	if !x.Shape.IsScalar() {
		c.fail(cx, "E0206", x.Span, "an index is a number or a range").At("%s", x.Shape).WithHelp("for several elements write a range, `u[2..4]`, or a list, `[u[1], u[3]]`")
		return model.Idx{}, 0, false
	}
	s, no := c.static(x)
	if no != nil {
		c.notKnown(cx, no, x)
		return model.Idx{}, 0, false
	}
	if !c.inside(cx, s, n, x.Span) {
		return model.Idx{}, 0, false
	}
	return model.Idx{At: s}, 0, true
}

func (c *checker) outside(cx *ctx, at diag.Span, k, n int) *diag.Diagnostic {
	d := c.fail(cx, "E0205", at, "index %d is outside 1..%d", k, n)
	if k == 0 {
		return d.WithHelp("indices start at 1")
	}
	return d.WithHelp("the last index is `end`, %d here", n)
}

// inside checks that a static index stays in 1..n for all values of its index variables.
func (c *checker) inside(cx *ctx, e *model.Expr, n int, at diag.Span) bool {
	if e.Op == model.Num {
		k, ok := whole(e.Val[0])
		if !ok {
			c.fail(cx, "E0206", at, "an index must be a whole number, this is %g", e.Val[0]).At("%g", e.Val[0]).WithHelp("use `floor(…)` or `round(…)`")
			return false
		}
		if k < 1 || k > n {
			c.outside(cx, at, k, n).At("%d", k)
			return false
		}
		return true
	}
	if lo, hi, ok := interval(e); ok && lo >= 1 && hi <= float64(n) {
		return true
	}
	// The interval is too wide where a variable stands twice, and says nothing of mod and division: then all
	// values are tried.
	var vars []*model.Symbol
	seen := map[*model.Symbol]bool{}
	e.Walk(func(x *model.Expr) bool {
		if x.Op == model.Ref && !seen[x.Sym] {
			seen[x.Sym] = true
			vars = append(vars, x.Sym)
		}
		return true
	})
	total := 1
	for _, v := range vars {
		if steps(v) <= 0 {
			return true
		}
		if total > maxSize/steps(v) {
			c.fail(cx, "E0228", at, "this index takes too many values").At("more than %d", maxSize).WithHelp("choose smaller ranges")
			return false
		}
		total *= steps(v)
	}
	env := map[*model.Symbol]int{}
	for k := range total {
		for i, rem := len(vars)-1, k; i >= 0; i-- {
			env[vars[i]] = vars[i].Lo0 + rem%steps(vars[i])*vars[i].Step
			rem /= steps(vars[i])
		}
		v := evaluate(e, env)
		p, ok := whole(v)
		where := ""
		for i, s := range vars {
			if i > 0 {
				where += ", "
			}
			where += s.Name + " = " + itoa(env[s])
		}
		if !ok {
			c.fail(cx, "E0206", at, "an index must be a whole number").At("%g at %s", v, where).WithHelp("use `floor(…)` or `round(…)`")
			return false
		}
		if p < 1 || p > n {
			held := "max(" + at.Text() + ", 1)"
			if p > n {
				held = "min(" + at.Text() + ", " + itoa(n) + ")"
			}
			c.fail(cx, "E0205", at, "index %d is outside 1..%d", p, n).At("%d at %s", p, where).
				WithHelp("change the range of `%s`, and write the elements at the edge apart, or hold the index there, `%s`; an `if` has both its branches looked through", vars[len(vars)-1].Name, held)
			return false
		}
	}
	return true
}

// interval bounds a whole-numbered expression that is linear in its index variables.
func interval(e *model.Expr) (lo, hi float64, ok bool) {
	switch e.Op {
	case model.Num:
		k, good := whole(e.Val[0])
		return float64(k), float64(k), good
	case model.Ref:
		n := steps(e.Sym)
		if n <= 0 {
			return 0, 0, false
		}
		a, b := float64(e.Sym.Lo0), float64(e.Sym.Lo0+(n-1)*e.Sym.Step)
		return min(a, b), max(a, b), true
	case model.Call:
		a, b, ok := interval(e.Args[0])
		if !ok {
			return 0, 0, false
		}
		if e.Name == "neg" {
			return -b, -a, true
		}
		if len(e.Args) != 2 {
			return 0, 0, false
		}
		c, d, ok := interval(e.Args[1])
		if !ok {
			return 0, 0, false
		}
		switch e.Name {
		case "+":
			return a + c, b + d, true
		case "-":
			return a - d, b - c, true
		case "*":
			return min(a*c, a*d, b*c, b*d), max(a*c, a*d, b*c, b*d), true
		}
	}
	return 0, 0, false
}

// steps is how many values an index variable takes; it may be negative for an empty range.
func steps(s *model.Symbol) int {
	if s.Step > 0 && s.Hi0 < s.Lo0 || s.Step < 0 && s.Hi0 > s.Lo0 {
		return 0
	}
	return (s.Hi0-s.Lo0)/s.Step + 1
}

// rangeOf evaluates lo..hi by step; a missing end is the default.
func (c *checker) rangeOf(cx *ctx, r *ast.Range, lo, hi int) (int, int, int, bool) {
	by, ok := 1, true
	get := func(e ast.Expr, into *int) {
		if e != nil {
			v, good := c.wholeNumber(cx, e)
			if good {
				*into = v
			}
			ok = ok && good
		}
	}
	get(r.Lo, &lo)
	get(r.Hi, &hi)
	get(r.By, &by)
	if r.At != nil {
		c.fail(cx, "E0206", r.At.Span(), "`at` does not stand in a range of indices").At("of times only").WithHelp("write `lo..hi by step`")
		return 0, 0, 0, false
	}
	if ok && by == 0 {
		c.fail(cx, "E0206", r.By.Span(), "the step of a range is 0").At("0").WithHelp("leave it out, or go by 1 or more")
		ok = false
	}
	return lo, hi, by, ok
}

// indexVar makes the variable of `j in 1..n`.
func (c *checker) indexVar(cx *ctx, b *ast.Bind) (*model.Symbol, bool) {
	if _, ok := reserved[b.Var.Name]; ok {
		c.fail(cx, "E0217", b.Var.Span(), "`%s` cannot be redefined", b.Var.Name).At("used as an index").WithHelp("choose another name")
		return nil, false
	}
	r, ok := ast.Unparen(b.Over).(*ast.Range)
	if !ok || r.Lo == nil || r.Hi == nil {
		c.fail(cx, "E0206", b.Over.Span(), "an index runs over a range").At("not a range").WithHelp("write `%s in 1..n`", b.Var.Name)
		return nil, false
	}
	lo, hi, by, ok := c.rangeOf(cx, r, 1, 1)
	if !ok {
		return nil, false
	}
	s := &model.Symbol{Name: b.Var.Name, Kind: model.IndexVar, Span: b.Var.Span(), Lo0: lo, Hi0: hi, Step: by, Unit: types.One}
	if steps(s) > maxSize {
		c.fail(cx, "E0228", b.Over.Span(), "this range has too many values").At("more than %d", maxSize).WithHelp("choose a smaller range")
		return nil, false
	}
	return s, true
}
