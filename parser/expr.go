package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// Expressions are parsed by precedence climbing (M. Richards and C. Whitby-Strevens, BCPL: the
// language and its compiler, 1980; named and analysed by T. Norvell, 1999) over the one table
// ast.Operators, as a production of participle's own.
//
// The production is made once and knows no text: spans carry no source until state.expr puts
// it in.

// The limits that keep recursion over a tree far from the end of the stack.
const (
	maxDepth = 600    // operators in one another
	maxRow   = 10_000 // operators in a row: a + b + c + …
)

type climber struct {
	lex   *lexer.PeekingLexer
	prev  *lexer.Token // the last token taken
	depth int
	row   int
}

// parseExpr is participle's production of ast.Expr.
func parseExpr(lex *lexer.PeekingLexer) (ast.Expr, error) {
	if !startsOperand(lex.Peek()) {
		return nil, participle.NextMatch
	}
	c := climber{lex: lex}
	return c.full()
}

func (c *climber) peek() *lexer.Token { return c.lex.Peek() }

func (c *climber) next() *lexer.Token {
	c.prev = c.lex.Next()
	return c.prev
}

// accept takes the next token if it is this operator or word.
func (c *climber) accept(text string) bool {
	if t := c.peek(); is(t, text) || isWord(t, text) {
		c.next()
		return true
	}
	return false
}

// second is the token after the next.
func (c *climber) second() *lexer.Token {
	at := c.lex.MakeCheckpoint()
	c.lex.Next()
	t := c.lex.Peek()
	c.lex.LoadCheckpoint(at)
	return t
}

// place makes the span from a place to the last token taken.
func (c *climber) place(lo int) diag.Span { return diag.Span{Lo: lo, Hi: end(c.prev)} }

func (c *climber) full() (ast.Expr, error) { return c.climb(ast.PrecLambda) }

// climb parses an expression whose operators bind at least as tightly as least.
func (c *climber) climb(least ast.Prec) (ast.Expr, error) {
	if c.depth++; c.depth > maxDepth {
		return nil, c.tooLong("this expression is nested more than %d deep", maxDepth)
	}
	defer func() { c.depth-- }()
	x, err := c.prefix(least)
	if err != nil {
		return nil, err
	}
	for {
		t := c.peek()
		if t.Type != tokOp && t.Type != tokKeyword {
			return x, nil
		}
		op, ok := ast.Infix(t.Value)
		if !ok || op.Prec < least {
			return x, nil
		}
		if op.Prec == ast.PrecThen {
			if e, ok := x.(*ast.If); ok {
				return nil, thenInIf(t, e.Else)
			}
		}
		if c.row++; c.row > maxRow {
			return nil, c.tooLong("this expression has more than %d operators", maxRow)
		}
		c.next()
		if op.Prec == ast.PrecRange {
			x, err = c.rangeFrom(x, t)
		} else {
			x, err = c.infix(x, op, t)
		}
		if err != nil {
			return nil, err
		}
	}
}

// infix parses the right operand of op, whose token is t.
func (c *climber) infix(x ast.Expr, op ast.Operator, t *lexer.Token) (ast.Expr, error) {
	least := op.Prec + 1
	if op.Assoc == ast.RightAssoc {
		least = op.Prec
	}
	y, err := c.operand(least)
	if err != nil {
		return nil, err
	}
	b := &ast.Binary{Op: op.Text, OpSpan: diag.Span{Lo: t.Pos.Offset, Hi: end(t)}, X: x, Y: y}
	b.SetSpan(c.place(x.Span().Lo))
	if op.Assoc == ast.NonAssoc {
		if n := c.peek(); n.Type == tokOp {
			if next, ok := ast.Infix(n.Value); ok && next.Prec == op.Prec {
				return nil, c.chained(b, next)
			}
		}
	}
	return b, nil
}

// chained reports a < b < c.
func (c *climber) chained(b *ast.Binary, next ast.Operator) error {
	c.next()
	z, err := c.operand(next.Prec + 1)
	if err != nil {
		return err
	}
	f := failAt("E0117", b.Span().Lo, end(c.prev), "comparisons are not chained")
	f.d.At("two comparisons in a row").WithHelp("write `%s and %s %s %s`", ast.ExprString(b), ast.ExprString(b.Y), next.Text, ast.ExprString(z))
	return f
}

// operand is climb after an operator that has been taken.
func (c *climber) operand(least ast.Prec) (ast.Expr, error) {
	if !startsOperand(c.peek()) {
		return nil, c.missing("an expression")
	}
	return c.climb(least)
}

