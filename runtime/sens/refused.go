package sens

import "fmt"

// RefusedError says, by name, that a gradient method cannot handle something; it never returns a wrong number instead.
type RefusedError struct{ text string }

func (e *RefusedError) Error() string { return e.text }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }
