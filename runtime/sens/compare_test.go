package sens_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// driven depends on t, on θ through the initial values too, and on each parameter in its own
// way: x' = a·sin(w t) − x y, y' = x − b·y/(1 + x²), x0 = a·b, y0 = exp(b) − w.
func driven() *system.System {
	return testsys.System("driven", []string{"x", "y"},
		[]testsys.Param{{Name: "a", Value: 0.7}, {Name: "b", Value: 0.4}, {Name: "w", Value: 1.3}},
		func(th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(th[1]), th[1].Exp().Sub(th[2])}
		},
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{
				th[0].Mul(th[2].Mul(t).Sin()).Sub(x[0].Mul(x[1])),
				x[0].Sub(th[1].Mul(x[1]).Div(x[0].Mul(x[0]).Plus(1))),
			}
		})
}

// odd is a loss that is no sum of squares and depends on θ itself: Σ_ij c_ij sin(x_ij) + Σ θ³.
type odd struct{ times []float64 }

func (l odd) Times() []float64 { return l.times }

func (l odd) Eval(x, th, gx, gth []float64) (float64, error) {
	sum := 0.0
	for i, v := range x {
		c := 1 + math.Mod(float64(i)*0.37, 1)
		sum += c * math.Sin(v)
		if gx != nil {
			gx[i] = c * math.Cos(v)
		}
	}
	for i, v := range th {
		sum += v * v * v
		if gth != nil {
			gth[i] += 3 * v * v
		}
	}
	return sum, nil
}

// Every gradient method against every other one, over every solver, forwards and backwards,
// with outputs at the start, within steps, several in a step, and at the end.
func TestEveryMethodAgainstEveryOther(t *testing.T) {
	for _, m := range method.All() {
		for _, span := range [][2]float64{{0.5, 3}, {3, 1}} {
			at := func(s float64) float64 { return span[0] + s*(span[1]-span[0]) }
			loss := odd{[]float64{at(0), at(0.11), at(0.111), at(0.5), at(0.5), at(0.93), at(1)}}
			p := &solve.Problem{Sys: driven(), Method: m, T0: span[0], T1: span[1], Rtol: 1e-4, Atol: 1e-4}
			if !m.Adaptive() {
				p.Step = 0.05
			}
			gs := map[string][]float64{}
			for _, gm := range sens.Methods() {
				if gm.Continuous {
					continue // compared at a stringent tolerance, below
				}
				g := []float64{9, 9, 9}
				if gm.Name == "forward" {
					// The steps of the plain solve, so that all differentiate the same numbers.
					f := sens.ForwardMethod{StatesOnly: true}
					if _, _, err := f.Gradient(context.Background(), p, loss, g); err != nil {
						t.Fatal(err)
					}
				} else if _, _, err := gm.Gradient(context.Background(), p, loss, g); err != nil {
					t.Fatal(err)
				}
				gs[gm.Name] = g
			}
			for a, ga := range gs {
				for b, gb := range gs {
					tol := 1e-13
					if a == "differences" || b == "differences" {
						tol = 1e-9
					}
					if off := worst(ga, gb); !(off < tol) {
						t.Errorf("%s over %v: %s gives %v, %s gives %v, off by %.1e", m.Name, span, a, ga, b, gb, off)
					}
				}
			}
		}
	}
}

// Random linear systems, random times: the adjoint is the transpose of the forward method.
func TestAdjointIsTransposeOfForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th := rapid.SliceOfN(rapid.Float64Range(-1, 1), 12, 12).Draw(t, "theta")
		times := rapid.SliceOfN(rapid.Float64Range(0, 2), 1, 8).Draw(t, "times")
		slices.Sort(times)
		m := rapid.SampledFrom(method.All()).Draw(t, "method")
		sys := testsys.System("linear", []string{"x", "y", "z"}, testsys.Params("a", th), testsys.Last(3),
			func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
				z := make([]testsys.Expr, 3)
				for i := range z {
					z[i] = th[3*i].Mul(x[0]).Add(th[3*i+1].Mul(x[1])).Add(th[3*i+2].Mul(x[2]))
				}
				return z
			})
		p := &solve.Problem{Sys: sys, Method: m, T1: 2, Rtol: 1e-3, Atol: 1e-3}
		if !m.Adaptive() {
			p.Step = 0.1
		}
		loss := odd{times}
		a, f := make([]float64, 12), make([]float64, 12)
		if _, _, err := sens.Adjoint(context.Background(), p, loss, a); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (sens.ForwardMethod{StatesOnly: true}).Gradient(context.Background(), p, loss, f); err != nil {
			t.Fatal(err)
		}
		if off := worst(a, f); !(off < 1e-12) {
			t.Fatalf("%s: adjoint %v, forward %v", m.Name, a, f)
		}
	})
}

