package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// What is asked in a wrong way is told the right one.
func TestDiscoverHelp(t *testing.T) {
	const m = "model M { const Km = 1; state x = 1; unknown f(x) = poly(2); x' = f(x)/Km }\nd = {t: 1.0*(0..20)/10, x: exp(-(0..20)/10)}\n"
	for text, want := range map[string]string{
		`put_back(M, x -> 2*x)`:                               "say it by name, `U = x -> 2*x`",
		`discover(d, derivatives = {q: "x"})`:                 "the quantity first",
		`discover(d, basis = poly(2) - [x])`:                  "list the terms that are wanted",
		`discover(d, basis = "poly(2)")`:                      "leave the quotes out, `poly(2)`",
		`discover(M, "f", t = 0..1, basis = [x/(Km + x)])`:    "`const Km = …`",
		`grad(M, t = 0..1 by 0.5, loss = s -> s.last.x)`:      "write `s.x[end]`",
		`grad(M, t = 0..1 by 0.5, loss = s -> s.stats.steps)`: "read `stats` off the solution",
		`grad(M, t = 0..1 by 0.5, loss = s -> M.Km*s.x[end])`: "it is a model",
		"model A { state u[2] = [1, 2]; unknown R(v) = poly(1); u[i]' = R(u[i]) }\ndiscover(A, \"R\", t = 0..1)": "`let a = u[1]` and `R(a)`",
		"A = 3\ndiscover(d, refit = true)": "leave `refit` out",
	} {
		in, _ := session(t)
		l := diag.From(in.Run(context.Background(), diag.NewSource("t", m+text)))
		if len(l) != 1 || !strings.Contains(l[0].Help, want) {
			t.Errorf("%s\n  gives %v", text, l)
		}
	}
}

// States of second order, controls, and the truth value that holds anyway.
func TestDiscoverMotion(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("motion", `model A { state x = 1, x' = 0; x'' = -x - 0.1*x' }
s = solve(A, t = 0..6 by 0.1, rtol = 1e-10)
f = discover(s, refit = false)
assert(f.equations == ["x'' = -x - 0.1*x'"])
assert_close(solve(f.system, t = 0..6, rtol = 1e-10).last.x, s.last.x, atol = 1e-7)
model T { state x = 1; let u = sin(2*t); x' = -x + 2*u }
d = solve(T, t = 0..10 by 0.05, rtol = 1e-9)
assert(length(discover(d, basis = poly(1)).notes) == 1, "what drives it is no candidate")
g = discover({t: d.t, x: d.x, u: d.u, tau: d.t}, basis = poly(1), derivatives = differences)
assert(g.terms["x'"] == ["x", "u"] and g.terms["tau'"] == ["1"])`))
	if err != nil {
		var e strings.Builder
		diag.RenderList(&e, diag.From(err), false)
		t.Errorf("%s\n%s", out.String(), e.String())
	}
}
