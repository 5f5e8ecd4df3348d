package ast

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func id(name string) *Ident { return &Ident{Name: name} }

func num(v float64) *Number { return &Number{Value: v} }

// Trees that a tool has made, without places and without brackets.
func TestExprString(t *testing.T) {
	a, b, c := id("a"), id("b"), id("c")
	op := func(op string, x, y Expr) Expr { return &Binary{Op: op, X: x, Y: y} }
	sum := &Reduce{Op: id("sum"), Binds: []*Bind{{Var: id("j"), Over: &Range{Lo: num(1), Hi: id("n")}}}, Body: op("*", a, b)}
	cond := &If{Cond: a, Then: b, Else: c}
	for _, x := range []struct {
		e    Expr
		want string
	}{
		{op("*", op("+", a, b), c), "(a + b)*c"},
		{op("-", a, op("-", b, c)), "a - (b - c)"},
		{op("-", op("-", a, b), c), "a - b - c"},
		{op("^", op("^", a, b), c), "(a^b)^c"},
		{op("^", a, op("^", b, c)), "a^b^c"},
		{op("^", &Unary{Op: "-", X: a}, b), "(-a)^b"},
		{op("^", a, &Unary{Op: "-", X: b}), "a^-b"},
		{&Unary{Op: "-", X: op("^", a, b)}, "-a^b"},
		{&Unary{Op: "-", X: op("+", a, b)}, "-(a + b)"},
		{&Unary{Op: "not", X: op("and", a, b)}, "not (a and b)"},
		{op("==", &Unary{Op: "not", X: a}, b), "(not a) == b"},
		{op("<", op("<", a, b), c), "(a < b) < c"},
		{op("+", sum, c), "sum[j in 1..n] a*b + c"},
		{op("*", sum, c), "(sum[j in 1..n] a*b)*c"},
		{op("*", c, sum), "c*sum[j in 1..n] a*b"},
		{op("*", op("*", c, sum), b), "c*(sum[j in 1..n] a*b)*b"},
		{&Unary{Op: "-", X: sum}, "-sum[j in 1..n] a*b"},
		{op("+", cond, a), "(if a then b else c) + a"},
		{op("then", a, cond), "a then (if a then b else c)"},
		{&If{Cond: a, Then: cond, Else: cond}, "if a then (if a then b else c) else if a then b else c"},
		{&Lambda{Params: []*Ident{a}, Body: op("then", a, b)}, "a -> a then b"},
		{&Lambda{Params: []*Ident{a, b}, Body: cond}, "(a, b) -> if a then b else c"},
		{op("+", &Lambda{Params: []*Ident{a}, Body: a}, b), "(a -> a) + b"},
		{op("+", &Record{Fields: []*Field{{Key: []*Ident{a, b}, Value: c}}}, b), "({a.b: c}) + b"},
		{&Range{Lo: op("-", id("n"), num(1)), Hi: a, By: op("+", a, b)}, "n-1..a by a+b"},
		{&Index{X: a, Args: []Expr{&Range{}, op("+", a, num(1)), &Bind{Var: id("i"), Over: &Range{Lo: num(1), Hi: num(3)}}}}, "a[.., a+1, i in 1..3]"},
		{&Prime{X: op("+", a, b)}, "(a + b)'"},
		{&Prime{X: &Prime{X: a}}, "a''"},
		{&Member{X: num(3), Name: a}, "(3).a"},
		{num(-3), "-3"},
		{op("^", num(-3), num(2)), "(-3)^2"},
		{op("-", a, num(-3)), "a - -3"},
		{num(1e21), "1e+21"},
		{num(math.Inf(1)), "inf"},
		{num(math.NaN()), "nan"},
		{&String{Value: "a\"b\\\n\t\r"}, `"a\"b\\\n\t\r"`},
		{&Formula{Decls: []Stmt{&Decl{Kind: "param", Items: []*Item{{Name: a, Value: num(1), Doc: "d"}}}}, Body: op("*", a, b)}, `{param a = 1 "d"; a*b}`},
		{nil, ""},
	} {
		if got := ExprString(x.e); got != x.want {
			t.Errorf("got %s, want %s", got, x.want)
		}
	}
}

