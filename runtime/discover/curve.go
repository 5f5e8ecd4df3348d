package discover

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/udl-lang/udl/runtime/train"
)

// Curve is a search for the terms of a model that is held against its data directly. A regression on a learned function
// sees that function's errors, which are smooth, so that many terms fit them; data have errors that are known to be
// independent, and a formula can be fitted to them as well as a network can.
//
// Each candidate is fitted to the trajectory by Levenberg and Marquardt's method, by one compiled model that has all
// terms: those that are absent have the coefficient 0. The derivatives by the absent terms tell what adding each would bring: at every candidate the data are linear in all coefficients to first order, and the best subsets
// of that regression are the next candidates. The criterion is that of the likelihood with the noise of each group
// of data profiled out.
type Curve struct {
	// Res is the model with all candidate terms in it as a function of its variables: the coefficients, output by output,
	// and behind them whatever else is estimated, such as initial values.
	Res   train.LeastSquares
	Terms int // per output
	Outs  int
	// Start are the variables to begin with: of the coefficients the guess where a set has none of its own, then the others.
	Start []float64
	// Groups number the residuals' groups from 0: the data of one quantity, of one noise level.
	Groups []int
	// Floor is for each group the size of residuals below which nothing is looked into: the error of the solver.
	Floor []float64
	// Guess gives the coefficients that a set begins with, nil for none; nil: Start has them.
	Guess func(set []int) []float64

	n, m, groups int
	size         []float64 // residuals in each group
	seen         map[string]*fitted
	order        []*fitted
	evals        int
	refused      error // the last derivative that there was not
}

// Found is what a search found.
type Found struct {
	Model               // Set numbers the variables: output × terms + term
	V         []float64 // all variables
	Sigma     []float64 // the noise of each group
	Path      []Model   // what was fitted, by size and score
	Inclusion []float64 // of each coefficient; nil without an ensemble
	Tried     int       // candidates that were fitted
	Evals     int       // solves
}

// fitted is one candidate, fitted.
type fitted struct {
	set   []int
	v     []float64
	r, j  []float64
	rss   []float64 // per group
	score float64
	ok    bool
}

// Largest set that a search goes to, and how many candidates of each kind it fits in a round.
const (
	curveSize  = 12
	curveKeep  = 3
	curveNodes = 20000
)

