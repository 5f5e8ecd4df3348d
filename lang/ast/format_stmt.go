package ast

import "strings"

// head writes what a line begins with. There a sign would read as a binary operator that goes
// on from the line before, so that it stands in brackets unless it is the first.
func (p *printer) head(e Expr, least Prec, first bool, tail int) {
	s := oneLine(e, least, 0, false)
	if !first && (strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+")) {
		e = inBrackets(e)
	}
	p.expr(e, least, 0, false, tail)
}

// value writes " = e".
func (p *printer) value(e Expr) {
	p.put(" = ")
	p.expr(e, precBrace, 0, false, 0)
}

func (p *printer) unit(u *Unit) {
	if u != nil {
		p.put(" : " + unitText(u))
	}
}

// simple writes a statement that holds no block, but for the string that documents it, which
// it returns. first says that no statement of the block comes before.
func (p *printer) simple(s Stmt, first bool) (doc string) {
	switch s := s.(type) {
	case *Version:
		p.put("udl " + s.Number)
	case *Import:
		p.put("import " + quoted(s.Path))
	case *Assign:
		if len(s.Names) == 1 {
			p.put(s.Names[0].Name)
		} else {
			p.put("(" + names(s.Names) + ")")
		}
		p.value(s.Value)
	case *ExprStmt:
		p.head(s.X, PrecLambda, first, 0)
	case *Equation:
		p.head(s.LHS, PrecLambda, first, 2)
		p.value(s.RHS)
		return s.Doc
	case *Boundary:
		p.put("boundary ")
		p.expr(s.LHS, PrecLambda, 0, false, 2)
		p.value(s.RHS)
	case *History:
		p.put("history " + s.Name.Name)
		p.value(s.Value)
	case *Setting:
		p.put(s.Word + " ")
		p.expr(s.Value, PrecLambda, 0, false, 0)
	case *updateLine:
		p.update(s.update, first)
	case *Time:
		p.put("time")
		p.unit(s.Unit)
	default:
		return p.declaration(s)
	}
	return ""
}

func (p *printer) declaration(s Stmt) (doc string) {
	switch s := s.(type) {
	case *Decl:
		return p.quantities(s)
	case *Let:
		p.put("let ")
		if len(s.Names) == 1 {
			p.put(s.Names[0].Name)
		} else {
			p.put("(" + names(s.Names) + ")")
		}
		p.unit(s.Unit)
		p.value(s.Value)
		return s.Doc
	case *Fn:
		p.put("fn " + s.Name.Name + "(" + names(s.Params) + ")")
		p.value(s.Body)
		return s.Doc
	case *Unknown:
		p.put("unknown " + s.Name.Name + "(" + names(s.Params) + ")")
		switch len(s.Outs) {
		case 0:
		case 1:
			p.put(" -> " + s.Outs[0].Name)
		default:
			p.put(" -> (" + names(s.Outs) + ")")
		}
		p.value(s.Rep)
		return s.Doc
	case *Noise:
		p.put("noise " + s.Name.Name)
		if s.Correlated != nil {
			p.put(" correlated ")
			p.expr(s.Correlated, precBrace, 0, false, 0)
		}
		return s.Doc
	case *Axis:
		p.put("axis " + s.Name.Name)
		p.unit(s.Unit)
		p.value(s.Over)
		if s.Points != nil {
			p.put(" points ")
			p.expr(s.Points, PrecLambda, 0, false, 0)
		}
		if s.Periodic {
			p.put(" periodic")
		}
		return s.Doc
	case *FieldDecl:
		p.put("field " + s.Name.Name + "(" + names(s.Axes) + ")")
		p.unit(s.Unit)
		if s.Value != nil {
			p.value(s.Value)
		}
		return s.Doc
	case *Observe:
		p.put("observe ")
		p.expr(s.Target, PrecLambda, 0, false, 2)
		p.put(" ~ ")
		p.expr(s.Dist, PrecLambda, 0, false, 0)
		return s.Doc
	case *Part:
		p.put("part " + s.Name.Name)
		p.value(s.Value)
		return s.Doc
	case *Event: // stop
		p.eventHead(s)
		return s.Doc
	}
	return ""
}

// quantities writes a declaration of several items, filled.
func (p *printer) quantities(d *Decl) (doc string) {
	p.put(d.Kind + " ")
	base := p.col
	for i, it := range d.Items {
		if i > 0 {
			p.put(",")
			if p.fits(2 + p.measure(func(q *printer) { q.item1(it); q.put(docText(it.Doc)) })) {
				p.put(" ")
			} else {
				p.newline(base)
			}
		}
		p.item1(it)
		if i == len(d.Items)-1 {
			return it.Doc
		}
		p.put(docText(it.Doc))
	}
	return ""
}

