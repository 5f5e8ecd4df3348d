package libm

import "math"

// Digamma and its derivatives: upward recurrence, then the asymptotic series in Bernoulli
// numbers (M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 6.3.5, 6.3.18, 6.4.6, 6.4.11);
// reflection for negative arguments. Absolute errors are a few ulp of the largest term.

// bernoulli lists B₂, B₄, …, B₂₀.
var bernoulli = [...]float64{1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510, 43867.0 / 798, -174611.0 / 330}

// Digamma is ψ(x), the derivative of log Γ; NaN at 0 and the negative whole numbers.
func Digamma(x float64) float64 {
	switch {
	case math.IsInf(x, 1):
		return x
	case x != x || math.IsInf(x, -1) || x <= 0 && math.Trunc(x) == x:
		return math.NaN()
	case x < 0:
		// The fraction first: π x would lose it.
		f := x - math.Floor(x)
		return Digamma(1-x) - math.Pi/Tan(math.Pi*f)
	}
	sum := 0.0
	for ; x < 12; x++ {
		sum -= 1 / x
	}
	y := 1 / x
	y2 := y * y
	s := 0.0
	for k := 7; k >= 0; k-- {
		s = float64(y2 * (bernoulli[k]/float64(2*k+2) + s))
	}
	return sum + (Log(x) - 0.5*y - s)
}

// Trigamma is ψ′(x).
func Trigamma(x float64) float64 { return Polygamma(1, x) }

// terms bounds the recurrence from a negative argument.
const terms = 100_000

// Polygamma is the m-th derivative of ψ at x, for whole m from 0 to 20; NaN for other m, at 0 and the
// negative whole numbers, and with m > 1 for x below −100,000.
func Polygamma(m, x float64) float64 {
	switch {
	case m == 0:
		return Digamma(x)
	case !(m >= 0 && m <= 20) || math.Trunc(m) != m, x != x || math.IsInf(x, -1) || x <= 0 && math.Trunc(x) == x, m > 1 && x < -terms:
		return math.NaN()
	case math.IsInf(x, 1):
		return 0
	case m == 1 && x < 0:
		s := math.Pi / Sin(math.Pi*(x-math.Floor(x)))
		return float64(s*s) - Polygamma(1, 1-x)
	}
	n := int(m)
	fact := 1.0 // (n − 1)!
	for i := 2; i < n; i++ {
		fact *= float64(i)
	}
	sum := 0.0
	for ; x < 14+m; x++ {
		sum += power(1/x, n+1)
	}
	sum = float64(sum * fact * m)
	y := 1 / x
	lead := float64(fact * power(y, n))
	series := 0.0
	c := fact * m // (2k + n − 1)!/(2k)! at k, from n!/… up
	yk := power(y, n)
	for k := range bernoulli {
		j := float64(2*k + 2)
		if k == 0 {
			c = fact * m * (m + 1) / 2
		} else {
			c *= (j + m - 1) * (j + m - 2) / (j * (j - 1))
		}
		yk *= y * y
		series += float64(bernoulli[k] * float64(c*yk))
	}
	v := sum + (lead + (float64(0.5*fact*m*power(y, n+1)) + series))
	if n%2 == 0 {
		return -v
	}
	return v
}

func power(x float64, n int) float64 {
	p := 1.0
	for range n {
		p *= x
	}
	return float64(p)
}
