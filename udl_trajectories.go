package udl

import (
	"fmt"
	"maps"
	"slices"

	"github.com/udl-lang/udl/stdlib/value"
)

// Trajectory is one of several that a fit compares with data of their own. All share what is trained, but for initial values in
// FitOptions.Free: of those each trajectory has its own.
type Trajectory struct {
	Name string // in the report; "" is its number
	Data *Data
	// Set gives parameters and constants that are not trained, and initial values, values for this trajectory.
	Set map[string]any
	// Inputs are its tables, in place of those of SolveOptions.
	Inputs map[string]Input
}

// several are the options for several trajectories.
func (o *FitOptions) several(args map[string]value.Value) error {
	if o.Trajectories == nil {
		return nil
	}
	if o.Data != nil {
		return fmt.Errorf("udl: Data and Trajectories exclude each other")
	}
	var data, sets, inputs value.List
	for k, t := range o.Trajectories {
		if t.Data == nil {
			return fmt.Errorf("udl: trajectory %d has no data", k+1)
		}
		table := t.Data.table()
		table.Part = t.Name
		if table.Part == "" {
			table.Part = fmt.Sprintf("trajectory %d", k+1)
		}
		table.Name = table.Part
		table.Place = func(row int, col string) string { return fmt.Sprintf("%s, row %d of %s", table.Part, row+1, col) }
		data = append(data, table)
		r := &value.Record{}
		for _, name := range slices.Sorted(maps.Keys(t.Set)) {
			v, err := toValue(t.Set[name])
			if err != nil {
				return fmt.Errorf("udl: Set[%q] of trajectory %d: %w", name, k+1, err)
			}
			r.Put(name, v)
		}
		sets = append(sets, r)
		in := t.Inputs
		if in == nil {
			in = o.Inputs
		}
		inputs = append(inputs, inputsOf(in))
	}
	args["data"] = data
	if slices.ContainsFunc(o.Trajectories, func(t Trajectory) bool { return t.Set != nil }) {
		if o.Set != nil {
			return fmt.Errorf("udl: give Set for all trajectories or for each, not both")
		}
		args["set"] = sets
	}
	if slices.ContainsFunc(o.Trajectories, func(t Trajectory) bool { return t.Inputs != nil }) {
		args["inputs"] = inputs
	}
	return nil
}

// Trajectories is how many trajectories a model was fitted to at once, 0 where that was one or the model is not fitted.
func (m *Model) Trajectories() int {
	if m.fitted() == nil {
		return 0
	}
	return len(m.m.Fit.Trajectories)
}

// Trajectory is the fitted model as it is for trajectory k, counted from 0: with the initial values, constants and inputs that are
// its own.
func (m *Model) Trajectory(k int) (*Model, error) {
	if n := m.Trajectories(); k < 0 || k >= n {
		return nil, fmt.Errorf("udl: there is no trajectory %d of %d", k, n)
	}
	return &Model{in: m.in, m: m.m.Fit.Trajectories[k].Model, limits: m.limits}, nil
}
