package parser

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// expr finishes an expression that a production has made: it gives every node its source,
// parses the formulas in it, and refuses an index that is bound where none can be. left says
// that the expression is the left side of an equation. A nil expression stays nil.
func (p *state) expr(e ast.Expr, left bool) ast.Expr {
	if e != nil {
		p.finish(e, left)
	}
	return e
}

func (p *state) exprs(l []ast.Expr) []ast.Expr {
	for _, e := range l {
		p.expr(e, false)
	}
	return l
}

func (p *state) finish(n ast.Node, left bool) {
	if b, ok := n.(interface{ SetSpan(diag.Span) }); ok {
		b.SetSpan(p.at(n.Span()))
	}
	switch n := n.(type) {
	case *ast.Binary:
		n.OpSpan = p.at(n.OpSpan)
	case *ast.Formula:
		p.formula(n)
		return // its parts are finished
	case *ast.Index:
		if !left {
			for _, a := range n.Args {
				p.unbound(a)
			}
		}
	}
	ast.Children(n, func(c ast.Node) { p.finish(c, left) })
}

// unbound reports u[i in 1..3] on a right side.
func (p *state) unbound(e ast.Expr) {
	if b, ok := e.(*ast.Bind); ok {
		p.errs.Add(diag.New("E0129", p.at(b.Span()), "an index is bound by `in` on the left side of an equation, or after `sum`").
			At("not here").WithHelp("write `sum[%s in …] …`, or a plain index", b.Var.Name))
	}
}

// formula parses the statements of {param a = 1; a*x}.
func (p *state) formula(f *ast.Formula) {
	before := len(p.errs)
	k := p.index(f.Sp.Lo)
	stmts := p.region(k+1, int(p.mate[k]), inFormula)
	for i, s := range stmts {
		x, ok := s.(*ast.ExprStmt)
		switch {
		case i == len(stmts)-1 && ok:
			f.Body = x.X
			return
		case ok:
			p.errs.Add(diag.New("E0132", x.Span(), "a formula has one expression, its last statement").At("not the last").
				WithHelp("name it with `let`, or remove it"))
			return
		}
		if _, ok := s.(*ast.Equation); ok {
			p.errs.Add(diag.New("E0132", s.Span(), "a formula holds no equations").At("an equation").WithHelp("name a part of it with `let`"))
			return
		}
		f.Decls = append(f.Decls, s)
	}
	if len(p.errs) == before {
		p.errs.Add(diag.New("E0132", p.span(f.Sp.Hi-1, f.Sp.Hi), "a formula ends with an expression, its value").At("no expression before this").
			WithHelp("write `{param a = 1; a*x}`"))
	}
}
