package compiler_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/internal/large"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib"
)

// positive is a point where the system's functions are smooth.
func positive(s *system.System, seed uint64) (x, th []float64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	th = s.Defaults()
	s.Randomize(th, seed)
	x = make([]float64, s.NX)
	for i := range x {
		x[i] = 0.1 + rng.Float64()
	}
	return x, th
}

// TestJacobian compares every entry with directional derivatives and with differences, on the problems, the shapes and the gallery, in both back ends.
func TestJacobian(t *testing.T) {
	texts := maps.Clone(problems)
	maps.Copy(texts, shapes)
	texts["large"] = large.Text(150)
	files, err := filepath.Glob("../models/*.udl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no gallery: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(f)] = string(b)
	}
	for name, text := range texts {
		for _, how := range []code.Options{{}, {Portable: true}} {
			for _, c := range compileAll(t, text, how, stdlib.New()) {
				checkJacobian(t, name+", "+c.System.Name, c.System)
			}
		}
	}
}

func checkJacobian(t *testing.T, name string, s *system.System) {
	t.Helper()
	if s.Jacobian == nil || s.Pattern == nil {
		t.Errorf("%s has no Jacobian", name)
		return
	}
	const at = 0.7
	x, th := positive(s, 3)
	p, j, f := s.Pattern, s.Jacobian(), s.RHS.Clone()
	v, ft := make([]float64, p.NNZ()), make([]float64, s.NX)
	j.Prepare(th)
	j.Eval(v, ft, at, x)
	again := make([]float64, p.NNZ())
	j.Eval(again, nil, at, x)
	unit, want := make([]float64, s.NX), make([]float64, s.NX)
	up, down := make([]float64, s.NX), make([]float64, s.NX)
	f.Prepare(th)
	compare := func(what string, got, exact, differences, scale float64) {
		if !(math.Abs(got-exact) <= 1e-11*(math.Abs(exact)+scale*1e-3)) {
			t.Errorf("%s: %s is %v, the directional derivative %v", name, what, got, exact)
		}
		if !(math.Abs(got-differences) <= 2e-5*(math.Abs(got)+scale)) {
			t.Errorf("%s: %s is %v, by differences %v", name, what, got, differences)
		}
	}
	scale := 0.0
	for _, e := range v {
		scale = math.Max(scale, math.Abs(e))
	}
	for c := range s.NX {
		if s.NX > 1000 && c%97 != 0 {
			continue
		}
		unit[c] = 1
		f.JVP(want, at, x, nil, 0, unit, nil)
		unit[c] = 0
		h, was := 1e-6*math.Max(x[c], 1e-3), x[c]
		x[c] = was + h
		f.Eval(up, at, x, nil)
		x[c] = was - h
		f.Eval(down, at, x, nil)
		x[c] = was
		rows, first := p.Column(c)
		for r, k := 0, 0; r < s.NX; r++ {
			if k < len(rows) && int(rows[k]) == r {
				compare("an entry", v[first+k], want[r], (up[r]-down[r])/(2*h), math.Max(1, scale))
				if again[first+k] != v[first+k] {
					t.Errorf("%s: without ∂f/∂t an entry is another", name)
				}
				k++
				continue
			}
			if want[r] != 0 {
				t.Errorf("%s: entry (%d, %d) is %v, and not in the pattern", name, r, c, want[r])
			}
		}
		if t.Failed() {
			return
		}
	}
	f.JVP(want, at, x, nil, 1, nil, nil)
	const h = 1e-6
	f.Eval(up, at+h, x, nil)
	f.Eval(down, at-h, x, nil)
	for r := range ft {
		compare("∂f/∂t", ft[r], want[r], (up[r]-down[r])/(2*h), math.Max(1, scale))
	}
	// Another θ is another Jacobian; and nothing is allocated.
	for i := range th {
		th[i] *= 1.1
	}
	j.Prepare(th)
	if n := testing.AllocsPerRun(10, func() { j.Eval(v, ft, at, x) }); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
	f.Prepare(th)
	rows, first := p.Column(0)
	unit[0] = 1
	f.JVP(want, at, x, nil, 0, unit, nil)
	for k, r := range rows {
		compare("an entry for another θ", v[first+k], want[r], v[first+k], math.Max(1, scale))
	}
	// What is not finite stays so, and where it is.
	x[0] = math.NaN()
	j.Eval(v, ft, at, x)
	x[0] = 0.5
	j.Eval(again, nil, at, x)
	for _, e := range again {
		if math.IsNaN(e) {
			t.Errorf("%s: NaN outlives its state", name)
			break
		}
	}
}

