package compiler_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestJumps holds that right-hand sides that jump are solved to the tolerance, with steps that end at the jumps: hardly any is refused.
func TestJumps(t *testing.T) {
	for _, k := range []struct {
		name, text string
		t1         float64
		jumps      int
		end        []float64
	}{
		{"a condition on the time", "state x = 0\nx' = if t > 1 then 0 else cos(t)", 2, 1, []float64{math.Sin(1)}},
		{"a condition on a state", "state x = 0\nx' = if x < 1 then 1 else 2", 2, 1, []float64{3}},
		{"floor", "state x = 0\nx' = floor(t)", 4, 4, []float64{6}},
		{"floor of what falls", "state x = 0\nx' = floor(2 - t)", 4, 4, []float64{1 + 0 - 1 - 2}},
		{"ceil", "state x = 0\nx' = ceil(t)", 3.5, 4, []float64{1 + 2 + 3 + 2}},
		{"round", "state x = 0\nx' = round(t)", 2, 2, []float64{0.5*0 + 1 + 0.5*2}},
		{"sign", "state x = 0, y = -1\nx' = sign(y)\ny' = 1", 3, 1, []float64{1, 2}},
		{"mod", "state x = 0\nx' = mod(t, 1)", 2.5, 2, []float64{1 + 0.125}},
		{"a let, and a function", "state x = 0\nfn on(a) = a > 0.5 and a < 1.5\nlet push = if on(t) then 1 else 0\nx' = push*2", 2, 2, []float64{2}},
		{"a square wave, of mod", "state x = 0\nx' = if mod(t, 2) < 1 then 1 else -0.5", 5, 4, []float64{1 - 0.5 + 1 - 0.5 + 1}},
		{"a square wave of a state", "state x = 0, y = 0\nx' = 1\ny' = if x - 2*floor(x/2) >= 1 then 1 else 0", 5, 4, []float64{5, 2}},
		{"one in another", "state x = 0, y = 0\nx' = if (if t > 1 then y else x) > 0.5 then 2 else 1\ny' = 1", 2, 2, nil},
		{"an oscillator that is pushed one way", "state x = 1, v = 0\nx' = v\nv' = -x + (if v > 0 then 0.5 else 0)", 4, 1, nil},
		{"with events that carry it over", "state x = 0\ndiscrete n = 0\nx' = if x > 2 then -1 else 1\nat t = 1 { x := 5 }\nwhen x < 3 { x := 0; n := 1 }", 4, 2, []float64{1, 1}},
		{"several whole numbers at once", "state x = 0, y = 0\nx' = 1\ny' = floor(x)\nat t = 0.5 { x := 10.25 }", 1, 1, []float64{10.75, 5}},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		if c.System.NoGradient != "" {
			t.Errorf("%s: %s", k.name, c.System.NoGradient)
		}
		for _, name := range []string{"Tsit5", "Vern7", "Rodas5P", "auto"} {
			m, _ := method.Find(name)
			s := run(t, c, k.t1, nil, func(p *solve.Problem) { p.Method = m })
			if s.Fault != nil {
				t.Errorf("%s, %s: %v", k.name, name, s.Fault)
				continue
			}
			if len(s.Jumps) < k.jumps || s.Stats.Rejected > 3*len(s.Jumps) {
				t.Errorf("%s, %s: %d jumps, %d steps rejected", k.name, name, len(s.Jumps), s.Stats.Rejected)
			}
			for i, v := range k.end {
				if math.Abs(s.XEnd[i]-v) > 2e-9 {
					t.Errorf("%s, %s: ends at %v, want %v", k.name, name, s.XEnd, k.end)
				}
			}
			// The same with small steps that see the jumps themselves.
			free := *c.System
			free.Jumps = nil
			o := run(t, c, k.t1, nil, func(p *solve.Problem) {
				p.Method, p.Hmax, p.Sys, p.Rtol = m, 1e-3, &free, 1e-6
				if len(c.System.Events) > 0 {
					p.Sys = c.System
				}
			})
			for i, v := range o.XEnd {
				if math.Abs(v-s.XEnd[i]) > 3e-3 {
					t.Errorf("%s, %s: ends at %v, small steps at %v", k.name, name, s.XEnd, o.XEnd)
				}
			}
			for i, x := range s.T[1:] { // dense output, with stages of its own
				out := make([]float64, c.System.NX)
				if err := s.At(0.5*(x+s.T[i]), out); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestSliding holds that a solution which both sides lead back to a jump is told from one that passes.
func TestSliding(t *testing.T) {
	c := compile(t, "model M {\nstate x = 1\nx' = if x > 0.5 then -1 else 1\n}")
	s := run(t, c, 2, nil, nil)
	if s.Status != solve.EventFault || !strings.Contains(s.Fault.Error(), "`x > 0.5` goes wrong: the solution slides along it") || math.Abs(s.TEnd-0.5) > 1e-6 {
		t.Errorf("%v, %v", s.Status, s.Fault)
	}
}

// TestJumpGradients holds the gradients through jumps against each other and against differences.
func TestJumpGradients(t *testing.T) {
	for _, k := range []struct{ name, text string }{
		{"a threshold from a parameter", "param a = 0.8, c = 1.2\nstate x = 0.3\nx' = if x > c then -a*x + 3*a else 1"},
		{"a time from a parameter", "param a = 0.8, c = 1.2\nstate x = 1\nx' = if t > a*c then a*x else -x"},
		{"floor", "param a = 0.8, c = 1.2\nstate x = 0.13\nx' = a + 0.3*c*floor(2*x)"},
		{"mod", "param a = 0.8\nstate x = 0.1, y = 0\nx' = a*mod(t, a) + 1\ny' = -y + x"},
		{"a square wave", "param a = 0.8, p = 0.7\nstate x = 1\nx' = if mod(t, p) < 0.4*p then a else -x"},
		{"sign", "param a = 0.8\nstate x = 1, v = 0\nx' = v\nv' = -4*x - a*v + 0.2*sign(x)"},
		{"an event at a jump of its condition", "param a = 0.8\nstate x = 0, n = 1\nx' = a\nn' = -x*n\nwhen floor(2*x) > 0.5 { n := n + a; x := 0.37*a*x }"},
		{"an event that a square wave sets off", "param a = 0.8, p = 0.7\nstate x = 1\nx' = -a*x\nwhen mod(t, p) < 0.4*p { x := x + a }"},
		{"one jump in another", "param a = 0.8, c = 0.47\nstate x = 1, v = 0\nx' = v\nv' = -4*x + (if mod(x + a, c) > 0.5*c then a else 0)"},
		{"with an event", "param a = 0.8\nstate x = 0\ndiscrete n = 0\nx' = if x > a then 0.5 else a\nwhen x > 1.4*a { x := a*x/2; n := a }"},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		for _, name := range []string{"Tsit5", "Vern7", "Rodas5P"} {
			m, _ := method.Find(name)
			loss := &eventLoss{times: []float64{0.5, 1.3, 2.2, 3}, states: true}
			p := &solve.Problem{Sys: c.System, T1: 3, Method: m, Rtol: 1e-10, Atol: 1e-12}
			hows := [...]string{"differences", "discrete", "forward", "interpolating", "quadrature", "backsolve"}
			var gs [len(hows)][]float64
			for i, how := range hows {
				gm, _ := sens.Lookup(how)
				gs[i] = make([]float64, c.System.NTheta)
				_, sol, err := gm.Gradient(context.Background(), p, loss, gs[i])
				if err != nil {
					t.Fatalf("%s, %s, %s: %v", k.name, name, how, err)
				}
				if i == 0 && len(sol.Jumps) == 0 {
					t.Errorf("%s: nothing jumps", k.name)
				}
			}
			scale := 0.0
			for _, v := range gs[0] {
				scale = max(scale, math.Abs(v))
			}
			for i := range gs[0] {
				for h, how := range hows {
					if off := math.Abs(gs[h][i] - gs[0][i]); !(off <= 1e-6*scale) {
						t.Errorf("%s, %s: by entry %d of θ: differences %.10g, %s %.10g", k.name, name, i, gs[0][i], how, gs[h][i])
					}
				}
			}
		}
	}
}

// TestRandomJumps holds models that jump against the same written with a `discrete` that events switch.
func TestRandomJumps(t *testing.T) {
	want, compared, jumps := 300, 0, 0
	if testing.Short() {
		want = 40
	}
	texts := rapid.Custom(func(t *rapid.T) [2]string {
		num := func(lo, hi float64) string {
			v := math.Round(1000*rapid.Float64Range(lo, hi).Draw(t, "c")) / 1000
			if math.Abs(v) < 0.05 {
				v += 0.07
			}
			return fmt.Sprintf("%.3f", v)
		}
		x0, y0, c, k := num(-2, 2), num(-2, 2), num(-1, 1), num(0.1, 0.9)
		cond := fmt.Sprintf("x + %s*y > %s", k, c)
		start := fmt.Sprintf("x + %s*y > %s", k, c)
		body := fmt.Sprintf("x' = %s*y + %s*x\n", num(0.5, 3), num(-0.3, 0.1))
		rest := fmt.Sprintf("-(%s)*x + %s*sin(%s*t)", num(0.5, 3), num(-1, 1), num(0.3, 4))
		on, off := num(-0.4, 0.4), num(-0.4, 0.4)
		event := ""
		if rapid.Bool().Draw(t, "event") {
			event = fmt.Sprintf("every %s { x := %s*x + %s }\n", num(0.4, 2), num(-0.9, 0.9), num(-1, 1))
		}
		a := fmt.Sprintf("model M {\nstate x = %s, y = %s\n%sy' = %s + (if %s then %s else %s*x)\n%s}", x0, y0, body, rest, cond, on, off, event)
		b := fmt.Sprintf("model M {\nstate x = %s, y = %s\ndiscrete m = if %s then 1 else 0\n%sy' = %s + m*%s + (1 - m)*%s*x\n%swhen %s { m := 1 }\nwhen %s falling { m := 0 }\n}",
			x0, y0, start, body, rest, on, off, event, cond, cond)
		return [2]string{a, b}
	})
	names := []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "auto"}
	for seed := 0; compared < want && seed < 10*want && !t.Failed(); seed++ {
		k := texts.Example(seed)
		m, _ := method.Find(names[seed%len(names)])
		a, b := compile(t, k[0]), compile(t, k[1])
		by := func(p *solve.Problem) { p.Method = m }
		one, two := run(t, a, 6, []float64{1, 2.5, 6}, by), run(t, b, 6, []float64{1, 2.5, 6}, by)
		if one.Fault != nil || two.Fault != nil {
			if (one.Fault != nil) != (two.Fault != nil) {
				t.Errorf("%s\n%v\n%v", k[0], one.Fault, two.Fault)
			}
			continue // both slide
		}
		compared++
		jumps += len(one.Jumps)
		for i := range one.T {
			for j := range 2 {
				if d := one.Row(i)[j] - two.Row(i)[j]; !(math.Abs(d) < 2e-7) {
					t.Errorf("%s, at %g: %v, with events %v\n%s", m.Info().Name, one.T[i], one.Row(i), two.Row(i), k[0])
				}
			}
		}
	}
	t.Logf("%d models, %d jumps", compared, jumps)
}
