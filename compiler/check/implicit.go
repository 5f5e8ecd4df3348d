package check

import (
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// implicitEquation checks 0 = e, or an equation with derivatives in its left side.
func (c *checker) implicitEquation(q *ast.Equation, constraint bool) {
	cx := &ctx{stage: stageRun, what: "an equation"}
	out := &model.Implicit{Span: q.Span()}
	ok := true
	if cx, ok = c.freeIndices(cx, q, out); !ok {
		c.partial = true
		return
	}
	if !constraint {
		out.LHS = c.expr(cx, q.LHS)
		ok = out.LHS != nil
	}
	out.RHS = c.expr(cx, q.RHS)
	c.free = nil
	if !ok || out.RHS == nil {
		c.partial = true
		return
	}
	out.Shape = out.RHS.Shape
	if !constraint {
		if out.Shape, ok = c.common(cx, "=", q.Span(), out.LHS, out.RHS); !ok {
			c.partial = true
			return
		}
	}
	c.implicit = append(c.implicit, out)
}

// freeIndices binds the index variables of 0 = u[i] - v[i] and C*(u[i in 2..n]' - u[i-1]') = e: a bare name in an index that is not
// declared runs over the axis that it stands at, and with `in` over its range.
func (c *checker) freeIndices(cx *ctx, q *ast.Equation, out *model.Implicit) (*ctx, bool) {
	ok := true
	c.free = map[string]bool{}
	summed := map[string]bool{}
	sides := []ast.Expr{q.LHS, q.RHS}
	for _, side := range sides {
		ast.Inspect(side, func(n ast.Node) bool {
			if r, is := n.(*ast.Reduce); is {
				for _, b := range r.Binds {
					summed[b.Var.Name] = true
				}
			}
			return true
		})
	}
	extents := map[string]int{}
	index := func(n *ast.Index) {
		shape, known := c.shapeOfName(cx, n.X)
		for k, a := range n.Args {
			switch a := ast.Unparen(a).(type) {
			case *ast.Bind:
				if c.free[a.Var.Name] {
					c.fail(cx, "E0202", a.Var.Span(), "`%s` is declared twice", a.Var.Name).At("two indices of one name").WithHelp("use `%s` without its range here", a.Var.Name)
					ok = false
					continue
				}
				end := 0
				if known && k < len(shape) {
					end = shape[k]
				}
				v, good := c.indexVar(cx.withEnd(end), a)
				if !good {
					ok = false
					continue
				}
				c.free[v.Name] = true
				out.Vars = append(out.Vars, v)
			case *ast.Ident:
				name := a.Name
				if name == "end" || summed[name] || c.names[name] != nil || c.sc.consts[name] != nil || reserved[name] != "" || !known || k >= len(shape) {
					continue
				}
				if c.free[name] {
					continue
				}
				if n, seen := extents[name]; seen && n <= shape[k] {
					continue
				}
				extents[name] = shape[k]
			}
		}
	}
	for _, side := range sides {
		ast.Inspect(side, func(n ast.Node) bool {
			if ix, is := n.(*ast.Index); is {
				index(ix)
			}
			return true
		})
	}
	for _, side := range sides { // in the order of the text
		ast.Inspect(side, func(n ast.Node) bool {
			if id, is := n.(*ast.Ident); is && extents[id.Name] > 0 && !c.free[id.Name] {
				c.free[id.Name] = true
				out.Vars = append(out.Vars, &model.Symbol{Name: id.Name, Kind: model.IndexVar, Span: id.Span(), Lo0: 1, Hi0: extents[id.Name], Step: 1, Unit: types.One})
			}
			return true
		})
	}
	for _, v := range out.Vars {
		cx = cx.bind(v.Name, v, false)
	}
	return cx, ok
}

// shapeOfName is the shape of a declared quantity, or of its derivative.
func (c *checker) shapeOfName(cx *ctx, e ast.Expr) (types.Shape, bool) {
	e = ast.Unparen(e)
	for {
		p, ok := e.(*ast.Prime)
		if !ok {
			break
		}
		e = ast.Unparen(p.X)
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil, false
	}
	d, ok := c.names[id.Name]
	if !ok {
		d = c.fromScript(id.Name)
	}
	if d == nil || d.kind == kindFn || d.kind == kindUnknown || d.kind == kindRefused || !c.settle(d) {
		return nil, false
	}
	return d.sym.Shape, true
}

// loose is a state with the elements that have no equation of their own.
type loose struct {
	sym   *model.Symbol
	gaps  []int
	taken int // by equations, while they are assigned
}

// balance holds the number of implicit equations against that of the elements that have no derivative. Which are left
// over is found by assigning equations to unknowns that stand in them, as many as can be; the compiler does that once
// more, element by element.
func (c *checker) balance() {
	var states []*loose
	at := map[*model.Symbol]*loose{}
	unknowns, equations := 0, 0
	for _, e := range c.order {
		if e.kind != kindState {
			continue
		}
		s := e.chain[len(e.chain)-1]
		q := model.Equation{State: s, Parts: c.covers(s).parts}
		if gaps := q.Missing(); len(gaps) > 0 {
			l := &loose{sym: s, gaps: gaps}
			states, at[s] = append(states, l), l
			unknowns += len(gaps)
		}
	}
	for _, q := range c.implicit {
		equations += q.Size()
	}
	if equations == unknowns {
		return
	}
	m := &assignment{of: map[*loose]map[int]int{}, left: make([]int, len(c.implicit))}
	for i, q := range c.implicit {
		m.left[i] = q.Size()
		m.in = append(m.in, nil)
		for _, s := range c.unknownsIn(q) {
			if l := at[s]; l != nil {
				m.in[i] = append(m.in[i], l)
			}
		}
	}
	for i := range c.implicit {
		for m.left[i] > 0 && m.augment(i, map[int]bool{}) {
		}
	}
	names := func(l *loose) string {
		if len(l.gaps) == l.sym.Shape.Size() {
			return "`" + l.sym.Name + "`"
		}
		return "`" + elementName(l.sym, l.gaps[0]) + "`"
	}
	if unknowns > equations {
		var missing []string
		var first *loose
		for _, l := range states {
			if l.taken < len(l.gaps) {
				if first == nil {
					first = l
				}
				missing = append(missing, names(l))
			}
		}
		if len(missing) > 4 {
			missing = append(missing[:4], "…")
		}
		what := "an equation is missing"
		if n := unknowns - equations; n > 1 {
			what = plural(n, "equation") + " are missing"
		}
		d := c.fail(nil, "E0233", first.sym.Span, "%s: %s for %s", what, plural(equations, "implicit equation"), plural(unknowns, "unknown"))
		d.At("%s without equation", strings.Join(missing, ", ")).
			WithHelp("write `%s' = …` or one more `0 = …`, or make it a `param` or `const`", first.sym.Name)
		return
	}
	for i := len(c.implicit) - 1; i >= 0; i-- {
		if m.left[i] == 0 {
			continue
		}
		what := "one equation is too many"
		if n := equations - unknowns; n > 1 {
			what = plural(n, "equation") + " are too many"
		}
		d := c.fail(nil, "E0234", c.implicit[i].Span, "%s: %s for %s", what, plural(equations, "implicit equation"), plural(unknowns, "unknown"))
		var list []string
		for _, l := range states {
			if len(list) == 4 {
				list = append(list, "…")
				break
			}
			list = append(list, names(l))
		}
		if unknowns == 0 {
			d.At("every state has its derivative already")
			d.WithHelp("leave it out, or give the state that it determines no derivative")
		} else {
			d.At("nothing is left for it to determine").Note("without derivative of their own: %s", strings.Join(list, ", ")).
				WithHelp("leave it out, or declare the quantity that it determines as a state")
		}
		return
	}
}

// assignment of equations to states with room, by augmenting paths (Hopcroft, Karp, SIAM J. Comput. 2, 1973, one path at a time).
type assignment struct {
	in   [][]*loose             // the states in each equation
	of   map[*loose]map[int]int // how much of a state each equation takes
	left []int                  // of each equation, not assigned
}

func (m *assignment) augment(i int, seen map[int]bool) bool {
	if seen[i] {
		return false
	}
	seen[i] = true
	take := func(l *loose, n int) {
		if m.of[l] == nil {
			m.of[l] = map[int]int{}
		}
		m.of[l][i] += n
		m.left[i] -= n
	}
	for _, l := range m.in[i] {
		if n := min(m.left[i], len(l.gaps)-l.taken); n > 0 {
			l.taken += n
			take(l, n)
			return true
		}
	}
	for _, l := range m.in[i] {
		for k := range m.in { // in order, so that the same text gives the same words
			if k == i || m.of[l][k] == 0 || seen[k] {
				continue
			}
			m.of[l][k]--
			m.left[k]++
			if m.augment(k, seen) {
				take(l, 1)
				return true
			}
			m.of[l][k]++
			m.left[k]--
		}
	}
	return false
}

// unknownsIn lists the states that an equation holds, by way of lets and derivatives too, in the order met.
func (c *checker) unknownsIn(q *model.Implicit) []*model.Symbol {
	var out []*model.Symbol
	seen := map[node]bool{}
	var walk func(e *model.Expr)
	visit := func(n node) {
		if seen[n] {
			return
		}
		seen[n] = true
		switch {
		case n.sym.Kind == model.Let:
			walk(n.sym.Def)
		case n.rate && len(c.covers(n.sym).parts) > 0:
			for _, p := range c.covers(n.sym).parts {
				walk(p.RHS)
			}
			out = append(out, n.sym)
		default:
			out = append(out, n.sym)
		}
	}
	walk = func(e *model.Expr) {
		e.Walk(func(x *model.Expr) bool {
			switch x.Op {
			case model.Ref, model.Diff:
				if k := x.Sym.Kind; k == model.Let || k == model.State || k == model.Latent {
					visit(node{x.Sym, false})
				}
			case model.Deriv:
				visit(node{x.Sym, true})
			case model.CallU:
				if x.Unk.Formula != nil {
					walk(x.Unk.Formula)
				}
			}
			return true
		})
	}
	q.Exprs(walk)
	return out
}
