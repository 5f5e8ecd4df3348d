package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/system"
)

// settable gives each state of a system an initial value with its flag, behind its parameters.
func settable(of *system.System, init []float64) *system.System {
	names, np := of.StateNames(), of.NTheta
	var params []testsys.Param
	for _, s := range of.Theta {
		params = append(params, testsys.Param{Name: s.Name, Value: s.Default[0]})
	}
	for i, n := range names {
		params = append(params, testsys.Param{Name: n, Value: init[i]}, testsys.Param{Name: n, Value: 0})
	}
	s := testsys.System(of.Name, names, params, func(th []testsys.Expr) []testsys.Expr {
		out := make([]testsys.Expr, len(names))
		for i := range out {
			v, flag := th[np+2*i], th[np+2*i+1]
			out[i] = flag.Mul(v).Add(v.Const(1).Sub(flag).Times(init[i]))
		}
		return out
	}, map[string]func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr{
		"Lorenz": func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{
				th[0].Mul(x[1].Sub(x[0])),
				x[0].Mul(th[1].Sub(x[2])).Sub(x[1]),
				x[0].Mul(x[1]).Sub(th[2].Mul(x[2])),
			}
		},
		"LotkaVolterra": func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			xy := x[0].Mul(x[1])
			return []testsys.Expr{th[0].Mul(x[0]).Sub(th[1].Mul(xy)), th[3].Mul(xy).Sub(th[2].Mul(x[1]))}
		},
	}[of.Name])
	for i := range names {
		s.Theta[np+2*i].Role, s.Theta[np+2*i+1].Role = system.RoleInit, system.RoleFlag
	}
	return s
}

func cutting(s Spec, m Method) Spec {
	m.Name = "multiple_shooting"
	s.Methods = []Method{m}
	return s
}

// The gradient and the Jacobian of multiple shooting against differences, on either scale, with states that are not measured, free and
// fixed initial values, several trajectories, means, and prices and multipliers of gaps.
func TestMultipleShootingGradient(t *testing.T) {
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	truth := append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...)
	d := noisy(t, lv, truth, span(0, 5, 25), 0.02, 1)
	d.Columns[0].Values[3], d.Columns[1].Values[10] = math.NaN(), math.NaN()
	d.Columns[1].Weight = 2
	one := *d
	one.Columns = d.Columns[:1]
	short := d.rows(func(row int) bool { return row < 17 })
	th := []float64{1.4, 0.9, 3.2, 1.1, 1, 1, 1.2, 0, 0.8, 0}
	free := func(names ...string) (th2 []float64, f []Free) {
		th2 = slices.Clone(th)
		f, err := Select(lv, th2, append([]string{"alpha", "gamma"}, names...), 0)
		if err != nil {
			t.Fatal(err)
		}
		return th2, f
	}
	for _, c := range []struct {
		name  string
		spec  Spec
		m     Method
		start []string
	}{
		{"plain", Spec{Data: d}, Method{}, nil},
		{"free starts", Spec{Data: d}, Method{Segments: 3}, []string{"x", "y"}},
		{"one state", Spec{Data: &one}, Method{Segments: 4}, []string{"x", "y"}},
		{"logarithms", Spec{Data: d, Compare: LossSpec{Log: true}}, Method{Segments: 4}, []string{"x"}},
		{"logarithms of one", Spec{Data: &one, Compare: LossSpec{Log: true}}, Method{Segments: 4}, []string{"x"}},
		{"mean", Spec{Data: d, Compare: LossSpec{Kind: "mse"}}, Method{Penalties: []float64{7}}, nil},
		{"huber", Spec{Data: d, Compare: LossSpec{Kind: "huber", Delta: 0.1}}, Method{}, []string{"y"}},
		{"forward", Spec{Data: d, Gradient: "forward"}, Method{}, []string{"y"}},
		{"two", Spec{Trajectories: []Trajectory{{Data: d}, {Data: short}}, Compare: LossSpec{Kind: "mse"}}, Method{Segments: 3}, []string{"x"}},
	} {
		s := c.spec
		s.Sys = lv
		s.Theta, s.Free = free(c.start...)
		s.Problem.Rtol, s.Problem.Atol = 1e-9, 1e-9
		p, u := phaseOf(t, cutting(s, c.m), 0)
		r := p.(*round)
		for k, g := range r.seg {
			for i := range g.m {
				g.m[i] = 0.1 * float64(1+k-2*i)
			}
		}
		for i := range u { // away from where all gaps are small
			u[i] += 0.03 * math.Sin(float64(7*i))
		}
		checkObjective(t, c.name, p, u, 1e-5, 2e-5)
	}
}

