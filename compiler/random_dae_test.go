package compiler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib"
)

// polynomial in t.
type polynomial []float64

func (p polynomial) at(t float64) float64 {
	s := 0.0
	for k := len(p) - 1; k >= 0; k-- {
		s = s*t + p[k]
	}
	return s
}

func (p polynomial) derivative() polynomial {
	var d polynomial
	for k := 1; k < len(p); k++ {
		d = append(d, float64(k)*p[k])
	}
	return d
}

func (p polynomial) add(c float64, q polynomial) polynomial {
	out := append(polynomial(nil), p...)
	for k, v := range q {
		for len(out) <= k {
			out = append(out, 0)
		}
		out[k] += c * v
	}
	return out
}

func (p polynomial) String() string {
	var terms []string
	for k, v := range p {
		terms = append(terms, fmt.Sprintf("(%.17g)*t^%d", v, k))
	}
	if terms == nil {
		return "0"
	}
	return strings.Join(terms, " + ")
}

// determinant of a full matrix, by elimination with partial pivoting, relative to the product of its rows' sizes.
func determinant(a [][]float64) float64 {
	n := len(a)
	d := 1.0
	for k := range n {
		size := 0.0
		for j := range n {
			size += math.Abs(a[k][j])
		}
		if size == 0 {
			return 0
		}
		for j := range n {
			a[k][j] /= size
		}
	}
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[p][k]) {
				p = i
			}
		}
		a[k], a[p] = a[p], a[k]
		if a[k][k] == 0 {
			return 0
		}
		d *= a[k][k]
		for i := k + 1; i < n; i++ {
			l := a[i][k] / a[k][k]
			for j := k; j < n; j++ {
				a[i][j] -= l * a[k][j]
			}
		}
	}
	return d
}

