package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// postfix parses the calls, indices, members and primes behind a primary.
func (c *climber) postfix(x ast.Expr) (ast.Expr, error) {
	for {
		t := c.peek()
		if t.Type != tokOp {
			return x, nil
		}
		lo := x.Span().Lo
		var n ast.Expr
		switch t.Value {
		case "(":
			if !callable(x) {
				f := failAt("E0107", lo, end(t), "a product needs its `*`")
				f.d.At("only a name can be called").WithHelp("write `%s*(…)`", ast.ExprString(x))
				return nil, f
			}
			args, err := c.args()
			if err != nil {
				return nil, err
			}
			n = &ast.Call{Fun: x, Args: args}
		case "[":
			c.next()
			args, err := sequence(c, "]", c.indexArg)
			if err != nil {
				return nil, err
			}
			if len(args) == 0 {
				f := failAt("E0113", t.Pos.Offset, end(c.prev), "expected an index between the brackets")
				f.d.WithHelp("all of it is `[..]`")
				return nil, f
			}
			n = &ast.Index{X: x, Args: args}
		case ".":
			c.next()
			name, err := c.name()
			if err != nil {
				return nil, err
			}
			n = &ast.Member{X: x, Name: name}
		case "'":
			c.next()
			n = &ast.Prime{X: x}
		default:
			return x, nil
		}
		if c.row++; c.row > maxRow {
			return nil, c.tooLong("this expression has more than %d operators", maxRow)
		}
		n.(interface{ SetSpan(diag.Span) }).SetSpan(c.place(lo))
		x = n
	}
}

func callable(x ast.Expr) bool {
	switch x.(type) {
	case *ast.Ident, *ast.Member, *ast.Call, *ast.Index, *ast.Prime:
		return true
	}
	return false
}

func (c *climber) primary() (ast.Expr, error) {
	t := c.peek()
	at := diag.Span{Lo: t.Pos.Offset, Hi: end(t)}
	switch t.Type {
	case tokIdent:
		c.next()
		return c.ident(t), nil
	case tokNumber:
		c.next()
		v, _ := parseNumber(t.Value) // the lexer has seen to what is out of range
		return &ast.Number{Base: ast.Base{Sp: at}, Value: v, Text: t.Value}, nil
	case tokString:
		c.next()
		return &ast.String{Base: ast.Base{Sp: at}, Value: unquote(t.Value)}, nil
	case tokFormula:
		c.next()
		return &ast.Formula{Base: ast.Base{Sp: at}}, nil // filled by state.expr
	case tokKeyword:
		if t.Value == "true" || t.Value == "false" {
			c.next()
			return &ast.Bool{Base: ast.Base{Sp: at}, Value: t.Value == "true"}, nil
		}
	case tokOp:
		switch t.Value {
		case "(":
			return c.paren()
		case "[":
			return c.list()
		case "{":
			return c.record()
		case "..":
			c.next()
			help := "write `1..%s`"
			if n := c.peek(); n.Type == tokNumber || n.Type == tokIdent {
				return nil, halfRange(t, help, n.Value)
			}
			return nil, halfRange(t, "`..` alone stands for all, in an index: `u[.., 2]`")
		}
	}
	return nil, c.missing("an expression")
}

// sequence parses items up to a closing bracket whose opening one has been taken. A comma may
// follow the last.
func sequence[T any](c *climber, close string, item func() (T, error)) ([]T, error) {
	var out []T
	for !c.accept(close) {
		x, err := item()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if c.accept(close) {
			break
		}
		if !c.accept(",") {
			return nil, c.missing("`,` or `" + close + "`")
		}
	}
	return out, nil
}

// item is an expression in a bracket.
func (c *climber) item() (ast.Expr, error) { return c.operand(ast.PrecLambda) }

func (c *climber) paren() (ast.Expr, error) {
	open := c.next()
	elems, err := sequence(c, ")", c.item)
	if err != nil {
		return nil, err
	}
	at := ast.Base{Sp: c.place(open.Pos.Offset)}
	switch len(elems) {
	case 0:
		f := failAt("E0113", at.Sp.Lo, at.Sp.Hi, "expected an expression between the brackets")
		f.d.At("nothing in them").WithHelp("remove the brackets, or write what they hold")
		return nil, f
	case 1:
		return &ast.Paren{Base: at, X: elems[0]}, nil
	}
	return &ast.Tuple{Base: at, Elems: elems}, nil
}

