package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Names of a model, a table or a script never mean something else in what was found.
func TestDiscoverNames(t *testing.T) {
	for name, text := range map[string]string{
		"inputs": `model T { state c1 = 1, c2 = 0.5; c1' = -0.5*c1 + 0.1*c2^2; c2' = -0.4*c1*c2 }
model K { state c1 = 1, c2 = 0.5; unknown U(c1, c2) -> (f, g) = poly(2); let (f, g) = U(c1, c2); c1' = f; c2' = g }
s = solve(T, t = 0..6 by 0.2, rtol = 1e-9)
best = fit(K, s, seed = 1)
for refit in [true, false] {
  found = discover(best, "U", basis = poly(2), refit = refit)
  assert(found.terms.f == ["c1", "c2^2"] and found.terms.g == ["c1*c2"])
  assert_close(solve(put_back(best, U = found), t = 0..6 by 3).c1, s.c1[[1, 16, 31]], rtol = 1e-4)
}
g = discover({t: s.t, c1: s.c1, c2: s.c2}, basis = poly(2), derivatives = differences)
assert_close(solve(g.system, t = 0..6 by 3).c1, s.c1[[1, 16, 31]], rtol = 1e-2)`,
		"signature": `model T { state a = 1, b = 0.5; a' = -0.5*a*b; b' = -0.2*b }
model K { state a = 1, b = 0.5; unknown U(c1, k1) = poly(2); a' = U(a, b); b' = -0.2*b }
s = solve(T, t = 0..6 by 0.2, rtol = 1e-9)
best = fit(K, s, seed = 1)
found = discover(best, "U", basis = poly(2))
assert(found.terms.U == ["c1*k1"])
assert_close(put_back(best, U = found).U.a1, -0.5, rtol = 1e-3)`,
		"constant": `const c1 = 0.5
model T { state s = 3; s' = -1.2*s/(0.5 + s) }
s1 = solve(T, t = 0..6 by 0.2, rtol = 1e-9)
g = discover(s1, basis = [s, s^2, s/(c1 + s), 1])
assert(g.terms["s'"] == ["s/(c1 + s)"])
assert_close(solve(g.system, t = 0..6 by 3).s, s1.s[[1, 16, 31]], rtol = 1e-4)`,
		"no name of a state": `model M { state u[2] = [1, 2]; u[i]' = -u[i] }
d = discover(solve(M, t = 0..1 by 0.1), basis = poly(1))
assert(length(d.notes) > 0)`,
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

// What a result has not is told with the reason.
func TestDiscoverMissing(t *testing.T) {
	for part, want := range map[string]string{"system": "`u[1]` is no name of a state", "inclusion": "ensemble = 50", "sistem": "did you mean `system`?"} {
		in, _ := session(t)
		l := diag.From(in.Run(context.Background(), diag.NewSource("t", "model M { state u[2] = [1, 2]; u[i]' = -u[i] }\nmodel N { state x = 1; x' = -x }\nd = discover(solve("+
			map[bool]string{true: "N", false: "M"}[part == "sistem"]+", t = 0..1 by 0.1), basis = poly(1))\nprint(d."+part+")")))
		if len(l) != 1 || l[0].Code != "E0708" || !strings.Contains(l[0].Help, want) {
			t.Errorf("%s gives %v", part, l)
		}
	}
}

// Where a name has two meanings, what uses it is refused.
func TestDiscoverTwoMeanings(t *testing.T) {
	const m = "const Km = 0.5\nfn hill(x) = x/(0.5 + x)\nmodel K { const Km = 5; fn hill(x) = x/(5 + x); state s = 3; unknown U(s) = poly(1); s' = -U(s) - 0*Km*hill(s) }\n" +
		"model L { state s = 3; unknown U(s) = poly(1); s' = -U(s) }\n"
	for _, text := range []string{
		`discover(K, "U", t = 0..1, basis = [s/(Km + s)])`,
		`discover(K, "U", t = 0..1, basis = [s, hill(s)])`,
		`put_back(K, U = discover(put_back(L, U = s -> hill(s)), t = 0..1, basis = [hill(s)]))`,
		`put_back(K, U = s -> 2*hill(s))`,
	} {
		in, _ := session(t)
		l := diag.From(in.Run(context.Background(), diag.NewSource("t", m+text)))
		if len(l) != 1 || l[0].Code != "E0812" || !strings.Contains(l[0].Message, "is not what K calls") {
			t.Errorf("%s\n  gives %v", text, l)
		}
	}
}
