package sens_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// each is the sum of a function over the first state, with its derivative.
type each struct {
	times []float64
	nx    int
	f     func(x float64) (v, d float64)
}

func (l each) Times() []float64 { return l.times }

func (l each) Eval(x, _, gx, _ []float64) (float64, error) {
	sum := 0.0
	if gx != nil {
		clear(gx[:len(x)])
	}
	for i := 0; i < len(x); i += l.nx {
		v, d := l.f(x[i])
		sum += v
		if gx != nil {
			gx[i] = d
		}
	}
	return sum, nil
}

// Each moving quantity has a size of its own, whatever stands beside it: a constant that is large and does not move, a state that is, a state that is small or passes through zero,
// and a loss that bends sharply. All are x' = −k x, beside z' = −z/10, along k, with x(t) = x0 exp(−k t).
func TestHessianVectorOfAnySize(t *testing.T) {
	const k = 0.5
	times := []float64{0, 0.5, 1, 1.5, 2}
	logs := func(x float64) (v, d float64) { return math.Pow(math.Log(x), 2), 2 * math.Log(x) / x }
	waves := func(w float64) func(x float64) (v, d float64) {
		return func(x float64) (v, d float64) { return math.Sin(w * x), w * math.Cos(w*x) }
	}
	// ∂²/∂k² of f(x): f'' (t x)² + f' t² x.
	for _, c := range []struct {
		name        string
		x0, z0, big float64
		f           func(x float64) (v, d float64)
		second      func(x float64) float64
	}{
		{"a large constant", 1, 1, 1e6, waves(3), func(x float64) float64 { return -9 * math.Sin(3*x) }},
		{"a small state beside a large one", 1e-3, 300, 1, logs, func(x float64) float64 { return 2 * (1 - math.Log(x)) / (x * x) }},
		{"a tiny state", 1e-9, 1, 1, logs, func(x float64) float64 { return 2 * (1 - math.Log(x)) / (x * x) }},
		{"waves", 1, 1, 1, waves(300), func(x float64) float64 { return -9e4 * math.Sin(300*x) }},
		{"all at zero", 0, 1, 1, waves(3), func(x float64) float64 { return -9 * math.Sin(3*x) }},
		{"the edge of a root", 1, 1, 1, func(x float64) (v, d float64) { return math.Sqrt(x - 0.36787), 0.5 / math.Sqrt(x-0.36787) },
			func(x float64) float64 { return -0.25 * math.Pow(x-0.36787, -1.5) }},
	} {
		sys := testsys.System("sizes", []string{"x", "z"}, []testsys.Param{{Name: "k", Value: k}, {Name: "K", Value: c.big}}, testsys.Fixed(c.x0, c.z0),
			func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
				return []testsys.Expr{th[0].Mul(x[0]).Neg().Add(th[1].Times(0)), x[1].Times(-0.1)}
			})
		p := &solve.Problem{Sys: sys, T1: 2, Method: find(t, "Vern9"), Rtol: 1e-12, AtolVec: []float64{1e-13 * max(c.x0, 1e-9), 1e-13}}
		hv := make([]float64, 2)
		if _, _, err := sens.HessianVector(context.Background(), p, each{times, 2, c.f}, []float64{1, 0}, hv); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := 0.0
		for _, s := range times {
			x := c.x0 * math.Exp(-k*s)
			_, d := c.f(x)
			want += c.second(x)*s*s*x*x + d*s*s*x
		}
		t.Logf("%s: %.12g, %.1e", c.name, hv[0], math.Abs(hv[0]-want)/max(math.Abs(want), 1))
		if !(math.Abs(hv[0]-want) <= 1e-8*max(math.Abs(want), 1)) {
			t.Errorf("%s: %v, not %v", c.name, hv[0], want)
		}
	}
}

// A loss without derivatives beside the solution is refused, by name.
func TestHessianVectorOfNoLoss(t *testing.T) {
	sys := testsys.System("edge", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{th[0].Mul(x[0]).Neg()}
	})
	at := math.NaN()
	loss := each{[]float64{1}, 1, func(x float64) (v, d float64) {
		if at != at {
			at = x
		}
		if x != at {
			return math.NaN(), math.NaN()
		}
		return x, 1
	}}
	_, _, err := sens.HessianVector(context.Background(), &solve.Problem{Sys: sys, T1: 1}, loss, []float64{1}, make([]float64, 1))
	var no *sens.RefusedError
	if !errors.As(err, &no) {
		t.Error(fmt.Sprint(err))
	}
}
