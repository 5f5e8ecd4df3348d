package main

import (
	"fmt"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/trace"
)

type fmtCmd struct {
	Write bool     `short:"w" xor:"how" help:"Write the result back into the files."`
	Diff  bool     `short:"d" xor:"how" help:"Show what would change, and exit with 1 if anything would."`
	Files []string `arg:"" optional:"" help:"The files; standard input when there are none."`
}

// Run implements the command.
func (c *fmtCmd) Run(con *console) error {
	if len(c.Files) == 0 {
		if c.Write {
			fmt.Fprintln(con.err, "udl: fmt -w needs files to write to")
			return failure(exitUsage)
		}
		text, err := io.ReadAll(con.in)
		if err != nil {
			return fmt.Errorf("cannot read standard input: %w", err)
		}
		return c.text(con, "<stdin>", string(text))
	}
	code := exitOK
	for _, name := range c.Files {
		b, err := os.ReadFile(name)
		if err == nil {
			err = c.text(con, name, string(b))
		} else {
			err = diag.New("E0600", diag.Span{}, "cannot read `%s`: %v", name, bare(err))
		}
		if err != nil {
			code = exitError
			if _, said := err.(failure); !said {
				con.report(con.err, err)
			}
		}
	}
	if code != exitOK {
		return failure(code)
	}
	return nil
}

// text lays out one source.
func (c *fmtCmd) text(con *console, name, text string) error {
	f, errs := parser.Parse(diag.NewSource(name, text))
	if err := errs.Err(); err != nil {
		return err
	}
	laid := ast.Format(f)
	switch {
	case c.Diff:
		if d := diff.Diff(name, []byte(text), name+" (udl fmt)", []byte(laid)); len(d) > 0 {
			con.out.Write(d)
			return failure(exitError)
		}
	case c.Write:
		if laid == text {
			return nil // an untouched file keeps its date
		}
		err := trace.WriteFile(name, func(w io.Writer) error {
			_, err := io.WriteString(w, laid)
			return err
		})
		if err != nil {
			return fmt.Errorf("cannot write `%s`: %w", name, err)
		}
	default:
		if _, err := io.WriteString(con.out, laid); err != nil {
			return err
		}
	}
	return nil
}

// bare is an error of the system without its path.
func bare(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}
