package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

// residuals is a LeastSquares objective of a closure that fills r and, unless it is nil, j.
type residuals struct {
	n, m int
	f    func(u, r, j []float64)
}

func (o *residuals) Dim() int               { return o.n }
func (o *residuals) Squares() (int, string) { return o.m, "" }

func (o *residuals) Residuals(_ context.Context, u, r []float64) (bool, error) {
	o.f(u, r, nil)
	return firstBad(r) < 0, nil
}

func (o *residuals) Jacobian(_ context.Context, u, j []float64) (bool, error) {
	o.f(u, make([]float64, o.m), j)
	return firstBad(j) < 0, nil
}

func (o *residuals) Eval(_ context.Context, u, g []float64) (float64, error) {
	r, j := make([]float64, o.m), make([]float64, o.m*o.n)
	o.f(u, r, j)
	if g != nil {
		clear(g)
		for i, v := range r {
			axpy(g, 2*v, j[i*o.n:(i+1)*o.n])
		}
	}
	return dot(r, r), nil
}

// valley is Rosenbrock's function as two residuals, no. 1 of J. J. Moré, B. S. Garbow, K. E. Hillstrom, ACM Transactions
// on Mathematical Software 7 (1981), 17–41: 0 at (1, 1).
func valley(u, r, j []float64) {
	r[0], r[1] = 10*(u[1]-u[0]*u[0]), 1-u[0]
	if j != nil {
		j[0], j[1], j[2], j[3] = -20*u[0], 10, -1, 0
	}
}

// helical is Fletcher and Powell's helical valley, no. 7: 0 at (1, 0, 0).
func helical(u, r, j []float64) {
	turn := math.Atan2(u[1], u[0]) / (2 * math.Pi)
	q := u[0]*u[0] + u[1]*u[1]
	r[0], r[1], r[2] = 10*(u[2]-10*turn), 10*(math.Sqrt(q)-1), u[2]
	if j != nil {
		copy(j, []float64{100 * u[1] / (2 * math.Pi * q), -100 * u[0] / (2 * math.Pi * q), 10,
			10 * u[0] / math.Sqrt(q), 10 * u[1] / math.Sqrt(q), 0, 0, 0, 1})
	}
}

// powell is Powell's singular function, no. 13: 0 at 0, where the Jacobian loses half its rank.
func powell(u, r, j []float64) {
	a, b := u[1]-2*u[2], u[0]-u[3]
	r[0], r[1], r[2], r[3] = u[0]+10*u[1], math.Sqrt(5)*(u[2]-u[3]), a*a, math.Sqrt(10)*b*b
	if j != nil {
		copy(j, []float64{1, 10, 0, 0, 0, 0, math.Sqrt(5), -math.Sqrt(5), 0, 2 * a, -4 * a, 0, 2 * math.Sqrt(10) * b, 0, 0, -2 * math.Sqrt(10) * b})
	}
}

// freudenstein is Freudenstein and Roth's function, no. 2: 0 at (5, 4), and 48.98425… at (11.41…, −0.8968…).
func freudenstein(u, r, j []float64) {
	x, y := u[0], u[1]
	r[0], r[1] = -13+x+((5-y)*y-2)*y, -29+x+((y+1)*y-14)*y
	if j != nil {
		copy(j, []float64{1, 10*y - 3*y*y - 2, 1, 3*y*y + 2*y - 14})
	}
}

// line3 has two variables of which only the sum counts, and one that nothing depends on.
func line3(u, r, j []float64) {
	for i := range r {
		x := float64(i)
		r[i] = (u[0]+u[1])*x - 3*x - math.Sin(x)
		if j != nil {
			copy(j[3*i:], []float64{x, x, 0})
		}
	}
}

