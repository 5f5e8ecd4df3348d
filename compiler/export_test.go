package compiler

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// LanesOfWidth is the system's Lanes with groups of w lanes.
func LanesOfWidth(s *system.System, w int) system.Laning {
	f := s.RHS.(*fn)
	return func(m method.Method, vary []int, dense bool) (func() system.Lanes, error) {
		return f.s.lanesOf(m, vary, dense, w)
	}
}

// PatternOf computes the pattern of a compiled system's Jacobian anew.
func PatternOf(s *system.System) *sparse.Pattern { return s.RHS.(*fn).s.pattern() }
