package verb

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// vary is one quantity of an ensemble: where it lies in θ, and what it is of each member.
type vary struct {
	slot  *system.ThetaSlot
	state bool
	drawn bool
	fill  func(i int, row []float64)
	at    diag.Span
}

func ensembleVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	rec, err := c.record("vary", "vary = {x: normal(1, 0.1)}")
	if err != nil {
		return nil, err
	}
	n, err := c.Int("n", 0)
	if err != nil {
		return nil, err
	}
	if c.Has("n") && n < 1 {
		return nil, c.Bad("n", "`n` must be a whole number from 1, this is %d", n)
	}
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	var list []vary
	first := -1 // the first list that says how many members there are
	for i, key := range rec.Keys {
		v, err := c.varied(m, rec, i, "vary")
		if err != nil {
			return nil, err
		}
		shape, size := types.Shape(v.slot.Shape), v.slot.Size()
		x := rec.Vals[i]
		if s, ok := x.(*value.Spec); ok {
			draw, err := c.sampler(s, shape)
			if err != nil {
				return nil, err
			}
			own := newStream(seed, key)
			v.drawn, v.fill = true, func(i int, row []float64) { draw(own.at(i), row) }
			list = append(list, v)
			continue
		}
		data, members := listOf(x, shape)
		if data == nil {
			d := diag.New("E0714", v.at, "`%s` must be a distribution or a list with a value for each member, this is %s", key, value.Describe(x))
			if size > 1 {
				return nil, d.WithHelp("a list for `%s` is an array of members × %s", key, shape)
			}
			return nil, d.WithHelp("for example `%s: normal(1, 0.1)`; what all members share is given by `set`", key)
		}
		if n == 0 {
			n, first = members, i
		}
		if members != n {
			d := diag.New("E0714", v.at, "`%s` has values for %d members, the ensemble has %d", key, members, n)
			if first >= 0 && first < len(rec.Span) {
				d.And(rec.Span[first], "as many as there are here")
			} else if c.Has("n") {
				d.And(c.SpanOf("n"), "as it says here")
			}
			return nil, d.WithHelp("lists say how many members there are: leave `n` out, or give lists of that length")
		}
		v.fill = func(i int, row []float64) { copy(row, data[i*size:]) }
		list = append(list, v)
	}
	if n == 0 {
		return nil, diag.New("E0706", c.Span, "`ensemble` needs `n`, the number of members").WithHelp("for example `n = 1000`")
	}
	return c.together(m, list, n, nil)
}

func sweepVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	rec, err := c.record("over", "over = {k: [0.1, 0.2, 0.5]}")
	if err != nil {
		return nil, err
	}
	var list []vary
	var grid []int
	n := 1
	for i, key := range rec.Keys {
		v, err := c.varied(m, rec, i, "over")
		if err != nil {
			return nil, err
		}
		data, members := listOf(rec.Vals[i], v.slot.Shape)
		if a, ok := rec.Vals[i].(*value.Array); ok && data == nil && a.Shape.IsScalar() && v.slot.Shape == nil {
			data, members = a.Data, 1
		}
		if data == nil {
			d := diag.New("E0714", v.at, "`%s` must be a list of values or a range with a step, this is %s", key, value.Describe(rec.Vals[i]))
			if v.slot.Shape != nil {
				return nil, d.WithHelp("a list for `%s` is an array of values × %s", key, types.Shape(v.slot.Shape))
			}
			return nil, d.WithHelp("for example `%s: 1..3 by 0.5`", key)
		}
		if n > value.MaxPoints/members {
			return nil, c.Bad("over", "these are more than %d members", value.MaxPoints).WithHelp("take fewer values of each")
		}
		n *= members
		grid = append(grid, members)
		size := v.slot.Size()
		v.fill = func(i int, row []float64) { copy(row, data[i*size:]) }
		list = append(list, v)
	}
	// Row-major: the last quantity runs fastest.
	apart := n
	for k := range list {
		apart /= grid[k]
		fill, step, count := list[k].fill, apart, grid[k]
		list[k].fill = func(i int, row []float64) { fill(i/step%count, row) }
	}
	return c.together(m, list, n, grid)
}