func docText(doc string) string {
	if doc == "" {
		return ""
	}
	return " " + quoted(doc)
}

// item1 writes name[shape]' : unit = value in lo..hi ~ prior.
func (p *printer) item1(it *Item) {
	p.put(it.Name.Name)
	if len(it.Shape) > 0 {
		var f flat
		f.list("[", it.Shape, "]", true)
		p.put(f.String())
	}
	p.put(strings.Repeat("'", it.Order))
	p.unit(it.Unit)
	if it.Value != nil {
		p.value(it.Value)
	}
	if it.Bounds != nil {
		p.put(" in ")
		p.expr(it.Bounds, PrecLambda, 0, false, 0)
	}
	if it.Prior != nil {
		p.put(" ~ ")
		p.expr(it.Prior, PrecLambda, 0, false, 0)
	}
}

func (p *printer) eventHead(e *Event) {
	switch e.Kind {
	case "at":
		p.put("at t")
		p.value(e.Trigger)
	case "stop":
		p.put("stop when ")
		p.expr(e.Trigger, PrecLambda, 0, false, 2)
	case "jump":
		p.put("jump rate ")
		p.expr(e.Trigger, PrecLambda, 0, false, 2)
	default:
		p.put(e.Kind + " ")
		p.expr(e.Trigger, PrecLambda, 0, false, 2)
	}
	if e.Direction != "" {
		p.put(" " + e.Direction)
	}
	if e.Initially {
		p.put(" initially")
	}
	if e.After != nil {
		p.put(" after ")
		p.expr(e.After, PrecLambda, 0, false, 2)
	}
	if e.Priority != nil {
		p.put(" priority ")
		p.expr(e.Priority, PrecLambda, 0, false, 2)
	}
}

// event writes an event with a block; a single assignment stays on its line.
func (p *printer) event(e *Event) {
	p.eventHead(e)
	p.put(docText(e.Doc) + " ")
	if len(e.Body) == 1 && !p.commented(e) {
		u := e.Body[0]
		n := p.measure(func(q *printer) { q.update(u, true) })
		if p.fits(n + 4) {
			p.put("{ ")
			p.update(u, true)
			p.put(" }")
			return
		}
	}
	var stmts []Stmt
	for _, u := range e.Body {
		stmts = append(stmts, &updateLine{Base{u.Sp}, u})
	}
	p.block(stmts, e.Sp.Hi)
}

// updateLine lets an event's block be written as other blocks are; it is in no tree.
type updateLine struct {
	Base
	update *Update
}

func (*updateLine) stmt() {}

func (p *printer) update(u *Update, first bool) {
	p.head(u.Target, PrecLambda, first, 3)
	p.put(" := ")
	p.expr(u.Value, PrecLambda, 0, false, 0)
}

func (p *printer) ifStmt(s *IfStmt) {
	p.put("if ")
	p.expr(s.Cond, PrecLambda, 0, false, 2)
	p.put(" ")
	if s.Else == nil {
		p.block(s.Then, s.Sp.Hi)
		return
	}
	p.block(s.Then, p.elsePlace(s))
	p.put(" else ")
	if len(s.Else) == 1 {
		if next, ok := s.Else[0].(*IfStmt); ok {
			p.ifStmt(next)
			return
		}
	}
	p.block(s.Else, s.Sp.Hi)
}

// elsePlace finds the `else` of an if in the text: comments before it belong to the first
// block. Only brackets and comments stand between.
func (p *printer) elsePlace(s *IfStmt) int {
	if s.Sp.IsZero() || p.file == nil || p.file.Src == nil {
		return 0
	}
	lo := s.Cond.Span().Hi
	if n := len(s.Then); n > 0 {
		lo = s.Then[n-1].Span().Hi
	}
	text := p.file.Src.Text
	for lo < s.Sp.Hi {
		i := strings.Index(text[lo:s.Sp.Hi], "else")
		if i < 0 {
			break
		}
		at := lo + i
		inComment := false
		for _, c := range p.comments {
			inComment = inComment || c.Sp.Lo <= at && at < c.Sp.Hi
		}
		if !inComment {
			return at
		}
		lo = at + 4
	}
	return s.Sp.Hi
}
