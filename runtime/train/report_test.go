package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

// A straight line: estimates, standard errors, AIC and BIC are those of linear regression.
func TestFitIsLinearRegression(t *testing.T) {
	d := lineData(30, 5)
	d.Columns[0].Values[7] = math.NaN()
	var n, st, sy, stt, sty float64
	for i, ti := range d.Times {
		if y := d.Columns[0].Values[i]; !math.IsNaN(y) {
			n, st, sy, stt, sty = n+1, st+ti, sy+y, stt+ti*ti, sty+ti*y
		}
	}
	slope := (n*sty - st*sy) / (n*stt - st*st)
	start := (sy - slope*st) / n
	sse := 0.0
	for i, ti := range d.Times {
		if y := d.Columns[0].Values[i]; !math.IsNaN(y) {
			sse += (start + slope*ti - y) * (start + slope*ti - y)
		}
	}
	sigma2 := sse / (n - 2)
	seSlope := math.Sqrt(sigma2 * n / (n*stt - st*st))
	seStart := math.Sqrt(sigma2 * stt / (n*stt - st*st))
	for _, weight := range []float64{0, 4} {
		d.Columns[0].Weight = weight
		r := fit(t, Spec{Sys: line(1, 1), Data: d})
		near := func(what string, got, want float64) {
			t.Helper()
			if !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
				t.Errorf("%s: %.10g, want %.10g", what, got, want)
			}
		}
		w := math.Max(weight, 1)
		near("loss", r.Loss, w*sse)
		near("start", r.Theta[0], start)
		near("slope", r.Theta[1], slope)
		near("standard error of the start", r.Report.Params[0].StdErr, seStart)
		near("standard error of the slope", r.Report.Params[1].StdErr, seSlope)
		// The weights are known factors of the variance: they change nothing.
		near("AIC", r.Report.AIC, n*(math.Log(2*math.Pi*sse/n)+1)+6)
		near("BIC", r.Report.BIC, n*(math.Log(2*math.Pi*sse/n)+1)+3*math.Log(n))
		near("correlation", r.Report.Identify.Corr[0][1], -st/math.Sqrt(n*stt))
		near("correlation", r.Report.Identify.Corr[1][1], 1)
		near("root mean square", r.Report.Columns[0].RMSE, math.Sqrt(sse/n))
		rss := 0.0
		for _, e := range r.Report.Residuals {
			rss += e.Value * e.Value
			if e.Model-e.Data != e.Value && math.Abs(e.Model-e.Data-e.Value) > 1e-12 || math.Abs(e.Model-start-slope*e.T) > 1e-6 {
				t.Errorf("residual %+v", e)
			}
		}
		near("residuals", rss, sse)
		if len(r.Report.Residuals) != 29 || r.Report.Train.N != 29 || r.Report.NFree != 2 || len(r.Report.Warnings) != 0 {
			t.Errorf("report %+v", r.Report)
		}
	}
	// The mean has the same optimum and the same standard errors.
	d.Columns[0].Weight = 0
	r := fit(t, Spec{Sys: line(1, 1), Data: d, Compare: LossSpec{Kind: "mse"}})
	if math.Abs(r.Loss-sse/n) > 1e-9 || math.Abs(r.Report.Params[0].StdErr/seStart-1) > 1e-6 || math.IsNaN(r.Report.AIC) {
		t.Errorf("mse: loss %v, want %v; %v", r.Loss, sse/n, r.Report)
	}
	// A loss that is no square has no such standard errors.
	r = fit(t, Spec{Sys: line(1, 1), Data: d, Compare: LossSpec{Kind: "huber", Delta: 0.05}})
	if !math.IsNaN(r.Report.Params[0].StdErr) || !math.IsNaN(r.Report.AIC) || r.Report.Identify == nil || math.Abs(r.Theta[1]-slope) > 0.1 {
		t.Errorf("huber: %+v", r.Report)
	}
}

func TestFitHeldOut(t *testing.T) {
	s := peltsSpec(1.1)
	s.HeldOut = HeldOut{From: 1913.5, To: math.Inf(1)}
	r := fit(t, s)
	h := r.Report.Held
	if h == nil || h.N != 14 || r.Report.Train.N != 28 || math.IsInf(h.Loss, 0) || h.Loss < r.Report.Train.Loss {
		t.Fatalf("%v", r.Report)
	}
	// By hand: the fitted model solved on from the same start.
	sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s.Sys, Theta: r.Theta, T0: 1900, T1: 1920, Times: pelts().Times, Rtol: 1e-8, Atol: 1e-8})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i := 14; i < 21; i++ {
		a, b := math.Log(sol.X[2*i]/hares[i]), math.Log(sol.X[2*i+1]/lynx[i])
		want += a*a + b*b
	}
	if math.Abs(h.Loss-want) > 1e-5*want || math.Abs(h.RMSE-math.Sqrt(want/14)) > 1e-5*h.RMSE {
		t.Errorf("held out: %v, by hand %v", h, want)
	}
	text := r.Report.String()
	for _, w := range []string{"trained on", "held out", "x (hare)", "alpha", "±", "AIC"} {
		if !strings.Contains(text, w) {
			t.Errorf("the report lacks %q:\n%s", w, text)
		}
	}
	t.Logf("\n%s", text)

	// A fitted model that does not reach what was held out says so.
	d := &Data{Times: []float64{0, 0.5, 2}, Columns: []Column{{Name: "y", Values: []float64{1, 2, 1}}}}
	r = fit(t, Spec{Sys: pole(0.5), Data: d, HeldOut: HeldOut{Last: 0.3}})
	if !math.IsInf(r.Report.Held.Loss, 1) || len(r.Report.Warnings) == 0 || !strings.Contains(r.Report.Warnings[0], "does not reach") {
		t.Errorf("%v", r.Report)
	}
}

