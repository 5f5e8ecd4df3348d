package check

import (
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
)

// events checks what happens at moments: `when`, `at`, `every` and `stop when`.
func (c *checker) events() {
	for _, e := range c.evs {
		if ev := c.event(e); ev != nil {
			c.out.Events = append(c.out.Events, ev)
		}
	}
}

var eventKinds = map[string]model.EventKind{"when": model.When, "at": model.At, "every": model.Every, "stop": model.Stop}

func (c *checker) event(e *ast.Event) *model.Event {
	ev := &model.Event{Kind: eventKinds[e.Kind], Name: eventName(e), Initially: e.Initially, Doc: e.Doc, Span: e.Span()}
	switch e.Direction {
	case "falling":
		ev.Direction = model.Falling
	case "either":
		ev.Direction = model.Either
	}
	ok := c.eventOptions(e)
	if ev.Kind == model.When || ev.Kind == model.Stop {
		ok = c.condition(e, ev) && ok
	} else {
		ok = c.moment(e, ev) && ok
	}
	if e.After != nil {
		ev.After = c.eventScalar(e.After, "the delay of an event")
		ok = ok && ev.After != nil
	}
	if e.Priority != nil {
		p, good := c.known(&ctx{stage: stageConst, what: "a priority"}, e.Priority)
		ev.Priority, ok = p, ok && good
	}
	ok = c.updates(e, ev) && ok
	if !ok {
		return nil
	}
	return ev
}

// eventName is the head of an event as written, on one line.
func eventName(e *ast.Event) string {
	head := map[string]string{"at": "at t =", "stop": "stop when"}[e.Kind]
	if head == "" {
		head = e.Kind
	}
	name := head + " " + strings.Join(strings.Fields(e.Trigger.Span().Text()), " ")
	if e.Direction != "" && e.Direction != "rising" {
		name += " " + e.Direction
	}
	return name
}

// eventOptions refuses the words that mean nothing at an event of this kind.
func (c *checker) eventOptions(e *ast.Event) bool {
	bad := func(word, why string) bool {
		c.fail(nil, "E0242", e.Span(), "`%s` does not go with `%s`", word, strings.Fields(eventName(e))[0]).At("%s", why).WithHelp("leave `%s` out", word)
		return false
	}
	switch {
	case e.Direction != "" && (e.Kind == "at" || e.Kind == "every"):
		return bad(e.Direction, "it happens at a time, not where a condition changes")
	case e.Initially && e.Kind == "at":
		return bad("initially", "the time says when")
	case e.After != nil && e.Kind == "stop":
		return bad("after", "the run ends where the condition turns true")
	}
	return true
}

// eventScalar checks an expression of an event that is one number.
func (c *checker) eventScalar(e ast.Expr, what string) *model.Expr {
	v := c.expr(&ctx{stage: stageRun, what: what}, e)
	if v == nil {
		return nil
	}
	if !v.Shape.IsScalar() {
		c.fail(nil, "E0204", v.Span, "%s is one number", what).At("%s", v.Shape).WithHelp("take one element, or `max(…)`, `sum(…)`")
		return nil
	}
	return v
}

// condition checks the trigger of `when` and `stop when` and makes its guard.
func (c *checker) condition(e *ast.Event, ev *model.Event) bool {
	if ev.Cond = c.eventScalar(e.Trigger, "a condition"); ev.Cond == nil {
		return false
	}
	joins := map[*model.Expr]bool{}
	if ev.Guard = c.guard(ev.Cond, false, joins); ev.Guard == nil {
		return false
	}
	if parts := guardParts(ev.Guard, joins); len(parts) > 1 {
		ev.Parts = parts
	}
	return true
}

// guardParts are the guards of the comparisons that a guard is made of; joins are what joins them.
func guardParts(e *model.Expr, joins map[*model.Expr]bool) []*model.Expr {
	var out []*model.Expr
	switch {
	case joins[e] && e.Op == model.LetIn:
		n := len(e.Syms)
		for _, p := range guardParts(e.Args[n], joins) {
			in := *e
			in.Args = append(append([]*model.Expr(nil), e.Args[:n]...), p)
			out = append(out, &in)
		}
	case joins[e]:
		for _, a := range e.Args {
			out = append(out, guardParts(a, joins)...)
		}
	case e.Op != model.Num:
		out = append(out, e)
	}
	return out
}

// moment checks the trigger of `at` and `every`, which is known when the run starts.
func (c *checker) moment(e *ast.Event, ev *model.Event) bool {
	what := "the time of an event"
	if ev.Kind == model.Every {
		what = "the period of an event"
	}
	if ev.Time = c.eventScalar(e.Trigger, what); ev.Time == nil {
		return false
	}
	if at := moving(ev.Time, map[*model.Symbol]bool{}); at != nil {
		name := at.Span.Text()
		if at.Op == model.Ref {
			name = at.Sym.Name
		}
		c.fail(nil, "E0243", at.Span, "%s is made of parameters and constants", what).At("`%s` changes during the run", name).
			WithHelp("for a moment that depends on states or the time write `when …`")
		return false
	}
	return true
}

