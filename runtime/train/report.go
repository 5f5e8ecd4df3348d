package train

import (
	"context"
	"fmt"
	"math"
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

	NFree   int        // scalars that were free
	Params  []Estimate // free parameters and initial values, in the order they were given
	Weights []Group    // free weights, counted

	Train   Score
	Held    *Score // nil when nothing was held out
	Columns []ColumnScore

	Iters, Evals int
	Elapsed      time.Duration

	// Residuals are in the order of the data, those trained on before those held out.
	Residuals []Residual

	// AIC and BIC take the errors as normal, independent and of one unknown variance, divided by the weights (on the log scale:
	// those of the logarithms): −2 log L + 2k and −2 log L + k log n at the largest likelihood, −2 log L = n (log(2π SSE/n) + 1) − Σ log w,
	// with k one more than NFree. They compare fits of the same data on the same scale, and are what R's nls gives.
	// NaN for losses that are no squares, and where there are as many parameters as data.
	//
	// H. Akaike, IEEE Transactions on Automatic Control 19 (1974), 716–723; G. Schwarz, Annals
	// of Statistics 6 (1978), 461–464.
	AIC, BIC float64

	// Identify is nil when it could not be computed or makes no sense: without data, without free
	// parameters other than weights, or with more than 50 of them.
	Identify *Identifiability

	Warnings []string
}

// Estimate is a free parameter or initial value.
type Estimate struct {
	Name         string
	Start, Value float64
	StdErr       float64 // NaN when unknown
	Lo, Hi       float64 // bounds
}

// Residual is a value of the data beside the model's.
type Residual struct {
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
}

// report looks at the fitted model.
func (f *fitting) report(ctx context.Context, m *Minimum) *Report {
	t, s := f.trial, f.spec
	r := &Report{Model: nameOf(s.Sys), Loss: "a function of the solution", Status: m.Status, NFree: len(t.vars),
		Train: Score{Loss: m.F, RMSE: math.NaN()}, Iters: m.Iters, Evals: m.Evals, AIC: math.NaN(), BIC: math.NaN()}
	for _, st := range f.phases[len(f.phases)-1].plan().stages {
		r.Optimisers = append(r.Optimisers, st.Optimiser.Name)
	}
	f.parameters(r)
	if math.IsNaN(m.F) || t.data == nil {
		return r
	}
	r.Loss = t.data.Spec.String()
	// Ctrl-C ended the training, and the report is what the user then wants to see.
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	r.Train.N = t.data.N()
	for k := range t.data.data.Columns {
		c := &t.data.data.Columns[k]
		r.Columns = append(r.Columns, ColumnScore{Name: c.Name, Quantity: c.Of.name(s.Sys), RMSE: math.NaN(), HeldRMSE: math.NaN(), HeldAt: math.NaN()})
	}
	sse, logw := f.score(ctx, r, t.data, &r.Train, false)
	if n, k := float64(r.Train.N), float64(r.NFree+1); t.data.pen.Squares && sse > 0 && k < n { // with more parameters than data they mean nothing
		deviance := n*(math.Log(2*math.Pi*sse/n)+1) - logw
		r.AIC, r.BIC = deviance+2*k, deviance+k*math.Log(n)
	}
	if f.held != nil {
		f.scoreHeld(ctx, r)
	}
	if m.Status != Cancelled {
		f.identify(ctx, r)
	}
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
	for _, v := range t.vars {
		th := t.prob.Theta[v.index]
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
		r.Params = append(r.Params, Estimate{Name: v.name, Start: f.begin[v.index], Value: th, StdErr: math.NaN(), Lo: v.Lo, Hi: v.Hi})
		for _, b := range [...]float64{v.Lo, v.Hi} {
			if near := v.nearBound(b); !math.IsInf(b, 0) && math.Abs(th-b) <= near {
				r.Warnings = append(r.Warnings, fmt.Sprintf("%s has gone to its bound %.6g: the data ask for a value beyond, or the bound is what decides", v.name, b))
			}
		}
	}
}

// nearBound is the distance at which a parameter counts as lying on a bound.
func (t Transform) nearBound(b float64) float64 {
	if t.two() {
		return 1e-5 * (t.Hi - t.Lo)
	}
	return 1e-5 * t.Scale
}

