package verb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/checkpoint"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/runtime/trace/safetensors"
	"github.com/udl-lang/udl/stdlib/value"
)

// kept is a model's values in a file: {"model": "M", "values": {"alpha": {"shape": [], "data": [2]}}}. Numbers read back
// to the same bits. Initial values are kept where they were fitted or set.
type kept struct {
	Model  string            `json:"model"`
	Values map[string]keptAt `json:"values"`
}

type keptAt struct {
	Shape types.Shape `json:"shape"`
	Data  []float64   `json:"data"`
}

// writeModel writes the values of a model.
func writeModel(w io.Writer, m *value.Model) error {
	k := kept{Model: m.Name(), Values: map[string]keptAt{}}
	sys := m.C.System
	for _, t := range sys.Theta {
		if t.Role == system.RoleFlag || t.Role == system.RoleInit && m.Theta[sys.Find(t.Name, system.RoleFlag).Off] == 0 {
			continue
		}
		v := m.Theta[t.Off : t.Off+t.Size()]
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("%s holds %v, which JSON cannot say", t.Name, x)
			}
		}
		shape := types.Shape(t.Shape)
		if shape == nil {
			shape = types.Shape{}
		}
		k.Values[t.Name] = keptAt{shape, v}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(k)
}

// loadVerb reads what writeModel wrote, as a record for `set`.
func loadVerb(c *Call) (value.Value, error) {
	name, f, err := c.file()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := os.Stat(c.Path(name)); c.FS == nil && err == nil && info.IsDir() { // a checkpoint
		f := trace.Folder{Path: c.Path(name), Suffix: ".safetensors"}
		_, numbers, err := f.Read()
		if err != nil || numbers == nil {
			return nil, c.Bad("file", "the folder `%s` holds no checkpoint", name).WithHelp("one is written by `fit(…, checkpoint = %q)`", name)
		}
		return c.loadTensors(name, bytes.NewReader(numbers))
	}
	if strings.EqualFold(filepath.Ext(name), ".safetensors") {
		return c.loadTensors(name, f)
	}
	var k kept
	if err := json.NewDecoder(f).Decode(&k); err != nil || k.Values == nil {
		return nil, c.Bad("file", "`%s` holds no values of a model", name).WithHelp("write one by `save(model, \"%s\")`", name)
	}
	r := &value.Record{}
	for _, n := range sortedNames(k.Values) {
		v := k.Values[n]
		shape := v.Shape
		if len(shape) == 0 {
			shape = nil
		}
		for _, d := range shape {
			if d < 0 {
				return nil, c.Bad("file", "`%s` is damaged: %s has a negative extent", name, n)
			}
		}
		if shape.Size() != len(v.Data) {
			return nil, c.Bad("file", "`%s` is damaged: %s has %d values for %s", name, n, len(v.Data), shape)
		}
		r.Put(n, &value.Array{Shape: shape, Data: v.Data})
	}
	return r, nil
}

// writeTensors writes the same values in the format safetensors, to the bit.
func writeTensors(w io.Writer, m *value.Model) error {
	return safetensors.Write(w, &safetensors.File{Meta: map[string]string{"model": m.Name()}, Tensors: checkpoint.Values(m.C.System, m.Theta)})
}

// recordTensors writes a record of numbers and arrays.
func recordTensors(r *value.Record) (*safetensors.File, error) {
	f := &safetensors.File{}
	for i, k := range r.Keys {
		switch v := r.Vals[i].(type) {
		case *value.Array:
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: k, Shape: v.Shape, Data: v.Data})
		case *value.Record:
			sub, err := recordTensors(v)
			if err != nil {
				return nil, err
			}
			for _, t := range sub.Tensors {
				t.Name = k + "." + t.Name
				f.Tensors = append(f.Tensors, t)
			}
		default:
			return nil, fmt.Errorf("`%s` is %s, not numbers", k, value.Describe(v))
		}
	}
	return f, nil
}

// loadTensors reads a file of that format, as a record for `set`; what a checkpoint keeps beside the weights is left out.
func (c *Call) loadTensors(name string, f io.Reader) (value.Value, error) {
	limit := c.Limits.Memory
	if limit <= 0 {
		limit = math.MaxInt64 - 1
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, c.cannotRead(name, err)
	}
	if int64(len(b)) > limit {
		return nil, c.cannotRead(name, fmt.Errorf("it is larger than the limit of %d bytes", limit))
	}
	file, err := safetensors.Read(b)
	if err != nil {
		return nil, diag.New("E0520", c.SpanOf("file"), "`%s` cannot be read: %v", name, err).WithHelp("write one by `save(model, \"%s\")`", name)
	}
	r := &value.Record{}
	for _, t := range file.Tensors {
		if !strings.HasPrefix(t.Name, "state/") {
			r.Put(t.Name, &value.Array{Shape: types.Shape(t.Shape), Data: t.Data})
		}
	}
	return r, nil
}
