package compiler

import (
	"sync"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// steps are the whole steps of a right-hand side, by method, each compiled when it is first asked for.
type steps struct {
	mu   sync.Mutex
	made map[*method.RK]*code.StepProgram // nil where there is none
}

// stepping implements system.Stepping.
func (s *shared) stepping(m *method.RK) system.Step {
	s.steps.mu.Lock()
	defer s.steps.mu.Unlock()
	p, ok := s.steps.made[m]
	if !ok {
		p, _ = code.WholeStep(s.eval, m, s.nx) // why there is none does not matter: the ordinary loop says the same
		if s.steps.made == nil {
			s.steps.made = map[*method.RK]*code.StepProgram{}
		}
		s.steps.made[m] = p
	}
	if p == nil {
		return nil
	}
	return p.New(s.nth)
}

// backend says what computes the right-hand side, and why it is not generated code where it is not.
func (s *shared) backend() string {
	name, why := s.eval.Backend()
	if why != "" {
		return name + ": " + why
	}
	return name
}
