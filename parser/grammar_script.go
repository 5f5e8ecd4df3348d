package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// modelG is model Name "doc" { … }.
type modelG struct {
	Name lexer.Token `parser:"'model' @Ident"`
	Doc  lexer.Token `parser:"@String?"`
	Body lexer.Token `parser:"@Block"`
}

func (g *modelG) build(b *builder) ast.Stmt {
	return &ast.Model{Name: b.declared(g.Name), Doc: doc(g.Doc), Body: b.block(g.Body, inModel)}
}

// versionG is udl 1.
type versionG struct {
	Number lexer.Token `parser:"'udl' @Number"`
}

func (g *versionG) build(*builder) ast.Stmt { return &ast.Version{Number: g.Number.Value} }

// importG is import "file.udl".
type importG struct {
	Path lexer.Token `parser:"'import' @String"`
}

func (g *importG) build(*builder) ast.Stmt { return &ast.Import{Path: unquote(g.Path.Value)} }

// forG is for x in e { … }.
type forG struct {
	Var  lexer.Token `parser:"'for' @Ident"`
	Over ast.Expr    `parser:"'in' @@"`
	Body lexer.Token `parser:"@Block"`
}

func (g *forG) build(b *builder) ast.Stmt {
	return &ast.For{Var: b.declared(g.Var), Over: b.expr(g.Over, false), Body: b.block(g.Body, b.in)}
}

// ifG is if c { … } else if d { … } else { … }.
type ifG struct {
	Tokens []lexer.Token
	Cond   ast.Expr    `parser:"'if' @@"`
	Then   lexer.Token `parser:"@Block"`
	Elses  []elseG     `parser:"@@*"`
}

type elseG struct {
	If   lexer.Token `parser:"'else' ( @'if'"`
	Cond ast.Expr    `parser:"@@"`
	Then lexer.Token `parser:"@Block"`
	Else lexer.Token `parser:"| @Block )"`
}

func (g *ifG) build(b *builder) ast.Stmt {
	top := &ast.IfStmt{Cond: b.expr(g.Cond, false), Then: b.block(g.Then, b.in)}
	last := top
	closed := false
	for i := range g.Elses {
		e := &g.Elses[i]
		if closed || i >= maxNesting {
			t := e.If
			if t.Type == 0 {
				t = e.Else
			}
			at := b.span(t.Pos.Offset, t.Pos.Offset+1)
			if closed {
				b.errs.Add(diag.New("E0130", at, "an `else` after the last `else`").At("never reached").WithHelp("remove it"))
			} else {
				b.errs.Add(diag.New("E0112", at, "more than %d `else if` in a row", maxNesting).At("one too many").
					WithHelp("loop over a list instead"))
			}
			break
		}
		if e.If.Type == 0 {
			// An empty block is kept apart from no block.
			last.Else = append([]ast.Stmt{}, b.block(e.Else, b.in)...)
			closed = true
			continue
		}
		next := &ast.IfStmt{Cond: b.expr(e.Cond, false), Then: b.block(e.Then, b.in)}
		next.SetSpan(b.span(e.If.Pos.Offset, end(&g.Tokens[len(g.Tokens)-1])))
		last.Else = []ast.Stmt{next}
		last = next
	}
	return top
}

// plainG is an equation, an assignment, or an expression alone.
type plainG struct {
	Left  ast.Expr    `parser:"@@"`
	Op    lexer.Token `parser:"( @( '=' | ':=' )"`
	Right ast.Expr    `parser:"@@"`
	Doc   lexer.Token `parser:"@String? )?"`
}

