package compiler_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// tight are models that ask something of what a checkpoint holds, with how their outputs lie.
var tight = []struct {
	name, text string
	t0, t1     float64
	hmax, step float64 // the largest step; the step of methods without control where that is 0
	mass       bool
	only       []string // methods, nil for all that can
}{
	{name: "smooth", text: "param a = 0.7, b = 0.4, w = 1.3\nstate x = a*b, y = exp(b) - w\nx' = a*sin(w*t) - x*y\ny' = x - b*y/(1 + x^2)", t1: 3, hmax: 0.005},
	{name: "backwards", text: "param a = 0.7, b = 0.4, w = 1.3\nstate x = a*b, y = exp(b) - w\nx' = a*sin(w*t) - x*y\ny' = x - b*y/(1 + x^2)", t0: 3, t1: 1, hmax: 0.004},
	{name: "controlled", text: "param a = 1.5, b = 1, c = 3, d = 1\nstate x = 1, y = 1\nx' = a*x - b*x*y\ny' = d*x*y - c*y", t1: 40, step: 0.05},
	{name: "controlled, back", text: "param a = 1.5, b = 1, c = 3, d = 1\nstate x = 1, y = 1\nx' = a*x - b*x*y\ny' = d*x*y - c*y", t0: 40, t1: 4, step: 0.05},
	{name: "driven, controlled", text: "param a = 1, b = 10\nstate x = 1, z = 0, w = 0\nx' = -a*x + w\n0 = z - sin(b*t)*x\n0 = w^3 + w - z - a*x", t1: 25, step: 0.05, mass: true},
	{name: "oscillator", text: "param k = 1.3, m = 0.8\nstate q = 1, p = 0.3\nq' = p/m\np' = -k*sin(q)", t1: 4, hmax: 0.008},
	{name: "van der Pol", text: "param mu = 60\nstate x = 2, y = 0\nx' = y\ny' = mu*(1 - x^2)*y - x", t1: 120, only: []string{"auto", "BDF", "RadauIIA5", "Rodas5P", "KenCarp4"}},
	{name: "bouncing", text: "param g = 9.81, e = 0.95\nstate h = 1, v = 0\nh' = v\nv' = -g\nwhen h < 0 { v := -e*v }", t1: 8, hmax: 0.02},
	{name: "moments", text: "param a = 0.8, p = 0.11\nstate x = 1, y = 0\ndiscrete n = 0\nx' = -a*x + n\ny' = x*y - y\nevery p { x := x + a*0.1 }\nat t = 1 + a { y := y + x }\nwhen x > 1.02 { n := -a }\nwhen x < 0.9 { n := 0.5 }", t1: 4, hmax: 0.02},
	{name: "jumping", text: "param a = 0.8, p = 0.37\nstate x = 1, v = 0\nx' = v\nv' = -4*x - a*v + (if mod(t, p) < 0.4*p then a else 0) + 0.2*sign(x)", t1: 6, hmax: 0.02,
		only: []string{"Tsit5", "Vern7", "Rodas5P", "RadauIIA5", "KenCarp4", "auto", "RK4"}},
	{name: "sheet", text: sheet(12), t1: 0.4, only: []string{"auto", "BDF by GMRES", "BDF by elimination", "ROCK4", "RadauIIA5", "KenCarp4"}},
	{name: "driven", text: "param a = 1, b = 10\nstate x = 1, z = 0, w = 0\nx' = -a*x + w\n0 = z - sin(b*t)*x\n0 = w^3 + w - z - a*x", t1: 3, hmax: 0.01, mass: true},
	{name: "coupled", text: "param b = 10, m = 2\nstate x = 1, y = 1, v = 1\nx' - y' = -v + sin(b*t)\n2*x' - 2*y' = x - v + 2*sin(b*t)\nm*v' = -v + y", t1: 3, hmax: 0.006, mass: true},
	{name: "swing", text: "param g = 9.81, L = 1\nstate x = L, y = 0, u = 0, v = 0, tension = 0\nx' = u\ny' = v\nu' = -tension*x\nv' = -tension*y - g\n0 = x^2 + y^2 - L^2", t1: 2, hmax: 0.01, mass: true},
}

// tries is two, the second in memory that was used before, or one.
func tries(name string) int {
	if name == "recursive" {
		return 2
	}
	return 1
}

// sheet is a reaction that spreads over n × n points, driven so that its Jacobian changes.
func sheet(n int) string {
	var b strings.Builder
	b.WriteString("param d = 40, r = 3, w = 30\n")
	at := func(i, j int) string {
		if i < 0 || j < 0 || i == n || j == n {
			return "0"
		}
		return fmt.Sprintf("u%d_%d", i, j)
	}
	for i := range n {
		for j := range n {
			fmt.Fprintf(&b, "state %s = %g\n", at(i, j), math.Sin(float64(i*j)))
			fmt.Fprintf(&b, "%s' = d*(%s + %s + %s + %s - 4*%s) + r*sin(w*t)*%s^3 - %s^5\n", at(i, j), at(i-1, j), at(i+1, j), at(i, j-1), at(i, j+1), at(i, j), at(i, j), at(i, j))
		}
	}
	return b.String()
}

// named is a solver with what it is called here.
type named struct {
	name string
	m    method.Method
}

