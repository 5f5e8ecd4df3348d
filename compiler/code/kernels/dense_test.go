package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The products in Go, in the order of summation that the documentation gives them: L is the number of lanes.

func lanes(s Set) int {
	if s.level == avx512 {
		return 8
	}
	return 4
}

// fold adds neighbours until one is left.
func fold(v []float64) float64 {
	for len(v) > 1 {
		w := make([]float64, len(v)/2)
		for i := range w {
			w[i] = v[2*i] + v[2*i+1]
		}
		v = w
	}
	return v[0]
}

func modelMatVec(d, w, x, bias []float64, L int) {
	if len(w) < few {
		goMatVec(d, w, x, bias)
		return
	}
	m, n := len(d), len(x)
	for i := range d {
		even, odd := make([]float64, L), make([]float64, L)
		for j, v := range x {
			sum := even
			if m%8 <= 4 && i >= m&^7 && (j/L%2 == 1 || j >= n/L*L) {
				sum = odd
			}
			sum[j%L] = math.FMA(w[i*n+j], v, sum[j%L])
		}
		for l := range even {
			even[l] += odd[l]
		}
		d[i] = fold(even)
		if bias != nil {
			d[i] += bias[i]
		}
	}
}

func modelMatTVec(d, w, x []float64, L int) {
	if len(w) < fewT {
		goMatTVec(d, w, x)
		return
	}
	m, n := len(x), len(d)
	for j := 0; j < n; {
		width, sums := n-j, 4
		for _, b := range [][2]int{{L, 4}, {2 * L, 4}, {4 * L, 2}, {8 * L, 1}} {
			if n-j >= b[0] {
				width, sums = b[0], b[1]
			}
		}
		for ; width > 0; width-- {
			s := make([]float64, sums)
			for i, v := range x {
				k := i % sums
				if i >= m/sums*sums {
					k = 0
				}
				s[k] = math.FMA(w[i*n+j], v, s[k])
			}
			d[j] = fold(s)
			j++
		}
	}
}

func modelOuterAdd(d, a, b []float64) {
	if len(d) < few {
		goOuterAdd(d, a, b)
		return
	}
	for i, x := range a {
		for j, y := range b {
			d[i*len(b)+j] = math.FMA(x, y, d[i*len(b)+j])
		}
	}
}

// guarded is a slice of n numbers between others, which must stay.
type guarded struct {
	all []float64
	n   int
}

const guard = 16

func newGuarded(r *rand.Rand, n int) guarded {
	g := guarded{make([]float64, n+2*guard+1), n}
	for i := range g.all {
		g.all[i] = r.NormFloat64()
	}
	for i := range guard { // what must not be read either, as it would show
		g.all[i], g.all[len(g.all)-1-i] = math.NaN(), math.NaN()
	}
	return g
}

func (g guarded) slice() []float64 { return g.all[guard : guard+g.n : guard+g.n] }

func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	for i := range guard {
		if g.all[i] == g.all[i] || g.all[len(g.all)-1-i] == g.all[len(g.all)-1-i] {
			t.Fatal(what, ": written beyond the slice")
		}
	}
}

func same(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b }

func compare(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

func extents() []int {
	e := []int{64, 65, 67, 71, 96, 127, 128, 131}
	for n := range 42 {
		e = append(e, n)
	}
	return e
}

// TestProducts compares the products with their models to the bit, on matrices of all shapes; the last ones take several calls of assembly.
func TestProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range Available()[1:] {
		for _, m := range extents() {
			for _, n := range extents() {
				products(t, r, s, m, n)
			}
		}
		products(t, r, s, 11, 9000)
		products(t, r, s, 1021, 139)
		products(t, r, s, 9003, 9)
	}
}

func products(t *testing.T, r *rand.Rand, s Set, m, n int) {
	name := fmt.Sprintf("%s, %d×%d", s, m, n)
	w, x, y, b := newGuarded(r, m*n), newGuarded(r, n), newGuarded(r, m), newGuarded(r, m)
	d, dt := newGuarded(r, m), newGuarded(r, n)
	want, wantT := make([]float64, m), make([]float64, n)
	L := lanes(s)
	if n < 16 {
		L = 4
	}
	s.MatVec(d.slice(), w.slice(), x.slice(), nil)
	modelMatVec(want, w.slice(), x.slice(), nil, L)
	compare(t, "MatVec, "+name, d.slice(), want)
	s.MatVec(d.slice(), w.slice(), x.slice(), b.slice())
	modelMatVec(want, w.slice(), x.slice(), b.slice(), L)
	compare(t, "MatVec with bias, "+name, d.slice(), want)
	s.MatTVec(dt.slice(), w.slice(), y.slice())
	modelMatTVec(wantT, w.slice(), y.slice(), L)
	compare(t, "MatTVec, "+name, dt.slice(), wantT)
	wantW := append([]float64(nil), w.slice()...)
	s.OuterAdd(w.slice(), y.slice(), x.slice())
	modelOuterAdd(wantW, y.slice(), x.slice())
	compare(t, "OuterAdd, "+name, w.slice(), wantW)
	for _, g := range []guarded{w, x, y, b, d, dt} {
		g.check(t, name)
	}
}
