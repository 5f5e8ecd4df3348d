package discover

import (
	"context"
	"math"
)

// ensemble repeats the whole search on resampled data and counts in what share of the repetitions each column was chosen. A
// series is resampled in blocks, so that neighbours stay together.
//
// U. Fasel, J. N. Kutz, B. W. Brunton, S. L. Brunton, Ensemble-SINDy: robust sparse model discovery in the low-data,
// high-noise limit, with active learning and control, Proceedings of the Royal Society A 478 (2022), 20210904. Blocks:
// H. R. Künsch, The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17 (1989), 1217–1241.
func (r *Result) ensemble(ctx context.Context, d *Data, w []float64, m *Method, s Settings) error {
	r.Inclusion = make([]float64, d.P)
	var rows []int
	for i := range d.N {
		if w == nil || w[i] > 0 {
			rows = append(rows, i)
		}
	}
	block := 1
	if d.Series {
		block = max(1, int(math.Round(float64(len(rows))/math.Max(r.Effective, 1))))
		block = min(block, max(1, len(rows)/10))
	}
	if m.Name == "best_subset" { // a member need not be proved
		s.Options = Options{"size": s.Options.or("size", 10), "nodes": s.Options.or("nodes", 2e4)}
	}
	for b := range s.Ensemble {
		rng := stream(s.Seed, "bootstrap", b)
		bw := make([]float64, d.N)
		for drawn := 0; drawn < len(rows); {
			at := rng.IntN(len(rows) - block + 1)
			for k := 0; k < block && drawn < len(rows); k++ {
				i := rows[at+k]
				v := 1.0
				if w != nil {
					v = w[i]
				}
				bw[i] += v
				drawn++
			}
		}
		c, err := regress(ctx, d, bw, m, s, r)
		if err != nil {
			return err
		}
		for _, j := range c.Set {
			r.Inclusion[j]++
		}
	}
	for j := range r.Inclusion {
		r.Inclusion[j] /= float64(s.Ensemble) // 10 of 10 are 1, which ten tenths do not add up to
	}
	return nil
}
