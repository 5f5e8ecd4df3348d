package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// side is somebody who does jobs.
type side interface {
	// set gives a subject its state and C's p.
	set(subject string, u, p []float64) error
	// run does a job a number of times.
	run(job string, reps int) (outcome, error)
}

// process is a side that is a process. The requests and answers are described in main.c.
type process struct {
	cmd *exec.Cmd // nil in tests
	w   *bufio.Writer
	in  io.Closer
	r   *bufio.Reader
}

// startProcess runs a command that speaks the protocol, env added to the environment.
func startProcess(path string, args, env []string) (*process, error) {
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd, w: bufio.NewWriter(in), in: in, r: bufio.NewReader(out)}, nil
}

// close ends the process by the end of its input.
func (p *process) close() error {
	p.in.Close()
	if p.cmd == nil {
		return nil
	}
	return p.cmd.Wait()
}

// ask sends what is in the buffer as one line and reads one.
func (p *process) ask() (string, error) {
	p.w.WriteByte('\n')
	if err := p.w.Flush(); err != nil {
		return "", err
	}
	line, err := p.r.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the process gives no answer: %w", err)
	}
	line = strings.TrimSuffix(line, "\n")
	if why, bad := strings.CutPrefix(line, "error "); bad {
		return "", errors.New(why)
	}
	return line, nil
}

func (p *process) set(subject string, u, pv []float64) error {
	fmt.Fprintf(p.w, "set %s", subject)
	writeVector(p.w, u)
	writeVector(p.w, pv)
	_, err := p.ask()
	return err
}

func (p *process) run(job string, reps int) (outcome, error) {
	fmt.Fprintf(p.w, "run %s %d", job, reps)
	line, err := p.ask()
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	w := words(strings.Fields(line))
	o.ns, o.work, o.values = w.integer(), w.integer(), w.vector()
	if w == nil || o.ns < 0 || o.work < 1 {
		return o, fmt.Errorf("the answer makes no sense: %.80q", line)
	}
	return o, nil
}

// serve answers requests for a side until they end.
func serve(s side, r io.Reader, w io.Writer) error {
	in, out := bufio.NewReader(r), bufio.NewWriter(w)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answer(s, words(strings.Fields(line)), out); err != nil {
			fmt.Fprintf(out, "error %s", strings.ReplaceAll(err.Error(), "\n", " "))
		}
		out.WriteByte('\n')
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func answer(s side, w words, out *bufio.Writer) error {
	switch verb := w.word(); verb {
	case "set":
		name, u, p := w.word(), w.vector(), w.vector()
		if w == nil {
			return errors.New("numbers are missing")
		}
		if err := s.set(name, u, p); err != nil {
			return err
		}
		out.WriteString("ok")
		return nil
	case "run":
		name, reps := w.word(), w.integer()
		if w == nil || reps < 1 {
			return errors.New("no such job, or no repetitions")
		}
		o, err := s.run(name, int(reps))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%d %d", o.ns, o.work)
		writeVector(out, o.values)
		return nil
	default:
		return errors.New("the requests are set and run")
	}
}

// writeVector writes a length and as many numbers, hexadecimal: nothing is lost.
func writeVector(w *bufio.Writer, x []float64) {
	fmt.Fprintf(w, " %d", len(x))
	var buf [40]byte
	for _, v := range x {
		w.WriteByte(' ')
		w.Write(strconv.AppendFloat(buf[:0], v, 'x', -1, 64))
	}
}

// words are what is still to be read of a line; nil after a mistake.
type words []string

func (w *words) word() string {
	if len(*w) == 0 {
		*w = nil
		return ""
	}
	first := (*w)[0]
	*w = (*w)[1:]
	return first
}

func (w *words) integer() int64 {
	n, err := strconv.ParseInt(w.word(), 10, 64)
	if err != nil {
		*w = nil
		return -1
	}
	return n
}

func (w *words) vector() []float64 {
	n := w.integer()
	if n < 0 || n > int64(len(*w)) {
		*w = nil
		return nil
	}
	x := make([]float64, n)
	for i := range x {
		v, err := strconv.ParseFloat(w.word(), 64)
		if err != nil {
			*w = nil
			return nil
		}
		x[i] = v
	}
	return x
}
