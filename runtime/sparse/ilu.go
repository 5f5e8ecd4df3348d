// Incomplete LU without fill, a preconditioner: Meijerink, van der Vorst, "An iterative solution method for linear systems of which the
// coefficient matrix is a symmetric M-matrix", Math. Comp. 31 (1977); by rows as in Saad, "Iterative Methods for Sparse Linear
// Systems", 2nd ed. (2003), section 10.3, and solved in the order of its levels, section 12.4: rows of one level do not wait for each other, which a processor
// uses as well as many would.

package sparse

import "math"

// ILU holds factors L·U ≈ A that are nonzero only where A is. It is one goroutine's; nothing but its making allocates.
type ILU struct {
	p          *Pattern
	from       []int32 // positions among the values of A: L row by row in the order of lrow, then U by urow, then the diagonal
	lrow, urow []int32 // rows in the order of their levels
	lp, up     []int32 // where a row begins among li and lx, ui and ux
	le, ue     []int32 // and ends
	li, ui     []int32
	lx, ux     []float64 // U's rows over its diagonal
	inv        []float64 // reciprocals of U's diagonal
	at         []int32   // scratch: where a column of the row in work is, L first and U behind it, plus 1
	scale      []float64
	lrun, urun []run
	ready      bool
}

// run is a number of rows, one after the other in their order, with equally many entries.
type run struct{ rows, entries int32 }

// NewILU analyses a pattern, whose diagonal must be there, else the result is an *IncompleteError.
func NewILU(p *Pattern) (*ILU, error) {
	n := p.n
	f := &ILU{p: p, inv: make([]float64, n), at: make([]int32, 2*n), scale: make([]float64, n)}
	rows, where := p.Transposed() // its columns are the rows of A
	for i := range n {
		if p.Index(i, i) < 0 {
			return nil, &IncompleteError{i}
		}
	}
	level, count := make([]int, n), make([]int, n)
	sorted := func(lower bool) []int32 {
		visit := func(i int) {
			level[i], count[i] = 0, 0
			cols, _ := rows.Column(i)
			for _, j := range cols {
				if int(j) != i && (int(j) < i) == lower {
					level[i] = max(level[i], level[j]+1)
					count[i]++
				}
			}
		}
		for i := range n {
			if lower {
				visit(i)
			} else {
				visit(n - 1 - i)
			}
		}
		order := countingSort(n, level, countingSort(n, count, nil))
		out := make([]int32, n)
		for k, i := range order {
			out[k] = int32(i)
		}
		return out
	}
	part := func(order []int32, lower bool) (start, end, index []int32, from []int32) {
		start, end = make([]int32, n), make([]int32, n)
		for _, i := range order {
			start[i] = int32(len(index))
			cols, first := rows.Column(int(i))
			for k, j := range cols {
				if j != i && (j < i) == lower {
					index, from = append(index, j), append(from, int32(where[first+k]))
				}
			}
			end[i] = int32(len(index))
		}
		return start, end, index, from
	}
	f.lrow = sorted(true)
	f.urow = sorted(false)
	var lf, uf []int32
	f.lp, f.le, f.li, lf = part(f.lrow, true)
	f.up, f.ue, f.ui, uf = part(f.urow, false)
	f.from = append(append(f.from, lf...), uf...)
	for i := range n {
		f.from = append(f.from, int32(p.Index(i, i)))
	}
	f.lrun, f.urun = runs(f.lrow, f.lp, f.le), runs(f.urow, f.up, f.ue)
	f.lx, f.ux = make([]float64, len(f.li)), make([]float64, len(f.ui))
	return f, nil
}

func runs(order, start, end []int32) []run {
	var out []run
	for _, i := range order {
		c := end[i] - start[i]
		if n := len(out); n > 0 && out[n-1].entries == c {
			out[n-1].rows++
			continue
		}
		out = append(out, run{1, c})
	}
	return out
}