// moving finds what changes during a run in an expression, nil when nothing does.
func moving(e *model.Expr, seen map[*model.Symbol]bool) *model.Expr {
	var found *model.Expr
	e.Walk(func(x *model.Expr) bool {
		if found != nil {
			return false
		}
		switch x.Op {
		case model.Deriv:
			found = x
		case model.Ref, model.Diff:
			switch x.Sym.Kind {
			case model.State, model.Latent, model.Discrete, model.Time:
				found = x
			case model.Let:
				if x.Sym.Input {
					found = x
				} else if !seen[x.Sym] {
					seen[x.Sym] = true
					if moving(x.Sym.Def, seen) != nil {
						found = x
					}
				}
			}
		}
		return found == nil
	})
	return found
}

// ---- guards ----

// guard makes a number out of a condition, positive where it holds: a > b becomes a − b, `and` the smaller of two guards,
// `or` the larger. With flip it is the guard of the opposite. What joins guards is noted in joins.
func (c *checker) guard(e *model.Expr, flip bool, joins map[*model.Expr]bool) *model.Expr {
	call := func(name string, args ...*model.Expr) *model.Expr {
		return &model.Expr{Op: model.Call, Name: name, Args: args, Span: e.Span}
	}
	join := func(name string, args ...*model.Expr) *model.Expr {
		j := call(name, args...)
		joins[j] = true
		return j
	}
	switch e.Op {
	case model.Num:
		return num(map[bool]float64{true: 1, false: -1}[(e.Val[0] != 0) != flip], e.Span)
	case model.Ref:
		if e.Sym.Kind == model.Let && e.Sym.Def != nil && isCondition(e.Sym.Def) {
			return c.guard(e.Sym.Def, flip, joins)
		}
		if b := c.bound[e.Sym]; e.Sym.Kind == model.Local && b != nil && isCondition(b) {
			return c.guard(b, flip, joins)
		}
	case model.LetIn:
		n := len(e.Syms)
		body := c.guard(e.Args[n], flip, joins)
		if body == nil {
			return nil
		}
		out := *e
		out.Args = append(append([]*model.Expr(nil), e.Args[:n]...), body)
		joins[&out] = true
		return &out
	case model.If: // if c then a else b holds where c and a do, or b without c
		cond, not, then, other := c.guard(e.Args[0], false, joins), c.guard(e.Args[0], true, joins), c.guard(e.Args[1], flip, joins), c.guard(e.Args[2], flip, joins)
		if cond == nil || not == nil || then == nil || other == nil {
			return nil
		}
		return join("max", join("min", cond, then), join("min", not, other))
	case model.Call:
		switch e.Name {
		case "not":
			return c.guard(e.Args[0], !flip, joins)
		case "and", "or":
			x, y := c.guard(e.Args[0], flip, joins), c.guard(e.Args[1], flip, joins)
			if x == nil || y == nil {
				return nil
			}
			if (e.Name == "and") != flip {
				return join("min", x, y)
			}
			return join("max", x, y)
		case "<", "<=", ">", ">=":
			x, y := e.Args[0], e.Args[1]
			if (e.Name[0] == '<') != flip {
				x, y = y, x
			}
			return call("-", x, y)
		case "==", "!=":
			c.fail(nil, "E0240", e.Span, "an equality does not turn true and stay so").At("holds at single moments").
				WithHelp("for a passage in both directions write `when %s > … either`", operandText(e.Args[0]))
			return nil
		}
	}
	c.fail(nil, "E0240", e.Span, "an event needs a condition").At("a number, not a comparison").WithHelp("compare it with something, `when %s > 0`", operandText(e))
	return nil
}

func operandText(e *model.Expr) string {
	if s := e.Span.Text(); s != "" && len(s) < 30 && !strings.ContainsRune(s, '\n') {
		return s
	}
	return "x"
}

// isCondition says whether an expression is made of comparisons.
func isCondition(e *model.Expr) bool {
	switch e.Op {
	case model.LetIn:
		return isCondition(e.Args[len(e.Syms)])
	case model.If:
		return isCondition(e.Args[1]) && isCondition(e.Args[2])
	case model.Ref:
		return e.Sym.Kind == model.Let && e.Sym.Def != nil && isCondition(e.Sym.Def)
	case model.Call:
		switch e.Name {
		case "and", "or", "not", "<", "<=", ">", ">=", "==", "!=":
			return true
		}
	}
	return false
}

// ---- assignments ----

