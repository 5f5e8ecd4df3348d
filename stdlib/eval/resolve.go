package eval

import (
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// resolver looks a script through before it runs, so that a misspelt name in its last line
// does not cost the training before it.
type resolver struct {
	in    *Interp
	names map[string]bool
	local []map[string]bool
	words sig.Kind // whose names come first here, "" for none
	taken *words   // what the parameter takes whose value is looked at; nil for none
	errs  diag.List
}

func (in *Interp) resolve(f *ast.File) diag.List {
	r := &resolver{in: in, names: map[string]bool{}}
	for k := range in.vars {
		r.names[k] = true
	}
	assigned(f.Stmts, r.names)
	r.declared(f.Stmts)
	r.stmts(f.Stmts)
	return r.errs
}

// declared notes models, functions, constants and unknowns, imported ones included, and loop variables.
func (r *resolver) declared(stmts []ast.Stmt) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.Model:
			r.names[s.Name.Name] = true
		case *ast.Fn:
			r.names[s.Name.Name] = true
		case *ast.Unknown:
			r.names[s.Name.Name] = true
		case *ast.Decl:
			for _, it := range s.Items {
				r.names[it.Name.Name] = true
			}
		case *ast.For:
			r.names[s.Var.Name] = true
			r.declared(s.Body)
		case *ast.IfStmt:
			r.declared(s.Then)
			r.declared(s.Else)
		}
	}
}

func (r *resolver) stmts(stmts []ast.Stmt) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.Assign:
			r.expr(s.Value)
		case *ast.ExprStmt:
			r.expr(s.X)
		case *ast.For:
			r.expr(s.Over)
			r.stmts(s.Body)
		case *ast.IfStmt:
			r.expr(s.Cond)
			r.stmts(s.Then)
			r.stmts(s.Else)
		case *ast.Fn:
			r.with(s.Params, func() { r.expr(s.Body) })
		case *ast.Decl:
			for _, it := range s.Items {
				if it.Value != nil {
					r.expr(it.Value)
				}
			}
		}
	}
}

// with runs f with further local names.
func (r *resolver) with(params []*ast.Ident, f func()) {
	m := map[string]bool{}
	for _, p := range params {
		m[p.Name] = true
	}
	r.local = append(r.local, m)
	f()
	r.local = r.local[:len(r.local)-1]
}

func (r *resolver) isLocal(name string) bool {
	for _, m := range r.local {
		if m[name] {
			return true
		}
	}
	return false
}

func (r *resolver) known(name string) bool { return r.isLocal(name) || r.names[name] }

func (r *resolver) expr(e ast.Expr) {
	switch e := e.(type) {
	case nil:
	case *ast.Ident:
		if r.known(e.Name) {
			return
		}
		if _, ok := r.in.table.Lookup(e.Name, sig.Constant, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery); ok {
			return
		}
		if bare(r.words) {
			if _, ok := r.in.table.Lookup(e.Name, r.words); ok {
				return
			}
		}
		r.unknown(e)
	case *ast.Call:
		r.call(e)
	case *ast.Member: // the name after the dot is a part, not a name of the script
		r.expr(e.X)
	case *ast.Index:
		r.expr(e.X)
		r.with([]*ast.Ident{{Name: "end"}}, func() {
			for _, a := range e.Args {
				r.expr(a)
			}
		})
	case *ast.Lambda:
		taken := r.taken
		r.taken = nil
		r.with(e.Params, func() { r.expr(e.Body) })
		r.taken = taken
	case *ast.Record:
		for _, f := range e.Fields {
			r.expr(f.Value)
		}
	case *ast.Reduce:
		var vars []*ast.Ident
		for _, b := range e.Binds {
			r.expr(b.Over)
			vars = append(vars, b.Var)
		}
		r.with(vars, func() { r.expr(e.Body) })
	case *ast.Formula: // refused when it is evaluated
	default:
		ast.Children(e, func(n ast.Node) {
			if x, ok := n.(ast.Expr); ok {
				r.expr(x)
			}
		})
	}
}

// unknown notes a name that nothing bears: where words of a kind or a text are wanted, with those.
func (r *resolver) unknown(id *ast.Ident) {
	if _, builtin := r.in.table.Lookup(id.Name, sig.Function, sig.Verb); r.taken != nil && !builtin && (r.taken.called != "" || r.taken.quoted) {
		var variables []string
		for n := range r.names {
			variables = append(variables, n)
		}
		r.errs.Add(r.in.noWord(r.taken, id, variables))
		return
	}
	r.errs = append(r.errs, diag.From(r.in.unknownName(r.frame(), id))...)
}

// frame makes the local names visible to suggestions.
func (r *resolver) frame() *frame {
	f := &frame{names: map[string]value.Value{}}
	for k := range r.names {
		f.names[k] = nil
	}
	for _, m := range r.local {
		for k := range m {
			f.names[k] = nil
		}
	}
	return f
}

