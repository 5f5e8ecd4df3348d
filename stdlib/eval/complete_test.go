package eval

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
)

// What is offered after Tab is what may stand there, and nothing else.
func TestCompleteByContext(t *testing.T) {
	in, _ := session(t)
	err := in.Run(context.Background(), diag.NewSource("s", `model Decay { param k = 0.1, c = 1; input I = 0; unknown U(x) = poly(1); state x = 30, y = 2; let z = x*c; x' = -k*x + U(x) + I; y' = -y }
pelts = csv("lynx_hare.csv", time = "year")
mine = adam(iters = 5) then lbfgs
best = fit(Decay, pelts, match = {x: "hare"}, free = [k], train = lm(iters = 1))
`))
	if err != nil {
		t.Fatal(err)
	}
	names := func(kinds ...sig.Kind) []string { return in.Table().Names(kinds...) }
	optimisers := append(names(sig.Optimiser), "mine")
	for _, c := range []struct {
		line string
		want []string // all that is offered
	}{
		{"fit(Decay, pelts, loss = ", names(sig.Loss, sig.Likelihood)},
		{"fit(Decay, pelts, train = ", optimisers},
		{"fit(Decay, pelts, train = adam(iters = 5) then ", optimisers},
		{"fit(Decay, pelts, train = adam(iters = 5) ", []string{"then"}},
		{"fit(Decay, pelts, method = ", names(sig.Method)},
		{"fit(Decay, pelts, method = shooting(train = ", optimisers},
		{"discover(best, method = ", names(sig.Discovery)},
		{"fit(Decay, pelts, adjoint = ", append(names(sig.Adjoint), "auto")},
		{"fit(Decay, pelts, train = adam(rate = 0.1, i", []string{"iters = "}},
		{"fit(Decay, pelts, train = adam(ra", []string{"rate = "}},
		{"fit(Decay, pelts, train = adam(rate = cos", []string{"cosine", "cos", "cosh"}},
		{"fit(Decay, pelts, loss = normal(", []string{"sd = ", "weights = "}},
		{"fit(Decay, pelts, match = {", []string{"x: ", "y: ", "z: "}},
		{"fit(Decay, pelts, match = {x: ", []string{`"hare"`, `"lynx"`}},
		{"fit(Decay, pelts, match = {x: \"ha", []string{`hare"`}},
		{"fit(Decay, pelts, free = [", []string{"k", "c", "U", "x", "y"}},
		{"fit(Decay, pelts, inputs = {", []string{"I: "}},
		{"fit(Decay, pelts, inputs = {I: ho", []string{"hold"}},
		{"fit(", []string{"Decay", "best"}},
		{"profile(", []string{"best"}},
		{"fit(Decay, pelts, loss = sse(scale = ", []string{"linear", "log"}},
		{"fit(Decay, pelts, resume = ", []string{"true", "false"}},
		{"solve(Decay, t = 0..1, solver = RK", []string{"RK4"}},
		{"solve(Decay, t = 0..1, ma", []string{"max_step = ", "max_steps = "}},
		{"model M { unknown f(x) = NN(hidden = [3], act = ta", []string{"tanh"}},
		{"fit(Decay, pelts, loss = s -> (s.x[1] - mi", []string{"min", "mine"}},
		{"sam", nil}, // not built
		{"x = pelts.h", []string{"hare"}},
	} {
		got, _ := in.Complete(c.line, len(c.line))
		want := slices.Clone(c.want)
		slices.Sort(want)
		if c.line == "fit(Decay, pelts, loss = s -> (s.x[1] - mi" || strings.HasSuffix(c.line, "free = [") {
			for _, w := range want { // others may stand there too
				if !slices.Contains(got, w) {
					t.Errorf("%q is completed by %q, not %q", c.line, got, w)
				}
			}
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is completed by %q, not %q", c.line, got, want)
		}
	}
}

// Every type of a parameter that takes words is one that some parameter has.
func TestTakenWords(t *testing.T) {
	in, _ := session(t)
	seen := map[string]bool{}
	for _, k := range everyKind {
		for _, n := range in.Table().Names(k) {
			b, _ := in.Table().Lookup(n, k)
			for _, p := range b.Params {
				seen[p.Type] = true
			}
		}
	}
	for _, w := range taken {
		if !seen[w.typ] {
			t.Errorf("no parameter is of the type %q", w.typ)
		}
	}
}

// Lists of help are of the kinds they say, options and topics have pages, and sentences do not end at "et al.".
func TestHelpPages(t *testing.T) {
	in, _ := session(t)
	for page, want := range map[string][2]string{
		"methods":        {"multiple_shooting", "stlsq"},
		"discovery":      {"stlsq", "multiple_shooting"},
		"losses":         {"lognormal", ""},
		"early stopping": {"patience = 50", ""},
		"holdout":        {"option of fit", ""},
		"patience":       {"option of fit", ""},
		"loss":           {"`help losses` lists them", ""},
		"weights":        {`weights = {x: 2, y: "w"}`, ""},
		"AIC":            {"best.report.aic", ""},
		"report":         {"standard_errors", ""},
		"verbs":          {"Raue et al. 2009)", "sample "},
	} {
		text, ok := in.Help(page)
		if !ok || !strings.Contains(text, want[0]) || want[1] != "" && strings.Contains(text, want[1]) {
			t.Errorf("help %s: %s", page, text)
		}
	}
	for _, n := range in.Names() {
		if _, ok := in.Help(n); !ok {
			t.Errorf("help offers %s and does not know it", n)
		}
	}
}
