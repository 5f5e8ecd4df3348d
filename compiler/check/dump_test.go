package check

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/udl-lang/udl/lang/model"
)

// dump writes a checked model out, one line for each quantity.
func dump(w io.Writer, m *model.Model) {
	fmt.Fprintf(w, "model %s %q\n", m.Name, m.Doc)
	sym := func(what string, s *model.Symbol) {
		fmt.Fprintf(w, "  %s %s%s", what, s.Name, brackets(s))
		if u := s.Unit.String(); u != "" {
			fmt.Fprintf(w, " : %s", u)
		}
		if s.Def != nil {
			fmt.Fprintf(w, " = %s", text(s.Def))
		}
		if !math.IsInf(s.Lo, 0) || !math.IsInf(s.Hi, 0) {
			if s.Kind == model.Param || s.Kind == model.State || s.Kind == model.Weight {
				fmt.Fprintf(w, " in %g..%g", s.Lo, s.Hi)
			}
		}
		if s.Prior != nil {
			fmt.Fprintf(w, " ~ %s", text(s.Prior))
		}
		if s.Structural {
			fmt.Fprint(w, " (structural)")
		}
		if s.Vel != nil {
			fmt.Fprintf(w, " (derivative %s)", s.Vel.Name)
		}
		fmt.Fprintln(w)
	}
	for _, s := range m.Consts {
		sym("const", s)
	}
	for _, s := range m.Params {
		sym("param", s)
	}
	for _, u := range m.Unknowns {
		fmt.Fprintf(w, "  unknown %s: %d -> %d %s inputs %q", u.Name, u.NIn, u.NOut, u.Shape.Brackets(), u.Inputs)
		if u.Rep != nil {
			fmt.Fprintf(w, " = %s", u.Rep.Name)
			for _, p := range u.Rep.Params {
				if o, ok := u.Options[p.Name]; ok {
					fmt.Fprintf(w, " %s=%v%s", p.Name, o.Nums, o.Word)
				}
			}
		}
		if u.Formula != nil {
			fmt.Fprintf(w, " = %s", text(u.Formula))
		}
		fmt.Fprintln(w)
		for _, s := range u.Weights {
			sym("  weight", s)
		}
	}
	for _, s := range m.Lets {
		sym("let", s)
	}
	for _, s := range m.States {
		switch s.Kind {
		case model.Latent:
			sym("latent", s)
		case model.Discrete:
			sym("discrete", s)
		default:
			sym("state", s)
		}
	}
	for _, e := range m.Events {
		fmt.Fprintf(w, "  event %q kind %d direction %d initially %v priority %g", e.Name, e.Kind, e.Direction, e.Initially, e.Priority)
		for _, p := range []struct {
			what string
			e    *model.Expr
		}{{"guard", e.Guard}, {"time", e.Time}, {"after", e.After}} {
			if p.e != nil {
				fmt.Fprintf(w, " %s %s", p.what, text(p.e))
			}
		}
		fmt.Fprintln(w)
		for _, u := range e.Updates {
			fmt.Fprintf(w, "    %s %v := %s\n", u.State.Name, u.Flat, text(u.RHS))
		}
	}
	for i, q := range m.Eqs {
		if q.State != m.States[i] {
			fmt.Fprintln(w, "  OUT OF ORDER")
		}
		for _, p := range q.Parts {
			fmt.Fprintf(w, "  %s' ", q.State.Name)
			if p.Flat != nil {
				fmt.Fprintf(w, "at %v ", p.Flat)
			}
			for _, v := range p.Vars {
				fmt.Fprintf(w, "%s in %d..%d by %d ", v.Name, v.Lo0, v.Hi0, v.Step)
			}
			fmt.Fprintf(w, "= %s\n", text(p.RHS))
		}
		if k := q.Missing(); len(k) > 0 {
			fmt.Fprintf(w, "  %s' not given at %v\n", q.State.Name, k)
		}
	}
	for _, q := range m.Implicit {
		left := "0"
		if q.LHS != nil {
			left = text(q.LHS)
		}
		fmt.Fprintf(w, "  %s = %s", left, text(q.RHS))
		for _, v := range q.Vars {
			fmt.Fprintf(w, " for %s in %d..%d by %d", v.Name, v.Lo0, v.Hi0, v.Step)
		}
		fmt.Fprintf(w, ": %d equations\n", q.Size())
	}
}

func brackets(s *model.Symbol) string {
	if s.Shape.IsScalar() {
		return ""
	}
	return s.Shape.Brackets()
}

// text is a checked expression in brackets.
func text(e *model.Expr) string {
	args := func(es []*model.Expr) string {
		p := make([]string, len(es))
		for i, a := range es {
			p[i] = text(a)
		}
		return strings.Join(p, ", ")
	}
	switch e.Op {
	case model.Num:
		if e.Shape.IsScalar() {
			return fmt.Sprint(e.Val[0])
		}
		if len(e.Val) > 12 {
			return fmt.Sprintf("%v…%s", e.Val[:3], e.Shape.Brackets())
		}
		return fmt.Sprintf("%v%s", e.Val, e.Shape.Brackets())
	case model.Ref:
		return e.Sym.Name
	case model.Deriv:
		return e.Sym.Name + "'"
	case model.Call:
		if len(e.Args) == 2 && strings.Contains("+-*/@^==!=<=>=", e.Name) {
			return "(" + text(e.Args[0]) + " " + e.Name + " " + text(e.Args[1]) + ")"
		}
		return e.Name + "(" + args(e.Args) + ")"
	case model.External:
		return "go:" + e.Name + "(" + args(e.Args) + ")"
	case model.CallU:
		return e.Unk.Name + "?(" + args(e.Args) + ")"
	case model.List:
		return "[" + args(e.Args) + "]"
	case model.Index:
		p := make([]string, len(e.Idx))
		for i, ix := range e.Idx {
			if ix.At != nil {
				p[i] = text(ix.At)
			} else {
				p[i] = fmt.Sprintf("%d..%d by %d", ix.Lo, ix.Hi, ix.By)
			}
		}
		return text(e.Args[0]) + "[" + strings.Join(p, ", ") + "]"
	case model.Reduce:
		p := make([]string, len(e.Vars))
		for i, v := range e.Vars {
			p[i] = fmt.Sprintf("%s in %d..%d by %d", v.Name, v.Lo0, v.Hi0, v.Step)
		}
		return e.Name + "{" + strings.Join(p, ", ") + "}(" + args(e.Args) + ")"
	case model.LetIn:
		p := make([]string, len(e.Syms))
		for i, s := range e.Syms {
			p[i] = s.Name + " = " + text(e.Args[i])
		}
		return "let{" + strings.Join(p, ", ") + "}(" + text(e.Args[len(e.Syms)]) + ")"
	case model.If:
		return "if(" + args(e.Args) + ")"
	case model.Diff:
		return "diff(" + text(e.Args[0]) + ", " + e.Sym.Name + ")"
	}
	return "?"
}
