package check

import (
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/parser"
)

// solution stands for a solution with states x and u[2] at 5 times, and an unknown U.
type solution map[string]*model.Symbol

func (s solution) Member(param string, path []string, at diag.Span) (*model.Symbol, *diag.Diagnostic) {
	name := strings.Join(path, ".")
	if sym, ok := s[name]; ok {
		return sym, nil
	}
	return nil, diag.New("E0708", at, "a solution has no `%s`", name).WithHelp("it has: x, u, t")
}

func (s solution) Capture(name string) ([]float64, types.Shape, bool) {
	switch name {
	case "data":
		return []float64{1, 2, 3, 4, 5}, types.Shape{5}, true
	case "k":
		return []float64{2}, nil, true
	}
	return nil, nil, false
}

func lambda(t *testing.T, decls, expr string) (*model.Lambda, diag.List) {
	t.Helper()
	sol := solution{}
	for name, shape := range map[string]types.Shape{"x": {5}, "u": {5, 2}, "t": {5}, "U.W1": {3, 1}, "a": nil} {
		sol[name] = &model.Symbol{Name: name, Kind: model.Given, Shape: shape}
	}
	f, errs := parser.Parse(diag.NewSource("decls", decls))
	if errs.HasErrors() {
		t.Fatal(errs)
	}
	sc := scopeOf(f)
	sc.SetScriptNames(map[string]bool{"data": true, "k": true, "best": true})
	e, errs := parser.ParseExpr(diag.NewSource("lambda", expr))
	if errs.HasErrors() {
		t.Fatalf("%s: %v", expr, errs)
	}
	return Lambda(e.(*ast.Lambda), sc, testEnv(), sol)
}

func TestLambda(t *testing.T) {
	for expr, want := range map[string]string{
		"s -> mean((s.x - 1)^2)":                            "mean(((x - 1) ^ 2))",
		"s -> sum((s.x - data)^2) + k*s.a":                  "(sum(((x - [1 2 3 4 5][5]) ^ 2)) + (2 * a))",
		"s -> s.x[end]^2 + s.u[k, 2] + sum(s.u[.., 1])":     "(((x[5] ^ 2) + u[2, 2]) + sum(u[1..5 by 1, 1]))",
		"s -> sum(s.U.W1^2) + mean(s.t)":                    "(sum((U.W1 ^ 2)) + mean(t))",
		"s -> sq(s.x[1]) + g + scaled(s.x[2])":              "((let{x = x[1]}((x * x)) + g) + let{x = x[2]}((2 * x)))",
		"sol -> sum[i in 2..5] (sol.x[i] - sol.x[i-1])^2":   "sum{i in 2..5 by 1}(((x[i] - x[(i - 1)]) ^ 2))",
		"s -> if s.x[1] > 0 then gofn(1, 2) else norm(s.u)": "if((x[1] > 0), go:gofn(1, 2), norm(u))",
	} {
		l, errs := lambda(t, "fn sq(x) = x*x\nfn scaled(x) = k*x\nconst g = 9.81", expr)
		if len(errs) > 0 {
			t.Errorf("%s: %v", expr, errs)
			continue
		}
		if got := text(l.Body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, got, want)
		}
		for _, in := range l.Inputs {
			if in.Kind != model.Given {
				t.Errorf("%s: input %s is not given", expr, in.Name)
			}
		}
	}
}

// Each input is listed once, in the order in which it is met.
func TestLambdaInputs(t *testing.T) {
	l, errs := lambda(t, "", "s -> sum(s.x*s.x) + s.a + sum(s.x)")
	if len(errs) > 0 || len(l.Inputs) != 2 || l.Inputs[0].Name != "x" || l.Inputs[1].Name != "a" {
		t.Errorf("inputs %v, errors %v", l.Inputs, errs)
	}
}

func TestLambdaErrors(t *testing.T) {
	for expr, want := range map[string]string{
		"s -> sum(s)":                 `E0230 "s"`,
		"s -> sum(s.y)":               `E0708 "s.y"`,
		"s -> s.y + s.y":              `E0708 "s.y" E0708 "s.y"`,
		"s -> mean(s.x) + dta[1]":     `E0201 "dta"`,
		"s -> best.loss":              `E0215 "best.loss"`,
		"s -> sum(s.x) + best":        `E0215 "best"`,
		"s -> s(2.5).x":               `E0390 "s(2.5)"`,
		"s -> s(2.5)":                 `E0390 "s(2.5)"`,
		"s -> mean(s.x*t)":            `E0216 "t"`,
		"s -> U(1)":                   `E0222 "U(1)"`,
		"s -> NN(s.x[1])":             `E0216 "NN(s.x[1])"`,
		"s -> sum(s.x + s.u)":         `E0204 "s.x"`,
		"s -> s.x[6]":                 `E0205 "6"`,
		"s -> s.x[s.a]":               `E0206 "s.a"`,
		"s -> \"a\"":                  `E0230 "\"a\""`,
		"s -> s.x'[1]":                `E0708 "s.x'"`,
		"s -> (s.x, 1)":               `E0223 "(s.x, 1)"`,
		"s -> sum[i in s.x] i":        `E0206 "s.x"`,
		"s -> solve(s.x)":             `E0222 "solve"`,
		"s -> sum({a: 1}) + s.x[1].b": `E0230 "{a: 1}" E0222 "s.x[1].b"`,
	} {
		l, errs := lambda(t, "unknown U(x) = NN(hidden = [3])", expr)
		if l != nil {
			t.Errorf("%s: checked", expr)
		}
		var got []string
		for _, d := range errs {
			got = append(got, string(d.Code)+" "+quote(d.Span().Text()))
			if d.Help == "" {
				t.Errorf("%s: no help", expr)
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: got %s, want %s\n%v", expr, g, want, errs)
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestExpr(t *testing.T) {
	f, _ := parser.Parse(diag.NewSource("decls", "const n = 3\nfn f(x) = x + n"))
	for expr, want := range map[string]string{"2*n + f(1)": "((2 * n) + let{x = 1}((x + n)))", "[1, 2, pi]": "[1 2 3.141592653589793][3]"} {
		e, _ := parser.ParseExpr(diag.NewSource("expr", expr))
		x, errs := Expr(e, scopeOf(f), testEnv())
		if len(errs) > 0 || text(x) != want {
			t.Errorf("%s: %v %v", expr, x, errs)
		}
	}
	for _, expr := range []string{"x", "t", "NN(1, hidden = [2])", "[]"} {
		e, _ := parser.ParseExpr(diag.NewSource("expr", expr))
		if x, errs := Expr(e, scopeOf(f), testEnv()); x != nil || len(errs) != 1 {
			t.Errorf("%s: %v %v", expr, x, errs)
		}
	}
}
