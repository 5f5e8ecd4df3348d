package sens

import (
	"errors"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// radau is the adjoint of a step of a Radau IIA method,
//
//	0 = Σ_j a⁻¹_ij M Z_j − h f(t_i, x + Z_i),  x1 = x + Z_s:
//
// with Z̄_i the derivative by Z_i and J_i that of f at its stage, by the implicit function theorem,
//
//	Σ_i a⁻¹_ij Mᵀ v_i − h J_jᵀ v_j = Z̄_j,  x̄ += h J_iᵀ v_i,
//
// and likewise by θ. The system of all stages is solved as it stands, by one factorisation for a step, however the step itself was solved.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.8, for the method; J. M. Sanz-Serna, Symplectic
// Runge–Kutta schemes for adjoint equations, automatic differentiation, optimal control, and more, SIAM Review 58 (2016), 3–33, for the adjoint of Runge–Kutta steps.
type radau struct {
	tab   *method.RadauTableau
	mass  *massByTheta
	rhs   system.Func
	lin   *solve.Linear
	st    *solve.StepRecord
	nx, s int

	lu     sparse.Solver // of all stages: unknown and equation k of stage i are number k·s + i
	v      []float64
	massAt []int // where entry k of M in block (i, j) goes: (k·s + i)·s + j
	jacAt  []int // where entry k of J in block (i, i) goes: k·s + i

	zb        [][]float64
	xb        []float64
	b         []float64
	point, mu []float64
}

// radauVarying is the adjoint of steps of several orders, each of which says of how many stages it is.
type radauVarying struct {
	all []*radau
	*radau
}

func newRadauSteps(m *method.Radau, sys *system.System) (reverse, error) {
	if !m.Varies {
		return newRadau(m.Tableau(m.Info().Order), sys)
	}
	v := new(radauVarying)
	for _, order := range m.Orders() {
		r, err := newRadau(m.Tableau(order), sys)
		if err != nil {
			return nil, err
		}
		v.all = append(v.all, r)
	}
	return v, nil
}

func (v *radauVarying) prepare(th []float64) {
	for _, r := range v.all {
		r.prepare(th)
	}
}

func (v *radauVarying) open(st *solve.StepRecord) {
	most := v.all[len(v.all)-1].s
	for _, r := range v.all {
		if r.s == int(st.K[most*r.nx]) {
			v.radau = r
		}
	}
	v.radau.open(st)
}

// waits is called before any step is open, too.
func (v *radauVarying) waits() bool { return false }

func newRadau(tab *method.RadauTableau, sys *system.System) (*radau, error) {
	lin, err := solve.NewLinear(sys)
	if err != nil {
		return nil, err
	}
	nx, s := sys.NX, tab.Stages
	r := &radau{tab: tab, mass: newMassByTheta(sys), rhs: sys.RHS.Clone(), lin: lin, nx: nx, s: s}
	jac, _ := lin.Entries()
	mass, _ := lin.Mass()
	var rows, cols []int
	for j := range nx {
		in, _ := mass.Column(j)
		for _, i := range in {
			for a := range s {
				for b := range s {
					rows, cols = append(rows, int(i)*s+a), append(cols, j*s+b)
				}
			}
		}
		in, _ = jac.Column(j)
		for _, i := range in {
			for a := range s {
				rows, cols = append(rows, int(i)*s+a), append(cols, j*s+a)
			}
		}
	}
	p, err := sparse.NewPattern(nx*s, rows, cols)
	if err != nil {
		return nil, err
	}
	for j := range nx {
		in, _ := mass.Column(j)
		for _, i := range in {
			for a := range s {
				for b := range s {
					r.massAt = append(r.massAt, p.Index(int(i)*s+a, j*s+b))
				}
			}
		}
		in, _ = jac.Column(j)
		for _, i := range in {
			for a := range s {
				r.jacAt = append(r.jacAt, p.Index(int(i)*s+a, j*s+a))
			}
		}
	}
	c, err := sparse.Choose(p)
	if err != nil {
		return nil, r.named(err)
	}
	r.lu, r.v = c.New(), make([]float64, p.NNZ())
	for range s {
		r.zb = append(r.zb, make([]float64, nx))
	}
	r.xb, r.b, r.point, r.mu = make([]float64, nx), make([]float64, nx*s), make([]float64, nx), make([]float64, nx)
	return r, nil
}

func (r *radau) prepare(th []float64) {
	r.rhs.Prepare(th)
	r.lin.Prepare(th)
	r.mass.prepare(th)
}

func (r *radau) open(st *solve.StepRecord) {
	r.st = st
	clear(r.xb)
	for _, z := range r.zb {
		clear(z)
	}
}

func (r *radau) waits() bool { return false }

func (r *radau) output(theta float64, gx []float64) {
	add(r.xb, 1, gx)
	for i, p := range r.tab.Dense {
		add(r.zb[i], method.DenseWeight(p, theta), gx)
	}
}

// reached writes the state that the step leads to by itself.
func (r *radau) reached(x []float64) {
	copy(x, r.st.X)
	add(x, 1, r.st.K[(r.s-1)*r.nx:r.s*r.nx])
}

func (r *radau) back(lam, g []float64) error {
	st, s := r.st, r.s
	add(r.xb, 1, lam)
	add(r.zb[s-1], 1, lam)
	if err := r.factor(); err != nil {
		return err
	}
	for i, z := range r.zb {
		for k, v := range z {
			r.b[k*s+i] = v
		}
	}
	r.lu.SolveTransposed(r.b)
	for i, c := range r.tab.C {
		r.stage(i)
		for k := range r.mu {
			r.mu[k] = st.H * r.b[k*s+i]
		}
		r.rhs.VJP(r.xb, g, stageTime(st, c), r.point, nil, r.mu)
		r.byMass(i, g)
	}
	copy(lam, r.xb)
	return nil
}

// stage writes X_i.
func (r *radau) stage(i int) {
	z := r.st.K[i*r.nx : (i+1)*r.nx]
	for k, v := range r.st.X {
		r.point[k] = v + z[k]
	}
}

// factor factors the system of all stages.
func (r *radau) factor() error {
	st, s := r.st, r.s
	_, mass := r.lin.Mass()
	clear(r.v)
	at := 0
	for k := 0; at < len(r.massAt); k++ {
		m := 1.0
		if mass != nil {
			m = mass[k]
		}
		for i := range s {
			for j := range s {
				r.v[r.massAt[at]] += m * r.tab.Inverse[i][j]
				at++
			}
		}
	}
	for i, c := range r.tab.C {
		r.stage(i)
		r.lin.Jacobian(nil, stageTime(st, c), r.point)
		_, v := r.lin.Entries()
		for k, w := range v {
			r.v[r.jacAt[k*s+i]] -= st.H * w
		}
	}
	if err := r.lu.Factor(r.v); err != nil {
		return r.named(err)
	}
	return nil
}

// named is an error of the system of all stages in terms of the states.
func (r *radau) named(err error) error {
	var e *sparse.SingularError
	if !errors.As(err, &e) {
		return err
	}
	once := func(list []int) (out []int) {
		seen := map[int]bool{}
		for _, i := range list {
			if !seen[i/r.s] {
				seen[i/r.s] = true
				out = append(out, i/r.s)
			}
		}
		return out
	}
	return r.lin.Named(&sparse.SingularError{Row: e.Row / r.s, Col: e.Col / r.s, Structural: e.Structural, Rank: -1, Rows: once(e.Rows), Cols: once(e.Cols)})
}

// byMass adds the derivative by θ through M: −v_iᵀ dM Σ_j a⁻¹_ij Z_j.
func (r *radau) byMass(i int, g []float64) {
	if r.mass == nil {
		return
	}
	clear(r.point)
	for j, w := range r.tab.Inverse[i] {
		add(r.point, -w, r.st.K[j*r.nx:(j+1)*r.nx])
	}
	for k := range r.mu {
		r.mu[k] = r.b[k*r.s+i]
	}
	r.mass.add(g, r.mu, r.point)
}
