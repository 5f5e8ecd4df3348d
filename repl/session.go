package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/udl-lang/udl/lang/diag"
)

// Engine is what runs entries: the script evaluator, or a stand-in in tests.
type Engine interface {
	// Eval runs one entry and writes the value of a final expression to w. After an error the session
	// is as it was before the entry. It returns soon after ctx is done.
	Eval(ctx context.Context, src *diag.Source, w io.Writer) error
	// Load runs a file in the session.
	Load(ctx context.Context, path string) error
	// Incomplete says whether text wants further lines: an open bracket, a trailing operator.
	Incomplete(text string) bool
	// Complete proposes what the word before pos (in bytes) may become, and how many bytes of it
	// a candidate replaces.
	Complete(line string, pos int) (candidates []string, replace int)
	// Help is the page of a name; Names are all names that have one.
	Help(name string) (string, bool)
	Names() []string
	// Contents are names by kind, each kind under a heading.
	Contents() (headings []string, names [][]string)
	// Models lists the session's models, sorted; Model writes one as it was declared, and Graph its
	// graphs after a pass ("" for the last).
	Models() []string
	Model(w io.Writer, name string) error
	Graph(w io.Writer, name, pass string) error
}

// LineReader gives lines. ReadLine returns io.EOF at the end of input and ErrInterrupt when the
// line was thrown away by Ctrl-C.
type LineReader interface {
	ReadLine(prompt string) (string, error)
	Close() error
}

// Saver is a LineReader that keeps a history; the session gives it whole entries.
type Saver interface{ Save(entry string) }

// ErrInterrupt is Ctrl-C at the prompt.
var ErrInterrupt = errors.New("interrupt")

// Config is what a session needs.
type Config struct {
	Engine   Engine
	Out, Err io.Writer
	// Interactive is for a person at a terminal: a greeting, prompts, and no exit code for mistakes.
	Interactive bool
	Greeting    string
	// Report writes an error; nil writes its text.
	Report func(w io.Writer, err error)
	// Interruptible gives the context of one computation, done at Ctrl-C; nil for none.
	Interruptible func(ctx context.Context) (context.Context, context.CancelFunc)
}

// Session is one conversation. It serves one goroutine.
type Session struct {
	c       Config
	pending []string // lines of an entry that is not complete
	entries int
	failed  bool
	done    bool
}

// The prompts.
const (
	Prompt       = "udl> "
	Continuation = "...  "
)

// New makes a session.
func New(c Config) *Session {
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Err == nil {
		c.Err = io.Discard
	}
	if c.Report == nil {
		c.Report = func(w io.Writer, err error) { fmt.Fprintln(w, err) }
	}
	if c.Interruptible == nil {
		c.Interruptible = func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }
	}
	return &Session{c: c}
}

// Run reads lines until the end of input, `:quit` or the end of ctx, and returns the exit code: 0, or 1
// when an entry failed and nobody was at a terminal to see it.
func (s *Session) Run(ctx context.Context, r LineReader) int {
	if s.c.Interactive && s.c.Greeting != "" {
		fmt.Fprintln(s.c.Out, s.c.Greeting)
	}
	for !s.done && ctx.Err() == nil {
		line, err := r.ReadLine(s.Prompt())
		switch {
		case errors.Is(err, ErrInterrupt):
			s.pending = nil
			continue
		case errors.Is(err, io.EOF):
			s.finish(ctx)
			return s.code()
		case err != nil:
			s.fail(err)
			return 1
		}
		entry := s.Line(ctx, line)
		if sv, ok := r.(Saver); ok && strings.TrimSpace(entry) != "" {
			sv.Save(entry)
		}
	}
	return s.code()
}

// finish runs what is left at the end of input: an open bracket is then a mistake to be reported.
func (s *Session) finish(ctx context.Context) {
	if len(s.pending) == 0 {
		return
	}
	text := strings.Join(s.pending, "\n")
	s.pending = nil
	if s.c.Interactive {
		return // Ctrl-D in the middle of an entry: it is given up
	}
	s.eval(ctx, text)
}

func (s *Session) code() int {
	if s.failed && !s.c.Interactive {
		return 1
	}
	return 0
}

// Prompt is what to show before the next line.
func (s *Session) Prompt() string {
	switch {
	case !s.c.Interactive:
		return ""
	case len(s.pending) > 0:
		return Continuation
	}
	return Prompt
}

// Done says whether `:quit` was said.
func (s *Session) Done() bool { return s.done }

// Line takes one line. It returns the entry that the line completed, "" when more lines are wanted.
func (s *Session) Line(ctx context.Context, line string) (entry string) {
	line = strings.TrimSuffix(line, "\r")
	if len(s.pending) == 0 {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" {
			return ""
		}
		if s.command(ctx, trimmed) {
			return trimmed
		}
	}
	s.pending = append(s.pending, line)
	text := strings.Join(s.pending, "\n")
	// A blank line ends what would otherwise wait for ever, so that a mistyped bracket shows itself;
	// within a block blank lines are layout, hence it takes two.
	n := len(s.pending)
	gaveUp := s.c.Interactive && n > 2 && strings.TrimSpace(s.pending[n-1]) == "" && strings.TrimSpace(s.pending[n-2]) == ""
	if s.c.Engine.Incomplete(text) && !gaveUp {
		return ""
	}
	s.pending = nil
	s.eval(ctx, text)
	return strings.TrimRight(text, "\n ")
}

// eval runs an entry under a context that Ctrl-C ends.
func (s *Session) eval(ctx context.Context, text string) {
	s.entries++
	src := diag.NewSource(fmt.Sprintf("<prompt %d>", s.entries), text)
	s.guard(ctx, func(ctx context.Context) error { return s.c.Engine.Eval(ctx, src, s.c.Out) })
}

// guard runs f interruptibly and reports its error; a panic in it is reported too, and the session goes on.
func (s *Session) guard(ctx context.Context, f func(context.Context) error) {
	inner, stop := s.c.Interruptible(ctx)
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("internal error: %v (this is a fault of udl, please report it)", r)
			}
		}()
		return f(inner)
	}()
	interrupted := inner.Err() != nil && ctx.Err() == nil
	stop()
	switch {
	case err == nil:
	case interrupted && errors.Is(err, context.Canceled):
		fmt.Fprintln(s.c.Err, "interrupted")
		s.failed = true
	default:
		s.fail(err)
	}
}

func (s *Session) fail(err error) {
	s.failed = true
	s.c.Report(s.c.Err, err)
}

// timed runs an entry and says how long it took.
func (s *Session) timed(ctx context.Context, text string) {
	start := time.Now()
	s.eval(ctx, text)
	fmt.Fprintf(s.c.Out, "%s\n", short(time.Since(start)))
}

// short is a duration with three digits.
func short(d time.Duration) string {
	for _, u := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= u {
			return d.Round(u / 100).String()
		}
	}
	return d.String()
}
