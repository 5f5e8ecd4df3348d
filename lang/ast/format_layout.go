package ast

import (
	"strings"
	"unicode/utf8"
)

// lineWidth is the column after which calls, lists, records and long sums are broken.
const lineWidth = 100

// hang is how far to the right arguments may still be aligned with their bracket; beyond, they
// start on a line of their own.
const hang = 60

// put writes text that holds no line end.
func (p *printer) put(s string) {
	p.b.WriteString(s)
	p.col += utf8.RuneCountInString(s)
}

// newline starts a line at a column.
func (p *printer) newline(col int) {
	p.b.WriteByte('\n')
	p.b.WriteString(strings.Repeat(" ", col))
	p.col, p.line = col, col
	p.lines++
}

// fits says whether n more columns have room.
func (p *printer) fits(n int) bool { return p.col+n <= p.width }

// expr writes e in the way of flat.expr where it fits before tail further columns and holds no
// comment, else over several lines.
func (p *printer) expr(e Expr, least, follow Prec, tight bool, tail int) {
	var f flat
	f.expr(e, least, follow, tight)
	if s := f.String(); p.fits(utf8.RuneCountInString(s)+tail) && !p.commented(e) {
		p.put(s)
		return
	}
	p.broken(e, least, follow, tight, tail)
}

// broken writes e over several lines.
func (p *printer) broken(e Expr, least, follow Prec, tight bool, tail int) {
	if bracketed(e, least, follow) {
		p.elems("(", e, []Expr{e}, ")", tight, tail)
		return
	}
	switch e := e.(type) {
	case *Unary:
		p.put(unaryText(e))
		p.expr(e.X, precOf(e), follow, tight, tail)
	case *Binary:
		p.chain(e, follow, tight, tail)
	case *Call:
		p.operand(e.Fun, 1)
		p.group("(", e, len(e.Args), func(i int) Node { return e.Args[i] }, func(i, tail int) { p.arg(e.Args[i], tail) }, ")", tail)
	case *Index:
		p.operand(e.X, 1)
		p.elems("[", e, e.Args, "]", true, tail)
	case *Member:
		p.operand(e.X, tail+len(e.Name.Name)+1)
		p.put("." + e.Name.Name)
	case *Prime:
		p.operand(e.X, tail+1)
		p.put("'")
	case *If:
		p.ifThenElse(e, tail)
	case *Lambda:
		p.put(lambdaHead(e))
		p.expr(e.Body, precBrace, 0, false, tail)
	case *Range:
		p.rangeExpr(e, tail)
	case *List:
		p.elems("[", e, e.Elems, "]", false, tail)
	case *Tuple:
		p.elems("(", e, e.Elems, ")", false, tail)
	case *Paren:
		p.elems("(", e, []Expr{e.X}, ")", tight, tail)
	case *Record:
		p.group("{", e, len(e.Fields), func(i int) Node { return e.Fields[i] }, func(i, tail int) {
			p.put(keyText(e.Fields[i]))
			p.expr(e.Fields[i].Value, precBrace, 0, false, tail)
		}, "}", tail)
	case *Formula:
		p.formula(e)
	case *Reduce:
		p.put(reduceHead(e))
		p.expr(e.Body, PrecProduct, follow, tight, tail)
	default:
		p.put(oneLine(e, least, follow, tight))
	}
}

func oneLine(e Expr, least, follow Prec, tight bool) string {
	var f flat
	f.expr(e, least, follow, tight)
	return f.String()
}

func inBrackets(e Expr) Expr { return &Paren{Base{e.Span()}, e} }

func (p *printer) operand(e Expr, tail int) {
	if _, ok := e.(*Number); ok {
		e = inBrackets(e)
	}
	p.expr(e, PrecPostfix, 0, false, tail)
}

func (p *printer) arg(a *Arg, tail int) {
	if a.Name != nil {
		p.put(a.Name.Name + " = ")
	}
	p.expr(a.Value, precBrace, 0, false, tail)
}

func (p *printer) elems(open string, e Expr, l []Expr, close string, tight bool, tail int) {
	p.group(open, e, len(l), func(i int) Node { return l[i] },
		func(i, tail int) { p.expr(l[i], precBrace, 0, tight, tail) }, close, tail)
}

func (p *printer) ifThenElse(e *If, tail int) {
	base := p.col
	p.put("if ")
	p.expr(e.Cond, PrecOr, 0, false, 5)
	p.put(" then ")
	p.expr(e.Then, PrecOr, 0, false, 0)
	p.newline(base)
	p.put("else ")
	least := PrecOr
	if _, ok := e.Else.(*If); ok {
		least = PrecLambda
	}
	p.expr(e.Else, least, 0, false, tail)
}

