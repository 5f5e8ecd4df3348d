package stdlib

import (
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// Row is one builtin of models: how it looks and what it means.
type Row struct {
	sig.Builtin
	Lower lower.Func    // Function and Activation
	Rep   lower.RepFunc // Representation
	// Value is the number of a Constant.
	Value float64
	// Hidden rows are operators: they are typed as such, not called by name.
	Hidden bool
}

// tables are joined once, in this order.
func rows() []Row {
	var all []Row
	for _, part := range [][]Row{operators, elementary, special, arrays, constants, activations, representations, distributions} {
		all = append(all, part...)
	}
	return all
}

// Table is the table with its index and the Go functions registered by an embedder. It implements
// sig.Env and lower.Builtins. It is immutable after With.
type Table struct {
	rows  []Row
	index map[key]int
	ext   map[string]*ir.External
	more  map[string]*sig.Builtin // verbs and solvers, signatures only
}

type key struct {
	kind sig.Kind
	name string
}

// New makes the table. more are further signatures to be found by Lookup and Names: verbs, solvers.
func New(more ...sig.Builtin) *Table {
	t := &Table{rows: rows(), index: map[key]int{}, ext: map[string]*ir.External{}, more: map[string]*sig.Builtin{}}
	for i := range t.rows {
		t.index[key{t.rows[i].Kind, t.rows[i].Name}] = i
	}
	for i := range more {
		t.more[string(more[i].Kind)+"\x00"+more[i].Name] = &more[i]
	}
	return t
}

// With is the table with further Go functions, which shadow nothing: a name that exists is refused by
// the caller.
func (t *Table) With(fs ...*ir.External) *Table {
	c := *t
	c.ext = map[string]*ir.External{}
	for n, f := range t.ext {
		c.ext[n] = f
	}
	for _, f := range fs {
		c.ext[f.Name] = f
	}
	return &c
}

// Rows lists the rows in order, operators left out.
func (t *Table) Rows() []Row {
	var out []Row
	for _, r := range t.rows {
		if !r.Hidden {
			out = append(out, r)
		}
	}
	return out
}

// Row finds a row of one of the kinds.
func (t *Table) Row(name string, kinds ...sig.Kind) (*Row, bool) {
	for _, k := range kinds {
		if i, ok := t.index[key{k, name}]; ok {
			return &t.rows[i], true
		}
	}
	return nil, false
}

// Lookup implements sig.Env.
func (t *Table) Lookup(name string, kinds ...sig.Kind) (*sig.Builtin, bool) {
	if r, ok := t.Row(name, kinds...); ok {
		return &r.Builtin, true
	}
	for _, k := range kinds {
		if b, ok := t.more[string(k)+"\x00"+name]; ok {
			return b, true
		}
	}
	return nil, false
}

// Names implements sig.Env.
func (t *Table) Names(kinds ...sig.Kind) []string {
	var out []string
	for _, k := range kinds {
		for _, r := range t.rows {
			if r.Kind == k && !r.Hidden {
				out = append(out, r.Name)
			}
		}
		for _, b := range t.more {
			if b.Kind == k {
				out = append(out, b.Name)
			}
		}
	}
	return out
}

// Func implements lower.Builtins.
func (t *Table) Func(name string) (lower.Func, bool, bool) {
	r, ok := t.Row(name, sig.Function, sig.Activation)
	if !ok || r.Lower == nil {
		return nil, false, false
	}
	return r.Lower, r.Shaper == sig.Elementwise, true
}

// Rep implements lower.Builtins.
func (t *Table) Rep(name string) (lower.RepFunc, bool) {
	r, ok := t.Row(name, sig.Representation)
	if !ok || r.Rep == nil {
		return nil, false
	}
	return r.Rep, true
}

// External implements lower.Builtins.
func (t *Table) External(name string) (*ir.External, bool) {
	f, ok := t.ext[name]
	return f, ok
}

// Externals lists the registered Go functions.
func (t *Table) Externals() map[string]*ir.External { return t.ext }

// Apply is the builtin of numbers: its graph, interpreted, so that it means what it means in a model. shapes and data are those of the arguments, which fit.
func (r *Row) Apply(shapes []types.Shape, data [][]float64) (types.Shape, []float64, error) {
	g := ir.New()
	var banks ir.Banks
	ids := make([]ir.ID, len(data))
	off := 0
	for i, v := range data {
		ids[i] = g.Input("", ir.BankAux, off, shapes[i])
		banks[ir.BankAux] = append(banks[ir.BankAux], v...)
		off += len(v)
	}
	id := r.Lower(g, ids)
	g.Output(ir.Output{Node: id})
	out := make([]float64, g.Shape(id).Size())
	return g.Shape(id), out, ir.Interpret(g, &banks, [][]float64{out})
}
