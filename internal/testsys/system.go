package testsys

import (
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// Param is a parameter and its default.
type Param struct {
	Name  string
	Value float64
}

// Params makes parameters without names of their own: prefix1, prefix2, …
func Params(prefix string, values []float64) []Param {
	out := make([]Param, len(values))
	for i, v := range values {
		out[i] = Param{prefix + itoa(i+1), v}
	}
	return out
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// System makes a system of scalar states and parameters. init gives the initial state from θ,
// rhs the derivatives.
func System(name string, states []string, params []Param,
	init func(th []Expr) []Expr, rhs func(t Expr, x, th []Expr) []Expr) *system.System {
	s := &system.System{Name: name, NX: len(states), NTheta: len(params)}
	for i, st := range states {
		s.States = append(s.States, system.Slot{Name: st, Off: i})
	}
	s.Latent = make([]bool, len(states))
	for i, p := range params {
		s.Theta = append(s.Theta, system.ThetaSlot{
			Slot: system.Slot{Name: p.Name, Off: i}, Default: []float64{p.Value},
			Lo: math.Inf(-1), Hi: math.Inf(1),
		})
	}
	s.Init = Func(0, len(params), func(t Expr, _, th []Expr) []Expr {
		if len(th) == 0 {
			th = []Expr{t.Const(0)} // something to call Const of
		}
		return init(th)
	})
	s.RHS = Func(len(states), len(params), rhs)
	s.ByTime = func() system.Func { return newFn(s.RHS.(*fn).g.byTime()) }
	return s
}

// Fixed is an initial state of numbers, for System.
func Fixed(x ...float64) func([]Expr) []Expr {
	return func(th []Expr) []Expr {
		out := make([]Expr, len(x))
		for i, v := range x {
			out[i] = th[0].Const(v)
		}
		return out
	}
}

// Last is an initial state that is the last n parameters, for System.
func Last(n int) func([]Expr) []Expr {
	return func(th []Expr) []Expr { return th[len(th)-n:] }
}
