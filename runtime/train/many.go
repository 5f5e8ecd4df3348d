package train

import (
	"context"
	"math"

	"github.com/udl-lang/udl/runtime/solve"
)

// Many is an Objective that evaluates several points at once, on all cores.
type Many interface {
	Objective
	// Values writes the values at the points us into f, +Inf for a trial that fails.
	Values(ctx context.Context, us [][]float64, f []float64) error
}

var (
	_ Many = (*trial)(nil)
	_ Many = (*regularised)(nil)
)

// valuesOf evaluates points together where the objective can, else one after the other.
func valuesOf(ctx context.Context, o Objective, us [][]float64, f []float64) (err error) {
	if m, ok := o.(Many); ok {
		return m.Values(ctx, us, f)
	}
	for k, u := range us {
		if f[k], err = o.Eval(ctx, u, nil); err != nil {
			return err
		}
	}
	return nil
}

// Values implements Many. The trajectories of one point are solved on all cores anyway; where there is one only, the
// points are.
func (t *trial) Values(ctx context.Context, us [][]float64, f []float64) (err error) {
	if len(t.tr) > 1 || t.data == nil || len(t.noise) > 0 { // standard deviations that are estimated are those of one point
		for k, u := range us {
			if f[k], err = t.Eval(ctx, u, nil); err != nil {
				return err
			}
		}
		return nil
	}
	t.at, t.fault, t.value, t.spoilt = 0, nil, nil, nil
	t.all()
	t.divide()
	tr := t.tr[0]
	errs := make([]error, len(us))
	t.share(t, len(us), func(w *worker, k int) bool {
		f[k], errs[k] = w.value(ctx, t, tr, us[k])
		return errs[k] == nil
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// value is the loss of one trajectory at u, in what is the worker's own.
func (w *worker) value(ctx context.Context, t *trial, tr *trajectory, u []float64) (float64, error) {
	w.prob = tr.prob
	w.prob.Theta = w.th
	tr.write(w.th)
	for k := range t.vars {
		v := &t.vars[k]
		if w.th[v.index] = v.Value(u[k]); w.th[v.index]-w.th[v.index] != 0 {
			return math.Inf(1), nil
		}
	}
	loss := *tr.data // the scratch of a loss serves one goroutine
	loss.outputs = nil
	d := w.desk(tr.prob.Sys, &loss)
	f, sol, err := d.ws.Value(ctx, &w.prob, &loss)
	switch {
	case err != nil:
		return math.NaN(), err
	case sol.Status == solve.Cancelled && ctx.Err() != nil:
		return math.NaN(), ctx.Err()
	case !sol.Status.Ended():
		return math.Inf(1), nil
	}
	return f, nil
}

// Values implements Many.
func (o *regularised) Values(ctx context.Context, us [][]float64, f []float64) error {
	if err := valuesOf(ctx, o.phase, us, f); err != nil {
		return err
	}
	for k, u := range us {
		for _, p := range o.priced {
			v, _ := p.row.root(o.vars[p.k].Value(u[p.k]), p.eps)
			f[k] += p.weight * v * v
		}
	}
	return nil
}
