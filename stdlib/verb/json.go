package verb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// maxJSON is how many bytes a file may have where the session has no limit on memory.
const maxJSON = 1 << 30

// jsonVerb reads a JSON file: objects become records, rectangular lists of numbers arrays, other lists lists. null is
// nan, which stands for what is missing (RFC 8259 has no word for it).
func jsonVerb(c *Call) (value.Value, error) {
	name, f, err := c.file()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	limit := int64(maxJSON)
	if c.Limits.Memory > 0 {
		limit = c.Limits.Memory
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, c.cannotRead(name, err)
	}
	if int64(len(text)) > limit {
		return nil, diag.New("E0600", c.SpanOf("file"), "`%s` is larger than the limit of %d bytes", name, limit)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	v, err := jsonValue(d, 0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something stands behind its end")
		}
	}
	if err != nil {
		line, col := 1, 1
		for _, b := range text[:min(d.InputOffset(), int64(len(text)))] {
			if col++; b == '\n' {
				line, col = line+1, 1
			}
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, diag.New("E0717", c.SpanOf("file"), "`%s` is no JSON: %v, at line %d, column %d", name, err, line, col).
			WithHelp("a table of comma-separated values is read by `csv`")
	}
	return v, nil
}

// jsonDepth is how deep a file may nest.
const jsonDepth = 1000

func jsonValue(d *json.Decoder, depth int) (value.Value, error) {
	if depth > jsonDepth {
		return nil, fmt.Errorf("it nests deeper than %d", jsonDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			r := &value.Record{}
			for d.More() {
				k, err := d.Token()
				if err != nil {
					return nil, err
				}
				key, _ := k.(string)
				if _, twice := r.Get(key); twice {
					return nil, fmt.Errorf("the name %q stands twice", key)
				}
				v, err := jsonValue(d, depth+1)
				if err != nil {
					return nil, err
				}
				r.Put(key, v)
			}
			_, err = d.Token()
			return r, err
		}
		l := value.List{}
		for d.More() {
			v, err := jsonValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		_, err = d.Token()
		if a := stacked(l); a != nil {
			return a, err
		}
		return l, err
	case float64:
		return value.Num(t), nil
	case string:
		return value.Text(t), nil
	case bool:
		return value.Bool(t), nil
	case nil:
		return value.Num(math.NaN()), nil
	}
	return nil, fmt.Errorf("%v has no meaning", t)
}

// stacked is the array of a list of arrays of one shape, nil where the list is none or empty.
func stacked(l value.List) *value.Array {
	if len(l) == 0 {
		return nil
	}
	first, ok := l[0].(*value.Array)
	if !ok {
		return nil
	}
	out := &value.Array{Shape: append(types.Shape{len(l)}, first.Shape...)}
	for _, v := range l {
		a, ok := v.(*value.Array)
		if !ok || !a.Shape.Equal(first.Shape) {
			return nil
		}
		out.Data = append(out.Data, a.Data...)
	}
	return out
}

// writeRecord writes a record, list or array as JSON, which jsonVerb reads back to the same bits. nan is null; what is infinite has no word.
func writeRecord(w io.Writer, v value.Value) error {
	b, err := appendJSON(nil, v, "")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func appendJSON(b []byte, v value.Value, name string) ([]byte, error) {
	var err error
	each := func(open, end byte, n int, one func(i int) error) error {
		b = append(b, open)
		for i := range n {
			if i > 0 {
				b = append(b, ", "...)
			}
			if err := one(i); err != nil {
				return err
			}
		}
		b = append(b, end)
		return nil
	}
	part := func(v value.Value, name string) error {
		b, err = appendJSON(b, v, name)
		return err
	}
	switch v := v.(type) {
	case *value.Record:
		err = each('{', '}', len(v.Keys), func(i int) error {
			key, err := json.Marshal(v.Keys[i])
			if err != nil {
				return err
			}
			b = append(append(b, key...), ": "...)
			return part(v.Vals[i], v.Keys[i])
		})
	case value.List:
		err = each('[', ']', len(v), func(i int) error { return part(v[i], name) })
	case *value.Array:
		if v.Shape.IsScalar() {
			x := v.Data[0]
			switch {
			case math.IsNaN(x):
				return append(b, "null"...), nil
			case math.IsInf(x, 0):
				return b, fmt.Errorf("%s is %s, which JSON cannot say", name, value.Format(x))
			}
			return strconv.AppendFloat(b, x, 'g', -1, 64), nil
		}
		n := 1
		for _, d := range v.Shape[1:] {
			n *= d
		}
		err = each('[', ']', v.Shape[0], func(i int) error {
			return part(&value.Array{Shape: v.Shape[1:], Data: v.Data[i*n : (i+1)*n]}, name)
		})
	case value.Text:
		text, err := json.Marshal(string(v))
		return append(b, text...), err
	case value.Bool:
		return strconv.AppendBool(b, bool(v)), nil
	default:
		return b, fmt.Errorf("%s is %s, which JSON cannot say", name, value.Describe(v))
	}
	return b, err
}
