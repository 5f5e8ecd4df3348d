package compiler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// rosenbrocks are the methods of the family.
func rosenbrocks() (list []*method.Rosenbrock) {
	for _, m := range method.Solvers() {
		if r, ok := m.(*method.Rosenbrock); ok {
			list = append(list, r)
		}
	}
	return list
}

// gauss solves a·x = y by elimination with exchanges; a and y are overwritten, y by x.
func gauss(a [][]float64, y []float64) {
	n := len(a)
	for c := range n {
		p := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		a[c], a[p], y[c], y[p] = a[p], a[c], y[p], y[c]
		for r := c + 1; r < n; r++ {
			l := a[r][c] / a[c][c]
			for j := c; j < n; j++ {
				a[r][j] -= l * a[c][j]
			}
			y[r] -= l * y[c]
		}
	}
	for c := n - 1; c >= 0; c-- {
		for j := c + 1; j < n; j++ {
			y[c] -= a[c][j] * y[j]
		}
		y[c] /= a[c][c]
	}
}

// ordinary is a step by the formula of method.Rosenbrock, with the portable right-hand side, its Jacobian by directional derivatives, and dense elimination with exchanges.
// M is s.Mass.
func ordinary(s *system.System, m *method.Rosenbrock, th []float64, t, h float64, x []float64, rtol float64, atol []float64) (u [][]float64, x1 []float64, q float64) {
	n := len(x)
	f := s.RHS.Clone()
	f.Prepare(th)
	jac, col, unit := make([][]float64, n), make([]float64, n), make([]float64, n)
	for i := range jac {
		jac[i] = make([]float64, n)
	}
	for c := range n {
		unit[c] = 1
		f.JVP(col, t, x, nil, 0, unit, nil)
		unit[c] = 0
		for r, v := range col {
			jac[r][c] = v
		}
	}
	ft := make([]float64, n)
	f.JVP(ft, t, x, nil, 1, nil, nil)
	mass := make([][]float64, n)
	for r := range mass {
		mass[r] = make([]float64, n)
		mass[r][r] = 1
	}
	if s.Mass != nil {
		v := make([]float64, s.Mass.Pattern.NNZ())
		s.Mass.Values.Clone().Eval(v, 0, nil, th)
		for c := range n {
			mass[c][c] = 0
		}
		for c := range n {
			rows, first := s.Mass.Pattern.Column(c)
			for k, r := range rows {
				mass[r][c] = v[first+k]
			}
		}
	}
	errs := make([]float64, n)
	x1 = append([]float64(nil), x...)
	for i := range m.Stages {
		p, z := append([]float64(nil), x...), make([]float64, n)
		for j, a := range m.A[i] {
			for r := range p {
				p[r] += a * u[j][r]
			}
		}
		f.Eval(z, t+m.C[i]*h, p, nil)
		w := make([][]float64, n)
		for r := range w {
			w[r] = make([]float64, n)
			for c := range w[r] {
				w[r][c] = -jac[r][c]
			}
			for c := range w[r] {
				w[r][c] += mass[r][c] / (h * m.Gamma)
				for j, g := range m.G[i] {
					z[r] += mass[r][c] * g / h * u[j][c]
				}
			}
			z[r] += h * m.D[i] * ft[r]
		}
		gauss(w, z)
		u = append(u, z)
		for r := range z {
			x1[r] += m.B[i] * z[r]
			errs[r] += m.E[i] * z[r]
		}
	}
	for r := range x {
		e := errs[r] / (atol[r] + rtol*math.Max(math.Abs(x[r]), math.Abs(x1[r])))
		q += e * e / float64(n)
	}
	return u, x1, q
}

