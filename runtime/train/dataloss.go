package train

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/system"
)

var _ sens.Loss = (*DataLoss)(nil)

// DataLoss compares a trajectory with data: Σ w ρ(r) over all values that are not missing, or
// that divided by their number. r is model − datum, or log(model) − log(datum). It keeps scratch
// memory, so it serves one goroutine.
type DataLoss struct {
	Spec LossSpec

	sys     *system.System
	data    *Data
	pen     *Penalty
	delta   float64
	n       int         // values that are not missing
	target  [][]float64 // per column: data, or their logarithms; NaN is missing
	out     system.Func // nil when no column is of an output
	z, gz   []float64
	tan     tangent
	failure *ValueError
}

// ValueError is a model value that the loss cannot take: it makes the loss infinite.
type ValueError struct {
	Quantity string // the model's name
	Column   string // the data's
	Row      int    // of the data that were trained on, from 0
	Place    string // of the datum
	Time     float64
	Value    float64
	Log      bool // the value is finite, its logarithm is not
}

// Error says which value, when, and against which datum.
func (e *ValueError) Error() string {
	s := fmt.Sprintf("%s = %.6g at t = %.6g", e.Quantity, e.Value, e.Time)
	if e.Log {
		s += ", which has no logarithm"
	}
	return s + ", compared with " + e.Place
}

// NewDataLoss checks data and makes the loss. Data are not copied and must not change. The
// error is *DataError with the row at fault, or tells what is wrong with the spec.
func NewDataLoss(sys *system.System, d *Data, spec LossSpec) (*DataLoss, error) {
	pen, delta, err := spec.resolve()
	if err != nil {
		return nil, err
	}
	if err := d.check(sys); err != nil {
		return nil, err
	}
	l := &DataLoss{Spec: spec, sys: sys, data: d, pen: pen, delta: delta}
	for k := range d.Columns {
		c := &d.Columns[k]
		y := c.Values
		if spec.Log {
			y = make([]float64, len(c.Values))
			for i, v := range c.Values {
				if v <= 0 {
					return nil, &DataError{Column: c.Name, Row: i, Place: c.place(i),
						Reason: fmt.Sprintf("the value is %v, which has no logarithm", v), Help: "leave `scale = log` out, or leave the cell empty"}
				}
				y[i] = math.Log(v)
			}
		}
		l.target = append(l.target, y)
		for _, v := range y {
			if !math.IsNaN(v) {
				l.n++
			}
		}
		if c.Of.Output && l.out == nil {
			l.out = sys.Output.Clone()
			_, _, nz := l.out.Dims()
			buf := make([]float64, 2*nz)
			l.z, l.gz = buf[:nz], buf[nz:]
		}
	}
	if l.n == 0 {
		return nil, &DataError{Row: -1, Reason: "all values are missing: there is nothing to train on", Help: "match a column that has values"}
	}
	return l, nil
}

// Times implements sens.Loss: the times of the data, all of them.
func (l *DataLoss) Times() []float64 { return l.data.Times }

// N is how many values are not missing.
func (l *DataLoss) N() int { return l.n }

// Failure says which value made the last evaluation infinite; nil when it was finite.
func (l *DataLoss) Failure() *ValueError { return l.failure }

// weight of a column, with the default filled in and the mean's division done.
func (l *DataLoss) weight(k int) float64 {
	w := l.data.Columns[k].Weight
	if w == 0 {
		w = 1
	}
	if l.pen.Mean {
		w /= float64(l.n)
	}
	return w
}

// Eval implements sens.Loss. The loss is +Inf where the model's value is not finite, or not
// positive on the log scale; Failure then tells which.
func (l *DataLoss) Eval(x, th, gx, gth []float64) (float64, error) {
	nx := l.sys.NX
	if len(x) != len(l.data.Times)*nx {
		return 0, fmt.Errorf("the loss compares %d times, the solution has %d", len(l.data.Times), len(x)/max(nx, 1))
	}
	clear(gx)
	l.failure = nil
	sum := 0.0
	for row, t := range l.data.Times {
		xr := x[row*nx : (row+1)*nx]
		l.outputs(t, xr, th)
		clear(l.gz)
		through := false
		for k := range l.data.Columns {
			y := l.target[k][row]
			if math.IsNaN(y) {
				continue
			}
			c := &l.data.Columns[k]
			r, dr, ok := l.residual(c, row, xr, y)
			if !ok {
				return math.Inf(1), nil
			}
			rho, d := l.pen.of(r, l.delta)
			w := l.weight(k)
			sum += w * rho
			switch {
			case gx == nil:
			case c.Of.Output:
				l.gz[c.Of.Index] += w * d * dr
				through = true
			default:
				gx[row*nx+c.Of.Index] += w * d * dr
			}
		}
		if through {
			l.out.VJP(gx[row*nx:(row+1)*nx], gth, t, xr, th, l.gz)
		}
	}
	return sum, nil
}

// outputs evaluates the lets at a row, if any is observed.
func (l *DataLoss) outputs(t float64, x, th []float64) {
	if l.out != nil {
		l.out.Eval(l.z, t, x, th)
	}
}

// residual is r and dr/d(model) of one value, after outputs. It is not ok, and Failure is set,
// where the model's value makes the loss infinite.
func (l *DataLoss) residual(c *Column, row int, x []float64, y float64) (r, dr float64, ok bool) {
	v := 0.0
	if c.Of.Output {
		v = l.z[c.Of.Index]
	} else {
		v = x[c.Of.Index]
	}
	if v-v != 0 || l.Spec.Log && v <= 0 {
		l.failure = &ValueError{Quantity: c.Of.name(l.sys), Column: c.Name, Row: row, Place: c.place(row),
			Time: l.data.Times[row], Value: v, Log: v-v == 0}
		return 0, 0, false
	}
	if l.Spec.Log {
		return math.Log(v) - y, 1 / v, true
	}
	return v - y, 1, true
}

// residuals calls visit for each value that is not missing, row by row, with its column, residual and
// dr/d(model); z holds the row's outputs. It ends early, and is false, where the loss is infinite.
func (l *DataLoss) residuals(x, th []float64, visit func(row, col int, r, dr float64)) bool {
	nx := l.sys.NX
	for row, t := range l.data.Times {
		xr := x[row*nx : (row+1)*nx]
		l.outputs(t, xr, th)
		for k := range l.data.Columns {
			y := l.target[k][row]
			if math.IsNaN(y) {
				continue
			}
			r, dr, ok := l.residual(&l.data.Columns[k], row, xr, y)
			if !ok {
				return false
			}
			visit(row, k, r, dr)
		}
	}
	return true
}
