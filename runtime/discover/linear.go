package discover

import "math"

// Least squares on few columns chosen from many. A library matrix is factored once by Householder reflections; every
// subset is then a problem of p rows, however many samples there are.
//
// G. H. Golub, C. F. Van Loan, Matrix Computations, 4th edition, Johns Hopkins University Press 2013, section 5.2.

// triangle is a library after the factorisation of its scaled and weighted columns: R (p × p, row-major, upper
// triangular), q = Qᵀy, and what of y no column explains.
type triangle struct {
	p, n  int
	r     []float64 // p × p
	q     []float64 // p
	rest  float64   // ‖y‖² − ‖q‖²: the residual of the whole library
	total float64   // ‖y‖²
	scale []float64 // the norm of each column, by which it was divided; 0 for a column of zeros
}

// factor makes the triangle of n × p columns x (row-major) and y, with the weight w of each row (nil: 1).
func factor(x, y, w []float64, n, p int) *triangle {
	t := &triangle{p: p, n: n, r: make([]float64, p*p), q: make([]float64, p), scale: make([]float64, p)}
	a := make([]float64, n*p) // column-major
	b := make([]float64, n)
	for i := range n {
		s := 1.0
		if w != nil {
			s = math.Sqrt(w[i])
		}
		b[i] = s * y[i]
		for j := range p {
			a[j*n+i] = s * x[i*p+j]
		}
	}
	for j := range p {
		c := a[j*n : (j+1)*n]
		t.scale[j] = norm(c)
		if t.scale[j] > 0 {
			for i := range c {
				c[i] /= t.scale[j]
			}
		}
	}
	t.total = dot(b, b)
	for k := range min(n, p) {
		c := a[k*n : (k+1)*n]
		if s := norm(c[k:]); s > 0 {
			if c[k] > 0 {
				s = -s
			}
			v := c[k:]
			v[0] -= s // v is the reflection's vector; the column becomes s·e_k
			h := dot(v, v)
			if h > 0 {
				for j := k + 1; j < p; j++ {
					reflect(v, h, a[j*n+k:(j+1)*n])
				}
				reflect(v, h, b[k:])
			}
			t.r[k*p+k] = s
		}
		for j := k + 1; j < p; j++ {
			t.r[k*p+j] = a[j*n+k]
		}
		t.q[k] = b[k]
	}
	if n > p {
		t.rest = dot(b[p:], b[p:])
	}
	return t
}

// reflect subtracts 2 v (v·c)/‖v‖² from c, h = ‖v‖².
func reflect(v []float64, h float64, c []float64) {
	f := 2 * dot(v, c[:len(v)]) / h
	for i := range v {
		c[i] -= f * v[i]
	}
}

// column copies column j of R.
func (t *triangle) column(j int, c []float64) {
	for i := range t.p {
		c[i] = t.r[i*t.p+j]
	}
}

// solver is scratch for subsets of one triangle.
type solver struct {
	t    *triangle
	a    []float64 // k columns of p, overwritten by their reflections
	b    []float64
	diag []float64
	up   []float64 // k × k, what stands above the diagonal
}

func newSolver(t *triangle) *solver {
	return &solver{t: t, a: make([]float64, t.p*t.p), b: make([]float64, t.p), diag: make([]float64, t.p), up: make([]float64, t.p*t.p)}
}

// dependent is below what share of its norm a column counts as a combination of others.
const dependent = 1e-11

// solve finds the coefficients, in the units of the library's columns, of the subset s with ridge parameter ridge (of the
// scaled columns; 0: none), and the residual sum of squares. ok is false where the columns depend on each other.
func (s *solver) solve(set []int, ridge float64, coef []float64) (rss float64, ok bool) {
	rss, ok = s.reduce(set, 0, ridge)
	if !ok {
		return rss, false
	}
	s.back(len(set), coef)
	for i, j := range set {
		coef[i] /= s.t.scale[j]
	}
	return rss, true
}

// rss is the residual of a subset by itself.
func (s *solver) rss(set []int) (float64, bool) { return s.reduce(set, 0, 0) }

