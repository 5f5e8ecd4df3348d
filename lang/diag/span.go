package diag

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// Source is one text that spans point into: a file, or one entry at the prompt.
// It is immutable after NewSource and safe for concurrent use.
type Source struct {
	Name string // as shown to the user: "lynx.udl", "<prompt 3>"
	Text string

	once  sync.Once
	lines []int // byte offset of the start of each line
}

// NewSource makes a source of a name and a text.
func NewSource(name, text string) *Source { return &Source{Name: name, Text: text} }

func (s *Source) index() {
	s.once.Do(func() {
		s.lines = append(s.lines, 0)
		for i := 0; i < len(s.Text); i++ {
			if s.Text[i] == '\n' {
				s.lines = append(s.lines, i+1)
			}
		}
	})
}

// Position turns a byte offset into a line and a column, both from 1; the
// column counts characters, not bytes. Offsets past the end are clamped.
func (s *Source) Position(off int) (line, col int) {
	if s == nil {
		return 0, 0
	}
	s.index()
	off = max(0, min(off, len(s.Text)))
	line = sort.SearchInts(s.lines, off+1)
	return line, utf8.RuneCountInString(s.Text[s.lines[line-1]:off]) + 1
}

// Line is the text of a line (from 1) without its end.
func (s *Source) Line(n int) string {
	s.index()
	if n < 1 || n > len(s.lines) {
		return ""
	}
	lo, hi := s.lines[n-1], len(s.Text)
	if n < len(s.lines) {
		hi = s.lines[n] - 1
	}
	return strings.TrimSuffix(s.Text[lo:hi], "\r")
}

// Span is a half-open range of bytes [Lo, Hi) in a source. The zero Span has no place.
type Span struct {
	Src    *Source
	Lo, Hi int
}

// IsZero says whether the span has no place.
func (s Span) IsZero() bool { return s.Src == nil }

// Text is the source text under the span.
func (s Span) Text() string {
	if s.Src == nil || s.Lo < 0 || s.Hi > len(s.Src.Text) || s.Lo > s.Hi {
		return ""
	}
	return s.Src.Text[s.Lo:s.Hi]
}

// Join is the smallest span that covers both; a zero span covers nothing.
func (s Span) Join(o Span) Span {
	switch {
	case s.Src == nil:
		return o
	case o.Src == nil || o.Src != s.Src:
		return s
	}
	return Span{s.Src, min(s.Lo, o.Lo), max(s.Hi, o.Hi)}
}

// String is "file:line:col".
func (s Span) String() string {
	if s.Src == nil {
		return "-"
	}
	l, c := s.Src.Position(s.Lo)
	return fmt.Sprintf("%s:%d:%d", s.Src.Name, l, c)
}
