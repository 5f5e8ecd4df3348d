package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// symplectic steps compositions of kicks and drifts of systems q' = v(t, p), p' = f(t, q), as method.Symplectic tells. Which states are positions and which momenta
// is found from the pattern of the Jacobian.
//
// E. Hairer, C. Lubich, G. Wanner, Geometric Numerical Integration, 2nd edition, Springer 2006, sections II.4, II.5 and V.3.
//
// The composition says nothing between the ends of a step; there the state is Hermite's interpolation. Where the order asks for more than the cubic, the second
// derivatives x” = (∂f/∂x) x' + ∂f/∂t, which are exact, make it a quintic. That takes one evaluation more in each step that is remembered or looked into.
type symplectic struct {
	m    *method.Symplectic
	s    *Stepper
	q, p []int // positions and momenta
	form polynomial

	begun bool      // the momenta of f0 are those at (t, x)
	whole bool      // all of f0 is
	bent  bool      // s0 is the second derivative there
	built bool      // c is that of the last attempt, with f1 and s1 at its end
	z     []float64 // scratch; after an attempt its momenta are f at the end
	f1    []float64
	s0    []float64
	s1    []float64
	c     []float64
}

func newSymplectic(m *method.Symplectic, s *Stepper) (*symplectic, error) {
	part, err := Separate(s.sys)
	if err != nil {
		return nil, &NotSeparableError{Method: m.Name, Why: err}
	}
	nx := s.sys.NX
	y := &symplectic{m: m, s: s, form: cubic, z: make([]float64, nx), f1: make([]float64, nx)}
	for i, kicked := range part {
		if kicked {
			y.p = append(y.p, i)
		} else {
			y.q = append(y.q, i)
		}
	}
	if m.DenseOrder > 3 {
		y.form = quintic
		y.s0, y.s1 = make([]float64, nx), make([]float64, nx)
	}
	y.c = make([]float64, int(y.form)*nx)
	return y, nil
}

// NotSeparableError is a system that a symplectic method cannot solve.
type NotSeparableError struct {
	Method string
	Why    error // what stands in the way
}

func (e *NotSeparableError) Error() string {
	return fmt.Sprintf("%s needs positions and momenta, q' = f(p) and p' = g(q), but %v", e.Method, e.Why)
}

// Unwrap gives what stands in the way.
func (e *NotSeparableError) Unwrap() error { return e.Why }

// Separate finds the momenta of a separable system, true in the result, of which positions are the others: no state's derivative depends on a state of its own
// group. Of two groups that depend on each other the momenta are those whose equations take more, as forces do. The error names a dependence that fits no two groups.
func Separate(sys *system.System) ([]bool, error) {
	n, p := sys.NX, sys.Pattern
	if p == nil {
		return nil, fmt.Errorf("what depends on what in %s is not known", sys.Name)
	}
	names := sys.StateNames()
	next := make([][]int, n) // neighbours, either way
	takes := make([]int, n)
	for j := range n {
		rows, _ := p.Column(j)
		for _, i := range rows {
			if int(i) == j {
				return nil, fmt.Errorf("%s' depends on %s", names[j], names[j])
			}
			next[i], next[j] = append(next[i], j), append(next[j], int(i))
			takes[i]++
		}
	}
	group, kicked := make([]int8, n), make([]bool, n)
	var part []int
	for start := range n {
		if group[start] != 0 {
			continue
		}
		group[start] = 1
		part = append(part[:0], start)
		var weight [2]int
		for at := 0; at < len(part); at++ {
			i := part[at]
			weight[(1-group[i])/2] += takes[i]
			for _, j := range next[i] {
				if group[j] == group[i] {
					a, b := i, j
					if p.Index(a, b) < 0 {
						a, b = b, a
					}
					return nil, fmt.Errorf("%s' depends on %s, which by the other equations is of the same group", names[a], names[b])
				}
				if group[j] == 0 {
					group[j] = -group[i]
					part = append(part, j)
				}
			}
		}
		momenta := int8(-1) // of equals the first in the model is a position
		if weight[0] > weight[1] || len(part) == 1 {
			momenta = 1
		}
		for _, i := range part {
			kicked[i] = group[i] == momenta
		}
	}
	return kicked, nil
}

