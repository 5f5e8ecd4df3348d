package eval

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Scripts that assert what they mean.
func TestScripts(t *testing.T) {
	for name, text := range map[string]string{
		"constants follow constants": `
			model N { const p = 1; const q = p + 1; param c = 2*p; state x = 0; x' = q + 0*c }
			assert_close(solve(N, t = 0..1 by 1).x[end], 2)
			s = solve(N, t = 0..1 by 1, set = {p: 10})
			assert_close(s.x[end], 11)
			assert(s.q == 11 and s.c == 20, "read off too")
			assert_close(solve(N, t = 0..1 by 1, set = {p: 10, q: 3}).x[end], 3)
			assert_close(grad(N, t = 0..1 by 1, loss = s -> s.x[end]).p, 1)`,
		"empty reductions": `
			assert(prod[i in 1..0] i == 1, "empty product")
			assert(sum[i in 1..0] i == 0, "empty sum")`,
		"remainders and infinities": `
			assert_close(mod(1, 0.1), 0.09999999999999995)
			assert(mod(5, inf) == 5 and mod(-1, 3) == 2 and mod(1, -3) == -2, "as NumPy")
			assert(logaddexp(inf, inf) == inf and logaddexp(-inf, -inf) == -inf and logsumexp([-inf, -inf]) == -inf, "no nan")
			assert_close(logsumexp([1000, 1000]), 1000 + log(2))`,
		"a learned function is called": `
			model U { state x = 1; unknown f(a) = {param b = 3; b*a^2}; unknown g(a, b) -> (r, s) = NN(hidden = [3]); let (r, s) = g(x, t); x' = -f(x) + r + s }
			assert_close(U.f(2), 12)
			assert_close(U.f([1, 2, 3]), [3, 12, 27])
			assert_close(U.g(1, 2), [0, 0])
			assert_close(solve(U, t = 0..1, set = {f: {b: 6}}).x[end], solve(U, t = 0..1, set = {f.b: 6}).x[end])
			save(U, "u.json")
			assert_close(solve(U, t = 0..1, set = load("u.json")).x[end], solve(U, t = 0..1).x[end])`,
		"initial values that follow": `
			model I { param a = 2; state x = a, y = 3*x; x' = 0; y' = 0 }
			g = grad(I, t = 0..1 by 1, loss = s -> s.x[end] + 10*s.y[end])
			assert_close(g.a, 31, rtol = 1e-7)
			assert_close(g.x, 31, rtol = 1e-7)
			assert_close(g.y, 10, rtol = 1e-7)
			S = sensitivity(I, t = 0..1 by 1, wrt = [x, a])
			assert_close(S.y.x[end], 3, rtol = 1e-7)
			assert_close(S.y.a[end], 3, rtol = 1e-7)`,
		"initial values that depend on the start": `
			model T { param k = 1; state x = k*(1 + t); x' = -k*x }
			g = grad(T, t = 2..3 by 0.5, loss = s -> sum(s.x^2), rtol = 1e-9)
			assert_close(g.x, grad(T, t = 2..3 by 0.5, loss = s -> sum(s.x^2), rtol = 1e-9, set = {x: 3}).x, rtol = 1e-8)
			S = sensitivity(T, t = 2..3 by 0.5, rtol = 1e-9)
			assert_close(S.x.x, [1, exp(-0.5), exp(-1)], rtol = 1e-7)
			h = hessian(T, t = 2..3 by 0.5, loss = s -> sum(s.x^3), along = {x: 1}, rtol = 1e-9)
			assert_close(h.x, 18*(1 + exp(-1.5) + exp(-3)), rtol = 1e-6)`,
		"units of what equations are found in": `
			model S { time : s; state y : m = 2; param k : 1/s = 0.5; y' = -k*y }
			s = solve(S, t = 0..5 by 0.1)
			g = discover(s, basis = [y, exp(y)])
			assert(g.terms.y' == ["y"] and length(g.notes) == 1, "exp of a length means nothing")
			assert_close(solve(g.system, t = 0..2 by 1).y, 2*exp(-0.5*[0, 1, 2]), rtol = 1e-5)
			plain = discover({t: s.t, y: s.y}, basis = [y, exp(y)], derivatives = differences)
			assert(length(plain.notes) == 0, "without units all are candidates")`,
		"a condition on time alone": `
			model A { param k = 2; state x = 0; x' = if t < 1 then k else 0 }
			assert_close(grad(A, t = 0..2 by 1, loss = s -> s.x[end], max_step = 0.01).k, 1, rtol = 1e-2)`,
		"a short pulse": `
			model P { state x = 0; x' = if t > 5 and t < 5.1 then 10 else 0 }
			assert_close(solve(P, t = 0..10, max_step = 0.05).x[end], 1, rtol = 1e-2)`,
		"backwards": `
			model D { state x = 1; x' = -x }
			s = solve(D, t = 1..0 by -0.5, rtol = 1e-9)
			assert_close(s.x, [1, exp(0.5), exp(1)], rtol = 1e-6)`,
		"solve by position": `
			model D { state x = 1; x' = -x }
			assert_close(solve(D, 0..1 by 1).x[end], exp(-1), rtol = 1e-5)`,
		"scripts": `
			total = 0
			for k in 9007199254740992..9007199254740994 { total = total + 1 }
			assert(total == 3, "counted, not added")
			f = (a, b) -> a - b
			assert(f(3, 1) == 2, "order")
			n = if 1 > 2 then 1 else 2
			assert(n == 2, "if")`,
	} {
		t.Run(name, func(t *testing.T) {
			in, out := session(t)
			if err := in.Run(context.Background(), diag.NewSource("script", strings.ReplaceAll(text, "\n\t\t\t", "\n"))); err != nil {
				var e bytes.Buffer
				diag.RenderList(&e, diag.From(err), false)
				t.Errorf("%s%s", out.String(), e.String())
			}
		})
	}
}
