package discover

import (
	"context"
	"math"
	"sort"
)

// Corrupt samples are found by least trimmed squares of the whole library: of many small random subsets that fit
// something exactly, the one whose better half of all residuals is smallest, improved by fitting that half anew. A
// sample whose residual is beyond three robust standard deviations is left out, and the search is made on the others.
//
// P. J. Rousseeuw, K. Van Driessen, Computing LTS regression for large data sets, Data Mining and Knowledge Discovery 12
// (2006), 29–45. Trimming together with sparse regression: Champion et al. 2020.

const (
	ltsStarts = 60  // random subsets
	ltsSample = 600 // samples that they are judged on
	beyond    = 3.0 // robust standard deviations
)

func robust(ctx context.Context, d *Data, m *Method, s Settings) (*Result, error) {
	var rows []int
	for i := range d.N {
		if d.W == nil || d.W[i] > 0 {
			rows = append(rows, i)
		}
	}
	t := factor(d.X, d.Y, d.W, d.N, d.P)
	free := t.independent()
	fit, err := trimmed(ctx, d, free, rows, s.Seed)
	if err != nil {
		return nil, err
	}
	kept := inliers(d, rows, fit, s.Accuracy)
	var r *Result
	for range 5 {
		w := make([]float64, d.N)
		for i, k := range kept {
			if k {
				w[i] = 1
				if d.W != nil {
					w[i] = d.W[i]
				}
			}
		}
		if r, err = regress(ctx, d, w, m, s); err != nil {
			return nil, err
		}
		r.Kept = kept
		next := inliers(d, rows, &r.Model, s.Accuracy)
		same := true
		for i := range next {
			same = same && next[i] == kept[i]
		}
		if same {
			break
		}
		kept = next
	}
	if s.Ensemble == 0 {
		return r, nil
	}
	w := make([]float64, d.N)
	for i, k := range r.Kept {
		if k {
			w[i] = 1
			if d.W != nil {
				w[i] = d.W[i]
			}
		}
	}
	return r, r.ensemble(ctx, d, w, m, s)
}

// inliers are the rows whose residual is within three robust standard deviations, by the median of the absolute residuals.
func inliers(d *Data, rows []int, m *Model, accuracy float64) []bool {
	abs := make([]float64, len(rows))
	y := 0.0
	for k, i := range rows {
		abs[k] = math.Abs(m.residual(d, i))
		y += d.Y[i] * d.Y[i]
	}
	sorted := append([]float64(nil), abs...)
	sort.Float64s(sorted)
	sd := 1.4826 * sorted[len(sorted)/2]
	limit := beyond*sd + accuracy*math.Sqrt(y/float64(len(rows)))
	kept := make([]bool, d.N)
	for k, i := range rows {
		kept[i] = abs[k] <= limit
	}
	return kept
}

// trimmed is least trimmed squares of the columns cols over rows, half of which may be corrupt.
func trimmed(ctx context.Context, d *Data, cols, rows []int, seed uint64) (*Model, error) {
	p := len(cols)
	fit := func(rows []int) *Model {
		x, y := make([]float64, len(rows)*p), make([]float64, len(rows))
		for k, i := range rows {
			for c, j := range cols {
				x[k*p+c] = d.X[i*d.P+j]
			}
			y[k] = d.Y[i]
		}
		t := factor(x, y, nil, len(rows), p)
		s := newSolver(t)
		set := t.independent()
		m := &Model{Coef: make([]float64, len(set))}
		if _, ok := s.solve(set, 0, m.Coef); !ok {
			return nil
		}
		for _, c := range set {
			m.Set = append(m.Set, cols[c])
		}
		return m
	}
	// half gives the half of the rows that a model fits best, and the sum of their squares.
	half := func(m *Model, rows []int) ([]int, float64) {
		order := append([]int(nil), rows...)
		r2 := make(map[int]float64, len(rows))
		for _, i := range rows {
			r := m.residual(d, i)
			r2[i] = r * r
		}
		sort.Slice(order, func(a, b int) bool {
			if r2[order[a]] != r2[order[b]] {
				return r2[order[a]] < r2[order[b]]
			}
			return order[a] < order[b]
		})
		h := (len(rows) + p + 1) / 2
		h = min(max(h, p+1), len(rows))
		sum := 0.0
		for _, i := range order[:h] {
			sum += r2[i]
		}
		return order[:h], sum
	}
	rng := stream(seed, "trimmed", 0)
	judge := rows
	if len(rows) > ltsSample {
		judge = append([]int(nil), rows...)
		rng.Shuffle(len(judge), func(i, j int) { judge[i], judge[j] = judge[j], judge[i] })
		judge = judge[:ltsSample]
		sort.Ints(judge)
	}
	best, least := fit(rows), math.Inf(1)
	if best != nil {
		_, least = half(best, judge)
	}
	for k := range ltsStarts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rng := stream(seed, "trimmed", k+1)
		pick := make([]int, 0, p+2)
		for range min(p+2, len(rows)) {
			pick = append(pick, rows[rng.IntN(len(rows))])
		}
		m := fit(pick)
		for step := 0; m != nil && step < 3; step++ {
			h, _ := half(m, judge)
			m = fit(h)
		}
		if m == nil {
			continue
		}
		if _, v := half(m, judge); v < least {
			best, least = m, v
		}
	}
	if best == nil {
		return &Model{}, nil
	}
	last := math.Inf(1)
	for range 30 {
		h, v := half(best, rows)
		if !(v < last*(1-1e-12)) {
			break
		}
		last = v
		if m := fit(h); m != nil {
			best = m
		}
	}
	return best, nil
}
