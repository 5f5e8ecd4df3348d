package parser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

var update = flag.Bool("update", false, "write the golden files anew")

func files(t testing.TB, pattern string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	out := map[string]string{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(b)
	}
	return out
}

// What is wrong is reported at its place, with its code, all at once.
func TestMistakes(t *testing.T) {
	for name, text := range files(t, "testdata/bad/*.udl") {
		t.Run(filepath.Base(name), func(t *testing.T) { expectErrors(t, name, text, "") })
	}
}

// good parses a text that has to be right.
func good(t testing.TB, name, text string) *ast.File {
	t.Helper()
	f, errs := Parse(diag.NewSource(name, text))
	if len(errs) > 0 {
		var b strings.Builder
		diag.RenderList(&b, errs, false)
		t.Fatalf("%s\n%s", b.String(), text)
	}
	return f
}

// Every construct of the language parses, prints in its canonical layout, and that text parses to
// the same tree and prints the same again.
func TestConstructs(t *testing.T) {
	for name, text := range files(t, "testdata/ok/*.udl") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f := good(t, name, text)
			got := ast.Format(f)
			golden := strings.TrimSuffix(name, ".udl") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
			sameAgain(t, f)
		})
	}
}

// sameAgain holds the printer to its promises for a tree that was parsed.
func sameAgain(t testing.TB, f *ast.File) {
	t.Helper()
	text := ast.Format(f)
	g, errs := Parse(diag.NewSource("again", text))
	if len(errs) > 0 {
		t.Fatalf("the canonical text is wrong: %v\n%s", errs, text)
	}
	if d := cmp.Diff(dump(f, true), dump(g, true)); d != "" {
		t.Fatalf("another tree: %s\n%s", d, text)
	}
	if twice := ast.Format(g); twice != text {
		t.Fatalf("twice is not once: %s", cmp.Diff(text, twice))
	}
	if a, b := comments(f), comments(g); a != b {
		t.Fatalf("comments: %s\n%s", cmp.Diff(a, b), text)
	}
}

func comments(f *ast.File) string {
	s := map[string]int{}
	for _, c := range f.Comments {
		s[c.Text]++
	}
	return fmt.Sprint(s) // in order of the keys
}

func TestGrouping(t *testing.T) {
	for text, want := range map[string]string{
		"a + b*c":                             "(a + (b * c))",
		"a - b - c":                           "((a - b) - c)",
		"a/b*c@d":                             "(((a / b) * c) @ d)",
		"a^b^c":                               "(a ^ (b ^ c))",
		"-2^2":                                "(- (2 ^ 2))",
		"2^-3^2":                              "(2 ^ (- (3 ^ 2)))",
		"-a*b":                                "((- a) * b)",
		"a*-b":                                "(a * (- b))",
		"- -a":                                "(- (- a))",
		"not a and b or c":                    "(((not a) and b) or c)",
		"not a == b":                          "(not (a == b))",
		"a or b and c":                        "(a or (b and c))",
		"a < b + 1":                           "(a < (b + 1))",
		"0..n-1 by h/2":                       "(0 .. (n - 1) by (h / 2))",
		"0..10 at [1, 2]":                     "(0 .. 10 at [1, 2])",
		"a..b == c..d":                        "((a .. b) == (c .. d))",
		"if a then b else c + d":              "(if a b (c + d))",
		"if a then b else if c then d else e": "(if a b (if c d e))",
		"if a or b then c else d or e":        "(if (a or b) c (d or e))",
		"a() then b then c":                   "((a() then b) then c)",
		"s -> a then b":                       "(-> (a then b))",
		"s -> t -> a":                         "(-> (-> a))",
		"(a, b) -> a + b":                     "(-> (a + b))",
		"sum[j in 1..n] a*b + c":              "((sum (a * b)) + c)",
		"-sum[j in 1..n] a^2/b - c":           "((- (sum ((a ^ 2) / b))) - c)",
		"2*sum[j in 1..n] a*b":                "(2 * (sum (a * b)))",
		"x''*y'":                              "(((x ') ') * (y '))",
		"u[i]'^2":                             "((u[i] ') ^ 2)",
		"A'*x":                                "((A ') * x)",
		"a.b.c(d)[e]'":                        "(a.b.c(d)[e] ')",
		"(a + b)*c":                           "({(a + b)} * c)",
		"u[..]":                               "u[..]",
		"max[2]":                              "max[2]",
		"sum [i]":                             "sum[i]",
		"1_000 + 1e-3":                        "(1_000 + 1e-3)",
	} {
		e, errs := ParseExpr(diag.NewSource("e", text))
		if len(errs) > 0 {
			t.Errorf("%s: %v", text, errs)
			continue
		}
		if got := grouping(e); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestParseExprMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":             `1: E0113 ""`,
		"# comment":    `1: E0113 ""`,
		"a; b":         `1: E0115 "b"`,
		"a = b":        `1: E0114 "="`,
		"a +":          `1: E0113 ""`,
		"2x":           `1: E0107 "2x"`,
		"let":          `1: E0114 "let"`,
		"u[i in 1..2]": `1: E0129 "i in 1..2"`,
	} {
		e, errs := ParseExpr(diag.NewSource("e", text))
		if got := strings.Join(given(errs), "; "); got != want || e != nil {
			t.Errorf("%q: got %s and %v, want %s", text, got, e, want)
		}
	}
}

