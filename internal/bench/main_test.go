package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// The test binary stands for the command where the lab starts itself as a child.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func testLab(t *testing.T, gcc string) *lab {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLab(root, gcc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	l.goal = time.Millisecond / 10
	return l
}

// Both sides compute the same from the same numbers, which are not those that they start with.
func TestSidesAgree(t *testing.T) {
	gcc := gccVersion()
	if gcc == "" {
		t.Skip("there is no gcc: nothing to compare udl with")
	}
	l := testLab(t, gcc)
	sides := map[string]side{}
	for _, name := range []string{udl, inC, off, pureGo} {
		s, err := l.side(name)
		if err != nil {
			t.Fatal(err)
		}
		sides[name] = s
	}
	for i := range subjects {
		sub := &subjects[i]
		u, p := sub.u(), sub.th()
		if sub.name == "lvs" {
			p = p[:4*7]
		}
		for k := range u {
			u[k] *= 1.01
		}
		for k := range p {
			p[k] *= 0.99
		}
		for name, s := range sides {
			if err := s.set(sub.name, append([]float64(nil), u...), append([]float64(nil), p...)); err != nil {
				t.Fatalf("%s on %s: %v", sub.name, name, err)
			}
		}
	}
	type comparison struct {
		job, c string // c is the job's name on the C side, "" for none
		tol    float64
	}
	list := []comparison{
		{"vjp/ude", "vjp/ude", exactly},
		{"step/lv", "step/lv", solved},
		{"step/lv", "step-specialised/lv", solved},
		{"rhs/pollu", "rhs-scalar/pollu", exactly},
		{"ensemble/lvs", "ensemble/lvs", solved},
		{"ensemble/lvs", "ensemble-specialised/lvs", solved},
		{"grad/ude", "", exactly},
	}
	for i := range subjects {
		if name := subjects[i].name; name != "lvs" {
			list = append(list, comparison{"rhs/" + name, "rhs/" + name, exactly})
		}
	}
	for _, c := range list {
		want, err := sides[udl].run(c.job, 3)
		if err != nil {
			t.Fatal(err)
		}
		x := append([]float64(nil), want.values...)
		for name, s := range sides {
			job := c.job
			if name == inC {
				if job = c.c; job == "" {
					continue
				}
			}
			got, err := s.run(job, 2)
			if err != nil {
				t.Errorf("%s on %s: %v", job, name, err)
				continue
			}
			if err := agree(meter{udl, c.job}, meter{name, job}, x, got.values, c.tol); err != nil {
				t.Error(err)
			}
		}
	}
}

// What differs is found, and so is a wrong number of numbers.
func TestAgree(t *testing.T) {
	a, b := meter{udl, "rhs/lv"}, meter{inC, "rhs/lv"}
	if err := agree(a, b, []float64{1, 1e9}, []float64{1 + 1e-12, 1e9 + 1e-2}, exactly); err != nil {
		t.Error(err)
	}
	var d *disagreement
	for _, y := range [][]float64{{1, 2}, {1 + 1e-6}, {math.NaN()}} {
		if err := agree(a, b, []float64{1}, y, exactly); !errors.As(err, &d) {
			t.Errorf("1 and %v are taken for the same", y)
		}
	}
	gcc := gccVersion()
	if gcc == "" {
		t.Skip("there is no gcc")
	}
	l := testLab(t, gcc)
	c, err := l.side(inC)
	if err != nil {
		t.Fatal(err)
	}
	l.given[[2]string{inC, "lv"}] = true // so that the lab leaves the wrong numbers in place
	if err := c.set("lv", []float64{1, 1.2}, []float64{1.5, 1, 1, 3.001}); err != nil {
		t.Fatal(err)
	}
	if _, err := ratio(a, exactly, b)(l, 1); !errors.As(err, &d) {
		t.Errorf("another parameter on one side gives %v, want a disagreement", err)
	}
}

// requests and what they are answered, by udl and by C.
var requests = []struct{ request, answer string }{
	{"run rhs/lv 1", ""}, // C has no numbers yet, udl has
	{"set lv 2 1 0x1p1 4 1 1 1 1", "ok"},
	{"run rhs/lv 2", "2 -1 0"},
	{"set lv 2 3 4 4 1 0 0 1", "ok"},
	{"run rhs/lv 2", "2 3 -4"},
	{"set lv 2 1", "error"},
	{"set lv 2 1 1 4 1 1", "error"},
	{"set lv x", "error"},
	{"set nothing 1 1 1 1", "error"},
	{"set", "error"},
	{"run rhs/nothing 1", "error"},
	{"run nothing/lv 1", "error"},
	{"run rhs/lv 0", "error"},
	{"run rhs/lv", "error"},
	{"run", "error"},
	{"measure", "error"},
}

