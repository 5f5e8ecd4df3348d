package compiler_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestNestedJumps holds comparisons of what jumps itself, in right-hand sides and in conditions of events, to what they are.
func TestNestedJumps(t *testing.T) {
	for _, k := range []struct {
		text string
		t1   float64
		end  []float64
		at   []float64 // times of the events; nil: not looked at
	}{
		{"state x = 0\nx' = if mod(t,1) < 0.5 then 1 else 0", 30, []float64{15}, nil},
		{"state x = 0\nx' = if mod(t,24) < 8 then 1 else 0", 240, []float64{80}, nil},
		{"state x = 0\nx' = if mod(t,1) > 0.9 then 1 else 0", 30, []float64{3}, nil},
		{"state x = 0\nx' = if sign(sin(t)) > 0 then 1 else 0", 20, []float64{20 - 3*math.Pi}, nil},
		{"state x = 0\nlet a = if t > 1 then 2-t else 0\nx' = if a > 0.5 then 1 else 0", 3, []float64{0.5}, nil},
		{"state x = 0\ndiscrete n = 0\nx' = 1\nwhen mod(t,1) < 0.9 { n := n+1 }", 30, []float64{30, 30}, nil},
		{"state x = 0\ndiscrete on = 1\nx' = on\nwhen mod(t,1) > 0.1 { on := 0 }\nwhen mod(t,1) < 0.1 { on := 1 }", 29.5, []float64{3}, nil},
		{"state x = 0\nx' = 1\nwhen floor(x) > 2.5 {}", 10, []float64{10}, []float64{3}},
		{"state x = 0\nx' = 1\nwhen round(x) > 7.5 {}", 10, []float64{10}, []float64{7.5}},
		{"state x = 0\ndiscrete n = 0\nx' = 1\nwhen floor(x) > 4.5 {}\nevery 0.7 { n := n + 1 }\nwhen x > 3.3 { n := n + 1 }", 5.5, []float64{5.5, 8}, []float64{0.7, 1.4, 2.1, 2.8, 3.3, 3.5, 4.2, 4.9, 5}},
		{"state x = 0\nx' = 1\nwhen floor(t/24) > 1.5 either {}", 100, []float64{100}, []float64{48}},
		{"state x = 0\nx' = 1\nwhen trunc(x) + 0.1*x > 2.5 {}", 10, []float64{10}, []float64{3}},    // not frozen
		{"state x = 0\nx' = 1\nwhen trunc(x) + 0.1*x > 2.25 {}", 10, []float64{10}, []float64{2.5}}, // not frozen, and smooth there
		{"state x = 0\nx' = 1\nwhen (if x > 2 then 3 else x) > 2.5 {}", 10, []float64{10}, []float64{2}},
		{"state x = 0\nx' = 1\nwhen mod(t, 1) > 1 {}", 3.5, []float64{3.5}, []float64{}},
		{"state x = 0\nx' = 1\nwhen mod(t, 1) > 0.25 and x > 1.5 {}", 3.5, []float64{3.5}, []float64{1.5, 2.25, 3.25}},
		{"state x = 0, z = 2\nx' = 1\n0 = z - 2*x - 2\nwhen floor(z) > 4.5 {}", 10, []float64{10}, []float64{1.5}}, // with an algebraic equation
		{"state x = 0, y = 0\nx' = 0\ny' = floor(x) + sign(x)\nat t = 1 { x := 1 }", 2, []float64{1, 2}, []float64{1}},
		{"state x = 0, y = 0\nx' = 0\ny' = if x >= 1 then 1 else 0\nat t = 1 { x := 1 }", 2, []float64{1, 1}, []float64{1}},
		{"state x = 1, y = 0\nx' = -1\ny' = if max(x, 0) > 0 then 1 else 0\nwhen max(x, 0) > 0 falling {}", 3, []float64{-2, 1}, []float64{1}},
		{"state x = 1, y = 0\nx' = 0\ny' = if x <= 1 then 1 else 0", 2, []float64{1, 2}, nil},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		for _, name := range []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "BDF", "auto", "RK4"} {
			m, _ := method.Find(name)
			if c.System.Mass != nil && (name == "Tsit5" || name == "Vern7" || name == "RK4") {
				continue
			}
			for _, rtol := range []float64{1e-6, 1e-10} {
				s := run(t, c, k.t1, nil, func(p *solve.Problem) {
					if p.Method, p.Rtol = m, rtol; name == "RK4" {
						p.Step = 0.01
					}
				})
				if s.Fault != nil {
					t.Errorf("%s, %s: %v", k.text, name, s.Fault)
					continue
				}
				for i, v := range k.end {
					if math.Abs(s.XEnd[i]-v) > 1e-5*max(1, v) {
						t.Errorf("%s, %s, %g: ends at %v, want %v", k.text, name, rtol, s.XEnd, k.end)
					}
				}
				if k.at == nil {
					continue
				}
				at := solve.FiredTimes(s.Events)
				good := len(at) == len(k.at)
				for i := range at {
					good = good && math.Abs(at[i]-k.at[i]) < 1e-6
				}
				if !good {
					t.Errorf("%s, %s, %g: events at %v, want %v", k.text, name, rtol, at, k.at)
				}
			}
		}
	}
}

