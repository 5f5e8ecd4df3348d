package train

import (
	"fmt"
	"math"
)

// Smoothing splines: of all functions, the one with least Σ w (y − g)² + λ ∫ g''². It is a natural cubic spline
// with a knot at each datum. Its second derivatives γ at the inner knots solve a system of five diagonals,
//
//	(R + λ Qᵀ W⁻¹ Q) γ = Qᵀ y,   g = y − λ W⁻¹ Q γ,
//
// and the bands of its inverse, which the trace of the smoother wants, follow from its factors, so that everything
// costs as much as there are data. λ is chosen by generalised cross-validation, with each degree of freedom counted 1.4 times: counted once, it
// follows the noise every now and then, which slopes would suffer from more than values.
//
// C. H. Reinsch, Smoothing by spline functions, Numerische Mathematik 10 (1967), 177–183; C. de Boor, A Practical Guide to Splines, Springer 1978,
// chapter XIV; P. Craven, G. Wahba, Smoothing noisy data with spline functions, Numerische Mathematik 31 (1979), 377–403, for cross-validation;
// M. F. Hutchinson, F. R. de Hoog, Smoothing noisy data with spline functions, Numerische Mathematik 47 (1985), 99–106, for the trace;
// Y.-J. Kim, C. Gu, Smoothing spline Gaussian regression, Journal of the Royal Statistical Society B 66 (2004), 337–356, for the 1.4.

// freedomCost is how often cross-validation counts a degree of freedom.
const freedomCost = 1.4

// smoother is a smooth function through data.
type smoother interface {
	// at is its value and slope.
	at(t float64) (v, slope float64)
}

var _ smoother = (*spline)(nil)

// spline is a natural cubic spline: values and second derivatives at knots.
type spline struct {
	t, g, c []float64
	lambda  float64
	freedom float64 // trace of the smoother: how many parameters the curve is worth
	score   float64 // of generalised cross-validation
}

// newSpline smooths y at rising t, three data at least, with weights w (nil: 1). lambda < 0: it is chosen.
func newSpline(t, y, w []float64, lambda float64) *spline {
	b := newReinsch(t, y, w)
	if lambda < 0 {
		lambda = b.choose()
	}
	s := &spline{t: t, g: make([]float64, len(t)), c: make([]float64, len(t)), lambda: lambda}
	s.score, s.freedom = b.smooth(lambda, s.g, s.c)
	return s
}

func (s *spline) at(t float64) (v, slope float64) {
	n := len(s.t)
	i := 0 // the interval, the first or last one beyond the ends
	for lo, hi := 0, n-1; hi-lo > 1; {
		mid := (lo + hi) / 2
		if s.t[mid] <= t {
			lo, i = mid, mid
		} else {
			hi = mid
		}
	}
	h := s.t[i+1] - s.t[i]
	chord := (s.g[i+1] - s.g[i]) / h
	switch {
	case t < s.t[0]: // a natural spline goes on straight
		d := chord - h/6*(2*s.c[i]+s.c[i+1])
		return s.g[0] + d*(t-s.t[0]), d
	case t > s.t[n-1]:
		d := chord + h/6*(s.c[i]+2*s.c[i+1])
		return s.g[n-1] + d*(t-s.t[n-1]), d
	}
	a, b := (s.t[i+1]-t)/h, (t-s.t[i])/h
	v = a*s.g[i] + b*s.g[i+1] + h*h/6*((a*a*a-a)*s.c[i]+(b*b*b-b)*s.c[i+1])
	return v, chord + h/6*((1-3*a*a)*s.c[i]+(3*b*b-1)*s.c[i+1])
}

// reinsch is the system of equations of a smoothing spline.
type reinsch struct {
	cost       float64      // of a degree of freedom, in cross-validation
	y, iw      []float64    // data, one over their weights
	q          [][3]float64 // the columns of Q
	r0, r1     []float64    // R: diagonal, and that beside it
	p0, p1, p2 []float64    // QᵀW⁻¹Q
	d, l1, l2  []float64    // factors of R + λ QᵀW⁻¹Q
	rhs        []float64    // Qᵀy
	gamma      []float64
}

func newReinsch(t, y, w []float64) *reinsch {
	n := len(t)
	m := n - 2
	b := &reinsch{cost: freedomCost, y: y, iw: make([]float64, n), q: make([][3]float64, m)}
	for _, v := range []*[]float64{&b.r0, &b.r1, &b.p0, &b.p1, &b.p2, &b.d, &b.l1, &b.l2, &b.rhs, &b.gamma} {
		*v = make([]float64, m+2) // two of nothing behind the end spare every loop its ends
	}
	for i := range b.iw {
		b.iw[i] = 1
		if w != nil {
			b.iw[i] = 1 / w[i]
		}
	}
	for j := range m {
		h, next := t[j+1]-t[j], t[j+2]-t[j+1]
		b.q[j] = [3]float64{1 / h, -1/h - 1/next, 1 / next}
		b.r0[j] = (h + next) / 3
		if j+1 < m {
			b.r1[j] = next / 6
		}
		b.rhs[j] = b.q[j][0]*y[j] + b.q[j][1]*y[j+1] + b.q[j][2]*y[j+2]
	}
	for j := range m {
		for k := range 3 {
			b.p0[j] += b.iw[j+k] * b.q[j][k] * b.q[j][k]
		}
		if j+1 < m {
			b.p1[j] = b.iw[j+1]*b.q[j][1]*b.q[j+1][0] + b.iw[j+2]*b.q[j][2]*b.q[j+1][1]
		}
		if j+2 < m {
			b.p2[j] = b.iw[j+2] * b.q[j][2] * b.q[j+2][0]
		}
	}
	return b
}