// A word of a declaration is a name everywhere else.
func TestDeclarationWordsAreNames(t *testing.T) {
	words := []string{
		"rate", "rising", "falling", "either", "initially", "after", "priority", "correlated", "points", "periodic",
		"by", "end", "ito", "stratonovich", "upwind", "d", "e", "der", "dt", "caputo", "sum", "NN",
	}
	for _, r := range rules {
		if r.begins != nil && r.word != "if" {
			words = append(words, r.word)
		}
	}
	if len(words) < 40 {
		t.Fatalf("only %d words", len(words))
	}
	for _, w := range words {
		text := strings.ReplaceAll(`model M {
  state W = 1, v = W "doc"
  param k[W] : W = W in W..W by W ~ W(W)
  W' = W*W - W/W + W^2
  W'' = -W
  W[1]' = W(t - 1)
  W.x' = W.W
  0 = W
  W + W' = 1
  let (W, u) = (W, W)
  fn W(W) = W
  unknown W(W) -> W = W(W = W)
  when W > W after W priority W { W := W }
  at t = W { W := W }
  every W { W[W] := W }
  jump rate W { W := W }
  stop when W
  history W = W
  axis W = W..W points W
  field W(W) = W
  boundary W(W = W) = W
  observe W ~ W(W)
  part W = W(W = W)
  noise W correlated {W: W}
  order W
}
W = W
W = W by W
W(W = W)
W.W
W[W, ..]
W -> W
(W, x) = W
f = {W: W, W.W: W}
for W in W { W }
if W { W }
W
`, "W", w)
		text = strings.Replace(text, w+" = "+w+" by "+w+"\n", w+" = "+w+".."+w+" by "+w+"\n", 1)
		f := good(t, w, text)
		sameAgain(t, f)
		if it := f.Stmts[0].(*ast.Model).Body[0].(*ast.Decl).Items[0]; it.Name.Name != w {
			t.Errorf("declared %s, want %s", it.Name.Name, w)
		}
	}
}

func TestReservedWordsAreNoNames(t *testing.T) {
	for w := range keywords {
		_, errs := Parse(diag.NewSource("w", "model M {\n  state "+w+" = 1\n}\n"))
		if got := strings.Join(given(errs), "; "); got != fmt.Sprintf("2: E0109 %q", w) {
			t.Errorf("%s: %s", w, got)
		}
	}
}

// What is right around mistakes stays in the tree.
func TestPartialTree(t *testing.T) {
	f, errs := Parse(diag.NewSource("ten", files(t, "testdata/bad/ten.udl")["testdata/bad/ten.udl"]))
	if len(errs) != 10 {
		t.Errorf("%d errors, want 10", len(errs))
	}
	want := "model M {\n  param k = 0.5\n}\n"
	if got := ast.Format(&ast.File{Stmts: f.Stmts[:1]}); got != want {
		t.Errorf("got %s", got)
	}
	if len(f.Stmts) != 2 {
		t.Errorf("%d statements, want the model and `good`", len(f.Stmts))
	}
}

