package method

import "strings"

// Method is a solver of initial value problems: a row of Solvers.
type Method interface {
	// Info says what the method is, apart from its coefficients.
	Info() Info
}

// Family is a kind of methods that one stepper serves.
type Family int

// The families.
const (
	ExplicitRK Family = iota
	RosenbrockW
	DiagonallyImplicit
	FullyImplicit
	Multistep
	ExplicitMultistep
	Stabilised
	Hamiltonian
	Automatic
)

var familyNames = [...]string{"explicit Runge–Kutta", "Rosenbrock", "diagonally implicit Runge–Kutta", "fully implicit Runge–Kutta",
	"implicit multistep", "explicit multistep", "stabilised explicit", "symplectic", "chosen and switched by the problem"}

func (f Family) String() string { return familyNames[f] }

// Implicit reports whether the methods of the family solve equations in each step, so that stiffness does not bound their steps.
func (f Family) Implicit() bool {
	return f == RosenbrockW || f == DiagonallyImplicit || f == FullyImplicit || f == Multistep
}

// Info is what a user, a table of help and a check of a problem need to know of a method.
type Info struct {
	Name      string
	Family    Family
	Order     int    // the highest, where it varies
	Dense     int    // order of the continuous extension
	Adaptive  bool   // estimates its error, so that steps can be chosen
	Mass      bool   // serves M·x' = f with M other than the identity, singular M (algebraic equations) included
	Stability string // "explicit", "A-stable", "L-stable, stiffly accurate"
	Doc       string // when to use
	Cite      string
}

// Info implements Method.
func (m *RK) Info() Info {
	return Info{Name: m.Name, Family: ExplicitRK, Order: m.Order, Dense: m.DenseOrder, Adaptive: m.Adaptive(), Stability: "explicit", Doc: m.Doc, Cite: m.Cite}
}

// solvers is THE list of methods that are no explicit Runge–Kutta methods, which have a list of their own (table), by family, then order.
var solvers = []Method{
	&rosenbrock23,
	&rodas4,
	&rodas4p,
	&rodas5p,
	&trbdf2,
	&kencarp4,
	&kencarp5,
	&radau,
	&bdf,
	&vcabm,
	&rock2,
	&rock4,
	&verlet,
	&yoshida6,
	Auto{},
}

// Solvers lists all methods, explicit Runge–Kutta methods first. The slice is the caller's, the methods are shared.
func Solvers() []Method {
	var all []Method
	for _, m := range table {
		all = append(all, m)
	}
	return append(all, solvers...)
}

// Find finds a method of Solvers by its name, in upper or lower case.
func Find(name string) (Method, bool) {
	for _, m := range Solvers() {
		if strings.EqualFold(m.Info().Name, name) {
			return m, true
		}
	}
	return nil, false
}

// WithMass lists the names of the methods that serve mass matrices and algebraic equations.
func WithMass() []string {
	var names []string
	for _, m := range Solvers() {
		if i := m.Info(); i.Mass {
			names = append(names, i.Name)
		}
	}
	return names
}
