package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// A fitted model is drawn by the solver that it was fitted with, and a solution tells which method made it.
func TestFittedModelIsDrawnAsSolved(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("fitted", `model K { param k = 3; state x = 1, z = 1; x' = -k*z; 0 = z - x^2 }
truth = solve(K, t = 0..2 by 0.25, set = {k: 2})
y = truth.x
best = fit(K, t = 0..2 by 0.25, loss = s -> mean((s.x - y)^2), train = lbfgs(iters = 30), solver = RadauIIA5)
assert_close(best.k, 2, rtol = 1e-5)
plot(best)
print(truth)
model D { state x = 1; x' = -x }
print(solve(D, t = 0..1))
print(ensemble(D, n = 3, vary = {x: [1, 2, 3]}, t = 0..1).stats.solver)
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Rodas5P: done", "Tsit5: done", "\nTsit5\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
}
