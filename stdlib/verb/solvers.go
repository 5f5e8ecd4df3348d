package verb

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/method"
)

// solverRow is a solver as the checker and help see it.
func solverRow(row method.Method) sig.Builtin {
	m := row.Info()
	params := []sig.Param{arg("dt", "number", "none", "a fixed step, without error control")}
	if r, ok := row.(*method.Radau); ok {
		params = append(params, arg("order", "word: auto", strconv.Itoa(r.Orders()[0]), "the order, one of "+orders(r)+", or auto, which changes it with the problem"))
	}
	if b, ok := row.(*method.BDF); ok {
		params = append(params, arg("order", "whole number", strconv.Itoa(b.MaxOrder), "the highest order that is taken"),
			arg("linear", "word: "+strings.Join(b.Linears(), ", "), b.Linear, "how linear equations are solved: by factorisation, by GMRES with an incomplete factorisation, or the cheaper of both"))
	}
	model := "model M { state x = 1; x' = -x }"
	if m.Family == method.Hamiltonian {
		model = "model M { state q = 1, p = 0; q' = p; p' = -q }"
	}
	fixed := "(dt = 0.1)"
	if m.Adaptive {
		fixed = ""
	}
	return sig.Builtin{Name: m.Name, Kind: sig.Solver, Params: params, Result: "solver", Doc: strings.TrimSpace(m.Doc), Facts: facts(row), Cite: m.Cite,
		Example: model + "\nsolve(M, t = 0..1, solver = " + m.Name + fixed + ")"}
}

// Auto is the help on the choice of a solver by the problem.
func Auto() sig.Builtin {
	m := method.Auto{}.Info()
	return sig.Builtin{Name: m.Name, Kind: sig.Solver, Result: "solver", Doc: m.Doc, Cite: m.Cite,
		Example: "model M { state x = 1; x' = -x }\nsolve(M, t = 0..1, solver = auto)"}
}

// orderOf is a solver's order in words: that of a family lists all.
func orderOf(row method.Method) string {
	if r, ok := row.(*method.Radau); ok {
		return strings.ReplaceAll(orders(r), " ", "")
	}
	m := row.Info()
	if m.Family == method.Multistep || m.Family == method.ExplicitMultistep {
		return "1–" + strconv.Itoa(m.Order)
	}
	return strconv.Itoa(m.Order)
}

// facts are a solver's order, kind and stability, and what it can do.
func facts(row method.Method) []string {
	m := row.Info()
	order := fmt.Sprintf("Order %s, %s, stability: %s.", strings.ReplaceAll(orderOf(row), ",", ", "), m.Family, m.Stability)
	if m.Dense > 0 {
		order = fmt.Sprintf("Order %s, output within steps of order %d; %s, stability: %s.", strings.ReplaceAll(orderOf(row), ",", ", "), m.Dense, m.Family, m.Stability)
	}
	can := "Chooses its steps by an error estimate."
	if !m.Adaptive {
		can = "Has no error estimate: needs a fixed step, `dt`."
	}
	if m.Mass {
		can += " Solves algebraic equations and equations linear in the derivatives, too."
	}
	return []string{order, can}
}

// SolverTable lists all solvers: name, order, order within steps, kind, stability, and whether it takes algebraic equations.
func SolverTable() string {
	rows := [][]string{{"solver", "order", "within", "kind", "stability", "algebraic equations"}}
	for _, row := range method.Solvers() {
		m := row.Info()
		if m.Family == method.Automatic {
			continue
		}
		within, mass := "–", "no"
		if m.Dense > 0 {
			within = strconv.Itoa(m.Dense)
		}
		if m.Mass {
			mass = "yes"
		}
		rows = append(rows, []string{m.Name, orderOf(row), within, m.Family.String(), m.Stability, mass})
	}
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		line := ""
		for i, c := range r {
			line += "  " + c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString("  `solver = auto`, which is what is taken when none is named, chooses by the problem; `help auto`, and `help` with a solver's name, say more.\n")
	return b.String()
}
