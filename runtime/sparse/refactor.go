// Refactorisation with the pivots and the pattern of fill of an earlier one, as in KLU (Davis, Natarajan, 2010): the arithmetic of
// Factor in the same order, to the bit, without search and without choice.

package sparse

import "math"

// Refactor factors new values with the last pivots. *GrowthError: they no longer serve, call Factor, which also tells
// whether the matrix is singular. *ValueError: a value is not finite; pivots are kept. It panics if no Factor has succeeded.
// It allocates nothing unless it fails.
func (f *LU) Refactor(values []float64) error {
	if !f.fixed {
		panic("sparse: Refactor without a Factor that succeeded")
	}
	s, x := f.s, f.x
	s.p.check(values)
	f.ready = false
	if err := rowScales(s.p, values, f.scale); err != nil {
		return err
	}
	f.growth, f.doubts = growth{}, doubts{}
	f.stats.Flops, f.stats.Search = 0, 0
	limit := max(s.opt.Growth, 10*f.accepted)
	for b := range len(s.start) - 1 {
		from, to := s.start[b], s.start[b+1]
		for k := from; k < to; k++ {
			if !f.again(values, k, from) || !(f.growth.product() <= limit) {
				clear(x)
				return &GrowthError{int(s.cols[k]), f.growth.product()}
			}
		}
	}
	if k := f.noisy(); k >= 0 {
		return &GrowthError{int(s.cols[k]), math.Inf(1)}
	}
	f.ready = true
	return nil
}

// again computes column k's values; it is false if the pivot vanished.
func (f *LU) again(a []float64, k, from int) bool {
	p, x := f.s.p, f.x
	j := int(f.s.cols[k])
	var most, largest, best float64
	into := f.fp[k]
	for t := p.ptr[j]; t < p.ptr[j+1]; t++ {
		v := a[t] * f.scale[p.row[t]]
		if d := int(f.dest[t]); d < from {
			f.fx[into] = v
			into++
		} else {
			x[d] = v
			if v = math.Abs(v); v > most {
				most = v
			}
		}
	}
	for t := f.up[k]; t < f.up[k+1]; t++ {
		c := f.ui[t]
		u := x[c]
		x[c] = 0
		f.ux[t] = u
		if v := math.Abs(u); !(v <= largest) {
			if v != v {
				return f.lost()
			}
			largest = v
		}
		li := f.li[f.lp[c]:f.lp[c+1]]
		lx := f.lx[f.lp[c]:f.lp[c+1]][:len(li)]
		f.stats.Flops += len(li)
		for m, i := range li {
			x[i] -= lx[m] * u
		}
	}
	pivot := x[k]
	size := math.Abs(pivot)
	if !(size > 0) {
		return f.lost()
	}
	x[k] = 0
	best = size
	li := f.li[f.lp[k]:f.lp[k+1]]
	lx := f.lx[f.lp[k]:f.lp[k+1]][:len(li)]
	for t, i := range li {
		v := x[i]
		x[i] = 0
		lx[t] = v / pivot
		if v = math.Abs(v); !(v <= best) {
			if v != v {
				return f.lost()
			}
			best = v
		}
	}
	f.diag[k] = pivot
	f.doubts.add(k, size, max(largest, most))
	f.growth.entry = max(f.growth.entry, max(largest, best)/most)
	f.growth.multiplier = max(f.growth.multiplier, best/size)
	return true
}

func (f *LU) lost() bool {
	f.growth.multiplier, f.growth.entry = math.Inf(1), 1
	return false
}