// record reads an option that says what differs.
func (c *Call) record(option, help string) (*value.Record, error) {
	rec, ok := c.Args[option].(*value.Record)
	if ok && len(rec.Keys) > 0 {
		return rec, nil
	}
	v, given := c.Args[option]
	switch {
	case !given:
		return nil, diag.New("E0706", c.Span, "`%s` needs `%s`, what differs from member to member", c.Verb.Name, option).WithHelp("for example `%s`", help)
	case ok:
		return nil, c.Bad(option, "`%s` is empty, so that nothing differs from member to member", option).WithHelp("for example `%s`", help)
	}
	return nil, c.Bad(option, "`%s` must be a record, this is %s", option, value.Describe(v)).WithHelp("for example `%s`", help)
}

// listOf reads values of a quantity of some shape, one after the other; nil when they are none.
func listOf(v value.Value, shape types.Shape) (data []float64, n int) {
	if r, ok := v.(*value.Range); ok {
		v = value.Vec(r.Points())
	}
	a, ok := v.(*value.Array)
	if !ok || len(a.Data) == 0 || len(a.Shape) != len(shape)+1 || !a.Shape[1:].Equal(shape) {
		return nil, 0
	}
	return a.Data, a.Shape[0]
}

// varied finds what a key names.
func (c *Call) varied(m *value.Model, rec *value.Record, i int, option string) (v vary, err error) {
	v.at = c.SpanOf(option)
	if i < len(rec.Span) {
		v.at = rec.Span[i]
	}
	key := rec.Keys[i]
	if v.slot, v.state, err = settable(m, key); err != nil {
		d := diag.New("E0714", v.at, "%v", err)
		var se *setError
		if errors.As(err, &se) && se.help != "" {
			d.WithHelp("%s", se.help)
		}
		return v, d
	}
	if set, ok := c.Args["set"].(*value.Record); ok {
		for k, name := range set.Keys {
			if name == key {
				d := diag.New("E0714", v.at, "`%s` is in `set` and in `%s`", key, option)
				if k < len(set.Span) {
					d.And(set.Span[k], "the same for all members")
				}
				return v, d.WithHelp("remove one of them")
			}
		}
	}
	if _, ok := c.Sets[key]; ok {
		c.Warn(diag.New("E0714", v.at, "--set %s has no effect on this `%s`: `%s` differs from member to member", key, c.Verb.Name, key).AsWarning(), false)
	}
	return v, nil
}

// together runs the members.
func (c *Call) together(m *value.Model, list []vary, n int, grid []int) (value.Value, error) {
	p, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	q := &ensemble.Problem{Sys: p.Sys, Method: p.Method, N: n, Theta: p.Theta, Rtol: p.Rtol, Atol: p.Atol, Step: p.Step, Hmax: p.Hmax,
		MaxSteps: p.MaxSteps, MaxMemory: p.MaxMemory}
	if q.T0, q.T1, q.Times, err = c.span(); err != nil {
		return nil, err
	}
	e := &value.Ensemble{Prob: q, Model: m, Grid: grid, Times: q.Times}
	if q.Times == nil {
		q.Times = []float64{q.T0, q.T1} // members step each in their own way, so the steps are no common times
	}
	if q.Threads, err = c.Int("threads", 0); err != nil {
		return nil, err
	}
	if c.Has("threads") && q.Threads < 1 {
		return nil, c.Bad("threads", "`threads` must be a whole number from 1, this is %d", q.Threads).WithHelp("leave it out for all there are")
	}
	width := 0
	for _, v := range list {
		slot := v.slot.Slot
		slot.Off = width
		e.Varied = append(e.Varied, slot)
		for k := range v.slot.Size() {
			q.Vary = append(q.Vary, v.slot.Off+k)
		}
		if flag := q.Sys.Find(v.slot.Name, system.RoleFlag); flag != nil && (v.state || v.slot.Role == system.RoleConst) {
			q.Theta[flag.Off] = 1
		}
		width += v.slot.Size()
	}
	if err := c.fits(e, width); err != nil {
		return nil, err
	}
	q.Values = make([]float64, n*width)
	for k, v := range list {
		if err := c.values(&v, q.Values[e.Varied[k].Off:], n, width); err != nil {
			return nil, err
		}
	}
	if err := c.follow(e, list); err != nil {
		return nil, err
	}
	what := c.Verb.Name + " of " + m.Name()
	if c.Progress != nil && !c.Quiet {
		q.Progress = func(done int) {
			c.Progress(Progress{What: what, Iter: done, Total: n, Loss: math.NaN(), Best: math.NaN()})
		}
	}
	e.Res, err = ensemble.Run(c.Ctx, q)
	if q.Progress != nil {
		c.Progress(Progress{What: what, Done: true})
	}
	if err != nil {
		return nil, err
	}
	if e.Res.Failed > 0 {
		c.Warn(c.stopped(e), e.Res.Failed == n)
	}
	return e, nil
}

