package parser

import (
	"sort"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// Parse makes the tree of a text: a file, or one entry at the prompt. It never fails as a
// whole: the tree holds every statement that is right, the list all mistakes (codes E01xx),
// ordered by place. An empty text has no statements and no mistakes.
func Parse(src *diag.Source) (*ast.File, diag.List) {
	p := newState(src)
	f := &ast.File{Src: src, Comments: p.comments}
	f.Stmts = p.region(0, len(p.toks), inScript)
	p.checkVersion(f)
	p.errs.Sort()
	return f, p.errs
}

// ParseExpr makes the tree of a text that is one expression; nil when there are mistakes.
func ParseExpr(src *diag.Source) (ast.Expr, diag.List) {
	p := newState(src)
	stmts := p.split(0, len(p.toks))
	switch {
	case p.errs.HasErrors():
		p.errs.Sort()
		return nil, p.errs
	case len(stmts) == 0:
		p.errs.Add(diag.New("E0113", p.span(len(src.Text), len(src.Text)), "expected an expression, found nothing"))
		return nil, p.errs
	case len(stmts) > 1:
		at := &p.toks[stmts[1].lo]
		p.errs.Add(diag.New("E0115", p.span(at.Pos.Offset, end(at)), "expected one expression, here a second begins").
			WithHelp("remove what follows the first line"))
		return nil, p.errs
	}
	toks, done := p.view(stmts[0].lo, stmts[0].hi)
	defer done()
	g, err := parseWith[exprG](exprParser, toks)
	if err != nil {
		p.errs.Add(p.explain(err, toks, &plain))
		return nil, p.errs
	}
	e := p.expr(g.X, false)
	if p.errs.Sort(); p.errs.HasErrors() {
		return nil, p.errs
	}
	return e, p.errs
}

// Incomplete says whether a text typed at the prompt wants another line: a bracket or a string
// is open at its end, or it ends with an operator or a comma.
func Incomplete(text string) bool {
	src := diag.NewSource("", text)
	s := scan(src)
	if s.openText {
		return true
	}
	if len(s.errs) > 0 {
		return false
	}
	p := &state{src: src, toks: s.toks}
	open, _ := p.pair(false)
	if open > 0 {
		return len(p.errs) == open // all that is wrong is that they are not closed yet
	}
	for k := len(p.toks) - 1; k >= 0; k-- {
		if t := &p.toks[k]; t.Type != tokNewline {
			return goesOn(p.toks[:k+1])
		} else if t.Value == ";" {
			return false
		}
	}
	return false
}

// state is one parse.
type state struct {
	src      *diag.Source
	toks     []lexer.Token
	comments []ast.Comment
	errs     diag.List

	// What brackets finds out, by token.
	mate []int32     // of an opening bracket: the token that closes it, or at which it is given up
	kind []braceKind // of an opening bracket
	bad  []int32     // how many tokens before this one are reported as wrong already

	views []lexer.Token // room for the tokens of the statements being parsed, one in the other
}

func newState(src *diag.Source) *state {
	s := scan(src)
	p := &state{src: src, toks: s.toks, comments: s.comments, errs: s.errs}
	p.brackets()
	return p
}

func (p *state) span(lo, hi int) diag.Span { return diag.Span{Src: p.src, Lo: lo, Hi: hi} }

// over is the place of a run of tokens.
func (p *state) over(toks []lexer.Token) diag.Span {
	if len(toks) == 0 {
		return diag.Span{}
	}
	return p.span(toks[0].Pos.Offset, end(&toks[len(toks)-1]))
}

// index finds the token that stands at a place.
func (p *state) index(offset int) int {
	return sort.Search(len(p.toks), func(i int) bool { return p.toks[i].Pos.Offset >= offset })
}

// view is the statement of tokens lo..hi as its grammar sees it: without line ends, and with
// every block and formula as one token. done gives its room back.
func (p *state) view(lo, hi int) (toks []lexer.Token, done func()) {
	start := len(p.views)
	out := p.views
	for k := lo; k < hi; k++ {
		t := p.toks[k]
		switch {
		case t.Type == tokNewline && t.Value == "\n":
			continue
		case p.kind[k] == braceBlock:
			t.Type = tokBlock
		case p.kind[k] == braceFormula:
			t.Type = tokFormula
		}
		if t.Type == tokBlock || t.Type == tokFormula {
			next := p.after(k)
			t.Value = p.src.Text[t.Pos.Offset:end(&p.toks[next-1])]
			k = next - 1
		}
		out = append(out, t)
	}
	p.views = out
	return out[start:len(out):len(out)], func() { p.views = p.views[:start] }
}

// checkVersion holds `udl 1` to the first line.
func (p *state) checkVersion(f *ast.File) {
	for i, s := range f.Stmts {
		v, ok := s.(*ast.Version)
		if ok && i > 0 {
			p.errs.Add(diag.New("E0131", v.Span(), "the version of the language is the first statement of a file").
				At("too late").WithHelp("move this line to the top"))
		}
	}
}
