package value

import (
	"fmt"

	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
)

// Solution is a trajectory with the model and the values it was computed with.
type Solution struct {
	Sol   *solve.Solution
	Model *Model
	Theta []float64
	Gone  *Gone // where the outputs went, nil where they are kept

	outs []float64 // nt × NOut, made on demand
}

// Type implements Value.
func (*Solution) Type() string { return "a solution" }

// sys is the compiled model.
func (s *Solution) sys() *system.System { return s.Model.C.System }

// series picks a slot out of rows of width w.
func series(rows []float64, nt, w int, sl system.Slot) *Array {
	n := sl.Size()
	a := &Array{Shape: append(types.Shape{nt}, sl.Shape...), Data: make([]float64, 0, nt*n)}
	for i := range nt {
		a.Data = append(a.Data, rows[i*w+sl.Off:i*w+sl.Off+n]...)
	}
	return a
}

// Member implements members: states, lets, parameters, t, last, stats, status, events. Of outputs that are not kept there is none; NotKept says so.
func (s *Solution) Member(name string) (Value, bool) {
	sys := s.sys()
	if s.NotKept(name) != nil {
		return nil, false
	}
	nt := len(s.Sol.T)
	for _, sl := range sys.States {
		if sl.Name == name {
			return series(s.Sol.X, nt, sys.NX, sl), true
		}
	}
	for _, sl := range sys.Outs {
		if sl.Name == name {
			return series(s.Outs(), nt, s.outWidth(), sl), true
		}
	}
	switch name {
	case "t":
		return Vec(append([]float64(nil), s.Sol.T...)), true
	case "stats":
		return s.Stats(), true
	case "status":
		return Text(s.Sol.Status.String()), true
	case "events":
		return &Events{s}, true
	case "last":
		return s.Last(), true
	}
	return ThetaMember(sys, s.Theta, name)
}

func (s *Solution) outWidth() int {
	n := 0
	for _, sl := range s.sys().Outs {
		n += sl.Size()
	}
	return n
}

// Outs are the lets at the output times, one row each.
func (s *Solution) Outs() []float64 {
	if s.outs == nil && s.sys().Output != nil {
		w := s.outWidth()
		f := s.sys().Output.Clone()
		out := make([]float64, w*len(s.Sol.T))
		nx := s.sys().NX
		for i, t := range s.Sol.T {
			f.Eval(out[i*w:(i+1)*w], t, s.Sol.X[i*nx:(i+1)*nx], s.Theta)
		}
		s.outs = out
	}
	return s.outs
}

// Names implements members.
func (s *Solution) Names() []string {
	if s.Gone != nil {
		return []string{"last", "stats", "status"}
	}
	return append(s.series(), "t", "last", "stats", "status", "events")
}

// Frame is the solution as columns: t, the scalars of the states, then of the lets.
func (s *Solution) Frame() *trace.Frame {
	nt := len(s.Sol.T)
	cols := s.Model.columns()
	f := &trace.Frame{Columns: []Column{{Name: "t", Unit: s.Model.TimeUnit(), Values: s.Sol.T}}}
	for _, c := range cols {
		rows, w := s.Sol.X, s.sys().NX
		if c.let {
			rows, w = s.Outs(), s.outWidth()
		}
		c.Values = make([]float64, nt)
		for i := range nt {
			c.Values[i] = rows[i*w+c.off]
		}
		f.Columns = append(f.Columns, c.Column)
	}
	return f
}

