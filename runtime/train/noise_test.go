package train

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
)

// −log L of three values is that of SciPy 1.17: −sum of logpdf or logpmf of norm, t, lognorm and poisson, typed from its output.
func TestLikelihoodsAgainstSciPy(t *testing.T) {
	sys := testsys.LotkaVolterra()
	d := &Data{Times: []float64{0, 1}, Columns: []Column{
		{Name: "a", Values: []float64{1, math.NaN()}},
		{Name: "b", Values: []float64{2, 8}, Of: Quantity{Index: 1}},
	}}
	x := []float64{1.5, 1, 77, 11} // residuals 0.5, −1, 3
	for _, c := range []struct {
		spec LossSpec
		want float64
	}{
		{LossSpec{Kind: "normal", SD: 0.7}, 12.145974441267208},
		{LossSpec{Kind: "student_t", SD: 0.7}, 7.5064645413645374},
		{LossSpec{Kind: "student_t", SD: 2, DF: 1.5}, 6.698471653952594},
		{LossSpec{Kind: "lognormal", SD: 0.3}, 6.063417834846451},
		{LossSpec{Kind: "poisson"}, 5.209122792810066},
	} {
		l, err := NewDataLoss(sys, d, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Eval(x, nil, nil, nil)
		if err != nil || math.Abs(got-c.want) > 1e-13*c.want {
			t.Errorf("%v: %v, SciPy has %v; %v", c.spec, got, c.want, err)
		}
	}
	r := []float64{0.1, -0.3, 2.5, 0.7, -0.2, 0.05, -9}
	if s := scaleOfT(r, 4, 1); math.Abs(s/1.4575403213577416-1) > 1e-7 {
		t.Errorf("the scale of Student's t is %v", s)
	}
	if s := scaleOfT(r, 4, 1e-9); math.Abs(s/1.4575403213577416-1) > 1e-7 {
		t.Errorf("from far away the scale of Student's t is %v", s)
	}
}

// decays is x' = −k x, y' = k x − y from (x0, y0), with data of both.
func decays(t *testing.T, noise float64) Spec {
	sys := testsys.System("Decays", []string{"x", "y"}, []testsys.Param{{Name: "k", Value: 0.7}, {Name: "x0", Value: 2}, {Name: "y0", Value: 0.5}}, testsys.Last(2),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg(), th[0].Mul(x[0]).Sub(x[1])}
		})
	return Spec{Sys: sys, Theta: []float64{1, 1.5, 1}, Data: noisy(t, sys, sys.Defaults(), span(0, 3, 30), noise, 4)}
}

// The gradient where standard deviations are estimated, with weights, known ones beside them, several trajectories and growing spans, against differences.
func TestEstimatedNoiseGradient(t *testing.T) {
	base := decays(t, 0.05)
	base.Data.Columns[0].Values[3] = math.NaN()
	weighted := *base.Data
	weighted.Columns = append([]Column(nil), base.Data.Columns...)
	weighted.Columns[1].Weights = make([]float64, 31)
	for i := range weighted.Columns[1].Weights {
		weighted.Columns[1].Weights[i] = float64(i % 3)
	}
	known := *base.Data
	known.Columns = append([]Column(nil), base.Data.Columns...)
	known.Columns[0].SD = 0.04
	for _, kind := range []string{"normal", "lognormal", "student_t"} {
		for name, edit := range map[string]func(s *Spec){
			"plain":   func(s *Spec) {},
			"weights": func(s *Spec) { s.Data = &weighted },
			"one":     func(s *Spec) { s.Data = &known },
			"two":     func(s *Spec) { s.Trajectories = []Trajectory{{Data: base.Data}, {Data: &weighted}}; s.Data = nil },
			"forward": func(s *Spec) { s.Gradient = "forward" },
			"growing": func(s *Spec) { s.Methods = []Method{{Grow: []float64{0.5}}} },
		} {
			s := base
			s.Compare = LossSpec{Kind: kind}
			s.Problem.Rtol, s.Problem.Atol = 1e-10, 1e-10
			edit(&s)
			p, u := phaseOf(t, s, 0)
			checkObjective(t, kind+" "+name, p, u, 1e-5, 1e-6)
		}
	}
	// Known ones make a sum of squares, whose Jacobian is checked with it.
	for _, kind := range []string{"normal", "lognormal"} {
		s := base
		s.Data = &weighted
		s.Compare = LossSpec{Kind: kind, SD: 0.1}
		s.Problem.Rtol, s.Problem.Atol = 1e-10, 1e-10
		p, u := phaseOf(t, s, 0)
		if rows, why := p.(LeastSquares).Squares(); rows == 0 {
			t.Error(kind, why)
		}
		checkObjective(t, kind, p, u, 1e-5, 1e-6)
	}
}

