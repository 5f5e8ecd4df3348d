package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Report is the account of a fit.
type Report struct {
	Model      string
	Loss       string   // as it is written: "sse(scale = log)"; "a function of the solution" otherwise
	Optimisers []string // of the last phase
	Status     Status
	Phases     []PhaseReport // one at least
	Starts     []StartReport // nil of one start

	Gradients string     // by which method they were computed, and why: "discrete: …"; "" where none was
	NFree     int        // scalars that were free
	Params    []Estimate // free parameters and initial values, in the order they were given
	Weights   []Group    // free weights, counted

	Train   Score
	Penalty float64 // what regularisation adds to the loss; not in Train
	Held    *Score  // nil when nothing was held out
	Columns []ColumnScore
	// Trajectories has the figures of each of several, in their order; nil of one.
	Trajectories []TrajectoryScore

	Iters, Evals int
	Failed       Failures // trials, of the best start
	Resumed      int      // iterations that an earlier run had made, 0 where there was none; Elapsed counts its time too
	Elapsed      time.Duration

	// Residuals are in the order of the data, those trained on before those held out.
	Residuals []Residual

	// AIC and BIC take the errors as normal, independent and of one unknown variance, divided by the weights (on the log scale:
	// those of the logarithms): −2 log L + 2k and −2 log L + k log n at the largest likelihood, −2 log L = n (log(2π SSE/n) + 1) − Σ log w,
	// with k one more than NFree. They compare fits of the same data on the same scale, and are what R's nls gives.
	// NaN where there are as many parameters as data, unless a likelihood knows all standard deviations. Of a likelihood, −2 log L is twice the loss, and k is NFree and one for each standard deviation that was estimated. NaN for
	// losses that are neither squares nor likelihoods.
	//
	// H. Akaike, IEEE Transactions on Automatic Control 19 (1974), 716–723; G. Schwarz, Annals
	// of Statistics 6 (1978), 461–464.
	AIC, BIC float64

	// Identify is nil when it could not be computed or makes no sense: without data, without free
	// parameters other than weights, or with more than 50 of them; of several trajectories 50 for each, as long as the whole stays within reason.
	Identify *Identifiability

	// From and FromLast are when solutions start: the earliest and the latest of the trajectories.
	From, FromLast float64
	// Notes are what to know that is nothing wrong.
	Notes []string
	// NoErrors says why there are no standard errors; "" where there are some, and of a loss that is a function.
	NoErrors string
	// NoAIC says why there are no AIC and BIC, where a loss that is a sum of squares or a likelihood has none; else "".
	NoAIC string

	Warnings []string
}

// Estimate is a free parameter or initial value.
type Estimate struct {
	Name         string
	Start, Value float64
	StdErr       float64 // NaN when unknown
	Lo, Hi       float64 // bounds
	Trajectory   string  // whose own it is; "" of what all share
}

// Residual is a value of the data beside the model's.
type Residual struct {
	Trajectory  int // which of several, from 0
	Column      int // index into Columns
	T           float64
	Data, Model float64
	Value       float64 // Model − Data; on the log scale, the difference of the logarithms
	Held        bool    // it was held out
}

// Group is how many weights an unknown has free.
type Group struct {
	Name string
	N    int
}

// Score is a loss over some of the data.
type Score struct {
	Loss float64 // of the kind that was trained; +Inf where the solution does not reach the data
	N    int     // values that are not missing; 0 for a loss that is a function
	RMSE float64 // root mean square of the residuals, without weights; NaN without data
}

// TrajectoryScore is how well one of several trajectories is met. Residuals are differences of logarithms on the log scale.
type TrajectoryScore struct {
	Name     string
	N, HeldN int
	RMSE     float64 // NaN where it is held out as a whole
	HeldRMSE float64 // NaN where nothing of it is held out, or where the solution does not reach that
}

// ColumnScore is how well one column is met. Residuals are differences of logarithms on the log scale.
type ColumnScore struct {
	Name             string // the data's
	Quantity         string // the model's
	N                int
	RMSE, Bias, Max  float64 // root mean square, mean, largest magnitude of the residuals
	MaxTime          float64 // when the largest is
	HeldN            int
	HeldRMSE         float64
	HeldBias, HeldAt float64 // mean, and the time of the largest

	SD          float64 // of a likelihood: the scale of the errors, of a value of weight 1; NaN where each value has its own, or there is none
	SDEstimated bool    // it was estimated
}

