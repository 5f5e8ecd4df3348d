package solve_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

func bdfOf(t testing.TB, order int, linear string) *method.BDF {
	t.Helper()
	m, ok := method.Find("BDF")
	if !ok {
		t.Fatal("no BDF")
	}
	b, ok := m.(*method.BDF).With(order, linear)
	if !ok {
		t.Fatal(order, linear)
	}
	return b
}

// graded is a mesh of steps that grow slowly from almost nothing, so that the low orders of a start do no harm and the formulas stay stable, and n equal ones.
func graded(from, to float64, n int) (mesh []float64, first int) {
	const growth, many = 1.08, 200
	var lengths []float64
	sum := float64(n)
	for k := many; k > 0; k-- {
		lengths = append(lengths, math.Pow(growth, -float64(k)))
		sum += lengths[len(lengths)-1]
	}
	h, at := (to-from)/sum, 0.0
	mesh = []float64{from}
	for _, l := range lengths {
		at += l
		mesh = append(mesh, from+h*at)
	}
	for k := range n {
		mesh = append(mesh, from+h*(at+float64(k+1)))
	}
	mesh[len(mesh)-1] = to
	return mesh, many
}

// onMesh solves on a graded mesh and returns the length of the equal steps, the error at the end and the largest inside those.
func onMesh(t *testing.T, m method.Method, sys *system.System, from, to float64, n int, at func(t float64) []float64) (h, end, inside float64) {
	t.Helper()
	mesh, first := graded(from, to, n)
	s := run(t, &solve.Problem{Sys: sys, Method: m, X0: at(from), T0: from, T1: to, Mesh: mesh, Rtol: 1e-9, Atol: 1e-9})
	if s.Status != solve.Done {
		t.Fatalf("%s: %v", m.Info().Name, s.Fault)
	}
	off := func(tt float64, x []float64) (e float64) {
		for i, v := range at(tt) {
			e = math.Max(e, math.Abs(x[i]-v))
		}
		return e
	}
	out := make([]float64, sys.NX)
	for k := first; k < len(mesh)-1; k++ {
		for _, theta := range []float64{0.23, 0.5, 0.81} {
			tt := mesh[k] + (mesh[k+1]-mesh[k])*theta
			if err := s.At(tt, out); err != nil {
				t.Fatal(err)
			}
			inside = math.Max(inside, off(tt, out))
		}
	}
	return math.Abs(mesh[first+1] - mesh[first]), off(to, s.XEnd), inside
}

// Each order of the family, at equal steps, forwards and backwards, and that of its output within steps.
func TestBDFOrders(t *testing.T) {
	at := func(t float64) []float64 {
		x, y := swingAt(t)
		return []float64{x, y}
	}
	for q := 1; q <= 5; q++ {
		for _, back := range []bool{false, true} {
			from, to := 0.0, 4.0
			if back {
				from, to = to, from
			}
			var hs, ends, insides []float64
			for _, n := range [][]int{{800, 1600, 3200}, {400, 800, 1600}, {200, 400, 800}, {200, 400, 800}, {200, 300, 400}}[q-1] {
				h, end, inside := onMesh(t, bdfOf(t, q, ""), swing(), from, to, n, at)
				hs, ends, insides = append(hs, h), append(ends, end), append(insides, inside)
			}
			p, d := slope(hs, ends), slope(hs, insides)
			t.Logf("order %d from %v: %.2f, within steps %.2f", q, from, p, d)
			if math.Abs(p-float64(q)) > 0.2 || math.Abs(d-float64(q)) > 0.2 {
				t.Errorf("order %d from %v: measured %.2f and %.2f within steps, errors %.1e, %.1e", q, from, p, d, ends, insides)
			}
		}
	}
}