// reduce factors the columns of a subset in the coordinates from on; with from > 0 the residual is that of the subset
// together with the first from columns of the library.
func (s *solver) reduce(set []int, from int, ridge float64) (rss float64, ok bool) {
	p := s.t.p - from
	k := len(set)
	rows := p
	if ridge > 0 {
		rows = p + k
	}
	if k > rows {
		return math.NaN(), false
	}
	if len(s.a) < k*rows {
		s.a = make([]float64, k*rows)
	}
	if len(s.b) < rows {
		s.b = make([]float64, rows)
	}
	b := s.b[:rows]
	clear(b)
	copy(b, s.t.q[from:])
	for c, j := range set {
		col := s.a[c*rows : (c+1)*rows]
		clear(col)
		for i := range p {
			col[i] = s.t.r[(from+i)*s.t.p+j]
		}
		if ridge > 0 {
			col[p+c] = math.Sqrt(ridge)
		}
	}
	for c := range k {
		v := s.a[c*rows+c : (c+1)*rows]
		h := math.Sqrt(dot(v, v)) // the columns are scaled
		if !(h > dependent) {
			return math.NaN(), false
		}
		if v[0] > 0 {
			h = -h
		}
		s.diag[c] = h
		v[0] -= h
		vv := dot(v, v)
		for j := c + 1; j < k; j++ {
			reflect(v, vv, s.a[j*rows+c:(j+1)*rows])
			s.up[c*s.t.p+j] = s.a[j*rows+c]
		}
		reflect(v, vv, b[c:])
	}
	return dot(b[k:], b[k:]) + s.t.rest, true
}

// back substitutes: the coefficients of the scaled columns.
func (s *solver) back(k int, coef []float64) {
	for i := k - 1; i >= 0; i-- {
		v := s.b[i]
		for j := i + 1; j < k; j++ {
			v -= s.up[i*s.t.p+j] * coef[j]
		}
		coef[i] = v / s.diag[i]
	}
}

// independent lists columns that span what all of them span: those that are not combinations of the ones before them. It is
// for fits of everything; which terms are looked at is another question, since the one wanted may be a combination of others.
func (t *triangle) independent() []int {
	var out []int
	var reflections [][]float64
	c := make([]float64, t.p)
	for j := range t.p {
		if t.scale[j] == 0 || len(out) == t.p {
			continue
		}
		t.column(j, c)
		for k, v := range reflections {
			reflect(v, dot(v, v), c[k:])
		}
		v := append([]float64(nil), c[len(out):]...)
		h := math.Sqrt(dot(v, v))
		if !(h > dependent) {
			continue
		}
		if v[0] > 0 {
			h = -h
		}
		v[0] -= h
		reflections, out = append(reflections, v), append(out, j)
	}
	return out
}

// distinct lists the columns that are not zero and not multiples of an earlier one: the candidates. like says, for each column,
// which it is a multiple of; −1 for candidates and for zeros.
func (t *triangle) distinct() (list, like []int) {
	p := t.p
	cols := make([]float64, p*p)
	like = make([]int, p)
	for j := range p {
		like[j] = -1
		if t.scale[j] == 0 {
			continue
		}
		c := cols[j*p : (j+1)*p]
		t.column(j, c)
		for _, k := range list {
			o := cols[k*p : (k+1)*p]
			f, rest := dot(o, c), 0.0
			if math.Abs(f) < 0.9 { // the columns are of norm 1
				continue
			}
			for i := range c {
				rest += (c[i] - f*o[i]) * (c[i] - f*o[i])
			}
			if !(math.Sqrt(rest) > dependent) {
				like[j] = k
				break
			}
		}
		if like[j] < 0 {
			list = append(list, j)
		}
	}
	return list, like
}

// Alike says of each of p columns of n samples (row-major) which earlier one it is a multiple of, so that no regression can tell
// them apart; −1: none. rank is how many of the others are independent: fewer than there are where a combination of them is
// zero at all samples, as along solutions that conserve something.
func Alike(x []float64, n, p int) (like []int, rank, others int) {
	t := factor(x, make([]float64, n), nil, n, p)
	list, like := t.distinct()
	return like, len(t.independent()), len(list)
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// norm is the Euclidean norm, safe from overflow.
func norm(a []float64) float64 {
	m := 0.0
	for _, v := range a {
		m = math.Max(m, math.Abs(v))
	}
	if m == 0 || math.IsInf(m, 0) || math.IsNaN(m) {
		return m
	}
	s := 0.0
	for _, v := range a {
		s += (v / m) * (v / m)
	}
	return m * math.Sqrt(s)
}
