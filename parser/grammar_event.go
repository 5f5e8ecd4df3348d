package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// optionG is one word of an event: rising, initially, after 2, priority 1.
type optionG struct {
	Tokens []lexer.Token
	Word   lexer.Token `parser:"@( 'rising' | 'falling' | 'either' | 'initially' )"`
	Delay  lexer.Token `parser:"| @( 'after' | 'priority' )"`
	Value  ast.Expr    `parser:"@@"`
}

// eventG is what all events have after their trigger. The documentation stands before the
// block, as a model's does, or at the end.
type eventG struct {
	Options []optionG   `parser:"@@*"`
	Doc     lexer.Token `parser:"@String?"`
	Body    lexer.Token `parser:"@Block"`
	Tail    lexer.Token `parser:"@String?"`
}

// event builds what is common to all events.
func (g *eventG) event(b *builder, kind string, trigger ast.Expr) *ast.Event {
	e := &ast.Event{Kind: kind, Trigger: b.expr(trigger, false), Doc: doc(g.Doc)}
	if g.Tail.Type != 0 {
		e.Doc = doc(g.Tail)
	}
	if g.Doc.Type != 0 && g.Tail.Type != 0 {
		b.twice(b.span(g.Tail.Pos.Offset, end(&g.Tail)), "documentation")
	}
	b.options(e, g.Options)
	for _, s := range b.block(g.Body, inEvent) {
		if u, ok := s.(*updateStmt); ok {
			e.Body = append(e.Body, u.update)
		}
	}
	return e
}

func (b *builder) twice(at diag.Span, what string) {
	b.errs.Add(diag.New("E0130", at, "a second %s", what).At("given before").WithHelp("keep one of them"))
}

func (b *builder) options(e *ast.Event, opts []optionG) {
	for _, o := range opts {
		at := b.over(o.Tokens)
		if o.Delay.Type != 0 {
			into, what := &e.After, "`after`"
			if o.Delay.Value == "priority" {
				into, what = &e.Priority, "`priority`"
			}
			if *into != nil {
				b.twice(at, what)
			}
			*into = b.expr(o.Value, false)
			continue
		}
		if o.Word.Value == "initially" {
			if e.Initially {
				b.twice(at, "`initially`")
			}
			e.Initially = true
			continue
		}
		if e.Direction != "" {
			b.twice(at, "direction")
		}
		e.Direction = o.Word.Value
	}
}

// whenG is when x > 3 falling { … }.
type whenG struct {
	Trigger ast.Expr `parser:"'when' @@"`
	eventG
}

func (g *whenG) build(b *builder) ast.Stmt { return g.event(b, "when", g.Trigger) }

// atG is at t = 5 { … }.
type atG struct {
	Trigger ast.Expr `parser:"'at' 't' '=' @@"`
	eventG
}

func (g *atG) build(b *builder) ast.Stmt { return g.event(b, "at", g.Trigger) }

// everyG is every 24 { … }.
type everyG struct {
	Trigger ast.Expr `parser:"'every' @@"`
	eventG
}

func (g *everyG) build(b *builder) ast.Stmt { return g.event(b, "every", g.Trigger) }

// jumpG is jump rate lambda*x { … }.
type jumpG struct {
	Trigger ast.Expr `parser:"'jump' 'rate' @@"`
	eventG
}

func (g *jumpG) build(b *builder) ast.Stmt { return g.event(b, "jump", g.Trigger) }

// stopG is stop when e.
type stopG struct {
	Trigger ast.Expr    `parser:"'stop' 'when' @@"`
	Options []optionG   `parser:"@@*"`
	Doc     lexer.Token `parser:"@String?"`
}

func (g *stopG) build(b *builder) ast.Stmt {
	e := &ast.Event{Kind: "stop", Trigger: b.expr(g.Trigger, false), Doc: doc(g.Doc)}
	b.options(e, g.Options)
	return e
}

// updateStmt carries an assignment out of an event's block; it is in no tree.
type updateStmt struct {
	ast.ExprStmt
	update *ast.Update
}

func (u *updateStmt) SetSpan(s diag.Span) { u.update.SetSpan(s) }
