package eval

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// What the documents do not show of optimisers: lists of prices, starts from distributions, one seed on any number of threads, names of schedules
// without brackets, and what is completed.
func TestOptimiserScripts(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("optimise", `
pelts = csv("lynx_hare.csv", time = "year")
model Wave { const s = 1.4; param w = 1 ~ lognormal(s, 0.3); state x = 0, v = 1; x' = v; v' = -w^2*x }
truth = solve(Wave, t = 0..6 by 0.2, set = {w: 4.3}, rtol = 1e-8)
seen = {t: truth.t, x: truth.x}
a = fit(Wave, seen, starts = 6, seed = 2, threads = 1)
b = fit(Wave, seen, starts = 6, seed = 2, threads = 2)
assert(a.w == b.w and a.loss == b.loss)
assert_close(a.w, 4.3, rtol = 1e-4)
assert(length(a.report.starts) == 6 and min(a.report.starts) == a.loss)
assert(max(abs(a.report.starts - b.report.starts)) == 0)

model Decay { param k = 0.1, c = 0; state x = 30; x' = -k*x + c }
one  = fit(Decay, pelts, match = {x: "hare"}, loss = mse, regularise = {c: [l1(0.5), l2(0.25)], k: l2})
two  = fit(Decay, pelts, match = {x: "hare"}, loss = mse, regularise = {c: [l1(0.5), l2(0.25)], k: l2}, train = lbfgs)
assert_close(one.c, two.c, rtol = 1e-3)
assert_close(one.report.penalty, 0.5*abs(one.c) + 0.25*one.c^2 + 1e-4*one.k^2, rtol = 1e-3)
assert(one.loss == one.report.loss)
s = fit(Decay, pelts, match = {x: "hare"}, train = adam(rate = cosine, iters = 5))
w = fit(Decay, pelts, match = {x: "hare"}, train = cmaes(iters = 5) then lm)
l = fit(Decay, t = 0..1 by 0.5, loss = s -> (s.x[end] - 25)^2, starts = 3)
assert_close(l.loss, 0, atol = 1e-6)
`))
	if err != nil {
		var e bytes.Buffer
		diag.RenderList(&e, diag.From(err), false)
		t.Fatalf("%v\n%s\n%s", err, out.String(), e.String())
	}
	for _, name := range []string{"optimisers", "schedules", "regularisers", "losses", "methods"} {
		if text, ok := in.Help(name); !ok || strings.Count(text, "\n") < 2 {
			t.Errorf("help %s: %q", name, text)
		}
	}
	for line, want := range map[string]string{
		"fit(Decay, pelts, train = adam(rate = cos":        "cosine",
		"fit(Decay, pelts, regularise = {k: l":             "l2",
		"fit(Decay, pelts, pat":                            "patience = ",
		"fit(Decay, pelts, train = adam(rate = warmup(one": "one_cycle",
	} {
		got, _ := in.Complete(line, len(line))
		if !strings.Contains(" "+strings.Join(got, " "), " "+strings.TrimSpace(want)) {
			t.Errorf("%q is completed by %v", line, got)
		}
	}
}
