package verb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/data"
	"github.com/udl-lang/udl/stdlib/value"
)

func (c *Call) open(name string) (io.ReadCloser, error) {
	full := c.Path(name)
	if c.FS != nil {
		return c.FS.Open(path.Clean(full))
	}
	return os.Open(full)
}

// cannotRead is the error of a file that cannot be opened.
func (c *Call) cannotRead(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return diag.New("E0600", c.SpanOf("file"), "cannot read `%s`: %v", name, err).
		WithHelp("paths are relative to the file they stand in, at the prompt to the working directory").Because(err)
}

// file opens the file that the argument of this name says.
func (c *Call) file() (name string, f io.ReadCloser, err error) {
	if name, err = c.TextOf("file", ""); err != nil {
		return name, nil, err
	}
	if f, err = c.open(name); err != nil {
		return name, nil, c.cannotRead(name, err)
	}
	return name, f, nil
}

// existsVerb says whether a file can be read.
func existsVerb(c *Call) (value.Value, error) {
	name, err := c.TextOf("file", "")
	if err != nil {
		return nil, err
	}
	f, err := c.open(name)
	if err != nil {
		return value.Bool(false), nil
	}
	f.Close()
	return value.Bool(true), nil
}

func csvVerb(c *Call) (value.Value, error) {
	name, f, err := c.file()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var opt data.Options
	if d, err := c.TextOf("delimiter", ""); err != nil {
		return nil, err
	} else if len(d) == 1 {
		opt.Delimiter = d[0]
	} else if d != "" {
		return nil, c.Bad("delimiter", "`delimiter` is one character")
	}
	if v, ok := c.Args["units"].(value.Bool); ok {
		opt.Units = data.UnitsNo
		if v {
			opt.Units = data.UnitsYes
		}
	}
	if c.Has("text") {
		if opt.Text, err = columnNames(c.Args["text"]); err != nil {
			return nil, c.Bad("text", "`text` names columns, it is %s", value.Describe(c.Args["text"])).WithHelp("write `text = \"subject\"`, or a list of names")
		}
	}
	if d, err := c.TextOf("decimal", "."); err != nil {
		return nil, err
	} else if d != "." && d != "," {
		return nil, c.Bad("decimal", "`decimal` is \".\" or \",\", this is %q", d)
	}
	if d, _ := c.TextOf("decimal", "."); d == "," {
		opt.Decimal = ','
	}
	if opt.Decimal == ',' && opt.Delimiter == ',' {
		return nil, c.Bad("decimal", "a comma cannot both stand between cells and for the decimal point").WithHelp("leave `delimiter` out, or take another")
	}
	opt.MaxBytes = c.Limits.Memory
	t, err := data.ReadCSV(f, name, opt)
	if err != nil {
		return nil, err
	}
	for _, col := range opt.Text {
		if _, err := t.Column(col); err != nil {
			return nil, c.withHere(err, "text")
		}
	}
	out := &value.Table{Name: name, Rows: t.Rows, Place: t.Place}
	for i := range t.Columns {
		col := &t.Columns[i]
		out.Cols = append(out.Cols, value.Column{Name: col.Name, Unit: col.Unit, Values: col.Values, Text: col.Text})
	}
	out.Numbers = func(col string) error { _, err := t.Numbers(col); return err }
	if c.Has("time") {
		w, err := c.TextOf("time", "")
		if err != nil {
			return nil, err
		}
		if _, err := t.Column(w); err != nil {
			return nil, c.withHere(err, "time")
		}
		if _, err := t.Numbers(w); err != nil {
			return nil, err
		}
		out.Time = w
	}
	if !c.Has("by") {
		return out, nil
	}
	by, err := c.TextOf("by", "")
	if err != nil {
		return nil, err
	}
	if _, err := t.Column(by); err != nil {
		return nil, c.withHere(err, "by")
	}
	parts, missing := out.By(by)
	if missing >= 0 {
		return nil, diag.New("E0512", t.Span(missing, by), "the cell is empty, so it is not known to which trajectory the row belongs").And(c.SpanOf("by"), "asked for here").
			WithHelp("fill it in, or delete the row")
	}
	var list value.List
	for _, p := range parts {
		list = append(list, p)
	}
	return list, nil
}

