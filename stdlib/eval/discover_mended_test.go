package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Equations that once came out wrong, each with the truth beside it.
func TestDiscoverTruths(t *testing.T) {
	for name, text := range map[string]string{
		// x + y stays what it is, so that 1 is a combination of x and y, and y one of 1 and x.
		"conserved": `model AB { param k = 0.5; state x = 0.2, y = 1; x' = k*y; y' = -k*y }
s = solve(AB, t = 0..5 by 0.05, rtol = 1e-10)
for how in [best_subset, stlsq, sr3] {
  f = discover(s, basis = poly(1), method = how)
  assert(f.terms["x'"] == ["y"] and f.terms["y'"] == ["y"], "one term each")
  assert(length(f.notes) == 1, "and that others say the same")
}
g = discover({t: s.t, x: s.x, y: s.y}, basis = poly(1), derivatives = differences)
assert(g.terms["x'"] == ["y"] and g.proved)
twice = discover(s, over = x, basis = [x, 2*x, x^2])
assert(twice.library == ["x", "2*x", "x^2"] and length(twice.notes) == 1)`,
		"epidemic": `model SIR { param b = 0.5, g = 0.2; state S = 0.98, I = 0.02, R = 0; S' = -b*S*I; I' = b*S*I - g*I; R' = g*I }
s = solve(SIR, t = 0..40 by 1, rtol = 1e-9)
for names in [["S", "I", "R"], ["R", "S", "I"]] {
  f = discover(s, over = names, basis = poly(2))
  assert(f.terms["R'"] == ["I"] and length(f.terms["S'"]) == 1 and f.terms["S'"] == ["S*I"])
}
model K { state S = 0.98, R = 0, I = 0.02; unknown f(S, R, I) = NN(hidden = [4], act = tanh); S' = -f(S, R, I); I' = f(S, R, I) - 0.2*I; R' = 0.2*I }
e = random(normal(0, 0.005), [3, 41], seed = 1)
best = fit(K, {t: s.t, S: s.S + e[1], I: s.I + e[2], R: s.R + e[3]}, free = [f], seed = 1, train = adam(rate = 0.02, iters = 100) then bfgs(iters = 100))
found = discover(best, "f", basis = poly(2))
assert(found.terms.f == ["S*I"])
assert_close(found.coefficients.f["S*I"], 0.5, rtol = 0.02)`,
		// The birth rate that was fitted beside the network belongs to the network; that of the equations goes with them.
		"what goes with it": `model Truth { state x = 1, y = 3; x' = 1.3*x - 0.9*x*y; y' = 0.8*x*y - 1.8*y }
s = solve(Truth, t = 0..3 by 0.1, rtol = 1e-9)
e = random(normal(0, 0.01), [2, 31], seed = 1)
data = {t: s.t, x: s.x + e[1], y: s.y + e[2]}
model K { param al = 1; state x = 1, y = 3; unknown U(x, y) -> (u1, u2) = NN(hidden = [4], act = tanh); let (u1, u2) = U(x, y); x' = al*x + u1; y' = u2 - 1.8*y }
best = fit(K, data, free = [U, al, x, y], seed = 1, train = adam(rate = 0.02, iters = 100) then bfgs(iters = 100))
f = discover(best, "U", basis = [x, y, x*y])
assert(length(f.notes) == 0)
assert(length(discover(best, "U", basis = [1, x]).notes) == 1, "far from the data")
next = put_back(best, U = f)
assert(abs(best.al - 1.3) > 0.02 and abs(next.al - 1.3) < 0.01, "the rate of the equations, not of the network")
assert(next.al == f.system.al and solve(next, t = 0..3).last.x == solve(f.system, t = 0..3).last.x)
other = put_back(K, U = f)
assert(other.al == 1, "another model keeps its own")`,
		"through functions": `unknown G(x) = NN(hidden = [3])
fn h(x) = G(x)
fn g(x) = 2*h(x)
model B { state x = 2; x' = -x + g(x) }
W = put_back(B, G = x -> 0.25*x^2)
assert_close(solve(W, t = 0..0.1, rtol = 1e-10).last.x, 2, rtol = 1e-9)
s = solve(W, t = 0..2 by 0.1, set = {x: 1}, rtol = 1e-9)
best = fit(B, {t: s.t, x: s.x}, set = {x: 1}, free = [G], seed = 1, train = bfgs(iters = 100))
found = discover(best, "G", basis = poly(3))
assert(found.terms.G == ["x^2"])
print(source(found.system))`,
		// Along x the unknown is all but constant; along y it shows what it is.
		"called twice": `model T { state x = 0.3, y = 1, z = 0; unknown U(q) = NN(hidden = [4]); fn w(p) = U(p); x' = 0.0001*U(x); y' = 0.2*w(y) - y; z' = 0*U(x + y) }
W = put_back(T, U = q -> q - q^3)
found = discover(W, "U", basis = poly(3), t = 0..3)
assert(found.terms.U == ["q", "q^3"])
assert(length(found.notes) == 1, "x + y has no name")`,
	} {
		t.Run(name, func(t *testing.T) {
			in, out := session(t)
			if err := in.Run(context.Background(), diag.NewSource(name, text)); err != nil {
				var e strings.Builder
				diag.RenderList(&e, diag.From(err), false)
				t.Errorf("%s\n%s", out.String(), e.String())
			}
		})
	}
}
