package eval

import (
	"fmt"
	"io"
	"strings"

	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// Show prints a value as a scientist wants it: a solution as a small table and a plot, a model as its parts.
func (in *Interp) Show(w io.Writer, v Value) {
	switch v := v.(type) {
	case nil:
	case *value.Solution:
		in.showSolution(w, v)
	case *value.Ensemble:
		in.showEnsemble(w, v)
	case *value.Spread:
		fmt.Fprintln(w, v.Type())
		trace.WriteTable(w, v.Frame(), trace.TableOptions{Width: in.o.Width, Rows: 9, Color: in.o.Color})
	case *value.Steady:
		in.showRecord(w, v.Record(true), "")
		fmt.Fprintf(w, "%s; %s\n", v.Of.How, v.Of.Stability)
	case *value.Model:
		in.showModel(w, v)
	case *value.Plot:
		if !in.o.Quiet {
			trace.Draw(w, &v.Plot, trace.DrawOptions{Width: in.o.Width, Color: in.o.Color})
		}
	case *value.Table:
		trace.WriteTable(w, v.Frame(), trace.TableOptions{Width: in.o.Width, Color: in.o.Color})
	case *value.Events:
		trace.WriteTable(w, v.Frame(), trace.TableOptions{Width: in.o.Width, Color: in.o.Color})
	case *value.Profile:
		fmt.Fprintln(w, v.Of)
		if !in.o.Quiet {
			if p := verb.PlotOf(v); len(p.Series) > 0 {
				trace.Draw(w, &p.Plot, trace.DrawOptions{Width: in.o.Width, Color: in.o.Color})
			}
		}
	case *value.Report:
		verb.WriteReport(w, v.Fit)
	case *value.Gradient:
		fmt.Fprintf(w, "loss %s\n", value.Short(v.Loss, 10))
		in.showRecord(w, &v.Record, "")
	case value.List:
		if s := verb.Inline(v); !verb.Big(v) {
			fmt.Fprintln(w, s)
			return
		}
		for _, x := range v {
			in.Show(w, x)
		}
	case *value.Learned:
		fmt.Fprintf(w, "%s, with weights\n", v.Type())
		in.showRecord(w, v.Weights(), "  ")
	case *value.Record:
		if s := verb.Inline(v); s != "" {
			fmt.Fprintln(w, s)
			return
		}
		in.showRecord(w, v, "")
	default:
		fmt.Fprintln(w, verb.Inline(v))
	}
}

func (in *Interp) showRecord(w io.Writer, r *value.Record, indent string) {
	width := 0
	for _, k := range r.Keys {
		width = max(width, len([]rune(k)))
	}
	for i, k := range r.Keys {
		if sub, ok := r.Vals[i].(*value.Record); ok {
			fmt.Fprintf(w, "%s%s\n", indent, k)
			in.showRecord(w, sub, indent+"  ")
			continue
		}
		fmt.Fprintf(w, "%s%-*s  %s\n", indent, width, k, verb.Inline(r.Vals[i]))
	}
}

func (in *Interp) showSolution(w io.Writer, s *value.Solution) {
	if g := s.Gone; g != nil {
		fmt.Fprintf(w, "%d outputs went to %s; at the end\n", g.Rows, g.To())
		in.showRecord(w, s.Last(), "  ")
	} else {
		trace.WriteTable(w, s.Frame(), trace.TableOptions{Width: in.o.Width, Rows: 7, Color: in.o.Color})
		if !in.o.Quiet {
			p := verb.PlotOf(s)
			trace.Draw(w, &p.Plot, trace.DrawOptions{Width: in.o.Width, Color: in.o.Color})
		}
	}
	st := s.Sol.Stats
	events := ""
	if n := len(s.Sol.Events); n > 0 {
		last := s.Sol.Events[n-1]
		events = fmt.Sprintf(", %d events, the last at t = %s, `%s`", st.Events, value.Short(last.T, 6), s.Model.C.System.Events[last.Event].Name)
	}
	fmt.Fprintf(w, "%s: %s, %d steps, %d rejected, %d evaluations%s\n", s.Sol.Used(), s.Sol.Status, st.Steps, st.Rejected, st.Evals, events)
}

func (in *Interp) showModel(w io.Writer, m *value.Model) {
	c := m.C.Model
	fmt.Fprintf(w, "model %s", c.Name)
	if c.Doc != "" {
		fmt.Fprintf(w, ": %s", c.Doc)
	}
	fmt.Fprintln(w)
	if m.Fit != nil {
		verb.WriteReport(w, m.Fit)
		return
	}
	line := func(kind string, s *model.Symbol, val string) {
		doc := s.Doc
		if u := s.Unit.String(); u != "" && u != "1" {
			doc = strings.TrimSpace(u + "  " + doc)
		}
		fmt.Fprintf(w, "  %-7s %-10s %-14s %s\n", kind, s.Name+shapeText(s), val, doc)
	}
	for _, t := range m.C.System.Theta {
		if t.Role != system.RoleParam && t.Role != system.RoleConst {
			continue
		}
		kind := "param"
		if t.Role == system.RoleConst {
			kind = "const"
		}
		if s, ok := m.Symbol(t.Name); ok {
			line(kind, s, verb.Inline(&value.Array{Shape: t.Shape, Data: m.Theta[t.Off : t.Off+t.Size()]}))
		}
	}
	for _, s := range c.States {
		kind := "state"
		switch s.Kind {
		case model.Latent:
			kind = "latent"
		case model.Discrete:
			kind = "discrete"
		}
		v, _ := m.Member(s.Name)
		val := ""
		if a, ok := v.(*value.Array); ok {
			val = verb.Inline(a)
		}
		line(kind, s, val)
	}
	for _, e := range c.Events {
		fmt.Fprintf(w, "  %s", e.Name)
		if e.Doc != "" {
			fmt.Fprintf(w, "  %s", e.Doc)
		}
		fmt.Fprintln(w)
	}
	for _, u := range c.Unknowns {
		n := 0
		for _, s := range u.Weights {
			if !s.Spec.Fixed {
				n += s.Shape.Size()
			}
		}
		rep := "a formula"
		if u.Rep != nil {
			rep = u.Rep.Name
		}
		fmt.Fprintf(w, "  unknown %-10s %s, %d inputs, %d outputs, %d weights\n", u.Name, rep, u.NIn, u.NOut, n)
	}
	for _, s := range c.Lets {
		line("let", s, "")
	}
}

func shapeText(s *model.Symbol) string {
	if s.Shape.IsScalar() {
		return ""
	}
	return s.Shape.Brackets()
}