// walk makes steps, each compared with the ordinary one, along a solution, with a step that grows and shrinks by what the step says.
func walk(t *testing.T, name string, a, b *system.System, m *method.Rosenbrock, t0, h float64, steps int, tol float64) {
	t.Helper()
	st := a.Stepping(m)
	if st == nil {
		without(t, a)
	}
	const rtol = 1e-6
	n := a.NX
	th, atol := a.Defaults(), make([]float64, n)
	for i := range atol {
		atol[i] = 1e-10
	}
	st.Prepare(th, rtol, atol)
	x, x1, k := make([]float64, n), make([]float64, n), make([]float64, m.Stages*n)
	a.Init.Clone().Eval(x, t0, nil, th)
	logErr, at, accepted := method.Log2(method.MinError), t0, 0
	for range steps {
		q, e, factor := st.Attempt(at, h, at+h, logErr, x, k, x1)
		u, y1, want := ordinary(b, m, th, at, h, x, rtol, atol)
		if math.IsInf(q, 1) {
			t.Fatalf("%s %s: a step of %g at %g is not trusted", name, m.Name, h, at)
		}
		size := 0.0
		for i := range u {
			for j := range n {
				size = math.Max(size, math.Abs(u[i][j])/(math.Abs(x[j])+1e-8))
			}
		}
		for j := range n {
			scale := tol * (math.Abs(x[j]) + math.Abs(y1[j]) + 1e-8) * math.Max(1, size)
			if !(math.Abs(x1[j]-y1[j]) <= scale) {
				t.Fatalf("%s %s: a step of %g at %g gives state %d as %v, the ordinary one %v", name, m.Name, h, at, j, x1[j], y1[j])
			}
			for i := range u {
				if !(math.Abs(k[i*n+j]-u[i][j]) <= scale) {
					t.Fatalf("%s %s: a step of %g at %g gives u_%d of state %d as %v, the ordinary one %v", name, m.Name, h, at, i, j, k[i*n+j], u[i][j])
				}
			}
		}
		if !(math.Abs(q-want) <= 1e-6*want+1e-6) {
			t.Fatalf("%s %s: a step of %g at %g has an error of %v, the ordinary one of %v", name, m.Name, h, at, q, want)
		}
		order := float64(m.ErrorOrder())
		lg := 0.5 * math.Log2(math.Max(method.MinError*method.MinError, q))
		ff := -lg / order
		if q <= 1 {
			ff = -method.Alpha/order*lg + method.Beta/order*logErr
		}
		ff = min(method.Grow, max(method.Shrink, method.Safety*math.Exp2(ff)))
		if math.Abs(factor-ff) > 1e-3*ff || math.Abs(e-lg) > 1e-3 {
			t.Fatalf("%s %s: factor %v, error %v; by the formula %v, %v", name, m.Name, factor, e, ff, lg)
		}
		if q <= 1 {
			copy(x, x1)
			at, logErr = at+h, e
			accepted++
		}
		h *= factor
	}
	if accepted < steps/3 {
		t.Errorf("%s %s: %d of %d steps accepted", name, m.Name, accepted, steps)
	}
}

func TestWholeRosenbrock(t *testing.T) {
	for _, m := range rosenbrocks() {
		for name, h := range map[string]float64{"robertson": 1e-6, "vdpol": 1e-5, "orego": 1e-4, "hires": 1e-4, "pollu": 1e-7, "driven": 1e-3} {
			a := compileWith(t, problems[name], code.Options{}).System
			b := compileWith(t, problems[name], code.Options{Portable: true}).System
			walk(t, name, a, b, m, 0, h, 60, 1e-9)
		}
	}
}

// TestWholeRosenbrockMass has an algebraic equation, and equations that are linear in two derivatives.
func TestWholeRosenbrockMass(t *testing.T) {
	for name, text := range map[string]string{
		"robertson": `model DAE { param k1 = 0.04, k2 = 3e7, k3 = 1e4; state y1 = 1, y2 = 0, y3 = 0, m1 = 1, m2 = 1
  y1' = -k1*y1 + k3*y2*y3; y2' = k1*y1 - k3*y2*y3 - k2*y2^2; y3' = y1 + y2 + y3 - 1; m1' = 0; m2' = 0 }`,
		"coupled": `model Coupled { param c = 0.3; state x = 1, y = 2, z = 1, m1 = 1, m2 = 1; x' = -x*y; y' = sin(t) - y; z' = z - x*x; m1' = 0; m2' = 0 }`,
	} {
		for _, m := range rosenbrocks() {
			var sys [2]*system.System
			for i, how := range []code.Options{{}, {Portable: true}} {
				s := compileWith(t, text, how).System
				s.Mass = &system.Mass{Values: constant{}, Pattern: massPattern(t, name == "coupled")}
				sys[i] = s
			}
			walk(t, name, sys[0], sys[1], m, 0, 1e-4, 30, 1e-9)
		}
	}
}