func (r *resolver) call(e *ast.Call) {
	id, ok := e.Fun.(*ast.Ident)
	if !ok {
		r.expr(e.Fun)
		r.args(nil, e)
		return
	}
	if r.words != "" {
		if b, ok := r.in.table.Lookup(id.Name, r.words); ok {
			r.args(b, e)
			return
		}
	}
	if r.known(id.Name) {
		r.args(nil, e)
		return
	}
	b, ok := r.in.table.Lookup(id.Name, sig.Verb, sig.Function, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery, sig.Representation)
	if !ok {
		if _, ok := r.in.table.External(id.Name); !ok && r.words != "" && (r.taken == nil || r.taken.called == "") {
			d := diag.New("E0701", id.Span(), "no %s is called `%s`", r.words, id.Name).At("not known here")
			names := r.in.table.Names(r.words)
			if s := diag.Suggest(id.Name, names); s != "" {
				d.WithHelp("did you mean `%s`?", s)
			} else {
				d.WithHelp("the %ss are: %s", r.words, listing(names))
			}
			r.errs.Add(d)
		} else if !ok {
			r.unknown(id)
		}
		r.args(nil, e)
		return
	}
	if v, ok := r.in.verbs[b.Name]; ok && b.Kind == sig.Verb && v.Run == nil {
		r.errs.Add(diag.New("E0790", e.Span(), "`%s` is not built yet", v.Name).WithHelp("leave it out for now"))
		return
	}
	r.args(b, e)
}

// args checks the names and the number of arguments.
func (r *resolver) args(b *sig.Builtin, e *ast.Call) {
	positional, bad := 0, false
	given := map[string]bool{}
	for _, a := range e.Args {
		var p *sig.Param
		if a.Name != nil && b != nil {
			for i := range b.Params {
				if b.Params[i].Name == a.Name.Name {
					p = &b.Params[i]
				}
			}
			if p == nil && b != nil {
				p = anyName(b)
			}
			if p == nil {
				bad = true
				r.errs = append(r.errs, diag.From(unknownOption(b, a.Name))...)
				continue
			}
			given[p.Name] = true
		} else if a.Name == nil {
			if b != nil && positional < len(b.Params) {
				p = &b.Params[positional]
			}
			positional++
		}
		if p != nil {
			if p.Type == "names" || p.Type == verb.OfTerms {
				continue
			}
			if _, ok := a.Value.(*ast.Ident); ok && strings.HasPrefix(p.Type, "word") {
				continue
			}
			if p.Type == "solver" {
				if id, ok := a.Value.(*ast.Ident); ok && id.Name == "auto" {
					continue
				}
				if d := r.in.noSolver(a.Value, r.known); d != nil {
					r.errs.Add(d)
					continue
				}
			}
		}
		words, taken := r.words, r.taken
		if r.taken = takenBy(p); r.taken != nil && r.taken.first != "" {
			r.words = r.taken.first
		}
		r.expr(a.Value)
		r.words, r.taken = words, taken
	}
	if b == nil || bad {
		return
	}
	lo, hi := arity(b)
	for _, p := range b.Params {
		if given[p.Name] && !p.NamedOnly && p.Default == "" {
			lo--
		}
	}
	left := positional
	for _, p := range b.Params {
		switch {
		case given[p.Name] || p.Variadic || b.Kind != sig.Verb && b.Kind != sig.Distribution && b.Kind != sig.Signal && b.Kind != sig.Adjoint:
		case !p.NamedOnly && left > 0:
			left--
		case p.Default == "":
			d := diag.New("E0706", e.Span(), "`%s` needs `%s`, %s", b.Name, p.Name, p.Type)
			if ex := example(b); ex != "" {
				d.WithHelp("for example `%s`", ex)
			} else {
				d.WithHelp("it takes: %s", parameters(b))
			}
			r.errs.Add(d)
			return
		}
	}
	if positional < lo || hi >= 0 && positional > hi {
		d := diag.New("E0706", e.Span(), "`%s` takes %s, here are %d", b.Name, arguments(lo, hi), positional)
		if i := slices.IndexFunc(b.Params, func(p sig.Param) bool { return p.AnyName }); i >= 0 && positional > hi && positional <= len(e.Args) {
			last := e.Args[positional-1]
			what := "…"
			if sp := last.Span(); sp.Src != nil && sp.Hi-sp.Lo < 30 {
				what = sp.Src.Text[sp.Lo:sp.Hi]
			}
			d = diag.New("E0706", last.Span(), "`%s` does not know what this is for", b.Name)
			r.errs.Add(d.WithHelp("say it by name, `U = %s`: %s", what, b.Params[i].Doc))
			return
		}
		if hi == 0 && positional == 1 && len(b.Params) > 0 { // an optimiser, a loss: all that they take is named
			r.errs.Add(byName(b, e))
			return
		}
		if ex := example(b); ex != "" {
			d.WithHelp("for example `%s`", ex)
		}
		r.errs.Add(d)
	}
}
