package verb

import (
	"errors"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// Types of parameters in which names of schedules and of regularisers come first.
const (
	OfRates        = "number or schedule"
	OfRegularisers = "record of regularisers"
)

// optimiserRows are the optimisers, schedules and regularisers of package train as the checker and help see them.
func optimiserRows() []sig.Builtin {
	var out []sig.Builtin
	for _, o := range train.Optimisers() {
		b := sig.Builtin{Name: o.Name, Kind: sig.Optimiser, Result: "optimiser", Doc: o.Doc, Cite: o.Cite, Example: "train = " + o.Name + "(iters = 100)"}
		for _, p := range o.Options {
			q := arg(p.Name, "number", p.Default, p.Doc)
			if p.Name == "rate" {
				q.Type = OfRates
			}
			b.Params = append(b.Params, q)
		}
		out = append(out, b)
	}
	for _, s := range train.Schedules() {
		b := sig.Builtin{Name: s.Name, Kind: sig.Schedule, Result: "schedule", Doc: s.Doc, Cite: s.Cite, Example: "train = adam(rate = " + s.Name + "(0.05), iters = 100)"}
		for i, p := range s.Options {
			q := pos(p.Name, "number", p.Default, p.Doc)
			if i == 0 && s.Of {
				q.Type = OfRates
			}
			b.Params = append(b.Params, q)
		}
		out = append(out, b)
	}
	for _, r := range train.Regularisers() {
		b := sig.Builtin{Name: r.Name, Kind: sig.Regulariser, Result: "regulariser", Doc: r.Doc, Cite: r.Cite, Example: "regularise = {k: " + r.Name + "(0.01)}"}
		for _, p := range r.Options {
			b.Params = append(b.Params, pos(p.Name, "number", p.Default, p.Doc))
		}
		out = append(out, b)
	}
	return out
}

// stages reads the chain of optimisers.
func (c *Call) stages() ([]train.Stage, error) {
	return c.stagesOf("train", c.Args["train"])
}

func (c *Call) stagesOf(arg string, v value.Value) ([]train.Stage, error) {
	chain, err := c.chain(arg, "train", v, sig.Optimiser, "an optimiser", "adam(rate = 0.02, iters = 500) then lbfgs")
	if err != nil {
		return nil, err
	}
	var out []train.Stage
	for _, s := range chain {
		vals := map[string]float64{}
		var schedule *train.Schedule
		for k, v := range s.Args {
			switch v := v.(type) {
			case *value.Array:
				if v.Shape.IsScalar() {
					vals[k] = v.Data[0]
					continue
				}
			case value.Bool:
				vals[k] = 0
				if v {
					vals[k] = 1
				}
				continue
			case *value.Spec:
				if k == "rate" && v.Row.Kind == sig.Schedule {
					sched, err := c.schedule(v)
					if err != nil {
						return nil, err
					}
					schedule = sched
					continue
				}
			}
			return nil, diag.New("E0704", s.Span, "the option `%s` of `%s` must be a number, this is %s", k, s.Row.Name, value.Describe(v))
		}
		st, err := train.NewStage(s.Row.Name, vals)
		if err != nil {
			return nil, optionError(err, s.Span)
		}
		if schedule != nil {
			st.Rate = schedule.Rates(st.Iters())
		}
		out = append(out, st)
	}
	return out, nil
}

// schedule reads a schedule of learning rates.
func (c *Call) schedule(s *value.Spec) (*train.Schedule, error) {
	vals := map[string]float64{}
	var inner *train.Schedule
	for k, v := range s.Args {
		switch v := v.(type) {
		case *value.Array:
			if v.Shape.IsScalar() {
				vals[k] = v.Data[0]
				continue
			}
		case *value.Spec:
			if k == "rate" && v.Row.Kind == sig.Schedule {
				var err error
				if inner, err = c.schedule(v); err != nil {
					return nil, err
				}
				continue
			}
		}
		return nil, diag.New("E0704", s.Span, "the option `%s` of `%s` must be a number, this is %s", k, s.Row.Name, value.Describe(v))
	}
	out, err := train.NewSchedule(s.Row.Name, vals, inner)
	if err != nil {
		return nil, optionError(err, s.Span)
	}
	return out, nil
}

// optionError is an option that does not fit.
func optionError(err error, at diag.Span) error {
	var oe *train.OptionError
	d := diag.New("E0704", at, "%v", err)
	if errors.As(err, &oe) && len(oe.Known) > 0 {
		d.WithHelp("there are: %s", join(oe.Known))
	}
	return d
}
