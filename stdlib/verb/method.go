package verb

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// trainOfMethod is what every method takes.
var trainOfMethod = arg("train", "optimiser", "none", "its own chain of optimisers, in place of that of the fit")

// methodOptions are the options of each method of training, beside its own chain. The methods themselves are those of
// the table of package train.
var methodOptions = map[string]struct {
	example string
	params  []sig.Param
}{
	"shooting": {"method = shooting(grow = 5)", []sig.Param{
		arg("grow", "whole number or list of numbers", "none", "train on growing parts of the time span: in so many equal steps, or by these shares of it, the whole at last"),
		arg("until", "list of numbers", "none", "train on growing parts of the time span: up to these times, and on the whole at last"),
		arg("batch", "whole number", "none", "how many trajectories an iteration of an optimiser without line search looks at, drawn without replacement in each epoch; all when left out"),
		arg("window", "whole number", "none", "how many rows of the data, following each other, such an iteration looks at, from the measured states at the first on; all when left out"),
	}},
	"collocation": {"method = collocation(smooth = kernel)", []sig.Param{
		arg("smooth", "word: spline, kernel", "spline", "the curves through the data: smoothing splines, or local cubics weighted by a Gaussian"),
		arg("penalty", "number", "none", "of the spline: what the integral of the squared second derivative costs; by cross-validation when left out"),
		arg("bandwidth", "number", "none", "of the kernel: the standard deviation of the Gaussian, in units of time; by cross-validation when left out"),
	}},
	"multiple_shooting": {"method = multiple_shooting(segments = 10, continuity = constraint)", []sig.Param{
		arg("segments", "whole number", "5", "into how many the time span of each trajectory is cut, each of as many rows of data"),
		arg("continuity", "word: penalty, constraint", "penalty", "gaps between segments have a price, or must vanish (augmented Lagrangian), which takes several rounds"),
		arg("penalty", "number or list of numbers", "1", "the price: with 1 a gap costs as much as a datum that is as far off. Several are taken one after the other; a constraint begins with it"),
	}},
}

// methodRows are the methods as the checker and help see them.
func methodRows() []sig.Builtin {
	var out []sig.Builtin
	for _, m := range train.Methods() {
		o := methodOptions[m.Name]
		out = append(out, sig.Builtin{Name: m.Name, Kind: sig.Method, Result: "method", Doc: m.Doc, Cite: m.Cite, Example: o.example,
			Params: append(append([]sig.Param(nil), o.params...), trainOfMethod)})
	}
	return out
}

