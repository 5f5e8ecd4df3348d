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
	// Offset is how far a Gauss–Newton step would still go, in standard errors: 0 at an optimum, and well below 1 where the training may count as
	// ended. NaN without standard errors.
	//
	// D. M. Bates, D. G. Watts, A relative offset orthogonality convergence criterion for nonlinear least squares, Technometrics 23 (1981), 179–183.
	Offset float64
	// Missing says why there are no standard errors at all; "" where there are some.
	Missing string
}

// Share is a parameter's part in a direction of parameter space, from −1 to 1.
type Share struct {
	Name string
	Part float64
}

// fisher is nil without an error when there is nothing to look at. sse is the weighted sum of squares of the fit, and e its residuals, so that Jᵀe is the
// gradient of half the sum of squares, or of −log L.
func (f *fitting) fisher(ctx context.Context, sse float64, e []float64) (*Identifiability, error) {
	t := f.trial
	id := &Identifiability{Offset: math.NaN()}
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
	j, err := f.jacobian(ctx, vars, id.Given > 0)
	if err != nil {
		return nil, err
	}
	rows, p := j.Dims()
	variance := sse / float64(rows-p)
	switch pen := t.data.pen; {
	case pen.Likelihood && len(t.noise) == 0: // J is in units of the errors' scale
		variance = 1
	case pen.Likelihood: // as by nls
		variance = float64(rows) / float64(rows-p)
	case !pen.Squares:
		id.Missing = fmt.Sprintf("%s is neither a sum of squares nor a likelihood", pen.Name)
	}
	switch known := t.data.pen.Likelihood && len(t.noise) == 0; {
	case id.Missing != "":
	case rows < p:
		id.Missing = fmt.Sprintf("%s cannot determine %s", count(rows, "value"), count(p, "parameter"))
	case rows == p && !known:
		id.Missing = fmt.Sprintf("%s and %s leave nothing to estimate the noise from", count(rows, "value"), count(p, "parameter"))
	}
	return id, id.analyse(j, variance, e)
}

// jacobian is √w ∂r/∂θ, a row for each value that is not missing and a column for each of the variables. given says
// that there are weights beside, which are taken as given.
func (f *fitting) jacobian(ctx context.Context, vars []int, given bool) (*mat.Dense, error) {
	t := f.trial
	n := 0
	for _, tr := range t.tr {
		n += tr.data.N()
	}
	j := mat.NewDense(n, len(vars), nil)
	t.row(0)
	errs := make([]error, len(t.tr))
	t.share(t, len(t.tr), func(w *worker, k int) bool {
		tr := t.tr[k]
		var wrt, cols []int
		for q, i := range vars {
			if v := &t.vars[i]; !v.own || v.of == k {
				wrt, cols = append(wrt, v.index), append(cols, q)
			}
		}
		tr.write(w.th)
		errs[k] = t.rows(ctx, w, tr, wrt, cols, j, t.row(k), given)
		w.restore(t, tr, false)
		return errs[k] == nil
	})
	for k, tr := range t.tr {
		if errs[k] != nil {
			return nil, tr.named(errs[k])
		}
	}
	return j, nil
}

// rows writes the rows of one trajectory, from row at on, by the entries wrt of θ into the columns cols.
func (t *trial) rows(ctx context.Context, w *worker, tr *trajectory, wrt, cols []int, j *mat.Dense, at int, given bool) error {
	l, d := tr.data, w.desk(tr.prob.Sys, tr.data)
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
		return err
	}
	if !sol.Status.Ended() {
		return sol.Fault
	}
	raw := j.RawMatrix()
	if !l.jacobian(raw.Data[at*raw.Stride:], raw.Stride, cols, s, sol, p.Theta, wrt, l.precision) {
		return l.Failure()
	}
	return nil
}

// analyse fills in everything from J, n × p, which it overwrites, the variance of the errors of a value in J's units, and the residuals e, of
// length n or nil.
func (id *Identifiability) analyse(j *mat.Dense, variance float64, e []float64) error {
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
	if id.Missing != "" {
		return nil
	}
	for m, q := range kept {
		if !open[m] {
			id.StdErr[q] = math.Sqrt(variance*diagonal[m]) / length[q]
		}
	}
	if len(e) != n {
		return nil
	}
	var u mat.Dense
	svd.UTo(&u)
	sum := 0.0
	for k := range s {
		if s[k] > s[0]/math.Sqrt(maxCond) {
			c := 0.0
			for i, v := range e {
				c += u.At(i, k) * v
			}
			sum += c * c
		}
	}
	id.Offset = math.Sqrt(sum / float64(len(kept)) / variance)
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
