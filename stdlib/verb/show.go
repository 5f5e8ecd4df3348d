package verb

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// Failure is why a solve did not reach its end, nil when it did: what the solver says, with the place
// in the model that is to blame.
func (c *Call) Failure(sol *solve.Solution, p *solve.Problem) *diag.Diagnostic {
	if sol.Status == solve.Done || sol.Fault == nil {
		return nil
	}
	f := sol.Fault
	code := map[solve.Status]diag.Code{solve.MaxSteps: "E0501", solve.StepTooSmall: "E0502", solve.NonFinite: "E0503",
		solve.Cancelled: "E0504", solve.MemoryLimit: "E0506", solve.EventFault: "E0515", solve.SinkFailed: "E0517"}[sol.Status]
	span := c.Span
	text := ""
	if f.Source != nil {
		if s, ok := f.Source.Where.(diag.Span); ok && !s.IsZero() {
			span = s
			text = fmt.Sprintf("is %s here", value.Format(f.Source.Value))
			for i, o := range f.Source.Operands {
				if i == 0 {
					text += ", with "
				} else {
					text += ", "
				}
				text += fmt.Sprintf("%s = %s", o.Name, value.Short(o.Value, 6))
			}
		}
	}
	if f.Derivative != nil {
		if s, ok := f.Derivative.Where.(diag.Span); ok && !s.IsZero() {
			span, text = s, "this equation"
		}
	}
	if s, ok := f.Where.(diag.Span); ok && !s.IsZero() {
		if span, text = s, "this event"; f.Fold {
			text = "this equation"
		}
	}
	d := diag.New(code, span, "%s: %s", c.Verb.Name, f.Error()).Because(f.Cause)
	if text != "" {
		d.At("%s", text)
		if !c.Span.IsZero() {
			d.And(c.Span, "in this solve")
		}
	}
	if h := f.Help(); h != "" {
		d.WithHelp("%s", h)
	}
	return d
}

func printVerb(c *Call) (value.Value, error) {
	// What needs lines of its own gets them, between what stands before and after it.
	open := false
	for _, v := range c.positional("values") {
		if Big(v) {
			if open {
				fmt.Fprintln(c.Out)
			}
			open = false
			c.Show(c.Out, v)
			continue
		}
		if open {
			fmt.Fprint(c.Out, " ")
		}
		open = true
		fmt.Fprint(c.Out, Inline(v))
	}
	if open || len(c.Args) == 0 {
		fmt.Fprintln(c.Out)
	}
	return nil, nil
}

// positional are the values of a variadic parameter.
func (c *Call) positional(name string) []value.Value {
	v, ok := c.Args[name]
	if !ok {
		return nil
	}
	return append([]value.Value{v}, c.Rest...)
}

// Big says whether a value takes lines of its own: such values are shown, not printed in a line.
func Big(v value.Value) bool {
	switch v := v.(type) {
	case *value.Solution, *value.Ensemble, *value.Spread, *value.Model, *value.Report, *value.Table, *value.Events, *value.Plot, *value.Gradient, *value.Learned, *value.Steady, *value.Profile:
		return true
	case value.List:
		for _, x := range v {
			if Big(x) {
				return true
			}
		}
	case *value.Record:
		for _, x := range v.Vals {
			switch x := x.(type) {
			case value.Text, value.Bool, value.Word:
			case *value.Array:
				if len(x.Data) > 12 {
					return true
				}
			default:
				return true
			}
		}
	}
	return false
}

// within is a value inside a list or record: texts in quotes, so that it is seen where each ends.
func within(v value.Value) string {
	if t, ok := v.(value.Text); ok {
		return `"` + strings.ReplaceAll(string(t), `"`, `\"`) + `"`
	}
	return Inline(v)
}

// Inline is a value in a line of text; "" for values that need lines of their own.
func Inline(v value.Value) string {
	switch v := v.(type) {
	case value.Text:
		return string(v)
	case value.Word:
		return string(v)
	case value.Bool:
		return fmt.Sprint(bool(v))
	case *value.Array:
		return arrayText(v.Shape, v.Data)
	case value.List:
		p := make([]string, len(v))
		for i, x := range v {
			p[i] = within(x)
		}
		return "[" + strings.Join(p, ", ") + "]"
	case *value.Range:
		s := value.Format(v.Lo) + ".." + value.Format(v.Hi)
		if v.By != 0 {
			s += " by " + value.Format(v.By)
		}
		return s
	case *value.Record:
		if Big(v) {
			return ""
		}
		p := make([]string, len(v.Keys))
		for i, k := range v.Keys {
			p[i] = k + ": " + within(v.Vals[i])
		}
		return "{" + strings.Join(p, ", ") + "}"
	case *value.Spec:
		return v.Row.Name
	case value.Chain:
		p := make([]string, len(v))
		for i, s := range v {
			p[i] = s.Row.Name
		}
		return strings.Join(p, " then ")
	case *value.Discovered:
		return v.String()
	case *value.Solution, *value.Ensemble, *value.Spread, *value.Report, *value.Table, *value.Events, *value.Plot, *value.Gradient, *value.Model, *value.Steady:
		return ""
	case nil:
		return "nothing"
	}
	return v.Type()
}

