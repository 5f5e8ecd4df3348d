package parser

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/udl-lang/udl/lang/diag"
)

// A test text says on each failing line what is wrong there: `#! E0107 "2x"`, code and text under
// the caret, one pair per mistake. On a line of its own the comment speaks of the line above.
// Examples of the table of codes leave the code out.
var (
	markLine = regexp.MustCompile(`#! (.*)$`)
	markPair = regexp.MustCompile(`(?:(E\d{4}) )?("(?:[^"\\]|\\.)*")`)
)

func wanted(t *testing.T, text string, code diag.Code) []string {
	t.Helper()
	var out []string
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
			under, err := strconv.Unquote(p[2])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			c := diag.Code(p[1])
			if c == "" {
				c = code
			}
			out = append(out, fmt.Sprintf("%d: %s %q", n, c, under))
		}
	}
	sort.Strings(out)
	return out
}

func given(errs diag.List) []string {
	var out []string
	for _, d := range errs {
		n, _ := d.Span().Src.Position(d.Span().Lo)
		out = append(out, fmt.Sprintf("%d: %s %q", n, d.Code, d.Span().Text()))
	}
	sort.Strings(out)
	return out
}

// expectErrors parses a text and compares its mistakes with what its comments say.
func expectErrors(t *testing.T, name, text string, code diag.Code) {
	t.Helper()
	_, errs := Parse(diag.NewSource(name, text))
	want, got := wanted(t, text, code), given(errs)
	if strings.Join(want, "\n") != strings.Join(got, "\n") {
		var b strings.Builder
		diag.RenderList(&b, errs, false)
		t.Errorf("%s: %s\n%s", name, cmp.Diff(want, got), b.String())
	}
	known := map[diag.Code]bool{}
	for _, r := range diag.Codes() {
		known[r.Code] = true
	}
	for i, d := range errs {
		if !known[d.Code] {
			t.Errorf("%s: %s is not in the table of codes", name, d.Code)
		}
		if d.Help == "" {
			t.Errorf("%s: no help: %s", name, d)
		}
		for _, w := range []string{"token", "EOF", "Expr", "<ident>", "unexpected", "G)"} {
			if strings.Contains(d.Message+d.Labels[0].Text+d.Help, w) {
				t.Errorf("%s: %q is no user's word: %s", name, w, d)
			}
		}
		if i > 0 && d.Span().Lo < errs[i-1].Span().Lo {
			t.Errorf("%s: not sorted", name)
		}
	}
}
