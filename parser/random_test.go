package parser

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// Random trees, without places and without brackets: the printer has to add those that are needed.

type maker struct{ *rapid.T }

func (m maker) n(max int) int { return rapid.IntRange(0, max).Draw(m.T, "n") }

func (m maker) flip() bool { return rapid.Bool().Draw(m.T, "flip") }

func pick[T any](m maker, of ...T) T { return of[m.n(len(of)-1)] }

func (m maker) ident() *ast.Ident {
	return &ast.Ident{Name: pick(m, "x", "y", "alpha", "U", "sum", "max", "rate", "at", "by", "end", "points", "order", "e", "β_1")}
}

func (m maker) idents(min int) []*ast.Ident {
	var out []*ast.Ident
	for range min + m.n(2) {
		out = append(out, m.ident())
	}
	return out
}

func (m maker) text() string {
	return pick(m, "", "doc", `a "quoted" \ text`, "tab\tnew\nline", "Größe ≤ 1", "# no comment")
}

func (m maker) leaf() ast.Expr {
	switch m.n(5) {
	case 0:
		t := pick(m, "0", "1", "2.5", "1e-3", "1_000")
		v, _ := parseNumber(t)
		return &ast.Number{Value: v, Text: t}
	case 1:
		return &ast.String{Value: m.text()}
	case 2:
		return &ast.Bool{Value: m.flip()}
	}
	return m.ident()
}

func (m maker) expr(depth int) ast.Expr {
	if depth <= 0 {
		return m.leaf()
	}
	d := depth - 1
	switch m.n(17) {
	case 0:
		return &ast.Unary{Op: pick(m, "-", "+", "not"), X: m.expr(d)}
	case 1, 2, 3, 4:
		op := ast.Operators[m.n(len(ast.Operators)-1)]
		if op.Text == ".." {
			return m.rangeExpr(d)
		}
		return &ast.Binary{Op: op.Text, X: m.expr(d), Y: m.expr(d)}
	case 5:
		c := &ast.Call{Fun: m.callable(d)}
		for range m.n(3) {
			a := &ast.Arg{Value: m.expr(d)}
			if m.flip() {
				a.Name = m.ident()
			}
			c.Args = append(c.Args, a)
		}
		return c
	case 6:
		ix := &ast.Index{X: m.expr(d)}
		for range 1 + m.n(2) {
			if m.flip() {
				ix.Args = append(ix.Args, &ast.Range{})
			} else {
				ix.Args = append(ix.Args, m.expr(d))
			}
		}
		return ix
	case 7:
		return &ast.Member{X: m.expr(d), Name: m.ident()}
	case 8:
		return &ast.Prime{X: m.expr(d)}
	case 9:
		return &ast.If{Cond: m.expr(d), Then: m.expr(d), Else: m.expr(d)}
	case 10:
		return &ast.Lambda{Params: m.idents(1), Body: m.expr(d)}
	case 11:
		return m.rangeExpr(d)
	case 12:
		return &ast.List{Elems: m.exprs(d, 0)}
	case 13:
		return &ast.Tuple{Elems: m.exprs(d, 2)}
	case 14:
		return m.record(d)
	case 15:
		f := &ast.Formula{Body: m.expr(d)}
		for range 1 + m.n(1) {
			f.Decls = append(f.Decls, pick(m, m.quantity("param", d), m.quantity("const", d), m.let(d), m.fn(d)))
		}
		return f
	case 16:
		r := &ast.Reduce{Op: &ast.Ident{Name: pick(m, ast.Reductions...)}, Body: m.expr(d)}
		for range 1 + m.n(1) {
			r.Binds = append(r.Binds, &ast.Bind{Var: m.ident(), Over: m.expr(d)})
		}
		return r
	}
	return m.leaf()
}

func (m maker) exprs(depth, min int) []ast.Expr {
	var out []ast.Expr
	for range min + m.n(3) {
		out = append(out, m.expr(depth))
	}
	return out
}

