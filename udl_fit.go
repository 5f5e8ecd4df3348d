package udl

import (
	"context"
	"math"
	"sort"
	"strconv"

	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/eval"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// FitResult is a fit in numbers: history, status, and a report with estimates, standard errors, correlations and residuals. It is
// not to be changed. Its fields are Theta, Loss, History, Status, and Report with the estimates; go doc
// github.com/udl-lang/udl/runtime/train.Result and train.Report show them.
type FitResult = train.Result

// FitProgress is where a training stands after an iteration: Optimiser, Stage, Iter of Total; Loss, Best and GradNorm; Phase of Phases and Method; Start of
// Starts; Made of All iterations, Elapsed and Left. go doc github.com/udl-lang/udl/runtime/train.Progress shows them all.
type FitProgress = train.Progress

// FitResult is what a fit found, nil for a model that was not fitted.
func (m *Model) FitResult() *FitResult {
	if m.fitted() == nil {
		return nil
	}
	return m.m.Fit.Result
}

// checkpoint gives the options of long fits.
func (o FitOptions) checkpoint(args map[string]value.Value) {
	if o.Checkpoint != "" {
		args["checkpoint"] = value.Text(o.Checkpoint)
	}
	if n, err := strconv.Atoi(o.Every); err == nil {
		args["every"] = value.Num(float64(n))
	} else if o.Every != "" {
		args["every"] = value.Text(o.Every)
	}
	if o.Fresh {
		args["resume"] = value.Bool(false)
	}
}

// Profile is the loss along one parameter, everything else fitted, with the interval that follows from it: Name, Estimate, Loss, Lo, Hi, OpenLo and
// OpenHi (why it is open), Points and more, which go doc github.com/udl-lang/udl/runtime/train.Profile shows.
type Profile = train.Profile

// ProfileOptions say how far and how finely a profile goes: Level (0.95), Points on each side (8), Sigma where the noise is known. The zero value is ready. See
// go doc github.com/udl-lang/udl/runtime/train.ProfileOptions.
type ProfileOptions = train.ProfileOptions

// Profile is the profile likelihood of a parameter, initial value or weight ("U.W1[1,2]") of a fit to data by least squares
// (Raue et al. 2009).
func (m *Model) Profile(ctx context.Context, name string, o ProfileOptions) (*Profile, error) {
	args := map[string]value.Value{"fit": m.value(), "name": value.Text(name)}
	if o.Level != 0 {
		args["level"] = value.Num(o.Level)
	}
	if o.Points != 0 {
		args["points"] = value.Num(float64(o.Points))
	}
	if o.Sigma != 0 {
		args["sigma"] = value.Num(o.Sigma)
	}
	v, err := m.call(ctx, "profile", args, nil, nil)
	if err != nil {
		return nil, err
	}
	return v.(*value.Profile).Of, nil
}

// FitOptions say what to train, and how. Loss and Train are expressions of the language.
type FitOptions struct {
	SolveOptions                   // T0, T1, By or At are the times of a Loss that is a lambda; a fit to data has the data's
	Data         *Data             // nil when Loss is a lambda
	Trajectories []Trajectory      // several, in place of Data
	Initial      string            // "data": initial values of matched states from the first row, "{x: \"column\"}" from those columns; "" for those of the model
	Match        map[string]string // state or let → column; empty: columns of the same names
	Loss         string            // "sse", "sse(scale = log)", "normal(sd = 0.1)", "s -> mean((s.x - 1)^2)"; "" is sse
	Train        string            // "adam(rate = 0.02, iters = 500) then lbfgs"; "" is the default chain
	Method       string            // "shooting(grow = 5)"; several by `then`; "" is shooting
	Free         []string          // what may move; nil: all parameters and weights
	Regularise   string            // prices on what is free: "{U: l2(1e-4), alpha: l1(0.1)}"
	Patience     int               // above 0: stop after so many iterations in a row that do not lower the loss over the data held out
	Starts       int               // how many starts are tried, the given one and others that are drawn; 0 is 1
	Threads      int               // how many cores to use; 0: all. The result is the same
	HoldOut      string            // data kept out of the training: "0.3" for the last part, "1914..1920" for a range of times, "{trajectories: [3, 7]}"
	Adjoint      string            // how gradients are computed: "discrete", "forward", "interpolating", "quadrature" or "backsolve"; "" chooses
	// Memory is how many bytes the steps of a discrete gradient, with the solution at the output times, may take; of steps beyond it some are made again, to the same bits.
	// 0: as the limit on memory. Recursive takes little memory, however long the run is, and makes each step several times.
	Memory    int64
	Recursive bool
	// Checkpoint is a folder that takes the state of the training while it runs: the same fit goes on from there, to the same bits as if it had
	// never stopped. "" keeps none. Every is how often, "50" iterations or a time, "30s"; "" is every ten seconds. Fresh begins anew.
	Checkpoint string
	Every      string
	Fresh      bool
	// Progress is called after each iteration with the iteration, the loss and the best loss so far.
	Progress func(iter int, loss, best float64)
	// Watch is told more of each iteration: where the training stands in its stages, phases and starts, the norm of the gradient, and the time that is left.
	Watch func(FitProgress)
}

// Fit trains the model and returns a new one whose defaults are the fitted values; m is unchanged. When ctx is
// cancelled, or a limit on time is over, the best so far is returned together with an error for which errors.Is tells of context.Canceled or
// context.DeadlineExceeded; the model is nil where that came before the first loss was known.
func (m *Model) Fit(ctx context.Context, o FitOptions) (*Model, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	args, exprs, err := o.arguments(m)
	if err != nil {
		return nil, err
	}
	if o.Initial == "data" {
		args["initial"] = value.Word(o.Initial)
	} else if o.Initial != "" {
		exprs["initial"] = o.Initial
	}
	if o.Train != "" {
		exprs["train"] = o.Train
	}
	if o.Method != "" {
		exprs["method"] = o.Method
	}
	if o.HoldOut != "" {
		exprs["holdout"] = o.HoldOut
	}
	o.checkpoint(args)
	if o.Regularise != "" {
		exprs["regularise"] = o.Regularise
	}
	for name, n := range map[string]int{"patience": o.Patience, "starts": o.Starts, "threads": o.Threads} {
		if n != 0 {
			args[name] = value.Num(float64(n))
		}
	}
	if o.Free != nil {
		var l value.List
		for _, n := range o.Free {
			l = append(l, value.Word(n))
		}
		args["free"] = l
	}
	ctx, done := m.limited(ctx)
	defer done()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := &Model{in: m.in, m: m.m} // the limit on time is that of ctx
	if o.Progress != nil || o.Watch != nil {
		run.in = m.in.Fork()
		run.in.SetProgress(func(p eval.Progress) {
			if ctx.Err() != nil {
				return
			}
			var err error
			if !p.Done && o.Progress != nil {
				err = callback("Progress", func() { o.Progress(p.Iter, p.Loss, p.Best) })
			}
			if err == nil && p.Fit != nil && o.Watch != nil {
				err = callback("Watch", func() { o.Watch(*p.Fit) })
			}
			if err != nil {
				stop(err)
			}
		})
	}
	v, err := run.call(ctx, "fit", args, exprs, o.Set)
	f, ok := v.(*value.Model)
	if !ok {
		return nil, err
	}
	if err == nil && f.Fit.Result.Status == train.Cancelled {
		if err = ended(ctx, ctx.Err()); math.IsNaN(f.Fit.Result.Loss) {
			return nil, err
		}
	}
	return &Model{in: m.in, m: f, limits: m.limits}, err
}

// Report is the account of a fit: estimates with standard errors, losses trained on and held out, warnings; "" for a
// model that was not fitted.
func (m *Model) Report() string {
	if m.fitted() == nil {
		return ""
	}
	return m.m.Fit.Result.Report.String()
}

// noTimes is that of a loss that is a lambda; data bring their times.
func (o FitOptions) noTimes() error {
	if o.Data != nil || o.Trajectories != nil {
		for _, d := range append([]Trajectory{{Data: o.Data}}, o.Trajectories...) {
			if d.Data != nil {
				if err := d.Data.check(); err != nil {
					return err
				}
			}
		}
		return o.timesTwice()
	}
	return o.SolveOptions.noTimes()
}

// arguments are those that a fit shares with derivatives of its loss.
func (o FitOptions) arguments(m *Model) (args map[string]value.Value, exprs map[string]string, err error) {
	if err := o.noTimes(); err != nil {
		return nil, nil, err
	}
	args, exprs = map[string]value.Value{"model": m.value()}, map[string]string{}
	o.args(args, exprs)
	o.lossArgs(args, exprs)
	return args, exprs, o.several(args)
}

func (o FitOptions) lossArgs(args map[string]value.Value, exprs map[string]string) {
	switch {
	case o.Memory != 0 || o.Recursive:
		args["adjoint"] = verb.AdjointSpec(o.Memory, o.Recursive)
	case o.Adjoint != "":
		args["adjoint"] = value.Word(o.Adjoint)
	}
	if o.Data != nil {
		args["data"] = o.Data.table()
	}
	if o.Loss != "" {
		exprs["loss"] = o.Loss
	}
	if len(o.Match) > 0 {
		r := &value.Record{}
		var keys []string
		for k := range o.Match {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			r.Put(k, value.Text(o.Match[k]))
		}
		args["match"] = r
	}
}

// Loss is the training loss of a fitted model, NaN of any other.
func (m *Model) Loss() float64 {
	if m.fitted() == nil {
		return math.NaN()
	}
	return m.m.Fit.Result.Loss
}
