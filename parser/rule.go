package parser

import (
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// rule is one kind of statement: the word it begins with and the grammar of what follows.
type rule struct {
	word    string
	begins  func(p *state, lo, hi int) bool // nil for reserved words; else whether the word declares here
	parse   func(b *builder, toks []lexer.Token) (ast.Stmt, error)
	syntax  func() string // the grammar, for tests
	example string        // how it is written, for help
	block   bool          // holds statements
	event   bool          // … which are assignments only
	script  bool          // has no place in a model
	formula bool          // may stand in a formula
}

// rules is THE table from first word to grammar.
var rules = []rule{
	row[modelG](rule{word: "model", block: true, script: true, example: "model Name { … }"}),
	row[quantityG](rule{word: "param", formula: true, example: "param k = 0.3 in 0..5"}),
	row[quantityG](rule{word: "const", formula: true, example: "const g = 9.81"}),
	row[quantityG](rule{word: "state", example: "state x = 1"}),
	row[quantityG](rule{word: "discrete", begins: beforeName, example: "discrete n = 0"}),
	row[quantityG](rule{word: "latent", begins: beforeName, example: "latent z[3] = 0"}),
	row[quantityG](rule{word: "input", begins: beforeName, example: "input I = 0"}),
	row[letG](rule{word: "let", formula: true, example: "let v = 2*x"}),
	row[fnG](rule{word: "fn", formula: true, example: "fn f(x) = x^2"}),
	row[unknownG](rule{word: "unknown", begins: beforeName, example: "unknown U(x, y) = NN(hidden = [5])"}),
	row[timeG](rule{word: "time", begins: beforeColon, example: "time : year"}),
	row[noiseG](rule{word: "noise", begins: beforeOperand, example: "noise W"}),
	row[settingG](rule{word: "calculus", begins: beforeOperand, example: "calculus ito"}),
	row[settingG](rule{word: "scheme", begins: beforeOperand, example: "scheme upwind"}),
	row[settingG](rule{word: "order", begins: beforeOperand, example: "order 4"}),
	row[historyG](rule{word: "history", begins: beforeOperand, example: "history x = 1"}),
	row[whenG](rule{word: "when", block: true, event: true, example: "when x > 3 { x := 0 }"}),
	row[atG](rule{word: "at", begins: withBlock, block: true, event: true, example: "at t = 5 { x := 0 }"}),
	row[everyG](rule{word: "every", begins: withBlock, block: true, event: true, example: "every 24 { x := 0 }"}),
	row[stopG](rule{word: "stop", begins: beforeOperand, event: true, example: "stop when x > 3"}),
	row[jumpG](rule{word: "jump", begins: withBlock, block: true, event: true, example: "jump rate 2*x { x := x - 1 }"}),
	row[axisG](rule{word: "axis", begins: beforeOperand, example: "axis s = 0..1 points 128"}),
	row[fieldG](rule{word: "field", begins: beforeOperand, example: "field u(s) = sin(s)"}),
	row[boundaryG](rule{word: "boundary", begins: beforeOperand, example: "boundary u(s = 0) = 0"}),
	row[observeG](rule{word: "observe", begins: withTilde, example: "observe y ~ normal(x, 0.1)"}),
	row[partG](rule{word: "part", begins: beforeOperand, example: "part a = Oscillator(k = 2)"}),
	row[versionG](rule{word: "udl", begins: beforeOperand, script: true, example: "udl 1"}),
	row[importG](rule{word: "import", script: true, example: "import \"file.udl\""}),
	row[forG](rule{word: "for", block: true, script: true, example: "for i in 1..3 { … }"}),
	row[ifG](rule{word: "if", begins: withBlockOnly, block: true, script: true, example: "if c { … } else { … }"}),
}

// plain is the rule of statements without a word of their own: equations, assignments, calls.
var plain = row[plainG](rule{})

func withBlockOnly(p *state, lo, hi int) bool {
	return p.has(lo, hi, func(k int) bool { return p.kind[k] == braceBlock })
}

// grammar is a participle struct G that can build its part of the tree.
type grammar[G any] interface {
	*G
	build(b *builder) ast.Stmt
}

// row completes a rule with a parser for G. The parser is made when it is first used: making
// all of them would cost a good part of the time a process may take to start.
func row[G any, P grammar[G]](r rule) rule {
	make := lazy[G]()
	r.parse = func(b *builder, toks []lexer.Token) (ast.Stmt, error) {
		g, err := parseWith(make, toks)
		if err != nil {
			return nil, err
		}
		return P(g).build(b), nil
	}
	r.syntax = func() string { return make().String() }
	return r
}

// exprG is an expression alone.
type exprG struct {
	X ast.Expr `parser:"@@"`
}

var exprParser = lazy[exprG]()

// lazy gives a function that makes the parser of G once.
func lazy[G any]() func() *participle.Parser[G] {
	return sync.OnceValue(func() *participle.Parser[G] {
		return participle.MustBuild[G](
			participle.Lexer(definition{}),
			participle.ParseTypeWith(parseExpr),
			participle.ParseTypeWith(parseUnit),
		)
	})
}

// parseWith runs one statement's tokens through the parser of G.
func parseWith[G any](make func() *participle.Parser[G], toks []lexer.Token) (*G, error) {
	lex, err := lexer.Upgrade(&feed{toks: toks})
	if err != nil {
		return nil, err
	}
	return make().ParseFromLexer(lex)
}

// builder makes tree nodes of grammar structs.
type builder struct {
	*state
	in where
}

// nameG is a name.
type nameG struct {
	Tok lexer.Token `parser:"@Ident"`
}

// ident makes the tree's name of a token; nil for a token that is not there.
func (b *builder) ident(t lexer.Token) *ast.Ident {
	if t.Type == 0 {
		return nil
	}
	id := &ast.Ident{Name: t.Value}
	id.SetSpan(b.span(t.Pos.Offset, end(&t)))
	return id
}

// declared is ident for a name that is given a meaning here.
func (b *builder) declared(t lexer.Token) *ast.Ident {
	id := b.ident(t)
	if id != nil {
		b.notFixed(id)
	}
	return id
}

// notFixed refuses to give t, pi, inf and nan another meaning.
func (b *builder) notFixed(id *ast.Ident) {
	if what, ok := fixed[id.Name]; ok {
		b.errs.Add(diag.New("E0122", id.Sp, "`%s` cannot be given another meaning", id.Name).At("always %s", what).
			WithHelp("choose another name"))
	}
}

func (b *builder) names(l []nameG) []*ast.Ident {
	var out []*ast.Ident
	for _, n := range l {
		out = append(out, b.ident(n.Tok))
	}
	return out
}

// params are the parameters of a function. They may be called t, since a function of time is
// often written as one.
func (b *builder) params(l []nameG) []*ast.Ident {
	out := b.names(l)
	for _, id := range out {
		if id.Name != "t" {
			b.notFixed(id)
		}
	}
	return out
}

func doc(t lexer.Token) string {
	if t.Type != tokString {
		return ""
	}
	return unquote(t.Value)
}

// block parses the statements of a block token.
func (b *builder) block(t lexer.Token, in where) []ast.Stmt {
	return b.state.block(b.index(t.Pos.Offset), in)
}
