package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/diag"
)

// braceKind is what an opening bracket opens.
type braceKind uint8

const (
	noBracket    braceKind = iota
	braceGroup             // ( or [
	braceRecord            // {name: value}
	braceFormula           // {param a = 1; a*x}
	braceBlock             // { statements }
)

// maxNesting is how deep brackets may stand in one another. It keeps every recursion over the
// tree far from the end of the stack.
const maxNesting = 200

// brackets pairs all brackets, finds out what each opens, reports those that do not pair, and
// returns how many are open at the end of the text.
//
// A bracket is given up at a reserved word that begins a line, at a } that must belong to
// something further out, and at the end of the text; reported is the opening bracket, which is
// where the mistake is.
func (p *state) brackets() (open int) {
	errs, toks := p.errs, p.toks
	open, b := p.pair(false)
	if b.lost {
		// Some { has no }. Only now does the layout have a say in which one that is.
		p.errs, p.toks = errs, toks
		_, b = p.pair(true)
	}
	for i := range p.toks {
		p.bad[i+1] = p.bad[i]
		if typ := p.toks[i].Type; b.wrong[i] || typ == tokBad || typ == tokOpenString {
			p.bad[i+1]++
		}
	}
	return open
}

type bracketing struct {
	*state
	stack  []int
	wrong  []bool
	layout bool // a } in the first column closes a { whose line begins there
	lost   bool // some { has no }
}

// pair goes through all tokens once.
func (p *state) pair(layout bool) (open int, b *bracketing) {
	n := len(p.toks)
	p.errs = p.errs[:len(p.errs):len(p.errs)]
	p.mate = make([]int32, n)
	p.kind = make([]braceKind, n)
	p.bad = make([]int32, n+1)
	b = &bracketing{state: p, wrong: make([]bool, n), layout: layout}
	for i := 0; i < len(p.toks); i++ {
		if !b.token(i) {
			break
		}
	}
	open = len(b.stack)
	b.giveUp(0, len(p.toks), diag.Span{}, "")
	return open, b
}

// token takes the next token; false stops.
func (b *bracketing) token(i int) bool {
	t := &b.toks[i]
	switch t.Type {
	case tokKeyword:
		if keywords[t.Value].opens && (i == 0 || b.toks[i-1].Type == tokNewline) {
			b.giveUp(b.keepAt(t, i > 0 && b.toks[i-1].Value == ";"), i, b.span(t.Pos.Offset, end(t)), "here the next declaration begins")
		}
	case tokOpenString:
		b.swallowed(i)
	case tokOp:
		switch t.Value {
		case "(", "[":
			b.kind[i] = braceGroup
			return b.push(i)
		case "{":
			b.kind[i] = b.brace(i)
			return b.push(i)
		case ")", "]", "}":
			b.close(i)
		}
	}
	return true
}

// keepAt is how many of the open brackets stay open where a reserved word begins a statement:
// blocks do, but for a model in the first column; a formula does for what it may declare, and
// for anything behind a semicolon.
func (b *bracketing) keepAt(t *lexer.Token, sameLine bool) int {
	word := t.Value
	if word == "model" && b.firstColumn(t.Pos.Offset) {
		return 0
	}
	n := len(b.stack)
	for n > 0 {
		switch b.kind[b.stack[n-1]] {
		case braceBlock:
			return n
		case braceFormula:
			if sameLine || word == "param" || word == "const" || word == "let" || word == "fn" {
				return n
			}
		}
		n--
	}
	return 0
}

// brace decides between record, formula and block by what stands before and after a {.
func (b *bracketing) brace(i int) braceKind {
	if i == 0 {
		return braceBlock
	}
	before := i - 1
	for before > 0 && b.toks[before].Type == tokNewline && b.toks[before].Value == "\n" {
		before--
	}
	record := i >= 3 && isWord(&b.toks[i-1], "correlated") && isWord(&b.toks[i-3], "noise") // `correlated` may be a name
	if t := &b.toks[before]; t.Type == tokOp {
		switch t.Value {
		case "=", "(", "[", ",", ":", "->":
			record = true
		}
	}
	if !record {
		return braceBlock
	}
	for k := i + 1; k < len(b.toks); k++ {
		if t := &b.toks[k]; t.Type != tokNewline {
			if t.Type == tokKeyword && keywords[t.Value].opens {
				return braceFormula
			}
			break
		}
	}
	return braceRecord
}

// push opens a bracket; too deep is the one mistake after which the rest is not looked at.
func (b *bracketing) push(i int) bool {
	if len(b.stack) < maxNesting {
		b.stack = append(b.stack, i)
		return true
	}
	t := &b.toks[i]
	b.errs.Add(diag.New("E0112", b.span(t.Pos.Offset, end(t)), "brackets stand more than %d deep in one another", maxNesting).
		At("one too many").WithHelp("name a part of it with `let`, or in a script with `name = …`"))
	first := b.stack[0]
	b.wrong[first] = true
	b.kind[first] = noBracket
	b.toks = b.toks[:first+1]
	b.stack = b.stack[:0]
	return false
}

