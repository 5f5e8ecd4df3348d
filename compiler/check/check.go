package check

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// Model checks a model. The list holds errors and warnings, sorted by place; the model is nil when there
// is an error.
func Model(m *ast.Model, sc *Scope, env sig.Env) (*model.Model, diag.List) {
	c := newChecker(sc, env)
	c.time = &model.Symbol{Name: "t", Kind: model.Time}
	out := c.model(m)
	c.errs.Sort()
	if c.errs.HasErrors() {
		return nil, c.errs
	}
	out.Warnings = append(diag.List(nil), c.errs...)
	return out, c.errs
}

// Lambda checks a lambda over given quantities: a loss on a solution. Captured values of the script become
// numbers. The lambda is nil when there is an error.
func Lambda(l *ast.Lambda, sc *Scope, env sig.Env, res Resolver) (*model.Lambda, diag.List) {
	c := newChecker(sc, env)
	c.res = res
	cx := &ctx{stage: stageLambda, what: "a lambda"}
	for _, p := range l.Params {
		cx = cx.bind(p.Name, &model.Symbol{Name: p.Name, Kind: model.Local, Span: p.Span()}, true)
	}
	body := c.expr(cx, l.Body)
	c.errs.Sort()
	if body == nil || c.errs.HasErrors() {
		return nil, c.errs
	}
	return &model.Lambda{Inputs: c.given, Body: body}, c.errs
}

// Expr checks an expression of numbers, builtins and constants of the script.
func Expr(e ast.Expr, sc *Scope, env sig.Env) (*model.Expr, diag.List) {
	c := newChecker(sc, env)
	x := c.expr(&ctx{stage: stageConst, what: "a constant expression", top: true}, e)
	c.errs.Sort()
	if c.errs.HasErrors() {
		return nil, c.errs
	}
	return x, c.errs
}

// checker holds what is known while one model or lambda is checked.
type checker struct {
	sc   *Scope
	env  sig.Env
	res  Resolver // of a lambda, else nil
	time *model.Symbol

	errs    diag.List
	said    map[place]bool              // errors reported, so that a function called twice errs once
	unknown map[string]*diag.Diagnostic // unknown names reported: each once, at its first place
	refused map[string]bool             // topics of refuse.go
	partial bool                        // equations were refused: what is missing may stand in them

	out   *model.Model
	names map[string]*entry
	order []*entry             // in source order
	outer map[string]*entry    // constants and unknowns of the script that the model uses
	anon  map[*ast.Call]*entry // in-place representations, by the place where they stand
	stack []*entry             // lets and constants being checked, for cycles
	eqs   []*ast.Equation
	evs   []*ast.Event
	parts map[*model.Symbol]*coverage // equations of each state

	implicit []*model.Implicit // the others

	bound   map[*model.Symbol]*model.Expr // meaning of locals, for indices
	calls   int                           // functions inlined
	quiet   int                           // a trial is on: what is wrong will be told when its turn comes
	grown   bool                          // maxCalls has been met
	derivs  bool                          // x' stands on a right-hand side
	given   []*model.Symbol               // inputs of a lambda
	isGiven map[*model.Symbol]bool
	free    map[string]bool // index variables that the left side of an implicit equation binds where it uses them
}

type place struct {
	code diag.Code
	at   diag.Span
}

func newChecker(sc *Scope, env sig.Env) *checker {
	if sc == nil {
		sc = NewScope()
	}
	return &checker{sc: sc, env: env, said: map[place]bool{}, unknown: map[string]*diag.Diagnostic{}, refused: map[string]bool{},
		out: &model.Model{}, names: map[string]*entry{}, outer: map[string]*entry{}, anon: map[*ast.Call]*entry{},
		parts: map[*model.Symbol]*coverage{}, bound: map[*model.Symbol]*model.Expr{}, isGiven: map[*model.Symbol]bool{}}
}

// kind is what a name of a model was declared as.
type kind int

const (
	kindParam kind = iota
	kindConst
	kindState
	kindLet
	kindInput
	kindFn
	kindUnknown
	kindRefused // by a declaration that is not built yet: its uses are passed over
)

func (k kind) String() string {
	return [...]string{"a parameter", "a constant", "a state", "a `let`", "an input", "a function", "an unknown function", "not built yet"}[k]
}

