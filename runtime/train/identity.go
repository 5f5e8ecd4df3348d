package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"reflect"
	"sort"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// A fit that goes on from a snapshot must be the fit that the snapshot was taken of, or the result is that of neither. Identity says what makes a fit
// what it is, in parts, so that a difference can be named. Whatever is added to Spec counts from then on, without being named here.

// Part is a part of a fit by which it is told from others.
type Part struct {
	Name   string `json:"name"`   // in the user's words: "the data"
	Digest string `json:"digest"` // equal where the parts are
}

// partNames are what fields of Spec are called; a field without a name is called by its own.
var partNames = map[string]string{
	"Sys": "the model", "Theta": "the values that the training starts with", "Seed": "the seed", "Free": "what is free", "Problem": "the solver or its settings",
	"Data": "the data", "Trajectories": "the data", "Compare": "the loss", "Loss": "the loss", "HeldOut": "what is held out", "Stages": "the optimisers",
	"Methods": "the method", "Starts": "the number of starts", "Draw": "how starts are drawn", "Drawn": "how starts are drawn", "Regularise": "what is regularised", "Patience": "the patience", "Gradient": "the gradient method", "AutoScale": "the scaling of inputs",
}

// notIdentity are the fields that change nothing in the result.
var notIdentity = map[string]bool{"Progress": true, "Snapshot": true, "Resume": true, "Threads": true, "given": true}

// Identity digests the parts of a fit. of digests a system, which this package cannot look into; a loss of its own is not looked into either.
func (s *Spec) Identity(of func(*system.System) string) []Part {
	w := &digester{of: of}
	at := map[string]hash.Hash{}
	var names []string
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		if notIdentity[field] {
			continue
		}
		name := partNames[field]
		if name == "" {
			name = "the option " + field
		}
		if at[name] == nil {
			at[name] = sha256.New()
			names = append(names, name)
		}
		w.h = at[name]
		if field == "Problem" { // the rest of it is in other fields
			p := s.Problem
			p.Sys, p.Theta, p.Times = nil, nil, nil
			w.walk(reflect.ValueOf(p), 0)
			continue
		}
		w.walk(v.Field(i), 0)
	}
	parts := make([]Part, len(names))
	for i, n := range names {
		parts[i] = Part{n, hex.EncodeToString(at[n].Sum(nil)[:12])}
	}
	return parts
}

// Differing are the names of the parts that are not the same.
func Differing(a, b []Part) []string {
	of := map[string]string{}
	for _, p := range a {
		of[p.Name] = p.Digest
	}
	var out []string
	for _, p := range b {
		if d, ok := of[p.Name]; !ok || d != p.Digest {
			out = append(out, p.Name)
		}
		delete(of, p.Name)
	}
	var gone []string
	for n := range of {
		gone = append(gone, n)
	}
	sort.Strings(gone)
	return append(out, gone...)
}

// digester feeds values into a hash, whatever they are made of. Functions count by being there.
type digester struct {
	h  hash.Hash
	of func(*system.System) string
}

func (w *digester) word(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	w.h.Write(b[:])
}

func (w *digester) text(s string) {
	w.word(uint64(len(s)))
	w.h.Write([]byte(s))
}

// deepest is how far values are followed: none that belong to a Spec are deeper.
const deepest = 24

func (w *digester) walk(v reflect.Value, depth int) {
	if depth > deepest {
		return
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case *system.System:
			if x == nil || w.of == nil {
				w.text("")
				return
			}
			w.text(w.of(x))
			return
		case *Optimiser:
			if x != nil {
				w.text(x.Name)
			}
			return
		case Stage:
			w.walk(reflect.ValueOf(x.Optimiser), depth+1)
			w.walk(reflect.ValueOf(x.Values), depth+1)
			w.rates(&x)
			return
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			w.word(1)
			return
		}
		w.word(0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.word(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.word(math.Float64bits(v.Float()))
	case reflect.String:
		w.text(v.String())
	case reflect.Slice, reflect.Array:
		w.word(uint64(v.Len()))
		for i := range v.Len() {
			w.walk(v.Index(i), depth+1)
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		w.word(uint64(len(keys)))
		for _, k := range keys {
			w.text(fmt.Sprint(k))
			w.walk(v.MapIndex(k), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(v.Field(i), depth+1)
		}
	case reflect.Pointer:
		w.pointer(v, depth)
	case reflect.Interface:
		w.dynamic(v, depth)
	case reflect.Func:
		w.word(0)
		if !v.IsNil() {
			w.word(1)
		}
	}
}

// mostRates is up to how many iterations of a stage the learning rate of each counts; of more every so many.
const mostRates = 1 << 20

// rates digests the learning rate of all iterations of a stage: schedules may differ in late ones only.
func (w *digester) rates(s *Stage) {
	if s.Rate == nil || s.Optimiser == nil {
		w.text("constant")
		return
	}
	n := s.Iters()
	every := 1 + n/mostRates
	for i := 0; i < n; i += every {
		w.word(math.Float64bits(s.Rate(i)))
	}
	if n > 0 {
		w.word(math.Float64bits(s.Rate(n - 1)))
	}
}

func (w *digester) pointer(v reflect.Value, depth int) {
	if v.IsNil() {
		w.text("nil")
		return
	}
	w.walk(v.Elem(), depth+1)
}

// dynamic is a value behind an interface. A method of solving counts by its name and its own settings, a loss by being there.
func (w *digester) dynamic(v reflect.Value, depth int) {
	if v.IsNil() {
		w.text("nil")
		return
	}
	e := v.Elem()
	w.text(e.Type().String())
	if v.CanInterface() {
		if m, ok := v.Interface().(method.Method); ok {
			w.text(m.Info().Name)
			if e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			if e.Kind() == reflect.Struct {
				for i := range e.NumField() {
					switch f := e.Field(i); f.Kind() {
					case reflect.Bool, reflect.Int, reflect.String, reflect.Float64:
						w.walk(f, depth+1)
					}
				}
			}
			return
		}
	}
	if k := e.Kind(); k != reflect.Pointer && k != reflect.Struct {
		w.walk(e, depth+1)
	}
}
