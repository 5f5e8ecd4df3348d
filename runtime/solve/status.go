package solve

import (
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
)

// Status is how an integration ended.
type Status int

// The statuses.
const (
	Running      Status = iota // not at the end yet
	Done                       // the end was reached
	MaxSteps                   // the limit on steps was reached
	StepTooSmall               // the error demands a step so small that time does not move on
	NonFinite                  // a value became infinite or not a number, however small the step
	Cancelled                  // the context was cancelled, or its deadline passed
	MemoryLimit                // the limit on memory was reached
	Stopped                    // an event ended the integration, as it should
	EventFault                 // an event fires for ever, or assigns what is no value
	SinkFailed                 // the sink of the outputs gave an error
)

var statusNames = [...]string{"running", "done", "max steps", "step too small", "non-finite", "cancelled", "memory limit", "event", "event fault", "output failed"}

// String is the status in words.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return fmt.Sprintf("status %d", int(s))
	}
	return statusNames[s]
}

// Ended says whether the integration came to an end that was wanted: that of the time span, or an event's.
func (s Status) Ended() bool { return s == Done || s == Stopped }

// Fault explains why an integration stopped before its end.
type Fault struct {
	Status Status
	T      float64   // where: the last time at which the state is known
	H      float64   // the last step tried, with its sign
	Names  []string  // of the states, as long as X
	X      []float64 // the state at T
	Bad    []int     // the states (indices into X) whose value or derivative is not finite
	Worst  int       // the state with the largest local error relative to its tolerance, −1 if unknown
	Limit  int64     // the limit that was reached, of steps or bytes
	Cause  error     // of the context, if it was cancelled; of the sink, if it failed
	Why    string    // of a step that became too small: what stood in the way, if not the error; of an event what is wrong; of a sink which output it was
	Try    string    // of an event: what to do about it
	// Fold says that algebraic equations cease to determine an unknown, Undetermined that those of a step do not determine one.
	Fold, Undetermined bool

	Implicit bool // the limit on steps was reached by a solver for stiff problems, or one that turns to it

	Event string // the event that is to blame
	Where any    // its place in the source, as the system gives it

	// Derivative is what stood in the way of an implicit step where the right-hand side itself is finite: an entry of its Jacobian that is not. nil: nothing of the kind.
	Derivative *Derivative

	// Source is the sub-expression that is to blame, nil when the system cannot tell.
	Source *system.Fault
}

// Derivative is an entry of the Jacobian that is infinite or not a number.
type Derivative struct {
	Equation, State string
	Value           float64
	T, At           float64 // the time, and the state's value there
	Where           any     // the equation's place in the source, as the system gives it; nil where it gives none
}

// Unwrap is the error of the context or of the sink that ended the integration.
func (f *Fault) Unwrap() error { return f.Cause }

