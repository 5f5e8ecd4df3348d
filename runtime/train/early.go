package train

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
)

// Early stopping: after each iteration the data that were held out are looked at. Where they have not been met
// better for so many iterations in a row, training ends, and the point that met them best is the result.
//
// L. Prechelt, Early stopping — but when?, in G. Orr, K.-R. Müller (eds.), Neural Networks: Tricks of the Trade, Lecture
// Notes in Computer Science 1524 (1998), 55–69.

// errEarly ends a minimisation whose patience is over.
var errEarly = errors.New("the error over the data that were held out no longer falls")

// early is the state of early stopping.
type early struct {
	best  []float64 // the point that met the data best; nil before the first look
	loss  float64
	since int // iterations since then
}

// look looks at the data that were held out. It gives the error there; NaN without early stopping.
func (r *run) look(u []float64) (float64, error) {
	if r.set.Held == nil {
		return math.NaN(), nil
	}
	f, err := r.set.Held(r.ctx, u)
	if err != nil {
		return math.NaN(), err
	}
	if len(r.early.best) == 0 || f < r.early.loss {
		r.early = early{best: append(r.early.best[:0], u...), loss: f}
	} else {
		r.early.since++
	}
	return f, nil
}

// over says whether patience is over.
func (r *run) over() bool { return r.set.Held != nil && r.early.since >= max(r.set.Patience, 1) }

// chosen makes the point that met the held-out data best the result.
func (r *run) chosen(ctx context.Context) error {
	if len(r.early.best) == 0 || slices.Equal(r.early.best, r.best) {
		return nil
	}
	g := make([]float64, r.n)
	f, err := r.obj.Eval(context.WithoutCancel(ctx), r.early.best, g)
	if err != nil {
		return err
	}
	r.evals++
	copy(r.best, r.early.best)
	copy(r.bestG, g)
	r.fbest = f
	return nil
}

// heldLoss makes the loss over the data that were held out a function of the variables.
func (f *fitting) heldLoss() func(ctx context.Context, u []float64) (float64, error) {
	var held []*trajectory
	n := 0
	for _, tr := range f.all {
		if tr.held != nil {
			held = append(held, tr)
			n += tr.held.N()
		}
	}
	var ws solve.Workspace
	return func(ctx context.Context, u []float64) (float64, error) {
		f.trial.set(u)
		sum := 0.0
		for _, tr := range held {
			l := tr.held
			l.over(n)
			p := tr.prob
			p.Theta, p.Times, p.NoDense = f.trial.theta(tr), l.data.Times, true
			p.T1 = max(p.T1, l.data.Times[len(l.data.Times)-1])
			sol, err := ws.Solve(ctx, &p)
			switch {
			case err != nil:
				return math.NaN(), err
			case !sol.Status.Ended() && ctx.Err() != nil:
				return math.NaN(), ctx.Err()
			case !sol.Status.Ended():
				return math.Inf(1), nil
			}
			v, err := l.Eval(sol.X, p.Theta, nil, nil)
			if err != nil {
				return math.NaN(), err
			}
			sum += v
		}
		return sum, nil
	}
}
