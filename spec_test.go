package udl_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

// block is one fenced block of a document.
type block struct {
	line int
	info string
	text string
}

func blocks(t *testing.T, file string) []block {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	var cur *block
	for i, l := range strings.Split(string(b), "\n") {
		switch {
		case cur == nil && strings.HasPrefix(l, "```"):
			cur = &block{line: i + 2, info: strings.TrimPrefix(l, "```")}
		case cur != nil && l == "```":
			out = append(out, *cur)
			cur = nil
		case cur != nil:
			cur.text += l + "\n"
		}
	}
	return out
}

// TestConsole types what the README shows at the prompt and compares what is printed.
func TestConsole(t *testing.T) {
	n := 0
	for _, b := range blocks(t, "README.md") {
		if b.info != "console" {
			continue
		}
		in := eval.New(eval.Options{Dir: "models"})
		var out, want bytes.Buffer
		for _, l := range strings.Split(strings.TrimSpace(b.text), "\n") {
			entry, typed := strings.CutPrefix(l, "udl> ")
			switch {
			case strings.HasPrefix(l, "$ "), typed && strings.HasPrefix(entry, "help"): // the shell's, and the prompt's own
			case typed:
				v, err := in.Entry(context.Background(), diag.NewSource("prompt", entry))
				if err != nil {
					t.Fatalf("%s: %v", entry, err)
				}
				in.Show(&out, v)
				n++
			default:
				want.WriteString(l + "\n")
			}
		}
		if out.String() != want.String() {
			t.Errorf("the README shows\n%s\nbut it prints\n%s", want.String(), out.String())
		}
	}
	if n == 0 {
		t.Error("the README shows no session")
	}
}

// TestDocuments runs every udl block of the documents, from a copy of the folder of the gallery, as some write files.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("models")); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(pages, "README.md") {
		n := 0
		for _, b := range blocks(t, file) {
			kind, rest, _ := strings.Cut(b.info, " ")
			if kind != "udl" {
				continue
			}
			n++
			var out bytes.Buffer
			in := eval.New(eval.Options{Out: &out, Err: &out, Dir: dir, Quiet: true})
			err := in.Run(context.Background(), diag.NewSource(file, b.text))
			if code, fails := strings.CutPrefix(rest, "fails "); fails {
				l := diag.From(err)
				if len(l) == 0 || string(l[0].Code) != code {
					t.Errorf("%s:%d: must fail with %s, got %v", file, b.line, code, err)
				} else if len(l) > 1 {
					t.Errorf("%s:%d: one mistake gives %d errors: %v", file, b.line, len(l), l)
				}
				continue
			}
			if err != nil {
				var e bytes.Buffer
				udl.Explain(&e, err)
				t.Errorf("%s:%d fails:\n%s\n%s", file, b.line, out.String(), e.String())
			}
		}
		if n == 0 && file != "docs/benchmarks.md" {
			t.Errorf("%s has no udl block", file)
		}
	}
}