// arrayText writes numbers to 10 digits; a long array as its ends.
func arrayText(shape types.Shape, data []float64) string {
	if shape.IsScalar() {
		return value.Short(data[0], 10)
	}
	n := shape[0]
	rest := shape[1:]
	m := types.Shape(rest).Size()
	var parts []string
	for i := range n {
		if n > 12 && i == 6 {
			parts = append(parts, "…")
		}
		if n > 12 && i >= 6 && i < n-3 {
			continue
		}
		if len(rest) == 0 {
			parts = append(parts, value.Short(data[i], 7))
		} else {
			parts = append(parts, arrayText(rest, data[i*m:(i+1)*m]))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func assertVerb(c *Call) (value.Value, error) {
	ok := false
	switch v := c.Args["condition"].(type) {
	case value.Bool:
		ok = bool(v)
	case *value.Array:
		ok = true
		for _, x := range v.Data {
			ok = ok && x != 0 && !math.IsNaN(x)
		}
	default:
		return nil, c.Bad("condition", "`assert` needs a condition, this is %s", value.Describe(v))
	}
	if ok {
		return nil, nil
	}
	msg, err := c.TextOf("message", "")
	if err != nil {
		return nil, err
	}
	d := diag.New("E0720", c.SpanOf("condition"), "assertion failed")
	if msg != "" {
		d.Message += ": " + msg
	}
	return nil, d.At("is false")
}

func assertClose(c *Call) (value.Value, error) {
	a, aok := c.Args["a"].(*value.Array)
	b, bok := c.Args["b"].(*value.Array)
	if !aok {
		return nil, c.Bad("a", "`assert_close` compares numbers and arrays, this is %s", value.Describe(c.Args["a"]))
	}
	if !bok {
		return nil, c.Bad("b", "`assert_close` compares numbers and arrays, this is %s", value.Describe(c.Args["b"]))
	}
	rtol, err := c.Number("rtol", 1e-9)
	if err != nil {
		return nil, err
	}
	atol, err := c.Number("atol", 0)
	if err != nil {
		return nil, err
	}
	if !(rtol >= 0) || !(atol >= 0) {
		return nil, diag.New("E0704", c.Span, "tolerances must not be negative")
	}
	if !a.Shape.Equal(b.Shape) {
		return nil, diag.New("E0720", c.Span, "assertion failed: the shapes differ").
			And(c.SpanOf("a"), "%s", a.Shape).And(c.SpanOf("b"), "%s", b.Shape)
	}
	worst, at := 0.0, -1
	for i := range a.Data {
		x, y := a.Data[i], b.Data[i]
		if x == y {
			continue // infinities too
		}
		excess := math.Abs(x-y) - (atol + rtol*math.Abs(y))
		if !(excess <= 0) && (at < 0 || !(excess <= worst)) {
			worst, at = excess, i
		}
	}
	if at < 0 {
		return nil, nil
	}
	place := ""
	if !a.Shape.IsScalar() {
		place = system.Names([]system.Slot{{Name: "", Shape: a.Shape}})[at]
		place = " at " + place
	}
	x, y := a.Data[at], b.Data[at]
	d := diag.New("E0720", c.Span, "assertion failed: not close%s", place)
	d.Labels[0].Span = c.SpanOf("a")
	d.At("%s%s", value.Format(x), place).And(c.SpanOf("b"), "%s, the reference", value.Format(y))
	return nil, d.Note("|a - b| = %.3g, allowed is atol + rtol*|b| = %.3g", math.Abs(x-y), atol+rtol*math.Abs(y))
}

func tableVerb(c *Call) (value.Value, error) {
	f, err := frameOf(c.Args["value"])
	if err != nil {
		return nil, c.Bad("value", "%v", err)
	}
	rows, err := c.Int("rows", 0)
	if err != nil {
		return nil, err
	}
	return nil, trace.WriteTable(c.Out, f, trace.TableOptions{Width: c.Width, Rows: rows, Color: c.Color})
}

// frameOf is what a value is as a table.
func frameOf(v value.Value) (*trace.Frame, error) {
	switch v := v.(type) {
	case *value.Solution:
		if err := v.NotKept(""); err != nil {
			return nil, err
		}
		return v.Frame(), nil
	case *value.Ensemble:
		return v.Frame(), nil
	case *value.Spread:
		return v.Frame(), nil
	case *value.Table:
		return v.Frame(), nil
	case *value.Events:
		return v.Frame(), nil
	case *value.Array:
		f := &trace.Frame{}
		switch len(v.Shape) {
		case 0:
			f.Add("value", "", v.Data)
		case 1:
			f.Add("value", "", v.Data)
		case 2:
			for j := range v.Shape[1] {
				col := make([]float64, v.Shape[0])
				for i := range col {
					col[i] = v.Data[i*v.Shape[1]+j]
				}
				f.Add(fmt.Sprintf("[%d]", j+1), "", col)
			}
		default:
			return nil, fmt.Errorf("an array of %s is no table", v.Shape)
		}
		return f, nil
	case *value.Profile:
		f := &trace.Frame{}
		for _, n := range []string{"grid", "loss"} {
			col, _ := v.Member(n)
			title := n
			if n == "grid" {
				title = v.Of.Name
			}
			f.Add(title, "", col.(*value.Array).Data)
		}
		others, _ := v.Member("others")
		for i, n := range others.(*value.Record).Keys {
			f.Add(n, "", others.(*value.Record).Vals[i].(*value.Array).Data)
		}
		return f, nil
	case *value.Record:
		return recordFrame(v)
	case *value.Gradient:
		return recordFrame(&v.Record)
	}
	return nil, fmt.Errorf("a solution, an ensemble, a table, an array or a record of columns is needed, this is %s", value.Describe(v))
}

func recordFrame(r *value.Record) (*trace.Frame, error) {
	f := &trace.Frame{}
	for i, k := range r.Keys {
		a, ok := r.Vals[i].(*value.Array)
		if !ok {
			return nil, fmt.Errorf("`%s` is %s, not numbers", k, value.Describe(r.Vals[i]))
		}
		f.Add(k, "", a.Data)
	}
	return f, f.Check()
}

// PlotOf is the figure of a value, empty where it has none.
func PlotOf(s value.Value) *value.Plot {
	p := &value.Plot{}
	if addSeries(p, s) != nil {
		return &value.Plot{}
	}
	return p
}

func plotVerb(c *Call) (value.Value, error) {
	p := &value.Plot{}
	vals := c.positional("values")
	var err error
	if p.Title, err = c.TextOf("title", ""); err != nil {
		return nil, err
	}
	if len(vals) == 2 {
		x, xok := vals[0].(*value.Array)
		y, yok := vals[1].(*value.Array)
		if xok && yok && len(x.Shape) == 1 && len(y.Data) == len(x.Data) {
			p.Series = append(p.Series, trace.Series{X: x.Data, Y: y.Data})
			return p, nil
		}
	}
	solutions := 0
	for _, v := range vals {
		if _, ok := v.(*value.Solution); ok {
			solutions++
		}
	}
	nth := 0
	for i, v := range vals {
		from := len(p.Series)
		err := addSeries(p, v)
		if _, ok := v.(*value.Solution); ok && solutions > 1 { // the same names: told apart by their place
			nth++
			for k := from; k < len(p.Series); k++ {
				p.Series[k].Name += fmt.Sprintf(", %d", nth)
			}
		}
		if err != nil {
			at := c.SpanOf("values")
			if i > 0 {
				at = c.RestAt[i-1]
			}
			return nil, diag.New("E0704", at, "%v", err)
		}
	}
	if c.Has("log") {
		w, err := c.WordOf("log", "y", "x", "y", "xy")
		if err != nil {
			return nil, err
		}
		p.LogX, p.LogY = strings.Contains(w, "x"), strings.Contains(w, "y")
	}
	return p, nil
}

// mostSeries is how many states of one solution a plot shows.
const mostSeries = 8

func addSeries(p *value.Plot, v value.Value) error {
	switch v := v.(type) {
	case *value.Solution:
		if err := v.NotKept(""); err != nil {
			return err
		}
		f := v.Frame()
		p.XLabel = label("t", f.Columns[0].Unit)
		n := len(v.Model.C.System.StateNames())
		smooth := smoothed(v.Sol)
		shown := n
		if n > mostSeries {
			// A legend of hundreds helps nobody: some, evenly spread, and how many of how many.
			shown = mostSeries
			p.Title = strings.TrimSpace(fmt.Sprintf("%s (%d of %d states)", p.Title, shown, n))
		}
		for k := range shown {
			i := k
			if shown < n {
				i = k * (n - 1) / (shown - 1)
			}
			col := f.Columns[i+1]
			x, y := smooth.curve(i, col.Values)
			p.Series = append(p.Series, trace.Series{Name: label(col.Name, col.Unit), X: x, Y: y, Color: len(p.Series) + 1})
			eventMarks(p, v.Sol, i)
		}
	case *value.Ensemble:
		return bands(p, v)
	case *value.Spread:
		return spread(p, v)
	case *value.Model:
		if v.Fit == nil {
			return fmt.Errorf("a model has nothing to draw before it is solved: `plot(solve(%s, t = 0..10))`", v.Name())
		}
		return fitSeries(p, v)
	case *value.Table:
		x := v.Time
		for _, col := range v.Cols {
			if x == "" && col.Values != nil {
				x = col.Name
			}
		}
		xs, ok := v.Col(x)
		if !ok || xs.Values == nil {
			return fmt.Errorf("the table has no numeric column to draw over")
		}
		p.XLabel = label(x, xs.Unit)
		for _, col := range v.Cols {
			if col.Name != x && col.Values != nil {
				p.Series = append(p.Series, trace.Series{Name: label(col.Name, col.Unit), X: xs.Values, Y: col.Values, Style: trace.Points, Color: len(p.Series) + 1})
			}
		}
	case *value.Array:
		if len(v.Shape) != 1 {
			return fmt.Errorf("a vector is needed to draw, this is %s", value.Describe(v))
		}
		x := make([]float64, len(v.Data))
		for i := range x {
			x[i] = float64(i + 1)
		}
		p.Series = append(p.Series, trace.Series{X: x, Y: v.Data, Color: len(p.Series) + 1})
	case *value.Profile:
		profileSeries(p, v)
	case *value.Plot:
		p.Series = append(p.Series, v.Series...)
		if p.XLabel == "" {
			p.XLabel, p.YLabel = v.XLabel, v.YLabel
		}
	default:
		return fmt.Errorf("a solution, a fit, an ensemble, a table or a vector is needed to draw, this is %s", value.Describe(v))
	}
	return nil
}

func label(name, unit string) string {
	if unit == "" || unit == "1" {
		return name
	}
	return name + " (" + unit + ")"
}

// mostFits is how many of several trajectories a fit draws: more hide each other.
const mostFits = 4

// fitSeries draws data and fit of each matched quantity in one colour.
func fitSeries(p *value.Plot, m *value.Model) error {
	if of := m.Fit.Trajectories; of != nil {
		for _, t := range of[:min(len(of), mostFits)] {
			at := len(p.Series)
			if err := fitSeries(p, t.Model); err != nil {
				return err
			}
			for i := range p.Series[at:] {
				s := &p.Series[at+i]
				s.Name += " (" + t.Name + ")"
				s.Color += at / 2
			}
		}
		return nil
	}
	s, err := FittedCurve(m)
	if err != nil {
		return err
	}
	fit := m.Fit
	f := s.Frame()
	p.XLabel = label("t", f.Columns[0].Unit)
	cols := fit.Cols
	if fit.Data == nil {
		cols = m.C.System.StateNames()
	} else {
		p.XLabel = fit.Data.Time
	}
	for i, q := range cols {
		col := f.Column(q)
		if col == nil {
			continue
		}
		p.Series = append(p.Series, trace.Series{Name: label(q, col.Unit), X: s.Sol.T, Y: col.Values, Color: i + 1})
		if fit.Data == nil {
			continue
		}
		if d, ok := fit.Data.Col(fit.Match[q]); ok {
			t, _ := fit.Data.Col(fit.Data.Time)
			p.Series = append(p.Series, trace.Series{Name: fit.Match[q], X: t.Values, Y: d.Values, Style: trace.Points, Color: i + 1})
		}
	}
	return nil
}

// timeVerb measures an expression, which arrives unevaluated.
func timeVerb(c *Call) (value.Value, error) {
	start := time.Now()
	if _, err := c.Apply(c.Args["expression"]); err != nil {
		return nil, err
	}
	return value.Num(time.Since(start).Seconds()), nil
}