func (p *printer) rangeExpr(e *Range, tail int) {
	if e.Lo == nil || e.Hi == nil {
		p.put("..")
		return
	}
	p.expr(e.Lo, PrecRange+1, 0, true, 2)
	p.put("..")
	p.expr(e.Hi, PrecRange+1, 0, true, tail)
	if e.By != nil {
		p.put(" by ")
		p.expr(e.By, PrecSum, 0, true, tail)
	}
	if e.At != nil {
		p.put(" at ")
		p.expr(e.At, PrecSum, 0, true, tail)
	}
}

// chain writes a row of operators of one level, and goes to the next line after an operator
// where the next operand does not fit.
func (p *printer) chain(e *Binary, follow Prec, tight bool, tail int) {
	op, _ := Infix(e.Op)
	left, right := op.sides()
	var row []*Binary
	var first Expr = e
	for {
		b, ok := first.(*Binary)
		if !ok || op.Assoc != LeftAssoc && len(row) > 0 {
			break
		}
		if o, _ := Infix(b.Op); o.Prec != op.Prec {
			break
		}
		row = append(row, b)
		first = b.X
	}
	base := p.col
	p.expr(first, left, op.Prec, tight, 2)
	for i := len(row) - 1; i >= 0; i-- {
		b, after, room := row[i], op.Prec, 2
		if i == 0 {
			after, room = follow, tail
		}
		close := op.Tight || tight && op.Prec == PrecSum
		if !close {
			p.put(" ")
		}
		p.put(b.Op)
		var f flat
		f.right(b.Y, right, after, tight)
		switch n := utf8.RuneCountInString(f.String()) + room; {
		case !p.fits(n+1) && p.width-base >= n:
			p.newline(base)
		case !close:
			p.put(" ")
		}
		least := right
		if signed(b.Y) && least > PrecUnary {
			least = PrecUnary
		}
		p.expr(b.Y, least, after, tight, room)
	}
}

// group writes items between brackets: filled, aligned with the first one; or one per line
// when there are comments between them.
func (p *printer) group(open string, e Expr, n int, item func(i int) Node, write func(i, tail int), close string, tail int) {
	p.put(open)
	if n == 0 {
		p.put(close)
		return
	}
	if p.commented(e) {
		p.rows(e, n, item, write, close)
		return
	}
	base := p.col
	if base > hang {
		base = p.line + 4
		p.newline(base)
	}
	for i := range n {
		room := 1
		if i == n-1 {
			room = 1 + tail
		}
		if i > 0 {
			if p.fits(1 + room + p.measure(func(q *printer) { q.item(item(i)) })) {
				p.put(" ")
			} else {
				p.newline(base)
			}
		}
		write(i, room)
		if i < n-1 {
			p.put(",")
		}
	}
	p.put(close)
}

// item writes one entry of a group on one line.
func (p *printer) item(n Node) {
	switch n := n.(type) {
	case *Arg:
		p.arg(n, 0)
	case *Field:
		p.put(keyText(n))
		p.expr(n.Value, precBrace, 0, false, 0)
	case Expr:
		p.expr(n, precBrace, 0, false, 0)
	}
}

// rows writes one entry per line, with the comments between.
func (p *printer) rows(e Expr, n int, item func(i int) Node, write func(i, tail int), close string) {
	outer := p.line
	base := outer + 2
	for i := range n {
		at := item(i).Span()
		for p.pending(at.Lo) {
			p.newline(base)
			p.put(p.take().Text)
		}
		p.newline(base)
		write(i, 1)
		if i < n-1 {
			p.put(",")
		}
		limit := e.Span().Hi
		if i < n-1 {
			limit = item(i + 1).Span().Lo
		}
		if p.pending(limit) && p.sameLine(at.Hi, p.comments[0].Sp.Lo) {
			p.put("  " + p.take().Text)
		}
	}
	for p.pending(e.Span().Hi) {
		p.newline(base)
		p.put(p.take().Text)
	}
	p.newline(outer)
	p.put(close)
}

// formula writes {param a = 1; a*x} with one statement per line.
func (p *printer) formula(e *Formula) {
	outer := p.line
	p.put("{")
	indent := p.indent
	p.indent = outer + 2
	stmts := append(append([]Stmt{}, e.Decls...), bodyStmt(e))
	p.body(stmts, e.Span().Hi)
	p.indent = indent
	p.newline(outer)
	p.put("}")
}

func bodyStmt(e *Formula) Stmt {
	s := &ExprStmt{X: e.Body}
	s.SetSpan(e.Body.Span())
	return s
}
