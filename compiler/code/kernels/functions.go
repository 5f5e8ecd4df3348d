package kernels

// The elementary functions of slices. Polynomials, reductions of arguments and their sources are in package native/block, of which the assembly is made, and in
// libm, which the portable ones call. A number's result does not depend on the slice that it stands in, nor on the instruction set; only the portable ones
// may differ in the last bits.

// function is an elementary function of one number.
type function uint8

const (
	fExp function = iota
	fLog
	fTanh
	fSigmoid
	fSin
	fCos
	fSqrt
	numFunctions
)

// chunk is how many elements a call of assembly gets, so that it takes some 20 µs at most: the collector waits for it.
const chunk = 2048

// Exp is d = e^a. Here and in what follows a has at least the elements of d, and may be d; other overlaps are not allowed.
func (s Set) Exp(d, a []float64) { s.unary(fExp, d, a) }

// Log is d = log a, the natural logarithm: −∞ at nought, NaN below.
func (s Set) Log(d, a []float64) { s.unary(fLog, d, a) }

// Tanh is d = tanh a.
func (s Set) Tanh(d, a []float64) { s.unary(fTanh, d, a) }

// Sigmoid is d = 1/(1 + e^−a).
func (s Set) Sigmoid(d, a []float64) { s.unary(fSigmoid, d, a) }

// Sin is d = sin a, NaN at the infinities.
func (s Set) Sin(d, a []float64) { s.unary(fSin, d, a) }

// Cos is d = cos a, NaN at the infinities.
func (s Set) Cos(d, a []float64) { s.unary(fCos, d, a) }

// Sqrt is d = √a, correctly rounded.
func (s Set) Sqrt(d, a []float64) { s.unary(fSqrt, d, a) }

func (s Set) unary(f function, d, a []float64) {
	a = a[:len(d)]
	if s.level == portable || f == fSqrt && len(d) < 4 {
		goUnary(f, d, a)
		return
	}
	for len(d) > chunk {
		unary(s.level, f, &d[0], &a[0], chunk)
		d, a = d[chunk:], a[chunk:]
	}
	if len(d) > 0 {
		unary(s.level, f, &d[0], &a[0], len(d))
	}
}

// Pow is d = a^b with C's rulings: 1 for b = 0 and for a = 1, NaN for a negative a and a b that is no integer. a or b may
// be one number for all elements.
func (s Set) Pow(d, a, b []float64) {
	if s.level == portable {
		goPow(d, a, b)
		return
	}
	var same [64]float64 // a number for all lanes
	size := chunk
	x, y := len(a) == 1, len(b) == 1
	if x || y {
		size = min(len(same), len(d))
		for i := range same[:size] {
			if x {
				same[i] = a[0]
			} else {
				same[i] = b[0]
			}
		}
	}
	for len(d) > 0 {
		n := min(size, len(d))
		switch {
		case x && y:
			v := [1]float64{}
			pow(s.level, &v[0], &a[0], &b[0], 1)
			for i := range d {
				d[i] = v[0]
			}
			return
		case x:
			_ = b[n-1]
			pow(s.level, &d[0], &same[0], &b[0], n)
			b = b[n:]
		case y:
			_ = a[n-1]
			pow(s.level, &d[0], &a[0], &same[0], n)
			a = a[n:]
		default:
			_, _ = a[n-1], b[n-1]
			pow(s.level, &d[0], &a[0], &b[0], n)
			a, b = a[n:], b[n:]
		}
		d = d[n:]
	}
}
