package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/system"
)

// The result lies within the bounds, a start on one of them is moved inside, and an optimum beyond is
// reported.
func TestFitBounds(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		lo, hi, start, want float64
		warn                bool
	}{
		{-5, 5, 1, -0.7, false},
		{-inf, inf, 1, -0.7, false},
		{-inf, 3, 2, -0.7, false},
		{-2, inf, 1, -0.7, false},
		{-0.5, 5, 1, -0.5, true},
		{-0.5, inf, 1, -0.5, true},
		{-inf, -1, -3, -1, true},
		{-5, 1, 1, -0.7, false},     // a start on a bound
		{-0.7, 1, -0.7, -0.7, true}, // and the optimum about there
	} {
		sys := line(1, c.start)
		sys.Theta[1].Lo, sys.Theta[1].Hi = c.lo, c.hi
		s := Spec{Sys: sys, Data: lineData(40, 9), Stages: []Stage{mustStage(t, "adam", map[string]float64{"rate": 0.05, "iters": 500}), mustStage(t, "bfgs", nil)}}
		r := fit(t, s)
		slope := r.Theta[1]
		if !(slope >= c.lo && slope <= c.hi) || math.Abs(slope-c.want) > 0.05 {
			t.Errorf("%+v: %v", c, slope)
		}
		if warned := len(r.Report.Warnings) > 0 && strings.Contains(r.Report.Warnings[0], "has gone to its bound"); c.want != -0.7 && warned != c.warn {
			t.Errorf("%+v: warnings %q", c, r.Report.Warnings)
		}
	}
}

// The same seed gives the same bits, another one other weights; scales are filled from the data.
func TestFitSeedAndScale(t *testing.T) {
	sys := network()
	spec := func(seed uint64) Spec {
		return Spec{Sys: sys, Data: pelts(), Compare: LossSpec{Log: true}, Seed: seed,
			AutoScale: []AutoScale{{Slot: "U.scale", Inputs: []string{"x", "y"}}},
			Stages:    []Stage{mustStage(t, "adam", map[string]float64{"rate": 0.05, "iters": 30}), mustStage(t, "lbfgs", map[string]float64{"iters": 10})}}
	}
	a, b, c := fit(t, spec(1)), fit(t, spec(1)), fit(t, spec(2))
	if !slices.Equal(a.Theta, b.Theta) || a.Loss != b.Loss {
		t.Errorf("the same seed gives %v and %v", a.Loss, b.Loss)
	}
	if slices.Equal(a.Theta, c.Theta) {
		t.Error("another seed gives the same weights")
	}
	if a.Theta[22] != 77.4 || a.Theta[23] != 59.4 {
		t.Errorf("scales %v", a.Theta[22:])
	}
	r := a.Report
	if len(r.Weights) != 1 || r.Weights[0] != (Group{"U", 22}) || len(r.Params) != 0 || r.NFree != 22 || r.Identify != nil || a.Loss >= a.History[0].Loss {
		t.Errorf("%v", r)
	}
	if !strings.Contains(r.String(), "U  22 weights") {
		t.Errorf("%v", r)
	}
}

// network is x' = x (0.55 + U1), y' = y (U2 − 0.8), U a network of 2, 4 and 2 units whose inputs
// are divided by U.scale, as a compiled model would have it.
func network() *system.System {
	params := testsys.Params("w", make([]float64, 24))
	sys := testsys.System("Network", []string{"x", "y"}, params, testsys.Fixed(30, 4), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		u, _ := testsys.Layers([]testsys.Expr{x[0].Div(th[22]), x[1].Div(th[23])}, th, 4, 2)
		return []testsys.Expr{x[0].Mul(u[0].Plus(0.55)), x[1].Mul(u[1].Plus(-0.8))}
	})
	inf := math.Inf(1)
	slot := func(name string, off int, role system.Role, shape ...int) system.ThetaSlot {
		s := system.ThetaSlot{Slot: system.Slot{Name: name, Off: off, Shape: shape}, Role: role, Lo: -inf, Hi: inf, Owner: "U"}
		s.Default = make([]float64, s.Size())
		if role == system.RoleScale {
			s.Default = []float64{1, 1}
		}
		return s
	}
	sys.Theta = []system.ThetaSlot{slot("U.W1", 0, system.RoleWeight, 4, 2), slot("U.b1", 8, system.RoleWeight, 4),
		slot("U.W2", 12, system.RoleWeight, 2, 4), slot("U.b2", 20, system.RoleWeight, 2), slot("U.scale", 22, system.RoleScale, 2)}
	sys.Randomize = func(th []float64, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for i := range 8 {
			th[i] = 2*rng.Float64() - 1
		}
	}
	return sys
}

