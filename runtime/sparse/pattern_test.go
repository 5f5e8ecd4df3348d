package sparse

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is any pattern of up to 14 rows, with small integers as values so that singular ones are common.
func drawn(t *rapid.T) *Matrix {
	n := rapid.IntRange(1, 14).Draw(t, "n")
	count := rapid.IntRange(0, 4*n).Draw(t, "entries")
	b := &builder{n: n}
	for range count {
		b.add(rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "j"), float64(rapid.IntRange(-4, 4).Draw(t, "v")))
	}
	if rapid.Bool().Draw(t, "diagonal") {
		for i := range n {
			b.add(i, i, float64(rapid.IntRange(-9, 9).Draw(t, "d")))
		}
	}
	return b.matrix()
}

// rank by elimination in full with complete pivoting; integers this small leave no doubt about zero.
func rank(m *Matrix) int {
	d := full(m)
	n, r := m.n, 0
	for ; r < n; r++ {
		bi, bj, best := 0, 0, 1e-9
		for i := r; i < n; i++ {
			for j := r; j < n; j++ {
				if v := math.Abs(d.At(i, j)); v > best {
					bi, bj, best = i, j, v
				}
			}
		}
		if best == 1e-9 {
			break
		}
		for j := range n {
			a, b := d.At(r, j), d.At(bi, j)
			d.Set(r, j, b)
			d.Set(bi, j, a)
		}
		for i := range n {
			a, b := d.At(i, r), d.At(i, bj)
			d.Set(i, r, b)
			d.Set(i, bj, a)
		}
		for i := r + 1; i < n; i++ {
			l := d.At(i, r) / d.At(r, r)
			for j := r; j < n; j++ {
				d.Set(i, j, d.At(i, j)-l*d.At(r, j))
			}
		}
	}
	return r
}

func TestAnyMatrixIsSolvedOrNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawn(t)
		regular := rank(m) == m.n
		solvers := []Solver{NewDenseOf(m.Pattern), NewBanded(m.Pattern)}
		f, err := NewLU(m.Pattern)
		if err != nil {
			e := err.(*SingularError)
			if regular || !e.Structural {
				t.Fatalf("a regular matrix: %v", err)
			}
			hall(t, m.Pattern, e)
		} else {
			solvers = append(solvers, f)
		}
		b := make([]float64, m.n)
		for i := range b {
			b[i] = float64(i%5) - 1.5
		}
		for _, s := range solvers {
			err := s.Factor(m.Values)
			if (err == nil) != regular {
				t.Fatalf("%T: regular is %v, error is %v", s, regular, err)
			}
			if err != nil {
				e := err.(*SingularError)
				if !e.Structural {
					dependent(t, m, e)
				}
				continue
			}
			x := slices.Clone(b)
			s.Solve(x)
			if r := residual(m, x, b, false); !(r < 1e-10) {
				t.Fatalf("%T: residual %g", s, r)
			}
			copy(x, b)
			s.SolveTransposed(x)
			if r := residual(m, x, b, true); !(r < 1e-10) {
				t.Fatalf("%T: residual %g transposed", s, r)
			}
			if err := s.Refactor(m.Values); err != nil {
				t.Fatalf("%T: %v", s, err)
			}
			y := slices.Clone(b)
			s.SolveTransposed(y)
			if !slices.Equal(x, y) {
				t.Fatalf("%T: refactored, it solves differently", s)
			}
		}
		if err == nil && regular {
			checkInvariants(t, "drawn", f)
		}
	})
}

// hall: Rows know fewer unknowns than they are, Cols occur in fewer equations.
func hall(t *rapid.T, p *Pattern, e *SingularError) {
	for k := range 2 {
		set := [][]int{e.Rows, e.Cols}[k]
		q := p
		if k == 0 {
			q, _ = p.Transposed()
		}
		touched := map[int32]bool{}
		for _, j := range set {
			c, _ := q.Column(j)
			for _, i := range c {
				touched[i] = true
			}
		}
		if len(touched) != len(set)-1 {
			t.Fatalf("set %d of %+v touches %d others", k, e, len(touched))
		}
	}
}

// dependent: the columns named have a rank below their number (rows are dependent within their block only, so look at columns
// when the block is the last that can be seen; here: when there is one block).
func dependent(t *rapid.T, m *Matrix, e *SingularError) {
	if s, err := Analyze(m.Pattern, Options{}); err != nil || s.Blocks() > 1 {
		return
	}
	b := &builder{n: m.n}
	for k, j := range e.Cols {
		for i := range m.n {
			b.add(i, k, m.At(i, j))
		}
	}
	if r := rank(b.matrix()); r >= len(e.Cols) {
		t.Fatalf("columns %v are independent", e.Cols)
	}
	b = &builder{n: m.n}
	for k, i := range e.Rows {
		for j := range m.n {
			b.add(k, j, m.At(i, j))
		}
	}
	if r := rank(b.matrix()); r >= len(e.Rows) {
		t.Fatalf("rows %v are independent", e.Rows)
	}
	if want := rank(m); e.Rank >= 0 && e.Rank != want {
		t.Fatalf("rank %d, want %d", e.Rank, want)
	}
}

func TestPatternAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawn(t)
		tr, from := m.Transposed()
		for j := range m.n {
			rows, first := m.Column(j)
			for k, i := range rows {
				if k > 0 && rows[k-1] >= i {
					t.Fatal("rows do not ascend")
				}
				if at := tr.Index(j, int(i)); at < 0 || from[at] != first+k || m.Index(int(i), j) != first+k {
					t.Fatalf("entry (%d, %d) is lost", i, j)
				}
			}
		}
		u := Union(m.Pattern, tr).WithDiagonal()
		for i := range m.n {
			for j := range m.n {
				if in := u.Index(i, j) >= 0; in != (i == j || m.Index(i, j) >= 0 || m.Index(j, i) >= 0) {
					t.Fatalf("union at (%d, %d): %v", i, j, in)
				}
			}
		}
		if _, err := u.Positions(m.Pattern); err != nil {
			t.Fatal(err)
		}
		lower, upper := m.Bandwidth()
		for i := range m.n {
			for j := range m.n {
				if m.Index(i, j) >= 0 && (i-j > lower || j-i > upper) {
					t.Fatal("bandwidth")
				}
			}
		}
	})
}