// entry is one declared name.
type entry struct {
	name  string
	kind  kind
	span  diag.Span
	item  *ast.Item       // of a param, const, state or input
	rates []*ast.Item     // of a state: its items x', x'', … by order
	chain []*model.Symbol // of a state: itself, x', x'', …
	let   *letDecl
	fn    *ast.Fn
	unk   *ast.Unknown

	sym      *model.Symbol
	learned  *model.Unknown
	first    diag.Span // of an unknown: the call that settled its inputs
	latent   bool
	discrete bool // a state that only events change
	twice    bool // declared again as something else: what is said of it is in doubt
	script   bool // declared at top level
	used     bool
	status   status
}

type status int

const (
	untouched status = iota
	busy
	done
	bad
)

// letDecl is one let, of one or several names.
type letDecl struct {
	*ast.Let
	entries []*entry
}

// stage says what an expression may refer to.
type stage int

const (
	stageConst  stage = iota // constants
	stageInit                // everything, at the start: no derivatives
	stageRun                 // everything
	stageLambda              // what the resolver gives
)

// ctx is what is visible at a place in an expression. It is not changed but copied.
type ctx struct {
	stage  stage
	what   string // "the default of `k`", for messages
	top    bool   // the body of a function of the script: the model's names are out of sight
	locals *local
	end    int             // what `end` is, 0 outside an index
	vars   []*model.Symbol // index variables in scope
	call   *site           // functions being inlined
}

type local struct {
	name  string
	sym   *model.Symbol
	given bool    // parameter of a lambda, read through the resolver
	fn    *ast.Fn // a function of a formula, which sees what is visible in home
	home  *ctx
	up    *local
}

type site struct {
	fn   *ast.Fn
	span diag.Span
	up   *site
}

// with makes a name visible; without a symbol its uses are passed over.
func (cx *ctx) with(name string, s *model.Symbol) *ctx {
	c := *cx
	c.locals = &local{name: name, sym: s, up: cx.locals}
	return &c
}

func (cx *ctx) bind(name string, s *model.Symbol, given bool) *ctx {
	c := *cx
	c.locals = &local{name: name, sym: s, given: given, up: cx.locals}
	if s.Kind == model.IndexVar {
		c.vars = append(append([]*model.Symbol(nil), cx.vars...), s)
	}
	return &c
}

func (cx *ctx) withEnd(n int) *ctx {
	c := *cx
	c.end = n
	return &c
}

func (cx *ctx) find(name string) *local {
	for l := cx.locals; l != nil; l = l.up {
		if l.name == name {
			return l
		}
	}
	return nil
}

// fail reports an error, once per code and place; the result may be told more.
func (c *checker) fail(cx *ctx, code diag.Code, at diag.Span, format string, args ...any) *diag.Diagnostic {
	d := diag.New(code, at, format, args...)
	if c.quiet > 0 || c.said[place{code, at}] {
		return d
	}
	c.said[place{code, at}] = true
	c.errs.Add(d)
	if cx != nil && cx.call != nil {
		d.And(cx.call.span, "called here")
	}
	return d
}

func (c *checker) warn(code diag.Code, at diag.Span, format string, args ...any) *diag.Diagnostic {
	return c.errs.Add(diag.New(code, at, format, args...).AsWarning())
}

// model checks the whole of a model, stage by stage: what is declared, then what it means, then what it is together.
func (c *checker) model(m *ast.Model) *model.Model {
	c.out = &model.Model{Name: m.Name.Name, Doc: m.Doc, Span: m.Span(), Time: c.time, Syntax: m}
	c.collect(m)
	for _, e := range c.order {
		c.settle(e)
	}
	for _, e := range c.order {
		c.initial(e)
	}
	c.equations()
	c.events()
	for _, e := range c.order {
		if e.kind == kindUnknown && e.status == untouched {
			c.settleUnknown(e, nil, nil)
		}
	}
	c.assemble()
	c.cycles()
	c.inferUnits()
	if !c.errs.HasErrors() {
		c.unused()
	}
	return c.out
}

// num makes a number.
func num(v float64, at diag.Span) *model.Expr {
	return &model.Expr{Op: model.Num, Val: []float64{v}, Span: at}
}

func ref(s *model.Symbol, at diag.Span) *model.Expr {
	return &model.Expr{Op: model.Ref, Sym: s, Shape: s.Shape, Span: at}
}

// has says "x is a scalar" or "u has shape [2]", as labels do.
func has(name string, s types.Shape) string {
	if s.IsScalar() {
		return name + " is a scalar"
	}
	return name + " has " + s.String()
}