func TestFillScales(t *testing.T) {
	sys := network()
	th := sys.Defaults()
	d := pelts()
	sys.Theta = append(sys.Theta, system.ThetaSlot{Slot: system.Slot{Name: "k"}, Role: system.RoleParam, Lo: -3, Hi: 2})
	for _, c := range []struct {
		inputs []string
		want   []float64
	}{
		{[]string{"y", "x"}, []float64{59.4, 77.4}},
		{[]string{"k", ""}, []float64{3, 1}},
		{[]string{"z", "x"}, []float64{1, 77.4}},
	} {
		if err := FillScales(sys, th, d, []AutoScale{{"U.scale", c.inputs}}); err != nil || !slices.Equal(th[22:], c.want) {
			t.Errorf("%v: %v, %v", c.inputs, th[22:], err)
		}
	}
	if FillScales(sys, th, d, []AutoScale{{"U.scale", []string{"x"}}}) == nil || FillScales(sys, th, d, []AutoScale{{"U.W1", nil}}) == nil {
		t.Error("scales that do not fit are accepted")
	}
	d.Columns[0].Values = make([]float64, 21)
	if err := FillScales(sys, th, nil, []AutoScale{{"U.scale", []string{"x", "k"}}}); err != nil || th[22] != 1 || th[23] != 3 {
		t.Errorf("without data: %v, %v", th[22:], err)
	}
	if m := magnitude(sys, []*Data{d}, "x"); m != 1 {
		t.Errorf("a column of zeros gives %v", m)
	}
}

// given is x' = −k x with x(t0) = 2 k unless its initial value is given.
func given() *system.System {
	sys := testsys.System("Given", []string{"x"}, []testsys.Param{{Name: "k", Value: 3}, {Name: "x", Value: 0}, {Name: "x", Value: 0}, {Name: "g", Value: 9.81}},
		func(th []testsys.Expr) []testsys.Expr {
			own := th[0].Times(2)
			return []testsys.Expr{own.Add(th[2].Mul(th[1].Sub(own)))}
		},
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg()}
		})
	sys.Theta[1].Role, sys.Theta[2].Role, sys.Theta[3].Role = system.RoleInit, system.RoleFlag, system.RoleConst
	return sys
}

