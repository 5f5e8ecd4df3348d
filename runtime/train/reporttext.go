package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// String is the report as text: what was trained and how it ended, the losses, the estimates, the
// columns, the warnings.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s by %s, %s after %s and %s, %s\n", r.Model, r.Loss, strings.Join(r.Optimisers, " then "),
		r.Status, count(r.Iters, "iteration"), count(r.Evals, "evaluation"), r.Elapsed.Round(time.Millisecond))
	r.starts(&b)
	r.phases(&b)
	r.losses(&b)
	r.from(&b)
	r.trajectories(&b)
	r.estimates(&b)
	r.correlations(&b)
	r.columns(&b)
	if r.Resumed > 0 {
		fmt.Fprintf(&b, "gone on from a checkpoint after %s\n", count(r.Resumed, "iteration"))
	}
	if f := r.Failed; f.N > 0 {
		fmt.Fprintf(&b, "%s failed, the first in %s\n", count(f.N, "trial"), f.First)
		if f.N > 1 {
			fmt.Fprintf(&b, "  the last in %s\n", f.Last)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// phases lists them where there are several.
func (r *Report) phases(b *strings.Builder) {
	if len(r.Phases) < 2 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, p := range r.Phases {
		if !p.Skipped {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", p.Title, short(p.Loss), p.Status, count(p.Iters, "iteration"), p.Note)
		}
	}
	w.Flush()
}

// starts lists them where there are several.
func (r *Report) starts(b *strings.Builder) {
	if len(r.Starts) < 2 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for k, s := range r.Starts {
		if s.Failed != "" {
			fmt.Fprintf(w, "  start %d\t-\t%s\n", k+1, s.Failed)
			continue
		}
		best := ""
		if s.Best {
			best = ", the result"
		}
		fmt.Fprintf(w, "  start %d\t%s\t%s after %s%s\n", k+1, short(s.Loss), s.Status, count(s.Iters, "iteration"), best)
	}
	w.Flush()
}

func (r *Report) losses(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	switch {
	case r.Train.N == 0:
		fmt.Fprintf(b, "loss %s\n", short(r.Train.Loss))
	case r.Held == nil:
		fmt.Fprintf(b, "loss %s over %s, root mean square error %s\n", short(r.Train.Loss), count(r.Train.N, "value"), short(r.Train.RMSE))
	default:
		fmt.Fprintf(w, "\ttrained on\theld out\t\n")
		fmt.Fprintf(w, "loss\t%s\t%s\t\n", short(r.Train.Loss), short(r.Held.Loss))
		fmt.Fprintf(w, "values\t%d\t%d\t\n", r.Train.N, r.Held.N)
		fmt.Fprintf(w, "root mean square error\t%s\t%s\t\n", short(r.Train.RMSE), short(r.Held.RMSE))
	}
	w.Flush()
	if r.Penalty != 0 {
		fmt.Fprintf(b, "regularisation %s beside the loss\n", short(r.Penalty))
	}
	if !math.IsNaN(r.AIC) {
		fmt.Fprintf(b, "AIC %s, BIC %s\n", short(r.AIC), short(r.BIC))
	} else if r.NoAIC != "" {
		fmt.Fprintf(b, "no AIC and BIC: %s\n", r.NoAIC)
	}
}

// from says when solutions start, where that is not at 0: at the first time of the data unless they were told otherwise.
func (r *Report) from(b *strings.Builder) {
	switch {
	case r.Train.N == 0 || r.From == 0 && r.FromLast == 0 || math.IsInf(r.From, 0):
	case r.From == r.FromLast:
		fmt.Fprintf(b, "solved from t = %s on: the initial values are those there\n", short(r.From))
	default:
		fmt.Fprintf(b, "solved from t = %s to %s on, each trajectory from its start: the initial values are those there\n", short(r.From), short(r.FromLast))
	}
}

// mostTrajectories is how many are listed: the worst of many.
const mostTrajectories = 8

// trajectories lists those that are met worst, where there are several.
func (r *Report) trajectories(b *strings.Builder) {
	n := len(r.Trajectories)
	if n == 0 {
		return
	}
	list := slices.Clone(r.Trajectories)
	if n > mostTrajectories {
		worst := func(s TrajectoryScore) float64 {
			if s.N == 0 {
				return s.HeldRMSE
			}
			return s.RMSE
		}
		slices.SortStableFunc(list, func(a, c TrajectoryScore) int { return cmp.Compare(worst(c), worst(a)) })
		list = list[:mostTrajectories]
		fmt.Fprintf(b, "%d trajectories, those with the largest errors:\n", n)
	} else {
		fmt.Fprintf(b, "%d trajectories:\n", n)
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := "\tvalues\trms error\t"
	if r.Held != nil {
		head += "held out\trms error\t"
	}
	fmt.Fprintln(w, head)
	for _, s := range list {
		fmt.Fprintf(w, "%s\t%d\t%s\t", s.Name, s.N, short(s.RMSE))
		if r.Held != nil {
			fmt.Fprintf(w, "%d\t%s\t", s.HeldN, short(s.HeldRMSE))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// mostEstimates is how many are listed: each of many trajectories may have its own.
const mostEstimates = 40

func (r *Report) estimates(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i, p := range r.Params {
		if i == mostEstimates && len(r.Params) > mostEstimates+1 {
			fmt.Fprintf(w, "  … and %d more\n", len(r.Params)-i)
			break
		}
		se := ""
		if !math.IsNaN(p.StdErr) {
			se = "± " + fmt.Sprintf("%.2g", p.StdErr)
		}
		whose := ""
		if p.Trajectory != "" {
			whose = "  of " + p.Trajectory
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\tfrom %s%s\n", p.Name, short(p.Value), se, short(p.Start), whose)
	}
	w.Flush()
	if r.NoErrors != "" && len(r.Params) > 0 {
		fmt.Fprintf(b, "  no standard errors: %s\n", r.NoErrors)
	}
	for _, g := range r.Weights {
		fmt.Fprintf(b, "  %s  %s\n", g.Name, count(g.N, "weight"))
	}
	if r.Identify != nil && r.Identify.Given > 0 && len(r.Params) > 0 {
		fmt.Fprintf(b, "  the standard errors take the %s as given, so they are too small\n", count(r.Identify.Given, "weight"))
	}
}

// mostCorrelations is how many estimates have their correlations shown.
const mostCorrelations = 8

// correlations shows the lower triangle.
func (r *Report) correlations(b *strings.Builder) {
	id := r.Identify
	if id == nil || len(id.Names) < 2 || len(id.Names) > mostCorrelations {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  correlation\t%s\n", strings.Join(id.Names[:len(id.Names)-1], "\t"))
	for i, name := range id.Names[1:] {
		fmt.Fprintf(w, "  %s", name)
		for _, c := range id.Corr[i+1][:i+1] {
			if math.IsNaN(c) {
				fmt.Fprint(w, "\t-")
			} else {
				fmt.Fprintf(w, "\t%.2f", c)
			}
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func (r *Report) columns(b *strings.Builder) {
	if len(r.Columns) == 0 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := "\tvalues\trms error\tmean error\tlargest\tat t\t"
	if r.Held != nil {
		head += "held out\trms error\t"
	}
	scaled := slices.ContainsFunc(r.Columns, func(c ColumnScore) bool { return !math.IsNaN(c.SD) })
	if scaled {
		head += "sd\t"
	}
	fmt.Fprintln(w, head)
	for _, c := range r.Columns {
		name := c.Quantity
		if c.Name != "" && c.Name != c.Quantity {
			name += " (" + c.Name + ")"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t", name, c.N, short(c.RMSE), short(c.Bias), short(c.Max), short(c.MaxTime))
		if r.Held != nil {
			fmt.Fprintf(w, "%d\t%s\t", c.HeldN, short(c.HeldRMSE))
		}
		if scaled {
			fmt.Fprintf(w, "%s\t", short(c.SD))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func short(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case math.IsInf(v, 0):
		return "infinite"
	}
	return fmt.Sprintf("%.6g", v)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if y, ok := strings.CutSuffix(what, "y"); ok {
		return fmt.Sprintf("%d %sies", n, y)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
