package discover

import (
	"context"
	"math"
	"slices"
	"sort"
)

// Best subsets by branch and bound. Subsets are built from the last column down; what may still be added to a subset
// whose lowest column is j are the columns before j, and together with those its residual is a bound from below for
// everything that can come of it. In the coordinates of the triangle the columns before j fill the first j rows, so the
// bound is a least squares problem of the subset's few columns in the rows from j on, to which a row is added as j falls
// (Furnival and Wilson 1974, who walk the same tree by sweeps; the triangle keeps the digits that the normal equations lose).

// top keeps the best few sets of each size.
type top struct {
	keep int
	sets [][]scored // by size
}

type scored struct {
	set []int
	rss float64
}

func newTop(size, keep int) *top { return &top{keep: keep, sets: make([][]scored, size+1)} }

// worst is what a set of this size must better.
func (t *top) worst(size int) float64 {
	if size >= len(t.sets) {
		return 0
	}
	l := t.sets[size]
	if len(l) < t.keep {
		return math.Inf(1)
	}
	return l[len(l)-1].rss
}

// slack is what a bound must be below for something of this size or more to be bettered.
func (t *top) slack(size int) float64 {
	m := 0.0
	for ; size < len(t.sets); size++ {
		m = math.Max(m, t.worst(size))
	}
	return m
}

func (t *top) add(set []int, rss float64) {
	size := len(set)
	if !(rss < t.worst(size)) {
		return
	}
	c := append([]int(nil), set...)
	sort.Ints(c)
	l := t.sets[size]
	for _, s := range l {
		if slices.Equal(s.set, c) {
			return
		}
	}
	at := sort.Search(len(l), func(i int) bool { return l[i].rss > rss })
	l = slices.Insert(l, at, scored{c, rss})
	if len(l) > t.keep {
		l = l[:t.keep]
	}
	t.sets[size] = l
}

// subsets finds the keep best subsets of the candidates for each size up to size, in the numbering of l. complete is
// false when the limit on nodes was met, and then they are the best of those that were looked at.
func subsets(ctx context.Context, l *library, size, keep, nodes int) (best *top, complete bool, err error) {
	size = min(size, l.rank)
	order := forward(l)
	// The most telling columns come last: the tree is cut early where they are left out.
	slices.Reverse(order)
	t := permuted(l.triangle, order)
	s := newSolver(t)
	best = newTop(size, keep)
	// Good sets to begin with cut the tree: forward selection, and dropping one by one from what it ends with.
	var set []int
	for j := t.p - 1; j >= 0 && len(set) < size; j-- {
		set = append(set, j)
		if rss, ok := s.rss(set); ok {
			best.add(set, rss)
		}
	}
	for len(set) > 1 {
		least, at := math.Inf(1), 0
		for i := range set {
			if rss, ok := s.rss(slices.Delete(slices.Clone(set), i, i+1)); ok && rss < least {
				least, at = rss, i
			}
		}
		set = slices.Delete(set, at, at+1)
		best.add(set, least)
	}
	w := &walker{ctx: ctx, t: t, best: best, nodes: nodes, complete: true, size: size, set: make([]int, size)}
	w.v, w.b = make([]float64, size*t.p), make([]float64, (size+1)*t.p)
	copy(w.b, t.q)
	for range size + 1 {
		w.rows = append(w.rows, rowLS{tri: make([]float64, size*size), rhs: make([]float64, size)})
	}
	if err := w.walk(0, t.p); err != nil {
		return nil, false, err
	}
	complete = w.complete
	for k := range best.sets {
		for i := range best.sets[k] {
			c := best.sets[k][i].set
			for m := range c {
				c[m] = order[c[m]]
			}
			sort.Ints(c)
		}
	}
	return best, complete, nil
}

// walker is the walk down the tree. Level k has the reflections of k columns.
type walker struct {
	ctx           context.Context
	t             *triangle
	best          *top
	nodes, looked int
	complete      bool
	size          int
	set           []int
	v, b          []float64 // reflections of the columns, and q after them, a row a level
	rows          []rowLS   // of each level's columns, in the rows from some on
}

func (w *walker) walk(k, below int) error {
	p := w.t.p
	ls := &w.rows[k]
	for j := below - 1; j >= 0; j-- {
		if w.looked++; w.looked > w.nodes {
			w.complete = false
			return nil
		}
		if w.looked%1024 == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		// The column at level k, reflected by those above.
		v := w.v[k*p : (k+1)*p]
		for i := range p {
			v[i] = w.t.r[i*p+j]
		}
		for l := range k {
			u := w.v[l*p+l : (l+1)*p]
			f := 2 * dot(u, v[l:]) / dot(u, u)
			for i := range u {
				v[l+i] -= f * u[i]
			}
		}
		u := v[k:]
		if h := math.Sqrt(dot(u, u)); h > dependent {
			if u[0] > 0 {
				h = -h
			}
			u[0] -= h
			b, c := w.b[k*p:(k+1)*p], w.b[(k+1)*p:(k+2)*p]
			copy(c, b)
			f := 2 * dot(u, b[k:]) / dot(u, u)
			for i := range u {
				c[k+i] -= f * u[i]
			}
			w.set[k] = j
			w.best.add(w.set[:k+1], dot(c[k+1:], c[k+1:])+w.t.rest)
			// In the rows from j on column j is one number, in row j, which it takes up: what is left there is what was left
			// by the others in the rows below.
			if k+1 < w.size && ls.rest+w.t.rest < w.best.slack(k+2) {
				next := &w.rows[k+1]
				next.from(ls, w.size, k)
				next.add(w.t, w.set[:k+1], j, w.size)
				if err := w.walk(k+1, j); err != nil {
					return err
				}
			}
		}
		// Without column j: only if those before it can still better something.
		ls.add(w.t, w.set[:k], j, w.size)
		if ls.rest+w.t.rest >= w.best.slack(k+1) {
			return nil
		}
	}
	return nil
}

