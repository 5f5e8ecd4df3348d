package verb

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/signal"
	"github.com/udl-lang/udl/stdlib/value"
)

// OfSignals is the type of parameters in which names of signals come first.
const OfSignals = "record of signals"

var optInputs = arg("inputs", OfSignals, "none", "tables for the model's inputs, `{I: hold(times, values)}`, linear or cubic likewise, or a number; an input without one is what it is declared as")

// interpolations are the rows of signals, by the kinds of package signal.
var interpolations = []struct {
	kind signal.Kind
	row  sig.Builtin
}{
	{signal.Hold, signalRow("hold", "Each value holds from its time until the next: a step function. At a step's time it is the new value. The solver ends a step at each jump.", "")},
	{signal.Linear, signalRow("linear", "Straight lines between the values. The solver ends a step at each bend.", "")},
	{signal.Cubic, signalRow("cubic", "The cubic spline through the values, with two continuous derivatives and not-a-knot ends: smooth, fourth order in the spacing; between values that jump it swings over.",
		"C. de Boor, A Practical Guide to Splines, Springer 2001")},
}

func signalRow(name, doc, cite string) sig.Builtin {
	return sig.Builtin{Name: name, Kind: sig.Signal, Result: "signal", Doc: doc, Cite: cite,
		Example: "model M { input I = 0; state x = 0; x' = I - x }\nsolve(M, t = 0..2, inputs = {I: " + name + "([0, 1, 2], [0, 1, 0])})",
		Params: []sig.Param{{Name: "times", Type: "array or table", Doc: "times, rising; or a table with a column of times"},
			pos("values", "array or name of a column", "none", "as many; of an input that is an array, times × shape. Of a table the column, that of the input's name when left out"),
			arg("outside", "word: refuse, hold", "refuse", "before the first time and after the last: an error, or the first and the last value")}}
}

// SignalSpec is a signal as a value, of one of the words hold, linear and cubic; of any other word the verb that takes it makes an error.
func SignalSpec(word string, args map[string]value.Value) *value.Spec {
	for i := range interpolations {
		if interpolations[i].row.Name == word {
			return &value.Spec{Row: &interpolations[i].row, Args: args}
		}
	}
	return &value.Spec{Row: &sig.Builtin{Name: word, Kind: sig.Signal}, Args: args}
}

// bound is the model with the option `inputs` in force.
func (c *Call) bound(m *value.Model) (*value.Model, error) {
	v, ok := c.Args["inputs"]
	if !ok {
		return m, nil
	}
	if _, each := v.(value.List); c.overData() && each || c.perTable() {
		return m, nil // they are bound for each trajectory
	}
	r, ok := v.(*value.Record)
	if !ok {
		return nil, c.Bad("inputs", "`inputs` must be a record, this is %s", value.Describe(v)).WithHelp("write `inputs = {I: linear(times, values)}`")
	}
	return c.bindTo(m, r)
}

// bindTo is the model with inputs in force.
func (c *Call) bindTo(m *value.Model, r *value.Record) (*value.Model, error) {
	inputs := m.C.Inputs()
	var list []compiler.Signal
	for i, key := range r.Keys {
		at := c.SpanOf("inputs")
		if i < len(r.Span) {
			at = r.Span[i]
		}
		k := slices.IndexFunc(inputs, func(s *model.Symbol) bool { return s.Name == key })
		if k < 0 {
			return nil, noInput(m, inputs, key, at)
		}
		s, err := c.signalOf(m, inputs[k], r.Vals[i], at)
		if err != nil {
			return nil, err
		}
		list = append(list, *s)
	}
	bound, err := m.C.WithSignals(list)
	if err != nil {
		return nil, err
	}
	return &value.Model{C: bound, Theta: m.Theta, Fit: m.Fit, Kept: m.Kept}, nil
}

