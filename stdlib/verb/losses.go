package verb

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// OfLosses is the type of parameters in which names of likelihoods come first; in the others names are those of columns, in quotes.
const (
	OfLosses     = "loss"
	OfColumns    = "record of names of columns"
	OfWeights    = "record of numbers or names of columns"
	OfDeviations = "number, record, or name of a column"
)

// lossRows are the words after loss = for data, as the checker and help see them. They are those of the table of package train.
func lossRows() []sig.Builtin {
	var out []sig.Builtin
	for _, l := range train.Losses() {
		b := sig.Builtin{Name: l.Name, Kind: sig.Loss, Result: "loss", Doc: l.Doc + ".", Cite: l.Cite, Example: l.Name + "(scale = log)"}
		if l.Likelihood {
			b.Kind, b.Example = sig.Likelihood, l.Name
			if l.Scaled {
				b.Example += "(sd = 0.1)"
				b.Params = append(b.Params, arg("sd", OfDeviations, "none",
					"how large the errors are: a number, the name of a column, or a record of these for the matched quantities. What is left out is estimated, one for each quantity"))
			}
		} else {
			b.Params = append(b.Params, arg("scale", "word: linear, log", "linear", "compare values or their natural logarithms"))
		}
		switch l.Name {
		case "huber":
			b.Params = append(b.Params, arg("delta", "number", "1", "where squares turn into absolute values"))
		case "student_t":
			b.Params = append(b.Params, arg("df", "number", "4", "degrees of freedom: the fewer, the less outliers count. `sd` is then the scale of the distribution"))
		}
		b.Params = append(b.Params, arg("weights", OfWeights, "none", "a factor for each matched quantity, or the name of a column with one for each datum"))
		out = append(out, b)
	}
	return out
}

func lossOf(name string) (train.Penalty, bool) {
	all := train.Losses()
	if i := slices.IndexFunc(all, func(l train.Penalty) bool { return l.Name == name }); i >= 0 {
		return all[i], true
	}
	return train.Penalty{}, false
}

// readLoss reads the option `loss` for data.
func (d *dataset) readLoss() error {
	c := d.c
	v, ok := c.Args["loss"]
	if !ok {
		d.spec = train.LossSpec{Kind: "sse"}
		return nil
	}
	s, ok := v.(*value.Spec)
	if !ok || s.Row.Kind != sig.Loss && s.Row.Kind != sig.Likelihood {
		names := ""
		for _, l := range train.Losses() {
			names += l.Name + ", "
		}
		return c.Bad("loss", "`loss` must be %sor a function of the solution, this is %s", names, value.Describe(v)).
			WithHelp("%s", c.unquoted("loss", v, "for example `loss = huber(delta = 2)`, or `loss = s -> sum((s.x - 1)^2)`", sig.Loss, sig.Likelihood))
	}
	d.spec = train.LossSpec{Kind: s.Row.Name}
	for _, o := range []struct {
		name string
		to   *float64
	}{{"delta", &d.spec.Delta}, {"df", &d.spec.DF}} {
		v, ok := s.Args[o.name]
		if !ok {
			continue
		}
		if *o.to, ok = positive(v); !ok {
			return c.Bad("loss", "`%s` must be a positive number, this is %s", o.name, value.Describe(v))
		}
	}
	switch w := s.Args["scale"].(type) {
	case nil:
	case value.Word:
		switch w {
		case "log":
			d.spec.Log = true
		case "linear":
		default:
			return c.Bad("loss", "`scale` is linear or log, not `%s`", w)
		}
	default:
		return c.Bad("loss", "`scale` is linear or log, not %s", value.Describe(w))
	}
	if err := d.readDeviations(s.Args["sd"]); err != nil {
		return err
	}
	return d.readWeights(s.Args["weights"])
}

func positive(v value.Value) (float64, bool) {
	a, ok := v.(*value.Array)
	if !ok || !a.Shape.IsScalar() || !(a.Data[0] > 0) || math.IsInf(a.Data[0], 0) {
		return 0, false
	}
	return a.Data[0], true
}

// readDeviations reads the option `sd` of a likelihood: a number, a column, or a record of these.
func (d *dataset) readDeviations(v value.Value) error {
	c := d.c
	help := "write `sd = 0.1`, `sd = {x: 0.1}`, or `sd = {x: \"column\"}`; what is left out is estimated"
	one := func(at int, v value.Value) error {
		col := &d.data.Columns[at]
		if x, ok := positive(v); ok {
			col.SD = x
			return nil
		}
		if w, ok := v.(value.Text); ok {
			from, err := d.column(string(w), c.SpanOf("loss"))
			if err != nil {
				return err
			}
			col.SDs = from.Values
			return nil
		}
		return c.Bad("loss", "`sd` must be a positive number, or the name of a column, this is %s", value.Describe(v)).WithHelp("%s", help)
	}
	switch v := v.(type) {
	case nil:
	case *value.Record:
		for i, k := range v.Keys {
			at := slices.Index(d.cols, k)
			if at < 0 {
				e := c.Bad("loss", "`%s` has a standard deviation but is not matched to data", k)
				if s := diag.Suggest(k, d.cols); s != "" {
					return e.WithHelp("did you mean `%s`?", s)
				}
				return e.WithHelp("matched are: %s", join(d.cols))
			}
			if err := one(at, v.Vals[i]); err != nil {
				return err
			}
		}
	default:
		for at := range d.data.Columns {
			if err := one(at, v); err != nil {
				return err
			}
		}
		if x, ok := positive(v); ok { // so that the report says it
			d.spec.SD = x
		}
	}
	return nil
}

// readWeights reads the option `weights`.
func (d *dataset) readWeights(w value.Value) error {
	if w == nil {
		return nil
	}
	c := d.c
	r, ok := w.(*value.Record)
	if !ok {
		one := "x"
		if len(d.cols) > 0 {
			one = d.cols[0]
		}
		if t, ok := w.(value.Text); ok {
			return c.Bad("loss", "`weights` must be a record, this is %s", value.Describe(w)).WithHelp("say of which quantity, `weights = {%s: %q}`", one, string(t))
		}
		return c.Bad("loss", "`weights` must be a record, this is %s", value.Describe(w)).WithHelp("write `weights = {%s: 2}`, or `{%s: \"column\"}` for a weight for each datum", one, one)
	}
	for i, k := range r.Keys {
		at := slices.Index(d.cols, k)
		found := at >= 0
		switch w := r.Vals[i].(type) {
		case *value.Array:
			if _, ok := positive(w); !ok {
				if len(w.Data) == 1 {
					return c.Bad("loss", "the weight of `%s` must be a positive number, this is %s", k, value.Describe(w)).
						WithHelp("with `weights = {%s: 2}` its squares count twice; to leave a quantity out do not match it", k)
				}
				return c.Bad("loss", "the weight of `%s` must be a positive number, or the name of a column, this is %s", k, value.Describe(w)).
					WithHelp("for a weight for each datum put them into a column of the data, and write `weights = {%s: \"column\"}`", k)
			}
			if found {
				d.data.Columns[at].Weight = w.Data[0]
			}
		case value.Text: // a column with a weight for each datum
			col, err := d.column(string(w), c.SpanOf("loss"))
			if err != nil {
				return err
			}
			if found {
				d.data.Columns[at].Weights = col.Values
			}
		default:
			return c.Bad("loss", "the weight of `%s` must be a positive number, or the name of a column, this is %s", k, value.Describe(w))
		}
		if !found {
			return c.Bad("loss", "`%s` has a weight but is not matched to data", k)
		}
	}
	return nil
}
