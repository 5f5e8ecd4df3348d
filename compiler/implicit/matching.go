// Maximum matching: J. E. Hopcroft, R. M. Karp, "An n^5/2 algorithm for maximum matchings in bipartite graphs", SIAM J. Comput. 2 (1973).
// What cannot be matched: A. L. Dulmage, N. S. Mendelsohn, "Coverings of bipartite graphs", Canad. J. Math. 10 (1958).

package implicit

// matching assigns rows to columns; −1 is none.
type matching struct {
	rows    [][]int // the columns in each row
	ofRow   []int
	ofCol   []int
	layer   []int
	at      []int // the next column to try in each row
	queue   []int
	path    []int
	matched int
}

// match finds a maximum matching. A row's first column is tried first, so rows that come with a favourite get it where they can.
func match(rows [][]int, cols int) *matching {
	m := &matching{rows: rows, ofRow: filled(len(rows), -1), ofCol: filled(cols, -1), layer: make([]int, len(rows)), at: make([]int, len(rows))}
	for r, cs := range rows {
		for _, c := range cs {
			if m.ofCol[c] < 0 {
				m.ofRow[r], m.ofCol[c] = c, r
				m.matched++
				break
			}
		}
	}
	for m.layers() {
		for r := range m.at {
			m.at[r] = 0
		}
		for r := range rows {
			if m.ofRow[r] < 0 && m.augment(r) {
				m.matched++
			}
		}
	}
	return m
}

func filled(n, v int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func (m *matching) perfect() bool { return m.matched == len(m.ofRow) && m.matched == len(m.ofCol) }

// layers numbers the rows by their distance from a row without column, and says whether a column without row is in reach.
func (m *matching) layers() bool {
	m.queue = m.queue[:0]
	for r, c := range m.ofRow {
		m.layer[r] = -1
		if c < 0 {
			m.layer[r] = 0
			m.queue = append(m.queue, r)
		}
	}
	found := false
	for k := 0; k < len(m.queue); k++ {
		r := m.queue[k]
		for _, c := range m.rows[r] {
			next := m.ofCol[c]
			switch {
			case next < 0:
				found = true
			case m.layer[next] < 0:
				m.layer[next] = m.layer[r] + 1
				m.queue = append(m.queue, next)
			}
		}
	}
	return found
}

// augment looks for a path from a row without column to a column without row along the layers, without recursion: paths are long
// where equations form a chain.
func (m *matching) augment(start int) bool {
	m.path = append(m.path[:0], start)
	for len(m.path) > 0 {
		r := m.path[len(m.path)-1]
		if m.at[r] == len(m.rows[r]) {
			m.layer[r] = -1
			m.path = m.path[:len(m.path)-1]
			if len(m.path) > 0 {
				m.at[m.path[len(m.path)-1]]++
			}
			continue
		}
		c := m.rows[r][m.at[r]]
		next := m.ofCol[c]
		if next < 0 {
			for _, r := range m.path {
				c := m.rows[r][m.at[r]]
				m.ofRow[r], m.ofCol[c] = c, r
			}
			return true
		}
		if m.layer[next] == m.layer[r]+1 {
			m.path = append(m.path, next)
			continue
		}
		m.at[r]++
	}
	return false
}

// over marks the rows that alternating paths lead to from rows without column, and the columns in them: more rows than columns.
func (m *matching) over() (rows, cols []bool) {
	rows, cols = make([]bool, len(m.ofRow)), make([]bool, len(m.ofCol))
	var queue []int
	for r, c := range m.ofRow {
		if c < 0 {
			rows[r] = true
			queue = append(queue, r)
		}
	}
	for k := 0; k < len(queue); k++ {
		for _, c := range m.rows[queue[k]] {
			if cols[c] {
				continue
			}
			cols[c] = true
			if r := m.ofCol[c]; r >= 0 && !rows[r] {
				rows[r] = true
				queue = append(queue, r)
			}
		}
	}
	return rows, cols
}

// under marks the columns that alternating paths lead to from columns without row: more columns than rows.
func (m *matching) under() (cols []bool) {
	in := make([][]int, len(m.ofCol))
	for r, cs := range m.rows {
		for _, c := range cs {
			in[c] = append(in[c], r)
		}
	}
	cols = make([]bool, len(m.ofCol))
	var queue []int
	for c, r := range m.ofCol {
		if r < 0 {
			cols[c] = true
			queue = append(queue, c)
		}
	}
	for k := 0; k < len(queue); k++ {
		for _, r := range in[queue[k]] {
			if c := m.ofRow[r]; c >= 0 && !cols[c] {
				cols[c] = true
				queue = append(queue, c)
			}
		}
	}
	return cols
}
