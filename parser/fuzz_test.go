package parser

import (
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// FuzzParse holds for any text: no panic, every mistake has a code, a place in the text and help,
// and a text without mistakes prints as one that parses to the same tree and prints the same.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.udl", "testdata/bad/*.udl"} {
		for _, text := range files(f, pattern) {
			f.Add(text)
			for _, line := range strings.Split(text, "\n") {
				f.Add(line)
			}
		}
	}
	for _, r := range diag.Codes() {
		f.Add(r.Example)
	}
	f.Fuzz(func(t *testing.T, text string) {
		Incomplete(text)
		src := diag.NewSource("fuzz", text)
		ParseExpr(src)
		tree, errs := Parse(src)
		for _, d := range errs {
			s := d.Span()
			if d.Code == "" || d.Help == "" || d.Message == "" || s.Src != src || s.Lo < 0 || s.Lo > s.Hi || s.Hi > len(text) {
				t.Errorf("%+v", d)
			}
			var b strings.Builder
			diag.Render(&b, d, true)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s := n.Span(); s.Src != src || s.Lo < 0 || s.Lo > s.Hi || s.Hi > len(text) {
				t.Errorf("%T has no place: %+v", n, s)
			}
			return true
		})
		if len(errs) == 0 {
			sameAgain(t, tree)
		} else {
			ast.Format(tree)
		}
	})
}