// solvers are all, and some in other forms.
func solvers() (all []named) {
	for _, m := range method.Solvers() {
		all = append(all, named{m.Info().Name, m})
		switch m := m.(type) {
		case *method.BDF:
			gmres, direct := *m, *m
			gmres.Linear, direct.Linear = "krylov", "direct"
			all = append(all, named{"BDF by GMRES", &gmres}, named{"BDF by elimination", &direct})
		case *method.Radau:
			all = append(all, named{"RadauIIA5 of any order", m.Varying()})
		}
	}
	return all
}

// bounds are ways to let memory end, of steps that take so many bytes and have so many states.
func bounds(outputs, row, states int64) map[string]*solve.Problem {
	return map[string]*solve.Problem{
		"levels":    {Checkpoints: &solve.Checkpoints{Memory: outputs + 80*row + 40_000}},
		"little":    {Checkpoints: &solve.Checkpoints{Memory: outputs + 30*row + 10_000 + 3000*states}},
		"recursive": {Checkpoints: &solve.Checkpoints{Recursive: true}},
		"the limit": {MaxMemory: outputs + 50*row + 40_000},
	}
}

// TestCheckpointsGiveTheSameBits holds gradients over steps that were made again against those over steps that were kept, to the bit, for every method that has them.
func TestCheckpointsGiveTheSameBits(t *testing.T) {
	if testing.Short() {
		t.Skip("every solver on every kind of model: left out with -short")
	}
	repeated := map[string]int{}
	for _, k := range tight {
		c := compile(t, "model M {\n"+k.text+"\n}")
		sys := c.System
		at := func(s float64) float64 { return k.t0 + s*(k.t1-k.t0) }
		loss := &eventLoss{times: []float64{at(0), at(0.11), at(0.111), at(0.5), at(0.5), at(0.93), at(1)}, states: true}
		if len(sys.Events) > 0 {
			loss.weight = []float64{0.7, 0.2}
		}
		for _, s := range solvers() {
			m, info := s.m, s.m.Info()
			info.Name = s.name
			if k.mass && !info.Mass || k.only != nil && !slices.Contains(k.only, info.Name) || info.Order < 3 && k.name != "smooth" && k.name != "oscillator" {
				continue
			}
			p := &solve.Problem{Sys: sys, Method: m, T0: k.t0, T1: k.t1, Rtol: 1e-7, Atol: 1e-8, Hmax: k.hmax}
			if sys.NX > 100 {
				p.Rtol, p.Atol = 1e-8, 1e-9
			}
			if !info.Adaptive {
				p.Hmax, p.Step = 0, max(k.hmax/2, k.step)
			}
			var free, bound sens.Workspace
			want, got := make([]float64, sys.NTheta), make([]float64, sys.NTheta)
			v, sol, err := free.Adjoint(context.Background(), p, loss, want)
			if err != nil {
				t.Logf("%s, %s: %v", k.name, info.Name, err)
				continue
			}
			if sol.Status != solve.Done || sol.Stats.Checkpoints != 0 {
				t.Errorf("%s, %s: %v, %d checkpoints", k.name, info.Name, sol.Fault, sol.Stats.Checkpoints)
				continue
			}
			row := int64(8 * len(append(sol.StepRecord(0).X, sol.StepRecord(0).K...)))
			for name, b := range bounds(int64(16*len(loss.times)*(sys.NX+1)), row, int64(sys.NX)) {
				q := *p
				q.Checkpoints, q.MaxMemory = b.Checkpoints, b.MaxMemory
				for again := range tries(name) {
					u, out, err := bound.Adjoint(context.Background(), &q, loss, got)
					if err != nil || out.Status != solve.Done {
						t.Errorf("%s, %s, %s: %v, %v", k.name, info.Name, name, err, out)
						break
					}
					if u != v || !slices.EqualFunc(got, want, sameBits) || !slices.EqualFunc(bound.GX0(), free.GX0(), sameBits) {
						t.Errorf("%s, %s, %s, %d: %v by %d of %d steps again, want %v", k.name, info.Name, name, again, got, out.Stats.Repeated, out.Stats.Steps, want)
					}
					if !slices.EqualFunc(out.X, sol.X, sameBits) || out.TEnd != sol.TEnd || !slices.EqualFunc(out.XEnd, sol.XEnd, sameBits) || !sameEvents(out.Events, sol.Events) || !sameEvents(out.Jumps, sol.Jumps) {
						t.Errorf("%s, %s, %s: the solution is another one after its steps were made again", k.name, info.Name, name)
					}
					was := out.Stats
					was.Checkpoints, was.Repeated = 0, 0
					if was != sol.Stats {
						t.Errorf("%s, %s, %s: %+v, want %+v", k.name, info.Name, name, was, sol.Stats)
					}
					if out.Stats.Repeated == 0 && out.Stats.Steps > 540 {
						t.Errorf("%s, %s, %s: %d steps, of which none was made again", k.name, info.Name, name, out.Stats.Steps)
					}
					repeated[name] += out.Stats.Repeated
				}
			}
			t.Logf("%-18s %-12s %6d steps, %d events", k.name, info.Name, sol.Stats.Steps, sol.Stats.Events)
		}
	}
	t.Log("made again:", repeated)
}

// sameEvents compares events, and of those that have kept their states these.
func sameEvents(got, want []solve.Fired) bool {
	return slices.EqualFunc(got, want, func(a, b solve.Fired) bool {
		if a.Before == nil {
			b.Before, b.After = nil, nil
		}
		return reflect.DeepEqual(a, b)
	})
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }
