package check

import (
	"maps"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// External is a Go function registered by an embedder: a name and its number of scalar arguments.
type External struct {
	Name string
	N    int
}

// Scope is what a model sees of the script it stands in: functions, constants, unknowns and models declared
// at top level, registered Go functions, and, for messages only, the names of script variables. A later declaration of
// a name takes the place of an earlier one. A Scope may be read by several goroutines at once.
type Scope struct {
	fns       map[string]*ast.Fn
	consts    map[string]*ast.Item
	unknowns  map[string]*ast.Unknown
	models    map[string]*ast.Model
	externals map[string]External
	script    map[string]bool
}

// NewScope makes an empty scope.
func NewScope() *Scope {
	return &Scope{fns: map[string]*ast.Fn{}, consts: map[string]*ast.Item{}, unknowns: map[string]*ast.Unknown{},
		models: map[string]*ast.Model{}, externals: map[string]External{}, script: map[string]bool{}}
}

// Clone makes a copy that can be added to without changing the original.
func (s *Scope) Clone() *Scope {
	return &Scope{fns: maps.Clone(s.fns), consts: maps.Clone(s.consts), unknowns: maps.Clone(s.unknowns),
		models: maps.Clone(s.models), externals: maps.Clone(s.externals), script: maps.Clone(s.script)}
}

func (s *Scope) forget(name string) {
	delete(s.fns, name)
	delete(s.consts, name)
	delete(s.unknowns, name)
	delete(s.models, name)
}

// AddFn declares a function.
func (s *Scope) AddFn(f *ast.Fn) {
	s.forget(f.Name.Name)
	s.fns[f.Name.Name] = f
}

// AddConst declares the constants of `const a = 1, b = 2`.
func (s *Scope) AddConst(d *ast.Decl) {
	for _, it := range d.Items {
		s.forget(it.Name.Name)
		s.consts[it.Name.Name] = it
	}
}

// AddUnknown declares a function to be learned; each model that calls it has weights of its own.
func (s *Scope) AddUnknown(u *ast.Unknown) {
	s.forget(u.Name.Name)
	s.unknowns[u.Name.Name] = u
}

// AddModel declares a model, which others may have as a part.
func (s *Scope) AddModel(m *ast.Model) {
	s.forget(m.Name.Name)
	s.models[m.Name.Name] = m
}

// AddExternal registers a Go function of n scalar arguments.
func (s *Scope) AddExternal(name string, n int) { s.externals[name] = External{name, n} }

// Declares says whether a function, constant or unknown of that name is declared at top level.
func (s *Scope) Declares(name string) bool {
	return s.fns[name] != nil || s.consts[name] != nil || s.unknowns[name] != nil
}

// Uses lists the functions, constants and unknowns of the script that a model uses, those first that others use.
func (s *Scope) Uses(m *ast.Model) (out []ast.Stmt) {
	seen := map[string]bool{}
	for _, d := range m.Body { // what the model declares itself
		switch d := d.(type) {
		case *ast.Decl:
			for _, it := range d.Items {
				seen[it.Name.Name] = true
			}
		case *ast.Let:
			for _, n := range d.Names {
				seen[n.Name] = true
			}
		case *ast.Fn:
			seen[d.Name.Name] = true
		case *ast.Unknown:
			seen[d.Name.Name] = true
		}
	}
	var visit func(n ast.Node)
	visit = func(n ast.Node) {
		ast.Inspect(n, func(x ast.Node) bool {
			id, ok := x.(*ast.Ident)
			if !ok || seen[id.Name] || !s.Declares(id.Name) {
				return true
			}
			seen[id.Name] = true
			var d ast.Stmt
			switch {
			case s.fns[id.Name] != nil:
				d = s.fns[id.Name]
			case s.unknowns[id.Name] != nil:
				d = s.unknowns[id.Name]
			default:
				d = &ast.Decl{Kind: "const", Items: []*ast.Item{s.consts[id.Name]}}
			}
			visit(d)
			out = append(out, d)
			return true
		})
	}
	visit(m)
	return out
}

// SetScriptNames says which names are variables of the script. A model does not see them; they are
// for the message that says so.
func (s *Scope) SetScriptNames(names map[string]bool) { s.script = names }

// Resolver says what a lambda may read.
type Resolver interface {
	// Member is s.x, s.t, s.U.W1 for a parameter s of the lambda; path has one name or more. The symbol has
	// Kind Given; that of a series has the output times as first axis. The same path gives the same symbol.
	Member(param string, path []string, span diag.Span) (*model.Symbol, *diag.Diagnostic)
	// Capture is the value of a script's variable, row-major, if the script has one that is made of numbers.
	Capture(name string) (vals []float64, shape types.Shape, ok bool)
}
