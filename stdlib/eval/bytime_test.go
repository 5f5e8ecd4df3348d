package eval

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/value"
)

// Derivatives by output times are x'(t) of this loss, whichever method found the gradient, and also where the right-hand side jumps, so that some of them repeat the solve.
func TestByOutputTimesOfWhatJumps(t *testing.T) {
	in, _ := session(t)
	if err := in.Run(context.Background(), diag.NewSource("m", `model D { param k = 0.5; state x = 1; x' = -k*x + (if x > 2 then 30 else 10) }
model F { param k = 0.5; state x = 1; x' = -k*x + floor(1.3*t) }
opts = 1e-10
d = [grad(D, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = discrete).t, grad(D, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = forward).t,
     grad(D, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = quadrature).t, grad(D, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, max_step = 0.02, adjoint = discrete(memory = 40e3)).t]
f = [grad(F, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = discrete).t, grad(F, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = forward).t,
     grad(F, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, adjoint = quadrature).t, grad(F, t = 0..4 by 0.5, loss = s -> sum(s.x), rtol = opts, max_step = 0.02, adjoint = discrete(memory = 40e3)).t]
sd = solve(D, t = 0..4 by 0.5, rtol = opts).x
sf = solve(F, t = 0..4 by 0.5, rtol = opts).x`)); err != nil {
		t.Fatal(err)
	}
	get := func(name string) []float64 { v, _ := in.Var(name); return v.(*value.Array).Data }
	sd, sf := get("sd"), get("sf")
	for i := range sd {
		at := 0.5 * float64(i)
		jump := 10.0
		if sd[i] > 2 {
			jump = 30
		}
		for k := range 4 {
			if got, want := get("d")[k*len(sd)+i], -0.5*sd[i]+jump; !(math.Abs(got-want) < 1e-6) {
				t.Errorf("D, method %d, t = %g: %v, not %v", k, at, got, want)
			}
			if got, want := get("f")[k*len(sf)+i], -0.5*sf[i]+math.Floor(1.3*at); !(math.Abs(got-want) < 1e-6) {
				t.Errorf("F, method %d, t = %g: %v, not %v", k, at, got, want)
			}
		}
	}
}

// Where the solve that they repeat does not come to its end they are an error, not numbers.
func TestByOutputTimesStopped(t *testing.T) {
	in, _ := session(t)
	if err := in.Run(context.Background(), diag.NewSource("m", `model D { param k = 0.5; state x = 1; x' = -k*x + (if x > 2 then 30 else 10) }
f = grad(D, t = 0..4 by 0.5, loss = s -> sum(s.x), adjoint = forward)`)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v, _ := in.Var("f")
	if by, err := v.(*value.Gradient).ByTime(ctx); err == nil {
		t.Errorf("cancelled, and still %v", by)
	}
}

// Gradients that no method gives are an error with a code and what to do instead.
func TestCheckGradOfWhatNoneGives(t *testing.T) {
	for _, call := range []string{"check_grad(A, t = 5..0 by -0.5, loss = s -> sum(s.x))", "grad(A, t = 5..0 by -0.5, loss = s -> sum(s.x))", "sensitivity(A, t = 5..0 by -0.5)"} {
		in, _ := session(t)
		err := in.Run(context.Background(), diag.NewSource("m", "model A { param w = 3; state x = 0.5; x' = -x + sign(sin(w*t)) }\n"+call))
		d := diag.From(err)
		if len(d) == 0 || d[0].Code != "E0510" || d[0].Help == "" || !strings.Contains(d[0].Message, "backwards in time") {
			t.Errorf("%s: %v", call, err)
		}
	}
}