func TestLevenbergMarquardt(t *testing.T) {
	sum := 0.0
	for _, c := range []struct {
		name  string
		o     *residuals
		from  []float64
		least float64
		tol   float64
	}{
		{"rosenbrock", &residuals{2, 2, valley}, []float64{-1.2, 1}, 0, 1e-20},
		{"helical valley", &residuals{3, 3, helical}, []float64{-1, 0, 0}, 0, 1e-20},
		{"powell's singular", &residuals{4, 4, powell}, []float64{3, -1, 0, 1}, 0, 1e-20},
		{"freudenstein and roth", &residuals{2, 2, freudenstein}, []float64{0.5, -2}, 48.98425367924002, 1e-8},
		{"not identifiable", &residuals{3, 20, line3}, []float64{1, 1, 1}, 0, 0},
	} {
		m := minimise(t, c.o, c.from, mustStage(t, "lm", nil))
		t.Logf("%s: %.3g at %v, %d iterations, %d evaluations, %v", c.name, m.F, m.U, m.Iters, m.Evals, m.Status)
		if c.tol > 0 && !(math.Abs(m.F-c.least) <= c.tol*math.Max(1, c.least)) || m.Iters > 200 {
			t.Errorf("%s: %v after %d iterations", c.name, m.F, m.Iters)
		}
		if c.name == "not identifiable" {
			num, den := 0.0, 0.0
			for i := range 20 {
				x := float64(i)
				num, den = num+x*(3*x+math.Sin(x)), den+x*x
			}
			if sum = m.U[0] + m.U[1]; math.Abs(sum-num/den) > 1e-8 || m.U[2] != 1 || m.Status != Converged {
				t.Errorf("the sum is %v, not %v; the third went to %v; %v", sum, num/den, m.U[2], m.Status)
			}
		}
	}
}

