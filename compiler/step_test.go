package compiler_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

func init() {
	shapes["tanh"] = `model M { param k = 2, w = 1.3; state x = 1, y = 0.5, z = 0; x' = tanh(k*y) - x; y' = -k*x + sin(w*t)*exp(-z); z' = x^2*y - z }`
}

// without skips a test of generated code where there can be none, and fails it where there should be.
func without(t *testing.T, s *system.System) {
	t.Helper()
	if len(code.Widths()) > 0 {
		t.Fatal("this machine runs generated code, but there is none; the back end is " + s.Backend())
	}
	t.Skip("no generated code here: " + s.Backend())
}

// TestWholeStep compares whole steps with the ordinary loop, for every method that controls its steps.
func TestWholeStep(t *testing.T) {
	for _, name := range []string{"lv", "tanh"} {
		for _, m := range method.All() {
			if !m.Adaptive() {
				continue
			}
			a := compileWith(t, shapes[name], code.Options{}).System
			b := compileWith(t, shapes[name], code.Options{Portable: true}).System
			if a.Stepping(m) == nil {
				without(t, a)
			}
			p := &solve.Problem{Sys: a, Method: m, T1: 5, Times: []float64{1, 2.5, 5}, Rtol: 1e-8, Atol: 1e-10}
			x, err := solve.Solve(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			q := *p
			q.Sys = b
			y, err := solve.Solve(context.Background(), &q)
			if err != nil {
				t.Fatal(err)
			}
			if x.Stats.Steps != y.Stats.Steps || x.Stats.Rejected != y.Stats.Rejected || x.Stats.Evals != y.Stats.Evals {
				t.Errorf("%s %s: %+v, the ordinary loop %+v", name, m.Name, x.Stats, y.Stats)
			}
			for i := range y.X {
				if math.Abs(x.X[i]-y.X[i]) > 1e-12*(1+math.Abs(y.X[i])) {
					t.Errorf("%s %s: output %d is %v, the ordinary loop has %v", name, m.Name, i, x.X[i], y.X[i])
				}
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, name := range []string{"lv", "ude", "node50"} {
		for _, how := range []code.Options{{}, {Portable: true}} {
			s := compileWith(b, shapes[name], how).System
			p := &solve.Problem{Sys: s, T1: 10, Times: []float64{10}, Rtol: 1e-8, Atol: 1e-8, NoDense: true}
			var w solve.Workspace
			b.Run(fmt.Sprintf("%s/portable=%v", name, how.Portable), func(b *testing.B) {
				n := 0
				for b.Loop() {
					sol, err := w.Solve(context.Background(), p)
					if err != nil {
						b.Fatal(err)
					}
					n += sol.Stats.Steps + sol.Stats.Rejected
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/step")
			})
		}
	}
}

// meet is the loss Σ (x − 1)² at the output times.
type meet struct{ times []float64 }

func (m meet) Times() []float64 { return m.times }

func (m meet) Eval(x, _, gx, _ []float64) (float64, error) {
	s := 0.0
	for i, v := range x {
		s += (v - 1) * (v - 1)
		if gx != nil {
			gx[i] = 2 * (v - 1)
		}
	}
	return s, nil
}

// TestWorkspaceModes holds that a workspace steps rightly after a problem that was stepped in another way.
func TestWorkspaceModes(t *testing.T) {
	s := compileWith(t, shapes["lv"], code.Options{}).System
	free := &solve.Problem{Sys: s, T1: 5, Times: []float64{5}}
	fixed := &solve.Problem{Sys: s, T1: 0.5, Step: 0.5}
	want, err := solve.Solve(context.Background(), free)
	if err != nil {
		t.Fatal(err)
	}
	var w solve.Workspace
	for range 3 { // an odd number of steps leaves the stages exchanged
		if _, err := w.Solve(context.Background(), fixed); err != nil {
			t.Fatal(err)
		}
		got, err := w.Solve(context.Background(), free)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != solve.Done || got.X[0] != want.X[0] || got.Stats != want.Stats {
			t.Errorf("%v, %v, %+v; alone %v, %+v", got.Status, got.X, got.Stats, want.X, want.Stats)
		}
	}
}

// TestWholeReverse compares the reverse of whole steps with the ordinary loop, outputs within steps and at their ends.
func TestWholeReverse(t *testing.T) {
	for _, name := range []string{"lv", "tanh"} {
		for _, m := range method.All() {
			if !m.Adaptive() || !m.FSAL {
				continue
			}
			a := compileWith(t, shapes[name], code.Options{}).System
			b := compileWith(t, shapes[name], code.Options{Portable: true}).System
			if a.Reversing(m) == nil {
				without(t, a)
			}
			loss := meet{times: []float64{0, 0.5, 0.7, 1.9, 2}}
			p := &solve.Problem{Sys: a, Method: m, T1: 2, Rtol: 1e-5, Atol: 1e-7}
			g, h := make([]float64, a.NTheta), make([]float64, a.NTheta)
			sol, err := solve.Solve(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			p.Mesh = sol.Mesh() // the same steps on both sides: their choice amplifies rounding
			if _, _, err := sens.Adjoint(context.Background(), p, loss, g); err != nil {
				t.Fatal(err)
			}
			q := *p
			q.Sys = b
			if _, _, err := sens.Adjoint(context.Background(), &q, loss, h); err != nil {
				t.Fatal(err)
			}
			most := 0.0
			for _, v := range h {
				most = math.Max(most, math.Abs(v))
			}
			for i := range h {
				if !(math.Abs(g[i]-h[i]) <= 1e-13*most) {
					t.Errorf("%s %s: component %d is %v, the ordinary loop has %v", name, m.Name, i, g[i], h[i])
				}
			}
		}
	}
}

// TestDirections compares many tangent directions at once with one after the other, and with the adjoint.
func TestDirections(t *testing.T) {
	for _, name := range []string{"lv", "tanh", "ude", "heat"} {
		a := compileWith(t, shapes[name], code.Options{}).System
		b := compileWith(t, shapes[name], code.Options{Portable: true}).System
		if a.Directing([]int{0, 1}) == nil && name != "heat" {
			without(t, a)
		}
		loss := meet{times: []float64{0.5, 1}}
		p := &solve.Problem{Sys: a, T1: 1, Rtol: 1e-8, Atol: 1e-8, Theta: a.Defaults()}
		a.Randomize(p.Theta, 2)
		g, h, k := make([]float64, a.NTheta), make([]float64, a.NTheta), make([]float64, a.NTheta)
		how := sens.ForwardMethod{StatesOnly: true}
		if _, _, err := how.Gradient(context.Background(), p, loss, g); err != nil {
			t.Fatal(err)
		}
		if _, _, err := sens.Adjoint(context.Background(), p, loss, k); err != nil {
			t.Fatal(err)
		}
		p.Sys = b
		if _, _, err := how.Gradient(context.Background(), p, loss, h); err != nil {
			t.Fatal(err)
		}
		most := 0.0
		for _, v := range h {
			most = math.Max(most, math.Abs(v))
		}
		for i := range h {
			if !(math.Abs(g[i]-h[i]) <= 1e-9*most) || !(math.Abs(g[i]-k[i]) <= 1e-7*most) {
				t.Errorf("%s: component %d is %v, one by one %v, by the adjoint %v", name, i, g[i], h[i], k[i])
			}
		}
	}
}

func BenchmarkForward(b *testing.B) {
	for _, name := range []string{"lv", "ude"} {
		for _, how := range []code.Options{{}, {Portable: true}} {
			s := compileWith(b, shapes[name], how).System
			p := &solve.Problem{Sys: s, T1: 1, Rtol: 1e-6, Atol: 1e-6}
			g := make([]float64, s.NTheta)
			b.Run(fmt.Sprintf("%s/portable=%v", name, how.Portable), func(b *testing.B) {
				for b.Loop() {
					if _, _, err := sens.Forward(context.Background(), p, meet{times: []float64{1}}, nil, g); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkGradient(b *testing.B) {
	for _, name := range []string{"lv", "ude", "node50"} {
		for _, how := range []code.Options{{}, {Portable: true}} {
			s := compileWith(b, shapes[name], how).System
			loss := meet{}
			for i := range 30 {
				loss.times = append(loss.times, 0.1*float64(i))
			}
			p := &solve.Problem{Sys: s, T1: 2.9, Rtol: 1e-6, Atol: 1e-6, Theta: s.Defaults()}
			s.Randomize(p.Theta, 1)
			g := make([]float64, s.NTheta)
			var w sens.Workspace
			b.Run(fmt.Sprintf("%s/portable=%v", name, how.Portable), func(b *testing.B) {
				var forward, back time.Duration
				n := 0
				for b.Loop() {
					t0 := time.Now()
					_, sol, err := w.Value(context.Background(), p, loss)
					if err != nil {
						b.Fatal(err)
					}
					t1 := time.Now()
					if _, _, err := w.Adjoint(context.Background(), p, loss, g); err != nil {
						b.Fatal(err)
					}
					forward += t1.Sub(t0)
					back += time.Since(t1)
					n += sol.Stats.Steps
				}
				b.ReportMetric(float64(back)/float64(forward), "gradient/forward")
				b.ReportMetric(float64(forward)/float64(n), "forward-ns/step")
			})
		}
	}
}
