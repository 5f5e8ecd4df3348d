package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

type docCmd struct {
	Name string `arg:"" optional:"" help:"A verb, function, solver, optimiser … or a code of an error, such as E0203."`
}

// Run implements the command.
func (c *docCmd) Run(con *console) error {
	in := eval.New(con.options())
	if c.Name == "" {
		in.Overview(con.out)
		return nil
	}
	if text, ok := in.Help(c.Name); ok {
		_, err := io.WriteString(con.out, text)
		return err
	}
	if row, ok := diag.Explain(diag.Code(strings.ToUpper(c.Name))); ok {
		explain(con.out, row)
		return nil
	}
	d := diag.New("E0731", diag.Span{}, "there is nothing called `%s`", c.Name).WithHelp("`udl doc` lists what there is")
	if s := diag.Suggest(c.Name, in.Names()); s != "" {
		d.WithHelp("did you mean `%s`?", s)
	}
	return d
}

// explain writes the page of an error code.
func explain(w io.Writer, r diag.Row) {
	fmt.Fprintf(w, "%s: %s\n", r.Code, r.Title)
	if r.Explanation != "" {
		fmt.Fprintf(w, "\n%s\n", fill(r.Explanation, 78))
	}
	if r.Example != "" {
		fmt.Fprintf(w, "\nExample:\n\n")
		for _, l := range strings.Split(strings.TrimRight(r.Example, "\n"), "\n") {
			fmt.Fprintf(w, "    %s\n", l)
		}
	}
}

// fill breaks a text into lines.
func fill(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, w := range strings.Fields(s) {
		switch {
		case n == 0:
		case n+1+len(w) > width:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += len(w)
	}
	return b.String()
}
