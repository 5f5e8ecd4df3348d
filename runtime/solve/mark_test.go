package solve

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/udl-lang/udl/runtime/sparse"
)

// Factors are made again to the same bits, whatever pivots were chosen since.
func TestPivotsComeAgain(t *testing.T) {
	const n = 60
	rng := rand.New(rand.NewPCG(1, 2))
	var rows, cols []int
	for j := range n {
		rows, cols = append(rows, j), append(cols, j)
		for range 4 {
			rows, cols = append(rows, rng.IntN(n)), append(cols, j)
		}
	}
	p, err := sparse.NewPattern(n, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	entries := func() []float64 {
		a := make([]float64, p.NNZ())
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		return a
	}
	b := entries()[:n]
	lu, err := sparse.NewLU(p)
	if err != nil {
		t.Fatal(err)
	}
	solution := func() []float64 {
		x := slices.Clone(b)
		lu.Solve(x)
		return x
	}
	var v pivots
	first := entries()
	for _, near := range []float64{0, 1e-3} {
		v.chosen = false
		a := slices.Clone(first)
		if err := v.factor(lu, a); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			a[i] *= 1 + near*rng.NormFloat64()
		}
		if near > 0 {
			if err := v.factor(lu, a); err != nil || !v.later {
				t.Fatal(err, v.later)
			}
		}
		want := solution()
		var m mark
		held(&m, &v)
		v.keep(&m, lu, a)
		other := entries()
		v.chosen = false
		if err := v.factor(lu, other); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(solution(), want) {
			t.Fatal("another matrix has the same solution")
		}
		m.rewind()
		held(&m, &v)
		v.keep(&m, lu, a)
		if got := solution(); !slices.Equal(got, want) {
			t.Errorf("after others: %v, want %v", got, want)
		}
	}
}

// least is the least number of stretches made without a record, for n of them and c marks, that of the start included, by trying all.
func least(n, c int, known map[[2]int]int) int {
	if n <= 1 {
		return 0
	}
	if c == 1 {
		return n * (n - 1) / 2
	}
	if v, ok := known[[2]int{n, c}]; ok {
		return v
	}
	best := n - 1 + least(n-1, c, known)
	for k := 1; k < n; k++ {
		best = min(best, k+least(n-k, c-1, known)+least(k, c, known))
	}
	known[[2]int{n, c}] = best
	return best
}

// work is what the walk makes without a record.
func work(n, free int) int {
	if n <= 1 {
		return 0
	}
	k := ahead(n, free)
	if n-k == 1 {
		return k + work(k, free)
	}
	return k + work(n-k, free-1) + work(k, free)
}

// The walk back makes no more steps again than it has to.
func TestLeastRepetition(t *testing.T) {
	known := map[[2]int]int{}
	for n := 1; n <= 60; n++ {
		for free := range 8 {
			if got, want := work(n, free), least(n, free+1, known); got != want {
				t.Errorf("%d stretches, %d free marks: %d made again, %d would do", n, free, got, want)
			}
		}
	}
	// A million steps of a recursive walk.
	if n := 1_000_000 / recursiveRows; work(n, recursiveMost-1) > 7*n/2 {
		t.Errorf("%d stretches with %d marks: %d made again", n, recursiveMost, work(n, recursiveMost-1))
	}
}