// With one quantity and its deviation estimated, a normal likelihood is least squares: the same estimates, standard errors, AIC and BIC.
func TestNormalIsLeastSquares(t *testing.T) {
	s := decays(t, 0.03)
	s.Data.Columns = s.Data.Columns[1:]
	s.Problem.Rtol, s.Problem.Atol = 1e-9, 1e-9
	squares, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Compare = LossSpec{Kind: "normal"}
	normal, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	close := func(what string, a, b, tol float64) {
		t.Helper()
		if !(math.Abs(a-b) <= tol*math.Abs(b)) {
			t.Errorf("%s: %v, not %v", what, a, b)
		}
	}
	for i := range s.Theta {
		close("θ", normal.Theta[i], squares.Theta[i], 1e-5)
		close("standard error", normal.Report.Params[i].StdErr, squares.Report.Params[i].StdErr, 1e-4)
	}
	close("AIC", normal.Report.AIC, squares.Report.AIC, 1e-8)
	close("BIC", normal.Report.BIC, squares.Report.BIC, 1e-8)
	c := normal.Report.Columns[0]
	if close("sd", c.SD, math.Sqrt(squares.Loss/31), 1e-6); !c.SDEstimated {
		t.Error("the standard deviation was not estimated")
	}
	if text := normal.Report.String(); !strings.Contains(text, "sd") || !strings.Contains(text, "shooting, deviations held") {
		t.Errorf("the report says\n%s", text)
	}
	// A known one gives the same estimates, by lm, and standard errors in proportion.
	s.Compare.SD = 2 * c.SD
	known, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Theta {
		close("θ", known.Theta[i], squares.Theta[i], 1e-5)
		close("standard error", known.Report.Params[i].StdErr, squares.Report.Params[i].StdErr*2*math.Sqrt(28./31), 1e-4)
	}
	close("loss", known.Loss, 31.*(math.Log(2*c.SD)+halfLog2Pi)+31./8, 1e-6)
	close("AIC", known.Report.AIC, 2*known.Loss+6, 1e-12)
	if known.Report.Optimisers[0] != "lm" {
		t.Errorf("it is fitted by %v", known.Report.Optimisers)
	}
	// So does the profile likelihood: the interval is that of squares with this deviation.
	a, err := known.Profile(context.Background(), "k", ProfileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := squares.Profile(context.Background(), "k", ProfileOptions{Sigma: 2 * c.SD})
	if err != nil {
		t.Fatal(err)
	}
	close("interval", a.Hi-a.Lo, b.Hi-b.Lo, 1e-3)
}

// Two quantities of very different noise get a deviation each, and weights say how they differ within one.
func TestEstimatedDeviations(t *testing.T) {
	s := decays(t, 0)
	rng := rand.New(rand.NewPCG(9, 9))
	w := make([]float64, 31)
	for i := range w {
		w[i] = 1
		if i%2 == 1 {
			w[i] = 1. / 16
		}
		s.Data.Columns[0].Values[i] += 0.2 * rng.NormFloat64()
		s.Data.Columns[1].Values[i] += 0.01 / math.Sqrt(w[i]) * rng.NormFloat64()
	}
	s.Data.Columns[1].Weights = w
	s.Compare = LossSpec{Kind: "normal"}
	r, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	x, y := r.Report.Columns[0].SD, r.Report.Columns[1].SD
	if !(x > 0.14 && x < 0.27 && y > 0.007 && y < 0.013) {
		t.Errorf("the deviations are %v and %v, not 0.2 and 0.01", x, y)
	}
	if math.Abs(r.Theta[0]-0.7) > 4*r.Report.Params[0].StdErr || r.Report.Params[0].StdErr > 0.03 {
		t.Errorf("k = %v ± %v", r.Theta[0], r.Report.Params[0].StdErr)
	}
	if math.Abs(r.Report.AIC-(2*r.Loss+2*5)) > 1e-9 {
		t.Errorf("AIC %v of loss %v with five estimates", r.Report.AIC, r.Loss)
	}
	// What is held out is judged by the deviations that were estimated.
	s.HeldOut = HeldOut{Last: 0.3}
	if r, err = Fit(context.Background(), s); err != nil || !(r.Report.Held.Loss < 5) {
		t.Fatalf("held out: %v, %v", r, err)
	}
}

// Prices on what is free stand beside a likelihood, by lm too, and what is held out can end the training.
func TestLikelihoodBesides(t *testing.T) {
	s := decays(t, 0.05)
	s.Compare = LossSpec{Kind: "normal", SD: 0.1}
	s.Regularise = []Regular{{Name: "k", Kind: "l2", Values: map[string]float64{"weight": 3}}}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	p := f.phases[0]
	checkObjective(t, "priced", f.objective(p), p.begin(context.Background()), 1e-5, 1e-6)
	a, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Stages = []Stage{mustStage(t, "bfgs", nil)}
	b, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if a.Report.Optimisers[0] != "lm" || math.Abs(a.Theta[0]-b.Theta[0]) > 1e-5 || math.Abs(a.Loss-b.Loss) > 1e-6 {
		t.Errorf("by lm %v with loss %v, by bfgs %v with %v", a.Theta, a.Loss, b.Theta, b.Loss)
	}
	s = decays(t, 0.05)
	s.Compare, s.HeldOut, s.Patience = LossSpec{Kind: "normal"}, HeldOut{Last: 0.3}, 3
	r, err := Fit(context.Background(), s)
	if err != nil || math.IsNaN(r.Report.Held.Loss) {
		t.Errorf("with patience: %v, %v", r, err)
	}
	// Several starts share nothing: the estimated deviations are each one's own.
	s = decays(t, 0.05)
	s.Compare, s.Starts = LossSpec{Kind: "normal"}, 4
	first, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Threads = 1
	again, err := Fit(context.Background(), s)
	if err != nil || again.Loss != first.Loss || again.Theta[0] != first.Theta[0] {
		t.Errorf("with one thread %v, with all %v; %v", again, first, err)
	}
}

// A fit in batches goes on to the same bits: the deviations that batches are compared by are part of the snapshot.
func TestResumeEstimatedNoise(t *testing.T) {
	spec := func() Spec {
		s := decays(t, 0.05)
		for k := range 5 {
			d := decays(t, 0.01*float64(k+1)).Data
			s.Trajectories = append(s.Trajectories, Trajectory{Data: d})
		}
		s.Data, s.Compare = nil, LossSpec{Kind: "normal"}
		s.Methods = []Method{{Batch: 2}}
		s.Stages = []Stage{mustStage(t, "adam", map[string]float64{"iters": 8}), mustStage(t, "bfgs", map[string]float64{"iters": 3})}
		return s
	}
	var shots []*Snapshot
	s := spec()
	s.Snapshot = func(s *Snapshot) { shots = append(shots, s.Clone()) }
	want, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for k, shot := range shots {
		s := spec()
		s.Resume = shot
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Loss != want.Loss || r.Theta[0] != want.Theta[0] {
			t.Errorf("from snapshot %d, stage %d, iteration %d: %v at %v, not %v at %v", k, shot.Stage, shot.Iter, r.Loss, r.Theta, want.Loss, want.Theta)
		}
	}
}

// Outliers move least squares and hardly Student's t.
func TestStudentOutliers(t *testing.T) {
	s := decays(t, 0.01)
	for _, i := range []int{4, 11, 17, 25} {
		s.Data.Columns[0].Values[i] += 2
	}
	off := map[string]float64{}
	for _, kind := range []string{"sse", "student_t"} {
		s.Compare = LossSpec{Kind: kind}
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		off[kind] = math.Abs(r.Theta[0] - 0.7)
		if se := r.Report.Params[0].StdErr; kind == "student_t" && !(off[kind] < 4*se) {
			t.Errorf("k is off by %v, its standard error is %v", off[kind], se)
		}
	}
	if !(off["student_t"] < 0.02 && off["sse"] > 5*off["student_t"]) {
		t.Errorf("k is off by %v", off)
	}
}

// Counts of a constant rate: the estimate is their mean m, its standard error √(m/n), and the loss −Σ log of Poisson's probabilities.
func TestPoissonCounts(t *testing.T) {
	sys := testsys.System("Rate", []string{"x"}, []testsys.Param{{Name: "x0", Value: 2}}, testsys.Last(1),
		func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Times(0)} })
	y := []float64{3, 0, 5, 2, 4, 1, 3, 6}
	r, err := Fit(context.Background(), Spec{Sys: sys, Data: &Data{Times: span(0, 7, 7), Columns: []Column{{Name: "x", Values: y}}}, Compare: LossSpec{Kind: "poisson"}})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, v := range y {
		g, _ := math.Lgamma(v + 1)
		want += 3 - v*math.Log(3) + g
	}
	if math.Abs(r.Theta[0]-3) > 1e-5 || math.Abs(r.Loss-want) > 1e-8 || math.Abs(r.Report.Params[0].StdErr-math.Sqrt(3./8)) > 1e-5 || math.Abs(r.Report.AIC-2*want-2) > 1e-8 {
		t.Errorf("%v ± %v, loss %v of %v\n%v", r.Theta, r.Report.Params[0].StdErr, r.Loss, want, r.Report)
	}
}

