package verb

import (
	"errors"
	"slices"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/value"
)

func steadyVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	p := &solve.SteadyProblem{Sys: m.C.System}
	if p.T, err = c.Number("t", 0); err != nil {
		return nil, err
	}
	if !finite(p.T) {
		return nil, c.Bad("t", "`t` must be a time, this is %s", value.Format(p.T))
	}
	if p.Rtol, p.Atol, err = c.tolerances(); err != nil {
		return nil, err
	}
	if !c.Has("rtol") {
		p.Rtol = solve.SteadyRtol
	}
	if !c.Has("atol") {
		p.Atol = solve.SteadyAtol
	}
	if p.Theta, err = c.theta(m); err != nil {
		return nil, err
	}
	if p.MaxSteps, err = c.Int("max_steps", c.Limits.Steps); err != nil {
		return nil, err
	}
	ways := []solve.SteadyBy{solve.SteadyAuto, solve.SteadyNewton, solve.SteadyContinuation, solve.SteadyIntegration}
	var words []string
	for _, w := range ways {
		words = append(words, w.String())
	}
	by, err := c.WordOf("by", words[0], words...)
	if err != nil {
		return nil, err
	}
	for i, w := range words {
		if w == by {
			p.By = ways[i]
		}
	}
	r, err := solve.FindSteady(c.Ctx, p)
	if err != nil {
		return nil, c.noSteady(m, err)
	}
	return &value.Steady{Of: r, Model: m}, nil
}

// noSteady places the error of a search that found nothing at the equation that is furthest from zero.
func (c *Call) noSteady(m *value.Model, err error) error {
	var se *solve.SteadyError
	if !errors.As(err, &se) {
		return err
	}
	span, text := c.Span, ""
	if s, ok := se.Where.(diag.Span); ok && !s.IsZero() {
		span, text = s, "is "+value.Short(se.Residual, 4)+" here"
	} else {
		for i, sl := range m.C.System.States {
			if se.Worst >= sl.Off && se.Worst < sl.Off+sl.Size() && i < len(m.C.Model.Eqs) {
				span, text = m.C.Model.Eqs[i].Span, se.Equation+" is "+value.Short(se.Residual, 4)+" here"
				for _, part := range m.C.Model.Eqs[i].Parts {
					if slices.Contains(part.Flat, se.Worst-sl.Off) {
						span = part.Span
					}
				}
			}
		}
	}
	if se.Source != nil {
		if s, ok := se.Source.Where.(diag.Span); ok && !s.IsZero() {
			span, text = s, "is "+value.Format(se.Source.Value)+" here"
		}
	}
	d := diag.New("E0509", span, "%s: %v", c.Verb.Name, se)
	if text != "" {
		d.At("%s", text)
		if !c.Span.IsZero() {
			d.And(c.Span, "in this search")
		}
	}
	return d.WithHelp("%s", se.Help())
}
