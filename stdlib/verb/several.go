package verb

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// A fit to several tables, the members of an ensemble, or one table: what each trajectory has for itself are its data, what `set`, `initial` and
// `inputs` say of it, and the initial values that are free.

// What is said of each trajectory, by the verbs that compare with data.
var (
	optSetEach    = arg("set", "record or list of records", "none", "values for this run: parameters, constants, weights, and initial values by the state's name; of several trajectories a list with a record for each. The name of a column, `{dose: \"Dose\"}`, gives each what that column has in all its rows")
	optInputsEach = arg("inputs", OfSignals, "none", "tables for the model's inputs, `{I: hold(times, values)}`, or `{I: hold(\"column\")}` of the data; of several trajectories one for all, or a list with a record for each")
)

// optInitial is an option of fit.
var optInitial = arg("initial", "word: data", "none", "initial values from the first row: `data` for all matched states, or `{x: \"column\"}`; else they are what the model says")

// tables reads the data: a table, or several.
func (c *Call) tables() (list []*value.Table, several bool, err error) {
	switch v := c.Args["data"].(type) {
	case value.List:
		for i, x := range v {
			t, err := c.serving(x)
			if err == nil && t == nil {
				err = c.Bad("data", "element %d of the data must be a table, this is %s", i+1, value.Describe(x)).
					WithHelp("several trajectories are a list of tables, `[d1, d2]`, `csv(\"file.csv\", by = \"subject\")`, or an ensemble")
			}
			if err != nil {
				return nil, true, err
			}
			list = append(list, t)
		}
		if len(list) == 0 {
			return nil, true, c.Bad("data", "the list of data is empty")
		}
		return list, true, nil
	case *value.Ensemble:
		if k := slices.IndexFunc(v.Res.Status, func(s solve.Status) bool { return !s.Ended() }); k >= 0 {
			return nil, true, c.Bad("data", "member %d of the ensemble stopped early, so that it has no data to its end (%d of %d did)", k+1, v.Res.Failed, v.Res.N).
				WithHelp("take a shorter time span, or values at which all members reach the end")
		}
		for i := range v.Res.N {
			list = append(list, v.Table(i))
		}
		return list, true, nil
	}
	t, err := c.serving(c.Args["data"])
	return []*value.Table{t}, false, err
}

// serving is what serves as a table of data: a table, a record of columns, or a solution; nil for all else.
func (c *Call) serving(v value.Value) (*value.Table, error) {
	s, ok := v.(*value.Solution)
	if !ok {
		return c.tableFrom("data", v)
	}
	if err := s.NotKept(""); err != nil {
		return nil, c.Bad("data", "%v", err).WithHelp("%s", s.Gone.Help())
	}
	return s.Table(), nil
}

// gather reads the data of a fit, matched to the model, and what each trajectory has for itself.
func (c *Call) gather(m *value.Model, spec *train.Spec, out *value.Fit) (*value.Model, error) {
	tables, several, err := c.tables()
	if err != nil {
		return nil, err
	}
	sets, err := c.each("set", len(tables), several)
	if err != nil {
		return nil, err
	}
	inputs, err := c.each("inputs", len(tables), several)
	if err != nil {
		return nil, err
	}
	for k, t := range tables {
		own := m
		if inputs != nil || c.perTable() {
			c.here = t
			r, _ := c.Args["inputs"].(*value.Record)
			if inputs != nil {
				r = inputs[k]
			}
			if own, err = c.bindTo(m, r); err != nil {
				return nil, c.inTable(err, t, several)
			}
			c.here = nil
		}
		d, err := c.datasetOf(own, t)
		if err != nil {
			return nil, c.inTable(err, t, several)
		}
		tr := train.Trajectory{Name: nameOf(tables, k), Data: d.data, Sys: own.C.System}
		times := d.times
		if t.Start != nil {
			if tr.T0 = &t.Start.T; t.Start.T < times[0] {
				times = append([]float64{t.Start.T}, times...)
			}
		}
		th := spec.Theta
		if sets != nil {
			if th, err = c.thetaWith(m, sets[k]); err != nil {
				return nil, err
			}
		}
		th = c.carried(m, th, sets, len(tables), k)
		if th, err = c.initial(d, th, sets, k); err != nil {
			return nil, c.inTable(err, t, several)
		}
		for i, v := range th {
			if v != spec.Theta[i] && !(v != v && spec.Theta[i] != spec.Theta[i]) {
				tr.Index, tr.Values = append(tr.Index, i), append(tr.Values, v)
			}
		}
		if k == 0 {
			spec.Compare, spec.Problem.T0 = d.spec, d.times[0]
			if tr.T0 != nil {
				spec.Problem.T0 = *tr.T0
			}
			out.Data, out.Match, out.Cols, out.Times = t, d.match, d.cols, times
			if !m.Trained() {
				spec.AutoScale = slices.DeleteFunc(autoScales(m), func(a train.AutoScale) bool { return c.isSet(a.Slot) })
			}
		}
		out.Trajectories = append(out.Trajectories, value.Trajectory{Name: tr.Name, Model: own, Data: t, Times: times})
		spec.Trajectories = append(spec.Trajectories, tr)
	}
	if several {
		return m, nil
	}
	// What one trajectory has for itself is the model's.
	one := spec.Trajectories[0]
	for i, at := range one.Index {
		spec.Theta[at] = one.Values[i]
	}
	own := out.Trajectories[0].Model
	spec.Sys, spec.Problem.Sys, out.Trajectories = own.C.System, own.C.System, nil
	spec.Trajectories[0].Index, spec.Trajectories[0].Values, spec.Trajectories[0].Name = nil, nil, ""
	return own, nil
}