// rangeFrom parses what follows lo.. .
func (c *climber) rangeFrom(lo ast.Expr, t *lexer.Token) (ast.Expr, error) {
	if n := c.peek(); !startsOperand(n) {
		return nil, halfRange(t, "write `%s..end` for all from there, or name both ends", ast.ExprString(lo))
	}
	hi, err := c.climb(ast.PrecRange + 1)
	if err != nil {
		return nil, err
	}
	r := &ast.Range{Lo: lo, Hi: hi}
	for {
		n := c.peek()
		if n.Type != tokIdent || n.Value != "by" && n.Value != "at" {
			break
		}
		if r.By != nil || r.At != nil {
			f := failAt("E0130", n.Pos.Offset, end(n), "a range has one of `by` and `at`")
			f.d.At("a second one").WithHelp("keep one of them")
			return nil, f
		}
		c.next()
		e, err := c.operand(ast.PrecSum)
		if err != nil {
			return nil, err
		}
		if n.Value == "by" {
			r.By = e
		} else {
			r.At = e
		}
	}
	r.SetSpan(c.place(lo.Span().Lo))
	if n := c.peek(); is(n, "..") {
		f := failAt("E0125", n.Pos.Offset, end(n), "a range has two ends")
		f.d.At("a third one").WithHelp("write `%s by …` for a step", ast.ExprString(r))
		return nil, f
	}
	return r, nil
}

func halfRange(t *lexer.Token, help string, args ...any) error {
	f := failAt("E0125", t.Pos.Offset, end(t), "a range has two ends")
	f.d.At("one is missing").WithHelp(help, args...)
	return f
}

// thenInIf reports a chain of optimisers that an `if` leaves unclear.
func thenInIf(t *lexer.Token, before ast.Expr) error {
	f := failAt("E0118", t.Pos.Offset, end(t), "a `then` chain inside `if` needs brackets")
	f.d.At("does it belong to the chain or to the `if`?").WithHelp("write `(%s then …)`", ast.ExprString(before))
	return f
}

func (c *climber) tooLong(format string, n int) error {
	t := c.peek()
	f := failAt("E0112", t.Pos.Offset, end(t), format, n)
	f.d.At("one too many").WithHelp("name a part of it with `let`, or in a script with `name = …`")
	return f
}

// prefix parses what may stand before the first operator.
func (c *climber) prefix(least ast.Prec) (ast.Expr, error) {
	t := c.peek()
	switch {
	case is(t, "-"), is(t, "+"):
		c.next()
		return c.unary(t, ast.PrecUnary)
	case t.Type == tokKeyword && t.Value == "not":
		if least > ast.PrecNot {
			return nil, loose(t, "`not`")
		}
		c.next()
		return c.unary(t, ast.PrecNot)
	case t.Type == tokKeyword && t.Value == "if":
		if least > ast.PrecIf {
			return nil, loose(t, "`if`")
		}
		return c.ifThenElse()
	case t.Type == tokIdent:
		if s := c.second(); is(s, "->") {
			return c.lambda(t, least)
		} else if is(s, "[") && reduction(t.Value) {
			return c.reduceOrIndex(least)
		}
	}
	x, err := c.primary()
	if err != nil {
		return nil, err
	}
	return c.suffixed(x, least)
}

// suffixed parses what may follow a primary, the -> of a function included.
func (c *climber) suffixed(x ast.Expr, least ast.Prec) (ast.Expr, error) {
	x, err := c.postfix(x)
	if err != nil {
		return nil, err
	}
	if a := c.peek(); is(a, "->") {
		return c.lambdaOf(x, least)
	}
	return x, nil
}

// loose reports a construct that binds more loosely than the operator before it.
func loose(t *lexer.Token, what string) error {
	f := failAt("E0124", t.Pos.Offset, end(t), "%s after an operator needs brackets", what)
	f.d.At("binds more loosely than the operator before").WithHelp("put it into brackets, `(%s …)`", t.Value)
	return f
}

func (c *climber) unary(t *lexer.Token, prec ast.Prec) (ast.Expr, error) {
	x, err := c.operand(prec)
	if err != nil {
		return nil, err
	}
	u := &ast.Unary{Op: t.Value, X: x}
	u.SetSpan(c.place(t.Pos.Offset))
	return u, nil
}

