package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// decay is x' = −k x from x0, θ = (k, x0).
func decay() *system.System {
	return testsys.System("Decay", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}, {Name: "x0", Value: 1}}, testsys.Last(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg()}
		})
}

func decaySpec(kind string, times, values []float64) Spec {
	return Spec{Sys: decay(), Data: &Data{Times: times, Columns: []Column{{Name: "x", Values: values}}}, Compare: LossSpec{Kind: kind}, Problem: solve.Problem{Rtol: 1e-11, Atol: 1e-12}}
}

func nearly(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Abs(want)) {
		t.Errorf("%s: %.10g, want %.10g", what, got, want)
	}
}

// A value of weight 0 is as good as missing: in estimates, counts, losses, standard errors, AIC, BIC and profiles, which are those that SciPy 1.17 has of
// the four other values (least_squares of 3·exp(−k t) at t = 0, 2, 3, 4; profiles by brentq with f.ppf and chi2.ppf).
func TestWeightZero(t *testing.T) {
	nan := math.NaN()
	const sse = 0.0034846955301909275
	for _, kind := range []string{"sse", "mse", "normal"} {
		for _, dead := range []float64{1.5, nan, -7} {
			s := decaySpec(kind, []float64{0, 1, 2, 3, 4}, []float64{3, dead, 1, 0.5, 0.3})
			s.Data.Columns[0].Weights = []float64{1, 0, 1, 1, 1}
			r := fit(t, s)
			loss, lo, hi := sse, 0.5070638909589905, 0.6441069294940047
			switch kind {
			case "mse":
				loss /= 4
			case "normal":
				loss, lo, hi = -8.415583798191363, 0.5430502899405573, 0.5998361738456323
			}
			nearly(t, kind+" loss", r.Loss, loss, 1e-6)
			nearly(t, kind+" k", r.Theta[0], 0.5705815115418469, 1e-5)
			nearly(t, kind+" ± of k", r.Report.Params[0].StdErr, 0.015882901965194367, 1e-4)
			nearly(t, kind+" ± of x0", r.Report.Params[1].StdErr, 0.041552419128016986, 1e-4)
			nearly(t, kind+" AIC", r.Report.AIC, -10.831167596382727, 1e-6)
			nearly(t, kind+" BIC", r.Report.BIC, -12.672284513023055, 1e-6)
			nearly(t, kind+" rms error", r.Report.Columns[0].RMSE, math.Sqrt(sse/4), 1e-5)
			if r.Report.Train.N != 4 || len(r.Report.Residuals) != 4 || r.Status != Converged {
				t.Errorf("%s: %v", kind, r.Report)
			}
			p := mustProfile(t, r, "k", ProfileOptions{})
			nearly(t, kind+" profile", p.Lo, lo, 1e-3)
			nearly(t, kind+" profile", p.Hi, hi, 1e-3)
		}
	}
	s := decaySpec("lognormal", []float64{0, 1}, []float64{3, -1})
	s.Data.Columns[0].Weights = []float64{0, 0}
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "of weight 0") {
		t.Error(err)
	}
}

// With a standard deviation that is known, as many values as parameters have standard errors: those of (JᵀJ)⁻¹σ² at k = log 2, x0 = 2.
func TestKnownDeviationOfFewValues(t *testing.T) {
	s := decaySpec("normal", []float64{0, 1}, []float64{2, 1})
	s.Compare.SD = 0.1
	r := fit(t, s)
	nearly(t, "± of k", r.Report.Params[0].StdErr, 0.11180339887498948, 1e-6)
	nearly(t, "± of x0", r.Report.Params[1].StdErr, 0.1, 1e-6)
	nearly(t, "AIC", r.Report.AIC, -1.5345862391574911, 1e-6)
	s.Compare.SD = 0
	r = fit(t, s)
	if !math.IsNaN(r.Report.AIC) || !strings.Contains(r.Report.NoErrors, "2 values and 2 parameters") || !strings.Contains(r.Report.String(), "has gone to its least value") {
		t.Errorf("%v", r.Report)
	}
}

// Where the data have no noise there is nothing to measure by, and the report says so; a profile needs to be told how large it is.
func TestExactData(t *testing.T) {
	s := decaySpec("sse", []float64{0, 1, 2}, []float64{2, 1, 0.5})
	r := fit(t, s)
	if se := r.Report.Params[0].StdErr; !(se < 1e-9) || !strings.Contains(r.Report.String(), "no larger than the errors of the solver") {
		t.Errorf("%v", r.Report)
	}
	var pe *ProfileError
	if _, err := r.Profile(context.Background(), "k", ProfileOptions{}); !errors.As(err, &pe) || !strings.Contains(pe.Help, "sigma") {
		t.Error(err)
	}
	mustProfile(t, r, "k", ProfileOptions{Sigma: 0.1})
}

