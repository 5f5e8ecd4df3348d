package udl

import (
	"context"
	"fmt"
	"strings"

	"github.com/udl-lang/udl/stdlib/value"
)

// SteadyOptions say where a steady state is looked for. The zero value of a field is its default.
type SteadyOptions struct {
	T      float64 // the time, which is held
	By     string  // "newton", "continuation" or "integration"; "" tries them in this order
	Rtol   float64 // of the state; 1e-9
	Atol   float64 // 1e-12
	Set    map[string]any
	Inputs map[string]Input
	Seed   uint64 // of the weights of an untrained model
}

// Steady finds a state at which nothing changes: a root of the model's equations, from its initial values. Where none is found the error says what was tried and which
// equation is furthest from zero.
func (m *Model) Steady(ctx context.Context, o SteadyOptions) (*SteadyState, error) {
	args, exprs := map[string]value.Value{"model": m.value()}, map[string]string{}
	SolveOptions{Rtol: o.Rtol, Atol: o.Atol, Seed: o.Seed, Inputs: o.Inputs}.args(args, exprs)
	args["t"] = value.Num(o.T)
	if o.By != "" {
		args["by"] = value.Word(o.By)
	}
	v, err := m.call(ctx, "steady", args, exprs, o.Set)
	if s, ok := v.(*value.Steady); ok {
		return &SteadyState{s}, err
	}
	return nil, err
}

// SteadyState is a state at which nothing changes.
type SteadyState struct{ s *value.Steady }

// Value is a state, input or let there, row-major.
func (s *SteadyState) Value(name string) ([]float64, error) {
	v, ok := s.s.Member(name)
	a, isArray := v.(*value.Array)
	if !ok || !isArray {
		return nil, fmt.Errorf("udl: the steady state has no %q; it has %s", name, strings.Join(s.s.Names(), ", "))
	}
	return a.Data, nil
}

// How says in words how it was found.
func (s *SteadyState) How() string { return s.s.Of.How }

// Stability says what the eigenvalues of the equations tell, or why they were not looked at.
func (s *SteadyState) Stability() string { return s.s.Of.Stability }

// Eigenvalues are those of the equations' Jacobian there, that with the largest real part first; nil where they were not computed.
func (s *SteadyState) Eigenvalues() []complex128 {
	return append([]complex128(nil), s.s.Of.Eigenvalues...)
}

// Residual is the largest modulus of a derivative that is left.
func (s *SteadyState) Residual() float64 { return s.s.Of.Stats.Residual }
