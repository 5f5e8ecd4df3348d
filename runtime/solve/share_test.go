package solve_test

import (
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// What the steps of a solver add up to is in proportion to the tolerance, whatever that is: ten thousand times smaller, it makes errors of at most thrice as many tolerances.
func TestStiffErrorFollowsTolerance(t *testing.T) {
	// A damped oscillation of frequency 3 beside a fast mode: x'' + 0.2 x' + 9.01 x = 0, y' = −50 (y − x) + x'.
	sys := testsys.System("modes", []string{"x", "v", "y"}, nil, testsys.Fixed(1, -0.1, 1), func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[1], x[1].Times(-0.2).Sub(x[0].Times(9.01)), x[2].Sub(x[0]).Times(-50).Add(x[1])}
	})
	for _, m := range method.Solvers() {
		info := m.Info()
		if !info.Adaptive || !info.Family.Implicit() {
			continue
		}
		var off []float64
		tols := []float64{1e-4, 1e-8}
		if info.Order < 4 {
			tols = []float64{1e-3, 1e-7}
		}
		for _, tol := range tols {
			s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 4, Rtol: tol, Atol: tol})
			if s.Status != solve.Done {
				t.Fatal(info.Name, s.Fault)
			}
			worst := 0.0
			for i, at := range s.T {
				want := math.Exp(-0.1*at) * math.Cos(3*at)
				for _, k := range []int{0, 2} {
					worst = math.Max(worst, math.Abs(s.Row(i)[k]-want)/(tol+tol*math.Abs(want)))
				}
			}
			off = append(off, worst)
		}
		t.Logf("%-12s errors of %.3g tolerances at %.0e, %.3g at %.0e", info.Name, off[0], tols[0], off[1], tols[1])
		if off[1] > 3*off[0]+3 || off[0] > 100 {
			t.Errorf("%s: errors of %.3g tolerances at %.0e, %.3g at %.0e", info.Name, off[0], tols[0], off[1], tols[1])
		}
	}
}
