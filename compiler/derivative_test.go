package compiler_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestInfiniteDerivative holds that an implicit method that needs the derivatives at the start of a step does not step where a derivative is infinite, and says which one it is. An infinite pivot of an elimination would
// give a step of no change and no error.
func TestInfiniteDerivative(t *testing.T) {
	for _, c := range []struct{ name, text, equation, state string }{
		{"differential", `model M { state x = 0; x' = 1 - sqrt(x) }`, "x'", "x"},
		{"stiff", `model M { state h = 0, y = 1; h' = 1 - sqrt(h); y' = -1e5*(y - cos(t)) }`, "h'", "h"},
		{"beside", `model M { state h = 0, q = 0; h' = 1 - q - sqrt(h); 0 = q^3 + q - h }`, "h'", "h"},
		{"algebraic", `model M { state h = 0, q = 1; h' = 1 - q; 0 = q - sqrt(h) }`, "0 = q - sqrt(h)", "h"},
	} {
		s := compileWith(t, c.text, code.Options{}).System
		solvers := []string{"RadauIIA5", "BDF", "KenCarp4", "TRBDF2"}
		for _, m := range rosenbrocks() {
			solvers = append(solvers, m.Name)
		}
		if s.Mass != nil {
			solvers = append(solvers, "auto")
		}
		for _, name := range solvers {
			m, ok := method.Find(name)
			if !ok {
				t.Fatal(name)
			}
			sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 1})
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, name, err)
				continue
			}
			if name == "BDF" && s.Mass == nil {
				// It takes the derivative at the end of a step, where it is finite.
				if x := sol.XEnd[0]; sol.Status != solve.Done || math.Abs(x-0.48760947) > 1e-5 {
					t.Errorf("%s, %s: %v at t = %v, %v", c.name, name, sol.Status, sol.TEnd, x)
				}
				continue
			}
			if sol.Status != solve.NonFinite || sol.Fault == nil || sol.Fault.Derivative == nil {
				t.Errorf("%s, %s: %v at t = %v with %v: %v", c.name, name, sol.Status, sol.TEnd, sol.XEnd, sol.Fault)
				continue
			}
			d := sol.Fault.Derivative
			if d.Equation != c.equation || d.State != c.state || !math.IsInf(d.Value, 0) || d.At != 0 {
				t.Errorf("%s, %s: %+v", c.name, name, d)
			}
			if text := sol.Fault.Error(); !strings.Contains(text, c.equation) || !strings.Contains(text, "by "+c.state+" is infinite") || sol.Fault.Help() == "" {
				t.Errorf("%s, %s: %s", c.name, name, text)
			}
		}
	}
}
