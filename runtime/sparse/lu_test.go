package sparse

import (
	"math"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
)

type named struct {
	name string
	m    *Matrix
}

func gallery(small bool) []named {
	r := source(1)
	list := []named{
		{"one", tridiagonal(1)}, {"tridiagonal 40", tridiagonal(40)}, {"laplacian 7", laplacian(7)}, {"arrow 60", arrow(60)},
		{"random 30", random(30, 3, r)}, {"random 80", random(80, 6, r)}, {"circuit 90", circuit(90, r)},
		{"full 25", random(25, 200, r)}, {"random 50 sparse", random(50, 2, r)},
	}
	if small {
		return list
	}
	list = append(list, named{"laplacian 64", laplacian(64)}, named{"tridiagonal 5000", tridiagonal(5000)},
		named{"arrow 5000", arrow(5000)}, named{"random 5000", random(5000, 2, r)}, named{"circuit 5000", circuit(5000, r)}, named{"scattered 3000", scattered(3000, r)},
		named{"random 600", random(600, 4, r)})
	if testing.Short() {
		return list
	}
	return append(list, named{"laplacian 200", laplacian(200)}, named{"tridiagonal 50000", tridiagonal(50000)},
		named{"arrow 50000", arrow(50000)}, named{"random 50000", random(50000, 2, r)}, named{"circuit 50000", circuit(50000, r)}, named{"scattered 50000", scattered(50000, r)})
}

func full(m *Matrix) *mat.Dense {
	d := mat.NewDense(m.n, m.n, nil)
	for j := range m.n {
		for k := m.ptr[j]; k < m.ptr[j+1]; k++ {
			d.Set(int(m.row[k]), j, m.Values[k])
		}
	}
	return d
}

func TestAgainstDenseReference(t *testing.T) {
	r := source(2)
	for _, c := range gallery(true) {
		b := vector(c.m.n, r)
		var want, wantT mat.VecDense
		ref := full(c.m)
		if err := want.SolveVec(ref, mat.NewVecDense(c.m.n, slices.Clone(b))); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := wantT.SolveVec(ref.T(), mat.NewVecDense(c.m.n, slices.Clone(b))); err != nil {
			t.Fatal(err)
		}
		f, _ := NewLU(c.m.Pattern)
		for _, s := range []Solver{f, NewDenseOf(c.m.Pattern), NewBanded(c.m.Pattern)} {
			if err := s.Factor(c.m.Values); err != nil {
				t.Fatalf("%s %T: %v", c.name, s, err)
			}
			cond := Condition(s, c.m)
			if reference := mat.Cond(ref, 1); cond > reference*(1+1e-6) || cond < reference/3 {
				t.Errorf("%s %T: condition %.3g, reference %.3g", c.name, s, cond, reference)
			}
			x := slices.Clone(b)
			s.Solve(x)
			for i := range x {
				if !(math.Abs(x[i]-want.AtVec(i)) <= 1e-14*cond*normInf(want.RawVector().Data)) {
					t.Fatalf("%s %T: x[%d] = %v, want %v", c.name, s, i, x[i], want.AtVec(i))
				}
			}
			copy(x, b)
			s.SolveTransposed(x)
			for i := range x {
				if !(math.Abs(x[i]-wantT.AtVec(i)) <= 1e-13*cond*normInf(wantT.RawVector().Data)) {
					t.Fatalf("%s %T transposed: x[%d] = %v, want %v", c.name, s, i, x[i], wantT.AtVec(i))
				}
			}
			solves(t, s, c.m, r)
		}
	}
}

func TestGallery(t *testing.T) {
	r := source(3)
	for _, c := range gallery(false) {
		f := factored(t, c.m)
		solves(t, f, c.m, r)
		if c.m.n > 3000 {
			t.Logf("%s: %d entries, %d in the factors, %d blocks (largest %d), growth %.2g, %+v", c.name, c.m.NNZ(), f.Nonzeros(),
				f.s.Blocks(), f.s.LargestBlock(), f.Growth(), f.Stats())
		}
		checkInvariants(t, c.name, f)
		if f.Growth() > 1e6 {
			t.Errorf("%s: growth %.2g", c.name, f.Growth())
		}
	}
}

