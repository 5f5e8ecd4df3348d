package value

import (
	"cmp"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/train"
)

// Report is the account of a fit.
type Report struct{ Fit *Fit }

// Type implements Value.
func (*Report) Type() string { return "a report" }

// figures are the parts of a report, in the order they are listed.
var figures = []struct {
	name string
	doc  string
	of   func(r *Report, t *train.Report) Value
}{
	{"loss", "over the data trained on", func(_ *Report, t *train.Report) Value { return Num(t.Train.Loss) }},
	{"rmse", "root mean square error of the data trained on", func(_ *Report, t *train.Report) Value { return Num(t.Train.RMSE) }},
	{"penalty", "the price of `regularise`, 0 without", func(_ *Report, t *train.Report) Value { return Num(t.Penalty) }},
	{"held_loss", "over the data held out; nan without", func(_ *Report, t *train.Report) Value { return Num(held(t).Loss) }},
	{"held_rmse", "root mean square error of the data held out; nan without", func(_ *Report, t *train.Report) Value { return Num(held(t).RMSE) }},
	{"aic", "Akaike's information criterion", func(_ *Report, t *train.Report) Value { return Num(t.AIC) }},
	{"bic", "the Bayesian information criterion", func(_ *Report, t *train.Report) Value { return Num(t.BIC) }},
	{"estimates", "a record of what was free", func(_ *Report, t *train.Report) Value {
		return byName(t, func(p train.Estimate) float64 { return p.Value })
	}},
	{"standard_errors", "a record, nan where the data do not say", func(_ *Report, t *train.Report) Value {
		return byName(t, func(p train.Estimate) float64 { return p.StdErr })
	}},
	{"sd", "a record of the scales of errors of a likelihood", func(_ *Report, t *train.Report) Value {
		r := &Record{}
		for _, c := range t.Columns {
			if !math.IsNaN(c.SD) {
				r.Put(c.Quantity, Num(c.SD))
			}
		}
		return r
	}},
	{"phases", "a table: where each ended, of a fit in several", func(_ *Report, t *train.Report) Value { return phases(t) }},
	{"correlations", "a record of records, of the estimates", func(_ *Report, t *train.Report) Value { return correlations(t) }},
	{"residuals", "a table: model minus datum, a column for each quantity", func(r *Report, t *train.Report) Value { return r.residuals(t) }},
	{"trajectories", "a table: values and error of each of several", func(_ *Report, t *train.Report) Value { return trajectories(t) }},
	{"warnings", "a list of texts", func(_ *Report, t *train.Report) Value {
		l := List{}
		for _, w := range t.Warnings {
			l = append(l, Text(w))
		}
		return l
	}},
	{"notes", "what has no effect", func(_ *Report, t *train.Report) Value {
		l := List{}
		for _, n := range t.Notes {
			l = append(l, Text(n))
		}
		return l
	}},
	{"gradients", "how they were computed", func(_ *Report, t *train.Report) Value { return Text(t.Gradients) }},
	{"starts", "the loss at the end of each of several", func(_ *Report, t *train.Report) Value {
		out := []float64{t.Train.Loss}
		if t.Starts != nil {
			out = out[:0]
		}
		for _, s := range t.Starts {
			out = append(out, s.Loss)
		}
		return Vec(out)
	}},
	{"failures", "how many trials failed", func(_ *Report, t *train.Report) Value { return Num(float64(t.Failed.N)) }},
	{"first_failure", "what happened in the first of them", func(_ *Report, t *train.Report) Value { return Text(t.Failed.First) }},
	{"last_failure", "and in the last", func(_ *Report, t *train.Report) Value { return Text(t.Failed.Last) }},
	{"iterations", "of all stages", func(_ *Report, t *train.Report) Value { return Num(float64(t.Iters)) }},
	{"evaluations", "of the loss", func(_ *Report, t *train.Report) Value { return Num(float64(t.Evals)) }},
	{"seconds", "that it took", func(_ *Report, t *train.Report) Value { return Num(t.Elapsed.Seconds()) }},
}

func held(t *train.Report) train.Score {
	if t.Held == nil {
		return train.Score{Loss: math.NaN(), RMSE: math.NaN()}
	}
	return *t.Held
}

// byName is a record of a figure of each estimate.
func byName(t *train.Report, of func(p train.Estimate) float64) *Record {
	r := &Record{}
	for _, p := range t.Params {
		r.Put(p.Name, Num(of(p)))
	}
	return r
}

// correlations are a record for each estimate, of its correlations with all.
func correlations(t *train.Report) *Record {
	r := &Record{}
	if t.Identify == nil {
		return r
	}
	for i, name := range t.Identify.Names {
		row := &Record{}
		for j, other := range t.Identify.Names {
			row.Put(other, Num(t.Identify.Corr[i][j]))
		}
		r.Put(name, row)
	}
	return r
}

