package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/sens"
	"gonum.org/v1/gonum/mathext"
)

// The profile likelihood of a parameter: it is held at a value, everything else that was free is
// fitted anew, and the loss that is left is looked at as a function of that value. The interval
// is where it stays below a threshold; where it does so for ever, the data do not bound the
// parameter on that side, however small its standard error is. Unlike standard errors that follow from the
// curvature at the optimum, it needs no parabola.
//
// With squares and noise of an unknown variance the threshold is
//
//	SSE(φ) ≤ SSE(φ̂) (1 + F/(n − p)),   F the quantile of F with 1 and n − p degrees of freedom,
//
// with a known standard deviation σ it is SSE(φ) ≤ SSE(φ̂) + σ² χ², χ² that with 1 degree.
//
// A. Raue et al., Structural and practical identifiability analysis of partially observed dynamical
// models by exploiting the profile likelihood, Bioinformatics 25 (2009), 1923–1929; D. M. Bates,
// D. G. Watts, Nonlinear Regression Analysis and Its Applications, Wiley 1988, section 6.1.2, for the
// threshold and for steps of equal length in the root of the statistic.

// ProfileOptions of Result.Profile. The zero value is ready.
type ProfileOptions struct {
	Level  float64 // of the interval; 0 means 0.95
	Points int     // on each side up to the threshold; 0 means 8
	Sigma  float64 // standard deviation of the noise, if it is known: of a value of weight 1, on the log scale of its logarithm. 0: estimated
}

// Profile is the loss along one parameter.
type Profile struct {
	Name      string
	Estimate  float64        // at the optimum that the fit has come to, or that was found from there
	Loss      float64        // there
	Fitted    float64        // where the fit has left it
	FitLoss   float64        // there: above Loss where the training had not reached its optimum
	Level     float64        // of the interval
	Threshold float64        // the loss up to which a value belongs to the interval
	Points    []ProfilePoint // by rising value, the estimate among them
	Names     []string       // the other free parameters that are no weights

	Lo, Hi         float64 // the interval; infinite where it is open
	OpenLo, OpenHi string  // why it is open, "" where it is not
	// Lower is a point with a lower loss than the fit's, nil when there is none: the fit has not reached its optimum.
	Lower *ProfilePoint
	Evals int // of the loss
}

// ProfilePoint is one value with all else fitted.
type ProfilePoint struct {
	Value, Loss float64
	Others      []float64 // of Profile.Names

	tau float64   // root of the statistic
	all []float64 // of all variables
}

// ProfileError is a profile that cannot be made.
type ProfileError struct{ Reason, Help string }

// Error is the reason.
func (e *ProfileError) Error() string { return e.Reason }

const (
	profileFar     = 1e3 // so many times its own size a parameter goes before the interval counts as open
	profileMost    = 60  // points on a side
	profileGrow    = 2.5 // a step is at most so many times the one before
	profileRefine  = 12  // refits to find where the threshold is crossed
	profileCross   = 1e-4
	profileHalves  = 12   // of a step that goes too far
	profileEdge    = 1e-6 // share of the way to a bound that counts as being there
	profileBetter  = 1e-4
	profileIters   = 200
	profileMostDim = 200 // variables up to which the refits use a dense inverse Hessian
)

