package sens_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// shaken is a pendulum with a pivot that is shaken and a mass of its own: separable, q' = p/m, p' = −g sin q + a cos wt.
func shaken(t testing.TB) *system.System {
	t.Helper()
	sys := testsys.System("shaken", []string{"q", "p"},
		[]testsys.Param{{Name: "m", Value: 1.2}, {Name: "g", Value: 0.9}, {Name: "a", Value: 0.3}, {Name: "w", Value: 1.7}},
		func(th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[1].Mul(th[2]), th[0].Exp().Times(0.1)}
		},
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[1].Div(th[0]), th[2].Mul(th[3].Mul(t).Cos()).Sub(th[1].Mul(x[0].Sin()))}
		})
	p, err := sparse.NewPattern(2, []int{0, 1}, []int{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	sys.Pattern = p
	return sys
}

// TestSymplecticGradients: the discrete adjoint, forward sensitivities by the same steps and differences over them are one gradient, at the rounding of each.
func TestSymplecticGradients(t *testing.T) {
	sys := shaken(t)
	for _, name := range []string{"Verlet", "Yoshida6"} {
		for _, span := range [][2]float64{{0.5, 3}, {3, 1}} {
			at := func(s float64) float64 { return span[0] + s*(span[1]-span[0]) }
			for _, times := range [][]float64{{at(0), at(0.11), at(0.111), at(0.5), at(0.5), at(0.93), at(1)}, {at(0), at(0.5), at(1)}} {
				p := &solve.Problem{Sys: sys, Method: find(t, name), T0: span[0], T1: span[1], Step: math.Abs(span[1]-span[0]) / 50}
				loss := odd{times}
				gs := map[string][]float64{}
				for _, gm := range sens.Methods() {
					g := make([]float64, 4)
					if _, sol, err := gm.Gradient(context.Background(), p, loss, g); err != nil || sol.Status != solve.Done {
						t.Fatal(name, gm.Name, err)
					}
					gs[gm.Name] = g
				}
				a, f, d := worst(gs["discrete"], gs["forward"]), worst(gs["discrete"], gs["differences"]), worst(gs["forward"], gs["differences"])
				t.Logf("%s over %v: the adjoint is off the forward method by %.1e, off differences by %.1e; these two by %.1e", name, span, a, f, d)
				// Forward sensitivities have no second derivatives of their own: within steps their dense output goes by differences.
				if a > 1e-10 || f > 1e-8 || d > 1e-8 {
					t.Errorf("%s: %v", name, gs)
				}
			}
		}
	}
	blind := *sys
	blind.NoSecond = "for a test"
	p := &solve.Problem{Sys: &blind, Method: find(t, "Yoshida6"), T1: 1, Step: 0.125}
	g := make([]float64, 4)
	if _, _, err := sens.Adjoint(context.Background(), p, odd{[]float64{0.3}}, g); err == nil || !strings.Contains(err.Error(), "Yoshida6") {
		t.Errorf("second derivatives where there are none: %v", err)
	}
	if _, _, err := sens.Adjoint(context.Background(), p, odd{[]float64{0.25, 1}}, g); err != nil {
		t.Errorf("at the ends of steps: %v", err)
	}
}

// TestRockGradients: the discrete adjoint against forward sensitivities by the same steps. Differences would need the same numbers of stages.
func TestRockGradients(t *testing.T) {
	for _, name := range []string{"ROCK2", "ROCK4"} {
		for _, span := range [][2]float64{{0.5, 3}, {3, 1}} {
			at := func(s float64) float64 { return span[0] + s*(span[1]-span[0]) }
			for _, step := range []float64{0, 0.05} {
				loss := odd{[]float64{at(0), at(0.11), at(0.111), at(0.5), at(0.5), at(0.93), at(1)}}
				p := &solve.Problem{Sys: driven(), Method: find(t, name), T0: span[0], T1: span[1], Rtol: 1e-4, Atol: 1e-4, Step: step}
				g, f := make([]float64, 3), make([]float64, 3)
				_, sol, err := sens.Adjoint(context.Background(), p, loss, g)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := (sens.ForwardMethod{StatesOnly: true}).Gradient(context.Background(), p, loss, f); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s over %v, step %g: off by %.1e with %d steps", name, span, step, worst(g, f), sol.Stats.Steps)
				if off := worst(g, f); off > 1e-12 {
					t.Errorf("%s over %v: the adjoint gives %v, forward %v, off by %.1e", name, span, g, f, off)
				}
			}
		}
	}
}

// TestRockGradientOfManyStages: fast diffusion between two places at a fixed step that takes many stages, against differences of the same steps.
func TestRockGradientOfManyStages(t *testing.T) {
	sys := testsys.System("diffusion", []string{"x", "y"}, []testsys.Param{{Name: "a", Value: 120}, {Name: "b", Value: 0.4}, {Name: "w", Value: 1.3}},
		func(th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[1], th[2]} },
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			d := th[0].Mul(x[1].Sub(x[0]))
			return []testsys.Expr{d.Add(th[1].Mul(x[0].Sin())), th[2].Mul(t).Cos().Sub(d)}
		})
	loss := &squares{times: []float64{0, 0.5, 0.77, 0.78, 1.3, 2}, targets: make([]float64, 12), weights: []float64{1}}
	for _, name := range []string{"ROCK2", "ROCK4"} {
		p := &solve.Problem{Sys: sys, Method: find(t, name), T1: 2, Step: 0.25}
		g, th := make([]float64, 3), sys.Defaults()
		_, sol, err := sens.Adjoint(context.Background(), p, loss, g)
		if err != nil {
			t.Fatal(err)
		}
		st := sol.StepRecord(3)
		if stages := st.K[len(st.K)-1]; stages < 9 {
			t.Errorf("%s: %v stages", name, stages)
		} else {
			t.Logf("%s: %v stages", name, stages)
		}
		value := func(i int, d float64) float64 {
			q := *p
			q.Theta = append([]float64(nil), th...)
			q.Theta[i] += d
			v, _, err := new(sens.Workspace).Value(context.Background(), &q, loss)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for i, v := range th {
			h := 1e-3 * v
			d := (8*(value(i, h)-value(i, -h)) - (value(i, 2*h) - value(i, -2*h))) / (12 * h)
			t.Logf("%s: by %s %.12g, differences %.12g", name, sys.Theta[i].Name, g[i], d)
			// Stiff components see rounding through the fourth power of h ρ, which differences divide by their step.
			if math.Abs(d-g[i]) > 3e-8*(math.Abs(d)+1) {
				t.Errorf("%s: by %s %v, differences %v", name, sys.Theta[i].Name, g[i], d)
			}
		}
	}
}