// withHere adds the place in the script to an error about a file.
func (c *Call) withHere(err error, arg string) error {
	if l := diag.From(err); len(l) == 1 {
		return l[0].And(c.SpanOf(arg), "asked for here")
	}
	return err
}

// tableTimes are the times of a table.
func (c *Call) tableTimes(t *value.Table) ([]float64, error) {
	name := t.Time
	if name == "" {
		for _, guess := range []string{"t", "time"} {
			if _, ok := t.Col(guess); ok {
				name = guess
			}
		}
	}
	if name == "" {
		return nil, c.noTime(t)
	}
	t.Time = name
	col, ok := t.Col(name)
	if !ok || col.Values == nil {
		return nil, c.Bad("data", "the column `%s` holds no numbers", name)
	}
	if len(col.Values) < 2 && (t.Start == nil || len(col.Values) == 0 || t.Start.T == col.Values[0]) {
		rows := "no row"
		if len(col.Values) == 1 {
			rows = "one row"
		}
		return nil, diag.New("E0512", c.SpanOf("data"), "`%s` has %s; a fit needs two or more", t.Name, rows)
	}
	return col.Values, nil
}

// noTime is the error of a table whose times are not known.
func (c *Call) noTime(t *value.Table) error {
	d := c.Bad("data", "it is not known which column of `%s` is the time", t.Name)
	like := "…"
	for _, n := range t.Names() {
		if w := strings.ToLower(n); w == "t" || strings.HasPrefix(w, "time") || w == "day" || w == "days" || w == "hours" || w == "year" {
			like = n
		}
	}
	if t.Record {
		if like == "…" {
			return d.WithHelp("call it `t` or `time`, `{t: [0, 1, 2], x: [1.5, 1.2, 1.1]}`")
		}
		return d.WithHelp("call `%s` `t` or `time`", like)
	}
	return d.WithHelp("write `csv(\"%s\", time = \"%s\")`", t.Name, like)
}

// dataset is a table matched to a model.
type dataset struct {
	c     *Call
	model *value.Model
	sys   *system.System
	table *value.Table
	times []float64
	data  *train.Data
	spec  train.LossSpec
	match map[string]string // scalar quantity → column
	cols  []string          // matched quantities in order
}

// table reads a table, or a record of columns, `{t: [0, 1], x: [2, 3]}`, which serves as one; nil where the argument is neither.
func (c *Call) table(name string) (*value.Table, error) { return c.tableFrom(name, c.Args[name]) }

func (c *Call) tableFrom(name string, v value.Value) (*value.Table, error) {
	r, ok := v.(*value.Record)
	if !ok {
		t, _ := v.(*value.Table)
		return t, nil
	}
	t := &value.Table{Name: name, Record: true}
	t.Place = func(row int, col string) string { return fmt.Sprintf("element %d of %s", row+1, col) }
	for i, key := range r.Keys {
		a, ok := r.Vals[i].(*value.Array)
		if ok && len(a.Shape) > 1 && a.Shape[0] > 0 { // a row for each time: a column for each element, "u[1]", "u[2]"
			if err := c.wide(t, i, key, r.Keys[0], a); err != nil {
				return nil, err
			}
			continue
		}
		if !ok || len(a.Shape) != 1 {
			return nil, c.Bad(name, "a record that serves as a table holds vectors, `%s` is %s", key, value.Describe(r.Vals[i])).WithHelp("write `{t: [0, 1, 2], x: [1.5, 1.2, 1.1]}`")
		}
		if i > 0 && len(a.Data) != t.Rows {
			return nil, c.Bad(name, "`%s` has %d elements, `%s` has %d", key, len(a.Data), r.Keys[0], t.Rows).WithHelp("the columns of a table have one length")
		}
		for k, v := range a.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, diag.New("E0606", c.SpanOf(name), "%s is %v", t.Place(k, key), v).WithHelp("leave out what was not measured, or read a table with empty cells by `csv`")
			}
		}
		t.Rows = len(a.Data)
		t.Cols = append(t.Cols, value.Column{Name: key, Values: a.Data})
	}
	return t, nil
}

