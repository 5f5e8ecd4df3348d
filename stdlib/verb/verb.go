// Package verb is the table of what a script can do: solve, fit, grad, csv, plot and their
// kin, and of the words their options take: solvers, optimisers, losses. A verb is one row
// here, with its signature, help, example and run.
package verb

import (
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib"
	"github.com/udl-lang/udl/stdlib/value"
)

// Verb is one row.
type Verb struct {
	sig.Builtin
	// Run does the work; nil for a verb that is part of the language but not built yet.
	Run func(c *Call) (value.Value, error)
}

// Host is what the evaluator offers a verb.
type Host struct {
	Out      io.Writer
	FS       fs.FS                    // where files are read from; nil for the operating system
	Path     func(name string) string // a path as written, relative to the file the statement stands in
	Table    *stdlib.Table
	Seed     uint64
	Quiet    bool
	Color    bool
	Width    int
	Limits   Limits
	Sets     map[string]float64 // values from the command line, for every solve and fit
	Progress func(Progress)     // nil for none
	// Apply calls a function of the script.
	Apply func(f value.Value, args ...value.Value) (value.Value, error)
	// Lambda checks and compiles a loss over a solution of m with nt output times.
	Lambda func(l *value.Lambda, m *value.Model, nt int, events func() (int, error)) (*LambdaLoss, error)
	Show   func(w io.Writer, v value.Value)
	// Compile checks and compiles a model that a verb has made, in the scope of the script.
	Compile func(m *ast.Model) (*compiler.Compiled, error)
	// Eval evaluates an expression of the script with further names in sight.
	Eval func(e ast.Expr, names map[string]value.Value) (value.Value, error)
	// Outer are the declarations of the script that a model uses, what others need first.
	Outer func(m *ast.Model) []ast.Stmt
	// TopLevel says whether a function, constant or unknown of that name is declared at top level, where models see it.
	TopLevel func(name string) bool
	// Warn tells the user at once; failed says that a solve did not reach its end.
	Warn func(d *diag.Diagnostic, failed bool)
	// Figure writes a plot to a file; nil when the program has no figures.
	Figure func(w io.Writer, format string, p *value.Plot) error
}

// Limits bound what one verb may use; zero is no limit.
type Limits struct {
	Steps  int
	Memory int64
	Time   time.Duration
}

// Progress is a report from a long computation.
type Progress struct {
	What                 string // "fit LynxHare"
	Stage                string // "adam"
	Iter, Total          int
	Loss, Best, GradNorm float64
	Elapsed              time.Duration
	Done                 bool
	Fit                  *train.Progress // of a training
}

// Call is one use of a verb, its arguments evaluated and named.
type Call struct {
	*Host
	Ctx  context.Context
	Verb *Verb
	Span diag.Span
	Args map[string]value.Value
	At   map[string]diag.Span
	Rest []value.Value // further positional arguments of a variadic verb
	// RestAt are the places of Rest.
	RestAt []diag.Span

	here *value.Table // the data of the trajectory whose inputs are being read
}

// Has says whether an argument was given.
func (c *Call) Has(name string) bool { _, ok := c.Args[name]; return ok }

// SpanOf is the place of an argument, else of the call.
func (c *Call) SpanOf(name string) diag.Span {
	if s, ok := c.At[name]; ok {
		return s
	}
	return c.Span
}

// Bad is an error at an argument.
func (c *Call) Bad(name string, format string, args ...any) *diag.Diagnostic {
	return diag.New("E0704", c.SpanOf(name), format, args...)
}

// text is an argument as it was written, where that is short; else otherwise.
func (c *Call) text(name, otherwise string) string {
	if s, ok := c.At[name]; ok && s.Src != nil && s.Hi > s.Lo && s.Hi-s.Lo < 40 {
		return s.Src.Text[s.Lo:s.Hi]
	}
	return otherwise
}

// Number reads a numeric argument.
func (c *Call) Number(name string, def float64) (float64, error) {
	v, ok := c.Args[name]
	if !ok {
		return def, nil
	}
	if a, ok := v.(*value.Array); ok && len(a.Data) == 1 {
		return a.Data[0], nil
	}
	return 0, c.Bad(name, "`%s` must be a number, this is %s", name, value.Describe(v))
}

// Int reads a whole number.
func (c *Call) Int(name string, def int) (int, error) {
	v, err := c.Number(name, float64(def))
	if err != nil {
		return 0, err
	}
	if v != float64(int(v)) {
		return 0, c.Bad(name, "`%s` must be a whole number, this is %s", name, value.Format(v))
	}
	return int(v), nil
}

// TextOf reads a text argument.
func (c *Call) TextOf(name, def string) (string, error) {
	switch v := c.Args[name].(type) {
	case nil:
		return def, nil
	case value.Text:
		return string(v), nil
	case value.Word:
		return string(v), nil
	default:
		return "", c.Bad(name, "`%s` must be a text in double quotes, this is %s", name, value.Describe(v))
	}
}

// WordOf reads an argument that is one of some words.
func (c *Call) WordOf(name, def string, words ...string) (string, error) {
	w, err := c.TextOf(name, def)
	if err != nil {
		return "", err
	}
	for _, x := range words {
		if x == w {
			return w, nil
		}
	}
	d := c.Bad(name, "`%s` cannot be `%s`", name, w)
	if s := diag.Suggest(w, words); s != "" {
		return "", d.WithHelp("did you mean `%s`?", s)
	}
	return "", d.WithHelp("it is one of: %s", join(words))
}

// ModelOf reads a model argument.
func (c *Call) ModelOf(name string) (*value.Model, error) {
	m, ok := c.Args[name].(*value.Model)
	if !ok {
		d := c.Bad(name, "`%s` needs a model, this is %s", c.Verb.Name, value.Describe(c.Args[name]))
		if _, swapped := c.Args["data"].(*value.Model); swapped {
			return nil, d.WithHelp("the model comes first, `%s(%s, %s)`", c.Verb.Name, c.text("data", "model"), c.text(name, "data"))
		}
		return nil, d
	}
	return c.bound(m)
}

func join(words []string) string {
	s := ""
	for i, w := range words {
		if i > 0 {
			s += ", "
		}
		s += "`" + w + "`"
	}
	return s
}

// arg makes a parameter of a verb's signature.
func arg(name, typ, def, doc string) sig.Param {
	return sig.Param{Name: name, Type: typ, Default: def, Doc: doc, NamedOnly: def != ""}
}

// pos is a positional parameter with a default.
func pos(name, typ, def, doc string) sig.Param {
	return sig.Param{Name: name, Type: typ, Default: def, Doc: doc}
}

func verb(name, result, doc, example string, run func(c *Call) (value.Value, error), params ...sig.Param) Verb {
	return Verb{sig.Builtin{Name: name, Kind: sig.Verb, Params: params, Result: result, Doc: doc, Example: example}, run}
}
