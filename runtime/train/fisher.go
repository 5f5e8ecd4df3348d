package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/sens"
	"gonum.org/v1/gonum/mat"
)

// Identifiability from the Fisher information F = Jᵀ J/σ², where J = √w ∂r/∂θ are the weighted
// sensitivities of the residuals and σ² = SSE/(n − p). F⁻¹ bounds the covariance of the
// estimates; a direction along which F is as good as 0 is one that the data say nothing about.
//
// J's columns are first divided by their lengths, since a parameter in other units is not less
// identifiable. The condition number is that of F so scaled, the square of J's.
//
// G. A. F. Seber, C. J. Wild, Nonlinear Regression, Wiley 1989, sections 2.1 and 3.4;
// D. A. Belsley, E. Kuh, R. E. Welsch, Regression Diagnostics, Wiley 1980, chapter 3, for the
// scaling and the reading of small singular values.

const (
	// maxFisher is how many parameters of a trajectory are looked at: the sensitivities cost as many solves.
	maxFisher = 50
	// maxSingular bounds the work for the singular values of all sensitivities, where many trajectories have parameters of their own.
	maxSingular = 1e9
	// maxCond is the condition number of the scaled F from which on it counts as singular. It is the
	// square of 1e6, beyond which the sensitivities' own errors decide.
	maxCond = 1e12
	// partOf is the share of a weak direction from which on a parameter is named as part of it.
	partOf = 0.1
)

// Identifiability is what the Fisher information says of the free parameters and initial
// values. Weights of unknowns are taken as given, so with free weights the standard errors are
// too small.
type Identifiability struct {
	Names  []string
	StdErr []float64 // NaN where the data do not determine the parameter, and for losses that are neither squares nor likelihoods
	// Corr are the correlations of the estimates, a row for each of Names, from −1 to 1; NaN where the data do not determine one of the two.
	Corr   [][]float64
	Cond   float64   // of the scaled Fisher information; +Inf when it is singular
	Weak   [][]Share // directions along which it is as good as 0, the weakest first
	NoPull []string  // parameters that no datum depends on
	// TooFew says that there are fewer values than parameters.
	TooFew bool
	// Given is how many free weights were taken as given.
	Given int
	// Bound are parameters that ended at a bound: they have no standard error, and are taken as given for the others.
	Bound []string
}

// Share is a parameter's part in a direction of parameter space, from −1 to 1.
type Share struct {
	Name string
	Part float64
}

// fisher is nil without an error when there is nothing to look at.
func (f *fitting) fisher(ctx context.Context) (*Identifiability, error) {
	t := f.trial
	id := &Identifiability{}
	var vars []int
	for k, v := range t.vars {
		if v.weight {
			id.Given++
			continue
		}
		if _, at := v.bound(t.value1(&v)); at {
			id.Bound = append(id.Bound, v.name)
			continue
		}
		vars = append(vars, k)
		id.Names = append(id.Names, v.name)
	}
	each, n := 0, 0 // the most parameters that one trajectory depends on, and the values of all
	for k, tr := range t.tr {
		of := 0
		for _, i := range vars {
			if v := &t.vars[i]; !v.own || v.of == k {
				of++
			}
		}
		each, n = max(each, of), n+tr.data.N()
	}
	if p := float64(len(vars)); p == 0 || each > maxFisher || float64(n)*p*p > maxSingular && len(vars) > maxFisher {
		return nil, nil
	}
	j, sse, err := f.jacobian(ctx, vars, id.Given > 0)
	if err != nil {
		return nil, err
	}
	if n, p := j.Dims(); t.data.pen.Likelihood {
		// J is in units of the errors' scale, so that their variance is 1; where the scale was estimated, as by nls, n/(n − p).
		if sse = float64(n - p); len(t.noise) > 0 {
			sse = float64(n)
		}
	}
	return id, id.analyse(j, sse, t.data.pen.Squares || t.data.pen.Likelihood)
}

// jacobian is √w ∂r/∂θ, a row for each value that is not missing and a column for each of the variables, and the weighted sum of squares. given says
// that there are weights beside, which are taken as given.
func (f *fitting) jacobian(ctx context.Context, vars []int, given bool) (*mat.Dense, float64, error) {
	t := f.trial
	n := 0
	for _, tr := range t.tr {
		n += tr.data.N()
	}
	j := mat.NewDense(n, len(vars), nil)
	t.row(0)
	sse, errs := make([]float64, len(t.tr)), make([]error, len(t.tr))
	t.share(t, len(t.tr), func(w *worker, k int) bool {
		tr := t.tr[k]
		var wrt, cols []int
		for q, i := range vars {
			if v := &t.vars[i]; !v.own || v.of == k {
				wrt, cols = append(wrt, v.index), append(cols, q)
			}
		}
		tr.write(w.th)
		sse[k], errs[k] = t.rows(ctx, w, tr, wrt, cols, j, t.row(k), given)
		w.restore(t, tr, false)
		return errs[k] == nil
	})
	sum := 0.0
	for k, tr := range t.tr {
		if errs[k] != nil {
			return nil, 0, tr.named(errs[k])
		}
		sum += sse[k]
	}
	return j, sum, nil
}

