package verb

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/discover"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// measured is what equations are looked for in: quantities over time, and where they are known their derivatives.
type measured struct {
	inputs []input
	t      []float64
	x      [][]float64 // per input
	rate   [][]float64 // nil where derivatives are to be taken of x
	from   *value.Table
	start  []float64 // x where the data begin
	exact  bool      // the derivatives are those of a right-hand side
	units  []string  // per input, "" where none is known; nil where none is
	time   string    // unit of the time, ""
}

// wanted are the inputs whose equations are looked for: all but states whose derivative is another input, x of x and x'.
func (d *measured) wanted() (out []int) {
	for k, in := range d.inputs {
		if !slices.ContainsFunc(d.inputs, func(o input) bool { return o.name == in.name+"'" }) {
			out = append(out, k)
		}
	}
	return out
}

func (c *Call) discoverData(tab *value.Table) (value.Value, error) {
	times, err := c.tableTimesOf(tab, "from")
	if err != nil {
		return nil, err
	}
	given, rates, err := c.givenRates(tab)
	if err != nil {
		return nil, err
	}
	var inputs []input
	for i := range tab.Cols {
		if col := &tab.Cols[i]; col.Values != nil && col.Name != tab.Time && (c.Has("over") || !slices.Contains(given, col.Name)) {
			inputs = append(inputs, input{col.Name, &ast.Ident{Name: col.Name}})
		}
	}
	if inputs, err = c.overOf(inputs); err != nil {
		return nil, err
	}
	for _, in := range inputs {
		if in.name == "t" { // in a model this is the time, so that no equation can be made of it
			return nil, diag.New("E0512", c.SpanOf("from"), "the column `t` of `%s` bears the name of the time, and the times are `%s`", tab.Name, tab.Time).
				WithHelp("give the column another name, or leave it out by `over`")
		}
	}
	d := &measured{inputs: inputs, from: tab}
	if tc, ok := tab.Col(tab.Time); ok {
		d.time = tc.Unit
	}
	var cols [][]float64
	for _, in := range inputs {
		col, _ := tab.Col(in.name)
		cols = append(cols, col.Values)
		d.units = append(d.units, col.Unit)
		if rates != nil {
			r, ok := rates[in.name]
			if !ok {
				return nil, c.Bad("derivatives", "no derivative of `%s` is given", in.name).WithHelp("give one for each of `over`, `{%s: \"column\"}`", in.name)
			}
			d.rate = append(d.rate, r)
		}
	}
	// Rows in which something is missing say nothing here.
	var keep []int
	for i := range times {
		ok := finite(times[i])
		for k := range cols {
			ok = ok && finite(cols[k][i]) && (d.rate == nil || finite(d.rate[k][i]))
		}
		if ok {
			keep = append(keep, i)
		}
	}
	pick := func(v []float64) (out []float64) {
		for _, i := range keep {
			out = append(out, v[i])
		}
		return out
	}
	d.t = pick(times)
	for k := range cols {
		d.x = append(d.x, pick(cols[k]))
		if d.rate != nil {
			d.rate[k] = pick(d.rate[k])
		}
	}
	for i := 1; i < len(d.t); i++ {
		if !(d.t[i] > d.t[i-1]) {
			return nil, diag.New("E0512", c.SpanOf("from"), "the times of `%s` must rise, %s follows %s", tab.Name, value.Format(d.t[i]), value.Format(d.t[i-1])).WithHelp("sort the rows, and leave none out twice")
		}
	}
	return c.discoverRates(d)
}

// tableTimesOf are the times of a table that is the argument arg.
func (c *Call) tableTimesOf(t *value.Table, arg string) ([]float64, error) {
	v, err := c.tableTimes(t)
	if err == nil {
		return v, nil
	}
	if l := diag.From(err); len(l) == 1 && len(l[0].Labels) > 0 {
		l[0].Labels[0].Span = c.SpanOf(arg)
	}
	return nil, err
}

