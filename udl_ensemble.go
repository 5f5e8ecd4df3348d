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
	Vary map[string]string
	// Values gives others a value for each member, so that N may be left out: []float64, or [][]float64 for a vector, a row for each member.
	Values  map[string]any
	Threads int // 0: all; the results are the same to the bit on any number
}

// SweepOptions say over which values a sweep goes: every combination is a member, the names in alphabetical order, the last running fastest.
type SweepOptions struct {
	SolveOptions
	Over    map[string][]float64
	Threads int
}

// Ensemble is many trajectories of one model. It is immutable; members are counted from 0.
type Ensemble struct {
	e      *value.Ensemble
	limits Limits
}

// Ensemble solves the model many times at once, as trajectories in the lanes of all cores. Members that stop early make it
// an error only when all do, and then what there is comes with it: Failed counts them, Stopped lists them.
func (m *Model) Ensemble(ctx context.Context, o EnsembleOptions) (*Ensemble, error) {
	var fields []string
	for _, k := range slices.Sorted(maps.Keys(o.Vary)) {
		fields = append(fields, k+": "+o.Vary[k])
	}
	given := &value.Record{}
	for _, k := range slices.Sorted(maps.Keys(o.Values)) {
		v, err := toValue(o.Values[k])
		if err != nil {
			return nil, fmt.Errorf("udl: Values[%q]: %w", k, err)
		}
		if _, twice := o.Vary[k]; twice {
			return nil, fmt.Errorf("udl: %q is in Vary and in Values", k)
		}
		given.Put(k, v)
	}
	return m.together(ctx, "ensemble", map[string]value.Value{"vary": given}, fields, o.SolveOptions, o.Threads, o.N)
}

// Sweep solves the model for every combination of values.
func (m *Model) Sweep(ctx context.Context, o SweepOptions) (*Ensemble, error) {
	over := &value.Record{}
	for _, k := range slices.Sorted(maps.Keys(o.Over)) {
		over.Put(k, value.Vec(slices.Clone(o.Over[k])))
	}
	return m.together(ctx, "sweep", map[string]value.Value{"over": over}, nil, o.SolveOptions, o.Threads, 0)
}

func (m *Model) together(ctx context.Context, verb string, args map[string]value.Value, vary []string, o SolveOptions, threads, n int) (*Ensemble, error) {
	args["model"] = m.value()
	exprs := map[string]string{}
	if len(vary) > 0 {
		exprs["vary"] = "({" + strings.Join(vary, ", ") + "})"
	}
	if err := o.noTimes(); err != nil {
		return nil, err
	}
	o.args(args, exprs)
	if n != 0 {
		args["n"] = value.Num(float64(n))
	}
	if threads != 0 {
		args["threads"] = value.Num(float64(threads))
	}
	v, err := m.call(ctx, verb, args, exprs, o.Set)
	if e, ok := v.(*value.Ensemble); ok {
		return &Ensemble{e, m.limits}, err
	}
	return nil, err
}

// N is the number of members.
func (e *Ensemble) N() int { return e.e.Res.N }

// Failed is how many members did not reach the end; their outputs from there on are NaN.
func (e *Ensemble) Failed() int { return e.e.Res.Failed }

// Stopped lists the members that did not reach the end.
func (e *Ensemble) Stopped() []int {
	var list []int
	for i, s := range e.e.Res.Status {
		if !s.Ended() {
			list = append(list, i)
		}
	}
	return list
}

// Member solves member i again by itself: a solution that equals the member up to rounding and is known at all times. One that stops early is
// no error: its Status says so.
func (e *Ensemble) Member(ctx context.Context, i int) (*Solution, error) {
	if i < 0 || i >= e.N() {
		return nil, fmt.Errorf("udl: member %d is outside 0..%d", i, e.N()-1)
	}
	ctx, cancel := (&Model{limits: e.limits}).limited(ctx)
	defer cancel()
	s, _, err := e.e.One(ctx, i)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ended(ctx, ctx.Err())
	}
	return &Solution{s}, nil
}

// Backend says what computed the trajectories, and why it was not generated machine code where it was not.
func (e *Ensemble) Backend() string {
	v, _ := e.e.Stats().Get("backend")
	return string(v.(value.Text))
}

// Times are the output times.
func (e *Ensemble) Times() []float64 { return slices.Clone(e.e.Res.T) }

// Series is a state or let, member after member and time after time (an array row-major within), or a quantity that differs, member after member.
func (e *Ensemble) Series(name string) ([]float64, error) { return partOf(e.e, name) }

// Values is what differs, member after member: a parameter ("k"), weight ("U.W1"), or initial value (the state's name).
func (e *Ensemble) Values(name string) ([]float64, error) {
	r := e.e.Values()
	v, ok := r.Get(name)
	if !ok {
		return nil, fmt.Errorf("udl: nothing of the name %q differs between members; it is %s", name, strings.Join(r.Keys, ", "))
	}
	return slices.Clone(v.(*value.Array).Data), nil
}

// partOf reads numbers by a dotted name.
func partOf(of interface {
	value.Value
	Member(name string) (value.Value, bool)
	Names() []string
}, name string) ([]float64, error) {
	var v value.Value = of
	for _, part := range strings.Split(name, ".") {
		p, ok := v.(interface {
			Member(name string) (value.Value, bool)
		})
		if ok {
			v, ok = p.Member(part)
		}
		if !ok {
			return nil, fmt.Errorf("udl: the ensemble has no %q; it has %s", name, strings.Join(of.Names(), ", "))
		}
	}
	a, ok := v.(*value.Array)
	if !ok {
		return nil, fmt.Errorf("udl: %q is %s, not numbers", name, v.Type())
	}
	return slices.Clone(a.Data), nil
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
	return partOf(e.e.Quantile(q), name)
}

func (e *Ensemble) statistic(which, name string) ([]float64, error) {
	v, _ := e.e.Member(which)
	return partOf(v.(*value.Spread), name)
}
