package kernels

// Products of matrices and vectors, with several rows and sums under way at once so that no multiply-add waits for the one before (Goto and van de
// Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34, 2008, in what concerns registers). The order in which a sum is taken depends on the shape and on the instruction set alone; dense_test.go has it as Go.
//
// With L lanes (4 with AVX2 and NEON; 8 with AVX-512, but 4 for matrices of fewer than 16 columns), all additions of products being fused multiply-adds:
//
// MatVec: of a row of n columns, lane l sums the columns l, l + L, l + 2L, …. If the last m mod 8 rows are no more than four, each of their lanes has two sums, of the even and the odd
// groups of L columns, the incomplete group belonging to the odd ones; they are added first. Then the lanes are added, neighbours first: ((0 + 1) + (2 + 3)) + ….
//
// MatTVec: each column is summed on its own. The columns are divided into blocks of 8·L as long as there are so many, then 4·L, 2·L, L, and the rest. Down a block of
// the five kinds a column has 1, 2, 4, 4, 4 sums, which take turns from row to row; the rows that are left over after the last full turn go to the
// first sum. They are added neighbours first.
//
// OuterAdd: one fused multiply-add for each element.
//
// Left open is only the sign of a sum that underflows to nought.

// Matrices of fewer than few elements are left to the portable products, which add in the order of the inner index and round each product: a call of
// assembly takes longer.
const (
	few  = 12
	fewT = 4 // of MatTVec
)

// MatVec is d = W x + bias for W with len(d) rows of len(x) columns, row-major; a nil bias is none. d must not overlap the others.
func (s Set) MatVec(d, w, x, bias []float64) {
	m, n := len(d), len(x)
	w = w[:m*n]
	if bias != nil {
		bias = bias[:m]
	}
	if s.level == portable || m*n < few {
		goMatVec(d, w, x, bias)
		return
	}
	rows := max(8, pieceSize/n&^7) // in eights, so that the order of sums is the same
	for i := 0; i < m; i += rows {
		k := min(rows, m-i)
		var b *float64
		if bias != nil {
			b = &bias[i]
		}
		matVec(s.level, &d[i], &w[i*n], &x[0], b, k, n)
	}
}

// pieceSize is how many elements of a matrix a call of assembly gets, about, so that it takes some 20 µs at most: the collector waits for it. A call
// of MatTVec goes down all rows of a block of 64 columns, so with more than a thousand rows it takes longer.
const pieceSize = 1 << 16

// MatTVec is d = Wᵀ x for W with len(x) rows of len(d) columns, row-major. d must not overlap the others.
func (s Set) MatTVec(d, w, x []float64) {
	m, n := len(x), len(d)
	w = w[:m*n]
	if s.level == portable || m*n < fewT {
		goMatTVec(d, w, x)
		return
	}
	cols := max(64, pieceSize/m&^63) // in blocks of the largest kind, so that the order of sums is the same
	for j := 0; j < n; j += cols {
		matTVec(s.level, &d[j], &w[j], &x[0], m, min(cols, n-j), n)
	}
}

// OuterAdd is d += a bᵀ, row-major: the gradient of a layer's weights. d must not overlap the others.
func (s Set) OuterAdd(d, a, b []float64) {
	m, n := len(a), len(b)
	d = d[:m*n]
	if s.level == portable || m*n < few {
		goOuterAdd(d, a, b)
		return
	}
	const near = 1 << 13 // elements: what is written stays in the first cache, whatever the distance of the rows
	rows := max(8, near/n)
	for i := 0; i < m; i += rows {
		outerAdd(s.level, &d[i*n], &a[i], &b[0], min(rows, m-i), n)
	}
}