// trajectories are a table of those of a fit to several: how many values each has, and their root mean square error.
func trajectories(t *train.Report) *Table {
	out := &Table{Name: "trajectories", Rows: len(t.Trajectories)}
	cols := []Column{{Name: "name", Text: []string{}}, {Name: "values", Values: []float64{}}, {Name: "rmse", Values: []float64{}}, {Name: "held_values", Values: []float64{}}, {Name: "held_rmse", Values: []float64{}}}
	for _, s := range t.Trajectories {
		cols[0].Text = append(cols[0].Text, s.Name)
		for i, v := range []float64{float64(s.N), s.RMSE, float64(s.HeldN), s.HeldRMSE} {
			cols[i+1].Values = append(cols[i+1].Values, v)
		}
	}
	out.Cols = cols
	return out
}

// phases are a table of those of a fit: what each was, where it ended, and what there is to say of it.
func phases(t *train.Report) *Table {
	out := &Table{Name: "phases"}
	cols := []Column{{Name: "phase", Text: []string{}}, {Name: "loss", Values: []float64{}}, {Name: "iterations", Values: []float64{}}, {Name: "note", Text: []string{}}}
	for _, p := range t.Phases {
		if !p.Skipped {
			cols[0].Text, cols[3].Text = append(cols[0].Text, p.Title), append(cols[3].Text, p.Note)
			cols[1].Values, cols[2].Values = append(cols[1].Values, p.Loss), append(cols[2].Values, float64(p.Iters))
		}
	}
	out.Cols, out.Rows = cols, len(cols[0].Text)
	return out
}

// residuals are a table: the times, and a column for each quantity, what is missing as NaN. A time stands once for all quantities
// measured then in one trajectory.
func (r *Report) residuals(t *train.Report) *Table {
	out := &Table{Name: "residuals", Time: "t"}
	type place struct {
		trajectory int
		t          float64
		nth        int // of several values of one quantity at one time
	}
	row := map[place]int{}
	var places []place
	of := make([]place, len(t.Residuals))
	type value struct {
		trajectory, column int
		t                  float64
	}
	nth := map[value]int{}
	for i, e := range t.Residuals {
		v := value{e.Trajectory, e.Column, e.T}
		p := place{e.Trajectory, e.T, nth[v]}
		nth[v]++
		of[i] = p
		if _, ok := row[p]; !ok {
			row[p] = len(places)
			places = append(places, p)
		}
	}
	// What was held out may lie between.
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.trajectory, b.trajectory), cmp.Compare(a.t, b.t), cmp.Compare(a.nth, b.nth))
	})
	times, numbers := make([]float64, len(places)), make([]float64, len(places))
	for i, p := range places {
		row[p], times[i], numbers[i] = i, p.t, float64(p.trajectory+1)
	}
	out.Rows = len(times)
	if len(t.Trajectories) > 0 {
		out.Cols = append(out.Cols, Column{Name: "trajectory", Values: numbers})
	}
	out.Cols = append(out.Cols, Column{Name: "t", Values: times})
	first := len(out.Cols)
	for _, c := range t.Columns {
		v := make([]float64, len(times))
		for i := range v {
			v[i] = math.NaN()
		}
		out.Cols = append(out.Cols, Column{Name: c.Quantity, Values: v})
	}
	for i, e := range t.Residuals {
		out.Cols[first+e.Column].Values[row[of[i]]] = e.Value
	}
	return out
}

// Figures are the parts of a report, each with what it is.
func Figures() (names, docs []string) {
	for _, f := range figures {
		names, docs = append(names, f.name), append(docs, f.doc)
	}
	return names, docs
}

// Record is the report as a record, its tables as records of columns.
func (r *Report) Record() *Record {
	out := &Record{}
	for _, f := range figures {
		v := f.of(r, r.Fit.Result.Report)
		if t, ok := v.(*Table); ok {
			cols := &Record{}
			for _, c := range t.Cols {
				if c.Values != nil {
					cols.Put(c.Name, Vec(c.Values))
					continue
				}
				l := List{}
				for _, x := range c.Text {
					l = append(l, Text(x))
				}
				cols.Put(c.Name, l)
			}
			v = cols
		}
		out.Put(f.name, v)
	}
	return out
}

// Member implements members: the figures of the report.
func (r *Report) Member(name string) (Value, bool) {
	for _, f := range figures {
		if f.name == name {
			return f.of(r, r.Fit.Result.Report), true
		}
	}
	return nil, false
}

// Names implements members.
func (r *Report) Names() []string {
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.name
	}
	return names
}