// Random linear systems E·x' + A·x = b(t), where b is such that given polynomials solve them. Where the pencil is regular, the compiled system holds along
// the polynomials, whatever the index was, and its unknowns are determined; where it is not, the model is refused.
func TestRandomLinearDAE(t *testing.T) {
	var refused, plain, reduced, deepest int
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(r, "n")
		// Of no relation to each other: what holds for the structure holds for the numbers.
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		coefficient := func() float64 {
			return (0.25 + 3*random.Float64()) * float64(2*random.IntN(2)-1)
		}
		path := make([]polynomial, n)
		for j := range path {
			for range 5 {
				path[j] = append(path[j], coefficient())
			}
		}
		e, a := make([][]float64, n), make([][]float64, n)
		var text strings.Builder
		text.WriteString("model M {\n")
		for j := range n {
			fmt.Fprintf(&text, "  state x%d = %.17g\n", j, path[j].at(0))
		}
		taken := map[int]bool{}
		for i := range n {
			e[i], a[i] = make([]float64, n), make([]float64, n)
			var left, right []string
			rhs := polynomial{}
			rates := 0
			for j := range n {
				if rapid.IntRange(0, 9).Draw(r, "derivative") < 3 {
					e[i][j] = coefficient()
					rates++
					left = append(left, fmt.Sprintf("(%.17g)*x%d'", e[i][j], j))
					rhs = rhs.add(e[i][j], path[j].derivative())
				}
				if rapid.IntRange(0, 9).Draw(r, "state") < 3 {
					a[i][j] = coefficient()
					right = append(right, fmt.Sprintf("(%.17g)*x%d", a[i][j], j))
					rhs = rhs.add(a[i][j], path[j])
				}
			}
			rest := rhs.String()
			if len(right) > 0 {
				rest += " - (" + strings.Join(right, " + ") + ")"
			}
			switch {
			case rates == 1: // as a plain equation of the state, where there is none yet
				for j := range n {
					if e[i][j] != 0 && !taken[j] {
						taken[j] = true
						left = []string{fmt.Sprintf("x%d'", j)}
						rest = fmt.Sprintf("(%s)/(%.17g)", rest, e[i][j])
					}
				}
				fallthrough
			case rates > 1:
				fmt.Fprintf(&text, "  %s = %s\n", strings.Join(left, " + "), rest)
			default:
				fmt.Fprintf(&text, "  0 = %s\n", rest)
			}
		}
		text.WriteString("}\n")

		f, errs := parser.Parse(diag.NewSource("random.udl", text.String()))
		if errs.HasErrors() {
			r.Fatal(errs, text.String())
		}
		table := stdlib.New()
		m, errs := check.Model(f.Stmts[0].(*ast.Model), check.NewScope(), table)
		if errs.HasErrors() {
			// A circle of derivatives on right sides is refused as such; there are none here. Everything else may go on.
			r.Fatalf("%v\n%s", errs, text.String())
		}
		regular := false
		for _, lambda := range []float64{0.7531, -1.318, 2.115} {
			p := make([][]float64, n)
			for i := range p {
				for j := range n {
					p[i] = append(p[i], lambda*e[i][j]+a[i][j])
				}
			}
			regular = regular || math.Abs(determinant(p)) > 1e-11
		}
		c, err := compiler.Compile(m, table)
		if err != nil {
			if code := diag.From(err)[0].Code; regular || code != "E0235" {
				r.Fatalf("refused: %v, regular %v\n%s", err, regular, text.String())
			}
			refused++
			return
		}
		if !regular {
			r.Fatalf("the pencil is singular, but it compiles\n%s", text.String())
		}
		s := c.System
		if s.Mass == nil {
			return // all were plain equations
		}
		th := s.Defaults()
		const at = 0.4
		x, dx := make([]float64, s.NX), make([]float64, s.NX)
		for k, name := range s.StateNames() {
			p := path[name[1]-'0']
			for range strings.Count(name, "'") {
				p = p.derivative()
			}
			x[k], dx[k] = p.at(at), p.derivative().at(at)
		}
		z := make([]float64, s.NX)
		s.RHS.Clone().Eval(z, at, x, th)
		values := make([]float64, s.Mass.Pattern.NNZ())
		s.Mass.Values.Clone().Eval(values, 0, nil, th)
		for j, v := range dx {
			rows, first := s.Mass.Pattern.Column(j)
			for k, i := range rows {
				z[i] -= values[first+k] * v
			}
		}
		for i, v := range z {
			if math.Abs(v) > 1e-7 {
				r.Fatalf("row %s is off by %v\n%s\n%s", s.Equations[i].Name, v, text.String(), show(s, at, x, nil))
			}
		}
		if s.Invariants != nil {
			g := make([]float64, len(s.Conserved))
			s.Invariants.Clone().Eval(g, at, x, th)
			for k, v := range g {
				if math.Abs(v) > 1e-7 {
					r.Fatalf("%s is off by %v\n%s", s.Conserved[k].Name, v, text.String())
				}
			}
			reduced++
			for _, q := range s.Equations {
				for level := 9; level > deepest; level-- {
					if strings.HasPrefix(q.Name, fmt.Sprintf("the %d", level)) {
						deepest = level
					}
				}
			}
		} else {
			plain++
		}
		// The unknowns are found again from wrong guesses.
		y := append([]float64(nil), x...)
		for k := range y {
			if s.Algebraic[k] {
				y[k] += 1
			}
		}
		if err := solve.Consistent(s, at, y, th, 1e-9, nil); err != nil {
			r.Fatalf("%v\n%s\n%s", err, text.String(), show(s, at, x, nil))
		}
		for k := range y {
			if math.Abs(y[k]-x[k]) > 1e-4*(1+math.Abs(x[k])) {
				r.Fatalf("%s = %v, want %v\n%s\n%s", s.StateNames()[k], y[k], x[k], text.String(), show(s, at, x, nil))
			}
		}
	})
	t.Logf("%d refused, %d of index 1, %d reduced, up to derivative %d", refused, plain, reduced, deepest)
}

