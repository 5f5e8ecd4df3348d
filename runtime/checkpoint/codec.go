package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/udl-lang/udl/runtime/trace/safetensors"
	"github.com/udl-lang/udl/runtime/train"
)

// A snapshot becomes numbers, which go into tensors, and texts and counts, which go into JSON. It is taken apart by its types, so that what
// is added to train.Snapshot or train.Point is kept without being named here; a test fails for a type that cannot be kept. A float64 by itself is
// written so that it reads back to the same bits.

// flat is a value taken apart.
type flat struct {
	Counts map[string]int64          `json:"counts"`
	Floats map[string]string         `json:"floats"`
	Texts  map[string]string         `json:"texts"`
	Sparse map[string]map[int]string `json:"notes"`            // of texts in a list, those that are not empty
	Lists  map[string][]string       `json:"arrays,omitempty"` // names, in their order

	tensors []safetensors.Tensor
	read    *safetensors.File
}

func newFlat() *flat {
	return &flat{Counts: map[string]int64{}, Floats: map[string]string{}, Texts: map[string]string{}, Sparse: map[string]map[int]string{}, Lists: map[string][]string{}}
}

var arraysType = reflect.TypeFor[[]train.Array]()

// prefix of the tensors that are not the model's.
const prefix = "state/"

// put takes a struct apart.
func (f *flat) put(path string, v reflect.Value) error {
	t := v.Type()
	for i := range t.NumField() {
		name := path + t.Field(i).Name
		x := v.Field(i)
		switch x.Kind() {
		case reflect.Func: // no state
		case reflect.Int, reflect.Int64:
			f.Counts[name] = x.Int()
		case reflect.Bool:
			if f.Counts[name] = 0; x.Bool() {
				f.Counts[name] = 1
			}
		case reflect.Float64:
			f.Floats[name] = exactly(x.Float())
		case reflect.String:
			f.Texts[name] = x.String()
		case reflect.Slice:
			if err := f.putSlice(name, x); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a snapshot's %s cannot be kept: it is %v", name, x.Type())
		}
	}
	return nil
}

func (f *flat) putSlice(name string, x reflect.Value) error {
	n := x.Len()
	switch {
	case x.Type().Elem().Kind() == reflect.Float64:
		f.tensors = append(f.tensors, safetensors.Tensor{Name: prefix + name, Shape: []int{n}, Data: x.Convert(reflect.TypeFor[[]float64]()).Interface().([]float64)})
	case x.Type() == arraysType:
		f.Lists[name] = []string{}
		for i, a := range x.Interface().([]train.Array) {
			f.Lists[name] = append(f.Lists[name], a.Name)
			f.tensors = append(f.tensors, safetensors.Tensor{Name: fmt.Sprintf("%s%s/%d.%s", prefix, name, i, a.Name), Shape: []int{len(a.Values)}, Data: a.Values})
		}
	case x.Type().Elem().Kind() == reflect.Pointer: // states of several fits
		f.Counts[name] = int64(n)
		for i := range n {
			one := fmt.Sprintf("%s/%d", name, i)
			if f.Counts[one] = 0; x.Index(i).IsNil() {
				continue
			}
			f.Counts[one] = 1
			if err := f.put(one+"/", x.Index(i).Elem()); err != nil {
				return err
			}
		}
	case x.Type().Elem().Kind() == reflect.Struct:
		// A column for each field.
		t := x.Type().Elem()
		f.Counts[name] = int64(n)
		for k := range t.NumField() {
			field := name + "/" + t.Field(k).Name
			switch t.Field(k).Type.Kind() {
			case reflect.String:
				notes := map[int]string{}
				for i := range n {
					if s := x.Index(i).Field(k).String(); s != "" {
						notes[i] = s
					}
				}
				f.Sparse[field] = notes
			case reflect.Int, reflect.Int64, reflect.Bool, reflect.Float64:
				col := make([]float64, n)
				for i := range n {
					if e := x.Index(i).Field(k); e.CanInt() {
						col[i] = float64(e.Int()) // beyond 2^53 there are nanoseconds only
					} else if e.Kind() == reflect.Bool {
						if e.Bool() {
							col[i] = 1
						}
					} else {
						col[i] = e.Float()
					}
				}
				f.tensors = append(f.tensors, safetensors.Tensor{Name: prefix + field, Shape: []int{n}, Data: col})
			default:
				return fmt.Errorf("a snapshot's %s cannot be kept: it is %v", field, t.Field(k).Type)
			}
		}
	default:
		return fmt.Errorf("a snapshot's %s cannot be kept: it is %v", name, x.Type())
	}
	return nil
}

