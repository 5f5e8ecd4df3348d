package eval

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/value"
)

// unusedSets names values given on the command line that nothing in the file takes.
func (in *Interp) unusedSets(f *ast.File) (l diag.List) {
	var names []string
	constant := map[string]bool{}
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Decl:
			for _, it := range s.Items {
				names = append(names, it.Name.Name)
				constant[it.Name.Name] = true
			}
		case *ast.Model:
			for _, t := range in.checked[s].System.Theta {
				names = append(names, t.Name)
			}
		}
	}
	given := map[string]bool{}
	for name := range in.o.Sets {
		given[name] = true
	}
	for name := range in.o.Texts {
		given[name] = true
	}
	for name := range given {
		if slices.Contains(names, name) {
			if _, number := in.o.Sets[name]; !number && !constant[name] {
				l.Add(diag.New("E0714", diag.Span{}, "--set %s wants a number, not `%s`", name, in.o.Texts[name]))
			}
			continue
		}
		d := diag.New("E0714", diag.Span{}, "--set %s: nothing in the file bears this name", name)
		if s := diag.Suggest(name, names); s != "" {
			d.WithHelp("did you mean `%s`?", s)
		}
		l.Add(d)
	}
	return l
}

// given is the value of a constant of the script: that of the command line, which reaches these too, in place of its own. It stays a text or a number.
func (in *Interp) given(it *ast.Item, own value.Value) (value.Value, error) {
	name := it.Name.Name
	_, isText := own.(value.Text)
	x, given := in.o.Texts[name]
	switch {
	case isText && given:
		return value.Text(x), nil
	case isText:
		return own, nil
	}
	if x, ok := in.o.Sets[name]; ok {
		return value.Num(x), nil
	}
	if given {
		return nil, diag.New("E0714", it.Span(), "--set %s wants a number, not `%s`", name, x)
	}
	return own, nil
}

// declare takes note of everything declared at top level and checks the models, so that all mistakes
// are found before anything runs.
func (in *Interp) declare(f *ast.File) (l diag.List) {
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Import:
			if err := in.importFile(s); err != nil {
				l = append(l, asList(err, s.Span())...)
			}
		case *ast.Fn:
			in.scope.AddFn(s)
		case *ast.Unknown:
			in.scope.AddUnknown(s)
		case *ast.Decl:
			if s.Kind != "const" {
				l.Add(diag.New("E0710", s.Span(), "`%s` belongs in a model", s.Kind).
					WithHelp("put it into `model Name { … }`"))
				continue
			}
			in.scope.AddConst(s)
		case *ast.Model:
			in.scope.AddModel(s)
		}
	}
	names := map[string]bool{}
	for k := range in.vars {
		names[k] = true
	}
	assigned(f.Stmts, names)
	in.scope.SetScriptNames(names)
	l = append(l, misplaced(f.Stmts, false)...)
	l = append(l, declaredTwice(f.Stmts)...)
	if l.HasErrors() {
		return l
	}
	for _, s := range f.Stmts {
		m, ok := s.(*ast.Model)
		if !ok {
			continue
		}
		checked, errs := check.Model(m, in.scope, in.table)
		l = append(l, errs...)
		if errs.HasErrors() {
			continue
		}
		c, err := compiler.CompileWith(checked, in.table, code.Options{Portable: in.o.Portable})
		if err != nil {
			l = append(l, asList(err, m.Span())...)
			continue
		}
		in.checked[m] = c
	}
	return l
}

// compileModel checks and compiles a model that was made rather than written.
func (in *Interp) compileModel(m *ast.Model) (*compiler.Compiled, error) {
	checked, errs := check.Model(m, in.scope, in.table)
	if errs.HasErrors() {
		return nil, errs
	}
	return compiler.CompileWith(checked, in.table, code.Options{Portable: in.o.Portable})
}

// misplaced finds declarations inside the blocks of loops and conditions: what a file declares holds for all of it.
func misplaced(stmts []ast.Stmt, inside bool) (l diag.List) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.For:
			l = append(l, misplaced(s.Body, true)...)
		case *ast.IfStmt:
			l = append(l, misplaced(s.Then, true)...)
			l = append(l, misplaced(s.Else, true)...)
		case *ast.Assign, *ast.ExprStmt:
		default:
			if inside {
				l.Add(diag.New("E0710", s.Span(), "a declaration stands at top level, not inside a block").WithHelp("move it out of the `for` or `if`"))
			}
		}
	}
	return l
}

// declaredTwice finds names that one file declares twice.
func declaredTwice(stmts []ast.Stmt) (l diag.List) {
	first := map[string]diag.Span{}
	add := func(n *ast.Ident) {
		if at, ok := first[n.Name]; ok {
			l.Add(diag.New("E0202", n.Span(), "`%s` is declared twice", n.Name)).At("declared again").And(at, "first declared here").WithHelp("rename one of them")
			return
		}
		first[n.Name] = n.Span()
	}
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.Model:
			add(s.Name)
		case *ast.Fn:
			add(s.Name)
		case *ast.Unknown:
			add(s.Name)
		case *ast.Decl:
			for _, it := range s.Items {
				add(it.Name)
			}
		}
	}
	return l
}

// assigned collects the names that statements give values to.
func assigned(stmts []ast.Stmt, into map[string]bool) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.Assign:
			for _, n := range s.Names {
				into[n.Name] = true
			}
		case *ast.For:
			assigned(s.Body, into)
		case *ast.IfStmt:
			assigned(s.Then, into)
			assigned(s.Else, into)
		}
	}
}

func asList(err error, at diag.Span) diag.List {
	if l := diag.From(err); len(l) > 0 {
		return l
	}
	return diag.List{diag.New("E0700", at, "%v", err)}
}

// importFile brings in the declarations of another file: its models, functions, constants and
// unknowns. Its statements are not run.
func (in *Interp) importFile(s *ast.Import) error {
	dir := in.o.Dir
	if len(in.dirs) > 0 {
		dir = in.dirs[len(in.dirs)-1]
	}
	h := in.hostIn(dir)
	name := h.Path(s.Path)
	for _, n := range in.importing {
		if n == name {
			return diag.New("E0711", s.Span(), "`%s` imports itself: %s", s.Path, strings.Join(append(in.importing, name), " → "))
		}
	}
	f, err := in.Load(name)
	if err != nil {
		if d := diag.From(err); len(d) == 1 && d[0].Span().IsZero() {
			d[0].Labels[0].Span = s.Span()
		}
		return err
	}
	in.importing = append(in.importing, name)
	in.dirs = append(in.dirs, filepath.Dir(name))
	defer func() {
		in.importing = in.importing[:len(in.importing)-1]
		in.dirs = in.dirs[:len(in.dirs)-1]
	}()
	if l := in.declare(f); l.HasErrors() {
		return l
	}
	for _, st := range f.Stmts {
		switch st.(type) {
		case *ast.Fn, *ast.Unknown, *ast.Decl, *ast.Model:
			if _, err := in.stmt(nil, st); err != nil {
				return err
			}
		}
	}
	return nil
}
