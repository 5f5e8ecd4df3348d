// Approximate minimum degree: Amestoy, Davis, Duff, "An approximate minimum degree ordering algorithm", SIAM J. Matrix Anal.
// Appl. 17 (1996). A quotient graph whose eliminated nodes are elements; degrees bounded by |Lp \ i| + Σ|Le \ Lp|; mass
// elimination, indistinguishable variables by hashing, aggressive absorption. The order is a postorder of the assembly tree.

package sparse

import "math"

// quotient is the quotient graph. A node is a variable until it is chosen as pivot, then an element.
type quotient struct {
	n     int
	iw    []int32 // lists: a variable's elements and then variables; an element's variables
	start []int   // where a node's list begins in iw
	size  []int32 // its length
	elems []int32 // how many of a variable's list are elements
	nv    []int32 // how many columns a variable stands for; 0: gone; negative: member of the element being built
	deg   []int32 // a variable's approximate degree, an element's weight
	w     []int   // an element's |Le \ Lp| + stamp; 0: absorbed
	stamp int

	head, next, prev []int32 // variables by degree, doubly linked
	bucket, hashNext []int32 // variables by hash, while an element is built
	hash             []int32
	mark             []int // entries of the list that others are compared with
	markStamp        int

	parent []int32 // of an element: that which absorbed it; of a variable: what it was merged into
	order  []int32 // pivots in the order of elimination
	lnz    float64 // bound on entries of L below the diagonal
	flops  float64 // bound on multiply-adds of LU
}

// minimumDegree orders a symmetric pattern given by lists without diagonal; it also bounds the entries of L below the diagonal
// and the multiply-adds, if all pivots come from the diagonal.
func minimumDegree(n int, ptr []int, adj []int32) (order []int32, lnz, flops float64) {
	q := &quotient{
		n: n, iw: append(make([]int32, 0, 2*len(adj)+n), adj...), start: make([]int, n), size: make([]int32, n),
		elems: make([]int32, n), nv: filled(n, 1), deg: make([]int32, n), w: make([]int, n), stamp: 2,
		head: filled(n+1, -1), next: filled(n, -1), prev: filled(n, -1), bucket: filled(n, -1), hashNext: make([]int32, n),
		hash: make([]int32, n),
		mark: make([]int, n), parent: filled(n, -1),
	}
	// A row this full makes every list long and gains nothing by its place: it goes last. Without this an arrow takes n².
	full := int32(max(16, 10*int(math.Sqrt(float64(n)))))
	var last []int32
	left := n
	for i := range n {
		q.start[i], q.size[i] = ptr[i], int32(ptr[i+1]-ptr[i])
		if q.size[i] > full {
			q.nv[i] = 0
			last = append(last, int32(i))
			left--
		}
	}
	for i := n - 1; i >= 0; i-- {
		if q.nv[i] != 0 {
			q.deg[i] = min(q.size[i], int32(max(left-1, 0)))
			q.insert(int32(i))
		}
	}
	least := 0
	for left > 0 {
		for q.head[least] < 0 {
			least++
		}
		p := q.head[least]
		q.remove(p)
		left -= int(q.nv[p])
		least = min(least, q.eliminate(p, &left))
	}
	for k := range last {
		c := float64(len(last) - 1 - k)
		q.lnz, q.flops = q.lnz+c, q.flops+c*c
	}
	// Full rows also have an entry for every column before them.
	d := float64(len(last)) * float64(n-len(last))
	q.lnz, q.flops = q.lnz+d, q.flops+d*float64(len(last))
	return append(q.postorder(), last...), q.lnz, q.flops
}

func (q *quotient) insert(i int32) {
	d := q.deg[i]
	h := q.head[d]
	q.next[i], q.prev[i], q.head[d] = h, -1, i
	if h >= 0 {
		q.prev[h] = i
	}
}

func (q *quotient) remove(i int32) {
	a, b := q.prev[i], q.next[i]
	if a >= 0 {
		q.next[a] = b
	} else {
		q.head[q.deg[i]] = b
	}
	if b >= 0 {
		q.prev[b] = a
	}
}

// eliminate makes an element of p and returns the least of the degrees that it changed.
func (q *quotient) eliminate(p int32, left *int) int {
	q.order = append(q.order, p)
	pivots := q.nv[p]
	q.nv[p] = -pivots // so that p is no member of its own element
	lp := len(q.iw)
	var weight int32
	gather := func(from, to int) {
		for k := from; k < to; k++ {
			if i := q.iw[k]; q.nv[i] > 0 {
				weight += q.nv[i]
				q.nv[i] = -q.nv[i]
				q.iw = append(q.iw, i)
				q.remove(i)
			}
		}
	}
	from, mid, to := q.start[p], q.start[p]+int(q.elems[p]), q.start[p]+int(q.size[p])
	for k := from; k < mid; k++ {
		if e := q.iw[k]; q.w[e] != 0 {
			gather(q.start[e], q.start[e]+int(q.size[e]))
			q.w[e], q.parent[e] = 0, p
		}
	}
	gather(mid, to)

	q.outside(lp)
	more := q.prune(p, lp, &weight)
	pivots += more
	*left -= int(more)
	q.stamp += q.n + 1
	q.merge(lp)

	// Only now are degrees final, since weight no longer holds what was eliminated with p.
	end, least := lp, q.n
	for k := lp; k < len(q.iw); k++ {
		i := q.iw[k]
		nv := -q.nv[i]
		if nv <= 0 {
			continue
		}
		q.nv[i] = nv
		q.deg[i] = min(q.deg[i]+weight-nv, int32(*left)-nv)
		least = min(least, int(q.deg[i]))
		q.insert(i)
		q.iw[end] = i
		end++
	}
	q.iw = q.iw[:end]
	q.start[p], q.size[p], q.elems[p], q.nv[p], q.deg[p] = lp, int32(end-lp), 0, 0, weight
	if weight > 0 {
		q.w[p] = 1
	}
	for k := range pivots {
		c := float64(weight + k)
		q.lnz, q.flops = q.lnz+c, q.flops+c*c
	}
	return least
}

