// Compressed sparse columns: Duff, Erisman, Reid, "Direct Methods for Sparse Matrices", 2nd ed. (2017), ch. 2.
// Sorting by two transpositions: Gustavson, "Two fast algorithms for sparse matrices", ACM TOMS 4 (1978).

package sparse

import (
	"fmt"
	"math"
	"slices"
)

// Pattern is where an n×n matrix may be nonzero, column by column. It never changes, so goroutines may share it.
type Pattern struct {
	n   int
	ptr []int   // n+1: column j is row[ptr[j]:ptr[j+1]]
	row []int32 // ascending within a column
}

// NewPattern makes a pattern of the places (rows[k], cols[k]); the same place may come more than once.
// An index outside 0…n−1, or slices of different length, is an error.
func NewPattern(n int, rows, cols []int) (*Pattern, error) {
	p, _, err := newPattern(n, rows, cols)
	return p, err
}

// newPattern also says at which position of the pattern each triplet landed.
func newPattern(n int, rows, cols []int) (*Pattern, []int, error) {
	if n < 0 || n > math.MaxInt32 {
		return nil, nil, fmt.Errorf("sparse: a matrix cannot have %d rows", n)
	}
	if len(rows) != len(cols) {
		return nil, nil, fmt.Errorf("sparse: %d row indices but %d column indices", len(rows), len(cols))
	}
	for k := range rows {
		if rows[k] < 0 || rows[k] >= n || cols[k] < 0 || cols[k] >= n {
			return nil, nil, fmt.Errorf("sparse: entry %d is at (%d, %d), outside a matrix of %d×%d", k, rows[k], cols[k], n, n)
		}
	}
	// Two stable counting sorts, by row and then by column: linear, however the triplets come.
	byRow := countingSort(n, rows, nil)
	order := countingSort(n, cols, byRow)
	p := &Pattern{n: n, ptr: make([]int, n+1)}
	at := make([]int, len(rows))
	last := -1
	for _, k := range order {
		if last < 0 || rows[last] != rows[k] || cols[last] != cols[k] {
			p.row = append(p.row, int32(rows[k]))
			p.ptr[cols[k]+1]++
		}
		at[k], last = len(p.row)-1, k
	}
	for j := range n {
		p.ptr[j+1] += p.ptr[j]
	}
	return p, at, nil
}