func TestLMNeedsSquares(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Spec)
		want string
	}{
		"huber":  {func(s *Spec) { s.Compare.Kind = "huber" }, "lm: it needs a sum of squares, and huber is none; take lbfgs"},
		"a loss": {func(s *Spec) { s.Data, s.Loss, s.Problem = nil, &last{goal: 1}, solve.Problem{T1: 1} }, "the loss is a function of the solution"},
	} {
		s := Spec{Sys: line(1, 1), Data: lineData(5, 1), Stages: []Stage{mustStage(t, "lm", nil)}}
		c.edit(&s)
		_, err := Fit(context.Background(), s)
		var e *OptionError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The residuals of a model are those of its loss, and their derivatives those of differences: with weights, logarithms, lets and missing data.
func TestResidualsOfAModel(t *testing.T) {
	sys := testsys.LotkaVolterra()
	d := pelts()
	d.Columns[0].Weight = 2.5
	d.Columns[1].Values = append([]float64(nil), lynx...)
	d.Columns[1].Values[3] = math.NaN()
	outs := observed()
	for name, s := range map[string]Spec{
		"log and weights": {Sys: sys, Data: d, Compare: LossSpec{Log: true}, Theta: peltsOptimum},
		"mean":            {Sys: sys, Data: d, Compare: LossSpec{Kind: "mse"}, Theta: peltsOptimum},
		"lets": {Sys: outs, Theta: []float64{1.2, 0.8, 3, 1, 1, 1},
			Data: &Data{Times: []float64{0, 0.5, 1, 2}, Columns: []Column{
				{Name: "met", Of: Quantity{Output: true}, Values: []float64{1, 2, math.NaN(), 3}, Weight: 3},
				{Name: "x", Values: []float64{1, 2, 3, 4}}, {Name: "two", Of: Quantity{Output: true, Index: 1}, Values: []float64{1, 1, 2, 3}}}}},
	} {
		s.Problem.Rtol, s.Problem.Atol = 1e-9, 1e-9
		f, err := prepare(&s)
		if err != nil {
			t.Fatal(err)
		}
		tr := f.trial
		rows, _ := tr.Squares()
		u, n := tr.start(), tr.Dim()
		for k := range u {
			u[k] *= 1.05
		}
		r, j, g := make([]float64, rows), make([]float64, rows*n), make([]float64, n)
		ok, err := tr.Residuals(context.Background(), u, r)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		v, err := tr.Eval(context.Background(), u, g)
		if err != nil || math.Abs(dot(r, r)/v-1) > 1e-12 {
			t.Errorf("%s: the residuals give %v, the loss is %v (%v)", name, dot(r, r), v, err)
		}
		if ok, err := tr.Jacobian(context.Background(), u, j); !ok || err != nil {
			t.Fatal(ok, err)
		}
		for k := range g {
			sum := 0.0
			for i, v := range r {
				sum += 2 * v * j[i*n+k]
			}
			if math.Abs(sum-g[k]) > 1e-9*norm2(g) {
				t.Errorf("%s: the derivative by %s is %v by the Jacobian, %v by the adjoint", name, tr.vars[k].name, sum, g[k])
			}
		}
		jac := func() {
			if _, err := tr.Jacobian(context.Background(), u, j); err != nil {
				t.Fatal(err)
			}
		}
		if a := testing.AllocsPerRun(3, jac); a > 30 {
			t.Errorf("%s: %v allocations per Jacobian", name, a)
		}
	}
}

// Over several trajectories with initial values of their own, residuals and their derivatives are those of the loss, on any number of threads.
func TestResidualsOfTrajectories(t *testing.T) {
	for _, kind := range []string{"sse", "mse"} {
		var j0 []float64
		for _, threads := range []int{1, 4} {
			sys := testsys.LotkaVolterra()
			th := append([]float64(nil), peltsOptimum...)
			free, err := Select(sys, th, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			var list []Trajectory
			for k := range 5 {
				d := &Data{Columns: []Column{{Name: "hare"}, {Name: "lynx", Of: Quantity{Index: 1}, Weight: 2}}}
				for i := range 4 + k {
					d.Times = append(d.Times, float64(i))
					d.Columns[0].Values = append(d.Columns[0].Values, hares[i+k])
					d.Columns[1].Values = append(d.Columns[1].Values, lynx[i+2*k])
				}
				list = append(list, Trajectory{Data: d})
			}
			s := Spec{Sys: sys, Theta: th, Free: free, Trajectories: list, Compare: LossSpec{Kind: kind, Log: true}, Threads: threads}
			s.Problem.Rtol, s.Problem.Atol = 1e-9, 1e-9
			f, err := prepare(&s)
			if err != nil {
				t.Fatal(err)
			}
			tr := f.trial
			rows, _ := tr.Squares()
			u, n := tr.start(), tr.Dim()
			r, j, g := make([]float64, rows), make([]float64, rows*n), make([]float64, n)
			if ok, err := tr.Residuals(context.Background(), u, r); !ok || err != nil {
				t.Fatal(ok, err)
			}
			v, err := tr.Eval(context.Background(), u, g)
			if err != nil || math.Abs(dot(r, r)/v-1) > 1e-12 {
				t.Fatalf("%s: the residuals give %v, the loss is %v (%v)", kind, dot(r, r), v, err)
			}
			if ok, err := tr.Jacobian(context.Background(), u, j); !ok || err != nil {
				t.Fatal(ok, err)
			}
			for k := range g {
				sum := 0.0
				for i, v := range r {
					sum += 2 * v * j[i*n+k]
				}
				if math.Abs(sum-g[k]) > 1e-9*norm2(g) {
					t.Errorf("%s: the derivative by %s is %v by the Jacobian, %v by the adjoint", kind, tr.vars[k].name, sum, g[k])
				}
			}
			if j0 == nil {
				j0 = j
			}
			for i := range j {
				if j[i] != j0[i] {
					t.Fatalf("%s: entry %d is %v with %d threads, %v with one", kind, i, j[i], threads, j0[i])
				}
			}
		}
	}
}

// The step and its acceleration solve the damped normal equations; the second derivative of Rosenbrock's residuals along v is (−20 v₁², 0).
func TestAcceleration(t *testing.T) {
	o := &residuals{2, 2, valley}
	r := &run{ctx: context.Background(), obj: o, n: 2, best: make([]float64, 2), bestG: make([]float64, 2), fbest: math.Inf(1)}
	l := newLM(r, o, 2)
	copy(l.u, []float64{-1.2, 1})
	if ok, err := l.begin(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	l.damp = 0.3
	l.factor()
	l.solve(l.v, l.rhs)
	change := 0.0
	for j, v := range l.v {
		change += l.scale(j) * v * l.scale(j) * v
	}
	if _, err := l.bend(change); err != nil {
		t.Fatal(err)
	}
	rvv := []float64{-20 * l.v[0] * l.v[0], 0}
	for i, c := range []struct{ x, rhs []float64 }{{l.v, l.res}, {l.a, rvv}} {
		for j := range 2 {
			sum := l.damp * l.scale(j) * l.scale(j) * c.x[j]
			for k := range 2 {
				row := l.jac[k*2 : k*2+2]
				sum += row[j] * (row[0]*c.x[0] + row[1]*c.x[1] + c.rhs[k])
			}
			if math.Abs(sum) > 1e-9*norm2(l.g) {
				t.Errorf("equation %d of system %d is off by %v", j, i, sum)
			}
		}
	}
}