// outside computes |Le \ Lp| for every element that touches Lp (the list at lp).
func (q *quotient) outside(lp int) {
	for k := lp; k < len(q.iw); k++ {
		i := q.iw[k]
		nv := -int(q.nv[i])
		for _, e := range q.iw[q.start[i] : q.start[i]+int(q.elems[i])] {
			switch {
			case q.w[e] >= q.stamp:
				q.w[e] -= nv
			case q.w[e] != 0:
				q.w[e] = int(q.deg[e]) + q.stamp - nv
			}
		}
	}
}

// prune shortens the lists of Lp's variables, puts p into them, bounds their degrees and fills the hash buckets.
// It returns how many columns were eliminated together with p because nothing but p was left to them.
func (q *quotient) prune(p int32, lp int, weight *int32) (gone int32) {
	for k := lp; k < len(q.iw); k++ {
		i := q.iw[k]
		var d, hash int
		from, to := q.start[i], q.start[i]
		mid, end := from+int(q.elems[i]), from+int(q.size[i])
		for m := from; m < mid; m++ {
			e := q.iw[m]
			if q.w[e] == 0 {
				continue
			}
			out := q.w[e] - q.stamp
			if out == 0 { // Le ⊂ Lp: aggressive absorption
				q.w[e], q.parent[e] = 0, p
				continue
			}
			d, hash = d+out, hash+int(e)
			q.iw[to] = e
			to++
		}
		elems := to
		for m := mid; m < end; m++ {
			if j := q.iw[m]; q.nv[j] > 0 {
				d, hash = d+int(q.nv[j]), hash+int(j)
				q.iw[to] = j
				to++
			}
		}
		if d == 0 {
			nv := -q.nv[i]
			q.nv[i], q.parent[i] = 0, p
			*weight -= nv
			gone += nv
			continue
		}
		// There is room: i came into Lp by p itself or by an element that is absorbed now.
		if to > elems {
			q.iw[to] = q.iw[elems]
		}
		q.iw[elems] = p
		q.elems[i], q.size[i] = int32(elems+1-from), int32(to+1-from)
		q.deg[i] = min(q.deg[i], int32(d))
		h := (hash + int(p)) % q.n
		q.hashNext[i], q.bucket[h] = q.bucket[h], i
		q.hash[i] = int32(h)
	}
	return gone
}

// merge finds variables of Lp with the same lists and lets one stand for all.
func (q *quotient) merge(lp int) {
	for k := lp; k < len(q.iw); k++ {
		i := q.iw[k]
		if q.nv[i] == 0 {
			continue
		}
		first := q.bucket[q.hash[i]]
		q.bucket[q.hash[i]] = -1
		for a := first; a >= 0 && q.hashNext[a] >= 0; a = q.hashNext[a] {
			q.markStamp++
			for _, v := range q.iw[q.start[a] : q.start[a]+int(q.size[a])] {
				q.mark[v] = q.markStamp
			}
			for prev, b := a, q.hashNext[a]; b >= 0; b = q.hashNext[b] {
				if q.size[b] == q.size[a] && q.elems[b] == q.elems[a] && q.sameAs(b) {
					q.nv[a] += q.nv[b]
					q.nv[b], q.parent[b] = 0, a
					q.hashNext[prev] = q.hashNext[b]
				} else {
					prev = b
				}
			}
		}
	}
}

// sameAs says whether the list of b holds only marked nodes; lists of equal length are then equal as sets.
func (q *quotient) sameAs(b int32) bool {
	for _, v := range q.iw[q.start[b] : q.start[b]+int(q.size[b])] {
		if q.mark[v] != q.markStamp {
			return false
		}
	}
	return true
}

// postorder lists every element after those that it absorbed, each followed by the variables it stands for: columns that
// are eliminated together then lie together in memory.
func (q *quotient) postorder() []int32 {
	var (
		child   = filled(q.n, -1)
		sibling = filled(q.n, -1)
		pivot   = make([]bool, q.n)
		order   = make([]int32, 0, q.n)
		stack   []int32
	)
	for _, p := range q.order {
		pivot[p] = true
	}
	// Variables first and elements in front of them, so that a node's elements are met before its variables.
	for _, elements := range []bool{false, true} {
		for k := q.n - 1; k >= 0; k-- {
			if u := q.parent[k]; u >= 0 && pivot[k] == elements {
				sibling[k], child[u] = child[u], int32(k)
			}
		}
	}
	var merged func(i int32)
	merged = func(i int32) {
		order = append(order, i)
		for c := child[i]; c >= 0; c = sibling[c] {
			if !pivot[c] {
				merged(c)
			}
		}
	}
	next := append([]int32(nil), child...)
	for _, root := range q.order {
		if q.parent[root] >= 0 {
			continue
		}
		stack = append(stack[:0], root)
		for len(stack) > 0 {
			p := stack[len(stack)-1]
			if c := next[p]; c >= 0 && pivot[c] {
				next[p] = sibling[c]
				stack = append(stack, c)
				continue
			}
			merged(p)
			stack = stack[:len(stack)-1]
		}
	}
	return order
}
