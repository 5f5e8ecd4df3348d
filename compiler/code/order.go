package code

import "github.com/udl-lang/udl/runtime/sparse"

// pivots is the order of elimination for straight-line code: within each block of the triangular form the least degree first, as the sparse LU's own (A. George,
// J. W. H. Liu, The evolution of the minimum degree ordering algorithm, SIAM Review 31, 1989), and of equals the one that waits for the
// shortest chain of others: what does not wait for each other, the processor does at once.
func pivots(p *sparse.Pattern, s *sparse.Symbolic) (rows, cols []int32, start []int) {
	was, wasCols, start := s.Pivots()
	n := p.N()
	blockOf, step := make([]int, n), make([]int, n) // of steps, of rows
	for b := range len(start) - 1 {
		for k := start[b]; k < start[b+1]; k++ {
			blockOf[k] = b
		}
	}
	for k, r := range was {
		step[r] = k
	}
	near := make([]map[int]bool, n)
	for k := range near {
		near[k] = map[int]bool{}
	}
	for k, c := range wasCols {
		list, _ := p.Column(int(c))
		for _, r := range list {
			if i := step[r]; i != k && blockOf[i] == blockOf[k] {
				near[i][k], near[k][i] = true, true
			}
		}
	}
	depth, done := make([]int, n), make([]bool, n)
	for b := range len(start) - 1 {
		for range start[b+1] - start[b] {
			best := -1
			for k := start[b]; k < start[b+1]; k++ {
				if done[k] {
					continue
				}
				if d := len(near[k]); best < 0 || d < len(near[best]) || d == len(near[best]) && depth[k] < depth[best] {
					best = k
				}
			}
			done[best] = true
			rows, cols = append(rows, was[best]), append(cols, wasCols[best])
			for i := range near[best] {
				delete(near[i], best)
				depth[i] = max(depth[i], depth[best]+1)
				for j := range near[best] {
					if i != j {
						near[i][j] = true
					}
				}
			}
		}
	}
	return rows, cols, start
}
