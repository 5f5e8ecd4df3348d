package sparse

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func solversOf(t testing.TB, p *Pattern) []Solver {
	t.Helper()
	f, err := NewLU(p)
	if err != nil {
		t.Fatal(err)
	}
	return []Solver{f, NewDenseOf(p), NewBanded(p)}
}

func TestStructurallySingularIsNamed(t *testing.T) {
	// Equations 1, 3 and 4 know only the unknowns 0 and 2; nothing else is wrong. Unknown 4 occurs in equation 0 alone with 1, 3.
	p, err := NewPattern(5, []int{0, 0, 0, 1, 1, 2, 2, 3, 4, 4}, []int{1, 3, 4, 0, 2, 1, 3, 0, 0, 2})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Analyze(p, Options{})
	var e *SingularError
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	rows, cols := slices.Clone(e.Rows), slices.Clone(e.Cols)
	slices.Sort(rows)
	slices.Sort(cols)
	if !e.Structural || e.Rank != 4 || !slices.Equal(rows, []int{1, 3, 4}) || !slices.Equal(cols, []int{1, 3, 4}) {
		t.Errorf("%+v", e)
	}
	if !slices.Contains(rows, e.Row) || !slices.Contains(cols, e.Col) || !strings.Contains(err.Error(), "structurally") {
		t.Errorf("%+v: %v", e, err)
	}
	if _, err := Choose(p); !errors.As(err, &e) || !e.Structural {
		t.Errorf("Choose: %v", err)
	}
	// Solvers that do not analyse find out by values, and still say that it is structural.
	v := make([]float64, p.NNZ())
	for i := range v {
		v[i] = float64(i + 1)
	}
	for _, s := range []Solver{NewDenseOf(p), NewBanded(p)} {
		if err := s.Factor(v); !errors.As(err, &e) || !e.Structural || e.Rank != 4 {
			t.Errorf("%T: %v", s, err)
		}
	}
	// An empty row and an empty column name themselves.
	p, _ = NewPattern(3, []int{0, 2, 0, 2}, []int{0, 0, 1, 1})
	if _, err := NewLU(p); !errors.As(err, &e) || e.Row != 1 || e.Col != 2 {
		t.Errorf("%v", err)
	}
}

func TestNumericallySingularIsNamed(t *testing.T) {
	// Row 4 is row 1 plus twice row 3; column 5 is free of nothing else.
	base := random(8, 20, source(9))
	d := full(base)
	for j := range 8 {
		d.Set(4, j, d.At(1, j)+2*d.At(3, j))
	}
	b := &builder{n: 8}
	for i := range 8 {
		for j := range 8 {
			b.add(i, j, d.At(i, j))
		}
	}
	m := b.matrix()
	for _, s := range solversOf(t, m.Pattern) {
		err := s.Factor(m.Values)
		var e *SingularError
		if !errors.As(err, &e) {
			t.Fatalf("%T: %v", s, err)
		}
		rows := slices.Clone(e.Rows)
		slices.Sort(rows)
		if e.Structural || e.Rank != 7 && e.Rank != -1 || !slices.Equal(rows, []int{1, 3, 4}) || !slices.Contains(rows, e.Row) {
			t.Errorf("%T: %+v", s, e)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T solves with a singular matrix", s)
				}
			}()
			s.Solve(make([]float64, 8))
		}()
	}
	// The same for columns: unknowns 2 and 6 enter only as their sum, in whatever units.
	for i := range 8 {
		d.Set(4, i, base.At(4, i))
	}
	b = &builder{n: 8}
	for i := range 8 {
		for j := range 8 {
			v := d.At(i, j)
			if j == 6 {
				v = 1024 * d.At(i, 2)
			}
			b.add(i, j, v)
		}
	}
	m = b.matrix()
	for _, s := range solversOf(t, m.Pattern) {
		var e *SingularError
		if err := s.Factor(m.Values); !errors.As(err, &e) {
			t.Fatalf("%T: %v", s, err)
		}
		cols := slices.Clone(e.Cols)
		slices.Sort(cols)
		if !slices.Equal(cols, []int{2, 6}) {
			t.Errorf("%T: %+v", s, e)
		}
	}
}

func TestSingularInOneBlock(t *testing.T) {
	// Two blocks; the second has two proportional equations. A pure Neumann problem in a corner of a model.
	b := &builder{n: 6}
	for i := range 3 {
		b.add(i, i, 2)
		b.add(i, (i+1)%3, 1)
		b.add(i, 3, 7) // coupling above the blocks
	}
	for i := 3; i < 6; i++ {
		for _, j := range []int{i - 1, i + 1} {
			if j >= 3 && j < 6 {
				b.add(i, j, -1e6)
				b.add(i, i, 1e6)
			}
		}
	}
	m := b.matrix()
	for _, s := range solversOf(t, m.Pattern) {
		var e *SingularError
		if err := s.Factor(m.Values); !errors.As(err, &e) {
			t.Fatalf("%T: %v", s, err)
		}
		slices.Sort(e.Rows)
		slices.Sort(e.Cols)
		if !slices.Equal(e.Rows, []int{3, 4, 5}) || !slices.Equal(e.Cols, []int{3, 4, 5}) {
			t.Errorf("%T: %+v", s, e)
		}
	}
	zero := make([]float64, m.NNZ())
	for _, s := range solversOf(t, m.Pattern) {
		var e *SingularError
		if err := s.Factor(zero); !errors.As(err, &e) || e.Structural {
			t.Errorf("%T: %v", s, err)
		}
	}
}

