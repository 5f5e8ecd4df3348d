package data

import (
	"fmt"

	"github.com/udl-lang/udl/lang/diag"
)

// Table is a file of data read in. It is immutable and safe for concurrent use.
type Table struct {
	Name    string // of the file, as it was asked for
	Columns []Column
	Rows    int

	src *diag.Source
	at  [][]diag.Span // of each cell, by row and column; nil where nothing was written
}

// Column is one column of a Table.
type Column struct {
	Name string
	Unit string // from the row of units, "" when there is none
	// Values are the numbers, NaN where Missing; nil in a column of texts.
	Values  []float64
	Missing []bool // per row: the cell was empty or said NA
	// Text are the cells of a column that holds no number; nil in a column of numbers.
	Text []string

	head diag.Span
}

// Numeric says whether the column holds numbers.
func (c *Column) Numeric() bool { return c.Values != nil }

// Names lists the columns in order.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// Column finds a column by name; the error names the nearest (E0608).
func (t *Table) Column(name string) (*Column, error) {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i], nil
		}
	}
	var place diag.Span
	if len(t.Columns) > 0 {
		place = t.Columns[0].head
		place.Hi = t.Columns[len(t.Columns)-1].head.Hi
	}
	d := diag.New("E0608", place, "`%s` has no column `%s`", t.Name, name).At("the columns there are")
	if s := diag.Suggest(name, t.Names()); s != "" {
		return nil, d.WithHelp("did you mean `%s`?", s)
	}
	return nil, d.WithHelp("it has: %s", list(t.Names()))
}

// Numbers finds a column to compute with; a column of texts is an error at its first cell (E0609).
func (t *Table) Numbers(name string) (*Column, error) {
	c, err := t.Column(name)
	if err != nil {
		return nil, err
	}
	if c.Numeric() {
		return c, nil
	}
	for r := range c.Text {
		if !c.Missing[r] {
			return nil, diag.New("E0609", t.Span(r, name), "column `%s` holds texts, not numbers", name).
				At("found %q", c.Text[r]).WithHelp("use a column of numbers: %s", list(t.numeric()))
		}
	}
	return nil, diag.New("E0609", c.head, "column `%s` is empty", name).WithHelp("use a column of numbers: %s", list(t.numeric()))
}

func (t *Table) numeric() []string {
	var names []string
	for i := range t.Columns {
		if t.Columns[i].Numeric() {
			names = append(names, t.Columns[i].Name)
		}
	}
	return names
}

// Span is the place of a cell; of the header where the row (from 0) is out of range.
func (t *Table) Span(row int, col string) diag.Span {
	for i := range t.Columns {
		if t.Columns[i].Name != col {
			continue
		}
		if row >= 0 && row < t.Rows {
			return t.at[row][i]
		}
		return t.Columns[i].head
	}
	return diag.Span{}
}

// Place is a cell in words, for messages: "lynx_hare.csv:7: hare".
func (t *Table) Place(row int, col string) string {
	line, _ := t.src.Position(t.Span(row, col).Lo)
	return fmt.Sprintf("%s:%d: %s", t.Name, line, col)
}

// list names a few things.
func list(names []string) string {
	const most = 8
	s := ""
	for i, n := range names {
		if i == most {
			return s + fmt.Sprintf(" and %d more", len(names)-most)
		}
		if i > 0 {
			s += ", "
		}
		s += "`" + n + "`"
	}
	if s == "" {
		return "none"
	}
	return s
}
