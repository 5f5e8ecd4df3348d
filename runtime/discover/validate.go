package discover

import (
	"context"
	"math"
)

// crossValidate chooses the size of a model. The whole search is made anew without each fold, contiguous in a series, and what
// it finds of each size is held against the fold: sets that were chosen with the fold in sight would look better there than they
// are. It scores the proposed sets, ordered by size, by their size, and gives the best set of the smallest size within one standard error of the lowest.
//
// T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd edition, Springer 2009, section 7.10.
func crossValidate(ctx context.Context, d *Data, w []float64, m *Method, path []Model, s Settings) (int, error) {
	weight := func(i int) float64 {
		if w == nil {
			return 1
		}
		return w[i]
	}
	var rows []int
	for i := range d.N {
		if weight(i) > 0 {
			rows = append(rows, i)
		}
	}
	if !d.Series {
		stream(s.Seed, "folds", 0).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	folds := min(s.Folds, len(rows))
	sizes := len(path[len(path)-1].Set) + 1
	errs := make([][]float64, sizes)
	for f := range folds {
		lo, hi := len(rows)*f/folds, len(rows)*(f+1)/folds
		fw := make([]float64, d.N)
		for k, i := range rows {
			if k < lo || k >= hi {
				fw[i] = weight(i)
			}
		}
		l := newLibrary(factor(d.X, d.Y, fw, d.N, d.P))
		list, err := m.path(ctx, l, s.Options)
		if err != nil {
			return 0, err
		}
		best, rss := make([]*Model, sizes), make([]float64, sizes)
		sv := newSolver(l.triangle)
		for _, p := range list {
			k := len(p.set)
			if k >= sizes || k >= len(rows)-(hi-lo) {
				continue
			}
			c := &Model{Set: p.set, Coef: make([]float64, k)}
			if v, ok := sv.solve(p.set, 0, c.Coef); ok && (best[k] == nil || v < rss[k]) {
				best[k], rss[k] = c, v
			}
		}
		for k := range sizes {
			c := best[k]
			if c == nil { // nothing of this size was proposed here: what is smaller stands for it
				c = &Model{}
				if k > 0 {
					c = best[k-1]
				}
				best[k] = c
			}
			e, sum := 0.0, 0.0
			for _, i := range rows[lo:hi] {
				r := c.residual(d, i)
				e += weight(i) * r * r
				sum += weight(i)
			}
			errs[k] = append(errs[k], e/sum)
		}
	}
	floor, sum := 0.0, 0.0
	for _, i := range rows {
		floor += weight(i) * d.Y[i] * d.Y[i]
		sum += weight(i)
	}
	floor *= s.Accuracy * s.Accuracy / sum
	best := -1
	for c := range path {
		path[c].Score = mean(errs[len(path[c].Set)])
		if best < 0 || path[c].Score < path[best].Score {
			best = c
		}
	}
	limit := path[best].Score + floor
	if v := deviation(errs[len(path[best].Set)]) / math.Sqrt(float64(folds)); v-v == 0 {
		limit += v
	}
	for c := range path {
		if path[c].Score <= limit {
			return c, nil // the path is ordered by size, and by residuals
		}
	}
	return best, nil
}