// updates checks the assignments of an event; each element is assigned once at most.
func (c *checker) updates(e *ast.Event, ev *model.Event) bool {
	ok := true
	first := map[*model.Symbol]map[int]diag.Span{}
	for _, u := range e.Body {
		s, args := c.target(u)
		if s == nil {
			c.updateSide(u)
			ok = false
			continue
		}
		part, good := c.part(&ast.Equation{Base: u.Base, LHS: u.Target, RHS: u.Value}, s, args)
		if !good {
			ok = false
			continue
		}
		if first[s] == nil {
			first[s] = map[int]diag.Span{}
		}
		for _, k := range flatOf(part, s) {
			if old, twice := first[s][k]; twice {
				c.fail(nil, "E0211", u.Target.Span(), "`%s` is assigned twice in one event", s.Name).At("a second time").And(old, "the first").
					WithHelp("all right sides read the values before the event, so only one can hold")
				ok = false
				break
			}
			first[s][k] = u.Target.Span()
		}
		ev.Updates = append(ev.Updates, model.Update{State: s, Part: part})
	}
	return ok
}

// updateSide looks for mistakes on the right of an assignment whose left is wrong.
func (c *checker) updateSide(u *ast.Update) {
	if _, indexed := ast.Unparen(u.Target).(*ast.Index); !indexed {
		c.expr(&ctx{stage: stageRun, what: "an assignment"}, u.Value)
	}
}

// flatOf lists the elements that a part is about.
func flatOf(p model.Part, s *model.Symbol) []int {
	if p.Flat != nil {
		return p.Flat
	}
	all := make([]int, s.Shape.Size())
	for i := range all {
		all[i] = i
	}
	return all
}

// target finds the state that an assignment changes, and its indices; nil after an error.
func (c *checker) target(u *ast.Update) (*model.Symbol, []ast.Expr) {
	left, order := ast.Unparen(u.Target), 0
	var args []ast.Expr
	for {
		if p, ok := left.(*ast.Prime); ok {
			order++
			left = ast.Unparen(p.X)
			continue
		}
		if ix, ok := left.(*ast.Index); ok && args == nil {
			args = ix.Args
			left = ast.Unparen(ix.X)
			continue
		}
		break
	}
	at := u.Target.Span()
	id, ok := left.(*ast.Ident)
	if !ok {
		c.fail(nil, "E0241", at, "only a state or a `discrete` can be assigned").At("this is an expression").WithHelp("write `x := …`, or `u[2] := …`")
		return nil, nil
	}
	e, ok := c.names[id.Name]
	if !ok {
		if _, isReserved := reserved[id.Name]; isReserved || c.sc.consts[id.Name] != nil {
			c.fail(nil, "E0241", at, "`%s` cannot be assigned", id.Name).At("neither a state nor a `discrete`").WithHelp("declare `discrete v = …` for what events change")
			return nil, nil
		}
		if old, said := c.unknown[id.Name]; !said || old == nil {
			var states []string
			for _, d := range c.order {
				if d.kind == kindState {
					states = append(states, d.name)
				}
			}
			d := c.fail(nil, "E0201", id.Span(), "there is no state `%s`", id.Name).At("not declared")
			suggest(d, id.Name, states, "declare it: `discrete "+id.Name+" = …`")
			c.unknown[id.Name] = d
		}
		return nil, nil
	}
	e.used = true
	switch {
	case e.kind == kindRefused, e.kind != kindState && e.twice:
		return nil, nil
	case e.kind != kindState:
		d := c.fail(nil, "E0241", at, "`%s` cannot be assigned", id.Name).At("`%s` is %s", id.Name, e.kind).And(e.span, "declared here")
		if e.kind == kindLet {
			d.WithHelp("assign what it is computed from")
		} else {
			d.WithHelp("declare it as `discrete %s = …`, which events may change", id.Name)
		}
		return nil, nil
	case e.status != done:
		return nil, nil
	case order >= len(e.chain):
		name := id.Name + primes(order)
		c.fail(nil, "E0241", at, "`%s` cannot be assigned", name).At("it follows from its equation").
			WithHelp("assign `%s`; `%s` can be where it is a state, `state %s = …, %s = …`", id.Name, name, id.Name, name)
		return nil, nil
	}
	return e.chain[order], args
}

// ---- units ----

// events holds the units of conditions, times and assignments together.
func (f *inference) events(time term) {
	for _, ev := range f.c.out.Events {
		at := f.c.time.Span
		if at.IsZero() {
			at = ev.Span
		}
		if ev.Cond != nil {
			f.expr(ev.Cond)
		}
		for _, e := range []*model.Expr{ev.Time, ev.After} {
			if e != nil && !f.literal(e) {
				f.agree(e, f.expr(e), at, time, "it is a time")
			}
		}
		for _, u := range ev.Updates {
			if !f.literal(u.RHS) {
				f.agree(u.RHS, f.expr(u.RHS), u.State.Span, f.symbol(u.State), "")
			}
		}
	}
}
