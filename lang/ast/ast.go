package ast

import (
	"github.com/udl-lang/udl/lang/diag"
)

// Node is anything with a place in the source.
type Node interface{ Span() diag.Span }

// Base carries the place of a node; every node embeds it.
type Base struct{ Sp diag.Span }

// Span is where the node stands.
func (b *Base) Span() diag.Span { return b.Sp }

// SetSpan is for the parser and for tools that build trees.
func (b *Base) SetSpan(s diag.Span) { b.Sp = s }

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

// Stmt is a statement of a script or a declaration of a model.
type Stmt interface {
	Node
	stmt()
}

// File is one source text: models and statements. The prompt's entry is one too.
type File struct {
	Src      *diag.Source
	Stmts    []Stmt
	Comments []Comment // in order of place; kept for the printer
}

// Comment is one `#` comment without its line end.
type Comment struct {
	Base
	Text string // from the # on
}

// ---- expressions ----

type (
	// Number is a literal; Text is as written.
	Number struct {
		Base
		Value float64
		Text  string
	}
	// String is a literal in double quotes; Value is unescaped.
	String struct {
		Base
		Value string
	}
	// Bool is true or false.
	Bool struct {
		Base
		Value bool
	}
	// Ident is a name, `end` inside an index included.
	Ident struct {
		Base
		Name string
	}
	// Unary is -x, +x or not x.
	Unary struct {
		Base
		Op string
		X  Expr
	}
	// Binary is every infix operator of the operator table: `then`, `or`, `and`,
	// comparisons, + - * / @ ^.
	Binary struct {
		Base
		Op     string
		OpSpan diag.Span
		X, Y   Expr
	}
	// Call is f(a, name = b). Fun is an Ident, a Member, or another Call (d(u, s)(s = 1)).
	Call struct {
		Base
		Fun  Expr
		Args []*Arg
	}
	// Arg is one argument; Name is nil when positional.
	Arg struct {
		Base
		Name  *Ident
		Value Expr
	}
	// Index is x[a, b]. An argument may be a Range (`..` alone has no ends) or, on
	// the left of an equation, a Bind.
	Index struct {
		Base
		X    Expr
		Args []Expr
	}
	// Member is x.name.
	Member struct {
		Base
		X    Expr
		Name *Ident
	}
	// Prime is x', the derivative by time; x'' is a Prime of a Prime.
	Prime struct {
		Base
		X Expr
	}
	// If is if c then a else b.
	If struct {
		Base
		Cond, Then, Else Expr
	}
	// Lambda is s -> e or (a, b) -> e.
	Lambda struct {
		Base
		Params []*Ident
		Body   Expr
	}
	// Range is lo..hi, with an optional `by` step or `at` list. Alone in an index
	// Lo and Hi are nil.
	Range struct {
		Base
		Lo, Hi Expr
		By, At Expr
	}
	// List is [a, b]; a matrix is a List of Lists.
	List struct {
		Base
		Elems []Expr
	}
	// Tuple is (a, b); one element in brackets is a Paren.
	Tuple struct {
		Base
		Elems []Expr
	}
	// Paren keeps brackets as written.
	Paren struct {
		Base
		X Expr
	}
	// Record is {alpha: 1, U.W1: [[1]]}.
	Record struct {
		Base
		Fields []*Field
	}
	// Field is one entry of a record; Key is a dotted path of one or more names, the last of which has Primes derivatives, as in {x': 1}.
	Field struct {
		Base
		Key    []*Ident
		Primes int
		Value  Expr
	}
	// Formula is a representation with parameters of its own:
	// {param a = 1; param b = 0; a*tanh(b*x)}.
	Formula struct {
		Base
		Decls []Stmt
		Body  Expr
	}
	// Reduce is sum[j in 1..n] body; Op is sum, prod, min, max or mean.
	Reduce struct {
		Base
		Op    *Ident
		Binds []*Bind
		Body  Expr
	}
	// Bind is j in 1..n, in a Reduce or in the index of an equation's left side.
	Bind struct {
		Base
		Var  *Ident
		Over Expr
	}
)

func (*Number) expr()  {}
func (*String) expr()  {}
func (*Bool) expr()    {}
func (*Ident) expr()   {}
func (*Unary) expr()   {}
func (*Binary) expr()  {}
func (*Call) expr()    {}
func (*Index) expr()   {}
func (*Member) expr()  {}
func (*Prime) expr()   {}
func (*If) expr()      {}
func (*Lambda) expr()  {}
func (*Range) expr()   {}
func (*List) expr()    {}
func (*Tuple) expr()   {}
func (*Paren) expr()   {}
func (*Record) expr()  {}
func (*Formula) expr() {}
func (*Reduce) expr()  {}
func (*Bind) expr()    {}

// ---- statements of a script ----