// countingSort returns the indices of key in ascending order of key, equal keys in the order of `in` (nil: 0, 1, …).
func countingSort(n int, key, in []int) []int {
	start := make([]int, n+1)
	for _, v := range key {
		start[v+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	out := make([]int, len(key))
	put := func(k int) {
		out[start[key[k]]] = k
		start[key[k]]++
	}
	if in == nil {
		for k := range key {
			put(k)
		}
		return out
	}
	for _, k := range in {
		put(k)
	}
	return out
}

// DensePattern is the full n×n pattern; its values are column-major.
func DensePattern(n int) *Pattern {
	p := &Pattern{n: n, ptr: make([]int, n+1), row: make([]int32, 0, n*n)}
	for j := range n {
		for i := range n {
			p.row = append(p.row, int32(i))
		}
		p.ptr[j+1] = len(p.row)
	}
	return p
}

// DiagonalPattern is the pattern of the n×n identity.
func DiagonalPattern(n int) *Pattern {
	p := &Pattern{n: n, ptr: make([]int, n+1), row: make([]int32, n)}
	for j := range n {
		p.row[j], p.ptr[j+1] = int32(j), j+1
	}
	return p
}

// N is the number of rows, which is that of columns.
func (p *Pattern) N() int { return p.n }

// NNZ is the number of entries, which is the length of the values that go with the pattern.
func (p *Pattern) NNZ() int { return len(p.row) }

// Column returns the rows of column j in ascending order (not to be changed) and the position of the first of them.
func (p *Pattern) Column(j int) (rows []int32, first int) {
	return p.row[p.ptr[j]:p.ptr[j+1]], p.ptr[j]
}

// Index is the position of entry (i, j) among the values, or −1 if the pattern has no such entry.
func (p *Pattern) Index(i, j int) int {
	k, ok := slices.BinarySearch(p.row[p.ptr[j]:p.ptr[j+1]], int32(i))
	if !ok {
		return -1
	}
	return p.ptr[j] + k
}

// Transposed returns the pattern of Aᵀ, and for each of its positions the position of the same value in A.
func (p *Pattern) Transposed() (t *Pattern, from []int) {
	t = &Pattern{n: p.n, ptr: make([]int, p.n+1), row: make([]int32, len(p.row))}
	from = make([]int, len(p.row))
	for _, i := range p.row {
		t.ptr[i+1]++
	}
	for i := range p.n {
		t.ptr[i+1] += t.ptr[i]
	}
	next := slices.Clone(t.ptr)
	for j := range p.n {
		for k := p.ptr[j]; k < p.ptr[j+1]; k++ {
			i := p.row[k]
			t.row[next[i]], from[next[i]] = int32(j), k
			next[i]++
		}
	}
	return t, from
}

// Union has every entry of either pattern. It panics if the sizes differ.
func Union(a, b *Pattern) *Pattern {
	if a.n != b.n {
		panic(fmt.Sprintf("sparse: union of patterns of size %d and %d", a.n, b.n))
	}
	u := &Pattern{n: a.n, ptr: make([]int, a.n+1), row: make([]int32, 0, max(len(a.row), len(b.row)))}
	for j := range a.n {
		x, y := a.row[a.ptr[j]:a.ptr[j+1]], b.row[b.ptr[j]:b.ptr[j+1]]
		for len(x) > 0 || len(y) > 0 {
			switch {
			case len(y) == 0 || len(x) > 0 && x[0] < y[0]:
				u.row, x = append(u.row, x[0]), x[1:]
			case len(x) == 0 || y[0] < x[0]:
				u.row, y = append(u.row, y[0]), y[1:]
			default:
				u.row, x, y = append(u.row, x[0]), x[1:], y[1:]
			}
		}
		u.ptr[j+1] = len(u.row)
	}
	return u
}

// Same reports whether two patterns have the same entries.
func Same(a, b *Pattern) bool {
	return a == b || a.n == b.n && slices.Equal(a.ptr, b.ptr) && slices.Equal(a.row, b.row)
}

// WithDiagonal is the union with the identity.
func (p *Pattern) WithDiagonal() *Pattern { return Union(p, DiagonalPattern(p.n)) }

// Positions says for each entry of sub where it is among the values of p; an entry that p lacks is an error.
func (p *Pattern) Positions(sub *Pattern) ([]int, error) {
	if p.n != sub.n {
		return nil, fmt.Errorf("sparse: patterns of size %d and %d", p.n, sub.n)
	}
	at := make([]int, len(sub.row))
	for j := range sub.n {
		for k := sub.ptr[j]; k < sub.ptr[j+1]; k++ {
			if at[k] = p.Index(int(sub.row[k]), j); at[k] < 0 {
				return nil, fmt.Errorf("sparse: entry (%d, %d) is not in the pattern", sub.row[k], j)
			}
		}
	}
	return at, nil
}

// Bandwidth is how far entries lie below and above the diagonal.
func (p *Pattern) Bandwidth() (lower, upper int) {
	for j := range p.n {
		if c := p.row[p.ptr[j]:p.ptr[j+1]]; len(c) > 0 {
			lower, upper = max(lower, int(c[len(c)-1])-j), max(upper, j-int(c[0]))
		}
	}
	return lower, upper
}

// check panics if values are not those of the pattern: a programming error, never a matter of data.
func (p *Pattern) check(values []float64) {
	if len(values) != len(p.row) {
		panic(fmt.Sprintf("sparse: %d values for a pattern of %d entries", len(values), len(p.row)))
	}
}

// Matrix is a pattern with values, one for each entry, in the pattern's order.
type Matrix struct {
	*Pattern
	Values []float64
}

// FromTriplets makes a matrix of values at (rows[k], cols[k]); values at the same place are added.
// Errors are those of [NewPattern].
func FromTriplets(n int, rows, cols []int, values []float64) (*Matrix, error) {
	if len(values) != len(rows) {
		return nil, fmt.Errorf("sparse: %d row indices but %d values", len(rows), len(values))
	}
	p, at, err := newPattern(n, rows, cols)
	if err != nil {
		return nil, err
	}
	m := &Matrix{p, make([]float64, p.NNZ())}
	for k, v := range values {
		m.Values[at[k]] += v
	}
	return m, nil
}

// At is entry (i, j), zero outside the pattern.
func (m *Matrix) At(i, j int) float64 {
	if k := m.Index(i, j); k >= 0 {
		return m.Values[k]
	}
	return 0
}

// Mul sets y to A·x; both have length n and must not overlap.
func (m *Matrix) Mul(y, x []float64) {
	clear(y)
	for j, xj := range x {
		for k := m.ptr[j]; k < m.ptr[j+1]; k++ {
			y[m.row[k]] += m.Values[k] * xj
		}
	}
}

// MulTransposed sets y to Aᵀ·x; both have length n and must not overlap.
func (m *Matrix) MulTransposed(y, x []float64) {
	for j := range y {
		s := 0.0
		for k := m.ptr[j]; k < m.ptr[j+1]; k++ {
			s += m.Values[k] * x[m.row[k]]
		}
		y[j] = s
	}
}