// givenRates reads derivatives that are columns of a table, or arrays.
func (c *Call) givenRates(tab *value.Table) (used []string, rates map[string][]float64, err error) {
	r, ok := c.Args["derivatives"].(*value.Record)
	if !ok {
		return nil, nil, nil
	}
	rates = map[string][]float64{}
	for i, k := range r.Keys {
		if col, ok := tab.Col(k); !ok || col.Values == nil {
			d := c.Bad("derivatives", "`%s` has no numeric column `%s`, whose derivative this would be", tab.Name, k)
			if s := diag.Suggest(k, tab.Names()); s != "" {
				return nil, nil, d.WithHelp("did you mean `%s`?", s)
			}
			return nil, nil, d.WithHelp("its columns are: %s; write `derivatives = {x: \"dx\"}`, the quantity first", join(tab.Names()))
		}
		switch v := r.Vals[i].(type) {
		case value.Text:
			col, ok := tab.Col(string(v))
			if !ok || col.Values == nil {
				return nil, nil, c.Bad("derivatives", "`%s` has no numeric column `%s`", tab.Name, string(v)).WithHelp("its columns are: %s", join(tab.Names()))
			}
			rates[k] = col.Values
			used = append(used, string(v))
			continue
		case *value.Array:
			if len(v.Shape) == 1 && len(v.Data) == tab.Rows {
				rates[k] = v.Data
				continue
			}
		}
		return nil, nil, c.Bad("derivatives", "the derivative of `%s` must be a column, or one number for each of the %d rows, this is %s", k, tab.Rows, value.Describe(r.Vals[i])).
			WithHelp("write `derivatives = {%s: \"column\"}`", k)
	}
	return used, rates, nil
}

func (c *Call) discoverSolution(s *value.Solution) (value.Value, error) {
	if err := s.NotKept(""); err != nil {
		return nil, diag.New("E0716", c.SpanOf("from"), "%v", err).WithHelp("%s", s.Gone.Help())
	}
	sys := s.Model.C.System
	var inputs []input
	var at []int
	for _, sl := range sys.States {
		names := system.Names([]system.Slot{sl})
		for k, n := range names {
			in := input{n, &ast.Ident{Name: n}}
			if len(names) > 1 || sl.Shape != nil {
				x := &ast.Index{X: &ast.Ident{Name: sl.Name}}
				x.Args = append(x.Args, indexOf(n, sl.Name)...)
				in.expr = x
			}
			inputs = append(inputs, in)
			at = append(at, sl.Off+k)
		}
	}
	all := inputs
	inputs, err := c.overOf(inputs)
	if err != nil {
		return nil, err
	}
	d := &measured{inputs: inputs, t: s.Sol.T}
	if s.Sol.T1 < s.Sol.T0 {
		return nil, c.Bad("from", "this solution runs backwards in time").WithHelp("solve it forwards")
	}
	exact := !c.Has("derivatives") && sys.Mass == nil
	d.exact = exact
	for _, in := range inputs {
		d.units = append(d.units, unitIn(s.Model, in.name))
	}
	if t := s.Model.C.Model.Time; t != nil && t.Unit.Known() {
		d.time = t.Unit.String()
	}
	f := sys.RHS.Clone()
	f.Prepare(s.Theta)
	z := make([]float64, sys.NX)
	d.x = make([][]float64, len(inputs))
	if exact {
		d.rate = make([][]float64, len(inputs))
	}
	for i, t := range s.Sol.T {
		row := s.Sol.Row(i)
		if exact {
			f.Eval(z, t, row, nil)
		}
		for k, in := range inputs {
			j := at[slices.IndexFunc(all, func(a input) bool { return a.name == in.name })]
			d.x[k] = append(d.x[k], row[j])
			if exact {
				d.rate[k] = append(d.rate[k], z[j])
			}
		}
	}
	if r, ok := c.Args["derivatives"].(*value.Record); ok {
		for k, in := range inputs {
			v, _ := r.Get(in.name)
			a, ok := v.(*value.Array)
			if !ok || len(a.Data) != len(d.t) {
				return nil, c.Bad("derivatives", "the derivative of `%s` must be one number for each of the %d output times", in.name, len(d.t))
			}
			d.rate = append(d.rate, a.Data)
			_ = k
		}
	}
	return c.discoverRates(d)
}

// indexOf reads the indices of an element, "u[1,2]" of u.
func indexOf(el, name string) (out []ast.Expr) {
	n := 0
	for _, r := range el[len(name)+1:] {
		if r >= '0' && r <= '9' {
			n = 10*n + int(r-'0')
			continue
		}
		if n > 0 {
			out = append(out, &ast.Number{Value: float64(n)})
		}
		n = 0
	}
	return out
}

