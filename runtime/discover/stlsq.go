package discover

import (
	"context"
	"math"
)

// oneByOne is the largest library from which terms are dropped one after the other: each costs a fit of all others.
const oneByOne = 300

// stlsq is sequentially thresholded least squares (Brunton, Proctor, Kutz 2016) with a ridge, over a path of thresholds. Both
// ways of walking the path are taken: each threshold from the whole library, and each from what the last one left,
// dropping the smallest term of those below it only, since where columns nearly depend on each other the first fit
// says little about which of them matter.
func stlsq(ctx context.Context, l *library, o Options) ([]support, error) {
	var out supports
	out.add(nil, math.NaN())
	ridge := o.or("ridge", 1e-10)
	s := newSolver(l.triangle)
	scaled := func(set []int) []float64 {
		coef := make([]float64, len(set))
		if _, ok := s.solve(set, ridge, coef); !ok {
			return nil
		}
		for i, j := range set {
			coef[i] *= l.scale[j]
		}
		return coef
	}
	for _, all := range l.starts() {
		// One term after the other, the smallest first: the limit of a fine path.
		set := append([]int(nil), all...)
		for len(set) > 0 && len(all) <= oneByOne {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c := scaled(set)
			if c == nil {
				break
			}
			least := 0
			for i := range c {
				if math.Abs(c[i]) < math.Abs(c[least]) {
					least = i
				}
			}
			if o.or("threshold", 0) == 0 {
				out.add(set, math.Abs(c[least])/math.Sqrt(l.total))
			}
			set = append(append([]int(nil), set[:least]...), set[least+1:]...)
		}
		whole := scaled(all)
		for _, lambda := range thresholds(o, math.Sqrt(l.total), whole) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			set := append([]int(nil), all...)
			for len(set) > 0 {
				c := scaled(set)
				if c == nil {
					break
				}
				var keep []int
				for i, j := range set {
					if math.Abs(c[i]) >= lambda {
						keep = append(keep, j)
					}
				}
				if len(keep) == len(set) {
					break
				}
				set = keep
			}
			out.add(set, lambda/math.Sqrt(l.total))
		}
	}
	return out.list, nil
}