// get puts a struct together again.
func (f *flat) get(path string, v reflect.Value) error {
	t := v.Type()
	for i := range t.NumField() {
		name := path + t.Field(i).Name
		x := v.Field(i)
		ok := true
		switch x.Kind() {
		case reflect.Func:
		case reflect.Int, reflect.Int64:
			var n int64
			n, ok = f.Counts[name]
			x.SetInt(n)
		case reflect.Bool:
			var n int64
			n, ok = f.Counts[name]
			x.SetBool(n != 0)
		case reflect.Float64:
			var s string
			if s, ok = f.Floats[name]; ok {
				n, err := strconv.ParseFloat(s, 64)
				x.SetFloat(n)
				ok = err == nil
			}
		case reflect.String:
			var s string
			s, ok = f.Texts[name]
			x.SetString(s)
		case reflect.Slice:
			ok = f.getSlice(name, x)
		}
		if !ok {
			return fmt.Errorf("it lacks %s", name)
		}
	}
	return nil
}

func (f *flat) tensor(name string, n int) ([]float64, bool) {
	t, ok := f.read.Find(prefix + name)
	if !ok || n >= 0 && len(t.Data) != n {
		return nil, false
	}
	return t.Data, true
}

func (f *flat) getSlice(name string, x reflect.Value) bool {
	switch {
	case x.Type().Elem().Kind() == reflect.Float64:
		v, ok := f.tensor(name, -1)
		if len(v) == 0 {
			v = nil // what is not there is written as nothing
		}
		x.Set(reflect.ValueOf(v).Convert(x.Type()))
		return ok
	case x.Type() == arraysType:
		names, ok := f.Lists[name]
		var out []train.Array
		for i, n := range names {
			v, has := f.tensor(fmt.Sprintf("%s/%d.%s", name, i, n), -1)
			ok = ok && has
			out = append(out, train.Array{Name: n, Values: v})
		}
		x.Set(reflect.ValueOf(out))
		return ok
	}
	n, ok := f.Counts[name]
	if ok && x.Type().Elem().Kind() == reflect.Pointer {
		return f.getPointers(name, x, n)
	}
	if !ok || n < 0 || n > int64(len(f.read.Tensors))*math.MaxInt32 {
		return false
	}
	t := x.Type().Elem()
	// The columns say how many there really are, before memory is taken.
	columns := make([][]float64, t.NumField())
	for k := range columns {
		if kind := t.Field(k).Type.Kind(); kind != reflect.String {
			if columns[k], ok = f.tensor(name+"/"+t.Field(k).Name, int(n)); !ok {
				return false
			}
		}
	}
	x.Set(reflect.MakeSlice(x.Type(), int(n), int(n)))
	for k, col := range columns {
		if col == nil && t.Field(k).Type.Kind() == reflect.String {
			for i, s := range f.Sparse[name+"/"+t.Field(k).Name] {
				if i < 0 || i >= int(n) {
					return false
				}
				x.Index(i).Field(k).SetString(s)
			}
			continue
		}
		for i, v := range col {
			if e := x.Index(i).Field(k); e.CanInt() {
				if e.SetInt(int64(v)); float64(e.Int()) != v {
					return false
				}
			} else if e.Kind() == reflect.Bool {
				e.SetBool(v != 0)
			} else {
				e.SetFloat(v)
			}
		}
	}
	return true
}

func (f *flat) getPointers(name string, x reflect.Value, n int64) bool {
	if n < 0 || n > int64(len(f.Counts)) {
		return false
	}
	if n == 0 {
		return true
	}
	x.Set(reflect.MakeSlice(x.Type(), int(n), int(n)))
	for i := range int(n) {
		one := fmt.Sprintf("%s/%d", name, i)
		switch there, ok := f.Counts[one]; {
		case !ok:
			return false
		case there == 0:
			continue
		}
		e := reflect.New(x.Type().Elem().Elem())
		if f.get(one+"/", e.Elem()) != nil {
			return false
		}
		x.Index(i).Set(e)
	}
	return true
}

func exactly(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// layout is a digest of the types that a snapshot is made of: another version of the program, which keeps other things, has another.
func layout() string {
	var b strings.Builder
	var types []reflect.Type
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if slices.Contains(types, t) {
			return
		}
		types = append(types, t)
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				fmt.Fprintln(&b, t.Name(), t.Field(i).Name, t.Field(i).Type)
				walk(t.Field(i).Type)
			}
		case reflect.Slice, reflect.Pointer:
			walk(t.Elem())
		}
	}
	walk(reflect.TypeFor[train.Snapshot]())
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
