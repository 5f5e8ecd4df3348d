package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
)

// large is a model of n equations, each of a handful of terms, with lets between them; with units when unit is not empty.
func large(n int, unit string) string {
	var b strings.Builder
	rate := ""
	if unit != "" {
		rate = " : 1/h"
		unit = " : " + unit
	}
	b.WriteString("fn hill(x, k) = x/(k + x)\nmodel Large {\n")
	for i := range n {
		fmt.Fprintf(&b, "  param k%d%s = 0.%d in 0..10\n  state x%d%s = %d\n", i, rate, i+1, i, unit, i)
		fmt.Fprintf(&b, "  let v%d = k%d*x%d*hill(x%d, x%d)\n", i, (i+7)%n, i, (i+3)%n, (i+1)%n)
	}
	for i := range n {
		fmt.Fprintf(&b, "  x%d' = v%d - 2*k%d*x%d + v%d/3\n", i, (i+1)%n, i, i, (i+n-1)%n)
	}
	b.WriteString("}\n")
	return b.String()
}

func parsed(t testing.TB, text string) (*ast.Model, *Scope) {
	t.Helper()
	f, errs := parser.Parse(diag.NewSource("large.udl", text))
	if errs.HasErrors() {
		t.Fatal(errs[0])
	}
	for _, s := range f.Stmts {
		if m, ok := s.(*ast.Model); ok {
			return m, scopeOf(f)
		}
	}
	t.Fatal("no model")
	return nil, nil
}

// A thousand equations check in 20 ms; the bound of the test is wide, since machines and the race detector differ. That
// the time grows with the size and not with its square shows the second bound.
func TestLarge(t *testing.T) {
	env := testEnv()
	best := func(n int, unit string) time.Duration {
		m, sc := parsed(t, large(n, unit))
		least := time.Hour
		for range 5 {
			start := time.Now()
			if _, errs := Model(m, sc, env); len(errs) > 0 {
				t.Fatal(errs[0])
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	for _, unit := range []string{"", "g"} {
		ok := false
		for try := 0; try < 4 && !ok; try++ { // other work on the machine may slow one of the two
			small, big := best(1000, unit), best(4000, unit)
			t.Logf("unit %q: 1000 equations in %v, 4000 in %v", unit, small, big)
			ok = small <= time.Second && big <= 12*small+200*time.Millisecond
		}
		if !ok {
			t.Errorf("unit %q: the time does not grow with the size alone", unit)
		}
	}
}

func BenchmarkModel1000(b *testing.B) {
	for _, unit := range []string{"", "g"} {
		m, sc := parsed(b, large(1000, unit))
		env := testEnv()
		b.Run("unit="+unit, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, errs := Model(m, sc, env); len(errs) > 0 {
					b.Fatal(errs[0])
				}
			}
		})
	}
}

// Functions of functions that double with each level are stopped.
func TestGrowth(t *testing.T) {
	var b strings.Builder
	b.WriteString("fn f0(x) = x + 1\n")
	for i := range 40 {
		fmt.Fprintf(&b, "fn f%d(x) = f%d(x)*f%d(x)\n", i+1, i, i)
	}
	b.WriteString("model M { state x = 1; x' = f40(x) }\n")
	m, sc := parsed(t, b.String())
	_, errs := Model(m, sc, testEnv())
	if len(errs) == 0 || errs[0].Code != "E0232" {
		t.Fatalf("%d errors: %v", len(errs), errs)
	}
	if len(errs) > 1 {
		t.Errorf("told %d times", len(errs))
	}
}

// A circle of many lets is told in one line, and deep chains do not exhaust the stack.
func TestChains(t *testing.T) {
	var b strings.Builder
	n := 20000
	b.WriteString("model M {\n state x : m = 1\n")
	for i := range n {
		fmt.Fprintf(&b, " let v%d = v%d + x\n", i, (i+1)%n)
	}
	b.WriteString(" x' = -v0\n}\n")
	m, sc := parsed(t, b.String())
	_, errs := Model(m, sc, testEnv())
	if len(errs) != 1 || errs[0].Code != "E0209" || len(errs[0].Labels[0].Text) > 300 {
		t.Errorf("%d errors, first %v", len(errs), errs[0])
	}
	b.Reset()
	b.WriteString("model M {\n state x = 1\n")
	for i := range n {
		fmt.Fprintf(&b, " let v%d = v%d + x\n", i, i+1)
	}
	fmt.Fprintf(&b, " let v%d = x\n x' = -v0 + %s1\n}\n", n, strings.Repeat("x + ", 5000))
	m, sc = parsed(t, b.String())
	if _, errs := Model(m, sc, testEnv()); len(errs) > 0 {
		t.Errorf("%v", errs[0])
	}
}

// No text makes the checker panic or loop, and what it reports lies in the text.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.udl", "../../models/*.udl"} {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			if b, err := os.ReadFile(n); err == nil {
				f.Add(string(b))
			}
		}
	}
	for _, r := range diag.Codes() {
		f.Add(r.Example)
	}
	env := testEnv()
	f.Fuzz(func(t *testing.T, text string) {
		file, _ := parser.Parse(diag.NewSource("fuzz.udl", text))
		if file == nil {
			return
		}
		sc := scopeOf(file)
		for _, s := range file.Stmts {
			switch s := s.(type) {
			case *ast.Model:
				m, errs := Model(s, sc, env)
				if (m == nil) != errs.HasErrors() {
					t.Fatal("a model and errors")
				}
				for _, d := range errs {
					if sp := d.Span(); sp.Src == nil || sp.Lo < 0 || sp.Hi > len(text) || sp.Lo > sp.Hi {
						t.Fatalf("place of %v", d)
					}
				}
			case *ast.Assign:
				if l, ok := s.Value.(*ast.Lambda); ok {
					Lambda(l, sc, env, solution{})
				} else {
					Expr(s.Value, sc, env)
				}
			}
		}
	})
}