// AtTimes is s(t): the states and lets at one time (each of its own shape) or at several (one row a time).
func (s *Solution) AtTimes(t *Array) (Value, error) {
	sys := s.sys()
	if s.Gone != nil && !(len(t.Data) == 1 && t.Data[0] == s.Sol.TEnd) {
		return nil, s.Gone.errorf("so it is known at its end only, t = %s", Format(s.Sol.TEnd))
	}
	n := len(t.Data)
	rows := make([]float64, n*sys.NX)
	for i, x := range t.Data {
		if err := s.Sol.At(x, rows[i*sys.NX:(i+1)*sys.NX]); err != nil {
			return nil, err
		}
	}
	w := s.outWidth()
	outs := make([]float64, n*w)
	if sys.Output != nil {
		f := sys.Output.Clone()
		for i, x := range t.Data {
			f.Eval(outs[i*w:(i+1)*w], x, rows[i*sys.NX:(i+1)*sys.NX], s.Theta)
		}
	}
	r := &Record{}
	put := func(rows []float64, width int, sl system.Slot) {
		a := series(rows, n, width, sl)
		if t.Shape.IsScalar() {
			a.Shape = a.Shape[1:]
			if len(a.Shape) == 0 {
				a.Shape = nil
			}
		}
		r.Put(sl.Name, a)
	}
	for _, sl := range sys.States {
		put(rows, sys.NX, sl)
	}
	for _, sl := range sys.Outs {
		put(outs, w, sl)
	}
	return r, nil
}

// Stats is the account of the run.
func (s *Solution) Stats() *Record {
	r := &Record{}
	st := s.Sol.Stats
	r.Put("solver", Text(s.Sol.Used()))
	if st.Chosen != "" {
		r.Put("why", Text(st.Chosen))
	}
	r.Put("status", Text(s.Sol.Status.String()))
	r.Put("steps", Num(float64(st.Steps)))
	r.Put("rejected", Num(float64(st.Rejected)))
	r.Put("evaluations", Num(float64(st.Evals)))
	if len(s.sys().Events) > 0 {
		r.Put("events", Num(float64(st.Events)))
	}
	if n := st.Jumps; n > 0 {
		r.Put("jumps", Num(float64(n)))
	}
	if st.Jacobians > 0 {
		r.Put("jacobians", Num(float64(st.Jacobians)))
		r.Put("factorisations", Num(float64(st.Factors)))
	}
	if st.Newton > 0 {
		r.Put("newton", Num(float64(st.Newton)))
		r.Put("newton_failures", Num(float64(st.Failed)))
	}
	if st.Krylov > 0 {
		r.Put("directions", Num(float64(st.Krylov)))
	}
	if st.Checkpoints > 0 {
		r.Put("checkpoints", Num(float64(st.Checkpoints)))
		r.Put("repeated", Num(float64(st.Repeated)))
	}
	if st.Linear != "" {
		r.Put("linear", Text(st.Linear))
	}
	backend := "portable"
	if b := s.Model.C.System.Backend; b != nil {
		backend = b()
	}
	if st.Whole {
		backend += ", whole steps"
	}
	r.Put("backend", Text(backend))
	return r
}

// Member implements members for records.
func (r *Record) Member(name string) (Value, bool) {
	if v, ok := r.Get(name); ok {
		return v, ok
	}
	// A dotted key is reached part by part.
	sub := &Record{}
	for i, k := range r.Keys {
		if len(k) > len(name) && k[:len(name)] == name && k[len(name)] == '.' {
			sub.Put(k[len(name)+1:], r.Vals[i])
		}
	}
	return sub, len(sub.Keys) > 0
}

// Names implements members.
func (r *Record) Names() []string { return r.Keys }

// ThetaMember reads a parameter, constant or weight: alpha, or the record U of its weights.
func ThetaMember(sys *system.System, th []float64, name string) (Value, bool) {
	sub := &Record{}
	for _, sl := range sys.Theta {
		if sl.Role == system.RoleInit || sl.Role == system.RoleFlag {
			continue
		}
		v := &Array{Shape: sl.Shape, Data: append([]float64(nil), th[sl.Off:sl.Off+sl.Size()]...)}
		if sl.Name == name {
			return v, true
		}
		if len(sl.Name) > len(name) && sl.Name[:len(name)] == name && sl.Name[len(name)] == '.' {
			sub.Put(sl.Name[len(name)+1:], v)
		}
	}
	return sub, len(sub.Keys) > 0
}

