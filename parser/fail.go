package parser

import (
	"errors"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/diag"
)

// fail is a mistake found within a production: a diagnostic whose spans have no source yet,
// and an error that participle can order by place.
type fail struct{ d *diag.Diagnostic }

var _ participle.Error = (*fail)(nil)

func failAt(code diag.Code, lo, hi int, format string, args ...any) *fail {
	return &fail{diag.New(code, diag.Span{Lo: lo, Hi: hi}, format, args...)}
}

func (f *fail) Error() string            { return f.d.Message }
func (f *fail) Message() string          { return f.d.Message }
func (f *fail) Position() lexer.Position { return lexer.Position{Offset: f.d.Labels[0].Span.Lo} }

// explain says in a user's words what participle found wrong with a statement.
func (p *state) explain(err error, toks []lexer.Token, r *rule) *diag.Diagnostic {
	var f *fail
	if !errors.As(err, &f) {
		f = p.unexpected(err, toks)
	}
	if f.d.Help == "" && r.example != "" {
		f.d.WithHelp("write for example `%s`", r.example)
	}
	if f.d.Help == "" {
		f.d.Help = "remove it, or put it on a line of its own"
	}
	p.joined(f.d, toks)
	for i := range f.d.Labels {
		f.d.Labels[i].Span = p.at(f.d.Labels[i].Span)
	}
	return f.d
}

// joined points at the operator that made a line go on with the one before, when the mistake is
// in the second: very likely the operator is what is wrong.
func (p *state) joined(d *diag.Diagnostic, toks []lexer.Token) {
	at := d.Labels[0].Span.Lo
	depth, by := 0, -1
	for k := 0; k < len(toks) && toks[k].Pos.Offset <= at; k++ {
		t := &toks[k]
		if k > 0 && depth == 0 && strings.Contains(p.src.Text[end(&toks[k-1]):t.Pos.Offset], "\n") {
			by = -1
			if goesOn(toks[:k]) {
				by = k - 1
			}
		}
		if t.Type == tokOp {
			switch t.Value {
			case "(", "[", "{":
				depth++
			case ")", "]", "}":
				depth--
			}
		}
	}
	if by >= 0 {
		t := &toks[by]
		d.And(diag.Span{Lo: t.Pos.Offset, Hi: end(t)}, "the line goes on after this")
	}
}

func (p *state) unexpected(err error, toks []lexer.Token) *fail {
	at := 0
	var pe participle.Error
	if errors.As(err, &pe) {
		at = pe.Position().Offset
	}
	k := 0
	for k < len(toks) && toks[k].Pos.Offset < at {
		k++
	}
	last := &toks[len(toks)-1]
	t := &lexer.Token{Type: tokEOF, Pos: lexer.Position{Offset: end(last)}}
	if k < len(toks) {
		t = &toks[k]
	}
	if k == 0 {
		f := failAt("E0114", t.Pos.Offset, shown(t), "a statement cannot begin with %s", found(t))
		f.d.At("expected a declaration, an equation or a name")
		hint(f.d, "", t, nil)
		return f
	}
	prev := &toks[k-1]
	var u *participle.UnexpectedTokenError
	if errors.As(err, &u) {
		if what := expected(u.Message()); what != "" {
			var out *fail
			errors.As(wrong(what, t, prev), &out)
			return out
		}
	}
	return trailing(t, prev)
}

// trailing reports a token at which the statement could have ended.
func trailing(t, prev *lexer.Token) *fail {
	if startsOperand(t) && !is(t, "{") || t.Type == tokKeyword && keywords[t.Value].opens || t.Type == tokKeyword && t.Value == "for" {
		f := failAt("E0115", t.Pos.Offset, shown(t), "expected an operator or the end of the line after %s, found %s", found(prev), found(t))
		f.d.At("not expected here").WithHelp("two statements on one line are separated by `;`; a product needs its `*`")
		if t.Type == tokString {
			f.d.WithHelp("two statements on one line are separated by `;`")
		}
		return f
	}
	f := failAt("E0114", t.Pos.Offset, shown(t), "expected the end of the line after %s, found %s", found(prev), found(t))
	f.d.At("not expected here")
	hint(f.d, "", t, prev)
	return f
}

