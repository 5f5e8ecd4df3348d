package diag

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// The layout of a rendered finding: one tab is as wide as tabWidth columns at the most, and a
// source line longer than maxLine is shown as a window around the caret.
const (
	tabWidth = 4
	maxLine  = 120
)

// ANSI attributes of the parts of a finding.
const (
	ansiReset   = "\x1b[0m"
	ansiBold    = "\x1b[1m"
	ansiError   = "\x1b[1;31m"
	ansiWarning = "\x1b[1;33m"
	ansiGutter  = "\x1b[1;34m"
	ansiHelp    = "\x1b[1;32m"
)

// Render writes one finding: message, the excerpts with carets under the exact spans, notes
// and help. The first label is underlined with ^, the others with -. Labels without a source
// are left out. color adds ANSI attributes.
func Render(w io.Writer, d *Diagnostic, color bool) {
	r := renderer{w: bufio.NewWriter(w), color: color, caret: ansiError}
	if d.Severity == Warning {
		r.caret = ansiWarning
	}
	r.diagnostic(d)
	r.w.Flush()
}

// RenderList renders all findings with an empty line between.
func RenderList(w io.Writer, l List, color bool) {
	for i, d := range l {
		if i > 0 {
			io.WriteString(w, "\n")
		}
		Render(w, d, color)
	}
}

type renderer struct {
	w     *bufio.Writer
	color bool
	caret string // the attribute of the primary caret
	width int    // digits of the largest line number shown
}

func (r *renderer) paint(attr, s string) string {
	if !r.color || s == "" {
		return s
	}
	return attr + s + ansiReset
}

func (r *renderer) diagnostic(d *Diagnostic) {
	kind := "error"
	if d.Severity == Warning {
		kind = "warning"
	}
	if d.Code != "" {
		kind += "[" + string(d.Code) + "]"
	}
	fmt.Fprintf(r.w, "%s%s\n", r.paint(r.caret, kind), r.paint(ansiBold, ": "+d.Message))

	blocks := excerpts(d.Labels)
	r.width = 1
	for _, b := range blocks {
		for _, m := range b.marks {
			r.width = max(r.width, len(fmt.Sprint(m.line)))
		}
	}
	for i, b := range blocks {
		arrow := "-->"
		if i > 0 {
			arrow = ":::"
		}
		fmt.Fprintf(r.w, "%s%s %s\n", strings.Repeat(" ", r.width+1), r.paint(ansiGutter, arrow), b.at)
		r.gutter("")
		r.block(b)
	}
	for _, n := range d.Notes {
		r.tail("note", n)
	}
	if d.Help != "" {
		r.tail("help", d.Help)
	}
}

// tail writes a `= note:` or `= help:` line; further lines of the text are indented under it.
func (r *renderer) tail(kind, text string) {
	pad := strings.Repeat(" ", r.width+2)
	text = strings.ReplaceAll(text, "\n", "\n"+pad+strings.Repeat(" ", len(kind)+4))
	fmt.Fprintf(r.w, "%s%s %s%s %s\n", pad, r.paint(ansiGutter, "="), r.paint(ansiHelp, kind), ":", text)
}

// gutter writes a line without number.
func (r *renderer) gutter(text string) {
	bar := r.paint(ansiGutter, "|")
	if text != "" {
		bar += " " + text
	}
	fmt.Fprintf(r.w, "%s%s\n", strings.Repeat(" ", r.width+2), bar)
}

// mark is one underlining of one source line, in bytes of that line.
type mark struct {
	line    int
	lo, hi  int
	text    string
	primary bool
	open    bool // the span goes on below
}

// excerpt is what is shown of one source.
type excerpt struct {
	src   *Source
	at    string
	marks []mark
}

// excerpts sorts labels into one excerpt per source, the primary one's first.
func excerpts(labels []Label) []*excerpt {
	var out []*excerpt
	for i, l := range labels {
		s := l.Span
		if s.IsZero() {
			continue
		}
		var e *excerpt
		for _, o := range out {
			if o.src == s.Src {
				e = o
			}
		}
		if e == nil {
			e = &excerpt{src: s.Src, at: s.String()}
			out = append(out, e)
		}
		e.add(l, i == 0)
	}
	for _, e := range out {
		sort.SliceStable(e.marks, func(i, j int) bool { return e.marks[i].line < e.marks[j].line })
	}
	return out
}

