package udl

import (
	"context"
	"strconv"

	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// FitResult is a fit in numbers: history, status, and a report with estimates, standard errors, correlations and residuals. It is
// not to be changed. Its fields are Theta, Loss, History, Status, and Report with the estimates; go doc
// github.com/udl-lang/udl/runtime/train.Result and train.Report show them.
type FitResult = train.Result

// FitProgress is where a training stands after an iteration: Optimiser, Stage, Iter of Total; Loss, Best and GradNorm; Phase of Phases and Method; Start of
// Starts; Made of All iterations, Elapsed and Left. go doc github.com/udl-lang/udl/runtime/train.Progress shows them all.
type FitProgress = train.Progress

// FitResult is what a fit found, nil for a model that was not fitted.
func (m *Model) FitResult() *FitResult {
	if m.fitted() == nil {
		return nil
	}
	return m.m.Fit.Result
}

// checkpoint gives the options of long fits.
func (o FitOptions) checkpoint(args map[string]value.Value) {
	if o.Checkpoint != "" {
		args["checkpoint"] = value.Text(o.Checkpoint)
	}
	if n, err := strconv.Atoi(o.Every); err == nil {
		args["every"] = value.Num(float64(n))
	} else if o.Every != "" {
		args["every"] = value.Text(o.Every)
	}
	if o.Fresh {
		args["resume"] = value.Bool(false)
	}
}

// Profile is the loss along one parameter, everything else fitted, with the interval that follows from it: Name, Estimate, Loss, Lo, Hi, OpenLo and
// OpenHi (why it is open), Points and more, which go doc github.com/udl-lang/udl/runtime/train.Profile shows.
type Profile = train.Profile

// ProfileOptions say how far and how finely a profile goes: Level (0.95), Points on each side (8), Sigma where the noise is known. The zero value is ready. See
// go doc github.com/udl-lang/udl/runtime/train.ProfileOptions.
type ProfileOptions = train.ProfileOptions

// Profile is the profile likelihood of a parameter, initial value or weight ("U.W1[1,2]") of a fit to data by least squares
// (Raue et al. 2009).
func (m *Model) Profile(ctx context.Context, name string, o ProfileOptions) (*Profile, error) {
	args := map[string]value.Value{"fit": m.value(), "name": value.Text(name)}
	if o.Level != 0 {
		args["level"] = value.Num(o.Level)
	}
	if o.Points != 0 {
		args["points"] = value.Num(float64(o.Points))
	}
	if o.Sigma != 0 {
		args["sigma"] = value.Num(o.Sigma)
	}
	v, err := m.call(ctx, "profile", args, nil, nil)
	if err != nil {
		return nil, err
	}
	return v.(*value.Profile).Of, nil
}