// Profile holds a free parameter, initial value or weight ("alpha", "U.W1[1,2]") at values on both sides of its estimate and fits
// all else anew, from the neighbouring point. The fit must have been one to data by least squares.
//
// The error is *NameError, *ProfileError, or that of ctx.
func (r *Result) Profile(ctx context.Context, name string, o ProfileOptions) (*Profile, error) {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Points == 0 {
		o.Points = 8
	}
	switch {
	case !(o.Level > 0 && o.Level < 1):
		return nil, &ProfileError{fmt.Sprintf("the level of an interval lies between 0 and 1, not at %v", o.Level), "0.95 is the default"}
	case o.Points < 2 || o.Points > 1000:
		return nil, &ProfileError{fmt.Sprintf("a profile has 2 to 1000 points on each side, not %d", o.Points), "8 is the default"}
	case !(o.Sigma >= 0) || math.IsInf(o.Sigma, 0):
		return nil, &ProfileError{fmt.Sprintf("the standard deviation of the noise is a positive number, not %v", o.Sigma), "leave it out to have it estimated"}
	case r.spec == nil:
		return nil, &ProfileError{"this result was not made by a fit", "fit first"}
	}
	s := *r.spec
	s.Theta = append([]float64(nil), r.Theta...)
	if s.Trajectories = slices.Clone(s.Trajectories); r.Own != nil {
		for k := range s.Trajectories {
			s.Trajectories[k].Index, s.Trajectories[k].Values = r.Own[k].Index, r.Own[k].Values
		}
	}
	f, err := prepare(&s)
	if err != nil {
		return nil, err
	}
	if f.trial.data == nil || !f.trial.data.pen.Squares && !f.trial.data.pen.Likelihood {
		return nil, &ProfileError{"a profile needs a fit to data by least squares or by a likelihood, since its threshold is one of these", "fit with `loss = sse` or `normal`"}
	}
	if len(f.priced) > 0 {
		return nil, &ProfileError{"a profile needs the sum of squares alone, and this fit was one with a price on parameters or weights", "fit without it"}
	}
	p := &profiling{f: f, o: o, at: -1}
	e := &NameError{Name: name, Reason: "it is not among what was free"}
	p.out = &Profile{Name: name, Level: o.Level, Lo: math.Inf(-1), Hi: math.Inf(1)}
	for k, v := range f.trial.vars {
		if v.name == name {
			p.at, p.v = k, v
			continue
		}
		if !v.weight {
			e.Known = append(e.Known, v.name)
			p.names = append(p.names, k)
			p.out.Names = append(p.out.Names, v.name)
		}
	}
	if p.at < 0 {
		return nil, e
	}
	if err := p.threshold(); err != nil {
		return nil, err
	}
	return p.run(ctx, r)
}

// profiling is a profile under way.
type profiling struct {
	f     *fitting
	o     ProfileOptions
	v     variable // the parameter
	at    int      // its place among the variables
	names []int    // among the variables, of Profile.Names
	out   *Profile
	limit float64 // of the statistic
	unit  float64 // the statistic is (loss − least loss)/unit
}

// values is how many values are compared, over all trajectories.
func (p *profiling) values() (n int) {
	for _, tr := range p.f.trial.tr {
		n += tr.data.N()
	}
	return n
}

// threshold settles what the statistic is compared with. The loss at the estimate is not known yet: with F it is what unit is a share of.
func (p *profiling) threshold() error {
	n := p.values()
	dof := n - len(p.f.trial.vars)
	if p.f.trial.data.pen.Likelihood {
		if p.o.Sigma > 0 {
			return &ProfileError{"a likelihood says by itself how large the noise is", "leave `sigma` out"}
		}
		z := math.Sqrt2 * math.Erfinv(p.o.Level)
		p.limit, p.unit = z*z, 0.5 // twice the loss is compared with χ²
		return nil
	}
	if p.o.Sigma > 0 {
		z := math.Sqrt2 * math.Erfinv(p.o.Level)
		p.limit, p.unit = z*z, p.o.Sigma*p.o.Sigma
		if p.f.trial.data.pen.Mean {
			p.unit /= float64(n)
		}
		return nil
	}
	if dof <= 0 {
		return &ProfileError{fmt.Sprintf("%d values and %d free scalars leave nothing to estimate the noise from", n, len(p.f.trial.vars)),
			"say how large it is, `sigma = 0.1`, or fit fewer at once with `free`"}
	}
	x := mathext.InvRegIncBeta(float64(dof)/2, 0.5, 1-p.o.Level)
	p.limit = float64(dof) * (1/x - 1)
	return nil
}

