package sens

import (
	"fmt"

	"github.com/udl-lang/udl/runtime/solve"
)

// RefusedError says, by name, that a gradient method cannot handle something; it never returns a wrong number instead.
type RefusedError struct{ text, help string }

func (e *RefusedError) Error() string { return e.text }

// Help is one line of what to do instead, "" for none.
func (e *RefusedError) Help() string { return e.help }

// helped gives a refusal what to do instead.
func helped(err error, help string) error {
	if r, ok := err.(*RefusedError); ok {
		r.help = help
	}
	return err
}

func refuse(format string, args ...any) error {
	return &RefusedError{text: fmt.Sprintf(format, args...)}
}

// kept refuses a problem whose solution goes to a sink: gradients need it.
func kept(p *solve.Problem) error {
	if p.Sink != nil {
		return refuse("a gradient needs the solution, of which nothing is kept where the outputs go to a sink")
	}
	return nil
}
