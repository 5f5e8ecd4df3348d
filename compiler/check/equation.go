package check

import (
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// coverage collects the equations of one state.
type coverage struct {
	parts  []model.Part
	left   []diag.Span // left sides, for labels
	broken bool        // a part was wrong: what is missing is not held against the state
}

func (c *checker) covers(s *model.Symbol) *coverage {
	v, ok := c.parts[s]
	if !ok {
		v = &coverage{}
		c.parts[s] = v
	}
	return v
}

// equations checks every equation, then that each state has its derivative exactly once.
func (c *checker) equations() {
	for _, q := range c.eqs {
		c.equation(q)
	}
	sound := true
	for _, e := range c.order {
		if e.kind != kindState || e.status != done {
			continue
		}
		if e.discrete { // it does not change by itself
			c.covers(e.sym).parts = []model.Part{{RHS: num(0, e.span), Span: e.span}}
			c.covers(e.sym).left = []diag.Span{e.span}
			continue
		}
		for n, s := range e.chain[:len(e.chain)-1] {
			v := c.covers(s)
			v.parts = []model.Part{{RHS: ref(e.chain[n+1], e.span), Span: e.span}}
			v.left = []diag.Span{e.span}
		}
		last := e.chain[len(e.chain)-1]
		c.complete(last)
		sound = sound && !c.covers(last).broken
	}
	if len(c.implicit) > 0 && sound && !c.partial {
		c.balance()
	}
}

func (c *checker) equation(q *ast.Equation) {
	left, order := ast.Unparen(q.LHS), 0
	for {
		p, ok := left.(*ast.Prime)
		if !ok {
			break
		}
		order++
		left = ast.Unparen(p.X)
	}
	var args []ast.Expr
	if ix, ok := left.(*ast.Index); ok {
		left, args = ast.Unparen(ix.X), ix.Args
	}
	id, ok := left.(*ast.Ident)
	if !ok || order == 0 {
		c.otherEquation(q, left, order)
		return
	}
	if id.Name == "t" {
		c.fail(nil, "E0217", q.LHS.Span(), "time has no equation").At("`t` runs by itself, its derivative is 1").WithHelp("for a clock of your own declare a state, `state tau = 0`, `tau' = 1`")
		return
	}
	e, ok := c.names[id.Name]
	if !ok {
		if _, isOuter := c.sc.consts[id.Name]; isOuter || numbers[id.Name] != 0 || id.Name == "nan" {
			c.fail(nil, "E0213", q.LHS.Span(), "`%s` has no derivative", id.Name).At("`%s` is a constant", id.Name).WithHelp("declare a state of another name")
		} else if old, said := c.unknown[id.Name]; !said || old == nil {
			var states []string
			for _, d := range c.order {
				if d.kind == kindState {
					states = append(states, d.name)
				}
			}
			d := c.fail(nil, "E0201", id.Span(), "there is no state `%s`", id.Name).At("not declared")
			suggest(d, id.Name, states, "declare it: `state "+id.Name+" = …`")
			c.unknown[id.Name] = d
		}
		c.partial = true // the state that was meant has no equation for the same reason
		c.rightSide(q)
		return
	}
	switch {
	case e.kind == kindRefused, e.kind != kindState && e.twice:
		return
	case e.discrete:
		c.fail(nil, "E0213", q.LHS.Span(), "`%s` has no derivative", id.Name).At("`%s` changes by events alone", id.Name).And(e.span, "declared here").
			WithHelp("declare `state %s = …` for what changes in between too", id.Name)
		c.rightSide(q)
		return
	case e.kind != kindState:
		d := c.fail(nil, "E0213", q.LHS.Span(), "`%s` has no derivative", id.Name).At("`%s` is %s", id.Name, e.kind).And(e.span, "declared here")
		if e.kind == kindParam || e.kind == kindConst {
			d.WithHelp("what changes in time is a `state`")
		} else {
			d.WithHelp("declare `state %s = …` instead", id.Name)
		}
		e.used = true
		return
	case e.status != done:
		c.rightSide(q)
		return
	case order > len(e.chain):
		missing := make([]string, 0, order)
		for n := range order {
			missing = append(missing, e.name+primes(n)+" = …")
		}
		c.fail(nil, "E0229", q.LHS.Span(), "`%s` has no initial value", e.name+primes(order-1)).At("an equation of order %d", order).And(e.span, "`%s` starts here", e.name).
			WithHelp("write `state %s`", strings.Join(missing, ", "))
		c.covers(e.chain[len(e.chain)-1]).broken = true
		c.rightSide(q)
		return
	case order < len(e.chain):
		c.fail(nil, "E0229", q.LHS.Span(), "`%s` is a state of its own", e.name+primes(order)).At("given by its initial value").And(e.chain[order].Span, "here").
			WithHelp("write the equation for `%s`, or drop the initial value of `%s`", e.name+primes(len(e.chain)), e.name+primes(order))
		c.covers(e.chain[len(e.chain)-1]).broken = true
		c.rightSide(q)
		return
	}
	s := e.chain[order-1]
	v := c.covers(s)
	part, ok := c.part(q, s, args)
	if !ok {
		v.broken = true
		return
	}
	v.parts = append(v.parts, part)
	v.left = append(v.left, q.LHS.Span())
}

// rightSide looks for mistakes in an equation whose left side is wrong; it is of no use when that had index variables.
func (c *checker) rightSide(q *ast.Equation) {
	left := ast.Unparen(q.LHS)
	for {
		p, ok := left.(*ast.Prime)
		if !ok {
			break
		}
		left = ast.Unparen(p.X)
	}
	if _, indexed := left.(*ast.Index); !indexed {
		c.expr(&ctx{stage: stageRun, what: "an equation"}, q.RHS)
	}
}

// otherEquation is about the equations that give no derivative by themselves.
func (c *checker) otherEquation(q *ast.Equation, left ast.Expr, order int) {
	switch x := left.(type) {
	case *ast.Number:
		if x.Value == 0 && order == 0 {
			c.implicitEquation(q, true)
			return
		}
	case *ast.Call:
		if id, ok := x.Fun.(*ast.Ident); ok && id.Name == "caputo" {
			c.partial = true
			c.refuse("caputo", "`caputo`", q.Span())
			return
		}
	case *ast.Ident, *ast.Index:
		c.partial = true
		name := c.nameOf(left)
		d := c.fail(nil, "E0219", q.LHS.Span(), "a new quantity needs `let`").At("the left side of an equation is a derivative")
		if e, ok := c.names[name]; ok && e.kind == kindState {
			d.Message = "the left side of an equation is a derivative"
			d.At("`%s` is a state", name).WithHelp("write `%s' = …`", name)
			e.used = true
		} else {
			d.WithHelp("write `let %s = …`, or `%s' = …` for a derivative", name, name)
		}
		c.rightSide(q)
		return
	case *ast.Member:
		if id, ok := x.X.(*ast.Ident); ok && c.names[id.Name] != nil && c.names[id.Name].kind == kindRefused {
			c.partial = true
			return
		}
	}
	if hasPrime(q.LHS) {
		c.implicitEquation(q, false)
		return
	}
	c.partial = true
	c.fail(nil, "E0219", q.LHS.Span(), "this is not the left side of an equation").At("no derivative").
		WithHelp("an algebraic equation has 0 on its left: write `0 = %s`", ast.ExprString(&ast.Binary{Op: "-", X: q.LHS, Y: q.RHS}))
}

func (c *checker) nameOf(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.Index:
		return c.nameOf(ast.Unparen(x.X))
	}
	return "v"
}

