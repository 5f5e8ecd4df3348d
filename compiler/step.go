package compiler

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// perMethod holds what is compiled for a method, when it is first asked for; the zero value where there is none. Why there is none does
// not matter: the ordinary loops say the same.
type perMethod[T any] struct {
	mu   sync.Mutex
	made map[method.Method]T
}

func (p *perMethod[T]) get(m method.Method, compile func() (T, error)) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.made[m]
	if !ok {
		v, _ = compile()
		if p.made == nil {
			p.made = map[method.Method]T{}
		}
		p.made[m] = v
	}
	return v
}

// stepping implements system.Stepping.
func (s *shared) stepping(by method.Method) system.Step {
	p := s.steps.get(by, func() (*code.StepProgram, error) {
		switch m := by.(type) {
		case *method.RK:
			if s.sys != nil && s.sys.Mass != nil {
				return nil, nil
			}
			return code.WholeStep(s.eval, m, s.nx)
		case *method.Rosenbrock:
			return s.rosenbrock(m)
		}
		return nil, nil
	})
	if p == nil {
		return nil
	}
	return p.New(s.nth)
}

// rosenbrock compiles a step of a Rosenbrock method.
func (s *shared) rosenbrock(m *method.Rosenbrock) (*code.StepProgram, error) {
	if code.Layered(s.g) {
		return nil, code.ErrLayered
	}
	l, err := s.linear()
	if err != nil {
		return nil, err
	}
	return code.WholeRosenbrock(l, m)
}

// linear is what linearly implicit steps are made of. The error says why there is nothing of the kind.
func (s *shared) linear() (l code.Linear, err error) {
	switch {
	case s.how.Portable:
		return l, errors.New("generated code is turned off")
	case s.nx > code.MaxStates:
		return l, fmt.Errorf("%d states, not 1 to %d", s.nx, code.MaxStates)
	case s.sys == nil:
		return l, errors.New("no right-hand side")
	}
	js := s.jacobians()
	if js.err != nil {
		return l, js.err
	}
	if js.whole == nil {
		return l, errors.New("a costly Jacobian")
	}
	js.linear.Do(func() { js.program, js.linearErr = code.CompileWith(js.whole, s.how) })
	return code.Linear{Program: js.program, Pattern: js.pattern, Mass: s.sys.Mass}, js.linearErr
}

// solvers keeps the last compiled eliminations: those that a system's implicit methods ask for have one pattern, or that and the same in complex numbers.
type solvers struct {
	mu    sync.Mutex
	known []solver
}

type solver struct {
	pattern *sparse.Pattern
	prog    *code.SolverProgram // nil: there is none
}

// keptSolvers is how many are kept.
const keptSolvers = 4

// solving implements system.System.Solving.
func (s *shared) solving(p *sparse.Pattern) sparse.Solver {
	if s.how.Portable {
		return nil
	}
	k := &s.solvers
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.known {
		if sparse.Same(one.pattern, p) {
			return one.new()
		}
	}
	if len(k.known) == keptSolvers {
		k.known = k.known[1:]
	}
	// Why there is none does not matter: the ordinary solvers say the same.
	prog, _ := code.WholeSolver(p)
	k.known = append(k.known, solver{p, prog})
	return k.known[len(k.known)-1].new()
}

func (s solver) new() sparse.Solver {
	if s.prog == nil {
		return nil
	}
	return s.prog.New()
}

// reversing implements system.Reversing.
func (s *shared) reversing(m *method.RK) system.Reverse {
	p := s.reverses.get(m, func() (*code.ReverseProgram, error) {
		if s.how.Portable {
			return nil, nil
		}
		return code.WholeReverse(s.vjpProgram(), m, s.nx, s.nth)
	})
	if p == nil {
		return nil
	}
	return p.New()
}

// directions keeps the last program of directions: a training asks for the same again and again.
type directions struct {
	mu   sync.Mutex
	wrt  []int
	prog *code.DirectionProgram
}

// directing implements system.Directing.
func (s *shared) directing(wrt []int) system.Directions {
	d := &s.directions
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wrt == nil || !slices.Equal(d.wrt, wrt) {
		d.wrt, d.prog = slices.Clone(wrt), nil
		if !s.how.Portable {
			// Why there is none does not matter: one direction after the other says the same.
			d.prog, _ = code.WholeDirections(s.jvpProgram(), s.nx, s.nth, s.nz, wrt)
		}
	}
	if d.prog == nil {
		return nil
	}
	return d.prog.New()
}

// backend says what computes the right-hand side, and why it is not generated code where it is not.
func (s *shared) backend() string {
	name, why := s.eval.Backend()
	if why != "" {
		return name + ": " + why
	}
	return name
}

// lanes implements system.Laning. Each call compiles anew: what varies differs from one ensemble to the next, and an ensemble is long.
func (s *shared) lanes(by method.Method, vary []int, dense bool) (func() system.Lanes, error) {
	return s.lanesOf(by, vary, dense, 0)
}

// lanesOf is lanes in groups of a width, 0 for the machine's widest.
func (s *shared) lanesOf(by method.Method, vary []int, dense bool, width int) (func() system.Lanes, error) {
	var p *code.LaneProgram
	var err error
	switch m := by.(type) {
	case *method.RK:
		p, err = code.WholeLanes(s.eval, m, s.nx, s.nth, vary, dense, width)
	case *method.Rosenbrock:
		var l code.Linear
		if l, err = s.linear(); err == nil {
			p, err = code.WholeRosenbrockLanes(l, m, s.nx, s.nth, vary, dense, width)
		}
	default:
		err = fmt.Errorf("steps of %s are made one trajectory at a time", by.Info().Name)
	}
	if err != nil {
		return nil, err
	}
	return func() system.Lanes { return p.New() }, nil
}