// N is the number of unknowns.
func (f *ILU) N() int { return f.p.n }

// Pattern is that of the matrices.
func (f *ILU) Pattern() *Pattern { return f.p }

// Nonzeros is how many numbers the factors hold.
func (f *ILU) Nonzeros() int { return len(f.from) }

// Factor factors values of the pattern. Errors: *ValueError for what is not finite, *IncompleteError for a pivot that vanishes.
func (f *ILU) Factor(values []float64) error {
	f.p.check(values)
	f.ready = false
	if err := rowScales(f.p, values, f.scale); err != nil {
		return err
	}
	nl, nu := len(f.lx), len(f.ux)
	for k, at := range f.from[:nl] {
		f.lx[k] = values[at]
	}
	for k, at := range f.from[nl : nl+nu] {
		f.ux[k] = values[at]
	}
	n := f.p.n
	low, high := f.at[:n], f.at[n:]
	for i := range n {
		lp, le, up, ue := f.lp[i], f.le[i], f.up[i], f.ue[i]
		for k := lp; k < le; k++ {
			low[f.li[k]] = k + 1
		}
		for k := up; k < ue; k++ {
			high[f.ui[k]] = k + 1
		}
		d := values[f.from[nl+nu+i]]
		for k := lp; k < le; k++ { // in ascending order of columns
			j := f.li[k]
			l := f.lx[k] * f.inv[j]
			f.lx[k] = l
			for m := f.up[j]; m < f.ue[j]; m++ {
				switch c := f.ui[m]; {
				case int(c) == i:
					d -= l * f.ux[m]
				case int(c) < i:
					if at := low[c]; at > 0 {
						f.lx[at-1] -= l * f.ux[m]
					}
				default:
					if at := high[c]; at > 0 {
						f.ux[at-1] -= l * f.ux[m]
					}
				}
			}
		}
		for k := lp; k < le; k++ {
			low[f.li[k]] = 0
		}
		for k := up; k < ue; k++ {
			high[f.ui[k]] = 0
		}
		if !(math.Abs(d)*f.scale[i] > 1e-14) {
			return &IncompleteError{i}
		}
		f.inv[i] = 1 / d
	}
	for i, v := range f.inv {
		for k := f.up[i]; k < f.ue[i]; k++ {
			f.ux[k] *= v
		}
	}
	f.ready = true
	return nil
}

// Solve replaces b by (L·U)⁻¹·b. It panics without factors or if b has not length n.
func (f *ILU) Solve(b []float64) {
	mustSolve(f.ready, f.p.n, b)
	sweep(b, f.lrow, f.lrun, f.li, f.lx)
	for i, v := range f.inv {
		b[i] *= v
	}
	sweep(b, f.urow, f.urun, f.ui, f.ux)
}

// sweep solves with a triangle, by runs of rows of the same few entries without a loop over those.
func sweep(b []float64, rows []int32, runs []run, index []int32, x []float64) {
	for _, r := range runs {
		list := rows[:r.rows]
		rows = rows[r.rows:]
		c := int(r.entries)
		n := c * len(list)
		li, lx := index[:n], x[:n]
		index, x = index[n:], x[n:]
		switch {
		case c == 0:
		case c == 1:
			for k, i := range list {
				b[i] -= lx[k] * b[li[k]]
			}
		case c == 2:
			for _, i := range list {
				b[i] -= lx[0]*b[li[0]] + lx[1]*b[li[1]]
				li, lx = li[2:], lx[2:]
			}
		case c == 3:
			for _, i := range list {
				b[i] -= lx[0]*b[li[0]] + lx[1]*b[li[1]] + lx[2]*b[li[2]]
				li, lx = li[3:], lx[3:]
			}
		default:
			for _, i := range list {
				s := b[i]
				for m, j := range li[:c] {
					s -= lx[m] * b[j]
				}
				b[i] = s
				li, lx = li[c:], lx[c:]
			}
		}
	}
}