// report looks at the fitted model.
func (f *fitting) report(ctx context.Context, m *Minimum) *Report {
	t, s := f.trial, f.spec
	r := &Report{Model: nameOf(s.Sys), Loss: "a function of the solution", Status: m.Status, NFree: len(t.vars),
		Train: Score{Loss: m.F, RMSE: math.NaN()}, Iters: m.Iters, Evals: m.Evals, Failed: m.Failed, AIC: math.NaN(), BIC: math.NaN()}
	for _, st := range f.phases[len(f.phases)-1].plan().stages {
		r.Optimisers = append(r.Optimisers, st.Optimiser.Name)
	}
	departed := ""
	if r.Gradients, departed = t.by.told(s.Gradient); departed != "" {
		r.Warnings = append(r.Warnings, departed)
	}
	f.parameters(r)
	r.Notes = f.notes
	r.Penalty = f.penalty()
	if math.IsNaN(m.F) || t.data == nil {
		return r
	}
	r.Loss = t.data.Spec.String()
	// Ctrl-C ended the training, and the report is what the user then wants to see.
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	if err := t.scaled(ctx); err != nil {
		r.Warnings = append(r.Warnings, "the standard deviations of the errors could not be computed: "+err.Error())
	}
	t.all()
	t.divide() // by the values of all trajectories
	r.From, r.FromLast = math.Inf(1), math.Inf(-1)
	for _, tr := range f.all {
		r.From, r.FromLast = math.Min(r.From, tr.prob.T0), math.Max(r.FromLast, tr.prob.T0)
		f.columns(r, tr)
		if len(f.all) > 1 {
			r.Trajectories = append(r.Trajectories, TrajectoryScore{Name: tr.name, RMSE: math.NaN(), HeldRMSE: math.NaN()})
		}
	}
	sse, logw, e := f.score(ctx, r, &r.Train, false)
	if n, k := float64(r.Train.N), float64(r.NFree+1); t.data.pen.Squares && sse > 0 && k < n { // with more parameters than data they mean nothing
		deviance := n*(math.Log(2*math.Pi*sse/n)+1) - logw
		r.AIC, r.BIC = deviance+2*k, deviance+k*math.Log(n)
	}
	if n, k := float64(r.Train.N), float64(r.NFree+len(t.noise)); t.data.pen.Likelihood && (k < n || len(t.noise) == 0) {
		r.AIC, r.BIC = 2*m.F+2*k, 2*m.F+k*math.Log(n)
	}
	if math.IsNaN(r.AIC) && sse > 0 && (t.data.pen.Squares || t.data.pen.Likelihood) {
		r.NoAIC = fmt.Sprintf("%s are too few for %s, the size of the errors among them", count(r.Train.N, "value"), count(r.NFree+max(len(t.noise), 1), "estimated number"))
	}
	f.deviations(r)
	r.Warnings = append(r.Warnings, f.warnings...)
	if slices.ContainsFunc(f.all, func(tr *trajectory) bool { return tr.held != nil }) {
		r.Held = &Score{}
		f.score(ctx, r, r.Held, true)
	}
	f.identify(ctx, r, m, sse, e)
	f.ended(r, m, sse)
	return r
}

// parameters lists what was free, and what ended at a bound.
func (f *fitting) parameters(r *Report) {
	t := f.trial
	owner := map[int]string{}
	for _, s := range f.spec.Sys.Theta {
		if s.Role == system.RoleWeight && s.Owner != "" {
			for k := range s.Size() {
				owner[s.Off+k] = s.Owner
			}
		}
	}
	for k, v := range t.vars {
		th := t.value1(&v)
		if v.weight {
			name := owner[v.index]
			if name == "" {
				name = "weights"
			}
			if n := len(r.Weights); n > 0 && r.Weights[n-1].Name == name {
				r.Weights[n-1].N++
			} else {
				r.Weights = append(r.Weights, Group{name, 1})
			}
			continue
		}
		e := Estimate{Name: v.name, Start: f.first[k], Value: th, StdErr: math.NaN(), Lo: v.Lo, Hi: v.Hi}
		if v.own {
			e.Trajectory = t.tr[v.of].name
		}
		r.Params = append(r.Params, e)
		if b, at := v.bound(th); at {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s has gone to its bound %.6g: the data ask for a value beyond, or the bound is what decides", v.name, b))
		}
	}
}

