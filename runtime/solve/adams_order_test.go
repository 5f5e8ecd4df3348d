package solve

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
)

// TestAdamsLocalOrders: one step of each order k from an exact past, whose steps vary, errs by h^(k+2), at its end and within.
func TestAdamsLocalOrders(t *testing.T) {
	// All derivatives of the solution are alike, so that the leading term of the error leads early.
	sys := testsys.System("growth", []string{"x"}, []testsys.Param{{Name: "p", Value: 1}}, testsys.Fixed(1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Mul(th[0])} })
	m, _ := method.Find("VCABM")
	stretch := []float64{1, 1.1, 0.7, 0.9, 1.3, 1, 1, 0.8, 1.2, 0.6, 1, 1.1, 1}
	for k := 1; k <= m.(*method.Adams).MaxOrder; k++ {
		// The next term of the error changes its sign with the direction, so that the geometric mean of both is free of it.
		end, in := [2]float64{1, 1}, [2]float64{1, 1}
		for _, dir := range []float64{1, -1} {
			for n, h := range []float64{0.24, 0.16} {
				h *= dir
				if k < 7 {
					h /= 4
				}
				st, err := NewStepper(context.Background(), &Problem{Sys: sys, Method: m, X0: []float64{math.Exp(0.4)}, T0: 0.4, T1: 0.4 + 5*dir, Step: math.Abs(h)})
				if err != nil || !st.ready() {
					t.Fatal(err)
				}
				a := st.eng.(*adams)
				// Divided differences of f, times spans: the table is built column by column.
				times := []float64{st.t}
				for i := range k {
					times = append(times, times[i]-h*stretch[i])
				}
				d := make([]float64, k+1)
				for i, s := range times {
					d[i] = math.Exp(s)
				}
				span := 1.0
				for i := range k {
					a.phi[i][0] = span * d[0]
					a.psi[i] = times[0] - times[i+1]
					span *= a.psi[i]
					for j := range k - i {
						d[j] = (d[j] - d[j+1]) / (times[j] - times[j+i+1])
					}
				}
				a.k = k
				if !st.Step() {
					t.Fatal(st.Status())
				}
				out := make([]float64, 1)
				st.Interpolate(st.t+0.4*st.h, out)
				end[n] *= math.Sqrt(math.Abs(st.X()[0] - math.Exp(st.T())))
				in[n] *= math.Sqrt(math.Abs(out[0] - math.Exp(st.t+0.4*st.h)))
			}
		}
		p, q := math.Log(end[0]/end[1])/math.Log(1.5), math.Log(in[0]/in[1])/math.Log(1.5)
		t.Logf("order %2d: local errors %.1e, %.1e: order %.2f, inside %.1e, %.2f", k, end[0], end[1], p, in[0], q)
		if math.Abs(p-float64(k+2)) > 0.2 || math.Abs(q-float64(k+2)) > 0.2 {
			t.Errorf("order %d: local order %.2f, inside %.2f", k, p, q)
		}
	}
}