// hasPrime looks for a derivative in a left side.
func hasPrime(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Prime:
		return true
	case *ast.Paren:
		return hasPrime(x.X)
	case *ast.Unary:
		return hasPrime(x.X)
	case *ast.Binary:
		return hasPrime(x.X) || hasPrime(x.Y)
	case *ast.Index:
		return hasPrime(x.X)
	}
	return false
}

// axisIndex is one index of a left side: a position (with index variables), or a range.
type axisIndex struct {
	at         *model.Expr
	lo, hi, by int
	extent     int
}

// part checks one equation of a state.
func (c *checker) part(q *ast.Equation, s *model.Symbol, args []ast.Expr) (model.Part, bool) {
	cx := &ctx{stage: stageRun, what: "the equation of `" + s.Name + "`"}
	part := model.Part{Span: q.Span()}
	want := s.Shape
	ok := true
	if len(args) > 0 {
		if len(args) > len(s.Shape) {
			if s.Shape.IsScalar() {
				c.fail(nil, "E0204", q.LHS.Span(), "`%s` is a scalar, it has no elements", s.Name).At("a scalar").And(s.Span, "declared here").WithHelp("declare `state %s[n] = …`, or leave the index out", s.Name)
			} else {
				c.fail(nil, "E0204", q.LHS.Span(), "%s for %s", counted(len(args), "index", "indices"), has("`"+s.Name+"`", s.Shape)).At("%s", s.Shape).
					WithHelp("give at most %s", counted(len(s.Shape), "index", "indices"))
			}
			return part, false
		}
		if cx, ok = c.leftVars(cx, s, args, &part); !ok {
			return part, false
		}
		if want, ok = c.leftIndices(cx, s, args, &part); !ok {
			c.expr(cx, q.RHS)
			return part, false
		}
	}
	rhs := c.expr(cx, q.RHS)
	name := s.Name
	if len(args) > 0 && !want.Equal(s.Shape) {
		name = strings.TrimRight(strings.TrimSpace(q.LHS.Span().Text()), "'")
		if name == "" {
			name = s.Name + "[…]"
		}
	}
	if rhs == nil || !c.fits(cx, rhs, want, name) {
		return part, false
	}
	part.RHS = rhs
	return part, true
}

