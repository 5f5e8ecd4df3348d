package compiler_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// startLoss weighs every state at every time, the start among them, by a number of its own.
type startLoss struct{ times []float64 }

func (l startLoss) Times() []float64 { return l.times }

func (l startLoss) Eval(x, _, gx, _ []float64) (float64, error) {
	sum := 0.0
	for i, v := range x {
		c := 1 + math.Mod(float64(i)*0.37, 1)
		sum += c * v * v
		if gx != nil {
			gx[i] = 2 * c * v
		}
	}
	return sum, nil
}

// tied are models whose first guesses are not what the equations demand.
var tied = []struct{ name, text string }{
	{"index 1", "model M { param a = 2, k = 0.7; state y = 1, z = 1.5*a; y' = -k*z; 0 = z + z^3 - a*y }"},
	{"a differential guess", "model M { param b = 0.7, c = 0.5; state q = 1, x = 2*c, v = 0.1, w = 0; q' = -q*w + v^2; x' = -x + w; 0 = x - 2*v; 0 = v - b*sin(t) - c }"},
	{"a guess that is determined, along a curve", "model M { param b = 0.7, c = 0.5; state q = 1, x = c + c^3, v = 0.1, w = 0; q' = -q*w + v^2; x' = -x + w; 0 = x - v - v^3; 0 = v - b*sin(t) - c }"},
	{"a pendulum", "model M { param L = 1.3, g = 9.81, s = 0.4; state x = L*sin(s), y = -L*cos(s), u = 0.5*cos(s), v = 0.5*sin(s), lam = 1; x' = u; y' = v; u' = -lam*x; v' = -lam*y - g; 0 = x^2 + y^2 - L^2 }"},
	{"a combination of rows", "model M { param C = 0.3, R = 2; state a = 1, b = 3; C*(b' - a') = a/R; C*(a' - b') = b/R - 2/R*(1 + sin(t)) }"},
	{"rows that turn", "model M { param a = 2, b = 0.7, c = 0.5; state q = 1, x = a*c, v = 0.1, w = 0; q' = -q*w + v^2; x' = -x + w; 0 = x - a*v; 0 = v - b*sin(t) - c }"},
}

// The initial values that the solver makes of the given ones are differentiated by every method: the discrete adjoint, forward sensitivities, and differences, in which the
// solver makes them again.
func TestGradientThroughConsistentValues(t *testing.T) {
	for _, c := range tied {
		s := compile(t, c.text).System
		for _, m := range method.Solvers() {
			if !m.Info().Mass {
				continue
			}
			p := &solve.Problem{Sys: s, Method: m, T1: 2, Rtol: 1e-8, Atol: 1e-8}
			loss := startLoss{[]float64{0, 0.3, 0.31, 1, 2}}
			gs := map[string][]float64{}
			for _, gm := range sens.Methods() {
				if gm.Continuous && m.Info().Order <= 3 {
					continue // many steps; the gallery's gradients have them
				}
				g := make([]float64, s.NTheta)
				_, sol, err := gm.Gradient(context.Background(), p, loss, g)
				var no *sens.RefusedError
				if errors.As(err, &no) {
					continue
				}
				if err != nil || sol.Status != solve.Done {
					t.Errorf("%s, %s, %s: %v, %v", c.name, m.Info().Name, gm.Name, err, sol.Status)
					continue
				}
				gs[gm.Name] = g
			}
			for _, other := range []string{"forward", "interpolating", "quadrature", "differences"} {
				if gs["discrete"] == nil || gs[other] == nil {
					continue
				}
				off := farthest(gs["discrete"], gs[other])
				t.Logf("%-30s %-22s %-12s %.1e", c.name, m.Info().Name, other, off)
				tol := 2e-5 // forward sensitivities are integrated by themselves
				if other == "differences" {
					tol = 1e-8
				}
				if !(off < tol) {
					t.Errorf("%s, %s: discrete %v, %s %v", c.name, m.Info().Name, gs["discrete"], other, gs[other])
				}
			}
			if gs["differences"] == nil || gs["discrete"] == nil {
				t.Errorf("%s, %s: only %v", c.name, m.Info().Name, gs)
			}
		}
	}
}

