package compiler_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// pendulums are n by themselves.
func pendulums(n int) string {
	return fmt.Sprintf(`model P {
  const n = %d
  param g = 9.81, L = 1
  state x[n] = sin(1), y[n] = -cos(1), u[n] = 0, v[n] = 0, lam[n] = 1
  x' = u
  y' = v
  u[i in 1..n]' = -lam[i]*x[i]
  v[i in 1..n]' = -lam[i]*y[i] - g
  0 = x^2 + y^2 - L^2
}`, n)
}

// TestProjectionOfMany holds that the sparse equations of many constraints move a state, and carry a derivative back, as the full ones do, and allocate nothing.
func TestProjectionOfMany(t *testing.T) {
	const n = 20
	sparse := compile(t, pendulums(n)).System
	if sparse.InvariantsPattern == nil {
		t.Fatal("the pattern of the invariants is not known")
	}
	full := *sparse
	full.InvariantsPattern = nil
	nx := sparse.NX
	atol := make([]float64, nx)
	for i := range atol {
		atol[i] = 1e-6 * (1 + float64(i%3))
	}
	x0, lam0 := make([]float64, nx), make([]float64, nx)
	s, err := solve.Solve(context.Background(), &solve.Problem{Sys: sparse, Method: method.Auto{}, T1: 0.7})
	if err != nil || s.Status != solve.Done {
		t.Fatal(err)
	}
	for i, v := range s.XEnd {
		x0[i] = v * (1 + 1e-5*math.Sin(float64(i)))
		lam0[i] = math.Cos(float64(3 * i))
	}
	var xs, lams, gs [2][]float64
	for k, p := range []*solve.Projection{solve.NewProjection(sparse), solve.NewProjection(&full)} {
		p.Prepare(sparse.Defaults())
		x, lam, g := append([]float64(nil), x0...), append([]float64(nil), lam0...), make([]float64, sparse.NTheta)
		if err := p.Project(0.7, x, 1e-6, atol); err != nil {
			t.Fatal(err)
		}
		if err := p.Back(0.7, x, 1e-6, atol, lam, g); err != nil {
			t.Fatal(err)
		}
		xs[k], lams[k], gs[k] = x, lam, g
		if n := testing.AllocsPerRun(3, func() {
			copy(x, x0)
			_ = p.Project(0.7, x, 1e-6, atol)
		}); n != 0 {
			t.Errorf("%v allocations in a projection", n)
		}
	}
	for i := range xs[0] {
		if !(math.Abs(xs[0][i]-xs[1][i]) <= 1e-12*(1+math.Abs(xs[1][i]))) {
			t.Errorf("state %d goes to %v by the sparse equations, to %v by the full ones", i, xs[0][i], xs[1][i])
		}
		if !(math.Abs(lams[0][i]-lams[1][i]) <= 1e-10) {
			t.Errorf("the derivative by state %d is %v by the sparse equations, %v by the full ones", i, lams[0][i], lams[1][i])
		}
	}
	for i := range gs[0] {
		if !(math.Abs(gs[0][i]-gs[1][i]) <= 1e-9*(1+math.Abs(gs[1][i]))) {
			t.Errorf("the derivative by θ %d is %v by the sparse equations, %v by the full ones", i, gs[0][i], gs[1][i])
		}
	}
}

// TestManyPendulums holds that many constraints are kept, at a cost in proportion to their number: with full matrices this test would take minutes.
func TestManyPendulums(t *testing.T) {
	one := 0.0
	for _, n := range []int{1, 80, 200} {
		s := compile(t, pendulums(n)).System
		m, _ := method.Find("Rodas5P")
		sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 2, Rtol: 1e-6, Times: []float64{2}, NoDense: true})
		if err != nil || sol.Status != solve.Done {
			t.Fatal(n, err, sol.Fault)
		}
		x := sol.XEnd
		if n == 1 {
			one = x[0]
		}
		for i := range n {
			if !(math.Abs(x[i]-one) <= 1e-9) || !(math.Abs(math.Hypot(x[i], x[n+i])-1) <= 1e-8) {
				t.Fatalf("%d pendulums: number %d is at %v, %v; one by itself at %v", n, i+1, x[i], x[n+i], one)
			}
		}
	}
}
