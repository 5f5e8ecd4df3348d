package eval

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// A training tells of the trials that failed: how many, and of the first and last the equation with its place, the state, the time and the row of the data.
func TestFailedTrials(t *testing.T) {
	for _, train := range []string{"adam(rate = 0.5, iters = 30)", "bfgs(iters = 30)", "lm(iters = 30)"} {
		var out bytes.Buffer
		in := New(Options{Out: &out, Err: &out, FS: os.DirFS("testdata/bad")})
		err := in.Run(context.Background(), diag.NewSource("failing.udl", `model M {
  param k = 0.2
  state x = 1
  x' = -k*log(x)*x - k
}
b = fit(M, csv("falling.csv", time = "t"), train = `+train+`)
print(b.report)
assert(b.report.failures > 0)
print(b.report.last_failure)
`))
		if err != nil {
			t.Logf("%s: %v\n%s", train, err, out.String())
		}
		for _, want := range []string{"failed, the first in iteration", "in x', log(x) = NaN with x = ", "(failing.udl:4:11)", "there x = ", "the first datum that is not reached is falling.csv:4: x"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", train, want, out.String())
			}
		}
	}
}
