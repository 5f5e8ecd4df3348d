package compiler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// run solves a model over 0..t1 with outputs at the times given, nil for every step.
func run(tb testing.TB, c *compiler.Compiled, t1 float64, times []float64, change func(p *solve.Problem)) *solve.Solution {
	tb.Helper()
	p := &solve.Problem{Sys: c.System, T1: t1, Times: times, Rtol: 1e-9, Atol: 1e-12}
	if change != nil {
		change(p)
	}
	s, err := solve.Solve(context.Background(), p)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// firings writes what fired: "2 when x > 3; 4 every 2".
func firings(c *compiler.Compiled, s *solve.Solution) string {
	var out []string
	for _, f := range s.Events {
		name := c.System.Events[f.Event].Name
		if f.Cause == solve.ByDelay {
			name = "after " + name
		}
		out = append(out, strconv.FormatFloat(f.T, 'g', 6, 64)+" "+name)
	}
	return strings.Join(out, "; ")
}

const ball = `model Ball {
  param h0 = 10, v0 = 0, e = 0.9, g = 9.81
  state y = h0, v = v0
  y' = v
  v' = -g
  when y < 0 { v := -e*v }
}`

type ballCase struct {
	H0, V0, E, G float64
	Impacts      []string `json:"impact_times"`
	Speeds       []string `json:"impact_speeds_before"`
	Mid          struct{ T, Height, Velocity string }
}

func number(tb testing.TB, s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// TestBouncingBall holds impact times and speeds against the closed form, of the reference computed to 30 digits.
func TestBouncingBall(t *testing.T) {
	b, err := os.ReadFile("testdata/bouncing_ball.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct{ Cases []ballCase }
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	c := compile(t, ball)
	for _, k := range ref.Cases {
		for _, m := range method.Solvers() {
			name := m.Info().Name
			if !m.Info().Adaptive || slices.Contains([]string{"Heun", "Midpoint", "ROCK2"}, name) {
				continue // of order 2 they take too many steps for this
			}
			th := c.System.Defaults()
			for n, v := range map[string]float64{"h0": k.H0, "v0": k.V0, "e": k.E, "g": k.G} {
				th[c.System.Find(n, system.RoleParam).Off] = v
			}
			last := number(t, k.Impacts[len(k.Impacts)-1])
			s := run(t, c, last+1e-3, nil, func(p *solve.Problem) { p.Theta, p.Method = th, m })
			if s.Status != solve.Done || len(s.Events) < len(k.Impacts) {
				t.Fatalf("%s: %v, %v, %d impacts of %d", name, s.Status, s.Fault, len(s.Events), len(k.Impacts))
			}
			worst := 0.0
			for i, w := range k.Impacts {
				worst = max(worst, math.Abs(s.Events[i].T-number(t, w)))
				if d := math.Abs(-s.Events[i].Before[1] - number(t, k.Speeds[i])); d > 1e-8 {
					t.Errorf("%s: speed at impact %d is off by %g", name, i+1, d)
				}
			}
			if worst > 1e-9 {
				t.Errorf("%s, h0 = %g: impact times are off by %g", name, k.H0, worst)
			}
		}
	}
}

// TestEventRulings holds what fires when, and what comes of it, against the language's rulings.
func TestEventRulings(t *testing.T) {
	for _, k := range []struct {
		name, text string
		t1         float64
		want       string
		end        []float64 // the state at the end
	}{
		{"rising", `state x = 0
			discrete n = 0
			x' = 1
			when x > 2 { n := n + 1 }`, 5, "2 when x > 2", []float64{5, 1}},
		{"one that holds at the start does not fire", `state x = 3
			discrete n = 0
			x' = 1
			when x > 2 { n := n + 1 }`, 5, "", []float64{8, 0}},
		{"unless initially is said", `state x = 3
			discrete n = 0
			x' = 1
			when x > 2 initially { n := n + 1 }`, 5, "0 when x > 2", []float64{8, 1}},
		{"zero at the start does not fire", `state x = 2
			discrete n = 0
			x' = 1
			when x > 2 { n := n + 1 }
			when x >= 2 { n := n + 1 }
			when x < 2 falling { n := n + 1 }`, 5, "", []float64{7, 0}},
		{"falling and either", `state x = 0
			discrete n = 0, m = 0
			x' = cos(t)
			when x > 0.5 falling { n := n + 1 }
			when x > 0.5 either { m := m + 1 }`, 3, "0.523599 when x > 0.5 either; 2.61799 when x > 0.5 falling; 2.61799 when x > 0.5 either", []float64{math.Sin(3), 1, 2}},
		{"and, or, not", `state x = 0, y = 4
			discrete n = 0
			x' = 1
			y' = -1
			when x > 1 and y < 2 { n := n + 1 }
			when x > 1 or y < 2 { n := n + 10 }
			when not (x <= 3) { n := n + 100 }`, 5, "1 when x > 1 or y < 2; 2 when x > 1 and y < 2; 3 when not (x <= 3)", []float64{5, -1, 111}},
		{"at, before the first output", `state x = 1
			x' = 0
			at t = 0 { x := 2*x }
			at t = 1 { x := x + 1 }
			at t = -1 { x := 100 }`, 2, "0 at t = 0; 1 at t = 1", []float64{3}},
		{"every, from the start on but not at it", `param p = 0.5
			discrete n = 0
			every 2*p { n := n + 1 }`, 3, "1 every 2*p; 2 every 2*p; 3 every 2*p", []float64{3}},
		{"every, to the end in spite of rounding", `discrete n = 0
			every 0.1 { n := n + 1 }`, 0.3, "0.1 every 0.1; 0.2 every 0.1; 0.3 every 0.1", []float64{3}},
		{"every, initially", `discrete n = 0
			every 2 initially { n := n + 1 }`, 3, "0 every 2; 2 every 2", []float64{2}},
		{"right sides read the values before", `state x = 1, y = 2
			x' = 0
			y' = 0
			at t = 1 { x := y; y := x }`, 2, "1 at t = 1", []float64{2, 1}},
		{"each reads what the previous left, in source order", `state x = 1
			x' = 0
			at t = 1 { x := x + 1 }
			at t = 1 { x := 10*x }`, 2, "1 at t = 1; 1 at t = 1", []float64{20}},
		{"priority goes before source order", `state x = 1
			x' = 0
			at t = 1 { x := x + 1 }
			at t = 1 priority 2 { x := 10*x }`, 2, "1 at t = 1; 1 at t = 1", []float64{11}},
		{"none cancels another", `state x = 0
			discrete n = 0
			x' = 1
			when x > 1 { x := 0 }
			when x > 1 { n := n + 1 }`, 1.5, "1 when x > 1; 1 when x > 1", []float64{0.5, 1}},
		{"an event may set off others at the same time", `state x = 0
			discrete n = 0, m = 0
			x' = 1
			when x > 1 { n := 1 }
			when n > 0.5 { m := m + 1; x := x + 10 }
			when x > 5 { m := m + 10 }`, 2, "1 when x > 1; 1 when n > 0.5; 1 when x > 5", []float64{12, 1, 11}},
		{"after reads when it fires and assigns later", `state x = 0, y = 0
			x' = 1
			y' = 0
			when x > 1 after 2 { y := x }`, 4, "1 when x > 1; 3 after when x > 1", []float64{4, 1}},
		{"after, with several on their way", `state y = 0
			y' = 0
			every 1 after 1.5 { y := t }`, 3.75, "1 every 1; 2 every 1; 2.5 after every 1; 3 every 1; 3.5 after every 1", []float64{2}},
		{"stop when", `state x = 0
			x' = 1
			stop when x > 1`, 4, "1 stop when x > 1", []float64{1}},
		{"other events of that time still happen", `state x = 0
			x' = 1
			stop when x > 1
			when x > 1 { x := 7 }`, 4, "1 stop when x > 1; 1 when x > 1", []float64{7}},
		{"elements", `state u[3] = [0, 0, 5]
			u' = [1, 0, 0]
			when u[1] > 1 { u[1] := u[3]; u[2..3] := u[1] }`, 2, "1 when u[1] > 1", []float64{6, 1, 1}},
		{"a let that is a condition", `state x = 0
			discrete n = 0
			let far = x > 1 and x < 2
			x' = 1
			when far either { n := n + 1 }`, 3, "1 when far either; 2 when far either", []float64{3, 2}},
		{"a function that is a condition", `state x = 0
			discrete n = 0
			fn over(a, b) = a > b
			x' = 1
			when over(x, 2) { n := n + 1 }`, 3, "2 when over(x, 2)", []float64{3, 1}},
		{"a moment that the time itself reaches", `discrete n = 0
			when t > 2 and t < 3 either { n := n + t }`, 4, "2 when t > 2 and t < 3 either; 3 when t > 2 and t < 3 either", []float64{5}},
		{"a second-order state", `state x = 1, x' = 0
			x'' = -10
			when x < 0 { x' := -x' }`, 1, "0.447214 when x < 0", []float64{1 - 5*math.Pow(1-2*math.Sqrt(0.2), 2), -10 * (1 - 2*math.Sqrt(0.2))}},
		{"two thresholds", `state T = 20
			discrete on = 1
			T' = if on > 0.5 then 1 else -2
			when T > 22 { on := 0 }
			when T < 19 { on := 1 }`, 7, "2 when T > 22; 3.5 when T < 19; 6.5 when T > 22", []float64{21, 0}},
		{"a touch does not fire", `state x = 1
			discrete n = 0
			x' = 2*(t - 1)
			when x < 0 { n := n + 1 }
			when x > 0 falling { n := n + 1 }
			when x > 0 either { n := n + 1 }`, 2, "", []float64{1, 0}},
		{"a dip within a step", `state x = 1
			discrete n = 0
			x' = 2*(t - 1)
			when x < 1e-8 { n := n + 1 }`, 2, "0.9999 when x < 1e-8", []float64{1, 1}},
		{"a dip just after the start, and one just before the end", `state x = 1
			discrete n = 0
			x' = 2*(t - 0.01)
			when x < 0.99991 { n := n + 1 }
			when 100 - x > 96 + 1e-9 falling { n := n + 10 }`, 2.01, "0.00683772 when x < 0.99991", nil},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		for _, name := range []string{"Tsit5", "Vern7", "Rodas5P"} {
			m, _ := method.Find(name)
			s := run(t, c, k.t1, nil, func(p *solve.Problem) { p.Method = m })
			if s.Fault != nil {
				t.Errorf("%s, %s: %v", k.name, name, s.Fault)
				continue
			}
			if k.end == nil {
				if got := firings(c, s); !strings.HasPrefix(got, k.want) {
					t.Errorf("%s, %s: fired %s, want %s", k.name, name, got, k.want)
				}
				continue
			}
			if got := firings(c, s); got != k.want {
				t.Errorf("%s, %s: fired %s, want %s", k.name, name, got, k.want)
			}
			for i, v := range k.end {
				if math.Abs(s.XEnd[i]-v) > 1e-8*max(1, math.Abs(v)) {
					t.Errorf("%s, %s: ends at %v, want %v", k.name, name, s.XEnd, k.end)
					break
				}
			}
			if want := solve.Done; strings.Contains(k.want, "stop") != (s.Status == solve.Stopped) {
				t.Errorf("%s: %v, want %v", k.name, s.Status, want)
			}
		}
	}
}

// TestBouncesThatDieDown holds that a ball never falls through the floor, whatever the last bounces that a time can tell apart look like.
func TestBouncesThatDieDown(t *testing.T) {
	for _, g := range []float64{10, 9.81, 9.8, 1} {
		for _, e := range []float64{0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95} {
			c := compile(t, fmt.Sprintf("model Ball {\nconst g = %v, e = %v\nstate y = 10, v = 0\ny' = v\nv' = -g\nwhen y < 0 { v := -e*v }\n}", g, e))
			for _, rtol := range []float64{1e-3, 1e-6, 1e-9} {
				s, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.System, T1: 2000, Rtol: rtol, Atol: 1e-9})
				if err != nil || s.Status != solve.EventFault || math.Abs(s.XEnd[0]) > 1e-6 {
					t.Errorf("g = %v, e = %v, rtol = %v: %v, %v at y = %v", g, e, rtol, err, s.Status, s.XEnd[0])
				}
			}
		}
	}
}

// TestEventFaults holds that what fires for ever is refused, with its name, its time and what to do.
func TestEventFaults(t *testing.T) {
	for _, k := range []struct{ name, text, says string }{
		{"bounces that die down", "state y = 1, v = 0\ny' = v\nv' = -10\nwhen y < 0 { v := -0.5*v }", "`when y < 0` goes wrong: it fires for ever: "},
		{"a switch without hysteresis", "state x = -1\ndiscrete u = 1\nx' = u\nwhen x > 0 { u := -1 }\nwhen x < 0 { u := 1 }", "it fires again and again at one time, set off by itself or by others: `when x > 0`, `when x < 0`"},
		{"a circle", "discrete a = 0, b = 0\nat t = 1 { a := 1 }\nwhen a > 0.5 { a := 0; b := 1 }\nwhen b > 0.5 { b := 0; a := 1 }", "`when a > 0.5`, `when b > 0.5`"},
		{"a value that is none", "state x = 1\nx' = -1\nwhen x < 0.5 { x := log(x - 1) }", "it assigns a value that is not finite: x = NaN"},
		{"a delay below zero", "state x = 1\nx' = -1\nwhen x < 0.5 after x - 1 { x := 1 }", "its delay is -0.5"},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		s := run(t, c, 10, nil, nil)
		if s.Status != solve.EventFault || s.Fault == nil {
			t.Errorf("%s: %v", k.name, s.Status)
			continue
		}
		if !strings.Contains(s.Fault.Error(), k.says) || s.Fault.Help() == "" || s.Fault.Where == nil {
			t.Errorf("%s: %v", k.name, s.Fault)
		}
	}
	for _, k := range []struct{ name, text, says string }{
		{"a period of zero", "param p = 0\nstate x = 1\nx' = 0\nevery p { x := 1 }", "has the period 0"},
		{"a time that is none", "param p = -1\nstate x = 1\nx' = 0\nat t = log(p) { x := 1 }", "is not a number"},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		if _, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.System, T1: 1}); err == nil || !strings.Contains(err.Error(), k.says) {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	c := compile(t, ball)
	if _, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.System, T0: 1}); err == nil || !strings.Contains(err.Error(), "forward in time") {
		t.Errorf("backwards: %v", err)
	}
}