// Member implements members: parameters, constants, weights, and what a fit left.
func (m *Model) Member(name string) (Value, bool) {
	if m.Fit != nil {
		switch name {
		case "loss":
			return Num(m.Fit.Result.Loss), true
		case "history":
			h := make([]float64, len(m.Fit.Result.History))
			for i, p := range m.Fit.Result.History {
				h[i] = p.Loss
			}
			return Vec(h), true
		case "report":
			return &Report{m.Fit}, true
		}
	}
	for _, u := range m.C.Model.Unknowns {
		if u.Name == name {
			return &Learned{Model: m, Unknown: u}, true
		}
	}
	if v, ok := ThetaMember(m.C.System, m.Theta, name); ok {
		return v, true
	}
	// A state's name is its initial value.
	for _, sl := range m.C.System.States {
		if sl.Name == name {
			x0 := make([]float64, m.C.System.NX)
			t0 := 0.0
			if m.Fit != nil && len(m.Fit.Times) > 0 {
				t0 = m.Fit.Times[0]
			}
			m.C.System.Init.Clone().Eval(x0, t0, nil, m.Theta)
			return &Array{Shape: sl.Shape, Data: x0[sl.Off : sl.Off+sl.Size()]}, true
		}
	}
	return nil, false
}

// Names implements members.
func (m *Model) Names() []string {
	var names []string
	seen := map[string]bool{}
	add := func(n string) {
		if !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	if m.Fit != nil {
		add("loss")
		add("history")
		add("report")
	}
	for _, sl := range m.C.System.Theta {
		if sl.Role == system.RoleFlag {
			continue
		}
		if sl.Owner != "" {
			add(sl.Owner)
			continue
		}
		add(sl.Name)
	}
	return names
}

// Learned is an unknown function of a model, with its weights: it can be called, and its weights are its parts.
type Learned struct {
	Model   *Model
	Unknown *model.Unknown
}

// Type implements Value.
func (l *Learned) Type() string { return "the function `" + l.Unknown.Name + "`" }

// Member implements members: the weights.
func (l *Learned) Member(name string) (Value, bool) {
	v, ok := ThetaMember(l.Model.C.System, l.Model.Theta, l.Unknown.Name)
	if r, isRecord := v.(*Record); ok && isRecord {
		return r.Member(name)
	}
	return nil, false
}

// Names implements members.
func (l *Learned) Names() []string {
	if r, ok := ThetaMember(l.Model.C.System, l.Model.Theta, l.Unknown.Name); ok {
		return r.(*Record).Names()
	}
	return nil
}

// Weights is the record of the weights.
func (l *Learned) Weights() *Record {
	r, _ := ThetaMember(l.Model.C.System, l.Model.Theta, l.Unknown.Name)
	return r.(*Record)
}

// Table is a table of data.
type Table struct {
	Name string
	Time string // the time column, "" when none was named
	Cols []Column
	Rows int
	// Place is "file:line: column" of a cell.
	Place func(row int, col string) string
	// Numbers is the error of computing with a column that is not numeric, nil of others.
	Numbers func(col string) error
	Part    string // of a table that is a part of another: which, "subject = 3"
	Record  bool   // a record of columns that serves as a table
	Start   *Start // where a solution that serves as data begins; nil of measurements
}

// Column is one column; a missing cell is NaN. Values is nil in a column of texts.
type Column = trace.Column

// Type implements Value.
func (*Table) Type() string { return "a table" }

// Col finds a column.
func (t *Table) Col(name string) (*Column, bool) {
	for i := range t.Cols {
		if t.Cols[i].Name == name {
			return &t.Cols[i], true
		}
	}
	return nil, false
}

// Member implements members.
func (t *Table) Member(name string) (Value, bool) {
	c, ok := t.Col(name)
	if !ok {
		return nil, false
	}
	if c.Values == nil {
		var l List
		for _, s := range c.Text {
			l = append(l, Text(s))
		}
		return l, true
	}
	return Vec(append([]float64(nil), c.Values...)), true
}

// Names implements members.
func (t *Table) Names() []string {
	var names []string
	for _, c := range t.Cols {
		names = append(names, c.Name)
	}
	return names
}

// Frame is the table for writing.
func (t *Table) Frame() *trace.Frame { return &trace.Frame{Columns: t.Cols} }

// String names a table's origin.
func (t *Table) String() string { return fmt.Sprintf("%s: %d rows", t.Name, t.Rows) }

// Plot is a figure, ready to be drawn in the terminal or saved to a file.
type Plot struct{ trace.Plot }

// Type implements Value.
func (*Plot) Type() string { return "a plot" }
