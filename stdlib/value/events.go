package value

import (
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
)

// Events are those that fired along a solution, in order: s.events.t, s.events.name, the states s.events.before.v and s.events.after.v, and
// s.events["when y < 0"], the times of one of them.
type Events struct{ Of *Solution }

// Type implements Value.
func (*Events) Type() string { return "a list of events" }

// label is how an event that fired is named: assignments that were delayed are told from the firing that read their values.
func (e *Events) label(f *solve.Fired) string {
	name := e.Of.sys().Events[f.Event].Name
	if f.Cause == solve.ByDelay {
		name += ", assigned"
	}
	return name
}

// Member implements members.
func (e *Events) Member(name string) (Value, bool) {
	fired := e.Of.Sol.Events
	switch name {
	case "t":
		return Vec(solve.FiredTimes(fired)), true
	case "name":
		l := List{}
		for i := range fired {
			l = append(l, Text(e.label(&fired[i])))
		}
		return l, true
	case "before":
		return e.states(func(f *solve.Fired) []float64 { return f.Before }), true
	case "after":
		return e.states(func(f *solve.Fired) []float64 { return f.After }), true
	}
	for i := range e.Of.sys().Events {
		if e.Of.sys().Events[i].Name == name {
			t := []float64{}
			for _, f := range fired {
				if f.Event == i && f.Cause != solve.ByDelay {
					t = append(t, f.T)
				}
			}
			return Vec(t), true
		}
	}
	return nil, false
}

// states are the states at each event, by name.
func (e *Events) states(of func(*solve.Fired) []float64) *Record {
	r := &Record{}
	fired := e.Of.Sol.Events
	for _, sl := range e.Of.sys().States {
		a := &Array{Shape: append(types.Shape{len(fired)}, sl.Shape...), Data: []float64{}}
		for i := range fired {
			a.Data = append(a.Data, of(&fired[i])[sl.Off:sl.Off+sl.Size()]...)
		}
		r.Put(sl.Name, a)
	}
	return r
}

// Names implements members.
func (*Events) Names() []string { return []string{"t", "name", "before", "after"} }

// Frame is a row for each event: when, which, and the states that events change, after it.
func (e *Events) Frame() *trace.Frame {
	sys, fired := e.Of.sys(), e.Of.Sol.Events
	f := &trace.Frame{}
	f.Columns = append(f.Columns, Column{Name: "t", Unit: e.Of.Model.TimeUnit(), Values: solve.FiredTimes(fired)})
	text := []string{}
	for i := range fired {
		text = append(text, e.label(&fired[i]))
	}
	f.Columns = append(f.Columns, Column{Name: "event", Text: text})
	changed := map[int]bool{}
	for i := range sys.Events {
		for _, k := range sys.Events[i].Changes {
			changed[k] = true
		}
	}
	for _, sl := range sys.States {
		names := system.Names([]system.Slot{sl})
		for k := range sl.Size() {
			if !changed[sl.Off+k] {
				continue
			}
			v := make([]float64, len(fired))
			for i := range fired {
				v[i] = fired[i].After[sl.Off+k]
			}
			f.Columns = append(f.Columns, Column{Name: names[k], Unit: sl.Unit, Doc: sl.Doc, Values: v})
		}
	}
	return f
}