// checkInvariants: triangles, permutations, work left at zero.
func checkInvariants(t tester, name string, f *LU) {
	t.Helper()
	for _, v := range [][]float64{f.x, f.w} {
		if normInf(v) != 0 {
			t.Errorf("%s: work vector not zero", name)
		}
	}
	steps := slices.Clone(f.step)
	slices.Sort(steps)
	for k, s := range steps {
		if int(s) != k {
			t.Fatalf("%s: pivots are no permutation", name)
		}
	}
	for b := range f.s.Blocks() {
		from, to := f.s.start[b], f.s.start[b+1]
		for k := from; k < to; k++ {
			for _, i := range f.li[f.lp[k]:f.lp[k+1]] {
				if int(i) <= k || int(i) >= to {
					t.Fatalf("%s: L(%d, %d)", name, i, k)
				}
			}
			for _, i := range f.ui[f.up[k]:f.up[k+1]] {
				if int(i) >= k || int(i) < from {
					t.Fatalf("%s: U(%d, %d)", name, i, k)
				}
			}
			for _, i := range f.fi[f.fp[k]:f.fp[k+1]] {
				if int(i) >= from {
					t.Fatalf("%s: F(%d, %d)", name, i, k)
				}
			}
		}
	}
}

func TestRefactorIsFactorToTheBit(t *testing.T) {
	r := source(4)
	for _, c := range gallery(true) {
		f := factored(t, c.m)
		ops := f.Stats().Flops
		if err := f.Refactor(c.m.Values); err != nil {
			t.Fatal(err)
		}
		g := factored(t, c.m)
		for i, pair := range [][2][]float64{{f.lx, g.lx}, {f.ux, g.ux}, {f.fx, g.fx}, {f.diag, g.diag}} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Fatalf("%s: part %d of the factors differs", c.name, i)
			}
		}
		if st := f.Stats(); st.Flops != ops || st.Search != 0 {
			t.Errorf("%s: Refactor did %d multiply-adds and %d steps of search, Factor %d multiply-adds", c.name, st.Flops, st.Search, ops)
		}
		if f.Growth() != g.Growth() {
			t.Errorf("%s: growth %v and %v", c.name, f.Growth(), g.Growth())
		}
		// Other values, the same pivots.
		v := slices.Clone(c.m.Values)
		for i := range v {
			v[i] *= 1 + 0.05*r.Float64()
		}
		if err := f.Refactor(v); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		solves(t, f, &Matrix{c.m.Pattern, v}, r)
		checkInvariants(t, c.name, f)
	}
}

func TestRefactorIsLinearInFillWhereColumnsStayShort(t *testing.T) {
	for _, make := range []func(int) *Matrix{tridiagonal, arrow, func(n int) *Matrix { return circuitChain(n) }} {
		var ratio [2]float64
		for i, n := range []int{500, 8000} {
			f := factored(t, make(n))
			if err := f.Refactor(make(n).Values); err != nil {
				t.Fatal(err)
			}
			ratio[i] = float64(f.Stats().Flops) / float64(f.Nonzeros())
		}
		if ratio[1] > 1.1*ratio[0] {
			t.Errorf("multiply-adds for an entry of the factors: %.3g for n = 500, %.3g for n = 8000", ratio[0], ratio[1])
		}
	}
}

func circuitChain(n int) *Matrix {
	b := &builder{n: n}
	for i := range n {
		b.add(i, i, 5)
		for _, d := range []int{1, 3} {
			if i >= d {
				b.add(i, i-d, -1)
				b.add(i-d, i, -1.5)
			}
		}
	}
	return b.matrix()
}

func TestOrderingKeepsFillLow(t *testing.T) {
	if f := factored(t, arrow(2000)); f.Nonzeros() > 3*2000 {
		t.Errorf("arrow: %d numbers in the factors of 5998 entries", f.Nonzeros())
	}
	if f := factored(t, tridiagonal(2000)); f.Nonzeros() > 3*2000 {
		t.Errorf("tridiagonal: %d numbers", f.Nonzeros())
	}
	m := laplacian(40)
	f := factored(t, m)
	s, err := Analyze(m.Pattern, Options{Natural: true})
	if err != nil {
		t.Fatal(err)
	}
	g := s.New()
	if err := g.Factor(m.Values); err != nil {
		t.Fatal(err)
	}
	solves(t, g, m, source(1))
	if 2*f.Nonzeros() > g.Nonzeros() {
		t.Errorf("laplacian 40²: %d numbers by minimum degree, %d in the natural order", f.Nonzeros(), g.Nonzeros())
	}
	expected, flops := f.s.Expected()
	if got := float64(f.Nonzeros()); got > expected || got < 0.8*expected {
		t.Errorf("expected %.0f numbers in the factors, got %.0f", expected, got)
	}
	if got := float64(f.Stats().Flops); got > flops || got < 0.5*flops {
		t.Errorf("expected %.0f multiply-adds, got %.0f", flops, got)
	}
}

