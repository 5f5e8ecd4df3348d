// The iteration matrix of implicit methods, A = M − γJ: Hairer, Wanner, "Solving Ordinary Differential Equations II", IV.8.

package sparse

// Shifted knows where the entries of a mass matrix M and a Jacobian J land in A = M − γJ.
type Shifted struct {
	pattern   *Pattern
	mass, jac []int
	identity  bool
}

// NewShifted merges the patterns of M (nil: the identity) and J. The diagonal is always part of A: a DAE's zero on
// the diagonal costs one entry, and the ordering of pivots is better for having it.
func NewShifted(mass, jac *Pattern) *Shifted {
	s := &Shifted{identity: mass == nil}
	if mass == nil {
		mass = DiagonalPattern(jac.n)
	}
	s.pattern = Union(mass, jac).WithDiagonal()
	s.mass, _ = s.pattern.Positions(mass)
	s.jac, _ = s.pattern.Positions(jac)
	return s
}

// Pattern is that of A.
func (s *Shifted) Pattern() *Pattern { return s.pattern }

// Set writes M − γJ into values (of A's pattern). mass holds the values of M, or is ignored when M is the identity.
// It allocates nothing.
func (s *Shifted) Set(values, mass []float64, gamma float64, jac []float64) {
	s.pattern.check(values)
	clear(values)
	if s.identity {
		for _, at := range s.mass {
			values[at] = 1
		}
	} else {
		for k, at := range s.mass {
			values[at] = mass[k]
		}
	}
	for k, at := range s.jac {
		values[at] -= gamma * jac[k]
	}
}