// methods reads the option `method`.
func (c *Call) methods() ([]train.Method, error) {
	chain, err := c.chain("method", "method", c.Args["method"], sig.Method, "a method of training", "shooting(grow = 5)")
	if err != nil {
		return nil, err
	}
	var out []train.Method
	for _, s := range chain {
		m, err := c.methodOf(s)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// chain reads a word of a kind with its options, or several by `then`; the value stands at the argument arg and belongs to option. nil where it was not given.
func (c *Call) chain(arg, option string, v value.Value, kind sig.Kind, what, example string) (value.Chain, error) {
	var chain value.Chain
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *value.Spec:
		chain = value.Chain{v}
	case value.Chain:
		chain = v
	default:
		return nil, c.Bad(arg, "`%s` must be %s or a chain of them, this is %s", option, what, value.Describe(v)).
			WithHelp("%s", c.unquoted(option, v, "for example `"+example+"`", kind))
	}
	for _, s := range chain {
		if s.Row.Kind != kind {
			return nil, diag.New("E0704", s.Span, "`%s` must be %s or a chain of them, `%s` is of the kind %s", option, what, s.Row.Name, s.Row.Kind).
				WithHelp("%s", standsIn(s, "for example `"+example+"`"))
		}
	}
	return chain, nil
}

// unquoted tells of a word that was given as a text; else otherwise.
func (c *Call) unquoted(option string, v value.Value, otherwise string, kinds ...sig.Kind) string {
	if t, ok := v.(value.Text); ok {
		if _, ok := c.Table.Lookup(string(t), kinds...); ok {
			return "it stands without quotes, `" + option + " = " + string(t) + "`"
		}
	}
	return otherwise
}

// standsIn says in which option a word stands that was given in another; else otherwise.
func standsIn(s *value.Spec, otherwise string) string {
	option, ok := map[sig.Kind]string{sig.Optimiser: "train", sig.Method: "method", sig.Loss: "loss", sig.Likelihood: "loss", sig.Solver: "solver"}[s.Row.Kind]
	if !ok {
		return otherwise
	}
	text := s.Row.Name
	if s.Span.Src != nil && s.Span.Hi-s.Span.Lo < 60 {
		text = s.Span.Src.Text[s.Span.Lo:s.Span.Hi]
	}
	return "write `" + option + " = " + text + "`"
}

// methodOf reads one method with its options.
func (c *Call) methodOf(s *value.Spec) (train.Method, error) {
	m := train.Method{Name: s.Row.Name}
	var err error
	if m.Stages, err = c.stagesOf("method", s.Args["train"]); err != nil {
		return m, err
	}
	if v, ok := s.Args["grow"]; ok {
		a, ok := v.(*value.Array)
		switch {
		case ok && a.Shape.IsScalar() && a.Data[0] == float64(int(a.Data[0])) && a.Data[0] >= 1 && a.Data[0] <= 1e6:
			m.Grow = train.GrowBy(int(a.Data[0]))
		case ok && len(a.Shape) == 1 && len(a.Data) > 0:
			m.Grow = a.Data
		default:
			return m, diag.New("E0704", s.Span, "`grow` is a number of steps or a list of shares of the time span, not %s", value.Describe(v)).
				WithHelp("`grow = 5` takes five equal steps, `grow = [0.1, 1]` first the first tenth")
		}
	}
	if v, ok := s.Args["until"]; ok {
		a, ok := v.(*value.Array)
		if !ok || len(a.Shape) != 1 || len(a.Data) == 0 {
			return m, diag.New("E0704", s.Span, "`until` is a list of times, not %s", value.Describe(v)).
				WithHelp("`until = [1905, 1910]` trains up to 1905, then up to 1910, then on everything")
		}
		m.Until = a.Data
	}
	if m.Batch, err = wholeOption(s, "batch", 1, "trajectories", "leave it out for all of them"); err != nil {
		return m, err
	}
	if m.Window, err = wholeOption(s, "window", 2, "rows", "leave it out for all of them"); err != nil {
		return m, err
	}
	if m.Name == "multiple_shooting" {
		return m, segmentsOf(s, &m)
	}
	return m, smoothOf(s, &m)
}

// segmentsOf reads the options of multiple shooting.
func segmentsOf(s *value.Spec, m *train.Method) error {
	w, err := wordOf(s, "continuity", "penalty", "constraint")
	if err != nil {
		return err
	}
	m.Constraint = w == "constraint"
	if m.Segments, err = wholeOption(s, "segments", 2, "pieces", "`segments = 10` cuts the time span in ten"); err != nil {
		return err
	}
	if v, ok := s.Args["penalty"]; ok {
		a, ok := v.(*value.Array)
		if !ok || len(a.Shape) > 1 || len(a.Data) == 0 {
			return diag.New("E0704", s.Span, "`penalty` is a number, or a list of them, not %s", value.Describe(v)).WithHelp("with `penalty = 1` a gap costs as much as a datum that is as far off")
		}
		m.Penalties = a.Data
	}
	return nil
}

// wholeOption reads an option that is a number of things, 0 where it was not given.
func wholeOption(s *value.Spec, name string, least float64, of, help string) (int, error) {
	v, ok := s.Args[name]
	if !ok {
		return 0, nil
	}
	if a, ok := v.(*value.Array); ok && a.Shape.IsScalar() && a.Data[0] == math.Trunc(a.Data[0]) && a.Data[0] >= least && a.Data[0] <= 1e9 {
		return int(a.Data[0]), nil
	}
	return 0, diag.New("E0704", s.Span, "`%s` is a number of %s, %v or more, not %s", name, of, least, value.Describe(v)).WithHelp("%s", help)
}

// smoothOf reads the options of collocation.
func smoothOf(s *value.Spec, m *train.Method) error {
	var err error
	if m.Smooth, err = wordOf(s, "smooth", "spline", "kernel"); err != nil {
		return err
	}
	for _, o := range []struct{ name, of string }{{"penalty", "spline"}, {"bandwidth", "kernel"}} {
		v, ok := s.Args[o.name]
		if !ok {
			continue
		}
		if m.Smooth != o.of && (m.Smooth != "" || o.of != "spline") {
			return diag.New("E0704", s.Span, "`%s` is of the %s, and the curves are made by a %s", o.name, o.of, cmp.Or(m.Smooth, "spline")).
				WithHelp("write `smooth = %s`, or leave `%s` out", o.of, o.name)
		}
		a, ok := v.(*value.Array)
		if !ok || !a.Shape.IsScalar() || !(a.Data[0] > 0) || math.IsInf(a.Data[0], 0) {
			return diag.New("E0704", s.Span, "`%s` must be a positive number, this is %s", o.name, value.Describe(v)).
				WithHelp("leave it out to have it chosen by cross-validation")
		}
		m.Smoothness = a.Data[0]
	}
	return nil
}

// wordOf is an option that is one of some words, "" when left out.
func wordOf(s *value.Spec, name string, words ...string) (string, error) {
	v, ok := s.Args[name]
	if !ok {
		return "", nil
	}
	w, ok := v.(value.Word)
	if ok && slices.Contains(words, string(w)) {
		return string(w), nil
	}
	e := diag.New("E0704", s.Span, "`%s` is %s, not %s", name, strings.Join(words, " or "), value.Describe(v))
	if d := diag.Suggest(string(w), words); d != "" {
		return "", e.WithHelp("did you mean `%s`?", d)
	}
	return "", e.WithHelp("`%s = %s` is what is taken when it is left out", name, words[0])
}