// TestEventOutputs holds that outputs at an event's time show the values after it, that dense output is continuous from the right, and that outputs
// neither move events nor are moved by them.
func TestEventOutputs(t *testing.T) {
	c := compile(t, `model M {
  state x = 1
  discrete n = 0
  x' = -x
  every 1 { x := x + 1; n := n + 1 }
}`)
	times := []float64{0, 0.5, 1, 1.5, 2, 2.25, 3}
	s := run(t, c, 3, times, nil)
	exact := func(t float64) float64 {
		x, last := 1.0, 0.0
		for k := 1.0; k <= t; k++ {
			x = x*math.Exp(last-k) + 1
			last = k
		}
		return x * math.Exp(last-t)
	}
	out := make([]float64, 2)
	for i, tt := range times {
		if d := s.Row(i)[0] - exact(tt); math.Abs(d) > 1e-9 || s.Row(i)[1] != math.Floor(tt) {
			t.Errorf("t = %g: %v, want %g", tt, s.Row(i), exact(tt))
		}
		if err := s.At(tt, out); err != nil || !slices.Equal(out, s.Row(i)) && math.Abs(out[0]-s.Row(i)[0]) > 1e-12 {
			t.Errorf("dense at %g: %v, %v, want %v", tt, out, err, s.Row(i))
		}
	}
	if err := s.At(math.Nextafter(2, 0), out); err != nil || out[1] != 1 {
		t.Errorf("just before an event: %v, %v", out, err)
	}
	every := run(t, c, 3, nil, nil)
	if d := every.XEnd[0] - s.XEnd[0]; d != 0 {
		t.Errorf("outputs moved the solution by %g", d)
	}
	for _, k := range []func(p *solve.Problem){
		func(p *solve.Problem) { p.NoDense = true },
		func(p *solve.Problem) { p.Mesh = s.Mesh() },
		func(p *solve.Problem) { p.Step = 0.01 },
	} {
		o := run(t, c, 3, times, k)
		for i := range times {
			if d := math.Abs(o.Row(i)[0] - s.Row(i)[0]); d > 1e-9 {
				t.Errorf("at %g off by %g", times[i], d)
			}
		}
	}
}

