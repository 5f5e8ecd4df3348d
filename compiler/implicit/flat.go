package implicit

// flat tries to leave all equations as they are: rows B·x' = f with constant coefficients, and 0 = g(x, z). Where [B 0; ∂g/∂x ∂g/∂z] is regular, the index is 1 with the singular
// mass matrix [B 0; 0 0] (E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", 2nd ed., Springer 1996, § VI.1), and nothing needs to be differentiated. It says whether
// that is so by the structure; the rows of B must be known not to depend on each other.
func (s *structure) flat() bool {
	at := s.coefficients()
	if at == nil {
		return false
	}
	inc := make([][]int, len(s.rows))
	for r, row := range s.rows {
		switch {
		case row.of >= 0:
			inc[r] = []int{row.of}
		case at[0][r] != nil: // in the order of the row, which must not be that of a map
			for _, v := range row.in {
				if at[0][r][v] != 0 {
					inc[r] = append(inc[r], v)
				}
			}
		default:
			for i, v := range row.in {
				if row.rate[i] {
					return false // with coefficients that move
				}
				inc[r] = append(inc[r], v)
			}
		}
	}
	s.pair = match(inc, s.nx)
	s.level = s.pair.perfect()
	return s.level
}

// paired lists, for each equation, the loose element that flat gave it.
func (a *analysis) paired() [][]int {
	own := a.whose()
	var rows [][]int
	for r, row := range a.written.rows {
		if row.of < 0 {
			rows = append(rows, []int{own[a.written.pair.ofRow[r]]})
		}
	}
	return rows
}

// collapsed says whether no derivative is left as an unknown.
func (a *analysis) collapsed(c *constants) bool {
	for q, n := range a.order {
		if n > 0 && !c.gone[q] {
			return false
		}
	}
	return true
}
