package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
)

// Likelihoods: a loss that is −log L of independent errors, constants included, so that AIC is twice the loss and twice the
// number of what was estimated. A standard deviation that is not known is estimated for each quantity: the loss is then the least over it,
// the profile likelihood, whose gradient is that with the standard deviation held where it is least.
//
// G. A. F. Seber, C. J. Wild, Nonlinear Regression, Wiley 1989, section 2.2, for the concentrated likelihood.

// defaultDF are the degrees of freedom of student_t: heavy tails, a finite variance, and a fourth moment that is not.
const defaultDF = 4

// leastShare is the share of the data's spread below which a standard deviation is not taken to fall: a model that meets
// all data would be infinitely likely.
const leastShare = 1e-8

// gauss is −log of the normal density of z.
func gauss(z, _ float64) (rho, d float64) { return z*z/2 + halfLog2Pi, z }

var halfLog2Pi = math.Log(2*math.Pi) / 2

// studentT is −log of the density of z with df degrees of freedom.
func studentT(z, df float64) (rho, d float64) {
	a, _ := math.Lgamma(df / 2)
	b, _ := math.Lgamma((df + 1) / 2)
	return (df+1)/2*math.Log1p(z*z/df) + a - b + math.Log(math.Pi*df)/2, (df + 1) * z / (df + z*z)
}

// poisson is −log of the probability of y where m > 0 is expected.
func poisson(m, y float64) (rho, d float64) {
	a, _ := math.Lgamma(y + 1)
	if y == 0 {
		return m, 1
	}
	return m - y*math.Log(m) + a, 1 - y/m
}

func one(_, _ float64) float64 { return 1 }

// infoOfT is that of a location.
func infoOfT(_, df float64) float64 { return (df + 1) / (df + 3) }

func rootMeanSquare(r []float64, _, _ float64) float64 {
	return norm2(r) / math.Sqrt(float64(len(r)))
}

