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
	case order <= 7:
		return []int{14, 20, 28}
	default:
		return []int{8, 10, 14}
	}
}

// fade is x' = −p x³/2 with x = 1/√(1 + pt), here with p = 1 forwards and p = −1 backwards.
func fade(p float64) *system.System {
	return testsys.System("fade", []string{"x", "y"}, []testsys.Param{{Name: "p", Value: p}},
		testsys.Fixed(1, 0), func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			cube := x[0].Mul(x[0]).Mul(x[0])
			return []testsys.Expr{th[0].Mul(cube).Times(-0.5), t.Const(0)}
		})
}

// ruler is a problem to measure an order on, from one time to another.
type ruler struct {
	sys      *system.System
	from, to float64
	at       func(t float64) (x, y float64)
	steps    []int
	all      bool // take root mean squares, not the error at the end and the worst inside steps
}

// rulerFor is swing, forwards, or backwards from the far end. Orders above 7 need another problem:
// on swing they show only at steps where the error is as small as rounding. The derivatives of
// fade alternate and grow evenly, so that the leading term of the error leads early.
func rulerFor(order int, back bool) ruler {
	const end = 4.0
	if order > 7 {
		p := 1.0
		if back {
			p = -1
		}
		at := func(t float64) (x, y float64) { return 1 / math.Sqrt(1+p*t), 0 }
		return ruler{sys: fade(p), to: p * end, at: at, steps: []int{8, 10, 12}, all: true}
	}
	r := ruler{sys: swing(), to: end, at: swingAt, steps: stepsFor(order)}
	if back {
		r.from, r.to = end, 0
	}
	return r
}

func TestOrders(t *testing.T) {
	for _, m := range method.All() {
		for _, back := range []bool{false, true} {
			r := rulerFor(m.Order, back)
			x, y := r.at(r.from)
			var hs, errs, dense []float64
			for _, n := range r.steps {
				h := math.Abs(r.to-r.from) / float64(n)
				s := run(t, &solve.Problem{Sys: r.sys, Method: m, X0: []float64{x, y}, T0: r.from, T1: r.to, Step: h})
				if s.Stats.Steps != n || s.Status != solve.Done {
					t.Fatalf("%s: %d steps for %d, %v", m.Name, s.Stats.Steps, n, s.Status)
				}
				hs = append(hs, h)
				off := func(at float64, x []float64) float64 {
					xe, ye := r.at(at)
					return math.Hypot(x[0]-xe, x[1]-ye)
				}
				last, sum := off(r.to, s.XEnd), 0.0
				if r.all {
					for i, at := range s.T {
						sum += math.Pow(off(at, s.Row(i)), 2)
					}
					last = math.Sqrt(sum / float64(n))
				}
				errs = append(errs, last)
				// The dense output, at places that are the same fractions of steps throughout.
				worst, sum, out := 0.0, 0.0, make([]float64, 2)
				for k := range n {
					for _, theta := range []float64{0.23, 0.5, 0.81} {
						at := r.from + (r.to-r.from)*(float64(k)+theta)/float64(n)
						if err := s.At(at, out); err != nil {
							t.Fatal(err)
						}
						e := off(at, out)
						worst, sum = math.Max(worst, e), sum+e*e
					}
				}
				if r.all {
					worst = math.Sqrt(sum / float64(3*n))
				}
				dense = append(dense, worst)
			}
			p, q := slope(hs, errs), slope(hs, dense)
			// Inside a step the interpolant adds an error of one order more than its own.
			wantQ := min(m.Order, m.DenseOrder+1)
			t.Logf("%-8s from %v to %v: order %.2f, dense %.2f", m.Name, r.from, r.to, p, q)
			if math.Abs(p-float64(m.Order)) > 0.2 {
				t.Errorf("%s from %v: measured order %.2f, want %d (errors %.1e)", m.Name, r.from, p, m.Order, errs)
			}
			if math.Abs(q-float64(wantQ)) > 0.2 {
				t.Errorf("%s from %v: measured order of the dense output %.2f, want %d (errors %.1e)", m.Name, r.from, q, wantQ, dense)
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
	for _, m := range method.All() {
		r := rulerFor(m.Order, false)
		half := r.to / 2
		// Halfway onto another solution of the same equation.
		other := func(t float64) (x, y float64) {
			x, y = r.at(t)
			return x + math.Sin(t-half), y + math.Cos(t-half)
		}
		if r.all {
			other = func(t float64) (x, y float64) { return 1 / math.Sqrt(t), 0 }
		}
		var hs, errs []float64
		for _, n := range r.steps {
			n += n % 2
			h := r.to / float64(n)
			x, y := r.at(0)
			st, err := solve.NewStepper(context.Background(),
				&solve.Problem{Sys: r.sys, Method: m, X0: []float64{x, y}, T1: r.to, Step: h})
			if err != nil {
				t.Fatal(err)
			}
			last, sum := 0.0, 0.0
			step := func(at func(float64) (x, y float64)) bool {
				if !st.Step() {
					return false
				}
				xe, ye := at(st.T())
				last = math.Hypot(st.X()[0]-xe, st.X()[1]-ye)
				sum += last * last
				return true
			}
			for range n / 2 {
				if !step(r.at) {
					t.Fatal(st.Status())
				}
			}
			x, y = other(half)
			st.Restart(st.T(), []float64{x, y})
			for step(other) {
			}
			if st.Status() != solve.Done || st.Stats().Steps != n {
				t.Fatal(m.Name, st.Status(), st.Stats())
			}
			if r.all {
				last = math.Sqrt(sum / float64(n))
			}
			hs = append(hs, h)
			errs = append(errs, last)
		}
		p := slope(hs, errs)
		t.Logf("%-8s order %.2f after a restart, errors %.2g", m.Name, p, errs)
		if math.Abs(p-float64(m.Order)) > 0.2 {
			t.Errorf("%s: order %.2f after a restart, want %d", m.Name, p, m.Order)
		}
	}
}
