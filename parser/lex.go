package parser

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// definition is the lexer as participle knows it.
type definition struct{}

var (
	_ lexer.Definition       = definition{}
	_ lexer.StringDefinition = definition{}
)

func (definition) Symbols() map[string]lexer.TokenType { return symbols }

func (d definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexString(name, string(b))
}

func (definition) LexString(name, text string) (lexer.Lexer, error) {
	s := scan(diag.NewSource(name, text))
	if len(s.errs) > 0 {
		return nil, s.errs
	}
	return &feed{toks: s.toks}, nil
}

// feed hands tokens to participle.
type feed struct {
	toks []lexer.Token
	next int
}

var _ lexer.Lexer = (*feed)(nil)

func (f *feed) Next() (lexer.Token, error) {
	if f.next >= len(f.toks) {
		at := 0
		if n := len(f.toks); n > 0 {
			at = end(&f.toks[n-1])
		}
		return lexer.EOFToken(lexer.Position{Offset: at}), nil
	}
	t := f.toks[f.next]
	f.next++
	return t, nil
}

// scanner makes tokens of a text.
type scanner struct {
	src      *diag.Source
	text     string
	at       int
	toks     []lexer.Token
	comments []ast.Comment
	errs     diag.List
	openText bool // the text ends within a string
}

// scan reads a whole text. What is no token is reported and kept as a tokBad, so that the
// statement around it is not parsed and not reported again.
func scan(src *diag.Source) *scanner {
	s := &scanner{src: src, text: src.Text}
	if d := notText(src); d != nil {
		s.errs.Add(d)
		return s
	}
	s.toks = make([]lexer.Token, 0, len(s.text)/2+8) // growing costs more than the room
	s.at = len(s.text) - len(strings.TrimPrefix(s.text, "\ufeff"))
	for s.at < len(s.text) {
		s.one()
	}
	return s
}

// notText refuses binary files with one error.
func notText(src *diag.Source) *diag.Diagnostic {
	at, what := strings.IndexByte(src.Text, 0), "the byte 0"
	if !utf8.ValidString(src.Text) {
		for i, c := range src.Text {
			if at >= 0 && i >= at {
				break
			}
			if c == utf8.RuneError {
				if _, n := utf8.DecodeRuneInString(src.Text[i:]); n == 1 {
					at, what = i, fmt.Sprintf("the byte 0x%02x, which is not UTF-8", src.Text[i])
					break
				}
			}
		}
	}
	if at < 0 {
		return nil
	}
	return diag.New("E0101", diag.Span{Src: src, Lo: at, Hi: at + 1}, "this is not a text: %s stands at position %d", what, at+1).
		At("not text").WithHelp("a .udl file is plain text in UTF-8; save it as such")
}

func (s *scanner) peek(k int) byte {
	if s.at+k < len(s.text) {
		return s.text[s.at+k]
	}
	return 0
}

func (s *scanner) emit(typ lexer.TokenType, n int) {
	s.toks = append(s.toks, lexer.Token{Type: typ, Value: s.text[s.at : s.at+n], Pos: lexer.Position{Offset: s.at}})
	s.at += n
}

// bad reports the next n bytes and makes them a bad token.
func (s *scanner) bad(n int, code diag.Code, format string, args ...any) *diag.Diagnostic {
	d := s.errs.Add(diag.New(code, diag.Span{Src: s.src, Lo: s.at, Hi: s.at + n}, format, args...))
	s.emit(tokBad, n)
	return d
}

// operators by length, so that the longest wins.
var (
	twoBytes = []string{"..", ":=", "->", "==", "!=", "<=", ">="}
	oneByte  = "+-*/@^<>=.,:()[]{}~"
)

func (s *scanner) one() {
	c := s.text[s.at]
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
		s.at++
	case c == '\n' || c == ';':
		s.emit(tokNewline, 1)
	case c == '#':
		s.comment()
	case isDigit(c):
		s.number()
	case c == '"':
		s.string()
	case c == '\'':
		s.quote()
	case c == '.' && isDigit(s.peek(1)) && !s.afterOperand():
		s.pointFirst()
	case isLetter(rune(c)) && c < utf8.RuneSelf:
		s.word()
	case c < utf8.RuneSelf:
		s.operator()
	default:
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		switch {
		case isLetter(r):
			s.word()
		case unicode.IsSpace(r):
			s.at += n
		default:
			s.unknown(r, n)
		}
	}
}

