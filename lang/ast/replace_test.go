package ast_test

import (
	"testing"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
)

// A call deep in a model is replaced in a copy; the tree itself stays as it is, and what does not change is shared.
func TestReplace(t *testing.T) {
	f, errs := parser.Parse(diag.NewSource("m", "model M {\n  state x = 1\n  let v = if x > 0 then NN(x, hidden = [2]) else [NN(2*x)]\n  x' = v\n}\n"))
	if errs.HasErrors() {
		t.Fatal(errs)
	}
	m := f.Stmts[0].(*ast.Model)
	before := ast.Format(f)
	n := 0
	out := ast.Replace(m, func(e ast.Expr) (ast.Expr, bool) {
		c, ok := e.(*ast.Call)
		if !ok {
			return nil, false
		}
		if id, ok := c.Fun.(*ast.Ident); !ok || id.Name != "NN" {
			return nil, false
		}
		n++
		return &ast.Ident{Name: "y"}, true
	})
	if n != 2 || ast.Format(f) != before {
		t.Fatalf("%d replaced; the tree is now\n%s", n, ast.Format(f))
	}
	want := "model M {\n  state x = 1\n  let v = if x > 0 then y else [y]\n  x' = v\n}\n"
	if got := ast.Format(&ast.File{Stmts: []ast.Stmt{out}}); got != want {
		t.Errorf("got\n%s", got)
	}
	if out.Body[0] != m.Body[0] || out.Body[2] != m.Body[2] {
		t.Error("what did not change is copied")
	}
	if same := ast.Replace(m, func(ast.Expr) (ast.Expr, bool) { return nil, false }); same != m {
		t.Error("a tree without changes is copied")
	}
}