// TestOscillatingGuards holds that no crossing of what oscillates within a step is missed.
func TestOscillatingGuards(t *testing.T) {
	count := func(f func(float64) float64, t1 float64) (n int) {
		const fine = 400000
		for k := range fine {
			if f(t1*float64(k)/fine) <= 0 && f(t1*float64(k+1)/fine) > 0 {
				n++
			}
		}
		return n
	}
	sin := func(w, c float64) func(float64) float64 { return func(t float64) float64 { return math.Sin(w*t) - c } }
	for _, k := range []struct {
		text string
		t1   float64
		f    func(float64) float64
	}{
		{"state x = 1\nx' = -0.01*x\nwhen sin(100*t) > 0.9 {}", 10, sin(100, 0.9)},
		{"param c = 0.5\nstate x = 1\nx' = -0.01*x\nwhen sin(100*t) > c {}", 10, sin(100, 0.5)},
		{"state x = 1\ndiscrete n = 0\nx' = -0.01*x\nwhen sin(300*t) > 0.9 { n := n + 1 }", 10, sin(300, 0.9)},
		{"state x = 0\nx' = 1\nwhen sin(20*pi*x) > 0.9 {}", 30, sin(20*math.Pi, 0.9)},
		{"state x = 1\nx' = -0.01*x\nwhen sin(3000*t) > 0.9 {}", 10, sin(3000, 0.9)},
		{"state x = 1\nx' = -0.01*x\nwhen sin(t^2) > 0.99 {}", 30, func(t float64) float64 { return math.Sin(t*t) - 0.99 }},
		{"state x = 1\nx' = -0.01*x\nwhen sin(100*t) > 0.9 and cos(7*t) > 0 {}", 10, func(t float64) float64 { return min(math.Sin(100*t)-0.9, math.Cos(7*t)) }},
		{"state x = 1\nx' = -0.01*x\nwhen sin(100*t) > 1.01 {}", 10, sin(100, 1.01)},
	} {
		c := compile(t, "model M {\n"+k.text+"\n}")
		want := count(k.f, k.t1)
		for _, name := range []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "BDF", "auto"} {
			m, _ := method.Find(name)
			s := run(t, c, k.t1, nil, func(p *solve.Problem) { p.Method = m })
			if s.Fault != nil || len(s.Events) != want {
				t.Errorf("%s, %s: %d events, want %d; %v", k.text, name, len(s.Events), want, s.Fault)
			}
		}
	}
	c := compile(t, "model M {\nstate x = 1\nx' = if sin(1000*t) > 0 then 1 else -1\n}")
	half := math.Floor(1000/math.Pi) * math.Pi / 1000
	for _, name := range []string{"Tsit5", "Rodas5P", "BDF", "auto"} {
		m, _ := method.Find(name)
		if s := run(t, c, 1, nil, func(p *solve.Problem) { p.Method = m }); s.Fault != nil || math.Abs(s.XEnd[0]-1-(1-half)) > 1e-7 {
			t.Errorf("%s: ends at %v, want %v; %v", name, s.XEnd, 1+1-half, s.Fault)
		}
	}
}

