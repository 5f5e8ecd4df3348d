package train

import (
	"context"
	"math"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// Residuals solves a problem at its θ and writes the residuals of the loss, √w r of each value that is not missing, row by
// row, into r of length N, and, unless j is nil, their derivatives by the entries wrt of θ into j, N × len(wrt)
// row-major. The derivatives are those of the steps taken. It is false where the solve stops early or the loss is
// infinite.
func (l *DataLoss) Residuals(ctx context.Context, p *solve.Problem, wrt []int, r, j []float64) (bool, error) {
	q := *p
	q.Times = l.data.Times
	var s []float64
	var sol *solve.Solution
	var err error
	if j != nil {
		s, sol, err = sens.ForwardMethod{Wrt: wrt, StatesOnly: true}.Sensitivities(ctx, &q)
	} else {
		q.NoDense = true
		sol, err = solve.Solve(ctx, &q)
	}
	if err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if !sol.Status.Ended() || len(sol.T) != len(q.Times) {
		return false, nil
	}
	nx, np := q.Sys.NX, len(wrt)
	var dz, dx, dth []float64
	if l.out != nil && j != nil {
		dz, dx, dth = make([]float64, len(l.z)), make([]float64, nx), make([]float64, q.Sys.NTheta)
	}
	at := 0
	ok := l.residuals(sol.X, q.Theta, func(row, col int, v, dr float64) {
		c := &l.data.Columns[col]
		w := c.root()
		r[at] = w * v
		if j == nil {
			at++
			return
		}
		sr := s[row*nx*np : (row+1)*nx*np]
		for k, i := range wrt {
			d := 0.0
			if c.Of.Output {
				for m := range dx {
					dx[m] = sr[m*np+k]
				}
				dth[i] = 1
				l.out.JVP(dz, l.data.Times[row], sol.Row(row), q.Theta, 0, dx, dth)
				dth[i] = 0
				d = dz[c.Of.Index]
			} else {
				d = sr[c.Of.Index*np+k]
			}
			j[at*np+k] = w * dr * d
		}
		at++
	})
	return ok, nil
}

// ColumnOf lists for each residual, in the order of Residuals, the column of the data that it belongs to.
func (l *DataLoss) ColumnOf() []int {
	var out []int
	for row := range l.data.Times {
		for k := range l.data.Columns {
			if y := l.target[k][row]; y == y {
				out = append(out, k)
			}
		}
	}
	return out
}

// root is the square root of the column's weight.
func (c *Column) root() float64 {
	if c.Weight == 0 {
		return 1
	}
	return math.Sqrt(c.Weight)
}

// Split gives the data to train on and those held out, nil when there are none.
func (h HeldOut) Split(d *Data) (train, held *Data, err error) { return h.split(d) }

// Squares says whether the penalty is that of least squares.
func (l *DataLoss) Squares() bool { return l.pen.Squares }