func BenchmarkJacobian(b *testing.B) {
	for _, name := range []string{"robertson", "hires", "pollu", "bruss1d", "bruss2d", "dense60"} {
		s := compileWith(b, problems[name], code.Options{}).System
		x, th := positive(s, 1)
		z, v := make([]float64, s.NX), make([]float64, s.Pattern.NNZ())
		f, j := s.RHS.Clone(), s.Jacobian()
		f.Prepare(th)
		j.Prepare(th)
		b.Run(name+"/rhs", func(b *testing.B) {
			for b.Loop() {
				f.Eval(z, 0, x, nil)
			}
		})
		b.Run(name+"/jacobian", func(b *testing.B) {
			for b.Loop() {
				j.Eval(v, nil, 0, x)
			}
		})
		b.Run(name+"/make", func(b *testing.B) {
			for b.Loop() {
				j := compileWith(b, problems[name], code.Options{}).System.Jacobian()
				j.Prepare(th)
				j.Eval(v, nil, 0, x)
			}
		})
		b.Run(name+"/compile", func(b *testing.B) {
			for b.Loop() {
				compileWith(b, problems[name], code.Options{})
			}
		})
	}
}

// TestJacobianByDifferences has a registered function without a derivative, beside the same model in the language; and one that exists on one side only.
func TestJacobianByDifferences(t *testing.T) {
	const text = `model M { param k = 3; state x = 2, y = 0.5, z = 1; x' = -k*f(x)*y + t; y' = f(y) - z; z' = -z*t^2 }`
	plain := compileWith(t, strings.NewReplacer("f(x)", "x^1.5", "f(y)", "y^1.5").Replace(text), code.Options{}).System
	f := &ir.External{Name: "f", N: 1, Eval: func(x []float64) float64 { return math.Pow(x[0], 1.5) }}
	s := compileTable(t, text, code.Options{}, stdlib.New().With(f)).System
	th := s.Defaults()
	for _, x := range [][]float64{{2, 0.5, 1}, {30, 1e-2, -7}, {1, 0, 0}} {
		got, want := make([]float64, s.Pattern.NNZ()), make([]float64, s.Pattern.NNZ())
		ft, wt := make([]float64, 3), make([]float64, 3)
		a, b := s.Jacobian(), plain.Jacobian()
		a.Prepare(th)
		b.Prepare(th)
		a.Eval(got, ft, 1.5, x)
		b.Eval(want, wt, 1.5, x)
		for i := range got {
			// At 0 the power has a slope to one side only, of the order of the step's root.
			if !(math.Abs(got[i]-want[i]) <= 1e-8*(1+math.Abs(want[i]))) && !(x[1] == 0 && math.Abs(got[i]) < 1e-3 && want[i] == 0) {
				t.Errorf("at %v entry %d is %v, not %v", x, i, got[i], want[i])
			}
		}
		for i := range ft {
			if !(math.Abs(ft[i]-wt[i]) <= 1e-8*(1+math.Abs(wt[i]))) {
				t.Errorf("at %v ∂f/∂t is %v, not %v", x, ft, wt)
			}
		}
		if n := testing.AllocsPerRun(10, func() { a.Eval(got, ft, 1.5, x) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	for _, m := range rosenbrocks() {
		if s.Stepping(m) != nil {
			t.Errorf("%s has whole steps of what has no code", m.Name)
		}
	}
}