func (e *excerpt) add(l Label, primary bool) {
	s := l.Span
	lo := max(0, min(s.Lo, len(s.Src.Text)))
	hi := max(lo, min(s.Hi, len(s.Src.Text)))
	first, _ := s.Src.Position(lo)
	last, _ := s.Src.Position(max(lo, hi-1)) // a span that ends with a line end stays on that line
	a := lo - s.Src.lineStart(first)
	if first == last {
		e.marks = append(e.marks, mark{line: first, lo: a, hi: a + hi - lo, text: l.Text, primary: primary})
		return
	}
	text := s.Src.Line(last)
	from := len(text) - len(strings.TrimLeft(text, " \t"))
	e.marks = append(e.marks,
		mark{line: first, lo: a, hi: len(s.Src.Line(first)), primary: primary, open: true},
		mark{line: last, lo: from, hi: hi - s.Src.lineStart(last), text: l.Text, primary: primary})
}

func (s *Source) lineStart(n int) int {
	s.index()
	return s.lines[max(1, min(n, len(s.lines)))-1]
}

func (r *renderer) block(e *excerpt) {
	for i := 0; i < len(e.marks); {
		line := e.marks[i].line
		if i > 0 {
			switch gap := line - e.marks[i-1].line; {
			case gap == 2 && !e.marks[i-1].open:
				r.source(line-1, window(e.src.Line(line-1), 0, 0).text)
			case gap > 1:
				fmt.Fprintf(r.w, "%s\n", r.paint(ansiGutter, "..."))
			}
		}
		v := window(e.src.Line(line), e.marks[i].lo, e.marks[i].hi)
		r.source(line, v.text)
		for ; i < len(e.marks) && e.marks[i].line == line; i++ {
			r.underline(v, e.marks[i])
		}
	}
}

func (r *renderer) source(n int, text string) {
	num := fmt.Sprintf(" %*d |", r.width, n)
	text = strings.TrimRight(text, " ")
	if text != "" {
		text = " " + text
	}
	fmt.Fprintf(r.w, "%s%s\n", r.paint(ansiGutter, num), text)
}

func (r *renderer) underline(v view, m mark) {
	lo, hi := v.column(m.lo), v.column(m.hi)
	attr, c := ansiGutter, "-"
	if m.primary {
		attr, c = r.caret, "^"
	}
	s := strings.Repeat(c, max(1, hi-lo))
	if m.text != "" {
		s += " " + m.text
	}
	r.gutter(strings.Repeat(" ", lo) + r.paint(attr, s))
}

// view is a source line as it appears: tabs expanded, control characters made visible, cut
// to a window when very long.
type view struct {
	text string
	cols []int // the column at which each byte of the line appears; one more for its end
}

func (v view) column(b int) int { return v.cols[max(0, min(b, len(v.cols)-1))] }

// window makes the view of a line; bytes lo..hi are to be seen.
func window(line string, lo, hi int) view {
	var b strings.Builder
	cols := make([]int, len(line)+1)
	col := 0
	for i := 0; i < len(line); {
		c, n := utf8.DecodeRuneInString(line[i:])
		for k := range n {
			cols[i+k] = col
		}
		switch {
		case c == '\t':
			w := tabWidth - col%tabWidth
			b.WriteString(strings.Repeat(" ", w))
			col += w
		case c == utf8.RuneError && n == 1, c < 0x20, c >= 0x7f && c < 0xa0:
			b.WriteRune(utf8.RuneError)
			col++
		default:
			b.WriteRune(c)
			col += runeWidth(c)
		}
		i += n
	}
	cols[len(line)] = col
	v := view{b.String(), cols}
	if col <= maxLine {
		return v
	}
	return v.cut(lo, hi)
}

// cut keeps about maxLine columns around bytes lo..hi and marks what is left out with "…".
func (v view) cut(lo, hi int) view {
	total := v.cols[len(v.cols)-1]
	from := max(0, v.column(lo)-maxLine/3)
	to := min(total, from+maxLine)
	if to == total {
		from = max(0, total-maxLine)
	}
	var b strings.Builder
	col, shift := 0, 0
	if from > 0 {
		b.WriteString("…")
	}
	started := false
	for _, c := range v.text {
		if col >= from && col < to {
			if !started {
				// A wide character may straddle the left edge: the shift is from what is kept.
				started, shift = true, col
				if from > 0 {
					shift--
				}
			}
			b.WriteRune(c)
		}
		col += runeWidth(c)
	}
	if to < total {
		b.WriteString("…")
	}
	cols := make([]int, len(v.cols))
	for i, c := range v.cols {
		cols[i] = max(0, min(c, to)-shift)
	}
	return view{b.String(), cols}
}
