package train

import (
	"context"
	"errors"
	"math"
	"slices"
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
	if f-f != 0 { // no point to go back to, and no sign that training has gone too far
		return f, nil
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

// heldLoss makes the loss over the data that were held out a function of the variables. It changes nothing that the training knows.
func (f *fitting) heldLoss() func(ctx context.Context, u []float64) (float64, error) {
	var held []*trajectory
	n := 0
	for _, tr := range f.all {
		if tr.held != nil {
			held = append(held, tr)
			n += tr.held.N()
		}
	}
	t := f.trial
	parts, errs := make([]float64, len(held)), make([]error, len(held))
	sd := make([]float64, len(t.noise))
	return func(ctx context.Context, u []float64) (float64, error) {
		// Standard deviations that are estimated are those at u, whatever the training has looked at since.
		for k, x := range t.noise {
			sd[k] = x.sd
		}
		defer func() {
			for k, x := range t.noise {
				x.sd = sd[k]
			}
		}()
		if len(t.noise) > 0 {
			if ok, err := t.scales(ctx, u); !ok || err != nil {
				return math.Inf(1), err
			}
		}
		if !t.set(u) {
			return math.Inf(1), nil
		}
		clear(errs)
		clear(parts)
		t.share(t, len(held), func(w *worker, k int) bool {
			parts[k], errs[k] = w.held(ctx, t, held[k], n)
			return errs[k] == nil
		})
		sum := 0.0
		for k, v := range parts {
			if errs[k] != nil {
				return math.NaN(), errs[k]
			}
			sum += v
		}
		return sum, nil
	}
}

// held is the loss over what was held out of a trajectory, where θ stands, as a part of that over n values.
func (w *worker) held(ctx context.Context, t *trial, tr *trajectory, n int) (float64, error) {
	l := tr.held
	l.over(n)
	tr.write(w.th)
	defer w.restore(t, tr, false)
	d := w.desk(tr.prob.Sys, l)
	p := &w.prob
	*p = tr.prob
	p.Theta, p.Times, p.NoDense = w.th, l.data.Times, true
	p.T1 = max(p.T1, l.data.Times[len(l.data.Times)-1])
	sol, err := d.plain.Solve(ctx, p)
	switch {
	case err != nil:
		return math.NaN(), err
	case !sol.Status.Ended() && ctx.Err() != nil:
		return math.NaN(), ctx.Err()
	case !sol.Status.Ended():
		return math.Inf(1), nil
	}
	return l.Eval(sol.X, w.th, nil, nil)
}
