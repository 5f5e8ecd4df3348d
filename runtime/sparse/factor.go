// Left-looking LU, column by column in time proportional to the arithmetic: Gilbert, Peierls, "Sparse partial pivoting in time
// proportional to arithmetic operations", SIAM J. Sci. Stat. Comput. 9 (1988). The search for the pattern of a column
// follows pruned columns: Eisenstat, Liu, "Exploiting structural symmetry in a sparse partial pivoting code" (1993).

package sparse

import (
	"math"
	"slices"
)

// Factor chooses pivots for these values (of the pattern) and factors. Errors: *ValueError for what is not finite,
// *SingularError, *GrowthError on overflow. After an error there are no factors.
func (f *LU) Factor(values []float64) error {
	s := f.s
	s.p.check(values)
	f.ready, f.fixed = false, false
	if err := rowScales(s.p, values, f.scale); err != nil {
		return err
	}
	f.li, f.lx, f.ui, f.ux, f.fi, f.fx = f.li[:0], f.lx[:0], f.ui[:0], f.ux[:0], f.fi[:0], f.fx[:0]
	f.growth, f.stats, f.doubts = growth{}, Stats{}, doubts{}
	for k := range f.pinv {
		f.pinv[k], f.want[k], f.wanter[k], f.mark[k], f.lend[k] = -1, int32(k), int32(k), -1, -1
	}
	for b := range len(s.start) - 1 {
		from, to := s.start[b], s.start[b+1]
		var missing []int
		for k := from; k < to; k++ {
			ok, err := f.column(values, k, from)
			if err != nil {
				clear(f.x)
				return err
			}
			if !ok {
				missing = append(missing, k)
			}
		}
		if missing != nil {
			return f.singular(from, to, missing)
		}
	}
	for t, r := range f.li {
		f.li[t] = f.pinv[r]
	}
	for i, r := range s.rowAt {
		f.step[i] = f.pinv[r]
	}
	for t, i := range s.p.row {
		f.dest[t] = f.step[i]
	}
	f.stats.NonzerosL, f.stats.NonzerosU, f.stats.NonzerosF = len(f.lx), len(f.ux)+s.p.n, len(f.fx)
	if k := f.noisy(); k >= 0 {
		return f.vanished(k)
	}
	f.accepted = f.growth.product()
	f.ready, f.fixed = true, true
	return nil
}

// column computes column k of L and U in the block that begins at from. It is false if the column has no pivot; then L gets
// no column, and elimination may go on to see what else is missing.
func (f *LU) column(a []float64, k, from int) (bool, error) {
	p, x := f.s.p, f.x
	j := int(f.s.cols[k])
	top := p.n
	var most float64
	for t := p.ptr[j]; t < p.ptr[j+1]; t++ {
		r := f.s.rowAt[p.row[t]]
		v := a[t] * f.scale[p.row[t]]
		if int(r) < from {
			f.fi, f.fx = append(f.fi, f.pinv[r]), append(f.fx, v)
			continue
		}
		if f.mark[r] != int32(k) {
			top = f.reach(r, int32(k), top)
		}
		x[r] = v
		if v = math.Abs(v); v > most {
			most = v
		}
	}
	f.fp[k+1] = len(f.fi)

	var largest float64 // of what the column held at any time it was looked at
	for _, r := range f.topo[top:] {
		c := f.pinv[r]
		u := x[r]
		x[r] = 0
		f.ui, f.ux = append(f.ui, c), append(f.ux, u)
		if v := math.Abs(u); !(v <= largest) {
			if !(v <= math.MaxFloat64) {
				return false, &GrowthError{j, math.Inf(1)}
			}
			largest = v
		}
		li := f.li[f.lp[c]:f.lp[c+1]]
		lx := f.lx[f.lp[c]:f.lp[c+1]][:len(li)]
		f.stats.Flops += len(li)
		for t, i := range li {
			x[i] -= lx[t] * u
		}
	}
	f.up[k+1] = len(f.ui)

	cand := f.li[f.lp[k]:]
	best, at, hoped := -1.0, -1, -1
	for t, r := range cand {
		v := math.Abs(x[r])
		if !(v <= math.MaxFloat64) {
			return false, &GrowthError{j, math.Inf(1)}
		}
		if v > best {
			best, at = v, t
		}
		if r == f.want[k] {
			hoped = t
		}
	}
	if at < 0 || best == 0 || best < suspicious*max(largest, most) && f.rounding(a, k, f.s.rowAt, cand) {
		for _, r := range cand {
			x[r] = 0
		}
		f.li = f.li[:f.lp[k]]
		f.lp[k+1] = f.lp[k]
		return false, nil
	}
	if hoped >= 0 && math.Abs(x[cand[hoped]]) >= f.s.opt.Threshold*best {
		at = hoped
	}
	r := cand[at]
	pivot := x[r]
	x[r] = 0
	f.growth.entry = max(f.growth.entry, max(largest, best)/most)
	f.growth.multiplier = max(f.growth.multiplier, best/math.Abs(pivot))
	cand[at] = cand[len(cand)-1]
	f.li = f.li[:len(f.li)-1]
	cand = cand[:len(cand)-1]
	for _, i := range cand {
		f.lx = append(f.lx, x[i]/pivot)
		x[i] = 0
	}
	f.lp[k+1] = len(f.li)
	f.diag[k] = pivot
	f.doubts.add(k, math.Abs(pivot), max(largest, most))
	f.take(r, int32(k))
	f.prune(k, r)
	return true, nil
}

