package train

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// Data is what a model is compared with: columns of measurements over times.
type Data struct {
	Times   []float64 // increasing; the first is where the solution starts. Rows of one time are several values of it
	Columns []Column
	// TimePlace says where the time of a row stands, "lynx_hare.csv:7: year"; nil: by its number.
	TimePlace func(row int) string
}

// Column is the measurements of one quantity.
type Column struct {
	Name   string
	Values []float64 // one per time; NaN is missing
	Of     Quantity
	Weight float64 // factor of this column's part of the loss; 0 means 1
	// Weights are further factors, one per time; nil: 1. A value of weight 0 counts as missing.
	Weights []float64
	// SD is, with a likelihood, the standard deviation (or scale) of the errors, and SDs that of each datum, one per time; 0 and nil:
	// LossSpec has it. A weight w makes it SD/√w.
	SD  float64
	SDs []float64
	// Place says where a value stands, "lynx_hare.csv:7: hare"; nil: by its row and column.
	Place func(row int) string
}

// Quantity is one scalar of a model's trajectory.
type Quantity struct {
	Output bool // of Sys.Output (a let), not of the state
	Index  int
}

// Observe finds a scalar state or output by its name: "x", "u[2]".
func Observe(sys *system.System, name string) (Quantity, bool) {
	for i, n := range sys.StateNames() {
		if n == name {
			return Quantity{Index: i}, true
		}
	}
	for i, n := range system.Names(sys.Outs) {
		if n == name {
			return Quantity{Output: true, Index: i}, true
		}
	}
	return Quantity{}, false
}

// name is what the model calls a quantity.
func (q Quantity) name(sys *system.System) string {
	names := sys.StateNames()
	if q.Output {
		names = system.Names(sys.Outs)
	}
	if q.Index < len(names) {
		return names[q.Index]
	}
	return fmt.Sprintf("quantity %d", q.Index+1)
}

// DataError is a fault in data: where it is, what it is, and what to do.
type DataError struct {
	Column string // "" for the times, or all columns
	Row    int    // from 0; −1 for no row in particular
	Place  string // "lynx_hare.csv:7: hare"
	Reason string
	Help   string
}

// Error is place and reason.
func (e *DataError) Error() string {
	if e.Place == "" {
		return e.Reason
	}
	return e.Place + ": " + e.Reason
}

func (d *Data) timePlace(row int) string {
	if d.TimePlace != nil {
		return d.TimePlace(row)
	}
	return fmt.Sprintf("row %d of the times", row+1)
}

func (c *Column) place(row int) string {
	if c.Place != nil {
		return c.Place(row)
	}
	return fmt.Sprintf("row %d of %s", row+1, c.Name)
}

