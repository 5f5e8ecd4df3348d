package check

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/parser"
)

var update = flag.Bool("update", false, "write the expected dumps anew")

// scopeOf takes note of the declarations of a file, as the evaluator of scripts does before it checks the models.
func scopeOf(f *ast.File) *Scope {
	sc := NewScope()
	sc.AddExternal("gofn", 2)
	names := map[string]bool{}
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Fn:
			sc.AddFn(s)
		case *ast.Unknown:
			sc.AddUnknown(s)
		case *ast.Decl:
			sc.AddConst(s)
		case *ast.Model:
			sc.AddModel(s)
		case *ast.Assign:
			for _, n := range s.Names {
				names[n.Name] = true
			}
		}
	}
	sc.SetScriptNames(names)
	return sc
}

// checkText checks all models of a text.
func checkText(t testing.TB, name, text string) (*ast.File, []*model.Model, diag.List) {
	t.Helper()
	f, errs := parser.Parse(diag.NewSource(name, text))
	if errs.HasErrors() {
		return f, nil, errs
	}
	sc, env := scopeOf(f), testEnv()
	var ms []*model.Model
	for _, s := range f.Stmts {
		if m, ok := s.(*ast.Model); ok {
			out, l := Model(m, sc, env)
			errs = append(errs, l...)
			if (out == nil) != l.HasErrors() {
				t.Errorf("%s: a model goes with no errors, and only then", name)
			}
			if out != nil {
				ms = append(ms, out)
			}
		}
	}
	return f, ms, errs
}

// A line that must fail says so: `#! E0203 "text under the caret" says "text of message, label or help"`. On a line of its
// own the comment speaks of the line above. Examples in the table of codes leave the code out.
var (
	markLine = regexp.MustCompile(`#! (.*)$`)
	markPair = regexp.MustCompile(`(?:(E\d{4}) )?("(?:[^"\\]|\\.)*")((?: says "(?:[^"\\]|\\.)*")*)`)
	markSays = regexp.MustCompile(`says ("(?:[^"\\]|\\.)*")`)
)

type expected struct {
	key  string
	says []string
}

func wanted(t *testing.T, text string, code diag.Code) []expected {
	t.Helper()
	var out []expected
	unquote := func(s string) string {
		u, err := strconv.Unquote(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return u
	}
	for i, line := range strings.Split(text, "\n") {
		m := markLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n := i + 1
		if strings.HasPrefix(strings.TrimSpace(line), "#!") {
			n = i
		}
		for _, p := range markPair.FindAllStringSubmatch(m[1], -1) {
			c := diag.Code(p[1])
			if c == "" {
				c = code
			}
			x := expected{key: fmt.Sprintf("%d: %s %q", n, c, unquote(p[2]))}
			for _, s := range markSays.FindAllStringSubmatch(p[3], -1) {
				x.says = append(x.says, unquote(s[1]))
			}
			out = append(out, x)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// hold compares findings with what the text expects.
func hold(t *testing.T, name, text string, errs diag.List, code diag.Code) {
	t.Helper()
	want := wanted(t, text, code)
	var got, keys []string
	byKey := map[string]string{}
	for _, d := range errs {
		n, _ := d.Span().Src.Position(d.Span().Lo)
		k := fmt.Sprintf("%d: %s %q", n, d.Code, d.Span().Text())
		got = append(got, k)
		all := d.Message + "\n" + d.Help
		for _, l := range d.Labels {
			all += "\n" + l.Text
		}
		byKey[k] += all + "\n" + strings.Join(d.Notes, "\n")
		if d.Help == "" || d.Message == "" || strings.HasSuffix(d.Message, ".") {
			t.Errorf("%s: message or help is wanting: %v", name, d)
		}
		if _, ok := diag.Explain(d.Code); !ok {
			t.Errorf("%s: %s is not in the table of codes", name, d.Code)
		}
	}
	sort.Strings(got)
	for _, w := range want {
		keys = append(keys, w.key)
		for _, s := range w.says {
			if !strings.Contains(byKey[w.key], s) {
				t.Errorf("%s:%s: does not say %q but\n%s", name, w.key, s, byKey[w.key])
			}
		}
	}
	if d := cmp.Diff(keys, got); d != "" {
		var b strings.Builder
		diag.RenderList(&b, errs, false)
		t.Errorf("%s (-want +got):\n%s\n%s", name, d, b.String())
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return names
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each mistake is told once, at its place, with its code.
func TestBad(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.udl") {
		text := read(t, name)
		_, _, errs := checkText(t, filepath.Base(name), text)
		hold(t, name, text, errs, "")
	}
}

// Good models check without a word, and come out as the dump beside them says.
func TestGood(t *testing.T) {
	for _, name := range files(t, "testdata/ok/*.udl") {
		_, ms, errs := checkText(t, filepath.Base(name), read(t, name))
		if len(errs) > 0 {
			var b strings.Builder
			diag.RenderList(&b, errs, false)
			t.Errorf("%s:\n%s", name, b.String())
			continue
		}
		var b strings.Builder
		for _, m := range ms {
			dump(&b, m)
		}
		golden := strings.TrimSuffix(name, ".udl") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(read(t, golden), b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Every code of this package has an example that gives exactly it, at the marked place.
func TestCodes(t *testing.T) {
	for _, r := range diag.Codes() {
		if r.Code < "E0200" || r.Code >= "E0500" {
			continue
		}
		if r.Example == "" && (r.Code == "E0232" || r.Code == "E0392" || r.Code == "E0393" || r.Code == "E0236") || r.Code == "E0235" {
			continue // the first takes a long text (TestGrowth), the others are found when lowering
		}
		if r.Title == "" || r.Explanation == "" || !strings.Contains(r.Example, "#!") {
			t.Errorf("%s: title, explanation and a marked example are wanted", r.Code)
		}
		_, _, errs := checkText(t, string(r.Code), r.Example)
		hold(t, string(r.Code), r.Example, errs, r.Code)
	}
}
