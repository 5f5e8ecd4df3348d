package solve_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// massOf is a mass matrix of numbers, for a system of nth parameters.
func massOf(nth int, rows ...[]float64) *system.Mass {
	var is, js []int
	var values []float64
	for j := range rows {
		for i := range rows {
			if rows[i][j] != 0 {
				is, js, values = append(is, i), append(js, j), append(values, rows[i][j])
			}
		}
	}
	p, err := sparse.NewPattern(len(rows), is, js)
	if err != nil {
		panic(err)
	}
	return &system.Mass{Pattern: p, Values: testsys.Func(0, nth, func(t testsys.Expr, _, _ []testsys.Expr) (z []testsys.Expr) {
		for _, v := range values {
			z = append(z, t.Const(v))
		}
		return z
	})}
}

// massed is a system with a mass matrix, whose solution is known.
type massed struct {
	name string
	sys  *system.System
	at   func(t float64) (x, y float64)
}

func massives() []massed {
	// M x' = M f, of swing.
	full := testsys.System("full", []string{"x", "y"}, []testsys.Param{{Name: "p", Value: 0.5}}, testsys.Fixed(1, 0.3),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			f, g := x[1], th[0].Mul(t.Cos()).Sub(x[0])
			return []testsys.Expr{f.Times(2).Add(g), f.Add(g.Times(3))}
		})
	full.Mass = massOf(1, []float64{2, 1}, []float64{1, 3})

	// 0 = z + x − cos t, x' = z − x: x' = −2x + cos t. The unknown z comes first, and so does its equation.
	linearAt := func(t float64) (z, x float64) {
		s, c := math.Sincos(t)
		x = (2*c + s) / 5
		return c - x, x
	}
	linear := testsys.System("linear", []string{"z", "x"}, nil, testsys.Fixed(0.6, 0.4), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[0].Add(x[1]).Sub(t.Cos()), x[0].Sub(x[1])}
	})
	linear.Mass = massOf(0, []float64{0, 0}, []float64{0, 1})
	linear.Algebraic = []bool{true, false}

	// As in circuits, M = (1 −1; −1 1) has no empty row: with d = x − y, s = x + y, d' = −d + s − d², and 0 = s − cos t − d², so d' = −d + cos t.
	circuit := testsys.System("circuit", []string{"x", "y"}, nil, testsys.Fixed(1.5, 0.5), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		d, s := x[0].Sub(x[1]), x[0].Add(x[1])
		f := s.Sub(d).Sub(d.Mul(d))
		return []testsys.Expr{f, s.Sub(t.Cos()).Sub(d.Mul(d)).Sub(f)}
	})
	circuit.Mass = massOf(0, []float64{1, -1}, []float64{-1, 1})
	circuitAt := func(t float64) (x, y float64) {
		s, c := math.Sincos(t)
		d := 0.5*math.Exp(-t) + (c+s)/2
		sum := c + d*d
		return (sum + d) / 2, (sum - d) / 2
	}
	return []massed{{"full", full, swingAt}, {"linear", linear, linearAt}, {"circuit", circuit, circuitAt}}
}

