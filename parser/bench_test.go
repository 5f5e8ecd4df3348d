package parser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// chain is a model of n equations.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("model Chain {\n  param k = 0.5 in 0..5 \"rate\"\n")
	for i := range n {
		fmt.Fprintf(&b, "  state x%d = %d\n", i, i)
	}
	for i := range n {
		fmt.Fprintf(&b, "  x%d' = -k*x%d + 0.25*x%d*(1 - x%d/10) + sin(t)^2\n", i, i, (i+1)%n, (i+2)%n)
	}
	b.WriteString("}\n")
	return b.String()
}

func BenchmarkParse1000(b *testing.B) {
	text := chain(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Parse(diag.NewSource("chain", text)); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

func BenchmarkFormat1000(b *testing.B) {
	f, _ := Parse(diag.NewSource("chain", chain(1000)))
	for b.Loop() {
		ast.Format(f)
	}
}

// What a process pays once for the grammars it uses, here all of them.
func BenchmarkBuildGrammars(b *testing.B) {
	for b.Loop() {
		for _, r := range []rule{row[modelG](rule{}), row[quantityG](rule{}), row[letG](rule{}), row[unknownG](rule{}), row[whenG](rule{}), row[plainG](rule{})} {
			r.syntax()
		}
	}
}