func TestNearlySingularIsSolvedOrRefused(t *testing.T) {
	// I − γJ with a conservation law in J: its least singular value is 1 beside 1e8, 1e12: hard, not singular.
	for _, k := range []float64{1e8, 1e12} {
		m, err := FromTriplets(2, []int{0, 1, 0, 1}, []int{0, 0, 1, 1}, []float64{1 + k, -k, -k, 1 + k})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range solversOf(t, m.Pattern) {
			if err := s.Factor(m.Values); err != nil {
				t.Errorf("%T k = %g: %v", s, k, err)
				continue
			}
			if c := Condition(s, m); !(c > k && c < 10*k) {
				t.Errorf("%T k = %g: condition %g", s, k, c)
			}
			solves(t, s, m, source(1))
		}
	}
	// 0.1 + 0.2 − 0.3 is not zero in floating point, but means it.
	m, _ := FromTriplets(3, []int{0, 1, 2, 0, 1, 2, 0, 1, 2}, []int{0, 0, 0, 1, 1, 1, 2, 2, 2},
		[]float64{0.1, 0.4, 0.7, 0.2, 0.5, 0.8, 0.3, 0.6, 0.9})
	for _, s := range solversOf(t, m.Pattern) {
		var e *SingularError
		if err := s.Factor(m.Values); !errors.As(err, &e) || len(e.Rows) != 3 || len(e.Cols) != 3 {
			t.Errorf("%T: %v", s, err)
		}
	}
	// Tiny but exact pivots are no rounding: a triangle has nothing to cancel.
	m, _ = FromTriplets(3, []int{0, 0, 1, 1, 2}, []int{0, 1, 1, 2, 2}, []float64{1, 1, 1e-30, 1, 1})
	for _, s := range solversOf(t, m.Pattern) {
		if err := s.Factor(m.Values); err != nil {
			t.Errorf("%T: %v", s, err)
		}
	}
}

func hilbert(n int) *Matrix {
	b := &builder{n: n}
	for i := range n {
		for j := range n {
			b.add(i, j, 1/float64(i+j+1))
		}
	}
	return b.matrix()
}

func TestHilbertIsSolvedUntilItIsNoise(t *testing.T) {
	for _, s := range solversOf(t, hilbert(9).Pattern) {
		m := hilbert(9)
		if err := s.Factor(m.Values); err != nil { // condition 5e11
			t.Fatalf("%T: %v", s, err)
		}
		solves(t, s, m, source(1))
		if c := Condition(s, m); c < 1e11 || c > 1.2e12 {
			t.Errorf("%T: condition %g", s, c)
		}
	}
	for _, s := range append(solversOf(t, hilbert(18).Pattern), NewDense(18)) { // condition beyond 1/ε; symmetric, so row-major too
		var e *SingularError
		if err := s.Factor(hilbert(18).Values); !errors.As(err, &e) || e.Structural {
			t.Errorf("%T: %v", s, err)
		}
	}
}

func TestNeumannProblemIsSingularAsAWhole(t *testing.T) {
	// Irregular conductances, no point held: every equation and every unknown takes part.
	r, n := source(12), 20
	b := &builder{n: n * n}
	link := func(i, j int) {
		g := 0.1 + r.Float64()
		b.add(i, i, g)
		b.add(j, j, g)
		b.add(i, j, -g)
		b.add(j, i, -g)
	}
	for i := range n * n {
		if i%n > 0 {
			link(i, i-1)
		}
		if i >= n {
			link(i, i-n)
		}
	}
	m := b.matrix()
	for _, s := range solversOf(t, m.Pattern) {
		var e *SingularError
		if err := s.Factor(m.Values); !errors.As(err, &e) {
			t.Fatalf("%T: %v", s, err)
		}
		if len(e.Rows) != n*n || len(e.Cols) != n*n || !strings.Contains(e.Error(), "and 394 more") {
			t.Errorf("%T: %d rows, %d columns: %v", s, len(e.Rows), len(e.Cols), e)
		}
	}
	// Held at one point ever so slightly, it is regular.
	v := slices.Clone(m.Values)
	v[m.Index(7, 7)] += 1e-6
	for _, s := range solversOf(t, m.Pattern) {
		if err := s.Factor(v); err != nil {
			t.Errorf("%T: %v", s, err)
			continue
		}
		solves(t, s, &Matrix{m.Pattern, v}, r)
	}
	// Refactor does not pass over what Factor refuses.
	f := factored(t, &Matrix{m.Pattern, v})
	var g *GrowthError
	if err := f.Refactor(m.Values); !errors.As(err, &g) {
		t.Errorf("Refactor of a singular matrix: %v", err)
	}
	if _, err := f.Update(m.Values); err == nil {
		t.Error("Update of a singular matrix succeeds")
	}
}

