package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/diag"
)

// foreign are first words that other languages have here, with what udl writes.
var foreign = map[string]string{
	"def": "fn f(x) = …", "function": "fn f(x) = …", "func": "fn f(x) = …", "lambda": "x -> …",
	"parameter": "param k = 1", "parameters": "param k = 1", "par": "param k = 1",
	"var": "state x = 1", "variable": "state x = 1", "variables": "state x = 1, y = 2", "states": "state x = 1, y = 2", "species": "state x = 1, y = 2",
	"constant": "const g = 9.81", "constants": "const g = 9.81", "real": "param k = 1", "float": "param k = 1", "double": "param k = 1",
	"equation": "x' = …", "equations": "x' = …", "while": "for i in 1..100 { … }", "foreach": "for x in list { … }",
}

// slip gives a better help to a statement whose first word is no word of the language but stands
// before a second one, as a declaration's does.
func slip(d *diag.Diagnostic, toks []lexer.Token) {
	if len(toks) < 2 || d.Code != "E0115" && d.Code != "E0114" || toks[0].Type != tokIdent {
		return
	}
	switch toks[1].Type {
	case tokIdent, tokNumber, tokString, tokKeyword:
	default:
		return
	}
	word := toks[0].Value
	if word == "stop" && toks[1].Value == "if" {
		d.WithHelp("a run is ended by an event: write `stop when …`")
		return
	}
	if as, ok := foreign[word]; ok {
		d.WithHelp("`%s` is no word of the language: write `%s`", word, as)
		return
	}
	// The words that every model has come first.
	common := []string{"model", "param", "const", "state", "let", "fn", "unknown", "latent"}
	var words []string
	for i := range rules {
		words = append(words, rules[i].word)
	}
	for _, list := range [][]string{common, words} {
		if near := diag.Suggest(word, list); near != "" {
			d.WithHelp("did you mean `%s`?", near)
			return
		}
	}
	if toks[1].Type != tokKeyword {
		d.WithHelp("a call has brackets, `%s(…)`; two statements on one line are separated by `;`", word)
	}
}
