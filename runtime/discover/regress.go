package discover

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sort"
)

// Data is a regression: N samples of P candidate terms X (row-major) and a response Y.
type Data struct {
	X    []float64
	Y    []float64
	N, P int
	W    []float64 // a weight of each sample; nil: 1
	// Series says that the samples follow each other in time, so that neighbours say much the same: the criterion then counts
	// fewer of them, and resampling takes them in blocks.
	Series bool
}

// Settings of Regress. The zero value is ready.
type Settings struct {
	Method  string // a row of the table; "": best_subset
	Options Options
	// Criterion chooses among what the method proposes: "ebic", "bic", "aicc" or "cv"; "": ebic.
	Criterion string
	Gamma     float64 // of ebic, 0 meaning 1, which counts the whole library as searched
	Folds     int     // of cv; 0: 5
	// Accuracy is the share of the response, in the root mean square, that is not looked into: residuals below it are taken as
	// no better than it, so that what rounding and the error of numerical derivatives leave is not taken for terms. 0: 1e-3;
	// negative: rounding alone.
	Accuracy float64
	Ensemble int // resamplings for the inclusion probabilities; 0: none
	Seed     uint64
	Robust   bool // some samples may be corrupt: they are found and left out
}

// Model is one sparse model.
type Model struct {
	Set    []int     // columns, ascending
	Coef   []float64 // of Set, in the units of the columns
	StdErr []float64 // of Coef, as if the set had been known before; of a series' path as if its samples were independent
	RSS    float64   // weighted, of the samples that count
	Score  float64   // of the criterion, the lowest is chosen
	Lambda float64   // the method's setting that gave the set; NaN where it has none
}

// Result is what a regression found.
type Result struct {
	Model
	Path      []Model   // what was proposed, by size and score
	Inclusion []float64 // of each column: in what share of the resamplings it was chosen; nil without an ensemble
	Proved    bool      // no other set of as many terms fits better: the method looked, directly or by bounds, at all of them
	Kept      []bool    // which samples count; nil: all
	Effective float64   // how many independent samples the criterion counted
	n         int       // samples that have weight
	Cancel    []int     // large terms that cancel in a set which fits better, and was left out for that; nil: there is none

	cancelling []Model
}

// RMS is the root mean square of what the model leaves, over the samples that count.
func (r *Result) RMS(d *Data) float64 {
	n := 0
	for i := range d.N {
		if r.Kept == nil || r.Kept[i] {
			n++
		}
	}
	return math.Sqrt(r.RSS / math.Max(1, float64(n)))
}

// Regress looks for a sparse model of a response. The same data and settings give the same result, to the bit.
func Regress(ctx context.Context, d *Data, s Settings) (*Result, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if s.Method == "" {
		s.Method = "best_subset"
	}
	m, ok := Find(s.Method)
	if !ok {
		return nil, fmt.Errorf("there is no method `%s` of sparse regression", s.Method)
	}
	if err := m.check(s.Options); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Robust {
		return robust(ctx, d, &m, s)
	}
	r, err := regress(ctx, d, d.W, &m, s, nil)
	if err != nil || s.Ensemble == 0 {
		return r, err
	}
	return r, r.ensemble(ctx, d, d.W, &m, s)
}

func (d *Data) check() error {
	switch {
	case d.N < 2 || d.P < 1 || len(d.X) != d.N*d.P || len(d.Y) != d.N || d.W != nil && len(d.W) != d.N:
		return fmt.Errorf("a regression of %d samples and %d terms has %d and %d numbers", d.N, d.P, len(d.X), len(d.Y))
	case d.P > 1<<15:
		return fmt.Errorf("%d candidate terms are too many", d.P)
	}
	for i, v := range d.X {
		if v-v != 0 {
			return &NotFinite{Row: i / d.P, Term: i % d.P, Value: v}
		}
	}
	for i, v := range d.Y {
		if v-v != 0 {
			return &NotFinite{Row: i, Term: -1, Value: v}
		}
	}
	return nil
}

// NotFinite is a sample that is not a number.
type NotFinite struct {
	Row, Term int // Term is −1 for the response
	Value     float64
}