// Search fits the seeds, then their neighbours by the linearised regression, until nothing is better.
func (c *Curve) Search(ctx context.Context, seeds [][]int, s Settings) (*Found, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c.m = c.Res.Dim()
	why := ""
	if c.n, why = c.Res.Squares(); c.n == 0 {
		return nil, fmt.Errorf("candidates cannot be held against data: %s", why)
	}
	if c.m < c.Terms*c.Outs || len(c.Start) != c.m || len(c.Groups) != c.n {
		return nil, fmt.Errorf("a search over %d terms in %d outputs has %d variables, %d starts and %d residuals in %d groups", c.Terms, c.Outs, c.m, len(c.Start), c.n, len(c.Groups))
	}
	if s.Criterion == "cv" {
		return nil, fmt.Errorf("terms that are held against trajectories are chosen by an information criterion, not by cross-validation")
	}
	c.seen = map[string]*fitted{}
	for _, g := range c.Groups {
		c.groups = max(c.groups, g+1)
	}
	c.size = make([]float64, c.groups)
	for _, g := range c.Groups {
		c.size[g]++
	}
	for _, set := range seeds {
		if _, err := c.fit(ctx, set, nil, s); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(c.order, func(i, k int) bool { return c.order[i].score < c.order[k].score })
	if len(c.order) == 0 || !c.order[0].ok {
		if f, err := c.fit(ctx, nil, nil, s); err != nil {
			return nil, err
		} else if !f.ok {
			if c.refused != nil {
				return nil, c.refused
			}
			return nil, fmt.Errorf("no candidate has a solution over the times of the data")
		}
	}
	begins := slices.Clone(c.order[:min(curveKeep, len(c.order))])
	var best *fitted
	for _, at := range begins {
		if !at.ok {
			continue
		}
		top, err := c.climb(ctx, at, s)
		if err != nil {
			return nil, err
		}
		if best == nil || top.score < best.score {
			best = top
		}
	}
	if best == nil {
		best = c.seen[keyOf(nil)]
	}
	return c.found(ctx, best, s)
}

// climb goes from a candidate to its best neighbour until none is better.
func (c *Curve) climb(ctx context.Context, at *fitted, s Settings) (*fitted, error) {
	for range 30 {
		next := at
		list, err := c.neighbours(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, nb := range list {
			f, err := c.fit(ctx, nb.set, nb.coef, s)
			if err != nil {
				return nil, err
			}
			if f.ok && f.score < next.score-1e-9 {
				next = f
			}
		}
		if next == at {
			return at, nil
		}
		at = next
	}
	return at, nil
}

// neighbour is a candidate with the variables that the linearised model gives it.
type neighbour struct {
	set  []int
	coef []float64 // all variables
}

// neighbours are the best subsets of the data linearised at a candidate, of sizes up to one more than its own, and the candidate
// with each of its terms dropped.
func (c *Curve) neighbours(ctx context.Context, at *fitted) ([]neighbour, error) {
	l, nuisance := c.linear(at)
	size := min(len(at.set)+1, curveSize, l.rank)
	best, _, err := subsets(ctx, l, size, curveKeep, curveNodes)
	if err != nil {
		return nil, err
	}
	var out []neighbour
	sv := newSolver(l.triangle)
	add := func(set []int) {
		coef := make([]float64, len(set))
		if _, ok := sv.solve(set, 0, coef); !ok {
			return
		}
		v := slices.Clone(at.v)
		clear(v[:c.Terms*c.Outs])
		for i, j := range set {
			v[j] = coef[i]
		}
		nuisance(v)
		out = append(out, neighbour{slices.Clone(set), v})
	}
	for k := 1; k <= size; k++ {
		for _, s := range best.sets[k] {
			add(s.set)
		}
	}
	for i := range at.set {
		add(slices.Delete(slices.Clone(at.set), i, i+1))
	}
	return out, nil
}

// weights are 1/σ of each residual, with the noise of each group as the candidate leaves it.
func (c *Curve) weights(f *fitted) []float64 {
	w := make([]float64, c.n)
	for i, g := range c.Groups {
		w[i] = 1 / math.Sqrt(f.rss[g]/c.size[g]+c.Floor[g]*c.Floor[g])
	}
	return w
}

// linear is the regression by all coefficients at a candidate: Jv − r as the left side, everything divided by the noise, and
// what the other variables can explain taken out. The function sets those in v to what goes with its coefficients.
func (c *Curve) linear(at *fitted) (*library, func(v []float64)) {
	p := c.Terms * c.Outs
	q := c.m - p
	w := c.weights(at)
	x, y := make([]float64, c.n*p), make([]float64, c.n)
	z := make([]float64, c.n*q)
	for i := range c.n {
		y[i] = -at.r[i] * w[i]
		for j := range p {
			d := at.j[i*c.m+j] * w[i]
			x[i*p+j] = d
			y[i] += d * at.v[j]
		}
		for j := range q {
			z[i*q+j] = at.j[i*c.m+p+j] * w[i]
		}
	}
	full, left := slices.Clone(x), slices.Clone(y)
	basis := orthonormal(z, c.n, q)
	for _, b := range basis {
		f := dot(b, y)
		for i := range y {
			y[i] -= f * b[i]
		}
		for j := range p {
			f := 0.0
			for i := range b {
				f += b[i] * x[i*p+j]
			}
			for i := range b {
				x[i*p+j] -= f * b[i]
			}
		}
	}
	l := newLibrary(factor(x, y, nil, c.n, p))
	return l, func(v []float64) {
		if q == 0 {
			return
		}
		rest := slices.Clone(left)
		for i := range rest {
			for j := range p {
				if v[j] != 0 {
					rest[i] -= full[i*p+j] * v[j]
				}
			}
		}
		t := factor(z, rest, nil, c.n, q)
		free := t.independent()
		coef := make([]float64, len(free))
		if _, ok := newSolver(t).solve(free, 0, coef); ok {
			for k, j := range free {
				v[p+j] = at.v[p+j] + coef[k]
			}
		}
	}
}

// orthonormal is a basis of the columns of z, n × q.
func orthonormal(z []float64, n, q int) [][]float64 {
	var out [][]float64
	for j := range q {
		b := make([]float64, n)
		for i := range b {
			b[i] = z[i*q+j]
		}
		was := norm(b)
		for range 2 { // twice is enough
			for _, e := range out {
				f := dot(e, b)
				for i := range b {
					b[i] -= f * e[i]
				}
			}
		}
		if now := norm(b); now > 1e-10*was && now > 0 {
			for i := range b {
				b[i] /= now
			}
			out = append(out, b)
		}
	}
	return out
}

// fit fits a candidate, from given variables or from the guess, once.
func (c *Curve) fit(ctx context.Context, set []int, from []float64, s Settings) (*fitted, error) {
	set = slices.Clone(set)
	sort.Ints(set)
	key := keyOf(set)
	if f, ok := c.seen[key]; ok {
		return f, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := &fitted{set: set, score: math.Inf(1)}
	c.seen[key] = f
	c.order = append(c.order, f)
	if len(set) > curveSize || len(set)+c.m-c.Terms*c.Outs >= c.n {
		return f, nil
	}
	guess := func() []float64 {
		v := slices.Clone(c.Start)
		clear(v[:c.Terms*c.Outs])
		var g []float64
		if c.Guess != nil {
			g = c.Guess(set)
		}
		for i, j := range set {
			if g != nil {
				v[j] = g[i]
			} else {
				v[j] = c.Start[j]
			}
		}
		return v
	}
	starts := [][]float64{from}
	if from == nil {
		starts[0] = guess()
	} else if c.Guess != nil {
		starts = append(starts, guess())
	}
	for _, v := range starts {
		if err := c.descend(ctx, f, v); err != nil {
			return nil, err
		}
		if f.ok {
			break
		}
	}
	if f.ok {
		f.score = c.score(f, s)
	}
	return f, nil
}

// minus2 is −2 log L of the profiled likelihood, but for a constant, and with as many samples less as there are other variables and
// outputs: what they fit leaves less to be told from chance (M. S. Bartlett, Proceedings of the Royal Society A 160 (1937), 268–282).
func (c *Curve) minus2(rss []float64) float64 {
	s := 0.0
	for g, v := range rss {
		s += c.size[g] * math.Log(v/c.size[g]+c.Floor[g]*c.Floor[g])
	}
	return s * c.share()
}

// share is which share of the samples counts.
func (c *Curve) share() float64 {
	return math.Max(0.5, 1-float64(c.m-c.Terms*c.Outs+c.Outs)/float64(c.n))
}

// score is the criterion of a candidate; the other variables cost all candidates the same.
func (c *Curve) score(f *fitted, s Settings) float64 {
	return c.minus2(f.rss) + c.price(len(f.set), s)
}

// price is what the criterion asks for k terms.
func (c *Curve) price(terms int, s Settings) float64 {
	k, n := float64(terms), float64(c.n)
	switch s.Criterion {
	case "aicc":
		q := k + float64(c.m-c.Terms*c.Outs+c.groups)
		if n <= q+1 {
			return math.Inf(1)
		}
		return 2*q + 2*q*(q+1)/(n-q-1)
	case "bic":
		return k * math.Log(n)
	}
	return k * (math.Log(n) + 2*s.Gamma*math.Log(float64(c.Terms*c.Outs)))
}

// sums are the sums of squares of each group.
func (c *Curve) sums(r []float64) []float64 {
	out := make([]float64, c.groups)
	for i, v := range r {
		out[c.Groups[i]] += v * v
	}
	return out
}

// found is the account of a search that ended at best.
func (c *Curve) found(ctx context.Context, best *fitted, s Settings) (*Found, error) {
	out := &Found{V: slices.Clone(best.v), Tried: len(c.order), Evals: c.evals, Sigma: make([]float64, c.groups)}
	for g := range out.Sigma {
		out.Sigma[g] = math.Sqrt(best.rss[g] / c.size[g])
	}
	model := func(f *fitted) Model {
		m := Model{Set: f.set, Score: f.score, Lambda: math.NaN()}
		for _, j := range f.set {
			m.Coef = append(m.Coef, f.v[j])
		}
		for _, v := range f.rss {
			m.RSS += v
		}
		return m
	}
	out.Model = model(best)
	l, _ := c.linear(best)
	sv := newSolver(l.triangle)
	coef := make([]float64, len(best.set))
	out.StdErr = make([]float64, len(best.set))
	if _, ok := sv.solve(best.set, 0, coef); ok {
		sv.spread(len(best.set), out.StdErr)
		// The noise of the groups is what is left, without counting what was fitted.
		left := math.Sqrt(float64(c.n) / math.Max(1, float64(c.n-len(best.set)-c.m+c.Terms*c.Outs)))
		for i, j := range best.set {
			out.StdErr[i] *= left / l.scale[j]
		}
	}
	for _, f := range c.order {
		if f.ok {
			out.Path = append(out.Path, model(f))
		}
	}
	sort.SliceStable(out.Path, func(i, j int) bool {
		a, b := &out.Path[i], &out.Path[j]
		if len(a.Set) != len(b.Set) {
			return len(a.Set) < len(b.Set)
		}
		return a.Score < b.Score
	})
	if s.Ensemble == 0 {
		return out, nil
	}
	return out, c.ensemble(ctx, best, out, s)
}

// ensemble draws data anew from the model that was found, with its residuals in another order in each group, and chooses
// terms for them in the regression linearised there: a parametric bootstrap whose members cost no solves (B. Efron,
// R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall 1993, chapter 9). The residuals are enlarged by what was fitted to
// them. It takes for granted that the model found is the true one: how often data of another truth lead here it cannot say.
func (c *Curve) ensemble(ctx context.Context, best *fitted, out *Found, s Settings) error {
	p := c.Terms * c.Outs
	out.Inclusion = make([]float64, p)
	groups := make([][]int, c.groups)
	for i, g := range c.Groups {
		groups[g] = append(groups[g], i)
	}
	size := min(len(best.set)+2, curveSize)
	left := math.Sqrt(float64(c.n) / math.Max(1, float64(c.n-len(best.set)-c.m+p)))
	for b := range s.Ensemble {
		rng := stream(s.Seed, "residuals", b)
		f := *best
		f.r = make([]float64, c.n)
		for _, rows := range groups {
			for _, i := range rows {
				f.r[i] = left * best.r[rows[rng.IntN(len(rows))]]
			}
		}
		l, _ := c.linear(&f)
		list, _, err := subsets(ctx, l, size, 1, curveNodes)
		if err != nil {
			return err
		}
		// The noise is known here, so that a set is scored by its own residual alone.
		set, score := []int(nil), l.total*c.share()+c.price(0, s)
		for k := 1; k < len(list.sets); k++ {
			for _, t := range list.sets[k] {
				v := t.rss*c.share() + c.price(k, s)
				if v < score {
					set, score = t.set, v
				}
			}
		}
		for _, j := range set {
			out.Inclusion[j]++
		}
	}
	for j := range out.Inclusion {
		out.Inclusion[j] /= float64(s.Ensemble) // 10 of 10 are 1, which ten tenths do not add up to
	}
	return nil
}
