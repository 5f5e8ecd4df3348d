package udl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/udl-lang/udl/stdlib/value"
)

// EnsembleOptions say what differs between the members of an ensemble. The times are those of SolveOptions; without By and At they are
// the start and the end.
type EnsembleOptions struct {
	SolveOptions
	N int // members
	// Vary gives, for parameters, constants, weights and initial values (a state's name), a distribution or a list, as expressions of the
	// language: "normal(1, 0.1)", "[1, 2, 3]".
	Vary    map[string]string
	Threads int // 0: all; the results are the same to the bit on any number
}

// SweepOptions say over which values a sweep goes: every combination is a member, the names in alphabetical order, the last running fastest.
type SweepOptions struct {
	SolveOptions
	Over    map[string][]float64
	Threads int
}

// Ensemble is many trajectories of one model.
type Ensemble struct{ e *value.Ensemble }

// Ensemble solves the model many times at once, as trajectories in the lanes of all cores. Members that stop early do not make it
// an error: Failed counts them.
func (m *Model) Ensemble(ctx context.Context, o EnsembleOptions) (*Ensemble, error) {
	var fields []string
	for _, k := range slices.Sorted(maps.Keys(o.Vary)) {
		fields = append(fields, k+": "+o.Vary[k])
	}
	return m.together(ctx, "ensemble", "vary", fields, o.SolveOptions, o.Threads, o.N)
}

// Sweep solves the model for every combination of values.
func (m *Model) Sweep(ctx context.Context, o SweepOptions) (*Ensemble, error) {
	var fields []string
	for _, k := range slices.Sorted(maps.Keys(o.Over)) {
		var list []string
		for _, v := range o.Over[k] {
			list = append(list, value.Format(v))
		}
		fields = append(fields, k+": ["+strings.Join(list, ", ")+"]")
	}
	return m.together(ctx, "sweep", "over", fields, o.SolveOptions, o.Threads, 0)
}

func (m *Model) together(ctx context.Context, verb, option string, fields []string, o SolveOptions, threads, n int) (*Ensemble, error) {
	args, exprs := map[string]value.Value{"model": m.m}, map[string]string{option: "({" + strings.Join(fields, ", ") + "})"}
	o.args(args, exprs)
	if n != 0 {
		args["n"] = value.Num(float64(n))
	}
	if threads != 0 {
		args["threads"] = value.Num(float64(threads))
	}
	v, err := m.call(ctx, verb, args, exprs, o.Set)
	if e, ok := v.(*value.Ensemble); ok {
		return &Ensemble{e}, err
	}
	return nil, err
}

// N is the number of members.
func (e *Ensemble) N() int { return e.e.Res.N }

// Failed is how many members did not reach the end; their outputs from there on are NaN.
func (e *Ensemble) Failed() int { return e.e.Res.Failed }

// Times are the output times.
func (e *Ensemble) Times() []float64 { return slices.Clone(e.e.Res.T) }

// Series is a state or let, member after member and time after time (an array row-major within), or a quantity that differs, member after member.
func (e *Ensemble) Series(name string) ([]float64, error) {
	v, ok := e.e.Member(name)
	a, isArray := v.(*value.Array)
	if !ok || !isArray {
		return nil, fmt.Errorf("udl: the ensemble has no %q; it has %s", name, strings.Join(e.e.Names(), ", "))
	}
	return a.Data, nil
}

// Mean is the mean over the members of a state or let at each output time.
func (e *Ensemble) Mean(name string) ([]float64, error) { return e.statistic("mean", name) }

// SD is the standard deviation over the members.
func (e *Ensemble) SD(name string) ([]float64, error) { return e.statistic("sd", name) }

// Quantile is the q-quantile over the members, q from 0 to 1.
func (e *Ensemble) Quantile(q float64, name string) ([]float64, error) {
	if !(q >= 0 && q <= 1) {
		return nil, fmt.Errorf("udl: the quantile %v is not from 0 to 1", q)
	}
	return pick(e.e.Quantile(q), name)
}

func (e *Ensemble) statistic(which, name string) ([]float64, error) {
	v, _ := e.e.Member(which)
	return pick(v.(*value.Record), name)
}

func pick(r *value.Record, name string) ([]float64, error) {
	v, ok := r.Get(name)
	if !ok {
		return nil, fmt.Errorf("udl: the ensemble has no state or let %q; it has %s", name, strings.Join(r.Keys, ", "))
	}
	return v.(*value.Array).Data, nil
}