// wrong is a function with a derivative that is a little off.
type wrong struct{ system.Func }

func (w wrong) Clone() system.Func { return wrong{w.Func.Clone()} }

func (w wrong) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	gt := w.Func.VJP(gx, gth, t, x, th, gz)
	if gth != nil {
		gth[1] += 1e-6 * gz[0]
	}
	return gt
}

// The comparison bites: a planted wrong rule is noticed.
func TestWrongDerivativeIsNoticed(t *testing.T) {
	sys := driven()
	sys.RHS = wrong{sys.RHS}
	p := &solve.Problem{Sys: sys, T1: 3}
	loss := odd{[]float64{1, 2, 3}}
	a, d := make([]float64, 3), make([]float64, 3)
	if _, _, err := sens.Adjoint(context.Background(), p, loss, a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sens.FiniteDifferences(context.Background(), p, loss, nil, d); err != nil {
		t.Fatal(err)
	}
	if off := worst(a, d); off < 1e-8 {
		t.Errorf("a wrong rule went unnoticed: %.1e", off)
	}
}

func TestWrt(t *testing.T) {
	p := &solve.Problem{Sys: driven(), T1: 3, Times: []float64{1, 2, 3}}
	loss := odd{p.Times}
	all, some := make([]float64, 3), make([]float64, 2)
	for _, f := range []func(wrt []int, g []float64) error{
		func(wrt []int, g []float64) error {
			_, _, err := (sens.ForwardMethod{Wrt: wrt, StatesOnly: true}).Gradient(context.Background(), p, loss, g)
			return err
		},
		func(wrt []int, g []float64) error {
			_, _, err := sens.FiniteDifferences(context.Background(), p, loss, wrt, g)
			return err
		},
	} {
		if err := errors.Join(f(nil, all), f([]int{2, 0}, some)); err != nil || some[0] != all[2] || some[1] != all[0] {
			t.Error(all, some, err)
		}
		if err := f([]int{3}, some[:1]); err == nil {
			t.Error("a parameter that is not there is accepted")
		}
		if err := f(nil, some); err == nil {
			t.Error("a gradient of the wrong length is accepted")
		}
	}
	s, sol, err := sens.Sensitivities(context.Background(), p, []int{1})
	if err != nil || len(s) != 6 || len(sol.X) != 6 {
		t.Error(s, err)
	}
	full, _, err := sens.Sensitivities(context.Background(), p, nil)
	if err != nil || len(full) != 18 {
		t.Fatal(err)
	}
	for i, v := range s {
		if math.Abs(v-full[3*i+1]) > 1e-5 {
			t.Errorf("∂x/∂b alone %v, among others %v", v, full[3*i+1])
		}
	}
}

// Switches have no derivative, whatever the function says.
func TestSwitches(t *testing.T) {
	sys := testsys.System("switched", []string{"x"},
		[]testsys.Param{{Name: "k", Value: 0.5}, {Name: "x", Value: 2}, {Name: "x", Value: 1}},
		func(th []testsys.Expr) []testsys.Expr {
			// x0 = flag·x + (1 − flag)·k
			return []testsys.Expr{th[2].Mul(th[1]).Add(th[2].Neg().Plus(1).Mul(th[0]))}
		},
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg()}
		})
	sys.Theta[1].Role, sys.Theta[2].Role = system.RoleInit, system.RoleFlag
	p := &solve.Problem{Sys: sys, T1: 1, Rtol: 1e-10, Atol: 1e-10}
	for _, m := range sens.Methods() {
		g := make([]float64, 3)
		if _, _, err := m.Gradient(context.Background(), p, last{1}, g); err != nil {
			t.Fatal(err)
		}
		e := math.Exp(-0.5)
		for i, want := range []float64{-2 * e, e, 0} {
			if math.Abs(g[i]-want) > 1e-8 {
				t.Errorf("%s: %v, want %v", m.Name, g, want)
			}
		}
	}
}

// last is x_1 at one time.
type last struct{ t float64 }

func (l last) Times() []float64 { return []float64{l.t} }

func (l last) Eval(x, _, gx, _ []float64) (float64, error) {
	if gx != nil {
		clear(gx)
		gx[0] = 1
	}
	return x[0], nil
}