func massPattern(t *testing.T, coupled bool) *sparse.Pattern {
	rows, cols := []int{0, 1, 3, 4}, []int{0, 1, 3, 4}
	if coupled {
		rows, cols = append(rows, 0, 1), append(cols, 1, 0)
	}
	p, err := sparse.NewPattern(5, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// constant are a mass matrix's entries: 1, 1.5, 2, …
type constant struct{ system.Func }

func (constant) Clone() system.Func { return constant{} }

func (constant) Eval(z []float64, _ float64, _, _ []float64) {
	for i := range z {
		z[i] = 1 + 0.5*float64(i)
	}
}

// TestWholeRosenbrockRandom draws systems with random structure.
func TestWholeRosenbrockRandom(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 5))
		n := 1 + rng.IntN(9)
		var text strings.Builder
		fmt.Fprintf(&text, "model R {")
		for i := range n {
			fmt.Fprintf(&text, " param p%d = %.3f;", i, 0.2+rng.Float64())
		}
		for i := range n {
			fmt.Fprintf(&text, " state x%d = %.3f;", i, 0.2+rng.Float64())
		}
		for i := range n {
			fmt.Fprintf(&text, " x%d' = -p%d*x%d", i, i, i)
			for range rng.IntN(4) {
				j, k := rng.IntN(n), rng.IntN(n)
				fmt.Fprintf(&text, []string{" + %.2f*x%d*x%d", " - %.2f*sin(x%d + t)*cos(x%d)", " + %.2f*exp(-x%d^2)*x%d", " + %.2f*x%d/(1 + x%d^2)"}[rng.IntN(4)], rng.Float64(), j, k)
			}
			fmt.Fprintf(&text, ";")
		}
		fmt.Fprintf(&text, " }")
		a := compileWith(t, text.String(), code.Options{}).System
		b := compileWith(t, text.String(), code.Options{Portable: true}).System
		for _, m := range rosenbrocks() {
			walk(t, text.String(), a, b, m, 0.3, 0.01, 5, 1e-12)
			walk(t, text.String(), a, b, m, 0.3, -0.01, 5, 1e-12) // backwards in time
		}
	}
}

// TestWholeRosenbrockDoubt holds that a step whose elimination cannot be trusted says so, and one that leaves what is finite says that.
func TestWholeRosenbrockDoubt(t *testing.T) {
	// At h = 1/(γ J) the first pivot is next to nothing, whichever comes first; with an exchange all is well.
	s := compileWith(t, `model M { param a = 1; state x = 1, y = 1; x' = a*x + 1e3*y; y' = 1e3*x + a*y }`, code.Options{}).System
	burst := compileWith(t, `model M { param a = 1; state x = 1; x' = a*(1 + sqrt(2 - x)) }`, code.Options{}).System
	units := compileWith(t, `model M { param a = 1; state x = 1, y = 1; x' = -2*x + 1e9*y; y' = 1e-9*x - a*y }`, code.Options{}).System
	for _, m := range rosenbrocks() {
		st := s.Stepping(m)
		if st == nil {
			without(t, s)
		}
		x, x1, k := []float64{1, 1}, make([]float64, 2), make([]float64, 2*m.Stages)
		st.Prepare(s.Defaults(), 1e-6, []float64{1e-6, 1e-6})
		if q, _, _ := st.Attempt(0, 1/m.Gamma, 1/m.Gamma, 0, x, k, x1); !math.IsInf(q, 1) {
			t.Errorf("%s: an error of %v where a pivot vanishes, not infinity", m.Name, q)
		}
		if q, _, _ := st.Attempt(0, 1e-6, 1e-6, 0, x, k, x1); !(q < 1) {
			t.Errorf("%s: an error of %v for a small step", m.Name, q)
		}
		x[0] = math.Inf(1)
		if q, _, f := st.Attempt(0, 1e-6, 1e-6, 0, x, k, x1); q < math.Inf(1) || f != method.BadCut {
			t.Errorf("%s: an error of %v from a state that is infinite; factor %v", m.Name, q, f)
		}
		x[0] = 1
		if n := testing.AllocsPerRun(10, func() { st.Attempt(0, 1e-6, 1e-6, 0, x, k, x1) }); n != 0 {
			t.Errorf("%s: %v allocations", m.Name, n)
		}
		over := burst.Stepping(m)
		over.Prepare(burst.Defaults(), 1e-6, []float64{1e-6})
		if q, _, f := over.Attempt(0, 10, 10, 0, []float64{1}, k[:m.Stages], x1); !math.IsNaN(q) || f != method.BadCut {
			t.Errorf("%s: an error of %v of a step to where f is not defined, not NaN; factor %v", m.Name, q, f)
		}
		// One state counts what the other has in units of 1e9; the multipliers are large, and nothing is wrong.
		scaled := units.Stepping(m)
		scaled.Prepare(units.Defaults(), 1e-6, []float64{1e-3, 1e-12})
		if q, _, _ := scaled.Attempt(0, 10, 10, 0, []float64{1e9, 1}, k, x1); math.IsInf(q, 1) {
			t.Errorf("%s: a change of units makes a step doubtful", m.Name)
		}
	}
}

