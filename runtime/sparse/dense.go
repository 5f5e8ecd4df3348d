// LU with partial pivoting by rows, right-looking: Golub, Van Loan, "Matrix Computations", 4th ed. (2013), algorithm 3.4.1.

package sparse

import (
	"fmt"
	"math"
)

// Dense is LU of a full matrix, for few unknowns. It is one goroutine's; nothing but an error allocates.
type Dense struct {
	n      int
	p      *Pattern // nil: values are row-major
	lu     []float64
	row    []int // the row that became the k-th
	scale  []float64
	x, y   []float64
	ready  bool
	growth float64
}

// NewDense factors n×n values that come row-major.
func NewDense(n int) *Dense {
	return &Dense{n: n, lu: make([]float64, n*n), row: make([]int, n), scale: make([]float64, n), x: make([]float64, n), y: make([]float64, n)}
}

// NewDenseOf factors values that come in the order of a pattern; the rest of the matrix is zero.
func NewDenseOf(p *Pattern) *Dense {
	d := NewDense(p.n)
	d.p = p
	return d
}

// N is the number of unknowns.
func (d *Dense) N() int { return d.n }

// Nonzeros is how many numbers the factors hold.
func (d *Dense) Nonzeros() int { return d.n * d.n }

// Growth is the largest entry of U; those of the scaled matrix are below 2.
func (d *Dense) Growth() float64 { return d.growth }

// Refactor is Factor: choosing pivots costs a dense matrix next to nothing.
func (d *Dense) Refactor(values []float64) error { return d.Factor(values) }

// Factor factors n² values row-major, or those of the pattern. Errors: *ValueError, *SingularError, *GrowthError on
// overflow; then there are no factors.
func (d *Dense) Factor(values []float64) error {
	d.ready = false
	if err := d.load(values); err != nil {
		return err
	}
	n, a := d.n, d.lu
	d.growth = 0
	for k := range n {
		best, at := -1.0, k
		for i := k; i < n; i++ {
			if v := math.Abs(a[i*n+k]); v > best {
				best, at = v, i
			}
		}
		if best <= 0 || best < 1e-4 && d.rounding(values, k, best) {
			return d.singular(values, d.row[at], k)
		}
		if at != k {
			x, y := a[k*n:k*n+n], a[at*n:at*n+n]
			for j := range x {
				x[j], y[j] = y[j], x[j]
			}
			d.row[k], d.row[at] = d.row[at], d.row[k]
		}
		for _, v := range a[k*n+k : k*n+n] {
			if v = math.Abs(v); !(v <= d.growth) {
				if !(v <= math.MaxFloat64) {
					return &GrowthError{k, math.Inf(1)}
				}
				d.growth = v
			}
		}
		pivot := a[k*n+k]
		top := a[k*n+k+1 : k*n+n]
		for i := k + 1; i < n; i++ {
			l := a[i*n+k]
			if l == 0 {
				continue
			}
			l /= pivot
			a[i*n+k] = l
			subtract(a[i*n+k+1:i*n+n], top, l)
		}
	}
	d.ready = true
	return nil
}

// load copies the values, scales their rows and refuses what is not finite.
func (d *Dense) load(values []float64) error {
	n, a := d.n, d.lu
	for i := range d.row {
		d.row[i] = i
	}
	if d.p != nil {
		d.p.check(values)
		if err := rowScales(d.p, values, d.scale); err != nil {
			return err
		}
		clear(a)
		for j := range n {
			for k := d.p.ptr[j]; k < d.p.ptr[j+1]; k++ {
				i := int(d.p.row[k])
				a[i*n+j] = values[k] * d.scale[i]
			}
		}
		return nil
	}
	if len(values) != n*n {
		panic(fmt.Sprintf("sparse: %d values for a matrix of %d×%d", len(values), n, n))
	}
	for i := range n {
		most := 0.0
		from, to := values[i*n:i*n+n], a[i*n:i*n+n]
		for j, v := range from {
			if v = math.Abs(v); !(v <= math.MaxFloat64) {
				return &ValueError{i, j, from[j]}
			} else if v > most {
				most = v
			}
		}
		s := reciprocalPower(most)
		d.scale[i] = s
		for j, v := range from {
			to[j] = v * s
		}
	}
	return nil
}

