package parser

import (
	"strconv"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// unitNode is a unit as a production of its own; an interface, as participle wants it.
type unitNode interface{ unit() *ast.Unit }

type unitBox struct{ u *ast.Unit }

func (b unitBox) unit() *ast.Unit { return b.u }

// parseUnit is participle's production of unitNode: factors joined by * and /, each with an
// optional whole or rational power; brackets group.
func parseUnit(lex *lexer.PeekingLexer) (unitNode, error) {
	if t := lex.Peek(); t.Type != tokIdent && t.Type != tokNumber && !is(t, "(") {
		return nil, participle.NextMatch
	}
	c := climber{lex: lex}
	u := &ast.Unit{}
	lo := lex.Peek().Pos.Offset
	var err error
	if u.Factors, err = c.factors(); err != nil {
		return nil, err
	}
	u.SetSpan(c.place(lo))
	return unitBox{u}, nil
}

func (c *climber) factors() ([]ast.UnitFactor, error) {
	var out []ast.UnitFactor
	sign := 1
	for {
		f, err := c.factor()
		if err != nil {
			return nil, err
		}
		for i := range f {
			f[i].Num *= sign
		}
		out = append(out, f...)
		switch {
		case c.accept("*"):
			sign = 1
		case c.accept("/"):
			sign = -1
		default:
			return out, nil
		}
	}
}

// factor parses m, m^2, m^-1, m^(1/2), 1, or factors in brackets.
func (c *climber) factor() ([]ast.UnitFactor, error) {
	t := c.peek()
	var out []ast.UnitFactor
	switch {
	case t.Type == tokIdent:
		c.next()
		out = []ast.UnitFactor{{Name: t.Value, Num: 1, Den: 1}}
	case t.Type == tokNumber && t.Value == "1":
		c.next()
		out = []ast.UnitFactor{{Name: "1", Num: 1, Den: 1}}
	case is(t, "("):
		if c.depth++; c.depth > maxNesting {
			return nil, c.tooLong("this unit is nested more than %d deep", maxNesting)
		}
		c.next()
		var err error
		if out, err = c.factors(); err != nil {
			return nil, err
		}
		if !c.accept(")") {
			return nil, c.missing("`)`")
		}
		c.depth--
	case t.Type == tokNumber:
		f := failAt("E0127", t.Pos.Offset, end(t), "a unit has no number but 1")
		f.d.At("not a unit").WithHelp("put the factor into the value")
		return nil, f
	default:
		return nil, c.missing("a unit")
	}
	num, den := 1, 1
	if c.accept("^") {
		var err error
		if num, den, err = c.power(); err != nil {
			return nil, err
		}
	}
	for i := range out {
		out[i].Num, out[i].Den = reduced(out[i].Num*num, out[i].Den*den)
		if abs(out[i].Num) > maxPower || out[i].Den > maxPower {
			f := failAt("E0127", t.Pos.Offset, end(c.prev), "the power of a unit is a small number")
			f.d.At("a power beyond %d", maxPower).WithHelp("write for example `m^2` or `m^(1/2)`")
			return nil, f
		}
		if out[i].Sp.Hi == 0 {
			out[i].Sp = c.place(t.Pos.Offset)
		}
	}
	return out, nil
}

// maxPower bounds the powers of units, so that products of powers stay small numbers.
const maxPower = 1000

// power parses 2, -1 or (1/2).
func (c *climber) power() (num, den int, err error) {
	if c.accept("(") {
		if num, err = c.whole(); err != nil {
			return 0, 0, err
		}
		den = 1
		if c.accept("/") {
			at := c.peek()
			if den, err = c.whole(); err != nil {
				return 0, 0, err
			}
			if den < 0 {
				num, den = -num, -den
			}
			if den == 0 {
				f := failAt("E0127", at.Pos.Offset, end(at), "the power of a unit is divided by zero")
				f.d.WithHelp("write for example `m^(1/2)`")
				return 0, 0, f
			}
		}
		if !c.accept(")") {
			return 0, 0, c.missing("`)`")
		}
		num, den = reduced(num, den)
		return num, den, nil
	}
	num, err = c.whole()
	return num, 1, err
}

// whole parses a whole number with an optional sign.
func (c *climber) whole() (int, error) {
	sign := 1
	if c.accept("-") {
		sign = -1
	}
	t := c.peek()
	n, err := strconv.Atoi(t.Value)
	if t.Type != tokNumber || err != nil || n > maxPower {
		if t.Type != tokNumber {
			return 0, c.missing("a whole number")
		}
		f := failAt("E0127", t.Pos.Offset, end(t), "the power of a unit is a small whole number, or a fraction in brackets")
		f.d.At("not a whole number").WithHelp("write for example `m^2` or `m^(1/2)`")
		return 0, f
	}
	c.next()
	return sign * n, nil
}

// reduced is a fraction in lowest terms.
func reduced(num, den int) (int, int) {
	a, b := abs(num), den
	for b != 0 {
		a, b = b, a%b
	}
	if a > 1 {
		return num / a, den / a
	}
	return num, den
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// unit gives a parsed unit its source.
func (p *state) unit(n unitNode) *ast.Unit {
	if n == nil {
		return nil
	}
	u := n.unit()
	u.Sp.Src = p.src
	for i := range u.Factors {
		u.Factors[i].Sp.Src = p.src
	}
	return u
}

// at puts a source into a span that was made without one.
func (p *state) at(s diag.Span) diag.Span {
	s.Src = p.src
	return s
}