// Lorenz' equations over ten units of time, some fifteen turns with changes of side, of which two are measured: shooting is lost, multiple shooting finds the
// parameters, and shooting from there confirms them.
func TestMultipleShootingLorenz(t *testing.T) {
	sys := settable(testsys.Lorenz(), []float64{-8, 8, 27})
	d := noisy(t, sys, sys.Defaults(), span(0, 10, 200), 0.02, 5)
	d.Columns = []Column{d.Columns[0], d.Columns[2]}
	spec := Spec{Sys: sys, Data: d}
	spec.Theta = []float64{6, 40, 4, -8, 0, 8, 0, 27, 0}
	var err error
	if spec.Free, err = Select(sys, spec.Theta, []string{"sigma", "rho", "beta", "x", "y", "z"}, 0); err != nil {
		t.Fatal(err)
	}
	spec.Problem.Rtol, spec.Problem.Atol = 1e-8, 1e-8
	alone := spec
	alone.Stages = []Stage{mustStage(t, "lm", map[string]float64{"iters": 12})}
	lost, err := Fit(context.Background(), alone)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Method{{Segments: 40, Constraint: true}} {
		r, err := Fit(context.Background(), cutting(spec, m))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("\n%v", r.Report)
		for i, v := range []float64{10, 28, 8. / 3} {
			if math.Abs(r.Theta[i]/v-1) > 0.01 {
				t.Errorf("parameter %d is %v, not %v", i+1, r.Theta[i], v)
			}
		}
		if !(lost.Loss > 100*r.Loss) {
			t.Errorf("shooting alone is at %v, this at %v", lost.Loss, r.Loss)
		}
		ps := r.Report.Phases
		k := len(ps) - 2
		for ; ps[k].Skipped; k-- {
		}
		if !strings.Contains(ps[k].Note, "largest gap") || ps[k].Loss < ps[0].Loss {
			t.Errorf("the last phase before shooting is %+v", ps[k])
		}
		// As a constraint the gaps are gone, so that shooting has next to nothing to do.
		if m.Constraint && math.Abs(ps[k].Loss/r.Loss-1) > 0.01 {
			t.Errorf("without gaps the loss is %v, the solution's is %v", ps[k].Loss, r.Loss)
		}
	}
}

func TestMultipleShootingRefused(t *testing.T) {
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	d := noisy(t, lv, append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...), span(0, 5, 25), 0.02, 1)
	event, mass := *lv, *lv
	event.Events = []system.Event{{}}
	mass.Mass = &system.Mass{}
	for _, c := range []struct {
		sys  *system.System
		m    Method
		want string
	}{
		{lv, Method{Segments: 1}, "two segments at least"},
		{lv, Method{Segments: -3}, "two segments at least"},
		{lv, Method{Segments: 26}, "26 segments need 27 rows of data, there are 26"},
		{lv, Method{Penalties: []float64{0}}, "must be a positive number"},
		{lv, Method{Penalties: []float64{1, math.NaN()}}, "must be a positive number"},
		{lv, Method{Penalties: []float64{1, 10}, Constraint: true}, "there is one"},
		{&event, Method{}, "has events"},
		{&mass, Method{}, "mass matrix"},
		{testsys.LotkaVolterra(), Method{}, "none that can be set: x, y"},
	} {
		_, err := Fit(context.Background(), cutting(Spec{Sys: c.sys, Data: d}, c.m))
		var e *MethodError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), c.want) || e.Help == "" {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
