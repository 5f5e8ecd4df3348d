package main

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/repl"
	"github.com/udl-lang/udl/runtime/trace/figure"
	"github.com/udl-lang/udl/stdlib/eval"
	"github.com/udl-lang/udl/stdlib/value"
)

// options are what every evaluator of this program has in common.
func (c *console) options() eval.Options {
	return eval.Options{Out: c.out, Err: c.err, Color: c.color(c.out), Width: c.width(), Figure: writeFigure}
}

func writeFigure(w io.Writer, format string, p *value.Plot) error {
	return figure.Write(w, format, &p.Plot, figure.Size{})
}

// engine fits the evaluator to the prompt.
type engine struct{ in *eval.Interp }

var _ repl.Engine = engine{}

func (e engine) Eval(ctx context.Context, src *diag.Source, w io.Writer) error {
	v, err := e.in.Entry(ctx, src)
	if err == nil && v != nil {
		e.in.Show(w, v)
	}
	return err
}

func (e engine) Load(ctx context.Context, path string) error { return e.in.RunFile(ctx, path) }

func (e engine) Incomplete(text string) bool { return parser.Incomplete(text) }

func (e engine) Complete(line string, pos int) ([]string, int) { return e.in.Complete(line, pos) }

func (e engine) Help(name string) (string, bool) { return e.in.Help(name) }

func (e engine) Names() []string { return e.in.Names() }

func (e engine) Contents() ([]string, [][]string) { return e.in.Contents() }

func (e engine) Models() []string {
	var names []string
	for n := range e.in.Models() {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (e engine) Model(w io.Writer, name string) error {
	m, ok := e.in.Models()[name]
	if !ok {
		return e.noModel(name)
	}
	if tree, ok := e.in.Source(name); ok {
		_, err := io.WriteString(w, ast.Format(&ast.File{Stmts: []ast.Stmt{tree}}))
		return err
	}
	e.in.Show(w, m)
	return nil
}

func (e engine) Graph(w io.Writer, name, pass string) error {
	m, ok := e.in.Models()[name]
	if !ok {
		return e.noModel(name)
	}
	return e.in.Dump(w, m, pass)
}

func (e engine) noModel(name string) error {
	d := diag.New("E0731", diag.Span{}, "there is no model `%s`", name)
	names := e.Models()
	if s := diag.Suggest(name, names); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	if len(names) == 0 {
		return d.WithHelp("declare one with `model %s { … }`, or `:load` a file", name)
	}
	return d.WithHelp("`:model` lists those there are: %s", fmt.Sprint(names))
}
