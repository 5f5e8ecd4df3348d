package verb

import (
	"math"
	"slices"
	"testing"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib"
)

// Every distribution of the language can be drawn from, and what is drawn follows its distribution function: the largest distance of the
// two is below what one sample in ten thousand exceeds (Kolmogorov and Smirnov).
func TestDraws(t *testing.T) {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	cdfs := map[string][]struct {
		p []float64
		f func(x float64) float64
	}{
		"normal":      {{[]float64{1, 0.5}, func(x float64) float64 { return phi((x - 1) / 0.5) }}},
		"lognormal":   {{[]float64{1, 0.5}, func(x float64) float64 { return phi((math.Log(x) - 1) / 0.5) }}},
		"uniform":     {{[]float64{-1, 3}, func(x float64) float64 { return (x + 1) / 4 }}},
		"exponential": {{[]float64{2}, func(x float64) float64 { return 1 - math.Exp(-2*x) }}},
		"gamma": {{[]float64{2, 3}, func(x float64) float64 { return 1 - math.Exp(-3*x)*(1+3*x) }},
			{[]float64{0.5, 1}, func(x float64) float64 { return math.Erf(math.Sqrt(x)) }}},
		"inverse_gamma": {{[]float64{2, 3}, func(x float64) float64 { return math.Exp(-3/x) * (1 + 3/x) }}},
		"beta": {{[]float64{2, 2}, func(x float64) float64 { return x * x * (3 - 2*x) }},
			{[]float64{0.5, 0.5}, func(x float64) float64 { return 2 / math.Pi * math.Asin(math.Sqrt(x)) }}},
		"cauchy":      {{[]float64{1, 2}, func(x float64) float64 { return 0.5 + math.Atan((x-1)/2)/math.Pi }}},
		"student_t":   {{[]float64{2, 1, 3}, func(x float64) float64 { z := (x - 1) / 3; return 0.5 + z/2/math.Sqrt(2+z*z) }}},
		"half_normal": {{[]float64{2}, func(x float64) float64 { return 2*phi(x/2) - 1 }}},
		"half_cauchy": {{[]float64{2}, func(x float64) float64 { return 2 * math.Atan(x/2) / math.Pi }}},
	}
	for _, r := range stdlib.New().Rows() {
		if r.Kind != sig.Distribution {
			continue
		}
		how, ok := samplers[r.Name]
		if !ok || len(how.positive) != len(r.Params) || len(cdfs[r.Name]) == 0 && counts[r.Name] == nil {
			t.Errorf("%s: no draw, or no test of it", r.Name)
			continue
		}
		for _, c := range cdfs[r.Name] {
			const n = 20000
			s := newStream(1, r.Name)
			v := make([]float64, n)
			for i := range v {
				v[i] = how.draw(s.at(i), c.p)
			}
			slices.Sort(v)
			worst := 0.0
			for i, x := range v {
				worst = max(worst, math.Abs(c.f(x)-float64(i)/n), math.Abs(c.f(x)-float64(i+1)/n))
			}
			if !(worst < 2.23/math.Sqrt(n)) {
				t.Errorf("%s%v: the distribution functions differ by %.4f", r.Name, c.p, worst)
			}
		}
	}
	if v := samplers["beta"].draw(newStream(1, "").at(0), []float64{1e-4, 1e-4}); !(v >= 0 && v <= 1) {
		t.Errorf("beta of small parameters gives %v", v)
	}
}

// counts are parameters of the distributions of counts, with mean and variance.
var counts = map[string][][2][]float64{
	"poisson":      {{{0.5}, {0.5, 0.5}}, {{40}, {40, 40}}, {{1e6}, {1e6, 1e6}}},
	"binomial":     {{{10, 0.3}, {3, 2.1}}, {{1000, 0.9}, {900, 90}}, {{5, 1}, {5, 0}}},
	"neg_binomial": {{{4, 2}, {4, 12}}, {{100, 50}, {100, 300}}},
}

func TestCounts(t *testing.T) {
	for name, cases := range counts {
		for _, c := range cases {
			const n = 20000
			s, m1, m2 := newStream(1, name), 0.0, 0.0
			mean, variance := c[1][0], c[1][1]
			for i := range n {
				v := samplers[name].draw(s.at(i), c[0])
				if v < 0 || v != math.Trunc(v) {
					t.Fatalf("%s%v gives %v", name, c[0], v)
				}
				m1 += (v - mean) / n
				m2 += (v - mean) * (v - mean) / n
			}
			if math.Abs(m1) > 4*math.Sqrt(variance/n) || math.Abs(m2-variance) > 0.08*variance {
				t.Errorf("%s%v: mean %v, variance %v", name, c[0], mean+m1, m2)
			}
		}
	}
}

// Streams of neighbouring members, seeds and of other names have nothing in common.
func TestStreams(t *testing.T) {
	const n = 10000
	first := func(seed uint64, name string, from int) []float64 {
		s, v := newStream(seed, name), make([]float64, n)
		for i := range v {
			v[i] = s.at(i + from).NormFloat64()
		}
		return v
	}
	a := first(1, "k", 0)
	if !slices.Equal(a, first(1, "k", 0)) {
		t.Error("the same seed draws otherwise")
	}
	for what, b := range map[string][]float64{"members": first(1, "k", 1), "seeds": first(2, "k", 0), "names": first(1, "l", 0)} {
		c := 0.0
		for i := range a {
			c += a[i] * b[i] / n
		}
		if math.Abs(c) > 4/math.Sqrt(n) {
			t.Errorf("%s: correlation %v", what, c)
		}
	}
}
