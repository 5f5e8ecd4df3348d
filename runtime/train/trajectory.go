package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Trajectory is one of several that a fit compares with data of their own. All share what is free, but
// for initial values: a free one is a variable for each.
type Trajectory struct {
	Name string // "subject = 3"; "" is its number, from 1
	Data *Data
	// Sys is the system with inputs of its own, of the same layout of θ; nil: that of the Spec.
	Sys *system.System
	// Index and Values are entries of θ that differ from the Spec's: initial values with their flags, constants. They
	// may not be free, unless they are initial values: of those it is the start.
	Index  []int
	Values []float64
	// T0 is where the solution starts; nil: at the first time of the data.
	T0 *float64
}

// Own is what a trajectory of a fit has of θ for itself, after the fit.
type Own struct {
	Name   string
	Index  []int
	Values []float64
}

// trajectory is a Trajectory that was checked.
type trajectory struct {
	name string        // "" where there is one only
	num  int           // in the Spec, from 0
	prob solve.Problem // with times and system of its own; Theta is nobody's
	data *DataLoss     // trained on; nil where the loss is a function, or where it is held out as a whole
	held *DataLoss     // nil where nothing is

	index []int // entries of θ of its own
	value []float64
	own   []int // the variables that are its own
	wrt   []int // what forward sensitivities are taken by: what is shared, then its own
}

// part is the trajectory with another loss, as the first rows of its data. It has the same values of its own: what
// is written into one is read by the other.
func (tr *trajectory) part(l *DataLoss) *trajectory {
	p := *tr
	p.data = l
	times := l.Times()
	p.prob.T1 = times[len(times)-1]
	return &p
}

// trajectories are those of a spec; a fit to one table is one.
func (s *Spec) trajectories() []Trajectory {
	if s.Trajectories == nil && s.Data != nil {
		return []Trajectory{{Data: s.Data}}
	}
	return s.Trajectories
}

// gather checks the trajectories' data and makes their losses; p is the problem that they share, of which it sets the times
// of the first.
func (f *fitting) gather(p *solve.Problem) error {
	s := f.spec
	list := s.trajectories()
	out, err := s.HeldOut.whole(list)
	if err != nil {
		return err
	}
	for k := range list {
		tr := &trajectory{num: k, prob: *p}
		if len(list) > 1 || list[k].Name != "" {
			tr.name = list[k].Name
		}
		if len(list) > 1 && tr.name == "" {
			tr.name = fmt.Sprintf("trajectory %d", k+1)
		}
		if err := f.add(tr, &list[k], out[k]); err != nil {
			return tr.named(err)
		}
		f.all = append(f.all, tr)
	}
	if s.Patience > 0 && f.unheld != nil && !slices.ContainsFunc(f.all, func(tr *trajectory) bool { return tr.held != nil }) {
		return unheldError(f.unheld)
	}
	var d []*Data
	for _, tr := range f.all {
		if tr.data != nil {
			d = append(d, tr.data.data)
		}
	}
	*p = f.all[slices.IndexFunc(f.all, func(tr *trajectory) bool { return tr.data != nil })].prob
	return fillScales(s.Sys, p.Theta, d, s.AutoScale)
}

// unheldError is that of early stopping on data that cannot be compared.
func unheldError(err error) error {
	const reason, help = "stopping early looks at the data that were held out, and they cannot be compared: ", "hold out rows that have values, or leave `patience` out"
	if d, ok := err.(*DataError); ok {
		c := *d
		c.Reason, c.Help = reason+d.Reason, help
		return &c
	}
	return fmt.Errorf("%s%w", reason, err)
}

// add makes the losses of one trajectory.
func (f *fitting) add(tr *trajectory, of *Trajectory, out bool) error {
	s := f.spec
	if of.Data == nil {
		return &DataError{Row: -1, Reason: "it has no data", Help: "give each trajectory data"}
	}
	if of.Sys != nil {
		if of.Sys.NTheta != s.Sys.NTheta || of.Sys.NX != s.Sys.NX {
			return fmt.Errorf("its system is another than that of the fit")
		}
		tr.prob.Sys = of.Sys
	}
	sys := tr.prob.Sys
	if len(of.Index) != len(of.Values) {
		return fmt.Errorf("%d values were given for %d entries of θ", len(of.Values), len(of.Index))
	}
	for _, i := range of.Index {
		if i < 0 || i >= sys.NTheta {
			return fmt.Errorf("there is no entry %d of θ, which has %d", i, sys.NTheta)
		}
	}
	tr.index, tr.value = slices.Clone(of.Index), slices.Clone(of.Values)
	// All data are checked before they are split, so that rows are numbered as the user knows them.
	all, err := NewDataLoss(sys, of.Data, s.Compare)
	if err != nil {
		return err
	}
	data := all.data // each time once
	if len(data.Times) < 2 && len(of.Data.Times) > 1 {
		return &DataError{Row: 0, Place: of.Data.timePlace(0), Reason: fmt.Sprintf("all rows are of the time %v", data.Times[0]), Help: "a solution needs two times; several trajectories are a list of tables"}
	}
	train, held := data, (*Data)(nil)
	if out {
		tr.held = all
	} else if train, held, err = s.HeldOut.split(data); err != nil {
		return err
	}
	if !out {
		if tr.data, err = NewDataLoss(sys, train, s.Compare); err != nil {
			return err
		}
		if held != nil {
			if tr.held, err = NewDataLoss(sys, held, s.Compare); err != nil {
				if f.unheld == nil {
					f.unheld = tr.named(err)
				}
				f.warnings = append(f.warnings, "the data that were held out cannot be compared: "+tr.named(err).Error())
				tr.held = nil
			}
		}
	}
	tr.prob.T0, tr.prob.T1 = train.Times[0], train.Times[len(train.Times)-1]
	if of.T0 != nil {
		if !(*of.T0 <= tr.prob.T0) || math.IsInf(*of.T0, 0) {
			return &DataError{Row: 0, Place: of.Data.timePlace(0), Reason: fmt.Sprintf("the solution starts at %v, after the first data", *of.T0), Help: "start at the first time of the data, or before it"}
		}
		tr.prob.T0 = *of.T0
	}
	return nil
}