// leftVars binds the index variables of u[i]' and u[i in 2..n-1]': a bare name that is not declared runs over its axis.
func (c *checker) leftVars(cx *ctx, s *model.Symbol, args []ast.Expr, part *model.Part) (*ctx, bool) {
	ok := true
	for k, a := range args {
		n := s.Shape[k]
		var v *model.Symbol
		switch a := a.(type) {
		case *ast.Bind:
			good := false
			if v, good = c.indexVar(cx.withEnd(n), a); !good {
				ok = false
				continue
			}
			if cx.find(a.Var.Name) != nil {
				c.fail(nil, "E0202", a.Var.Span(), "`%s` is declared twice", a.Var.Name).At("two indices of one name").WithHelp("rename one of them")
				ok = false
				continue
			}
		case *ast.Ident:
			if a.Name == "end" || cx.find(a.Name) != nil || c.names[a.Name] != nil || c.sc.consts[a.Name] != nil {
				continue
			}
			if _, is := reserved[a.Name]; is {
				continue
			}
			v = &model.Symbol{Name: a.Name, Kind: model.IndexVar, Span: a.Span(), Lo0: 1, Hi0: n, Step: 1, Unit: types.One}
		default:
			continue
		}
		part.Vars = append(part.Vars, v)
		cx = cx.bind(v.Name, v, false)
	}
	return cx, ok
}

// leftIndices finds the elements that an equation is about, and the shape of one value of its right side.
func (c *checker) leftIndices(cx *ctx, s *model.Symbol, args []ast.Expr, part *model.Part) (types.Shape, bool) {
	axes := make([]axisIndex, len(s.Shape))
	var want types.Shape
	for k, n := range s.Shape {
		ax := &axes[k]
		ax.extent = n
		ax.lo, ax.hi, ax.by = 1, n, 1
		if k >= len(args) {
			want = append(want, n)
			continue
		}
		a := args[k]
		if b, ok := a.(*ast.Bind); ok {
			a = b.Var
		}
		ix, count, ok := c.indexArg(cx.withEnd(n), a, n)
		if !ok {
			return nil, false
		}
		if ix.At != nil {
			ax.at = ix.At
			continue
		}
		ax.lo, ax.hi, ax.by = ix.Lo, ix.Hi, ix.By
		want = append(want, count)
	}
	part.Flat = positions(axes, part.Vars)
	if len(part.Vars) == 0 && len(part.Flat) == s.Shape.Size() && slices.IsSorted(part.Flat) {
		part.Flat = nil // u[..]' is u'
	}
	return want, true
}

