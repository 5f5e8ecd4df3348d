package sens_test

import (
	"context"
	"testing"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// Where there are no second derivatives an adjoint's derivative by time is taken by differences, as good at the ends of what was integrated as within.
func TestAdjointInTimeByDifferences(t *testing.T) {
	sys := driven()
	for _, end := range []float64{3, -0.5} {
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, Method: find(t, "Vern9"), T1: end, Rtol: 1e-11, Atol: 1e-11})
		if err != nil {
			t.Fatal(err)
		}
		inner := sol.StepRecord(sol.NumSteps() / 2)
		for _, at := range []float64{0, 1e-6 * end, inner.T, 0.3*inner.T + 0.7*inner.T1, end - 1e-6*end, end} {
			mu := []float64{1, -0.6}
			want, got := sens.AdjointInTime(sol, sys, at, mu, false), sens.AdjointInTime(sol, sys, at, mu, true)
			if off := worst(got, want); !(off < 1e-6) {
				t.Errorf("at %g of %g: off by %.1e: %v, not %v", at, end, off, got, want)
			} else {
				t.Logf("at %g of %g: %.1e", at, end, off)
			}
		}
	}
}