// TestAdamsGradients: the discrete adjoint against forward sensitivities by the same steps and orders, with one output within a step and with many.
func TestAdamsGradients(t *testing.T) {
	for _, span := range [][2]float64{{0.5, 3}, {3, 1}} {
		at := func(s float64) float64 { return span[0] + s*(span[1]-span[0]) }
		for _, times := range [][]float64{{at(0), at(0.11), at(0.111), at(0.5), at(0.5), at(0.93), at(1)}, {at(0.4)}, {at(1)}} {
			for _, p := range []*solve.Problem{{Rtol: 1e-4, Atol: 1e-4}, {Rtol: 1e-9, Atol: 1e-9}, {Step: 0.02}} {
				p.Sys, p.Method, p.T0, p.T1 = driven(), find(t, "VCABM"), span[0], span[1]
				loss := odd{times}
				g, f := make([]float64, 3), make([]float64, 3)
				_, sol, err := sens.Adjoint(context.Background(), p, loss, g)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := (sens.ForwardMethod{StatesOnly: true}).Gradient(context.Background(), p, loss, f); err != nil {
					t.Fatal(err)
				}
				most := 0.0
				for n := range sol.NumSteps() {
					most = max(most, sol.StepRecord(n).K[0])
				}
				t.Logf("%v: off by %.1e with %d steps of orders up to %v", span, worst(g, f), sol.Stats.Steps, most)
				if off := worst(g, f); off > 1e-12 {
					t.Errorf("over %v at %v: the adjoint gives %v, forward %v, off by %.1e", span, times, g, f, off)
				}
			}
		}
	}
}

// TestExplicitGradients: every gradient through Adams and ROCK against a tight one by Vern9.
func TestExplicitGradients(t *testing.T) {
	sys := driven()
	loss := odd{[]float64{0.5, 1, 1.77, 3}}
	want := make([]float64, 3)
	if _, _, err := sens.Adjoint(context.Background(), &solve.Problem{Sys: sys, Method: find(t, "Vern9"), T0: 0.5, T1: 3, Rtol: 1e-13, Atol: 1e-13}, loss, want); err != nil {
		t.Fatal(err)
	}
	for _, m := range method.Solvers() {
		info := m.Info()
		if info.Family != method.ExplicitMultistep && info.Family != method.Stabilised {
			continue
		}
		tol := 1e-8
		if info.Order == 2 {
			tol = 1e-6
		}
		p := &solve.Problem{Sys: sys, Method: m, T0: 0.5, T1: 3, Rtol: tol, Atol: tol}
		g := make([]float64, 3)
		for _, name := range []string{"discrete", "forward", "differences"} {
			gm, _ := sens.Lookup(name)
			if _, sol, err := gm.Gradient(context.Background(), p, loss, g); err != nil || sol.Status != solve.Done {
				t.Fatal(info.Name, name, err)
			}
			off := worst(g, want)
			t.Logf("%s by %s: off by %.1e", info.Name, name, off)
			if off > 100*tol {
				t.Errorf("%s by %s: %v, want %v", info.Name, name, g, want)
			}
		}
	}
}
