package verb

import (
	"errors"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/value"
)

// Explain gives an error of the runtime a code, the places it speaks of and help; any other error is returned as it is.
func (c *Call) Explain(err error) error {
	if err == nil || len(diag.From(err)) > 0 {
		return err
	}
	var out *solve.OutsideError
	var initial *solve.InitialError
	var unsuited *solve.UnsuitedError
	var refused *sens.RefusedError
	var bad *sens.NonFinite
	var part *solve.NotSeparableError
	var apart *sens.DifferenceError
	var event *solve.EventError
	switch {
	case errors.As(err, &out):
		span := value.Format(out.T0) + ".." + value.Format(out.T1)
		if out.T0 == out.T1 {
			span = "t = " + value.Format(out.T0)
		}
		return diag.New("E0508", c.SpanOf("t"), "%v", out).At("%s", span).
			And(c.SpanOf("inputs"), "known over %s..%s", value.Format(out.Lo), value.Format(out.Hi)).
			WithHelp("stay within the table, lengthen it, or let its end values hold, `outside = hold`")
	case errors.As(err, &initial):
		return c.inconsistent(initial)
	case errors.As(err, &unsuited):
		d := diag.New("E0516", c.SpanOf("solver"), "%s", unsuited.Text()).WithHelp("these can: %s; or leave the choice to `auto`", unsuited.Others)
		if s, ok := unsuited.Because.Where.(diag.Span); ok && !s.IsZero() {
			text := "this is one"
			if unsuited.Derivative {
				text = "solved with the others: the derivative stands with a factor, or with another one"
				d.Note("an equation that gives one derivative by itself, `x' = …`, needs no such solver")
			}
			d.And(s, "%s", text)
		}
		return d
	case errors.As(err, &part):
		return diag.New("E0516", c.SpanOf("solver"), "%v", part).WithHelp("take a solver of another kind, such as `Vern9`, or leave the choice to `auto`")
	case errors.As(err, &apart):
		return diag.New("E0510", c.Span, "%v", apart).WithHelp("the parameter stands at the edge of where the model has a solution; `grad` needs no solve beside it")
	case errors.As(err, &bad):
		d := diag.New("E0522", c.Span, "%v", bad)
		if bad.Source != nil {
			if s, ok := bad.Source.Where.(diag.Span); ok && !s.IsZero() {
				d.Labels = []diag.Label{{Span: s, Text: "its derivative is " + value.Format(bad.Source.Value) + " here"}, {Span: c.Span, Text: "in this call"}}
			}
		}
		return d.WithHelp("take values at which the equations are smooth, or write them so, as sqrt(x + 1e-12) for sqrt(x)")
	case errors.As(err, &refused):
		d := diag.New("E0510", c.Span, "%v", refused)
		if h := refused.Help(); h != "" {
			d.WithHelp("%s", h)
		}
		return d
	case errors.As(err, &event):
		d := diag.New("E0515", c.Span, "%s: %s", c.Verb.Name, event.Text)
		if s, ok := event.Where.(diag.Span); ok && !s.IsZero() {
			d = diag.New("E0515", s, "%s: %s", c.Verb.Name, event.Text).At("this event")
			if !c.Span.IsZero() {
				d.And(c.Span, "in this call")
			}
		}
		return d.WithHelp("%s", event.Try)
	}
	return err
}