type (
	// Version is `udl 1`.
	Version struct {
		Base
		Number string
	}
	// Import is import "file.udl".
	Import struct {
		Base
		Path string
	}
	// Assign is name = e; with several names the value is a tuple.
	Assign struct {
		Base
		Names []*Ident
		Value Expr
	}
	// ExprStmt is an expression for its effect (in a script) or for its value (at the prompt).
	ExprStmt struct {
		Base
		X Expr
	}
	// For is for x in e { … }.
	For struct {
		Base
		Var  *Ident
		Over Expr
		Body []Stmt
	}
	// IfStmt is if c { … } else { … }; Else is nil when absent, and may hold one IfStmt.
	IfStmt struct {
		Base
		Cond Expr
		Then []Stmt
		Else []Stmt
	}
	// Model is model Name "doc" { … }.
	Model struct {
		Base
		Name *Ident
		Doc  string
		Body []Stmt
	}
)

// ---- declarations ----

type (
	// Decl is param, const, state, latent, discrete or input, with its items.
	Decl struct {
		Base
		Kind  string
		Items []*Item
	}
	// Item is one declared quantity: name[shape]' : unit = value in lo..hi ~ prior "doc".
	Item struct {
		Base
		Name   *Ident
		Shape  []Expr
		Order  int // the number of primes: 1 in `state x = 1, x' = 0`
		Unit   *Unit
		Value  Expr // nil when missing
		Bounds *Range
		Prior  Expr
		Doc    string
	}
	// Time is `time : year`.
	Time struct {
		Base
		Unit *Unit
	}
	// Let is let v = e, or let (a, b) = e.
	Let struct {
		Base
		Names []*Ident
		Unit  *Unit
		Value Expr
		Doc   string
	}
	// Fn is fn hill(x, k, n) = e, at top level or in a model.
	Fn struct {
		Base
		Name   *Ident
		Params []*Ident
		Body   Expr
		Doc    string
	}
	// Unknown is unknown U(x, y) -> (a, b) = REPRESENTATION. Outs is nil when no
	// arrow is written (one output).
	Unknown struct {
		Base
		Name   *Ident
		Params []*Ident
		Outs   []*Ident
		Rep    Expr
		Doc    string
	}
	// Equation is a derivative (x' = e, u[i in 2..3]' = e, der(x) = e, d/dt(x) = e,
	// caputo(x, a) = e), a constraint (0 = e) or an equation linear in derivatives.
	// The printer writes x' for der(x) and d/dt(x); the parser turns both into Prime.
	Equation struct {
		Base
		LHS, RHS Expr
		Doc      string
	}
	// Noise is noise W, noise B correlated {W: 0.3}.
	Noise struct {
		Base
		Name       *Ident
		Correlated *Record
		Doc        string
	}
	// Setting is calculus ito, scheme upwind, order 4.
	Setting struct {
		Base
		Word  string
		Value Expr
	}
	// History is history x = e.
	History struct {
		Base
		Name  *Ident
		Value Expr
	}
	// Event is when, at, every, stop or jump.
	Event struct {
		Base
		Kind      string // "when", "at", "every", "stop", "jump"
		Trigger   Expr   // condition, time, period, or rate
		Direction string // "", "rising", "falling", "either"
		Initially bool
		After     Expr
		Priority  Expr
		Body      []*Update
		Doc       string
	}
	// Update is x := e.
	Update struct {
		Base
		Target, Value Expr
	}
	// Axis is axis s = 0..1 points 128 periodic; Range is a *Range or a List.
	Axis struct {
		Base
		Name     *Ident
		Unit     *Unit
		Over     Expr
		Points   Expr
		Periodic bool
		Doc      string
	}
	// FieldDecl is field u(s) = e over one to three axes.
	FieldDecl struct {
		Base
		Name  *Ident
		Axes  []*Ident
		Unit  *Unit
		Value Expr
		Doc   string
	}
	// Boundary is boundary u(s = 0) = e.
	Boundary struct {
		Base
		LHS, RHS Expr
	}
	// Observe is observe y ~ dist(…).
	Observe struct {
		Base
		Target Expr
		Dist   Expr
		Doc    string
	}
	// Part is part a = Oscillator(k = 2).
	Part struct {
		Base
		Name  *Ident
		Value Expr
		Doc   string
	}
	// Unit is a product of factors: 1/year, mol/L, m*s^-2.
	Unit struct {
		Base
		Factors []UnitFactor
	}
	// UnitFactor is one name (or "1") to a rational power Num/Den; a factor after `/` has a
	// negative power.
	UnitFactor struct {
		Sp       diag.Span
		Name     string
		Num, Den int
	}
)

func (*Version) stmt()   {}
func (*Import) stmt()    {}
func (*Assign) stmt()    {}
func (*ExprStmt) stmt()  {}
func (*For) stmt()       {}
func (*IfStmt) stmt()    {}
func (*Model) stmt()     {}
func (*Decl) stmt()      {}
func (*Time) stmt()      {}
func (*Let) stmt()       {}
func (*Fn) stmt()        {}
func (*Unknown) stmt()   {}
func (*Equation) stmt()  {}
func (*Noise) stmt()     {}
func (*Setting) stmt()   {}
func (*History) stmt()   {}
func (*Event) stmt()     {}
func (*Axis) stmt()      {}
func (*FieldDecl) stmt() {}
func (*Boundary) stmt()  {}
func (*Observe) stmt()   {}
func (*Part) stmt()      {}

// Unparen is an expression without the parentheses around it.
func Unparen(e Expr) Expr {
	for {
		p, ok := e.(*Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}
