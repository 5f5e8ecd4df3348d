package sparse

import (
	"cmp"
	"math"
	"slices"
)

// singular names what makes the block from…to singular, after its elimination went on past the columns without pivot.
// A row without pivot depends on the rows in its null combination, yᵀA = 0 within the block; a column without pivot
// moves with those in A·x = 0. Both come from triangular solves with what was factored.
func (f *LU) singular(from, to int, missing []int) error {
	e := &SingularError{Rank: -1}
	rows := make([]int, f.s.p.n) // row at each position
	for i, r := range f.s.rowAt {
		rows[r] = i
	}
	pivot := make([]int32, to-from) // position that is step k's pivot
	for k := range pivot {
		pivot[k] = -1
	}
	left := -1
	for r := from; r < to; r++ {
		if k := f.pinv[r]; k >= 0 {
			pivot[int(k)-from] = int32(r)
		} else if left < 0 {
			left = r
		}
	}

	// y = e_left − Σ t_k e_pivot(k), where t solves t·L = row `left` of L.
	t := make([]float64, to-from)
	weight := make(map[int]float64)
	for k := to - 1; k >= from; k-- {
		if pivot[k-from] < 0 {
			continue
		}
		v := 0.0
		for m := f.lp[k]; m < f.lp[k+1]; m++ {
			switch r := int(f.li[m]); {
			case r == left:
				v += f.lx[m]
			case f.pinv[r] >= 0:
				v -= f.lx[m] * t[int(f.pinv[r])-from]
			}
		}
		t[k-from] = v
		weight[rows[pivot[k-from]]] = v
	}
	e.Row = rows[left]
	e.Rows = heaviest(e.Row, weight)

	// x = e_missing − U⁻¹ u.
	first := missing[0]
	clear(t)
	for m := f.up[first]; m < f.up[first+1]; m++ {
		t[int(f.ui[m])-from] = f.ux[m]
	}
	clear(weight)
	own := f.columnSize(first, false)
	for k := first - 1; k >= from; k-- {
		t[k-from] /= f.diag[k]
		for m := f.up[k]; m < f.up[k+1]; m++ {
			t[int(f.ui[m])-from] -= f.ux[m] * t[k-from]
		}
		// Unknowns have units: what counts is how much a column contributes, beside the one that is not determined.
		weight[int(f.s.cols[k])] = t[k-from] * f.columnSize(k, true) / own
	}
	e.Col = int(f.s.cols[first])
	e.Cols = heaviest(e.Col, weight)
	if len(f.s.start) == 2 {
		e.Rank = f.s.p.n - len(missing)
	}
	return e
}

// columnSize is the largest entry of U that step k's column left behind; 1 if there is none.
func (f *LU) columnSize(k int, pivoted bool) float64 {
	size := 0.0
	if pivoted {
		size = math.Abs(f.diag[k])
	}
	for m := f.up[k]; m < f.up[k+1]; m++ {
		size = max(size, math.Abs(f.ux[m]))
	}
	if size == 0 {
		return 1
	}
	return size
}

// heaviest lists first and then the keys that matter, by falling weight and ascending key.
func heaviest(first int, weight map[int]float64) []int {
	keys := []int{}
	for j, v := range weight {
		if j != first && math.Abs(v) > 1e-10 {
			keys = append(keys, j)
		}
	}
	slices.SortFunc(keys, func(a, b int) int {
		return cmp.Or(cmp.Compare(math.Abs(weight[b]), math.Abs(weight[a])), cmp.Compare(a, b))
	})
	return append([]int{first}, keys...)
}
