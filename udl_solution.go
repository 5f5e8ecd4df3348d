package udl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// Solution is a trajectory.
type Solution struct{ s *value.Solution }

// Times are the output times; none where a Sink took them.
func (s *Solution) Times() []float64 { return s.s.Sol.T }

// Series is a state or let at the output times: one number each, or, for an array, its elements
// row-major time after time.
func (s *Solution) Series(name string) ([]float64, error) {
	if err := s.s.NotKept(name); err != nil {
		return nil, fmt.Errorf("udl: %w", err)
	}
	v, ok := s.s.Member(name)
	a, isArray := v.(*value.Array)
	if !ok || !isArray {
		return nil, fmt.Errorf("udl: the solution has no %q; it has %s", name, strings.Join(s.s.Names(), ", "))
	}
	return a.Data, nil
}

// Shifted lists the given initial values that the equations moved, such as "x = 1.5 in place of 1": where derivatives stand in equations only together, and these depend on each other, it is
// what is differentiated that is kept.
func (s *Solution) Shifted() []string {
	var out []string
	for _, m := range s.s.Sol.Shifted {
		out = append(out, m.String())
	}
	return out
}

// End is how far the solution came.
func (s *Solution) End() float64 { return s.s.Sol.TEnd }

// At is a state or let at any time of the solution, by its continuous extension; an array row-major. Where a Sink took the outputs it is
// known at the End only.
func (s *Solution) At(t float64, name string) ([]float64, error) {
	v, err := s.s.AtTimes(value.Num(t))
	if err != nil {
		return nil, err
	}
	x, ok := v.(*value.Record).Get(name)
	if !ok {
		return nil, fmt.Errorf("udl: the solution has no %q; it has %s", name, strings.Join(s.s.Names(), ", "))
	}
	return x.(*value.Array).Data, nil
}

// Event is one that fired along a solution: when, and which, as it is written in the model.
type Event struct {
	T    float64
	Name string // "when y < 0"

	sys   *system.System
	fired solve.Fired
}

// Before is a state when the event fired, before its assignments, row-major; false where the model has no such state.
func (e Event) Before(state string) ([]float64, bool) { return e.state(state, e.fired.Before) }

// After is a state after the event's assignments; those of `after` are made later.
func (e Event) After(state string) ([]float64, bool) { return e.state(state, e.fired.After) }

func (e Event) state(name string, x []float64) ([]float64, bool) {
	if e.sys == nil {
		return nil, false
	}
	for _, s := range e.sys.States {
		if s.Name == name && s.Off+s.Size() <= len(x) {
			return slices.Clone(x[s.Off : s.Off+s.Size()]), true
		}
	}
	return nil, false
}

// Events are what fired, in order; assignments that were delayed are not among them.
func (s *Solution) Events() []Event {
	var out []Event
	for _, f := range s.s.Sol.Events {
		if f.Cause != solve.ByDelay {
			sys := s.s.Model.C.System
			out = append(out, Event{T: f.T, Name: sys.Events[f.Event].Name, sys: sys, fired: f})
		}
	}
	return out
}

// Status is how the solve ended: "done", or why it stopped.
func (s *Solution) Status() string { return s.s.Sol.Status.String() }

// Names are what Series knows: states, then lets.
func (s *Solution) Names() []string { return append(s.States(), s.lets()...) }

// States are the names of the states.
func (s *Solution) States() []string {
	var names []string
	for _, sl := range s.s.Model.C.System.States {
		names = append(names, sl.Name)
	}
	return names
}

func (s *Solution) lets() (names []string) {
	for _, sl := range s.s.Model.C.System.Outs {
		names = append(names, sl.Name)
	}
	return names
}

// Solver names the methods that made the steps: "Tsit5", or "Tsit5, Rodas5P from t = 0.3" where the problem turned stiff.
func (s *Solution) Solver() string { return s.s.Sol.Used() }

// Stats counts the work.
func (s *Solution) Stats() solve.Stats { return s.s.Sol.Stats }

// Backend says what computed the solution, generated machine code or the portable back end, and why it was not the former.
func (s *Solution) Backend() string {
	v, _ := s.s.Stats().Get("backend")
	return string(v.(value.Text))
}
