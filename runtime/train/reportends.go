package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
)

// What a report says of how far its figures can be trusted: standard errors or why there are none, and whether the training has come to an optimum.

const (
	// atOptimum is the offset below which a fit counts as converged, whatever its last line search met: what Bates and Watts propose.
	atOptimum = 1e-3
	// offOptimum is the offset from which on standard errors are warned of: a tenth of one.
	offOptimum = 0.1
)

// identify computes the Fisher information and warns of what the data leave open.
func (f *fitting) identify(ctx context.Context, r *Report, m *Minimum, sse float64, e []float64) {
	if m.Status == Cancelled {
		r.NoErrors = "the training was stopped"
		return
	}
	id, err := f.fisher(ctx, sse, e)
	if err != nil {
		if ctx.Err() == nil {
			r.Warnings = append(r.Warnings, "the standard errors could not be computed: "+err.Error())
		}
		return
	}
	if id == nil && len(r.Params) == 0 {
		return
	}
	if id == nil {
		r.NoErrors = fmt.Sprintf("more than %d parameters are free", maxFisher)
		if !slices.ContainsFunc(f.trial.vars, func(v variable) bool { _, at := v.bound(f.trial.value1(&v)); return !v.weight && !at }) {
			r.NoErrors = "all parameters are at their bounds"
		}
		return
	}
	r.Identify, r.NoErrors = id, id.Missing
	byName := map[string]float64{}
	for i, name := range id.Names {
		byName[name] = id.StdErr[i]
	}
	for i := range r.Params {
		if se, ok := byName[r.Params[i].Name]; ok {
			r.Params[i].StdErr = se
		}
	}
	r.Warnings = append(r.Warnings, id.warnings()...)
}

// ended settles whether the training has come to an optimum.
func (f *fitting) ended(r *Report, m *Minimum, sse float64) {
	if m.Status == Cancelled {
		return
	}
	exact := f.exact(r, sse)
	offset := math.NaN()
	if id := r.Identify; id != nil && id.Given == 0 && len(f.priced) == 0 && !f.bounded() && !exact {
		offset = id.Offset
	}
	switch {
	case m.Status == NoProgress && offset < atOptimum:
		m.Status, r.Status = Converged, Converged // its line search stopped where rounding decides
	case m.Status == Converged && !(offset > offOptimum):
	case f.unmoved(m) && m.Iters == 0:
		r.Warnings = append(r.Warnings, "no iteration was made: the model is what it was before")
	case f.unmoved(m):
		r.Warnings = append(r.Warnings, "no step has lowered the loss: the model is what it was before; try a smaller `rate`, or another optimiser")
	case offset > offOptimum:
		r.Warnings = append(r.Warnings, fmt.Sprintf("the training has not come to an optimum: from here on the estimates would still move by about %.2g standard errors, which mean little until then; "+
			"train for longer, or end by `lm` or `lbfgs`", offset))
	}
}

// unmoved says whether the result is the start.
func (f *fitting) unmoved(m *Minimum) bool {
	n := len(m.History)
	return len(f.phases) == 1 && n > 0 && f.trial.batch == nil && m.Iters+1 == n && m.History[n-1].Best >= m.History[0].Loss
}

// bounded says whether something lies on a bound, where no optimum need be.
func (f *fitting) bounded() bool {
	return slices.ContainsFunc(f.trial.vars, func(v variable) bool {
		_, at := v.bound(f.trial.value1(&v))
		return at
	})
}

// exact warns where there is no noise to measure by, and says whether that is so.
func (f *fitting) exact(r *Report, sse float64) bool {
	pen := f.trial.data.pen
	for _, n := range f.trial.noise {
		if n.n > 0 && n.sd <= n.least {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the model meets all values of %s exactly, so their standard deviation has gone to its least value, %.3g: the likelihood has no maximum, and neither AIC nor standard errors mean anything; "+
				"say how large the errors are, `sd = 0.1`, or measure more values than there are parameters", n.of.name(f.spec.Sys), n.sd))
			return true
		}
	}
	if !pen.Squares || r.Identify == nil || r.NoErrors != "" {
		return false
	}
	rtol, exact := f.meets(sse)
	if !exact {
		return false
	}
	r.Warnings = append(r.Warnings, fmt.Sprintf("the residuals are no larger than the errors of the solver (rtol = %.1g): the data have no noise that the standard errors could measure", rtol))
	return true
}

// meets says whether a weighted sum of squares is no more than what the solver's errors make, and the tolerance that it solves to.
func (f *fitting) meets(sse float64) (rtol float64, exact bool) {
	if rtol = f.spec.Problem.Rtol; rtol == 0 {
		rtol = solve.DefaultRtol
	}
	size := 0.0
	for _, tr := range f.trial.tr {
		l := tr.data
		for k, y := range l.target {
			for row, v := range y {
				switch w := l.data.Columns[k].weight(row); {
				case v != v:
				case l.logs:
					size += w
				default:
					size += w * v * v
				}
			}
		}
	}
	return rtol, sse <= rtol*rtol*size
}
