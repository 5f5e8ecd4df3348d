package udl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/value"
)

// errNoModel is the error of a nil or zero Model.
var errNoModel = errors.New("udl: this Model is nil or empty; make one with Load or Parse")

// check refuses a nil or zero Model.
func (m *Model) check() error {
	if m == nil || m.m == nil || m.in == nil {
		return errNoModel
	}
	return nil
}

// value is what the language has of the model, nil of a nil or zero Model, which call refuses.
func (m *Model) value() *value.Model {
	if m == nil {
		return nil
	}
	return m.m
}

// fitted is the fit of a model, nil where there is none.
func (m *Model) fitted() *value.Fit {
	if m.check() != nil {
		return nil
	}
	return m.m.Fit
}

// limited is ctx with the limit on time.
func (m *Model) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if m == nil || m.limits.Time <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, m.limits.Time, &timeLimit{fmt.Sprintf("udl: the time limit of %v is over", m.limits.Time)})
}

// timeLimit is the cause of a call that a limit on time has ended; errors.Is takes it for context.DeadlineExceeded.
type timeLimit struct{ text string }

func (e *timeLimit) Error() string { return e.text }

func (e *timeLimit) Unwrap() error { return context.DeadlineExceeded }

// because is an error as it is told, with what else errors.Is is to find.
type because struct {
	told   error
	causes []error
}

func (e *because) Error() string { return e.told.Error() }

func (e *because) Unwrap() []error { return append([]error{e.told}, e.causes...) }

// ended gives the error of a call whose context is done what errors.Is asks for: context.Canceled or context.DeadlineExceeded, and the cause.
// Errors that have another reason are left as they are.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	l := diag.From(err)
	switch {
	case len(l) == 0 && errors.Is(err, ctx.Err()):
		err = cause
	case errors.Is(err, cause), slices.ContainsFunc(l, func(d *diag.Diagnostic) bool { return d.Code == "E0504" }):
	default:
		return err
	}
	if errors.Is(err, ctx.Err()) && errors.Is(err, cause) {
		return err
	}
	return &because{err, []error{ctx.Err(), cause}}
}

// callback runs a function of the user's. A panic in it becomes an error that says which it was.
func callback(name string, run func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("udl: %s panicked: %v", name, r)
		}
	}()
	run()
	return nil
}

// inGo turns words of the language in a message's help into those of the options.
var inGo = strings.NewReplacer(
	"raise the limit on steps, `max_steps`", "raise the limit on steps, WithLimits(Limits{Steps: …})",
	"write `resume = false`", "set Fresh",
	"`resume = false` begins anew", "Fresh begins anew",
	"by `resume = false`", "by Fresh",
	"write `checkpoint = \"run.ckpt\"` too", "set Checkpoint too",
	"`checkpoint = ", "`Checkpoint: ",
	"write `along = {k: 1}`", `give one, map[string]any{"k": 1.0}`,
)

// translated is an error with its help in words that Go has.
func translated(err error) error {
	for _, d := range diag.From(err) {
		d.Help = inGo.Replace(d.Help)
	}
	return err
}