func TestSelect(t *testing.T) {
	names := func(f []Free) (out []string) {
		for _, v := range f {
			out = append(out, v.Name)
		}
		return out
	}
	sys := network()
	for _, c := range []struct {
		names, want []string
	}{
		{nil, []string{"U.W1", "U.b1", "U.W2", "U.b2"}},
		{[]string{"U"}, []string{"U.W1", "U.b1", "U.W2", "U.b2"}},
		{[]string{"U.b2", "U.W1", "U.b2"}, []string{"U.W1", "U.b2"}},
		{[]string{}, nil},
	} {
		f, err := Select(sys, sys.Defaults(), c.names, 0)
		if err != nil || !slices.Equal(names(f), c.want) {
			t.Errorf("%v: %v, %v", c.names, names(f), err)
		}
	}
	g := given()
	th := g.Defaults()
	f, err := Select(g, th, []string{"x", "k"}, 0)
	if err != nil || !slices.Equal(names(f), []string{"k", "x"}) || th[1] != 6 || th[2] != 1 {
		t.Errorf("%v, %v, %v", f, th, err)
	}
	// Once given it is not taken from the expression again.
	th[1] = 5
	if _, err := Select(g, th, []string{"x"}, 0); err != nil || th[1] != 5 {
		t.Errorf("%v, %v", th, err)
	}
	for name, want := range map[string]string{"q": "no such parameter, unknown, weight or state; it can be k, x", "g": "it is a const"} {
		_, err := Select(g, g.Defaults(), []string{name}, 0)
		var e *NameError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Select(g, nil, nil, 0); err == nil {
		t.Error("a θ that is too short is accepted")
	}
}

func TestFitInitialValue(t *testing.T) {
	sys := given()
	d := &Data{Columns: []Column{{Name: "y"}}}
	for i := range 15 {
		ti := 5 + 0.1*float64(i)
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, 4*math.Exp(-2.5*(ti-5)))
	}
	th := sys.Defaults()
	free, err := Select(sys, th, []string{"k", "x"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	r := fit(t, Spec{Sys: sys, Theta: th, Free: free, Data: d})
	if math.Abs(r.Theta[0]-2.5) > 1e-4 || math.Abs(r.Theta[1]-4) > 1e-4 || r.Theta[2] != 1 || th[0] != 3 {
		t.Errorf("%v: %v", r.Theta, r.Report)
	}
}

// A slot of θ that several entries of the free list name is moved once, and its elements are named.
func TestVariables(t *testing.T) {
	th := []float64{0.02, 0, 500, -3}
	vars, err := variables([]Free{{Name: "p", Index: []int{0, 1, 2}, Shape: []int{3}}, {Name: "q", Index: []int{2, 3}}}, th)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		name  string
		scale float64
	}{{"p[1]", 0.02}, {"p[2]", 500}, {"p[3]", 500}, {"q[2]", 3}} {
		if len(vars) != 4 || vars[i].name != want.name || vars[i].Scale != want.scale || vars[i].index != i {
			t.Fatalf("%+v", vars)
		}
	}
	inf := math.Inf(1)
	for _, c := range []struct {
		f             Free
		start, lo, hi float64
		want          float64
	}{
		{Free{}, 34, -inf, inf, 34},
		{Free{}, 0, -inf, inf, 1},
		{Free{}, 1e-300, -inf, inf, 1},
		{Free{}, 12, 10, inf, 2},
		{Free{}, 7, -inf, 10, 3},
		{Free{Weight: true}, 34, -inf, inf, 1},
	} {
		if got := c.f.scale(c.start, 0, c.lo, c.hi); got != c.want {
			t.Errorf("%+v: scale %v", c, got)
		}
	}
}

// The value alone is the value that comes with the gradient.
func TestTrialValue(t *testing.T) {
	for _, gradient := range []string{"discrete", "forward"} {
		s := peltsSpec(1.1)
		s.Gradient = gradient
		f, err := prepare(&s)
		if err != nil {
			t.Fatal(err)
		}
		u, g := f.trial.start(), make([]float64, f.trial.Dim())
		with, err := f.trial.Eval(context.Background(), u, g)
		if err != nil {
			t.Fatal(err)
		}
		without, err := f.trial.Eval(context.Background(), u, nil)
		if err != nil || math.Abs(with-without) > 1e-5*with {
			t.Errorf("%s: %v and %v, %v", gradient, with, without, err)
		}
		for k := range u {
			const h = 1e-4
			v := append([]float64(nil), u...)
			v[k] += h
			up, _ := f.trial.Eval(context.Background(), v, nil)
			v[k] -= 2 * h
			down, _ := f.trial.Eval(context.Background(), v, nil)
			if want := (up - down) / (2 * h); math.Abs(g[k]-want) > 1e-4*norm2(g) {
				t.Errorf("%s: component %d is %v, by differences %v", gradient, k, g[k], want)
			}
		}
	}
}
