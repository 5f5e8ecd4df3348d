package repl

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"testing"

	"github.com/udl-lang/udl/repl/ptytest"
)

// TestMain lets the test binary be the program at the terminal, too.
func TestMain(m *testing.M) {
	if os.Getenv("UDL_TEST_PROMPT") != "" {
		os.Exit(prompt())
	}
	os.Exit(m.Run())
}

// prompt is a session with the toy evaluator at the terminal.
func prompt() int {
	s := New(Config{Engine: newToy(), Out: os.Stdout, Err: os.Stderr, Interactive: true, Greeting: "hello",
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, os.Interrupt)
		}})
	ed, err := NewEditor(EditorOptions{History: HistoryFile(), Complete: s.Complete})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer ed.Close()
	return s.Run(context.Background(), ed)
}

func start(t *testing.T, state string) *ptytest.Term {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "UDL_TEST_PROMPT=1", "TERM=xterm", "XDG_STATE_HOME="+state)
	p := ptytest.Start(t, cmd)
	p.Expect("hello")
	p.Expect(Prompt)
	return p
}

func TestTerminal(t *testing.T) {
	state := t.TempDir()
	p := start(t, state)

	// Completion: a unique rest is filled in.
	p.Line("alphabet = 20")
	p.Expect(Prompt)
	p.Type("alph" + ptytest.Tab)
	p.Expect("alphabet")
	p.Line(" + 1")
	p.Expect("21")

	// Several candidates are listed after their common part.
	p.Type("so" + ptytest.Tab)
	p.Expect("sol")
	p.Type(ptytest.Tab)
	p.Expect("solution")
	p.Type(ptytest.CtrlC) // leaves the list
	p.Type(ptytest.CtrlC) // clears the line
	p.Expect("^C")
	p.Expect(Prompt)
	p.Line("1 + 2")
	p.Expect("\n3")

	// More lines while a bracket is open; Ctrl-C throws them away.
	p.Line("(4 +")
	p.Expect(Continuation)
	p.Line("5)")
	p.Expect("\n9")
	p.Line("(4 +")
	p.Expect(Continuation)
	p.Type(ptytest.CtrlC)
	p.Expect(Prompt)
	p.Line("10 + 1")
	p.Expect("\n11")

	// An error leaves the session as it was.
	p.Line("beta + 1")
	p.Expect("unknown name `beta`")
	p.Expect(Prompt)
	p.Line("alphabet")
	p.Expect("\n20")

	// History: the last entry again, then the one of two lines, in one.
	p.Type(ptytest.Up)
	p.Expect("alphabet")
	p.Type(ptytest.Up + ptytest.Up + ptytest.Up)
	p.Expect("(4 + 5)")
	p.Type(ptytest.Enter)
	p.Expect("\n9")

	// Ctrl-C ends the computation and not the prompt.
	p.Line("forever")
	p.Expect("computing")
	p.Interrupt()
	p.Expect("interrupted")
	p.Expect(Prompt)
	p.Line("alphabet + 2")
	p.Expect("\n22")
	p.Expect(Prompt)

	// Ctrl-D while something is computed is not one at the prompt.
	p.Line("forever")
	p.Expect("computing")
	p.Type(ptytest.CtrlD)
	p.Interrupt()
	p.Expect("interrupted")
	p.Expect(Prompt)
	p.Line("5 + 5")
	p.Expect("\n10")
	p.Expect(Prompt)
	p.Type(ptytest.CtrlD)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	// The history outlives the session.
	q := start(t, state)
	q.Type(ptytest.Up)
	q.Expect("5 + 5")
	q.Type(ptytest.CtrlC)
	q.Expect(Prompt)
	q.Line(":quit")
	if code := q.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
