package compiler

import (
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// LanesOfWidth is the system's Lanes with groups of w lanes.
func LanesOfWidth(s *system.System, w int) system.Laning {
	f := s.RHS.(*fn)
	return func(m *method.RK, vary []int, dense bool) (func() system.Lanes, error) {
		p, err := code.WholeLanes(f.s.eval, m, f.s.nx, f.s.nth, vary, dense, w)
		if err != nil {
			return nil, err
		}
		return func() system.Lanes { return p.New() }, nil
	}
}

// PatternOf computes the pattern of a compiled system's Jacobian anew.
func PatternOf(s *system.System) *sparse.Pattern { return s.RHS.(*fn).s.pattern() }