// solveAt solves over a span at the fitted parameters.
func (f *fitting) solveAt(ctx context.Context, t0, t1 float64, times []float64) (*solve.Solution, error) {
	p := f.trial.prob
	p.T0, p.T1, p.Times, p.NoDense = t0, t1, times, true
	return solve.Solve(ctx, &p)
}

// score fills a Score, the columns' figures and the residuals, and gives the weighted sum of squares and the sum of the weights' logarithms.
func (f *fitting) score(ctx context.Context, r *Report, l *DataLoss, sc *Score, held bool) (sse, logw float64) {
	t0 := f.trial.prob.T0
	sol, err := f.solveAt(ctx, t0, max(f.trial.prob.T1, l.data.Times[len(l.data.Times)-1]), l.data.Times)
	sc.N, sc.RMSE = l.N(), math.NaN()
	if err != nil || !sol.Status.Ended() {
		if held {
			sc.Loss = math.Inf(1)
			if err == nil {
				r.Warnings = append(r.Warnings, "the fitted model does not reach all data that were held out: "+sol.Fault.Error())
			}
		}
		return math.NaN(), 0
	}
	th := f.trial.prob.Theta
	if held {
		if sc.Loss, err = l.Eval(sol.X, th, nil, nil); err != nil {
			sc.Loss = math.NaN()
		}
		if e := l.Failure(); e != nil {
			r.Warnings = append(r.Warnings, "the loss of the data that were held out is infinite: "+e.Error())
		}
	}
	type sums struct {
		n         int
		sq, sum   float64
		worst, at float64
	}
	per := make([]sums, len(l.data.Columns))
	all := 0.0
	if !l.residuals(sol.X, th, func(row, col int, res, _ float64) {
		p := &per[col]
		p.n++
		p.sq += res * res
		p.sum += res
		if a := math.Abs(res); a >= p.worst {
			p.worst, p.at = a, l.data.Times[row]
		}
		c := &l.data.Columns[col]
		w := c.Weight
		if w == 0 {
			w = 1
		}
		sse += w * res * res
		logw += math.Log(w)
		all += res * res
		y := Residual{Column: col, T: l.data.Times[row], Data: c.Values[row], Model: c.Values[row] + res, Value: res, Held: held}
		if l.Spec.Log {
			y.Model = y.Data * math.Exp(res)
		}
		r.Residuals = append(r.Residuals, y)
	}) {
		return math.NaN(), 0
	}
	sc.RMSE = math.Sqrt(all / float64(sc.N))
	for k, p := range per {
		c := &r.Columns[k]
		if p.n == 0 {
			continue
		}
		n := float64(p.n)
		if held {
			c.HeldN, c.HeldRMSE, c.HeldBias, c.HeldAt = p.n, math.Sqrt(p.sq/n), p.sum/n, p.at
		} else {
			c.N, c.RMSE, c.Bias, c.Max, c.MaxTime = p.n, math.Sqrt(p.sq/n), p.sum/n, p.worst, p.at
		}
	}
	return sse, logw
}

// scoreHeld compares what was held out, by solving on from the same initial state.
func (f *fitting) scoreHeld(ctx context.Context, r *Report) {
	l, err := NewDataLoss(f.spec.Sys, f.held, f.spec.Compare)
	if err != nil {
		r.Warnings = append(r.Warnings, "the data that were held out cannot be compared: "+err.Error())
		return
	}
	r.Held = &Score{}
	f.score(ctx, r, l, r.Held, true)
}

// identify computes the Fisher information and warns of what the data leave open.
func (f *fitting) identify(ctx context.Context, r *Report) {
	id, err := f.fisher(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.Warnings = append(r.Warnings, "the standard errors could not be computed: "+err.Error())
		}
		return
	}
	if id == nil {
		return
	}
	r.Identify = id
	byName := map[string]float64{}
	for i, name := range id.Names {
		byName[name] = id.StdErr[i]
	}
	for i := range r.Params {
		if se, ok := byName[r.Params[i].Name]; ok {
			r.Params[i].StdErr = se
		}
	}
	r.Warnings = append(r.Warnings, id.warnings()...)
}
