package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// where is the surroundings of a statement.
type where int

const (
	inScript where = iota
	inModel
	inEvent
	inFormula
)

// piece is one statement: tokens lo..hi. bad says that its mistake is reported already.
type piece struct {
	lo, hi int
	bad    bool
}

// region parses the statements of tokens lo..hi, each by itself.
func (p *state) region(lo, hi int, in where) []ast.Stmt {
	var out []ast.Stmt
	for _, s := range p.split(lo, hi) {
		if s.bad {
			p.blocks(s.lo, s.hi, p.rule(s.lo, s.hi), in)
		} else if st := p.statement(s.lo, s.hi, in); st != nil {
			out = append(out, st)
		}
	}
	return out
}

// split cuts tokens lo..hi into statements, at line ends and semicolons outside of brackets. A
// line end does not count after an operator or comma, and before `else`. A line that begins with a binary operator, or with
// the { of a block, is reported, and taken as part of the line before.
func (p *state) split(lo, hi int) []piece {
	var out []piece
	start, bad := -1, false
	flush := func(k int) {
		if start >= 0 {
			out = append(out, piece{start, k, bad})
		}
		start, bad = -1, false
	}
	for k := lo; k < hi; {
		t := &p.toks[k]
		if t.Type == tokNewline {
			if t.Value == ";" {
				flush(k)
				k++
				continue
			}
			next := k
			for next < hi && p.toks[next].Type == tokNewline && p.toks[next].Value == "\n" {
				next++
			}
			if start >= 0 {
				joins, wrong := false, false
				if next < hi {
					joins, wrong = p.joins(start, k, next)
				}
				bad = bad || wrong
				if !joins {
					flush(k)
				}
			}
			k = next
			continue
		}
		if start < 0 {
			start = k
		}
		open := k
		k = p.skip(k)
		if p.kind[open] != noBracket && k == int(p.mate[open]) {
			flush(k) // given up: here the next statement begins
		}
	}
	flush(hi)
	return out
}

// joins says whether the line that begins with token next goes on with the statement
// start..at, and whether that is a mistake, which it reports.
func (p *state) joins(start, at, next int) (joins, wrong bool) {
	t := &p.toks[next]
	switch {
	case t.Type == tokKeyword && keywords[t.Value].opens:
		return false, false
	case goesOn(p.toks[start:at]), isWord(t, "else"):
		return true, false
	case p.kind[next] == braceBlock && p.wantsBlock(start, at):
		p.errs.Add(diag.New("E0126", p.span(t.Pos.Offset, end(t)), "a block begins on the line it belongs to").
			At("on a line of its own").WithHelp("move `{` to the end of the line before"))
		return true, false
	case beginsWrongly(t):
		d := p.errs.Add(diag.New("E0116", p.span(t.Pos.Offset, end(t)), "a line cannot begin with the operator `%s`", t.Value).
			At("the statement ended with the line before").WithHelp("put `%s` at the end of the line before", t.Value))
		if t.Value == "-" || t.Value == "+" {
			d.Help += ", or brackets around a line that begins with a sign"
		}
		return true, true
	}
	return false, false
}

// wantsBlock says whether a statement is one that ends with a block, and has none yet.
func (p *state) wantsBlock(lo, hi int) bool {
	block := func(k int) bool { return p.kind[k] == braceBlock }
	for i := range rules {
		if rules[i].block && isWord(&p.toks[lo], rules[i].word) {
			return !p.has(lo, hi, block)
		}
	}
	return false
}

// goesOn says whether the line end after these tokens does not end the statement.
func goesOn(toks []lexer.Token) bool {
	t := &toks[len(toks)-1]
	switch t.Type {
	case tokOp:
		switch t.Value {
		case ")", "]", "}", "'":
			return false
		}
		return true
	case tokKeyword:
		switch t.Value {
		case "if", "then", "else", "and", "or", "not", "in":
			return true
		}
	case tokIdent:
		return (t.Value == "by" || t.Value == "at") && rangeBefore(toks[:len(toks)-1])
	}
	return false
}

// rangeBefore says whether these tokens end with a range, so that `by` or `at` behind them is no
// name.
func rangeBefore(toks []lexer.Token) bool {
	depth := 0
	for k := len(toks) - 1; k > 0; k-- {
		t := &toks[k]
		switch {
		case k == len(toks)-1 && !endsOperand(t):
			return false
		case t.Type == tokOp && (t.Value == ")" || t.Value == "]" || t.Value == "}"):
			depth++
		case t.Type == tokOp && (t.Value == "(" || t.Value == "[" || t.Value == "{"):
			depth--
			if depth == 0 && k > 0 && t.Value == "[" && reduction(toks[k-1].Value) {
				return false // sum[j in 1..n] by
			}
		case depth > 0:
		case is(t, ".."):
			return true
		case depth < 0, is(t, "="), is(t, ","):
			return false
		case (t.Type == tokIdent || t.Type == tokNumber) && endsOperand(&toks[k-1]):
			return false
		}
	}
	return false
}

// beginsWrongly says whether a token at the start of a line is a binary operator.
func beginsWrongly(t *lexer.Token) bool {
	switch t.Type {
	case tokKeyword:
		return t.Value == "then" || t.Value == "and" || t.Value == "or"
	case tokOp:
		switch t.Value {
		case "=", ":=", "->", "~", ",", ":", ".":
			return true
		}
		_, infix := ast.Infix(t.Value)
		return infix
	}
	return false
}

