package diag

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is the place of the n-th occurrence of a text.
func at(s *Source, text string, n int) Span {
	lo := 0
	for {
		i := strings.Index(s.Text[lo:], text)
		if i < 0 {
			panic("no " + text)
		}
		lo += i
		if n--; n == 0 {
			return Span{s, lo, lo + len(text)}
		}
		lo++
	}
}

// Each picture is compared with a file of its name.
func TestRender(t *testing.T) {
	lynx := NewSource("lynx.udl", "# lynx.udl\nudl 1\n\nmodel LynxHare {\n  state x = 30\n  state y = 4\n"+
		"  unknown U(x, y) -> (gx, gy) = NN(hidden = [5, 5])\n  x' =  alpha*x + U(x, y)\n  y' = -delta*y\n}\n")
	odd := NewSource("odd.udl", "\tx = a\tb\n変数 = 値 + β\ne\u0301 = 1\n"+"bad\x01\x02 = \xff1\n"+
		"long = "+strings.Repeat("alpha + ", 40)+"here"+strings.Repeat(" + beta", 40)+"\nlast")
	other := NewSource("part.udl", "model Part {\n  state z[3] = 0\n}\n")
	many := NewSource("many.udl", strings.Repeat("\n", 1233)+"x = f(a,\n      b,\n      c)\ny = 1\n")

	cases := map[string]*Diagnostic{
		"shape": New("E0203", at(lynx, "U(x, y)", 2), "`U` returns 2 values, used as 1").At("shape [2], but x is a scalar").
			WithHelp("take one output, `let (gx, gy) = U(x, y)`, or index it, `U(x, y)[1]`"),
		"two_places": New("E0210", at(lynx, "x' =", 1), "`x` has two equations").At("the second").
			And(at(lynx, "state x", 1), "declared here").Note("every state has one equation").Note("this is\na long note"),
		"neighbours":  New("E0210", at(lynx, "x' =", 1), "first").At("a").And(at(lynx, "y' =", 1), "b"),
		"gap_of_one":  New("E0210", at(lynx, "state x", 1), "first").At("a").And(at(lynx, "unknown", 1), "b"),
		"same_line":   New("E0211", at(lynx, "(gx, gy)", 1), "two on a line").At("outputs").And(at(lynx, "(x, y)", 1), "inputs"),
		"warning":     New("E0390", at(lynx, "udl 1", 1), "old version").AsWarning(),
		"no_place":    New("E0600", Span{}, "cannot read `a.csv`: no such file").WithHelp("look at the name"),
		"no_code":     New("", at(lynx, "udl 1", 1), "something"),
		"multi_line":  New("E0110", Span{many, 1233 + 4, strings.Index(many.Text, "c)") + 2}, "a call over three lines").At("from there to here"),
		"two_sources": New("E0212", at(lynx, "y", 3), "shapes differ").At("scalar").And(at(other, "z[3]", 1), "shape [3]"),
		"tab":         New("E0115", at(odd, "b", 1), "after a tab").At("here"),
		"wide":        New("E0201", at(odd, "β", 1), "after wide characters").At("here"),
		"wide_under":  New("E0201", at(odd, "変数", 1), "under wide characters").At("here"),
		"combining":   New("E0201", at(odd, "= 1", 1), "after a combining mark").At("here"),
		"control":     New("E0101", at(odd, "1\nlong", 1), "control characters").At("here"),
		"long_line":   New("E0201", at(odd, "here", 1), "a very long line").At("in the middle"),
		"long_start":  New("E0201", at(odd, "long", 1), "a very long line").At("at its start"),
		"long_end":    New("E0201", Span{odd, strings.Index(odd.Text, "\nlast") - 4, strings.Index(odd.Text, "\nlast")}, "a very long line").At("at its end"),
		"end_of_text": New("E0113", Span{odd, len(odd.Text), len(odd.Text)}, "expected an expression").At("here"),
		"end_of_line": New("E0113", Span{lynx, 16, 17}, "with the line end").At("here"),
		"outside":     New("E0799", Span{lynx, 9000, 9999}, "a span past the end"),
		"empty":       New("E0113", Span{NewSource("empty.udl", ""), 0, 0}, "nothing").At("here"),
	}
	for name, d := range cases {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			Render(&b, d, false)
			golden(t, name, b.String())
		})
	}
	t.Run("color", func(t *testing.T) {
		var b strings.Builder
		RenderList(&b, List{cases["two_places"], cases["warning"]}, true)
		golden(t, "color", strings.ReplaceAll(b.String(), "\x1b", "␛"))
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "render", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// The caret stands under the exact span, whatever comes before it.
func TestRenderAligns(t *testing.T) {
	for _, before := range []string{"", "  ", "\t", "a\t", "αβ", "変", "e\u0301", "\x02", "\xff", strings.Repeat("x", 300)} {
		src := NewSource("s", before+"HIT"+strings.Repeat(" rest", 60))
		var b strings.Builder
		Render(&b, New("E0100", Span{src, len(before), len(before) + 3}, "m"), false)
		lines := strings.Split(b.String(), "\n")
		line, caret := lines[3], lines[4]
		width := 0
		for _, c := range line[:strings.Index(line, "HIT")] {
			width += runeWidth(c)
		}
		if i := strings.Index(caret, "^"); i != width || !strings.HasSuffix(caret, "^^^") || strings.Count(caret, "^") != 3 {
			t.Errorf("%q: caret at %d, text at %d\n%s", before, i, width, b.String())
		}
	}
}