func TestGivenInitialState(t *testing.T) {
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 3, X0: []float64{1.2, 0.8}, Rtol: 1e-10, Atol: 1e-10}
	var ws sens.Workspace
	g := make([]float64, 6)
	if _, _, err := ws.Adjoint(context.Background(), p, last{2.5}, g); err != nil {
		t.Fatal(err)
	}
	if g[4] != 0 || g[5] != 0 {
		t.Error("a given initial state depends on θ:", g)
	}
	q := *p
	q.X0, q.Theta = nil, p.Sys.Defaults()
	q.Theta[4], q.Theta[5] = 1.2, 0.8
	h := make([]float64, 6)
	if _, _, err := sens.Adjoint(context.Background(), &q, last{2.5}, h); err != nil {
		t.Fatal(err)
	}
	if gx := ws.GX0(); math.Abs(gx[0]-h[4]) > 1e-12 || math.Abs(gx[1]-h[5]) > 1e-12 || math.Abs(g[0]-h[0]) > 1e-12 {
		t.Error(gx, g, h)
	}
	f := make([]float64, 6)
	if _, _, err := sens.Forward(context.Background(), p, last{2.5}, nil, f); err != nil || worst(f, g) > 1e-8 {
		t.Error(f, g, err)
	}
}

// pole is x' = k x², x(0) = 1.
func pole() *system.System {
	return testsys.System("pole", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Mul(x[0])}
		})
}

type broken struct {
	last
	value float64
	err   error
}

func (b broken) Eval(_, _, _, _ []float64) (float64, error) { return b.value, b.err }