// values fills one quantity's columns of the table of values and holds them against its bounds.
func (c *Call) values(v *vary, table []float64, n, width int) error {
	size := v.slot.Size()
	scalars := system.Names([]system.Slot{v.slot.Slot})
	for i := range n {
		if i%4096 == 0 && c.Ctx.Err() != nil {
			return c.Ctx.Err()
		}
		row := table[i*width:][:size]
		v.fill(i, row)
		for k, x := range row {
			switch {
			case !finite(x):
				return diag.New("E0714", v.at, "`%s` of member %d is %s", scalars[k], i+1, value.Format(x)).WithHelp("all values must be finite")
			case x < v.slot.Lo || x > v.slot.Hi:
				d := diag.New("E0714", v.at, "`%s` of member %d is %s, outside its bounds %s..%s", scalars[k], i+1, value.Short(x, 6),
					value.Format(v.slot.Lo), value.Format(v.slot.Hi))
				if v.drawn {
					d.WithHelp("draw from a distribution that keeps to the bounds, such as %s", bounded(v.slot))
				} else {
					d.WithHelp("change the values, or the bounds in the model")
				}
				return d
			}
		}
	}
	return nil
}

// bounded proposes a distribution within a quantity's bounds.
func bounded(s *system.ThetaSlot) string {
	switch {
	case s.Lo == 0 && s.Hi == 1:
		return "`beta(2, 2)` or `uniform(0, 1)`"
	case !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0):
		return fmt.Sprintf("`uniform(%s, %s)`", value.Format(s.Lo), value.Format(s.Hi))
	case s.Lo == 0 && s.Default[0] > 0:
		return fmt.Sprintf("`lognormal(log(%s), 0.1)`", value.Format(s.Default[0]))
	case !math.IsInf(s.Lo, 0):
		return fmt.Sprintf("`uniform(%s, …)`", value.Format(s.Lo))
	}
	return fmt.Sprintf("`uniform(…, %s)`", value.Format(s.Hi))
}

// fits holds the size of everything that an ensemble may come to keep against the limit, before any of it is made: trajectories, lets, and
// what differs.
func (c *Call) fits(e *value.Ensemble, width int) error {
	q := e.Prob
	limit := q.MaxMemory
	if limit == 0 {
		limit = solve.DefaultMaxMemory
	}
	lets := 0
	for _, sl := range q.Sys.Outs {
		lets += sl.Size()
	}
	each := (q.Bytes() / float64(q.N)) + 8*float64(width+lets*len(q.Times))
	need := each * float64(q.N)
	if need <= float64(limit) {
		return nil
	}
	numbers := fmt.Sprint(q.Sys.NX, " states")
	if q.Sys.NX == 1 {
		numbers = "1 state"
	}
	if lets > 0 {
		numbers = fmt.Sprint(q.Sys.NX+lets, " states and lets")
	}
	what := fmt.Sprintf("%d members × %d times × %s", q.N, len(q.Times), numbers)
	d := diag.New("E0506", c.Span, "%s: %s take %.3g bytes, more than the limit of %d", c.Verb.Name, what, need, limit)
	fewer := "take fewer members"
	if most := math.Floor(float64(limit) / each); most >= 1 {
		fewer = fmt.Sprintf("take at most %.0f members", most)
	}
	if len(q.Times) > 2 {
		return d.WithHelp("%s, or fewer output times: `t = %s..%s` alone gives the start and the end", fewer, value.Format(q.T0), value.Format(q.T1))
	}
	return d.WithHelp("%s", fewer)
}

