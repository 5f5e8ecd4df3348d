package trace

// Comma-separated values as RFC 4180 describes them (Y. Shafranovich, 2005), with the line
// end "\n" instead of "\r\n", as tools on every system read it.

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteCSV writes a header of names and one line per row. Numbers are written as short as
// they read back to the same bits; NaN, a missing value, is an empty cell; infinities are
// inf and -inf. A cell is quoted only where it must be. The error is that of the writer or of
// columns of unequal length.
func WriteCSV(w io.Writer, f *Frame) error {
	if err := f.Check(); err != nil {
		return err
	}
	names := make([]string, len(f.Columns))
	for i := range names {
		names[i] = f.Columns[i].Name
	}
	c := NewCSVWriter(w, names)
	for r := range f.Rows() {
		for i := range f.Columns {
			if col := &f.Columns[i]; col.Values == nil {
				c.text(col.Text[r])
			} else {
				c.number(col.Values[r])
			}
		}
		c.end()
	}
	return c.Flush()
}

// CSVWriter writes rows of numbers one by one, as WriteCSV writes a frame. It holds no more of them than a buffer does.
type CSVWriter struct {
	b     *bufio.Writer
	buf   []byte
	alone bool // one column
	cells int  // in this row so far
	err   error
}

// NewCSVWriter writes the header.
func NewCSVWriter(w io.Writer, names []string) *CSVWriter {
	c := &CSVWriter{b: bufio.NewWriterSize(w, 1<<16), buf: make([]byte, 0, 32), alone: len(names) == 1}
	for _, n := range names {
		c.text(n)
	}
	c.end()
	return c
}

// Row writes one row; the error is that of the writer, now or before.
func (c *CSVWriter) Row(t float64, values []float64) error {
	c.number(t)
	for _, v := range values {
		c.number(v)
	}
	c.end()
	return c.err
}

// Flush writes what is still held; the error is that of the writer, now or before.
func (c *CSVWriter) Flush() error { return c.b.Flush() }

func (c *CSVWriter) comma() {
	if c.cells++; c.cells > 1 {
		c.b.WriteByte(',')
	}
}

func (c *CSVWriter) text(s string) {
	c.comma()
	writeCell(c.b, s, c.alone)
}

func (c *CSVWriter) number(v float64) {
	if math.IsNaN(v) {
		// A line that is empty would be no row at all.
		c.text("")
		return
	}
	c.comma()
	c.buf = appendNumber(c.buf[:0], v)
	c.b.Write(c.buf)
}

func (c *CSVWriter) end() {
	c.cells = 0
	c.err = c.b.WriteByte('\n') // its errors stay
}

// writeCell writes a text cell; an empty one that stands alone on its line is quoted.
func writeCell(b *bufio.Writer, s string, alone bool) {
	// A leading # would read back as a comment.
	if !strings.ContainsAny(s, ",;\t\"\r\n") && !strings.HasPrefix(s, "#") && strings.TrimSpace(s) == s && (s != "" || !alone) {
		b.WriteString(s)
		return
	}
	b.WriteByte('"')
	b.WriteString(strings.ReplaceAll(s, `"`, `""`))
	b.WriteByte('"')
}

// appendNumber appends the shortest decimal that reads back to v.
func appendNumber(buf []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(buf, "inf"...)
	case math.IsInf(v, -1):
		return append(buf, "-inf"...)
	case math.IsNaN(v):
		return append(buf, "nan"...)
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.AppendFloat(buf, v, 'f', -1, 64)
	}
	return strconv.AppendFloat(buf, v, 'g', -1, 64)
}