func (g *plainG) build(b *builder) ast.Stmt {
	op := b.span(g.Op.Pos.Offset, end(&g.Op))
	left := b.expr(g.Left, g.Op.Type != 0)
	switch {
	case b.in == inEvent:
		return b.assignment(g, left, op)
	case g.Op.Value == ":=":
		b.errs.Add(diag.New("E0121", op, "`:=` assigns within an event only").At("not in an event").
			WithHelp("write `=`"))
		return nil
	case g.Op.Type == 0 && b.in == inModel:
		d := diag.New("E0123", left.Span(), "an expression alone has no place in a model").At("neither a declaration nor an equation").
			WithHelp("name it, `let v = …`, or make it an equation, `x' = …` or `0 = …`")
		if eq, ok := left.(*ast.Binary); ok && eq.Op == "==" {
			d.At("a comparison").WithHelp("an equation has one `=`: write `%s`", equation(eq))
		}
		b.errs.Add(d)
		return nil
	case g.Op.Type == 0:
		return &ast.ExprStmt{X: left}
	}
	right := b.expr(g.Right, false)
	if b.in != inScript {
		if names, ok := targets(left); ok {
			b.errs.Add(diag.New("E0120", left.Span(), "a new quantity needs `let`").At("not declared by this").
				WithHelp("write `let %s = …`; a derivative is `%s' = …`", ast.ExprString(left), names[0].Name))
			return nil
		}
		return &ast.Equation{LHS: whole(left), RHS: right, Doc: doc(g.Doc)}
	}
	names, ok := targets(left)
	if !ok {
		return &ast.Equation{LHS: whole(left), RHS: right, Doc: doc(g.Doc)}
	}
	for _, n := range names {
		b.notFixed(n)
	}
	if g.Doc.Type != 0 {
		b.errs.Add(diag.New("E0114", b.span(g.Doc.Pos.Offset, end(&g.Doc)), "expected the end of the line, found a string").
			At("not expected here").WithHelp("only declarations are documented by a string; a comment begins with `#`"))
	}
	return &ast.Assign{Names: names, Value: right}
}

// assignment is x := e, the one statement of an event.
func (b *builder) assignment(g *plainG, left ast.Expr, op diag.Span) ast.Stmt {
	switch g.Op.Value {
	case "":
		b.errs.Add(diag.New("E0123", left.Span(), "an event holds assignments only").At("not an assignment").
			WithHelp("write `x := …` for what changes"))
		return nil
	case "=":
		b.errs.Add(diag.New("E0121", op, "an assignment in an event is written `:=`").At("not an equation").
			WithHelp("write `%s := …`", ast.ExprString(left)))
		return nil
	}
	if g.Doc.Type != 0 {
		b.errs.Add(diag.New("E0114", b.span(g.Doc.Pos.Offset, end(&g.Doc)), "expected the end of the line, found a string").
			At("not expected here").WithHelp("the documentation of an event stands before its `{`"))
	}
	return &updateStmt{update: &ast.Update{Target: left, Value: b.expr(g.Right, false)}}
}

// targets are the names a left side consists of: v, or (a, b).
func targets(e ast.Expr) ([]*ast.Ident, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return []*ast.Ident{e}, true
	case *ast.Tuple:
		var out []*ast.Ident
		for _, x := range e.Elems {
			id, ok := x.(*ast.Ident)
			if !ok {
				return nil, false
			}
			out = append(out, id)
		}
		return out, true
	}
	return nil, false
}

// whole turns der(x) and d/dt(x), where they are all of a left side, into x'.
func whole(e ast.Expr) ast.Expr {
	var arg ast.Expr
	switch e := e.(type) {
	case *ast.Call:
		arg = call(e, "der")
	case *ast.Binary:
		if d, ok := e.X.(*ast.Ident); ok && d.Name == "d" && e.Op == "/" {
			if c, ok := e.Y.(*ast.Call); ok {
				arg = call(c, "dt")
			}
		}
	}
	if arg == nil {
		return e
	}
	arg = whole(arg)
	if !postfix(arg) {
		return e
	}
	p := &ast.Prime{X: arg}
	p.SetSpan(e.Span())
	return p
}

// call gives the one argument of a call of the given function.
func call(c *ast.Call, name string) ast.Expr {
	if f, ok := c.Fun.(*ast.Ident); ok && f.Name == name && len(c.Args) == 1 && c.Args[0].Name == nil {
		return c.Args[0].Value
	}
	return nil
}

// postfix says whether a ' may follow without brackets.
func postfix(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Ident, *ast.Index, *ast.Member, *ast.Prime, *ast.Call, *ast.Paren:
		return true
	}
	return false
}

// equation writes a comparison as the equation that was meant: a derivative stays on its left, all else goes to the right of 0.
func equation(eq *ast.Binary) string {
	x, y := ast.ExprString(eq.X), ast.ExprString(eq.Y)
	switch zero := func(e ast.Expr) bool { n, ok := e.(*ast.Number); return ok && n.Value == 0 }; {
	case zero(eq.X) || strings.HasSuffix(x, "'"):
		return x + " = " + y
	case zero(eq.Y):
		return "0 = " + x
	}
	return "0 = " + ast.ExprString(&ast.Binary{Op: "-", X: eq.X, Y: eq.Y})
}