// checkAnswer compares an answer: of a run, its work and values.
func checkAnswer(t *testing.T, who, request, answer, want string) {
	t.Helper()
	if want == "" {
		return
	}
	if want == "ok" || want == "error" {
		if first, rest, _ := strings.Cut(answer, " "); first != want || want == "error" && rest == "" {
			t.Errorf("%s answers %q to %q, want %s", who, answer, request, want)
		}
		return
	}
	w := words(strings.Fields(answer))
	ns, work, values := w.integer(), w.integer(), w.vector()
	v := words(append([]string{"2"}, strings.Fields(want)[1:]...))
	if w == nil || ns < 0 || work != 2 {
		t.Fatalf("%s answers %q to %q", who, answer, request)
	}
	if err := agree(meter{who, request}, meter{"the test", request}, values, v.vector(), exactly); err != nil {
		t.Error(err)
	}
}

// Every request is answered by one line, the senseless ones too.
func TestProtocol(t *testing.T) {
	in := ""
	for _, r := range requests {
		in += r.request + "\n"
	}
	var out bytes.Buffer
	if err := serve(newInside(""), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(requests) {
		t.Fatalf("%d answers to %d requests", len(lines), len(requests))
	}
	for i, r := range requests {
		checkAnswer(t, "udl", r.request, lines[i], r.answer)
	}

	gcc := gccVersion()
	if gcc == "" {
		t.Skip("there is no gcc: C's answers are not tested")
	}
	s, err := testLab(t, gcc).side(inC)
	if err != nil {
		t.Fatal(err)
	}
	p := s.(*process)
	for _, r := range requests {
		p.w.WriteString(r.request)
		line, err := p.ask()
		if err != nil {
			line = "error " + err.Error()
		}
		checkAnswer(t, "C", r.request, line, r.answer)
		if r.answer == "error" && strings.HasPrefix(r.request, "set lv") {
			break // C forgets its numbers then, udl keeps them
		}
	}
}

// A process that dies or talks nonsense is an error, not a figure.
func TestBadAnswers(t *testing.T) {
	for _, answer := range []string{"", "hello\n", "1 2\n", "1 2 3 4\n", "-1 2 0\n", "1 0 0\n", "1 2 1 x\n", "error out of order\n"} {
		p := &process{w: bufio.NewWriter(io.Discard), r: bufio.NewReader(strings.NewReader(answer))}
		if o, err := p.run("rhs/lv", 1); err == nil {
			t.Errorf("%q is taken for %v", answer, o)
		}
	}
}

// Without gcc udl's times stand alone.
func TestWithoutC(t *testing.T) {
	l := testLab(t, "")
	for _, m := range []measure{ratio(meter{udl, "rhs/lv"}, exactly, meter{inC, "rhs/lv"}), layer(16)} {
		f, err := m(l, 1)
		if err != nil || f.absent != "no C" || !strings.HasPrefix(f.detail, "udl ") {
			t.Errorf("%+v, %v", f, err)
		}
		if v := atMost(1).verdict(f); v != "" {
			t.Errorf("the verdict is %q", v)
		}
	}
}

// The table of rows is in order, and the command prints what it says.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range rows {
		if r.name == "" || seen[r.name] || r.measure == nil || i == 0 && r.what == "" {
			t.Errorf("row %d, %q, has no name of its own or nothing to measure", i, r.name)
		}
		seen[r.name] = true
	}
	var out, errs bytes.Buffer
	if err := run([]string{"-json", "-rounds", "1", "-row", "^(gallery/compile|allocs/.*)$"}, nil, &out, &errs); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var got struct {
		Machine machine
		Figures []result
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Figures) != 5 || got.Machine.Go == "" {
		t.Errorf("%d figures on %v", len(got.Figures), got.Machine)
	}
	for _, args := range [][]string{{"-row", "("}, {"-row", "no such row"}, {"-rounds", "0"}, {"-write", "-row", "rhs"}, {"-what"}} {
		if err := run(args, nil, io.Discard, io.Discard); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		b    bound
		v    float64
		want string
	}{{atMost(1.1), 1.1, "ok"}, {atMost(1.1), 1.2, "short"}, {atLeast(0.5), 0.5, "ok"}, {atLeast(0.5), 0.4, "short"}, {bound{}, 3, ""}, {atMost(0), 0, "ok"}, {atMost(0), 1, "short"}} {
		if got := c.b.verdict(spread([]float64{c.v})); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.v, c.b, got, c.want)
		}
	}
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("the median is %v", m)
	}
}
