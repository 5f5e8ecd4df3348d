package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// Shift is a given initial value of a differential state that had to change: where M is singular and several derivatives stand in its dependent rows, x' + y' in two
// equations, the difference of the rows is an algebraic equation, which moves x and y along what M does not see.
type Shift struct {
	State    string
	From, To float64
}

// String is "x = 1.5 in place of 1".
func (s Shift) String() string {
	return fmt.Sprintf("%s = %.6g in place of %.6g", s.State, s.To, s.From)
}

// shifts adds to list the states whose values were given and differ, after from before, by more than rounding of what was typed and the tolerance.
func shifts(sys *system.System, list []Shift, before, after []float64, rtol float64, atol []float64) []Shift {
	var names []string
	for i, v := range before {
		guess := i < len(sys.Algebraic) && sys.Algebraic[i] || i < len(sys.Guesses) && sys.Guesses[i]
		if guess || math.Abs(after[i]-v) <= max(rtol, looseness)*math.Abs(v)+atol[i] {
			continue
		}
		if names == nil {
			names = sys.StateNames()
		}
		list = append(list, Shift{names[i], v, after[i]})
	}
	return list
}