// refit gives the least loss with the parameter at value, from where the variables are start. A point that cannot be solved has an infinite loss.
func (p *profiling) refit(ctx context.Context, value float64, start []float64) (ProfilePoint, error) {
	one := p.f.trial.without(p.at, value, start)
	vars := one.vars
	pt := ProfilePoint{Value: value, Loss: math.Inf(1)}
	stage, err := p.stage(len(vars))
	if err != nil {
		return pt, err
	}
	m, err := Minimise(ctx, one, one.start(), []Stage{stage}, Settings{})
	var bad *NonFiniteStart
	switch {
	case errors.As(err, &bad):
		p.out.Evals++
		return pt, nil
	case err != nil:
		return pt, err
	case m.Status == Cancelled:
		return pt, context.Cause(ctx)
	}
	p.out.Evals += m.Evals
	one.set(m.U)
	pt.Loss = m.F
	for k := range vars {
		pt.all = append(pt.all, one.value1(&vars[k]))
	}
	pt.all = slices.Insert(pt.all, p.at, value)
	for _, k := range p.names {
		pt.Others = append(pt.Others, pt.all[k])
	}
	return pt, nil
}

// middle is the point that a profile starts from. A training that has ended early is ended first: the threshold is measured from the least loss, and
// what lies around another point is no interval of anything.
func (p *profiling) middle(ctx context.Context, all []float64) (ProfilePoint, error) {
	t, out := p.f.trial, p.out
	stages := stagesFor(t)
	if !stages[0].Optimiser.Squares {
		stage, err := p.stage(len(t.vars))
		if err != nil {
			return ProfilePoint{}, err
		}
		stages = []Stage{stage}
	}
	m, err := Minimise(ctx, t, t.start(), stages, Settings{})
	if refused := (*sens.RefusedError)(nil); errors.As(err, &refused) && stages[0].Optimiser.Squares { // the residuals have no derivative, their sum may
		if stages[0], err = p.stage(len(t.vars)); err == nil {
			m, err = Minimise(ctx, t, t.start(), stages, Settings{})
		}
	}
	var bad *NonFiniteStart
	switch {
	case errors.As(err, &bad):
		return ProfilePoint{}, &ProfileError{"the fitted model cannot be solved over the data", "fit it again"}
	case err != nil:
		return ProfilePoint{}, err
	case m.Status == Cancelled:
		return ProfilePoint{}, context.Cause(ctx)
	}
	out.Evals += m.Evals
	out.FitLoss = m.History[0].Loss
	known, dof := p.unit > 0, float64(p.values()-len(t.vars))
	if !known {
		p.unit = m.F / dof
	}
	if out.FitLoss-m.F > profileBetter*p.limit*p.unit {
		t.set(m.U)
		for k := range all {
			all[k] = t.value1(&t.vars[k])
		}
	}
	mid, err := p.refit(ctx, all[p.at], all)
	if err == nil && math.IsInf(mid.Loss, 0) {
		err = &ProfileError{"the fitted model cannot be solved over the data", "fit it again"}
	}
	if !known {
		p.unit = mid.Loss / dof
	}
	return mid, err
}

// stage is the optimiser of refits of n variables.
func (p *profiling) stage(n int) (Stage, error) {
	name := "lbfgs"
	if n <= profileMostDim {
		name = "bfgs"
	}
	return NewStage(name, map[string]float64{"iters": profileIters})
}

// Moved says that the training had not reached its optimum, so that the profile is one around another point than the fit's.
func (p *Profile) Moved() bool { return p.Fitted != p.Estimate }

// Warning says in words what is wrong with the fit, "" where nothing is.
func (p *Profile) Warning() string {
	switch {
	case p.Moved():
		return fmt.Sprintf("the training had not reached its optimum: the loss is %.6g at %s = %.6g, and the fit's %.6g at %.6g; the profile is that of the optimum, fit again to have it as a model", p.Loss, p.Name, p.Estimate, p.FitLoss, p.Fitted)
	case p.Lower != nil:
		return fmt.Sprintf("the loss is %.6g at %s = %.6g, lower than the fit's %.6g: the training has not reached its optimum, fit again from there", p.Lower.Loss, p.Name, p.Lower.Value, p.Loss)
	}
	return ""
}