// statement parses tokens lo..hi as one statement; nil when it is wrong. The blocks in it are
// parsed even so, for their mistakes.
func (p *state) statement(lo, hi int, in where) ast.Stmt {
	r := p.rule(lo, hi)
	if p.broken(lo, hi) {
		p.blocks(lo, hi, r, in)
		return nil
	}
	toks, done := p.view(lo, hi)
	defer done()
	if d := p.misplaced(r, toks, in); d != nil {
		p.errs.Add(d)
		if r.script {
			in = inScript // what is in it may well be right there
		}
		p.blocks(lo, hi, r, in)
		return nil
	}
	before := len(p.errs)
	s, err := r.parse(&builder{p, in}, toks)
	switch {
	case err != nil:
		d := p.errs.Add(p.explain(err, toks, r))
		if r == &plain {
			slip(d, toks)
		}
		p.blocks(lo, hi, r, in)
		return nil
	case len(p.errs) > before && !r.block:
		return nil
	}
	if b, ok := s.(interface{ SetSpan(diag.Span) }); ok {
		b.SetSpan(p.over(toks))
	}
	return s
}

// broken says whether something in lo..hi, the blocks left out, has been reported already.
func (p *state) broken(lo, hi int) bool {
	for k := lo; k < hi; {
		if p.bad[k+1] > p.bad[k] {
			return true // the bracket of a block included
		}
		next := p.skip(k)
		if p.kind[k] != braceBlock && p.bad[next] > p.bad[k] {
			return true
		}
		k = next
	}
	return false
}

// blocks parses the blocks of a statement that is wrong.
func (p *state) blocks(lo, hi int, r *rule, in where) {
	body := in
	switch {
	case p.kind[lo] == braceBlock:
		return // what it should have been is anybody's guess
	case r.word == "model":
		body = inModel
	case r.event:
		body = inEvent
	}
	for k := lo; k < hi; {
		if p.kind[k] == braceBlock {
			p.block(k, body)
		}
		k = p.skip(k)
	}
}

// block parses the statements of the block that token k opens. An event that is never closed has
// taken in what is none of its own, which is no second mistake.
func (p *state) block(k int, in where) []ast.Stmt {
	before := len(p.errs)
	out := p.region(k+1, int(p.mate[k]), in)
	if in == inEvent && p.after(k) == int(p.mate[k]) {
		p.errs = p.errs[:before]
	}
	return out
}

// misplaced refuses what cannot stand in the given surroundings.
func (p *state) misplaced(r *rule, toks []lexer.Token, in where) *diag.Diagnostic {
	at := p.span(toks[0].Pos.Offset, end(&toks[0]))
	switch {
	case in == inModel && r.script:
		return diag.New("E0123", at, "`%s` belongs in a script, not in a model", r.word).At("in a model").
			WithHelp("a model holds declarations and equations; move this out of it")
	case in == inEvent && r.word != "":
		return diag.New("E0123", at, "an event holds assignments only").At("not an assignment").
			WithHelp("write `x := …` for what changes")
	case in == inFormula && r.word != "" && !r.formula:
		return diag.New("E0123", at, "a formula declares with `param`, `const`, `let` and `fn` only").At("not in a formula").
			WithHelp("move it into the model")
	}
	return nil
}

// rule finds the grammar of a statement by its first word, and where that word may also be a
// name, by what follows it.
func (p *state) rule(lo, hi int) *rule {
	first := &p.toks[lo]
	if first.Type == tokIdent || first.Type == tokKeyword {
		for i := range rules {
			r := &rules[i]
			if r.word == first.Value && (r.begins == nil || r.begins(p, lo, hi)) {
				return r
			}
		}
	}
	return &plain
}

// follows are the tests of the token after a word that may be a name. Two operands in a row
// are never an expression, so a word before one declares.

func beforeName(p *state, lo, hi int) bool {
	return lo+1 < hi && p.toks[lo+1].Type == tokIdent
}

func beforeOperand(p *state, lo, hi int) bool {
	if lo+1 >= hi {
		return false
	}
	t := &p.toks[lo+1]
	switch t.Type {
	case tokIdent, tokNumber, tokString:
		return true
	case tokKeyword:
		return keywords[t.Value].opens || t.Value == "not" || t.Value == "true" || t.Value == "false"
	}
	return false
}

func beforeColon(p *state, lo, hi int) bool { return lo+1 < hi && is(&p.toks[lo+1], ":") }

// withBlock holds for a word before an operand, and for any statement with a block.
func withBlock(p *state, lo, hi int) bool {
	return beforeOperand(p, lo, hi) || p.has(lo, hi, func(k int) bool { return p.kind[k] == braceBlock })
}

// withTilde holds for a word before an operand, and for any statement with a ~.
func withTilde(p *state, lo, hi int) bool {
	return beforeOperand(p, lo, hi) || p.has(lo, hi, func(k int) bool { return is(&p.toks[k], "~") })
}

// skip is the token after token k, or after all of the bracket that k opens.
func (p *state) skip(k int) int {
	if p.kind[k] == noBracket {
		return k + 1
	}
	return max(k+1, p.after(k))
}

// has looks for a token outside of brackets.
func (p *state) has(lo, hi int, f func(k int) bool) bool {
	for k := lo; k < hi; {
		if f(k) {
			return true
		}
		k = p.skip(k)
	}
	return false
}

// found says what a token is, in a user's words.
func found(t *lexer.Token) string {
	switch t.Type {
	case tokEOF:
		return "the end of the line"
	case tokKeyword:
		return "the reserved word `" + t.Value + "`"
	case tokBlock, tokFormula:
		return "`{`"
	case tokString:
		return "a string"
	case tokNumber:
		return "the number " + diag.Quote(t.Value)
	}
	return diag.Quote(strings.TrimSpace(t.Value))
}
