package eval

import (
	"context"
	"maps"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// Declare takes in the declarations of a file (models, functions, constants, unknowns, imports) without
// running its statements.
func (in *Interp) Declare(f *ast.File) error {
	l := in.declare(f)
	if l.HasErrors() {
		l.Sort()
		return l
	}
	for _, s := range f.Stmts {
		switch s.(type) {
		case *ast.Fn, *ast.Unknown, *ast.Decl, *ast.Model:
			if _, err := in.stmt(nil, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// Fork is a session of its own with what this one knows; the two may be used by different goroutines as long
// as neither declares anything. It is cheap: compiled models and the table are shared.
func (in *Interp) Fork() *Interp {
	c := *in
	c.vars = maps.Clone(in.vars)
	c.ctx = context.Background()
	c.failed = 0
	c.host.Show = c.Show
	return &c
}

// SetProgress sets who is told of the progress of long computations.
func (in *Interp) SetProgress(f func(Progress)) { in.o.Progress, in.host.Progress = f, f }

// CallVerb runs a verb with given arguments; those of exprs are texts of the language. A solve that ends early
// gives its partial solution together with the error.
func (in *Interp) CallVerb(ctx context.Context, name string, args map[string]value.Value, exprs map[string]string) (v Value, err error) {
	in.ctx = ctx
	defer func() {
		if r := recover(); r != nil { // a registered function's fault too
			v, err = nil, diag.New("E0799", diag.Span{}, "internal error: %v", r).WithHelp("a registered Go function may have panicked; else this is a fault of udl")
		}
	}()
	vb := in.verbs[name]
	at := map[string]diag.Span{}
	for key, text := range exprs {
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			text = "(" + text + ")" // where a statement begins, a brace opens no record
		}
		e, errs := parser.ParseExpr(diag.NewSource(key, text))
		if err := errs.Err(); err != nil {
			return nil, err
		}
		var p *sig.Param
		for i := range vb.Params {
			if vb.Params[i].Name == key {
				p = &vb.Params[i]
			}
		}
		if p == nil {
			p = anyName(&vb.Builtin)
		}
		v, err := in.typed(nil, p, e)
		if err != nil {
			return nil, err
		}
		if given, ok := args[key].(*value.Record); ok { // some of it was given as values
			if r, ok := v.(*value.Record); ok {
				r.Keys, r.Vals = append(r.Keys, given.Keys...), append(r.Vals, given.Vals...)
			}
		}
		args[key] = v
		at[key] = e.Span()
	}
	dir := in.o.Dir
	host := in.hostIn(dir)
	var warned *diag.Diagnostic
	host.Warn = func(d *diag.Diagnostic, failed bool) {
		if failed && d.Code != "E0535" { // of a training that was stopped the status tells
			warned = d
		}
	}
	host.Apply = func(fun value.Value, args ...value.Value) (value.Value, error) {
		return in.applyTo(nil, fun, &ast.Ident{Name: name}, args...)
	}
	call := &verb.Call{Host: &host, Ctx: ctx, Verb: vb, Args: args, At: at}
	v, err = vb.Run(call)
	err = call.Explain(err)
	if err == nil && warned != nil {
		err = warned
	}
	return v, err
}

// DeclareText checks and compiles what a text declares, as Declare does for a file that was parsed.
func (in *Interp) DeclareText(text string) error {
	f, errs := parser.Parse(diag.NewSource("text", text))
	if err := errs.Err(); err != nil {
		return err
	}
	return in.Declare(f)
}
