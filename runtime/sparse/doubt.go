// Is a small pivot a number or the rounding of one? A pivot is yᵀ·A·z, where y and z annihilate the leading rows and columns,
// so changes of A by δ|A| move it by at most δ·|y|ᵀ|A||z|: that compares it with what it is made of, whatever the scaling of rows and
// columns. Elimination is exact for a matrix within a few ε·|L||U| of A, hence |L||U| in place of |A|. Higham, "Accuracy and
// Stability of Numerical Algorithms", 2nd ed. (2002), ch. 7 (componentwise distance to singularity) and thm 9.3.

package sparse

import (
	"math"
	"slices"
)

const (
	// suspicious is how small a pivot must be beside its column before it is worth asking.
	suspicious = 1e-8
	// noise is 64 ε: a pivot known to less than two digits is none.
	noise = 64 * 0x1p-52
)

// doubts keeps the few most suspicious pivots, since asking costs a solve each.
type doubts struct {
	count int
	step  [4]int
	ratio [4]float64
}

// add notes a pivot of this size in a column whose largest entry is given, if it is suspicious.
func (d *doubts) add(k int, size, largest float64) {
	if !(size < suspicious*largest) {
		return
	}
	ratio, at := size/largest, d.count
	if at == len(d.step) {
		at = 0
		for i, r := range d.ratio {
			if r > d.ratio[at] {
				at = i
			}
		}
		if ratio >= d.ratio[at] {
			return
		}
	} else {
		d.count++
	}
	d.step[at], d.ratio[at] = k, ratio
}

// noisy returns a step whose pivot is rounding, or −1.
func (f *LU) noisy() int {
	for _, k := range f.doubts.step[:f.doubts.count] {
		from := f.nullVectors(k)
		for j := from; j <= k; j++ { // w becomes |L|ᵀ|y|
			s := math.Abs(f.w[j])
			for m := f.lp[j]; m < f.lp[j+1]; m++ {
				s += math.Abs(f.lx[m] * f.w[f.li[m]])
			}
			f.w[j] = s
		}
		bound := 0.0
		for j := from; j <= k; j++ {
			s := math.Abs(f.diag[j]) * f.w[j]
			for m := f.up[j]; m < f.up[j+1]; m++ {
				s += math.Abs(f.ux[m]) * f.w[f.ui[m]]
			}
			bound += s * math.Abs(f.x[j])
		}
		f.forget(from, k)
		if bound <= math.MaxFloat64 && math.Abs(f.diag[k]) <= noise*bound {
			return k
		}
	}
	return -1
}

// nullVectors puts z into x and y into w, up to step k of the block that it returns the begin of.
func (f *LU) nullVectors(k int) (from int) {
	at, ok := slices.BinarySearch(f.s.start, k)
	if !ok {
		at--
	}
	from = f.s.start[at]
	x, w := f.x, f.w
	x[k], w[k] = 1, 1
	for m := f.up[k]; m < f.up[k+1]; m++ {
		x[f.ui[m]] = -f.ux[m]
	}
	for j := k - 1; j >= from; j-- {
		x[j] /= f.diag[j]
		for m := f.up[j]; m < f.up[j+1]; m++ {
			x[f.ui[m]] -= f.ux[m] * x[j]
		}
		v := 0.0
		for m := f.lp[j]; m < f.lp[j+1]; m++ {
			v -= f.lx[m] * w[f.li[m]] // zero beyond k
		}
		w[j] = v
	}
	return from
}

func (f *LU) forget(from, k int) {
	clear(f.x[from : k+1])
	clear(f.w[from : k+1])
}

// vanished names the rows and columns that combine to a pivot that is only rounding.
func (f *LU) vanished(k int) error {
	rows := make([]int, f.s.p.n)
	for i, s := range f.step {
		rows[s] = i
	}
	from := f.nullVectors(k)
	y, z := make(map[int]float64), make(map[int]float64)
	own := f.columnSize(k, false)
	for j := from; j < k; j++ {
		y[rows[j]] = f.w[j]
		z[int(f.s.cols[j])] = f.x[j] * f.columnSize(j, true) / own
	}
	f.forget(from, k)
	e := &SingularError{Row: rows[k], Col: int(f.s.cols[k]), Rank: -1}
	e.Rows, e.Cols = heaviest(e.Row, y), heaviest(e.Col, z)
	return e
}
