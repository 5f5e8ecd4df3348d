package eval

import (
	"math"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// Members is implemented by values that have named parts.
type members interface {
	value.Value
	// Member finds a part; a part may itself have parts (U.W1).
	Member(name string) (value.Value, bool)
	// Names lists the parts, for completion and suggestions.
	Names() []string
}

func (in *Interp) member(f *frame, e *ast.Member) (value.Value, error) {
	x, err := in.expr(f, e.X)
	if err != nil {
		return nil, err
	}
	return in.memberOf(x, e.Name.Name, e.Name)
}

func (in *Interp) memberOf(x value.Value, name string, at ast.Node) (value.Value, error) {
	m, ok := x.(members)
	if !ok {
		return nil, diag.New("E0708", at.Span(), "%s has no parts, so no `.%s`", value.Describe(x), name)
	}
	if g, ok := x.(*value.Gradient); ok && name == "t" && g.ByTime != nil {
		v, err := g.ByTime(in.ctx)
		if err != nil {
			return nil, in.place(err, at)
		}
		return value.Vec(v), nil
	}
	if v, ok := m.Member(name); ok {
		return v, nil
	}
	if s, ok := x.(*value.Solution); ok {
		if err := s.NotKept(name); err != nil {
			return nil, diag.New("E0716", at.Span(), "%v", err).WithHelp("%s", s.Gone.Help())
		}
	}
	d := diag.New("E0708", at.Span(), "%s has no `%s`", value.Describe(x), name)
	if mv, ok := x.(*value.Model); ok {
		for _, l := range mv.C.Model.Lets {
			if l.Name == name {
				return nil, d.WithHelp("`%s` is a `let`: it is read off a solution, `solve(…).%s`", name, name)
			}
		}
	}
	if w, ok := x.(interface{ Why(string) string }); ok {
		if why := w.Why(name); why != "" {
			return nil, diag.New("E0708", at.Span(), "there is no `.%s` here", name).WithHelp("%s", why)
		}
	}
	names := m.Names()
	if s := diag.Suggest(name, names); s != "" {
		return nil, d.WithHelp("did you mean `%s`?", s)
	}
	if len(names) == 0 {
		return nil, d
	}
	return nil, d.WithHelp("it has: %s", listing(names))
}

// trajectoryOf is best[k]: the model with the values and inputs of one trajectory of its fit.
func (in *Interp) trajectoryOf(f *frame, m *value.Model, e *ast.Index) (value.Value, error) {
	n := 0
	if m.Fit != nil {
		n = len(m.Fit.Trajectories)
	}
	if n == 0 {
		return nil, diag.New("E0709", e.Span(), "%s is not fitted to several trajectories, so it has no index", m.Name()).
			WithHelp("`best[2]` is the model as it is for the second table, of a fit to a list of tables")
	}
	at, err := in.expr(withEnd(f, n), e.Args[0])
	if err != nil {
		return nil, err
	}
	if name, ok := at.(value.Text); ok {
		return in.trajectoryNamed(m, string(name), e.Args[0])
	}
	x, err := array(at, e.Args[0])
	if err != nil {
		return nil, err
	}
	if len(x.Data) != 1 {
		return nil, diag.New("E0703", e.Args[0].Span(), "one number is needed here, this is %s", x.Type())
	}
	k := x.Data[0]
	if k != math.Trunc(k) || k < 1 || k > float64(n) {
		return nil, diag.New("E0709", e.Args[0].Span(), "trajectory %s is outside 1..%d", value.Format(k), n).
			WithHelp("trajectories are counted from 1, as the data were given; `[end]` is the last")
	}
	return m.Fit.Trajectories[int(k)-1].Model, nil
}

// trajectoryNamed is best["id"]: the trajectory whose table is called so, or is the part of a file for this value.
func (in *Interp) trajectoryNamed(m *value.Model, name string, at ast.Node) (value.Value, error) {
	var names []string
	for _, t := range m.Fit.Trajectories {
		_, id, part := strings.Cut(t.Data.Part, " = ")
		if t.Name == name || part && id == name {
			return t.Model, nil
		}
		if part {
			names = append(names, id)
		} else {
			names = append(names, t.Name)
		}
	}
	d := diag.New("E0709", at.Span(), "no trajectory is called `%s`", name)
	if s := diag.Suggest(name, names); s != "" {
		return nil, d.WithHelp("did you mean `%s`?", s)
	}
	return nil, d.WithHelp("there are: %s; `[2]` is the second of them", listing(names))
}

func listing(names []string) string {
	s := ""
	for i, n := range names {
		if i == 12 {
			return s + ", …"
		}
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

// index is x[i], x[a..b], x[.., 2]: from 1, inclusive; fewer indices than axes keep the rest.
func (in *Interp) index(f *frame, e *ast.Index) (value.Value, error) {
	x, err := in.expr(f, e.X)
	if err != nil {
		return nil, err
	}
	if l, ok := x.(value.List); ok && len(e.Args) == 1 {
		local := withEnd(f, len(l))
		k, err := in.number(local, e.Args[0])
		if err != nil {
			return nil, err
		}
		if k != math.Trunc(k) || k < 1 || k > float64(len(l)) {
			return nil, diag.New("E0709", e.Args[0].Span(), "index %s is outside 1..%d", value.Format(k), len(l))
		}
		return l[int(k)-1], nil
	}
	if en, ok := x.(*value.Ensemble); ok {
		if _, isText := e.Args[0].(*ast.String); !isText {
			return in.oneOf(f, en, e)
		}
	}
	if m, ok := x.(*value.Model); ok && len(e.Args) == 1 {
		s, isText := e.Args[0].(*ast.String)
		part := false
		if isText {
			_, part = m.Member(s.Value) // `best["U"]` is the unknown
		}
		if !part && (!isText || m.Fit != nil && len(m.Fit.Trajectories) > 0) {
			return in.trajectoryOf(f, m, e)
		}
	}
	if r, ok := x.(*value.Record); ok && len(e.Args) == 1 {
		k, err := in.expr(f, e.Args[0])
		if err != nil {
			return nil, err
		}
		if t, ok := k.(value.Text); ok {
			return in.memberOf(r, string(t), e.Args[0])
		}
	}
	if t, ok := x.(members); ok && len(e.Args) == 1 {
		if s, ok := e.Args[0].(*ast.String); ok {
			return in.memberOf(t, s.Value, e.Args[0])
		}
	}
	a, err := array(x, e.X)
	if err != nil {
		return nil, err
	}
	if len(e.Args) > len(a.Shape) {
		return nil, diag.New("E0709", e.Span(), "%d indices for %s", len(e.Args), a.Type())
	}
	sel := make([][]int, len(a.Shape))
	var shape types.Shape
	for d, n := range a.Shape {
		if d >= len(e.Args) {
			sel[d] = all(n)
			shape = append(shape, n)
			continue
		}
		idx, keep, err := in.positions(withEnd(f, n), e.Args[d], n)
		if err != nil {
			return nil, err
		}
		sel[d] = idx
		if keep {
			shape = append(shape, len(idx))
		}
	}
	out := &value.Array{Shape: shape}
	var walk func(d, off int)
	walk = func(d, off int) {
		if d == len(a.Shape) {
			out.Data = append(out.Data, a.Data[off])
			return
		}
		for _, k := range sel[d] {
			walk(d+1, off*a.Shape[d]+k)
		}
	}
	walk(0, 0)
	return out, nil
}

func all(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}

func withEnd(f *frame, n int) *frame {
	g := &frame{names: map[string]value.Value{}}
	if f != nil {
		g.depth = f.depth
		for k, v := range f.names {
			g.names[k] = v
		}
	}
	g.names["end"] = value.Num(float64(n))
	return g
}

// positions are the positions (from 0) that one index selects, and whether its axis is kept.
func (in *Interp) positions(f *frame, e ast.Expr, n int) (idx []int, keep bool, err error) {
	check := func(v float64) (int, error) {
		if v != math.Trunc(v) {
			return 0, diag.New("E0709", e.Span(), "an index is a whole number, this is %s", value.Format(v))
		}
		if v < 1 || v > float64(n) {
			return 0, diag.New("E0709", e.Span(), "index %s is outside 1..%d", value.Format(v), n)
		}
		return int(v) - 1, nil
	}
	if r, ok := e.(*ast.Range); ok && r.Lo == nil && r.Hi == nil {
		return all(n), true, nil
	}
	v, err := in.expr(f, e)
	if err != nil {
		return nil, false, err
	}
	a, err := array(v, e)
	if err != nil {
		return nil, false, err
	}
	for _, x := range a.Data {
		k, err := check(x)
		if err != nil {
			return nil, false, err
		}
		idx = append(idx, k)
	}
	return idx, !a.Shape.IsScalar(), nil
}