// bound says whether a value lies on a bound, and on which.
func (t Transform) bound(th float64) (b float64, at bool) {
	for _, b := range [...]float64{t.Lo, t.Hi} {
		if !math.IsInf(b, 0) && math.Abs(th-b) <= t.nearBound(b) {
			return b, true
		}
	}
	return 0, false
}

// nearBound is the distance at which a parameter counts as lying on a bound.
func (t Transform) nearBound(b float64) float64 {
	if t.two() {
		return 1e-5 * (t.Hi - t.Lo)
	}
	return 1e-5 * t.Scale
}

// solveAt solves a trajectory up to a time at the fitted parameters.
func (f *fitting) solveAt(ctx context.Context, tr *trajectory, t1 float64, times []float64) (*solve.Solution, error) {
	p := tr.prob
	p.Theta, p.T1, p.Times, p.NoDense = f.trial.theta(tr), t1, times, true
	return solve.Solve(ctx, &p)
}

// solveAll solves all trajectories that have such a loss, on all cores, over its times.
func (f *fitting) solveAll(ctx context.Context, of func(tr *trajectory) *DataLoss) ([]*solve.Solution, []error) {
	sols, errs := make([]*solve.Solution, len(f.all)), make([]error, len(f.all))
	f.trial.share(f.trial, len(f.all), func(_ *worker, k int) bool {
		tr := f.all[k]
		if l := of(tr); l != nil {
			times := l.data.Times
			sols[k], errs[k] = f.solveAt(ctx, tr, max(tr.prob.T1, times[len(times)-1]), times)
		}
		return true
	})
	return sols, errs
}

// columns adds the columns of a trajectory's data that are not there yet, and says where each stands.
func (f *fitting) columns(r *Report, tr *trajectory) (place []int) {
	l := tr.data
	if l == nil {
		l = tr.held
	}
	for k := range l.data.Columns {
		c := &l.data.Columns[k]
		name := c.Of.name(f.spec.Sys)
		i := slices.IndexFunc(r.Columns, func(s ColumnScore) bool { return s.Name == c.Name && s.Quantity == name })
		if i < 0 {
			i = len(r.Columns)
			r.Columns = append(r.Columns, ColumnScore{Name: c.Name, Quantity: name, RMSE: math.NaN(), HeldRMSE: math.NaN(), HeldAt: math.NaN(), SD: math.NaN()})
		}
		place = append(place, i)
	}
	return place
}

// lend gives what was held out the standard deviations that were estimated.
func (f *fitting) lend() {
	for _, tr := range f.all {
		if tr.held == nil {
			continue
		}
		for k := range tr.held.noise {
			for _, n := range f.trial.noise {
				if n.of == tr.held.data.Columns[k].Of {
					tr.held.noise[k] = n
				}
			}
		}
	}
}

// deviations adds the standard deviations of a likelihood.
func (f *fitting) deviations(r *Report) {
	for _, tr := range f.all {
		if tr.data == nil || !tr.data.pen.Scaled {
			continue
		}
		for k, i := range f.columns(r, tr) {
			c := &tr.data.data.Columns[k]
			switch n := tr.data.noise[k]; {
			case n != nil:
				r.Columns[i].SD, r.Columns[i].SDEstimated = n.sd, true
			case c.SDs != nil:
				r.Columns[i].SD = math.NaN()
			case c.SD > 0:
				r.Columns[i].SD = c.SD
			default:
				r.Columns[i].SD = tr.data.Spec.SD
			}
		}
	}
}

// sums gathers residuals.
type sums struct {
	n         int
	sq, sum   float64
	worst, at float64
}

func (p *sums) add(res, t float64) {
	p.n++
	p.sq += res * res
	p.sum += res
	if a := math.Abs(res); a >= p.worst {
		p.worst, p.at = a, t
	}
}

