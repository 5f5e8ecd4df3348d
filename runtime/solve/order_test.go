package solve_test

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// swing is x' = y, y' = −x + cos t·p with a solution that is known: with p = 0.5,
// x = cos t + 0.25 t sin t + 0.3 sin t.
func swing() *system.System {
	return testsys.System("swing", []string{"x", "y"}, []testsys.Param{{Name: "p", Value: 0.5}},
		testsys.Fixed(1, 0.3), func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[1], th[0].Mul(t.Cos()).Sub(x[0])}
		})
}

func swingAt(t float64) (x, y float64) {
	s, c := math.Sincos(t)
	return c + 0.25*t*s + 0.3*s, -s + 0.25*s + 0.25*t*c + 0.3*c
}

// slope fits log err against log h by least squares.
func slope(h, err []float64) float64 {
	var sx, sy, sxx, sxy float64
	n := float64(len(h))
	for i := range h {
		x, y := math.Log(h[i]), math.Log(err[i])
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// stepsFor gives numbers of steps over which a method's error falls far, but not to rounding.
func stepsFor(order int) []int {
	switch {
	case order == 1:
		return []int{400, 800, 1600}
	case order <= 3:
		return []int{100, 200, 400}
	case order <= 5:
		return []int{30, 45, 68}
	default:
		return []int{14, 20, 28}
	}
}

func TestOrders(t *testing.T) {
	const end = 4.0
	for _, m := range method.All() {
		for _, from := range []float64{0, end} { // forwards, and backwards from the far end
			to := end - from
			x, y := swingAt(from)
			var hs, errs, dense []float64
			for _, n := range stepsFor(m.Order) {
				h := end / float64(n)
				s := run(t, &solve.Problem{Sys: swing(), Method: m, X0: []float64{x, y}, T0: from, T1: to, Step: h})
				if s.Stats.Steps != n || s.Status != solve.Done {
					t.Fatalf("%s: %d steps for %d, %v", m.Name, s.Stats.Steps, n, s.Status)
				}
				hs = append(hs, h)
				xe, ye := swingAt(to)
				errs = append(errs, math.Hypot(s.XEnd[0]-xe, s.XEnd[1]-ye))
				// The dense output, at places that are the same fractions of steps throughout.
				sum, out := 0.0, make([]float64, 2)
				for k := range n {
					for _, theta := range []float64{0.23, 0.5, 0.81} {
						at := from + (to-from)*(float64(k)+theta)/float64(n)
						if err := s.At(at, out); err != nil {
							t.Fatal(err)
						}
						xe, ye := swingAt(at)
						sum = math.Max(sum, math.Hypot(out[0]-xe, out[1]-ye))
					}
				}
				dense = append(dense, sum)
			}
			p, q := slope(hs, errs), slope(hs, dense)
			// Inside a step the interpolant adds an error of one order more than its own.
			wantQ := min(m.Order, m.DenseOrder+1)
			t.Logf("%-8s from %v: order %.2f, dense %.2f", m.Name, from, p, q)
			if math.Abs(p-float64(m.Order)) > 0.2 {
				t.Errorf("%s from %v: measured order %.2f, want %d (errors %.1e)", m.Name, from, p, m.Order, errs)
			}
			if math.Abs(q-float64(wantQ)) > 0.2 {
				t.Errorf("%s from %v: measured order of the dense output %.2f, want %d (errors %.1e)", m.Name, from, q, wantQ, dense)
			}
		}
	}
}

// The error follows the tolerance: a tenth of it leaves about a tenth of the error.
func TestErrorFollowsTolerance(t *testing.T) {
	for _, m := range method.All() {
		if !m.Adaptive() || m.Order < 3 {
			continue
		}
		var tols, errs []float64
		for _, tol := range []float64{1e-5, 1e-6, 1e-7, 1e-8, 1e-9} {
			s := run(t, &solve.Problem{Sys: swing(), Method: m, T1: 20, Rtol: tol, Atol: tol})
			x, y := swingAt(20)
			tols = append(tols, tol)
			errs = append(errs, math.Hypot(s.XEnd[0]-x, s.XEnd[1]-y))
		}
		p := slope(tols, errs)
		t.Logf("%-8s error ~ tol^%.2f, %.1e", m.Name, p, errs)
		if p < 0.8 || p > 1.3 {
			t.Errorf("%s: error ~ tol^%.2f", m.Name, p)
		}
	}
}

// A restart after a jump keeps the order: nothing of before the jump is used again.
func TestRestartKeepsOrder(t *testing.T) {
	const end = 4.0
	for _, m := range method.All() {
		var hs, errs []float64
		for _, n := range stepsFor(m.Order) {
			n += n % 2
			h := end / float64(n)
			st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: swing(), Method: m, T1: end, Step: h})
			if err != nil {
				t.Fatal(err)
			}
			for range n / 2 {
				if !st.Step() {
					t.Fatal(st.Status())
				}
			}
			// Onto another solution of the same equation: x + sin(t − 2).
			x := append([]float64(nil), st.X()...)
			x[1]++
			st.Restart(st.T(), x)
			for st.Step() {
			}
			if st.Status() != solve.Done || st.Stats().Steps != n {
				t.Fatal(m.Name, st.Status(), st.Stats())
			}
			xe, ye := swingAt(end)
			hs = append(hs, h)
			errs = append(errs, math.Hypot(st.X()[0]-xe-math.Sin(2), st.X()[1]-ye-math.Cos(2)))
		}
		if p := slope(hs, errs); math.Abs(p-float64(m.Order)) > 0.2 {
			t.Errorf("%s: order %.2f after a restart, want %d", m.Name, p, m.Order)
		}
	}
}
