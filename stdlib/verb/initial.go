package verb

import (
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/value"
)

// inconsistent places the error of initial values at the equation that they do not satisfy.
func (c *Call) inconsistent(err *solve.InitialError) error {
	d := diag.New("E0530", c.Span, "%s: %v", c.Verb.Name, err)
	if s, ok := err.Equation.Where.(diag.Span); ok && !s.IsZero() {
		d = diag.New("E0530", s, "%v", err)
		if d.At("is off by %s at the start", value.Short(err.Residual, 4)); err.Residual == 0 {
			d.At("does not determine its unknowns")
		}
		if !c.Span.IsZero() {
			d.And(c.Span, "in this call")
		}
	}
	return d.WithHelp("%s", err.Help())
}
