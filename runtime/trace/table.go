package trace

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
)

// TableOptions say how WriteTable lays out; the zero value works.
type TableOptions struct {
	Width  int  // columns of the terminal; 80 when 0. Columns of the frame that do not fit are named below
	Rows   int  // how many rows at most, the rest is left out in the middle; 12 when 0, all when negative
	Digits int  // significant digits; 6 when 0
	Color  bool // a dim heading
}

// WriteTable writes a frame for people: aligned columns with their names and units, a long one
// as its head, a line of dots and its tail. The error is that of the writer or of columns of unequal length.
func WriteTable(w io.Writer, f *Frame, o TableOptions) error {
	if err := f.Check(); err != nil {
		return err
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Rows == 0 {
		o.Rows = 12
	}
	if o.Digits <= 0 {
		o.Digits = 6
	}
	n := f.Rows()
	head, tail := n, 0
	if o.Rows > 0 && n > o.Rows {
		head = (o.Rows + 1) / 2
		tail = o.Rows - head
	}
	var rows []int
	for r := range head {
		rows = append(rows, r)
	}
	for r := n - tail; r < n; r++ {
		rows = append(rows, r)
	}
	var cols []tableColumn
	used, left := 0, []string(nil)
	units := false
	for i := range f.Columns {
		c := layoutColumn(&f.Columns[i], rows, o.Digits)
		// The first is always shown: a table of nothing helps nobody.
		if i > 0 && (left != nil || used+2+c.width > o.Width) {
			left = append(left, f.Columns[i].Name)
			continue
		}
		used += 2 + c.width
		units = units || c.unit != ""
		cols = append(cols, c)
	}
	var b strings.Builder
	dim := func(s string) string { return s }
	if o.Color {
		c := color.New(color.Bold)
		c.EnableColor()
		dim = func(s string) string { return c.Sprint(s) }
	}
	line := func(cell func(c *tableColumn) string, style func(string) string) {
		var l strings.Builder
		for i := range cols {
			c := &cols[i]
			s := cell(c)
			l.WriteString("  ")
			fill := strings.Repeat(" ", max(0, c.width-utf8.RuneCountInString(s)))
			if c.left {
				l.WriteString(s + fill)
			} else {
				l.WriteString(fill + s)
			}
		}
		if t := strings.TrimRight(l.String(), " "); t != "" {
			b.WriteString(style(t))
		}
		b.WriteByte('\n')
	}
	plain := func(s string) string { return s }
	line(func(c *tableColumn) string { return c.name }, dim)
	if units {
		line(func(c *tableColumn) string { return c.unit }, plain)
	}
	for k := range rows {
		if k == head && tail > 0 {
			line(func(c *tableColumn) string { return strings.Repeat("·", min(3, c.width)) }, plain)
		}
		line(func(c *tableColumn) string { return c.cells[k] }, plain)
	}
	if tail > 0 {
		fmt.Fprintf(&b, "  (%d rows; `table(…, rows = %d)` shows all)\n", n, n)
	}
	if left != nil {
		fmt.Fprintf(&b, "  (not shown, the terminal is too narrow: %s)\n", shorten(left, 6))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tableColumn is a column laid out.
type tableColumn struct {
	name, unit string
	cells      []string
	width      int
	left       bool // texts stand left, numbers right
}

func layoutColumn(c *Column, rows []int, digits int) tableColumn {
	t := tableColumn{name: oneLine(c.Name, 24)}
	if c.Unit != "" {
		t.unit = "[" + oneLine(c.Unit, 22) + "]"
	}
	if c.Values == nil {
		t.left = true
		for _, r := range rows {
			t.cells = append(t.cells, oneLine(c.Text[r], 30))
		}
	} else {
		vals := make([]float64, len(rows))
		for k, r := range rows {
			vals[k] = c.Values[r]
		}
		t.cells = alignNumbers(vals, digits)
	}
	t.width = max(utf8.RuneCountInString(t.name), utf8.RuneCountInString(t.unit))
	for _, s := range t.cells {
		t.width = max(t.width, utf8.RuneCountInString(s))
	}
	return t
}

// alignNumbers writes numbers so that they compare at a glance: with one number of decimals for all,
// enough for the given digits of the largest magnitude and for the numbers as they are, or all in
// scientific notation where the magnitudes do not go together.
func alignNumbers(vals []float64, digits int) []string {
	out := make([]string, len(vals))
	lo, hi := math.Inf(1), 0.0
	for _, v := range vals {
		if a := math.Abs(v); a > 0 && !math.IsInf(a, 0) && !math.IsNaN(a) {
			lo, hi = math.Min(lo, a), math.Max(hi, a)
		}
	}
	science := hi > 0 && (hi >= 1e7 || hi < 1e-4 || lo < hi*1e-6 && lo < 1e-3)
	decimals := 0
	if !science && hi > 0 {
		most := max(0, digits-1-int(math.Floor(math.Log10(hi))))
		// Smaller entries keep their digits too, within reason.
		most = min(max(most, min(most+3, digits-1-int(math.Floor(math.Log10(lo))))), 9)
		for _, v := range vals {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				continue
			}
			s := strconv.FormatFloat(v, 'f', most, 64)
			s = strings.TrimRight(s, "0")
			if i := strings.IndexByte(s, '.'); i >= 0 {
				decimals = max(decimals, len(s)-i-1)
			}
		}
	}
	for i, v := range vals {
		switch {
		case math.IsNaN(v):
			out[i] = "—"
		case math.IsInf(v, 0):
			out[i] = string(appendNumber(nil, v))
		case science && v != 0:
			out[i] = strconv.FormatFloat(v, 'e', digits-1, 64)
		case science:
			out[i] = "0"
		default:
			out[i] = strconv.FormatFloat(v, 'f', decimals, 64)
		}
	}
	return out
}

// oneLine is a text without line ends and control characters, cut to n characters.
func oneLine(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

// shorten lists at most n names.
func shorten(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