// wide puts an array of rows into a table of records: a column for each element of a row, by the names that a solution's table has.
func (c *Call) wide(t *value.Table, i int, key, first string, a *value.Array) error {
	rows := a.Shape[0]
	if i > 0 && rows != t.Rows {
		return c.Bad("data", "`%s` has %d rows, `%s` has %d elements", key, rows, first, t.Rows).WithHelp("the first index of `%s` is that of the time", key)
	}
	t.Rows = rows
	names := system.Names([]system.Slot{{Name: key, Shape: a.Shape[1:]}})
	for j, n := range names {
		col := value.Column{Name: n, Values: make([]float64, rows)}
		for k := range rows {
			v := a.Data[k*len(names)+j]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return diag.New("E0606", c.SpanOf("data"), "%s is %v", t.Place(k, n), v).WithHelp("leave out what was not measured, or read a table with empty cells by `csv`")
			}
			col.Values[k] = v
		}
		t.Cols = append(t.Cols, col)
	}
	return nil
}

// datasetOf matches a table, nil where none was given.
func (c *Call) datasetOf(m *value.Model, t *value.Table) (*dataset, error) {
	var err error
	if t == nil {
		if !c.Has("data") {
			return nil, diag.New("E0706", c.Span, "`%s` needs data, or a loss that is a function of the solution", c.Verb.Name).
				WithHelp("`%s(%s, data, match = {…})`, or `%s(%s, t = 0..10 by 0.1, loss = s -> …)`", c.Verb.Name, m.Name(), c.Verb.Name, m.Name())
		}
		bad := c.Bad("data", "data must be a table, this is %s", value.Describe(c.Args["data"]))
		return nil, bad.WithHelp("read one by `csv(\"file.csv\", time = \"…\")`")
	}
	if c.Has("t") {
		return nil, c.Bad("t", "the times are those of the data").
			WithHelp("leave `t` out; to start before the first datum, add a row with that time and empty cells to the data")
	}
	d := &dataset{c: c, model: m, sys: m.C.System, table: t, match: map[string]string{}}
	if d.times, err = c.tableTimes(t); err != nil {
		return nil, err
	}
	if tc, ok := t.Col(t.Time); ok {
		if err := d.units("t", t.Time, tc.Unit, c.SpanOf("data")); err != nil {
			return nil, err
		}
	}
	d.data = &train.Data{Times: d.times}
	if t.Place != nil {
		d.data.TimePlace = func(row int) string { return t.Place(row, t.Time) }
	}
	if err := d.readMatch(m); err != nil {
		return nil, err
	}
	return d, d.readLoss()
}

// readMatch fills match; without the option, columns of the names of states and lets are matched.
func (d *dataset) readMatch(m *value.Model) error {
	c := d.c
	names := append(d.sys.StateNames(), system.Names(d.sys.Outs)...)
	latent := map[string]bool{}
	for i, s := range d.sys.States {
		if d.sys.Latent[i] {
			for _, n := range system.Names([]system.Slot{s}) {
				latent[n] = true
			}
		}
	}
	v, ok := c.Args["match"]
	if !ok {
		for _, n := range names {
			if col, ok := d.table.Col(n); ok && col.Values != nil && n != d.table.Time && !latent[n] {
				if err := d.add(n, n, c.SpanOf("data")); err != nil {
					return err
				}
			}
		}
		if len(d.cols) == 0 {
			return diag.New("E0706", c.Span, "no column of `%s` bears the name of a state or let of %s", d.table.Name, m.Name()).
				WithHelp("say what is what, `match = {%s: \"column\"}`", names[0])
		}
		return nil
	}
	r, ok := v.(*value.Record)
	if !ok {
		return c.Bad("match", "`match` must be a record, this is %s", value.Describe(v)).WithHelp("write `match = {x: \"column\"}`")
	}
	for i, key := range r.Keys {
		at := c.SpanOf("match")
		if i < len(r.Span) {
			at = r.Span[i]
		}
		comps, cols, err := d.pairs(key, r.Vals[i], at)
		if err != nil {
			return err
		}
		for k, q := range comps {
			if latent[q] {
				return diag.New("E0704", at, "`%s` is latent, so it is never matched to data", q).WithHelp("declare it by `state` if it was measured")
			}
			if err := d.add(q, cols[k], at); err != nil {
				return err
			}
		}
	}
	return nil
}

