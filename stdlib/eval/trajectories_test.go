package eval

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/udl-lang/udl/lang/diag"
)

const tank = `model Tank { param k = 1 in 0..10; const c = 1, n = 2; input q = 0; state x = n*c; let z = 2*x; x' = c*q - k*x }
`

// What several trajectories mean in a script; its assertions say what must come out.
func TestTrajectories(t *testing.T) {
	for name, text := range map[string]string{
		"by, in order of appearance": `d = csv("two.csv", time = "t", by = "who")
assert(length(d) == 2 and d[1].x[1] == 2 and d[2].x[1] == 4)
best = fit(Tank, d, match = {x: "x"}, free = [k, x])
assert_close(best.k, 0.5, rtol = 1e-4)
assert_close([best[1].x, best[2].x], [2, 4], rtol = 1e-4)
assert(best.report.trajectories.name[2] == "who = 7")
assert(best.report.trajectories.values[1] == 3)
assert_close(solve(best[2], t = 0..1).x[end], 4*exp(-0.5), rtol = 1e-4)`,

		"values and expressions of each": `a = solve(Tank, t = 0..2 by 0.5, set = {k: 0.7, c: 2})
b = solve(Tank, t = 0..2 by 0.5, set = {k: 0.7, c: 3})
best = fit(Tank, [a, b], match = {z: "z"}, set = [{c: 2}, {c: 3}])
assert_close(best.k, 0.7, rtol = 1e-4)
assert([best[1].x, best[2].x] == [4, 6], "x starts at n*c")
assert(best.c == 1 and best[2].c == 3)
own = fit(Tank, [a, b], match = {z: "z"}, set = [{c: 2}, {c: 3}], free = [k, x])
assert(own.x == 2, "the model as such starts where it says")
assert_close([own[1].x, own[2].x], [4, 6], rtol = 1e-4)`,

		"inputs of each": `a = solve(Tank, t = 0..2 by 0.25, set = {k: 0.7}, inputs = {q: linear([0, 2], [0, 1])})
b = solve(Tank, t = 0..2 by 0.25, set = {k: 0.7}, inputs = {q: hold([0, 1], [1, 0], outside = hold)})
best = fit(Tank, [a, b], match = {x: "x"}, inputs = [{q: linear([0, 2], [0, 1])}, {q: hold([0, 1], [1, 0], outside = hold)}])
assert_close(best.k, 0.7, rtol = 1e-4)
assert_close(solve(best[2], t = 0..2 by 0.25).x, b.x, rtol = 1e-4)`,

		"inputs from columns": `d = {t: [0, 1, 2], x: [2, 1.5, 1], q: [1, 0, 1]}
one = fit(Tank, d, match = {x: "x"}, inputs = {q: linear("q")})
two = fit(Tank, d, match = {x: "x"}, inputs = {q: linear([0, 1, 2], [1, 0, 1])})
assert(one.k == two.k)
both = fit(Tank, [d, d], match = {x: "x"}, inputs = {q: linear("q")})
assert_close(both.k, one.k, rtol = 1e-5)`,

		"initial values from data": `a = {t: [1, 2, 3], x: [5, 3, 2]}
b = {t: [0, 2, 3], x: [7, 3, 2], s: [6, 6, 6]}
best = fit(Tank, [a, b], match = {x: "x"}, initial = data)
assert([best[1].x, best[2].x] == [5, 7])
one = fit(Tank, b, match = {x: "x"}, initial = {x: "s"})
assert(one.x == 6)`,

		"members of an ensemble": `model U { param k = 1 in 0..5; state u[2] = [1, 0]; u[1]' = u[2]; u[2]' = -k*u[1] }
E = ensemble(U, n = 5, vary = {u: [[1, 0], [0, 1], [1, 1], [2, 1], [1, 3]]}, t = 0..3 at [1, 2, 3], set = {k: 2}, rtol = 1e-8)
best = fit(U, E, match = {u: "u"}, initial = data, rtol = 1e-8)
assert_close(best.k, 2, rtol = 1e-5)
assert(best[5].u == [1, 3], "the start, which is before the first output")
assert(length(best.report.residuals.trajectory) == 15 and best.report.residuals.trajectory[4] == 2)
plot(best)
plot(best[5])
part = fit(U, E, match = {u: ["u[1]", "u[2]"]}, initial = {u: "u"}, holdout = {trajectories: 0.4, times: 2.5..3}, rtol = 1e-8)
assert(part.report.trajectories.values[5] == 0 and part.report.trajectories.held_values[1] == 2)
assert(part.report.held_rmse < 1e-4)`,

		"weights of each datum": `d = {t: [0, 1, 2], x: [2, 1, 1], w: [1, 2, 0]}
best = fit(Tank, d, match = {x: "x"}, loss = sse(weights = {x: "w"}))
assert_close(solve(best, t = 0..1).x[end], 1, rtol = 1e-4)
assert(best.loss < 1e-8, "the last has no weight")`,

		"batches": `E = ensemble(Tank, n = 20, vary = {x: uniform(1, 3)}, t = 0..2 by 0.2, set = {k: 1.7}, seed = 3)
a = fit(Tank, E, match = {x: "x"}, initial = data, method = shooting(batch = 6, window = 4), train = adam(rate = 0.05, iters = 200), seed = 1)
b = fit(Tank, E, match = {x: "x"}, initial = data, method = shooting(batch = 6, window = 4), train = adam(rate = 0.05, iters = 200), seed = 1)
c = fit(Tank, E, match = {x: "x"}, initial = data, method = shooting(batch = 6, window = 4), train = adam(rate = 0.05, iters = 200), seed = 2)
assert_close(a.k, 1.7, rtol = 1e-3)
assert(a.k == b.k and a.k != c.k, "the seed says which batches")`,
	} {
		t.Run(name, func(t *testing.T) {
			in := New(Options{Quiet: true, FS: fstest.MapFS{"two.csv": {Data: []byte("who,t,x\n3,0,2\n7,0,4\n3,1,1.2130613\n7,1,2.4261226\n7,2,1.4715178\n3,2,0.7357589\n")}}})
			if err := in.Run(context.Background(), diag.NewSource("trajectories", tank+text)); err != nil {
				for _, d := range diag.From(err) {
					t.Errorf("%v %v", d, d.Notes)
				}
				t.Error(err)
			}
		})
	}
}
