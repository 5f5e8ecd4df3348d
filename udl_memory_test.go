package udl_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

// A gradient in little memory is the same to the bit, with inputs whose steps end at their jumps and bends, and as an option of a fit.
func TestGradientMemory(t *testing.T) {
	ctx := context.Background()
	times, volts := make([]float64, 401), make([]float64, 401)
	for i := range times {
		times[i], volts[i] = 0.05*float64(i), 5*float64(i/7%2)+math.Sin(float64(i))
	}
	const text = `model RC {
  param R = 0.7, C = 0.4
  input U = 0
  state v = 0, w = 0.1
  v' = (U - v)/(R*C)
  w' = v - w^3
}`
	m := parse(t, text)
	for _, how := range []udl.Interpolation{udl.Hold, udl.Linear, udl.Cubic} {
		for _, solver := range []string{"Tsit5", "Rodas5P", "BDF", "VCABM", "auto", "KenCarp4"} {
			o := udl.FitOptions{SolveOptions: udl.SolveOptions{T0: 0, T1: 20, By: 0.3, Solver: solver, MaxStep: 0.02,
				Inputs: map[string]udl.Input{"U": {Method: how, Times: times, Values: volts}}}, Loss: "s -> sum(s.v^2 + s.w)"}
			var all [3]map[string][]float64
			for i := range all {
				o.Memory, o.Recursive = 0, i == 2
				if i == 1 {
					o.Memory = 60_000
				}
				_, g, err := m.Gradient(ctx, o)
				if err != nil {
					t.Fatal(solver, err)
				}
				all[i] = g
			}
			for k, want := range all[0] {
				for i := 1; i < 3; i++ {
					if all[i][k][0] != want[0] {
						t.Errorf("%v, %s: %s is %v, without bounds %v", how, solver, k, all[i][k], want)
					}
				}
			}
		}
	}
}

func TestFitMemory(t *testing.T) {
	ctx := context.Background()
	m := parse(t, "model M { param k = 1.3; state q = 1, p = 0.3; q' = p; p' = -k*sin(q) }")
	o := udl.FitOptions{SolveOptions: udl.SolveOptions{T0: 0, T1: 10, By: 0.5, MaxStep: 0.01}, Loss: "s -> sum((s.q - 1)^2)", Train: "lbfgs(iters = 5)"}
	want, err := m.Fit(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Memory = 40_000
	got, err := m.Fit(ctx, o)
	if err != nil || got.Loss() != want.Loss() {
		t.Errorf("loss %v, without bounds %v (%v)", got.Loss(), want.Loss(), err)
	}
	o.Memory = 300
	if _, _, err := m.Gradient(ctx, o); err == nil || !strings.Contains(err.Error(), "memory limit of 300 bytes") {
		t.Errorf("in 300 bytes: %v", err)
	}
	o.Memory = 0
	limited := parse(t, "model M { param k = 1.3; state q = 1, p = 0.3; q' = p; p' = -k*sin(q) }", udl.WithLimits(udl.Limits{Memory: 60_000}))
	if got, err = limited.Fit(ctx, o); err != nil || got.Loss() != want.Loss() {
		t.Errorf("where memory ends: loss %v, want %v (%v)", got.Loss(), want.Loss(), err)
	}
	// A gradient that is stopped while steps are made again ends with the reason.
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := m.Gradient(stopped, o); err == nil {
		t.Error("a gradient that was stopped has no error")
	}
}

// Where the session's limit does not hold the steps, a gradient is the same and a warning says what has become of them; where the limit was asked for, none does.
func TestMemoryIsTold(t *testing.T) {
	const model = "model M { param k = 1.3; state q = 1, p = 0.3; q' = p; p' = -k*sin(q) }\n"
	const grad = "g = grad(M, t = 0..10 by 1, max_step = 0.01, loss = s -> sum(s.q^2)%s)\nprint(g.k)\n"
	const fit = "b = fit(M, t = 0..10 by 1, max_step = 0.01, loss = s -> sum(s.q^2), train = lbfgs(iters = 2)%s)\nprint(b.k)\n"
	for _, script := range []string{grad, fit} {
		var prints []string
		for _, c := range []struct {
			memory int64
			option string
			warns  bool
		}{{0, "", false}, {60_000, "", true}, {60_000, ", adjoint = discrete", true}, {60_000, ", adjoint = discrete(memory = 30e3)", false}, {60_000, ", adjoint = discrete(checkpoints = recursive)", false}} {
			var out, warned bytes.Buffer
			in := eval.New(eval.Options{Out: &out, Err: &warned, Quiet: true, Limits: eval.Limits{Memory: c.memory}})
			if err := in.Run(context.Background(), diag.NewSource("memory", model+fmt.Sprintf(script, c.option))); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(warned.String(), "E0533") != c.warns {
				t.Errorf("%d bytes%s: it says\n%s", c.memory, c.option, warned.String())
			}
			prints = append(prints, out.String())
		}
		if len(slices.Compact(prints)) != 1 {
			t.Errorf("the results differ: %v", prints)
		}
	}
}
