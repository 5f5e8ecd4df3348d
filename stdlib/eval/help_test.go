package eval

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/method"
)

// Help on a solver, in any case, says its order, how stable it is, when to use it and where it comes from.
func TestHelpOnSolvers(t *testing.T) {
	in, _ := session(t)
	table, ok := in.Help("solvers")
	if !ok {
		t.Error("there is no table of solvers")
	}
	for _, row := range method.Solvers() {
		m := row.Info()
		text, ok := in.Help(strings.ToLower(m.Name))
		want := []string{m.Name, strings.TrimSpace(m.Doc), m.Cite}
		if m.Family != method.Automatic {
			want = append(want, "stability: "+m.Stability, m.Family.String(), "Order ", fmt.Sprint(m.Order))
			if !strings.Contains(table, m.Name+" ") {
				t.Errorf("the table of solvers lacks %s:\n%s", m.Name, table)
			}
		}
		for _, w := range want {
			if !ok || !strings.Contains(text, w) {
				t.Errorf("help on %s lacks %q:\n%s", m.Name, w, text)
			}
		}
	}
}

// The options of a multistep method.
func TestOptionsOfBDF(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "dense",
		"(order = 2)":                  `BDF(order = 2)",`,
		"(linear = direct)":            "dense",
		"(linear = krylov)":            "GMRES with ILU(0), as asked for",
		"(order = 2, linear = krylov)": "GMRES with ILU(0), as asked for",
		"(order = 0)":                  "`BDF` has no order 0",
		"(order = 6)":                  "its orders are 1 to 5",
		"(order = 2.5)":                "`BDF` has no order 2.5",
		"(linear = lu)":                "`linear` must be one of auto, direct, krylov",
	} {
		in, out := session(t)
		err := in.Run(context.Background(), diag.NewSource("options", "model M { state x = 1; x' = -x }\ns = solve(M, t = 0..1, solver = BDF"+text+")\nprint(s.stats)"))
		got := out.String()
		if err != nil {
			got = "error: " + err.Error()
			if d, ok := err.(*diag.Diagnostic); ok {
				got += d.Help
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("BDF%s gives %q, want %q", text, got, want)
		}
	}
}

// The orders of a family are options of its row.
func TestOrderOfSolver(t *testing.T) {
	for text, want := range map[string]string{
		"":               `RadauIIA5",`,
		"(order = 5)":    `RadauIIA5",`,
		"(order = 9)":    `RadauIIA5(order = 9)",`,
		"(order = 13)":   `RadauIIA5(order = 13)",`,
		"(order = auto)": `RadauIIA5(order = auto)",`,
		"(order = [5])":  "`order` must be a number or `auto`",
		"(order = fast)": "error",
		"(order = 7)":    "`RadauIIA5` has no order 7",
		"(order = 9.5)":  "`RadauIIA5` has no order 9.5",
		"(order = 1e9)":  "`RadauIIA5` has no order 1000000000",
	} {
		in, out := session(t)
		err := in.Run(context.Background(), diag.NewSource("order", "model M { state x = 1; x' = -x }\ns = solve(M, t = 0..1, solver = RadauIIA5"+text+")\nprint(s.stats)"))
		got := out.String()
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("RadauIIA5%s gives %q, want %q", text, got, want)
		}
	}
}