func (p *sums) rms() float64 {
	if p.n == 0 {
		return math.NaN()
	}
	return math.Sqrt(p.sq / float64(p.n))
}

// score fills a Score, the figures of columns and trajectories and the residuals, and gives the weighted sum of squares, the sum of the weights'
// logarithms, and the residuals in units in which the Fisher information's are. What was held out is reached by solving on from the same initial state.
func (f *fitting) score(ctx context.Context, r *Report, sc *Score, held bool) (sse, logw float64, e []float64) {
	losses := func(tr *trajectory) *DataLoss {
		if held {
			return tr.held
		}
		return tr.data
	}
	for _, tr := range f.all {
		if l := losses(tr); l != nil {
			sc.N += l.N()
		}
	}
	sc.RMSE = math.NaN()
	per := make([]sums, len(r.Columns))
	var all sums
	loss, whole := 0.0, true
	sols, errs := f.solveAll(ctx, losses)
	for k, tr := range f.all {
		l := losses(tr)
		if l == nil {
			continue
		}
		l.over(sc.N)
		var own sums
		place := f.columns(r, tr)
		v, err := f.scoreOne(sols[k], errs[k], tr, l, func(row, col int, res float64) {
			c, t := &l.data.Columns[col], l.data.Times[row]
			i := place[col]
			per[i].add(res, t)
			own.add(res, t)
			all.add(res, t)
			w := c.weight(row)
			sse += w * res * res
			logw += math.Log(w)
			y := Residual{Trajectory: k, Column: i, T: t, Data: c.Values[row], Model: c.Values[row] + res, Value: res, Held: held}
			if l.logs {
				y.Model = y.Data * math.Exp(res)
			}
			r.Residuals = append(r.Residuals, y)
			if _, d := l.cost(col, row, res, y.Model); l.pen.Squares {
				e = append(e, d/2/l.precision(col, row, y.Model))
			} else {
				e = append(e, d/l.precision(col, row, y.Model))
			}
		})
		if len(r.Trajectories) > 0 {
			s := &r.Trajectories[k]
			if held {
				s.HeldN = l.N()
			} else {
				s.N = l.N()
			}
			if err == nil && held {
				s.HeldRMSE = own.rms()
			} else if err == nil {
				s.RMSE = own.rms()
			}
		}
		loss += v
		if err == nil {
			continue
		}
		if held && whole {
			r.Warnings = append(r.Warnings, tr.named(err).Error())
		}
		whole = false
	}
	if held {
		sc.Loss = loss
	}
	if !whole {
		return math.NaN(), 0, nil
	}
	sc.RMSE = all.rms()
	for k := range per {
		c, p := &r.Columns[k], &per[k]
		if p.n == 0 {
			continue
		}
		n := float64(p.n)
		if held {
			c.HeldN, c.HeldRMSE, c.HeldBias, c.HeldAt = p.n, p.rms(), p.sum/n, p.at
		} else {
			c.N, c.RMSE, c.Bias, c.Max, c.MaxTime = p.n, p.rms(), p.sum/n, p.worst, p.at
		}
	}
	return sse, logw, e
}

// scoreOne visits the residuals of a trajectory and gives its part of the loss, infinite with an error where the solution or the loss is.
func (f *fitting) scoreOne(sol *solve.Solution, err error, tr *trajectory, l *DataLoss, visit func(row, col int, res float64)) (float64, error) {
	switch {
	case err != nil:
		return math.NaN(), err
	case !sol.Status.Ended():
		return math.Inf(1), fmt.Errorf("the fitted model does not reach all data that were held out: %w", sol.Fault)
	}
	th := f.trial.theta(tr)
	if l.lets { // thousands of trajectories need no evaluation of lets each
		if f.lets == nil || f.letsOf != tr.prob.Sys {
			f.lets, f.letsOf = newOutputs(tr.prob.Sys), tr.prob.Sys
		}
		l.outputs = f.lets
	}
	v, err := l.Eval(sol.X, th, nil, nil)
	switch {
	case err != nil:
		return math.NaN(), err
	case l.Failure() != nil:
		return v, fmt.Errorf("the loss of the data that were held out is infinite: %w", l.Failure())
	}
	l.residuals(sol.X, th, func(row, col int, res, _ float64) { visit(row, col, res) })
	return v, nil
}
