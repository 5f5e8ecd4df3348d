package verb

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/value"
)

// shifted warns of given initial values that did not stay, at the first of those states.
func (c *Call) shifted(m *value.Model, moved []solve.Shift) {
	if len(moved) == 0 {
		return
	}
	var parts []string
	for i, s := range moved {
		if i == 6 && len(moved) > 7 {
			parts = append(parts, fmt.Sprintf("… (%d states)", len(moved)))
			break
		}
		parts = append(parts, s.String())
	}
	span := c.Span
	name, _, _ := strings.Cut(moved[0].State, "[")
	for _, s := range m.C.Model.States {
		if s.Name == name && !s.Span.IsZero() {
			span = s.Span
		}
	}
	d := diag.New("E0531", span, "%s: given initial values contradict the equations, and it starts at %s", c.Verb.Name, strings.Join(parts, ", "))
	if span != c.Span && !c.Span.IsZero() {
		d.At("starts at %s", value.Short(moved[0].To, 6)).And(c.Span, "in this call")
	}
	d.Note("the rows of the mass matrix depend on each other, so that a combination of the equations holds no derivative; the combinations of states that are differentiated are kept")
	c.Warn(d.WithHelp("give initial values that satisfy that combination of the equations").AsWarning(), false)
}

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