// positions lists the row-major positions of the elements, for every value of the variables in turn.
func positions(axes []axisIndex, vars []*model.Symbol) []int {
	total := 1
	for _, v := range vars {
		total *= max(0, steps(v))
	}
	flat := []int{}
	env := map[*model.Symbol]int{}
	var walk func(d, off int)
	walk = func(d, off int) {
		if d == len(axes) {
			flat = append(flat, off)
			return
		}
		ax := &axes[d]
		if ax.at != nil {
			k, _ := whole(evaluate(ax.at, env))
			walk(d+1, off*ax.extent+k-1)
			return
		}
		for k := ax.lo; ax.by > 0 && k <= ax.hi || ax.by < 0 && k >= ax.hi; k += ax.by {
			walk(d+1, off*ax.extent+k-1)
		}
	}
	for k := range total {
		for i, rem := len(vars)-1, k; i >= 0; i-- {
			env[vars[i]] = vars[i].Lo0 + rem%steps(vars[i])*vars[i].Step
			rem /= steps(vars[i])
		}
		walk(0, 0)
	}
	return flat
}

// complete checks that the parts of a state's equation cover each element exactly once.
func (c *checker) complete(s *model.Symbol) {
	v := c.covers(s)
	// A part over an empty range is about nothing.
	kept := coverage{broken: v.broken}
	for i, p := range v.parts {
		if p.Flat == nil || len(p.Flat) > 0 {
			kept.parts = append(kept.parts, p)
			kept.left = append(kept.left, v.left[i])
		}
	}
	*v = kept
	n := s.Shape.Size()
	if len(v.parts) == 0 {
		if len(c.implicit) > 0 {
			return // unknown of those
		}
		if !v.broken && !c.partial {
			c.fail(nil, "E0210", s.Span, "`%s` has no equation", s.Name).At("nothing says how it changes").WithHelp("write `%s' = …`, or make it a `param` or `const`", s.Name)
		}
		v.broken = true
		return
	}
	if len(v.parts) == 1 && v.parts[0].Flat == nil {
		return
	}
	owner := make([]int32, n) // part + 1
	for i, p := range v.parts {
		claim := func(k int) bool {
			if o := owner[k]; o != 0 {
				c.overlap(s, k, v.left[i], v.left[o-1], int(o-1) == i)
				return false
			}
			owner[k] = int32(i + 1)
			return true
		}
		ok := true
		if p.Flat == nil {
			for k := 0; k < n && ok; k++ {
				ok = claim(k)
			}
		} else {
			for j := 0; j < len(p.Flat) && ok; j++ {
				ok = claim(p.Flat[j])
			}
		}
		if !ok {
			v.broken = true
		}
	}
	if v.broken || c.partial || len(c.implicit) > 0 {
		return
	}
	var gaps []string
	for k, o := range owner {
		if o == 0 {
			if len(gaps) == 4 {
				gaps = append(gaps, "…")
				break
			}
			gaps = append(gaps, elementName(s, k))
		}
	}
	if len(gaps) > 0 {
		v.broken = true
		c.fail(nil, "E0212", s.Span, "%s has no equation", strings.Join(gaps, ", ")).At("%s, and every element needs one", s.Shape).
			And(v.left[0], "the rest has").WithHelp("write `%s' = …`", gaps[0])
	}
}

func (c *checker) overlap(s *model.Symbol, k int, at, old diag.Span, same bool) {
	name := s.Name
	if !s.Shape.IsScalar() {
		name = elementName(s, k)
	}
	if same {
		c.fail(nil, "E0211", at, "%s has its equation twice", name).At("the indices meet an element twice").WithHelp("let each index run by itself")
		return
	}
	c.fail(nil, "E0211", at, "`%s` has two equations", name).At("a second one").And(old, "the first").WithHelp("leave one of them out, or add their right sides")
}

// elementName is "u[2, 3]" for a position.
func elementName(s *model.Symbol, k int) string {
	pos := make([]string, len(s.Shape))
	for d := len(s.Shape) - 1; d >= 0; d-- {
		pos[d] = itoa(k%s.Shape[d] + 1)
		k /= s.Shape[d]
	}
	return s.Name + "[" + strings.Join(pos, ", ") + "]"
}
