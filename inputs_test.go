package udl_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

const driven = `model Driven {
  param k = 1
  param gain = 2
  input I = gain
  input W[2] = [0, t]
  state x = I
  let seen = gain*I + W[2]
  x' = gain*I - k*x + W[1]
}`

// exact solves x' = 2 p(s) − x over a piece of length h on which the input is c0 + c1 s + c2 s² + c3 s³, s from its start.
func exact(x float64, c [4]float64, h float64) float64 {
	// A particular solution is q0 + q1 s + q2 s² + q3 s³ with q_i + (i+1) q_{i+1} = 2 c_i.
	var q [5]float64
	for i := 3; i >= 0; i-- {
		q[i] = 2*c[i] - float64(i+1)*q[i+1]
	}
	return q[0] + h*(q[1]+h*(q[2]+h*q[3])) + (x-q[0])*math.Exp(-h)
}

// TestInputs: a linear equation under each interpolation has a solution in closed form, to which every back end comes.
func TestInputs(t *testing.T) {
	// The cubic runs through a cubic polynomial, 1 − s + s²/2 + s³/4, which a spline with not-a-knot ends is.
	ts := []float64{0, 0.5, 1.25, 2, 3}
	poly := func(s float64) float64 { return 1 - s + s*s/2 + s*s*s/4 }
	var v []float64
	for _, s := range ts {
		v = append(v, poly(s))
	}
	for _, opts := range [][]udl.Option{nil, {udl.WithoutNative()}} {
		m := parse(t, driven, opts...)
		for _, method := range []udl.Interpolation{udl.Hold, udl.Linear, udl.Cubic} {
			x := v[0]
			for i := range len(ts) - 1 {
				h := ts[i+1] - ts[i]
				c := [4]float64{v[i]}
				switch method {
				case udl.Linear:
					c[1] = (v[i+1] - v[i]) / h
				case udl.Cubic:
					s := ts[i]
					c = [4]float64{v[i], -1 + s + 0.75*s*s, 0.5 + 0.75*s, 0.25}
				}
				x = exact(x, c, h)
			}
			o := udl.SolveOptions{T1: 3, At: []float64{0, 1.25, 3}, Rtol: 1e-9, Atol: 1e-11, Inputs: map[string]udl.Input{"I": {Times: ts, Values: v, Method: method}}}
			s, err := m.Solve(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Series("x"); math.Abs(got[2]-x) > 1e-7 {
				t.Errorf("%s on %s: x(3) = %v, want %v", method, s.Backend(), got[2], x)
			}
			if got, _ := s.Series("I"); got[1] != v[2] {
				t.Errorf("%s: I(1.25) = %v, want %v", method, got[1], v[2])
			}
			if got, _ := s.At(2.999999, "seen"); method != udl.Hold && math.Abs(got[0]-(2*v[4]+3)) > 1e-4 || method == udl.Hold && math.Abs(got[0]-(2*v[3]+3)) > 1e-4 {
				t.Errorf("%s: seen = %v", method, got)
			}
		}
	}
}

// TestInputDefault: without a table an input is the expression it was declared with, parameters included.
func TestInputDefault(t *testing.T) {
	m := parse(t, driven)
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, At: []float64{2}, Rtol: 1e-9, Set: map[string]any{"gain": 3.0}})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Series("x"); math.Abs(x[0]-(9-6*math.Exp(-2))) > 1e-7 {
		t.Errorf("x(2) = %v", x)
	}
	if w, _ := s.Series("W"); w[0] != 0 || w[1] != 2 {
		t.Errorf("W(2) = %v", w)
	}
}