func (e *NotFinite) Error() string {
	if e.Term < 0 {
		return fmt.Sprintf("the left side of sample %d is %v", e.Row+1, e.Value)
	}
	return fmt.Sprintf("term %d of sample %d is %v", e.Term+1, e.Row+1, e.Value)
}

// rounding is what sums of some terms are off by, as a share.
const rounding = 1e-13

// Criteria are the words for Settings.Criterion.
var Criteria = []string{"ebic", "bic", "aicc", "cv"}

func (s *Settings) check() error {
	if s.Criterion == "" {
		s.Criterion = "ebic"
	}
	known := false
	for _, c := range Criteria {
		known = known || c == s.Criterion
	}
	switch {
	case !known:
		return fmt.Errorf("there is no criterion `%s`", s.Criterion)
	case s.Gamma < 0 || s.Accuracy-s.Accuracy != 0 || s.Gamma-s.Gamma != 0:
		return fmt.Errorf("gamma is a number from 0, accuracy a number")
	case s.Ensemble < 0 || s.Folds < 0 || s.Folds == 1:
		return fmt.Errorf("an ensemble has 0 or more members, cross-validation 2 or more folds")
	}
	if s.Accuracy == 0 {
		s.Accuracy = 1e-3
	}
	s.Accuracy = math.Max(s.Accuracy, rounding)
	if s.Gamma == 0 {
		s.Gamma = 1
	}
	if s.Folds == 0 {
		s.Folds = 5
	}
	return nil
}

// count is how many samples have weight.
func count(w []float64, n int) int {
	if w == nil {
		return n
	}
	k := 0
	for _, v := range w {
		if v > 0 {
			k++
		}
	}
	return k
}

// regress makes the search with the weights w. Where they are those of a resampling, of is the result that it is of: as many samples
// were drawn as that has, and they say as much.
func regress(ctx context.Context, d *Data, w []float64, m *Method, s Settings, of *Result) (*Result, error) {
	l := newLibrary(factor(d.X, d.Y, w, d.N, d.P))
	list, err := m.path(ctx, l, s.Options)
	if err != nil {
		return nil, err
	}
	n := count(w, d.N)
	r := &Result{Effective: float64(n), n: n}
	sv := newSolver(l.triangle)
	big := 0
	for _, p := range list {
		if len(p.set) >= n {
			continue // interpolates
		}
		c := Model{Set: p.set, Coef: make([]float64, len(p.set)), Lambda: p.lambda}
		var ok bool
		if c.RSS, ok = sv.solve(p.set, 0, c.Coef); !ok {
			continue
		}
		if l.cancels(&c, s.Accuracy) != nil {
			r.cancelling = append(r.cancelling, c)
			continue
		}
		c.StdErr = make([]float64, len(p.set))
		sv.spread(len(p.set), c.StdErr)
		for i, j := range p.set {
			c.StdErr[i] /= l.scale[j]
		}
		r.Path = append(r.Path, c)
		if c.RSS < r.Path[big].RSS {
			big = len(r.Path) - 1
		}
	}
	if len(r.Path) == 0 && r.cancelling != nil {
		return nil, fmt.Errorf("the terms nearly are combinations of each other at these points: in every set that fits they are %s times the left side, and cancel", ratio(l.triangle, &r.cancelling[0]))
	}
	if len(r.Path) == 0 {
		return nil, fmt.Errorf("no term could be fitted")
	}
	switch {
	case of != nil:
		r.Effective, n = of.Effective, of.n
	case d.Series:
		r.Effective = independent(d, w, &r.Path[big])
	}
	for i := range r.Path {
		c := &r.Path[i]
		for k := range c.StdErr {
			c.StdErr[k] *= math.Sqrt(c.RSS / math.Max(1, float64(n-len(c.Set))))
		}
		if s.Criterion != "cv" {
			c.Score = score(s, c.RSS, l.total, float64(n), r.Effective, len(c.Set), len(l.free))
		}
	}
	sort.SliceStable(r.Path, func(i, j int) bool {
		a, b := &r.Path[i], &r.Path[j]
		if len(a.Set) != len(b.Set) {
			return len(a.Set) < len(b.Set)
		}
		return a.RSS < b.RSS
	})
	best := 0
	if s.Criterion == "cv" {
		if best, err = crossValidate(ctx, d, w, m, r.Path, s); err != nil {
			return nil, err
		}
	} else {
		for i := range r.Path {
			if r.Path[i].Score < r.Path[best].Score {
				best = i
			}
		}
	}
	r.Model = r.Path[best]
	if d.Series && of == nil {
		r.StdErr = seriesErrors(d, w, &r.Model, n)
	}
	if s.Criterion != "cv" {
		for i := range r.cancelling {
			c := &r.cancelling[i]
			if v := score(s, c.RSS, l.total, float64(n), r.Effective, len(c.Set), len(l.free)); v < r.Score && r.Cancel == nil {
				r.Cancel = l.cancels(c, s.Accuracy)
			}
		}
	}
	r.cancelling = nil
	r.Proved = len(r.Set) > 0 && len(r.Set) <= l.exact && r.Cancel == nil
	return r, nil
}

