package parser

import (
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// The kinds of token. A token's Value is always the text it covers, so that its place is
// Pos.Offset and Pos.Offset+len(Value); lines and columns are left to diag.
const (
	tokIdent   lexer.TokenType = iota + 1
	tokKeyword                 // a reserved word
	tokNumber
	tokString
	tokOp
	tokNewline
	tokBlock      // a whole { … } of statements, as the grammar of one statement sees it
	tokFormula    // a whole {param a = 1; …} in the place of an expression
	tokBad        // already reported
	tokOpenString // … as a string that is not closed
	tokEOF        = lexer.EOF
)

// symbols is what the grammars call the kinds.
var symbols = map[string]lexer.TokenType{
	"EOF": tokEOF, "Ident": tokIdent, "Keyword": tokKeyword, "Number": tokNumber, "String": tokString,
	"Op": tokOp, "Newline": tokNewline, "Block": tokBlock, "Formula": tokFormula, "Bad": tokBad, "OpenString": tokOpenString,
}

// opens says whether a reserved word may open a declaration (or import): at the start of a line
// such a word ends any bracket that is still open.
var keywords = map[string]struct{ opens bool }{
	"model": {true}, "fn": {true}, "let": {true}, "param": {true}, "state": {true}, "const": {true},
	"when": {true}, "import": {true},
	"if": {}, "then": {}, "else": {}, "for": {}, "in": {}, "and": {}, "or": {}, "not": {}, "true": {}, "false": {},
}

// fixed are the names that always mean the same.
var fixed = map[string]string{"t": "the time", "pi": "the number π", "inf": "infinity", "nan": "not a number"}

func end(t *lexer.Token) int { return t.Pos.Offset + len(t.Value) }

// shown is the end of what of a token is pointed at: of a block its bracket.
func shown(t *lexer.Token) int {
	if t.Type == tokBlock || t.Type == tokFormula {
		return t.Pos.Offset + 1
	}
	return end(t)
}

func is(t *lexer.Token, op string) bool { return t.Type == tokOp && t.Value == op }

func isWord(t *lexer.Token, word string) bool {
	return (t.Type == tokIdent || t.Type == tokKeyword) && t.Value == word
}

// endsOperand says whether an operand may end with this token.
func endsOperand(t *lexer.Token) bool {
	switch t.Type {
	case tokIdent, tokNumber, tokString, tokBad, tokOpenString, tokFormula:
		return true
	case tokKeyword:
		return t.Value == "true" || t.Value == "false"
	case tokOp:
		switch t.Value {
		case ")", "]", "}", "'":
			return true
		}
	}
	return false
}

// startsOperand says whether an expression may begin with this token.
func startsOperand(t *lexer.Token) bool {
	switch t.Type {
	case tokIdent, tokNumber, tokString, tokFormula:
		return true
	case tokKeyword:
		switch t.Value {
		case "if", "not", "true", "false":
			return true
		}
	case tokOp:
		switch t.Value {
		case "(", "[", "{", "-", "+", "..":
			return true
		}
	}
	return false
}

func isLetter(c rune) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf && unicode.IsLetter(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
