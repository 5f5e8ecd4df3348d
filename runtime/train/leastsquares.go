package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

var _ LeastSquares = (*trial)(nil)

// maxMechanistic is how many parameters and initial values, with no weights beside them, are fitted by lm
// when no optimiser is named.
const maxMechanistic = 50

// mechanistic says that lm is the optimiser to take: few parameters, no weights, squares of residuals.
func (t *trial) mechanistic() bool {
	for _, v := range t.vars {
		if v.weight {
			return false
		}
	}
	rows, _ := t.Squares()
	return rows > 0 && len(t.vars) <= maxMechanistic
}

// Squares implements LeastSquares.
func (t *trial) Squares() (rows int, why string) {
	switch {
	case t.data == nil:
		return 0, "it needs a sum of squares over data, and the loss is a function of the solution"
	case !t.data.pen.Squares:
		return 0, fmt.Sprintf("it needs a sum of squares, and %s is none", t.data.pen.Name)
	}
	return t.data.n, ""
}

// Residuals implements LeastSquares.
func (t *trial) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	t.fault, t.value, t.spoilt = nil, nil, nil
	if !t.set(u) {
		return false, nil
	}
	p := t.prob
	p.Times, p.NoDense = t.data.data.Times, true
	sol, err := t.plain.Solve(ctx, &p)
	if ok, err := t.ended(ctx, sol, err); !ok {
		return false, err
	}
	return t.weighted(sol, r), nil
}

// weighted writes the residuals times the roots of their weights.
func (t *trial) weighted(sol *solve.Solution, r []float64) bool {
	at := 0
	ok := t.data.residuals(sol.X, t.prob.Theta, func(_, col int, res, _ float64) {
		r[at] = math.Sqrt(t.data.weight(col)) * res
		at++
	})
	t.value = t.data.Failure()
	return ok
}

// Jacobian implements LeastSquares. The steps are those of Residuals, so that it is the derivative of the
// very numbers that are compared.
func (t *trial) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	t.fault, t.value, t.spoilt = nil, nil, nil
	if !t.set(u) {
		return false, nil
	}
	p := t.prob
	p.Times = t.data.data.Times
	s, sol, err := t.tangents.Sensitivities(ctx, &p, sens.ForwardMethod{Wrt: t.wrt, StatesOnly: true})
	if ok, err := t.ended(ctx, sol, err); !ok {
		return false, err
	}
	ok := t.data.jacobian(j, s, sol, p.Theta, t.wrt, t.data.weight)
	t.value = t.data.Failure()
	np := len(t.vars)
	for k := range t.vars {
		slope := t.vars[k].Slope(u[k])
		for i := k; i < t.data.n*np; i += np {
			if j[i] != 0 { // the slope may be infinite
				j[i] *= slope
			}
		}
	}
	return ok, nil
}

// ended says whether a solve came to its end, and keeps why if it did not.
func (t *trial) ended(ctx context.Context, sol *solve.Solution, err error) (bool, error) {
	if err != nil && !errors.As(err, &t.spoilt) {
		return false, err
	}
	if err == nil && sol.Status.Ended() {
		return true, nil
	}
	if sol.Status == solve.Cancelled && ctx.Err() != nil {
		return false, ctx.Err()
	}
	t.fault = sol.Fault
	return false, nil
}

// tangent is scratch of jacobian.
type tangent struct {
	dx, dth []float64
	dz      []float64 // of all outputs by each entry of wrt
}

// jacobian writes √w ∂r/∂θ_wrt into j, a row for each value that is not missing, from the sensitivities s of the
// states; weight gives w of a column. It is false, and Failure is set, where the loss is infinite.
func (l *DataLoss) jacobian(j, s []float64, sol *solve.Solution, th []float64, wrt []int, weight func(col int) float64) bool {
	nx, np, nz := l.sys.NX, len(wrt), len(l.z)
	tan := &l.tan
	if l.out != nil && len(tan.dz) != nz*np {
		tan.dx, tan.dth, tan.dz = make([]float64, nx), make([]float64, l.sys.NTheta), make([]float64, nz*np)
	}
	at, last := 0, -1
	return l.residuals(sol.X, th, func(row, col int, _, dr float64) {
		c := &l.data.Columns[col]
		sr := s[row*nx*np : (row+1)*nx*np]
		if c.Of.Output && last != row {
			last = row
			for q, i := range wrt {
				for m := range tan.dx {
					tan.dx[m] = sr[m*np+q]
				}
				tan.dth[i] = 1
				l.out.JVP(tan.dz[q*nz:(q+1)*nz], l.data.Times[row], sol.Row(row), th, 0, tan.dx, tan.dth)
				tan.dth[i] = 0
			}
		}
		w := math.Sqrt(weight(col)) * dr
		out := j[at*np : (at+1)*np]
		if c.Of.Output {
			for q := range out {
				out[q] = w * tan.dz[q*nz+c.Of.Index]
			}
		} else {
			for q, v := range sr[c.Of.Index*np : (c.Of.Index+1)*np] {
				out[q] = w * v
			}
		}
		at++
	})
}
