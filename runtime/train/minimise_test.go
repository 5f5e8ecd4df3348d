package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// function is an Objective made of a closure.
type function struct {
	n int
	f func(u, g []float64) float64 // g is never nil
	// evals counts.
	evals int
	g     []float64
}

func (o *function) Dim() int { return o.n }

func (o *function) Eval(_ context.Context, u, g []float64) (float64, error) {
	o.evals++
	if g == nil {
		if o.g == nil {
			o.g = make([]float64, o.n)
		}
		g = o.g
	}
	return o.f(u, g), nil
}

// Squares makes a value that is not negative the square of one residual, so that every optimiser can be run on it.
func (o *function) Squares() (int, string) { return 1, "" }

func (o *function) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	f, err := o.Eval(ctx, u, nil)
	r[0] = math.Sqrt(f)
	return r[0]-r[0] == 0, err
}

func (o *function) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	f, err := o.Eval(ctx, u, j)
	for i := range j {
		if j[i] != 0 {
			j[i] /= 2 * math.Sqrt(f)
		}
	}
	return true, err
}

// rosenbrock is H. H. Rosenbrock's valley, The Computer Journal 3 (1960), 175–184, chained over n
// variables. Its minimum is 0 at (1, …, 1).
func rosenbrock(u, g []float64) float64 {
	clear(g)
	s := 0.0
	for i := range len(u) - 1 {
		a, b := u[i+1]-u[i]*u[i], 1-u[i]
		s += 100*a*a + b*b
		g[i] += -400*a*u[i] - 2*b
		g[i+1] += 200 * a
	}
	return s
}

// beale is E. M. L. Beale's function (1958), no. 5 of J. J. Moré, B. S. Garbow, K. E. Hillstrom, ACM
// Transactions on Mathematical Software 7 (1981), 17–41. Its minimum is 0 at (3, 0.5).
func beale(u, g []float64) float64 {
	clear(g)
	s := 0.0
	for i, y := range []float64{1.5, 2.25, 2.625} {
		k := float64(i + 1)
		p := math.Pow(u[1], k)
		r := y - u[0]*(1-p)
		s += r * r
		g[0] -= 2 * r * (1 - p)
		g[1] += 2 * r * u[0] * k * math.Pow(u[1], k-1)
	}
	return s
}

// bowl is a quadratic with curvatures from 1 to cond, its minimum 0 at (1, 2, …).
func bowl(cond float64) func(u, g []float64) float64 {
	return func(u, g []float64) float64 {
		s := 0.0
		for i := range u {
			c := math.Pow(cond, float64(i)/float64(max(len(u)-1, 1)))
			d := u[i] - float64(i+1)
			s += c * d * d / 2
			g[i] = c * d
		}
		return s
	}
}

// walled is −log(1 − x) − 3 log x + y²: infinite or NaN outside 0 < x < 1, its minimum at (0.75, 0).
func walled(u, g []float64) float64 {
	x := u[0]
	g[0], g[1] = 1/(1-x)-3/x, 2*u[1]
	return -math.Log(1-x) - 3*math.Log(x) + u[1]*u[1]
}

