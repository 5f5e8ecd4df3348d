package eval

import (
	"slices"
	"sort"
	"strings"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/value"
)

// Complete proposes what the word before pos may become: names of the session and builtins, parts after a dot; inside a
// call its named arguments, and after one what its parameter takes. It returns the candidates and the length of the word they replace.
func (in *Interp) Complete(line string, pos int) ([]string, int) {
	head := line[:min(pos, len(line))]
	start := len(head)
	for start > 0 && isWord(head[start-1]) {
		start--
	}
	word := head[start:]
	var cands []string
	if start > 1 && head[start-1] == '.' && isWord(head[start-2]) {
		cands = in.parts(head[:start-1])
	} else {
		cands = in.candidates(in.spotOf(head[:start]), word)
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

// spot is where a word is being typed.
type spot struct {
	call   *sig.Builtin      // the builtin in whose brackets it stands; nil for none
	args   map[string]string // its arguments so far as they were written, by parameter
	param  *sig.Param        // whose value it is; nil where there is none to come by position
	named  bool              // param was named
	direct bool              // it stands in the call's own brackets, in no list or record within
	key    bool              // it stands where a key of a record stands
	text   bool              // it stands in quotes
	before string            // what stands before it in the argument, element or entry
}

// bracket is one that is open.
type bracket struct {
	open  byte
	name  string // before a (
	from  int    // behind it
	comma []int  // where its commas are
}

// spotOf reads what is open at the end of s.
func (in *Interp) spotOf(s string) spot {
	var open []bracket
	text := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '#':
			if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(s)
			}
		case c == '(' || c == '[' || c == '{':
			b := bracket{open: c, from: i + 1}
			if c == '(' {
				b.name = lastWord(s[:i])
			}
			open = append(open, b)
		case (c == ')' || c == ']' || c == '}') && len(open) > 0:
			open = open[:len(open)-1]
		case c == ',' && len(open) > 0:
			b := &open[len(open)-1]
			b.comma = append(b.comma, i)
		}
	}
	at := spot{before: s}
	for i, b := range open {
		end := len(s)
		if i+1 < len(open) {
			end = open[i+1].from - 1
		}
		last := b.from
		if n := len(b.comma); n > 0 {
			last = b.comma[n-1] + 1
		}
		at.before, at.direct, at.key = s[last:end], false, false
		switch {
		case b.open == '{':
			at.key = !strings.Contains(at.before, ":")
			_, at.before, _ = strings.Cut(at.before, ":")
		case b.name != "":
			at.enter(in.builtin(b.name, at.param), s, b, end)
		}
	}
	at.text = text
	return at
}

// enter goes into the brackets of a call.
func (at *spot) enter(call *sig.Builtin, s string, b bracket, end int) {
	*at = spot{call: call, before: at.before, direct: true}
	if call == nil {
		return
	}
	at.args = map[string]string{}
	from, next := b.from, 0
	for _, to := range append(b.comma, end) {
		arg := s[from:to]
		from = to + 1
		at.param, at.named = nil, false
		if name, rest, ok := strings.Cut(arg, "="); ok && isName(strings.TrimSpace(name)) && !strings.HasPrefix(rest, "=") {
			for i := range call.Params {
				if call.Params[i].Name == strings.TrimSpace(name) {
					at.param = &call.Params[i]
				}
			}
			at.named, at.before = true, rest
		} else {
			for next < len(call.Params) && (call.Params[next].NamedOnly || at.args[call.Params[next].Name] != "") {
				next++
			}
			if next < len(call.Params) {
				at.param = &call.Params[next]
				if !at.param.Variadic {
					next++
				}
			}
			at.before = arg
		}
		if strings.Contains(at.before, "->") { // in a function anything may stand
			at.call, at.param, at.direct = nil, nil, false
			continue
		}
		if at.call = call; at.param != nil {
			at.args[at.param.Name] = strings.TrimSpace(at.before)
		}
	}
}

// builtin is what a name means in a call, as a value of a parameter.
func (in *Interp) builtin(name string, p *sig.Param) *sig.Builtin {
	if w := takenBy(p); w != nil {
		if b, ok := in.table.Lookup(name, w.kinds...); ok {
			return b
		}
	}
	if _, own := in.vars[name]; own {
		return nil
	}
	b, _ := in.table.Lookup(name, everyKind...)
	return b
}

