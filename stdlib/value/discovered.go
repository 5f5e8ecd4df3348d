package value

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/runtime/system"
)

// Discovered is sparse equations: for each output the terms that were chosen out of a library, with their coefficients.
type Discovered struct {
	Of      string      // the unknown, "" where derivatives were regressed
	Outs    []string    // what stands on the left of each equation
	Inputs  []string    // the unknown's
	Library []ast.Expr  // all candidate terms, in the inputs' names
	Texts   []string    // their texts
	Found   [][]Term    // per output
	Chances [][]float64 // per output, of every term of the library: in what share of the resamplings it was chosen; nil: none were made
	Path    *Table      // what was looked at, with the criterion
	Notes   []string    // what is to be said about the result
	Sigma   []float64   // the noise that is left, per output or per matched quantity
	Noisy   []string    // what Sigma is of
	Proved  bool        // the search was complete
	Model   *Model      // with the equations in it; nil where none could be made
	Begin   *Model      // the model the unknown stands in; nil for data
	NoModel string      // why Model is nil
	Moved   []Moved     // what else was estimated together with the coefficients
}

// Moved is one number of a model that goes with coefficients that were found: what it was by itself went with the network.
type Moved struct {
	Name  string
	Role  system.Role
	At    int // the element
	Value float64
}

// Move gives a model that the equations were put into what was estimated together with them.
func (d *Discovered) Move(m *Model) {
	for _, v := range d.Moved {
		if s := m.C.System.Find(v.Name, v.Role); s != nil && v.At < s.Size() {
			m.Theta[s.Off+v.At] = v.Value
		}
	}
}

// Term is one term of an equation.
type Term struct {
	At     int // in the library
	Coef   float64
	StdErr float64
}

// Terms lists the expressions of all terms that were found.
func (d *Discovered) Terms() (out []ast.Expr) {
	for _, s := range d.Found {
		for _, t := range s {
			out = append(out, d.Library[t.At])
		}
	}
	return out
}

// Type implements Value.
func (*Discovered) Type() string { return "discovered equations" }

// Equation is the text of an output's equation, coefficients to some digits; 17 tell them apart.
func (d *Discovered) Equation(out, digits int) string {
	if len(d.Found[out]) == 0 {
		return d.Outs[out] + " = 0"
	}
	var b strings.Builder
	for i, t := range d.Found[out] {
		v := t.Coef
		switch {
		case i == 0 && v < 0:
			b.WriteString("-")
		case i > 0 && v < 0:
			b.WriteString(" - ")
		case i > 0:
			b.WriteString(" + ")
		}
		if v < 0 {
			v = -v
		}
		c, n := Short(v, digits), d.Texts[t.At]
		switch {
		case n == "1":
			b.WriteString(c)
			continue
		case !balanced(n):
			n = "(" + n + ")"
		}
		if c != "1" {
			n = c + "*" + n
		}
		b.WriteString(n)
	}
	return d.Outs[out] + " = " + b.String()
}

// balanced says whether a text needs no brackets as a factor: all its sums stand in brackets.
func balanced(s string) bool {
	depth := 0
	for i, r := range s {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '+', '-':
			if depth == 0 && i > 0 {
				return false
			}
		case ' ':
			if depth == 0 {
				return false
			}
		}
	}
	return !strings.HasPrefix(s, "-")
}

// String is one equation a line, with the inclusion probabilities where there are any, and the notes.
func (d *Discovered) String() string {
	var b strings.Builder
	for o := range d.Outs {
		line := d.Equation(o, 4)
		if d.Chances != nil {
			var p []string
			for _, t := range d.Found[o] {
				p = append(p, fmt.Sprintf("%s %.0f %%", d.Texts[t.At], 100*d.Chances[o][t.At]))
			}
			if len(p) > 0 {
				line += "    # " + strings.Join(p, ", ")
			}
		}
		b.WriteString(line + "\n")
	}
	for _, n := range d.Notes {
		b.WriteString("note: " + n + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Member implements members.
func (d *Discovered) Member(name string) (Value, bool) {
	per := func(f func(o int) Value) (Value, bool) {
		r := &Record{}
		for o, n := range d.Outs {
			r.Put(n, f(o))
		}
		return r, true
	}
	switch name {
	case "equations":
		var l List
		for o := range d.Outs {
			l = append(l, Text(d.Equation(o, 6)))
		}
		return l, true
	case "terms":
		return per(func(o int) Value {
			l := List{}
			for _, t := range d.Found[o] {
				l = append(l, Text(d.Texts[t.At]))
			}
			return l
		})
	case "coefficients":
		return per(func(o int) Value { return d.record(o, func(t Term) float64 { return t.Coef }) })
	case "standard_errors":
		return per(func(o int) Value { return d.record(o, func(t Term) float64 { return t.StdErr }) })
	case "inclusion":
		if d.Chances == nil {
			return nil, false
		}
		return per(func(o int) Value {
			r := &Record{}
			for j, n := range d.Texts {
				r.Put(n, Num(d.Chances[o][j]))
			}
			return r
		})
	case "library":
		l := List{}
		for _, n := range d.Texts {
			l = append(l, Text(n))
		}
		return l, true
	case "path":
		return d.Path, d.Path != nil
	case "notes":
		l := List{}
		for _, n := range d.Notes {
			l = append(l, Text(n))
		}
		return l, true
	case "noise":
		r := &Record{}
		for i, n := range d.Noisy {
			r.Put(n, Num(d.Sigma[i]))
		}
		return r, true
	case "proved":
		return Bool(d.Proved), true
	case "system":
		if d.Model == nil {
			return nil, false
		}
		return d.Model, true
	}
	return nil, false
}

func (d *Discovered) record(o int, of func(Term) float64) *Record {
	r := &Record{}
	for _, t := range d.Found[o] {
		r.Put(d.Texts[t.At], Num(of(t)))
	}
	return r
}

// Names implements members.
func (d *Discovered) Names() []string {
	out := []string{"equations", "terms", "coefficients", "standard_errors", "library", "path", "notes", "noise", "proved"}
	if d.Chances != nil {
		out = append(out, "inclusion")
	}
	if d.Model != nil {
		out = append(out, "system")
	}
	return out
}

// Why says why a part is missing, "" where it is no part at all.
func (d *Discovered) Why(name string) string {
	switch {
	case name == "system":
		return d.NoModel
	case name == "inclusion" && d.Chances == nil:
		return "inclusion is counted over resamplings: `discover(…, ensemble = 50)`"
	}
	return ""
}