// discoverRates looks for equations of derivatives.
func (c *Call) discoverRates(d *measured) (value.Value, error) {
	if c.Has("unknown") {
		return nil, c.Bad("unknown", "data have no unknown function").WithHelp("leave it out: what is wanted here are the derivatives of `over`")
	}
	if want, err := c.Truth("refit", false); err != nil {
		return nil, err
	} else if want {
		return nil, c.Bad("refit", "equations of data are not held against trajectories here").WithHelp("leave `refit` out, and fit what comes out: `fit(found.system, data)`")
	}
	set, err := c.regression()
	if err != nil {
		return nil, err
	}
	if d.exact && !c.Has("accuracy") {
		set.Accuracy = 1e-6
	}
	exprs, err := c.basisOf("basis", d.inputs)
	if err != nil {
		return nil, err
	}
	if len(d.t) < 5 {
		return nil, c.Bad("from", "there are %d samples in which all of `over` are known; equations need five or more", len(d.t))
	}
	for k := range d.x {
		d.start = append(d.start, d.x[k][0])
	}
	how := ""
	weak := false
	x, rate := d.x, d.rate
	if rate == nil {
		var words []string
		for _, row := range discover.Derivatives() {
			words = append(words, row.Name)
		}
		words = append(words, "weak")
		def := "spline"
		if set.Robust { // a spline takes what is corrupt to its neighbours
			def = "differences"
		}
		if how, err = c.WordOf("derivatives", def, words...); err != nil {
			return nil, err
		}
		if weak = how == "weak"; !weak {
			x = nil
			for _, v := range d.x {
				s, r, err := discover.Differentiate(how, d.t, v)
				if err != nil {
					return nil, c.Bad("derivatives", "%v", err)
				}
				x, rate = append(x, s), append(rate, r)
			}
		}
	}
	if e := discover.Ends(how, len(d.t)); e > 0 {
		d = &measured{inputs: d.inputs, t: d.t[e : len(d.t)-e], x: slices.Clone(d.x), from: d.from, start: d.start, units: d.units, time: d.time}
		x, rate = slices.Clone(x), slices.Clone(rate)
		for k := range x {
			x[k], rate[k] = x[k][e:len(x[k])-e], rate[k][e:len(rate[k])-e]
			d.x[k] = d.x[k][e : len(d.x[k])-e]
		}
	}
	n := len(d.t)
	exprs, cols, notes, err := c.terms(exprs, d.inputs, x, n)
	if err != nil {
		return nil, err
	}
	exprs, cols, unfit := c.byUnits(d, exprs, cols)
	if notes = append(notes, unfit...); len(exprs) == 0 {
		return nil, c.Bad("basis", "no term has a meaning with these units").WithHelp("%s", strings.Join(notes, "; "))
	}
	if set.Robust && how == "spline" {
		notes = append(notes, "a smoothing spline bends towards corrupt samples, so that all about them are wrong: `derivatives = differences` keeps each to its five neighbours")
	}
	out := &value.Discovered{Notes: notes, Proved: true}
	c.library(out, exprs)
	for _, in := range d.inputs {
		out.Inputs = append(out.Inputs, in.name)
	}
	wanted := d.wanted()
	for _, k := range wanted {
		out.Outs = append(out.Outs, d.inputs[k].name+"'")
	}
	theta := matrix(cols, n)
	alike(out, theta, n)
	var rs []*discover.Result
	for o, k := range wanted {
		var data *discover.Data
		if weak {
			width := min(max(n/8, 7), 61)
			if data, err = discover.Weak(d.t, d.x[k], theta, len(exprs), min(width, n), max(1, width/6)); err != nil {
				return nil, c.Bad("derivatives", "%v", err)
			}
		} else {
			data = &discover.Data{X: theta, Y: rate[k], N: n, P: len(exprs), Series: true}
		}
		r, err := discover.Regress(c.Ctx, data, set)
		if err != nil {
			return nil, c.discoverError(err, out, o)
		}
		rs = append(rs, r)
		take(out, &r.Model)
		cancelled(out, r, o)
		explained(out, r, data, o)
		out.Proved = out.Proved && r.Proved
		out.Sigma = append(out.Sigma, r.RMS(data))
		out.Noisy = append(out.Noisy, out.Outs[o])
		if r.Inclusion != nil {
			out.Chances = append(out.Chances, r.Inclusion)
		}
		if r.Kept != nil {
			left := 0
			for _, k := range r.Kept {
				if !k {
					left++
				}
			}
			if left > 0 {
				out.Notes = append(out.Notes, fmt.Sprintf("%d of %d samples were left out of %s as corrupt", left, data.N, out.Outs[o]))
			}
		}
	}
	out.Path = pathOf(out, rs)
	if out.Model, out.NoModel = c.modelOfRates(d, out); out.Model == nil {
		out.Notes = append(out.Notes, "there is no `.system`: "+out.NoModel)
	}
	return out, nil
}

// unitIn is the unit of a state of a model, "" where none is known.
func unitIn(m *value.Model, state string) string {
	name, _, _ := strings.Cut(state, "[")
	for _, s := range m.C.Model.States {
		if s.Name == name && s.Unit.Known() {
			return s.Unit.String()
		}
	}
	return ""
}