// run walks both sides.
func (p *profiling) run(ctx context.Context, r *Result) (*Profile, error) {
	out := p.out
	t := p.f.trial
	all := make([]float64, len(t.vars))
	for k := range all {
		all[k] = t.value1(&t.vars[k])
	}
	out.Fitted = all[p.at]
	mid, err := p.middle(ctx, all)
	if err != nil {
		return nil, err
	}
	out.Estimate, out.Loss = mid.Value, mid.Loss
	sse := out.Loss
	if p.f.trial.data.pen.Mean {
		sse *= float64(p.values())
	}
	if _, exact := p.f.meets(sse); exact && p.o.Sigma == 0 && !p.f.trial.data.pen.Likelihood {
		return nil, &ProfileError{"the fit meets the data exactly, or as well as the solver does, so there is no noise to measure deviations by", "say how large it is, `sigma = 0.1`"}
	}
	out.Threshold = out.Loss + p.limit*p.unit
	first := 0.1 * math.Max(math.Abs(out.Estimate), p.f.trial.vars[p.at].Scale)
	for _, e := range r.Report.Params {
		if e.Name == out.Name && e.StdErr > 0 && !math.IsInf(e.StdErr, 0) {
			first = math.Min(e.StdErr*math.Sqrt(p.limit)/float64(p.o.Points), 10*first)
		}
	}
	var left, right []ProfilePoint
	if left, out.Lo, out.OpenLo, err = p.side(ctx, mid, -1, first, p.v.Lo); err != nil {
		return nil, err
	}
	if right, out.Hi, out.OpenHi, err = p.side(ctx, mid, 1, first, p.v.Hi); err != nil {
		return nil, err
	}
	for i := len(left) - 1; i >= 0; i-- {
		out.Points = append(out.Points, left[i])
	}
	out.Points = append(append(out.Points, mid), right...)
	for i := range out.Points {
		if q := &out.Points[i]; q.Loss < out.Loss-profileBetter*p.limit*p.unit && (out.Lower == nil || q.Loss < out.Lower.Loss) {
			out.Lower = q
		}
	}
	return out, nil
}

// tau is the root of the statistic.
func (p *profiling) tau(loss float64) float64 { return math.Sqrt(max(loss-p.out.Loss, 0) / p.unit) }

