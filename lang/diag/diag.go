package diag

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Code is the stable name of one kind of error, such as "E0203". Every code is
// a row of the table in codes.go.
type Code string

// Severity orders diagnostics: only errors stop a run.
type Severity int

// The severities.
const (
	Error Severity = iota
	Warning
)

// Label points at a place and says what is there.
type Label struct {
	Span Span
	Text string
}

// Diagnostic is one finding: what is wrong, where, and one way to mend it.
// It is an error.
type Diagnostic struct {
	Code     Code
	Severity Severity
	Message  string  // one line, in the user's words, no full stop
	Labels   []Label // the first is the place; a second where two places disagree
	Notes    []string
	Help     string // one line: the fix
	Cause    error  // what a program may ask for by errors.Is, such as fs.ErrNotExist; nil for none. The message says it
}

// New makes an error diagnostic at a place. The label's text may be set with At.
func New(code Code, span Span, format string, args ...any) *Diagnostic {
	return &Diagnostic{Code: code, Message: fmt.Sprintf(format, args...), Labels: []Label{{Span: span}}}
}

// At sets the text under the caret.
func (d *Diagnostic) At(format string, args ...any) *Diagnostic {
	d.Labels[0].Text = fmt.Sprintf(format, args...)
	return d
}

// And adds a further labelled place.
func (d *Diagnostic) And(span Span, format string, args ...any) *Diagnostic {
	d.Labels = append(d.Labels, Label{span, fmt.Sprintf(format, args...)})
	return d
}

// Note adds a line of explanation.
func (d *Diagnostic) Note(format string, args ...any) *Diagnostic {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
	return d
}

// WithHelp sets the one line of help.
func (d *Diagnostic) WithHelp(format string, args ...any) *Diagnostic {
	d.Help = fmt.Sprintf(format, args...)
	return d
}

// AsWarning makes the finding a warning.
func (d *Diagnostic) AsWarning() *Diagnostic { d.Severity = Warning; return d }

// Span is the primary place.
func (d *Diagnostic) Span() Span {
	if len(d.Labels) == 0 {
		return Span{}
	}
	return d.Labels[0].Span
}

// Error is the one-line form, "file:line:col: error[E0203]: message"; Render
// gives the full one.
func (d *Diagnostic) Error() string {
	kind := "error"
	if d.Severity == Warning {
		kind = "warning"
	}
	s := fmt.Sprintf("%s[%s]: %s", kind, d.Code, d.Message)
	if sp := d.Span(); !sp.IsZero() {
		s = sp.String() + ": " + s
	}
	return s
}

// Because sets the cause.
func (d *Diagnostic) Because(err error) *Diagnostic { d.Cause = err; return d }

// Unwrap is the cause.
func (d *Diagnostic) Unwrap() error { return d.Cause }

// List collects diagnostics. A nil or warning-only list is no error: use Err.
type List []*Diagnostic

// Add appends d and returns it, so that labels and help can be chained on.
func (l *List) Add(d *Diagnostic) *Diagnostic { *l = append(*l, d); return d }

// HasErrors says whether any finding is an error.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Err is the list as an error when it holds at least one error, else nil.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return l
}

// Unwrap are the findings.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, d := range l {
		out[i] = d
	}
	return out
}

// Error lists the one-line forms.
func (l List) Error() string {
	var b strings.Builder
	for i, d := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.Error())
	}
	return b.String()
}

// Sort orders by source name, place and code, so that output is stable.
func (l List) Sort() {
	sort.SliceStable(l, func(i, j int) bool {
		a, b := l[i].Span(), l[j].Span()
		if a.Src != b.Src && a.Src != nil && b.Src != nil && a.Src.Name != b.Src.Name {
			return a.Src.Name < b.Src.Name
		}
		if a.Lo != b.Lo {
			return a.Lo < b.Lo
		}
		return l[i].Code < l[j].Code
	})
}

// From finds the diagnostics in an error chain: those of a List or of a single
// Diagnostic; nil when there are none.
func From(err error) List {
	var l List
	if errors.As(err, &l) {
		return l
	}
	var d *Diagnostic
	if errors.As(err, &d) {
		return List{d}
	}
	return nil
}
