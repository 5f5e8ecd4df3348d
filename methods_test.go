package udl_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

// Every method of training meets what the others meet: with tables as inputs, several trajectories with initial values of their own, uneven
// times, logarithms, arrays as states, and a second derivative.
func TestMethodsOfTraining(t *testing.T) {
	methods := []string{"shooting", "shooting(grow = 3)", "shooting(until = [2, 4])", "collocation", "collocation(smooth = kernel)",
		"multiple_shooting(segments = 3)", "multiple_shooting(segments = 3, continuity = constraint)", "collocation then multiple_shooting(segments = 2) then shooting(grow = 2)"}
	for _, c := range []struct {
		name, script string
		without      string // methods that this is refused by
	}{
		{"inputs and trajectories", `
model Tank { param k = 2.5 in 0..10; input q = 0; state x = 1; x' = q - k*x }
a = solve(Tank, t = 0..6 by 0.25, set = {k: 0.8, x: 0.5}, inputs = {q: linear([0, 3, 6], [0, 2, 0])}, rtol = 1e-9)
b = solve(Tank, t = 0..5 by 0.2, set = {k: 0.8, x: 2}, inputs = {q: hold([0, 2, 5], [1, 0.2, 0.2])}, rtol = 1e-9)
best = fit(Tank, [{t: a.t, x: a.x}, {t: b.t, x: b.x}], match = {x: "x"}, free = [k, x], method = METHOD,
           inputs = [{q: linear([0, 3, 6], [0, 2, 0])}, {q: hold([0, 2, 5], [1, 0.2, 0.2])}])
assert_close(best.k, 0.8, rtol = 1e-3)
assert_close([best[1].x, best[2].x], [0.5, 2], rtol = 1e-2)`, ""},
		{"logarithms and uneven times", `
model Growth { param r = 1.1, K = 30; state x = 1; x' = r*x*(1 - x/K) }
s = solve(Growth, t = 0..8 at [0, 0.3, 0.9, 1.3, 1.4, 2, 2.8, 3.1, 4, 4.2, 5, 5.7, 6.1, 7, 8], set = {r: 1.6, K: 12}, rtol = 1e-9)
best = fit(Growth, {t: s.t, x: s.x}, loss = lognormal(sd = 0.1), method = METHOD)
assert_close([best.r, best.K], [1.6, 12], rtol = 1e-2)`, ""},
		{"arrays", `
model Pair { param k = 2, c = 0.3; state u[2] = [1, 0]; u[1]' = u[2]; u[2]' = -k*u[1] - c*u[2] }
s = solve(Pair, t = 0..8 by 0.1, set = {k: 3, c: 0.1}, rtol = 1e-9)
best = fit(Pair, {t: s.t, a: s.u[.., 1], b: s.u[.., 2]}, match = {u: ["a", "b"]}, method = METHOD)
assert_close([best.k, best.c], [3, 0.1], rtol = 1e-2)`, ""},
		{"a velocity that is not measured", `
model Spring { param k = 2; state x = 1, x' = 0; x'' = -k*x - 0.1*x' }
s = solve(Spring, t = 0..8 by 0.1, set = {k: 3}, rtol = 1e-9)
best = fit(Spring, {t: s.t, x: s.x}, match = {x: "x"}, loss = normal, method = METHOD)
assert_close(best.k, 3, rtol = 1e-2)`, "collocation"},
	} {
		for _, m := range methods {
			script := strings.ReplaceAll(c.script, "METHOD", m)
			var out bytes.Buffer
			in := eval.New(eval.Options{Out: &out, Err: &out, Quiet: true})
			err := in.Run(context.Background(), diag.NewSource(c.name, script))
			if c.without != "" && strings.Contains(m, c.without) {
				if l := diag.From(err); len(l) != 1 || l[0].Code != "E0704" || !strings.Contains(l[0].Message, "x'") {
					t.Errorf("%s by %s: %v", c.name, m, err)
				}
				continue
			}
			if err != nil {
				var e bytes.Buffer
				udl.Explain(&e, err)
				t.Errorf("%s by %s:\n%s%s", c.name, m, out.String(), e.String())
			}
		}
	}
}

// From Go a method and a likelihood are expressions of the language.
func TestMethodAndLikelihoodFromGo(t *testing.T) {
	m := parse(t, "model M { param k = 1; state x = 2; x' = -k*x }")
	d := &udl.Data{Columns: map[string][]float64{"x": nil}}
	for i := range 21 {
		tt := 0.1 * float64(i)
		d.Time = append(d.Time, tt)
		d.Columns["x"] = append(d.Columns["x"], 2*math.Exp(-1.3*tt)*(1+0.02*math.Sin(float64(i*i))))
	}
	f, err := m.Fit(context.Background(), udl.FitOptions{Data: d, Loss: "lognormal", Method: "collocation then multiple_shooting(segments = 4)"})
	if err != nil {
		t.Fatal(err)
	}
	if k, _ := f.Value("k"); math.Abs(k[0]-1.3) > 0.02 || !strings.Contains(f.Report(), "multiple shooting over 4 segments") || !strings.Contains(f.Report(), "lognormal") {
		t.Errorf("k = %v\n%s", k, f.Report())
	}
	_, err = m.Fit(context.Background(), udl.FitOptions{Data: d, Method: "shooting(grow = 3, until = [1])"})
	if err == nil || !strings.Contains(err.Error(), "both say how the time span grows") {
		t.Errorf("%v", err)
	}
	_, err = m.Fit(context.Background(), udl.FitOptions{Data: d, Loss: "normal(sd = -1)"})
	if err == nil || !strings.Contains(err.Error(), "must be a positive number") {
		t.Errorf("%v", err)
	}
	if _, _, err = m.Gradient(context.Background(), udl.FitOptions{Data: d, Loss: "student_t(sd = 0.1, df = 3)"}); err != nil {
		t.Error(err)
	}
}
