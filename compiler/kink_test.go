package compiler_test

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestAlgebraicKink holds that a bend of an algebraic equation, which no step size makes smaller, stops no solver.
func TestAlgebraicKink(t *testing.T) {
	c := compile(t, "model M {\nstate x = 1, z = 1\nx' = -1 - 0.3*sin(3*t)\n0 = max(x, 0) - z\n}")
	for _, m := range method.Solvers() {
		if !m.Info().Mass {
			continue
		}
		s, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.System, Method: m, T1: 2, Rtol: 1e-6, Atol: 1e-9})
		if err != nil || s.Status != solve.Done {
			t.Errorf("%s: %v, %v", m.Info().Name, err, s.Fault)
			continue
		}
		x := 1 - 2 + 0.1*(math.Cos(6)-1)
		if math.Abs(s.XEnd[0]-x) > 1e-4 || math.Abs(s.XEnd[1]) > 1e-4 {
			t.Errorf("%s: %v at the end, want %v and 0", m.Info().Name, s.XEnd, x)
		}
	}
}
