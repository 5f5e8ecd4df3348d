package sparse_test

import (
	"errors"
	"fmt"

	"github.com/udl-lang/udl/runtime/sparse"
)

// A Newton matrix M − γJ of a DAE: one pattern, many values.
func Example() {
	jac, _ := sparse.NewPattern(3, []int{0, 0, 1, 2, 2}, []int{0, 1, 1, 0, 2})
	mass, _ := sparse.NewPattern(3, []int{0, 1}, []int{0, 1}) // row 2 is algebraic
	a := sparse.NewShifted(mass, jac)
	choice, err := sparse.Choose(a.Pattern())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(choice.Reason)
	s := choice.New()
	values := make([]float64, a.Pattern().NNZ())
	a.Set(values, []float64{1, 1}, 0.5, []float64{-2, 2, 4, -4, 2}) // J column by column
	if err := s.Factor(values); err != nil {
		fmt.Println(err)
		return
	}
	b := []float64{2, 3, 1}
	s.Solve(b)
	fmt.Println(b)
	// Output:
	// dense: 3 unknowns, 5 entries (55.6%): too few or too full for anything else to pay
	// [2 1 -3]
}

func ExampleSingularError() {
	p, _ := sparse.NewPattern(3, []int{0, 1, 0, 1, 2}, []int{0, 0, 1, 1, 2})
	s, _ := sparse.NewLU(p)
	err := s.Factor([]float64{1, 2, 3, 6, 1}) // row 1 is twice row 0
	var e *sparse.SingularError
	if errors.As(err, &e) {
		fmt.Println(e.Rows, e.Cols, e.Structural)
	}
	// Output:
	// [0 1] [0 1] false
}
