package solve_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// implicits are the implicit one-step methods, each order of a family on its own.
func implicits() (all []method.Method) {
	for _, m := range method.Solvers() {
		switch m := m.(type) {
		case *method.Rosenbrock, *method.DIRK:
			all = append(all, m)
		case *method.Radau:
			for _, order := range m.Orders() {
				one, _ := m.Of(order)
				all = append(all, one)
			}
		}
	}
	return all
}

// errorsOf solves with n steps and returns the error at the end and the largest inside steps, at the same fractions of them whatever n.
func errorsOf(t *testing.T, m method.Method, r ruler, n int) (end, inside float64) {
	t.Helper()
	x, y := r.at(r.from)
	h := math.Abs(r.to-r.from) / float64(n)
	s := run(t, &solve.Problem{Sys: r.sys, Method: m, X0: []float64{x, y}, T0: r.from, T1: r.to, Step: h})
	if s.Stats.Steps != n || s.Status != solve.Done {
		t.Fatalf("%s: %d steps for %d, %v", m.Info().Name, s.Stats.Steps, n, s.Fault)
	}
	off := func(at float64, x []float64) float64 {
		xe, ye := r.at(at)
		return math.Hypot(x[0]-xe, x[1]-ye)
	}
	out := make([]float64, 2)
	for k := range n {
		for _, theta := range []float64{0.23, 0.5, 0.81} {
			at := r.from + (r.to-r.from)*(float64(k)+theta)/float64(n)
			if err := s.At(at, out); err != nil {
				t.Fatal(err)
			}
			inside = math.Max(inside, off(at, out))
		}
	}
	return off(r.to, s.XEnd), inside
}

func TestImplicitOrders(t *testing.T) {
	for _, m := range implicits() {
		info := m.Info()
		for _, back := range []bool{false, true} {
			r := rulerFor(min(info.Order, 7), back)
			switch { // these have error constants so small that errors are above rounding at large steps only
			case info.Order >= 13:
				r.steps = []int{9, 11, 13}
			case info.Order >= 9:
				r.steps = []int{16, 20, 25}
			case info.Family == method.FullyImplicit:
				r.steps = []int{12, 18, 27}
			}
			if info.Order >= 9 {
				r.from, r.to = 5*r.from, 5*r.to
			}
			var hs, errs, dense []float64
			for _, n := range r.steps {
				e, d := errorsOf(t, m, r, n)
				hs, errs, dense = append(hs, 1/float64(n)), append(errs, e), append(dense, d)
			}
			p, q := slope(hs, errs), slope(hs, dense)
			t.Logf("%-22s from %v to %v: order %.2f %.1e, dense %.2f %.1e", info.Name, r.from, r.to, p, errs, q, dense)
			if math.Abs(p-float64(info.Order)) > 0.2 {
				t.Errorf("%s from %v: measured order %.2f, want %d (errors %.1e)", info.Name, r.from, p, info.Order, errs)
			}
			if want := min(info.Order, info.Dense+1); math.Abs(q-float64(want)) > 0.2 {
				t.Errorf("%s from %v: measured order of the dense output %.2f, want %d (errors %.1e)", info.Name, r.from, q, want, dense)
			}
		}
	}
}

// prothero is y' = λ(y − φ(t)) + φ'(t) with φ = sin(ωt + π/4), solved by φ.
func prothero(lambda, omega float64) *system.System {
	return testsys.System("prothero", []string{"y"}, []testsys.Param{{Name: "lambda", Value: lambda}}, testsys.Fixed(math.Sqrt2/2),
		func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			u := t.Times(omega).Plus(math.Pi / 4)
			return []testsys.Expr{th[0].Mul(x[0].Sub(u.Sin())).Add(u.Cos().Times(omega))}
		})
}

// Orders that are left on it at λ = −1e6, where h|λ| is large: those of the stages for most, 3 for the methods that were made for it.
var stiffOrders = map[string]float64{
	"Rosenbrock23": 2, "Rodas4": 1.7, "Rodas4P": 3, "Rodas5P": 3, "TRBDF2": 2, "KenCarp4": 2, "KenCarp5": 2,
	"RadauIIA5": 3, "RadauIIA5(order = 9)": 5, "RadauIIA5(order = 13)": 7,
}