func minimise(t *testing.T, o Objective, u0 []float64, stages ...Stage) *Minimum {
	t.Helper()
	m, err := Minimise(context.Background(), o, u0, stages, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOptimisersReachKnownMinima(t *testing.T) {
	ones := func(n int) []float64 {
		u := make([]float64, n)
		for i := range u {
			u[i] = 1
		}
		return u
	}
	type opts map[string]float64
	for _, c := range []struct {
		name     string
		method   string
		values   opts
		f        func(u, g []float64) float64
		from, to []float64
		tol      float64
	}{
		{"rosenbrock", "bfgs", nil, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-6},
		{"rosenbrock", "lbfgs", nil, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-6},
		{"rosenbrock 10", "bfgs", nil, rosenbrock, make([]float64, 10), ones(10), 1e-6},
		{"rosenbrock 10", "lbfgs", nil, rosenbrock, make([]float64, 10), ones(10), 1e-6},
		{"rosenbrock", "adam", opts{"rate": 0.05, "iters": 4000}, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-2},
		{"rosenbrock", "sgd", opts{"rate": 1e-3, "momentum": 0.95, "iters": 5000}, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-2},
		{"beale", "bfgs", nil, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-6},
		{"beale", "lbfgs", nil, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-6},
		{"beale", "adam", opts{"rate": 0.05, "iters": 3000}, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-2},
		{"bowl 1e6", "bfgs", nil, bowl(1e6), make([]float64, 5), []float64{1, 2, 3, 4, 5}, 1e-6},
		{"bowl 1e6", "lbfgs", nil, bowl(1e6), make([]float64, 5), []float64{1, 2, 3, 4, 5}, 1e-6},
		{"bowl 1e10", "bfgs", nil, bowl(1e10), make([]float64, 4), []float64{1, 2, 3, 4}, 1e-4},
		{"bowl 1e10", "lbfgs", nil, bowl(1e10), make([]float64, 4), []float64{1, 2, 3, 4}, 1e-4},
		{"bowl 10", "adam", opts{"rate": 0.05, "iters": 2000}, bowl(10), make([]float64, 3), []float64{1, 2, 3}, 1e-3},
		{"bowl 10", "adamw", opts{"rate": 0.05, "iters": 2000, "decay": 0}, bowl(10), make([]float64, 3), []float64{1, 2, 3}, 1e-3},
		{"bowl 10", "sgd", opts{"rate": 0.05}, bowl(10), make([]float64, 3), []float64{1, 2, 3}, 1e-6},
		{"bowl 100", "sgd", opts{"rate": 0.01, "momentum": 0.9}, bowl(100), make([]float64, 3), []float64{1, 2, 3}, 1e-6},
		{"bowl 100", "nesterov", opts{"rate": 0.01}, bowl(100), make([]float64, 3), []float64{1, 2, 3}, 1e-6},
		{"rosenbrock", "nesterov", opts{"rate": 1e-3, "momentum": 0.95, "iters": 5000}, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-2},
		{"rosenbrock", "adabelief", opts{"rate": 0.05, "iters": 4000}, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-2},
		{"rosenbrock", "radam", opts{"rate": 0.05, "clip": 1, "iters": 4000}, rosenbrock, []float64{-1.2, 1}, ones(2), 1e-2},
		{"beale", "radam", opts{"rate": 0.05, "iters": 3000}, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-2},
		{"beale", "adabelief", opts{"rate": 0.05, "iters": 3000}, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-2},
		{"beale", "rmsprop", opts{"rate": 1e-3, "iters": 8000}, beale, []float64{1, 1}, []float64{3, 0.5}, 1e-2},
		{"bowl 10", "rmsprop", opts{"rate": 1e-3, "momentum": 0.9, "iters": 5000}, bowl(10), make([]float64, 3), []float64{1, 2, 3}, 1e-2},
		{"walled", "bfgs", nil, walled, []float64{1e-6, 5}, []float64{0.75, 0}, 1e-4},
		{"walled", "lbfgs", nil, walled, []float64{1 - 1e-9, 5}, []float64{0.75, 0}, 1e-4},
		{"walled", "adam", opts{"rate": 0.5, "iters": 3000}, walled, []float64{1e-3, 1}, []float64{0.75, 0}, 1e-2},
	} {
		t.Run(c.name+" by "+c.method, func(t *testing.T) {
			o := &function{n: len(c.from), f: c.f}
			m := minimise(t, o, c.from, mustStage(t, c.method, c.values))
			for i, v := range c.to {
				if !(math.Abs(m.U[i]-v) <= c.tol*math.Max(1, math.Abs(v))) {
					t.Fatalf("found %v after %d evaluations (%v), want %v", m.U, m.Evals, m.Status, c.to)
				}
			}
			if m.Evals != o.evals {
				t.Errorf("%d evaluations were reported, there were %d", m.Evals, o.evals)
			}
			t.Logf("%d iterations, %d evaluations, f = %.3g, %v", m.Iters, m.Evals, m.F, m.Status)
		})
	}
}

// Every row of the table is documented, its defaults can be typed and are accepted, and it lowers a loss.
func TestTable(t *testing.T) {
	for _, o := range Optimisers() {
		if o.Name == "" || o.Doc == "" || o.Cite == "" {
			t.Errorf("%q lacks doc or citation", o.Name)
		}
		seen := map[string]bool{}
		for _, p := range o.Options {
			v, err := strconv.ParseFloat(p.Default, 64)
			if err != nil || p.Doc == "" || seen[p.Name] {
				t.Errorf("%s(%s): default %q, doc %q", o.Name, p.Name, p.Default, p.Doc)
			}
			seen[p.Name] = true
			if _, err := NewStage(o.Name, map[string]float64{p.Name: v}); err != nil {
				t.Errorf("its default is refused: %v", err)
			}
		}
		if !seen["iters"] || seen["rate"] == o.LineSearch {
			t.Errorf("%s: it needs iters, and a rate or a line search", o.Name)
		}
		m := minimise(t, &function{n: 3, f: bowl(10)}, make([]float64, 3), mustStage(t, o.Name, nil))
		if m.F >= m.History[0].Loss/2 {
			t.Errorf("%s lowered %g to %g only", o.Name, m.History[0].Loss, m.F)
		}
	}
	for _, p := range Losses() {
		if p.Name == "" || p.Doc == "" {
			t.Errorf("loss %q lacks doc", p.Name)
		}
	}
}

func TestOptionErrors(t *testing.T) {
	for _, c := range []struct {
		method string
		values map[string]float64
		want   string
	}{
		{"adm", nil, "there is no such optimiser; there are adam, adamw, radam, adabelief, rmsprop, sgd, nesterov, bfgs, lbfgs, lm, cmaes"},
		{"adam", map[string]float64{"lr": 0.1}, "adam(lr): there is no such option; there are rate, iters"},
		{"adam", map[string]float64{"rate": 0}, "adam(rate): it must be a number above 0, not 0"},
		{"adam", map[string]float64{"rate": math.NaN()}, "not NaN"},
		{"adam", map[string]float64{"rate": math.Inf(1)}, "not +Inf"},
		{"adam", map[string]float64{"beta1": 1}, "adam(beta1): it must be a number from 0 to below 1, not 1"},
		{"adam", map[string]float64{"iters": 2.5}, "adam(iters): it must be a whole number, at least 0, not 2.5"},
		{"lbfgs", map[string]float64{"memory": 0}, "lbfgs(memory): it must be a whole number from 1 to 1000, not 0"},
		{"bfgs", map[string]float64{"rate": 0.1}, "bfgs(rate): there is no such option"},
	} {
		_, err := NewStage(c.method, c.values)
		var e *OptionError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q", c.method, c.values, err, c.want)
		}
	}
	o := &function{n: 2, f: rosenbrock}
	for name, run := range map[string]func() error{
		"no stage": func() error {
			_, err := Minimise(context.Background(), o, make([]float64, 2), nil, Settings{})
			return err
		},
		"an empty one": func() error {
			_, err := Minimise(context.Background(), o, make([]float64, 2), []Stage{{}}, Settings{})
			return err
		},
		"wrong length": func() error {
			_, err := Minimise(context.Background(), o, make([]float64, 3), DefaultStages(), Settings{})
			return err
		},
		"too much bfgs": func() error {
			n := maxDense + 1
			_, err := Minimise(context.Background(), &function{n: n, f: bowl(2)}, make([]float64, n), []Stage{mustStage(t, "bfgs", nil)}, Settings{})
			return err
		},
	} {
		if run() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A trial that fails sends an optimiser without line search back to the best point, at half the rate.
func TestFailedTrialHalvesTheRate(t *testing.T) {
	for _, bad := range []float64{math.Inf(1), math.NaN(), math.Inf(-1)} {
		for _, name := range []string{"adam", "adamw", "sgd"} {
			calls := 0
			var at []float64
			o := &function{n: 1, f: func(u, g []float64) float64 {
				calls++
				at = append(at, u[0])
				g[0] = 2 * (u[0] - 3)
				if calls == 4 {
					g[0] = math.NaN()
					return bad
				}
				return (u[0] - 3) * (u[0] - 3)
			}}
			m := minimise(t, o, []float64{0}, mustStage(t, name, map[string]float64{"rate": 0.1, "iters": 6}))
			h := m.History
			if len(h) != 7 || !math.IsInf(h[3].Loss, 1) || !strings.Contains(h[3].Note, "back to the best point") {
				t.Fatalf("%s: history %+v", name, h)
			}
			if h[3].Rate != 0.1 || h[4].Rate != 0.05 || h[6].Rate != 0.05 {
				t.Errorf("%s: rates %v, %v, %v", name, h[3].Rate, h[4].Rate, h[6].Rate)
			}
			// The fifth point starts from the third, the best before the failure.
			step := at[4] - at[2]
			if !(step > 0) || name == "adam" && math.Abs(step-0.05) > 1e-6 {
				t.Errorf("%s: from %v went to %v", name, at[2], at[4])
			}
		}
	}
}

// Where every step fails, the best point is the result, not an endless loop.
func TestHopeless(t *testing.T) {
	for _, o := range Optimisers() {
		f := &function{n: 1, f: func(u, g []float64) float64 {
			g[0] = 1
			if u[0] != 2 {
				return math.Inf(1)
			}
			return 5
		}}
		m := minimise(t, f, []float64{2}, mustStage(t, o.Name, nil))
		if m.U[0] != 2 || m.F != 5 || m.Status != NoProgress {
			t.Errorf("%s: %v at %v, %v", o.Name, m.F, m.U, m.Status)
		}
	}
}

// The best point ever seen is kept, though the optimiser has gone elsewhere.
func TestBestEverSeen(t *testing.T) {
	f := func(u, g []float64) float64 { g[0] = math.Cos(u[0]); return math.Sin(u[0]) }
	m := minimise(t, &function{n: 1, f: f}, []float64{0.3}, mustStage(t, "sgd", map[string]float64{"rate": 7, "iters": 200}))
	low := math.Inf(1)
	for _, p := range m.History {
		low = math.Min(low, p.Loss)
		if p.Best != low {
			t.Fatalf("best %v, the lowest was %v", p.Best, low)
		}
	}
	if m.F != low || math.Sin(m.U[0]) != low {
		t.Errorf("kept %v at %v, the lowest was %v", m.F, m.U, low)
	}
}

func TestStages(t *testing.T) {
	o := &function{n: 2, f: rosenbrock}
	var seen []string
	adam := mustStage(t, "adam", map[string]float64{"rate": 0.5, "iters": 20})
	adam.Rate = func(iter int) float64 { return 0.5 / float64(iter+1) }
	m, err := Minimise(context.Background(), o, []float64{-1.2, 1}, []Stage{adam, mustStage(t, "lbfgs", nil)}, Settings{
		Progress: func(p Progress) {
			seen = append(seen, fmt.Sprintf("%s %d/%d", p.Optimiser, p.Iter, p.Total))
			if p.Stages != 2 {
				t.Fatalf("%d stages", p.Stages)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(m.History) || seen[0] != "adam 0/20" || seen[20] != "adam 20/20" || seen[21] != "lbfgs 1/1000" {
		t.Errorf("progress: %v", seen)
	}
	if m.History[5].Rate != 0.1 {
		t.Errorf("the schedule gives the fifth iteration the rate 0.1, it had %v", m.History[5].Rate)
	}
	if m.F > 1e-12 {
		t.Errorf("minimum %g at %v", m.F, m.U)
	}
	// A stage begins where the best point is, not where the one before ended.
	if m.History[21].Loss > m.History[20].Best {
		t.Errorf("lbfgs began at %v, the best was %v", m.History[21].Loss, m.History[20].Best)
	}
}

func TestClip(t *testing.T) {
	steep := func(u, g []float64) float64 { g[0], g[1] = 3e6, 4e6; return 3e6*u[0] + 4e6*u[1] }
	m := minimise(t, &function{n: 2, f: steep}, []float64{0, 0}, mustStage(t, "sgd", map[string]float64{"rate": 1, "clip": 1, "iters": 1}))
	if math.Abs(m.U[0]+0.6) > 1e-12 || math.Abs(m.U[1]+0.8) > 1e-12 || m.History[0].GradNorm != 5e6 {
		t.Errorf("a step of length 1 goes to (−0.6, −0.8), not %v; norm %v", m.U, m.History[0].GradNorm)
	}
}

func TestDecay(t *testing.T) {
	tilt := func(u, g []float64) float64 { g[0], g[1] = 1e-3, 1e-3; return 1e-3 * (u[0] + u[1]) }
	m, err := Minimise(context.Background(), &function{n: 2, f: tilt}, []float64{10, 10},
		[]Stage{mustStage(t, "adamw", map[string]float64{"rate": 0.1, "decay": 0.5, "iters": 50})}, Settings{Decay: []bool{true, false}})
	if err != nil {
		t.Fatal(err)
	}
	if !(m.U[0] < 0) || math.Abs(m.U[1]-5) > 0.01 {
		t.Errorf("the first should have decayed, the second only descended to 5: %v", m.U)
	}
}

func TestNonFiniteStart(t *testing.T) {
	for _, v := range []float64{math.Inf(1), math.NaN(), math.Inf(-1)} {
		_, err := Minimise(context.Background(), &function{n: 1, f: func(_, g []float64) float64 { g[0] = 0; return v }}, []float64{0}, DefaultStages(), Settings{})
		var e *NonFiniteStart
		if !errors.As(err, &e) || e.Gradient {
			t.Errorf("a start at %v: %v", v, err)
		}
	}
	_, err := Minimise(context.Background(), &function{n: 2, f: func(_, g []float64) float64 { g[0], g[1] = 1, math.NaN(); return 7 }}, []float64{0, 0}, DefaultStages(), Settings{})
	var e *NonFiniteStart
	if !errors.As(err, &e) || !e.Gradient || e.Index != 1 || e.Value != 7 {
		t.Errorf("a start with a gradient that is not finite: %v", err)
	}
}

type failing struct {
	function
	at  int
	err error
}

func (f *failing) Eval(ctx context.Context, u, g []float64) (float64, error) {
	if f.evals == f.at {
		return 0, f.err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return f.function.Eval(ctx, u, g)
}

func (f *failing) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	if f.evals == f.at {
		return false, f.err
	}
	return f.function.Residuals(ctx, u, r)
}

func (f *failing) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	if f.evals == f.at {
		return false, f.err
	}
	return f.function.Jacobian(ctx, u, j)
}

func TestObjectiveErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, o := range Optimisers() {
		for at := range 4 {
			_, err := Minimise(context.Background(), &failing{function{n: 2, f: rosenbrock}, at, broken}, []float64{-1.2, 1}, []Stage{mustStage(t, o.Name, nil)}, Settings{})
			if !errors.Is(err, broken) {
				t.Errorf("%s: an error at evaluation %d: %v", o.Name, at, err)
			}
		}
	}
}

func TestCancelKeepsTheBest(t *testing.T) {
	for _, o := range Optimisers() {
		ctx, cancel := context.WithCancel(context.Background())
		m, err := Minimise(ctx, &function{n: 2, f: rosenbrock}, []float64{-1.2, 1}, []Stage{mustStage(t, o.Name, nil), mustStage(t, "bfgs", nil)},
			Settings{Progress: func(p Progress) {
				if p.Iter == 3 {
					cancel()
				}
			}})
		if err != nil || m.Status != Cancelled || len(m.History) != 4 || m.F != m.History[3].Best || math.IsNaN(m.F) {
			t.Errorf("%s: %+v, %v", o.Name, m, err)
		}
		m, err = Minimise(ctx, &function{n: 2, f: rosenbrock}, []float64{-1.2, 1}, DefaultStages(), Settings{})
		if err != nil || m.Status != Cancelled || !math.IsNaN(m.F) || m.U[0] != -1.2 {
			t.Errorf("cancelled from the start: %+v, %v", m, err)
		}
	}
}

func TestSameBits(t *testing.T) {
	for _, o := range Optimisers() {
		a := minimise(t, &function{n: 10, f: rosenbrock}, make([]float64, 10), mustStage(t, o.Name, nil))
		b := minimise(t, &function{n: 10, f: rosenbrock}, make([]float64, 10), mustStage(t, o.Name, nil))
		for i := range a.U {
			if a.U[i] != b.U[i] {
				t.Fatalf("%s: %v and %v", o.Name, a.U, b.U)
			}
		}
	}
}

// With as many pairs as variables, both ways of keeping the curvature are one method on a quadratic
// with exact line searches; here they must agree on what they know: H y = s for the last pair.
func TestSecantEquation(t *testing.T) {
	const n = 6
	rng := rand.New(rand.NewPCG(1, 2))
	l := &lbfgs{s: make([][]float64, n), y: make([][]float64, n), sy: make([]float64, n), a: make([]float64, n)}
	for i := range n {
		l.s[i], l.y[i] = make([]float64, n), make([]float64, n)
	}
	for _, h := range []curvature{&bfgs{n: n, h: make([]float64, n*n), hy: make([]float64, n), empty: true}, l} {
		s, y, dir := make([]float64, n), make([]float64, n), make([]float64, n)
		for range 2 * n {
			for i := range s {
				s[i] = rng.NormFloat64()
				y[i] = float64(i+1) * s[i]
			}
			h.update(s, y, dot(s, y), dot(y, y))
			h.direction(dir, y)
			for i := range s {
				if math.Abs(dir[i]+s[i]) > 1e-10*norm2(s) {
					t.Fatalf("%T: H y = %v, s = %v", h, dir, s)
				}
			}
		}
		if a := testing.AllocsPerRun(10, func() { h.update(s, y, dot(s, y), dot(y, y)); h.direction(dir, y) }); a != 0 {
			t.Errorf("%T: %v allocations per iteration", h, a)
		}
	}
}

func TestRulesDoNotAllocate(t *testing.T) {
	u, g := make([]float64, 8), []float64{1, 2, 3, 4, 5, 6, 7, 8}
	r := &run{n: 8}
	adam := mustStage(t, "adam", nil)
	for _, ru := range []rule{newAdam(r, &adam), &sgd{momentum: 0.9, v: make([]float64, 8)}} {
		if a := testing.AllocsPerRun(10, func() { ru.step(u, g, 0.1, 3) }); a != 0 {
			t.Errorf("%T: %v allocations per step", ru, a)
		}
	}
}

// The first steps of Adam on f = u, by hand: each is the rate, whatever the slope.
func TestAdamByHand(t *testing.T) {
	line := func(u, g []float64) float64 { g[0] = 1e-4; return 1e-4 * u[0] }
	m := minimise(t, &function{n: 1, f: line}, []float64{0}, mustStage(t, "adam", map[string]float64{"rate": 0.1, "iters": 3, "eps": 0}))
	if math.Abs(m.U[0]+0.3) > 1e-12 {
		t.Errorf("three steps of 0.1 lead to −0.3, not %v", m.U[0])
	}
}

// testObjective is a closure as an Objective.
func testObjective(n int, f func(u, g []float64) float64) Objective { return &function{n: n, f: f} }

// Values that are not finite in whole regions, or so large that they overflow, mislead no optimiser: what it gives back is finite and no worse
// than the start.
func TestValuesThatAreNotFinite(t *testing.T) {
	for _, o := range Optimisers() {
		for seed := range uint64(40) {
			rng := rand.New(rand.NewPCG(seed, 7))
			at, wide := 4*rng.Float64()-2, rng.Float64()
			bad := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308}[seed%4]
			f := func(u, g []float64) float64 {
				v := rosenbrock(u, g)
				if d := u[0] - at; math.Abs(d) < wide && math.Abs(u[0]+1.2) > 0.05 {
					if seed%8 < 4 {
						g[1] = bad // the gradient alone
						return v
					}
					g[0], g[1] = bad, -bad
					return bad
				}
				if math.Abs(u[1]) > 1e3 {
					g[0], g[1] = 1e300*u[0], 1e300*u[1]
					return 1e305
				}
				return v
			}
			values := map[string]float64{"iters": 60}
			if !o.LineSearch {
				values["rate"] = []float64{1e-3, 0.1, 1e6}[seed%3]
			}
			m, err := Minimise(context.Background(), testObjective(2, f), []float64{-1.2, 1}, []Stage{mustStage(t, o.Name, values), mustStage(t, "lbfgs", nil)}, Settings{Seed: seed})
			if err != nil {
				t.Fatalf("%s, %d: %v", o.Name, seed, err)
			}
			if !(m.F <= m.History[0].Loss) || firstBad(m.U) >= 0 || m.F < 0 {
				t.Errorf("%s, %d: %v at %v, from %v", o.Name, seed, m.F, m.U, m.History[0].Loss)
			}
		}
	}
}
