package udl_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
)

// Gradients in Go tell how they came about, by output times too, and products with the Hessian are differences of gradients.
func TestDifferentiate(t *testing.T) {
	ctx := context.Background()
	m := parse(t, "model M { param a = 0.8, b = 0.5; state x = 1, y = 0.4; x' = a*y - 0.2*x; y' = -b*x*y }")
	o := udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 2, By: 0.5, Rtol: 1e-10, Atol: 1e-12}, Loss: "s -> sum(s.x^2*s.y) + s.t[3]*s.x[3]"}
	var first *udl.Gradient
	for _, adjoint := range []string{"", "discrete", "forward", "interpolating", "quadrature", "backsolve"} {
		o.Adjoint = adjoint
		g, err := m.Differentiate(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		if adjoint == "" {
			first = g
			if g.Adjoint != "discrete" || g.Why == "" {
				t.Errorf("%q, %q", g.Adjoint, g.Why)
			}
			continue
		}
		if g.Adjoint != adjoint || (g.Backward > 0) != (adjoint != "discrete" && adjoint != "forward") {
			t.Errorf("%q: %q, %d steps backwards", adjoint, g.Adjoint, g.Backward)
		}
		for k, v := range first.By {
			for i := range v {
				if d := math.Abs(g.By[k][i] - v[i]); !(d < 1e-8) {
					t.Errorf("%s by %s: %v, want %v", adjoint, k, g.By[k], v)
				}
			}
		}
		for i, v := range first.Times {
			if d := math.Abs(g.Times[i] - v); !(d < 1e-8) {
				t.Errorf("%s by output times: %v, want %v", adjoint, g.Times, first.Times)
			}
		}
	}
	// By the third output time, also through the time that the loss reads.
	v := [2]float64{}
	for k, at := range []float64{1 - 1e-4, 1 + 1e-4} {
		p := o
		p.Adjoint, p.By, p.At = "", 0, []float64{0, 0.5, at, 1.5, 2}
		g, err := m.Differentiate(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		v[k] = g.Loss
	}
	if want := (v[1] - v[0]) / 2e-4; math.Abs(first.Times[2]-want) > 1e-6 {
		t.Errorf("by the third output time %v, differences %v", first.Times[2], want)
	}
	h, err := m.Hessian(ctx, o, map[string]any{"a": 1, "y": -0.5})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for _, sign := range []float64{1, -1} {
		p := o
		p.Adjoint, p.Set = "", map[string]any{"a": 0.8 + sign*1e-4, "y": 0.4 - sign*0.5e-4}
		_, g, err := m.Gradient(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		for k, d := range g {
			want[k] += sign * d[0] / 2e-4
		}
	}
	for k, w := range want {
		if len(h.By[k]) != 1 || math.Abs(h.By[k][0]-w) > 1e-6 {
			t.Errorf("second derivative by %s: %v, differences %v", k, h.By[k], w)
		}
	}
	if _, err := m.Hessian(ctx, o, map[string]any{"c": 1}); err == nil || !strings.Contains(err.Error(), "nothing to differentiate by") {
		t.Error(err)
	}
}

// A fit takes any gradient method, and its report says which.
func TestFitByContinuousAdjoint(t *testing.T) {
	m := parse(t, "model M { param k = 0.5; state x = 1; x' = -k*x }")
	for _, adjoint := range []string{"", "quadrature", "interpolating"} {
		f, err := m.Fit(context.Background(), udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 2, By: 0.5, Rtol: 1e-8}, Loss: "s -> (s.x[end] - 0.3)^2", Adjoint: adjoint, Train: "bfgs(iters = 30)"})
		if err != nil {
			t.Fatal(err)
		}
		if k, _ := f.Value("k"); math.Abs(k[0]+math.Log(0.3)/2) > 1e-4 {
			t.Errorf("%q: k = %v", adjoint, k)
		}
	}
}
