package verb

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// stream gives each member a stream of random numbers of its own for each quantity, so that what it draws depends neither on how many
// members there are, nor on what else differs, nor on who computes it.
type stream struct {
	pcg  *rand.PCG
	rand *rand.Rand
	key  uint64
}

func newStream(seed uint64, quantity string) *stream {
	h := fnv.New64a()
	h.Write([]byte(quantity))
	pcg := rand.NewPCG(0, 0)
	return &stream{pcg: pcg, rand: rand.New(pcg), key: mix(seed) ^ h.Sum64()}
}

// at is the stream of member i.
func (s *stream) at(i int) *rand.Rand {
	k := mix(s.key + uint64(i))
	s.pcg.Seed(k, mix(k))
	return s.rand
}

// mix is the finaliser of splitmix64: neighbouring seeds and members must not begin alike.
//
// G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014, 453–472.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// sampler gives the draws of a distribution for a quantity of some shape: element by element, each with parameters of its own where
// these are arrays.
func (c *Call) sampler(s *value.Spec, shape types.Shape) (func(r *rand.Rand, row []float64), error) {
	how, ok := samplers[s.Row.Name]
	if !ok {
		return nil, diag.New("E0714", s.Span, "`%s` cannot be drawn from here", s.Row.Name).WithHelp("these can: %s", strings.Join(sortedNames(samplers), ", "))
	}
	n, np := shape.Size(), len(s.Row.Params)
	p := make([]float64, n*np)
	for j, par := range s.Row.Params {
		a, ok := s.Args[par.Name].(*value.Array)
		if !ok || len(a.Data) != 1 && !a.Shape.Equal(shape) {
			d := diag.New("E0714", s.Span, "`%s` of `%s` must be a number, this is %s", par.Name, s.Row.Name, value.Describe(s.Args[par.Name]))
			if !shape.IsScalar() {
				d.WithHelp("an array must have the shape of what is drawn, %s", shape)
			}
			return nil, d
		}
		for k := range n {
			v := a.Data[k%len(a.Data)]
			switch {
			case !finite(v):
				return nil, diag.New("E0714", s.Span, "`%s` of `%s` must be finite, this is %s", par.Name, s.Row.Name, value.Format(v)).WithHelp("%s: %s", s.Row.Name, s.Row.Doc)
			case how.positive[j] && !(v > 0):
				return nil, diag.New("E0714", s.Span, "`%s` of `%s` must be positive, this is %s", par.Name, s.Row.Name, value.Format(v)).WithHelp("%s: %s", s.Row.Name, s.Row.Doc)
			}
			p[k*np+j] = v
		}
	}
	for k := range n {
		if q := p[k*np:][:np]; how.fits != nil && !how.fits(q) {
			return nil, diag.New("E0714", s.Span, "`%s` needs %s, these are %s and %s", s.Row.Name, how.needs, value.Format(q[0]), value.Format(q[1])).
				WithHelp("%s: %s", s.Row.Name, s.Row.Doc)
		}
	}
	return func(r *rand.Rand, row []float64) {
		for k := range row {
			row[k] = how.draw(r, p[k*np:][:np])
		}
	}, nil
}

// sampling is how a distribution is drawn from.
type sampling struct {
	positive []bool // which of its parameters must be
	draw     func(r *rand.Rand, p []float64) float64
	needs    string // what else parameters must be, in words
	fits     func(p []float64) bool
}