// On the problem of Prothero and Robinson, x' = λ(x − φ(t)) + φ'(t), however stiff, no order is lost: the formulas have no stages.
func TestBDFProtheroRobinson(t *testing.T) {
	for _, lambda := range []float64{-1, -1e3, -1e6} {
		sys := testsys.System("pr", []string{"x"}, nil, testsys.Fixed(1), func(tt testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{x[0].Sub(tt.Cos()).Times(lambda).Sub(tt.Sin())}
		})
		at := func(t float64) []float64 { return []float64{math.Cos(t)} }
		for q := 1; q <= 5; q++ {
			var hs, ends []float64
			for _, n := range []int{40, 60, 90} {
				h, _, inside := onMesh(t, bdfOf(t, q, ""), sys, 0, 5, n, at)
				hs, ends = append(hs, h), append(ends, inside)
			}
			p := slope(hs, ends)
			t.Logf("λ = %g, order %d: %.2f, errors %.1e", lambda, q, p, ends)
			if want := float64(q); p < want-0.2 {
				t.Errorf("λ = %g, order %d: measured %.2f, errors %.1e", lambda, q, p, ends)
			}
		}
	}
}

// The steps of a solution can be repeated, on its mesh with its orders, and are a smooth function of θ then.
func TestBDFRepeats(t *testing.T) {
	m := bdfOf(t, 0, "")
	p := &solve.Problem{Sys: swing(), Method: m, T1: 10, Rtol: 1e-6, Atol: 1e-8}
	s := run(t, p)
	q := *p
	q.Mesh, q.MeshOrders, q.Rtol, q.Atol = s.Mesh(), s.MeshOrders(), 1e-9, 1e-9
	high := 0
	for _, k := range q.MeshOrders {
		high = max(high, k)
	}
	r := run(t, &q)
	for i, v := range r.XEnd {
		if math.Abs(v-s.XEnd[i]) > 1e-6 {
			t.Errorf("state %d: %v repeated, %v", i, v, s.XEnd[i])
		}
	}
	if high != 5 || len(q.MeshOrders) != s.Stats.Steps {
		t.Errorf("%d orders up to %d of %d steps", len(q.MeshOrders), high, s.Stats.Steps)
	}
	// Central differences over the mesh converge to a derivative, which they would not if anything jumped.
	by := func(h float64) float64 {
		end := func(p float64) float64 {
			q.Theta = []float64{0.5 + p}
			return run(t, &q).XEnd[0]
		}
		return (end(h) - end(-h)) / (2 * h)
	}
	if a, b := by(1e-3), by(1e-5); math.Abs(a-b) > 1e-6 {
		t.Errorf("derivatives %v and %v", a, b)
	}
	q.MeshOrders = q.MeshOrders[1:]
	if _, err := solve.Solve(context.Background(), &q); err == nil || !strings.Contains(err.Error(), "orders") {
		t.Errorf("orders of other steps: %v", err)
	}
}

// Output within steps meets the states at their ends, from the record as from the stepper, and the two agree.
func TestBDFDense(t *testing.T) {
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), Method: bdfOf(t, 0, ""), T1: 10}
	s := run(t, p)
	st, err := solve.NewStepper(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]float64, 2), make([]float64, 2)
	for n := 0; st.Step(); n++ {
		from, h := st.Last()
		for _, theta := range []float64{1e-9, 0.3, 0.5, 0.9, 1 - 1e-9} {
			at := from + theta*h
			st.Interpolate(at, a)
			if err := s.At(at, b); err != nil {
				t.Fatal(err)
			}
			for i := range a {
				if math.Abs(a[i]-b[i]) > 1e-11 {
					t.Fatalf("step %d at %v: %v by the stepper, %v from the record", n, theta, a, b)
				}
			}
			x := s.Row(n)
			if theta > 0.5 {
				x = s.Row(n + 1)
			}
			if math.Abs(theta-math.Round(theta)) < 1e-8 && math.Abs(a[0]-x[0])+math.Abs(a[1]-x[1]) > 1e-7 {
				t.Fatalf("step %d at %v: %v, the end is %v", n, theta, a, x)
			}
		}
	}
}

// ring is a diffusion with reaction on n points of a ring, stiff and larger than what direct solvers like, if n says so.
func ring(n int, d float64) *system.System {
	names, x0 := make([]string, n), make([]float64, n)
	for i := range names {
		names[i] = "x" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		x0[i] = 1 + 0.5*math.Sin(2*math.Pi*float64(i)/float64(n))
	}
	return testsys.System("ring", names, nil, testsys.Fixed(x0...), func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		z := make([]testsys.Expr, n)
		for i := range x {
			l, r := x[(i+n-1)%n], x[(i+1)%n]
			z[i] = l.Add(r).Sub(x[i].Times(2)).Times(d).Sub(x[i].Mul(x[i]).Mul(x[i]))
		}
		return z
	})
}

