package solve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

// tridiagonal solves A = 1 − c·d·(1, −2, 1) exactly, by elimination: heat on a line.
type tridiagonal struct {
	d, c     float64
	factored int
	fail     bool
}

func (p *tridiagonal) Factor(c, _ float64, _ []float64) error {
	p.c = c * p.d
	p.factored++
	if p.fail {
		return errors.New("no factors today")
	}
	return nil
}

func (p *tridiagonal) Solve(b []float64) {
	n := len(b)
	diag := make([]float64, n)
	for i := range n {
		diag[i] = 1 + 2*p.c
		if i > 0 {
			w := -p.c / diag[i-1]
			diag[i] += w * p.c
			b[i] -= w * b[i-1]
		}
	}
	for i := n - 1; i >= 0; i-- {
		if i < n-1 {
			b[i] += p.c * b[i+1]
		}
		b[i] /= diag[i]
	}
}

// A preconditioner that is exact needs hardly a product for each solve, and the solution is that of other ways; after it, others are as before.
func TestPreconditioner(t *testing.T) {
	const n = 40
	d := 1000.0
	names := make([]string, n)
	x0 := make([]float64, n)
	for i := range n {
		names[i] = "u" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		x0[i] = float64(i%3) + 1
	}
	sys := testsys.System("heat", names, []testsys.Param{{Name: "d", Value: d}}, testsys.Fixed(x0...), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		z := make([]testsys.Expr, n)
		for i := range n {
			s := x[i].Times(-2)
			if i > 0 {
				s = s.Add(x[i-1])
			}
			if i < n-1 {
				s = s.Add(x[i+1])
			}
			z[i] = s.Mul(th[0])
		}
		return z
	})
	p := &solve.Problem{Sys: sys, Method: bdfOf(t, 0, "direct"), T1: 0.1, Rtol: 1e-7, Atol: 1e-9}
	want := run(t, p)
	pre := &tridiagonal{d: d}
	p.Preconditioner = pre
	var w solve.Workspace
	got, err := w.Solve(t.Context(), p)
	if err != nil || got.Status != solve.Done {
		t.Fatal(err, got.Fault)
	}
	for i, v := range want.XEnd {
		if diff := got.XEnd[i] - v; diff > 1e-7 || diff < -1e-7 {
			t.Errorf("%s = %v, want %v", names[i], got.XEnd[i], v)
		}
	}
	st := got.Stats
	if pre.factored == 0 || st.Krylov > 2*st.Newton || !strings.Contains(st.Linear, "was given") {
		t.Errorf("%d factorisations, %+v", pre.factored, st)
	}
	pre.fail = true
	got, err = w.Solve(t.Context(), p)
	if err != nil || got.Status == solve.Done || !strings.Contains(got.Fault.Error(), "no factors today") {
		t.Errorf("%v, %v", err, got.Fault)
	}
	p.Preconditioner = nil
	if got, err = w.Solve(t.Context(), p); err != nil || got.Stats != want.Stats {
		t.Errorf("%v: %+v, want %+v", err, got.Stats, want.Stats)
	}
}