func noInput(m *value.Model, inputs []*model.Symbol, key string, at diag.Span) error {
	d := diag.New("E0714", at, "`%s` is no input of %s", key, m.Name())
	var names []string
	for _, s := range inputs {
		names = append(names, s.Name)
	}
	if s, ok := m.Symbol(key); ok {
		if s.Kind == model.Param || s.Kind == model.Const {
			return d.WithHelp("give a value by `set`, or declare `input %s = …` in the model in its place", key)
		}
		return d.WithHelp("the model computes it; what comes from outside is declared `input`")
	}
	if len(names) == 0 {
		return d.WithHelp("%s has no inputs; declare one, `input %s = 0`", m.Name(), key)
	}
	if s := diag.Suggest(key, names); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	return d.WithHelp("its inputs are: %s", strings.Join(names, ", "))
}

// signalOf makes the functions of time for an input.
func (c *Call) signalOf(m *value.Model, in *model.Symbol, v value.Value, at diag.Span) (*compiler.Signal, error) {
	if a, ok := v.(*value.Array); ok && a.Shape.Equal(in.Shape) { // the same at all times
		rows := value.Array{Shape: append([]int{1}, in.Shape...), Data: a.Data}
		v = &value.Spec{Row: &interpolations[0].row, Span: at, Args: map[string]value.Value{"times": value.Vec([]float64{0}), "values": &rows, "outside": value.Word("hold")}}
	}
	s, ok := v.(*value.Spec)
	k := -1
	if ok {
		k = slices.IndexFunc(interpolations, func(x struct {
			kind signal.Kind
			row  sig.Builtin
		}) bool {
			return x.row.Name == s.Row.Name
		})
		at = s.Span
	}
	if k < 0 {
		return nil, diag.New("E0714", at, "`%s` must be a signal, this is %s", in.Name, value.Describe(v)).
			WithHelp("say how the values are to be joined: `%s: hold(times, values)`, `linear` or `cubic`", in.Name)
	}
	times, rows, err := c.samples(m, in, s, at)
	if err != nil {
		return nil, err
	}
	outside := "refuse"
	switch w := s.Args["outside"].(type) {
	case nil:
	case value.Word:
		outside = string(w)
	case value.Text:
		outside = string(w)
	}
	if outside != "refuse" && outside != "hold" {
		return nil, diag.New("E0704", at, "`outside` cannot be `%s`", outside).WithHelp("it is `refuse` or `hold`")
	}
	out := &compiler.Signal{Input: in.Name, Lo: math.Inf(-1), Hi: math.Inf(1)}
	n := in.Shape.Size()
	column := make([]float64, len(times))
	for e := range n {
		for i := range times {
			column[i] = rows[i*n+e]
		}
		f, err := signal.New(interpolations[k].kind, times, column, outside == "hold")
		if err != nil {
			d := diag.New("E0715", at, "the table for `%s`: %v", in.Name, err)
			var te *signal.TableError
			if errors.As(err, &te) {
				d.WithHelp("%s", te.Help)
			}
			return nil, d
		}
		out.Elements = append(out.Elements, external(in.Name, f))
		out.Kinks = append(out.Kinks, f.Kinks()...)
		out.Lo, out.Hi = f.Lo, f.Hi
	}
	slices.Sort(out.Kinks)
	return out, nil
}

// external is a signal as a function in a graph, as its derivatives are.
func external(name string, f *signal.Signal) *ir.External {
	var slope *ir.External
	if !f.Zero() {
		slope = external(name+"'", f.Derivative())
	} else {
		slope = &ir.External{Name: name, N: 1, Eval: func([]float64) float64 { return 0 }}
		slope.Partial = func(int) *ir.External { return slope }
	}
	return &ir.External{Name: name, N: 1, Eval: func(x []float64) float64 { return f.Eval(x[0]) }, Partial: func(int) *ir.External { return slope }}
}

