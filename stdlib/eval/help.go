package eval

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// kinds are those of builtins, in the order in which help tells of them: what a list of them is headed, and the page that lists them.
var kinds = []struct {
	kind    sig.Kind
	heading string
	page    string // `help losses`; several kinds may share one
}{
	{sig.Verb, "verbs of scripts", "verbs"},
	{sig.Function, "functions", "functions"},
	{sig.Constant, "constants", "constants"},
	{sig.Representation, "unknown functions", "representations"},
	{sig.Solver, "solvers", ""}, // has a table of its own
	{sig.Optimiser, "optimisers, in `train`", "optimisers"},
	{sig.Schedule, "learning rates that change, in `rate`", "schedules"},
	{sig.Regulariser, "regularisers, in `regularise`", "regularisers"},
	{sig.Loss, "losses against data, in `loss`", "losses"},
	{sig.Likelihood, "likelihoods of data, in `loss`", "losses"},
	{sig.Method, "methods of training, in `method` of `fit`", "methods"},
	{sig.Discovery, "methods of discovery, in `method` of `discover`", "discovery"},
	{sig.Activation, "activations, after `act =`", "activations"},
	{sig.Distribution, "distributions, after `~` and in `vary`", "distributions"},
	{sig.Signal, "signals, in `inputs`", "signals"},
	{sig.Adjoint, "ways to gradients, after `adjoint =`", "adjoints"},
}

var everyKind = func() (all []sig.Kind) {
	for _, k := range kinds {
		all = append(all, k.kind)
	}
	return all
}()