func (m maker) callable(depth int) ast.Expr {
	switch m.n(4) {
	case 0:
		return &ast.Member{X: m.expr(depth), Name: m.ident()}
	case 1:
		return &ast.Call{Fun: m.ident()}
	case 2:
		return &ast.Prime{X: m.ident()}
	case 3:
		return &ast.Index{X: m.ident(), Args: []ast.Expr{m.leaf()}}
	}
	return m.ident()
}

func (m maker) rangeExpr(depth int) *ast.Range {
	r := &ast.Range{Lo: m.expr(depth), Hi: m.expr(depth)}
	switch m.n(2) {
	case 0:
		r.By = m.expr(depth)
	case 1:
		r.At = m.expr(depth)
	}
	return r
}

func (m maker) record(depth int) *ast.Record {
	r := &ast.Record{}
	for range m.n(3) {
		r.Fields = append(r.Fields, &ast.Field{Key: m.idents(1), Primes: m.n(2) / 2, Value: m.expr(depth)})
	}
	return r
}

func (m maker) unit() *ast.Unit {
	if m.flip() {
		return nil
	}
	u := &ast.Unit{}
	for range 1 + m.n(2) {
		u.Factors = append(u.Factors, ast.UnitFactor{Name: pick(m, "m", "s", "year", "1"), Num: pick(m, 1, -1, 2, -3), Den: pick(m, 1, 1, 5)})
	}
	return u
}

func (m maker) quantity(kind string, d int) ast.Stmt {
	out := &ast.Decl{Kind: kind}
	for range 1 + m.n(2) {
		it := &ast.Item{Name: m.ident(), Order: m.n(2), Unit: m.unit(), Doc: m.text()}
		for range m.n(2) {
			it.Shape = append(it.Shape, m.expr(1))
		}
		if m.flip() {
			it.Value = m.expr(d)
		}
		if m.flip() {
			it.Bounds = m.rangeExpr(d)
		}
		if m.flip() {
			it.Prior = m.expr(d)
		}
		out.Items = append(out.Items, it)
	}
	return out
}

func (m maker) let(d int) ast.Stmt {
	return &ast.Let{Names: m.idents(1), Unit: m.unit(), Value: m.expr(d), Doc: m.text()}
}

func (m maker) fn(d int) ast.Stmt {
	return &ast.Fn{Name: m.ident(), Params: m.idents(0), Body: m.expr(d), Doc: m.text()}
}

func (m maker) declaration(d int) ast.Stmt {
	switch m.n(15) {
	case 0:
		return &ast.Time{Unit: &ast.Unit{Factors: []ast.UnitFactor{{Name: "year", Num: 1, Den: 1}}}}
	case 1:
		return m.let(d)
	case 2:
		return m.fn(d)
	case 3:
		u := &ast.Unknown{Name: m.ident(), Params: m.idents(0), Rep: m.expr(d), Doc: m.text()}
		if m.flip() {
			u.Outs = m.idents(1)
		}
		return u
	case 4, 5:
		lhs := pick[ast.Expr](m, &ast.Prime{X: m.ident()}, &ast.Binary{Op: "-", X: m.expr(d), Y: m.leaf()}, &ast.Unary{Op: "-", X: m.expr(d)},
			&ast.Prime{X: &ast.Index{X: m.ident(), Args: []ast.Expr{&ast.Bind{Var: m.ident(), Over: m.expr(d)}}}}, &ast.Number{Text: "0"})
		return &ast.Equation{LHS: lhs, RHS: m.expr(d), Doc: m.text()}
	case 6:
		n := &ast.Noise{Name: m.ident(), Doc: m.text()}
		if m.flip() {
			n.Correlated = m.record(d)
		}
		return n
	case 7:
		return &ast.Setting{Word: pick(m, "calculus", "scheme", "order"), Value: m.leaf()}
	case 8:
		return &ast.History{Name: m.ident(), Value: m.expr(d)}
	case 9, 10:
		return m.event(d)
	case 11:
		a := &ast.Axis{Name: m.ident(), Unit: m.unit(), Over: m.expr(d), Periodic: m.flip(), Doc: m.text()}
		if m.flip() {
			a.Points = m.expr(d)
		}
		return a
	case 12:
		f := &ast.FieldDecl{Name: m.ident(), Axes: m.idents(1), Unit: m.unit(), Doc: m.text()}
		if m.flip() {
			f.Value = m.expr(d)
		}
		return f
	case 13:
		return &ast.Boundary{LHS: &ast.Call{Fun: m.ident()}, RHS: m.expr(d)}
	case 14:
		return pick[ast.Stmt](m, &ast.Observe{Target: m.ident(), Dist: m.expr(d), Doc: m.text()}, &ast.Part{Name: m.ident(), Value: m.expr(d), Doc: m.text()})
	}
	return m.quantity(pick(m, "param", "const", "state", "latent", "discrete", "input"), d)
}

func (m maker) event(d int) ast.Stmt {
	e := &ast.Event{Kind: pick(m, "when", "at", "every", "stop", "jump"), Trigger: m.expr(d), Doc: m.text(),
		Direction: pick(m, "", "rising", "falling", "either"), Initially: m.flip()}
	if m.flip() {
		e.After = m.expr(d)
	}
	if m.flip() {
		e.Priority = m.expr(d)
	}
	if e.Kind != "stop" {
		for range m.n(2) {
			e.Body = append(e.Body, &ast.Update{Target: m.expr(d), Value: m.expr(d)})
		}
	}
	return e
}

func (m maker) stmts(depth int) []ast.Stmt {
	var out []ast.Stmt
	for range m.n(3) {
		out = append(out, m.stmt(depth))
	}
	return out
}

func (m maker) stmt(depth int) ast.Stmt {
	d := depth
	if depth <= 0 {
		return &ast.ExprStmt{X: m.leaf()}
	}
	switch m.n(6) {
	case 0:
		s := &ast.Model{Name: m.ident(), Doc: m.text()}
		for range m.n(4) {
			s.Body = append(s.Body, m.declaration(d))
		}
		return s
	case 1:
		return &ast.Assign{Names: m.idents(1), Value: m.expr(d)}
	case 2:
		return &ast.For{Var: m.ident(), Over: m.expr(d), Body: m.stmts(depth - 1)}
	case 3:
		s := &ast.IfStmt{Cond: m.expr(d), Then: m.stmts(depth - 1)}
		if m.flip() {
			s.Else = append([]ast.Stmt{}, m.stmts(depth-1)...)
		}
		return s
	case 4:
		return &ast.Import{Path: m.text()}
	}
	return &ast.ExprStmt{X: m.expr(d)}
}

// A tree prints as a text that parses to the same tree, and prints the same again.
func TestRandomTrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := maker{rt}
		f := &ast.File{}
		if m.flip() {
			f.Stmts = append(f.Stmts, &ast.Version{Number: strconv.Itoa(1 + m.n(8))})
		}
		for range 1 + m.n(3) {
			f.Stmts = append(f.Stmts, m.stmt(2))
		}
		text := ast.Format(f)
		g, errs := Parse(diag.NewSource("random", text))
		if len(errs) > 0 {
			rt.Fatalf("%v\n%s", errs, text)
		}
		if a, b := dump(f, true), dump(g, true); a != b {
			rt.Fatalf("another tree\n%s\n%s\n%s", a, b, text)
		}
		if twice := ast.Format(g); twice != text {
			rt.Fatalf("twice is not once\n%s\n%s", text, twice)
		}
	})
}

func TestRandomExpressions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := maker{rt}.expr(4)
		text := ast.ExprString(e)
		if _, ok := e.(*ast.Record); ok {
			return // at the start of a line a { opens a block
		}
		if _, ok := e.(*ast.Formula); ok {
			return
		}
		g, errs := ParseExpr(diag.NewSource("random", text))
		if len(errs) > 0 {
			rt.Fatalf("%v\n%s", errs, text)
		}
		if a, b := dump(e, true), dump(g, true); a != b {
			rt.Fatalf("another tree\n%s\n%s\n%s", a, b, text)
		}
	})
}
