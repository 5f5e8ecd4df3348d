package code

import "github.com/udl-lang/udl/compiler/code/native/block"

// Elimination as straight-line code: the places of a small matrix that are zero whatever its values are known, so what would be done with them is not
// written down. The order of the pivots is fixed by structure alone, by Markowitz's count (H. M. Markowitz, The elimination form of the inverse and
// its application to linear programming, Management Science 3, 1957), from the diagonal as long as that has any. Without exchanges
// a pivot may be small, so the multipliers are watched: their sum bounds the growth of rounding errors. It is measured in the units of the
// equations, since a number that counts molecules beside one that counts moles makes large multipliers and no error.

// maxMultipliers is what the multipliers' magnitudes may sum up to: where a pivot is below 1e-6 of an entry of its column, six digits may be lost. Of the stiff
// problems of the tests none comes to 1e3.
const maxMultipliers = 1e6

// eliminated is a factorised matrix.
type eliminated struct {
	n     int
	rows  []int                  // the pivots' rows, in order
	cols  []int                  // and their columns
	below [][]int                // for each pivot the rows that it is eliminated from
	ahead [][]int                // and the columns that its row still has
	l, u  map[[2]int]block.Value // by row and column
	inv   []block.Value          // of the pivots
	grown block.Value            // the sum of the multipliers' magnitudes, not a number where one, or a pivot, is not finite
}

// eliminate factorises the matrix w of n rows, of which only the entries that may be nonzero are given. unit is what a number of each row is measured in. ok is
// false where the matrix is singular by structure.
func eliminate(b *blocks, n int, w map[[2]int]block.Value, unit []block.Value) (e *eliminated, ok bool) {
	e = &eliminated{n: n, l: map[[2]int]block.Value{}, u: w, grown: b.Const(0)}
	freeRow, freeCol := make([]bool, n), make([]bool, n)
	for i := range n {
		freeRow[i], freeCol[i] = true, true
	}
	one := b.Const(1)
	sums := make([]block.Value, n) // by row
	for i := range sums {
		sums[i] = b.Const(0)
	}
	for range n {
		r, c := e.pivot(freeRow, freeCol)
		if r < 0 {
			return nil, false
		}
		freeRow[r], freeCol[c] = false, false
		var below, ahead []int
		for i := range n {
			if _, ok := e.u[[2]int{i, c}]; ok && freeRow[i] {
				below = append(below, i)
			}
			if _, ok := e.u[[2]int{r, i}]; ok && freeCol[i] {
				ahead = append(ahead, i)
			}
		}
		pivot := e.u[[2]int{r, c}]
		inv := b.Div(one, pivot)
		// An infinite pivot would make its unknown zero, and a step of no change and no error.
		e.grown = b.Add(e.grown, b.Sub(pivot, pivot))
		for _, i := range below {
			l := b.Mul(e.u[[2]int{i, c}], inv)
			e.l[[2]int{i, c}] = l
			sums[i] = b.FMA(b.Abs(l), unit[r], sums[i])
			for _, j := range ahead {
				v, at := e.u[[2]int{r, j}], [2]int{i, j}
				if was, ok := e.u[at]; ok {
					e.u[at] = b.FNMA(l, v, was)
				} else {
					e.u[at] = b.Neg(b.Mul(l, v))
				}
			}
		}
		e.rows, e.cols = append(e.rows, r), append(e.cols, c)
		e.below, e.ahead, e.inv = append(e.below, below), append(e.ahead, ahead), append(e.inv, inv)
	}
	for i, sum := range sums {
		if sum != b.Const(0) {
			e.grown = b.Add(e.grown, b.Div(sum, unit[i]))
		}
	}
	return e, true
}

// pivot is the entry that fills in least, of those on the diagonal if there are any; −1 where none is left.
func (e *eliminated) pivot(freeRow, freeCol []bool) (row, col int) {
	inRow, inCol := make([]int, e.n), make([]int, e.n)
	for at := range e.u {
		if freeRow[at[0]] && freeCol[at[1]] {
			inRow[at[0]]++
			inCol[at[1]]++
		}
	}
	row, col = -1, -1
	best := 0
	better := func(i, j int) {
		if _, ok := e.u[[2]int{i, j}]; !ok || !freeRow[i] || !freeCol[j] {
			return
		}
		if fill := (inRow[i] - 1) * (inCol[j] - 1); row < 0 || fill < best {
			row, col, best = i, j, fill
		}
	}
	for i := range e.n {
		better(i, i)
	}
	if row >= 0 {
		return row, col
	}
	for i := range e.n {
		for j := range e.n {
			better(i, j)
		}
	}
	return row, col
}

// solve builds the solution for a right-hand side, which it overwrites.
func (e *eliminated) solve(b *blocks, rhs []block.Value) []block.Value {
	for p, r := range e.rows {
		for _, i := range e.below[p] {
			rhs[i] = b.FNMA(e.l[[2]int{i, e.cols[p]}], rhs[r], rhs[i])
		}
	}
	x := make([]block.Value, e.n)
	for p := e.n - 1; p >= 0; p-- {
		sum := rhs[e.rows[p]]
		for _, j := range e.ahead[p] {
			sum = b.FNMA(e.u[[2]int{e.rows[p], j}], x[j], sum)
		}
		x[e.cols[p]] = b.Mul(sum, e.inv[p])
	}
	return x
}
