package train

import (
	"math"
	"slices"
)

// Several values of one quantity at one time are rows of the same time in a table. A solution has each time once; so what is beyond the first value
// becomes columns of its own, of the same name and quantity.

// folded is the data with each time once. Data in which no time follows itself are given back as they are, as are such that check will refuse.
func (d *Data) folded() *Data {
	again := false
	for i := 1; i < len(d.Times); i++ {
		again = again || d.Times[i] == d.Times[i-1]
	}
	for k := range d.Columns {
		c, n := &d.Columns[k], len(d.Times)
		again = again && len(c.Values) == n && (c.Weights == nil || len(c.Weights) == n) && (c.SDs == nil || len(c.SDs) == n)
	}
	if !again {
		return d
	}
	var from []int // the first row of each time
	for i, t := range d.Times {
		if i == 0 || t != d.Times[i-1] {
			from = append(from, i)
		}
	}
	out := &Data{TimePlace: func(row int) string { return d.timePlace(from[row]) }}
	for _, i := range from {
		out.Times = append(out.Times, d.Times[i])
	}
	var more []Column
	for k := range d.Columns {
		l := d.Columns[k].layers(from)
		out.Columns, more = append(out.Columns, l[0]), append(more, l[1:]...)
	}
	out.Columns = append(out.Columns, more...) // so that the first ones keep their places
	return out
}

// layers are a column's first values of each time, its second ones, and so on, as long as there are some.
func (c *Column) layers(from []int) []Column {
	var at [][]int // per layer and time the row that the value is of
	for j, i := range from {
		end := len(c.Values)
		if j+1 < len(from) {
			end = from[j+1]
		}
		n := 0
		for row := i; row < end; row++ {
			if math.IsNaN(c.Values[row]) {
				continue
			}
			if n == len(at) {
				none := make([]int, len(from))
				for m, first := range from {
					none[m] = -1 - first // nothing is there, and the place is the first row's
				}
				at = append(at, none)
			}
			at[n][j] = row
			n++
		}
	}
	if at == nil {
		at = [][]int{slices.Clone(from)}
	}
	var out []Column
	for _, rows := range at {
		x := *c
		x.Values = make([]float64, len(rows))
		pick := func(of []float64) []float64 {
			if of == nil {
				return nil
			}
			to := make([]float64, len(rows))
			for j, i := range rows {
				to[j] = of[max(i, -1-i)]
			}
			return to
		}
		x.Weights, x.SDs = pick(c.Weights), pick(c.SDs)
		for j, i := range rows {
			if x.Values[j] = math.NaN(); i >= 0 {
				x.Values[j] = c.Values[i]
			}
		}
		x.Place = func(row int) string { return c.place(max(rows[row], -1-rows[row])) }
		out = append(out, x)
	}
	return out
}

// columnOf is what a scalar state is compared with; nil for nothing. Several columns are one of their means, with the weight of all.
func columnOf(d *Data, state int) *Column {
	var of []*Column
	for k := range d.Columns {
		if c := &d.Columns[k]; !c.Of.Output && c.Of.Index == state {
			of = append(of, c)
		}
	}
	switch len(of) {
	case 0:
		return nil
	case 1:
		return of[0]
	}
	n := len(d.Times)
	mean := *of[0]
	mean.Values, mean.Weights, mean.SDs = make([]float64, n), make([]float64, n), nil
	for i := range n {
		sum, all := 0.0, 0.0
		for _, c := range of {
			if c.missing(i) {
				continue
			}
			w := c.weight(i)
			if c.SDs != nil {
				w /= c.SDs[i] * c.SDs[i]
			}
			sum, all = sum+w*c.Values[i], all+w
		}
		mean.Values[i], mean.Weights[i] = sum/all, all/mean.relative() // not a number where nothing is
	}
	return &mean
}
