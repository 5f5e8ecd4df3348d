package udl

import (
	"context"
	"fmt"
	"sort"

	"github.com/udl-lang/udl/stdlib/value"
)

// DiscoverOptions say what equations to look for. Basis, Method, Select and Derivatives are expressions of the
// language; "" is the default.
type DiscoverOptions struct {
	Basis       string   // candidate terms: "poly(3) + sin", "[x, x*y]"; "" is "poly(2)"
	Over        []string // the inputs, states or columns that terms are made of; nil: all
	Method      string   // "best_subset", "stlsq(threshold = 0.1)", "sr3"
	Select      string   // "ebic", "bic", "aicc" or "cv"
	Ensemble    int      // resamplings for the inclusion probabilities
	Robust      bool     // some samples may be corrupt
	Derivatives string   // of data: "spline", "differences", "savgol", "weak"; "" is spline, or differences where Robust
	Accuracy    float64  // the share of each left side that is not looked into; 0: the default, negative: down to rounding
	// NoRefit leaves out holding candidates against the data that the model was fitted to.
	NoRefit bool
	// T0, T1 and By are where to look at an unknown of a model that was not fitted; T0 = T1: along the fit.
	T0, T1, By float64
	Seed       uint64
}

func (o DiscoverOptions) args(args map[string]value.Value, exprs map[string]string) {
	for name, text := range map[string]string{"basis": o.Basis, "method": o.Method} {
		if text != "" {
			exprs[name] = text
		}
	}
	for name, word := range map[string]string{"select": o.Select, "derivatives": o.Derivatives} {
		if word != "" {
			args[name] = value.Word(word)
		}
	}
	if o.Over != nil {
		var l value.List
		for _, n := range o.Over {
			l = append(l, value.Word(n))
		}
		args["over"] = l
	}
	if o.Ensemble != 0 {
		args["ensemble"] = value.Num(float64(o.Ensemble))
	}
	if o.Robust {
		args["robust"] = value.Bool(true)
	}
	if o.NoRefit {
		args["refit"] = value.Bool(false)
	}
	if o.Accuracy != 0 {
		args["accuracy"] = value.Num(max(o.Accuracy, 0))
	}
	if o.T0 != o.T1 {
		args["t"] = &value.Range{Lo: o.T0, Hi: o.T1, By: o.By}
	}
	if o.Seed != 0 {
		args["seed"] = value.Num(float64(o.Seed))
	}
}

// Equations are what was discovered.
type Equations struct {
	m *Model // whose session they are of
	d *value.Discovered
}

// Discover looks for sparse equations for an unknown function of a trained model; unknown may be "" where there is one.
// For a model that was fitted to data the candidates are held against those data.
func (m *Model) Discover(ctx context.Context, unknown string, o DiscoverOptions) (*Equations, error) {
	args, exprs := map[string]value.Value{"from": m.value()}, map[string]string{}
	if unknown != "" {
		args["unknown"] = value.Text(unknown)
	}
	return m.discover(ctx, o, args, exprs)
}

// DiscoverData looks for sparse equations for the derivatives of data. The model lends its session: what is declared beside
// it may stand in terms.
func (m *Model) DiscoverData(ctx context.Context, d *Data, o DiscoverOptions) (*Equations, error) {
	if d == nil {
		return nil, fmt.Errorf("udl: there are no data")
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if len(d.Columns) == 0 {
		return nil, fmt.Errorf("udl: the data have no Columns beside Time")
	}
	return m.discover(ctx, o, map[string]value.Value{"from": d.table()}, map[string]string{})
}

func (m *Model) discover(ctx context.Context, o DiscoverOptions, args map[string]value.Value, exprs map[string]string) (*Equations, error) {
	o.args(args, exprs)
	v, err := m.call(ctx, "discover", args, exprs, nil)
	if err != nil {
		return nil, err
	}
	return &Equations{m, v.(*value.Discovered)}, nil
}

// of is what was discovered; of nil or empty Equations it is nothing.
func (e *Equations) of() *value.Discovered {
	if e == nil || e.d == nil {
		return &value.Discovered{}
	}
	return e.d
}

// String is an equation a line, and what is to be said about them.
func (e *Equations) String() string { return e.of().String() }

// Outputs are the left sides: the unknown's outputs, or "x'" of data.
func (e *Equations) Outputs() []string { return append([]string(nil), e.of().Outs...) }

// Terms are the terms of an output's equation with their coefficients; nil for an output that there is not.
func (e *Equations) Terms(output string) map[string]float64 {
	for o, n := range e.of().Outs {
		if n != output {
			continue
		}
		out := map[string]float64{}
		for _, t := range e.of().Found[o] {
			out[e.of().Texts[t.At]] = t.Coef
		}
		return out
	}
	return nil
}

// Inclusion is in what share of the resamplings each term of the library was chosen for an output; nil without an ensemble.
func (e *Equations) Inclusion(output string) map[string]float64 {
	for o, n := range e.of().Outs {
		if n != output || e.of().Chances == nil {
			continue
		}
		out := map[string]float64{}
		for j, t := range e.of().Texts {
			out[t] = e.of().Chances[o][j]
		}
		return out
	}
	return nil
}

// System is the model with the equations in it, or, of data, the model that they make by themselves; nil where the names of
// the data are not those of states.
func (e *Equations) System() *Model {
	if e.of().Model == nil {
		return nil
	}
	return &Model{in: e.m.in, m: e.of().Model, limits: e.m.limits}
}

// PutBack is the model with unknown functions replaced, by name: by *Equations, or by a formula as a text,
// "(x, y) -> {param a = 1; a*x*y}". Everything else keeps its values.
func (m *Model) PutBack(ctx context.Context, with map[string]any) (*Model, error) {
	args, exprs := map[string]value.Value{"model": m.value()}, map[string]string{}
	var names []string
	for n := range with {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		switch v := with[n].(type) {
		case *Equations:
			if v == nil || v.d == nil {
				return nil, fmt.Errorf("udl: PutBack[%q] is nil or empty: give Equations that Discover has found", n)
			}
			args[n] = v.d
		case string:
			exprs[n] = v
		default:
			return nil, fmt.Errorf("udl: PutBack[%q] must be *Equations or a formula as a string, this is %T", n, v)
		}
	}
	v, err := m.call(ctx, "put_back", args, exprs, nil)
	if err != nil {
		return nil, err
	}
	return &Model{in: m.in, m: v.(*value.Model), limits: m.limits}, nil
}
