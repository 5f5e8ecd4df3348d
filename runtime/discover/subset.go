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
// bound is a least squares problem of the subset's few columns in the rows from j on (Furnival and Wilson 1974, who walk
// the same tree by sweeps; the triangle keeps the digits that the normal equations lose).

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

// subsets finds the keep best subsets of the free columns for each size up to size, in the numbering of l. complete is
// false when the limit on nodes was met, and then they are the best of those that were looked at.
func subsets(ctx context.Context, l *library, size, keep, nodes int) (best *top, complete bool, err error) {
	size = min(size, len(l.free))
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
	looked := 0
	complete = true
	var walk func(set []int, below int) error
	walk = func(set []int, below int) error {
		for j := below - 1; j >= 0; j-- {
			if looked++; looked > nodes {
				complete = false
				return nil
			}
			if looked%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			next := append(set, j)
			if rss, ok := s.rss(next); ok {
				best.add(next, rss)
				if len(next) < size {
					bound, ok := s.reduce(next, j, 0)
					if !ok || bound < best.slack(len(next)+1) {
						if err := walk(next, j); err != nil {
							return err
						}
					}
				}
			}
			// Without column j: only if those before it can still better something.
			if len(set) > 0 {
				if bound, ok := s.reduce(set, j, 0); ok && bound >= best.slack(len(set)+1) {
					return nil
				}
			} else if b := t.rest + dot(t.q[j:], t.q[j:]); b >= best.slack(1) {
				return nil
			}
		}
		return nil
	}
	if err := walk(nil, t.p); err != nil {
		return nil, false, err
	}
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

// forward orders the free columns by forward selection.
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

// bestSubset proposes the best subset of each size.
func bestSubset(ctx context.Context, l *library, o Options) ([]support, error) {
	size := min(int(o.or("size", 8)), len(l.free))
	best, complete, err := subsets(ctx, l, size, 1, int(o.or("nodes", 2e6)))
	if err != nil {
		return nil, err
	}
	l.proof = complete
	var out supports
	out.add(nil, math.NaN())
	for k := 1; k <= size; k++ {
		for _, s := range best.sets[k] {
			out.add(s.set, math.NaN())
		}
	}
	return out.list, nil
}
