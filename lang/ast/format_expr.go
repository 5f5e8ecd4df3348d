package ast

import (
	"math"
	"strconv"
	"strings"
)

// ExprString is the canonical text of an expression on one line.
func ExprString(e Expr) string {
	if absent(e) {
		return ""
	}
	var f flat
	f.expr(e, precBrace, 0, false)
	return f.String()
}

// precBrace is the level of a record and a formula: a { is one only right after = ( [ , : or
// ->, so anywhere tighter they stand in brackets.
const precBrace Prec = 0

// precOf is how tightly an expression binds as it is printed.
func precOf(e Expr) Prec {
	switch e := e.(type) {
	case *Record, *Formula:
		return precBrace
	case *Lambda, *Bind:
		return PrecLambda
	case *If:
		return PrecIf
	case *Range:
		return PrecRange
	case *Reduce:
		return PrecPostfix // see bracketed
	case *Unary:
		if e.Op == "not" {
			return PrecNot
		}
		return PrecUnary
	case *Binary:
		if op, ok := Infix(e.Op); ok {
			return op.Prec
		}
		return PrecLambda
	case *Number:
		if e.Text == "" && (e.Value < 0 || math.Signbit(e.Value)) {
			return PrecUnary
		}
	}
	return PrecPostfix
}

// bracketed says whether an expression needs brackets where operators down to least bind, and
// an operator as tight as follow comes right behind it.
func bracketed(e Expr, least, follow Prec) bool {
	switch e.(type) {
	case *Reduce:
		// Its body would take a following product in.
		return follow >= PrecProduct || least >= PrecPostfix
	case *If:
		// A `then` or an operator next to an `if` would leave the reader in doubt.
		return least > PrecLambda
	}
	return precOf(e) < least
}

// flat writes expressions on one line.
type flat struct{ strings.Builder }

// expr writes e where operators from least on bind, and one of precedence follow (0: none)
// stands right behind. In a tight place + and - stand without spaces.
func (f *flat) expr(e Expr, least, follow Prec, tight bool) {
	if bracketed(e, least, follow) {
		f.WriteByte('(')
		f.expr(e, precBrace, 0, tight)
		f.WriteByte(')')
		return
	}
	switch e := e.(type) {
	case *Number:
		f.WriteString(numberText(e))
	case *String:
		f.WriteString(quoted(e.Value))
	case *Bool:
		f.WriteString(strconv.FormatBool(e.Value))
	case *Ident:
		f.WriteString(e.Name)
	case *Unary:
		f.WriteString(unaryText(e))
		f.expr(e.X, precOf(e), follow, tight)
	case *Binary:
		f.binary(e, follow, tight)
	case *Call:
		f.operand(e.Fun)
		f.WriteByte('(')
		for i, a := range e.Args {
			f.comma(i)
			f.arg(a)
		}
		f.WriteByte(')')
	case *Index:
		f.operand(e.X)
		f.list("[", e.Args, "]", true)
	case *Member:
		f.operand(e.X)
		f.WriteByte('.')
		f.WriteString(e.Name.Name)
	case *Prime:
		f.operand(e.X)
		f.WriteByte('\'')
	case *If:
		f.WriteString("if ")
		f.expr(e.Cond, PrecOr, 0, false)
		f.WriteString(" then ")
		f.expr(e.Then, PrecOr, 0, false)
		f.WriteString(" else ")
		f.elseExpr(e.Else)
	case *Lambda:
		f.WriteString(lambdaHead(e))
		f.expr(e.Body, precBrace, 0, false)
	case *Range:
		f.rangeExpr(e)
	case *List:
		f.list("[", e.Elems, "]", false)
	case *Tuple:
		f.list("(", e.Elems, ")", false)
	case *Paren:
		f.WriteByte('(')
		f.expr(e.X, precBrace, 0, tight)
		f.WriteByte(')')
	case *Record:
		f.record(e)
	case *Formula:
		f.formula(e)
	case *Reduce:
		f.WriteString(reduceHead(e))
		f.expr(e.Body, PrecProduct, follow, tight)
	case *Bind:
		f.bind(e)
	}
}

// elseExpr writes the last branch of an if: another if goes on without brackets.
func (f *flat) elseExpr(e Expr) {
	if _, ok := e.(*If); ok {
		f.expr(e, PrecLambda, 0, false)
		return
	}
	f.expr(e, PrecOr, 0, false)
}

func (f *flat) binary(e *Binary, follow Prec, tight bool) {
	op, _ := Infix(e.Op)
	left, right := op.sides()
	f.expr(e.X, left, op.Prec, tight)
	if op.Tight || tight && op.Prec == PrecSum {
		f.WriteString(e.Op)
	} else {
		f.WriteString(" " + e.Op + " ")
	}
	f.right(e.Y, right, follow, tight)
}

// right writes a right operand. A sign needs no brackets there even after ^.
func (f *flat) right(e Expr, least, follow Prec, tight bool) {
	if signed(e) && least > PrecUnary {
		least = PrecUnary
	}
	f.expr(e, least, follow, tight)
}