// check looks for what no loss could make sense of.
func (d *Data) check(sys *system.System) error {
	if len(d.Times) == 0 || len(d.Columns) == 0 {
		return &DataError{Row: -1, Reason: "there are no data to train on", Help: "match at least one column with a state or let"}
	}
	for i, t := range d.Times {
		bad := func(format string, args ...any) error {
			return &DataError{Row: i, Place: d.timePlace(i), Reason: fmt.Sprintf(format, args...), Help: "times must be finite numbers in increasing order; several trajectories in one file are taken apart by `csv(…, by = \"id\")`"}
		}
		switch {
		case math.IsNaN(t) || math.IsInf(t, 0):
			return bad("the time is %v", t)
		case i > 0 && t < d.Times[i-1]:
			return bad("the time %v comes after %v", t, d.Times[i-1])
		}
	}
	for k := range d.Columns {
		if err := d.Columns[k].check(sys, len(d.Times)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Column) check(sys *system.System, rows int) error {
	bad := func(row int, help, format string, args ...any) error {
		e := &DataError{Column: c.Name, Row: row, Reason: fmt.Sprintf(format, args...), Help: help}
		if row >= 0 {
			e.Place = c.place(row)
		}
		return e
	}
	if len(c.Values) != rows {
		return bad(-1, "give one value for each time, missing ones as NaN", "%s has %d values for %d times", c.Name, len(c.Values), rows)
	}
	n := sys.NX
	if c.Of.Output {
		n = 0
		if sys.Output != nil {
			_, _, n = sys.Output.Dims()
		}
	}
	if c.Of.Index < 0 || c.Of.Index >= n {
		return bad(-1, "match it with a state or let of the model", "%s is matched with quantity %d, and the model has %d of that kind", c.Name, c.Of.Index+1, n)
	}
	if !c.Of.Output {
		for i, s := range sys.States {
			if i < len(sys.Latent) && sys.Latent[i] && c.Of.Index >= s.Off && c.Of.Index < s.Off+s.Size() {
				return bad(-1, "match a state that is not latent", "%s is matched with %s, which is latent: a state that is never measured", c.Name, s.Name)
			}
		}
	}
	if !(c.Weight >= 0) || math.IsInf(c.Weight, 0) {
		return bad(-1, "take a positive number", "the weight of %s is %v", c.Name, c.Weight)
	}
	if c.Weights != nil && len(c.Weights) != rows {
		return bad(-1, "give one weight for each time", "%s has %d weights for %d times", c.Name, len(c.Weights), rows)
	}
	for i, w := range c.Weights {
		if (!(w >= 0) || math.IsInf(w, 0)) && !math.IsNaN(c.Values[i]) {
			return bad(i, "take a number from 0", "the weight is %v", w)
		}
	}
	if !(c.SD >= 0) || math.IsInf(c.SD, 0) {
		return bad(-1, "take a positive number", "the standard deviation of %s is %v", c.Name, c.SD)
	}
	if c.SDs != nil && len(c.SDs) != rows {
		return bad(-1, "give one standard deviation for each time", "%s has %d standard deviations for %d times", c.Name, len(c.SDs), rows)
	}
	for i, s := range c.SDs {
		if !(s > 0 && !math.IsInf(s, 0)) && !math.IsNaN(c.Values[i]) {
			return bad(i, "take a number above 0, or leave the value's cell empty", "the standard deviation is %v", s)
		}
	}
	for i, v := range c.Values {
		if math.IsInf(v, 0) {
			return bad(i, "correct the value, or leave the cell empty", "the value is %v", v)
		}
	}
	return nil
}

// missing says whether a value has no part in the loss: there is none, or its weight is 0.
func (c *Column) missing(row int) bool {
	return math.IsNaN(c.Values[row]) || c.Weights != nil && c.Weights[row] == 0
}

// weight of a value, with the default filled in.
func (c *Column) weight(row int) float64 {
	w := c.Weight
	if w == 0 {
		w = 1
	}
	if c.Weights != nil {
		w *= c.Weights[row]
	}
	return w
}

// rows is the data with the rows only for which keep is true.
func (d *Data) rows(keep func(row int) bool) *Data {
	var at []int
	for i := range d.Times {
		if keep(i) {
			at = append(at, i)
		}
	}
	out := &Data{TimePlace: func(row int) string { return d.timePlace(at[row]) }}
	for _, i := range at {
		out.Times = append(out.Times, d.Times[i])
	}
	for k := range d.Columns {
		from := &d.Columns[k]
		c := *from
		c.Values = make([]float64, len(at))
		for j, i := range at {
			c.Values[j] = from.Values[i]
		}
		if from.SDs != nil {
			c.SDs = make([]float64, len(at))
			for j, i := range at {
				c.SDs[j] = from.SDs[i]
			}
		}
		if from.Weights != nil {
			c.Weights = make([]float64, len(at))
			for j, i := range at {
				c.Weights[j] = from.Weights[i]
			}
		}
		c.Place = func(row int) string { return from.place(at[row]) }
		out.Columns = append(out.Columns, c)
	}
	return out
}

// empty says that nothing is left to compare with.
func (d *Data) empty() bool {
	for k := range d.Columns {
		for i := range d.Times {
			if !d.Columns[k].missing(i) {
				return false
			}
		}
	}
	return true
}

// HeldOut says which rows are kept out of the training, by time: the last part of them, or those
// in a range of times. The zero value keeps all in.
type HeldOut struct {
	// Last is the share of the rows, from the end, that is held out: 0 < Last < 1. At least one
	// row is held out, and at least two are not.
	Last float64
	// From and To, if To > From, hold out the rows with From ≤ t ≤ To. They may be infinite.
	From, To float64
	// Trajectories are held out as a whole, by their numbers from 0.
	Trajectories []int
}

// zero says that no times are held out.
func (h HeldOut) zero() bool { return h.Last == 0 && !(h.To > h.From) }

// whole says of each trajectory whether it is held out as a whole.
func (h HeldOut) whole(list []Trajectory) ([]bool, error) {
	out := make([]bool, len(list))
	left := len(list)
	for _, k := range h.Trajectories {
		if k < 0 || k >= len(list) {
			return nil, &DataError{Row: -1, Reason: fmt.Sprintf("there is no trajectory %d to hold out, there are %d", k+1, len(list)), Help: fmt.Sprintf("take numbers from 1 to %d", len(list))}
		}
		if !out[k] {
			left--
		}
		out[k] = true
	}
	if left == 0 {
		return nil, &DataError{Row: -1, Reason: "all trajectories are held out: none is left to train on", Help: "hold out fewer"}
	}
	return out, nil
}

// split gives the rows to train on and those held out; the latter is nil when there are none. The
// first row stays in the training, since the solution starts at its time.
func (h HeldOut) split(d *Data) (train, held *Data, err error) {
	if h.zero() {
		if h.From != h.To || math.IsNaN(h.Last) {
			return nil, nil, &DataError{Row: -1, Reason: fmt.Sprintf("times from %v to %v cannot be held out", h.From, h.To), Help: "give the earlier time first"}
		}
		return d, nil, nil
	}
	n := len(d.Times)
	out := func(row int) bool { return d.Times[row] >= h.From && d.Times[row] <= h.To }
	if h.Last != 0 {
		if !(h.Last > 0 && h.Last < 1) {
			return nil, nil, &DataError{Row: -1, Reason: fmt.Sprintf("a share of %v cannot be held out", h.Last), Help: "give a number between 0 and 1, such as 0.3"}
		}
		first := min(max(n-int(math.Round(h.Last*float64(n))), 1), n-1)
		out = func(row int) bool { return row >= first }
	}
	count := 0
	for i := range d.Times {
		if out(i) {
			count++
		}
	}
	switch {
	case count == 0:
		return nil, nil, &DataError{Row: -1, Reason: fmt.Sprintf("no data lie in the times from %v to %v that are to be held out", h.From, h.To),
			Help: fmt.Sprintf("the data run from %v to %v", d.Times[0], d.Times[n-1])}
	case n < 2 || out(0):
		return nil, nil, &DataError{Row: 0, Place: d.timePlace(0), Reason: "the first row cannot be held out: the solution starts at its time", Help: "hold out later times"}
	case n-count < 2:
		return nil, nil, &DataError{Row: -1, Reason: fmt.Sprintf("%d of %d rows are held out: one row is left, at the start, which trains nothing", count, n), Help: "hold out less"}
	}
	return d.rows(func(i int) bool { return !out(i) }), d.rows(out), nil
}
