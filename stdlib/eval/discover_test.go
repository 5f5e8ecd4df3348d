package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Scripts about discovery that must run; their assertions say what must come out.
func TestDiscoverScripts(t *testing.T) {
	for name, text := range map[string]string{
		"anonymous": `model M { param k = 1; state x = 1, y = 2; x' = -k*x + NN(x, y, hidden = [2]); y' = -y + NN(2*x, hidden = [3]) }
m = put_back(M, NN1 = (p, q) -> p*q, NN2 = z -> {param a = 0.5; a*z})
model W { param k = 1; state x = 1, y = 2; x' = -k*x + x*y; y' = -y + 0.5*(2*x) }
assert_close(solve(m, t = 0..1, rtol = 1e-10).last.x, solve(W, t = 0..1, rtol = 1e-10).last.x, rtol = 1e-9)
assert(m.NN2.a == 0.5)`,
		"top level": `unknown f(x) = poly(2)
model A { state x = 1; x' = f(x) }
model B { state x = 1; x' = f(x) }
m = put_back(A, f = x -> -2*x)
assert_close(solve(m, t = 0..1, rtol = 1e-10).last.x, exp(-2), rtol = 1e-8)
assert(solve(B, t = 0..1).last.x == 1, "the other model is as it was")`,
		"script numbers": `model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }
k = -3
m = put_back(M, f = x -> k*x)
assert_close(solve(m, t = 0..1, rtol = 1e-10).last.x, exp(-3), rtol = 1e-7)
m = put_back(M, f = {param a = -3; a*x})
assert_close(solve(m, t = 0..1, rtol = 1e-10).last.x, exp(-3), rtol = 1e-7)`,
		"arrays": `model M { state u[2] = [1, 0.5]; unknown f(u) -> (a, b) = poly(2); let (a, b) = f(u); u[1]' = a; u[2]' = b }
s = solve(put_back(M, f = u -> (u[2], -u[1])), t = 0..3 by 0.1, rtol = 1e-9)
best = fit(M, {t: s.t, v: s.u[.., 1], w: s.u[.., 2]}, match = {u: ["v", "w"]}, train = lbfgs(iters = 200))
found = discover(best, basis = poly(3))
assert(found.terms.a == ["u[2]"] and found.terms.b == ["u[1]"])
assert_close(found.coefficients.a["u[2]"], 1, rtol = 1e-3)
assert_close(solve(found.system, t = 0..3).last.u, s.last.u, atol = 1e-3)`,
		"values kept": `model M { param k = 1; state x = 1, y = 1; unknown f(x) = poly(1); unknown g(y) = NN(hidden = [3]); x' = -k*x + f(x); y' = -y + g(y) }
best = fit(M, t = 0..1 by 0.25, loss = s -> sum((s.x - exp(-2*s.t))^2 + (s.y - 1)^2), train = lbfgs(iters = 60), seed = 3, free = [f, g])
found = discover(best, "f", basis = [x], refit = false)
next = put_back(best, f = found)
assert(next.g.W1 == best.g.W1 and next.k == best.k)
again = fit(next, t = 0..1 by 0.25, loss = s -> sum((s.x - exp(-2*s.t))^2 + (s.y - 1)^2), train = lbfgs(iters = 1), seed = 9, free = [f])
assert(again.g.W1 == best.g.W1, "a seed draws nothing anew")
assert_close(again.f.c1, -1, rtol = 0.05)`,
		"products": `model M { state x = 1, y = 2; unknown f(x, y) = poly(2); x' = f(x, y); y' = -y }
d = discover(M, "f", basis = poly(1)*sin + [exp(-x)] + fourier(2), t = 0..1)
assert(d.library == ["sin(x)", "sin(y)", "x*sin(x)", "x*sin(y)", "y*sin(x)", "y*sin(y)", "exp(-x)", "cos(x)", "cos(2*x)", "sin(2*x)", "cos(y)", "cos(2*y)", "sin(2*y)"])
assert(discover(M, "f", basis = poly(2), over = y, t = 0..1).library == ["1", "y", "y^2"])
model N { state x = 1, y = 2; unknown f(a, b) = poly(2); x' = f(x, y); y' = -y }
assert(discover(N, over = y, t = 0..1).library == ["1", "b", "b^2"])
assert(d.terms.f == [] and d.equations == ["f = 0"])`,
		"left out": `model M { state x = -1; unknown f(x) = poly(2); x' = f(x) }
d = discover(M, "f", basis = [x, log(x), sqrt(x)], t = 0..1)
assert(d.library == ["x"] and length(d.notes) == 2)`,
		"random": `a = random(normal(2, 1), 1000, seed = 5)
assert(abs(mean(a) - 2) < 0.2)
b = random(normal(2, 1), [2, 3], seed = 5)
assert(b[1] == a[1..3] or sum(abs(b[1] - a[1..3])) == 0)
assert(random(uniform(0, 1), seed = 1) < 1)
assert(["a", "b"] == ["a", "b"] and ["a"] != ["b"] and [] == [])`,
		"source": `model M { param k = 1, A[2] = [1, 2]; state x = k; x' = -k*x*A[2] }
best = fit(M, t = 0..1 by 0.5, loss = s -> (s.x[end] - 0.3)^2, train = lbfgs(iters = 20), free = [k, x])
save(best, "best.udl")
text = source(best)
print(text)`,
		"held out": `model M { state x = 2; unknown f(x) = poly(2); x' = f(x) }
s = solve(put_back(M, f = x -> -0.5*x), t = 0..4 by 0.1)
best = fit(M, {t: s.t, x: s.x}, holdout = 0.3, train = lbfgs(iters = 100))
found = discover(best, basis = poly(3) + sin, ensemble = 20)
assert(found.terms.f == ["x"] and found.inclusion.f.x > 0.9)`,
		"likelihood": `model M { state x = 2; unknown f(x) = poly(2); x' = f(x) }
s = solve(put_back(M, f = x -> -0.5*x), t = 0..4 by 0.1)
d = {t: s.t, x: s.x*(1 + 0.01*random(normal(0, 1), 41, seed = 2))}
a = fit(M, d, loss = normal, train = lbfgs(iters = 100))
assert(discover(a, basis = poly(3) + sin).terms.f == ["x"])
b = fit(M, d, loss = lognormal(sd = 0.02), train = lbfgs(iters = 100))
assert(discover(b, basis = poly(3) + sin).terms.f == ["x"])
robust = fit(M, {t: s.t, x: s.x}, loss = mae, train = lbfgs(iters = 50))
print(discover(robust, basis = [x]))`,
		"refused": `model M { param C = 1.5; state x = 2, z = 1; unknown f(x) = poly(2); C*x' = -f(x); 0 = z - x }
s = solve(put_back(M, f = x -> x), t = 0..3 by 0.1)
best = fit(M, {t: s.t, x: s.x}, train = lbfgs(iters = 30), solver = Rodas5P)
found = discover(best, "f", basis = poly(2))
assert(length(found.notes) == 1, "without forward sensitivities by C the terms are those of the function")`,
		"several": `model M { state x = 1; unknown f(x) = poly(3); x' = f(x) }
T = put_back(M, f = x -> x - x^3)
best = fit(M, [solve(T, t = 0..2 by 0.1, set = {x: 0.2}), solve(T, t = 0..2 by 0.1, set = {x: 1.8})], set = [{x: 0.2}, {x: 1.8}], train = lbfgs(iters = 200))
found = discover(best, basis = poly(5))
assert(found.terms.f == ["x", "x^3"])`,
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

// What makes no sense is refused, with the place.
func TestDiscoverRefused(t *testing.T) {
	const m = "model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }\n"
	for text, code := range map[string]string{
		m + `discover(M, "f")`:                                        "E0706",
		m + `discover(3)`:                                             "E0704",
		m + `discover(M, "g", t = 0..1)`:                              "E0811",
		m + `discover(M, "f", t = 0..1, basis = spline(3))`:           "E0810",
		m + `discover(M, "f", t = 0..1, basis = poly(1.5))`:           "E0810",
		m + `discover(M, "f", t = 0..1, basis = poly(31))`:            "E0810",
		m + `discover(M, "f", t = 0..1, basis = [])`:                  "E0704",
		m + `discover(M, "f", t = 0..1, basis = [log(-1 - x^2)])`:     "E0704",
		m + `discover(M, "f", t = 0..1, over = [y])`:                  "E0704",
		m + `discover(M, "f", t = 0..1, method = sindy)`:              "E0701",
		m + `discover(M, "f", t = 0..1, method = shooting)`:           "E0704",
		m + `discover(M, "f", t = 0..1, select = hqc)`:                "E0704",
		m + `discover(M, "f", t = 0..1, refit = true)`:                "E0704",
		m + `discover(M, "f", t = 0..1, ensemble = -1)`:               "E0704",
		m + `discover(M, "f", t = 0..1, derivatives = spline)`:        "E0704",
		m + `discover({t: [0, 1, 2], x: [1, 2, 3]})`:                  "E0704",
		m + `discover({t: [0, 1, 2, 3, 4], x: [1, 2, 3, 4, 5]}, "f")`: "E0704",
		m + `discover({t: [0, 1, 2, 4, 3], x: [1, 2, 3, 4, 5]})`:      "E0512",
		m + `put_back(M)`:                  "E0706",
		m + `put_back(M, f = 3)`:           "E0704",
		m + `put_back(M, f = (x, y) -> x)`: "E0704",
		m + `put_back(M, f = discover({t: 0..9, x: (0..9)^2}, basis = [x]))`: "E0704",
		m + `put_back(M, f = x -> NN(x, hidden = [3]))`:                      "E0812",
		m + `save(3, "x.udl")`:      "E0704",
		"random(3)":                 "E0704",
		"random(normal(0, -1), 3)":  "E0714",
		"random(normal(0, 1), 1.5)": "E0704",
		"const k = 2\nunknown G(x) = NN(hidden = [2])\nfn g(x) = k*G(x)\nmodel M { state x = 1, k = 1; x' = g(x); k' = -k }\nput_back(M, G = x -> x)": "E0811",
		"fn g(x) = NN(x, hidden = [2])\nmodel M { state x = 1; x' = g(x) }\nput_back(M, NN1 = x -> x)":                                                "E0811",
	} {
		in, _ := session(t)
		l := diag.From(in.Run(context.Background(), diag.NewSource("t", text)))
		if len(l) != 1 || string(l[0].Code) != code {
			t.Errorf("%s\n  gives %v, not %s", text, l, code)
		}
	}
}