// carried puts the initial values that an earlier fit to as many trajectories has found for each into θ, of those that are free again: the fit goes
// on from where the last one ended. What is set now comes first.
func (c *Call) carried(m *value.Model, th []float64, sets []*value.Record, n, k int) []float64 {
	if m.Fit == nil || len(m.Fit.Trajectories) != n {
		return th
	}
	own := m.Fit.Trajectories[k].Model
	free := c.names("free")
	th = slices.Clone(th)
	for _, name := range ownInitials(m) {
		given := c.isSet(name) || !slices.Contains(free, name)
		if sets != nil {
			_, here := sets[k].Get(name)
			given = given || here
		}
		init, flag := m.C.System.Find(name, system.RoleInit), m.C.System.Find(name, system.RoleFlag)
		if !given && init != nil && flag != nil && own.Theta[flag.Off] == 1 {
			copy(th[init.Off:init.Off+init.Size()], own.Theta[init.Off:])
			th[flag.Off] = 1
		}
	}
	return th
}

// ownInitials are the states of which a fit has found an initial value for each of several trajectories.
func ownInitials(m *value.Model) []string {
	if m.Fit == nil || m.Fit.Result == nil || len(m.Fit.Trajectories) < 2 {
		return nil
	}
	var out []string
	for _, e := range m.Fit.Result.Report.Params {
		name, _, _ := strings.Cut(e.Name, "[")
		if e.Trajectory != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// nameOf is what a trajectory is called: the part of the table that it is, or the table where its name says which one.
func nameOf(tables []*value.Table, k int) string {
	name := tables[k].Name
	if p := tables[k].Part; p != "" {
		name = p
	}
	for i, t := range tables {
		if i != k && (t.Name == name || t.Part == name) {
			return fmt.Sprintf("trajectory %d", k+1)
		}
	}
	return name
}

// inTable adds to an error which table it is about, unless its message names it.
func (c *Call) inTable(err error, t *value.Table, several bool) error {
	if l := diag.From(err); several && len(l) == 1 {
		return l[0].Note("in the data `%s`", t.Name)
	}
	return err
}

// each reads an option that may be a list with a record for each trajectory; nil where it is one for all.
func (c *Call) each(option string, n int, several bool) ([]*value.Record, error) {
	l, ok := c.Args[option].(value.List)
	if !ok {
		return nil, nil
	}
	if !several {
		return nil, c.Bad(option, "`%s` is a list, and the data are those of one trajectory", option).WithHelp("give one record, or a list of tables as data")
	}
	if len(l) != n {
		return nil, c.Bad(option, "there are %d trajectories, and `%s` is a list of %d", n, option, len(l)).WithHelp("give a record for each, `{}` where there is nothing to say, or one for all")
	}
	out := make([]*value.Record, n)
	for i, v := range l {
		r, ok := v.(*value.Record)
		if !ok {
			return nil, c.Bad(option, "element %d of `%s` must be a record, this is %s", i+1, option, value.Describe(v))
		}
		out[i] = r
	}
	return out, nil
}

// overData says whether the call compares a model with data, of which there may be several trajectories; a loss that is a function has one.
func (c *Call) overData() bool {
	if _, function := c.Args["loss"].(*value.Lambda); function {
		return false
	}
	return slices.Contains([]string{"fit", "grad", "hessian", "check_grad"}, c.Verb.Name)
}

// perTable says whether inputs are read from columns of the data, `{I: hold("column")}`, and so differ from table to table.
func (c *Call) perTable() bool {
	r, ok := c.Args["inputs"].(*value.Record)
	return ok && c.overData() && slices.ContainsFunc(r.Vals, func(v value.Value) bool {
		s, ok := v.(*value.Spec)
		if !ok || s.Row.Kind != sig.Signal {
			return false
		}
		_, text := s.Args["times"].(value.Text)
		return text
	})
}

// initial puts initial values from the data into θ, of which it gives a copy.
func (c *Call) initial(d *dataset, th []float64, sets []*value.Record, k int) ([]float64, error) {
	v, ok := c.Args["initial"]
	if !ok {
		return th, nil
	}
	given := map[string]string{}
	at := c.SpanOf("initial")
	switch v := v.(type) {
	case value.Word:
		if v != "data" {
			return nil, c.Bad("initial", "`initial` cannot be `%s`", v).WithHelp("write `initial = data` for all matched states, or `initial = {x: \"column\"}`")
		}
		states := d.sys.StateNames()
		for _, q := range d.cols {
			if slices.Contains(states, q) {
				given[q] = d.match[q]
			}
		}
		if len(given) == 0 {
			return nil, c.Bad("initial", "no state is matched to data, so that none has an initial value there").WithHelp("name the columns, `initial = {x: \"column\"}`")
		}
	case *value.Record:
		for i, key := range v.Keys {
			if i < len(v.Span) {
				at = v.Span[i]
			}
			qs, cols, err := d.pairs(key, v.Vals[i], at)
			if err != nil {
				return nil, err
			}
			for j, q := range qs {
				if _, state := train.Observe(d.sys, q); !state || !slices.Contains(d.sys.StateNames(), q) {
					return nil, diag.New("E0704", at, "`%s` is no state, so it has no initial value", q)
				}
				given[q] = cols[j]
			}
		}
	default:
		return nil, c.Bad("initial", "`initial` is `data`, or a record of columns, not %s", value.Describe(v)).WithHelp("write `initial = data`, or `initial = {x: \"column\"}`")
	}
	th = slices.Clone(th)
	for i := range d.sys.States {
		s := &d.sys.States[i]
		names := system.Names([]system.Slot{*s})
		n := 0
		for _, q := range names {
			if _, ok := given[q]; ok {
				n++
			}
		}
		if n == 0 {
			continue
		}
		if n < len(names) {
			return nil, c.Bad("initial", "`%s` has %d elements, and %d of them an initial value in the data", s.Name, len(names), n).WithHelp("match all of them")
		}
		set, _ := c.Args["set"].(*value.Record)
		if sets != nil {
			set = sets[k]
		}
		if set != nil {
			if _, twice := set.Get(s.Name); twice {
				return nil, c.Bad("initial", "the initial value of `%s` is in `set` and in `initial`", s.Name).WithHelp("remove one of them")
			}
		}
		sl, flag := d.sys.Find(s.Name, system.RoleInit), d.sys.Find(s.Name, system.RoleFlag)
		if sl == nil || flag == nil {
			return nil, c.Bad("initial", "the initial value of `%s` is fixed", s.Name)
		}
		for j, q := range names {
			x, err := d.first(given[q], at)
			if err != nil {
				return nil, err
			}
			th[sl.Off+j] = x
		}
		th[flag.Off] = 1
	}
	return th, nil
}

// first is a column's value where the solution starts.
func (d *dataset) first(column string, at diag.Span) (float64, error) {
	if d.table.Start != nil {
		if v, ok := d.table.Start.Of(column); ok && !math.IsNaN(v) {
			return v, nil
		}
	}
	col, err := d.column(column, at)
	if err != nil {
		return 0, err
	}
	if v := col.Values[0]; !math.IsNaN(v) {
		return v, nil
	}
	where := d.table.Name
	if d.table.Place != nil {
		where = d.table.Place(0, column)
	}
	return 0, diag.New("E0512", at, "%s: the first value is missing, and it is to be the initial value", where).
		WithHelp("fill it in, or leave the state out: `initial = {x: \"column\"}` names those that are read; a state in `free` is estimated")
}

// holdout reads which data are kept out.
func (c *Call) holdout(several int) (h train.HeldOut, err error) {
	v, ok := c.Args["holdout"]
	if !ok {
		return h, nil
	}
	r, ok := v.(*value.Record)
	if !ok {
		return h, c.holdTimes(&h, v)
	}
	for i, key := range r.Keys {
		switch key {
		case "times":
			if err := c.holdTimes(&h, r.Vals[i]); err != nil {
				return h, err
			}
		case "trajectories":
			if several == 0 {
				return h, c.Bad("holdout", "the data are those of one trajectory, which cannot be held out as a whole").WithHelp("hold out times, `holdout = 0.3`")
			}
			if err := c.holdWhole(&h, r.Vals[i], several); err != nil {
				return h, err
			}
		default:
			return h, c.Bad("holdout", "`holdout` has no `%s`", key).WithHelp("it has `times` and `trajectories`")
		}
	}
	return h, nil
}

func (c *Call) holdTimes(h *train.HeldOut, v value.Value) error {
	switch v := v.(type) {
	case *value.Array:
		if v.Shape.IsScalar() && v.Data[0] > 0 && v.Data[0] < 1 {
			h.Last = v.Data[0]
			return nil
		}
	case *value.Range:
		if v.Hi > v.Lo {
			h.From, h.To = v.Lo, v.Hi
			return nil
		}
	}
	return c.Bad("holdout", "`holdout` is a share between 0 and 1, or a range of times, not %s", value.Describe(v)).
		WithHelp("write `holdout = 0.3` for the last part, or `holdout = 1914..1920`; `holdout = {trajectories: [3, 7]}` holds out whole ones")
}

// holdWhole reads which of n trajectories are held out: their numbers, or the share of them from the end.
func (c *Call) holdWhole(h *train.HeldOut, v value.Value, n int) error {
	if a, ok := v.(*value.Array); ok && a.Shape.IsScalar() && a.Data[0] > 0 && a.Data[0] < 1 {
		k := min(max(int(math.Round(a.Data[0]*float64(n))), 1), n-1)
		for i := n - k; i < n; i++ {
			h.Trajectories = append(h.Trajectories, i)
		}
		return nil
	}
	var numbers []float64
	switch v := v.(type) {
	case *value.Range:
		if v.By == 0 && v.At == nil {
			v = &value.Range{Lo: v.Lo, Hi: v.Hi, By: 1}
		}
		numbers = v.Points()
	case *value.Array:
		numbers = v.Data
	}
	if len(numbers) == 0 {
		return c.Bad("holdout", "`trajectories` is a list of their numbers, or a share of them between 0 and 1, not %s", value.Describe(v)).
			WithHelp("write `holdout = {trajectories: [3, 7]}`, or `{trajectories: 0.2}` for the last fifth of them")
	}
	for _, x := range numbers {
		if x != math.Trunc(x) || x < 1 || x > float64(n) {
			return c.Bad("holdout", "there is no trajectory %s, there are %d", value.Format(x), n).WithHelp("they are counted from 1")
		}
		h.Trajectories = append(h.Trajectories, int(x)-1)
	}
	return nil
}

// sharedSet refuses a value that `set` gives to some trajectories, of something that is trained with one value for all.
func (c *Call) sharedSet(spec *train.Spec) error {
	l, ok := c.Args["set"].(value.List)
	if !ok {
		return nil
	}
	free := func(sl *system.ThetaSlot) bool {
		if spec.Free == nil {
			return sl.Role == system.RoleParam || sl.Role == system.RoleWeight
		}
		return slices.ContainsFunc(spec.Free, func(f train.Free) bool {
			return slices.ContainsFunc(f.Index, func(i int) bool { return i >= sl.Off && i < sl.Off+sl.Size() })
		})
	}
	for k, v := range l {
		r := v.(*value.Record)
		for i, key := range r.Keys {
			sl := spec.Sys.Find(key, system.RoleParam, system.RoleWeight)
			if sl == nil || !free(sl) {
				continue
			}
			at := c.SpanOf("set")
			if i < len(r.Span) {
				at = r.Span[i]
			}
			return diag.New("E0714", at, "`%s` is trained with one value for all trajectories, so trajectory %d cannot have one of its own", key, k+1).
				WithHelp("leave it out of `free` or of `set`; what is known of each is a `const`")
		}
	}
	return nil
}

// ofEach fills in what each trajectory has for itself after the fit.
func ofEach(f *value.Fit, r *train.Result) {
	for k := range f.Trajectories {
		t, o := &f.Trajectories[k], &r.Own[k]
		th := slices.Clone(r.Theta)
		for i, at := range o.Index {
			th[at] = o.Values[i]
		}
		fit := *f
		fit.Data, fit.Times, fit.Trajectories = t.Data, t.Times, nil
		t.Model = &value.Model{C: t.Model.C, Theta: th, Fit: &fit}
	}
}