func TestLikelihoodsRefused(t *testing.T) {
	for want, edit := range map[string]func(s *Spec){
		"sd is -1":                      func(s *Spec) { s.Compare = LossSpec{Kind: "normal", SD: -1} },
		"poisson has no standard":       func(s *Spec) { s.Compare = LossSpec{Kind: "poisson", SD: 1} },
		"sse has no standard":           func(s *Spec) { s.Compare = LossSpec{SD: 1} },
		"df is -2":                      func(s *Spec) { s.Compare = LossSpec{Kind: "student_t", DF: -2} },
		"take lognormal":                func(s *Spec) { s.Compare = LossSpec{Kind: "normal", Log: true} },
		"is no count":                   func(s *Spec) { s.Compare = LossSpec{Kind: "poisson"} },
		"which has no logarithm":        func(s *Spec) { s.Compare.Kind = "lognormal"; s.Data.Columns[0].Values[2] = 0 },
		"the standard deviation is 0":   func(s *Spec) { s.Compare.Kind = "normal"; s.Data.Columns[0].SDs = make([]float64, 31) },
		"2 standard deviations for 31":  func(s *Spec) { s.Compare.Kind = "normal"; s.Data.Columns[0].SDs = make([]float64, 2) },
		"standard deviation of x is -3": func(s *Spec) { s.Compare.Kind = "normal"; s.Data.Columns[0].SD = -3 },
		"while `sd` is estimated":       func(s *Spec) { s.Compare.Kind = "normal"; s.Stages = []Stage{mustStage(t, "lm", nil)} },
	} {
		s := decays(t, 0.05)
		edit(&s)
		if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	l, err := NewDataLoss(decays(t, 0.05).Sys, decays(t, 0.05).Data, LossSpec{Kind: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Eval(make([]float64, 62), make([]float64, 3), nil, nil); err == nil || !strings.Contains(err.Error(), "estimated by a fit only") {
		t.Errorf("a loss by itself: %v", err)
	}
}

// A model that meets all data does not run away to an infinite likelihood, and collocation and multiple shooting lead to the same fit.
func TestLikelihoodWithMethods(t *testing.T) {
	s := decays(t, 0)
	s.Compare = LossSpec{Kind: "normal"}
	r, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.Theta[0]-0.7) > 1e-4 || math.IsInf(r.Loss, 0) {
		t.Errorf("without noise: %v, loss %v", r.Theta, r.Loss)
	}
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	d := noisy(t, lv, append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...), span(0, 5, 40), 0.02, 1)
	for _, spec := range []LossSpec{{Kind: "lognormal"}, {Kind: "normal", SD: 0.05}} {
		s := Spec{Sys: lv, Theta: []float64{1.4, 0.9, 3.2, 1.1, 1, 1, 1.2, 0, 0.8, 0}, Data: d, Compare: spec}
		if s.Free, err = Select(lv, s.Theta, []string{"alpha", "beta", "gamma", "delta", "x", "y"}, 0); err != nil {
			t.Fatal(err)
		}
		var first float64
		for i, m := range []string{"shooting", "collocation", "multiple_shooting"} {
			s.Methods = []Method{{Name: m}}
			r, err := Fit(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = r.Loss
			}
			if math.Abs(r.Loss-first) > 1e-3 {
				t.Errorf("%v by %s: loss %v, by shooting %v\n%v", spec, m, r.Loss, first, r.Report)
			}
		}
		p, u := phaseOf(t, s, 0)
		checkObjective(t, "multiple shooting of "+spec.Kind, p, u, 1e-5, 2e-5)
	}
}

// Estimated standard deviations, and standard errors by them, are those of the result, whatever the optimiser looked at last.
func TestEstimatedNoiseIsOfTheResult(t *testing.T) {
	for _, o := range Optimisers() {
		s := decays(t, 0.05)
		s.Compare = LossSpec{Kind: "normal"}
		values := map[string]float64{"iters": 15}
		if !o.LineSearch {
			values["rate"] = 0.003
			if strings.HasPrefix(o.Name, "ada") || strings.HasPrefix(o.Name, "rms") {
				values["rate"] = 0.3
			}
		}
		if s.Stages = []Stage{mustStage(t, o.Name, values)}; o.Squares {
			continue // it has none that are estimated
		}
		r := fit(t, s)
		for _, c := range r.Report.Columns {
			if math.Abs(c.SD/c.RMSE-1) > 1e-9 {
				t.Errorf("%s: %s has sd %v, rms %v", o.Name, c.Name, c.SD, c.RMSE)
			}
		}
		// The same point, fitted no further.
		s.Theta, s.Stages = r.Theta, []Stage{mustStage(t, "adam", map[string]float64{"iters": 0})}
		again := fit(t, s)
		for i, p := range r.Report.Params {
			if q := again.Report.Params[i].StdErr; math.Abs(p.StdErr/q-1) > 1e-6 {
				t.Errorf("%s: standard error of %s %v, looked at alone %v", o.Name, p.Name, p.StdErr, q)
			}
		}
	}
}