// candidates are what may stand at a spot.
func (in *Interp) candidates(at spot, word string) []string {
	w := takenBy(at.param)
	switch {
	case at.text:
		if w != nil && w.quoted {
			return in.columns(at, `"`)
		}
		return nil
	case at.call == nil || at.param == nil && !at.direct:
		return in.anything()
	case at.key && w != nil && w.keys != nil:
		if m := in.modelOf(at); m != nil {
			var out []string
			for _, k := range w.keys(m.C) {
				out = append(out, k+": ")
			}
			return out
		}
	}
	var out []string
	// Options by name; where a value by position is still to come, only once their first letters are there.
	if at.direct && !at.named && strings.TrimSpace(at.before) == "" {
		if wanted := at.param != nil && at.param.Default == ""; !wanted || word != "" {
			for _, p := range at.call.Params {
				if _, given := at.args[p.Name]; (!given || at.param != nil && p.Name == at.param.Name) && (p.Default != "" || p.Doc != "") {
					out = append(out, p.Name+" = ")
				}
			}
		}
	}
	if at.param != nil {
		out = append(out, in.values(at, w)...)
	}
	return out
}

// values are what a parameter takes.
func (in *Interp) values(at spot, w *words) (out []string) {
	typ := at.param.Type
	if before := strings.TrimRight(at.before, " \t\n"); w != nil && w.called != "" && before != "" && (isWord(before[len(before)-1]) || before[len(before)-1] == ')') && lastWord(before) != "then" {
		return []string{"then"}
	}
	var kinds []sig.Kind
	if w != nil {
		kinds = w.kinds
		out = append(out, in.table.Names(kinds...)...)
	}
	variables := func(of func(v value.Value) bool) []string {
		for n, v := range in.vars {
			if of(v) {
				out = append(out, n)
			}
		}
		return out
	}
	isOne := func(v value.Value) bool {
		switch v := v.(type) {
		case *value.Spec:
			return slices.Contains(kinds, v.Row.Kind)
		case value.Chain:
			return len(v) > 0 && slices.Contains(kinds, v[0].Row.Kind)
		case *value.Lambda, *value.Fn:
			return slices.Contains(kinds, sig.Loss)
		}
		return false
	}
	switch {
	case strings.HasPrefix(typ, "word"):
		_, list, _ := strings.Cut(typ, ":")
		out = append(out, strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '|' })...)
		return out
	case typ == "truth value":
		return []string{"true", "false"}
	case typ == "solver":
		out = append(out, "auto")
		return variables(isOne)
	case w != nil && w.called != "":
		return variables(isOne)
	case typ == "model":
		return variables(func(v value.Value) bool { _, ok := v.(*value.Model); return ok })
	case typ == "fitted model":
		return variables(func(v value.Value) bool { m, ok := v.(*value.Model); return ok && m.Fit != nil })
	case typ == "names" && in.modelOf(at) != nil:
		return w.keys(in.modelOf(at).C)
	case w != nil && w.quoted:
		if cols := in.columns(at, ""); len(cols) > 0 {
			return cols
		}
	}
	variables(func(value.Value) bool { return true })
	out = append(out, in.built()...)
	return append(out, in.table.Names(sig.Function, sig.Constant)...)
}

// anything is what may stand where nothing is known of the place.
func (in *Interp) anything() []string {
	var out []string
	for n := range in.vars {
		out = append(out, n)
	}
	out = append(out, in.built()...)
	out = append(out, in.table.Names(sig.Function, sig.Constant, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery, sig.Representation)...)
	return append(out, keywords...)
}

// built are the verbs that there are; those to come are not offered.
func (in *Interp) built() (names []string) {
	for n, v := range in.verbs {
		if v.Run != nil {
			names = append(names, n)
		}
	}
	return names
}

// modelOf is the model of a call; nil where it is not known.
func (in *Interp) modelOf(at spot) *value.Model {
	m, _ := in.vars[at.args["model"]].(*value.Model)
	return m
}

// columns are the names of columns of a call's data, in quotes of which the first is there already.
func (in *Interp) columns(at spot, typed string) (out []string) {
	t, _ := in.vars[at.args["data"]].(*value.Table)
	if l, ok := in.vars[at.args["data"]].(value.List); ok && len(l) > 0 {
		t, _ = l[0].(*value.Table)
	}
	if t == nil {
		return nil
	}
	for _, n := range t.Names() {
		if n != t.Time {
			out = append(out, strings.TrimPrefix(`"`+n+`"`, typed))
		}
	}
	return out
}

// keywords are completed beside names.
var keywords = []string{"model", "param", "const", "state", "latent", "input", "let", "unknown", "import", "for", "if", "then", "else", "help", "end", "true", "false"}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

// lastWord is the word that s ends with, "" for none.
func lastWord(s string) string {
	i := len(s)
	for i > 0 && isWord(s[i-1]) {
		i--
	}
	return s[i:]
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