// side walks from the estimate towards one bound until the threshold is crossed. It gives the points and the end of the interval, or why there is none.
func (p *profiling) side(ctx context.Context, mid ProfilePoint, dir, h, bound float64) (pts []ProfilePoint, end float64, open string, err error) {
	goal := math.Sqrt(p.limit)
	step := goal / float64(p.o.Points)
	far := profileFar * math.Max(math.Abs(mid.Value), p.v.Transform.size())
	at := mid
	halves := 0
	for len(pts) < profileMost+p.o.Points {
		to := at.Value + dir*h
		if (bound-to)*dir <= 0 {
			to = bound
		}
		if to == at.Value {
			break
		}
		q, err := p.refit(ctx, to, at.all)
		if err != nil {
			return nil, 0, "", err
		}
		if math.IsInf(q.Loss, 0) && to == bound {
			// Beside a bound at which the equations make no sense.
			if in, ok := p.v.Inside(bound); ok && (in-at.Value)*dir > 0 {
				if q, err = p.refit(ctx, in, at.all); err != nil {
					return nil, 0, "", err
				}
			}
		}
		q.tau = p.tau(q.Loss)
		if q.tau > goal+2*step || q.tau-at.tau > 3*step {
			if halves++; halves <= profileHalves {
				h = math.Abs(to-at.Value) / 2
				continue
			}
			if math.IsInf(q.Loss, 0) {
				return pts, dir * math.Inf(1), fmt.Sprintf("the model cannot be solved beyond %.6g", at.Value), nil
			}
		}
		pts = append(pts, q)
		if q.tau >= goal {
			cross, err := p.cross(ctx, at, q, goal)
			if err != nil {
				return nil, 0, "", err
			}
			if cross != nil && !math.IsInf(bound, 0) && math.Abs(cross.Value-bound) <= profileEdge*math.Abs(mid.Value-bound) {
				// What rises is the wall of the bound itself: it makes a product 0 that any other value leaves as it is.
				return append(pts[:len(pts)-1], *cross), dir * math.Inf(1), fmt.Sprintf("the loss stays below the threshold up to the bound %.6g, but for that value itself", bound), nil
			}
			if cross != nil {
				pts = append(pts[:len(pts)-1], *cross, q)
				return pts, cross.Value, "", nil
			}
			return pts, q.Value, "", nil
		}
		if to == bound {
			return pts, dir * math.Inf(1), fmt.Sprintf("the loss stays below the threshold up to the bound %.6g", bound), nil
		}
		if math.Abs(q.Value-mid.Value) >= far {
			break
		}
		next := profileGrow * h
		if rise := q.tau - at.tau; rise > 0 {
			next = min(next, step*math.Abs(q.Value-at.Value)/rise)
		}
		h, halves = max(next, h/4), 0
		if rest := (bound - q.Value) * dir; h > rest/2 && h < rest {
			h = rest / 2 // no sliver is left before the bound
		}
		at = q
	}
	last := mid.Value
	if len(pts) > 0 {
		last = pts[len(pts)-1].Value
	}
	return pts, dir * math.Inf(1), fmt.Sprintf("the loss stays below the threshold as far as %.3g", last), nil
}

// size is what a parameter's distance from its estimate is measured by.
func (t Transform) size() float64 {
	if t.two() {
		return t.Hi - t.Lo
	}
	return t.Scale
}

// cross finds where the threshold is crossed between two points, by the secant with the Illinois modification; nil where that is at b.
//
// M. Dowell, P. Jarratt, A modified regula falsi method for computing the root of an equation, BIT 11 (1971), 168–174.
func (p *profiling) cross(ctx context.Context, a, b ProfilePoint, goal float64) (*ProfilePoint, error) {
	fa, fb := a.tau-goal, b.tau-goal
	if math.IsInf(fb, 1) || fb <= profileCross*goal {
		return nil, nil
	}
	var best *ProfilePoint
	kept := 0 // the end that was kept last time: −1 for a, 1 for b
	for range profileRefine {
		v := b.Value - fb*(b.Value-a.Value)/(fb-fa)
		q, err := p.refit(ctx, v, a.all)
		if err != nil {
			return nil, err
		}
		q.tau = p.tau(q.Loss)
		best = &q
		f := q.tau - goal
		if math.Abs(f) <= profileCross*goal {
			break
		}
		if f > 0 {
			if b, fb = q, f; kept == -1 {
				fa /= 2
			}
			kept = -1
		} else {
			if a, fa = q, f; kept == 1 {
				fb /= 2
			}
			kept = 1
		}
	}
	return best, nil
}

// String is the profile in words.
func (p *Profile) String() string {
	s := fmt.Sprintf("%s = %.6g, %.3g %% interval ", p.Name, p.Estimate, 100*p.Level)
	end := func(v float64) string {
		switch {
		case math.IsInf(v, -1):
			return "−∞"
		case math.IsInf(v, 1):
			return "∞"
		}
		return fmt.Sprintf("%.6g", v)
	}
	s += end(p.Lo) + " to " + end(p.Hi)
	for _, o := range []struct{ why, side string }{{p.OpenLo, "below"}, {p.OpenHi, "above"}} {
		if o.why != "" {
			s += fmt.Sprintf("\nnot identifiable %s: %s", o.side, o.why)
		}
	}
	if w := p.Warning(); w != "" {
		s += "\nwarning: " + w
	}
	return s
}