// subtract sets y to y − l·x.
func subtract(y, x []float64, l float64) {
	y = y[:len(x)]
	j := 0
	for ; j <= len(x)-4; j += 4 {
		u, v := x[j:j+4:j+4], y[j:j+4:j+4]
		v[0] -= l * u[0]
		v[1] -= l * u[1]
		v[2] -= l * u[2]
		v[3] -= l * u[3]
	}
	for ; j < len(x); j++ {
		y[j] -= l * x[j]
	}
}

// rounding says whether column k has no candidate left that is more than the rounding of |y|ᵀ|L||U||z|: see doubt.go.
func (d *Dense) rounding(values []float64, k int, best float64) bool {
	n, a, z := d.n, d.lu, d.x
	above := 0.0
	for j := range k {
		above = max(above, math.Abs(a[j*n+k]))
		z[j] = -a[j*n+k]
	}
	for i := range n {
		above = max(above, math.Abs(d.entry(values, i, k)))
	}
	if best >= suspicious*above {
		return false
	}
	for i := k - 1; i >= 0; i-- {
		for j := i + 1; j < k; j++ {
			z[i] -= a[i*n+j] * z[j]
		}
		z[i] /= a[i*n+i]
	}
	for i := k; i < n; i++ {
		y := d.y[:k]
		copy(y, a[i*n:i*n+k])
		for r := k - 1; r >= 0; r-- {
			subtract(y[:r], a[r*n:r*n+r], y[r])
		}
		bound := math.Abs(a[i*n+k])
		for j := range k {
			left, right := math.Abs(y[j])+math.Abs(a[i*n+j]), math.Abs(a[j*n+k])
			for r := j + 1; r < k; r++ {
				left += math.Abs(a[r*n+j] * y[r])
			}
			for c := j; c < k; c++ {
				right += math.Abs(a[j*n+c] * z[c])
			}
			bound += left * right
		}
		if !(bound <= math.MaxFloat64) || math.Abs(a[i*n+k]) > noise*bound {
			return false
		}
	}
	return true
}

// entry of the scaled matrix.
func (d *Dense) entry(values []float64, i, j int) float64 {
	at := i*d.n + j
	if d.p != nil {
		if at = d.p.Index(i, j); at < 0 {
			return 0
		}
	}
	return values[at] * d.scale[i]
}

func (d *Dense) singular(values []float64, row, col int) error {
	if d.p != nil {
		return nameSingular(d.p, values, row, col)
	}
	byColumn := make([]float64, len(values))
	for i := range d.n {
		for j := range d.n {
			byColumn[j*d.n+i] = values[i*d.n+j]
		}
	}
	return nameSingular(DensePattern(d.n), byColumn, row, col)
}

// nameSingular asks the sparse LU for names, which costs time only after a failure. If its pivots get through, the matrix is
// on the brink and the place where this elimination stopped has to do.
func nameSingular(p *Pattern, values []float64, row, col int) error {
	f, err := NewLU(p)
	if err == nil {
		err = f.Factor(values)
	}
	if err != nil {
		return err
	}
	return &SingularError{Row: row, Col: col, Rank: -1, Rows: []int{row}, Cols: []int{col}}
}

// Solve replaces b by A⁻¹·b. It panics without factors or if b has not length n.
func (d *Dense) Solve(b []float64) {
	mustSolve(d.ready, d.n, b)
	n, x := d.n, d.x
	for k, i := range d.row {
		v := b[i] * d.scale[i]
		for j, l := range d.lu[k*n : k*n+k] {
			v -= l * x[j]
		}
		x[k] = v
	}
	for k := n - 1; k >= 0; k-- {
		v := x[k]
		u := d.lu[k*n+k+1 : k*n+n]
		for j, xj := range b[k+1:] {
			v -= u[j] * xj
		}
		b[k] = v / d.lu[k*n+k]
	}
}

// SolveTransposed replaces b by A⁻ᵀ·b. It panics as Solve does.
func (d *Dense) SolveTransposed(b []float64) {
	mustSolve(d.ready, d.n, b)
	n, x := d.n, d.x
	copy(x, b)
	for k := range n {
		x[k] /= d.lu[k*n+k]
		subtract(x[k+1:], d.lu[k*n+k+1:k*n+n], x[k])
	}
	for k := n - 1; k >= 0; k-- {
		subtract(x[:k], d.lu[k*n:k*n+k], x[k])
	}
	for k, i := range d.row {
		b[i] = x[k] * d.scale[i]
	}
}
