package sparse

import "fmt"

// SingularError says that a matrix has no inverse, and where, in the numbering of the pattern.
type SingularError struct {
	Row, Col   int  // an equation that cannot be used and an unknown that nothing determines
	Structural bool // no choice of values in the pattern would help
	Rank       int  // structural: entries of the largest transversal; numerical: pivots found in all, or −1 if not counted
	// Rows, Row first. Structural: equations that have fewer unknowns among them than they are.
	// Numerical: equations of which a combination vanishes, as far as their own diagonal block goes: in unknowns of blocks
	// that are solved before, it need not.
	Rows []int
	// Cols, Col first. Structural: unknowns that occur in fewer equations than they are.
	// Numerical: unknowns that can change together without any equation of their block noticing.
	Cols []int
}

func (e *SingularError) Error() string {
	kind := "numerically"
	if e.Structural {
		kind = "structurally"
	}
	return fmt.Sprintf("sparse: the matrix is %s singular: row %d (with %s) depends on others, column %d (with %s) is not determined",
		kind, e.Row, some(e.Rows), e.Col, some(e.Cols))
}

func some(list []int) string {
	switch {
	case len(list) <= 1:
		return "no other"
	case len(list) <= 6:
		return fmt.Sprint(list[1:])
	}
	return fmt.Sprintf("%v and %d more", list[1:6], len(list)-6)
}

// ValueError says that an entry is not a finite number.
type ValueError struct {
	Row, Col int
	Value    float64
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("sparse: the entry at row %d, column %d is %v", e.Row, e.Col, e.Value)
}

// GrowthError says that elimination with the pivots at hand loses too many digits. From Refactor: call Factor,
// which chooses pivots anew. From Factor: numbers overflowed.
type GrowthError struct {
	Col    int     // where it was noticed
	Growth float64 // largest multiplier times growth of entries; rounding errors are about that much larger
}

func (e *GrowthError) Error() string {
	return fmt.Sprintf("sparse: elimination at column %d lets rounding errors grow by %.1e: choose pivots anew", e.Col, e.Growth)
}

// IncompleteError says that an incomplete factorisation without exchanges of rows meets a pivot of zero: the matrix is not for it, singular or not.
type IncompleteError struct{ Row int }

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("sparse: the incomplete factorisation has no pivot in row %d", e.Row)
}
