package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/system"
)

var _ sens.Loss = (*DataLoss)(nil)

// DataLoss compares a trajectory with data: Σ w ρ(r) over all values that are not missing, or
// that divided by their number. r is model − datum, or log(model) − log(datum). It keeps scratch
// memory, so it serves one goroutine.
type DataLoss struct {
	Spec LossSpec

	sys      *system.System
	data     *Data
	pen      *Penalty
	delta    float64
	n        int          // values that are not missing and have a weight
	target   [][]float64  // per column: data, or their logarithms; NaN is missing, or of weight 0
	logs     bool         // they are logarithms
	noise    []*deviation // per column: its standard deviation where it is estimated; nil else
	lets     bool         // a column is of an output
	*outputs              // nil before they are needed; lent where there are many losses
	lo, hi   int          // the rows that are compared
	div      float64      // what the sum is divided by
	byTimes  []float64    // derivatives by the times themselves, through lets; nil without lets
	failure  *ValueError
}

// outputs evaluate the lets of a system, for one goroutine.
type outputs struct {
	out   system.Func
	z, gz []float64
	tan   tangent
}

func newOutputs(sys *system.System) *outputs {
	o := &outputs{out: sys.Output.Clone()}
	_, _, nz := o.out.Dims()
	buf := make([]float64, 2*nz)
	o.z, o.gz = buf[:nz], buf[nz:]
	return o
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
	d = d.folded()
	l := &DataLoss{Spec: spec, sys: sys, data: d, pen: pen, delta: delta, hi: len(d.Times), logs: spec.Log || pen.Logs, noise: make([]*deviation, len(d.Columns))}
	for k := range d.Columns {
		c := &d.Columns[k]
		y := c.Values
		if l.logs || c.Weights != nil {
			y = slices.Clone(c.Values)
		}
		for i := range c.Weights {
			if c.missing(i) {
				y[i] = math.NaN()
			}
		}
		if l.logs {
			for i, v := range y {
				if v <= 0 {
					return nil, &DataError{Column: c.Name, Row: i, Place: c.place(i),
						Reason: fmt.Sprintf("the value is %v, which has no logarithm", v), Help: logHelp(pen)}
				}
				y[i] = math.Log(v)
			}
		}
		if pen.count != nil {
			for i, v := range y {
				if v < 0 || v == v && v != math.Trunc(v) {
					return nil, &DataError{Column: c.Name, Row: i, Place: c.place(i), Reason: fmt.Sprintf("the value is %v, which is no count", v), Help: "counts are whole numbers from 0; leave the cell empty, or take `normal`"}
				}
			}
		}
		l.target = append(l.target, y)
		for _, v := range y {
			if !math.IsNaN(v) {
				l.n++
			}
		}
		l.lets = l.lets || c.Of.Output
	}
	if l.n == 0 {
		return nil, &DataError{Row: -1, Reason: "all values are missing, or of weight 0: there is nothing to train on", Help: "match a column that has values"}
	}
	l.over(l.n)
	return l, nil
}

func logHelp(pen *Penalty) string {
	if pen.Logs {
		return "take `normal`, or leave the cell empty"
	}
	return "leave `scale = log` out, or leave the cell empty"
}

// over makes the loss one part of several, which have n values together: a mean is over all of them.
func (l *DataLoss) over(n int) {
	if l.div = 1; l.pen.Mean {
		l.div = float64(n)
	}
}

// window makes the loss one over the rows from lo to before hi, and counts their values.
func (l *DataLoss) window(lo, hi int) (n int) {
	if l.lo, l.hi = lo, hi; lo == 0 && hi == len(l.data.Times) {
		return l.n
	}
	for _, y := range l.target {
		for _, v := range y[lo:hi] {
			if v == v {
				n++
			}
		}
	}
	return n
}

// ready makes what evaluates the lets, unless somebody has lent it.
func (l *DataLoss) ready(th []float64) {
	if !l.lets {
		return
	}
	if l.outputs == nil {
		l.outputs = newOutputs(l.sys)
	}
	l.out.Prepare(th)
}

