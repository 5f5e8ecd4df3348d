package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// quantityG is param, const, state, latent, discrete or input with its items.
type quantityG struct {
	Kind  lexer.Token `parser:"@('param' | 'const' | 'state' | 'latent' | 'discrete' | 'input')"`
	Items []itemG     `parser:"@@ ( ',' @@ )*"`
}

// itemG is name[shape]' : unit = value in lo..hi ~ prior "doc".
type itemG struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"@Ident"`
	Shape  []ast.Expr  `parser:"( '[' @@ ( ',' @@ )* ']' )?"`
	Primes []primeG    `parser:"@@*"`
	Unit   unitNode    `parser:"( ':' @@ )?"`
	Value  ast.Expr    `parser:"( '=' @@ )?"`
	In     lexer.Token `parser:"( @'in'"`
	Bounds ast.Expr    `parser:"@@ )?"`
	Prior  ast.Expr    `parser:"( '~' @@ )?"`
	Doc    lexer.Token `parser:"@String?"`
}

type primeG struct {
	Tok lexer.Token `parser:"@\"'\""`
}

func (g *quantityG) build(b *builder) ast.Stmt {
	d := &ast.Decl{Kind: g.Kind.Value}
	for i := range g.Items {
		d.Items = append(d.Items, g.Items[i].build(b))
	}
	return d
}

func (g *itemG) build(b *builder) *ast.Item {
	it := &ast.Item{
		Name: b.declared(g.Name), Shape: b.exprs(g.Shape), Order: len(g.Primes), Unit: b.unit(g.Unit),
		Value: b.expr(g.Value, false), Prior: b.expr(g.Prior, false), Doc: doc(g.Doc),
	}
	it.SetSpan(b.over(g.Tokens))
	if g.Bounds != nil {
		switch e := b.expr(g.Bounds, false).(type) {
		case *ast.Range:
			it.Bounds = e
		default:
			b.errs.Add(diag.New("E0114", e.Span(), "expected bounds after `in`, found a single value").At("not a range").
				WithHelp("write `in 0..%s`", ast.ExprString(e)))
		}
	}
	return it
}

// timeG is time : year.
type timeG struct {
	Unit unitNode `parser:"'time' ':' @@"`
}

func (g *timeG) build(b *builder) ast.Stmt { return &ast.Time{Unit: b.unit(g.Unit)} }

// letG is let v : unit = e "doc", or let (a, b) = e.
type letG struct {
	Name  lexer.Token `parser:"'let' ( @Ident"`
	Names []nameG     `parser:"| '(' @@ ( ',' @@ )* ')' )"`
	Unit  unitNode    `parser:"( ':' @@ )?"`
	Value ast.Expr    `parser:"'=' @@"`
	Doc   lexer.Token `parser:"@String?"`
}

func (g *letG) build(b *builder) ast.Stmt {
	l := &ast.Let{Unit: b.unit(g.Unit), Value: b.expr(g.Value, false), Doc: doc(g.Doc)}
	if g.Name.Type != 0 {
		l.Names = []*ast.Ident{b.declared(g.Name)}
	}
	for _, n := range g.Names {
		l.Names = append(l.Names, b.declared(n.Tok))
	}
	return l
}

// fnG is fn hill(x, k, n) = e "doc".
type fnG struct {
	Name   lexer.Token `parser:"'fn' @Ident"`
	Params []nameG     `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Body   ast.Expr    `parser:"'=' @@"`
	Doc    lexer.Token `parser:"@String?"`
}

func (g *fnG) build(b *builder) ast.Stmt {
	return &ast.Fn{Name: b.declared(g.Name), Params: b.params(g.Params), Body: b.expr(g.Body, false), Doc: doc(g.Doc)}
}

// unknownG is unknown U(x, y) -> (a, b) = REPRESENTATION "doc".
type unknownG struct {
	Name   lexer.Token `parser:"'unknown' @Ident"`
	Params []nameG     `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Out    lexer.Token `parser:"( '->' ( @Ident"`
	Outs   []nameG     `parser:"| '(' @@ ( ',' @@ )* ')' ) )?"`
	Rep    ast.Expr    `parser:"'=' @@"`
	Doc    lexer.Token `parser:"@String?"`
}

func (g *unknownG) build(b *builder) ast.Stmt {
	u := &ast.Unknown{Name: b.declared(g.Name), Params: b.params(g.Params), Rep: b.expr(g.Rep, false), Doc: doc(g.Doc)}
	u.Outs = b.names(g.Outs)
	if g.Out.Type != 0 {
		u.Outs = []*ast.Ident{b.ident(g.Out)}
	}
	return u
}

// partG is part a = Oscillator(k = 2).
type partG struct {
	Name  lexer.Token `parser:"'part' @Ident"`
	Value ast.Expr    `parser:"'=' @@"`
	Doc   lexer.Token `parser:"@String?"`
}

func (g *partG) build(b *builder) ast.Stmt {
	return &ast.Part{Name: b.declared(g.Name), Value: b.expr(g.Value, false), Doc: doc(g.Doc)}
}

// observeG is observe hare ~ lognormal(log(x), sigma).
type observeG struct {
	Target ast.Expr    `parser:"'observe' @@"`
	Dist   ast.Expr    `parser:"'~' @@"`
	Doc    lexer.Token `parser:"@String?"`
}

func (g *observeG) build(b *builder) ast.Stmt {
	return &ast.Observe{Target: b.expr(g.Target, false), Dist: b.expr(g.Dist, false), Doc: doc(g.Doc)}
}

// noiseG is noise W, noise B correlated {W: 0.3}.
type noiseG struct {
	Name       lexer.Token `parser:"'noise' @Ident"`
	Correlated ast.Expr    `parser:"( 'correlated' @@ )?"`
	Doc        lexer.Token `parser:"@String?"`
}

func (g *noiseG) build(b *builder) ast.Stmt {
	n := &ast.Noise{Name: b.declared(g.Name), Doc: doc(g.Doc)}
	if g.Correlated != nil {
		switch e := b.expr(g.Correlated, false).(type) {
		case *ast.Record:
			n.Correlated = e
		default:
			b.errs.Add(diag.New("E0114", e.Span(), "expected a record after `correlated`").At("not a record").
				WithHelp("write `correlated {W: 0.3}`"))
		}
	}
	return n
}

// historyG is history x = e.
type historyG struct {
	Name  lexer.Token `parser:"'history' @Ident"`
	Value ast.Expr    `parser:"'=' @@"`
}

func (g *historyG) build(b *builder) ast.Stmt {
	return &ast.History{Name: b.ident(g.Name), Value: b.expr(g.Value, false)}
}

// settingG is calculus ito, scheme upwind, order 4.
type settingG struct {
	Word  lexer.Token `parser:"@( 'calculus' | 'scheme' | 'order' )"`
	Value ast.Expr    `parser:"@@"`
}

func (g *settingG) build(b *builder) ast.Stmt {
	return &ast.Setting{Word: g.Word.Value, Value: b.expr(g.Value, false)}
}
