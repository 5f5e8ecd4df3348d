package sens

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Every gradient method asks the system what is to blame for a derivative that is not finite, at a time and state at which it is not.
func TestBlame(t *testing.T) {
	sys := testsys.System("Root", []string{"x"}, []testsys.Param{{Name: "a", Value: 0}, {Name: "k", Value: 1}},
		func(th []testsys.Expr) []testsys.Expr { return th[:1] },
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[1].Sub(x[0].Sqrt())}
		})
	where := math.NaN()
	sys.Blame = func(f system.Func, t float64, x, th, gz []float64) *system.Fault {
		gx, gth := make([]float64, 1), make([]float64, 2)
		if n, _, _ := f.Dims(); n == 0 {
			return nil
		}
		if f.Clone().VJP(gx, gth, t, x, th, gz); finite(gx) && finite(gth) {
			return nil
		}
		where = t
		return &system.Fault{Expr: "sqrt(x)", Quantity: "x'", Value: gx[0], Operands: []system.Operand{{Name: "x", Value: x[0]}}}
	}
	p := &solve.Problem{Sys: sys, T1: 1, Rtol: 1e-6, Atol: 1e-9}
	loss := &sumSquares{times: []float64{0.5, 1}}
	g := make([]float64, 2)
	for name, run := range map[string]func() error{
		"discrete": func() error { _, _, err := Adjoint(context.Background(), p, loss, g); return err },
		"quadrature": func() error {
			_, _, err := ContinuousMethod{Kind: Quadrature}.Gradient(context.Background(), p, loss, g)
			return err
		},
	} {
		where = math.NaN()
		err := run()
		var bad *NonFinite
		if !errors.As(err, &bad) || bad.Source == nil || where != 0 {
			t.Errorf("%s: %v, asked at %v", name, err, where)
			continue
		}
		for _, w := range []string{"the derivative of `sqrt(x)` is infinite where x = 0, in x' at t = 0"} {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in %v", name, w, err)
			}
		}
	}

	// Forward sensitivities do not come to their end, and the fault says the same.
	sys.Explain = func(t float64, x, th []float64) *system.Fault { return nil }
	_, sol, err := Forward(context.Background(), p, loss, nil, g)
	if err != nil || sol.Fault == nil || !strings.Contains(sol.Fault.Error(), "the derivative of `sqrt(x)`") {
		t.Errorf("forward: %v, %v", err, sol.Fault)
	}

	// A loss that cannot be differentiated, at one of its times.
	loss.bad = true
	_, _, err = Adjoint(context.Background(), &solve.Problem{Sys: sys, T1: 1, Theta: []float64{0.5, 1}}, loss, g)
	var bad *NonFinite
	if !errors.As(err, &bad) || bad.Part != "the loss" || bad.T != 0.5 || !strings.Contains(err.Error(), "the loss") {
		t.Errorf("loss: %v", err)
	}
}

type sumSquares struct {
	times []float64
	bad   bool
}

func (l *sumSquares) Times() []float64 { return l.times }

func (l *sumSquares) Eval(x, _, gx, _ []float64) (float64, error) {
	s := 0.0
	for i, v := range x {
		s += v * v
		if gx != nil {
			if gx[i] = 2 * v; l.bad && i == 0 {
				gx[i] = math.Inf(1)
			}
		}
	}
	return s, nil
}
