package train

import (
	"fmt"
	"math"
)

var _ LeastSquares = (*Comparison)(nil)

// Comparison is what Fit would minimise for a Spec that compares with data by squares, for those who look at
// the residuals themselves. Its variables are those of the fit, transformed as the optimisers see them: a parameter
// without bounds that starts at 0 is itself.
type Comparison struct{ *trial }

// NewComparison checks a Spec as Fit does.
func NewComparison(s Spec) (*Comparison, error) {
	f, err := prepare(&s)
	if err != nil {
		return nil, err
	}
	if rows, why := f.trial.Squares(); rows == 0 {
		return nil, fmt.Errorf("%s", why)
	}
	return &Comparison{f.trial}, nil
}

// Start is where the variables stand.
func (c *Comparison) Start() []float64 { return c.start() }

// Entry is the entry of θ that variable k is; own says that it is one trajectory's, whose others have variables of their own.
func (c *Comparison) Entry(k int) (index int, own bool) { return c.vars[k].index, c.vars[k].own }

// At is what variable k stands for where it has the value u.
func (c *Comparison) At(k int, u float64) float64 { return c.vars[k].Value(u) }

// Rough is, for the data of each name, about how far they lie from smooth curves through them in the root mean square: about their
// noise, whatever model explains them. Names of few data have none, and neither have those with weights.
func (c *Comparison) Rough() map[string]float64 {
	const few = 10
	sum, num := map[string]float64{}, map[string]float64{}
	for _, tr := range c.tr {
		d := tr.data.data
		for k := range d.Columns {
			var t, y []float64
			for row, v := range tr.data.target[k] {
				if v == v && (len(t) == 0 || d.Times[row] > t[len(t)-1]) {
					t, y = append(t, d.Times[row]), append(y, v)
				}
			}
			if col := &d.Columns[k]; len(t) >= few && col.Weights == nil && (col.Weight == 0 || col.Weight == 1) {
				b := newReinsch(t, y, nil)
				g, c := make([]float64, len(t)), make([]float64, len(t))
				_, trace := b.smooth(b.choose(), g, c)
				for i := range y {
					sum[col.Name] += (y[i] - g[i]) * (y[i] - g[i])
				}
				num[col.Name] += float64(len(y)) - trace
			}
		}
	}
	for name := range sum {
		sum[name] = math.Sqrt(sum[name] / math.Max(num[name], 1))
	}
	return sum
}

// Columns lists for each residual, in their order, the column of the data that it belongs to.
func (c *Comparison) Columns() []*Column {
	var out []*Column
	for _, tr := range c.tr {
		d := tr.data.data
		for row := range d.Times {
			for k := range d.Columns {
				if y := tr.data.target[k][row]; y == y {
					out = append(out, &d.Columns[k])
				}
			}
		}
	}
	return out
}
