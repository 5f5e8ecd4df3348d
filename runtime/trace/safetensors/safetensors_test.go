package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

func raw(header string, body ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), body...)
}

func write(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func same(a, b *File) bool {
	if len(a.Tensors) != len(b.Tensors) || len(a.Meta) != len(b.Meta) {
		return false
	}
	for i, t := range a.Tensors {
		u := b.Tensors[i]
		if t.Name != u.Name || len(t.Shape) != len(u.Shape) || len(t.Data) != len(u.Data) {
			return false
		}
		for k := range t.Shape {
			if t.Shape[k] != u.Shape[k] {
				return false
			}
		}
		for k := range t.Data {
			if math.Float64bits(t.Data[k]) != math.Float64bits(u.Data[k]) {
				return false
			}
		}
	}
	for k, v := range a.Meta {
		if b.Meta[k] != v {
			return false
		}
	}
	return true
}

func TestRoundTrip(t *testing.T) {
	f := &File{Meta: map[string]string{"model": "Lynx \"and\" hare", "α": "β"}, Tensors: []Tensor{
		{Name: "alpha", Data: []float64{0.1}},
		{Name: "U.W1", Shape: []int{2, 3}, Data: []float64{1, math.Copysign(0, -1), math.Inf(1), math.Float64frombits(0x7ff8000000001234), 5e-324, math.MaxFloat64}},
		{Name: "empty", Shape: []int{0, 4}, Data: []float64{}},
		{Name: "", Shape: []int{1}, Data: []float64{3}},
	}}
	b := write(t, f)
	g, err := Read(b)
	if err != nil || !same(f, g) {
		t.Fatalf("%v, %+v", err, g)
	}
	if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
		t.Errorf("a header of %d bytes: the numbers are not aligned", n)
	}
	if again := write(t, g); !bytes.Equal(again, b) {
		t.Error("the same tensors give other bytes")
	}
	if x, ok := g.Find("alpha"); !ok || x.Data[0] != 0.1 {
		t.Error("alpha is not found")
	}
	if _, ok := g.Find("beta"); ok {
		t.Error("beta is found")
	}
	if g, err := Read(write(t, &File{})); err != nil || len(g.Tensors) != 0 {
		t.Errorf("nothing: %v, %v", g, err)
	}
}

// The example of the format's description, and every type that is read.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		kind string
		body []byte
		want []float64
	}{
		{"F32", []byte{0, 0, 128, 63, 0, 0, 0, 192}, []float64{1, -2}},
		{"F16", []byte{0, 0x3c, 1, 0, 0, 0xfc, 0xff, 0x7b}, []float64{1, 0x1p-24, math.Inf(-1), 65504}},
		{"BF16", []byte{0x80, 0x3f}, []float64{1}},
		{"I8", []byte{255, 3}, []float64{-1, 3}},
		{"U8", []byte{255}, []float64{255}},
		{"I16", []byte{0, 128}, []float64{-32768}},
		{"U16", []byte{0, 128}, []float64{32768}},
		{"I32", []byte{254, 255, 255, 255}, []float64{-2}},
		{"U32", []byte{254, 255, 255, 255}, []float64{4294967294}},
		{"I64", []byte{255, 255, 255, 255, 255, 255, 255, 255}, []float64{-1}},
		{"U64", []byte{0, 1, 0, 0, 0, 0, 0, 0}, []float64{256}},
		{"BOOL", []byte{0, 1}, []float64{0, 1}},
	} {
		head := `{"x":{"dtype":"` + c.kind + `","shape":[` + string(rune('0'+len(c.want))) + `],"data_offsets":[0,` + string(rune('0'+len(c.body))) + `]}}   `
		f, err := Read(raw(head, c.body...))
		if err != nil || len(f.Tensors) != 1 || len(f.Tensors[0].Data) != len(c.want) {
			t.Errorf("%s: %v, %v", c.kind, f, err)
			continue
		}
		for i, v := range c.want {
			if f.Tensors[0].Data[i] != v {
				t.Errorf("%s: %v, want %v", c.kind, f.Tensors[0].Data, c.want)
			}
		}
	}
	if v := half(0x7e00); v == v {
		t.Error("a NaN of 16 bits is", v)
	}
}