// hint adds a line of help where a mistake is typical of other languages, or where an example
// says most.
func hint(d *diag.Diagnostic, what string, t, prev *lexer.Token) {
	switch {
	case is(t, ":") && what != "`:`":
		d.WithHelp("a range is `0..10 by 0.1`; `:` gives a unit, or the value of a record's entry")
	case is(t, "=") && what == "an expression" && prev != nil && prev.Type == tokOp && strings.ContainsAny(prev.Value, "=!<>"):
		d.WithHelp("`==` compares for equality, `<=` for less or equal")
	case is(t, "=") && what == "an expression":
		d.WithHelp("write `a = a %s …` in full", operatorText(prev))
	case is(t, "=") && what == "":
		d.WithHelp("`==` compares")
	case is(t, "*") && prev != nil && is(prev, "*"):
		d.WithHelp("a power is `x^2`")
	case what == "`then`" && (t.Type == tokEOF || t.Type == tokBlock):
		d.WithHelp("a value is `if c then a else b`, a statement `if c { … } else { … }`")
	case is(t, ":=") && what == "`=`":
		d.WithHelp("`:=` assigns within an event only")
	case is(t, ",") && what == "" && prev != nil && prev.Type == tokIdent:
		d.WithHelp("several names stand in brackets, `(a, b) = …`")
	case t.Type == tokNewline:
		d.WithHelp("rows of a matrix are lists: `[[1, 2], [3, 4]]`")
	case (t.Type == tokBlock || is(t, "{")) && what == "":
		d.WithHelp("a block belongs to `model`, `when`, `at`, `every`, `jump`, `for` or `if`; a value of `if` is `if c then a else b`")
	case isWord(t, "else"):
		d.WithHelp("`else` belongs to `if c then a else b` or to `if c { … } else { … }`")
	case isWord(t, "then") && what == "":
		d.WithHelp("a value of `if` is `if c then a else b`; `then` also chains optimisers")
	case t.Type == tokKeyword && what == "an expression":
		d.WithHelp("`%s` is reserved; a name must be another", t.Value)
	default:
		d.Help = lacking(what, prev)
	}
}

func operatorText(prev *lexer.Token) string {
	if prev == nil {
		return "+"
	}
	return prev.Value
}

// lacking is help for what a bracket or an operator lacks.
func lacking(what string, prev *lexer.Token) string {
	switch {
	case prev == nil:
		return ""
	case what == "`,` or `)`" || what == "`,` or `]`" || what == "`,` or `}`":
		return "separate two entries by `,`, or close the bracket"
	case what == "`:`" || what == "a name" && (prev.Value == "{" || prev.Value == ","):
		return "an entry of a record is `name: value`"
	case what == "a name" && prev.Value == ".":
		return "write the name of a part, as in `s.x`"
	case what != "an expression":
		return ""
	case is(prev, "=") || is(prev, ":="):
		return "write the value"
	case is(prev, "(") || is(prev, "[") || is(prev, "{") || is(prev, ","):
		return "write an entry, or remove the comma"
	case prev.Type == tokOp || prev.Type == tokKeyword:
		return "write what `" + prev.Value + "` is applied to, or remove it"
	}
	return ""
}

// terms are the symbols of the grammars in a user's words.
var terms = map[string]string{
	"Expr": "an expression", "UnitNode": "a unit", "<ident>": "a name", "<string>": "a string in double quotes",
	"<number>": "a number", "<block>": "`{`", "ItemG": "a name", "NameG": "a name", "OptionG": "an option", "ElseG": "`else`",
	"PrimeG": "`'`",
}

// expected reads out of participle's message what it wanted first, in a user's words; "" when
// it wanted nothing in particular.
func expected(message string) string {
	_, want, ok := strings.Cut(message, "(expected ")
	if !ok {
		return ""
	}
	want = strings.TrimLeft(want, "(")
	if strings.HasPrefix(want, `"if"`) {
		return "`{` or `if`" // after else
	}
	if strings.HasPrefix(want, `"`) {
		return literals(want)
	}
	if i := strings.IndexAny(want, " )?*+|"); i >= 0 {
		want = want[:i]
	}
	return terms[want]
}

// literals reads `"a" | "b") …` as "`a` or `b`".
func literals(want string) string {
	out := ""
	for {
		q, err := strconv.QuotedPrefix(want)
		if err != nil {
			return out
		}
		s, _ := strconv.Unquote(q)
		if out != "" {
			out += " or "
		}
		out += "`" + s + "`"
		want = strings.TrimPrefix(want[len(q):], " ")
		if !strings.HasPrefix(want, "| ") {
			return out
		}
		want = strings.TrimLeft(want[2:], "(")
	}
}
