package parser

import (
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"
)

// Whatever a grammar may want next has a name that a user understands, every rule has an example
// of its own for help, and every word stands in its grammar.
func TestRules(t *testing.T) {
	symbol := regexp.MustCompile(`<\w+>|\b[A-Z]\w*\b`)
	literal := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	seen := map[string]bool{}
	for _, r := range append([]rule{plain}, rules...) {
		if seen[r.word] {
			t.Errorf("`%s` has two rules", r.word)
		}
		seen[r.word] = true
		if r.word != "" && !strings.HasPrefix(r.example, r.word) {
			t.Errorf("`%s` has no example", r.word)
		}
		if _, reserved := keywords[r.word]; reserved != (r.begins == nil || r.word == "if") && r.word != "" {
			t.Errorf("`%s`: a word that is not reserved needs a test of what follows it", r.word)
		}
		for _, production := range strings.Split(r.syntax(), "\n") {
			name, right, _ := strings.Cut(production, " = ")
			if name[0] >= 'a' && name[0] <= 'z' || strings.Contains(right, " = ") {
				t.Errorf("`%s`: %s", r.word, production)
			}
			if r.word != "" && !strings.Contains(r.syntax(), `"`+r.word+`"`) {
				t.Errorf("`%s` is not in its grammar", r.word)
			}
			for _, s := range symbol.FindAllString(literal.ReplaceAllString(right, ""), -1) {
				if terms[s] == "" {
					t.Errorf("`%s`: %s has no name for users", r.word, s)
				}
			}
		}
	}
}

// The lexer is one that participle itself can use.
func TestLexerDefinition(t *testing.T) {
	lex, err := definition{}.Lex("s", strings.NewReader("x' = 2*x # c\n\"a\""))
	if err != nil {
		t.Fatal(err)
	}
	toks, err := lexer.ConsumeAll(lex)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range toks {
		got = append(got, k.Value)
	}
	if s := strings.Join(got, "|"); s != "x|'|=|2|*|x|\n|\"a\"|" {
		t.Errorf("%q", s)
	}
	if _, err := (definition{}).LexString("s", "2x"); err == nil {
		t.Error("no error")
	}
}
