package eval

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

var everyKind = []sig.Kind{sig.Verb, sig.Function, sig.Constant, sig.Representation, sig.Solver, sig.Optimiser, sig.Schedule, sig.Regulariser, sig.Loss, sig.Likelihood, sig.Method, sig.Activation, sig.Distribution, sig.Signal, sig.Adjoint}

// Names lists everything help knows, sorted, each once.
func (in *Interp) Names() []string {
	seen := map[string]bool{}
	var out []string
	for _, n := range in.table.Names(everyKind...) {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
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

// plurals are the kinds whose words help lists.
var plurals = map[string]sig.Kind{"optimisers": sig.Optimiser, "schedules": sig.Schedule, "regularisers": sig.Regulariser, "losses": sig.Loss, "methods": sig.Method,
	"activations": sig.Activation, "distributions": sig.Distribution, "signals": sig.Signal, "verbs": sig.Verb}

// kind lists the words of a kind with the first sentence of each, "" for what is none.
func (in *Interp) kind(name string) string {
	k, ok := plurals[name]
	if !ok {
		return ""
	}
	names := in.table.Names(k)
	sort.Strings(names)
	var b strings.Builder
	for _, n := range names {
		r, _ := in.table.Lookup(n, k)
		doc, _, _ := strings.Cut(r.Doc, ". ")
		fmt.Fprintf(&b, "  %-16s %s\n", n, strings.TrimSuffix(doc, "."))
	}
	return b.String()
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

// Complete proposes what the word before pos may become: names of the session and builtins, parts after a
// dot, named arguments inside a call. It returns the candidates and the length of the word they replace.
func (in *Interp) Complete(line string, pos int) ([]string, int) {
	if pos > len(line) {
		pos = len(line)
	}
	head := line[:pos]
	start := pos
	for start > 0 && isWord(head[start-1]) {
		start--
	}
	word := head[start:]
	var cands []string
	if start > 0 && head[start-1] == '.' && start > 1 && isWord(head[start-2]) {
		cands = in.parts(head[:start-1])
	} else {
		if b := in.enclosing(head[:start]); b != nil {
			for _, p := range b.Params {
				if p.Default != "" || p.Doc != "" {
					cands = append(cands, p.Name+" = ")
				}
				if strings.HasPrefix(p.Type, "word:") && strings.HasSuffix(strings.TrimSpace(head[:start]), p.Name+" =") {
					for _, w := range strings.Split(p.Type[5:], ",") {
						cands = append(cands, strings.TrimSpace(w))
					}
				}
			}
		}
		if b := in.enclosing(head[:start]); b != nil {
			for i := range b.Params {
				if k := wordsOf(&b.Params[i]); k != "" {
					cands = append(cands, in.table.Names(k)...)
				}
			}
		}
		for n := range in.vars {
			cands = append(cands, n)
		}
		cands = append(cands, in.table.Names(sig.Verb, sig.Function, sig.Constant, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Representation)...)
		cands = append(cands, keywords...)
	}
	seen := map[string]bool{}
	var out []string
	for _, c := range cands {
		if strings.HasPrefix(c, word) && !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	sort.Strings(out)
	return out, len(word)
}

// keywords are completed beside names.
var keywords = []string{"model", "param", "const", "state", "latent", "input", "let", "unknown", "import", "for", "if", "then", "else", "help", "end", "true", "false"}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// parts lists the parts of the value that a dotted path at the end of s names.
func (in *Interp) parts(s string) []string {
	start := len(s)
	for start > 0 && (isWord(s[start-1]) || s[start-1] == '.') {
		start--
	}
	path := strings.Split(s[start:], ".")
	v, ok := in.vars[path[0]]
	for _, p := range path[1:] {
		if !ok {
			return nil
		}
		m, isM := v.(members)
		if !isM {
			return nil
		}
		v, ok = m.Member(p)
	}
	if m, isM := v.(members); ok && isM {
		return m.Names()
	}
	return nil
}

// enclosing is the builtin whose open bracket the end of s stands in.
func (in *Interp) enclosing(s string) *sig.Builtin {
	depth := 0
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth > 0 {
				depth--
				continue
			}
			if s[i] != '(' {
				continue
			}
			end := i
			for i > 0 && isWord(s[i-1]) {
				i--
			}
			b, ok := in.table.Lookup(s[i:end], everyKind...)
			if ok {
				return b
			}
			return nil
		}
	}
	return nil
}

// Overview lists all builtins by kind, each with the first sentence of its help.
func (in *Interp) Overview(w io.Writer) {
	headings := map[sig.Kind]string{sig.Verb: "verbs of scripts", sig.Function: "functions", sig.Constant: "constants", sig.Representation: "unknown functions",
		sig.Solver: "solvers", sig.Optimiser: "optimisers", sig.Schedule: "learning rates that change, in `rate`", sig.Regulariser: "regularisers, in `regularise`", sig.Loss: "losses against data", sig.Likelihood: "likelihoods of data, in `loss`", sig.Method: "methods of training", sig.Activation: "activations, after `act =`",
		sig.Distribution: "distributions, after `~` and in `vary`", sig.Signal: "signals, in `inputs`", sig.Adjoint: "ways to gradients, after `adjoint =`"}
	var later []string
	for _, k := range everyKind {
		names := in.table.Names(k)
		if len(names) == 0 {
			continue
		}
		sort.Strings(names)
		fmt.Fprintf(w, "%s\n", headings[k])
		for _, n := range names {
			if v, ok := in.verbs[n]; ok && k == sig.Verb && v.Run == nil {
				later = append(later, n)
				continue
			}
			b, _ := in.table.Lookup(n, k)
			doc, _, _ := strings.Cut(b.Doc, ". ")
			fmt.Fprintf(w, "  %-16s %s\n", n, strings.TrimSuffix(doc, "."))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "not built yet: %s\n", strings.Join(later, ", "))
}
