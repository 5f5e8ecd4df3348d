package value

import (
	"fmt"
	"slices"

	"github.com/udl-lang/udl/runtime/system"
)

// Trajectory is what one of several in a fit has for itself.
type Trajectory struct {
	Name  string
	Model *Model // with the values and inputs that are its own, after the fit
	Data  *Table
	Times []float64
}

// Start is where a solution that serves as data begins, which its outputs may leave out.
type Start struct {
	T  float64
	Of func(column string) (float64, bool)
}

// start makes one of an initial state.
func (m *Model) start(t float64, th []float64) *Start {
	return &Start{T: t, Of: func(column string) (float64, bool) {
		sys := m.C.System
		x := make([]float64, sys.NX)
		sys.Init.Clone().Eval(x, t, nil, th)
		if i := slices.Index(sys.StateNames(), column); i >= 0 {
			return x[i], true
		}
		i := slices.Index(system.Names(sys.Outs), column)
		if i < 0 {
			return 0, false
		}
		out := sys.Output.Clone()
		_, _, n := out.Dims()
		z := make([]float64, n)
		out.Eval(z, t, x, th)
		return z[i], true
	}}
}

// Table is a solution as a table of data.
func (s *Solution) Table() *Table {
	t := &Table{Name: "the solution", Time: "t", Rows: len(s.Sol.T), Cols: s.Frame().Columns, Start: s.Model.start(s.Sol.T0, s.Theta)}
	t.Place = func(row int, col string) string {
		return fmt.Sprintf("the solution, t = %s: %s", Short(s.Sol.T[row], 6), col)
	}
	return t
}

// Table is member i, counted from 0, as a table of data.
func (e *Ensemble) Table(i int) *Table {
	nt := len(e.Res.T)
	t := &Table{Name: fmt.Sprintf("member %d", i+1), Time: "t", Rows: nt, Cols: []Column{{Name: "t", Unit: e.Model.TimeUnit(), Values: e.Res.T}}}
	for _, name := range e.series() {
		_, _, sl, _ := e.find(name)
		for j, scalar := range system.Names([]system.Slot{sl}) {
			t.Cols = append(t.Cols, Column{Name: scalar, Unit: sl.Unit, Doc: sl.Doc, Values: e.Curve(i, name, j)})
		}
	}
	t.Start = e.Model.start(e.Prob.T0, e.Theta(i))
	t.Place = func(row int, col string) string {
		return fmt.Sprintf("%s, t = %s: %s", t.Name, Short(e.Res.T[row], 6), col)
	}
	return t
}

// By splits a table by the values of a column, in order of appearance; missing is a row where it has none, −1 where there is none.
func (t *Table) By(column string) (parts []*Table, missing int) {
	c, _ := t.Col(column)
	rows := map[string][]int{}
	var keys []string
	for i := range t.Rows {
		key := ""
		switch {
		case c.Values == nil:
			key = c.Text[i]
		case c.Values[i] == c.Values[i]:
			key = Format(c.Values[i])
		}
		if key == "" {
			return nil, i
		}
		if rows[key] == nil {
			keys = append(keys, key)
		}
		rows[key] = append(rows[key], i)
	}
	for _, key := range keys {
		parts = append(parts, t.rows(rows[key], fmt.Sprintf("%s = %s", column, key)))
	}
	return parts, -1
}

// Parts is a column that says where one trajectory ends and the next begins: its values change where the times fall, and nowhere else; "" for none.
func (t *Table) Parts() string {
	times, ok := t.Col(t.Time)
	if !ok || times.Values == nil {
		return ""
	}
	for _, c := range t.Cols {
		if c.Name == t.Time {
			continue
		}
		falls, fits := false, true
		for i := 1; i < t.Rows && fits; i++ {
			fell := times.Values[i] < times.Values[i-1]
			changed := c.Values != nil && c.Values[i] != c.Values[i-1] || c.Values == nil && c.Text[i] != c.Text[i-1]
			falls, fits = falls || fell, fell == changed
		}
		if falls && fits {
			return c.Name
		}
	}
	return ""
}

// rows is some rows of a table; part says which.
func (t *Table) rows(at []int, part string) *Table {
	out := &Table{Name: t.Name + ", " + part, Part: part, Time: t.Time, Rows: len(at), Numbers: t.Numbers}
	for _, c := range t.Cols {
		d := c
		d.Values, d.Text = nil, nil
		for _, i := range at {
			if c.Values != nil {
				d.Values = append(d.Values, c.Values[i])
			} else {
				d.Text = append(d.Text, c.Text[i])
			}
		}
		out.Cols = append(out.Cols, d)
	}
	if t.Place != nil {
		out.Place = func(row int, col string) string { return t.Place(at[row], col) }
	}
	return out
}
