package sens_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Products with the Hessian against extrapolated differences of gradients, by explicit and implicit solvers, with algebraic equations, networks, and losses that depend on θ.
func TestHessianVector(t *testing.T) {
	ctx := context.Background()
	r := load(t, "ude_lv_tanh_2_5_5_5_2")
	algebraic := algebraicSys(t)
	algebraic.Mass.Values = testsys.Func(0, 3, func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Const(1.5)} })
	for _, c := range []struct {
		name    string
		sys     *system.System
		solvers []string
		t1      float64
	}{
		{"driven", driven(), []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "KenCarp4", "BDF", "auto"}, 3},
		{"lotka_volterra", testsys.LotkaVolterra(), []string{"Vern7", "Rodas5P"}, 3},
		{"ude", testsys.UDE(r.Params), []string{"Vern7"}, 2},
		{"algebraic", algebraic, []string{"Rodas5P", "RadauIIA5", "BDF"}, 2},
	} {
		for _, name := range c.solvers {
			loss := odd{[]float64{0, 0.4 * c.t1, 0.41 * c.t1, c.t1}}
			p := &solve.Problem{Sys: c.sys, Method: find(t, name), T1: c.t1, Rtol: 1e-10, Atol: 1e-10}
			n := c.sys.NTheta
			v, hv, want := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range v {
				v[i] = math.Sin(float64(3*i + 1))
			}
			_, sol, err := sens.HessianVector(ctx, p, loss, v, hv)
			if err != nil || sol.Status != solve.Done {
				t.Errorf("%s, %s: %v", c.name, name, err)
				continue
			}
			th := c.sys.Defaults()
			for _, s := range []struct{ step, weight float64 }{{2e-3, -1.0 / 3}, {1e-3, 4.0 / 3}} {
				for _, sign := range []float64{1, -1} {
					q := *p
					q.Method = find(t, "Vern9")
					if c.sys.Mass != nil {
						q.Method = find(t, "Rodas5P")
					}
					q.Rtol, q.Atol = 1e-12, 1e-12
					q.Theta = append([]float64(nil), th...)
					for i := range v {
						q.Theta[i] += sign * s.step * v[i]
					}
					g := make([]float64, n)
					if _, _, err := sens.Adjoint(ctx, &q, loss, g); err != nil {
						t.Fatal(err)
					}
					for i := range want {
						want[i] += sign * s.weight * g[i] / (2 * s.step)
					}
				}
			}
			off := worst(hv, want)
			t.Logf("%-15s %-10s %.1e", c.name, name, off)
			if !(off < 1e-6) {
				t.Errorf("%s, %s: off by %.1e: %v, differences %v", c.name, name, off, hv, want)
			}
		}
	}
}

// The Hessian is symmetric, and a direction of zeros gives zeros.
func TestHessianSymmetry(t *testing.T) {
	p := &solve.Problem{Sys: driven(), T1: 3, Rtol: 1e-10, Atol: 1e-10}
	var h [3][3]float64
	for i := range h {
		v := make([]float64, 3)
		v[i] = 1
		if _, _, err := sens.HessianVector(context.Background(), p, odd{[]float64{1, 2, 3}}, v, h[i][:]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range h {
		for j := range i {
			if d := math.Abs(h[i][j] - h[j][i]); !(d < 1e-7*math.Abs(h[i][i])) {
				t.Errorf("%v", h)
			}
		}
	}
	hv := []float64{1, 1, 1}
	if _, _, err := sens.HessianVector(context.Background(), p, odd{[]float64{1}}, make([]float64, 3), hv); err != nil || hv[0] != 0 {
		t.Error(hv, err)
	}
}

// What is not differentiated twice is refused by name.
func TestHessianRefusals(t *testing.T) {
	for _, sys := range []*system.System{few(), algebraicSys(t)} {
		v := make([]float64, sys.NTheta)
		v[0] = 1
		_, _, err := sens.HessianVector(context.Background(), &solve.Problem{Sys: sys, T1: 1, Method: find(t, "Rodas5P")}, last{1}, v, make([]float64, sys.NTheta))
		var no *sens.RefusedError
		if !errors.As(err, &no) {
			t.Errorf("%s: %v", sys.Name, err)
		}
	}
}
