package eval

import (
	"testing"
	"time"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/internal/large"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/stdlib"
)

func stages(tb testing.TB, text string) (parse, compile time.Duration) {
	tb.Helper()
	start := time.Now()
	f, errs := parser.Parse(diag.NewSource("large.udl", text))
	parse = time.Since(start)
	if errs.HasErrors() {
		tb.Fatal(errs)
	}
	table := stdlib.New()
	start = time.Now()
	m, errs := check.Model(f.Stmts[0].(*ast.Model), check.NewScope(), table)
	if errs.HasErrors() {
		tb.Fatal(errs)
	}
	if _, err := compiler.Compile(m, table); err != nil {
		tb.Fatal(err)
	}
	return parse, time.Since(start)
}

// A model of a thousand equations: parsed in 100 ms, checked and compiled in 150 ms on a machine of 2020. The test
// allows for slow machines and the race detector; the figures are printed.
func TestLargeModel(t *testing.T) {
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 3 {
		p, c := stages(t, large.Text(1000))
		best[0], best[1] = min(best[0], p), min(best[1], c)
	}
	t.Logf("parse %v, check and compile %v", best[0], best[1])
	if best[0] > 3*time.Second || best[1] > 5*time.Second {
		t.Errorf("far too slow")
	}
}

func BenchmarkParse1000(b *testing.B) {
	text := large.Text(1000)
	for b.Loop() {
		if _, errs := parser.Parse(diag.NewSource("large.udl", text)); errs.HasErrors() {
			b.Fatal(errs)
		}
	}
}

func BenchmarkCompile1000(b *testing.B) {
	text := large.Text(1000)
	for b.Loop() {
		stages(b, text)
	}
}