// scaleOfT solves Σ (df+1) r²/(df σ² + r²) = n, whose left side falls with σ, by bisection of its logarithm.
func scaleOfT(r []float64, df, from float64) float64 {
	above := func(s float64) bool {
		sum := 0.0
		for _, v := range r {
			sum += (df + 1) * v * v / (df*s*s + v*v)
		}
		return sum > float64(len(r))
	}
	lo, hi := from, from
	for range 100 {
		if above(hi) {
			lo, hi = hi, 4*hi
			continue
		}
		break
	}
	for range 100 {
		if !above(lo) {
			lo, hi = lo/4, lo
			continue
		}
		break
	}
	for range 60 {
		mid := math.Sqrt(lo * hi)
		if above(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Sqrt(lo * hi)
}

// deviation is the standard deviation of a quantity's errors where it is estimated.
type deviation struct {
	of    Quantity
	sd    float64
	least float64
	n     int       // values
	r     []float64 // residuals, times the roots of their weights
}

// spreadOf is the root mean square of a column about its mean, on the scale that is compared; 1 where that is 0.
func spreadOf(y []float64) float64 {
	n, sum, sq := 0.0, 0.0, 0.0
	for _, v := range y {
		if v == v {
			n++
			sum += v
			sq += v * v
		}
	}
	if s := math.Sqrt(math.Max(sq/n-sum/n*sum/n, 0)); s > 0 {
		return s
	}
	if s := math.Sqrt(sq / n); s > 0 {
		return s
	}
	return 1
}

// estimate makes what the trajectories' losses share: a standard deviation for each quantity that has none. Those that are there stay.
func estimate(tr []*trajectory) []*deviation {
	var all []*deviation
	for _, x := range tr {
		if x.data == nil || !x.data.pen.Scaled {
			continue
		}
		for k := range x.data.data.Columns {
			if x.data.known(k) {
				continue
			}
			c := &x.data.data.Columns[k]
			var found *deviation
			for _, n := range all {
				if n.of == c.Of {
					found = n
				}
			}
			if found == nil {
				if found = x.data.noise[k]; found == nil {
					s := spreadOf(x.data.target[k])
					found = &deviation{of: c.Of, sd: s, least: leastShare * s}
				}
				all = append(all, found)
			}
			x.data.noise[k] = found
		}
	}
	return all
}

// known says whether the standard deviation of a column is given.
func (l *DataLoss) known(col int) bool {
	c := &l.data.Columns[col]
	return c.SD > 0 || c.SDs != nil || l.Spec.SD > 0
}

// sd is the scale of a value's error.
func (l *DataLoss) sd(col, row int) float64 {
	c := &l.data.Columns[col]
	s := l.Spec.SD
	switch {
	case c.SDs != nil:
		s = c.SDs[row]
	case c.SD > 0:
		s = c.SD
	case s == 0:
		s = l.noise[col].sd
	}
	if w := c.weight(row); w != 1 {
		s /= math.Sqrt(w)
	}
	return s
}

// cost is what a residual r, with model value v, costs, and its derivative by r, before the division.
func (l *DataLoss) cost(col, row int, r, v float64) (rho, d float64) {
	switch {
	case l.pen.Scaled:
		s := l.sd(col, row)
		rho, d = l.pen.of(r/s, l.delta)
		rho += math.Log(s)
		if l.pen.Logs {
			rho += l.target[col][row] // the density of the datum, not of its logarithm
		}
		return rho, d / s
	case l.pen.count != nil:
		rho, d = l.pen.count(v, l.target[col][row])
	default:
		rho, d = l.pen.of(r, l.delta)
	}
	w := l.data.Columns[col].weight(row)
	return w * rho, w * d
}

// squares says whether the loss is a sum of squares, but for a constant, also where estimated standard deviations are held; else why not.
func (l *DataLoss) squares(hold bool) (ok bool, why string) {
	switch name := l.pen.Name; {
	case l.pen.Squares || hold && (name == "normal" || name == "lognormal"):
		return true, ""
	case name != "normal" && name != "lognormal":
		return false, fmt.Sprintf("it needs a sum of squares, and %s is none", name)
	}
	for k := range l.data.Columns {
		if !l.known(k) {
			return false, fmt.Sprintf("it needs a sum of squares, and that of %s is none while `sd` is estimated", l.pen.Name)
		}
	}
	return true, ""
}

// root is the factor of a residual whose square is its part of the loss, where that is a sum of squares.
func (l *DataLoss) root(col, row int) float64 {
	if l.pen.Scaled {
		return 1 / (l.sd(col, row) * math.Sqrt(2*l.div))
	}
	return math.Sqrt(l.data.Columns[col].weight(row) / l.div)
}

// curvature is half the second derivative of a value's part of the loss by its residual, near 0: what its square costs.
func (l *DataLoss) curvature(col, row int) float64 {
	switch w := l.data.Columns[col].weight(row); {
	case l.pen.Scaled:
		s := l.sd(col, row)
		return 1 / (2 * s * s * l.div)
	case l.pen.count != nil:
		return w / (2 * math.Max(l.target[col][row], 1) * l.div)
	default:
		return w / l.div
	}
}

// offset is what a likelihood is more than a sum of squares.
func (l *DataLoss) offset() float64 {
	if !l.pen.Scaled {
		return 0
	}
	sum := 0.0
	for col, y := range l.target {
		for row := l.lo; row < l.hi; row++ {
			if y[row] == y[row] {
				sum += math.Log(l.sd(col, row)) + halfLog2Pi
				if l.pen.Logs {
					sum += y[row]
				}
			}
		}
	}
	return sum / l.div
}

// precision is the root of the information that a value has about the model's, v, with weights for squares.
func (l *DataLoss) precision(col, row int, v float64) float64 {
	switch {
	case l.pen.Scaled:
		return math.Sqrt(l.pen.info(v, l.delta)) / l.sd(col, row)
	case l.pen.Likelihood:
		return math.Sqrt(l.data.Columns[col].weight(row) * l.pen.info(v, l.delta))
	}
	return math.Sqrt(l.data.Columns[col].weight(row))
}

// scales makes the standard deviations that are estimated those of greatest likelihood at u. It is not ok where the solution fails.
func (t *trial) scales(ctx context.Context, u []float64) (ok bool, err error) {
	rows := 0
	for _, tr := range t.tr {
		rows += tr.data.n
	}
	t.res, t.resOf = resize(t.res, rows), resizeDeviations(t.resOf, rows)
	ok, err = t.squares(ctx, u, func(w *worker, d *desk, tr *trajectory, at int) (*solve.Solution, bool, error) {
		_, sol, err := d.ws.Value(ctx, &w.prob, tr.data)
		if err != nil || !sol.Status.Ended() {
			return sol, false, err
		}
		return sol, tr.data.residuals(sol.X, w.th, func(row, col int, res, _ float64) {
			t.res[at], t.resOf[at] = res*math.Sqrt(tr.data.data.Columns[col].weight(row)), tr.data.noise[col]
			at++
		}), nil
	})
	if !ok || err != nil {
		return ok, err
	}
	for _, n := range t.noise {
		n.r = n.r[:0]
	}
	for i, n := range t.resOf {
		if n != nil {
			n.r = append(n.r, t.res[i])
		}
	}
	for _, n := range t.noise {
		if n.n = len(n.r); n.n == 0 {
			continue
		}
		from := rootMeanSquare(n.r, 0, 0)
		if from > 0 {
			from = t.data.pen.fit(n.r, t.data.delta, from)
		}
		n.sd = math.Max(from, n.least)
	}
	return true, nil
}

// scaled makes the standard deviations those of greatest likelihood where the parameters stand, which stay as they are to the bit: those of the
// last evaluation belong to a trial that may have been no better.
func (t *trial) scaled(ctx context.Context) error {
	if len(t.noise) == 0 || t.hold {
		return nil
	}
	th, own := slices.Clone(t.prob.Theta), make([][]float64, len(t.homes))
	for k, tr := range t.homes {
		own[k] = slices.Clone(tr.value)
	}
	_, err := t.scales(ctx, t.here())
	copy(t.prob.Theta, th)
	for k, tr := range t.homes {
		copy(tr.value, own[k])
	}
	return err
}

// state implements keeper: a batch is compared by the deviations of the last look at all data.
func (t *trial) state(l *ledger) {
	for _, n := range t.noise {
		l.num("deviation", &n.sd)
	}
}

func resizeDeviations(s []*deviation, n int) []*deviation {
	if cap(s) < n {
		return make([]*deviation, n)
	}
	return s[:n]
}
