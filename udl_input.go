package udl

import (
	"maps"
	"slices"

	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// Interpolation is how a table is joined to a function of time.
type Interpolation string

// The interpolations.
const (
	Hold   Interpolation = "hold"   // each value until the next
	Linear Interpolation = "linear" // straight lines
	Cubic  Interpolation = "cubic"  // the cubic spline, not-a-knot at its ends
)

// Input is a table that takes the place of a model's `input` for a run.
type Input struct {
	Times  []float64 // rising
	Values []float64 // as many; of an input that is an array its elements, row-major time after time
	Shape  []int     // of the input, nil of a scalar
	Method Interpolation
	// Outside lets the first value hold before the table and the last one behind it; without it a run that leaves the table is an error.
	Outside bool
}

// inputsOf are the values of the option `inputs`.
func inputsOf(inputs map[string]Input) *value.Record {
	r := &value.Record{}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		in := inputs[name]
		args := map[string]value.Value{"times": value.Vec(slices.Clone(in.Times)),
			"values": &value.Array{Shape: append([]int{len(in.Values) / sizeOf(in.Shape)}, in.Shape...), Data: slices.Clone(in.Values)}}
		if in.Outside {
			args["outside"] = value.Word("hold")
		}
		r.Put(name, verb.SignalSpec(string(in.Method), args))
	}
	return r
}

func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= max(d, 1)
	}
	return n
}
