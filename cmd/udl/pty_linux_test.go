package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/repl/ptytest"
)

// slow is a fit that would take hours.
const slow = `model Slow { param k = 1; state x = 1; x' = -k*x }
a = fit(Slow, t = 0..1 by 0.1, loss = s -> (s.x[end] - 0.5)^2, train = adam(rate = 1e-9, iters = 100000000))
`

func terminal(t *testing.T, dir string, args ...string) *ptytest.Term {
	cmd := self(t, args...)
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=", "XDG_STATE_HOME="+dir)
	cmd.Dir = dir
	return ptytest.Start(t, cmd)
}

// The prompt as a person meets it.
func TestPrompt(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "decay.udl"), []byte("model Decay { param rate = 2; state x = 1; x' = -rate*x }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := terminal(t, dir)
	p.Expect("udl> ")

	// A file, its name completed; more lines while a brace is open.
	p.Line(":load dec" + ptytest.Tab)
	p.Expect("decay.udl")
	p.Expect("udl> ")
	p.Line("model Growth {")
	p.Expect("...  ")
	p.Line("state y = 1")
	p.Line("y' = y")
	p.Line("}")
	p.Expect("udl> ")
	p.Line(":model")
	p.Expect("Decay")
	p.Expect("Growth")

	// Names, verbs, parts and named arguments are completed.
	p.Type("s = sol" + ptytest.Tab)
	p.Expect("solve")
	p.Type("(Dec" + ptytest.Tab)
	p.Expect("Decay")
	p.Type(", t = 0..1, rto" + ptytest.Tab)
	p.Expect("rtol = ")
	p.Line("1e-10)")
	p.Expect("udl> ")
	p.Line("s.x[1]")
	p.Expect("\r\n1\r\n")
	p.Type("Decay.ra" + ptytest.Tab)
	p.Expect("Decay.rate")
	p.Line("")
	p.Expect("\r\n2\r\n")

	// A solution shows itself as a table and a plot, an error its place; the session goes on.
	p.Line("solve(Growth, t = 0..1 by 0.5)")
	p.Expect("2.71828")
	p.Expect("┤")
	p.Line("solve(Grwth, t = 0..1)")
	p.Expect("`Grwth`")
	p.Expect("^")
	p.Line("1 + 1")
	p.Expect("\r\n2\r\n")
	p.Line("help Tsit5")
	p.Expect("Tsitouras")

	// History goes back over entries, one of several lines in one.
	p.Type(strings.Repeat(ptytest.Up, 2))
	p.Expect("1 + 1")
	p.Type(ptytest.CtrlC)
	p.Expect("^C")
	p.Line("x = [1,")
	p.Expect("...  ")
	p.Line("7]")
	p.Expect("udl> ")
	p.Type(ptytest.Up)
	p.Expect("x = [1, 7]")
	p.Type(ptytest.CtrlC)
	p.Expect("^C")

	// Ctrl-C stops the computation, keeps what it has, and the prompt stays.
	p.Line(strings.Split(slow, "\n")[0])
	p.Line(strings.Split(slow, "\n")[1])
	p.Expect("fit Slow adam")
	p.Interrupt()
	p.Expect("the best so far is kept")
	p.Expect("udl> ")
	p.Line("a.k > 0")
	p.Expect("true")
	p.Expect("udl> ")

	p.Type(ptytest.CtrlD)
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Ctrl-C during a run: the fit ends with its best, the run goes on; the next one ends it.
func TestRunInterrupted(t *testing.T) {
	dir := t.TempDir()
	text := slow + "print(\"after the first\", a.k > 0)\ns = solve(Slow, t = 0..1)\nprint(\"solved\")\n" + strings.ReplaceAll(slow, "Slow", "Slow2") + "print(\"never\")\n"
	if err := os.WriteFile(filepath.Join(dir, "slow.udl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := terminal(t, dir, "run", "slow.udl")
	p.Expect("fit Slow adam")
	p.Expect("loss 0.0")
	p.Interrupt()
	p.Expect("Ctrl-C again ends at once")
	p.Expect("after the first true")
	p.Expect("solved")
	p.Expect("fit Slow2 adam")
	p.Interrupt()
	if code := p.Wait(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(p.Shown(), "never") {
		t.Errorf("it went on:\n%s", p.Shown())
	}
}

// Ctrl-C with a checkpoint: the last state is written, and the same run goes on from it to its end.
func TestRunInterruptedWithCheckpoint(t *testing.T) {
	dir := t.TempDir()
	text := "model Slow { param k = 1; state x = 1; x' = -k*x }\na = fit(Slow, {t: [0, 1, 2], x: [1, 0.5, 0.2]}, train = adam(rate = 1e-4, iters = 20000), checkpoint = \"run.ckpt\")\nprint(a.report)\nprint(\"made\", a.report.iterations)\n"
	if err := os.WriteFile(filepath.Join(dir, "slow.udl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := terminal(t, dir, "run", "slow.udl")
	p.Expect("fit Slow adam")
	p.Expect("s left") // so some iterations are made
	p.Interrupt()
	p.Expect("Ctrl-C again ends at once")
	p.Expect("goes on from its checkpoint")
	p.Expect("made ")
	p.Expect("a training was stopped before its end")
	if code := p.Wait(); code != exitError {
		t.Errorf("exit code %d", code)
	}
	p = terminal(t, dir, "run", "slow.udl")
	p.Expect("gone on from a checkpoint after ")
	p.Expect("made 20000")
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Between verbs one Ctrl-C ends the run.
func TestRunInterruptedBetween(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "loop.udl"), []byte("print(\"go\")\nn = 0\nfor i in 1..10000 { for j in 1..10000 { n = n + 1 } }\nprint(\"never\")\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := terminal(t, dir, "run", "loop.udl")
	p.Expect("go")
	time.Sleep(50 * time.Millisecond) // print is a verb, too: let it end
	p.Interrupt()
	p.Expect("interrupted")
	if code := p.Wait(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

// At a terminal there are colours, unless declined.
func TestColours(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.udl"), []byte("plot([1, 2])\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want bool
	}{{[]string{"run", "p.udl"}, true}, {[]string{"run", "--no-color", "p.udl"}, false}} {
		p := terminal(t, dir, c.args...)
		p.Expect("┬")
		p.Wait()
		if got := p.Escapes() > 0; got != c.want {
			t.Errorf("udl %v: colours %v", c.args, got)
		}
	}
}
