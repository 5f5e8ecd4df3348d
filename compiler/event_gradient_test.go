package compiler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// eventLoss is Σ weight·(time of event) + Σ x²/2 over the outputs.
type eventLoss struct {
	times  []float64
	weight []float64
	states bool
	t, gt  []float64
}

func (l *eventLoss) Times() []float64 { return l.times }

func (l *eventLoss) Events(t, gt []float64) error {
	if len(l.weight) > 0 && len(t) < len(l.weight) {
		return fmt.Errorf("%d events, not %d", len(t), len(l.weight))
	}
	l.t, l.gt = t, gt
	return nil
}

func (l *eventLoss) Eval(x, th, gx, gth []float64) (float64, error) {
	v := 0.0
	for i, w := range l.weight {
		v += w * l.t[i]
		if l.gt != nil {
			l.gt[i] = w
		}
	}
	for i, y := range x {
		if l.states {
			v += y * y / 2
		}
		if gx == nil {
			continue
		}
		if gx[i] = 0; l.states {
			gx[i] = y
		}
	}
	return v, nil
}

// TestImpactGradients holds the derivatives of impact times against the closed form.
func TestImpactGradients(t *testing.T) {
	b, err := os.ReadFile("testdata/bouncing_ball.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Case struct {
			Impacts []struct {
				N   int
				T   string
				DHs string `json:"dt_dh0"`
				DEs string `json:"dt_de"`
				DGs string `json:"dt_dg"`
			}
		} `json:"gradient_case"`
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	c := compile(t, ball)
	for _, name := range []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "KenCarp4", "BDF", "VCABM", "auto"} {
		m, _ := method.Find(name)
		for _, k := range ref.Case.Impacts {
			last := number(t, k.T) + 0.1
			loss := &eventLoss{times: []float64{last}, weight: make([]float64, k.N)}
			loss.weight[k.N-1] = 1
			p := &solve.Problem{Sys: c.System, T1: last, Method: m, Rtol: 1e-9, Atol: 1e-12}
			for _, how := range []string{"discrete", "forward", "interpolating", "quadrature", "backsolve"} {
				gm, _ := sens.Lookup(how)
				g := make([]float64, c.System.NTheta)
				v, _, err := gm.Gradient(context.Background(), p, loss, g)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(v-number(t, k.T)) > 1e-9 {
					t.Errorf("%s: impact %d at %.12g", name, k.N, v)
				}
				for par, w := range map[string]string{"h0": k.DHs, "e": k.DEs, "g": k.DGs} {
					if d := g[c.System.Find(par, system.RoleParam).Off] - number(t, w); math.Abs(d) > 1e-6 {
						t.Errorf("%s, %s: impact %d by %s is off by %g", name, how, k.N, par, d)
					}
				}
			}
		}
	}
}