// Error says where, why, and what to try.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the solution stops at t = %.6g: ", f.T)
	switch f.Status {
	case MaxSteps:
		fmt.Fprintf(&b, "the limit of %d steps is reached (last step %.3g)", f.Limit, f.H)
	case StepTooSmall:
		if f.Undetermined || f.Fold {
			b.WriteString(f.Why)
			break
		}
		fmt.Fprintf(&b, "the step size fell to %.3g", math.Abs(f.H))
		if f.Why != "" {
			b.WriteString(": " + f.Why)
		} else if f.Worst >= 0 && f.Worst < len(f.Names) {
			fmt.Fprintf(&b, ", driven by %s", f.Names[f.Worst])
		}
	case NonFinite:
		if d := f.Derivative; d != nil {
			what := "infinite"
			if math.IsNaN(d.Value) {
				what = "not a number"
			}
			fmt.Fprintf(&b, "the derivative of %s by %s is %s", quoted(d.Equation), d.State, what)
			if d.T != f.T {
				fmt.Fprintf(&b, " at t = %.6g", d.T)
			}
			fmt.Fprintf(&b, " where %s = %.6g, and an implicit step needs it", d.State, d.At)
		} else {
			b.WriteString("a value is not finite")
		}
		for n, i := range f.Bad {
			if i >= len(f.Names) {
				break
			}
			sep := ", "
			if n == 0 {
				sep = " in "
			}
			b.WriteString(sep + f.Names[i] + "'")
		}
		fmt.Fprintf(&b, " (step %.3g)", f.H)
	case Cancelled:
		b.WriteString("cancelled")
		if f.Cause != nil {
			fmt.Fprintf(&b, " (%v)", f.Cause)
		}
	case MemoryLimit:
		fmt.Fprintf(&b, "the memory limit of %d bytes is reached", f.Limit)
	case EventFault:
		fmt.Fprintf(&b, "the event `%s` goes wrong: %s", f.Event, f.Why)
	case SinkFailed:
		fmt.Fprintf(&b, "%s: %v", f.Why, f.Cause)
	default:
		b.WriteString(f.Status.String())
	}
	if len(f.X) > 0 {
		b.WriteString("; there ")
		for i, v := range f.X {
			if i == 6 && len(f.X) > 7 {
				fmt.Fprintf(&b, ", … (%d states)", len(f.X))
				break
			}
			if i > 0 {
				b.WriteString(", ")
			}
			name := fmt.Sprintf("state %d", i+1)
			if i < len(f.Names) {
				name = f.Names[i]
			}
			fmt.Fprintf(&b, "%s = %.6g", name, v)
		}
	}
	if s := f.Source; s != nil {
		b.WriteString("; ")
		if s.Quantity != "" {
			b.WriteString("in " + s.Quantity + ", ")
		}
		fmt.Fprintf(&b, "%s = %v", s.Expr, s.Value)
		for i, o := range s.Operands {
			sep := ", "
			if i == 0 {
				sep = " with "
			}
			fmt.Fprintf(&b, "%s%s = %.6g", sep, o.Name, o.Value)
		}
	}
	return b.String()
}

// quoted sets an equation as it was written apart from the words around it; "x'" stands by itself.
func quoted(equation string) string {
	if strings.Contains(equation, " ") {
		return "`" + equation + "`"
	}
	return equation
}

// Help is one line of what to try.
func (f *Fault) Help() string {
	switch f.Status {
	case MaxSteps:
		if f.Implicit {
			return "raise the limit on steps, `max_steps`, or loosen the tolerances; a solver of higher order, such as Rodas5P or RadauIIA5, makes fewer steps where they are tight, and where the solution itself changes fast there is no way round them"
		}
		return "raise the limit on steps or loosen the tolerances; if steps stay tiny while the solution is smooth, the problem is stiff: take a solver for that, such as Rodas5P, or leave the choice to `auto`"
	case StepTooSmall:
		switch {
		case f.Fold:
			return "beyond it that equation has no solution, or another one: end before this time, `stop when` it is near, or write a model that goes on"
		case f.Undetermined:
			return "each unknown needs an equation that holds it, itself or after derivatives by time; look whether one equation says what others say already"
		}
		if strings.HasPrefix(f.Why, slowNewton) {
			return "the equations may jump here or have no solution beyond this time: end before it, or look at them where the solution stops"
		}
		if f.Why != "" {
			return "" // it says what to do
		}
		return "a solution that grows without bound has a pole here: end before it; otherwise look for a jump in the equations, or loosen the tolerances"
	case NonFinite:
		if f.Derivative != nil {
			return "start a little beside that value, or make the function smooth there, as sqrt(x + 1e-12) for sqrt(x); without algebraic equations BDF, which takes it at the ends of steps, may do, or an explicit solver such as Tsit5 where the problem is not stiff"
		}
		for _, v := range f.X {
			if math.Abs(v) > 1e100 {
				return "the solution grows without bound: end before this time, or look for a wrong sign in the equations"
			}
		}
		return "keep the state away from where the equation is undefined, or end before this time"
	case EventFault:
		return f.Try
	case MemoryLimit:
		return "raise the limit on memory, ask for outputs at given times, or loosen the tolerances"
	}
	return ""
}
