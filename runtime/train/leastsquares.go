package train

import (
	"context"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

var _ LeastSquares = (*trial)(nil)

// maxMechanistic is how many parameters and initial values, with no weights beside them, are fitted by lm
// when no optimiser is named.
const maxMechanistic = 50

// Squares implements LeastSquares.
func (t *trial) Squares() (rows int, why string) {
	switch {
	case t.data == nil:
		return 0, "it needs a sum of squares over data, and the loss is a function of the solution"
	}
	if ok, why := t.data.squares(t.hold); !ok {
		return 0, why
	}
	for _, tr := range t.tr {
		rows += tr.data.n
	}
	return rows, ""
}

// Residuals implements LeastSquares.
func (t *trial) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	return t.squares(ctx, u, func(w *worker, d *desk, tr *trajectory, at int) (*solve.Solution, bool, error) {
		_, sol, err := d.ws.Value(ctx, &w.prob, tr.data)
		if err != nil || !sol.Status.Ended() {
			return sol, false, err
		}
		return sol, tr.data.residuals(sol.X, w.th, func(row, col int, res, _ float64) {
			r[at] = tr.data.root(col, row) * res
			at++
		}), nil
	})
}

// Jacobian implements LeastSquares. The steps are those of Residuals, so that it is the derivative of the
// very numbers that are compared.
func (t *trial) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	clear(j)
	n := len(t.vars)
	ok, err := t.squares(ctx, u, func(w *worker, d *desk, tr *trajectory, at int) (*solve.Solution, bool, error) {
		w.prob.Times = tr.data.Times()
		s, sol, err := d.tangents.Sensitivities(ctx, &w.prob, sens.ForwardMethod{Wrt: tr.wrt, StatesOnly: true})
		if err != nil || !sol.Status.Ended() {
			return sol, false, err
		}
		w.cols = append(append(w.cols[:0], t.shared...), tr.own...)
		return sol, tr.data.jacobian(j[at*n:], n, w.cols, s, sol, w.th, tr.wrt, tr.data.leastSquares), nil
	})
	for k := range t.vars {
		slope := t.vars[k].Slope(u[k])
		for i := k; i < len(j); i += n {
			if j[i] != 0 { // the slope may be infinite
				j[i] *= slope
			}
		}
	}
	return ok, err
}

// squares solves all trajectories at u; do is given each with its first row, and says whether its values can be compared.
func (t *trial) squares(ctx context.Context, u []float64, do func(w *worker, d *desk, tr *trajectory, at int) (*solve.Solution, bool, error)) (bool, error) {
	t.at, t.fault, t.value, t.spoilt = 0, nil, nil, nil
	if !t.set(u) {
		return false, nil
	}
	t.all()
	t.divide()
	n := len(t.tr)
	t.row(0)
	for len(t.ends) < n {
		t.ends = append(t.ends, end{})
	}
	t.share(t, n, func(w *worker, k int) bool {
		tr, e := t.tr[k], &t.ends[k]
		w.prob = tr.prob
		w.prob.Theta = w.th
		tr.write(w.th)
		*e = end{}
		var sol *solve.Solution
		sol, e.ok, e.err = do(w, w.desk(tr.prob.Sys, tr.data), tr, t.row(k))
		w.restore(t, tr, false)
		switch {
		case e.err != nil || e.ok:
		case sol.Status.Ended():
			e.value = tr.data.Failure()
		case sol.Status == solve.Cancelled && ctx.Err() != nil:
			e.err = ctx.Err()
		default:
			e.fault = sol.Fault
		}
		return e.ok
	})
	for k := range t.ends[:n] {
		if e := &t.ends[k]; !e.ok {
			t.at, t.fault, t.value = k, e.fault, e.value
			return false, e.err
		}
	}
	return true, nil
}

// row is the first row of residuals of a trajectory.
func (t *trial) row(k int) (at int) {
	if len(t.first) != len(t.tr) {
		t.first = t.first[:0]
		for _, tr := range t.tr {
			t.first = append(t.first, at)
			at += tr.data.n
		}
	}
	return t.first[k]
}

// end is how the solve of a trajectory ended.
type end struct {
	ok    bool
	err   error
	fault *solve.Fault
	value *ValueError
}

// tangent is scratch of jacobian.
type tangent struct {
	dx, dth []float64
	dz      []float64 // of all outputs by each entry of wrt
}

// Offset implements Shifted.
func (t *trial) Offset() float64 {
	sum := 0.0
	for _, tr := range t.tr {
		sum += tr.data.offset()
	}
	return sum
}

// leastSquares is a factor for jacobian: that of residuals whose squares are summed.
func (l *DataLoss) leastSquares(col, row int, _ float64) float64 { return l.root(col, row) }

// jacobian writes ∂r/∂θ_wrt, times a factor that may depend on column, row and the model's value, into the columns cols of j, whose rows are stride apart, a row for each value that is not missing,
// from the sensitivities s of the states. It is false, and Failure is set, where the loss is infinite.
func (l *DataLoss) jacobian(j []float64, stride int, cols []int, s []float64, sol *solve.Solution, th []float64, wrt []int, factor func(col, row int, v float64) float64) bool {
	nx, np, nz := l.sys.NX, len(wrt), 0
	var tan *tangent
	if l.lets {
		l.ready(th)
		tan = &l.tan
		if nz = len(l.z); len(tan.dz) != nz*np {
			tan.dx, tan.dth, tan.dz = make([]float64, nx), make([]float64, l.sys.NTheta), make([]float64, nz*np)
		}
	}
	at, last := 0, -1
	return l.residuals(sol.X, th, func(row, col int, _, dr float64) {
		c := &l.data.Columns[col]
		i := row - l.lo
		sr := s[(row-l.lo)*nx*np : (row-l.lo+1)*nx*np]
		if c.Of.Output && last != row {
			last = row
			for q, i := range wrt {
				for m := range tan.dx {
					tan.dx[m] = sr[m*np+q]
				}
				tan.dth[i] = 1
				l.out.JVP(tan.dz[q*nz:(q+1)*nz], l.data.Times[row], sol.Row(row-l.lo), nil, 0, tan.dx, tan.dth)
				tan.dth[i] = 0
			}
		}
		w := factor(col, row, l.model(c, sol.Row(i))) * dr
		out := j[at*stride:]
		if c.Of.Output {
			for q, k := range cols {
				out[k] = w * tan.dz[q*nz+c.Of.Index]
			}
		} else {
			for q, k := range cols {
				out[k] = w * sr[c.Of.Index*np+q]
			}
		}
		at++
	})
}
