package verb

import (
	"fmt"
	"slices"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// Terms that were found are put into models that have names of their own. Coefficients get names that nothing near them has, and a
// term whose names mean something else in a model is refused there.

// namesIn lists the names that an expression uses, each once: of quantities and of functions, not of options.
func namesIn(e ast.Expr) (out []*ast.Ident) {
	seen := map[string]bool{}
	options := map[*ast.Ident]bool{}
	ast.Inspect(e, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.Arg:
			options[x.Name] = true
		case *ast.Member:
			options[x.Name] = true
		case *ast.Ident:
			if !seen[x.Name] && !options[x] {
				seen[x.Name] = true
				out = append(out, x)
			}
		}
		return true
	})
	return out
}

// coefficientNames gives names for n coefficients of terms: c1, c2, … unless one of these is the name of an input, is used in a term
// or is declared in the script.
func (c *Call) coefficientNames(n int, inputs []string, terms []ast.Expr) func(k int) string {
	taken := map[string]bool{}
	for _, in := range inputs {
		taken[in] = true
	}
	for _, t := range terms {
		for _, id := range namesIn(t) {
			taken[id.Name] = true
		}
	}
	for _, prefix := range []string{"c", "k", "a", "b", "p", "q", "w"} {
		if free(prefix, n, func(s string) bool { return taken[s] || c.TopLevel(s) }) {
			return numbered(prefix)
		}
	}
	for prefix := "c_"; ; prefix += "_" {
		if free(prefix, n, func(s string) bool { return taken[s] || c.TopLevel(s) }) {
			return numbered(prefix)
		}
	}
}

func numbered(prefix string) func(k int) string {
	return func(k int) string { return fmt.Sprintf("%s%d", prefix, k) }
}

func free(prefix string, n int, taken func(string) bool) bool {
	for k := range n {
		if taken(numbered(prefix)(k + 1)) {
			return false
		}
	}
	return true
}

// declaredIn finds what a model itself declares under a name.
func declaredIn(m *ast.Model, name string) *ast.Ident {
	for _, s := range m.Body {
		switch d := s.(type) {
		case *ast.Decl:
			for _, it := range d.Items {
				if it.Name.Name == name {
					return it.Name
				}
			}
		case *ast.Let:
			for _, n := range d.Names {
				if n.Name == name {
					return n
				}
			}
		case *ast.Fn:
			if d.Name.Name == name {
				return d.Name
			}
		case *ast.Unknown:
			if d.Name.Name == name {
				return d.Name
			}
		}
	}
	return nil
}

// otherMeaning refuses terms in the names of inputs that a model would read otherwise: a constant or function that they have from the
// script, where the model has its own of that name.
func (c *Call) otherMeaning(m *ast.Model, inputs []string, terms []ast.Expr, arg string) error {
	for _, e := range terms {
		if err := c.otherMeaningIn(m, inputs, e, arg, "the term `"+ast.ExprString(e)+"`"); err != nil {
			return err
		}
	}
	return nil
}

func (c *Call) otherMeaningIn(m *ast.Model, inputs []string, e ast.Expr, arg, what string) error {
	for _, id := range namesIn(e) {
		own := declaredIn(m, id.Name)
		if slices.Contains(inputs, id.Name) || own == nil || !c.TopLevel(id.Name) {
			continue
		}
		at := id.Span()
		if at.IsZero() || arg != "basis" {
			at = c.SpanOf(arg)
		}
		return diag.New("E0812", at, "`%s` in %s is not what %s calls `%s`", id.Name, what, m.Name.Name, id.Name).At("here `%s` is the script's", id.Name).
			And(own.Span(), "the model's own").WithHelp("rename one of the two, or make the quantity of the model an input of the unknown function")
	}
	return nil
}