func TestNotText(t *testing.T) {
	for text, at := range map[string]int{"a = 1\x00\x00": 5, "a\xff\xfe": 1, "\x7fELF\x02\x01\x00\xff": 6, "\xff\x00": 0} {
		f, errs := Parse(diag.NewSource("b", text))
		if len(errs) != 1 || errs[0].Code != "E0101" || errs[0].Span().Lo != at || len(f.Stmts) != 0 {
			t.Errorf("%q: %v", text, errs)
		}
		if e, errs := ParseExpr(diag.NewSource("b", text)); e != nil || len(errs) != 1 {
			t.Errorf("%q: %v", text, errs)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, text := range []string{"", "\n", " \t\r\n", "\ufeff", "# only a comment", ";;\n;", "\ufeff# a\n"} {
		if f := good(t, "empty", text); len(f.Stmts) != 0 {
			t.Errorf("%q: %d statements", text, len(f.Stmts))
		}
	}
	if f := good(t, "bom", "\ufeffx = 1\r\ny = 2\r\n"); ast.Format(f) != "x = 1\ny = 2\n" {
		t.Errorf("byte order mark and CR LF: %q", ast.Format(f))
	}
}

// Depth and length give an error, never the end of the stack.
func TestDepth(t *testing.T) {
	const n = 20_000
	cases := map[string]string{
		"brackets": "x = " + strings.Repeat("(", 5*n),
		"closed":   "x = " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"lists":    "x = " + strings.Repeat("[", n),
		"records":  "x = " + strings.Repeat("{a: ", n),
		"formulas": strings.Repeat("unknown f(x) = {param a = 1; ", n),
		"blocks":   strings.Repeat("if a { ", n),
		"calls":    "x = " + strings.Repeat("f(", n),
		"minus":    "x = " + strings.Repeat("-", n) + "1",
		"not":      "x = " + strings.Repeat("not ", n) + "1",
		"powers":   "x = " + strings.Repeat("2^", n) + "1",
		"ifs":      "x = " + strings.Repeat("if a then ", n) + "1",
		"elses":    "x = " + strings.Repeat("if a then b else ", n) + "1",
		"lambdas":  "x = " + strings.Repeat("s -> ", n) + "1",
		"sums":     "x = " + strings.Repeat("sum[j in 1..2] ", n) + "1",
		"units":    "model M {\nparam k : " + strings.Repeat("(", n) + "\n}",
		"primes":   "x = a" + strings.Repeat("'", 2*n),
		"members":  "x = a" + strings.Repeat(".b", 2*n),
		"row":      "x = a" + strings.Repeat(" + b", 2*n),
		"else if":  "if a { }" + strings.Repeat(" else if b { }", n),
		"der":      "model M {\n" + strings.Repeat("der(", 150) + "x" + strings.Repeat(")", 150) + " = 1 +;\n}",
	}
	for name, text := range cases {
		f, errs := Parse(diag.NewSource(name, text))
		if len(errs) == 0 {
			t.Errorf("%s: no error", name)
		}
		if len(errs) > 0 && name != "der" && errs[0].Code != "E0112" {
			t.Errorf("%s: %v", name, errs[0])
		}
		ast.Format(f)
	}
	// What nests in several ways takes no longer for it.
	for _, nested := range [][2]string{
		{"sum[x in ", "1]'"}, {"f({param a = ", "; 1})"}, {"(", ", 1) -> 2"}, {"f(a = {b: ", "})"}, {"if a then b else (", ")"},
		{"[(", ") by 1 at 2]"}, {"u[i in ", "]"}, {"max[", "]"},
	} {
		text := "x = " + strings.Repeat(nested[0], 60) + "1" + strings.Repeat(nested[1], 60)
		f, _ := Parse(diag.NewSource(nested[0], text))
		ast.Format(f)
		f, _ = Parse(diag.NewSource(nested[0], text+"  # end\ny = 1 +"))
		ast.Format(f)
	}
	blocks := strings.Repeat("if a { x = {param a = 1; a}\n", 60) + strings.Repeat("}\n", 60)
	sameAgain(t, good(t, "blocks", blocks))

	// A long sum is no mistake.
	f := good(t, "sum", "x = a"+strings.Repeat(" + b", 9_000))
	ast.Format(f)
}

func TestIncomplete(t *testing.T) {
	for text, want := range map[string]bool{
		"":                             false,
		"x = 1":                        false,
		"x = 1 +":                      true,
		"x = 1 + # more":               true,
		"x =":                          true,
		"f(a,":                         true,
		"f(a,\n b":                     true,
		"f(a)":                         false,
		"state x = 1,":                 true,
		"model M {":                    true,
		"model M {\n  state x = 1":     true,
		"model M {\n  when x > 1 {\n}": true,
		"model M {\n}":                 false,
		"for i in 1..3 {\n print(i)":   true,
		"r = {a: 1":                    true,
		"x = [1, 2":                    true,
		"print(\"open":                 true,
		"print(\"open\n":               false,
		"print(\"a\")":                 false,
		"x = if a then":                true,
		"x = a and":                    true,
		"x = not":                      true,
		"s -> ":                        true,
		"0..10 by":                     true,
		"x'":                           false,
		"f(a]":                         false,
		"x = )":                        false,
		"x = 2x (":                     false,
		"x = (1\nlet y = 2":            false,
		"x = 1 +\n\n":                  true,
		"x;":                           false,
		"\x00(":                        false,
		"by":                           false,
	} {
		if got := Incomplete(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// One process parses many texts at once; the grammars are made once.
func TestConcurrent(t *testing.T) {
	for name, text := range files(t, "testdata/ok/*.udl") {
		for range 4 {
			t.Run(filepath.Base(name), func(t *testing.T) {
				t.Parallel()
				sameAgain(t, good(t, name, text))
			})
		}
	}
}
