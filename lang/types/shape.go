package types

import (
	"fmt"
	"strings"
)

// Shape is the extent of each axis of an array, outermost first; a scalar has none.
// Arrays are stored row-major.
type Shape []int

// Scalar is the shape of a plain number.
var Scalar = Shape(nil)

// Size is the number of elements.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// IsScalar says whether the shape has no axis.
func (s Shape) IsScalar() bool { return len(s) == 0 }

// Equal compares extents.
func (s Shape) Equal(o Shape) bool {
	if len(s) != len(o) {
		return false
	}
	for i := range s {
		if s[i] != o[i] {
			return false
		}
	}
	return true
}

// String is "a scalar" or "shape [2, 3]", as error messages say it.
func (s Shape) String() string {
	if len(s) == 0 {
		return "a scalar"
	}
	return "shape " + s.Brackets()
}

// Brackets is "[2, 3]", "[]" for a scalar.
func (s Shape) Brackets() string {
	p := make([]string, len(s))
	for i, d := range s {
		p[i] = fmt.Sprint(d)
	}
	return "[" + strings.Join(p, ", ") + "]"
}
