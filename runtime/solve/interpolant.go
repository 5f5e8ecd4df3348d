package solve

import "github.com/udl-lang/udl/runtime/method"

// Interpolant evaluates the continuous extension of a method within a step that others have made. It serves one goroutine.
type Interpolant struct {
	nx         int
	sc         *Scheme
	rosenbrock *rosenbrockScheme
	k          [][]float64
	weight     []float64
}

// NewInterpolant prepares a method for nx states. ok is false where it has no continuous extension of its stages alone.
func NewInterpolant(m method.Method, nx int) (in *Interpolant, ok bool) {
	switch m := m.(type) {
	case *method.RK:
		in = &Interpolant{nx: nx, sc: NewScheme(m)}
		in.k, in.weight = make([][]float64, in.sc.Stages()), make([]float64, in.sc.Stages())
		return in, true
	case *method.Rosenbrock:
		return &Interpolant{nx: nx, rosenbrock: newRosenbrockScheme(m)}, true
	}
	return nil, false
}

// At writes x(t + θh), 0 ≤ θ ≤ 1, for a step of length h from x with stages k, one after the other.
func (in *Interpolant) At(theta float64, out, x []float64, h float64, k []float64) {
	if in.rosenbrock != nil {
		in.rosenbrock.at(theta, out, x, k)
		return
	}
	for i := range in.k {
		in.k[i] = k[i*in.nx : (i+1)*in.nx]
	}
	in.sc.Dense(theta, out, x, h, in.k, in.weight)
}
