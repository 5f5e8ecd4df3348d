package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
)

// term is a coefficient of a sparse vector.
type term struct {
	i int
	v float64
}

// largestBlock is up to how many rows a block of the mass matrix is reduced as a full matrix.
const largestBlock = 400

// nullSpaces gives bases of the vectors with yᵀ·M = 0 and M·y = 0, as many of one as of the other. Most of them are unit vectors: M falls into blocks that
// share no row and no column, and only within a block there is something to compute.
func nullSpaces(p *sparse.Pattern, values []float64) (left, right [][]term, err error) {
	n := p.N()
	parent := make([]int, 2*n) // rows, then columns
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for j := range n {
		rows, first := p.Column(j)
		for k, i := range rows {
			if values[first+k] != 0 {
				parent[root(int(i))] = root(n + j)
			}
		}
	}
	rowsOf, colsOf := map[int][]int{}, map[int][]int{}
	for i := range n {
		rowsOf[root(i)] = append(rowsOf[root(i)], i)
		colsOf[root(n+i)] = append(colsOf[root(n+i)], i)
	}
	for i := range n { // in the order of rows, then columns, so that the same matrix gives the same bases
		if r := root(i); rowsOf[r] != nil && rowsOf[r][0] == i {
			l, rt, err := blockSpaces(p, values, rowsOf[r], colsOf[r])
			if err != nil {
				return nil, nil, err
			}
			left, right = append(left, l...), append(right, rt...)
		}
	}
	for j := range n {
		if r := root(n + j); rowsOf[r] == nil {
			right = append(right, []term{{j, 1}})
		}
	}
	if len(left) != len(right) {
		return nil, nil, fmt.Errorf("the mass matrix has %d dependent rows, but %d dependent columns", len(left), len(right))
	}
	return left, right, nil
}

// blockSpaces reduces one block, by elimination with complete pivoting: Golub, Van Loan, "Matrix Computations", 4th ed. (2013), section 3.4.
func blockSpaces(p *sparse.Pattern, values []float64, rows, cols []int) (left, right [][]term, err error) {
	m, n := len(rows), len(cols)
	switch {
	case n == 0:
		return [][]term{{{rows[0], 1}}}, nil, nil
	case m == 1 && n == 1:
		return nil, nil, nil
	case m > largestBlock || n > largestBlock:
		return nil, nil, largeBlock(p, values, rows, cols)
	}
	w := n + m
	a := make([]float64, m*w) // the block, and beside it the rows' combinations
	at := map[int]int{}
	for i, r := range rows {
		at[r] = i
		a[i*w+n+i] = 1
	}
	for j, c := range cols {
		in, first := p.Column(c)
		for k, r := range in {
			if values[first+k] != 0 {
				a[at[int(r)]*w+j] = values[first+k]
			}
		}
	}
	for i := range m { // rows of like size, so that what is small is rounding
		big := 0.0
		for j := range n {
			big = max(big, math.Abs(a[i*w+j]))
		}
		for j := range w {
			a[i*w+j] /= big
		}
	}
	order := make([]int, n)
	for j := range order {
		order[j] = j
	}
	rank := 0
	for ; rank < min(m, n); rank++ {
		pi, pj, big := rank, rank, 0.0
		for i := rank; i < m; i++ {
			for j := rank; j < n; j++ {
				if v := math.Abs(a[i*w+order[j]]); v > big {
					pi, pj, big = i, j, v
				}
			}
		}
		if big <= 1e-13*float64(max(m, n)) {
			break
		}
		for j := range w {
			a[rank*w+j], a[pi*w+j] = a[pi*w+j], a[rank*w+j]
		}
		order[rank], order[pj] = order[pj], order[rank]
		pivot := a[rank*w+order[rank]]
		for j := range w {
			a[rank*w+j] /= pivot
		}
		for i := range m {
			if l := a[i*w+order[rank]]; i != rank && l != 0 {
				for j := range w {
					a[i*w+j] -= l * a[rank*w+j]
				}
			}
		}
	}
	for i := rank; i < m; i++ {
		var y []term
		for k, r := range rows {
			if v := a[i*w+n+k]; math.Abs(v) > 1e-14 {
				y = append(y, term{r, v})
			}
		}
		left = append(left, y)
	}
	for j := rank; j < n; j++ {
		y := []term{{cols[order[j]], 1}}
		for k := range rank {
			if v := a[k*w+order[j]]; math.Abs(v) > 1e-14 {
				y = append(y, term{cols[order[k]], -v})
			}
		}
		right = append(right, y)
	}
	return left, right, nil
}

// largeBlock is nil for a block that has an inverse.
func largeBlock(p *sparse.Pattern, values []float64, rows, cols []int) error {
	if len(rows) == len(cols) {
		at := map[int]int{}
		for i, r := range rows {
			at[r] = i
		}
		var is, js []int
		for j, c := range cols {
			in, first := p.Column(c)
			for k, r := range in {
				if values[first+k] != 0 {
					is, js = append(is, at[int(r)]), append(js, j)
				}
			}
		}
		q, err := sparse.NewPattern(len(rows), is, js)
		if err != nil {
			return err
		}
		v := make([]float64, q.NNZ())
		for j, c := range cols {
			in, first := p.Column(c)
			for k, r := range in {
				if values[first+k] != 0 {
					v[q.Index(at[int(r)], j)] = values[first+k]
				}
			}
		}
		if c, err := sparse.Choose(q); err == nil && c.New().Factor(v) == nil {
			return nil
		}
	}
	return fmt.Errorf("the mass matrix is singular in a block of %d rows that hang together, more than %d", len(rows), largestBlock)
}
