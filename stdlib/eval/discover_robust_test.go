package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
)

// Corrupt samples of a table are found with nothing said of derivatives; a spline, which cannot, is told apart by a note.
func TestDiscoverRobustTable(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("robust", `model VdP { param mu = 1.5; state x = 2, y = 0; x' = y; y' = mu*(1 - x^2)*y - x }
s = solve(VdP, t = 0..12 by 0.05, rtol = 1e-9)
n = length(s.t)
for noise in [0, 0.01] {
  bad = (random(uniform(0, 1), n, seed = 3) < 0.05)*random(normal(0, 1), n, seed = 4)
  d = {t: s.t, x: s.x + bad + noise*random(normal(0, 1), n, seed = 1), y: s.y + noise*random(normal(0, 1), n, seed = 2)}
  f = discover(d, over = [x, y], basis = poly(3), robust = true, seed = 1)
  assert(f.terms["x'"] == ["y"] and f.terms["y'"] == ["x", "y", "x^2*y"])
  assert_close(f.coefficients["y'"]["x^2*y"], -1.5, rtol = 0.01)
  assert(length(f.notes) + 1 == length(discover(d, over = [x, y], basis = poly(3), robust = true, derivatives = spline, seed = 1).notes))
}`))
	if err != nil {
		var e strings.Builder
		diag.RenderList(&e, diag.From(err), false)
		t.Errorf("%s\n%s", out.String(), e.String())
	}
}

// Where something is conserved but for the errors of a spline, terms that cancel do not fit those errors; a note tells of them.
func TestDiscoverNearlyDependent(t *testing.T) {
	in, out := session(t)
	err := in.Run(context.Background(), diag.NewSource("nearly", `t0 = (0..60)/10
for how in ["bic", "ebic"] { for deg in [2, 3] {
  f = discover({t: t0, a: cos(2*t0), b: -2*sin(2*t0)}, basis = poly(deg), select = how)
  assert(f.terms["a'"] == ["b"] and f.terms["b'"] == ["a"])
  assert(length(f.notes) > 0, "what was passed over is said")
} }`))
	if err != nil {
		var e strings.Builder
		diag.RenderList(&e, diag.From(err), false)
		t.Errorf("%s\n%s", out.String(), e.String())
	}
}
