// LU of a complex matrix with partial pivoting by rows, right-looking: Golub, Van Loan, "Matrix Computations", 4th ed. (2013), algorithm 3.4.1.
// Sizes are compared by |re| + |im|, as LINPACK's cgefa does.

package sparse

import "math"

// ComplexDense is LU of a full complex matrix, for few unknowns: half of what the real matrix of twice the size costs. It is one goroutine's; nothing but an
// error allocates.
type ComplexDense struct {
	n      int
	p      *Pattern
	re, im []float64 // row-major; the pivots are stored as their reciprocals
	row    []int     // the row that became the k-th
	scale  []float64
	x, y   []float64
	ready  bool
}

// NewComplexDense factors values that come in the order of a pattern; the rest of the matrix is zero.
func NewComplexDense(p *Pattern) *ComplexDense {
	n := p.n
	f := func(n int) []float64 { return make([]float64, n) }
	return &ComplexDense{n: n, p: p, re: f(n * n), im: f(n * n), row: make([]int, n), scale: f(n), x: f(n), y: f(n)}
}

// N is the number of unknowns.
func (d *ComplexDense) N() int { return d.n }

// Factor factors the matrix with entries re + i·im. Errors: *ValueError, *SingularError where a column has no pivot but rounding, *GrowthError on overflow; then
// there are no factors.
func (d *ComplexDense) Factor(re, im []float64) error {
	d.ready = false
	n := d.n
	if err := d.load(re, im); err != nil {
		return err
	}
	a, b := d.re, d.im
	for k := range n {
		best, at := -1.0, k
		for i := k; i < n; i++ {
			if v := math.Abs(a[i*n+k]) + math.Abs(b[i*n+k]); v > best {
				best, at = v, i
			}
		}
		switch {
		case !(best <= math.MaxFloat64):
			return &GrowthError{k, math.Inf(1)}
		case best <= float64(n)*0x1p-52: // rows are of size 1
			return &SingularError{Row: d.row[at], Col: k, Rank: -1, Rows: []int{d.row[at]}, Cols: []int{k}}
		}
		if at != k {
			for j := range n {
				a[k*n+j], a[at*n+j] = a[at*n+j], a[k*n+j]
				b[k*n+j], b[at*n+j] = b[at*n+j], b[k*n+j]
			}
			d.row[k], d.row[at] = d.row[at], d.row[k]
		}
		pr, pi := reciprocal(a[k*n+k], b[k*n+k])
		a[k*n+k], b[k*n+k] = pr, pi
		tr, ti := a[k*n+k+1:k*n+n], b[k*n+k+1:k*n+n]
		for i := k + 1; i < n; i++ {
			lr, li := a[i*n+k], b[i*n+k]
			if lr == 0 && li == 0 {
				continue
			}
			lr, li = lr*pr-li*pi, lr*pi+li*pr
			a[i*n+k], b[i*n+k] = lr, li
			subtractComplex(a[i*n+k+1:i*n+n], b[i*n+k+1:i*n+n], tr, ti, lr, li)
		}
	}
	d.ready = true
	return nil
}

// load copies the values, scales their rows and refuses what is not finite.
func (d *ComplexDense) load(re, im []float64) error {
	n, p := d.n, d.p
	p.check(re)
	p.check(im)
	clear(d.scale)
	for k, i := range p.row {
		v := math.Abs(re[k]) + math.Abs(im[k])
		if !(v <= math.MaxFloat64) {
			if !(math.Abs(re[k]) <= math.MaxFloat64) {
				return p.valueError(re)
			}
			return p.valueError(im)
		}
		d.scale[i] = max(d.scale[i], v)
	}
	for i, m := range d.scale {
		d.scale[i] = reciprocalPower(m)
		d.row[i] = i
	}
	clear(d.re)
	clear(d.im)
	for j := range n {
		for k := p.ptr[j]; k < p.ptr[j+1]; k++ {
			i := int(p.row[k])
			d.re[i*n+j], d.im[i*n+j] = re[k]*d.scale[i], im[k]*d.scale[i]
		}
	}
	return nil
}

// reciprocal is 1/(a + ib) without needless overflow: Smith, Communications of the ACM 5 (1962), algorithm 116.
func reciprocal(a, b float64) (re, im float64) {
	if math.Abs(a) >= math.Abs(b) {
		r := b / a
		den := a + b*r
		return 1 / den, -r / den
	}
	r := a / b
	den := a*r + b
	return r / den, -1 / den
}

// subtractComplex sets y to y − l·x.
func subtractComplex(yr, yi, xr, xi []float64, lr, li float64) {
	n := len(yr)
	yi, xr, xi = yi[:n], xr[:n], xi[:n]
	for j := range yr {
		u, v := xr[j], xi[j]
		yr[j] -= lr*u - li*v
		yi[j] -= lr*v + li*u
	}
}

// Solve replaces b = re + i·im by A⁻¹·b. It panics without factors or if b has not length n.
func (d *ComplexDense) Solve(re, im []float64) {
	mustSolve(d.ready, d.n, re)
	mustSolve(d.ready, d.n, im)
	n, x, y := d.n, d.x, d.y
	for k, i := range d.row {
		u, v := re[i]*d.scale[i], im[i]*d.scale[i]
		lr, li := d.re[k*n:k*n+k], d.im[k*n:k*n+k]
		for j := range lr {
			u -= lr[j]*x[j] - li[j]*y[j]
			v -= lr[j]*y[j] + li[j]*x[j]
		}
		x[k], y[k] = u, v
	}
	for k := n - 1; k >= 0; k-- {
		u, v := x[k], y[k]
		ur, ui := d.re[k*n:k*n+n], d.im[k*n:k*n+n]
		for j := k + 1; j < n; j++ {
			u -= ur[j]*re[j] - ui[j]*im[j]
			v -= ur[j]*im[j] + ui[j]*re[j]
		}
		re[k], im[k] = u*ur[k]-v*ui[k], u*ui[k]+v*ur[k]
	}
}

// SolveTransposed replaces b = re + i·im by A⁻ᵀ·b, transposed, not conjugated. It panics as Solve does.
func (d *ComplexDense) SolveTransposed(re, im []float64) {
	mustSolve(d.ready, d.n, re)
	mustSolve(d.ready, d.n, im)
	n, x, y := d.n, d.x, d.y
	copy(x, re)
	copy(y, im)
	for k := range n {
		ur, ui := d.re[k*n:k*n+n], d.im[k*n:k*n+n]
		x[k], y[k] = x[k]*ur[k]-y[k]*ui[k], x[k]*ui[k]+y[k]*ur[k]
		subtractComplex(x[k+1:], y[k+1:], ur[k+1:], ui[k+1:], x[k], y[k])
	}
	for k := n - 1; k >= 0; k-- {
		subtractComplex(x[:k], y[:k], d.re[k*n:k*n+k], d.im[k*n:k*n+k], x[k], y[k])
	}
	for k, i := range d.row {
		re[i], im[i] = x[k]*d.scale[i], y[k]*d.scale[i]
	}
}