// samplers has a row for each distribution of the language.
var samplers = map[string]sampling{
	"normal":    {positive: []bool{false, true}, draw: func(r *rand.Rand, p []float64) float64 { return p[0] + p[1]*r.NormFloat64() }},
	"lognormal": {positive: []bool{false, true}, draw: func(r *rand.Rand, p []float64) float64 { return math.Exp(p[0] + p[1]*r.NormFloat64()) }},
	"uniform": {positive: []bool{false, false}, draw: func(r *rand.Rand, p []float64) float64 { return p[0] + (p[1]-p[0])*r.Float64() },
		needs: "lo < hi", fits: func(p []float64) bool { return p[0] < p[1] }},
	"exponential":   {positive: []bool{true}, draw: func(r *rand.Rand, p []float64) float64 { return r.ExpFloat64() / p[0] }},
	"gamma":         {positive: []bool{true, true}, draw: func(r *rand.Rand, p []float64) float64 { return gamma(r, p[0]) / p[1] }},
	"inverse_gamma": {positive: []bool{true, true}, draw: func(r *rand.Rand, p []float64) float64 { return p[1] / gamma(r, p[0]) }},
	"beta":          {positive: []bool{true, true}, draw: func(r *rand.Rand, p []float64) float64 { return beta(r, p[0], p[1]) }},
	"cauchy":        {positive: []bool{false, true}, draw: func(r *rand.Rand, p []float64) float64 { return p[0] + p[1]*cauchy(r) }},
	"student_t": {positive: []bool{true, false, true}, draw: func(r *rand.Rand, p []float64) float64 {
		return p[1] + p[2]*r.NormFloat64()/math.Sqrt(gamma(r, p[0]/2)*2/p[0])
	}},
	"half_normal": {positive: []bool{true}, draw: func(r *rand.Rand, p []float64) float64 { return math.Abs(p[0] * r.NormFloat64()) }},
	"half_cauchy": {positive: []bool{true}, draw: func(r *rand.Rand, p []float64) float64 { return math.Abs(p[0] * cauchy(r)) }},
	"poisson":     {positive: []bool{true}, draw: func(r *rand.Rand, p []float64) float64 { return poisson(r, p[0]) }},
	"binomial": {positive: []bool{true, false}, draw: func(r *rand.Rand, p []float64) float64 { return binomial(r, p[0], p[1]) },
		needs: "a whole n below 2^53 and p in 0..1", fits: func(p []float64) bool { return p[0] == math.Trunc(p[0]) && p[0] < 1<<53 && p[1] >= 0 && p[1] <= 1 }},
	"neg_binomial": {positive: []bool{true, true}, draw: func(r *rand.Rand, p []float64) float64 {
		return poisson(r, p[0]*gamma(r, p[1])/p[1]) // of variance mean + mean²/dispersion
	}},
}

func cauchy(r *rand.Rand) float64 { return math.Tan(math.Pi * (r.Float64() - 0.5)) }

func gamma(r *rand.Rand, shape float64) float64 { return math.Exp(logGamma(r, shape)) }

func beta(r *rand.Rand, a, b float64) float64 {
	x, y := logGamma(r, a), logGamma(r, b)
	return 1 / (1 + math.Exp(y-x)) // x/(x + y), where both may be too small for numbers
}

// poisson and binomial halve their problem by the order statistics of the events behind it until it is small enough to count.
//
// J. H. Ahrens, U. Dieter, Computer methods for sampling from gamma, beta, Poisson and binomial distributions, Computing 12 (1974), 223–246.
func poisson(r *rand.Rand, mean float64) float64 {
	count := 0.0
	for mean > 16 {
		m := math.Floor(mean * 7 / 8)
		x := gamma(r, m) // when the m-th event happens
		if x > mean {
			return count + binomial(r, m-1, mean/x)
		}
		count, mean = count+m, mean-x
	}
	for t := r.ExpFloat64(); t < mean; t += r.ExpFloat64() {
		count++
	}
	return count
}

func binomial(r *rand.Rand, n, p float64) float64 {
	count := 0.0
	for n > 16 {
		a := math.Floor(n/2) + 1
		x := beta(r, a, n+1-a) // the a-th smallest of n uniform numbers
		if x <= p {
			count, n, p = count+a, n-a, (p-x)/(1-x)
		} else {
			n, p = a-1, p/x
		}
	}
	for range int(n) {
		if r.Float64() < p {
			count++
		}
	}
	return count
}

// logGamma draws the logarithm of a gamma variable of a shape and rate 1.
//
// G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Transactions on Mathematical Software 26 (2000), 363–372.
func logGamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return logGamma(r, shape+1) + math.Log(1-r.Float64())/shape
	}
	d := shape - 1.0/3
	k := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + k*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return math.Log(d * v)
		}
	}
}