func TestProtheroRobinson(t *testing.T) {
	const omega = 10
	for _, m := range implicits() {
		info := m.Info()
		for _, lambda := range []float64{-1e4, -1e6} {
			steps := []int{40, 60, 90}
			if info.Order >= 9 {
				steps = []int{8, 10, 14}
			}
			var hs, errs []float64
			for _, n := range steps {
				s := run(t, &solve.Problem{Sys: prothero(lambda, omega), Method: m, T1: 2, Step: 2 / float64(n)})
				if s.Status != solve.Done {
					t.Fatal(info.Name, s.Fault)
				}
				sum := 0.0
				for i, at := range s.T {
					sum += math.Pow(s.X[i]-math.Sin(omega*at+math.Pi/4), 2)
				}
				hs, errs = append(hs, 2/float64(n)), append(errs, math.Sqrt(sum/float64(n)))
			}
			p := slope(hs, errs)
			t.Logf("%-22s λ = %g: order %.2f of %d, errors %.1e", info.Name, lambda, p, info.Order, errs)
			want, ok := stiffOrders[info.Name]
			if !ok {
				t.Errorf("%s: what order is left on stiff problems? Measured is %.2f", info.Name, p)
			}
			if lambda == -1e6 && math.Abs(p-want) > 0.2 {
				t.Errorf("%s: order %.2f is left, want %g", info.Name, p, want)
			}
		}
	}
}

// With a varying order, steps of different orders follow one another, at less work than any one order at stringent tolerances; the error is held, outputs within steps too.
func TestVaryingOrder(t *testing.T) {
	m, _ := method.Find("RadauIIA5")
	family := m.(*method.Radau)
	varying := family.Varying()
	sys := testsys.Robertson()
	x0, span := []float64{1, 0, 0}, 1e4
	th := sys.Defaults()
	nine, _ := family.Of(9)
	ref := run(t, &solve.Problem{Sys: sys, Method: nine, Theta: th, X0: x0, T1: span, Rtol: 1e-12, Atol: 1e-16})
	for _, rtol := range []float64{1e-4, 1e-6, 1e-8, 1e-10} {
		p := &solve.Problem{Sys: sys, Method: varying, Theta: th, X0: x0, T1: span, Rtol: rtol, Atol: 1e-6 * rtol}
		s := run(t, p)
		if s.Status != solve.Done {
			t.Fatal(s.Fault)
		}
		by := map[int]int{}
		for n := range s.NumSteps() {
			by[int(s.StepRecord(n).K[7*3])]++
		}
		worst, out, want := 0.0, make([]float64, 3), make([]float64, 3)
		for i := 1; i < 300; i++ {
			at := span * math.Pow(10, -7*float64(i)/300)
			if err := s.At(at, out); err != nil {
				t.Fatal(err)
			}
			if err := ref.At(at, want); err != nil {
				t.Fatal(err)
			}
			for j, v := range want {
				worst = math.Max(worst, math.Abs(out[j]-v)/(p.Atol+rtol*math.Abs(v)))
			}
		}
		p.Method = family
		five := run(t, p)
		t.Logf("%g: steps by stages %v, %d evaluations, of order 5 alone %d; worst %.1f tolerances", rtol, by, s.Stats.Evals, five.Stats.Evals, worst)
		if worst > 100 {
			t.Errorf("%g: %.3g tolerances", rtol, worst)
		}
		if rtol == 1e-10 && (s.Stats.Evals > five.Stats.Evals/2 || by[3] == 0 || by[5] == 0 || by[7] == 0) {
			t.Errorf("%d evaluations, of order 5 alone %d; steps by stages %v", s.Stats.Evals, five.Stats.Evals, by)
		}
	}
	_, err := solve.Solve(context.Background(), &solve.Problem{Sys: sys, Method: varying, Theta: th, X0: x0, T1: 1, Step: 0.1})
	if err == nil || !strings.Contains(err.Error(), "RadauIIA5(order = 5)") {
		t.Errorf("a fixed step with a varying order gives %v", err)
	}
}
