package udl_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

// TestJumpsOfInputs holds conditions on inputs, in all that takes inputs, to their truth, at tables that come to a threshold and rest there too.
func TestJumpsOfInputs(t *testing.T) {
	const falls, rises = "[0, 1, 0, 0]", "[0, 1, 1, 1]"
	for _, k := range []struct {
		cond                           string
		holdDown, linearDown, linearUp float64 // how long it is true in 0..10
		plain                          float64 // with the input 0.7
	}{
		{"u > 0.5", 1, 1, 9.5, 10},
		{"sign(u) > 0.5", 1, 2, 10, 10},
		{"floor(u) > 0.5", 1, 0, 9, 0},
		{"u > 0", 1, 2, 10, 10},
		{"u >= 1", 1, 0, 9, 0},
		{"ceil(u) > 0.5", 1, 2, 10, 10},
	} {
		for _, in := range []struct {
			input string
			want  float64
		}{
			{"hold([0, 1, 2, 10], " + falls + ")", k.holdDown},
			{"linear([0, 1, 2, 10], " + falls + ")", k.linearDown},
			{"linear([0, 1, 2, 10], " + rises + ")", k.linearUp},
			{"0.7", k.plain},
		} {
			text := fmt.Sprintf(`model M {
  param k = 1
  input u = 0
  state x = 0
  x' = k*(if %s then 1 else 0)
}
model D {
  input u = 0
  state x = 0
  x' = if %s then 1 else 0
}
assert_close(solve(D, t = 0..10, inputs = {u: IN}).x[end], WANT, rtol = 1e-8, atol = 1e-8)
assert_close(solve(D, t = 0..10, inputs = {u: IN}, solver = BDF).x[end], WANT, rtol = 1e-6, atol = 1e-6)
assert_close(grad(M, t = 0..10 by 5, inputs = {u: IN}, loss = s -> s.x[end]).k, WANT, rtol = 1e-8, atol = 1e-8)
assert_close(ensemble(M, vary = {k: [1, 2]}, t = 0..10 by 5, inputs = {u: IN})[2].x[end], 2*WANT, rtol = 1e-6, atol = 1e-6)
`, k.cond, k.cond)
			text = strings.NewReplacer("IN", in.input, "WANT", fmt.Sprint(in.want)).Replace(text)
			var out bytes.Buffer
			if err := eval.New(eval.Options{Out: &out, Err: &out}).Run(t.Context(), diag.NewSource("test.udl", text)); err != nil {
				t.Errorf("%s, %s: %v\n%s", k.cond, in.input, err, out.String())
			}
		}
	}
}