// Orders hold with mass matrices, regular, of index 1 with empty rows, and singular without; algebraic unknowns included; forwards and backwards.
func TestMassOrders(t *testing.T) {
	for _, c := range massives() {
		for _, m := range implicits() {
			info := m.Info()
			if info.Family == method.RosenbrockW {
				continue
			}
			for _, back := range []bool{false, true} {
				from, to, steps := 0.0, 4.0, stepsFor(info.Order)
				switch {
				case info.Order >= 13:
					steps = []int{3, 4, 5}
				case info.Order >= 9:
					steps = []int{4, 5, 7}
				}
				if back {
					from, to = to, from
					if c.name != "full" { // its homogeneous part grows backwards
						from, to = 1, 0
					}
				}
				var hs, errs, dense []float64
				x, y := c.at(from)
				for _, n := range steps {
					s := run(t, &solve.Problem{Sys: c.sys, Method: m, X0: []float64{x, y}, T0: from, T1: to, Step: math.Abs(to-from) / float64(n)})
					if s.Status != solve.Done || s.Stats.Steps != n {
						t.Fatal(c.name, info.Name, s.Fault)
					}
					off := func(at float64, x []float64) float64 {
						xe, ye := c.at(at)
						return math.Hypot(x[0]-xe, x[1]-ye)
					}
					worst, inside, out := 0.0, 0.0, make([]float64, 2)
					for i, at := range s.T {
						worst = math.Max(worst, off(at, s.Row(i)))
					}
					for k := 1; k < n; k++ { // the first step's is of lower order
						for part := 0.1; part < 1; part += 0.1 { // at one place alone the error may vanish by chance
							at := from + (to-from)*(float64(k)+part)/float64(n)
							if err := s.At(at, out); err != nil {
								t.Fatal(err)
							}
							inside = math.Max(inside, off(at, out))
						}
					}
					hs, errs, dense = append(hs, 1/float64(n)), append(errs, worst), append(dense, inside)
				}
				p, q := slope(hs, errs), slope(hs, dense)
				t.Logf("%-8s %-22s from %v to %v: order %.2f, errors %.1e, dense %.2f", c.name, info.Name, from, to, p, errs, q)
				if errs[len(errs)-1] < 2e-13 { // rounding
					continue
				}
				if math.Abs(p-float64(info.Order)) > 0.5 && !(p > float64(info.Order)) {
					t.Errorf("%s, %s from %v: order %.2f, want %d, errors %.1e", c.name, info.Name, from, p, info.Order, errs)
				}
				want := min(info.Order, info.Dense+1)
				if info.Family == method.DiagonallyImplicit && c.name != "full" {
					want = min(want, 3) // the derivatives of algebraic unknowns at the stages, whose order is 2
				}
				if q < float64(want)-0.5 {
					t.Errorf("%s, %s from %v: order of the dense output %.2f, want %d, errors %.1e", c.name, info.Name, from, q, want, dense)
				}
			}
		}
	}
}

// Under control the error follows the tolerance, and algebraic equations hold at every step.
func TestMassControlled(t *testing.T) {
	for _, c := range massives() {
		for _, m := range append(implicits(), bdfOf(t, 0, "")) {
			info := m.Info()
			for _, tol := range []float64{1e-4, 1e-7} {
				s := run(t, &solve.Problem{Sys: c.sys, Method: m, T1: 10, Rtol: tol, Atol: tol})
				if s.Status != solve.Done {
					t.Fatal(c.name, info.Name, s.Fault)
				}
				worst := 0.0
				for i, at := range s.T {
					x, y := c.at(at)
					worst = math.Max(worst, math.Hypot(s.Row(i)[0]-x, s.Row(i)[1]-y))
				}
				t.Logf("%-8s %-22s %g: error %.1e, %d steps, %d iterations", c.name, info.Name, tol, worst, s.Stats.Steps, s.Stats.Newton)
				if bound := 100 * math.Pow(tol, math.Min(1, float64(info.Order)/3)); worst > bound {
					t.Errorf("%s, %s at %g: error %.2g", c.name, info.Name, tol, worst)
				}
			}
		}
	}
}