// byUnits leaves out terms that have no meaning with the units of what they are made of, exp(x) of a length, with notes. The units of
// coefficients are what they must be.
func (c *Call) byUnits(d *measured, exprs []ast.Expr, cols [][]float64) (kept []ast.Expr, keptCols [][]float64, notes []string) {
	if !slices.ContainsFunc(d.units, func(u string) bool { return u != "" && unitTree(u) != nil }) {
		return exprs, cols, nil
	}
	try := func(list ...ast.Expr) error {
		m, sides, why := d.frame()
		if why != "" {
			return nil // there will be no model either, which is told
		}
		var taken []string
		for _, in := range d.inputs {
			taken = append(taken, in.name)
		}
		named := c.coefficientNames(len(list), taken, list)
		var e ast.Expr
		for i, x := range list {
			m.Body = append(m.Body, &ast.Decl{Kind: "param", Items: []*ast.Item{{Name: &ast.Ident{Name: named(i + 1)}, Value: number(1)}}})
			e = withTerm(e, named(i+1), x)
		}
		for _, side := range sides {
			if e == nil {
				e = number(0)
			}
			m.Body = append(m.Body, &ast.Equation{LHS: side, RHS: e})
			e = nil
		}
		_, err := c.compiled(m, "the terms")
		return err
	}
	if try(exprs...) == nil {
		return exprs, cols, nil
	}
	for k, e := range exprs {
		l := diag.From(try(e))
		if len(l) > 0 && strings.HasPrefix(string(l[0].Code), "E03") {
			notes = append(notes, fmt.Sprintf("`%s` is left out for its units: %s", ast.ExprString(e), l[0].Message))
			continue
		}
		kept, keptCols = append(kept, e), append(keptCols, cols[k])
	}
	return kept, keptCols, notes
}

// frame is a model with the states that equations are of, and the left sides of these; else why there is none.
func (d *measured) frame() (m *ast.Model, sides []ast.Expr, why string) {
	m = &ast.Model{Name: &ast.Ident{Name: "Discovered"}, Doc: "equations found in data"}
	state := &ast.Decl{Kind: "state"}
	unit := func(text string) *ast.Unit {
		if text == "" {
			return nil
		}
		return unitTree(text)
	}
	if u := unit(d.time); u != nil {
		m.Body = append(m.Body, &ast.Time{Unit: u})
	}
	for k, in := range d.inputs {
		name := strings.TrimRight(in.name, "'")
		order := len(in.name) - len(name)
		if !plainName.MatchString(name) {
			return nil, nil, fmt.Sprintf("`%s` is no name of a state", in.name)
		}
		if order > 0 && !slices.ContainsFunc(d.inputs, func(o input) bool { return o.name == in.name[:len(in.name)-1] }) {
			return nil, nil, fmt.Sprintf("`%s` is no state without `%s`", in.name, in.name[:len(in.name)-1])
		}
		if math.IsNaN(d.start[k]) {
			return nil, nil, fmt.Sprintf("`%s` has no value to begin with", in.name)
		}
		item := &ast.Item{Name: &ast.Ident{Name: name}, Order: order, Value: number(d.start[k])}
		if order == 0 && k < len(d.units) { // of a derivative it follows
			item.Unit = unit(d.units[k])
		}
		state.Items = append(state.Items, item)
		if slices.Contains(d.wanted(), k) {
			side := ast.Expr(&ast.Ident{Name: name})
			for range order + 1 {
				side = &ast.Prime{X: side}
			}
			sides = append(sides, side)
		}
	}
	m.Body = append(m.Body, state)
	return m, sides, ""
}

var plainName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// modelOfRates is the model that the equations make by themselves; nil, and why, where the names are not those of states.
func (c *Call) modelOfRates(d *measured, out *value.Discovered) (*value.Model, string) {
	m, sides, why := d.frame()
	if why != "" {
		return nil, why
	}
	terms := out.Terms()
	named := c.coefficientNames(len(terms), out.Inputs, terms)
	n := 0
	var eqs []ast.Stmt
	for o, side := range sides {
		var e ast.Expr
		for _, t := range out.Found[o] {
			n++
			name := named(n)
			m.Body = append(m.Body, &ast.Decl{Kind: "param", Items: []*ast.Item{{Name: &ast.Ident{Name: name}, Value: number(t.Coef),
				Doc: fmt.Sprintf("of %s in %s", out.Texts[t.At], out.Outs[o])}}})
			e = withTerm(e, name, out.Library[t.At])
		}
		if e == nil {
			e = number(0)
		}
		eqs = append(eqs, &ast.Equation{LHS: side, RHS: e})
	}
	m.Body = append(m.Body, eqs...)
	k, err := c.compiled(m, "the equations that were found")
	if err != nil { // a column of a name that is taken
		if l := diag.From(err); len(l) > 0 {
			return nil, l[0].Message
		}
		return nil, err.Error()
	}
	k.Kept = true
	return k, ""
}
