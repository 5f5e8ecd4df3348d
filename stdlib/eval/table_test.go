package eval

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/verb"
)

func session(t *testing.T) (*Interp, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	dir := t.TempDir()
	b, err := os.ReadFile("../../models/lynx_hare.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lynx_hare.csv"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	return New(Options{Out: &out, Err: &out, Dir: dir, Quiet: true}), &out
}

// Every builtin has words of help and an example that runs; help finds it.
func TestEveryBuiltin(t *testing.T) {
	in, _ := session(t)
	check := func(b *sig.Builtin, wrap string) {
		if b.Doc == "" {
			t.Errorf("%s %s has no doc", b.Kind, b.Name)
		}
		if b.Kind == sig.Solver && b.Cite == "" {
			t.Errorf("solver %s has no citation", b.Name)
		}
		if text, ok := in.Help(b.Name); !ok || !strings.Contains(text, b.Name) {
			t.Errorf("help does not know %s", b.Name)
		}
		if b.Example == "" {
			if b.Kind != sig.Distribution {
				t.Errorf("%s %s has no example", b.Kind, b.Name)
			}
			return
		}
		s, out := session(t)
		text := strings.ReplaceAll(wrap, "EXAMPLE", b.Example)
		if err := s.Run(context.Background(), diag.NewSource(b.Name, text)); err != nil {
			var e bytes.Buffer
			diag.RenderList(&e, diag.From(err), false)
			t.Errorf("the example of %s %s fails: %v\n%s%s", b.Kind, b.Name, err, out.String(), e.String())
		}
	}
	for _, r := range in.Table().Rows() {
		wrap := map[sig.Kind]string{
			sig.Function:       "print(EXAMPLE)",
			sig.Constant:       "print(EXAMPLE)",
			sig.Activation:     "model M { state x = 1; unknown f(x) = EXAMPLE; x' = f(x) }\nsolve(M, t = 0..1)",
			sig.Representation: "model M { state x = 1, y = 1\nEXAMPLE\nlet r = sum([0]) \nx' = -x + r; y' = -y }",
		}[r.Kind]
		check(&r.Builtin, wrap)
	}
	for _, b := range verb.Signatures() {
		wrap := "EXAMPLE"
		switch b.Kind {
		case sig.Optimiser, sig.Schedule, sig.Regulariser:
			wrap = "model M { param k = 0.1; state x = 30; x' = -k*x }\nfit(M, csv(\"lynx_hare.csv\", time = \"year\"), match = {x: \"hare\"}, EXAMPLE)"
		case sig.Likelihood:
			wrap = "model M { param k = 1; state x = 1; x' = -k*x }\nfit(M, {t: [0, 1, 2], x: [2, 1, 0.5]}, match = {x: \"x\"}, loss = EXAMPLE)"
			if b.Name == "poisson" {
				wrap = strings.ReplaceAll(wrap, "0.5", "0")
			}
		case sig.Loss:
			wrap = "l = EXAMPLE"
		}
		if v, ok := in.verbs[b.Name]; ok && b.Kind == sig.Verb && v.Run == nil {
			continue
		}
		check(&b, wrap)
	}
}

// The example of every code of scripts gives that code, and no other.
func TestScriptCodes(t *testing.T) {
	for _, r := range diag.Codes() {
		if !strings.HasPrefix(string(r.Code), "E07") && !strings.HasPrefix(string(r.Code), "E08") || r.Example == "" {
			continue
		}
		in, _ := session(t)
		l := diag.From(in.Run(context.Background(), diag.NewSource("example", r.Example)))
		if len(l) != 1 || l[0].Code != r.Code {
			t.Errorf("%s: the example gives %v", r.Code, l)
		}
	}
}

// FuzzCompile: whatever is typed, no panic and no internal error reaches the user.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"model M { state u[3] = [1, 0, 0]; u[i in 2..3]' = u[i-1]; u[1]' = -u[1] }",
		"model M { param k : 1/s = 1 in 0..2; state x = k, x' = 0; unknown f(x) = poly(2); x'' = -diff(f(x), x) }",
		"model M { const A[2, 2] = [[1, 2], [3, 4]]; state u[2] = [1, 2]; let s = sum[j in 1..2] A[1, j]*u[j]; u' = A @ u + s }",
		"x = sum[i in 1..3] i^2\nprint(x, [1, 2] @ [3, 4])",
		"model M { state x = 1; x' = NN(x, hidden = [2]) }\ns = solve(M, t = 0..1, max_steps = 10)",
		"print(discover({t: [0, 1, 2, 3, 4, 5], x: [1, 2, 4, 8, 16, 32]}, basis = poly(2) + sin*[x, 1/x], derivatives = weak))",
		"model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }\nprint(discover(put_back(M, f = x -> {param a = 1; a*x^2}), basis = [x], t = 0..1, robust = true), source(M))",
		"fn f(x) = x^2\nunknown g(x) = {param a = 1; a*x}\nmodel M { state x = f(2); x' = -g(x) }",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4000 || strings.Contains(s, "1e") || strings.Contains(s, "for ") {
			return // sizes and loops without end are not what is sought here
		}
		in := New(Options{Quiet: true, Limits: Limits{Steps: 200, Memory: 1 << 20}})
		if err := in.DeclareText(s); err != nil {
			for _, d := range diag.From(err) {
				if d.Code == "E0799" {
					t.Fatal(d)
				}
			}
		}
	})
}

// Words of declarations are words only where a declaration starts: states may bear them.
func TestWordsAsNames(t *testing.T) {
	words := strings.Fields("input field order rate part history noise d e every at stop when_ time scheme axis boundary observe jump latent discrete calculus unknown param_ by points periodic rising falling either initially after priority correlated")
	var b strings.Builder
	b.WriteString("model M {\n")
	for i, w := range words {
		b.WriteString("  state " + w + " = 1\n  " + w + "' = -" + w + "*" + words[(i+1)%len(words)] + "\n")
	}
	b.WriteString("}\ns = solve(M, t = 0..1 by 1)\n")
	for _, w := range words {
		b.WriteString("assert(s." + w + "[end] < 1, \"" + w + "\")\n")
	}
	in, out := session(t)
	if err := in.Run(context.Background(), diag.NewSource("words", b.String())); err != nil {
		var e bytes.Buffer
		diag.RenderList(&e, diag.From(err), false)
		t.Errorf("%s%s", out.String(), e.String())
	}
}
