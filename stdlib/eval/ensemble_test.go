package eval

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/lang/diag"
)

// What the parts of an ensemble mean, said by scripts.
func TestEnsembles(t *testing.T) {
	const decay = "model D { param k = 1 in 0..10, u0[2] = [1, 2]; state x = 1, u[2] = u0; let e = 2*x; x' = -k*x; u' = -k*u }\n"
	for name, text := range map[string]string{
		"members are what single solves are": decay + `
			E = ensemble(D, vary = {k: [0.5, 1, 2], x: [1, 2, 3], u: [[1, 2], [3, 4], [5, 6]]}, t = 0..2 by 0.5, rtol = 1e-9)
			for i in 1..3 {
			  s = solve(D, t = 0..2 by 0.5, set = {k: E.k[i], x: i, u: E.u[i, 1]}, rtol = 1e-9)
			  assert_close(E.x[i], s.x, rtol = 1e-7)
			  assert_close(E.u[i], s.u, rtol = 1e-7)
			  assert_close(E.e[i], s.e, rtol = 1e-7)
			  assert_close(E[i].x, s.x, rtol = 1e-7)
			}
			assert_close(E.values.x, [1, 2, 3])
			assert(E.n == 3 and E.u0[2] == 2 and E.failed == 0 and length(E.stopped) == 0, "parts")
			assert(E[end].k == 2, "a member knows its values")`,
		"what follows a constant": `
			model C { const p = 1; const q = p + 1; param c = 2*p; state x = 1; x' = -c*q*x }
			E = sweep(C, over = {p: [1, 2]}, t = 0..1, rtol = 1e-9)
			for i in 1..2 { assert_close(E.x[i, end], solve(C, t = 0..1, set = {p: i}, rtol = 1e-9).x[end], rtol = 1e-7) }
			assert_close(E.c, [2, 4])
			assert_close(E.q, [2, 3])
			assert(E[2].q == 3, "of a member too")
			assert_close(sweep(C, over = {p: [1, 2]}, t = 0..1, set = {c: 5}).x[1], solve(C, t = 0..1 by 1, set = {c: 5}).x, rtol = 1e-5)`,
		"statistics": `
			model S { state x = 1, v[2] = [0, 1]; let y = x^2; x' = 0; v' = 0 }
			E = ensemble(S, vary = {x: [1, 2, 4, 5]}, t = 0..1)
			assert_close(E.mean.x, [3, 3])
			assert_close(E.sd.x, sqrt(10/3)*[1, 1])
			assert_close(E.median.x, [3, 3])
			assert_close(E.median.y, [10, 10])
			assert_close(E.median.v, [[0, 1], [0, 1]])
			assert_close(quantile(E, 0).x + quantile(E, 1).x, [6, 6])
			assert_close(quantile(E, 1/3).x, [2, 2], rtol = 1e-12)
			assert_close(quantile([4, 1, 5, 2]), 3)
			assert_close(E.mean.t, E.t)
			print(E.mean, quantile(E, 0.9))
			table(E.sd)
			save(E.median, "median.csv")
			assert_close(csv("median.csv").y, [10, 10])`,
		"members that stop are left out": `
			model P { param a = 1; state x = 1; x' = a*x^2 }
			E = ensemble(P, vary = {a: [0.1, 2, 0.2, 3]}, t = 0..1)
			assert(E.failed == 2 and E.stats.failed == 2, "how many")
			assert_close(E.stopped, [2, 4])
			assert(E.status[1] == "done" and E.status[2] != "done", "how")
			assert_close(E.mean.x[end], (1/0.9 + 1/0.8)/2, rtol = 1e-5)
			assert(E[2].x[end] > 1e6, "as far as it came")`,
		"draws": decay + `
			A = ensemble(D, n = 2000, vary = {k: uniform(0.5, 1.5), u0: normal([1, 5], [0.1, 0.2])}, t = 0..1, seed = 3)
			assert_close(sum(A.u0[.., 1])/2000, 1, rtol = 0.02)
			assert_close(sum(A.u0[.., 2])/2000, 5, rtol = 0.02)
			assert_close(A.u[.., 1], A.u0)
			B = ensemble(D, n = 10, vary = {u0: normal([1, 5], [0.1, 0.2]), x: gamma(2, 1), k: beta(2, 3)}, t = 0..1, seed = 3, threads = 1)
			assert_close(B.u0, A.u0[1..10], rtol = 0)
			C = ensemble(D, n = 10, vary = {x: gamma(2, 1)}, t = 0..1, seed = 4)
			assert(max(abs(C.values.x - B.values.x)) > 0.1, "another seed")`,
		"a grid": decay + `
			S = sweep(D, over = {k: [1, 2], x: 1..3 by 1, u: [[1, 2], [3, 4]]}, t = 0..1)
			assert(S.n == 12, "all combinations")
			assert_close(S.k, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2])
			assert_close(S.values.x, [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3])
			assert_close(S.values.u[.., 1], [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3])
			assert_close(sweep(D, over = {k: 2}, t = 0..1 by 1).x[1], solve(D, t = 0..1 by 1, set = {k: 2}).x, rtol = 1e-5)`,
		"weights": `
			model W { state x = 1; unknown f(x) = NN(hidden = [2]); x' = f(x) }
			E = ensemble(W, n = 4, vary = {f.W2: normal(0, 0.5)}, t = 0..1)
			assert(E.f.W2[1, 1, 1] != E.f.W2[2, 1, 1], "each its own")
			assert_close(E.x[2, end], E[2].x[end], rtol = 1e-5)`,
		"times": decay + `
			assert_close(ensemble(D, n = 2, vary = {k: uniform(1, 2)}, t = 0..3).t, [0, 3])
			E = ensemble(D, n = 2, vary = {k: uniform(1, 2)}, t = 0..3)
			assert(length(E[1].t) > 3, "a member by itself shows every step")
			back = ensemble(D, vary = {k: [1, 2]}, t = 1..0 by -0.5, solver = Vern7, rtol = 1e-9)
			assert_close(back.x[2], [1, exp(1), exp(2)], rtol = 1e-6)
			fixed = ensemble(D, vary = {k: [1, 2]}, t = 0..1, solver = RK4(dt = 0.01))
			assert(fixed.stats.why_no_lanes == "a fixed step", "why")`,
		"names of distributions stand for themselves in vary alone": decay + `
			fn normal(a, b) = 7
			gamma = 3
			E = ensemble(D, n = 3, vary = {x: normal(2, 0.001), k: gamma(2, 2)}, t = 0..1)
			assert(abs(E.values.x[1] - 2) < 0.1 and normal(1, 2) == 7, "both")`,
		"csv": decay + `
			save(ensemble(D, vary = {k: [1, 2], x: [3, 4]}, t = 0..1 by 0.5), "e.csv")
			c = csv("e.csv")
			assert_close(c.member, [1, 1, 1, 2, 2, 2])
			assert_close(c["x(0)"], [3, 3, 3, 4, 4, 4])
			assert_close(c.k, [1, 1, 1, 2, 2, 2])
			assert_close(c.x[4..4], [4])`,
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

// What an ensemble looks like when it is printed and drawn; no seconds, threads or lanes, so that it is the same everywhere.
func TestShowEnsemble(t *testing.T) {
	t.Setenv("UDL_NATIVE", "off")
	t.Setenv("UDL_KERNELS", "off")
	var out bytes.Buffer
	in := New(Options{Out: &out, Err: &out})
	err := in.Run(context.Background(), diag.NewSource("s", `
model D "decay" { time : h; param k = 1; state x = 1; x' = -k*x }
E = ensemble(D, n = 400, vary = {k: uniform(0.5, 1.5)}, t = 0..4 by 0.25, seed = 1)
print(E)
plot(E)
plot(sweep(D, over = {k: [0.5, 2]}, t = 0..4 by 0.25))
`))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "ensemble.golden")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	// The numbers are those of one architecture; the words and the layout of all.
	if w, g := strings.Fields(string(want)), strings.Fields(out.String()); len(w) != len(g) || w[0] != g[0] || !strings.Contains(out.String(), "x, k = 0.5") {
		t.Errorf("printed\n%s\nthe golden file has\n%s", out.String(), want)
	}
}

// Ctrl-C and a limit on memory end an ensemble with an error that says so, and soon.
func TestEnsembleStops(t *testing.T) {
	const text = "model L { param s = 10; state x = 1, y = 1, z = 1; x' = s*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z }\n"
	ctx, cancel := context.WithCancel(context.Background())
	in := New(Options{Interruptible: func(context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }})
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	err := in.Run(context.Background(), diag.NewSource("s", text+"E = ensemble(L, n = 10000000, vary = {s: uniform(9, 11)}, t = 0..100)"))
	if l := diag.From(err); len(l) != 1 || l[0].Code != "E0504" || !strings.Contains(l[0].Message, "stopped") {
		t.Errorf("Ctrl-C gives %v", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	in = New(Options{Limits: Limits{Memory: 1 << 20}})
	err = in.Run(context.Background(), diag.NewSource("s", text+"E = ensemble(L, n = 10000, vary = {s: uniform(9, 11)}, t = 0..100 by 1)"))
	if l := diag.From(err); len(l) != 1 || l[0].Code != "E0506" || !strings.Contains(l[0].Help, "members") {
		t.Errorf("too large gives %v", err)
	}
	err = in.Run(context.Background(), diag.NewSource("s", text+"E = ensemble(L, n = 1e15, vary = {s: uniform(9, 11)}, t = 0..100 by 1)"))
	if l := diag.From(err); len(l) != 1 || l[0].Code != "E0506" {
		t.Errorf("far too large gives %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if err := in.Run(ctx, diag.NewSource("s", text)); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Distributions are completed where they are written, and the parts of an ensemble after the dot.
func TestCompleteEnsemble(t *testing.T) {
	in, _ := session(t)
	if err := in.Run(context.Background(), diag.NewSource("s", "model D { param k = 1; state x = 1; x' = -k*x }\nE = ensemble(D, vary = {k: [1, 2]}, t = 0..1)")); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{"ensemble(D, vary = {k: logn": "lognormal", "ensemble(D, va": "vary = ", "E.med": "median", "E.mean.": "x", "sweep(D, ov": "over = "} {
		if got, _ := in.Complete(line, len(line)); !slices.Contains(got, want) {
			t.Errorf("%q is completed by %v, not %q", line, got, want)
		}
	}
	if got, _ := in.Complete("lognor", 6); len(got) > 0 {
		t.Errorf("a distribution is offered outside of vary: %v", got)
	}
}

// A value from the command line for what differs from member to member is not passed over in silence.
func TestEnsembleSetOutside(t *testing.T) {
	var out bytes.Buffer
	in := New(Options{Out: &out, Err: &out, Sets: map[string]float64{"k": 3}})
	err := in.Run(context.Background(), diag.NewSource("s", "model D { param k = 1; state x = 1; x' = -k*x }\nE = ensemble(D, vary = {k: [1, 2]}, t = 0..1)\nassert_close(E.k, [1, 2])"))
	if err != nil || !strings.Contains(out.String(), "--set k has no effect on this `ensemble`") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