// TestEventFunctions holds the derivatives of guards, resets, times and delays against differences.
func TestEventFunctions(t *testing.T) {
	c := compile(t, `model M {
  param a = 1.5, b = 0.7
  state x = 1, u[2] = [0.3, 0.4]
  x' = -a*x
  u' = -u
  when x*a > b and u[1] < x { x := a*x*u[2]; u[1] := b^2*t }
  at t = a*b { u := x*u }
  every a^2 { x := 2 }
  when x < u[1] after a*x { x := b }
}`)
	th := c.System.Defaults()
	fs := []system.Func{c.System.Guards}
	for _, e := range c.System.Events {
		fs = append(fs, e.Reset, e.Time, e.Delay)
	}
	for n, f := range fs {
		if f == nil {
			continue
		}
		f = f.Clone()
		nx, nth, nz := f.Dims()
		x := []float64{1.2, 0.3, 0.8}[:nx]
		at := func(t float64, x, th []float64) []float64 {
			z := make([]float64, nz)
			f.Eval(z, t, x, th)
			return z
		}
		for j := range nx + nth + 1 {
			const h = 1e-6
			dx, dth, dt := make([]float64, nx), make([]float64, nth), 0.0
			switch {
			case j < nx:
				dx[j] = 1
			case j < nx+nth:
				dth[j-nx] = 1
			default:
				dt = 1
			}
			move := func(s float64) []float64 {
				x2, th2 := slices.Clone(x), slices.Clone(th)
				for i := range x2 {
					x2[i] += s * h * dx[i]
				}
				for i := range th2 {
					th2[i] += s * h * dth[i]
				}
				return at(0.4+s*h*dt, x2, th2)
			}
			hi, lo := move(1), move(-1)
			dz := make([]float64, nz)
			f.JVP(dz, 0.4, x, th, dt, dx, dth)
			for i := range dz {
				if want := (hi[i] - lo[i]) / (2 * h); math.Abs(dz[i]-want) > 1e-7 {
					t.Errorf("function %d, direction %d, value %d: %g, differences give %g", n, j, i, dz[i], want)
				}
				gz := make([]float64, nz)
				gz[i] = 1
				gx, gth := make([]float64, nx), make([]float64, nth)
				gt := f.VJP(gx, gth, 0.4, x, th, gz)
				back := append(append(gx, gth...), gt)[j]
				if math.Abs(back-dz[i]) > 1e-12 {
					t.Errorf("function %d, direction %d, value %d: backward %g, forward %g", n, j, i, back, dz[i])
				}
			}
		}
	}
}

// TestEventAllocations holds that steps without events cost no memory where a system has events.
func TestEventAllocations(t *testing.T) {
	for _, events := range []string{"when x > 2 { x := 0 }", "when x > 1.00001 { x := 0 }", "when x > 1.00001 or x < -1.00001 and y > 1.1 { x := 0 }"} {
		c := compile(t, "model M {\nstate x = 0, y = 1\nx' = y\ny' = -x\n"+events+"\n}")
		var w solve.Workspace
		run := func(t1 float64) float64 {
			p := &solve.Problem{Sys: c.System, T1: t1, Times: []float64{t1}, NoDense: true, Rtol: 1e-9, MaxSteps: 1 << 30}
			return testing.AllocsPerRun(3, func() {
				if s, err := w.Solve(context.Background(), p); err != nil || len(s.Events) > 0 {
					t.Fatal(err, s.Events)
				}
			})
		}
		if short, long := run(10), run(1000); long > short+2 {
			t.Errorf("%s: %g allocations over 1000, %g over 10", events, long, short)
		}
	}
}
