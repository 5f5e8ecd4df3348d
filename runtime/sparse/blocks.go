// Block triangular form: the strong components of the graph of columns, by Tarjan, "Depth-first search and linear graph
// algorithms", SIAM J. Comput. 1 (1972), as in Duff, Reid, "An implementation of Tarjan's algorithm for the block
// triangularization of a matrix", ACM TOMS 4 (1978).

package sparse

// blocks orders the columns so that, with rows ordered by their matched columns, the matrix is block upper triangular.
// Block b is cols[start[b]:start[b+1]].
func blocks(p *Pattern, colOf []int32) (cols []int32, start []int) {
	n := p.n
	var (
		index = filled(n, -1) // −1: not seen
		low   = make([]int32, n)
		on    = make([]bool, n)
		next  = make([]int, n)
		comp  = make([]int32, 0, n) // Tarjan's stack
		path  = make([]int32, 0, n)
		count int32
	)
	start = append(start, 0)
	for root := range n {
		if index[root] >= 0 {
			continue
		}
		path = append(path, int32(root))
		for len(path) > 0 {
			j := path[len(path)-1]
			if index[j] < 0 {
				index[j], low[j], on[j], next[j] = count, count, true, p.ptr[j]
				count++
				comp = append(comp, j)
			}
			deeper := false
			for next[j] < p.ptr[j+1] {
				c := colOf[p.row[next[j]]]
				if index[c] < 0 {
					path = append(path, c) // next[j] stays: low[c] is read when c is done
					deeper = true
					break
				}
				next[j]++
				if on[c] {
					low[j] = min(low[j], low[c])
				}
			}
			if deeper {
				continue
			}
			path = path[:len(path)-1]
			if low[j] != index[j] {
				continue
			}
			// A component is complete after all that it leads to: rows of earlier blocks, so upper triangular.
			for {
				c := comp[len(comp)-1]
				comp = comp[:len(comp)-1]
				on[c] = false
				cols = append(cols, c)
				if c == j {
					break
				}
			}
			start = append(start, len(cols))
		}
	}
	return cols, start
}
