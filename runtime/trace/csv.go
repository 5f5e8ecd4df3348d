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
	b := bufio.NewWriter(w)
	buf := make([]byte, 0, 32)
	for i := range f.Columns {
		if i > 0 {
			b.WriteByte(',')
		}
		writeCell(b, f.Columns[i].Name, len(f.Columns) == 1)
	}
	b.WriteByte('\n')
	for r := range f.Rows() {
		for i := range f.Columns {
			if i > 0 {
				b.WriteByte(',')
			}
			c := &f.Columns[i]
			if c.Values == nil {
				writeCell(b, c.Text[r], len(f.Columns) == 1)
				continue
			}
			v := c.Values[r]
			if math.IsNaN(v) {
				// A line that is empty would be no row at all.
				writeCell(b, "", len(f.Columns) == 1)
				continue
			}
			buf = appendNumber(buf[:0], v)
			b.Write(buf)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
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
