package eval

import (
	"slices"
	"sort"
	"strings"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/verb"
)

// words are what a parameter takes beside values: names of builtins, names of a model's quantities as keys of a record, texts.
type words struct {
	typ string // of the parameter
	// first is the kind whose names come before all others in the values of the parameter; "" for none.
	first sig.Kind
	// kinds are whose names the prompt offers there.
	kinds []sig.Kind
	// called is what such a name is called in errors, where nothing but it or a variable may stand; "" where other values may.
	called string
	// quoted says that names in it are texts, which stand in quotes.
	quoted bool
	// keys are the keys of its record, of the model in the call; nil where they are not known.
	keys func(c *compiler.Compiled) []string
}

// taken is the table of them.
var taken = []words{
	{typ: "optimiser", kinds: []sig.Kind{sig.Optimiser}, called: "optimiser"},
	{typ: "method", kinds: []sig.Kind{sig.Method}, called: "method of training"},
	{typ: "method of discovery", kinds: []sig.Kind{sig.Discovery}, called: "method of discovery"},
	{typ: "solver", kinds: []sig.Kind{sig.Solver}},
	{typ: "activation", kinds: []sig.Kind{sig.Activation}, called: "activation"},
	{typ: verb.OfLosses, first: sig.Likelihood, kinds: []sig.Kind{sig.Loss, sig.Likelihood}, called: "loss"},
	{typ: verb.OfRates, first: sig.Schedule, kinds: []sig.Kind{sig.Schedule}},
	{typ: verb.OfRegularisers, first: sig.Regulariser, kinds: []sig.Kind{sig.Regulariser}, called: "regulariser", keys: trained},
	{typ: ofDistributions, first: sig.Distribution, kinds: []sig.Kind{sig.Distribution}, keys: moved},
	{typ: verb.OfDistribution, first: sig.Distribution, kinds: []sig.Kind{sig.Distribution}},
	{typ: verb.OfSignals, first: sig.Signal, kinds: []sig.Kind{sig.Signal}, keys: func(c *compiler.Compiled) []string { return symbols(c.Inputs()) }},
	{typ: verb.OfColumns, quoted: true, keys: measured},
	{typ: verb.OfWeights, quoted: true},
	{typ: verb.OfDeviations, quoted: true},
	{typ: "text", quoted: true},
	{typ: "text or list of texts", quoted: true},
	{typ: "record", keys: moved},
	{typ: "record of lists", keys: moved},
	{typ: "record or list of records", keys: moved},
	{typ: "names", keys: moved},
}

// trained are what a fit may move, moved what a run may: unknowns stand in both by their names.
func trained(c *compiler.Compiled) []string {
	m := c.Model
	out := symbols(m.Params)
	for _, u := range m.Unknowns {
		out = append(out, u.Name)
	}
	return append(out, symbols(m.States)...)
}

func moved(c *compiler.Compiled) []string { return append(trained(c), symbols(c.Model.Consts)...) }

func measured(c *compiler.Compiled) []string {
	inputs := symbols(c.Inputs())
	return append(symbols(c.Model.States), slices.DeleteFunc(symbols(c.Model.Lets), func(n string) bool { return slices.Contains(inputs, n) })...)
}

func symbols(list []*model.Symbol) (names []string) {
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

// takenBy finds the row of a parameter; nil for none.
func takenBy(p *sig.Param) *words {
	if p == nil {
		return nil
	}
	if p.Name == verb.AdjointOption {
		return &words{first: sig.Adjoint, kinds: []sig.Kind{sig.Adjoint}}
	}
	for i := range taken {
		if taken[i].typ == p.Type {
			return &taken[i]
		}
	}
	return nil
}

// wordsOf is the kind of words that come first in the values of an option, "" for none.
func wordsOf(p *sig.Param) sig.Kind {
	if w := takenBy(p); w != nil {
		return w.first
	}
	return ""
}

// bare says that words of a kind may stand without brackets: all their options have defaults.
func bare(k sig.Kind) bool {
	return k == sig.Schedule || k == sig.Regulariser || k == sig.Likelihood
}

// noWord is the error of a name that stands where a word of a kind, or a text, is wanted.
func (in *Interp) noWord(w *words, id *ast.Ident, variables []string) *diag.Diagnostic {
	if w.quoted {
		d := diag.New("E0701", id.Span(), "unknown name `%s`", id.Name).At("not known here")
		if s := diag.Suggest(id.Name, variables); s != "" && len(id.Name) > 2 {
			return d.WithHelp("did you mean `%s`?", s)
		}
		return d.WithHelp("a text stands in quotes, `\"%s\"`", id.Name)
	}
	d := diag.New("E0701", id.Span(), "no %s is called `%s`", w.called, id.Name).At("not known here")
	names := in.table.Names(w.kinds...)
	sort.Strings(names)
	if other, why := verb.AlsoCalled(id.Name, names); other != "" {
		if why == "" {
			return d.WithHelp("here it is called `%s`", other)
		}
		return d.WithHelp("the nearest is `%s`, %s", other, why)
	}
	if s := diag.Suggest(id.Name, append(names[:len(names):len(names)], variables...)); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	return d.WithHelp("there are: %s", strings.Join(names, ", "))
}
