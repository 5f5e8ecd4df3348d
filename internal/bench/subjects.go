package main

import (
	"embed"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib"
)

//go:embed models
var texts embed.FS

// subject is a model with the numbers that it is measured with.
type subject struct {
	name string
	file string   // in models
	size string   // what takes the place of 16 in dense.udl
	p    []string // the slots of θ in the order of C's p
	// u and th make the state and C's p.
	u, th func() []float64
}

// trajectories is the size of the ensemble.
const trajectories = 10_000

// subjects is THE list of subjects. Those of main.c bear the same names.
var subjects = []subject{
	{name: "lv", file: "lv.udl", p: []string{"alpha", "beta", "delta", "gamma"}, u: fixed(1, 1.2), th: fixed(1.5, 1, 1, 3)},
	{name: "lvs", file: "lv.udl", p: []string{"alpha", "beta", "delta", "gamma"}, u: fixed(1, 1.2), th: varied(trajectories, 1.5, 1, 1, 3)},
	{name: "ude", file: "ude.udl", p: []string{"alpha", "delta", "U.W1", "U.b1", "U.W2", "U.b2", "U.W3", "U.b3"},
		u: fixed(1, 1.2), th: join(fixed(1.3, 1.8), normal(57, 0.6))},
	{name: "node50", file: "node50.udl", p: []string{"f.W1", "f.b1", "f.W2", "f.b2"}, u: fixed(1, 0.7), th: normal(252, 0.5)},
	{name: "pollu", file: "pollu.udl", p: numbered("k", 25), u: ramp(20, 0.01),
		th: fixed(.35, 26.6, 12300, .00086, .00082, 15000, .00013, 24000, 16500, 9000, .022, 12000, 1.88, 16300, 4.8e6,
			.00035, .0175, 1e8, 4.44e11, 1240, 2.1, 5.78, .0474, 1780, 3.12)},
	{name: "bruss32", file: "bruss32.udl", p: []string{"A", "B", "D"}, u: normal(2048, 1), th: fixed(3.4, 1, 10)},
	dense(16), dense(64), dense(128), dense(256),
}

func dense(n int) subject {
	// Such weights give sums of ordinary size, where tanh has work to do.
	return subject{name: fmt.Sprintf("dense%d", n), file: "dense.udl", size: fmt.Sprint(n), p: []string{"W", "b"},
		u: normal(n, 1), th: normal(n*n+n, 1/math.Sqrt(float64(n)))}
}

func fixed(x ...float64) func() []float64 { return func() []float64 { return x } }

func ramp(n int, by float64) func() []float64 {
	return func() []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = by * float64(i+1)
		}
		return x
	}
}

func normal(n int, sd float64) func() []float64 {
	return func() []float64 {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		x := make([]float64, n)
		for i := range x {
			x[i] = sd * r.NormFloat64()
		}
		return x
	}
}

// varied repeats x, each number up to 20 % off.
func varied(n int, x ...float64) func() []float64 {
	return func() []float64 {
		r := rand.New(rand.NewPCG(2, uint64(n)))
		all := make([]float64, 0, n*len(x))
		for range n {
			for _, v := range x {
				all = append(all, v*(0.8+0.4*r.Float64()))
			}
		}
		return all
	}
}

func join(parts ...func() []float64) func() []float64 {
	return func() []float64 {
		var x []float64
		for _, p := range parts {
			x = append(x, p()...)
		}
		return x
	}
}

func numbered(name string, n int) []string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("%s%d", name, i+1))
	}
	return s
}

func findSubject(name string) (*subject, error) {
	for i := range subjects {
		if subjects[i].name == name {
			return &subjects[i], nil
		}
	}
	return nil, fmt.Errorf("there is no subject %q", name)
}

// model is a subject compiled, with its numbers.
type model struct {
	sys *system.System
	at  []int // where in θ each of C's p lies
	u   []float64
	p   []float64 // C's; for many trajectories one after the other
}

// modelText is a file of models.
func modelText(file string) string {
	b, err := texts.ReadFile("models/" + file)
	if err != nil {
		panic(err) // embedded
	}
	return string(b)
}

func (s *subject) text() string {
	if s.size == "" {
		return modelText(s.file)
	}
	return strings.Replace(modelText(s.file), "n = 16", "n = "+s.size, 1)
}

func (s *subject) load() (*model, error) {
	sys, err := compileText(s.file, s.text())
	if err != nil {
		return nil, err
	}
	m := &model{sys: sys, u: s.u(), p: s.th()}
	return m, m.arrange(s)
}

func compileModel(file string) (*system.System, error) { return compileText(file, modelText(file)) }

// compileText compiles the first model of a text.
func compileText(file, text string) (*system.System, error) {
	f, errs := parser.Parse(diag.NewSource(file, text))
	if err := errs.Err(); err != nil {
		return nil, err
	}
	table := stdlib.New()
	for _, st := range f.Stmts {
		a, ok := st.(*ast.Model)
		if !ok {
			continue
		}
		checked, errs := check.Model(a, check.NewScope(), table)
		if err := errs.Err(); err != nil {
			return nil, err
		}
		c, err := compiler.Compile(checked, table)
		if err != nil {
			return nil, err
		}
		return c.System, nil
	}
	return nil, fmt.Errorf("%s has no model", file)
}

// arrange finds C's p in θ, by names.
func (m *model) arrange(s *subject) error {
	for _, name := range s.p {
		sl := m.sys.Find(name, system.RoleParam, system.RoleWeight)
		if sl == nil {
			return fmt.Errorf("%s has no parameter %s", s.file, name)
		}
		for i := range sl.Size() {
			m.at = append(m.at, sl.Off+i)
		}
	}
	if len(m.u) != m.sys.NX || len(m.p) == 0 || len(m.p)%len(m.at) != 0 {
		return fmt.Errorf("%s: %d states and %d parameters are given, the model has %d and %d", s.name, len(m.u), len(m.p), m.sys.NX, len(m.at))
	}
	return nil
}

// theta is θ with trajectory k's p in it; what C does not know, such as a network's input scale, keeps its default.
func (m *model) theta(k int) []float64 {
	th := m.sys.Defaults()
	for i, at := range m.at {
		th[at] = m.p[k*len(m.at)+i]
	}
	return th
}

// startAt puts the subject's state into θ as the initial value, for those who take it from there.
func (m *model) startAt(th []float64) []float64 {
	for _, st := range m.sys.States {
		value, flag := m.sys.Find(st.Name, system.RoleInit), m.sys.Find(st.Name, system.RoleFlag)
		copy(th[value.Off:], m.u[st.Off:st.Off+st.Size()])
		for i := range flag.Size() {
			th[flag.Off+i] = 1
		}
	}
	return th
}

// inOrder picks C's p out of a vector like θ.
func (m *model) inOrder(th []float64) []float64 {
	p := make([]float64, len(m.at))
	for i, at := range m.at {
		p[i] = th[at]
	}
	return p
}
