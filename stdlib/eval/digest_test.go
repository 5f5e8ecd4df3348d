package eval

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/lang/diag"
)

// A checkpoint knows its model by what it computes: comments, layout and the names of files do not count; equations, bounds, shapes, functions that are
// called, and events do.
func TestDigest(t *testing.T) {
	of := func(file, text string) string {
		t.Helper()
		in := New(Options{})
		if err := in.Run(context.Background(), diag.NewSource(file, text)); err != nil {
			t.Fatal(err)
		}
		return compiler.Digest(in.Models()["M"].C.System)
	}
	const text = "fn f(x) = x/(1 + x)\nmodel M {\n  param k = 1 in 0..5\n  state x = 1\n  unknown U(x) -> g = NN(hidden = [3])\n  x' = -k*f(x) + U(x)\n  when x < 0.5 falling { x := 2*x }\n}\n"
	want := of("a.udl", text)
	for _, same := range []string{"# a comment\n" + text, strings.ReplaceAll(text, "-k*f(x)", "-k * f(x)")} {
		if got := of("b.udl", same); got != want {
			t.Errorf("another digest of\n%s", same)
		}
	}
	for _, edit := range [][2]string{{"-k*f", "-2*k*f"}, {"in 0..5", "in 0..6"}, {"[3]", "[4]"}, {"(1 + x)", "(2 + x)"}, {"2*x", "3*x"}, {"x < 0.5", "x < 0.6"}, {"falling", "either"}, {"state x = 1", "state x = k"}} {
		other := strings.Replace(text, edit[0], edit[1], 1)
		if other == text {
			t.Fatalf("%v edits nothing", edit)
		}
		if of("a.udl", other) == want {
			t.Errorf("the same digest though %s became %s", edit[0], edit[1])
		}
	}
}

// Another table of an input, or another function as the loss, is another fit.
func TestCheckpointOfInputsAndLosses(t *testing.T) {
	dir := t.TempDir()
	run := func(input, loss string) error {
		in := New(Options{Dir: dir})
		return in.Run(context.Background(), diag.NewSource(filepath.Join(dir, "a.udl"), `model M { param k = 1; input I = 0; state x = 1; x' = I - k*x }
seen = 0.4
fit(M, t = 0..2 by 0.5, inputs = {I: `+input+`}, loss = `+loss+`, train = bfgs(iters = 3), checkpoint = "run.ckpt")
`))
	}
	const input, loss = "linear([0, 1, 2], [0, 0.3, 0.1])", "s -> (s.x[end] - seen)^2"
	for range 2 {
		if err := run(input, loss); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "run.ckpt", "state.json")); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"the model":                    run("linear([0, 1, 2], [0, 0.3, 0.2])", loss),
		"the loss's function or times": run(input, "s -> (s.x[end] - 2*seen)^2"),
	} {
		if l := diag.From(err); len(l) != 1 || l[0].Code != "E0519" || !strings.Contains(l[0].Message, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
