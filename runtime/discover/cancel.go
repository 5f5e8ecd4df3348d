package discover

import (
	"fmt"
	"math"
)

// Where columns nearly are combinations of each other, sums of large terms that cancel fit what the columns are wrong by. As terms
// whose share of the left side is below the accuracy are not looked for, neither are those whose share is above its inverse: what is
// left of them is below the accuracy of the terms themselves.

// cancels lists the terms of a fitted set that are larger than the left side by more than the inverse of the accuracy; nil: none.
func (t *triangle) cancels(m *Model, accuracy float64) (terms []int) {
	limit := math.Sqrt(t.total) / accuracy
	for k, j := range m.Set {
		if len(m.Set) > 1 && t.total > 0 && math.Abs(m.Coef[k])*t.scale[j] > limit {
			terms = append(terms, j)
		}
	}
	return terms
}

// ratio is how much larger than the left side the largest term of a set is, as a text.
func ratio(t *triangle, m *Model) string {
	most := 0.0
	for k, j := range m.Set {
		most = math.Max(most, math.Abs(m.Coef[k])*t.scale[j])
	}
	return fmt.Sprintf("%.0e", most/math.Sqrt(t.total))
}
