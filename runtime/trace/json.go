package trace

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
)

// WriteJSON writes a frame as one object:
//
//	{"rows": 2, "columns": [
//	  {"name": "t", "unit": "year", "values": [0, 1]},
//	  {"name": "x", "doc": "hares", "values": [30, null]}]}
//
// JSON (RFC 8259) has no word for what is not finite: NaN, a missing value, is null, and the
// infinities are the strings "inf" and "-inf". Numbers read back to the same bits. A column of
// texts has "text" in place of "values". The error is that of the writer or of columns of unequal length.
func WriteJSON(w io.Writer, f *Frame) error {
	if err := f.Check(); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	b.WriteString(`{"rows": `)
	b.Write(appendNumber(nil, float64(f.Rows())))
	b.WriteString(`, "columns": [`)
	buf := make([]byte, 0, 32)
	for i := range f.Columns {
		c := &f.Columns[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  {\"name\": ")
		b.Write(quoteJSON(c.Name))
		if c.Unit != "" {
			b.WriteString(`, "unit": `)
			b.Write(quoteJSON(c.Unit))
		}
		if c.Doc != "" {
			b.WriteString(`, "doc": `)
			b.Write(quoteJSON(c.Doc))
		}
		if c.Values == nil {
			b.WriteString(`, "text": [`)
			for r, s := range c.Text {
				if r > 0 {
					b.WriteString(", ")
				}
				b.Write(quoteJSON(s))
			}
			b.WriteString("]}")
			continue
		}
		b.WriteString(`, "values": [`)
		for r, v := range c.Values {
			if r > 0 {
				b.WriteString(", ")
			}
			switch {
			case math.IsNaN(v):
				b.WriteString("null")
			case math.IsInf(v, 0):
				b.WriteByte('"')
				b.Write(appendNumber(buf[:0], v))
				b.WriteByte('"')
			default:
				b.Write(appendNumber(buf[:0], v))
			}
		}
		b.WriteString("]}")
	}
	b.WriteString("]}\n")
	return b.Flush()
}

// quoteJSON is s as a JSON string; invalid UTF-8 becomes the replacement character.
func quoteJSON(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return b
}
