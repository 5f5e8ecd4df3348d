package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Settings of Minimise. The zero value is ready.
type Settings struct {
	// Why says in words why the last evaluation had no finite value or gradient, for the history; nil: it is not known.
	Why func(*NonFiniteStart) string
	// Failed are trials that failed before, which are counted with these.
	Failed Failures
	// Progress is called after each iteration, in the goroutine of Minimise. It must be quick.
	Progress func(Progress)
	// Decay says which variables weight decay (adamw) acts on, length Dim; nil: all.
	Decay []bool
	// Seed is that of the draws of optimisers that draw (cmaes).
	Seed uint64
	// Held, unless it is nil, is the loss over data that are held out: with Patience iterations in a row that do not lower
	// it, training ends, and however it ends the point where it was lowest is the result.
	Held     func(ctx context.Context, u []float64) (float64, error)
	Patience int
	// Snapshot is called after each iteration, before Progress, with the complete state. What it is given
	// is valid during the call; see Snapshot.Clone.
	Snapshot func(*Snapshot)
	// Resume goes on from a snapshot, of the same objective and stages, to the same bits. The start is not
	// evaluated again, and u0 counts for its length only.
	Resume *Snapshot
}

// Minimum is what a minimisation found.
type Minimum struct {
	U       []float64 // the best point ever seen; with early stopping, that which met the held-out data best
	F       float64   // the objective there; NaN if it was cancelled before the first evaluation ended
	HeldF   float64   // the loss over held-out data there, with early stopping; else NaN
	Status  Status    // how the last stage that ran ended
	History []Point
	Iters   int // over all stages
	Evals   int // of the objective
	Elapsed time.Duration
	Failed  Failures
}

// Minimise runs the stages one after the other, each from the best point so far. u0 has length
// obj.Dim() and is not changed. When ctx is cancelled it returns the best point so far with the
// status Cancelled.
//
// The error is *NonFiniteStart when the objective or its gradient is not finite at u0, *OptionError
// for an option that does not fit, *SnapshotError for a snapshot that does not, or what the objective returned.
func Minimise(ctx context.Context, obj Objective, u0 []float64, stages []Stage, set Settings) (*Minimum, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	n := obj.Dim()
	switch {
	case len(u0) != n:
		return nil, fmt.Errorf("the start has %d values, the objective takes %d", len(u0), n)
	case set.Decay != nil && len(set.Decay) != n:
		return nil, fmt.Errorf("weight decay is said of %d variables, there are %d", len(set.Decay), n)
	case len(stages) == 0:
		return nil, fmt.Errorf("no optimiser was given; take one of the table, such as adam")
	}
	for _, s := range stages {
		if err := s.check(); err != nil {
			return nil, err
		}
	}
	buf := make([]float64, 2*n)
	r := &run{ctx: ctx, obj: obj, set: set, n: n, start: time.Now(), best: buf[:n], bestG: buf[n:],
		fbest: math.Inf(1), stages: stages}
	copy(r.best, u0)
	r.failed.Failures = set.Failed

	var status Status
	var err error
	if set.Resume != nil {
		if err := set.Resume.fits(n, stages); err != nil {
			return nil, err
		}
		r.restore(set.Resume)
		if err = ctx.Err(); err == nil && r.over() {
			err = errEarly
		}
	} else {
		status, err = r.begin(u0)
	}
	for ; err == nil && n > 0 && r.stage < len(stages); r.stage++ {
		s := &stages[r.stage]
		status, err = s.Optimiser.run(r, s)
		if err == nil {
			err = r.settle(ctx)
		}
	}
	if errors.Is(err, errEarly) {
		status, err = Stopped, r.settle(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			return nil, err
		}
		status = Cancelled
		// The loss of what there is so far is that over all data.
		if err := r.settle(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	if err := r.chosen(ctx); err != nil {
		return nil, err
	}
	m := &Minimum{U: r.best, F: r.fbest, HeldF: math.NaN(), Status: status, History: r.history, Iters: r.iters, Evals: r.evals, Elapsed: time.Since(r.start), Failed: r.failed.Failures}
	if len(r.early.best) > 0 {
		m.HeldF = r.early.loss
	}
	if math.IsInf(m.F, 1) {
		m.F = math.NaN()
	}
	return m, nil
}

// begin evaluates the start.
func (r *run) begin(u0 []float64) (Status, error) {
	if err := r.ctx.Err(); err != nil {
		return Cancelled, err
	}
	u, g := make([]float64, r.n), make([]float64, r.n)
	copy(u, u0)
	r.evals++
	f, err := r.obj.Eval(r.ctx, u, g)
	if err != nil {
		return Cancelled, err
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Done, &NonFiniteStart{Value: f}
	}
	if i := firstBad(g); i >= 0 {
		return Done, &NonFiniteStart{Value: f, Gradient: true, Index: i}
	}
	r.fbest = f
	copy(r.bestG, g)
	return Converged, r.note(Point{Loss: f, GradNorm: norm2(g)}, u)
}