// TestInputArray: an input of several elements has a row of values for each time.
func TestInputArray(t *testing.T) {
	m := parse(t, driven)
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, At: []float64{1, 2}, Rtol: 1e-9, Set: map[string]any{"gain": 0.0, "x": 0.0}, Inputs: map[string]udl.Input{
		"W": {Times: []float64{0, 1}, Values: []float64{1, 5, 0, 7}, Shape: []int{2}, Method: udl.Hold, Outside: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Series("x"); math.Abs(x[1]-(1-math.Exp(-1))*math.Exp(-1)) > 1e-7 {
		t.Errorf("x = %v", x)
	}
	if w, _ := s.Series("W"); w[1] != 7 || w[2] != 0 {
		t.Errorf("W = %v", w)
	}
}

// TestInputGradients: through kinks and jumps the gradient methods agree with differences.
func TestInputGradients(t *testing.T) {
	m := parse(t, driven)
	for _, method := range []udl.Interpolation{udl.Hold, udl.Linear, udl.Cubic} {
		o := udl.FitOptions{Loss: "s -> sum(s.x^2) + s.seen[end]*s.x[end]", SolveOptions: udl.SolveOptions{T1: 3, By: 0.4, Rtol: 1e-10, Atol: 1e-12,
			Inputs: map[string]udl.Input{"I": {Times: []float64{0, 0.5, 1.25, 2, 3}, Values: []float64{1, -2, 0.5, 4, 1}, Method: method}}}}
		_, g, err := m.Gradient(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		for name, at := range map[string]float64{"k": 1, "gain": 2} {
			loss := func(d float64) float64 {
				o.Set = map[string]any{name: at + d}
				v, _, err := m.Gradient(context.Background(), o)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if want := (loss(1e-4) - loss(-1e-4)) / 2e-4; math.Abs(g[name][0]-want) > 1e-6*math.Abs(want) {
				t.Errorf("%s, %s: %v, differences give %v", method, name, g[name][0], want)
			}
		}
	}
}

// TestFittedModelKeepsItsInputs, so that it can be solved as it was trained.
func TestFittedModelKeepsItsInputs(t *testing.T) {
	m := parse(t, driven)
	drive := map[string]udl.Input{"I": {Times: []float64{0, 1, 2}, Values: []float64{1, 0, 3}, Method: udl.Hold}}
	truth, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, By: 0.1, Rtol: 1e-9, Inputs: drive, Set: map[string]any{"k": 0.6}})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := truth.Series("x")
	f, err := m.Fit(context.Background(), udl.FitOptions{SolveOptions: udl.SolveOptions{Inputs: drive}, Data: &udl.Data{Time: truth.Times(), Columns: map[string][]float64{"x": x}},
		Free: []string{"k"}, Train: "bfgs(iters = 40)"})
	if err != nil {
		t.Fatal(err)
	}
	if k, _ := f.Value("k"); math.Abs(k[0]-0.6) > 1e-4 {
		t.Errorf("k = %v", k)
	}
	s, err := f.Solve(context.Background(), udl.SolveOptions{T1: 2, By: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Series("x"); math.Abs(got[20]-x[20]) > 1e-3 {
		t.Errorf("x(2) = %v, want %v", got[20], x[20])
	}
}

// TestInputMistakes: each has its code, and help.
func TestInputMistakes(t *testing.T) {
	const rc = "model M { param k = 1; input V = 0; state q = 0; q' = V - k*q }\n"
	for text, code := range map[string]string{
		rc + "solve(M, t = 0..2, inputs = {V: linear([0, 1], [0, 1])})":                            "E0508",
		rc + "fit(M, t = 0..2 by 1, loss = s -> s.q[end]^2, inputs = {V: linear([0, 1], [0, 1])})": "E0508",
		rc + "ensemble(M, vary = {k: [1, 2]}, t = 0..2, inputs = {V: linear([0, 1], [0, 1])})":     "E0508",
		rc + "solve(M, t = 0..2, inputs = {W: 1})":                                                 "E0714",
		rc + "solve(M, t = 0..2, inputs = {k: 1})":                                                 "E0714",
		rc + "solve(M, t = 0..2, inputs = {V: [1, 2]})":                                            "E0714",
		rc + "solve(M, t = 0..2, inputs = {V: hold([1, 2], [1, 2, 3])})":                           "E0714",
		rc + "solve(M, t = 0..2, inputs = {V: hold([2, 1], [1, 2])})":                              "E0715",
		rc + "solve(M, t = 0..2, inputs = {V: hold([1, 2], [1, nan])})":                            "E0715",
		rc + "solve(M, t = 0..2, inputs = {V: cubci([1, 2], [1, 2])})":                             "E0701",
		rc + "solve(M, t = 0..2, inputs = {V: hold([1, 2], [1, 2], outside = wrap)})":              "E0704",
		rc + "solve(M, t = 0..2, set = {V: 1})":                                                    "E0714",
		rc + "hold([1, 2], [1, 2])":                                                                "E0701",
		"model M { input V; state q = 0; q' = V }":                                                 "E0218",
		"model M { state q = 0; input V = q; q' = V }":                                             "E0216",
		"model M { state q = 0; let w = 2*q; input V = w; q' = V }":                                "E0216",
		"model M { state q = 0; input V = q'; q' = 1 + t*V }":                                      "E0216",
		"model M { input V = 0 in 0..1; state q = 0; q' = V }":                                     "E0220",
		"model M { input V = U; input U = V; state q = 0; q' = V }":                                "E0209",
		"model M { input V[2] = [1, 2, 3]; state q = 0; q' = V[1] }":                               "E0204",
		"model M { time : s; input V : m = 1; state q : m = 0; q' = V }":                           "E0301",
		"model M { input V = 0; state q = 0; q' = V' }":                                            "E0213",
		"model M { input V = 1; state u[V] = 0; u' = -u }":                                         "E0216",
	} {
		err := runScript(t, text)
		l := diag.From(err)
		if len(l) == 0 || string(l[0].Code) != code || l[0].Help == "" && code != "E0714" {
			var b strings.Builder
			udl.Explain(&b, err)
			t.Errorf("%s\nwants %s, gives %s", text, code, b.String())
		}
	}
	m := parse(t, driven)
	if _, err := m.Solve(context.Background(), udl.SolveOptions{T1: 1, Inputs: map[string]udl.Input{"I": {Times: []float64{0, 1}, Values: []float64{0, 1}, Method: "steps"}}}); err == nil || errors.Is(err, context.Canceled) {
		t.Error("an unknown interpolation gave no error")
	}
}

// runScript runs a text as a script.
func runScript(t *testing.T, text string) error {
	t.Helper()
	var out bytes.Buffer
	return eval.New(eval.Options{Dir: t.TempDir(), Out: &out, Err: &out, Quiet: true}).Run(context.Background(), diag.NewSource("test", text))
}

// TestInputOfAlgebraicEquations: where an input jumps, so does what algebraic equations make of it, and nothing else.
func TestInputOfAlgebraicEquations(t *testing.T) {
	m := parse(t, `model Dae {
  input V = 0
  param k = 1
  state x = 0, z = 1
  x' = z - k*x
  0 = V - z - 0.5*z^3
}`)
	wave := map[string]udl.Input{"V": {Times: []float64{0, 1, 2, 3}, Values: []float64{1.5, 0, 1.5, 0}, Method: udl.Hold}}
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 3, By: 0.5, Rtol: 1e-8, Inputs: wave})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := s.Series("x")
	z, _ := s.Series("z")
	want, at := 0.0, []float64{1, 0, 1}
	for i, v := range at {
		want = v + (want-v)*math.Exp(-1)
		if math.Abs(x[2*i+2]-want) > 1e-6 || math.Abs(z[2*i+1]-v) > 1e-6 {
			t.Errorf("x = %v, z = %v", x, z)
		}
	}
	if math.Abs(z[6]) > 1e-6 {
		t.Errorf("behind the last jump z = %v", z[6])
	}
	if _, _, err := m.Gradient(context.Background(), udl.FitOptions{Loss: "s -> s.x[end]", SolveOptions: udl.SolveOptions{T1: 3, By: 0.5, Inputs: wave}}); err == nil || !strings.Contains(err.Error(), "jumps") {
		t.Errorf("a gradient across a jump of an algebraic state: %v", err)
	}
}

// TestEventsOfAnInput: a condition on an input fires where the input jumps across it, each time.
func TestEventsOfAnInput(t *testing.T) {
	for _, solver := range []string{"Tsit5", "Rodas5P", ""} {
		m := parse(t, `model E {
  input V = 0
  state x = 0
  discrete n = 0, m = 0
  x' = V - x
  when V > 2 { n := n + 1 }
  when V > 2 either { m := m + 1 }
  at t = 2 { x := x + 10 }
}`)
		s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 4, By: 0.5, Rtol: 1e-8, Solver: solver,
			Inputs: map[string]udl.Input{"V": {Times: []float64{0, 1, 2, 3}, Values: []float64{0, 5, 0, 5}, Method: udl.Hold, Outside: true}}})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := s.Series("x")
		n, _ := s.Series("n")
		k, _ := s.Series("m")
		x1 := 5 * (1 - math.Exp(-1))
		x3 := (x1 + 10) * math.Exp(-1)
		if n[8] != 2 || k[8] != 3 || k[4] != 2 || math.Abs(x[4]-x1-10) > 1e-5 || math.Abs(x[8]-(5+(x3-5)*math.Exp(-1))) > 1e-5 {
			t.Errorf("%s: n = %v, m = %v, x = %v", solver, n, k, x)
		}
	}
}