func (b *bracketing) close(i int) {
	t := &b.toks[i]
	n := len(b.stack)
	if b.layout && t.Value == "}" && b.firstColumn(t.Pos.Offset) {
		for k := n - 1; k >= 0; k-- {
			if o := &b.toks[b.stack[k]]; o.Value == "{" && b.firstColumn(b.lineStart(o.Pos.Offset)) {
				b.giveUp(k+1, i, b.span(t.Pos.Offset, end(t)), "this closes the `{` further out")
				break
			}
		}
		n = len(b.stack)
	}
	if n > 0 && pairs(b.toks[b.stack[n-1]].Value, t.Value) {
		b.mate[b.stack[n-1]] = int32(i)
		b.stack = b.stack[:n-1]
		return
	}
	// It may belong to something further out, unless the body of a block is between.
	for k := n - 1; k >= 0; k-- {
		if pairs(b.toks[b.stack[k]].Value, t.Value) {
			b.giveUp(k+1, i, b.span(t.Pos.Offset, end(t)), "this closes the `"+b.toks[b.stack[k]].Value+"` further out")
			b.mate[b.stack[k]] = int32(i)
			b.stack = b.stack[:k]
			return
		}
		if b.kind[b.stack[k]] == braceBlock {
			break
		}
	}
	b.wrong[i] = true
	if t.Value == "}" && n > 0 && b.firstColumn(t.Pos.Offset) {
		b.giveUp(0, i, b.span(t.Pos.Offset, end(t)), "still open here")
		return
	}
	d := b.errs.Add(diag.New("E0111", b.span(t.Pos.Offset, end(t)), "this `%s` closes nothing", t.Value))
	if n == 0 || b.kind[b.stack[n-1]] == braceBlock {
		d.At("nothing is open").WithHelp("remove it, or open its bracket")
		return
	}
	o := b.stack[n-1]
	want := closer(b.toks[o].Value)
	d.Message = "`" + t.Value + "` does not close `" + b.toks[o].Value + "`"
	d.At("expected `%s`", want).And(b.span(b.toks[o].Pos.Offset, end(&b.toks[o])), "opened here").WithHelp("write `%s`", want)
	// Taken as meant for the bracket that is open, unless that one closes right behind.
	if i+1 >= len(b.toks) || b.toks[i+1].Value != want {
		b.wrong[o] = true
		b.mate[o] = int32(i)
		b.stack = b.stack[:n-1]
	}
}

func (b *bracketing) firstColumn(at int) bool { return at == 0 || b.src.Text[at-1] == '\n' }

// lineStart is where the text of the line around a place begins.
func (b *bracketing) lineStart(at int) int {
	start := strings.LastIndexByte(b.src.Text[:at], '\n') + 1
	for start < at && (b.src.Text[start] == ' ' || b.src.Text[start] == '\t') {
		start++
	}
	return start
}

// swallowed lets the closing brackets in a string that was not closed close what is open: they
// were meant to, and the string is the one mistake.
func (b *bracketing) swallowed(i int) {
	for _, c := range b.toks[i].Value {
		n := len(b.stack)
		if n == 0 || b.kind[b.stack[n-1]] == braceBlock {
			return
		}
		if o := b.stack[n-1]; pairs(b.toks[o].Value, string(c)) {
			b.mate[o] = int32(i + 1)
			b.wrong[o] = true
			b.stack = b.stack[:n-1]
		}
	}
}

// giveUp reports all open brackets but the first keep, and lets them end before token i.
func (b *bracketing) giveUp(keep, i int, at diag.Span, why string) {
	for k := len(b.stack) - 1; k >= keep; k-- {
		o := b.stack[k]
		t := &b.toks[o]
		b.mate[o] = int32(i)
		b.wrong[o] = b.kind[o] != braceBlock
		b.lost = b.lost || t.Value == "{"
		d := b.errs.Add(diag.New("E0110", b.span(t.Pos.Offset, end(t)), "this `%s` is never closed", t.Value).
			At("opened here").WithHelp("add the `%s` that closes it", closer(t.Value)))
		if why != "" {
			d.And(at, "%s", why)
		}
	}
	b.stack = b.stack[:keep]
}

// after is the first token behind the bracket that token k opens.
func (p *state) after(k int) int {
	m := int(p.mate[k])
	if m < len(p.toks) && p.toks[m].Type == tokOp && pairs(p.toks[k].Value, p.toks[m].Value) {
		return m + 1
	}
	if m < len(p.toks) && p.bad[m+1] > p.bad[m] && p.kind[m] == noBracket {
		return m + 1 // closed by the wrong bracket
	}
	return m
}

func closer(open string) string {
	switch open {
	case "(":
		return ")"
	case "[":
		return "]"
	}
	return "}"
}

func pairs(open, close string) bool { return closer(open) == close }