func TestFailures(t *testing.T) {
	ctx := context.Background()
	for _, m := range sens.Methods() {
		g := []float64{7}
		v, sol, err := m.Gradient(ctx, &solve.Problem{Sys: pole(), T1: 2}, last{2}, g)
		if err != nil || !math.IsInf(v, 1) || g[0] != 0 || sol.Status == solve.Done || sol.Fault == nil {
			t.Errorf("%s at a pole: %v, %v, %v, %v", m.Name, v, g, sol.Status, err)
		}
		g[0] = 7
		boom := errors.New("boom")
		if _, _, err = m.Gradient(ctx, &solve.Problem{Sys: pole(), T1: 0.5}, broken{last{0.5}, 0, boom}, g); !errors.Is(err, boom) || g[0] != 0 {
			t.Errorf("%s: an error of the loss becomes %v", m.Name, err)
		}
		v, sol, err = m.Gradient(ctx, &solve.Problem{Sys: pole(), T1: 0.5}, broken{last{0.5}, math.NaN(), nil}, g)
		if err != nil || !math.IsNaN(v) || sol.Status != solve.Done || g[0] != 0 {
			t.Errorf("%s: a loss that is not a number gives %v, %v, %v", m.Name, v, g, err)
		}
		for _, c := range []struct {
			want string
			p    *solve.Problem
			loss sens.Loss
			n    int
		}{
			{"room for", &solve.Problem{Sys: pole(), T1: 0.5}, last{0.5}, 2},
			{"outside 0..0.5", &solve.Problem{Sys: pole(), T1: 0.5}, last{0.6}, 1},
			{"rtol is NaN", &solve.Problem{Sys: pole(), T1: 0.5, Rtol: math.NaN()}, last{0.5}, 1},
			{"no system", &solve.Problem{}, last{0.5}, 1},
			{"2 parameter values", &solve.Problem{Sys: pole(), Theta: []float64{1, 2}, T1: 1}, last{0.5}, 1},
		} {
			if _, _, err := m.Gradient(ctx, c.p, c.loss, make([]float64, c.n)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: want an error with %q, got %v", m.Name, c.want, err)
			}
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		v, sol, err = m.Gradient(cancelled, &solve.Problem{Sys: pole(), T1: 0.5}, last{0.5}, g)
		if err != nil || !math.IsInf(v, 1) || sol.Status != solve.Cancelled {
			t.Errorf("%s cancelled: %v, %v, %v", m.Name, v, sol, err)
		}
		sys := pole()
		sys.NoGradient = "`foo` has no derivative"
		_, _, err = m.Gradient(ctx, &solve.Problem{Sys: sys, T1: 0.5}, last{0.5}, g)
		if m.Name == "differences" {
			if err != nil {
				t.Errorf("differences need no derivative, but: %v", err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "`foo` has no derivative") {
			t.Errorf("%s of a system without derivatives: %v", m.Name, err)
		}
	}
}

// Cancelled between the forward and the backward pass.
type cancelling struct {
	last
	cancel context.CancelFunc
}

func (c cancelling) Eval(x, th, gx, gth []float64) (float64, error) {
	c.cancel()
	return c.last.Eval(x, th, gx, gth)
}

func TestCancelledBackwards(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := []float64{7}
	_, _, err := sens.Adjoint(ctx, &solve.Problem{Sys: pole(), T1: 0.5}, cancelling{last{0.5}, cancel}, g)
	if !errors.Is(err, context.Canceled) || g[0] != 0 {
		t.Error(g, err)
	}
}

// √k at k = 0: the value is finite, the derivative is not.
func TestGradientNotFinite(t *testing.T) {
	sys := testsys.System("root", []string{"x"}, []testsys.Param{{Name: "k", Value: 0}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Sqrt().Sub(x[0])}
		})
	for _, name := range []string{"discrete", "forward", "interpolating", "quadrature", "backsolve"} {
		m, _ := sens.Lookup(name)
		g := make([]float64, 1)
		v, sol, err := m.Gradient(context.Background(), &solve.Problem{Sys: sys, T1: 1}, last{1}, g)
		var nf *sens.NonFinite
		switch {
		case errors.As(err, &nf):
			if len(nf.Names) != 1 || nf.Names[0] != "k" || !strings.Contains(err.Error(), "from t = 1 on, backwards: the derivative by k") {
				t.Error(err)
			}
			t.Log(v, err)
		case name == "forward" && sol.Status == solve.NonFinite && strings.Contains(sol.Fault.Error(), "∂x/∂k"):
			t.Log(sol.Fault)
		default:
			t.Errorf("%s: %v, %v, %v", name, v, sol.Fault, err)
		}
	}
}

func TestWorkspaceReuse(t *testing.T) {
	var ws sens.Workspace
	ctx := context.Background()
	for range 2 {
		for _, sys := range []*system.System{driven(), testsys.LotkaVolterra(), driven()} {
			for _, m := range []string{"Tsit5", "Vern7", "BS3"} {
				p := &solve.Problem{Sys: sys, Method: mustMethod(t, m), T1: 3}
				loss := odd{[]float64{0, 0.7, 3}}
				a, b := make([]float64, sys.NTheta), make([]float64, sys.NTheta)
				va, _, err := sens.Adjoint(ctx, p, loss, a)
				if err != nil {
					t.Fatal(err)
				}
				vb, _, err := ws.Adjoint(ctx, p, loss, b)
				if err != nil || va != vb || !slices.Equal(a, b) {
					t.Errorf("a fresh workspace gives %v, a used one %v, %v", a, b, err)
				}
				vc, _, err := ws.Value(ctx, p, loss)
				if err != nil || vc != va {
					t.Errorf("the value alone is %v, with the gradient %v", vc, va)
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	lv := testsys.LotkaVolterra()
	r := load(t, "lv")
	loss := r.loss()
	for _, name := range []string{"Tsit5", "Vern7"} {
		p := &solve.Problem{Sys: lv, Theta: lv.Defaults(), Method: mustMethod(t, name), T1: 10}
		var ws sens.Workspace
		g := make([]float64, 6)
		steps := 0
		n := testing.AllocsPerRun(5, func() {
			_, sol, err := ws.Adjoint(context.Background(), p, loss, g)
			if err != nil {
				t.Fatal(err)
			}
			steps = sol.Stats.Steps
		})
		t.Logf("%s: %v allocations in a gradient over %d steps", name, n, steps)
		if n > 2 {
			t.Errorf("%s: %v allocations per gradient", name, n)
		}
	}
}

func TestTable(t *testing.T) {
	for _, m := range sens.Methods() {
		if m.Name == "" || m.Doc == "" || m.Cite == "" || m.Gradient == nil {
			t.Errorf("%q is incomplete", m.Name)
		}
		if got, ok := sens.Lookup(m.Name); !ok || got.Name != m.Name {
			t.Errorf("Lookup(%q) finds nothing", m.Name)
		}
	}
	if _, ok := sens.Lookup("magic"); ok {
		t.Error("Lookup finds what is not there")
	}
}

func BenchmarkAdjointUDE(b *testing.B) {
	r := load(b, "ude_lv_tanh_2_5_5_5_2")
	sys, loss := testsys.UDE(r.Params), r.loss()
	p := &solve.Problem{Sys: sys, Theta: r.Params, T1: loss.times[len(loss.times)-1], Rtol: 1e-8, Atol: 1e-8}
	var ws sens.Workspace
	g := make([]float64, sys.NTheta)
	b.Run("value", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := ws.Value(context.Background(), p, loss); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gradient", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := ws.Adjoint(context.Background(), p, loss, g); err != nil {
				b.Fatal(err)
			}
		}
	})
}
