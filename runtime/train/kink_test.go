package train

import (
	"context"
	"math"
	"testing"
)

// kinked is the non-smooth Rosenbrock function of A. S. Lewis, M. L. Overton, Mathematical Programming 141
// (2013), 135–163, section 5.1, with w = 8. Its minimum is 0 at (1, 1), on the kink.
func kinked(u, g []float64) float64 {
	a, b := u[0]*u[0]-u[1], 1-u[0]
	s := math.Copysign(8, a)
	g[0] = 2*s*u[0] - 2*b
	g[1] = -s
	return 8*math.Abs(a) + b*b
}

// TestKink: bfgs goes along a kink, which it could not when it asked for small slopes on both sides.
func TestKink(t *testing.T) {
	for _, start := range [][]float64{{-1, 1.5}, {-1.2, 1}, {0, 3}, {2, -1}} {
		stage, err := NewStage("bfgs", map[string]float64{"iters": 1000, "ftol": 0, "gtol": 0})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Minimise(context.Background(), &function{n: 2, f: kinked}, start, []Stage{stage}, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if m.F > 1e-5 {
			t.Errorf("from %v it ends at %v with %.3g, %v", start, m.U, m.F, m.Status)
		}
		t.Logf("from %v: %.3g after %d iterations, %d evaluations", start, m.F, m.Iters, m.Evals)
	}
}
