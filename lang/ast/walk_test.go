package ast

import (
	"reflect"
	"strings"
	"testing"
)

// nodeTypes are all kinds of node. A kind that Children does not know would hide its parts from
// everything built on it.
var nodeTypes = []Node{
	&Number{}, &String{}, &Bool{}, &Ident{}, &Unary{}, &Binary{}, &Call{}, &Arg{}, &Index{}, &Member{}, &Prime{}, &If{}, &Lambda{},
	&Range{}, &List{}, &Tuple{}, &Paren{}, &Record{}, &Field{}, &Formula{}, &Reduce{}, &Bind{},
	&Version{}, &Import{}, &Assign{}, &ExprStmt{}, &For{}, &IfStmt{}, &Model{}, &Decl{}, &Item{}, &Time{}, &Let{}, &Fn{}, &Unknown{},
	&Equation{}, &Noise{}, &Setting{}, &History{}, &Event{}, &Update{}, &Axis{}, &FieldDecl{}, &Boundary{}, &Observe{}, &Part{}, &Unit{},
}

var (
	nodeType = reflect.TypeFor[Node]()
	exprType = reflect.TypeFor[Expr]()
	stmtType = reflect.TypeFor[Stmt]()
)

// fill puts a node into every field that holds nodes, and counts them.
func fill(n Node) int {
	v := reflect.ValueOf(n).Elem()
	count := 0
	for i := range v.NumField() {
		f := v.Field(i)
		t := f.Type()
		slice := t.Kind() == reflect.Slice
		if slice {
			t = t.Elem()
		}
		var child reflect.Value
		switch {
		case t == exprType:
			child = reflect.ValueOf(&Ident{Name: "x"})
		case t == stmtType:
			child = reflect.ValueOf(&Version{})
		case t.Kind() == reflect.Pointer && t.Implements(nodeType):
			child = reflect.New(t.Elem())
		default:
			continue
		}
		count++
		if slice {
			f.Set(reflect.Append(f, child))
		} else {
			f.Set(child)
		}
	}
	return count
}

func TestChildrenOfEveryNode(t *testing.T) {
	for _, n := range nodeTypes {
		if c := 0; true {
			Children(n, func(Node) { c++ })
			if c != 0 {
				t.Errorf("%T: %d children of an empty node", n, c)
			}
		}
		want, got := fill(n), 0
		Children(n, func(Node) { got++ })
		if got != want {
			t.Errorf("%T: %d children, want %d", n, got, want)
		}
	}
}

type counter struct{ in, out *int }

func (c counter) Visit(n Node) Visitor {
	if n == nil {
		*c.out++
		return nil
	}
	*c.in++
	if _, ok := n.(*Call); ok {
		return nil
	}
	return c
}

func TestWalk(t *testing.T) {
	x := &Ident{Name: "x"}
	e := &Binary{Op: "+", X: &Unary{Op: "-", X: x}, Y: &Call{Fun: x, Args: []*Arg{{Value: x}}}}
	f := &File{Stmts: []Stmt{&ExprStmt{X: e}, &Assign{Names: []*Ident{x}, Value: x}}}
	var in, out int
	Walk(counter{&in, &out}, f)
	if in != 9 || out != 8 {
		t.Errorf("%d in, %d out", in, out)
	}
	var order []string
	Inspect(f, func(n Node) bool {
		order = append(order, strings.TrimPrefix(reflect.TypeOf(n).String(), "*ast."))
		_, unary := n.(*Unary)
		return !unary
	})
	if got := strings.Join(order, " "); got != "File ExprStmt Binary Unary Call Ident Arg Ident Assign Ident Ident" {
		t.Error(got)
	}
	Inspect(nil, func(Node) bool { t.Error("visited"); return true })
	Inspect((*Ident)(nil), func(Node) bool { t.Error("visited"); return true })
	Walk(counter{&in, &out}, (*File)(nil))
}

func TestOperators(t *testing.T) {
	seen := map[string]bool{}
	last := Prec(0)
	for _, op := range Operators {
		if seen[op.Text] {
			t.Errorf("%s is there twice", op.Text)
		}
		if op.Prec < last {
			t.Errorf("%s is out of order", op.Text)
		}
		seen[op.Text], last = true, op.Prec
		if got, ok := Infix(op.Text); !ok || got != op {
			t.Errorf("%s is not found", op.Text)
		}
	}
	if _, ok := Infix("->"); ok {
		t.Error("-> is no infix operator")
	}
}
