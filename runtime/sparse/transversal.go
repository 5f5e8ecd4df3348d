// Maximum transversal by depth-first search with a cheap look-ahead: Duff, "On algorithms for obtaining a maximum transversal"
// and "Algorithm 575", ACM TOMS 7 (1981). The sets that make a matrix structurally singular are those of
// Dulmage, Mendelsohn, "Coverings of bipartite graphs" (1958): what alternating paths reach from an unmatched row or column.

package sparse

// transversal matches columns with rows: rowOf[j] is column j's row and colOf its inverse, −1 where there is none.
func transversal(p *Pattern) (rowOf, colOf []int32, rank int) {
	n := p.n
	rowOf, colOf = filled(n, -1), filled(n, -1)
	// The diagonal first: models write dx_i/dt in row i, and a pivot that stays there needs no permutation.
	for j := range n {
		if p.Index(j, j) >= 0 {
			rowOf[j], colOf[j] = int32(j), int32(j)
			rank++
		}
	}
	var (
		cheap   = make([]int, n) // where the search for a free row goes on: rows never become free again
		next    = make([]int, n)
		visited = filled(n, -1)
		stack   = make([]int32, 0, n)
	)
	copy(cheap, p.ptr)
	for j0 := range n {
		if rowOf[j0] >= 0 {
			continue
		}
		stack = append(stack[:0], int32(j0))
		visited[j0], next[j0] = int32(j0), p.ptr[j0]
		found := int32(-1)
		for len(stack) > 0 && found < 0 {
			j := stack[len(stack)-1]
			for ; cheap[j] < p.ptr[j+1]; cheap[j]++ {
				if i := p.row[cheap[j]]; colOf[i] < 0 {
					found = i
					break
				}
			}
			if found >= 0 {
				break
			}
			deeper := false
			for next[j] < p.ptr[j+1] {
				c := colOf[p.row[next[j]]]
				next[j]++
				if visited[c] != int32(j0) {
					visited[c], next[c] = int32(j0), p.ptr[c]
					stack = append(stack, c)
					deeper = true
					break
				}
			}
			if !deeper {
				stack = stack[:len(stack)-1]
			}
		}
		if found < 0 {
			continue
		}
		rank++
		// Along the path each column takes the row that its successor gives up.
		for k := len(stack) - 1; k >= 0; k-- {
			j := stack[k]
			was := rowOf[j]
			rowOf[j], colOf[found] = found, j
			found = was
		}
	}
	return rowOf, colOf, rank
}

// structuralError names a set of rows with too few columns and a set of columns with too few rows.
func structuralError(p *Pattern, rowOf, colOf []int32, rank int) *SingularError {
	e := &SingularError{Structural: true, Rank: rank}
	t, _ := p.Transposed()
	e.Cols = alternating(p, rowOf, colOf)
	e.Rows = alternating(t, colOf, rowOf)
	e.Row, e.Col = e.Rows[0], e.Cols[0]
	return e
}

// alternating returns the first unmatched column and every column that alternating paths reach from it: each row they
// touch is matched within the set, so there is one row fewer than columns.
func alternating(p *Pattern, rowOf, colOf []int32) []int {
	seen := make([]bool, p.n)
	var set []int
	for j := range p.n {
		if rowOf[j] < 0 {
			seen[j] = true
			set = append(set, j)
			break
		}
	}
	for k := 0; k < len(set); k++ {
		rows, _ := p.Column(set[k])
		for _, i := range rows {
			if c := colOf[i]; c >= 0 && !seen[c] {
				seen[c] = true
				set = append(set, int(c))
			}
		}
	}
	return set
}

// StructuralRank is the size of the largest transversal: n if some values make the matrix regular, else an error
// that names rows and columns.
func (p *Pattern) StructuralRank() (int, error) {
	rowOf, colOf, rank := transversal(p)
	if rank < p.n {
		return rank, structuralError(p, rowOf, colOf, rank)
	}
	return rank, nil
}

func filled(n int, v int32) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = v
	}
	return s
}
