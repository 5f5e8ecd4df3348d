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

// TestSolving compares implicit methods with compiled elimination and with the general solvers.
func TestSolving(t *testing.T) {
	texts := map[string]string{
		"bruss1d": strings.Replace(problems["bruss1d"], "n = 200", "n = 30", 1),
		"hires":   problems["hires"],
		"pollu":   problems["pollu"],
	}
	for name, text := range texts {
		s := compileWith(t, text, code.Options{}).System
		if s.Solving(s.Pattern.WithDiagonal()) == nil {
			without(t, s)
		}
		for _, m := range method.Solvers() {
			info := m.Info()
			if !info.Family.Implicit() || info.Order < 3 {
				continue
			}
			var ends [2][]float64
			for i := range ends {
				sys := *s
				sys.Stepping = nil
				if i == 1 {
					sys.Solving = nil
				}
				sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: &sys, Method: m, T1: 2, Rtol: 1e-7, Atol: 1e-10, MaxSteps: 1e6})
				if err != nil || sol.Status != solve.Done {
					t.Fatalf("%s %s: %v, %v", name, info.Name, err, sol.Status)
				}
				ends[i] = sol.XEnd
			}
			for j, v := range ends[1] {
				if !(math.Abs(ends[0][j]-v) <= 1e-8+1e-5*math.Abs(v)) {
					t.Errorf("%s %s: state %d is %v, %v by the general solver", name, info.Name, j, ends[0][j], v)
				}
			}
		}
	}
	if s := compileWith(t, problems["hires"], code.Options{Portable: true}).System; s.Solving(s.Pattern) != nil {
		t.Error("there is compiled elimination where generated code is turned off")
	}
}
