package sens_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// That checkpoints give the same bits, for every solver and through events, is held by package compiler; here is what goes wrong with them.

// little are checkpoints of a solve that they cannot hold.
func little() *solve.Checkpoints { return &solve.Checkpoints{Memory: 20_000} }

// A solve that fails, fails in the same way whatever memory there is.
func TestCheckpointsOfFailure(t *testing.T) {
	for _, m := range []method.Method{find(t, "Tsit5"), find(t, "Rodas5P"), find(t, "BDF"), find(t, "auto")} {
		p := &solve.Problem{Sys: pole(), Method: m, T1: 2, Hmax: 1e-3}
		var want, got sens.Workspace
		g := []float64{7}
		_, sol, err := want.Adjoint(context.Background(), p, last{2}, g)
		if err != nil {
			t.Fatal(err)
		}
		p.Checkpoints = little()
		v, out, err := got.Adjoint(context.Background(), p, last{2}, g)
		if err != nil || !math.IsInf(v, 1) || g[0] != 0 || out.Status != sol.Status || out.TEnd != sol.TEnd || !reflect.DeepEqual(out.Fault, sol.Fault) {
			t.Errorf("%s: %v, %v: %v, want %v", m.Info().Name, v, err, out.Fault, sol.Fault)
		}
		if out.Stats.Checkpoints == 0 {
			t.Errorf("%s: memory held all steps", m.Info().Name)
		}
	}
	p := &solve.Problem{Sys: pole(), T1: 0.5, Hmax: 1e-3, Checkpoints: &solve.Checkpoints{Memory: 1000}}
	if _, sol, err := sens.Adjoint(context.Background(), p, last{0.5}, []float64{0}); err != nil || sol.Status != solve.MemoryLimit || !strings.Contains(sol.Fault.Error(), "limit of 1000 bytes") {
		t.Errorf("in 1000 bytes: %v, %v", sol.Fault, err)
	}
}

// counted is a function that ends a context after so many evaluations.
type counted struct {
	system.Func
	left   *int
	cancel func()
}

func (c counted) Clone() system.Func { return counted{c.Func.Clone(), c.left, c.cancel} }

func (c counted) Eval(z []float64, t float64, x, th []float64) {
	if *c.left--; *c.left == 0 {
		c.cancel()
	}
	c.Func.Eval(z, t, x, th)
}

// A context ends the walk back while steps are made again, too.
func TestCheckpointsCancelled(t *testing.T) {
	for _, name := range []string{"Tsit5", "RadauIIA5"} {
		left := 0
		ctx, cancel := context.WithCancel(context.Background())
		sys := testsys.LotkaVolterra()
		sys.RHS = counted{sys.RHS, &left, cancel}
		p := &solve.Problem{Sys: sys, Method: find(t, name), T1: 5, Hmax: 0.005, Checkpoints: little()}
		g := make([]float64, sys.NTheta)
		_, sol, err := sens.Adjoint(ctx, p, last{5}, g)
		if err != nil || sol.Stats.Repeated < 500 {
			t.Fatal(err, sol)
		}
		left = sol.Stats.Evals + 200
		if _, _, err := sens.Adjoint(ctx, p, last{5}, g); !errors.Is(err, context.Canceled) || !slices.Equal(g, make([]float64, sys.NTheta)) {
			t.Errorf("%s: %v, %v", name, g, err)
		}
	}
}

// Where a gradient is not finite it says from where on, which takes a second walk back.
func TestCheckpointsNotFinite(t *testing.T) {
	sys := testsys.System("root", []string{"x"}, []testsys.Param{{Name: "k", Value: 0}}, testsys.Fixed(1),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Sqrt().Sub(x[0])}
		})
	p := &solve.Problem{Sys: sys, T1: 1, Hmax: 1e-3}
	_, _, want := sens.Adjoint(context.Background(), p, last{1}, []float64{0})
	p.Checkpoints = little()
	_, sol, err := sens.Adjoint(context.Background(), p, last{1}, []float64{0})
	if want == nil || !reflect.DeepEqual(err, want) || sol.Stats.Repeated < 1500 {
		t.Errorf("%v after %d steps, want %v", err, sol.Stats.Repeated, want)
	}
}

// What does not read steps backwards does not mind.
func TestCheckpointsElsewhere(t *testing.T) {
	p := &solve.Problem{Sys: driven(), T1: 3, Hmax: 0.002}
	for _, m := range sens.Methods() {
		if m.Name == "discrete" {
			continue
		}
		var g [2][]float64
		for i := range g {
			g[i] = make([]float64, 3)
			if p.Checkpoints = nil; i == 1 {
				p.Checkpoints = little()
			}
			if _, _, err := m.Gradient(context.Background(), p, odd{[]float64{1, 3}}, g[i]); err != nil {
				t.Fatal(m.Name, err)
			}
		}
		if !slices.Equal(g[0], g[1]) {
			t.Errorf("%s: %v and %v", m.Name, g[0], g[1])
		}
	}
}

// Full is told once, when memory ends; nobody is told where it does not.
func TestCheckpointsTell(t *testing.T) {
	told := 0
	p := &solve.Problem{Sys: driven(), T1: 3, Hmax: 0.002, Checkpoints: &solve.Checkpoints{Full: func() { told++ }}}
	for _, c := range []struct {
		memory int64
		want   int
	}{{0, 0}, {40_000, 1}} {
		p.MaxMemory, told = c.memory, 0
		if _, sol, err := sens.Adjoint(context.Background(), p, odd{[]float64{1, 3}}, make([]float64, 3)); err != nil || sol.Status != solve.Done || told != c.want {
			t.Errorf("%v, %v, told %d times", sol, err, told)
		}
	}
}
