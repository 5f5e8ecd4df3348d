package ast

import (
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Format is the canonical text of a file, what `udl fmt` writes. Comments and single empty
// lines are kept, the layout is not; formatting twice is formatting once. A tree without
// places (made by a tool) is printed without empty lines.
func Format(f *File) string {
	p := printer{width: lineWidth, file: f, comments: f.Comments}
	p.body(f.Stmts, math.MaxInt)
	s := strings.TrimPrefix(p.text(), "\n")
	if s == "" {
		return ""
	}
	return s + "\n"
}

// Fprint writes Format(f) to w; the error is w's.
func Fprint(w io.Writer, f *File) error {
	_, err := io.WriteString(w, Format(f))
	return err
}

// printer writes trees as text. Its state is the place it writes at and the comments that are
// still to come.
type printer struct {
	b        strings.Builder
	col      int // the column of the next character
	line     int // the indentation of the current line
	indent   int // the indentation of statements
	width    int
	lines    int // how many line ends are written
	file     *File
	comments []Comment
}

func (p *printer) text() string { return p.b.String() }

// measure is how many columns something takes on one line.
func (p *printer) measure(write func(q *printer)) int {
	q := printer{width: math.MaxInt}
	write(&q)
	return utf8.RuneCountInString(q.text())
}

// ---- comments and places ----

// pending says whether a comment comes before a place.
func (p *printer) pending(before int) bool {
	return len(p.comments) > 0 && p.comments[0].Sp.Lo < before
}

func (p *printer) take() Comment {
	c := p.comments[0]
	p.comments = p.comments[1:]
	return c
}

// commented says whether a comment that is still to come stands within a node.
func (p *printer) commented(n Node) bool {
	s := n.Span()
	return len(p.comments) > 0 && !s.IsZero() && p.comments[0].Sp.Lo < s.Hi
}

func (p *printer) lineOf(place int) int {
	if p.file == nil || p.file.Src == nil {
		return 0
	}
	n, _ := p.file.Src.Position(place)
	return n
}

func (p *printer) sameLine(a, b int) bool {
	return p.file != nil && p.file.Src != nil && p.lineOf(a) == p.lineOf(b)
}

// hoist takes the comments out of a statement that have no place in it when it is printed:
// those which stand in none of its brackets.
func (p *printer) hoist(s Stmt) []Comment {
	at := s.Span()
	if !p.pending(at.Hi) || at.IsZero() {
		return nil
	}
	var groups []Node
	Inspect(s, func(n Node) bool {
		switch n := n.(type) {
		case *Call:
			if len(n.Args) > 0 {
				groups = append(groups, n)
			}
		case *List:
			if len(n.Elems) > 0 {
				groups = append(groups, n)
			}
		case *Record:
			if len(n.Fields) > 0 {
				groups = append(groups, n)
			}
		case *Index, *Tuple, *Paren, *Formula:
			groups = append(groups, n)
		}
		return true
	})
	var out, kept []Comment
	for len(p.comments) > 0 && p.comments[0].Sp.Lo < at.Hi {
		c := p.take()
		inside := false
		for _, g := range groups {
			s := g.Span()
			if call, ok := g.(*Call); ok {
				s.Lo = call.Fun.Span().Hi
			}
			inside = inside || s.Lo <= c.Sp.Lo && c.Sp.Lo < s.Hi
		}
		if inside {
			kept = append(kept, c)
		} else {
			out = append(out, c)
		}
	}
	p.comments = append(kept, p.comments...)
	return out
}

// body writes statements, each on a line of its own, with the comments before place hi.
func (p *printer) body(stmts []Stmt, hi int) {
	first, last := true, 0 // last is the source line on which what was written ends
	run, docs := 0, 0      // the end of a run of documented lines, and the column of their strings
	start := func(place int) {
		if n := p.lineOf(place); !first && last > 0 && n > last+1 {
			p.b.WriteByte('\n')
		}
		first = false
		p.newline(p.indent)
	}
	own := func(c Comment) {
		start(c.Sp.Lo)
		p.put(c.Text)
		last = p.lineOf(c.Sp.Lo)
	}
	for i, s := range stmts {
		at := s.Span()
		for !at.IsZero() && p.pending(at.Lo) {
			own(p.take())
		}
		hoisted := []Comment(nil)
		if !holdsBlock(s) {
			hoisted = p.hoist(s)
		}
		start(at.Lo)
		for _, c := range hoisted {
			p.put(c.Text)
			p.newline(p.indent)
		}
		if i >= run {
			run, docs = p.docRun(stmts, i)
		}
		p.stmt(s, i == 0, docs)
		if at.IsZero() {
			continue
		}
		last = p.lineOf(max(at.Lo, at.Hi-1))
		limit := hi
		if i+1 < len(stmts) {
			limit = stmts[i+1].Span().Lo
		}
		if p.pending(limit) && p.sameLine(at.Hi, p.comments[0].Sp.Lo) {
			p.put("  " + p.take().Text)
		}
	}
	for p.pending(hi) {
		own(p.take())
	}
}

// block writes { statements }; the comments before place hi belong to it. A comment right
// behind the { stays there.
func (p *printer) block(stmts []Stmt, hi int) {
	p.put("{")
	if len(stmts) == 0 && !p.pending(hi) {
		p.put("}")
		return
	}
	if p.pending(hi) && p.file != nil && p.file.Src != nil {
		before := strings.TrimRight(p.file.Src.Text[:p.comments[0].Sp.Lo], " \t")
		if strings.HasSuffix(before, "{") {
			p.put("  " + p.take().Text)
		}
	}
	outer := p.indent
	p.indent += 2
	p.body(stmts, hi)
	p.indent = outer
	p.newline(outer)
	p.put("}")
}

func holdsBlock(s Stmt) bool {
	switch s := s.(type) {
	case *Model, *For, *IfStmt:
		return true
	case *Event:
		return s.Kind != "stop"
	}
	return false
}

// stmt writes one statement. first says that none comes before it, docs the column of the
// string that documents it.
func (p *printer) stmt(s Stmt, first bool, docs int) {
	switch s := s.(type) {
	case *Model:
		p.put("model " + s.Name.Name + " ")
		if s.Doc != "" {
			p.put(quoted(s.Doc) + " ")
		}
		p.block(s.Body, s.Sp.Hi)
		return
	case *For:
		p.put("for " + s.Var.Name + " in ")
		p.expr(s.Over, PrecLambda, 0, false, 2)
		p.put(" ")
		p.block(s.Body, s.Sp.Hi)
		return
	case *IfStmt:
		p.ifStmt(s)
		return
	case *Event:
		if s.Kind != "stop" {
			p.event(s)
			return
		}
	}
	lines := p.lines
	doc := p.simple(s, first)
	if doc == "" {
		return
	}
	pad := 2
	if p.lines == lines {
		pad = max(2, docs-p.col)
	}
	p.put(strings.Repeat(" ", pad) + quoted(doc))
}

// alignWithin is the longest line that others are aligned with.
const alignWithin = 72

// docRun finds the run of neighbouring lines from stmts[i] on that have documentation, and the
// column at which it is aligned.
func (p *printer) docRun(stmts []Stmt, i int) (end, col int) {
	end = i
	for k := i; k < len(stmts); k++ {
		if holdsBlock(stmts[k]) || k > i && !p.adjacent(stmts[k-1], stmts[k]) {
			break
		}
		// Measured on one line: a layout of everything within would double the work at each level
		// of formulas in formulas.
		q := printer{width: math.MaxInt, col: p.indent}
		if q.simple(stmts[k], k == 0) == "" {
			break
		}
		end = k + 1
		if q.col <= alignWithin {
			col = max(col, q.col+2)
		}
	}
	return max(end, i+1), col
}

// adjacent says whether b is on the line after a, with no comment of its own between.
func (p *printer) adjacent(a, b Stmt) bool {
	if a.Span().IsZero() || b.Span().IsZero() || p.file == nil || p.file.Src == nil {
		return true
	}
	if p.lineOf(b.Span().Lo) > p.lineOf(max(a.Span().Lo, a.Span().Hi-1))+1 {
		return false
	}
	for _, c := range p.comments {
		if c.Sp.Lo >= b.Span().Hi {
			break
		}
		if c.Sp.Lo >= a.Span().Hi && !p.sameLine(a.Span().Hi, c.Sp.Lo) || c.Sp.Lo >= b.Span().Lo {
			return false
		}
	}
	return true
}
