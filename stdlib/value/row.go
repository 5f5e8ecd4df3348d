package value

import (
	"fmt"

	"github.com/udl-lang/udl/runtime/system"
)

// A long run hands on its outputs as they come and keeps none: as rows of the scalars of the states, then of the lets, the columns of a solution's table.

// Gone says where the outputs of a solution went that keeps none.
type Gone struct {
	File string  // as it was named; "" where a function of the program took them
	Rows int     // how many
	Last float64 // the time of the last of them
}

// errorf is an error that says so first.
func (g *Gone) errorf(format string, args ...any) error {
	return fmt.Errorf("the outputs went to %s and are not kept, "+format, append([]any{g.To()}, args...)...)
}

// To is where they went, for messages.
func (g *Gone) To() string {
	if g.File == "" {
		return "a function"
	}
	return "`" + g.File + "`"
}

// Help is what to do who needs them.
func (g *Gone) Help() string {
	if g.File == "" {
		return "`.last` is the state at the end"
	}
	return fmt.Sprintf("`csv(\"%s\", time = \"t\")` reads them back; `.last` is the state at the end", g.File)
}

// Sink is a Go function that takes the outputs of a solve, a row at a time; it is valid during the call.
type Sink func(t float64, values []float64) error

// Type implements Value.
func (Sink) Type() string { return "a Go function" }

// place is a column of a solution's table: where its numbers lie in the state, or among the lets.
type place struct {
	Column
	let bool
	off int
}

// columns are those of a solution's table behind the time.
func (m *Model) columns() (cols []place) {
	add := func(let bool, slots []system.Slot) {
		for _, sl := range slots {
			for k, name := range system.Names([]system.Slot{sl}) {
				cols = append(cols, place{Column{Name: name, Unit: sl.Unit, Doc: sl.Doc}, let, sl.Off + k})
			}
		}
	}
	add(false, m.C.System.States)
	add(true, m.C.System.Outs)
	return cols
}

// Columns are the names of a row's numbers: the scalars of the states, then of the lets.
func (m *Model) Columns() (names []string) {
	for _, c := range m.columns() {
		names = append(names, c.Name)
	}
	return names
}

// Rows gives a model's outputs as rows, at the values th: a function of a time and the state then, whose result holds until the next call.
func (m *Model) Rows(th []float64) func(t float64, x []float64) []float64 {
	cols, sys := m.columns(), m.C.System
	row := make([]float64, len(cols))
	var lets system.Func
	var out []float64
	if sys.Output != nil {
		lets = sys.Output.Clone()
		_, _, n := lets.Dims()
		out = make([]float64, n)
	}
	return func(t float64, x []float64) []float64 {
		if lets != nil {
			lets.Eval(out, t, x, th)
		}
		for i, c := range cols {
			if c.let {
				row[i] = out[c.off]
			} else {
				row[i] = x[c.off]
			}
		}
		return row
	}
}

// series are the names of the states and lets.
func (s *Solution) series() (names []string) {
	for _, sl := range s.sys().States {
		names = append(names, sl.Name)
	}
	for _, sl := range s.sys().Outs {
		names = append(names, sl.Name)
	}
	return names
}

// NotKept is an error where the solution does not keep the outputs that a part consists of, and "" stands for all of them.
func (s *Solution) NotKept(name string) error {
	if s.Gone == nil {
		return nil
	}
	if name == "" {
		return s.Gone.errorf("so there is nothing here to read them from")
	}
	for _, n := range append(s.series(), "t", "events") {
		if n == name {
			return s.Gone.errorf("so there is no `%s` here", name)
		}
	}
	return nil
}

// Last is the end of the solution: t, states and lets there.
func (s *Solution) Last() *Record {
	r := &Record{}
	r.Put("t", Num(s.Sol.TEnd))
	sys := s.sys()
	for _, sl := range sys.States {
		r.Put(sl.Name, piece(s.Sol.XEnd, sl))
	}
	if sys.Output != nil {
		f := sys.Output.Clone()
		_, _, n := f.Dims()
		out := make([]float64, n)
		f.Eval(out, s.Sol.TEnd, s.Sol.XEnd, s.Theta)
		for _, sl := range sys.Outs {
			r.Put(sl.Name, piece(out, sl))
		}
	}
	return r
}