// TestRandomNested holds random right-hand sides and conditions in which jumps stand within jumps against small steps of the operations themselves.
func TestRandomNested(t *testing.T) {
	want := 200
	if testing.Short() {
		want = 40
	}
	texts := rapid.Custom(func(t *rapid.T) string {
		num := func(lo, hi float64) string {
			return fmt.Sprintf("%.3f", math.Round(1000*rapid.Float64Range(lo, hi).Draw(t, "c"))/1000+0.00037)
		}
		var value, cond func(depth int) string
		value = func(depth int) string {
			if depth == 0 {
				return rapid.SampledFrom([]string{"t", "x", "y", "sin(3*t)", "(x + y)"}).Draw(t, "leaf")
			}
			switch rapid.IntRange(0, 5).Draw(t, "value") {
			case 0:
				return fmt.Sprintf("mod(%s, %s)", value(depth-1), num(0.4, 1.3))
			case 1:
				return fmt.Sprintf("floor(%s*%s)", num(0.5, 3), value(depth-1))
			case 2:
				return fmt.Sprintf("(sign(%s - %s) + 0.3*%s)", value(depth-1), num(-1, 1), value(0))
			case 3:
				return fmt.Sprintf("(if %s then %s else %s)", cond(depth-1), value(depth-1), value(0))
			case 4:
				return fmt.Sprintf("round(%s - %s)", value(depth-1), num(-1, 1))
			}
			return value(0)
		}
		cond = func(depth int) string {
			a := fmt.Sprintf("%s %s %s", value(depth), rapid.SampledFrom([]string{">", "<", ">=", "<="}).Draw(t, "op"), num(-0.5, 1.2))
			switch rapid.IntRange(0, 3).Draw(t, "cond") {
			case 0:
				return fmt.Sprintf("(%s and %s < %s)", a, value(depth), num(-0.2, 1.5))
			case 1:
				return fmt.Sprintf("(%s or not %s > %s)", a, value(depth), num(-0.2, 1.5))
			}
			return a
		}
		return fmt.Sprintf("model M {\nstate x = %s, y = 0.3, n = 0\nx' = 0.5 - 0.2*x + 0.3*sin(t)\ny' = (if %s then 1 else -0.5) - 0.3*y\nn' = if %s then 1 else 0\n}",
			num(-1, 1), cond(2), cond(1))
	})
	names := []string{"Tsit5", "Vern7", "Rodas5P", "auto"}
	compared, jumps := 0, 0
	for seed := 0; compared < want && seed < 10*want && !t.Failed(); seed++ {
		text := texts.Example(seed)
		c := compile(t, text)
		m, _ := method.Find(names[seed%len(names)])
		s := run(t, c, 5, nil, func(p *solve.Problem) { p.Method = m })
		if s.Fault != nil {
			continue // slides
		}
		// Euler's steps of the right-hand side as it is.
		const h = 2e-4
		f := c.System.RHS.Clone()
		th := c.System.Defaults()
		x, dx := make([]float64, 3), make([]float64, 3)
		c.System.Init.Eval(x, 0, nil, th)
		f.Prepare(th)
		for k := range int(5 / h) {
			f.Eval(dx, (float64(k)+0.5)*h, x, nil)
			for i := range x {
				x[i] += h * dx[i]
			}
		}
		compared++
		jumps += len(s.Jumps)
		tol := 3e-3 + 2*h*float64(len(s.Jumps))
		for i := range x {
			if !(math.Abs(x[i]-s.XEnd[i]) < tol) {
				t.Errorf("seed %d, %s: ends at %v, small steps at %v; %d jumps\n%s", seed, m.Info().Name, s.XEnd, x, len(s.Jumps), text)
				break
			}
		}
	}
	t.Logf("%d models, %d jumps", compared, jumps)
}

// TestRandomOscillating holds the events of random oscillating conditions against a dense scan.
func TestRandomOscillating(t *testing.T) {
	want := 120
	if testing.Short() {
		want = 30
	}
	type guard struct {
		text string
		f    func(float64) float64
	}
	guards := rapid.Custom(func(t *rapid.T) guard {
		w := math.Round(math.Exp(rapid.Float64Range(0, 6.5).Draw(t, "w"))*100) / 100
		v := math.Round(math.Exp(rapid.Float64Range(0, 5).Draw(t, "v"))*100) / 100
		a := math.Round(100*rapid.Float64Range(0, 1).Draw(t, "a")) / 100
		c := math.Round(100*rapid.Float64Range(-1.2, 1.2).Draw(t, "c"))/100 + 0.00123
		one := func(s float64) float64 { return math.Sin(w*s) + a*math.Cos(v*s) - c }
		text := fmt.Sprintf("sin(%g*t) + %g*cos(%g*t) > %g", w, a, v, c)
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return guard{text + " and sin(2*t) < 0.3", func(s float64) float64 { return min(one(s), 0.3-math.Sin(2*s)) }}
		case 1:
			return guard{fmt.Sprintf("abs(sin(%g*t)) > %g", w, math.Abs(c)/1.3+0.02), func(s float64) float64 { return math.Abs(math.Sin(w*s)) - (math.Abs(c)/1.3 + 0.02) }}
		}
		return guard{text, one}
	})
	names := []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "BDF", "auto"}
	events := 0
	for seed := range want {
		k := guards.Example(seed)
		c := compile(t, "model M {\nstate x = 1\nx' = -0.01*x\nwhen "+k.text+" either {}\n}")
		m, _ := method.Find(names[seed%len(names)])
		s := run(t, c, 5, nil, func(p *solve.Problem) { p.Method = m })
		at := solve.FiredTimes(s.Events)
		const fine = 1000000
		var scan []float64
		for i := range fine {
			if (k.f(5*float64(i)/fine) > 0) != (k.f(5*float64(i+1)/fine) > 0) {
				scan = append(scan, 5*float64(i)/fine)
			}
		}
		good := s.Fault == nil && len(at) == len(scan)
		for i := range at {
			good = good && math.Abs(at[i]-scan[i]) <= 5.1/fine
		}
		if !good {
			t.Errorf("seed %d, %s, %s: %d events, the scan has %d; %v", seed, m.Info().Name, k.text, len(at), len(scan), s.Fault)
		}
		events += len(at)
	}
	t.Logf("%d events", events)
}
