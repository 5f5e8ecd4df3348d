package ptytest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Keys that are no letters.
const (
	Enter  = "\r"
	Tab    = "\t"
	CtrlC  = "\x03"
	CtrlD  = "\x04"
	Up     = "\x1b[A"
	Escape = "\x1b"
)

// patience is how long Expect waits; a busy machine is slow.
const patience = 20 * time.Second

// Term is a program at a terminal.
type Term struct {
	t      testing.TB
	master *os.File
	cmd    *exec.Cmd

	mu   sync.Mutex
	cond *sync.Cond
	out  bytes.Buffer // all that was shown, escape sequences removed
	raw  []byte       // what may be the beginning of an escape sequence
	end  error
	esc  int // how many escape sequences
	seen int // how much Expect has consumed
	done chan struct{}
	code int
}

// Start runs cmd with a terminal of 100 × 30 characters as its input, output and error. The program is ended
// with the test.
func Start(t testing.TB, cmd *exec.Cmd) *Term {
	t.Helper()
	master, slave, err := open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		master.Close()
		t.Fatal(err)
	}
	p := &Term{t: t, master: master, cmd: cmd, done: make(chan struct{})}
	p.cond = sync.NewCond(&p.mu)
	go p.read()
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.code = cmd.ProcessState.ExitCode()
		_ = err // the code says it
		p.mu.Unlock()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.done
		master.Close()
	})
	return p
}

// open makes a pair of master and slave.
func open() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	defer func() {
		if err != nil {
			master.Close()
		}
	}()
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	if err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
		return nil, nil, err
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	return master, slave, err
}

// escapes are the sequences that move the cursor, colour and clear.
var escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])`)

func (p *Term) read() {
	buf := make([]byte, 4096)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.raw = append(p.raw, buf[:n]...)
		p.esc += len(escapes.FindAllIndex(p.raw, -1))
		text := escapes.ReplaceAll(p.raw, nil)
		p.raw = nil
		if i := bytes.LastIndexByte(text, 0x1b); i >= 0 && len(text)-i < 12 {
			p.raw = append(p.raw, text[i:]...)
			text = text[:i]
		}
		p.out.Write(text)
		p.end = err
		p.cond.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Type presses keys.
func (p *Term) Type(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatalf("typing %q: %v; shown so far:\n%s", keys, err, p.Shown())
	}
}

// Line presses keys and Enter.
func (p *Term) Line(text string) { p.t.Helper(); p.Type(text + Enter) }

// Expect waits until the program has shown text, after what earlier calls waited for.
func (p *Term) Expect(text string) {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() {
		p.mu.Lock()
		if p.end == nil {
			p.end = errors.New("nothing more came in time")
		}
		p.cond.Broadcast()
		p.mu.Unlock()
	})
	defer timer.Stop()
	p.mu.Lock()
	for {
		rest := p.out.String()[p.seen:]
		if i := strings.Index(rest, text); i >= 0 {
			p.seen += i + len(text)
			p.mu.Unlock()
			return
		}
		if p.end != nil {
			shown, end := p.out.String(), p.end
			p.mu.Unlock()
			p.t.Fatalf("waiting for %q: %v; shown:\n%s", text, end, shown)
		}
		p.cond.Wait()
	}
}

// Shown is all that was shown so far.
func (p *Term) Shown() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// Escapes counts the escape sequences shown so far: colours, movements of the cursor.
func (p *Term) Escapes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.esc
}

// Interrupt is Ctrl-C while the program computes: the terminal makes a signal of it.
func (p *Term) Interrupt() { p.t.Helper(); p.Type(CtrlC) }

// Wait is the exit code, once the program has ended.
func (p *Term) Wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("the program does not end; shown:\n%s", p.Shown())
	}
	return p.code
}