func TestFormatWithoutPlaces(t *testing.T) {
	f := &File{Stmts: []Stmt{
		&Model{Name: id("M"), Body: []Stmt{
			&Decl{Kind: "state", Items: []*Item{{Name: id("x"), Value: num(1), Doc: "hares"}}},
			&Decl{Kind: "param", Items: []*Item{{Name: id("rate"), Value: num(0.25), Bounds: &Range{Lo: num(0), Hi: num(1)}, Doc: "growth"}}},
			&Equation{LHS: &Prime{X: id("x")}, RHS: id("x")},
			&Event{Kind: "when", Trigger: id("x"), Body: []*Update{{Target: id("x"), Value: num(0)}}},
			&Event{Kind: "every", Trigger: num(2), Doc: "d"},
		}},
		&ExprStmt{X: &Unary{Op: "-", X: id("x")}},
	}}
	want := `model M {
  state x = 1                "hares"
  param rate = 0.25 in 0..1  "growth"
  x' = x
  when x { x := 0 }
  every 2 "d" {}
}
(-x)
`
	if got := Format(f); got != want {
		t.Errorf("got\n%s", got)
	}
}

// Long calls, lists and sums are broken where they can be, within the width of a line.
func TestFormatBreaks(t *testing.T) {
	long := func(n int, name string) (l []Expr) {
		for range n {
			l = append(l, id(name))
		}
		return l
	}
	var sum Expr = id("alpha")
	for range 30 {
		sum = &Binary{Op: "+", X: sum, Y: &Binary{Op: "*", X: id("beta"), Y: id("gamma")}}
	}
	args := []*Arg{{Value: &List{Elems: long(40, "element")}}, {Name: id("option"), Value: &Record{Fields: []*Field{{Key: []*Ident{id("key")}, Value: sum}}}}}
	cond := &If{Cond: id("condition_of_some_length"), Then: &Call{Fun: id("first_function"), Args: args[:1]}, Else: sum}
	items := &Decl{Kind: "state"}
	for range 30 {
		items.Items = append(items.Items, &Item{Name: id("state_name"), Value: num(1)})
	}
	f := &File{Stmts: []Stmt{
		&Assign{Names: []*Ident{id("x")}, Value: &Call{Fun: id("f"), Args: args}},
		&Assign{Names: []*Ident{id("y")}, Value: sum},
		&Assign{Names: []*Ident{id("z")}, Value: cond},
		&Assign{Names: []*Ident{id("w")}, Value: &Call{Fun: id(strings.Repeat("long_name", 8)), Args: args[:1]}},
		&Assign{Names: []*Ident{id("v")}, Value: &Lambda{Params: []*Ident{id("s")}, Body: &Index{X: &Paren{X: sum}, Args: long(20, "index")}}},
		items,
	}}
	got := Format(f)
	for _, line := range strings.Split(got, "\n") {
		if len(line) > lineWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
		if strings.HasSuffix(line, " ") {
			t.Errorf("blank at the end: %q", line)
		}
	}
	if n := strings.Count(got, "\n"); n < 20 || n > 60 {
		t.Errorf("%d lines\n%s", n, got)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFprint(t *testing.T) {
	var b strings.Builder
	if err := Fprint(&b, &File{Stmts: []Stmt{&Version{Number: "1"}}}); err != nil || b.String() != "udl 1\n" {
		t.Error(b.String(), err)
	}
	if err := Fprint(full{}, &File{}); err == nil {
		t.Error("no error")
	}
	if got := Format(&File{}); got != "" {
		t.Errorf("%q", got)
	}
}