// GMRES finds what the direct solver finds, to what the tolerance allows, with about as many steps; stiffness does not ruin it.
func TestBDFKrylov(t *testing.T) {
	for _, d := range []float64{1, 1e3, 1e6} {
		sys := ring(60, d)
		p := &solve.Problem{Sys: sys, Method: bdfOf(t, 0, "direct"), T1: 5, Rtol: 1e-7, Atol: 1e-7}
		direct := run(t, p)
		p.Method = bdfOf(t, 0, "krylov")
		krylov := run(t, p)
		if krylov.Status != solve.Done || !strings.Contains(krylov.Stats.Linear, "GMRES") || krylov.Stats.Krylov == 0 || direct.Stats.Krylov != 0 {
			t.Fatalf("%v %+v", krylov.Fault, krylov.Stats)
		}
		worst := 0.0
		for i, v := range krylov.XEnd {
			worst = math.Max(worst, math.Abs(v-direct.XEnd[i]))
		}
		t.Logf("d = %g: apart by %.1e; %d steps, %d iterations, %d directions; direct %d, %d", d, worst, krylov.Stats.Steps, krylov.Stats.Newton, krylov.Stats.Krylov,
			direct.Stats.Steps, direct.Stats.Newton)
		if worst > 1e-7 || float64(krylov.Stats.Steps) > 1.3*float64(direct.Stats.Steps) {
			t.Errorf("d = %g: apart by %.1e, %d steps for %d", d, worst, krylov.Stats.Steps, direct.Stats.Steps)
		}
	}
}

// GMRES with a mass matrix, and where there is no pivot for its preconditioner: said by the name of the equation.
func TestBDFKrylovMass(t *testing.T) {
	sys := testsys.System("dae", []string{"x", "z"}, nil, testsys.Fixed(1, 1), func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[1].Neg(), x[0].Sub(x[1])}
	})
	sys.Mass = massOf(0, []float64{1, 0}, []float64{0, 0})
	sys.Algebraic = []bool{false, true}
	sys.Equations = []system.Equation{{Name: "x'"}, {Name: "0 = x - z"}}
	for _, linear := range []string{"direct", "krylov"} {
		s := run(t, &solve.Problem{Sys: sys, Method: bdfOf(t, 0, linear), T1: 2, Rtol: 1e-8, Atol: 1e-8})
		if s.Status != solve.Done || math.Abs(s.XEnd[0]-math.Exp(-2)) > 1e-7 || math.Abs(s.XEnd[1]-math.Exp(-2)) > 1e-7 {
			t.Errorf("%s: %v, %v, want %v; %v", linear, s.Status, s.XEnd, math.Exp(-2), s.Fault)
		}
	}
	// 0 = y − sin t determines no unknown of its own row: z is in the other equation.
	cross := testsys.System("cross", []string{"y", "z"}, nil, testsys.Fixed(0, 1), func(tt testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[1].Sub(tt.Cos()), x[0].Sub(tt.Sin())}
	})
	cross.Mass = massOf(0, []float64{0, 0}, []float64{0, 0})
	cross.Algebraic = []bool{true, true}
	cross.Equations = []system.Equation{{Name: "0 = z - cos(t)"}, {Name: "0 = y - sin(t)"}}
	s := run(t, &solve.Problem{Sys: cross, Method: bdfOf(t, 0, "krylov"), T1: 2})
	wantFault(t, s, solve.StepTooSmall, "no pivot in 0 = z - cos(t)", "linear = direct")
	if s := run(t, &solve.Problem{Sys: cross, Method: bdfOf(t, 0, "direct"), T1: 2}); s.Status != solve.Done || math.Abs(s.XEnd[0]-math.Sin(2)) > 1e-5 {
		t.Errorf("%v %v", s.Fault, s.XEnd)
	}
}

