package parser

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/udl-lang/udl/lang/diag"
)

// number reads 3, 0.5, 1e-3, 1_000. Digits stand on both sides of a point, so that 0..10 is a
// range.
func (s *scanner) number() {
	n := s.digits(0)
	if s.peek(n) == '.' && s.peek(n+1) != '.' {
		if !isDigit(s.peek(n + 1)) {
			s.pointLast(n)
			return
		}
		n = s.digits(n + 1)
	}
	if e := s.exponent(n); e > 0 {
		n = e
	}
	if r, _ := utf8.DecodeRuneInString(s.text[s.at+n:]); r == '_' || isLetter(r) {
		s.noProduct(n)
		return
	}
	text := s.text[s.at : s.at+n]
	switch v, err := parseNumber(text); {
	case strings.Contains(text, "__") || strings.Contains(text, "_.") || strings.Contains(text, "_e") || strings.Contains(text, "_E"):
		s.bad(n, "E0108", "`_` stands between two digits of a number").At("not between two digits").
			WithHelp("write `%s`", strings.ReplaceAll(text, "_", ""))
	case err != nil && math.IsInf(v, 0):
		s.bad(n, "E0108", "this number is too large").At("the largest is about 1.8e308").WithHelp("infinity is `inf`")
	case v == 0 && strings.ContainsAny(mantissa(text), "123456789"):
		s.bad(n, "E0108", "this number is too small").At("the smallest is about 4.9e-324").WithHelp("write `0`, or scale the quantity")
	default:
		s.emit(tokNumber, n)
	}
}

func mantissa(text string) string {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return text[:i]
	}
	return text
}

func parseNumber(text string) (float64, error) {
	return strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
}

// digits gives the end of a run of digits and _ that begins k bytes on; a _ at its end belongs
// to it only when it is not the start of a name.
func (s *scanner) digits(k int) int {
	for isDigit(s.peek(k)) || s.peek(k) == '_' && (isDigit(s.peek(k+1)) || s.peek(k+1) == '_') {
		k++
	}
	return k
}

// exponent gives the end of an exponent that begins k bytes on, 0 when there is none.
func (s *scanner) exponent(k int) int {
	if c := s.peek(k); c != 'e' && c != 'E' {
		return 0
	}
	k++
	if c := s.peek(k); c == '+' || c == '-' {
		k++
	}
	if !isDigit(s.peek(k)) {
		return 0
	}
	return s.digits(k)
}

func (s *scanner) pointLast(n int) {
	text := s.text[s.at : s.at+n]
	m := n + 1
	if e := s.exponent(m); e > 0 {
		m = e
	}
	rest := s.text[s.at+n+1 : s.at+m] // before bad moves on
	s.bad(m, "E0106", "a number has a digit on both sides of its point").At("no digit after the point").
		WithHelp("write `%s.0%s`", text, rest)
}

func (s *scanner) pointFirst() {
	n := s.digits(1)
	if e := s.exponent(n); e > 0 {
		n = e
	}
	text := s.text[s.at : s.at+n]
	s.bad(n, "E0106", "a number has a digit on both sides of its point").At("no digit before the point").WithHelp("write `0%s`", text)
}

// noProduct reports a number that runs into a name.
func (s *scanner) noProduct(n int) {
	m := n + wordLen(s.text[s.at+n:])
	num, name := s.text[s.at:s.at+n], s.text[s.at+n:s.at+m]
	low := strings.ToLower(name)
	switch {
	case num == "0" && (low[0] == 'x' || low[0] == 'b' || low[0] == 'o') && len(low) > 1 && isDigitOrHex(low[1]):
		s.bad(m, "E0108", "numbers are decimal").At("not a decimal number").WithHelp("write its decimal value")
	case strings.Trim(name, "_") == "":
		s.bad(m, "E0108", "`_` stands between two digits of a number").At("not between two digits").WithHelp("write `%s`", num)
	default:
		s.bad(m, "E0107", "a product needs its `*`").At("a number runs into a name").WithHelp("write `%s*%s`", num, name)
	}
}

func isDigitOrHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }

// escapes are the letters after a backslash in a string.
var escapes = map[byte]byte{'"': '"', '\\': '\\', 'n': '\n', 't': '\t', 'r': '\r'}

// string reads "…" on one line.
func (s *scanner) string() {
	var wrong *diag.Diagnostic
	for k := s.at + 1; k < len(s.text) && s.text[k] != '\n'; k++ {
		switch s.text[k] {
		case '"':
			n := k + 1 - s.at
			if wrong == nil {
				s.emit(tokString, n)
				return
			}
			s.errs.Add(wrong)
			s.emit(tokBad, n)
			return
		case '\\':
			if k+1 >= len(s.text) || s.text[k+1] == '\n' {
				continue
			}
			if _, ok := escapes[s.text[k+1]]; !ok && wrong == nil {
				_, n := utf8.DecodeRuneInString(s.text[k+1:])
				wrong = diag.New("E0105", diag.Span{Src: s.src, Lo: k, Hi: k + 1 + n}, "`%s` means nothing in a string", s.text[k:k+1+n]).
					At("not known").WithHelp(`a backslash itself is `+"`\\\\`"+`; there are also %s`, "`\\\"`, `\\n`, `\\t` and `\\r`")
			}
			k++
		}
	}
	n := strings.IndexByte(s.text[s.at:], '\n')
	s.openText = n < 0
	if n < 0 {
		n = len(s.text) - s.at
	}
	n = len(strings.TrimRightFunc(s.text[s.at:s.at+n], unicode.IsSpace))
	defer func() { s.toks[len(s.toks)-1].Type = tokOpenString }()
	s.bad(n, "E0103", "this string is not closed").At("no `\"` up to the end of the line").WithHelp("close it with `\"`; a string stands on one line")
}

// unquote gives the value of a string token that string has accepted.
func unquote(text string) string {
	text = text[1 : len(text)-1]
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
			b.WriteByte(escapes[text[i]])
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