// TestEventGradients holds all gradient methods against each other on events of all kinds.
func TestEventGradients(t *testing.T) {
	for _, k := range []struct{ name, text string }{
		{"a reset with parameters, at a threshold with one", `param a = 0.8, b = 0.6, c = 1.3
			state x = 1, y = c
			x' = a*y
			y' = -b*x*y
			when x > 1.1*c { x := b*x; y := y + a*c }`},
		{"a time from parameters", `param a = 0.8, b = 0.6
			state x = 1
			x' = -a*x
			at t = 1 + a*b { x := x + b }`},
		{"a period from parameters", `param a = 0.8, p = 0.9
			state x = 1
			x' = -a*x
			every p { x := x + a }`},
		{"a threshold that moves with the time", `param a = 0.8, w = 2
			state x = 1, y = 0
			x' = y
			y' = -w*x
			when x < a - 0.3*t { y := -a*y + t }`},
		{"events set off by others", `param a = 0.8, b = 1.7
			state x = 0, y = 1
			discrete n = 0
			x' = a*y
			y' = -x*b
			when x > 0.4 { n := n + a; y := y + 0.1 }
			when n > 1 { x := -b*x; n := 0 }`},
		{"a discrete in the equation", `param a = 0.8, hi = 1.5, lo = 0.5
			state T = 1
			discrete on = 1
			T' = a*on - 0.5*T*a
			when T > hi { on := 0 }
			when T < lo { on := 2*a }`},
		{"and, or", `param a = 0.8, b = 1.2
			state x = 0, y = 0
			x' = a
			y' = b*cos(3*t)
			when x > 0.5*b and y > 0.1*a { x := x*y; y := a }`},
		{"at the start", `param a = 0.8
			state x = 1
			x' = -a*x
			at t = 0 { x := x + a }
			when x > 1 initially { x := a*x^2 }`},
		{"several at one time, in order", `param a = 0.8, p = 1.1
			state x = 1, y = 1
			x' = -a*x
			y' = x - y
			at t = p { x := x + a*y }
			at t = p priority 1 { y := 2*x*y }`},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		for _, name := range []string{"Tsit5", "Rodas5P"} {
			m, _ := method.Find(name)
			loss := &eventLoss{times: []float64{0, 0.7, 1.31, 2.2, 3}, weight: []float64{0.7}, states: true}
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
				if len(sol.Events) == 0 {
					t.Fatalf("%s: nothing fires", k.name)
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

// TestEventGradientRefusals holds that what has no derivative is refused by name.
func TestEventGradientRefusals(t *testing.T) {
	for _, k := range []struct{ name, text, says string }{
		{"delays", "param a = 1\nstate x = 1\nx' = -a*x\nwhen x < 0.5 after a { x := 1 }", "`when x < 0.5` are delayed (`after`)"},
		{"grazing", "param a = 1\nstate x = 1\nx' = 2*a*(t - 1)\nwhen x < 1e-8 { x := 1 }", "grazes"},
		{"two that coincide", "param a = 1, b = 1\nstate x = 0, y = 0\nx' = a\ny' = b\nwhen x > 1 { x := 0 }\nwhen y > 1 { y := 0.5 }", "but their times move differently"},
		{"right at the start", "param a = 0\nstate x = 1\nx' = -x\nat t = a { x := 2 }", "right at the start"},
		{"a stop before the outputs", "param a = 1\nstate x = 0\nx' = a\nstop when x > 1", "an event stops the run at t = 1, before the last output time"},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		m, _ := method.Find("Tsit5")
		for _, how := range []string{"discrete", "forward", "interpolating", "quadrature", "backsolve"} {
			gm, _ := sens.Lookup(how)
			loss := &eventLoss{times: []float64{1, 2}, states: true}
			p := &solve.Problem{Sys: c.System, T1: 2, Method: m, Rtol: 1e-6, Atol: 1e-6}
			_, _, err := gm.Gradient(context.Background(), p, loss, make([]float64, c.System.NTheta))
			if err == nil || !strings.Contains(err.Error(), k.says) {
				t.Errorf("%s, %s: %v", k.name, how, err)
			}
		}
	}
	// A run that an event ends after the last output has a gradient, by the time of its end too.
	c := compile(t, "model M {\nparam a = 2\nstate x = 0\nx' = a\nstop when x > 1\n}")
	for _, how := range []string{"discrete", "forward", "differences"} {
		gm, _ := sens.Lookup(how)
		g := make([]float64, c.System.NTheta)
		loss := &eventLoss{times: []float64{0.25}, weight: []float64{1}}
		v, sol, err := gm.Gradient(context.Background(), &solve.Problem{Sys: c.System, T1: 3, Rtol: 1e-9}, loss, g)
		if err != nil || sol.Status != solve.Stopped || math.Abs(v-0.5) > 1e-12 || math.Abs(g[0]+0.25) > 1e-8 {
			t.Errorf("%s: %v, %v, %v", how, v, g, err)
		}
	}
}
