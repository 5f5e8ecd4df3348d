package sens

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Loss is a differentiable function of the states at given times, and of θ itself.
type Loss interface {
	// Times are the output times, from the start of the integration towards its end; they may
	// include the start. The slice must not change while a gradient is computed.
	Times() []float64
	// Eval is the loss of the states x, nt × nx row-major, nt the number of Times, and of θ.
	// Its gradient by x is written to gx, nt × nx, and that by θ, with x held fixed, is added
	// to gth, which may be nil when it is not wanted. With gx nil only the value is wanted.
	// An infinite value is a failed trial; an error ends the computation.
	Eval(x, th, gx, gth []float64) (float64, error)
}

// prepare checks a call and gives the problem to solve: p with the loss's output times.
func prepare(p *solve.Problem, loss Loss) (solve.Problem, error) {
	var q solve.Problem
	if p == nil || p.Sys == nil || p.Sys.RHS == nil {
		return q, fmt.Errorf("there is no system to differentiate")
	}
	if err := kept(p); err != nil {
		return q, err
	}
	q = *p
	q.Checkpoints = nil // but for who reads steps backwards
	if q.Times = loss.Times(); q.Times == nil {
		q.Times = []float64{} // nil would mean every step
	}
	if q.Theta == nil {
		q.Theta = p.Sys.Defaults()
	}
	return q, nil
}

// differentiable refuses a system without derivatives, by the name of the method that needs them.
func differentiable(sys *system.System, method string) error {
	if sys.NoGradient != "" {
		return refuse("%s has no %s gradient: %s", nameOf(sys), method, sys.NoGradient)
	}
	return nil
}

func nameOf(sys *system.System) string {
	if sys.Name == "" {
		return "the model"
	}
	return sys.Name
}

// failed is the value of the loss where the solve did not come to its end.
var failed = math.Inf(1)

// switches are the entries of θ that are switches, not numbers: they have no derivative, and
// their entry of a gradient is 0.
func switches(sys *system.System) []int {
	var out []int
	for _, s := range sys.Theta {
		if s.Role == system.RoleFlag {
			for i := range s.Size() {
				out = append(out, s.Off+i)
			}
		}
	}
	return out
}

// checkWrt gives the entries of θ to differentiate by: wrt, or all that are no switches.
func checkWrt(sys *system.System, wrt []int) ([]int, error) {
	if wrt != nil {
		for _, i := range wrt {
			if i < 0 || i >= sys.NTheta {
				return nil, fmt.Errorf("there is no parameter %d among %d", i, sys.NTheta)
			}
		}
		return wrt, nil
	}
	off := make([]bool, sys.NTheta)
	for _, i := range switches(sys) {
		off[i] = true
	}
	wrt = []int{}
	for i, o := range off {
		if !o {
			wrt = append(wrt, i)
		}
	}
	return wrt, nil
}

// thetaName is the name of entry i of θ, for messages.
func thetaName(sys *system.System, i int) string {
	for _, s := range sys.Theta {
		if i >= s.Off && i < s.Off+s.Size() {
			return system.Names([]system.Slot{s.Slot})[i-s.Off]
		}
	}
	return fmt.Sprintf("θ[%d]", i)
}

// thetaNames are the names of all entries of θ, as thetaName gives them.
func thetaNames(sys *system.System) []string {
	names := make([]string, sys.NTheta)
	for _, s := range sys.Theta {
		copy(names[s.Off:], system.Names([]system.Slot{s.Slot}))
	}
	for i, n := range names {
		if n == "" {
			names[i] = thetaName(sys, i)
		}
	}
	return names
}

// NonFinite is the error of a gradient that is not finite although the loss is.
type NonFinite struct {
	T     float64  // where the backward pass first met such a value; NaN when it is not known
	Names []string // the parameters whose derivative is not finite, the first few
	More  int      // how many there are beyond those

	// Source is the sub-expression whose derivative is not finite, nil when it is not known; Value is that of the derivative. Part says what it
	// belongs to, where that is not the equations: "the loss", "the initial values". At is the time of Source.
	Source *system.Fault
	Part   string
	At     float64
}

// Blamed is a Loss that can say which of its sub-expressions has a derivative that is not finite, for the states x and θ, and at which of
// its times; row is −1 where it is at none.
type Blamed interface {
	Loss
	Blame(x, th []float64) (f *system.Fault, row int)
}

// Error names the time and the parameters.
func (e *NonFinite) Error() string {
	s := "the gradient is not finite"
	if e.T == e.T {
		s = fmt.Sprintf("the gradient is not finite from t = %.6g on, backwards", e.T)
	}
	for i, n := range e.Names {
		sep := ", "
		if i == 0 {
			sep = ": the derivative by "
		}
		s += sep + n
	}
	if e.More > 0 {
		s += fmt.Sprintf(" and %d more", e.More)
	}
	if b := e.Because(); b != "" {
		s += "; " + b
	}
	return s
}

// Because says which sub-expression is to blame, "" when that is not known.
func (e *NonFinite) Because() string {
	f := e.Source
	if f == nil {
		return e.Part
	}
	what := "not a number"
	if math.IsInf(f.Value, 0) {
		what = "infinite"
	}
	s := fmt.Sprintf("the derivative of `%s` is %s", f.Expr, what)
	for i, o := range f.Operands {
		sep := ", "
		if i == 0 {
			sep = " where "
		}
		s += fmt.Sprintf("%s%s = %.6g", sep, o.Name, o.Value)
	}
	switch {
	case f.Quantity != "":
		s += ", in " + f.Quantity
	case e.Part != "":
		s += ", in " + e.Part
	}
	if e.At == e.At {
		s += fmt.Sprintf(" at t = %.6g", e.At)
	}
	return s
}

// checkGradient is nil or a *NonFinite. g[i] is the derivative by θ[wrt[i]], or by θ[i] with wrt
// nil.
func checkGradient(sys *system.System, g []float64, wrt []int, t float64) error {
	var e *NonFinite
	for i, v := range g {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			continue
		}
		if e == nil {
			e = &NonFinite{T: t}
		}
		if len(e.Names) == 5 {
			e.More++
			continue
		}
		if wrt != nil {
			i = wrt[i]
		}
		e.Names = append(e.Names, thetaName(sys, i))
	}
	if e == nil {
		return nil
	}
	return e
}
