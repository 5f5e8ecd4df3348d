// LU of a band with partial pivoting: Martin, Wilkinson, "Solution of symmetric and unsymmetric band equations", Numer. Math. 9
// (1967), as LAPACK's dgbtf2, but stored by rows so that the inner loop is contiguous.

package sparse

import "math"

// Banded is LU of a matrix whose entries lie near the diagonal. It is one goroutine's; nothing but an error allocates.
type Banded struct {
	p            *Pattern
	n            int
	lower, upper int
	width        int       // of a stored row: lower + 1 + upper, and lower more for what row exchanges bring
	a            []float64 // entry (i, j) at i·width + j − i + lower
	pivot        []int     // the row that step k exchanged with row k
	scale, y, z  []float64
	doubts       doubts
	ready        bool
	growth       float64
}

// NewBanded makes a solver as wide as the pattern's bandwidth.
func NewBanded(p *Pattern) *Banded {
	b := &Banded{p: p, n: p.n, pivot: make([]int, p.n), scale: make([]float64, p.n), y: make([]float64, p.n), z: make([]float64, p.n)}
	b.lower, b.upper = p.Bandwidth()
	b.width = 2*b.lower + b.upper + 1
	b.a = make([]float64, p.n*b.width)
	return b
}

// N is the number of unknowns.
func (b *Banded) N() int { return b.n }

// Nonzeros is how many numbers the factors hold.
func (b *Banded) Nonzeros() int { return len(b.a) }

// Growth is the largest entry of U; those of the scaled matrix are below 2.
func (b *Banded) Growth() float64 { return b.growth }

// Refactor is Factor: choosing pivots costs a band little.
func (b *Banded) Refactor(values []float64) error { return b.Factor(values) }

// Factor factors values of the pattern. Errors: *ValueError, *SingularError, *GrowthError on overflow; then there are no
// factors.
func (b *Banded) Factor(values []float64) error {
	b.p.check(values)
	b.ready = false
	if err := rowScales(b.p, values, b.scale); err != nil {
		return err
	}
	n, w, a := b.n, b.width, b.a
	clear(a)
	b.doubts = doubts{}
	b.growth = 0
	for j := range n {
		for t := b.p.ptr[j]; t < b.p.ptr[j+1]; t++ {
			i := int(b.p.row[t])
			a[i*w+j-i+b.lower] = values[t] * b.scale[i]
		}
	}
	for k := range n {
		end := min(n-1, k+b.lower)
		best, at := -1.0, k
		for i := k; i <= end; i++ {
			if v := math.Abs(a[i*w+k-i+b.lower]); v > best {
				best, at = v, i
			}
		}
		if best <= 0 {
			return nameSingular(b.p, values, at, k)
		}
		b.pivot[k] = at
		count := min(n-1, k+b.lower+b.upper) - k // entries of U right of the diagonal
		top := a[k*w+b.lower : k*w+b.lower+count+1]
		if at != k {
			from := at*w + k - at + b.lower
			other := a[from : from+count+1]
			for j := range top {
				top[j], other[j] = other[j], top[j]
			}
		}
		pivot := top[0]
		if best < 1e-4 {
			above := 0.0
			for j := max(0, k-b.lower-b.upper); j < k; j++ {
				above = max(above, math.Abs(a[j*w+k-j+b.lower]))
			}
			for t := b.p.ptr[k]; t < b.p.ptr[k+1]; t++ {
				above = max(above, math.Abs(values[t]*b.scale[b.p.row[t]]))
			}
			b.doubts.add(k, best, above)
		}
		for i := k + 1; i <= end; i++ {
			from := i*w + k - i + b.lower
			l := a[from]
			if l == 0 {
				continue
			}
			l /= pivot
			a[from] = l
			subtract(a[from+1:from+count+1], top[1:], l)
		}
		for _, v := range top {
			if v = math.Abs(v); !(v <= b.growth) {
				if !(v <= math.MaxFloat64) {
					return &GrowthError{k, math.Inf(1)}
				}
				b.growth = v
			}
		}
	}
	if k := b.noisy(); k >= 0 {
		return nameSingular(b.p, values, k, k)
	}
	b.ready = true
	return nil
}

// noisy returns a step whose pivot is no more than the rounding of |y|ᵀ|L||U||z|, or −1: see doubt.go.
func (b *Banded) noisy() int {
	w, a, y, z := b.width, b.a, b.y, b.z
	for _, k := range b.doubts.step[:b.doubts.count] {
		clear(y)
		z[k], y[b.pivot[k]] = 1, 1
		bound := math.Abs(a[k*w+b.lower])
		for i := k - 1; i >= 0; i-- {
			from := i*w + b.lower
			v, right := 0.0, 0.0
			tail := z[i+1 : min(k+1, i+1+b.lower+b.upper)]
			for j, u := range a[from+1 : from+1+len(tail)] {
				v -= u * tail[j]
				right += math.Abs(u * tail[j])
			}
			right += math.Abs(v)
			z[i] = v / a[from]
			left := 0.0
			v = 0
			for r := i + 1; r <= min(b.n-1, i+b.lower); r++ {
				u := a[r*w+i-r+b.lower] * y[r]
				v -= u
				left += math.Abs(u)
			}
			y[i] = v
			bound += (left + math.Abs(v)) * right
			if p := b.pivot[i]; p != i {
				y[i], y[p] = y[p], y[i]
			}
		}
		if bound <= math.MaxFloat64 && math.Abs(a[k*w+b.lower]) <= noise*bound {
			return k
		}
	}
	return -1
}

// Solve replaces x by A⁻¹·x. It panics without factors or if x has not length n.
func (b *Banded) Solve(x []float64) {
	mustSolve(b.ready, b.n, x)
	n, w, a := b.n, b.width, b.a
	for i := range x {
		x[i] *= b.scale[i]
	}
	for k := range n {
		if p := b.pivot[k]; p != k {
			x[k], x[p] = x[p], x[k]
		}
		xk := x[k]
		for i := k + 1; i <= min(n-1, k+b.lower); i++ {
			x[i] -= a[i*w+k-i+b.lower] * xk
		}
	}
	for k := n - 1; k >= 0; k-- {
		from := k*w + b.lower
		v := x[k]
		tail := x[k+1 : min(n, k+1+b.lower+b.upper)]
		for j, u := range a[from+1 : from+1+len(tail)] {
			v -= u * tail[j]
		}
		x[k] = v / a[from]
	}
}

// SolveTransposed replaces x by A⁻ᵀ·x. It panics as Solve does.
func (b *Banded) SolveTransposed(x []float64) {
	mustSolve(b.ready, b.n, x)
	n, w, a := b.n, b.width, b.a
	for k := range n {
		from := k*w + b.lower
		x[k] /= a[from]
		tail := x[k+1 : min(n, k+1+b.lower+b.upper)]
		subtract(tail, a[from+1:from+1+len(tail)], x[k])
	}
	for k := n - 1; k >= 0; k-- {
		v := x[k]
		for i := k + 1; i <= min(n-1, k+b.lower); i++ {
			v -= a[i*w+k-i+b.lower] * x[i]
		}
		x[k] = v
		if p := b.pivot[k]; p != k {
			x[k], x[p] = x[p], x[k]
		}
	}
	for i := range x {
		x[i] *= b.scale[i]
	}
}
