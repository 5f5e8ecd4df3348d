package compiler_test

import (
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/solve"
)

const pendulum = `model Pendulum {
  const g = 9.81, L = 1
  state x = 1, y = 0, u = 0, v = 0, lam = 3
  x' = u
  y' = v
  u' = -lam*x
  v' = -lam*y - g
  0 = x^2 + y^2 - L^2
}`

// Guesses are corrected, values are kept, and what contradicts is told.
func TestConsistent(t *testing.T) {
	for _, c := range []struct {
		name, text string
		x0         []float64 // nil: the model's own
		want       []float64
		fails      []string
	}{
		{name: "one unknown", text: "model M { param k = 2; state x = 1, z = 0.5; x' = -x + z; 0 = z - k*x }", want: []float64{1, 2}},
		{name: "a model without derivatives", text: "model M { state x = 1, y = 1; 0 = x^2 + y^2 - 4; 0 = x - 2*y }", want: []float64{4 / math.Sqrt(5), 2 / math.Sqrt(5)}},
		{name: "far from the solution", text: "model M { state x = 1, z = 30; x' = -z; 0 = exp(z) - x }", want: []float64{1, 0}},
		{name: "arrays", text: "model M { state x[3] = [1, 2, 3], z[3] = 0; x' = -z; 0 = z[i] + z[i]^3 - 2*x[i] }", want: []float64{1, 2, 3, 1, 1.378796700129, 1.63436541}},
		{name: "a pendulum", text: pendulum, want: []float64{1, 0, 0, 0, 0}},
		{name: "a pendulum that swings", text: pendulum, x0: []float64{0.6, -0.8, 0.8, 0.6, 7}, want: []float64{0.6, -0.8, 0.8, 0.6, 1 + 9.81*0.8}},
		{name: "a pendulum, rounded", text: pendulum, x0: []float64{0.6 + 2e-7, -0.8, 0.8, 0.6, 7},
			want: []float64{0.6 + 2e-7*(1-0.36), -0.8 + 2e-7*0.48, 0.8 - 2e-7*0.8*0.64*0, 0.6, 8.848}},
		{name: "too long", text: pendulum, x0: []float64{1.1, 0, 0, 0, 7}, fails: []string{"inconsistent initial values: 0 = x^2 + y^2 - L^2 gives 0.21 at x = 1.1, y = 0", "satisfy it"}},
		{name: "not along the circle", text: pendulum, x0: []float64{1, 0, 0.5, 0, 7}, fails: []string{"the derivative of 0 = x^2 + y^2 - L^2 gives 1 at", "u = 0.5"}},
		{name: "a mass matrix that is singular", text: "model M { param C = 1e-6, R = 100; state v1 = 1, v2 = 3; C*(v2' - v1') = v1/R; C*(v1' - v2') = v2/R - 2/R }",
			want: []float64{0, 2}},
		{name: "a capacity of nothing", text: "model M { param C = 0; state v = 1; C*v' = 2 - v }", want: []float64{2}},
		{name: "a state whose derivative is used", text: "model M { state x = 1, z = 0.3; x' = z'; 0 = z - sin(t) - 0.5 }", fails: []string{"0 = z - sin(t) - 0.5 gives -0.2 at z = 0.3"}},
		{name: "an unknown of index 2", text: "model M { state x = 1, y = 2, z = 9, w = 0; x' = -x + w; y' = -y + w; 0 = x - z; 0 = y - 2*z }", want: []float64{1, 2, 1, 0}},
		{name: "two values against one unknown", text: "model M { state x = 1, y = 3, z = 9, w = 0; x' = -x + w; y' = -y + w; 0 = x - z; 0 = y - 2*z }",
			fails: []string{"inconsistent initial values: 0 = "}},
		{name: "no solution", text: "model M { state x = 1, z = 0.5; x' = -z; 0 = z^2 + x }", fails: []string{"no consistent initial values", "0 = z^2 + x gives", "z = "}},
		{name: "no derivative", text: "model M { state x = 1, z = 0; x' = -z; 0 = z^2 - x }", fails: []string{"do not determine z", "0 = z^2 - x gives -1 at x = 1, z = 0", "other first guesses"}},
		{name: "the same twice", text: "model M { state x = 1, y = 0, z = 0; x' = -z; 0 = z + y - x; 0 = 2*z + 2*y - 3*x }", fails: []string{"do not determine", "0 = "}},
		{name: "not finite", text: "model M { state x = 1, z = -1; x' = -z; 0 = log(z) - x }", fails: []string{"not finite at the first guesses", "0 = log(z) - x gives NaN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compile(t, c.text).System
			th, x := s.Defaults(), make([]float64, s.NX)
			s.Init.Clone().Eval(x, 0, nil, th)
			if c.x0 != nil {
				copy(x, c.x0)
			}
			atol := make([]float64, s.NX)
			for i := range atol {
				atol[i] = 1e-9
			}
			err := solve.Consistent(s, 0, x, th, 1e-6, atol)
			if c.fails != nil {
				if err == nil {
					t.Fatalf("no error, x = %v", x)
				}
				said := err.Error() + "\n" + err.(*solve.InitialError).Help()
				for _, w := range c.fails {
					if !strings.Contains(said, w) {
						t.Errorf("does not say %q but %s", w, said)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range c.want {
				if math.Abs(x[i]-w) > 1e-7*(1+math.Abs(w)) {
					t.Errorf("x = %v, want %v", x, c.want)
					break
				}
			}
			if s.Invariants != nil {
				g := make([]float64, len(s.Conserved))
				s.Invariants.Clone().Eval(g, 0, x, th)
				for _, v := range g {
					if math.Abs(v) > 1e-12 {
						t.Errorf("invariants %v", g)
					}
				}
			}
		})
	}
}