// The Jacobian of the residuals, lets and logarithms included, is that of differences.
func TestJacobian(t *testing.T) {
	sys := observed()
	s := Spec{Sys: sys, Data: someData(), Compare: LossSpec{Log: true}, Problem: solve.Problem{Rtol: 1e-11, Atol: 1e-11}}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	wrt := []int{0, 1, 2, 3, 4, 5}
	j, err := f.jacobian(context.Background(), wrt, false)
	if err != nil {
		t.Fatal(err)
	}
	residuals := func() (out []float64) {
		sol, err := f.solveAt(context.Background(), f.all[0], 4, s.Data.Times)
		if err != nil {
			t.Fatal(err)
		}
		f.trial.data.residuals(sol.X, f.trial.prob.Theta, func(_, col int, r, _ float64) {
			w := s.Data.Columns[col].Weight
			if w == 0 {
				w = 1
			}
			out = append(out, math.Sqrt(w)*r)
		})
		return out
	}
	for q, i := range wrt {
		const h = 1e-5
		th := f.trial.prob.Theta
		old := th[i]
		th[i] = old + h
		up := residuals()
		th[i] = old - h
		down := residuals()
		th[i] = old
		for k := range up {
			if want := (up[k] - down[k]) / (2 * h); math.Abs(j.At(k, q)-want) > 1e-5*(1+math.Abs(want)) {
				t.Errorf("residual %d by parameter %d: %v, by differences %v", k, i, j.At(k, q), want)
			}
		}
	}
}

// Only the product of a and b is in the data, and c is in nothing.
func TestNotIdentifiable(t *testing.T) {
	sys := testsys.System("Decay", []string{"x"}, []testsys.Param{{Name: "a", Value: 2}, {Name: "b", Value: 0.3}, {Name: "c", Value: 1}, {Name: "x0", Value: 3}}, testsys.Last(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(th[1]).Mul(x[0]).Neg()}
		})
	d := &Data{Columns: []Column{{Name: "y"}}}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 20 {
		ti := 0.2 * float64(i)
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, 4*math.Exp(-0.5*ti)+0.01*rng.NormFloat64())
	}
	r := fit(t, Spec{Sys: sys, Data: d})
	id := r.Report.Identify
	if id == nil || !math.IsInf(id.Cond, 1) && id.Cond < maxCond || len(id.Weak) != 1 || !slices.Equal(id.NoPull, []string{"c"}) {
		t.Fatalf("%+v", id)
	}
	text := r.Report.String()
	for _, w := range []string{"not identifiable: a, b (a up with b down", "no value depends on c"} {
		if !strings.Contains(text, w) {
			t.Errorf("the report lacks %q:\n%s", w, text)
		}
	}
	for _, p := range r.Report.Params {
		if known := p.Name == "x0"; known == math.IsNaN(p.StdErr) {
			t.Errorf("%s has the standard error %v", p.Name, p.StdErr)
		}
	}
	if p := r.Theta[0] * r.Theta[1]; math.Abs(p-0.5) > 0.01 {
		t.Errorf("the product is %v", p)
	}

	// Fewer values than parameters.
	few := &Data{Times: []float64{0, 1}, Columns: []Column{{Name: "y", Values: []float64{1, 2}}}}
	r = fit(t, Spec{Sys: sys, Data: few})
	if !r.Report.Identify.TooFew || !strings.Contains(strings.Join(r.Report.Warnings, "\n"), "fewer values than free parameters (4)") {
		t.Errorf("%v", r.Report)
	}
}

// A parameter that ended at its bound has no standard error, and those of the others are as if it were given.
func TestStandardErrorsAtABound(t *testing.T) {
	for _, kind := range []string{"sse", "normal"} {
		s := decays(t, 0.02)
		s.Compare = LossSpec{Kind: kind}
		s.Sys.Theta[0].Lo, s.Sys.Theta[0].Hi = 0.9, 5 // the data were made with 0.7
		r := fit(t, s)
		if se := r.Report.Params[0].StdErr; !math.IsNaN(se) || len(r.Report.Identify.Bound) != 1 || !strings.Contains(strings.Join(r.Report.Warnings, "\n"), "bound 0.9") {
			t.Errorf("%s: k = %v ± %v; %v", kind, r.Theta[0], se, r.Report.Warnings)
		}
		alone := s
		var err error
		if alone.Free, err = Select(s.Sys, s.Theta, []string{"k"}, 0); err != nil {
			t.Fatal(err)
		}
		if a := fit(t, alone).Report; a.Identify != nil || !strings.Contains(a.String(), "all parameters are at their bounds") {
			t.Errorf("%s: %v", kind, a)
		}
		given := s
		given.Theta = slices.Clone(r.Theta)
		if given.Free, err = Select(s.Sys, given.Theta, []string{"x0", "y0"}, 0); err != nil {
			t.Fatal(err)
		}
		w := fit(t, given)
		for i, p := range w.Report.Params {
			if q := r.Report.Params[i+1]; q.Name != p.Name || math.Abs(q.StdErr/p.StdErr-1) > 1e-4 {
				t.Errorf("%s: %s ± %v, with k given ± %v", kind, p.Name, q.StdErr, p.StdErr)
			}
		}
	}
}
