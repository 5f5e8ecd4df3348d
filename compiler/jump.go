package compiler

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
)

// jumping are the functions whose value jumps. Those that only bend (min, max, abs, relu, clamp) are not among
// them: their derivatives are right on both sides.
var jumping = map[string]bool{"floor": true, "ceil": true, "round": true, "trunc": true, "sign": true, "mod": true, "fmod": true, "heaviside": true,
	"<": true, "<=": true, ">": true, ">=": true, "==": true, "!=": true}

// jumps finds an expression of the model whose value jumps where a state, a parameter or a weight moves it. A
// derivative through it would leave out what the moving of the jump does, so none is given. With located those of the right-hand side and of events' conditions are located
// by the solver, and gradients go through them.
func jumps(m *model.Model, lay *lower.Layout, located bool) string {
	j := &jumpFinder{moved: map[*model.Symbol]bool{}}
	used := map[*model.Symbol]bool{}
	if located {
		for _, eq := range m.Eqs {
			for _, p := range eq.Parts {
				reads(p.RHS, used)
			}
		}
		for _, ev := range m.Events {
			if ev.Guard != nil && !lay.Rough {
				reads(ev.Guard, used)
			}
		}
	}
	var exprs []*model.Expr
	for _, l := range m.Lets {
		if lay.HasSignal(l) { // a table stands in its place, which time alone moves
			continue
		}
		if !used[l] {
			exprs = append(exprs, l.Def)
		}
		j.moved[l] = j.moves(l.Def)
	}
	for _, s := range m.States {
		if s.Def != nil {
			exprs = append(exprs, s.Def)
		}
	}
	for _, eq := range m.Eqs {
		for _, p := range eq.Parts {
			if !located {
				exprs = append(exprs, p.RHS)
			}
		}
	}
	for _, q := range m.Implicit {
		q.Exprs(func(e *model.Expr) { exprs = append(exprs, e) })
	}
	for _, ev := range m.Events {
		if ev.Guard != nil && (!located || lay.Rough) {
			exprs = append(exprs, ev.Guard)
		}
	}
	for _, e := range exprs {
		if at := j.find(e); at != nil {
			what := "this `" + at.Name + "`"
			if at.Op == model.If {
				what = "the `if`"
			}
			return fmt.Sprintf("%s at %s may jump where a state or parameter moves it, and is not located, so a derivative would be wrong; "+
				"where the branches meet, write it with min, max, abs, relu or clamp", what, at.Span)
		}
	}
	return ""
}

// reads notes the lets that an expression is made of.
func reads(e *model.Expr, into map[*model.Symbol]bool) {
	e.Walk(func(x *model.Expr) bool {
		if x.Op == model.Ref && x.Sym.Kind == model.Let && !into[x.Sym] {
			into[x.Sym] = true
			reads(x.Sym.Def, into)
		}
		return true
	})
}

type jumpFinder struct{ moved map[*model.Symbol]bool }

// bind notes which names of a LetIn are moved.
func (j *jumpFinder) bind(e *model.Expr) {
	for i, s := range e.Syms {
		j.moved[s] = j.moves(e.Args[i])
	}
}

// moves says whether an expression depends on a state, a parameter or a weight.
func (j *jumpFinder) moves(e *model.Expr) bool {
	switch e.Op {
	case model.Deriv, model.CallU:
		return true
	case model.LetIn:
		j.bind(e)
		return j.moves(e.Args[len(e.Syms)])
	case model.Ref:
		switch e.Sym.Kind {
		case model.Param, model.State, model.Latent, model.Weight:
			return true
		case model.Discrete: // constant between events
			return false
		case model.Const:
			// Constants are differentiated by too, when asked for; they do not move in training.
			return false
		}
		return j.moved[e.Sym]
	}
	for _, a := range e.Args {
		if j.moves(a) {
			return true
		}
	}
	return false
}

func (j *jumpFinder) find(e *model.Expr) *model.Expr {
	if e.Op == model.LetIn {
		j.bind(e)
	}
	if e.Op == model.If && j.moves(e.Args[0]) || e.Op == model.Call && jumping[e.Name] && j.moves(e) {
		return e
	}
	for _, a := range e.Args {
		if at := j.find(a); at != nil {
			return at
		}
	}
	return nil
}