func TestBadFiles(t *testing.T) {
	one := `{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`
	eight := make([]byte, 8)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":            {nil, "before the length"},
		"short":            {[]byte{1, 2, 3}, "before the length"},
		"text":             {[]byte("hello, this is no such file"), "no safetensors file"},
		"huge header":      {binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "no safetensors file"},
		"cut header":       {raw(one)[:20], "cut off"},
		"no brace":         {raw(` {}`), "brace"},
		"no header":        {raw(``), "brace"},
		"not JSON":         {raw(`{"x":}`), "not JSON"},
		"open":             {raw(`{"x":{"dtype":"F64"}`), "not JSON"},
		"trailing":         {raw(`{} {}`), "follows its header"},
		"not UTF-8":        {raw("{\"\xff\":1}"), "UTF-8"},
		"array":            {raw(`{"x":[1,2]}`), "cannot be read"},
		"twice":            {raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, eight...), "two entries"},
		"negative":         {raw(`{"x":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}`, eight...), "cannot be read"},
		"fraction":         {raw(`{"x":{"dtype":"F64","shape":[0.5],"data_offsets":[0,8]}}`, eight...), "cannot be read"},
		"cut body":         {raw(one, 1, 2, 3), "cut off"},
		"one offset":       {raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[8]}}`, eight...), "damaged"},
		"offsets backward": {raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}}`, eight...), "damaged"},
		"hole":             {raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}`, make([]byte, 16)...), "begin at byte 8"},
		"overlap":          {raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"y":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, eight...), "begin at byte 0"},
		"rest":             {raw(one, make([]byte, 9)...), "1 bytes follow"},
		"shape":            {raw(`{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}`, eight...), "a shape of [2] but 8 bytes"},
		"overflow":         {raw(`{"x":{"dtype":"F64","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}`), "a shape of"},
		"huge extent":      {raw(`{"x":{"dtype":"F64","shape":[18446744073709551615],"data_offsets":[0,0]}}`), "an extent of"},
		"type":             {raw(`{"x":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}`, eight...), "which is not read"},
		"integer":          {raw(`{"x":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}`, 255, 255, 255, 255, 255, 255, 255, 255), "cannot say"},
		"metadata":         {raw(`{"__metadata__":{"a":1}}`), "no record of texts"},
	} {
		if f, err := Read(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", name, f, err, c.want)
		}
	}
	for name, f := range map[string]*File{
		"shape":    {Tensors: []Tensor{{Name: "x", Shape: []int{2}, Data: []float64{1}}}},
		"negative": {Tensors: []Tensor{{Name: "x", Shape: []int{-1}}}},
		"twice":    {Tensors: []Tensor{{Name: "x", Data: []float64{1}}, {Name: "x", Data: []float64{1}}}},
		"reserved": {Tensors: []Tensor{{Name: metaKey, Data: []float64{1}}}},
		"UTF-8":    {Tensors: []Tensor{{Name: "\xff", Data: []float64{1}}}},
	} {
		if err := Write(&bytes.Buffer{}, f); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// Whatever is read gives an error or tensors that fit the file, and what was read is written and read again alike.
func FuzzRead(f *testing.F) {
	f.Add(raw(`{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(raw(`{"__metadata__":{"a":"b"},"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}`, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(raw(`{"x":{"dtype":"BOOL","shape":[0,9],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read(b)
		if err != nil {
			return
		}
		n := 0
		for _, x := range file.Tensors {
			n += len(x.Data)
		}
		if n > len(b) {
			t.Fatalf("%d numbers from %d bytes", n, len(b))
		}
		again, err := Read(write(t, file))
		if err != nil || !same(file, again) {
			t.Fatalf("%v: %+v, %+v", err, file, again)
		}
	})
}
