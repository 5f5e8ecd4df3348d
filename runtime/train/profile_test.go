package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// enzyme is y = Vm t/(K + t) as a solution: t stands for a concentration.
func enzyme() *system.System {
	return testsys.System("Enzyme", []string{"y"}, []testsys.Param{{Name: "Vm", Value: 200}, {Name: "K", Value: 0.05}},
		func(th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Const(0)} },
		func(t testsys.Expr, _, th []testsys.Expr) []testsys.Expr {
			d := th[1].Add(t)
			return []testsys.Expr{th[0].Mul(th[1]).Div(d.Mul(d))}
		})
}

// The rate of an enzymatic reaction against the concentration, treated with puromycin: M. Treloar 1974, in D. M. Bates, D. G. Watts,
// Nonlinear Regression Analysis and Its Applications, Wiley 1988, appendix A1.3.
func puromycin() *Data {
	nan := math.NaN()
	return &Data{Times: []float64{0, 0.02, 0.06, 0.11, 0.22, 0.56, 1.10},
		Columns: []Column{{Name: "first", Values: []float64{nan, 76, 97, 123, 159, 191, 207}}, {Name: "second", Values: []float64{nan, 47, 107, 139, 152, 201, 200}}}}
}

func mustProfile(t *testing.T, r *Result, name string, o ProfileOptions) *Profile {
	t.Helper()
	p, err := r.Profile(context.Background(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(p.Points, func(a, b ProfilePoint) int { return int(math.Copysign(1, a.Value-b.Value)) }) {
		t.Errorf("the points of %s do not rise: %v", name, p.Points)
	}
	return p
}

// Standard errors and intervals of Bates and Watts's example: those of its closed form by golden sections and bisection, which R's nls and
// confint agree with. Bounds, and with them the smooth transform, change neither.
func TestProfileEnzyme(t *testing.T) {
	tight := solve.Problem{Rtol: 1e-10, Atol: 1e-10}
	for _, bound := range []bool{false, true} {
		s := Spec{Sys: enzyme(), Data: puromycin(), Problem: tight, Stages: []Stage{mustStage(t, "bfgs", nil)}}
		if bound {
			s.Sys.Theta[0].Lo, s.Sys.Theta[0].Hi = 0, 1000
			s.Sys.Theta[1].Lo = 0
		}
		r := fit(t, s)
		near := func(what string, got, want, tol float64) {
			t.Helper()
			if !(math.Abs(got-want) <= tol*math.Abs(want)) {
				t.Errorf("bounds %v, %s: %.10g, want %.10g", bound, what, got, want)
			}
		}
		near("Vm", r.Theta[0], 212.68374360504023, 1e-5)
		near("K", r.Theta[1], 0.06412128240214318, 1e-5)
		near("standard error of Vm", r.Report.Params[0].StdErr, 6.947152, 1e-4)
		near("standard error of K", r.Report.Params[1].StdErr, 0.008280947, 1e-4)
		v, k := mustProfile(t, r, "Vm", ProfileOptions{}), mustProfile(t, r, "K", ProfileOptions{})
		near("Vm from", v.Lo, 197.3019329004261, 1e-5)
		near("Vm to", v.Hi, 229.28905505488757, 1e-5)
		near("K from", k.Lo, 0.04692034203531596, 1e-4)
		near("K to", k.Hi, 0.08615691342690018, 1e-4)
		if len(k.Points) < 12 || len(k.Points) > 40 || k.Lower != nil || k.OpenLo+k.OpenHi != "" || k.Names[0] != "Vm" {
			t.Errorf("%d points, %+v", len(k.Points), k)
		}
		again := mustProfile(t, r, "K", ProfileOptions{})
		if again.Lo != k.Lo || again.Hi != k.Hi || again.Evals != k.Evals {
			t.Error("a profile is not the same twice")
		}
	}
}

// A straight line's intervals are those of linear regression, with the noise estimated or known.
func TestProfileLine(t *testing.T) {
	d := lineData(30, 5)
	r := fit(t, Spec{Sys: line(1, 1), Data: d})
	se, n := r.Report.Params[1].StdErr, 30.0
	p := mustProfile(t, r, "slope", ProfileOptions{})
	const t975 = 2.0484071418 // Student's, 28 degrees of freedom
	if w := t975 * se; math.Abs(p.Hi-r.Theta[1]-w) > 1e-3*w || math.Abs(r.Theta[1]-p.Lo-w) > 1e-3*w {
		t.Errorf("%v..%v, want %v ± %v", p.Lo, p.Hi, r.Theta[1], w)
	}
	for _, kind := range []string{"sse", "mse"} {
		r := fit(t, Spec{Sys: line(1, 1), Data: d, Compare: LossSpec{Kind: kind}})
		p := mustProfile(t, r, "slope", ProfileOptions{Sigma: 0.1, Level: 0.6826894921})
		sigma := se / math.Sqrt(r.Report.Train.RMSE*r.Report.Train.RMSE*n/(n-2)) * 0.1
		if math.Abs(p.Hi-r.Theta[1]-sigma) > 1e-3*sigma {
			t.Errorf("%s, known noise: %v above, want %v", kind, p.Hi-r.Theta[1], sigma)
		}
	}
}

// Growth by a·b tells neither; a saturation that no datum reaches is open above; a bound ends a profile.
func TestProfileOpen(t *testing.T) {
	both := testsys.System("Both", []string{"x"}, []testsys.Param{{Name: "a", Value: 0.8}, {Name: "b", Value: 1.1}},
		func(th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Const(1)} },
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(th[1]).Mul(x[0]).Neg()}
		})
	both.Theta[0].Lo, both.Theta[0].Hi = 0.2, 5
	both.Theta[1].Lo, both.Theta[1].Hi = 0, 100
	d := &Data{Columns: []Column{{Name: "x"}}}
	for i := range 12 {
		ti := 0.25 * float64(i)
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, math.Exp(-0.7*ti)+0.01*math.Sin(5*ti))
	}
	p := mustProfile(t, fit(t, Spec{Sys: both, Data: d}), "a", ProfileOptions{})
	if !math.IsInf(p.Lo, -1) || !math.IsInf(p.Hi, 1) || !strings.Contains(p.OpenHi, "up to the bound 5") || !strings.Contains(p.OpenLo, "up to the bound 0.2") {
		t.Errorf("%v", p)
	}
	if last := p.Points[len(p.Points)-1]; last.Value != 5 || math.Abs(last.Others[0]*5-0.7) > 0.02 {
		t.Errorf("at the bound %+v", last)
	}
	if !strings.Contains(p.String(), "not identifiable above") {
		t.Error(p.String())
	}

	s := Spec{Sys: enzyme(), Data: puromycin(), Stages: []Stage{mustStage(t, "bfgs", nil)}}
	for k := range s.Data.Columns { // only where the curve is nearly straight
		s.Data.Columns[k].Values = s.Data.Columns[k].Values[:3]
	}
	s.Data.Times = s.Data.Times[:3]
	p = mustProfile(t, fit(t, s), "Vm", ProfileOptions{})
	if !math.IsInf(p.Hi, 1) || !(p.Lo > 40 && p.Lo < 90) || !strings.Contains(p.OpenHi, "as far as") {
		t.Errorf("%v", p)
	}
	t.Logf("%v: %d evaluations", p, p.Evals)
}

func TestProfileErrors(t *testing.T) {
	d := lineData(30, 5)
	r := fit(t, Spec{Sys: line(1, 1), Data: d})
	huber := fit(t, Spec{Sys: line(1, 1), Data: d, Compare: LossSpec{Kind: "huber"}})
	few := fit(t, Spec{Sys: line(1, 1), Data: lineData(2, 5)})
	for _, c := range []struct {
		name, of string
		r        *Result
		o        ProfileOptions
		want     string
	}{
		{"name", "slop", r, ProfileOptions{}, "not among what was free"},
		{"level", "slope", r, ProfileOptions{Level: 1}, "between 0 and 1"},
		{"points", "slope", r, ProfileOptions{Points: 1}, "2 to 1000"},
		{"sigma", "slope", r, ProfileOptions{Sigma: -1}, "positive number"},
		{"loss", "slope", huber, ProfileOptions{}, "least squares"},
		{"few", "slope", few, ProfileOptions{}, "leave nothing to estimate the noise from"},
		{"no fit", "slope", &Result{}, ProfileOptions{}, "not made by a fit"},
	} {
		if _, err := c.r.Profile(context.Background(), c.of, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Profile(ctx, "slope", ProfileOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