// Names lists everything help knows, sorted, each once: builtins, topics, lists, and options of verbs.
func (in *Interp) Names() []string {
	seen := map[string]bool{}
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if n != "" && !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	add(in.table.Names(everyKind...)...)
	for _, k := range kinds {
		add(k.page)
	}
	add("solvers")
	for _, t := range topics {
		add(t.words...)
	}
	for _, v := range in.verbs {
		for _, p := range v.Params {
			if p.NamedOnly && p.Doc != "" && v.Run != nil {
				add(p.Name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// Contents are the names of builtins by kind, and of topics, each with a heading; what is not built is left out.
func (in *Interp) Contents() (headings []string, names [][]string) {
	for _, k := range kinds {
		var list []string
		for _, n := range in.table.Names(k.kind) {
			if v, ok := in.verbs[n]; !ok || k.kind != sig.Verb || v.Run != nil {
				list = append(list, n)
			}
		}
		if sort.Strings(list); len(list) > 0 {
			headings, names = append(headings, k.heading), append(names, list)
		}
	}
	var list []string
	for _, t := range topics {
		list = append(list, t.words[0])
	}
	for _, k := range kinds {
		if k.page != "" && !slices.Contains(list, k.page) {
			list = append(list, k.page)
		}
	}
	list = append(list, "solvers")
	sort.Strings(list)
	return append(headings, "pages of help"), append(names, list)
}

// Help is what is known of a name: every builtin of that name, and the quantities that bear it in the
// session's models. Names are found in any case.
func (in *Interp) Help(name string) (string, bool) {
	var b strings.Builder
	for _, k := range everyKind {
		r, ok := in.table.Lookup(name, k)
		if !ok {
			for _, n := range in.table.Names(k) {
				if strings.EqualFold(n, name) {
					r, ok = in.table.Lookup(n, k)
				}
			}
		}
		if ok {
			if b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString(describe(r))
		}
	}
	switch strings.ToLower(name) {
	case "auto":
		auto := verb.Auto()
		b.WriteString(describe(&auto))
	case "solver", "solvers":
		b.WriteString(verb.SolverTable())
	default:
		b.WriteString(topic(strings.ToLower(name)))
		b.WriteString(in.kind(strings.ToLower(name)))
		b.WriteString(in.option(name))
	}
	if v, ok := in.vars[name]; ok {
		if m, ok := v.(*value.Model); ok {
			if m.C.Model.Doc != "" {
				fmt.Fprintf(&b, "%s: %s\n", name, m.C.Model.Doc)
			}
		} else {
			fmt.Fprintf(&b, "%s is %s\n", name, value.Describe(v))
		}
	}
	var models []string
	for n := range in.Models() {
		models = append(models, n)
	}
	sort.Strings(models)
	for _, n := range models {
		m := in.Models()[n]
		if s, ok := m.Symbol(name); ok && s.Doc != "" {
			fmt.Fprintf(&b, "%s.%s: %s\n", n, name, s.Doc)
		}
	}
	return b.String(), b.Len() > 0
}

// kind lists the words of the kinds of a page with the first sentence of each, "" for what is none.
func (in *Interp) kind(page string) string {
	var b strings.Builder
	for _, k := range kinds {
		if k.page != page || page == "" {
			continue
		}
		names := in.table.Names(k.kind)
		sort.Strings(names)
		width := 16
		for _, n := range names {
			width = max(width, len(n))
		}
		fmt.Fprintf(&b, "%s\n", k.heading)
		for _, n := range names {
			if v, ok := in.verbs[n]; ok && k.kind == sig.Verb && v.Run == nil {
				continue
			}
			r, _ := in.table.Lookup(n, k.kind)
			fmt.Fprintf(&b, "  %-*s %s\n", width, n, firstSentence(r.Doc))
		}
	}
	return b.String()
}

// option tells of an option by its name: what it is in the calls that have it, those alike together.
func (in *Interp) option(name string) string {
	type page struct {
		p  sig.Param
		of []string
	}
	var pages []page
	for _, k := range everyKind {
		names := in.table.Names(k)
		sort.Strings(names)
	builtins:
		for _, n := range names {
			if v, ok := in.verbs[n]; ok && k == sig.Verb && v.Run == nil {
				continue
			}
			r, _ := in.table.Lookup(n, k)
			for _, p := range r.Params {
				if !strings.EqualFold(p.Name, name) || !p.NamedOnly || p.Doc == "" {
					continue
				}
				for i := range pages {
					if pages[i].p.Doc == p.Doc && pages[i].p.Default == p.Default {
						pages[i].of = append(pages[i].of, n)
						continue builtins
					}
				}
				pages = append(pages, page{p, []string{n}})
			}
		}
	}
	var b strings.Builder
	for _, g := range pages {
		fmt.Fprintf(&b, "%s    [option of %s]\n  %s", g.p.Name, strings.Join(g.of, ", "), g.p.Type)
		if g.p.Default != "none" {
			fmt.Fprintf(&b, ", default %s", g.p.Default)
		}
		fmt.Fprintf(&b, ": %s\n", g.p.Doc)
		if w := takenBy(&g.p); w != nil && len(w.kinds) > 0 {
			for _, k := range kinds {
				if k.kind == w.kinds[0] && k.page != "" {
					fmt.Fprintf(&b, "  `help %s` lists them.\n", k.page)
				}
			}
		}
	}
	return b.String()
}

// firstSentence is what a list says of a builtin.
func firstSentence(doc string) string {
	for i := 0; i+2 < len(doc); i++ {
		// "et al. 2009" ends no sentence, and neither does a point in brackets.
		if c := doc[i+2]; doc[i] == '.' && doc[i+1] == ' ' && (c >= 'A' && c <= 'Z' || c == '`') && strings.Count(doc[:i], "(") == strings.Count(doc[:i], ")") {
			return doc[:i]
		}
	}
	return strings.TrimSuffix(doc, ".")
}

// describe is the help page of one builtin.
func describe(r *sig.Builtin) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", Signature(r))
	if r.Result != "" {
		fmt.Fprintf(&b, "  →  %s", r.Result)
	}
	fmt.Fprintf(&b, "    [%s]\n", r.Kind)
	if r.Doc != "" {
		fmt.Fprintf(&b, "  %s\n", r.Doc)
	}
	for _, f := range r.Facts {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	width := 0
	for _, p := range r.Params {
		width = max(width, len(p.Name))
	}
	for _, p := range r.Params {
		if p.Doc == "" && len(r.Params) < 2 {
			continue
		}
		fmt.Fprintf(&b, "    %-*s  %s", width, p.Name, p.Type)
		if p.Default != "" && p.Default != "none" {
			fmt.Fprintf(&b, ", default %s", p.Default)
		}
		if p.Doc != "" {
			fmt.Fprintf(&b, ": %s", p.Doc)
		}
		b.WriteString("\n")
	}
	if r.Example != "" {
		fmt.Fprintf(&b, "  Example:\n")
		for _, l := range strings.Split(r.Example, "\n") {
			fmt.Fprintf(&b, "    %s\n", l)
		}
	}
	if r.Cite != "" {
		fmt.Fprintf(&b, "  Source: %s\n", r.Cite)
	}
	if len(r.See) > 0 {
		fmt.Fprintf(&b, "  See: %s\n", strings.Join(r.See, ", "))
	}
	return b.String()
}

// Signature is a builtin as it is called.
func Signature(r *sig.Builtin) string {
	if r.Kind == sig.Constant || len(r.Params) == 0 && r.Kind != sig.Verb {
		return r.Name
	}
	var ps []string
	for _, p := range r.Params {
		switch {
		case p.Variadic:
			ps = append(ps, p.Name+"…")
		case p.Default == "":
			ps = append(ps, p.Name)
		case p.Default == "none":
			ps = append(ps, p.Name+" = …")
		default:
			ps = append(ps, p.Name+" = "+p.Default)
		}
	}
	return r.Name + "(" + strings.Join(ps, ", ") + ")"
}

// Overview lists all builtins by kind, each with the first sentence of its help.
func (in *Interp) Overview(w io.Writer) {
	var later []string
	for _, k := range kinds {
		names := in.table.Names(k.kind)
		if len(names) == 0 {
			continue
		}
		sort.Strings(names)
		fmt.Fprintf(w, "%s\n", k.heading)
		for _, n := range names {
			if v, ok := in.verbs[n]; ok && k.kind == sig.Verb && v.Run == nil {
				later = append(later, n)
				continue
			}
			b, _ := in.table.Lookup(n, k.kind)
			fmt.Fprintf(w, "  %-16s %s\n", n, firstSentence(b.Doc))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "not built yet: %s\n", strings.Join(later, ", "))
}