// named says of an error which trajectory it is about, where its place does not.
func (tr *trajectory) named(err error) error {
	if tr.name == "" {
		return err
	}
	if d, ok := err.(*DataError); ok {
		if d.Place == "" {
			c := *d
			c.Place = tr.name
			return &c
		}
		return err
	}
	return fmt.Errorf("%s: %w", tr.name, err)
}

// scatter makes the variables of the fit: what is free is shared, and with several trajectories a free initial value is a variable for each.
func (f *fitting) scatter(free []Free, th []float64) ([]variable, error) {
	sys := f.spec.Sys
	if len(f.all) <= 1 {
		for _, tr := range f.all { // what is its own is everybody's
			tr.write(th)
			tr.index, tr.value = nil, nil
		}
		vars, err := variables(free, th)
		for k := range vars {
			vars[k].initial = isInitial(sys, vars[k].index)
		}
		return vars, err
	}
	var shared, each []Free
	for _, x := range free {
		if len(x.Index) > 0 && isInitial(sys, x.Index[0]) {
			if flag := sys.Find(x.Name, system.RoleFlag); flag != nil {
				th[flag.Off] = 1 // also where a fit has put it back
			}
			each = append(each, x)
		} else {
			shared = append(shared, x)
		}
	}
	vars, err := variables(shared, th)
	if err != nil {
		return nil, err
	}
	taken := make([]bool, len(th))
	for _, v := range vars {
		taken[v.index] = true
	}
	n := 0 // trajectories trained on
	for _, tr := range f.all {
		for _, i := range tr.index {
			if taken[i] {
				return nil, tr.named(&NameError{Name: thetaName(sys, i), Reason: "it is trained with one value for all trajectories, and this one has a value of its own"})
			}
		}
		mine, err := f.starts(tr, each, th)
		if err != nil {
			return nil, err
		}
		if tr.data == nil {
			continue
		}
		for _, x := range each {
			x.Name = fmt.Sprintf("%s[%d]", x.Name, tr.num+1)
			own, err := variables([]Free{x}, mine)
			if err != nil {
				return nil, tr.named(err)
			}
			for _, v := range own {
				v.own, v.of, v.initial = true, n, true
				v.at = tr.entry(v.index, mine[v.index])
				tr.own = append(tr.own, len(vars))
				vars = append(vars, v)
			}
		}
		n++
	}
	return vars, nil
}

// starts gives a trajectory its own initial values of the states that are free, where their expressions depend on what is its own, and returns θ.
func (f *fitting) starts(tr *trajectory, each []Free, th []float64) ([]float64, error) {
	mine := slices.Clone(th)
	tr.write(mine)
	sys := tr.prob.Sys
	given := func(i int) bool { return slices.Contains(tr.index, i) }
	computed := false
	for _, x := range each {
		if flag := sys.Find(x.Name, system.RoleFlag); flag != nil && x.taken && !given(flag.Off) {
			mine[flag.Off], computed = 0, true
		}
	}
	if !computed {
		return mine, nil
	}
	x0 := make([]float64, sys.NX)
	sys.Init.Clone().Eval(x0, tr.prob.T0, nil, mine)
	for _, x := range each {
		flag := sys.Find(x.Name, system.RoleFlag)
		if flag == nil || mine[flag.Off] != 0 {
			continue
		}
		mine[flag.Off] = 1
		for _, s := range sys.States {
			if s.Name == x.Name {
				for k, i := range x.Index {
					mine[i] = x0[s.Off+k]
					tr.entry(i, x0[s.Off+k])
				}
			}
		}
	}
	return mine, nil
}

// entry makes an entry of θ the trajectory's own and gives its place in value.
func (tr *trajectory) entry(i int, v float64) int {
	k := slices.Index(tr.index, i)
	if k < 0 {
		k = len(tr.index)
		tr.index, tr.value = append(tr.index, i), append(tr.value, 0)
	}
	tr.value[k] = v
	return k
}

// write puts what is the trajectory's own into θ.
func (tr *trajectory) write(th []float64) {
	for k, i := range tr.index {
		th[i] = tr.value[k]
	}
}

// isInitial says whether an entry of θ is an initial value.
func isInitial(sys *system.System, i int) bool {
	for k := range sys.Theta {
		if s := &sys.Theta[k]; s.Role == system.RoleInit && i >= s.Off && i < s.Off+s.Size() {
			return true
		}
	}
	return false
}

// thetaName is the name of an entry of θ, for messages.
func thetaName(sys *system.System, i int) string {
	for _, s := range sys.Theta {
		if i >= s.Off && i < s.Off+s.Size() {
			return system.Names([]system.Slot{s.Slot})[i-s.Off]
		}
	}
	return fmt.Sprintf("θ[%d]", i+1)
}
