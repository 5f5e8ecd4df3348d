package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// whole refuses a right-hand side of which a part is treated explicitly: kind names the way to the gradient.
func whole(p *solve.Problem, kind string) error {
	if p.Explicit != nil {
		return refuse("%s cannot take a right-hand side with an explicit part: treat all of it implicitly, or take differences", kind)
	}
	return nil
}

// stiffForward refuses what implicit steps over the augmented system cannot do.
func stiffForward(p *solve.Problem, wrt []int) error {
	sys := p.Sys
	implicit := p.Method != nil && (p.Method.Info().Family.Implicit() || p.Method.Info().Family == method.Automatic)
	if implicit && sys.NoSecond != "" {
		return refuse("%s has no forward sensitivities through %s: %s", nameOf(sys), p.Method.Info().Name, sys.NoSecond)
	}
	if sys.Mass == nil {
		return nil
	}
	m := sys.Mass.Values.Clone()
	th := p.Theta
	if th == nil {
		th = sys.Defaults()
	}
	dz, dth := make([]float64, sys.Mass.Pattern.NNZ()), make([]float64, sys.NTheta)
	for _, i := range wrt {
		dth[i] = 1
		m.JVP(dz, 0, nil, th, 0, nil, dth)
		dth[i] = 0
		if !zero(dz) {
			return refuse("%s has no forward sensitivity by %s, which multiplies derivatives; the discrete adjoint, through Rodas5P, has it", nameOf(sys), thetaName(sys, i))
		}
	}
	return nil
}

// blocks repeats a pattern of the states for np sensitivities: along the diagonal, since each S_q' depends on S_q as x' does on x, and with byState below the states' own too, since it
// depends on x through the Jacobian's derivatives.
func blocks(p *sparse.Pattern, np int, byState bool) *sparse.Pattern {
	n := p.N()
	var rows, cols []int
	for q := range 1 + np {
		for j := range n {
			in, _ := p.Column(j)
			for _, i := range in {
				rows, cols = append(rows, q*n+int(i)), append(cols, q*n+j)
				if q > 0 && byState {
					rows, cols = append(rows, q*n+int(i)), append(cols, j)
				}
			}
		}
	}
	all, err := sparse.NewPattern((1+np)*n, rows, cols)
	if err != nil {
		panic(err) // the indices are those of a pattern
	}
	return all
}

// repeated gives the values of a function n times over.
type repeated struct {
	f system.Func
	n int
}

// Dims implements system.Func.
func (r *repeated) Dims() (x, th, z int) {
	x, th, z = r.f.Dims()
	return x, th, z * r.n
}

// Prepare implements system.Func.
func (r *repeated) Prepare(th []float64) { r.f.Prepare(th) }

// Eval implements system.Func.
func (r *repeated) Eval(z []float64, t float64, x, th []float64) {
	one := len(z) / r.n
	r.f.Eval(z[:one], t, x, th)
	for k := 1; k < r.n; k++ {
		copy(z[k*one:], z[:one])
	}
}

// VJP implements system.Func; nobody asks for it.
func (r *repeated) VJP(gx, gth []float64, _ float64, _, _, _ []float64) float64 {
	spoil(gx)
	spoil(gth)
	return 0
}

// JVP implements system.Func; nobody asks for it.
func (r *repeated) JVP(dz []float64, _ float64, _, _ []float64, _ float64, _, _ []float64) { spoil(dz) }

// Tangent implements system.Func.
func (r *repeated) Tangent() system.Func { return r }

// Clone implements system.Func.
func (r *repeated) Clone() system.Func { return &repeated{f: r.f.Clone(), n: r.n} }
