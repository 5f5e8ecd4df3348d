package udl_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
)

const (
	swing = `model Swing {
  param c = 0.5
  const g = 9.81
  state x = 0.6, y = -0.8, u = 0, v = 0, lam = 0
  x' = u
  y' = v
  u' = -lam*x - c*u
  v' = -lam*y - c*v - g
  0 = x^2 + y^2 - 1
}`
	// An index of two: the feed q is what keeps the constraint.
	tied = `model Tied {
  state c = 1, T = 2, q = 0
  c' = 1 - c*exp(-1/T)
  T' = c*exp(-1/T) - q
  0 = T^2 - c^2 - 3
}`
	held = `model Held {
  state c = 1, T = 2, q = 0
  c' = 1 - c*exp(-1/T)
  T' = c*exp(-1/T) - q
  0 = T - 2 - 0.1*sin(t)
}`
)

// TestSteadyOfConstraints: what is at rest satisfies the constraint, not only its derivatives.
func TestSteadyOfConstraints(t *testing.T) {
	for _, c := range []struct {
		src  string
		at   float64
		by   string
		want map[string]float64 // nil: that of the tied model
	}{
		{swing, 0, "auto", map[string]float64{"x": 0, "y": -1, "u": 0, "v": 0, "lam": 9.81}},
		{swing, 0, "newton", map[string]float64{"x": 0, "y": -1, "u": 0, "v": 0, "lam": 9.81}},
		{swing, 0, "integration", map[string]float64{"x": 0, "y": -1, "u": 0, "v": 0, "lam": 9.81}},
		{tied, 0, "auto", nil},
		{tied, 0, "newton", nil},
		{tied, 0, "continuation", nil},
		{tied, 0, "integration", nil},
		{held, 0, "auto", map[string]float64{"T": 2, "c": math.Exp(0.5), "q": 1}},
		{held, 1, "auto", map[string]float64{"T": 2 + 0.1*math.Sin(1), "c": math.Exp(1 / (2 + 0.1*math.Sin(1))), "q": 1}},
		{held, 1, "continuation", map[string]float64{"T": 2 + 0.1*math.Sin(1), "c": math.Exp(1 / (2 + 0.1*math.Sin(1))), "q": 1}},
	} {
		r, err := parse(t, c.src).Steady(context.Background(), udl.SteadyOptions{By: c.by, T: c.at})
		if err != nil {
			t.Errorf("%.12s, t = %v, %s: %v", c.src, c.at, c.by, err)
			continue
		}
		t.Logf("%.12s, t = %v, %s: %s; %s; residual %.3g", c.src, c.at, c.by, r.How(), r.Stability(), r.Residual())
		want := c.want
		if want == nil { // c = exp(1/T) and T² = c² + 3, by bisection
			lo, hi := 1.5, 3.0
			for range 100 {
				if m := (lo + hi) / 2; m*m-math.Exp(2/m)-3 > 0 {
					hi = m
				} else {
					lo = m
				}
			}
			want = map[string]float64{"T": lo, "c": math.Exp(1 / lo), "q": 1}
		}
		for name, w := range want {
			v, err := r.Value(name)
			if err != nil || math.Abs(v[0]-w) > 1e-8 {
				t.Errorf("%.12s, t = %v, %s: %s = %v, want %v (%v; %s)", c.src, c.at, c.by, name, v, w, err, r.How())
			}
		}
		if !strings.HasPrefix(r.Stability(), "not looked at") {
			t.Errorf("%.12s: %s", c.src, r.Stability())
		}
	}
}

// TestSteadyOfAConstrainedClosedSystem: a + b keeps the value of the start while a constraint of index two holds the temperature.
func TestSteadyOfAConstrainedClosedSystem(t *testing.T) {
	m := parse(t, `model M {
  state a = 3, b = 0, T = 1, q = 0
  a' = T*b - 2*a
  b' = 2*a - T*b
  T' = a - q
  0 = T^2 - 1
}`)
	for _, by := range []string{"auto", "continuation", "integration"} {
		r, err := m.Steady(context.Background(), udl.SteadyOptions{By: by})
		if err != nil {
			t.Errorf("%s: %v", by, err)
			continue
		}
		for name, w := range map[string]float64{"a": 1, "b": 2, "T": 1, "q": 1} {
			if v, _ := r.Value(name); math.Abs(v[0]-w) > 1e-8 {
				t.Errorf("%s: %s = %v, want %v (%s)", by, name, v, w, r.How())
			}
		}
	}
}

// TestNoSteadyStateOnAConstraint: the error names the constraint.
func TestNoSteadyStateOnAConstraint(t *testing.T) {
	// At rest only where x = y, and so y² = −1.
	err := runScript(t, `model M { state x = 1, y = -1, z = 0
  x' = z
  y' = x - y
  0 = x*y + 1 }
steady(M)`)
	l := diag.From(err)
	if len(l) == 0 || string(l[0].Code) != "E0509" || !strings.Contains(l[0].Message, "x*y + 1") || strings.Contains(l[0].Message, "derivative of 0") {
		t.Errorf("%v", err)
	}
}

// TestSteadyAtRest: where f is zero at the start that is the answer, singular or without a derivative.
func TestSteadyAtRest(t *testing.T) {
	for _, src := range []string{
		"model M { state q = 2; q' = 0 }",
		"model M { param k = 0; state q = 2; q' = k*q }",
		"model M { state q = 2, x = 0; q' = 0; x' = 0*q }",
	} {
		for _, by := range []string{"", "newton", "continuation", "integration"} {
			r, err := parse(t, src).Steady(context.Background(), udl.SteadyOptions{By: by})
			if err != nil {
				t.Errorf("%s, %s: %v", src, by, err)
				continue
			}
			if q, _ := r.Value("q"); q[0] != 2 || r.Residual() != 0 || !strings.HasPrefix(r.Stability(), "undecided") {
				t.Errorf("%s, %s: %v, %s, %s", src, by, q, r.How(), r.Stability())
			}
		}
	}
}

// TestSteadyOfADegenerateRoot: one state is at rest to first order only, which is no conserved quantity.
func TestSteadyOfADegenerateRoot(t *testing.T) {
	r, err := parse(t, "model M { state x = 0, y = 0; x' = -x; y' = y^3 }").Steady(context.Background(), udl.SteadyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Stability(), "undecided") {
		t.Errorf("%s", r.Stability())
	}
}

// TestContinuationFromAGuess of an algebraic unknown that is off its equation.
func TestContinuationFromAGuess(t *testing.T) {
	for _, z := range []float64{0.5, 1.5, -40} {
		r, err := parse(t, "model M { state x = 1, z = 1.5; x' = -x + z; 0 = z - 0.5*x - 1 }").Steady(context.Background(), udl.SteadyOptions{By: "continuation", Set: map[string]any{"z": z}})
		if err != nil {
			t.Errorf("z = %v: %v", z, err)
			continue
		}
		if x, _ := r.Value("x"); math.Abs(x[0]-2) > 1e-9 {
			t.Errorf("z = %v: x = %v (%s)", z, x, r.How())
		}
	}
}