// rows writes the rows of one trajectory, from row at on, by the entries wrt of θ into the columns cols, and gives its sum of squares.
func (t *trial) rows(ctx context.Context, w *worker, tr *trajectory, wrt, cols []int, j *mat.Dense, at int, given bool) (sse float64, err error) {
	l, d := tr.data, w.desk(tr)
	p := &w.prob
	*p = tr.prob
	p.Theta, p.Times = w.th, l.data.Times
	// Standard errors deserve better than the least tolerance that will train, unless they are for orientation only: beside weights that are taken
	// as given. Networks that are not smooth would need hundreds of steps.
	if (p.Rtol == 0 || p.Rtol > 1e-8) && !given {
		p.Rtol = 1e-8
	}
	if (p.Atol == 0 || p.Atol > 1e-10) && !given {
		p.Atol = 1e-10
	}
	s, sol, err := d.tangents.Sensitivities(ctx, p, sens.ForwardMethod{Wrt: wrt})
	if err != nil {
		return 0, err
	}
	if !sol.Status.Ended() {
		return 0, sol.Fault
	}
	raw, ok := j.RawMatrix(), l.residuals(sol.X, p.Theta, func(row, col int, r, _ float64) { sse += l.data.Columns[col].weight(row) * r * r })
	if !ok || !l.jacobian(raw.Data[at*raw.Stride:], raw.Stride, cols, s, sol, p.Theta, wrt, l.precision) {
		return 0, l.Failure()
	}
	return sse, nil
}

// analyse fills in everything from J, n × p, which it overwrites.
func (id *Identifiability) analyse(j *mat.Dense, sse float64, squares bool) error {
	n, p := j.Dims()
	id.StdErr = make([]float64, p)
	id.Corr = make([][]float64, p)
	for q := range id.Corr {
		id.Corr[q] = make([]float64, p)
		for r := range id.Corr[q] {
			id.Corr[q][r] = math.NaN()
		}
	}
	length := make([]float64, p)
	col := make([]float64, n)
	var kept []int
	for q := range p {
		id.StdErr[q] = math.NaN()
		mat.Col(col, q, j)
		if firstBad(col) >= 0 {
			return fmt.Errorf("a sensitivity by %s is not finite", id.Names[q])
		}
		if length[q] = norm2(col); length[q] == 0 {
			id.NoPull = append(id.NoPull, id.Names[q])
			continue
		}
		kept = append(kept, q)
	}
	id.Cond = math.Inf(1)
	if n < len(kept) {
		id.TooFew = true
		return nil
	}
	if len(kept) == 0 {
		return nil
	}
	scaled := mat.NewDense(n, len(kept), nil)
	for m, q := range kept {
		for i := range n {
			scaled.Set(i, m, j.At(i, q)/length[q])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(scaled, mat.SVDThin) {
		return fmt.Errorf("the singular values of the sensitivities were not found")
	}
	s := svd.Values(nil)
	var v mat.Dense
	svd.VTo(&v)
	if len(id.NoPull) == 0 {
		id.Cond = (s[0] / s[len(s)-1]) * (s[0] / s[len(s)-1])
	}
	open := make([]bool, len(kept)) // parameters with a part in a weak direction
	for k := len(s) - 1; k >= 0 && !(s[k] > s[0]/math.Sqrt(maxCond)); k-- {
		var dir []Share
		for m, q := range kept {
			if part := v.At(m, k); math.Abs(part) >= partOf {
				dir = append(dir, Share{id.Names[q], part})
				open[m] = true
			}
		}
		id.Weak = append(id.Weak, dir)
	}
	// (JᵀJ)⁻¹ of the scaled J, without the directions that it says nothing about.
	inverse := func(m, o int) float64 {
		sum := 0.0
		for k := range s {
			if s[k] > s[0]/math.Sqrt(maxCond) {
				sum += (v.At(m, k) / s[k]) * (v.At(o, k) / s[k])
			}
		}
		return sum
	}
	diagonal := make([]float64, len(kept))
	for m := range kept {
		diagonal[m] = inverse(m, m)
	}
	for m, q := range kept {
		for o, r := range kept[:m+1] {
			if open[m] || open[o] {
				continue
			}
			c := 1.0
			if o != m {
				c = max(-1, min(inverse(m, o)/math.Sqrt(diagonal[m]*diagonal[o]), 1))
			}
			id.Corr[q][r], id.Corr[r][q] = c, c
		}
	}
	if !squares || n <= p {
		return nil
	}
	sigma2 := sse / float64(n-p)
	for m, q := range kept {
		if !open[m] {
			id.StdErr[q] = math.Sqrt(sigma2*diagonal[m]) / length[q]
		}
	}
	return nil
}

// warnings say in words what is not identifiable.
func (id *Identifiability) warnings() []string {
	var out []string
	if id.TooFew {
		out = append(out, fmt.Sprintf("there are fewer values than free parameters (%d): they cannot all be determined", len(id.Names)))
	}
	for _, name := range id.NoPull {
		out = append(out, fmt.Sprintf("no value depends on %s: it cannot be determined, leave it out of `free`", name))
	}
	for _, d := range id.Weak {
		// Signs are relative: turn the direction so that its first part rises.
		sign := 1.0
		if len(d) > 0 && d[0].Part < 0 {
			sign = -1
		}
		var up, down []string
		for _, s := range d {
			if s.Part*sign > 0 {
				up = append(up, s.Name)
			} else {
				down = append(down, s.Name)
			}
		}
		how := "changed together"
		if len(up) > 0 && len(down) > 0 {
			how = strings.Join(up, ", ") + " up with " + strings.Join(down, ", ") + " down"
		}
		out = append(out, fmt.Sprintf("not identifiable: %s (%s hardly changes the fit); fix one of them, or measure more",
			strings.Join(append(up, down...), ", "), how))
	}
	return out
}
