package eval

import (
	"bytes"
	"context"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// The derivatives over several trajectories are the sums of those over each, of a mean over all values; each has its own values and inputs.
func TestGradientOverTrajectories(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("s", `
model D { param k = 0.7; const c = 1; input q = 0; state x = 2*k; x' = c*q - k*x }
a = {t: [0, 1, 2], x: [1, 0.6, 0.4], q: [0.1, 0.2, 0.3]}
b = {t: [0.5, 1, 2, 3], x: [2, 1.5, 0.7, 0.2], q: [0, 0, 1, 0]}
m = {x: "x"}
ga = grad(D, a, match = m, set = {c: 2}, inputs = {q: linear("q")}, rtol = 1e-9)
gb = grad(D, b, match = m, set = {c: 3}, inputs = {q: linear("q")}, rtol = 1e-9)
g = grad(D, [a, b], match = m, set = [{c: 2}, {c: 3}], inputs = {q: linear("q")}, rtol = 1e-9)
assert_close(g.loss, ga.loss + gb.loss, rtol = 1e-12)
assert_close([g.k, g.c, g.x], [ga.k + gb.k, ga.c + gb.c, ga.x + gb.x], rtol = 1e-12)
wa = {t: a.t, x: a.x, w: [2, 2, 2]}
wb = {t: b.t, x: b.x, w: [3, 3, 3, 3]}
assert_close(grad(D, [wa, wb], match = m, set = {c: "w"}).k, grad(D, [wa, wb], match = m, set = [{c: 2}, {c: 3}]).k, rtol = 1e-12)
mean = grad(D, [a, b], match = m, loss = mse, set = [{c: 2}, {c: 3}], inputs = {q: linear("q")}, rtol = 1e-9)
assert_close([mean.loss, mean.k], [g.loss/7, g.k/7], rtol = 1e-12)
assert(check_grad(D, [a, b], match = m, rtol = 1e-9) < 1e-6)
h = hessian(D, [a, b], along = {k: 1}, match = m, rtol = 1e-10)
up = grad(D, [a, b], match = m, set = {k: 0.7 + 1e-5}, rtol = 1e-10)
down = grad(D, [a, b], match = m, set = {k: 0.7 - 1e-5}, rtol = 1e-10)
assert_close(h.k, (up.k - down.k)/2e-5, rtol = 1e-5)
s = solve(D, t = 0..2 by 0.5, set = {k: 0.6})
assert(grad(D, s).k != 0 and grad(D, s, set = {k: 0.6}).loss < 1e-10)
E = ensemble(D, vary = {k: [0.5, 0.6]}, t = 0..2 by 0.5)
assert(grad(D, E).k > 0)
`))
	if err != nil {
		var e bytes.Buffer
		diag.RenderList(&e, diag.From(err), false)
		t.Fatalf("%v\n%s\n%s", err, out.String(), e.String())
	}
}
