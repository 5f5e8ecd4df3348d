package solve

import (
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Linear is the linear algebra of implicit steps for others than the Stepper: the Jacobian of a system and equations with M − c·J, as gradients need them. It serves
// one goroutine; only its making allocates.
type Linear struct {
	m     *matrix
	stats Stats
}

// NewLinear analyses a system.
func NewLinear(sys *system.System) (*Linear, error) {
	l := new(Linear)
	var err error
	l.m, err = newMatrix(sys, &l.stats)
	return l, err
}

// Prepare fixes θ.
func (l *Linear) Prepare(th []float64) { l.m.prepare(th) }

// Jacobian evaluates J = ∂f/∂x at (t, x), and ∂f/∂t into ft unless that is nil.
func (l *Linear) Jacobian(ft []float64, t float64, x []float64) { l.m.jacobian(ft, t, x) }

// Factor factors M − c·J. The error names the equation that makes it singular.
func (l *Linear) Factor(c float64) error { return l.m.factor(c) }

// Solve replaces b by (M − c·J)⁻¹ b.
func (l *Linear) Solve(b []float64) { l.m.lu.Solve(b) }

// SolveTransposed replaces b by (M − c·J)⁻ᵀ b.
func (l *Linear) SolveTransposed(b []float64) { l.m.lu.SolveTransposed(b) }

// AddMassTransposed adds a·Mᵀ·x to y.
func (l *Linear) AddMassTransposed(y []float64, a float64, x []float64) {
	if l.m.mass == nil {
		add(y, a, x)
		return
	}
	p := l.m.massOf.Pattern
	for j := range y {
		rows, first := p.Column(j)
		sum := 0.0
		for k, i := range rows {
			sum += l.m.mass[first+k] * x[i]
		}
		y[j] += a * sum
	}
}

// Entries are those of J, as Jacobian last evaluated them, in the order of the pattern. Read only.
func (l *Linear) Entries() (*sparse.Pattern, []float64) { return l.m.pattern, l.m.v }

// Mass are the entries of M in the order of the pattern; without values it is the identity. Read only.
func (l *Linear) Mass() (*sparse.Pattern, []float64) {
	if l.m.mass == nil {
		return sparse.DiagonalPattern(l.m.n), nil
	}
	return l.m.massOf.Pattern, l.m.mass
}

// Named puts the names of the system's equations and states into an error of the linear algebra.
func (l *Linear) Named(err error) error { return l.m.named(err) }
