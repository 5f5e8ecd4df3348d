package sens

import (
	"fmt"

	"github.com/udl-lang/udl/runtime/solve"
)

// RefusedError says, by name, that a gradient method cannot handle something; it never returns a wrong number instead.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// kept refuses a problem whose solution goes to a sink: gradients need it.
func kept(p *solve.Problem) error {
	if p.Sink != nil {
		return refuse("a gradient needs the solution, of which nothing is kept where the outputs go to a sink")
	}
	return nil
}