// score is an information criterion of a Gaussian model: fit and what k terms out of p cost.
//
// AICc: C. M. Hurvich, C.-L. Tsai, Biometrika 76 (1989), 297–307. BIC: G. Schwarz, Annals of Statistics 6 (1978), 461–464.
// Extended BIC: J. Chen, Z. Chen, Extended Bayesian information criteria for model selection with large model spaces,
// Biometrika 95 (2008), 759–771: among many candidates some fit by chance, and the more there are the better. Their log of the number
// of sets of k out of p is k·log p here, its limit for large p, which asks as much of the fourth term as of the first.
func score(s Settings, rss, total, n, effective float64, k, p int) float64 {
	floor := s.Accuracy * s.Accuracy * total
	if total == 0 {
		return float64(k)
	}
	fit := effective * math.Log((rss+floor)/n)
	q := float64(k) + 1 // the variance is estimated too
	switch s.Criterion {
	case "aicc":
		if effective <= q+1 {
			return math.Inf(1)
		}
		return fit + 2*q + 2*q*(q+1)/(effective-q-1)
	case "bic":
		return fit + q*math.Log(effective)
	}
	return fit + q*math.Log(effective) + 2*s.Gamma*float64(k)*math.Log(float64(p))
}

// spread is the square roots of the diagonal of (RᵀR)⁻¹ for the subset solved last.
func (s *solver) spread(k int, out []float64) {
	e := make([]float64, k)
	clear(out[:k])
	for c := range k {
		// Column c of R⁻¹.
		clear(e)
		for i := c; i >= 0; i-- {
			v := 0.0
			if i == c {
				v = 1
			}
			for j := i + 1; j <= c; j++ {
				v -= s.up[i*s.t.p+j] * e[j]
			}
			e[i] = v / s.diag[i]
			out[i] += e[i] * e[i]
		}
	}
	for i := range k {
		out[i] = math.Sqrt(out[i])
	}
}

// residual of a model at a sample.
func (m *Model) residual(d *Data, i int) float64 {
	r := d.Y[i]
	for k, j := range m.Set {
		r -= m.Coef[k] * d.X[i*d.P+j]
	}
	return r
}

// independent is how many independent samples a series is worth, n(1−ρ)/(1+ρ) with the correlation ρ of the
// residuals of neighbours (of the fullest model): the error of a smooth curve's derivative is itself smooth, and a
// thousand samples of it say little more than one period of it.
func independent(d *Data, w []float64, m *Model) float64 {
	var last, num, den float64
	n, first := 0, true
	for i := range d.N {
		if w != nil && w[i] == 0 {
			first = true
			continue
		}
		r := m.residual(d, i)
		if w != nil {
			r *= math.Sqrt(w[i])
		}
		if !first {
			num += r * last
		}
		den += r * r
		last, first = r, false
		n++
	}
	rho := 0.0
	if den > 0 {
		rho = math.Min(math.Max(num/den, 0), 0.9999)
	}
	low := math.Min(float64(n), 4*float64(len(m.Set))+10)
	return math.Max(low, float64(n)*(1-rho)/(1+rho))
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func deviation(v []float64) float64 {
	m, s := mean(v), 0.0
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return math.Sqrt(s / math.Max(1, float64(len(v)-1)))
}

// stream is a source of random numbers of its own for a seed, a purpose and an index.
func stream(seed uint64, purpose string, index int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed^0x9e3779b97f4a7c15*uint64(index+1), h.Sum64()))
}