// The discrete adjoint is the derivative of the projection too, at tolerances at which it moves the state far.
func TestGradientThroughProjection(t *testing.T) {
	for _, c := range tied {
		s := compile(t, c.text).System
		if s.Invariants == nil {
			continue
		}
		for _, m := range method.Solvers() {
			if !m.Info().Mass {
				continue
			}
			p := &solve.Problem{Sys: s, Method: m, T1: 2, Rtol: 1e-4, Atol: 1e-4}
			first, err := solve.Solve(context.Background(), p)
			if err != nil || first.Status != solve.Done {
				t.Fatal(err, first)
			}
			// Over prescribed steps the equations are solved to rounding.
			p.Mesh, p.MeshOrders, p.MeshEngine = first.Mesh(), first.MeshOrders(), first.MeshEngine()
			loss := startLoss{[]float64{0.333, 0.5, 0.71, 1, 2}}
			g, d := make([]float64, s.NTheta), make([]float64, s.NTheta)
			if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
				t.Fatal(err)
			}
			if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil {
				t.Fatal(err)
			}
			t.Logf("%-30s %-15s %.1e", c.name, m.Info().Name, farthest(g, d))
			if !(farthest(g, d) < 1e-6) {
				t.Errorf("%s, %s: %v, differences %v", c.name, m.Info().Name, g, d)
			}
			// Forward sensitivities of the same steps, at the end of one: between, they are interpolated as a system of their own.
			loss.times = loss.times[4:]
			f := make([]float64, s.NTheta)
			clear(g)
			if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
				t.Fatal(err)
			}
			_, _, err = sens.ForwardMethod{StatesOnly: true}.Gradient(context.Background(), p, loss, f)
			if no := (*sens.RefusedError)(nil); errors.As(err, &no) {
				continue
			}
			t.Logf("%-30s %-15s forward %.1e", c.name, m.Info().Name, farthest(f, g))
			if err != nil || !(farthest(f, g) < 1e-6) {
				t.Errorf("%s, %s: %v, forward %v, %v", c.name, m.Info().Name, g, f, err)
			}
		}
	}
}

// farthest is the largest difference over the largest component.
func farthest(a, b []float64) float64 {
	d, size := 0.0, 0.0
	for i := range a {
		d = math.Max(d, math.Abs(a[i]-b[i]))
		size = math.Max(size, math.Abs(b[i]))
		if d != d || a[i] != a[i] {
			return math.Inf(1)
		}
	}
	return d / size
}

// Derivatives at the start itself, in closed form.
func TestGradientAtTheStart(t *testing.T) {
	for _, c := range []struct {
		text, state string
		want        map[string]float64
	}{
		{"model M { param a = 2, k = 0.7; state y = 1, z = 1.5*a; y' = -k*z; 0 = z - a*y }", "z", map[string]float64{"a": 1, "k": 0}},
		// λ = (u² + v² − g·y)/L², and y = u = 0
		{"model M { param L = 1.3, g = 9.81; state x = L, y = 0, u = 0, v = 0.5, lam = 1; x' = u; y' = v; u' = -lam*x; v' = -lam*y - g; 0 = x^2 + y^2 - L^2 }", "lam",
			map[string]float64{"L": -2 * 0.25 / (1.3 * 1.3 * 1.3), "g": 0}},
	} {
		s := compile(t, c.text).System
		at := 0
		for _, sl := range s.States {
			if sl.Name == c.state {
				at = sl.Off
			}
		}
		for _, gm := range sens.Methods() {
			g := make([]float64, s.NTheta)
			p := &solve.Problem{Sys: s, Method: method.Auto{}, T1: 1}
			_, _, err := gm.Gradient(context.Background(), p, oneAt{at, s.NX}, g)
			if no := (*sens.RefusedError)(nil); errors.As(err, &no) && gm.Name == "backsolve" {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.want {
				if v := g[s.Find(name, system.RoleParam).Off]; math.Abs(v-want) > 1e-7 {
					t.Errorf("%s: ∂%s/∂%s = %v, want %v", gm.Name, c.state, name, v, want)
				}
			}
		}
	}
}

// oneAt is one state at the start.
type oneAt struct{ i, nx int }

func (l oneAt) Times() []float64 { return []float64{0} }

func (l oneAt) Eval(x, _, gx, _ []float64) (float64, error) {
	if gx != nil {
		clear(gx)
		gx[l.i] = 1
	}
	return x[l.i], nil
}

// Where a guess moves along a curve without being determined, what it comes to depends on the way, and is not differentiated.
func TestGuessWithoutDerivative(t *testing.T) {
	s := compile(t, strings.Replace(pendulum, "const", "param", 1)).System
	for i := range s.Guesses {
		s.Guesses[i] = true
	}
	th := s.Defaults()
	th[s.Find("L", system.RoleParam).Off] = 1.2
	for _, gm := range sens.Methods()[:2] {
		g := make([]float64, s.NTheta)
		_, _, err := gm.Gradient(context.Background(), &solve.Problem{Sys: s, Method: method.Auto{}, Theta: th, T1: 1}, startLoss{[]float64{1}}, g)
		var no *sens.RefusedError
		if !errors.As(err, &no) || !strings.Contains(err.Error(), "x^2 + y^2") {
			t.Errorf("%s: %v, %v", gm.Name, g, err)
		}
	}
}
