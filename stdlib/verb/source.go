package verb

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

var sourceRow = verb("source", "text", "A model as text in the language, with its present values in place of the defaults: what a fit or `put_back` gave, to be read, kept and edited. `save(m, \"m.udl\")` writes it to a file. Weights of networks are no part of it.",
	"model M { param k = 1; state x = 1; x' = -k*x }\nprint(source(fit(M, t = 0..1 by 0.1, loss = s -> (s.x[end] - 0.5)^2)))", sourceVerb,
	arg("model", "model", "", ""))

func sourceVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	return value.Text(strings.TrimSuffix(c.sourceText(m), "\n")), nil
}

func (c *Call) writeSource(w io.Writer, m *value.Model) error {
	_, err := io.WriteString(w, c.sourceText(m))
	return err
}

// sourceText is a model, and what it uses of its script, as a file.
func (c *Call) sourceText(m *value.Model) string {
	tree := m.C.Syntax()
	s := &sourcing{m: m, base: m.C.System.Defaults()}
	stmts := append(c.Outer(tree), tree)
	f := &ast.File{}
	for _, st := range stmts {
		switch d := st.(type) {
		case *ast.Model:
			k := *d
			k.Body = nil
			for _, b := range d.Body {
				k.Body = append(k.Body, s.stmt(b))
			}
			f.Stmts = append(f.Stmts, &k)
		default:
			f.Stmts = append(f.Stmts, s.stmt(st))
		}
	}
	text := ast.Format(f)
	for _, name := range networks(m) {
		text = fmt.Sprintf("# The weights of %s are not in this text: save the model to a .safetensors file for them.\n", name) + text
	}
	return text
}

// networks names the unknowns of a model whose weights have no place in a text: all but formulas.
func networks(m *value.Model) (names []string) {
	for _, u := range m.C.Model.Unknowns {
		if u.Rep != nil {
			names = append(names, u.Name)
		}
	}
	return names
}

// sourcing puts a model's values into its declarations.
type sourcing struct {
	m    *value.Model
	base []float64
}

func (s *sourcing) stmt(st ast.Stmt) ast.Stmt {
	switch d := st.(type) {
	case *ast.Decl:
		return s.decl(d, "")
	case *ast.Unknown:
		f, ok := d.Rep.(*ast.Formula)
		if !ok {
			return d
		}
		u, g := *d, *f
		g.Decls = nil
		for _, x := range f.Decls {
			if p, ok := x.(*ast.Decl); ok {
				x = s.decl(p, d.Name.Name+".")
			}
			g.Decls = append(g.Decls, x)
		}
		u.Rep = &g
		return &u
	}
	return st
}

// decl is a declaration with the values of its quantities, where they are not what it says.
func (s *sourcing) decl(d *ast.Decl, owner string) ast.Stmt {
	out := *d
	out.Items = slices.Clone(d.Items)
	sys := s.m.C.System
	for i, it := range d.Items {
		name := owner + it.Name.Name + strings.Repeat("'", it.Order)
		role := []system.Role{system.RoleParam, system.RoleConst}
		state := false
		switch d.Kind {
		case "state", "latent", "discrete":
			role, state = []system.Role{system.RoleInit}, true
		case "param", "const":
			if owner != "" {
				role = []system.Role{system.RoleWeight}
			}
		default:
			continue
		}
		sl := sys.Find(name, role...)
		if sl == nil {
			continue
		}
		now := s.m.Theta[sl.Off : sl.Off+sl.Size()]
		if flag := sys.Find(name, system.RoleFlag); state && (flag == nil || s.m.Theta[flag.Off] != 1) || !state && slices.Equal(now, s.base[sl.Off:sl.Off+sl.Size()]) {
			continue
		}
		k := *it
		k.Value = literal(now, sl.Shape)
		out.Items[i] = &k
	}
	return &out
}

// literal is an array as it is written.
func literal(v []float64, shape types.Shape) ast.Expr {
	if len(shape) == 0 {
		return number(v[0])
	}
	l := &ast.List{}
	n := shape[1:].Size()
	for i := range shape[0] {
		l.Elems = append(l.Elems, literal(v[i*n:(i+1)*n], shape[1:]))
	}
	return l
}
