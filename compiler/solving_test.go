package compiler_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
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

// TestSolvingMany holds that many patterns are each solved rightly, however many are kept.
func TestSolvingMany(t *testing.T) {
	s := compileWith(t, shapes["lv"], code.Options{}).System
	for range 2 {
		for n := 1; n < 14; n++ {
			lu := s.Solving(sparse.DiagonalPattern(n))
			if lu == nil {
				without(t, s)
			}
			v, b := make([]float64, n), make([]float64, n)
			for i := range v {
				v[i], b[i] = float64(i+2), float64(i+2)
			}
			if err := lu.Factor(v); err != nil || lu.N() != n {
				t.Fatal(err, lu.N())
			}
			lu.Solve(b)
			for _, x := range b {
				if math.Abs(x-1) > 1e-15 {
					t.Fatalf("%d unknowns: %v", n, b)
				}
			}
		}
	}
}
