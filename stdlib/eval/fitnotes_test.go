package eval

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// What a fit tells without failing: from when it solved, what had no effect, what is not saved; and that it goes on from what was found before.
func TestFitNotes(t *testing.T) {
	const decay = "model D { param k = 1 in 0..10; state x = 1; x' = -k*x }\na = {t: [0.5, 1, 2, 3], x: [2.9, 1.8, 1, 0.5]}\nb = {t: [0, 1, 2], x: [5, 3.1, 1.8]}\n"
	for name, c := range map[string]struct{ text, want string }{
		"start":        {decay + `print(fit(D, a).report)`, "solved from t = 0.5 on: the initial values are those there"},
		"starts":       {decay + `print(fit(D, [a, b]).report)`, "solved from t = 0 to 0.5 on, each trajectory from its start"},
		"prior":        {"model P { param k = 1 ~ lognormal(0, 1); state x = 3; x' = -k*x }\nbest = fit(P, {t: [0, 1, 2], x: [3, 2.1, 1]})\nassert(length(best.report.notes) == 1)\nprint(best.report)", "note: the distribution of k"},
		"batch":        {decay + `print(fit(D, [a, b], method = shooting(batch = 9), train = adam(iters = 3)).report)`, "`batch = 9` has no effect: 2 trajectories"},
		"window":       {decay + `print(fit(D, a, method = shooting(window = 40), train = adam(iters = 3)).report)`, "`window = 40` has no effect: the data have 4 rows"},
		"line search":  {decay + `print(fit(D, [a, b], method = shooting(batch = 1), train = lbfgs).report)`, "look at all data"},
		"no errors":    {decay + `print(fit(D, a, loss = mae, train = lbfgs(iters = 5)).report)`, "no standard errors: mae is neither a sum of squares nor a likelihood"},
		"not saved":    {decay + `save(fit(D, [a, b], free = [k, x]), "m.json")`, "E0536"},
		"weights":      {"model W { state x = 1; unknown U(x) = NN(hidden = [2]); x' = -x + U(x) }\nsave(fit(W, {t: [0, 1], x: [1, 0.5]}, train = adam(iters = 3)), \"w.udl\")", "E0537"},
		"goes on":      {decay + "one = fit(D, [a, b], free = [k, x])\ntwo = fit(one, [a, b], free = [k, x])\nassert(two.report.iterations < 2)\nassert_close(two[2].x, one[2].x, rtol = 1e-5)\nthree = fit(one, [a, b], free = [k, x], set = {x: 2}, train = lm(iters = 0))\nassert(three[2].x == 2)\nprint(\"fine\")", "fine"},
		"profile":      {decay + "p = profile(fit(D, a, free = [k, x], train = lm(iters = 1)), \"k\")", "E0534"},
		"no logarithm": {"model C { state c = 0; param k = 1; c' = k }\nprint(fit(C, {t: [1, 2], c: [1, 2]}, loss = lognormal).report)", "empty the datum's cell and keep the row"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			in := New(Options{Out: &out, Err: &out, Dir: t.TempDir()})
			if err := in.Run(context.Background(), diag.NewSource(name, c.text)); err != nil {
				diag.RenderList(&out, diag.From(err), false)
			}
			if got := out.String(); !strings.Contains(got, c.want) {
				t.Errorf("lacks %q:\n%s", c.want, got)
			}
		})
	}
}