func TestNotFiniteIsRefusedByName(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m := laplacian(5)
		at := m.Index(7, 2)
		for _, s := range solversOf(t, m.Pattern) {
			if err := s.Factor(m.Values); err != nil {
				t.Fatal(err)
			}
			v := slices.Clone(m.Values)
			v[at] = bad
			for _, call := range []func([]float64) error{s.Refactor, s.Factor} {
				var e *ValueError
				if err := call(v); !errors.As(err, &e) || e.Row != 7 || e.Col != 2 {
					t.Errorf("%T: %v", s, err)
				}
			}
			if err := s.Factor(m.Values); err != nil {
				t.Fatal(err)
			}
			solves(t, s, m, source(2))
		}
		var e *ValueError
		if err := NewDense(2).Factor([]float64{1, 2, bad, 4}); !errors.As(err, &e) || e.Row != 1 || e.Col != 0 {
			t.Errorf("row-major: %v", err)
		}
	}
}

func TestExtremeMagnitudes(t *testing.T) {
	for _, scale := range []float64{5e-324, 1e-310, 1e-300, 1e300} {
		m, _ := FromTriplets(2, []int{0, 1, 0, 1}, []int{0, 0, 1, 1}, []float64{2 * scale, scale, scale, 3 * scale})
		for _, s := range solversOf(t, m.Pattern) {
			if err := s.Factor(m.Values); err != nil {
				t.Errorf("%T %g: %v", s, scale, err)
				continue
			}
			b := []float64{3 * scale, 4 * scale}
			s.Solve(b)
			if math.Abs(b[0]-1) > 1e-14 || math.Abs(b[1]-1) > 1e-14 {
				t.Errorf("%T %g: %v", s, scale, b)
			}
		}
	}
}

func TestRefactorSaysWhenPivotsNoLongerServe(t *testing.T) {
	m, _ := FromTriplets(3, []int{0, 1, 0, 1, 2, 1, 2}, []int{0, 0, 1, 1, 1, 2, 2}, []float64{4, 1, 1, 5, 1, 1, 6})
	f := factored(t, m)
	v := slices.Clone(m.Values)
	v[m.Index(0, 0)], v[m.Index(1, 1)], v[m.Index(2, 2)] = 1e-9, 1e-9, 1e-9
	var g *GrowthError
	if err := f.Refactor(v); !errors.As(err, &g) {
		t.Fatalf("%v, growth %g", err, f.Growth())
	}
	if !strings.Contains(g.Error(), "pivots anew") {
		t.Error(g)
	}
	v[m.Index(0, 0)] = 1
	fresh, err := f.Update(v)
	if err != nil || !fresh {
		t.Fatalf("fresh = %v, %v", fresh, err)
	}
	solves(t, f, &Matrix{m.Pattern, v}, source(1))
	if fresh, err := f.Update(v); err != nil || fresh {
		t.Errorf("a second time: fresh = %v, %v", fresh, err)
	}
	// Values that cancel: Refactor passes on to Factor, which names it.
	for i := range v {
		v[i] = 1
	}
	v[m.Index(1, 2)] = 0
	var e *SingularError
	if _, err := f.Update(v); !errors.As(err, &e) {
		t.Errorf("%v", err)
	}
	v[m.Index(1, 1)] = 2
	if _, err := f.Update(v); err != nil {
		t.Error(err)
	}
	solves(t, f, &Matrix{m.Pattern, v}, source(1))
}

func TestMisusePanics(t *testing.T) {
	m := laplacian(3)
	f, _ := NewLU(m.Pattern)
	for name, call := range map[string]func(){
		"refactor first":    func() { _ = f.Refactor(m.Values) },
		"solve first":       func() { f.Solve(make([]float64, 9)) },
		"too few values":    func() { _ = f.Factor(m.Values[1:]) },
		"row-major, short":  func() { _ = NewDense(3).Factor(make([]float64, 8)) },
		"band, few values":  func() { _ = NewBanded(m.Pattern).Factor(nil) },
		"union of two ns":   func() { Union(m.Pattern, DiagonalPattern(8)) },
		"short right side":  func() { g := factored(t, m); g.Solve(make([]float64, 8)) },
		"short right sideᵀ": func() { g := factored(t, m); g.SolveTransposed(make([]float64, 8)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
	for _, o := range []Options{{Threshold: -1}, {Threshold: 2}, {Threshold: math.NaN()}, {Growth: 0.5}} {
		if _, err := Analyze(m.Pattern, o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}
