package compiler

import (
	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/runtime/sparse"
)

// What finding the pattern may cost: entries of all intermediate results together. A 2-D field needs some dozens for each state; where
// all depends on all, the pattern is of no use and takes longer than all the rest of compiling.
const (
	patternEntries  = 100_000
	patternPerState = 300
)

// pattern is where ∂z/∂x may be non-zero, in a square as large as the larger of both; nil when that is too much to find out.
func (s *shared) pattern() *sparse.Pattern {
	rows, ok := ad.SparsityWithin(s.g, s.nz, s.nx, patternEntries+patternPerState*s.nx)
	if !ok {
		return nil
	}
	n := 0
	for _, r := range rows {
		n += len(r)
	}
	at, cols := make([]int, 0, n), make([]int, 0, n)
	for i, r := range rows {
		for _, j := range r {
			at, cols = append(at, i), append(cols, j)
		}
	}
	p, err := sparse.NewPattern(max(s.nx, s.nz), at, cols)
	if err != nil {
		return nil // cannot be: rows and columns are those of f
	}
	return p
}
