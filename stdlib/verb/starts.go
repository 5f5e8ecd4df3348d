package verb

import (
	"fmt"
	"slices"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// regularised reads the option `regularise`.
func (c *Call) regularised() ([]train.Regular, error) {
	v, ok := c.Args["regularise"]
	if !ok {
		return nil, nil
	}
	const help = "write `regularise = {U: l2(1e-4), alpha: l1(0.1)}`"
	r, ok := v.(*value.Record)
	if !ok {
		return nil, c.Bad("regularise", "`regularise` must be a record, this is %s", value.Describe(v)).WithHelp(help)
	}
	var out []train.Regular
	for i, key := range r.Keys {
		at := c.SpanOf("regularise")
		if i < len(r.Span) {
			at = r.Span[i]
		}
		list, ok := r.Vals[i].(value.List)
		if !ok {
			list = value.List{r.Vals[i]}
		}
		for _, x := range list {
			s, ok := x.(*value.Spec)
			if !ok || s.Row.Kind != sig.Regulariser {
				return nil, diag.New("E0704", at, "the price on `%s` must be a regulariser, this is %s", key, value.Describe(x)).WithHelp(help)
			}
			one := train.Regular{Name: key, Kind: s.Row.Name, Values: map[string]float64{}}
			for k, v := range s.Args {
				a, ok := v.(*value.Array)
				if !ok || !a.Shape.IsScalar() {
					return nil, diag.New("E0704", s.Span, "the option `%s` of `%s` must be a number, this is %s", k, s.Row.Name, value.Describe(v))
				}
				one.Values[k] = a.Data[0]
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// priced reads the options `regularise` and `patience`.
func (c *Call) priced(spec *train.Spec) (err error) {
	if spec.Regularise, err = c.regularised(); err != nil {
		return err
	}
	if spec.Patience, err = c.Int("patience", 0); err != nil {
		return err
	}
	switch {
	case c.Has("patience") && spec.Patience < 1:
		return c.Bad("patience", "`patience` must be a whole number from 1, this is %d", spec.Patience).WithHelp("leave it out to train to the end")
	case c.Has("patience") && !c.Has("holdout"):
		return c.Bad("patience", "`patience` looks at data that are held out, and none are").WithHelp("add `holdout = 0.3`, or a range of times")
	}
	return nil
}

// starts reads the options of a fit from several starts.
func (c *Call) starts(m *value.Model, spec *train.Spec) (err error) {
	if spec.Starts, err = c.Int("starts", 1); err != nil {
		return err
	}
	if spec.Threads, err = c.Int("threads", 0); err != nil {
		return err
	}
	switch {
	case spec.Starts < 1 || spec.Starts > 1e6:
		return c.Bad("starts", "`starts` must be a whole number from 1, this is %d", spec.Starts).WithHelp("`starts = 8` tries the given start and seven more")
	case c.Has("threads") && spec.Threads < 1:
		return c.Bad("threads", "`threads` must be a whole number from 1, this is %d", spec.Threads).WithHelp("leave it out for all there are")
	case spec.Starts > 1:
		spec.Draw, spec.Drawn, err = c.priors(m, spec)
	}
	return err
}

// priors draw the parameters that are free and have a distribution, and say from what; nil where there are none.
func (c *Call) priors(m *value.Model, spec *train.Spec) (draw func(th []float64, k int), from string, err error) {
	type drawn struct {
		name string
		off  int
		n    int
		from *value.Spec
		dims types.Shape
	}
	var all []drawn
	for _, p := range m.C.Model.Params {
		slot := spec.Sys.Find(p.Name, system.RoleParam)
		if p.Prior == nil || slot == nil {
			continue
		}
		if spec.Free != nil && !slices.ContainsFunc(spec.Free, func(f train.Free) bool { return slices.Contains(f.Index, slot.Off) }) {
			continue
		}
		row, ok := c.Table.Lookup(p.Prior.Name, sig.Distribution)
		if !ok {
			continue
		}
		s := &value.Spec{Row: row, Span: p.Prior.Span, Args: map[string]value.Value{}}
		for i, e := range p.Prior.Args {
			v, ok := c.constantOf(e, spec.Sys, spec.Theta)
			if !ok {
				return nil, "", diag.New("E0714", e.Span, "a start for `%s` cannot be drawn: `%s` of its distribution is no plain number", p.Name, row.Params[i].Name).
					WithHelp("write a number, or give bounds, `param %s = … in lo..hi`", p.Name)
			}
			s.Args[row.Params[i].Name] = v
			from += fmt.Sprint(" ", v.Shape, v.Data)
		}
		from += fmt.Sprintf(" %s ~ %s;", p.Name, row.Name)
		if _, err := c.sampler(s, slot.Shape); err != nil {
			return nil, "", err
		}
		all = append(all, drawn{p.Name, slot.Off, slot.Size(), s, slot.Shape})
	}
	if all == nil {
		return nil, "", nil
	}
	seed := spec.Seed
	return func(th []float64, k int) {
		for _, d := range all {
			if draw, err := c.sampler(d.from, d.dims); err == nil { // it was checked
				draw(newStream(seed, "start "+d.name).at(k), th[d.off:d.off+d.n])
			}
		}
	}, from, nil
}

// constantOf is the value of an expression of numbers, and of parameters and constants as they stand in θ.
func (c *Call) constantOf(e *model.Expr, sys *system.System, th []float64) (*value.Array, bool) {
	switch e.Op {
	case model.Num:
		return &value.Array{Shape: e.Shape, Data: e.Val}, true
	case model.Ref:
		s := sys.Find(e.Sym.Name, system.RoleParam, system.RoleConst)
		if s == nil || len(th) < s.Off+s.Size() {
			return nil, false
		}
		return &value.Array{Shape: s.Shape, Data: slices.Clone(th[s.Off : s.Off+s.Size()])}, true
	case model.Call:
		row, ok := c.Table.Row(e.Name, sig.Function)
		if !ok {
			return nil, false
		}
		var shapes []types.Shape
		var data [][]float64
		for _, a := range e.Args {
			v, ok := c.constantOf(a, sys, th)
			if !ok {
				return nil, false
			}
			shapes, data = append(shapes, v.Shape), append(data, v.Data)
		}
		shape, out, err := row.Apply(shapes, data)
		return &value.Array{Shape: shape, Data: out}, err == nil
	}
	return nil, false
}
