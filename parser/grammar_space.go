package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// axisG is axis s : m = 0..1 points 128 periodic "doc".
type axisG struct {
	Name     lexer.Token `parser:"'axis' @Ident"`
	Unit     unitNode    `parser:"( ':' @@ )?"`
	Over     ast.Expr    `parser:"'=' @@"`
	Points   ast.Expr    `parser:"( 'points' @@ )?"`
	Periodic lexer.Token `parser:"@'periodic'?"`
	Doc      lexer.Token `parser:"@String?"`
}

func (g *axisG) build(b *builder) ast.Stmt {
	return &ast.Axis{
		Name: b.declared(g.Name), Unit: b.unit(g.Unit), Over: b.expr(g.Over, false), Points: b.expr(g.Points, false),
		Periodic: g.Periodic.Type != 0, Doc: doc(g.Doc),
	}
}

// fieldG is field u(s) : K = e "doc".
type fieldG struct {
	Name  lexer.Token `parser:"'field' @Ident"`
	Axes  []nameG     `parser:"'(' @@ ( ',' @@ )* ')'"`
	Unit  unitNode    `parser:"( ':' @@ )?"`
	Value ast.Expr    `parser:"( '=' @@ )?"`
	Doc   lexer.Token `parser:"@String?"`
}

func (g *fieldG) build(b *builder) ast.Stmt {
	f := &ast.FieldDecl{
		Name: b.declared(g.Name), Axes: b.names(g.Axes), Unit: b.unit(g.Unit), Value: b.expr(g.Value, false), Doc: doc(g.Doc),
	}
	if n := len(f.Axes); n > 3 {
		b.errs.Add(diag.New("E0114", f.Axes[3].Span(), "a field has one to three axes, this has %d", n).At("the fourth axis").
			WithHelp("leave out an axis"))
	}
	return f
}

// boundaryG is boundary u(s = 0) = e.
type boundaryG struct {
	LHS ast.Expr `parser:"'boundary' @@"`
	RHS ast.Expr `parser:"'=' @@"`
}

func (g *boundaryG) build(b *builder) ast.Stmt {
	return &ast.Boundary{LHS: b.expr(g.LHS, false), RHS: b.expr(g.RHS, false)}
}
