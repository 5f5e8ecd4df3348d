package verb

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/value"
)

// What is known of each trajectory, a dose or a weight, often stands in a column beside the measurements, the same in all its rows:
// `set = {dose: "Dose"}`.

// covariates puts numbers in place of the columns that `set` names; of several trajectories `set` becomes a list.
func (c *Call) covariates() error {
	named := func(v value.Value) bool {
		r, ok := v.(*value.Record)
		return ok && slices.ContainsFunc(r.Vals, func(v value.Value) bool { _, text := v.(value.Text); return text })
	}
	v := c.Args["set"]
	l, ok := v.(value.List)
	if !named(v) && !(ok && slices.ContainsFunc(l, named)) {
		return nil
	}
	tables, several, err := c.tables()
	if err != nil {
		return err
	}
	if tables[0] == nil {
		return c.Bad("set", "`set` names a column, and there are no data").WithHelp("give a number")
	}
	list, err := c.each("set", len(tables), several)
	if err != nil {
		return err
	}
	var out value.List
	for k, t := range tables {
		r, _ := v.(*value.Record)
		if list != nil {
			r = list[k]
		}
		x := &value.Record{Span: r.Span}
		for i, key := range r.Keys {
			at := c.SpanOf("set")
			if i < len(r.Span) {
				at = r.Span[i]
			}
			to := r.Vals[i]
			if name, ok := to.(value.Text); ok {
				if to, err = c.covariate(t, string(name), key, at); err != nil {
					return c.inTable(err, t, several)
				}
			}
			x.Keys, x.Vals = append(x.Keys, key), append(x.Vals, to)
		}
		out = append(out, x)
	}
	if c.Args["set"] = out; !several {
		c.Args["set"] = out[0]
	}
	return nil
}

// covariate is the one value of a column.
func (c *Call) covariate(t *value.Table, name, key string, at diag.Span) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	col, err := (&dataset{c: c, model: m, table: t}).column(name, at)
	if err != nil {
		return nil, err
	}
	if err := unitsAgree(m, key, name, col.Unit, at); err != nil {
		return nil, err
	}
	place := func(row int) string {
		if t.Place != nil {
			return t.Place(row, name)
		}
		return t.Name
	}
	first := -1
	for i, x := range col.Values {
		switch {
		case math.IsNaN(x):
		case first < 0:
			first = i
		case x != col.Values[first]:
			return nil, diag.New("E0512", at, "`%s` is to have the one value of the column `%s`, which is %s at first and %s at %s", key, name, value.Format(col.Values[first]), value.Format(x), place(i)).
				WithHelp("what changes in time is an input of the model, `inputs = {%s: hold(\"%s\")}`; several trajectories in one file are taken apart by `csv(…, by = \"id\")`", key, name)
		}
	}
	if first < 0 {
		return nil, diag.New("E0512", at, "`%s` is to have the value of the column `%s`, which is empty", key, name).WithHelp("fill in one row, or give a number")
	}
	return value.Num(col.Values[first]), nil
}
