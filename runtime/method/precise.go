package method

import (
	"math/big"
	"slices"
)

// precise is a number of 256 bits, for coefficients that are computed, not typed: what is rounded from it to float64 is right to the last bit. Values are
// never written to.
type precise struct{ v *big.Float }

const preciseBits = 256

func exact(x float64) *precise { return &precise{new(big.Float).SetPrec(preciseBits).SetFloat64(x)} }

func fresh() *big.Float { return new(big.Float).SetPrec(preciseBits) }

func (a *precise) plus(b *precise) *precise  { return &precise{fresh().Add(a.v, b.v)} }
func (a *precise) minus(b *precise) *precise { return &precise{fresh().Sub(a.v, b.v)} }
func (a *precise) times(b *precise) *precise { return &precise{fresh().Mul(a.v, b.v)} }
func (a *precise) over(b *precise) *precise  { return &precise{fresh().Quo(a.v, b.v)} }

func (a *precise) float() float64 {
	f, _ := a.v.Float64()
	return f
}

func factorial(n int) *precise {
	return &precise{fresh().SetInt(new(big.Int).MulRange(1, int64(n)))}
}

func binomial(n, k int) int64 { return new(big.Int).Binomial(int64(n), int64(k)).Int64() }

// preciseComplex is a complex number of the same kind.
type preciseComplex struct{ re, im *precise }

func (a preciseComplex) minus(b preciseComplex) preciseComplex {
	return preciseComplex{a.re.minus(b.re), a.im.minus(b.im)}
}

func (a preciseComplex) times(b preciseComplex) preciseComplex {
	return preciseComplex{a.re.times(b.re).minus(a.im.times(b.im)), a.re.times(b.im).plus(a.im.times(b.re))}
}

func (a preciseComplex) over(b preciseComplex) preciseComplex {
	n := b.re.times(b.re).plus(b.im.times(b.im))
	c := a.times(preciseComplex{b.re, exact(0).minus(b.im)})
	return preciseComplex{c.re.over(n), c.im.over(n)}
}

// roots finds all zeros of the polynomial Σ p_k x^k, whose coefficients are real and zeros simple and no larger than some ten, by the simultaneous iteration of
// Weierstraß (E. Durand, I. O. Kerner). Real zeros come first, ascending, then pairs of conjugates.
func roots(p []*precise) []preciseComplex {
	n := len(p) - 1
	z := make([]preciseComplex, n)
	start, at := preciseComplex{exact(0.8), exact(1.8)}, preciseComplex{exact(1), exact(0)}
	for i := range z {
		z[i] = at
		at = at.times(start)
	}
	tiny := fresh().SetMantExp(big.NewFloat(1), 20-preciseBits)
	for range 500 {
		moved := false
		for i := range z {
			f := preciseComplex{exact(0), exact(0)}
			for k := n; k >= 0; k-- {
				f = f.times(z[i])
				f.re = f.re.plus(p[k].over(p[n]))
			}
			for j := range z {
				if j != i {
					f = f.over(z[i].minus(z[j]))
				}
			}
			z[i] = z[i].minus(f)
			size := fresh().Add(fresh().Abs(f.re.v), fresh().Abs(f.im.v))
			moved = moved || size.Cmp(tiny) > 0
		}
		if !moved {
			break
		}
	}
	for i := range z {
		if fresh().Abs(z[i].im.v).Cmp(fresh().SetMantExp(big.NewFloat(1), -preciseBits/2)) < 0 {
			z[i].im = exact(0)
		}
	}
	slices.SortFunc(z, func(a, b preciseComplex) int {
		ia, ib := fresh().Abs(a.im.v), fresh().Abs(b.im.v)
		if (ia.Sign() == 0) == (ib.Sign() == 0) && a.im.float() == 0 {
			return a.re.v.Cmp(b.re.v)
		}
		return ia.Cmp(ib)
	})
	return z
}

// realRoots is roots for polynomials whose zeros are all real.
func realRoots(p []*precise) []*precise {
	var all []*precise
	for _, z := range roots(p) {
		all = append(all, z.re)
	}
	return all
}

func preciseMatrix(n int) [][]*precise {
	m := make([][]*precise, n)
	for i := range m {
		m[i] = make([]*precise, n)
		for j := range m[i] {
			m[i][j] = exact(0)
		}
	}
	return m
}

func product(a, b [][]*precise) [][]*precise {
	c := make([][]*precise, len(a))
	for i := range c {
		c[i] = make([]*precise, len(b[0]))
		for j := range c[i] {
			s := exact(0)
			for k := range b {
				s = s.plus(a[i][k].times(b[k][j]))
			}
			c[i][j] = s
		}
	}
	return c
}

// solve gives X of A X = B by elimination with partial pivoting; A is not singular. Neither is changed.
func solve(a, b [][]*precise) [][]*precise {
	n, cols := len(a), len(b[0])
	m := make([][]*precise, n)
	for i := range m {
		m[i] = append(append([]*precise(nil), a[i]...), b[i]...)
	}
	for k := range n {
		best := k
		for i := k + 1; i < n; i++ {
			if fresh().Abs(m[i][k].v).Cmp(fresh().Abs(m[best][k].v)) > 0 {
				best = i
			}
		}
		m[k], m[best] = m[best], m[k]
		for i := range n {
			if i == k || m[i][k].v.Sign() == 0 {
				continue
			}
			r := m[i][k].over(m[k][k])
			for j := k; j < n+cols; j++ {
				m[i][j] = m[i][j].minus(r.times(m[k][j]))
			}
		}
	}
	for i := range m {
		for j := n; j < n+cols; j++ {
			m[i][j] = m[i][j].over(m[i][i])
		}
		m[i] = m[i][n:]
	}
	return m
}

func inverse(a [][]*precise) [][]*precise {
	one := preciseMatrix(len(a))
	for i := range one {
		one[i][i] = exact(1)
	}
	return solve(a, one)
}

// eigenvector is u = re + i·im of the matrix for its eigenvalue alpha − i·beta, the last component being 1: all equations but the last one, as a real system.
func eigenvector(a [][]*precise, alpha, beta *precise) (re, im []*precise) {
	n := len(a) - 1
	m, rhs := preciseMatrix(2*n), make([][]*precise, 2*n)
	for i := range n {
		for j := range n {
			m[i][j], m[n+i][n+j] = a[i][j], a[i][j]
		}
		m[i][i] = m[i][i].minus(alpha)
		m[n+i][n+i] = m[n+i][n+i].minus(alpha)
		// (A − α + iβ)(p + iq): real part (A − α)p − βq, imaginary part (A − α)q + βp.
		m[i][n+i] = m[i][n+i].minus(beta)
		m[n+i][i] = m[n+i][i].plus(beta)
		rhs[i] = []*precise{exact(0).minus(a[i][n])}
		rhs[n+i] = []*precise{exact(0)}
	}
	for _, x := range solve(m, rhs) {
		re = append(re, x[0])
	}
	im = append(append(im, re[n:]...), exact(0))
	return append(re[:n:n], exact(1)), im
}

func floats(m [][]*precise) [][]float64 {
	f := make([][]float64, len(m))
	for i, row := range m {
		for _, x := range row {
			f[i] = append(f[i], x.float())
		}
	}
	return f
}