func (s *scanner) comment() {
	n := strings.IndexByte(s.text[s.at:], '\n')
	if n < 0 {
		n = len(s.text) - s.at
	}
	text := strings.TrimRight(s.text[s.at:s.at+n], " \t\r")
	c := ast.Comment{Text: text}
	c.SetSpan(diag.Span{Src: s.src, Lo: s.at, Hi: s.at + len(text)})
	s.comments = append(s.comments, c)
	s.at += n
}

func (s *scanner) word() {
	n := wordLen(s.text[s.at:])
	typ := tokIdent
	if _, ok := keywords[s.text[s.at:s.at+n]]; ok {
		typ = tokKeyword
	}
	s.emit(typ, n)
}

// wordLen is the length of the run of letters and digits a text begins with.
func wordLen(text string) int {
	for i, c := range text {
		if !isLetter(c) && !('0' <= c && c <= '9') && !(c >= utf8.RuneSelf && unicode.IsDigit(c)) {
			return i
		}
	}
	return len(text)
}

func (s *scanner) operator() {
	for _, op := range twoBytes {
		if strings.HasPrefix(s.text[s.at:], op) {
			s.emit(tokOp, 2)
			return
		}
	}
	if strings.IndexByte(oneByte, s.text[s.at]) >= 0 {
		s.emit(tokOp, 1)
		return
	}
	s.unknown(rune(s.text[s.at]), 1)
}

// afterOperand says whether the token before ends an operand and touches this place.
func (s *scanner) afterOperand() bool {
	n := len(s.toks)
	return n > 0 && end(&s.toks[n-1]) == s.at && endsOperand(&s.toks[n-1])
}

// quote is the derivative right after an operand; anywhere else somebody meant a string.
func (s *scanner) quote() {
	if s.afterOperand() {
		s.emit(tokOp, 1)
		return
	}
	n := 1
	if i := strings.IndexAny(s.text[s.at+1:], "'\"#\n"); i >= 0 && s.text[s.at+1+i] == '\'' {
		n = i + 2
	}
	d := s.bad(n, "E0104", "a string stands in double quotes")
	if n > 2 {
		d.At("`'` is the derivative").WithHelp("write `\"%s\"`", strings.Trim(d.Span().Text(), "'"))
		return
	}
	d.At("`'` is the derivative, right after a name").WithHelp("write `x'` for a derivative, `\"…\"` for a string")
}

// lookalikes are characters that come from word processors, web pages and other languages.
var lookalikes = map[rune]string{
	'×': "*", '·': "*", '⋅': "*", '∗': "*", '÷': "/", '−': "-", '–': "-", '—': "-",
	'≤': "<=", '≥': ">=", '≠': "!=", '→': "->", '…': "..", '²': "^2", '³': "^3",
	'“': "\"", '”': "\"", '„': "\"", '«': "\"", '»': "\"", '‘': "'", '’': "'", '′': "'", '″': "''",
	'√': "sqrt(…)", '∂': "d(u, s)", '∇': "grad(u)", '∞': "inf", '∧': "and", '∨': "or", '¬': "not", '∈': "in", '∑': "sum[j in 1..n]",
	'&': "and", '|': "or", '!': "not", '%': "mod(a, b)",
}

func (s *scanner) unknown(r rune, n int) {
	// A run of the same character (&&, ||) is one mistake.
	m := n
	for strings.HasPrefix(s.text[s.at+m:], string(r)) {
		m += n
	}
	d := s.bad(m, "E0102", "the character `%s` is not part of the language", s.text[s.at:s.at+m])
	if !unicode.IsPrint(r) {
		d.Message = fmt.Sprintf("the character U+%04X is not part of the language", r)
	}
	if w, ok := lookalikes[r]; ok {
		d.WithHelp("write `%s`", w)
		return
	}
	d.WithHelp("names are made of letters, digits and `_`; comments begin with `#`")
}