// What no step can do is said by the names of equations and states.
func TestSingularNamed(t *testing.T) {
	// Both equations come to say y³ + z = x, as tanh comes to 1 but for rounding.
	sys := testsys.System("lost", []string{"x", "y", "z"}, nil, testsys.Fixed(1, 1, 0), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		d := x[1].Mul(x[1]).Mul(x[1]).Sub(x[0])
		return []testsys.Expr{x[0].Neg(), d.Add(x[2]), d.Add(t.Times(100).Tanh().Mul(x[2]))}
	})
	sys.Mass = massOf(0, []float64{1, 0, 0}, []float64{0, 0, 0}, []float64{0, 0, 0})
	sys.Equations = []system.Equation{{Name: "x'"}, {Name: "0 = y^3 - x + z"}, {Name: "0 = y^3 - x + tanh(100*t)*z"}}
	for _, m := range append(implicits(), bdfOf(t, 0, "")) {
		s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 1})
		if s.Status != solve.StepTooSmall || s.Fault == nil || !strings.Contains(s.Fault.Error(), "singular") ||
			!strings.Contains(s.Fault.Error(), "0 = y^3 - x + tanh(100*t)*z") && !strings.Contains(s.Fault.Error(), "0 = y^3 - x + z") {
			t.Errorf("%s: %v, %v", m.Info().Name, s.Status, s.Fault)
		}
	}
	t.Log(run(t, &solve.Problem{Sys: sys, Method: implicits()[4], T1: 1}).Fault)
}

// Equations without a solution end with the unknown that none was found for.
func TestNewtonFailure(t *testing.T) {
	// 0 = z² + x − 1 has no real z once x passes 1. Multistep methods see it in their errors before.
	sys := testsys.System("fold", []string{"x", "z"}, nil, testsys.Fixed(0, 1), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{t.Const(1), x[1].Mul(x[1]).Add(x[0]).Sub(t.Const(1))}
	})
	sys.Mass = massOf(0, []float64{1, 0}, []float64{0, 0})
	sys.Algebraic = []bool{false, true}
	for _, m := range append(implicits(), bdfOf(t, 0, "")) {
		if m.Info().Family == method.RosenbrockW {
			continue
		}
		s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 2})
		if s.Status != solve.StepTooSmall || s.Stats.Failed == 0 && m.Info().Family != method.Multistep || math.Abs(s.TEnd-1) > 1e-2 || !strings.Contains(s.Fault.Error(), "z") {
			t.Errorf("%s: %v at %v, %d failed, %v", m.Info().Name, s.Status, s.TEnd, s.Stats.Failed, s.Fault)
		}
		t.Log(m.Info().Name, s.Fault)
		s = run(t, &solve.Problem{Sys: sys, Method: m, T1: 2, Step: 0.3})
		if s.Status != solve.StepTooSmall || !strings.Contains(s.Fault.Error(), "Newton's method does not solve") {
			t.Errorf("%s with a fixed step: %v, %v", m.Info().Name, s.Status, s.Fault)
		}
	}
}

// A value that is not finite is blamed on what made it so, as with explicit methods.
func TestImplicitEdge(t *testing.T) {
	sys := one(1, func(_, x testsys.Expr) testsys.Expr { return x.Log().Times(0).Sub(x.Const(0.5).Div(x)) })
	for _, m := range append(implicits(), bdfOf(t, 0, "")) {
		s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 2})
		if s.Status == solve.Done || math.Abs(s.TEnd-1) > 1e-3 {
			t.Errorf("%s: %v at %v", m.Info().Name, s.Status, s.TEnd)
		}
		pole := run(t, &solve.Problem{Sys: pole(), Method: m, T1: 2})
		if pole.Status == solve.Done || math.Abs(pole.TEnd-1) > 1e-4 {
			t.Errorf("%s: the pole at 1 is met at %v, %v", m.Info().Name, pole.TEnd, pole.Status)
		}
		if s := run(t, &solve.Problem{Sys: one(0, func(_, x testsys.Expr) testsys.Expr { return x.Const(1).Sub(x.Sqrt()) }), Method: m, T1: 2}); s.Status != solve.NonFinite && m.Info().Family != method.Multistep { // which takes it where the step leads
			t.Errorf("%s: from where the Jacobian is not finite it comes to %v, %v", m.Info().Name, s.Status, s.Fault)
		}
		bad := run(t, &solve.Problem{Sys: one(-1, func(_, x testsys.Expr) testsys.Expr { return x.Log() }), Method: m, T1: 2})
		if bad.Status != solve.NonFinite {
			t.Errorf("%s: log(−1) gives %v", m.Info().Name, bad.Status)
		}
	}
}

