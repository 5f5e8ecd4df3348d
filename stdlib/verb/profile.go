package verb

import (
	"errors"
	"math"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// profileRow is the row of the table.
var profileRow = verb("profile", "profile", "The profile likelihood of a parameter of a fit (Raue et al. 2009): it is held at values on both sides of its estimate and everything else that was free is fitted anew. "+
	"`.interval` is where the loss stays below the threshold, infinite on a side where the data do not bound the parameter; `.grid`, `.loss` and `.others` are what was found on the way; `plot` draws it.",
	"model M { param k = 0.1; state hare = 30; hare' = k*hare }\nbest = fit(M, csv(\"lynx_hare.csv\", time = \"year\"))\nprint(profile(best, \"k\").interval)", profileVerb,
	arg("fit", "fitted model", "", ""), arg("name", "text", "", "a parameter, an initial value by the state's name, or a weight, `\"U.W1[1,2]\"`"),
	arg("level", "number", "0.95", "of the interval"), arg("points", "whole number", "8", "on each side up to the threshold"),
	arg("sigma", "number", "none", "the standard deviation of the noise, where it is known; estimated from the residuals when left out"))

func profileVerb(c *Call) (value.Value, error) {
	m, ok := c.Args["fit"].(*value.Model)
	if !ok || m.Fit == nil {
		return nil, c.Bad("fit", "`profile` needs a fitted model, this is %s", value.Describe(c.Args["fit"])).WithHelp("write `best = fit(…)`, then `profile(best, \"k\")`")
	}
	name, err := c.TextOf("name", "")
	if err != nil {
		return nil, err
	}
	var o train.ProfileOptions
	if o.Level, err = c.Number("level", 0.95); err != nil {
		return nil, err
	}
	if o.Points, err = c.Int("points", 8); err != nil {
		return nil, err
	}
	if o.Sigma, err = c.Number("sigma", 0); err != nil {
		return nil, err
	}
	if !(o.Level > 0 && o.Level < 1) {
		return nil, c.Bad("level", "`level` lies between 0 and 1, not at %s", value.Format(o.Level)).WithHelp("0.95 is the default")
	}
	if o.Points < 2 {
		return nil, c.Bad("points", "`points` is 2 or more, not %d", o.Points).WithHelp("8 is the default")
	}
	if c.Has("sigma") && !(o.Sigma > 0) {
		return nil, c.Bad("sigma", "`sigma` must be a positive number, this is %s", value.Format(o.Sigma)).WithHelp("leave it out to have it estimated")
	}
	p, err := m.Fit.Result.Profile(c.Ctx, name, o)
	var ne *train.NameError
	var pe *train.ProfileError
	switch {
	case errors.As(err, &ne):
		d := c.Bad("name", "`%s` has no profile: %s", ne.Name, ne.Reason)
		if s := diag.Suggest(ne.Name, ne.Known); s != "" {
			return nil, d.WithHelp("did you mean `%s`?", s)
		}
		for _, s := range m.C.System.Theta {
			if s.Owner == ne.Name && s.Role == system.RoleWeight {
				return nil, d.WithHelp("an unknown's weights have profiles one by one, such as `profile(%s, \"%s\")`", c.text("fit", "best"), system.Names([]system.Slot{s.Slot})[0])
			}
		}
		return nil, d.WithHelp("free were: %s", join(ne.Known))
	case errors.As(err, &pe):
		return nil, diag.New("E0518", c.Span, "%s has no profile: %v", name, pe).WithHelp("%s", pe.Help)
	case err != nil:
		return nil, err
	}
	if w := p.Warning(); w != "" {
		c.Warn(diag.New("E0534", c.SpanOf("fit"), "profile: %s", w).AsWarning(), false)
	}
	return &value.Profile{Of: p}, nil
}

// profileSeries draws the loss along a parameter, with the threshold.
func profileSeries(p *value.Plot, v *value.Profile) {
	o := v.Of
	p.XLabel, p.YLabel = o.Name, "loss"
	s := trace.Series{Name: "loss, all else fitted", Color: 1}
	// What lies far above the threshold would make the rest flat.
	top := o.Loss + 2*(o.Threshold-o.Loss)
	for _, q := range o.Points {
		if q.Loss <= top {
			s.X, s.Y = append(s.X, q.Value), append(s.Y, q.Loss)
		}
	}
	p.Series = append(p.Series, s)
	if n := len(s.X); n > 1 && !math.IsNaN(o.Threshold) {
		p.Series = append(p.Series, trace.Series{Name: value.Short(100*o.Level, 3) + " %", X: []float64{s.X[0], s.X[n-1]}, Y: []float64{o.Threshold, o.Threshold}, Color: 2})
	}
	p.Series = append(p.Series, trace.Series{Name: "estimate", X: []float64{o.Estimate}, Y: []float64{o.Loss}, Style: trace.Points, Color: 1})
}