func BenchmarkWholeRosenbrock(b *testing.B) {
	for _, m := range rosenbrocks() {
		for _, name := range []string{"robertson", "vdpol", "orego", "hires", "pollu"} {
			s := compileWith(b, problems[name], code.Options{}).System
			st := s.Stepping(m)
			if st == nil {
				b.Skip("no generated code")
			}
			th := s.Defaults()
			x, x1, k, atol := make([]float64, s.NX), make([]float64, s.NX), make([]float64, s.NX*m.Stages), make([]float64, s.NX)
			s.Init.Clone().Eval(x, 0, nil, th)
			for i := range atol {
				atol[i] = 1e-8
			}
			st.Prepare(th, 1e-6, atol)
			b.Run(m.Name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					st.Attempt(0, 1e-4, 1e-4, 0, x, k, x1)
				}
			})
			b.Run(m.Name+"/"+name+"/make", func(b *testing.B) {
				for b.Loop() {
					compileWith(b, problems[name], code.Options{}).System.Stepping(m)
				}
			})
		}
	}
}

// TestWholeRosenbrockEnds integrates the problems with whole steps alone to their end points, which two integrators of 128 bits agree on to 20 digits.
func TestWholeRosenbrockEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		t1    float64
		end   []float64
		scale []float64 // atol is rtol times these
	}{
		{"robertson", 100000000000.0, []float64{2.083340149701294e-08, 8.333360770334784e-14, 0.9999999791665152}, []float64{1, 1e-5, 1}},
		{"vdpol", 2000.0, []float64{1.706167732170465, -0.0008928097010248166}, []float64{1}},
		{"orego", 360.0, []float64{1.0008148703185227, 1228.1785215498874, 132.05549428465045}, []float64{1}},
		{"hires", 421.8122, []float64{0.0006703055035818635, 0.0001309968469863469, 4.686223159773258e-05, 0.0010446680205517048, 0.0005948838309514847, 0.0013996288339427733, 0.0010144927577184792, 0.004685507242281521}, []float64{1e-3}},
		{"pollu", 60.0, []float64{0.056462554800227695, 0.13424841304223387, 4.139734331099427e-09, 0.005523140207484359, 2.018977262302196e-07, 1.4645418634939657e-07, 0.07784249118997964, 0.3245075353396018, 0.007494013383880406, 1.6222931573015602e-08, 1.1358638332570748e-08, 0.00223050597572136, 0.00020871628827986302, 1.3969210168401579e-05, 0.008964884856898295, 4.352846369330103e-18, 0.006899219696263405, 0.0001007803037365946, 1.7721465139699842e-06, 5.6829432923163926e-05}, []float64{1e-3}},
	} {
		s := compileWith(t, problems[c.name], code.Options{}).System
		for _, m := range rosenbrocks() {
			st := s.Stepping(m)
			if st == nil {
				without(t, s)
			}
			rtol := 1e-6
			n := s.NX
			th, atol := s.Defaults(), make([]float64, n)
			for i := range atol {
				atol[i] = rtol * c.scale[i%len(c.scale)]
			}
			st.Prepare(th, rtol, atol)
			x, x1, k := make([]float64, n), make([]float64, n), make([]float64, m.Stages*n)
			s.Init.Clone().Eval(x, 0, nil, th)
			at, h, logErr, doubted, attempts := 0.0, 1e-8, method.Log2(method.MinError), 0, 0
			for at < c.t1 && attempts < 2_000_000 {
				end := at + h
				if end >= c.t1 {
					end = c.t1
				}
				q, e, factor := st.Attempt(at, end-at, end, logErr, x, k, x1)
				attempts++
				if math.IsInf(q, 1) {
					doubted++
				}
				h = (end - at) * factor
				if q <= 1 {
					at, logErr = end, e
					copy(x, x1)
				}
			}
			worst := 0.0
			for i, v := range c.end {
				worst = max(worst, math.Abs(x[i]-v)/(atol[i]+rtol*math.Abs(v)))
			}
			t.Logf("%s %s: %d attempts, %d in doubt, error %.3g tolerances", c.name, m.Name, attempts, doubted, worst)
			limit := 100.0
			if m.Order <= 2 {
				limit = 1000 // the Oregonator's bursts amplify what many small steps leave
			}
			if worst > limit || at < c.t1 {
				t.Errorf("%s %s: the end at %g is %v, %.3g tolerances from %v", c.name, m.Name, at, x, worst, c.end)
			}
		}
	}
}
