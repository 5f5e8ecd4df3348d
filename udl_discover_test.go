package udl_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
)

const decayText = `model Decay {
  param k = 0.5
  state x = 2, y = 1
  unknown U(x, y) -> (u, v) = poly(2)
  let (u, v) = U(x, y)
  x' = -k*x + u
  y' = v
}`

// ExampleModel_Discover finds the term that a polynomial stands for, and puts it back.
func ExampleModel_Discover() {
	ctx := context.Background()
	m, err := udl.Parse("decay.udl", decayText)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := &udl.Data{Columns: map[string][]float64{}}
	for i := range 41 { // x' = −x/2 − xy, y' = xy/2
		d.Time = append(d.Time, 0.1*float64(i))
	}
	truth, _ := m.PutBack(ctx, map[string]any{"U": "(x, y) -> {param a = -1; (a*x*y, x*y/2)}"})
	s, _ := truth.Solve(ctx, udl.SolveOptions{At: d.Time, Rtol: 1e-9})
	d.Columns["x"], _ = s.Series("x")
	d.Columns["y"], _ = s.Series("y")
	best, err := m.Fit(ctx, udl.FitOptions{Data: d, Free: []string{"U"}, Train: "lbfgs(iters = 200)"})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := best.Discover(ctx, "U", udl.DiscoverOptions{Basis: "poly(3) + sin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found)
	final, _ := best.PutBack(ctx, map[string]any{"U": found})
	end, _ := final.Solve(ctx, udl.SolveOptions{T1: 20})
	x, _ := end.At(20, "x")
	fmt.Printf("%.4f\n", x[0])
	// Output:
	// u = -x*y
	// v = 0.5*x*y
	// 0.0000
}

// A formula in the unknown's place gives the solution of the model that has it written out, with values kept.
func TestPutBackIsTheModel(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("decay.udl", decayText)
	if err != nil {
		t.Fatal(err)
	}
	put, err := m.PutBack(ctx, map[string]any{"U": "(p, q) -> {param a = 2; let z = p*q; (sin(a*p), z - a)}"})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := udl.Parse("plain.udl", "model Decay { param k = 0.5, a = 2; state x = 2, y = 1; x' = -k*x + sin(a*x); y' = x*y - a }")
	if err != nil {
		t.Fatal(err)
	}
	o := udl.SolveOptions{T1: 1, Set: map[string]any{"k": 0.7}}
	a, err := put.Solve(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := plain.Solve(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"x", "y"} {
		u, _ := a.At(1, n)
		v, _ := b.At(1, n)
		if math.Abs(u[0]-v[0]) > 1e-12 {
			t.Errorf("%s is %v, written out %v", n, u, v)
		}
	}
	for _, bad := range []map[string]any{{"V": "x -> x"}, {"U": "x -> x"}, {"U": "(x, y) -> x"}, {"U": 3}, {}, {"U": "(x, y) -> (w, x)"}} {
		if _, err := m.PutBack(ctx, bad); err == nil {
			t.Errorf("%v is put back", bad)
		}
	}
}

// Equations of data: planted linear systems come out, among corrupt samples too.
func TestDiscoverData(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("osc.udl", "model Osc { state x = 1, y = 0; x' = -0.3*x + 2*y; y' = -2*x - 0.3*y }")
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Solve(ctx, udl.SolveOptions{T1: 10, By: 0.02, Rtol: 1e-10, Atol: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"differences", "savgol", "spline", "weak"} {
		for _, noise := range []float64{0, 0.01} {
			if noise > 0 && how == "differences" {
				continue // which is for clean data
			}
			rng := rand.New(rand.NewPCG(1, 2))
			d := &udl.Data{Columns: map[string][]float64{}}
			d.Time = append([]float64(nil), s.Times()...)
			for _, n := range []string{"x", "y"} {
				v, _ := s.Series(n)
				for i := range v {
					v[i] += noise * rng.NormFloat64()
				}
				d.Columns[n] = v
			}
			found, err := m.DiscoverData(ctx, d, udl.DiscoverOptions{Basis: "poly(3)", Derivatives: how, Ensemble: 10, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			x, y := found.Terms("x'"), found.Terms("y'")
			tol := 0.01 + 10*noise
			if len(x) != 2 || len(y) != 2 || math.Abs(x["x"]+0.3) > tol || math.Abs(x["y"]-2) > tol || math.Abs(y["x"]+2) > tol || math.Abs(y["y"]+0.3) > tol {
				t.Errorf("%s, noise %g: %v", how, noise, found)
			}
			if p := found.Inclusion("x'"); p["y"] < 0.9 || p["x^3"] > 0.5 {
				t.Errorf("%s, noise %g: inclusion %v", how, noise, p)
			}
			again, err := found.System().Solve(ctx, udl.SolveOptions{T1: 1})
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := again.At(1, "x"); math.Abs(v[0]-math.Exp(-0.3)*math.Cos(2)) > tol {
				t.Errorf("%s, noise %g: x(1) = %v", how, noise, v)
			}
		}
	}
}

// Terms that cannot have the unit of their place are left out, and the message says so.
func TestDiscoverUnits(t *testing.T) {
	ctx := context.Background()
	m, err := udl.Parse("units.udl", `model Units {
  time : s
  state x : m = 1
  unknown f(x) = poly(2)
  x' = f(x)
}`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := m.Discover(ctx, "f", udl.DiscoverOptions{Basis: "[x, x^2, exp(x), x + exp(x)]", T1: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := found.String(); !strings.Contains(s, "`exp(x)` is left out for its units") || strings.Contains(s, "`x^2` is left out") {
		t.Error(s)
	}
}