// take makes position r the pivot of step k. If another step hoped for it, that one now hopes for what k leaves.
func (f *LU) take(r, k int32) {
	f.pinv[r] = k
	if left := f.want[k]; left != r {
		other := f.wanter[r]
		f.want[other], f.wanter[left] = left, other
		f.want[k], f.wanter[r] = r, k
		f.stats.OffDiagonal++
	}
}

// reach marks what position r leads to through columns of L: pivots go to topo in front of top, in an order of
// elimination, the others are the rows of the new column of L.
func (f *LU) reach(r, k int32, top int) int {
	f.mark[r] = k
	if f.pinv[r] < 0 {
		f.li = append(f.li, r)
		return top
	}
	end := func(c int32) int {
		if f.lend[c] >= 0 {
			return f.lend[c]
		}
		return f.lp[c+1]
	}
	f.stack = append(f.stack[:0], r)
	f.next[f.pinv[r]] = f.lp[f.pinv[r]]
	for len(f.stack) > 0 {
		r := f.stack[len(f.stack)-1]
		c := f.pinv[r]
		deeper := false
		for last := end(c); f.next[c] < last; {
			i := f.li[f.next[c]]
			f.next[c]++
			f.stats.Search++
			if f.mark[i] == k {
				continue
			}
			f.mark[i] = k
			d := f.pinv[i]
			if d < 0 {
				f.li = append(f.li, i)
				continue
			}
			f.next[d] = f.lp[d]
			f.stack = append(f.stack, i)
			deeper = true
			break
		}
		if !deeper {
			f.stack = f.stack[:len(f.stack)-1]
			top--
			f.topo[top] = r
		}
	}
	return top
}

// prune shortens what later searches follow: if U(c, k) and L(r, c) are both entries, with r the pivot of k, then whatever column c
// leads to below k, column k leads to as well. Pivots are moved to the front of column c, the rest is left out.
func (f *LU) prune(k int, r int32) {
	for _, c := range f.ui[f.up[k]:f.up[k+1]] {
		if f.lend[c] >= 0 || !slices.Contains(f.li[f.lp[c]:f.lp[c+1]], r) {
			continue
		}
		head, tail := f.lp[c], f.lp[c+1]
		for head < tail {
			if f.pinv[f.li[head]] >= 0 {
				head++
				continue
			}
			tail--
			f.li[head], f.li[tail] = f.li[tail], f.li[head]
			f.lx[head], f.lx[tail] = f.lx[tail], f.lx[head]
		}
		f.lend[c] = tail
	}
}

// rounding says whether what is left of column k at all the places cand is within the rounding of what it was summed from,
// |x| ≤ noise·(|A| + |L||U|), so that elimination may go on without it. It does not see errors that come in from other columns
// enlarged; for those see noisy. at takes rows of A to the places of the work vector.
func (f *LU) rounding(a []float64, k int, at, cand []int32) bool {
	p, w := f.s.p, f.w
	j := int(f.s.cols[k])
	for t := p.ptr[j]; t < p.ptr[j+1]; t++ {
		w[at[p.row[t]]] = math.Abs(a[t] * f.scale[p.row[t]])
	}
	for t := f.up[k]; t < f.up[k+1]; t++ {
		c, u := f.ui[t], math.Abs(f.ux[t])
		for m := f.lp[c]; m < f.lp[c+1]; m++ {
			w[f.li[m]] += math.Abs(f.lx[m]) * u
		}
	}
	all := true
	for _, r := range cand {
		all = all && math.Abs(f.x[r]) <= noise*w[r]
	}
	for t := p.ptr[j]; t < p.ptr[j+1]; t++ {
		w[at[p.row[t]]] = 0
	}
	for t := f.up[k]; t < f.up[k+1]; t++ {
		for m := f.lp[f.ui[t]]; m < f.lp[f.ui[t]+1]; m++ {
			w[f.li[m]] = 0
		}
	}
	return all
}