// Times implements sens.Loss: the times of the data, all of them.
func (l *DataLoss) Times() []float64 { return l.data.Times[l.lo:l.hi] }

// N is how many values are not missing and have a weight.
func (l *DataLoss) N() int { return l.n }

// Failure says which value made the last evaluation infinite; nil when it was finite.
func (l *DataLoss) Failure() *ValueError { return l.failure }

// Eval implements sens.Loss. The loss is +Inf where the model's value is not finite, or not
// positive on the log scale; Failure then tells which.
func (l *DataLoss) Eval(x, th, gx, gth []float64) (float64, error) {
	nx := l.sys.NX
	if len(x) != (l.hi-l.lo)*nx {
		return 0, fmt.Errorf("the loss compares %d times, the solution has %d", l.hi-l.lo, len(x)/max(nx, 1))
	}
	clear(gx)
	l.failure = nil
	for k := range l.noise {
		if l.pen.Scaled && l.noise[k] == nil && !l.known(k) {
			return 0, fmt.Errorf("the standard deviation of %s is not known: it is estimated by a fit only", l.data.Columns[k].Name)
		}
	}
	l.ready(th)
	if l.lets && gx != nil {
		l.byTimes = resize(l.byTimes, l.hi-l.lo)
		clear(l.byTimes)
	}
	sum := 0.0
	for i, t := range l.Times() {
		row := l.lo + i
		xr := x[i*nx : (i+1)*nx]
		l.evaluate(t, xr)
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
			rho, d := l.cost(k, row, r, l.model(c, xr))
			sum += rho / l.div
			switch {
			case gx == nil:
			case c.Of.Output:
				l.gz[c.Of.Index] += d / l.div * dr
				through = true
			default:
				gx[i*nx+c.Of.Index] += d / l.div * dr
			}
		}
		if through {
			l.byTimes[i] = l.out.VJP(gx[i*nx:(i+1)*nx], gth, t, xr, nil, l.gz)
		}
	}
	return sum, nil
}

// ByTimes implements sens.TimedLoss: what lets that read the time add.
func (l *DataLoss) ByTimes() []float64 { return l.byTimes }

// evaluate evaluates the lets at a row, if any is observed, after ready.
func (l *DataLoss) evaluate(t float64, x []float64) {
	if l.lets {
		l.out.Eval(l.z, t, x, nil)
		clear(l.gz)
	}
}

// model is the model's value of a column, after evaluate.
func (l *DataLoss) model(c *Column, x []float64) float64 {
	if c.Of.Output {
		return l.z[c.Of.Index]
	}
	return x[c.Of.Index]
}

// residual is r and dr/d(model) of one value, after evaluate. It is not ok, and Failure is set,
// where the model's value makes the loss infinite.
func (l *DataLoss) residual(c *Column, row int, x []float64, y float64) (r, dr float64, ok bool) {
	v := l.model(c, x)
	if v-v != 0 || l.logs && v <= 0 || l.pen.count != nil && !(v > 0 || v == 0 && y == 0) {
		l.failure = &ValueError{Quantity: c.Of.name(l.sys), Column: c.Name, Row: row, Place: c.place(row),
			Time: l.data.Times[row], Value: v, Log: v-v == 0}
		return 0, 0, false
	}
	if l.logs {
		return math.Log(v) - y, 1 / v, true
	}
	return v - y, 1, true
}

// residuals calls visit for each value that is not missing and counts, row by row, with its column, residual and
// dr/d(model); z holds the row's outputs. It ends early, and is false, where the loss is infinite.
func (l *DataLoss) residuals(x, th []float64, visit func(row, col int, r, dr float64)) bool {
	nx := l.sys.NX
	l.ready(th)
	for i, t := range l.Times() {
		row := l.lo + i
		xr := x[i*nx : (i+1)*nx]
		l.evaluate(t, xr)
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