func (c *climber) list() (ast.Expr, error) {
	open := c.next()
	elems, err := sequence(c, "]", c.item)
	if err != nil {
		return nil, err
	}
	return &ast.List{Base: ast.Base{Sp: c.place(open.Pos.Offset)}, Elems: elems}, nil
}

func (c *climber) record() (ast.Expr, error) {
	open := c.next()
	fields, err := sequence(c, "}", c.field)
	if err != nil {
		return nil, err
	}
	return &ast.Record{Base: ast.Base{Sp: c.place(open.Pos.Offset)}, Fields: fields}, nil
}

// field parses U.W1: e.
func (c *climber) field() (*ast.Field, error) {
	f := &ast.Field{}
	for {
		n, err := c.name()
		if err != nil {
			return nil, err
		}
		f.Key = append(f.Key, n)
		if !c.accept(".") {
			break
		}
	}
	for c.accept("'") {
		f.Primes++
	}
	if t := c.peek(); is(t, "=") {
		w := failAt("E0121", t.Pos.Offset, end(t), "an entry of a record is written with `:`")
		w.d.At("expected `:`").WithHelp("write `%s: …`", f.Name())
		return nil, w
	}
	if !c.accept(":") {
		return nil, c.missing("`:`")
	}
	var err error
	if f.Value, err = c.operand(ast.PrecLambda); err != nil {
		return nil, err
	}
	f.SetSpan(c.place(f.Key[0].Span().Lo))
	return f, nil
}

func (c *climber) args() ([]*ast.Arg, error) {
	c.next()
	return sequence(c, ")", c.arg)
}

func (c *climber) arg() (*ast.Arg, error) {
	a := &ast.Arg{}
	if t := c.peek(); t.Type == tokIdent && is(c.second(), "=") {
		c.next()
		c.next()
		a.Name = c.ident(t)
	}
	lo := c.peek().Pos.Offset
	if a.Name != nil {
		lo = a.Name.Span().Lo
	}
	var err error
	if a.Value, err = c.operand(ast.PrecLambda); err != nil {
		return nil, err
	}
	if t := c.peek(); is(t, ":") && a.Name == nil {
		f := failAt("E0121", t.Pos.Offset, end(t), "an argument is named with `=`")
		f.d.At("expected `=`").WithHelp("write `%s = …`; `:` belongs in a record, `{…}`", ast.ExprString(a.Value))
		return nil, f
	}
	a.SetSpan(c.place(lo))
	return a, nil
}

func (c *climber) indexArg() (ast.Expr, error) {
	t := c.peek()
	switch s := c.second(); {
	case is(t, "..") && (is(s, ",") || is(s, "]")):
		c.next()
		r := &ast.Range{}
		r.SetSpan(c.place(t.Pos.Offset))
		return r, nil
	case t.Type == tokIdent && isWord(s, "in"):
		return c.bind()
	}
	return c.operand(ast.PrecLambda)
}

// missing reports that something else was expected at the next token.
func (c *climber) missing(what string) error {
	return wrong(what, c.peek(), c.prev)
}

// wrong reports that what was expected after prev, and t stands there.
func wrong(what string, t, prev *lexer.Token) error {
	code := diag.Code("E0114")
	switch {
	case what == "an expression":
		code = "E0113"
	case what == "a name" && t.Type == tokKeyword:
		f := failAt("E0109", t.Pos.Offset, end(t), "`%s` is a reserved word", t.Value)
		f.d.At("not a name").WithHelp("choose another name")
		return f
	}
	after := ""
	if prev != nil {
		after = " after " + found(prev)
		if prev.Type == tokOp || prev.Type == tokIdent || prev.Type == tokKeyword {
			after = " after " + diag.Quote(prev.Value)
		}
	}
	f := failAt(code, t.Pos.Offset, shown(t), "expected %s%s, found %s", what, after, found(t))
	f.d.At("expected %s", what)
	hint(f.d, what, t, prev)
	return f
}