// pairs are the scalars that a key names, with the column of each.
func (d *dataset) pairs(key string, v value.Value, at diag.Span) (comps, cols []string, err error) {
	names := append(d.sys.StateNames(), system.Names(d.sys.Outs)...)
	var slot *system.Slot
	for _, list := range [][]system.Slot{d.sys.States, d.sys.Outs} {
		for k := range list {
			if list[k].Name == key {
				slot = &list[k]
			}
		}
	}
	if slot != nil {
		comps = system.Names([]system.Slot{*slot})
	} else if slices.Contains(names, key) { // an element, "u[1]", from Go
		comps = []string{key}
	} else {
		e := diag.New("E0704", at, "`%s` is no state or let of %s", key, d.model.Name())
		if s := diag.Suggest(key, names); s != "" {
			return nil, nil, e.WithHelp("did you mean `%s`?", s)
		}
		return nil, nil, e.WithHelp("matched may be: %s", join(names))
	}
	cols, err = columnNames(v)
	if err == nil && len(cols) == 1 && len(comps) > 1 { // "u" for "u[1]", "u[2]", as in a table of a solution
		_, whole := d.table.Col(cols[0])
		_, element := d.table.Col(cols[0] + strings.TrimPrefix(comps[0], key))
		if !whole && element {
			name := cols[0]
			cols = nil
			for _, q := range comps {
				cols = append(cols, name+strings.TrimPrefix(q, key))
			}
		}
	}
	if err != nil || len(cols) != len(comps) {
		return nil, nil, diag.New("E0704", at, "`%s` needs %d column names, this is %s", key, len(comps), value.Describe(v)).
			WithHelp("%s", matchHelp(key, len(comps)))
	}
	return comps, cols, nil
}

// matchHelp shows how a quantity is matched.
func matchHelp(key string, n int) string {
	if n == 1 {
		return "write `match = {" + key + ": \"column\"}`"
	}
	return "write `match = {" + key + ": [\"first\", \"second\", …]}`, a column for each element"
}

func columnNames(v value.Value) ([]string, error) {
	switch v := v.(type) {
	case value.Text:
		return []string{string(v)}, nil
	case value.List:
		var out []string
		for _, x := range v {
			t, ok := x.(value.Text)
			if !ok {
				return nil, errors.New("not a text")
			}
			out = append(out, string(t))
		}
		return out, nil
	}
	return nil, errors.New("not a text")
}

// column finds a column of numbers.
func (d *dataset) column(column string, at diag.Span) (*value.Column, error) {
	col, ok := d.table.Col(column)
	if !ok {
		e := diag.New("E0608", at, "`%s` has no column `%s`", d.table.Name, column)
		if s := diag.Suggest(column, d.table.Names()); s != "" {
			return nil, e.WithHelp("did you mean `%s`?", s)
		}
		return nil, e.WithHelp("its columns are: %s", join(d.table.Names()))
	}
	if col.Values == nil {
		if d.table.Numbers != nil {
			if err := d.table.Numbers(column); err != nil {
				return nil, err
			}
		}
		return nil, diag.New("E0609", at, "the column `%s` holds texts, not numbers", column)
	}
	return col, nil
}

func (d *dataset) add(q, column string, at diag.Span) error {
	col, err := d.column(column, at)
	if err != nil {
		return err
	}
	of, ok := train.Observe(d.sys, q)
	if !ok {
		return diag.New("E0704", at, "`%s` cannot be compared with data", q)
	}
	if err := d.units(q, column, col.Unit, at); err != nil {
		return err
	}
	tc := train.Column{Name: column, Values: col.Values, Of: of}
	if d.table.Place != nil {
		tc.Place = func(row int) string { return d.table.Place(row, column) }
	}
	d.data.Columns = append(d.data.Columns, tc)
	d.match[q] = column
	d.cols = append(d.cols, q)
	return nil
}