// smooth writes values and second derivatives, and gives the score of cross-validation and the trace.
func (b *reinsch) smooth(lambda float64, g, c []float64) (score, trace float64) {
	n, m := len(b.y), len(b.q)
	d, l1, l2, x := b.d, b.l1, b.l2, b.gamma
	for j := range m { // L D Lᵀ, and L x = rhs
		d[j] = b.r0[j] + lambda*b.p0[j]
		e1, e2 := b.r1[j]+lambda*b.p1[j], lambda*b.p2[j] // below the diagonal
		x[j] = b.rhs[j]
		if j > 0 {
			d[j] -= d[j-1] * l1[j-1] * l1[j-1]
			e1 -= d[j-1] * l1[j-1] * l2[j-1]
			x[j] -= l1[j-1] * x[j-1]
		}
		if j > 1 {
			d[j] -= d[j-2] * l2[j-2] * l2[j-2]
			x[j] -= l2[j-2] * x[j-2]
		}
		l1[j], l2[j] = e1/d[j], e2/d[j]
	}
	trace = float64(n)
	var s0, s1, t0 float64 // of the inverse: its diagonal at j+1, that beside it there, its diagonal at j+2
	for j := m - 1; j >= 0; j-- {
		x[j] = x[j]/d[j] - l1[j]*x[j+1] - l2[j]*x[j+2]
		a1 := -l1[j]*s0 - l2[j]*s1
		a2 := -l1[j]*s1 - l2[j]*t0
		a0 := 1/d[j] - l1[j]*a1 - l2[j]*a2
		trace -= lambda * (b.p0[j]*a0 + 2*b.p1[j]*a1 + 2*b.p2[j]*a2)
		s0, s1, t0 = a0, a1, s0
	}
	rss := 0.0
	for i := range n {
		v := 0.0
		for k := range 3 {
			if j := i - k; j >= 0 && j < m {
				v += b.q[j][k] * x[j]
			}
		}
		off := lambda * b.iw[i] * v // of the datum from the curve
		rss += off * off / b.iw[i]
		if g != nil {
			g[i] = b.y[i] - off
		}
	}
	if c != nil {
		copy(c[1:n-1], x[:m])
	}
	return validation(rss, b.cost*trace, n), trace
}

// validation is the score of generalised cross-validation; trace is how many degrees of freedom count. It is infinite where there are too many for it.
func validation(rss, trace float64, n int) float64 {
	left := 1 - trace/float64(n)
	if !(left > 0) {
		return math.Inf(1)
	}
	return rss / float64(n) / (left * left)
}

// choose finds the λ of least score, over a grid first, since there may be several minima.
func (b *reinsch) choose() float64 {
	// λ Qᵀ W⁻¹ Q against R is what counts, so λ is searched in units of their ratio.
	var r, p float64
	for j := range b.q {
		r += b.r0[j]
		p += b.p0[j]
	}
	unit := r / p
	const lo, hi, per = -8, 12, 4 // powers of ten, and how many trials to each
	score := func(e float64) float64 {
		s, _ := b.smooth(unit*math.Pow(10, e), nil, nil)
		return s
	}
	return unit * math.Pow(10, leastOf(score, lo, hi, (hi-lo)*per))
}

// leastOf finds the argument of a least value between lo and hi: over a grid of n steps, then by golden sections beside its best point.
func leastOf(f func(float64) float64, lo, hi float64, n int) float64 {
	step := (hi - lo) / float64(n)
	best, fbest := lo, math.Inf(1)
	for i := range n + 1 {
		if v := f(lo + float64(i)*step); v < fbest {
			best, fbest = lo+float64(i)*step, v
		}
	}
	a, b := max(best-step, lo), min(best+step, hi)
	golden := (math.Sqrt(5) - 1) / 2
	x, y := b-golden*(b-a), a+golden*(b-a)
	fx, fy := f(x), f(y)
	for range 40 {
		if fx <= fy {
			b, y, fy = y, x, fx
			x = b - golden*(b-a)
			fx = f(x)
		} else {
			a, x, fx = x, y, fy
			y = a + golden*(b-a)
			fy = f(y)
		}
	}
	return (a + b) / 2
}

// String tells how smooth the curve is.
func (s *spline) String() string {
	return fmt.Sprintf("spline with penalty %.3g, %.3g degrees of freedom", s.lambda, s.freedom)
}

// Smooth gives values and slopes, at their own times t, of a smoothing spline through y, as smooth as cross-validation has it, here with each degree
// of freedom counted once: a regression over all slopes averages out what follows the noise, but not what is smoothed away. The times rise, and
// there are three or more.
func Smooth(t, y []float64) (values, slopes []float64) {
	b := newReinsch(t, y, nil)
	b.cost = 1
	s := &spline{t: t, g: make([]float64, len(t)), c: make([]float64, len(t)), lambda: b.choose()}
	b.smooth(s.lambda, s.g, s.c)
	values, slopes = make([]float64, len(t)), make([]float64, len(t))
	for i := range t {
		values[i], slopes[i] = s.at(t[i])
	}
	return values, slopes
}
