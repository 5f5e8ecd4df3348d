package ast

import (
	"reflect"

	"github.com/udl-lang/udl/lang/diag"
)

// Span is the whole text of the file.
func (f *File) Span() diag.Span {
	if f.Src == nil {
		return diag.Span{}
	}
	return diag.Span{Src: f.Src, Lo: 0, Hi: len(f.Src.Text)}
}

// A Visitor's Visit is called for each node that Walk meets; when it returns a visitor w, the
// node's children are walked with w, followed by w.Visit(nil).
type Visitor interface{ Visit(n Node) (w Visitor) }

// Walk visits a tree depth first, in the order of the text. A nil node is not visited.
func Walk(v Visitor, n Node) {
	if !absent(n) {
		walk(v, n)
	}
}

func walk(v Visitor, n Node) {
	w := v.Visit(n)
	if w == nil {
		return
	}
	Children(n, func(c Node) { walk(w, c) })
	w.Visit(nil)
}

// Inspect calls f for every node, depth first, in the order of the text; the children of a
// node are left out where f returns false.
func Inspect(n Node, f func(Node) bool) {
	if !absent(n) {
		inspect(n, f)
	}
}

func inspect(n Node, f func(Node) bool) {
	if f(n) {
		Children(n, func(c Node) { inspect(c, f) })
	}
}

// absent catches nil interfaces, and nil pointers in one.
func absent(n Node) bool {
	if n == nil {
		return true
	}
	v := reflect.ValueOf(n)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// Children calls f for each direct child of a node, in the order of the text. Absent children
// are left out.
func Children(n Node, f func(Node)) {
	switch n := n.(type) {
	case *File:
		list(n.Stmts, f)
	case Expr:
		exprChildren(n, f)
	case Stmt:
		stmtChildren(n, f)
	case *Arg:
		one(n.Name, f)
		expr(n.Value, f)
	case *Field:
		list(n.Key, f)
		expr(n.Value, f)
	case *Item:
		one(n.Name, f)
		list(n.Shape, f)
		one(n.Unit, f)
		expr(n.Value, f)
		one(n.Bounds, f)
		expr(n.Prior, f)
	case *Update:
		expr(n.Target, f)
		expr(n.Value, f)
	}
}

func one[T any, P interface {
	*T
	Node
}](n P, f func(Node)) {
	if n != nil {
		f(n)
	}
}

func expr(e Expr, f func(Node)) {
	if e != nil {
		f(e)
	}
}

func list[N Node](l []N, f func(Node)) {
	for _, n := range l {
		f(n)
	}
}

func exprChildren(e Expr, f func(Node)) {
	switch e := e.(type) {
	case *Unary:
		expr(e.X, f)
	case *Binary:
		expr(e.X, f)
		expr(e.Y, f)
	case *Call:
		expr(e.Fun, f)
		list(e.Args, f)
	case *Index:
		expr(e.X, f)
		list(e.Args, f)
	case *Member:
		expr(e.X, f)
		one(e.Name, f)
	case *Prime:
		expr(e.X, f)
	case *If:
		expr(e.Cond, f)
		expr(e.Then, f)
		expr(e.Else, f)
	case *Lambda:
		list(e.Params, f)
		expr(e.Body, f)
	case *Range:
		expr(e.Lo, f)
		expr(e.Hi, f)
		expr(e.By, f)
		expr(e.At, f)
	case *List:
		list(e.Elems, f)
	case *Tuple:
		list(e.Elems, f)
	case *Paren:
		expr(e.X, f)
	case *Record:
		list(e.Fields, f)
	case *Formula:
		list(e.Decls, f)
		expr(e.Body, f)
	case *Reduce:
		one(e.Op, f)
		list(e.Binds, f)
		expr(e.Body, f)
	case *Bind:
		one(e.Var, f)
		expr(e.Over, f)
	}
}

func stmtChildren(s Stmt, f func(Node)) {
	switch s := s.(type) {
	case *Assign:
		list(s.Names, f)
		expr(s.Value, f)
	case *ExprStmt:
		expr(s.X, f)
	case *For:
		one(s.Var, f)
		expr(s.Over, f)
		list(s.Body, f)
	case *IfStmt:
		expr(s.Cond, f)
		list(s.Then, f)
		list(s.Else, f)
	case *Model:
		one(s.Name, f)
		list(s.Body, f)
	default:
		declChildren(s, f)
	}
}

func declChildren(s Stmt, f func(Node)) {
	switch s := s.(type) {
	case *Decl:
		list(s.Items, f)
	case *Time:
		one(s.Unit, f)
	case *Let:
		list(s.Names, f)
		one(s.Unit, f)
		expr(s.Value, f)
	case *Fn:
		one(s.Name, f)
		list(s.Params, f)
		expr(s.Body, f)
	case *Unknown:
		one(s.Name, f)
		list(s.Params, f)
		list(s.Outs, f)
		expr(s.Rep, f)
	case *Equation:
		expr(s.LHS, f)
		expr(s.RHS, f)
	case *Noise:
		one(s.Name, f)
		one(s.Correlated, f)
	case *Setting:
		expr(s.Value, f)
	case *History:
		one(s.Name, f)
		expr(s.Value, f)
	case *Event:
		expr(s.Trigger, f)
		expr(s.After, f)
		expr(s.Priority, f)
		list(s.Body, f)
	case *Axis:
		one(s.Name, f)
		one(s.Unit, f)
		expr(s.Over, f)
		expr(s.Points, f)
	case *FieldDecl:
		one(s.Name, f)
		list(s.Axes, f)
		one(s.Unit, f)
		expr(s.Value, f)
	case *Boundary:
		expr(s.LHS, f)
		expr(s.RHS, f)
	case *Observe:
		expr(s.Target, f)
		expr(s.Dist, f)
	case *Part:
		one(s.Name, f)
		expr(s.Value, f)
	case *updateLine:
		f(s.update)
	}
}
