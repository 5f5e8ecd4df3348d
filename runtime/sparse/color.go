// Groups of columns that share no row, so that one product with J (or one difference) gives all their entries: Curtis, Powell, Reid,
// "On the estimation of sparse Jacobian matrices", J. Inst. Maths Applics 13 (1974); as colouring of the columns' intersection
// graph, largest degree first: Coleman, Moré, "Estimation of sparse Jacobian matrices and graph coloring problems", SIAM J.
// Numer. Anal. 20 (1983).

package sparse

import (
	"cmp"
	"slices"
)

// Coloring is a grouping of the columns of a pattern. It never changes. For rows, color the transposed pattern.
type Coloring struct {
	p       *Pattern
	group   []int
	columns [][]int32
}

// Color groups columns greedily, those first that share rows with most others. At least as many groups are needed as
// the fullest row has entries; if that is half the columns or more, grouping hardly pays and every column is a group.
func Color(p *Pattern) *Coloring {
	n := p.n
	c := &Coloring{p: p, group: make([]int, n)}
	t, _ := p.Transposed()
	fullest := 0
	for i := range n {
		fullest = max(fullest, t.ptr[i+1]-t.ptr[i])
	}
	if n > 64 && fullest >= n/2 { // the neighbours of all columns would be n² to look at
		for j := range n {
			c.group[j] = j
			c.columns = append(c.columns, []int32{int32(j)})
		}
		return c
	}
	// Exact degrees of the intersection graph.
	degree, seen := make([]int, n), filled(n, -1)
	neighbours := func(j int, visit func(c int32)) {
		for _, i := range p.row[p.ptr[j]:p.ptr[j+1]] {
			for _, o := range t.row[t.ptr[i]:t.ptr[i+1]] {
				visit(o)
			}
		}
	}
	for j := range n {
		neighbours(j, func(o int32) {
			if seen[o] != int32(j) {
				seen[o] = int32(j)
				degree[j]++
			}
		})
	}
	order := make([]int, n)
	for j := range order {
		order[j] = j
		c.group[j] = -1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(degree[b], degree[a]) })
	taken := filled(n+1, -1)
	for _, j := range order {
		neighbours(j, func(o int32) {
			if g := c.group[o]; g >= 0 {
				taken[g] = int32(j)
			}
		})
		g := 0
		for taken[g] == int32(j) {
			g++
		}
		c.group[j] = g
		if g == len(c.columns) {
			c.columns = append(c.columns, nil)
		}
	}
	for j, g := range c.group {
		c.columns[g] = append(c.columns[g], int32(j))
	}
	return c
}

// Groups is how many products give the whole matrix.
func (c *Coloring) Groups() int { return len(c.columns) }

// Group of a column.
func (c *Coloring) Group(column int) int { return c.group[column] }

// Columns of a group, ascending; not to be changed.
func (c *Coloring) Columns(group int) []int32 { return c.columns[group] }

// Seed sets v (length n) to the sum of the group's unit vectors.
func (c *Coloring) Seed(group int, v []float64) {
	clear(v)
	for _, j := range c.columns[group] {
		v[j] = 1
	}
}

// Recover writes the entries of the group's columns into values (of the pattern) from product = J·seed (length n).
// Over all groups it sets every value once. It allocates nothing.
func (c *Coloring) Recover(group int, product, values []float64) {
	c.p.check(values)
	for _, j := range c.columns[group] {
		for k := c.p.ptr[j]; k < c.p.ptr[j+1]; k++ {
			values[k] = product[c.p.row[k]]
		}
	}
}