// Steps allocate nothing, whatever solves their equations, and go backwards as well.
func TestBDFAllocations(t *testing.T) {
	for _, linear := range []string{"direct", "krylov"} {
		st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: ring(40, 100), Method: bdfOf(t, 0, linear), T0: 50, T1: 0, Hmax: 0.01, X0: make([]float64, 40)})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			st.Step()
		}
		if n := testing.AllocsPerRun(200, func() { st.Step() }); n != 0 {
			t.Errorf("%s: %v allocations for each step", linear, n)
		}
		if at := st.T(); st.Status() != solve.Running || at >= 50 || at < 45 {
			t.Errorf("%s: %v at t = %v", linear, st.Status(), at)
		}
	}
}

// A pole, an edge of what is defined, and a first order that is as high as it is allowed.
func TestBDFFailures(t *testing.T) {
	s := run(t, &solve.Problem{Sys: pole(), Method: bdfOf(t, 0, ""), T1: 2})
	if s.Status == solve.Done || math.Abs(s.TEnd-1) > 1e-4 {
		t.Errorf("at the pole: %v at %v", s.Status, s.TEnd)
	}
	edge := one(0, func(tt, _ testsys.Expr) testsys.Expr { return tt.Neg().Plus(1).Sqrt() })
	s = run(t, &solve.Problem{Sys: edge, Method: bdfOf(t, 0, ""), T1: 2})
	wantFault(t, s, solve.NonFinite, "in x'")
	if math.Abs(s.TEnd-1) > 1e-5 || math.Abs(s.XEnd[0]-2./3) > 1e-4 {
		t.Errorf("at the edge: %v with %v", s.TEnd, s.XEnd)
	}
}

// Where GMRES was chosen and disappoints, the direct solver takes over, and the statistics say so; the next problem in the same memory begins as the first did.
func TestBDFGivesUpKrylov(t *testing.T) {
	// Diffusion in a cube, insulated, with a rate that differs from place to place: the stiffer, the worse ILU(0) serves.
	const m, n = 11, 11 * 11 * 11
	names, x0 := make([]string, n), make([]float64, n)
	var rows, cols []int
	beside := func(i int) (list []int) {
		for _, d := range []int{1, m, m * m} {
			if i/d%m > 0 {
				list = append(list, i-d)
			}
			if i/d%m < m-1 {
				list = append(list, i+d)
			}
		}
		return list
	}
	for i := range n {
		names[i], x0[i] = "x", 1+0.1*math.Sin(float64(i))
		rows, cols = append(rows, i), append(cols, i)
		for _, j := range beside(i) {
			rows, cols = append(rows, i), append(cols, j)
		}
	}
	wild := func(rate float64) *system.System {
		sys := testsys.System("wild", names, nil, testsys.Fixed(x0...), func(_ testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
			z := make([]testsys.Expr, n)
			for i := range x {
				z[i] = x[i].Mul(x[i]).Times(-1)
				for _, j := range beside(i) {
					z[i] = z[i].Add(x[j].Sub(x[i]).Times(rate * (2 + math.Sin(float64(i+j)))))
				}
			}
			return z
		})
		var err error
		if sys.Pattern, err = sparse.NewPattern(n, rows, cols); err != nil {
			t.Fatal(err)
		}
		return sys
	}
	var w solve.Workspace
	for _, c := range []struct {
		size float64
		gave bool
	}{{10, false}, {1e7, true}, {10, false}} {
		p := &solve.Problem{Sys: wild(c.size), Method: bdfOf(t, 0, "auto"), T1: 2, Rtol: 1e-5, Atol: 1e-5}
		got, err := w.Solve(context.Background(), p)
		if err != nil || got.Status != solve.Done {
			t.Fatal(err, got.Fault)
		}
		t.Logf("%g: %d steps, %d iterations, %d directions; %s", c.size, got.Stats.Steps, got.Stats.Newton, got.Stats.Krylov, got.Stats.Linear)
		if gave := strings.Contains(got.Stats.Linear, "until it"); gave != c.gave || !strings.Contains(got.Stats.Linear, "GMRES") {
			t.Errorf("%g: %s", c.size, got.Stats.Linear)
		}
		p.Method = bdfOf(t, 0, "direct")
		want := run(t, p)
		for i, v := range want.XEnd {
			if math.Abs(got.XEnd[i]-v) > 1e-5*(1+math.Abs(v)) {
				t.Fatalf("%g: state %d is %v, by the direct solver %v", c.size, i, got.XEnd[i], v)
			}
		}
	}
}
