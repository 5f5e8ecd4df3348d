package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The sides, and how a report calls them.
const (
	udl    = "udl"             // in this process
	inC    = "C"               // the C side
	cvode  = "CVODE"           // SUNDIALS', which is C too
	off    = "UDL_NATIVE=off"  // udl without generated code
	pureGo = "UDL_KERNELS=off" // udl without generated code and without assembly
)

// errNoC is why there is no C side.
var errNoC = errors.New("there is no gcc")

// meter is a job on a side.
type meter struct{ side, job string }

func (m meter) subject() string {
	_, s, _ := strings.Cut(m.job, "/")
	return s
}

// lab keeps the sides. They are started when first needed.
type lab struct {
	root  string // of the module
	dir   string // for what is built
	gcc   string // its version, "" when there is none
	sides map[string]side
	given map[[2]string]bool // which subjects a side knows the numbers of
	reps  map[meter]int
	goal  time.Duration // of one measurement
	works []work        // the work–precision curves measured, for the document's plots
}

func newLab(root, gcc string) (*lab, error) {
	dir, err := os.MkdirTemp("", "udl-bench-")
	if err != nil {
		return nil, err
	}
	return &lab{root: root, dir: dir, gcc: gcc, goal: 12 * time.Millisecond,
		sides: map[string]side{udl: newInside(root)}, given: map[[2]string]bool{}, reps: map[meter]int{}}, nil
}

// close ends the processes and removes what was built.
func (l *lab) close() {
	for _, s := range l.sides {
		if p, ok := s.(*process); ok {
			p.close()
		}
	}
	os.RemoveAll(l.dir)
}

func (l *lab) side(name string) (side, error) {
	if s := l.sides[name]; s != nil {
		return s, nil
	}
	s, err := l.startSide(name)
	if err == nil {
		l.sides[name] = s
	}
	return s, err
}

func (l *lab) startSide(name string) (*process, error) {
	if name == inC {
		if l.gcc == "" {
			return nil, errNoC
		}
		bin, err := buildC(l.dir)
		if err != nil {
			return nil, err
		}
		return startProcess(bin, nil, nil)
	}
	if name == cvode {
		bin, err := buildCVODE(l.dir)
		if err != nil {
			return nil, err
		}
		return startProcess(bin, nil, nil)
	}
	env := []string{"UDL_NATIVE=off"}
	if name == pureGo {
		env = append(env, "UDL_KERNELS=off")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startProcess(self, []string{childArg}, env)
}

// once does a job a number of times.
func (l *lab) once(m meter, reps int) (outcome, error) {
	s, err := l.side(m.side)
	if err != nil {
		return outcome{}, err
	}
	key := [2]string{m.side, m.subject()}
	if m.side != udl && !l.given[key] {
		if sub, err := findSubject(m.subject()); err == nil {
			if err := s.set(sub.name, sub.u(), sub.th()); err != nil {
				return outcome{}, fmt.Errorf("%s on %s: %w", m.job, m.side, err)
			}
		}
		l.given[key] = true
	}
	o, err := s.run(m.job, reps)
	if err != nil {
		return o, fmt.Errorf("%s on %s: %w", m.job, m.side, err)
	}
	return o, nil
}

// measure does a job as often as fits into the goal.
func (l *lab) measure(m meter) (outcome, error) {
	if l.reps[m] == 0 {
		n := 1
		for {
			o, err := l.once(m, n)
			if err != nil {
				return o, err
			}
			if o.ns*4 >= l.goal.Nanoseconds() {
				l.reps[m] = max(1, int(float64(n)*float64(l.goal)/float64(o.ns)))
				break
			}
			n *= 4
		}
	}
	return l.once(m, l.reps[m])
}

// command builds the command udl once and gives its path.
func (l *lab) command() (string, error) {
	bin := filepath.Join(l.dir, "udl")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/udl")
	cmd.Dir = l.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/udl: %w\n%s", err, out)
	}
	return bin, nil
}

// moduleRoot is the folder of go.mod above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(b), "module github.com/udl-lang/udl\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run it inside the module github.com/udl-lang/udl: the gallery and the command are measured too")
		}
		dir = up
	}
}