// units checks a column's unit, where the table has a row of them, against the quantity's: nothing is
// converted silently.
func (d *dataset) units(q, column, text string, at diag.Span) error {
	return unitsAgree(d.model, q, column, text, at)
}

func unitsAgree(m *value.Model, q, column, text string, at diag.Span) error {
	if text == "" || text == "-" {
		return nil
	}
	name, _, _ := strings.Cut(q, "[")
	var have types.Unit
	for _, list := range [][]*model.Symbol{m.C.Model.States, m.C.Model.Lets, m.C.Model.Params, m.C.Model.Consts} {
		for _, s := range list {
			if s.Name == name {
				have = s.Unit
			}
		}
	}
	if q == "t" && m.C.Model.Time != nil {
		have = m.C.Model.Time.Unit
	}
	u, ok := unitOf(text)
	if !ok || !have.Known() || u.Equal(have) {
		return nil
	}
	e := diag.New("E0301", at, "the column `%s` is in %s, but `%s` is in %s", column, u.Words(), q, have.Words()).At("%s against %s", u.Words(), have.Words())
	if f, same := u.Ratio(have); same {
		return e.WithHelp("1 %s is %s %s: convert the column, or declare `%s` in %s", u.String(), value.Format(f), have.String(), q, u.String())
	}
	return e.WithHelp("match another column, or mend the row of units")
}

// unitTree reads a unit as a model would, nil where it is none.
func unitTree(text string) *ast.Unit {
	f, errs := parser.Parse(diag.NewSource("unit", "model M {\n  param k : "+text+" = 1\n}"))
	if errs.HasErrors() || len(f.Stmts) != 1 {
		return nil
	}
	m, ok := f.Stmts[0].(*ast.Model)
	if !ok || len(m.Body) != 1 {
		return nil
	}
	decl, ok := m.Body[0].(*ast.Decl)
	if !ok || len(decl.Items) != 1 {
		return nil
	}
	return decl.Items[0].Unit
}

// unitOf is the unit that a text means.
func unitOf(text string) (types.Unit, bool) {
	if text == "1" {
		return types.One, true
	}
	u := unitTree(text)
	if u == nil {
		return types.Unit{}, false
	}
	var fs []types.Factor
	for _, x := range u.Factors {
		fs = append(fs, types.Factor{Name: x.Name, Pow: types.R(x.Num, x.Den)})
	}
	return types.NewUnit(fs...), true
}

// dataLoss makes the loss over the data of a trajectory, without a fit.
func (c *Call) dataLoss(tr *train.Trajectory, spec train.LossSpec) (*train.DataLoss, error) {
	if l, ok := lossOf(spec.Kind); ok && l.Scaled {
		for i := range tr.Data.Columns {
			if col := &tr.Data.Columns[i]; col.SD == 0 && col.SDs == nil {
				return nil, c.Bad("loss", "`sd` of the column `%s` is not said, and only `fit` estimates it", col.Name).WithHelp("write `%s(sd = 0.1)`", spec.Kind)
			}
		}
	}
	l, err := train.NewDataLoss(tr.Sys, tr.Data, spec)
	if err != nil {
		return nil, c.dataError(err)
	}
	return l, nil
}

// dataError gives a fault in data its code and place.
func (c *Call) dataError(err error) error {
	var de *train.DataError
	if !errors.As(err, &de) {
		return err
	}
	d := diag.New("E0512", c.SpanOf("data"), "%v", err)
	if t, ok := c.Args["data"].(*value.Table); ok {
		if by := t.Parts(); by != "" {
			return d.WithHelp("where the file holds a trajectory for each `%s`, read it by `csv(%q, time = %q, by = %q)`", by, t.Name, t.Time, by)
		}
	}
	if de.Help != "" {
		d.WithHelp("%s", de.Help)
	}
	return d
}
