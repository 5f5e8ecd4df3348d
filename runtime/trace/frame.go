package trace

import "fmt"

// Column is one named series of a Frame.
type Column struct {
	Name string
	Unit string // as the user wrote it, "" when free or dimensionless
	Doc  string
	// Values are the numbers; a missing one is NaN. Nil in a column of texts.
	Values []float64
	// Text are the cells of a column that is not numeric; nil in a column of numbers.
	Text []string
}

// Len is the number of rows of the column.
func (c *Column) Len() int {
	if c.Values == nil {
		return len(c.Text)
	}
	return len(c.Values)
}

// Frame is a rectangular set of columns: a trajectory at its output times, a table of data,
// the history of a training.
type Frame struct {
	Columns []Column
}

// Rows is the number of rows, that of the first column.
func (f *Frame) Rows() int {
	if len(f.Columns) == 0 {
		return 0
	}
	return f.Columns[0].Len()
}

// Add appends a column of numbers; it keeps values.
func (f *Frame) Add(name, unit string, values []float64) {
	if values == nil {
		values = []float64{}
	}
	f.Columns = append(f.Columns, Column{Name: name, Unit: unit, Values: values})
}

// Column finds a column by name; nil when there is none.
func (f *Frame) Column(name string) *Column {
	for i := range f.Columns {
		if f.Columns[i].Name == name {
			return &f.Columns[i]
		}
	}
	return nil
}

// Check says whether all columns have one length; every writer calls it first.
func (f *Frame) Check() error {
	n := f.Rows()
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.Len() != n {
			return fmt.Errorf("column `%s` has %d rows, column `%s` has %d: they must be equal", c.Name, c.Len(), f.Columns[0].Name, n)
		}
	}
	return nil
}
