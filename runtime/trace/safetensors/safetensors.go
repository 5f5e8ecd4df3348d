package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// Tensor is a named array, row by row.
type Tensor struct {
	Name  string
	Shape []int // nil for a number
	Data  []float64
}

// File is what a file holds.
type File struct {
	Tensors []Tensor
	Meta    map[string]string // texts beside them; nil for none
}

// Find gives a tensor by its name.
func (f *File) Find(name string) (*Tensor, bool) {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i], true
		}
	}
	return nil, false
}

const (
	metaKey   = "__metadata__"
	maxHeader = 100_000_000 // bytes, of the format's own library
)

// entry is what the header says of a tensor.
type entry struct {
	Type    string   `json:"dtype"`
	Shape   []uint64 `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// size is the number of elements of a shape; ok is false where it does not fit.
func size(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/8/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Write writes tensors in their order, as 64-bit floats. Names must differ, and shapes fit the data.
func Write(w io.Writer, f *File) error {
	// The order of keys in the header is that of the tensors, so that the same tensors give the same bytes.
	head := []byte{'{'}
	if len(f.Meta) > 0 {
		b, err := json.Marshal(f.Meta) // sorted by key
		if err != nil {
			return err
		}
		head = append(append(head, `"`+metaKey+`":`...), b...)
	}
	at := uint64(0)
	seen := map[string]bool{}
	for i := range f.Tensors {
		t := &f.Tensors[i]
		n, ok := size(t.Shape)
		switch {
		case !ok || n != len(t.Data):
			return fmt.Errorf("the tensor %q has %d values for a shape of %v", t.Name, len(t.Data), t.Shape)
		case seen[t.Name]:
			return fmt.Errorf("two tensors are called %q", t.Name)
		case t.Name == metaKey || !utf8.ValidString(t.Name):
			return fmt.Errorf("a tensor cannot be called %q", t.Name)
		}
		seen[t.Name] = true
		e := entry{Type: "F64", Shape: []uint64{}, Offsets: []uint64{at, at + 8*uint64(n)}}
		for _, d := range t.Shape {
			e.Shape = append(e.Shape, uint64(d))
		}
		at = e.Offsets[1]
		name, err := json.Marshal(t.Name)
		if err != nil {
			return err
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if len(head) > 1 {
			head = append(head, ',')
		}
		head = append(append(append(head, name...), ':'), b...)
	}
	head = append(head, '}')
	for len(head)%8 != 0 { // so that the numbers are aligned
		head = append(head, ' ')
	}
	if len(head) > maxHeader {
		return fmt.Errorf("the header would have %d bytes, more than %d", len(head), maxHeader)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<15)
	for i := range f.Tensors {
		for _, v := range f.Tensors[i].Data {
			if len(buf)+8 > cap(buf) {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(v))
		}
	}
	_, err := w.Write(buf)
	return err
}

// Error is a file that is no such file, or damaged.
type Error struct{ Reason string }

// Error says what is wrong.
func (e *Error) Error() string { return e.Reason }

func bad(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Read reads a whole file, tensors in the order of their numbers. The error is *Error.
func Read(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, bad("it ends after %d bytes, before the length of its header", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	switch {
	case n > maxHeader:
		return nil, bad("its header would have %d bytes: this is no safetensors file", n)
	case n > uint64(len(b)-8):
		return nil, bad("its header has %d bytes, but only %d follow: the file is cut off", n, len(b)-8)
	}
	head, body := b[8:8+n], b[8+n:]
	if len(head) == 0 || head[0] != '{' {
		return nil, bad("its header does not begin with a brace: this is no safetensors file")
	}
	names, raw, err := keys(head)
	if err != nil {
		return nil, err
	}
	f := &File{}
	entries := map[string]*entry{}
	for _, name := range names {
		if name == metaKey {
			if err := json.Unmarshal(raw[name], &f.Meta); err != nil {
				return nil, bad("its %s is no record of texts", metaKey)
			}
			continue
		}
		e := &entry{}
		if err := json.Unmarshal(raw[name], e); err != nil {
			return nil, bad("the header's entry of %q cannot be read: %v", name, err)
		}
		entries[name] = e
	}
	order := slices.Collect(maps.Keys(entries))
	for _, name := range order {
		if e := entries[name]; len(e.Offsets) != 2 || e.Offsets[0] > e.Offsets[1] || e.Offsets[1] > uint64(len(body)) {
			return nil, bad("the numbers of %q are said to lie at %v, of %d bytes: the file is cut off or damaged", name, e.Offsets, len(body))
		}
	}
	slices.SortFunc(order, func(a, b string) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		for i := range x {
			if x[i] != y[i] {
				if x[i] < y[i] {
					return -1
				}
				return 1
			}
		}
		if a < b {
			return -1
		}
		return 1
	})
	end := uint64(0)
	for _, name := range order {
		e := entries[name]
		if e.Offsets[0] != end {
			return nil, bad("the numbers of %q begin at byte %d, not where those before end, at %d", name, e.Offsets[0], end)
		}
		end = e.Offsets[1]
		t := Tensor{Name: name}
		for _, d := range e.Shape {
			if d > math.MaxInt32*8 {
				return nil, bad("%q has an extent of %d", name, d)
			}
			t.Shape = append(t.Shape, int(d))
		}
		count, ok := size(t.Shape)
		k, known := kinds[e.Type]
		switch {
		case !known:
			return nil, bad("%q has numbers of the type %.20q, which is not read; there are F64, F32, F16, BF16, integers and BOOL", name, e.Type)
		case !ok || uint64(count)*uint64(k.bytes) != e.Offsets[1]-e.Offsets[0]:
			return nil, bad("%q has a shape of %v but %d bytes", name, t.Shape, e.Offsets[1]-e.Offsets[0])
		}
		t.Data = make([]float64, count)
		for i := range t.Data {
			v, ok := k.read(body[int(e.Offsets[0])+i*k.bytes:])
			if !ok {
				return nil, bad("%q has an integer that a 64-bit float cannot say", name)
			}
			t.Data[i] = v
		}
		f.Tensors = append(f.Tensors, t)
	}
	if end != uint64(len(body)) {
		return nil, bad("%d bytes follow the last number: the file is damaged", uint64(len(body))-end)
	}
	return f, nil
}

// keys are the names of an object's members in their order, each of which may occur once, and their texts.
func keys(head []byte) ([]string, map[string]json.RawMessage, error) {
	if !utf8.Valid(head) {
		return nil, nil, bad("its header is not a text in UTF-8")
	}
	r := &reader{b: head}
	d := json.NewDecoder(r)
	if _, err := d.Token(); err != nil {
		return nil, nil, bad("its header is not JSON: %v", err)
	}
	var names []string
	raw := map[string]json.RawMessage{}
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return nil, nil, bad("its header is not JSON: %v", err)
		}
		name, ok := tok.(string)
		if !ok {
			return nil, nil, bad("its header is not JSON")
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, nil, bad("its header is not JSON: %v", err)
		}
		if _, twice := raw[name]; twice {
			return nil, nil, bad("its header has two entries of %q", name)
		}
		names, raw[name] = append(names, name), v
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, bad("its header is not JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, bad("something follows its header")
	}
	return names, raw, nil
}

type reader struct{ b []byte }

func (r *reader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// kind is a type of numbers.
type kind struct {
	bytes int
	read  func(b []byte) (float64, bool)
}

func exact[T float32 | float64 | int8 | uint8 | int16 | uint16 | int32 | uint32](of func(b []byte) T) func([]byte) (float64, bool) {
	return func(b []byte) (float64, bool) { return float64(of(b)), true }
}

// kinds is the table of types that are read.
var kinds = map[string]kind{
	"F64":  {8, exact(func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) })},
	"F32":  {4, exact(func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })},
	"F16":  {2, exact(func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) })},
	"BF16": {2, exact(func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) })},
	"I8":   {1, exact(func(b []byte) int8 { return int8(b[0]) })},
	"U8":   {1, exact(func(b []byte) uint8 { return b[0] })},
	"I16":  {2, exact(func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) })},
	"U16":  {2, exact(binary.LittleEndian.Uint16)},
	"I32":  {4, exact(func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })},
	"U32":  {4, exact(binary.LittleEndian.Uint32)},
	"I64": {8, func(b []byte) (float64, bool) {
		i := int64(binary.LittleEndian.Uint64(b))
		return float64(i), i >= -1<<53 && i <= 1<<53
	}},
	"U64": {8, func(b []byte) (float64, bool) {
		i := binary.LittleEndian.Uint64(b)
		return float64(i), i <= 1<<53
	}},
	"BOOL": {1, func(b []byte) (float64, bool) { return float64(b[0]), b[0] <= 1 }},
}

// half is a number of IEEE 754's binary16.
func half(b uint16) float64 {
	sign, exp, frac := 1.0, int(b>>10&31), float64(b&1023)
	if b>>15 == 1 {
		sign = -1
	}
	switch {
	case exp == 31 && frac == 0:
		return math.Inf(int(sign))
	case exp == 31:
		return math.NaN()
	case exp == 0:
		return sign * math.Ldexp(frac, -24)
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}
