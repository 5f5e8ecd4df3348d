package udl_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
)

// The transistor amplifier of E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section VI.6, with its solution at 0.2 from F. Mazzia,
// C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008).
const amplifier = `model Amplifier {
  const Ub = 6, UF = 0.026, al = 0.99, be = 1e-6, R0 = 1000, R = 9000
  const C1 = 1e-6, C2 = 2e-6, C3 = 3e-6, C4 = 4e-6, C5 = 5e-6
  fn f(x) = be*(exp(x/UF) - 1)
  state y1 = 0, y2 = 3, y3 = 3, y4 = 6, y5 = 3, y6 = 3, y7 = 6, y8 = 0
  let Ue = 0.1*sin(200*pi*t)
  C1*(y1' - y2') = (Ue - y1)/R0
  C1*(y2' - y1') = Ub/R - y2*2/R + (al-1)*f(y2-y3)
  C2*y3' = f(y2-y3) - y3/R
  C3*(y4' - y5') = Ub/R - y4/R - al*f(y2-y3)
  C3*(y5' - y4') = Ub/R - 2*y5/R + (al-1)*f(y5-y6)
  C4*y6' = f(y5-y6) - y6/R
  C5*(y7' - y8') = Ub/R - y7/R - al*f(y5-y6)
  C5*(y8' - y7') = -y8/R
}`

// A capacitor between a source and a diode.
const floating = `model Floating {
  state a = 0, b = 0
  1e-6*(a' - b') = (sin(628*t) - a)/1000
  1e-6*(b' - a') = -b/1000 - 1e-9*(exp(b/0.026) - 1)
}`

// TestFloatingCapacitors: nonlinear circuits whose nodes are joined by capacitors alone, at every tolerance, by multistep formulas, whose orders rise and fall there, and by one-step methods.
func TestFloatingCapacitors(t *testing.T) {
	amp, cap := parse(t, amplifier), parse(t, floating)
	for _, solver := range []string{"BDF", "Rodas5P", "RadauIIA5", "KenCarp4", ""} {
		for _, rtol := range []float64{1e-4, 1e-5, 1e-6, 1e-7, 1e-8} {
			if solver == "KenCarp4" && rtol < 1e-6 {
				continue
			}
			for _, c := range []struct {
				m    *udl.Model
				end  float64
				want map[string]float64
			}{
				{amp, 0.2, map[string]float64{"y1": -0.5562145012262709e-2, "y5": 0.2704617865010554e1, "y8": 0.1236995868091548e1}},
				{cap, 0.05, map[string]float64{"b": 0.23372963}},
			} {
				name := fmt.Sprintf("%s, %q at %g", c.m.Name(), solver, rtol)
				s, err := c.m.Solve(context.Background(), udl.SolveOptions{T1: c.end, At: []float64{c.end}, Solver: solver, Rtol: rtol, Atol: rtol / 100})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				for x, w := range c.want {
					if v, _ := s.Series(x); math.Abs(v[0]-w) > 100*rtol*math.Abs(w)+1e-8 {
						t.Errorf("%s: %s = %.10g, want %.10g", name, x, v[0], w)
					}
				}
			}
		}
	}
}

// TestShifted: of two rows that say the same of x' + y', the difference is an equation that x = 1, y = 2 do not satisfy.
func TestShifted(t *testing.T) {
	m := parse(t, "model M { state x = 1, y = 2; x' + y' = -x; x' + y' = -y }")
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 1, By: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Shifted()); got != "[x = 1.5 in place of 1 y = 1.5 in place of 2]" {
		t.Error(got)
	}
	s, err = m.Solve(context.Background(), udl.SolveOptions{T1: 1, By: 1, Set: map[string]any{"x": 1.5, "y": 1.5}})
	if err != nil || len(s.Shifted()) > 0 {
		t.Error(s.Shifted(), err)
	}
}

// TestFold: where algebraic equations cease to determine an unknown, or never did, every solver for them says so, and names the equation.
func TestFold(t *testing.T) {
	fold := parse(t, "model Fold { state x = 1, z = 1; x' = -1; 0 = z^2 - x }")
	free := parse(t, "model Free { state a = 1, b = 1, c = 0; a' = -c; b' = c; 0 = a + b - 2 }")
	for _, solver := range []string{"", "Rosenbrock23", "Rodas4", "Rodas5P", "KenCarp4", "TRBDF2", "RadauIIA5", "BDF"} {
		for m, want := range map[*udl.Model]string{fold: "0 = z^2 - x ceases to determine z", free: "0 = a + b - 2 does not determine c"} {
			_, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, By: 1, Solver: solver})
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "step size") {
				t.Errorf("%s, %q: %v", m.Name(), solver, err)
				continue
			}
			var d *diag.Diagnostic
			if !errors.As(err, &d) || d.Help == "" {
				t.Errorf("%s, %q: no help: %v", m.Name(), solver, err)
			}
		}
	}
}