// samples reads times and values, row-major, out of arrays or a table.
func (c *Call) samples(m *value.Model, in *model.Symbol, s *value.Spec, at diag.Span) (times, rows []float64, err error) {
	n := in.Shape.Size()
	switch t := s.Args["times"].(type) {
	case *value.Table:
		return c.column(m, in, t, s.Args["values"], at)
	case value.Text:
		if c.here != nil && s.Args["values"] == nil {
			return c.column(m, in, c.here, t, at)
		}
	case *value.Range, *value.Array:
		if r, ok := t.(*value.Range); ok {
			times = r.Points()
		} else if a := t.(*value.Array); len(a.Shape) == 1 {
			times = a.Data
		}
		if times == nil {
			break
		}
		v, ok := s.Args["values"].(*value.Array)
		if !ok {
			return nil, nil, diag.New("E0714", at, "the values of `%s` must be an array, this is %s", in.Name, value.Describe(s.Args["values"])).
				WithHelp("give as many values as times, `%s(times, values)`", s.Row.Name)
		}
		if len(v.Shape) != 1+len(in.Shape) || !v.Shape[1:].Equal(in.Shape) || v.Shape[0] != len(times) {
			want := value.Array{Shape: append([]int{len(times)}, in.Shape...)}
			return nil, nil, diag.New("E0714", at, "the values of `%s` at %d times must be %s, this is %s", in.Name, len(times), want.Type(), v.Type())
		}
		return times, v.Data, nil
	}
	if n > 1 {
		return nil, nil, diag.New("E0714", at, "the times of `%s` must be a list, this is %s", in.Name, value.Describe(s.Args["times"]))
	}
	return nil, nil, diag.New("E0714", at, "the times of `%s` must be a list or a table, this is %s", in.Name, value.Describe(s.Args["times"])).
		WithHelp("for example `%s([0, 1, 2], [5, 0, 5])`, or `%s(csv(\"drive.csv\", time = \"t\"), \"volts\")`", s.Row.Name, s.Row.Name)
}

// column reads an input from a table. Rows in which it is missing are left out.
func (c *Call) column(m *value.Model, in *model.Symbol, t *value.Table, name value.Value, at diag.Span) (times, values []float64, err error) {
	if in.Shape.Size() > 1 {
		return nil, nil, diag.New("E0714", at, "`%s` is an array, which one column cannot give", in.Name).WithHelp("give times and values as arrays, the values times × shape")
	}
	col := in.Name
	switch v := name.(type) {
	case nil:
	case value.Text:
		col = string(v)
	case value.Word:
		col = string(v)
	default:
		return nil, nil, diag.New("E0714", at, "a column is named by a text, this is %s", value.Describe(v)).WithHelp("for example `linear(drive, \"volts\")`")
	}
	all, err := c.tableTimes(t)
	if err != nil {
		return nil, nil, err
	}
	x, ok := t.Col(col)
	if !ok {
		d := diag.New("E0714", at, "`%s` has no column `%s`", t.Name, col)
		var names []string
		for _, x := range t.Cols {
			names = append(names, x.Name)
		}
		if s := diag.Suggest(col, names); s != "" {
			return nil, nil, d.WithHelp("did you mean `%s`?", s)
		}
		return nil, nil, d.WithHelp("its columns are: %s; name the one that gives `%s`, `%s`", strings.Join(names, ", "), in.Name, "linear(drive, \"…\")")
	}
	if x.Values == nil {
		if t.Numbers != nil {
			if err := t.Numbers(col); err != nil {
				return nil, nil, err
			}
		}
		return nil, nil, diag.New("E0714", at, "the column `%s` holds no numbers", col)
	}
	if tc, ok := t.Col(t.Time); ok {
		if err := unitsAgree(m, "t", t.Time, tc.Unit, at); err != nil {
			return nil, nil, err
		}
	}
	if err := unitsAgree(m, in.Name, col, x.Unit, at); err != nil {
		return nil, nil, err
	}
	for i, v := range x.Values {
		if !math.IsNaN(v) {
			times, values = append(times, all[i]), append(values, v)
		}
	}
	return times, values, nil
}
