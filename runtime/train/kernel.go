package train

import (
	"fmt"
	"math"
)

// Local polynomials: at each time a cubic is fitted to the data, each weighted by a Gaussian of its distance in
// units of the bandwidth; its value and slope there are those of the curve. The bandwidth is chosen by generalised
// cross-validation, as the penalty of a spline. A parabola would flatten peaks by the square of the bandwidth, a cubic does by its fourth power.
//
// J. Fan, I. Gijbels, Local Polynomial Modelling and Its Applications, Chapman & Hall 1996, sections 2.3 and 3.1; H. Liang, H. Wu, Parameter estimation for
// differential equation models using a framework of measurement error in regression models, Journal of the American Statistical Association 103 (2008), 1570–1583,
// and E. Roesch, C. Rackauckas, M. P. H. Stumpf, Collocation based training of neural ordinary differential equations, Statistical Applications in Genetics and
// Molecular Biology 20 (2021), 37–49, for its use before training.

var _ smoother = (*kernel)(nil)

type kernel struct {
	t, y, w []float64 // rising times; w nil: 1
	h       float64
	freedom float64
	score   float64
}

// kernelReach is how many bandwidths away a datum still counts; beyond, a Gaussian is below rounding.
const kernelReach = 8.5

// newKernel smooths y at rising t with weights w (nil: 1). h <= 0: the bandwidth is chosen.
func newKernel(t, y, w []float64, h float64) *kernel {
	k := &kernel{t: t, y: y, w: w, h: h}
	if h <= 0 {
		n := len(t)
		span, gap := t[n-1]-t[0], 0.0
		for i := 1; i < n; i++ { // a window must reach over gaps
			gap = math.Max(gap, t[i]-t[i-1])
		}
		lo, hi := math.Log10(gap/2), math.Log10(2*span)
		score := func(e float64) float64 {
			k.h = math.Pow(10, e)
			s, _ := k.validate()
			return s
		}
		k.h = math.Pow(10, leastOf(score, lo, hi, 30))
	}
	k.score, k.freedom = k.validate()
	return k
}

// validate is the score of cross-validation, and the trace of the smoother.
func (k *kernel) validate() (score, trace float64) {
	rss := 0.0
	for i, t := range k.t {
		v, _, own := k.local(t)
		w := 1.0
		if k.w != nil {
			w = k.w[i]
		}
		trace += w * own
		rss += w * (k.y[i] - v) * (k.y[i] - v)
	}
	return validation(rss, freedomCost*trace, len(k.t)), trace
}

func (k *kernel) at(t float64) (v, slope float64) {
	v, slope, _ = k.local(t)
	return v, slope
}

// local is the cubic at t: its value, its slope, and by how much a datum there of weight 1 would move its value.
func (k *kernel) local(t float64) (v, slope, own float64) {
	n := len(k.t)
	from := 0
	for hi := n; from < hi; {
		if mid := (from + hi) / 2; k.t[mid] < t-kernelReach*k.h {
			from = mid + 1
		} else {
			hi = mid
		}
	}
	var s [7]float64 // moments of the window
	var b [4]float64
	for i := from; i < n && k.t[i] <= t+kernelReach*k.h; i++ {
		z := (k.t[i] - t) / k.h
		w := math.Exp(-z * z / 2)
		if k.w != nil {
			w *= k.w[i]
		}
		for m := range s {
			s[m] += w
			if m < 4 {
				b[m] += w * k.y[i]
			}
			w *= z
		}
	}
	// L D Lᵀ of the matrix of moments, whose entry i, j is s[i+j], with b and the first unit vector on the right. A window with less than four data has no cubic.
	var a [4][4]float64
	e := [4]float64{1}
	for i := range 4 {
		for j := range 4 {
			a[i][j] = s[i+j]
		}
	}
	for p := range 4 {
		if !(a[p][p] > 1e-14*s[2*p]) {
			return math.NaN(), math.NaN(), math.NaN()
		}
		for i := p + 1; i < 4; i++ {
			l := a[i][p] / a[p][p]
			for j := p + 1; j < 4; j++ {
				a[i][j] -= l * a[p][j]
			}
			b[i] -= l * b[p]
			e[i] -= l * e[p]
		}
	}
	for p := 3; p >= 0; p-- {
		for j := p + 1; j < 4; j++ {
			b[p] -= a[p][j] * b[j]
			e[p] -= a[p][j] * e[j]
		}
		b[p] /= a[p][p]
		e[p] /= a[p][p]
	}
	return b[0], b[1] / k.h, e[0]
}

// String tells how smooth the curve is.
func (k *kernel) String() string {
	return fmt.Sprintf("kernel with bandwidth %.3g, %.3g degrees of freedom", k.h, k.freedom)
}