func TestHiddenTriangleNeedsNoElimination(t *testing.T) {
	r := source(8)
	n := 300
	b := &builder{n: n}
	rows, cols := r.Perm(n), r.Perm(n)
	for j := range n {
		b.add(rows[j], cols[j], 1+r.Float64())
		for range 3 {
			b.add(rows[r.IntN(j+1)], cols[j], r.NormFloat64()/4)
		}
	}
	m := b.matrix()
	f := factored(t, m)
	if f.s.Blocks() != n || f.s.LargestBlock() != 1 || f.Nonzeros() != m.NNZ() || f.Stats().Flops != 0 {
		t.Errorf("%d blocks, %d numbers for %d entries, %d multiply-adds", f.s.Blocks(), f.Nonzeros(), m.NNZ(), f.Stats().Flops)
	}
	solves(t, f, m, r)
}

func TestThresholdOneIsPartialPivoting(t *testing.T) {
	m := random(60, 4, source(11))
	for _, threshold := range []float64{1, 1e-3} {
		s, err := Analyze(m.Pattern, Options{Threshold: threshold})
		if err != nil {
			t.Fatal(err)
		}
		f := s.New()
		if err := f.Factor(m.Values); err != nil {
			t.Fatal(err)
		}
		for _, l := range f.lx {
			if math.Abs(l) > 1/threshold {
				t.Errorf("threshold %v: multiplier %v", threshold, l)
			}
		}
		solves(t, f, m, source(1))
	}
}

func TestNothingAllocates(t *testing.T) {
	m := laplacian(20)
	lu, _ := NewLU(m.Pattern)
	b := vector(m.n, source(1))
	sh := NewShifted(nil, m.Pattern)
	v := make([]float64, sh.Pattern().NNZ())
	col := Color(m.Pattern)
	for _, s := range []Solver{lu, NewDenseOf(m.Pattern), NewBanded(m.Pattern), NewDense(3)} {
		vals, rhs := m.Values, b
		if s.N() == 3 {
			vals, rhs = []float64{4, 1, 0, 1, 4, 1, 0, 1, 4}, b[:3]
		}
		if err := s.Factor(vals); err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(10, func() {
			if err := s.Refactor(vals); err != nil {
				t.Fatal(err)
			}
			s.Solve(rhs)
			s.SolveTransposed(rhs)
		})
		if n != 0 {
			t.Errorf("%T: %v allocations in Refactor and solves", s, n)
		}
		if n := testing.AllocsPerRun(10, func() { _ = s.Factor(vals) }); n != 0 {
			t.Errorf("%T: %v allocations in a second Factor", s, n)
		}
	}
	if n := testing.AllocsPerRun(10, func() { sh.Set(v, nil, 0.1, m.Values); col.Seed(0, b); col.Recover(0, b, v[:m.NNZ()]) }); n != 0 {
		t.Errorf("%v allocations in Shifted.Set and Coloring", n)
	}
}

func TestOneAnalysisManyGoroutines(t *testing.T) {
	m := circuit(400, source(5))
	s, err := Analyze(m.Pattern, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			f, r := s.New(), source(uint64(g))
			v := slices.Clone(m.Values)
			for range 5 {
				for i := range v {
					v[i] *= 1 + 0.01*r.Float64()
				}
				if _, err := f.Update(v); err != nil {
					t.Error(err)
					return
				}
				solves(t, f, &Matrix{m.Pattern, v}, r)
			}
		})
	}
	wg.Wait()
}

func TestBadlyScaled(t *testing.T) {
	r := source(6)
	for _, c := range gallery(true) {
		rows, cols := make([]float64, c.m.n), make([]float64, c.m.n)
		for i := range rows {
			rows[i], cols[i] = math.Pow(10, 60*r.Float64()-30), math.Pow(10, 24*r.Float64()-12)
		}
		v := slices.Clone(c.m.Values)
		for j := range c.m.n {
			for k := c.m.ptr[j]; k < c.m.ptr[j+1]; k++ {
				v[k] *= rows[c.m.row[k]] * cols[j]
			}
		}
		b := vector(c.m.n, r)
		f := factored(t, c.m)
		want := slices.Clone(b)
		f.Solve(want)
		cond := Condition(f, c.m)
		for _, s := range []Solver{f, NewDenseOf(c.m.Pattern), NewBanded(c.m.Pattern)} {
			if err := s.Factor(v); err != nil {
				t.Errorf("%s %T: %v", c.name, s, err)
				continue
			}
			x := slices.Clone(b)
			for i := range x {
				x[i] *= rows[i]
			}
			s.Solve(x)
			for i := range x {
				x[i] *= cols[i]
			}
			for i := range x {
				// Columns are not scaled, so pivots are others, and with 24 decades between columns not the best.
				if !(math.Abs(x[i]-want[i]) <= 1e-9*cond*normInf(want)) {
					t.Errorf("%s %T: x[%d] = %v, want %v", c.name, s, i, x[i], want[i])
					break
				}
			}
		}
	}
}