// Backwards in time, under control.
func TestImplicitBackwards(t *testing.T) {
	for _, m := range append(implicits(), bdfOf(t, 0, "")) {
		x, y := swingAt(10)
		s := run(t, &solve.Problem{Sys: swing(), Method: m, X0: []float64{x, y}, T0: 10, T1: -2, Rtol: 1e-6, Atol: 1e-6, Times: []float64{9.5, 3.3, 0, -1.7, -2}})
		if s.Status != solve.Done {
			t.Fatal(m.Info().Name, s.Fault)
		}
		worst := 0.0
		for i, at := range s.T {
			x, y := swingAt(at)
			worst = math.Max(worst, math.Hypot(s.Row(i)[0]-x, s.Row(i)[1]-y))
		}
		bound := 1e-4
		if m.Info().Order < 3 {
			bound = 2e-3
		}
		t.Logf("%-22s %.1e in %d steps", m.Info().Name, worst, s.Stats.Steps)
		if !(worst < bound) {
			t.Errorf("%s: off by %.2g", m.Info().Name, worst)
		}
	}
}

// Steps allocate nothing, with dense, banded and sparse matrices.
func TestImplicitAllocations(t *testing.T) {
	heat := func(n int) *system.System {
		var names []string
		var at []float64
		for i := range n {
			names, at = append(names, "u"+string(rune('a'+i%26))+string(rune('a'+i/26))), append(at, math.Sin(float64(i)))
		}
		sys := testsys.System("heat", names, nil, testsys.Fixed(at...), func(t testsys.Expr, x, _ []testsys.Expr) (z []testsys.Expr) {
			for i := range x {
				v := x[i].Mul(x[i]).Neg().Add(t.Sin()).Sub(x[i].Times(200))
				if i > 0 {
					v = v.Add(x[i-1].Times(100))
				}
				if i < n-1 {
					v = v.Add(x[i+1].Times(100))
				}
				z = append(z, v)
			}
			return z
		})
		var rows, cols []int
		for i := range n {
			for j := max(0, i-1); j <= min(n-1, i+1); j++ {
				rows, cols = append(rows, i), append(cols, j)
			}
		}
		sys.Pattern, _ = sparse.NewPattern(n, rows, cols)
		return sys
	}
	for _, sys := range []*system.System{swing(), heat(4), heat(60), massives()[2].sys} {
		var ends []float64
		for _, m := range append(implicits(), bdfOf(t, 0, "")) {
			st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: sys, Method: m, T1: 1e6, Hmax: 0.05, Rtol: 1e-8, MaxSteps: 1 << 30})
			if err != nil {
				t.Fatal(err)
			}
			out := make([]float64, sys.NX)
			for range 10 {
				st.Step()
			}
			if n := testing.AllocsPerRun(50, func() {
				st.Step()
				st.Interpolate((st.T()+st.T()-0.001)/2, out)
			}); n != 0 {
				t.Errorf("%s, %s: %v allocations per step", sys.Name, m.Info().Name, n)
			}
			if st.Status() != solve.Running {
				t.Errorf("%s, %s: %v", sys.Name, m.Info().Name, st.Status())
			}
			s := run(t, &solve.Problem{Sys: sys, Method: m, T1: 0.5, Rtol: 1e-9, Atol: 1e-9})
			if len(ends) == 0 {
				ends = append(ends, s.XEnd...)
			}
			for i, v := range s.XEnd {
				if math.Abs(v-ends[i]) > 1e-5 {
					t.Errorf("%s, %s: state %d ends at %v, others at %v", sys.Name, m.Info().Name, i, v, ends[i])
				}
			}
		}
	}
}
