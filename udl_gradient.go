package udl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
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
// initial values (a state's name), each row-major. What says how a fit goes about it (Train, Method, Patience, Starts, Threads, Checkpoint, Every, Fresh, Progress, Watch) has no
// say here; what changes the loss of a fit or what moves (Initial, HoldOut, Regularise, Free) is an error, since the derivatives are by everything, at the values that Set gives. Over several trajectories both are sums, or with mse and its kin means over all values.
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
// arrays. Of o the same holds as for Gradient; there is one method, so that Adjoint, Memory and Recursive have no say.
func (m *Model) Hessian(ctx context.Context, o FitOptions, along map[string]any) (*Gradient, error) {
	if len(along) == 0 {
		return nil, diag.New("E0706", diag.Span{}, "along is empty: there is no direction").WithHelp(`give one, map[string]any{"k": 1.0}`)
	}
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
	if err := o.onlyOfFits(); err != nil {
		return nil, err
	}
	args, exprs, err := o.arguments(m)
	if err != nil {
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

// onlyOfFits is the error of options that change the loss of a fit, or what moves, and that a gradient does not heed.
func (o FitOptions) onlyOfFits() error {
	for _, f := range []struct {
		name  string
		given bool
		help  string
	}{
		{"Initial", o.Initial != "", "give the initial values by Set"},
		{"HoldOut", o.HoldOut != "", "leave the rows out of Data, or make them NaN"},
		{"Regularise", o.Regularise != "", "add the derivative of the price to what comes out"},
		{"Free", o.Free != nil, "the derivatives are by everything; pick those that you want from what comes out"},
	} {
		if f.given {
			return diag.New("E0706", diag.Span{}, "%s is an option of Fit alone: gradients are of the loss as it stands", f.name).WithHelp("%s", f.help)
		}
	}
	return nil
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
