package data

// Splitting a text into records and cells: RFC 4180 (Y. Shafranovich, 2005), widened by other
// delimiters, bare line feeds and carriage returns, comment lines and blank lines. The
// standard library's reader is not used since every cell needs its exact place.

import (
	"strings"

	"github.com/udl-lang/udl/lang/diag"
)

// field is one cell as written.
type field struct {
	text   string // unquoted, blanks around it removed unless it was quoted
	quoted bool
	span   diag.Span
}

// record is one line, or several where a quoted cell spans lines.
type record []field

// split cuts a text into records. Lines that begin with # and blank lines are none.
func split(src *diag.Source, delim byte) ([]record, *diag.Diagnostic) {
	s := src.Text
	var recs []record
	for i := 0; i < len(s); {
		if end := lineEnd(s, i); s[i] == '#' || strings.TrimLeft(s[i:end], " ") == "" {
			i = nextLine(s, end)
			continue
		}
		var rec record
		for {
			f, next, d := cell(src, i, delim)
			if d != nil {
				return nil, d
			}
			rec = append(rec, f)
			i = next
			if i < len(s) && s[i] == delim {
				i++
				continue
			}
			i = nextLine(s, i)
			break
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// cell reads one cell from i; next is at its delimiter, its line end or the end of the text.
func cell(src *diag.Source, i int, delim byte) (f field, next int, d *diag.Diagnostic) {
	s := src.Text
	start := i
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i == len(s) || s[i] != '"' {
		for i < len(s) && s[i] != delim && s[i] != '\n' && s[i] != '\r' {
			i++
		}
		raw := s[start:i]
		lo := start + len(raw) - len(strings.TrimLeft(raw, " \t"))
		text := strings.Trim(raw, " \t")
		if text == "" {
			lo = start
		}
		return field{text: text, span: diag.Span{Src: src, Lo: lo, Hi: lo + len(text)}}, i, nil
	}
	open := i
	var b strings.Builder
	for i++; ; i++ {
		if i >= len(s) {
			return f, i, diag.New("E0607", diag.Span{Src: src, Lo: open, Hi: open + 1}, "a quoted cell has no end").
				At("opened here").WithHelp("close it with `\"`; a quotation mark inside a cell is written twice, `\"\"`")
		}
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		break
	}
	i++
	f = field{text: b.String(), quoted: true, span: diag.Span{Src: src, Lo: open, Hi: i}}
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i < len(s) && s[i] != delim && s[i] != '\n' && s[i] != '\r' {
		lo := i
		for i < len(s) && s[i] != delim && s[i] != '\n' && s[i] != '\r' {
			i++
		}
		return f, i, diag.New("E0607", diag.Span{Src: src, Lo: lo, Hi: i}, "text after the end of a quoted cell").
			At("expected %s or the end of the line", delimName(delim)).
			WithHelp("quote the whole cell; a quotation mark inside it is written twice, `\"\"`")
	}
	return f, i, nil
}

// lineEnd is where the line of i ends, its line break excluded.
func lineEnd(s string, i int) int {
	if k := strings.IndexAny(s[i:], "\r\n"); k >= 0 {
		return i + k
	}
	return len(s)
}

// nextLine steps over one line break: "\n", "\r\n" or a lone "\r".
func nextLine(s string, i int) int {
	if i < len(s) && s[i] == '\r' {
		i++
		if i < len(s) && s[i] == '\n' {
			i++
		}
		return i
	}
	if i < len(s) && s[i] == '\n' {
		i++
	}
	return i
}

func delimName(d byte) string {
	switch d {
	case '\t':
		return "a tab"
	case ',':
		return "a comma"
	case ';':
		return "a semicolon"
	}
	return "`" + string(rune(d)) + "`"
}

// sniff finds the delimiter: of comma, semicolon and tab the one that cuts the header into most
// cells; on a tie the one that then cuts the next lines into as many. A file of one column has none; comma it is.
func sniff(src *diag.Source, decimal byte) byte {
	best, bestN, bestFit := byte(','), 1, 0
	if decimal == ',' {
		best = ';'
	}
	for _, d := range [...]byte{',', ';', '\t'} {
		if d == decimal {
			continue
		}
		counts := countCells(src.Text, d, 12)
		if len(counts) == 0 {
			continue
		}
		fit := 0
		for _, n := range counts {
			if n == counts[0] {
				fit++
			}
		}
		// A decimal comma makes commas in the data, not in the header; hence the header decides.
		if counts[0] > bestN || counts[0] == bestN && bestN > 1 && fit > bestFit {
			best, bestN, bestFit = d, counts[0], fit
		}
	}
	return best
}

// countCells counts cells of the first lines that hold any.
func countCells(s string, delim byte, lines int) []int {
	var counts []int
	for i := 0; i < len(s) && len(counts) < lines; {
		if end := lineEnd(s, i); s[i] == '#' || strings.TrimLeft(s[i:end], " ") == "" {
			i = nextLine(s, end)
			continue
		}
		n, quoted := 1, false
		for ; i < len(s); i++ {
			if s[i] == '"' {
				quoted = !quoted
			}
			if quoted {
				continue
			}
			if s[i] == delim {
				n++
			}
			if s[i] == '\n' || s[i] == '\r' {
				break
			}
		}
		counts = append(counts, n)
		i = nextLine(s, i)
	}
	return counts
}
