package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// planted is a right-hand side with a wrong rule: its derivative by one entry of θ, or by the states, is a little off.
type planted struct {
	system.Func
	at int
}

func (p planted) Clone() system.Func { return planted{p.Func.Clone(), p.at} }

func (p planted) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	gt := p.Func.VJP(gx, gth, t, x, th, gz)
	switch {
	case p.at >= 0 && gth != nil:
		gth[p.at] += 1e-5 * gz[0]
	case p.at < 0 && gx != nil:
		gx[0] += 1e-5 * gz[0]
	}
	return gt
}

// A wrong derivative rule that is planted in the model is reported by check_grad, and the model without it is not.
func TestCheckGradFindsAPlantedRule(t *testing.T) {
	const text = "model M { param a = 0.8, b = 0.5; state x = 1, y = 0.4; x' = a*y - 0.2*x; y' = -b*x*y }"
	const check = "worst = check_grad(M, t = 0..2 by 0.5, loss = s -> sum(s.x^2 + s.y), rtol = 1e-10, atol = 1e-10)"
	for _, at := range []int{-2, -1, 0} { // none, by the states, by a
		in, out := session(t)
		if err := in.Run(context.Background(), diag.NewSource("m", text)); err != nil {
			t.Fatal(err)
		}
		if at > -2 {
			sys := *in.Models()["M"].C.System
			sys.RHS, sys.Reversing = planted{sys.RHS, at}, nil
			in.Models()["M"].C.System = &sys
		}
		if err := in.Run(context.Background(), diag.NewSource("m", check)); err != nil {
			t.Fatal(err)
		}
		v, _ := in.Var("worst")
		worst := v.(*value.Array).Data[0]
		t.Logf("%d: %.1e\n%s", at, worst, out.String())
		if found := worst > 1e-6; found != (at > -2) {
			t.Errorf("planted at %d: the largest difference is %.1e", at, worst)
		}
		for _, name := range []string{"discrete", "forward", "interpolating", "quadrature", "backsolve", "differences", "off by", "largest difference"} {
			if !strings.Contains(out.String(), name) {
				t.Errorf("the table does not tell of %s", name)
			}
		}
	}
}

// What a method refuses is told by name, and what departs is not counted.
func TestCheckGradTells(t *testing.T) {
	in, out := session(t)
	if err := in.Run(context.Background(), diag.NewSource("m", `model A { param a = 2, k = 0.7; state y = 1, z = 1; y' = -k*z; 0 = z - a*y }
r = check_grad(A, t = 0..1 by 0.5, loss = s -> s.z[end], rtol = 1e-9)
model D { param k = 20; state x = 2; x' = -k*(x - cos(t)) }
d = check_grad(D, t = 0..2 by 1, loss = s -> s.x[end], rtol = 1e-9, solver = Vern7)
few = check_grad(D, t = 0..2 by 1, loss = s -> s.x[end], rtol = 1e-9, methods = [quadrature, forward])`)); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"without backsolve: A has no backsolve adjoint", "not counted, backsolve, off by", "the states integrated backwards depart"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("not told: %s\n%s", says, out.String())
		}
	}
	for _, name := range []string{"r", "d", "few"} {
		if v, _ := in.Var(name); v.(*value.Array).Data[0] > 1e-6 {
			t.Errorf("%s = %v", name, v)
		}
	}
}

// Differences that step over a jump take shorter steps, and what has no derivative is named and not counted: right gradients are not called wrong. A wrong rule beside it is still found.
func TestCheckGradWhereNothingIsSmooth(t *testing.T) {
	for _, c := range []struct{ text, rough string }{
		// A jump passes a time of the data within the usual step, but not at these values.
		{"model M { param k = 0.7, a = 2; state x = 0.3, y = 1; x' = k*floor(a*x) + 0.9; y' = (if x > 1.1 then -k*y else a*y*0.1) }\nworst = check_grad(M, t = 0..2 by 0.25, loss = s -> sum(s.x^2*s.y), rtol = 1e-9)", ""},
		{"model M { param tau = 0.7, g = 0.3; state x = 1; x' = -g*x; every tau { x := 1.1*x } }\nworst = check_grad(M, t = 0..3 by 0.7, loss = s -> sum(s.x^2), rtol = 1e-9)", "not counted, differences by tau:"},
		{"model M { param tau = 0.7, g = 0.3; state x = 1; x' = -g*x; every tau { x := 1.1*x } }\nworst = check_grad(M, t = 0..3 by 0.7, loss = s -> sum(s.x^2), rtol = 1e-9, methods = [differences, forward])", "not counted, differences by tau:"},
		{"model M { param c = 1, g = 0.3; state x = 1; x' = -g*x }\nworst = check_grad(M, t = 0..3 by 0.7, loss = s -> sum(s.x^2) + abs(s.g - 0.3), rtol = 1e-9)", "not counted, differences by g:"},
		{"model M { param w = 0.7, g = 0.3; state x = 1; x' = -g*x + sin(w*t) }\nworst = check_grad(M, t = 0..3 by 0.7, loss = s -> sum(s.x^2), rtol = 1e-9)", ""},
	} {
		in, out := session(t)
		if err := in.Run(context.Background(), diag.NewSource("m", c.text)); err != nil {
			t.Fatal(err)
		}
		v, _ := in.Var("worst")
		if worst := v.(*value.Array).Data[0]; !(worst < 1e-6) {
			t.Errorf("%s: %.1e\n%s", c.text, worst, out.String())
		}
		if told := strings.Contains(out.String(), "not counted, differences"); told != (c.rough != "") || !strings.Contains(out.String(), c.rough) {
			t.Errorf("%s: %s", c.text, out.String())
		}
	}
	in, out := session(t)
	if err := in.Run(context.Background(), diag.NewSource("m", "model M { param tau = 0.7, g = 0.3; state x = 1; x' = -g*x; every tau { x := 1.1*x } }")); err != nil {
		t.Fatal(err)
	}
	sys := *in.Models()["M"].C.System
	sys.RHS, sys.Reversing = planted{sys.RHS, sys.Find("g", system.RoleParam).Off}, nil
	in.Models()["M"].C.System = &sys
	if err := in.Run(context.Background(), diag.NewSource("m", "worst = check_grad(M, t = 0..3 by 0.7, loss = s -> sum(s.x^2), rtol = 1e-9)")); err != nil {
		t.Fatal(err)
	}
	if v, _ := in.Var("worst"); v.(*value.Array).Data[0] < 1e-7 {
		t.Errorf("a wrong rule is not found:\n%s", out.String())
	}
}

// An oscillator whose jumps sit late and depend sharply on where it started has derivatives that the usual step is far too long for.
func TestCheckGradOfAStiffOscillator(t *testing.T) {
	for _, how := range []string{"loss = s -> s.x[end], rtol = 1e-9, atol = 1e-11", "loss = s -> s.x[end] + s.y[3], rtol = 1e-9, solver = Rodas5P"} {
		in, out := session(t)
		if err := in.Run(context.Background(), diag.NewSource("m", `model VdP { param mu = 100; state x = 2, y = 0; x' = y; y' = mu*((1 - x^2)*y) - x }
worst = check_grad(VdP, t = 0..150 by 30, methods = [discrete, differences], `+how+")")); err != nil {
			t.Fatal(err)
		}
		if v, _ := in.Var("worst"); !(v.(*value.Array).Data[0] < 1e-7) {
			t.Errorf("%s: %v\n%s", how, v, out.String())
		}
	}
}
