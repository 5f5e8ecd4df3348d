package udl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/udl-lang/udl/stdlib/value"
)

// Gradient holds the derivatives of a loss.
type Gradient struct {
	Loss float64
	// By has the derivatives by parameters, constants, weights ("U.W1") and initial values (a state's name), each row-major.
	By map[string][]float64
	// Times are the derivatives by the output times: as much as the loss would change if one of them moved. nil of a Hessian's product.
	Times []float64
	// Adjoint is the method, and Why the reason where it was chosen. Departed says how far the states integrated backwards went from the solution, where that is
	// too far, as it may be with "backsolve"; "" otherwise.
	Adjoint, Why, Departed string
	// Steps are those of the solve, Backward those of the continuous adjoints.
	Steps, Backward int
}

// Gradient is the value of the loss and its derivatives by parameters, constants, weights ("U.W1") and
// initial values (a state's name), each row-major. Over several trajectories both are sums, or with mse and its kin means over all values.
func (m *Model) Gradient(ctx context.Context, o FitOptions) (loss float64, grad map[string][]float64, err error) {
	g, err := m.gradient(ctx, "grad", o, nil)
	if err != nil {
		return 0, nil, err
	}
	return g.Loss, gradientOf(g).By, nil
}

// Differentiate is Gradient with the derivatives by the output times, and how it came about.
func (m *Model) Differentiate(ctx context.Context, o FitOptions) (*Gradient, error) {
	g, err := m.gradient(ctx, "grad", o, nil)
	if err != nil {
		return nil, err
	}
	out := gradientOf(g)
	if g.ByTime != nil {
		if out.Times, err = g.ByTime(ctx); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Hessian is the product of the matrix of second derivatives of the loss with a direction, which along gives by name, as FitOptions.Set gives values: numbers, or slices for
// arrays.
func (m *Model) Hessian(ctx context.Context, o FitOptions, along map[string]any) (*Gradient, error) {
	r := &value.Record{}
	for _, k := range slices.Sorted(maps.Keys(along)) {
		v, err := toValue(along[k])
		if err != nil {
			return nil, fmt.Errorf("udl: along %s: %w", k, err)
		}
		r.Put(k, v)
	}
	g, err := m.gradient(ctx, "hessian", o, r)
	if err != nil {
		return nil, err
	}
	return gradientOf(g), nil
}

func (m *Model) gradient(ctx context.Context, verb string, o FitOptions, along *value.Record) (*value.Gradient, error) {
	if err := o.noTimes(); err != nil {
		return nil, err
	}
	args, exprs := map[string]value.Value{"model": m.m}, map[string]string{}
	o.args(args, exprs)
	o.lossArgs(args, exprs)
	if err := o.several(args); err != nil {
		return nil, err
	}
	if along != nil {
		args["along"] = along
		delete(args, "adjoint") // there is one way
	}
	v, err := m.call(ctx, verb, args, exprs, o.Set)
	if err != nil {
		return nil, err
	}
	return v.(*value.Gradient), nil
}

func gradientOf(g *value.Gradient) *Gradient {
	out := &Gradient{Loss: g.Loss, By: map[string][]float64{}}
	for i, k := range g.Keys {
		out.By[k] = g.Vals[i].(*value.Array).Data
	}
	if g.Sol != nil {
		st := g.Sol.Stats
		out.Adjoint, out.Why, _ = strings.Cut(st.Adjoint, ": ")
		out.Departed, out.Steps, out.Backward = st.Departed, st.Steps, st.Backward
	}
	return out
}