// follow adds columns for parameters and constants that are written in a constant that differs: a member is what a single solve with its
// values in `set` is.
func (c *Call) follow(e *value.Ensemble, list []vary) error {
	q, m := e.Prob, e.Model
	if !slices.ContainsFunc(list, func(v vary) bool { return v.slot.Role == system.RoleConst }) {
		return nil
	}
	given := func(name string) bool {
		return c.isSet(name) || slices.ContainsFunc(list, func(v vary) bool { return !v.state && v.slot.Name == name })
	}
	var slots []*system.ThetaSlot
	for i := range q.Sys.Theta {
		s := &q.Sys.Theta[i]
		symbols := m.C.Model.Consts
		if s.Role == system.RoleParam {
			symbols = m.C.Model.Params
		} else if s.Role != system.RoleConst {
			continue
		}
		computed := func(x *model.Symbol) bool { return x.Name == s.Name && x.Def != nil && lower.Computed(x) }
		if !given(s.Name) && slices.ContainsFunc(symbols, computed) {
			slots = append(slots, s)
		}
	}
	if len(slots) == 0 {
		return nil
	}
	old := len(q.Vary)
	for _, s := range slots {
		slot := s.Slot
		slot.Off = len(q.Vary)
		e.Follow = append(e.Follow, slot)
		for k := range s.Size() {
			q.Vary = append(q.Vary, s.Off+k)
		}
	}
	wide := make([]float64, q.N*len(q.Vary))
	th := make([]float64, len(q.Theta))
	for i := range q.N {
		if i%4096 == 0 && c.Ctx.Err() != nil {
			return c.Ctx.Err()
		}
		copy(th, q.Theta)
		row := wide[i*len(q.Vary):][:len(q.Vary)]
		copy(row, q.Values[i*old:][:old])
		for k, v := range q.Vary[:old] {
			th[v] = row[k]
		}
		if err := m.C.Follow(th, !m.Trained(), given); err != nil {
			return err
		}
		for k, v := range q.Vary[old:] {
			row[old+k] = th[v]
		}
	}
	q.Values = wide
	return nil
}

// stopped warns of members that stopped early, and says of the first where and why.
func (c *Call) stopped(e *value.Ensemble) *diag.Diagnostic {
	first := slices.IndexFunc(e.Res.Status, func(s solve.Status) bool { return !s.Ended() })
	msg := fmt.Sprintf("%s: %d of %d members stopped early (%s)", c.Verb.Name, e.Res.Failed, e.Res.N, e.Reasons())
	d := diag.New("E0507", c.Span, "%s", msg)
	if s, p, err := e.One(c.Ctx, first); err == nil {
		if one := c.Failure(s.Sol, p); one != nil { // with the place in the model
			why := strings.TrimPrefix(one.Message, c.Verb.Name+": ")
			d.Labels = one.Labels
			d.Note("member %d, with %s: %s", first+1, valuesOf(e, first), why)
		}
	}
	return d.WithHelp("statistics leave them out; `.stopped` lists them, and `[%d]` is the first of them, as far as it came", first+1).AsWarning()
}

// valuesOf writes what differs of one member, not more than fits a line.
func valuesOf(e *value.Ensemble, i int) string {
	var parts []string
	for k, name := range e.VariedNames() {
		if k == 4 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, name+" = "+value.Short(e.Prob.Values[i*len(e.Prob.Vary)+k], 6))
	}
	return strings.Join(parts, ", ")
}

// quantileVerb is over the members of an ensemble, or over the numbers of an array.
func quantileVerb(c *Call) (value.Value, error) {
	q, err := c.Number("p", 0.5)
	if err != nil {
		return nil, err
	}
	if !(q >= 0 && q <= 1) {
		return nil, c.Bad("p", "`p` must lie in 0..1, this is %s", value.Format(q)).WithHelp("0.5 is the median, 0.95 what nineteen of twenty stay below")
	}
	switch v := c.Args["of"].(type) {
	case *value.Ensemble:
		return v.Quantile(q), nil
	case *value.Array:
		if len(v.Data) > 0 {
			return value.Num(value.Quantile(q)(slices.Clone(v.Data))), nil
		}
	}
	return nil, c.Bad("of", "`quantile` needs an ensemble or an array, this is %s", value.Describe(c.Args["of"]))
}