func (c *climber) ifThenElse() (ast.Expr, error) {
	t := c.next()
	e := &ast.If{}
	var err error
	if e.Cond, err = c.operand(ast.PrecOr); err != nil {
		return nil, err
	}
	if !c.accept("then") {
		return nil, c.missing("`then`")
	}
	if e.Then, err = c.operand(ast.PrecIf); err != nil {
		return nil, err
	}
	switch n := c.peek(); {
	case isWord(n, "then"):
		return nil, thenInIf(n, e.Then)
	case !isWord(n, "else"):
		if n.Type == tokEOF || !startsOperand(n) {
			f := failAt("E0119", t.Pos.Offset, end(t), "an `if` that gives a value needs an `else`")
			f.d.At("no `else`").WithHelp("add `else …`; a statement is `if c { … }`")
			return nil, f
		}
		return nil, c.missing("`else`")
	}
	c.next()
	if e.Else, err = c.operand(ast.PrecIf); err != nil {
		return nil, err
	}
	e.SetSpan(c.place(t.Pos.Offset))
	return e, nil
}

// lambda parses s -> e; t is the s.
func (c *climber) lambda(t *lexer.Token, least ast.Prec) (ast.Expr, error) {
	c.next()
	return c.lambdaOf(c.ident(t), least)
}

// lambdaOf parses -> e after what must be the parameters.
func (c *climber) lambdaOf(x ast.Expr, least ast.Prec) (ast.Expr, error) {
	params := x
	if p, ok := x.(*ast.Paren); ok {
		params = p.X
	}
	names, ok := targets(params)
	if !ok {
		f := failAt("E0133", x.Span().Lo, x.Span().Hi, "the parameters of a function are names")
		f.d.At("not a name").WithHelp("write `s -> …` or `(a, b) -> …`")
		return nil, f
	}
	t := c.peek()
	if least > ast.PrecLambda {
		f := failAt("E0124", t.Pos.Offset, end(t), "a function after an operator needs brackets")
		f.d.At("`->` binds more loosely than the operator before").WithHelp("put it into brackets, `(%s -> …)`", ast.ExprString(x))
		return nil, f
	}
	c.next()
	body, err := c.operand(ast.PrecLambda)
	if err != nil {
		return nil, err
	}
	l := &ast.Lambda{Params: names, Body: body}
	l.SetSpan(c.place(x.Span().Lo))
	return l, nil
}

func (c *climber) ident(t *lexer.Token) *ast.Ident {
	id := &ast.Ident{Name: t.Value}
	id.SetSpan(diag.Span{Lo: t.Pos.Offset, Hi: end(t)})
	return id
}

// name takes a name.
func (c *climber) name() (*ast.Ident, error) {
	if t := c.peek(); t.Type != tokIdent {
		return nil, c.missing("a name")
	}
	return c.ident(c.next()), nil
}

func reduction(name string) bool {
	for _, r := range ast.Reductions {
		if r == name {
			return true
		}
	}
	return false
}

// reduceOrIndex parses sum[j in 1..n] body; without an `in` the brackets hold an index. A state
// may be called sum as well: then sum[i in 1..3]' is a derivative.
func (c *climber) reduceOrIndex(least ast.Prec) (ast.Expr, error) {
	at := c.lex.MakeCheckpoint()
	op := c.next()
	c.next() // [
	if c.peek().Type != tokIdent || !isWord(c.second(), "in") {
		c.lex.LoadCheckpoint(at)
		return c.suffixed(c.ident(c.next()), least)
	}
	r := &ast.Reduce{Op: c.ident(op)}
	for {
		b, err := c.bind()
		if err != nil {
			return nil, err
		}
		r.Binds = append(r.Binds, b)
		if c.accept("]") {
			break
		}
		if !c.accept(",") {
			return nil, c.missing("`,` or `]`")
		}
	}
	if is(c.peek(), "'") {
		x := &ast.Index{X: r.Op}
		for _, b := range r.Binds {
			x.Args = append(x.Args, b)
		}
		x.SetSpan(c.place(op.Pos.Offset))
		return c.suffixed(x, least)
	}
	// The body is one product: sum[j in 1..n] a*b + c adds c once.
	var err error
	if r.Body, err = c.operand(ast.PrecProduct); err != nil {
		return nil, err
	}
	r.SetSpan(c.place(op.Pos.Offset))
	return r, nil
}

// bind parses j in 1..n.
func (c *climber) bind() (*ast.Bind, error) {
	v, err := c.name()
	if err != nil {
		return nil, err
	}
	if !c.accept("in") {
		return nil, c.missing("`in`")
	}
	over, err := c.operand(ast.PrecRange)
	if err != nil {
		return nil, err
	}
	b := &ast.Bind{Var: v, Over: over}
	b.SetSpan(c.place(v.Span().Lo))
	return b, nil
}