func TestShifted(t *testing.T) {
	jac := random(9, 3, source(3))
	mass, _ := FromTriplets(9, []int{0, 1, 2, 3, 4, 0}, []int{0, 1, 2, 3, 5, 8}, []float64{1, 2, 3, 4, 5, 6})
	for _, m := range []*Matrix{mass, nil} {
		var p *Pattern
		var mv []float64
		if m != nil {
			p, mv = m.Pattern, m.Values
		}
		s := NewShifted(p, jac.Pattern)
		a := &Matrix{s.Pattern(), make([]float64, s.Pattern().NNZ())}
		s.Set(a.Values, mv, 0.5, jac.Values)
		for i := range 9 {
			if a.Index(i, i) < 0 {
				t.Error("no diagonal")
			}
			for j := range 9 {
				want := -0.5 * jac.At(i, j)
				if m != nil {
					want += m.At(i, j)
				} else if i == j {
					want++
				}
				if a.At(i, j) != want {
					t.Errorf("(%d, %d) = %v, want %v", i, j, a.At(i, j), want)
				}
			}
		}
	}
}

func TestBadPatternsAreRefused(t *testing.T) {
	for _, c := range []struct {
		n          int
		rows, cols []int
		want       string
	}{
		{-1, nil, nil, "-1 rows"}, {2, []int{0}, nil, "1 row indices but 0"}, {2, []int{2}, []int{0}, "(2, 0)"},
		{2, []int{0}, []int{-1}, "(0, -1)"}, {0, []int{0}, []int{0}, "0×0"},
	} {
		if _, err := NewPattern(c.n, c.rows, c.cols); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := FromTriplets(1, []int{0}, []int{0}, nil); err == nil {
		t.Error("values are missing, and no error")
	}
	if _, err := DiagonalPattern(2).Positions(DensePattern(2)); err == nil {
		t.Error("Positions of what is not there")
	}
	if _, err := DiagonalPattern(2).Positions(DensePattern(3)); err == nil {
		t.Error("Positions of another size")
	}
	empty, err := NewLU(DiagonalPattern(0))
	if err != nil || empty.Factor(nil) != nil {
		t.Error("the empty matrix is regular")
	}
	empty.Solve(nil)
}

func TestColoring(t *testing.T) {
	check := func(t tester, m *Matrix) *Coloring {
		c := Color(m.Pattern)
		seen, product := make([]float64, m.n), make([]float64, m.n)
		got := make([]float64, m.NNZ())
		for i := range got {
			got[i] = math.NaN()
		}
		for g := range c.Groups() {
			owner := filled(m.n, -1)
			for _, j := range c.Columns(g) {
				if c.Group(int(j)) != g {
					t.Fatal("group and columns disagree")
				}
				rows, _ := m.Column(int(j))
				for _, i := range rows {
					if owner[i] >= 0 {
						t.Fatalf("columns %d and %d of group %d share row %d", owner[i], j, g, i)
					}
					owner[i] = j
				}
			}
			c.Seed(g, seen)
			m.Mul(product, seen)
			c.Recover(g, product, got)
		}
		if !slices.Equal(got, m.Values) {
			t.Fatal("values are not recovered")
		}
		return c
	}
	for _, c := range []struct {
		m           *Matrix
		least, most int
	}{{tridiagonal(100), 3, 3}, {laplacian(20), 5, 7}, {arrow(200), 200, 200}, {arrow(50), 50, 50}, {random(300, 3, source(1)), 3, 14}} {
		if g := check(t, c.m).Groups(); g < c.least || g > c.most {
			t.Errorf("n = %d: %d groups, want %d to %d", c.m.n, g, c.least, c.most)
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, drawn(t)) })
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name string
		m    *Matrix
		want Kind
	}{
		{"3", tridiagonal(3), KindDense}, {"8 full", random(8, 40, source(1)), KindDense}, {"100 full", random(100, 900, source(1)), KindDense},
		{"tridiagonal", tridiagonal(1000), KindBanded}, {"tridiagonal 20", tridiagonal(20), KindBanded}, {"random 40", random(40, 3, source(1)), KindSparse}, {"laplacian 64", laplacian(64), KindSparse}, {"arrow", arrow(1000), KindSparse},
		{"circuit", circuit(2000, source(1)), KindSparse},
	} {
		ch, err := Choose(c.m.Pattern)
		if err != nil {
			t.Fatal(err)
		}
		if ch.Kind != c.want || !strings.HasPrefix(ch.Reason, c.want.String()+": ") {
			t.Errorf("%s: %s", c.name, ch.Reason)
		}
		t.Log(ch.Reason)
		s := ch.New()
		if err := s.Factor(c.m.Values); err != nil {
			t.Fatal(err)
		}
		solves(t, s, c.m, source(2))
	}
}

func TestAnalysisOfLargePatternsTakesNoSquareTime(t *testing.T) {
	// No limit on time but a generous one: n² would be 1e10 steps here.
	start := time.Now()
	for _, m := range []*Matrix{arrow(100000), tridiagonal(100000)} {
		if _, err := Analyze(m.Pattern, Options{}); err != nil {
			t.Fatal(err)
		}
		Color(m.Pattern)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%v", d)
	}
}
