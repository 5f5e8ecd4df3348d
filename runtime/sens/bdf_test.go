package sens_test

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// diffusion is x_i' = d·(x_{i−1} − 2x_i + x_{i+1}) − r·x_i³ on a line of n points, with its pattern.
func diffusion(t testing.TB, n int) *system.System {
	names, x0 := make([]string, n), make([]float64, n)
	var rows, cols []int
	for i := range n {
		names[i] = "x" + strconv.Itoa(i+1)
		x0[i] = 1 + 0.5*math.Sin(float64(i))
		for j := max(0, i-1); j <= min(n-1, i+1); j++ {
			rows, cols = append(rows, i), append(cols, j)
		}
	}
	sys := testsys.System("diffusion", names, []testsys.Param{{Name: "d", Value: 2000}, {Name: "r", Value: 0.5}}, testsys.Fixed(x0...),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			z := make([]testsys.Expr, n)
			for i := range x {
				v := x[i].Times(-2)
				if i > 0 {
					v = v.Add(x[i-1])
				}
				if i < n-1 {
					v = v.Add(x[i+1])
				}
				z[i] = th[0].Mul(v).Sub(th[1].Mul(x[i]).Mul(x[i]).Mul(x[i]))
			}
			return z
		})
	var err error
	if sys.Pattern, err = sparse.NewPattern(n, rows, cols); err != nil {
		t.Fatal(err)
	}
	return sys
}

// Of many states the solver that is chosen is BDF, once it is stiff, and its gradient that of Rodas5P.
func TestBDFGradientOfMany(t *testing.T) {
	sys := diffusion(t, 150)
	loss := &squares{times: []float64{0.05, 0.5, 1}, targets: make([]float64, 450), weights: make([]float64, 150)}
	for i := range loss.weights {
		loss.weights[i] = 1
	}
	gradient := func(m method.Method) ([]float64, *solve.Solution) {
		g := make([]float64, sys.NTheta)
		_, sol, err := sens.Adjoint(context.Background(), &solve.Problem{Sys: sys, Method: m, T1: 1, Rtol: 1e-8, Atol: 1e-8}, loss, g)
		if err != nil || sol.Status != solve.Done {
			t.Fatal(err, sol)
		}
		return g, sol
	}
	want, _ := gradient(find(t, "Rodas5P"))
	for _, name := range []string{"auto", "BDF"} {
		got, sol := gradient(find(t, name))
		t.Logf("%s: off by %.1e; %s", name, relative(got, want), sol.Used())
		if relative(got, want) > 1e-5 || !strings.Contains(sol.Used(), "BDF") {
			t.Errorf("%s by %s: %v, Rodas5P %v", name, sol.Used(), got, want)
		}
	}
}

// Derivatives are handed past steps with nothing of their own, over a restart, and to the initial state.
func TestBDFGradientOfStart(t *testing.T) {
	sys := testsys.LotkaVolterra()
	loss := &squares{times: []float64{5}, targets: []float64{1, 1}, weights: []float64{1, 0}}
	p := &solve.Problem{Sys: sys, Method: find(t, "BDF"), T1: 5, Rtol: 1e-9, Atol: 1e-9}
	g, d := make([]float64, sys.NTheta), make([]float64, sys.NTheta)
	if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
		t.Fatal(err)
	}
	p.Method = find(t, "Vern9")
	if _, _, err := sens.Adjoint(context.Background(), p, loss, d); err != nil {
		t.Fatal(err)
	}
	if off := relative(g, d); off > 1e-6 {
		t.Errorf("off by %.1e: %v, Vern9 %v", off, g, d)
	}
	back := &solve.Problem{Sys: sys, Method: find(t, "BDF"), T0: 5, T1: 0, X0: []float64{2, 1}, Rtol: 1e-9, Atol: 1e-9}
	loss.times = []float64{1}
	if _, _, err := sens.Adjoint(context.Background(), back, loss, g); err != nil {
		t.Fatal(err)
	}
	back.Method = find(t, "Vern9")
	if _, _, err := sens.Adjoint(context.Background(), back, loss, d); err != nil {
		t.Fatal(err)
	}
	if off := relative(g[:4], d[:4]); off > 1e-6 {
		t.Errorf("backwards off by %.1e: %v, Vern9 %v", off, g, d)
	}
}