func (y *symplectic) prepare() {}

func (y *symplectic) restart() { y.begun, y.whole, y.bent, y.built = false, false, false, false }

func (y *symplectic) ready() bool {
	s := y.s
	if !y.begun {
		s.eval(s.k[0], s.t, s.x)
		y.begun, y.whole = true, true
		if !finite(s.k[0]) {
			s.status, s.badT = NonFinite, s.t
			copy(s.x1, s.x)
			return false
		}
	}
	return true
}

func (y *symplectic) attempt() float64 {
	s, m := y.s, y.m
	y.built = false
	copy(s.x1, s.x)
	f := s.k[0] // of which the momenta are those at the start
	for i, b := range m.B {
		if i > 0 {
			f = y.z
			s.eval(f, s.stageTime(m.C[i]), s.x1)
		}
		for _, k := range y.p {
			s.x1[k] += b * s.h * f[k]
		}
		if a := m.A[i]; a != 0 {
			s.eval(y.z, s.stageTime(m.D[i]), s.x1)
			for _, k := range y.q {
				s.x1[k] += a * s.h * y.z[k]
			}
		}
	}
	if !finite(s.x1) {
		return math.NaN()
	}
	return 0
}

func (y *symplectic) accept(float64) float64 { return 1 }

func (y *symplectic) refuse(float64) float64 { return method.BadCut }

func (y *symplectic) errors() { clear(y.s.e) }

func (y *symplectic) commit() {
	s := y.s
	y.whole, y.bent = y.built, y.built
	if y.built {
		copy(s.k[0], y.f1)
		copy(y.s0, y.s1)
		y.built = false
		return
	}
	for _, k := range y.p {
		s.k[0][k] = y.z[k]
	}
}

// build makes the interpolation of the step that lies between x and x1.
func (y *symplectic) build() {
	if y.built {
		return
	}
	s := y.s
	if !y.whole {
		s.eval(s.k[0], s.t, s.x)
		y.whole = true
	}
	s.eval(y.f1, s.t1, s.x1)
	y.built = true
	if y.form == cubic {
		hermite3(y.c, s.h, s.x, s.x1, s.k[0], y.f1)
		return
	}
	if !y.bent {
		y.second(y.s0, s.t, s.x, s.k[0])
		y.bent = true
	}
	y.second(y.s1, s.t1, s.x1, y.f1)
	hermite5(y.c, s.h, s.x, s.x1, s.k[0], y.f1, y.s0, y.s1)
}

// second is x” at (t, x), where x' is f: exact where the system has derivatives, else by differences, whose error in the interpolation, some
// 1e-12 of what a step changes, lies far below that of the step.
func (y *symplectic) second(z []float64, t float64, x, f []float64) {
	s := y.s
	if s.sys.NoGradient == "" {
		s.rhs.JVP(z, t, x, nil, 1, f, nil)
		s.stats.Evals++
		return
	}
	d := 1e-5 * s.h
	if t == s.t1 { // nothing is evaluated outside the step
		d = -d
	}
	for k, v := range f {
		s.tmp[k] = x[k] + d*v
	}
	s.eval(z, t+d, s.tmp)
	for k, v := range f {
		s.tmp[k] = x[k] + 2*d*v
	}
	s.eval(y.z, t+2*d, s.tmp)
	for k := range z {
		z[k] = (4*z[k] - 3*f[k] - y.z[k]) / (2 * d)
	}
}

func (y *symplectic) width() int { return len(y.c) }

func (y *symplectic) save(row []float64) {
	y.build()
	copy(row, y.c)
}

func (y *symplectic) keep(m *mark) {
	held(m, y)
	m.vectors(y.z, y.f1, y.s0, y.s1, y.c)
}

func (y *symplectic) reader() reader { return y.form }

func (y *symplectic) interpolate(theta float64, out []float64) {
	y.build()
	y.form.at(theta, out, y.s.x, y.c)
}