// A training that has not come to an optimum, or has not moved at all, says so; one that has does not, whatever its last line search met.
func TestUnfinishedTrainingSaysSo(t *testing.T) {
	warned := func(kind, optimiser string, opts map[string]float64) (*Result, string) {
		s := decaySpec(kind, []float64{0, 1, 2, 3}, []float64{3, 1.6, 1, 0.5})
		s.Stages = []Stage{mustStage(t, optimiser, opts)}
		r := fit(t, s)
		return r, strings.Join(r.Report.Warnings, "; ")
	}
	for _, c := range []struct {
		optimiser string
		opts      map[string]float64
		want      string
	}{
		{"lm", map[string]float64{"iters": 0}, "no iteration was made"},
		{"sgd", map[string]float64{"rate": 50, "iters": 5}, "no step has lowered the loss"},
		{"lm", map[string]float64{"iters": 1}, "has not come to an optimum"},
		{"adam", map[string]float64{"iters": 20}, "has not come to an optimum"},
	} {
		if r, w := warned("sse", c.optimiser, c.opts); !strings.Contains(w, c.want) {
			t.Errorf("%s %v: %v", c.optimiser, c.opts, r.Report)
		}
	}
	for _, kind := range []string{"sse", "mse", "normal", "student_t"} {
		for _, o := range []string{"bfgs", "lbfgs"} {
			r, w := warned(kind, o, nil)
			if w != "" || r.Status != Converged || r.Report.Status != Converged || r.Report.Phases[len(r.Report.Phases)-1].Status != Converged || !(r.Report.Identify.Offset < 0.01) {
				t.Errorf("%s by %s: %v", kind, o, r.Report)
			}
		}
	}
}

// The offset of a straight line from far away is that of its closed form: the part of the residuals that the line can take up against the rest.
func TestOffsetIsThatOfALine(t *testing.T) {
	d := lineData(30, 5)
	s := Spec{Sys: line(1, 1), Data: d, Stages: []Stage{mustStage(t, "lm", map[string]float64{"iters": 0})}}
	r := fit(t, s)
	var st, sy, stt, sty float64
	n := float64(len(d.Times))
	for i, ti := range d.Times {
		y := d.Columns[0].Values[i]
		st, sy, stt, sty = st+ti, sy+y, stt+ti*ti, sty+ti*y
	}
	slope := (n*sty - st*sy) / (n*stt - st*st)
	start := (sy - slope*st) / n
	least, here := 0.0, 0.0
	for i, ti := range d.Times {
		y := d.Columns[0].Values[i]
		least += (start + slope*ti - y) * (start + slope*ti - y)
		here += (1 + ti - y) * (1 + ti - y)
	}
	nearly(t, "offset", r.Report.Identify.Offset, math.Sqrt((here-least)/2)/math.Sqrt(here/(n-2)), 1e-6)
}

// A profile of a training that ended early is that of the optimum, SciPy's of TestWeightZero, and says so.
func TestProfileOfUnfinishedTraining(t *testing.T) {
	s := decaySpec("sse", []float64{0, 2, 3, 4}, []float64{3, 1, 0.5, 0.3})
	s.Stages = []Stage{mustStage(t, "lm", map[string]float64{"iters": 1})}
	r := fit(t, s)
	p := mustProfile(t, r, "k", ProfileOptions{})
	nearly(t, "lower end", p.Lo, 0.5070638909589905, 1e-3)
	nearly(t, "upper end", p.Hi, 0.6441069294940047, 1e-3)
	nearly(t, "estimate", p.Estimate, 0.5705815115418469, 1e-5)
	if !p.Moved() || p.Fitted != r.Theta[0] || math.Abs(p.FitLoss-r.Loss) > 1e-9*r.Loss || p.Lower != nil || !strings.Contains(p.String(), "had not reached its optimum") {
		t.Errorf("%v; the fit's %v", p, r.Loss)
	}
	s.Stages = nil
	if p = mustProfile(t, fit(t, s), "k", ProfileOptions{}); p.Moved() || p.Warning() != "" {
		t.Errorf("%v", p)
	}
}

// Of c·x0, whose product alone is measured, neither factor has a finite end but for what the bound of the other sets.
func TestProfileOfAFactor(t *testing.T) {
	sys := testsys.System("Factor", []string{"y"}, []testsys.Param{{Name: "c", Value: 2}, {Name: "x0", Value: 1}},
		func(th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Mul(th[1])} },
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Times(-0.5)} })
	sys.Theta[0].Lo, sys.Theta[0].Hi = 0, 10
	r := fit(t, Spec{Sys: sys, Data: &Data{Times: []float64{0, 1, 2, 3}, Columns: []Column{{Name: "y", Values: []float64{3, 1.9, 1.1, 0.6}}}}})
	p := mustProfile(t, r, "c", ProfileOptions{})
	if !math.IsInf(p.Lo, -1) || !math.IsInf(p.Hi, 1) || !strings.Contains(p.OpenLo, "bound 0") || !strings.Contains(p.OpenHi, "bound 10") {
		t.Errorf("%v", p)
	}
}