// rowLS is least squares of a few columns, row by row: the triangle, and what no column explains.
type rowLS struct {
	tri, rhs []float64
	rest     float64
	row      []float64
}

// from begins with the rows of another set, of k columns, and a further column that is zero there.
func (r *rowLS) from(o *rowLS, size, k int) {
	clear(r.tri)
	for i := range k {
		copy(r.tri[i*size:i*size+k], o.tri[i*size:i*size+k])
	}
	copy(r.rhs, o.rhs[:k])
	r.rhs[k], r.rest = 0, o.rest
}

// add adds row i of a set of columns, by rotations.
func (r *rowLS) add(t *triangle, set []int, i, size int) {
	r.row = r.row[:0]
	for _, j := range set {
		r.row = append(r.row, t.r[i*t.p+j])
	}
	y := t.q[i]
	for c := range set {
		x := r.row[c]
		if x == 0 {
			continue
		}
		d := r.tri[c*size+c]
		h := math.Hypot(d, x)
		cs, sn := d/h, x/h
		r.tri[c*size+c] = h
		for e := c + 1; e < len(set); e++ {
			a, b := r.tri[c*size+e], r.row[e]
			r.tri[c*size+e], r.row[e] = cs*a+sn*b, cs*b-sn*a
		}
		a := r.rhs[c]
		r.rhs[c], y = cs*a+sn*y, cs*y-sn*a
	}
	r.rest += y * y
}

// forward orders the candidates by forward selection; those that the ones before them explain come last.
func forward(l *library) []int {
	rem := slices.Clone(l.free)
	var order []int
	p := l.p
	r := slices.Clone(l.q)
	cols := map[int][]float64{}
	for _, j := range rem {
		cols[j] = make([]float64, p)
		l.column(j, cols[j])
	}
	for len(rem) > 0 {
		best, at := -1.0, 0
		for i, j := range rem {
			g := dot(cols[j], cols[j])
			if g <= dependent*dependent {
				continue
			}
			if gain := dot(cols[j], r) * dot(cols[j], r) / g; gain > best {
				best, at = gain, i
			}
		}
		j := rem[at]
		rem = slices.Delete(rem, at, at+1)
		order = append(order, j)
		c := cols[j]
		g := dot(c, c)
		if g <= dependent*dependent {
			continue
		}
		f := dot(c, r) / g
		for i := range r {
			r[i] -= f * c[i]
		}
		for _, k := range rem {
			d := cols[k]
			f := dot(c, d) / g
			for i := range d {
				d[i] -= f * c[i]
			}
		}
	}
	return order
}

// permuted is the triangle of some of the columns, in an order.
func permuted(t *triangle, order []int) *triangle {
	p := len(order)
	x := make([]float64, t.p*p)
	for i := range t.p {
		for k, j := range order {
			x[i*p+k] = t.r[i*t.p+j]
		}
	}
	out := factor(x, t.q, nil, t.p, p)
	// The columns keep the scale of the library.
	for k, j := range order {
		for i := range p {
			out.r[i*p+k] *= out.scale[k]
		}
		out.scale[k] = t.scale[j]
	}
	out.rest += t.rest
	out.total, out.n = t.total, t.n
	return out
}

// bestSubset proposes the best subset of each size: exactly as long as the number of subsets looked at allows, the larger
// ones by adding and dropping one term at a time.
func bestSubset(ctx context.Context, l *library, o Options) ([]support, error) {
	size := min(int(o.or("size", 10)), l.rank)
	nodes := int(o.or("nodes", 2e5))
	var out supports
	out.add(nil, math.NaN())
	for k := 1; k <= size; k++ {
		best, complete, err := subsets(ctx, l, k, 1, nodes)
		if err != nil {
			return nil, err
		}
		for _, s := range best.sets[k] {
			out.add(s.set, math.NaN())
		}
		if !complete {
			break
		}
		l.exact = k
	}
	if l.exact < size {
		best, _, err := subsets(ctx, l, size, 1, nodes/10)
		if err != nil {
			return nil, err
		}
		for k := l.exact + 1; k <= size; k++ {
			for _, s := range best.sets[k] {
				out.add(s.set, math.NaN())
			}
		}
	}
	return out.list, nil
}