// signed says whether an expression begins with a prefix sign of its own.
func signed(e Expr) bool {
	switch e := e.(type) {
	case *Unary:
		return e.Op != "not"
	case *Number:
		return precOf(e) == PrecUnary
	}
	return false
}

// sides are the levels at which the operands of an operator stand without brackets.
func (op Operator) sides() (left, right Prec) {
	switch op.Assoc {
	case LeftAssoc:
		return op.Prec, op.Prec + 1
	case RightAssoc:
		return op.Prec + 1, op.Prec
	}
	return op.Prec + 1, op.Prec + 1
}

// operand writes what a call, an index, a member or a prime follows.
func (f *flat) operand(e Expr) {
	if _, ok := e.(*Number); ok {
		f.WriteByte('(') // 3.x would be a number
		f.expr(e, precBrace, 0, false)
		f.WriteByte(')')
		return
	}
	f.expr(e, PrecPostfix, 0, false)
}

func (f *flat) comma(i int) {
	if i > 0 {
		f.WriteString(", ")
	}
}

func (f *flat) list(open string, l []Expr, close string, tight bool) {
	f.WriteString(open)
	for i, e := range l {
		f.comma(i)
		f.expr(e, precBrace, 0, tight)
	}
	f.WriteString(close)
}

func (f *flat) arg(a *Arg) {
	if a.Name != nil {
		f.WriteString(a.Name.Name + " = ")
	}
	f.expr(a.Value, precBrace, 0, false)
}

func (f *flat) rangeExpr(e *Range) {
	if e.Lo == nil || e.Hi == nil {
		f.WriteString("..")
		return
	}
	f.expr(e.Lo, PrecRange+1, 0, true)
	f.WriteString("..")
	f.expr(e.Hi, PrecRange+1, 0, true)
	if e.By != nil {
		f.WriteString(" by ")
		f.expr(e.By, PrecSum, 0, true)
	}
	if e.At != nil {
		f.WriteString(" at ")
		f.expr(e.At, PrecSum, 0, true)
	}
}

func (f *flat) record(e *Record) {
	f.WriteByte('{')
	for i, x := range e.Fields {
		f.comma(i)
		f.WriteString(keyText(x))
		f.expr(x.Value, precBrace, 0, false)
	}
	f.WriteByte('}')
}

func (f *flat) formula(e *Formula) {
	f.WriteByte('{')
	for _, s := range e.Decls {
		p := printer{width: math.MaxInt}
		doc := p.simple(s, true)
		f.WriteString(p.text() + docText(doc) + "; ")
	}
	f.expr(e.Body, PrecLambda, 0, false)
	f.WriteByte('}')
}

func (f *flat) bind(b *Bind) {
	f.WriteString(b.Var.Name + " in ")
	f.expr(b.Over, PrecRange, 0, false)
}

func unaryText(e *Unary) string {
	if e.Op == "not" {
		return "not "
	}
	return e.Op
}

func lambdaHead(e *Lambda) string {
	if len(e.Params) == 1 {
		return e.Params[0].Name + " -> "
	}
	return "(" + names(e.Params) + ") -> "
}

func reduceHead(e *Reduce) string {
	var f flat
	f.WriteString(e.Op.Name + "[")
	for i, b := range e.Binds {
		f.comma(i)
		f.bind(b)
	}
	f.WriteString("] ")
	return f.String()
}

func keyText(x *Field) string { return x.Name() + ": " }

// Name is the entry's key as it is written.
func (f *Field) Name() string {
	s := ""
	for i, k := range f.Key {
		if i > 0 {
			s += "."
		}
		s += k.Name
	}
	return s + strings.Repeat("'", f.Primes)
}

func names(l []*Ident) string {
	s := ""
	for i, n := range l {
		if i > 0 {
			s += ", "
		}
		s += n.Name
	}
	return s
}

// numberText keeps a literal as written; a number that a tool has made gets the shortest text
// that reads back the same.
func numberText(n *Number) string {
	switch {
	case n.Text != "":
		return n.Text
	case math.IsInf(n.Value, 1):
		return "inf"
	case math.IsInf(n.Value, -1):
		return "-inf"
	case math.IsNaN(n.Value):
		return "nan"
	}
	return strconv.FormatFloat(n.Value, 'g', -1, 64)
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`)

func quoted(s string) string { return `"` + quoter.Replace(s) + `"` }

// unitText is 1/year, mol/L, m*s^-2, with / for negative powers.
func unitText(u *Unit) string {
	s := ""
	for i, f := range u.Factors {
		num := f.Num
		if i > 0 {
			if num < 0 {
				s += "/"
				num = -num
			} else {
				s += "*"
			}
		}
		s += f.Name
		switch {
		case f.Den > 1:
			s += "^(" + strconv.Itoa(num) + "/" + strconv.Itoa(f.Den) + ")"
		case num != 1:
			s += "^" + strconv.Itoa(num)
		}
	}
	return s
}
