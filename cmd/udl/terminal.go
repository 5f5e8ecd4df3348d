package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/udl-lang/udl/lang/diag"
	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// color says whether to write colours to f: a terminal that can, and a user who has not declined
// (the conventions of no-color.org, and of TERM=dumb).
func (c *console) color(f *os.File) bool {
	return !c.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f)
}

// width is the width of the terminal, else of $COLUMNS, else 80.
func (c *console) width() int {
	if isTerminal(c.out) {
		if w, _, err := term.GetSize(int(c.out.Fd())); err == nil && w > 0 {
			return w
		}
	}
	if w, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && w >= 20 && w <= 1000 {
		return w
	}
	return 80
}

// report writes an error: diagnostics with their excerpts, anything else in a line.
func (c *console) report(w io.Writer, err error) {
	if l := diag.From(err); len(l) > 0 {
		diag.RenderList(w, l, w == c.err && c.color(c.err))
		return
	}
	fmt.Fprintf(w, "error: %v\n", err)
}