// The same with sines, products, and coefficients that depend on states: the equations may determine what they like, but where they compile, the rows and what is
// kept hold along the given paths, and by the first derivatives of all rows the unknowns have somewhere to go.
func TestRandomDAE(t *testing.T) {
	var refused, plain, reduced int
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(r, "n")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 2))
		number := func() string { return fmt.Sprintf("(%.17g)", (0.25+random.Float64())*float64(2*random.IntN(2)-1)) }
		path := make([]polynomial, n)
		for j := range path {
			for range 4 {
				path[j] = append(path[j], 0.25+random.Float64())
			}
		}
		state := func(j int) string { return fmt.Sprintf("x%d", j) }
		along := func(j int) string { return "(" + path[j].String() + ")" }
		rate := func(j int) string { return fmt.Sprintf("x%d'", j) }
		rateAlong := func(j int) string { return "(" + path[j].derivative().String() + ")" }
		var text strings.Builder
		text.WriteString("model M {\n")
		for j := range n {
			fmt.Fprintf(&text, "  state x%d = %.17g\n", j, path[j].at(0))
		}
		taken := map[int]bool{}
		for range n {
			left, right := "", "0" // with paths on the right
			rates, single := 0, -1
			for j := range n {
				if rapid.IntRange(0, 9).Draw(r, "derivative") < 3 {
					c := number()
					write := func(x, d func(int) string) string { return c + "*" + d(j) }
					if rapid.Bool().Draw(r, "moving") {
						k := random.IntN(n)
						write = func(x, d func(int) string) string { return c + "*(1 + " + x(k) + "^2)*" + d(j) }
						single = -2
					}
					if rates++; rates > 1 {
						left += " + "
						single = -2
					} else if single == -1 {
						single = j
					}
					left += write(state, rate)
					right += " + " + write(along, rateAlong)
				}
				if rapid.IntRange(0, 9).Draw(r, "state") < 3 {
					c, k := number(), random.IntN(n)
					write := func(x func(int) string) string { return c + "*" + x(j) }
					switch rapid.IntRange(0, 2).Draw(r, "kind") {
					case 1:
						write = func(x func(int) string) string { return c + "*sin(" + x(j) + ")" }
					case 2:
						write = func(x func(int) string) string { return c + "*" + x(j) + "*" + x(k) }
					}
					right += " + " + write(along) + " - " + write(state)
				}
			}
			switch {
			case rates == 0:
				fmt.Fprintf(&text, "  0 = %s\n", right)
			case single >= 0 && !taken[single]:
				taken[single] = true
				c, _, _ := strings.Cut(left, "*")
				fmt.Fprintf(&text, "  x%d' = (%s)/%s\n", single, right, c)
			default:
				fmt.Fprintf(&text, "  %s = %s\n", left, right)
			}
		}
		text.WriteString("}\n")
		f, errs := parser.Parse(diag.NewSource("random.udl", text.String()))
		if errs.HasErrors() {
			r.Fatal(errs, text.String())
		}
		table := stdlib.New()
		m, errs := check.Model(f.Stmts[0].(*ast.Model), check.NewScope(), table)
		if errs.HasErrors() {
			r.Fatalf("%v\n%s", errs, text.String())
		}
		c, err := compiler.Compile(m, table)
		if err != nil {
			if code := diag.From(err)[0].Code; code != "E0235" {
				r.Fatalf("%v\n%s", err, text.String())
			}
			refused++
			return
		}
		s := c.System
		if s.Mass == nil {
			return
		}
		if s.Invariants != nil {
			reduced++
		} else {
			plain++
		}
		th := s.Defaults()
		const at = 0.4
		x, dx := make([]float64, s.NX), make([]float64, s.NX)
		for k, name := range s.StateNames() {
			p := path[name[1]-'0']
			for range strings.Count(name, "'") {
				p = p.derivative()
			}
			x[k], dx[k] = p.at(at), p.derivative().at(at)
		}
		z := make([]float64, s.NX)
		s.RHS.Clone().Eval(z, at, x, th)
		values := make([]float64, s.Mass.Pattern.NNZ())
		s.Mass.Values.Clone().Eval(values, 0, nil, th)
		for j, v := range dx {
			rows, first := s.Mass.Pattern.Column(j)
			for k, i := range rows {
				z[i] -= values[first+k] * v
			}
		}
		for i, v := range z {
			if math.Abs(v) > 1e-6 {
				r.Fatalf("row %s is off by %v\n%s\n%s", s.Equations[i].Name, v, text.String(), show(s, at, x, nil))
			}
			if s.Algebraic[i] && s.Pattern.Index(i, i) < 0 {
				r.Fatalf("row %s does not hold its unknown\n%s", s.Equations[i].Name, text.String())
			}
		}
		if s.Invariants != nil {
			g := make([]float64, len(s.Conserved))
			s.Invariants.Clone().Eval(g, at, x, th)
			for k, v := range g {
				if math.Abs(v) > 1e-6 {
					r.Fatalf("%s is off by %v\n%s", s.Conserved[k].Name, v, text.String())
				}
			}
		}
	})
	t.Logf("%d refused, %d of index 1, %d reduced", refused, plain, reduced)
}
