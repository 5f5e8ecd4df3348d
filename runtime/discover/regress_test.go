package discover

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// planted makes a regression with known terms.
func planted(rng *rand.Rand, n, p, k int, noise float64) (*Data, []int, []float64) {
	d := &Data{N: n, P: p, X: make([]float64, n*p), Y: make([]float64, n)}
	for i := range d.X {
		d.X[i] = rng.NormFloat64() * math.Pow(10, float64(i%p%5-2)) // columns of very different size
	}
	set := rng.Perm(p)[:k]
	slices.Sort(set)
	coef := make([]float64, k)
	for c, j := range set {
		coef[c] = (1 + rng.Float64()) * math.Pow(10, -float64(j%5-2))
		if rng.IntN(2) == 0 {
			coef[c] = -coef[c]
		}
	}
	for i := range n {
		for c, j := range set {
			d.Y[i] += coef[c] * d.X[i*p+j]
		}
		d.Y[i] += noise * rng.NormFloat64()
	}
	return d, set, coef
}

// Every method finds planted terms, by every criterion that is consistent.
func TestPlanted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, m := range Methods() {
		for _, criterion := range []string{"ebic", "bic", "cv"} {
			wrong := 0
			for range 20 {
				d, set, coef := planted(rng, 300, 15, 1+rng.IntN(4), 0.1)
				r, err := Regress(context.Background(), d, Settings{Method: m.Name, Criterion: criterion})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(r.Set, set) {
					wrong++
					continue
				}
				for k := range coef {
					if math.Abs(r.Coef[k]-coef[k]) > 5*r.StdErr[k] {
						t.Errorf("%s: coefficient %g is %g ± %g", m.Name, coef[k], r.Coef[k], r.StdErr[k])
					}
				}
			}
			// BIC does not count the search: now and then it takes one term too many.
			limit := map[string]int{"ebic": 1, "bic": 5, "cv": 1}[criterion]
			if wrong > limit {
				t.Errorf("%s by %s is wrong in %d of 20", m.Name, criterion, wrong)
			}
		}
	}
}

// Every row of the table of methods says what it is, whose it is, and what its options are.
func TestMethods(t *testing.T) {
	for _, m := range Methods() {
		if m.Doc == "" || m.Cite == "" || len(m.Options) == 0 {
			t.Errorf("%s lacks a doc, a source or options", m.Name)
		}
		for _, o := range m.Options {
			if o.Doc == "" || o.Default == "" {
				t.Errorf("the option %s of %s lacks a doc or a default", o.Name, m.Name)
			}
		}
		if f, ok := Find(m.Name); !ok || f.Name != m.Name {
			t.Errorf("%s is not found", m.Name)
		}
	}
}

// brute goes through all subsets of all columns.
func brute(l *library, size int) []float64 {
	best := make([]float64, size+1)
	for i := range best {
		best[i] = math.Inf(1)
	}
	s := newSolver(l.triangle)
	var walk func(set []int, from int)
	walk = func(set []int, from int) {
		if len(set) > 0 {
			if rss, ok := s.rss(set); ok {
				best[len(set)] = math.Min(best[len(set)], rss)
			}
		}
		if len(set) == size {
			return
		}
		for j := from; j < l.p; j++ {
			walk(append(slices.Clone(set), j), j+1)
		}
	}
	walk(nil, 0)
	return best
}

// Branch and bound finds what going through all subsets finds, correlated and dependent columns included, and its lists
// of the best few are in order.
func TestBestSubsetIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for trial := range 60 {
		p := 2 + rng.IntN(9)
		n := 4 + rng.IntN(30)
		d, _, _ := planted(rng, n, p, 1+rng.IntN(p-1), 1)
		for i := range n {
			if p > 3 && trial%2 == 0 {
				d.X[i*p+1] = d.X[i*p] + 0.01*d.X[i*p+2] // near dependence
			}
			if p > 4 && trial%3 == 0 {
				d.X[i*p+3] = d.X[i*p] - 2*d.X[i*p+4] // dependence
			}
			if p > 6 && trial%5 == 0 {
				d.X[i*p+6] = 3 * d.X[i*p+2] // the same but for its size
			}
		}
		l := newLibrary(factor(d.X, d.Y, nil, n, p))
		size := min(5, l.rank)
		want := brute(l, size)
		got, complete, err := subsets(context.Background(), l, size, 3, 1<<30)
		if err != nil || !complete {
			t.Fatal(complete, err)
		}
		for k := 1; k <= size; k++ {
			if len(got.sets[k]) == 0 || math.Abs(got.sets[k][0].rss-want[k]) > 1e-9*(l.total+1) {
				t.Fatalf("trial %d, %d of %d terms: %v, brute force %g", trial, k, p, got.sets[k], want[k])
			}
			for i, s := range got.sets[k] {
				rss, _ := newSolver(l.triangle).rss(s.set)
				if math.Abs(rss-s.rss) > 1e-9*(l.total+1) || i > 0 && s.rss < got.sets[k][i-1].rss {
					t.Fatalf("trial %d: the list of %d terms is %v, %v has %g", trial, k, got.sets[k], s.set, rss)
				}
			}
		}
	}
}

// Corrupt samples do not matter to the robust search, and ruin the plain one.
func TestRobust(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	plainWrong := 0
	for trial := range 10 {
		d, set, coef := planted(rng, 200, 10, 3, 0.01)
		bad := map[int]bool{}
		for range 40 {
			i := rng.IntN(d.N)
			bad[i] = true
			d.Y[i] += 20 * rng.NormFloat64()
			d.X[i*d.P+rng.IntN(d.P)] *= 3
		}
		r, err := Regress(context.Background(), d, Settings{Method: "stlsq", Robust: true, Seed: uint64(trial)})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Set, set) {
			t.Errorf("trial %d: found %v, planted %v", trial, r.Set, set)
			continue
		}
		for k := range coef {
			if math.Abs(r.Coef[k]-coef[k]) > 6*r.StdErr[k]+1e-12 {
				t.Errorf("trial %d: %g instead of %g ± %g", trial, r.Coef[k], coef[k], r.StdErr[k])
			}
		}
		p, _ := Regress(context.Background(), d, Settings{Method: "stlsq"})
		if !slices.Equal(p.Set, set) {
			plainWrong++
		}
	}
	if plainWrong == 0 {
		t.Error("the corruption is too mild to test anything")
	}
}

// The inclusion probabilities are near 1 for what was planted and small for the rest, and the same seed gives the same.
func TestInclusion(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	d, set, _ := planted(rng, 200, 12, 3, 0.5)
	s := Settings{Ensemble: 50, Seed: 3}
	r, err := Regress(context.Background(), d, s)
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range r.Inclusion {
		if in := slices.Contains(set, j); in && v < 0.9 || !in && v > 0.4 {
			t.Errorf("term %d, planted %v, is included in %g", j, in, v)
		}
	}
	again, _ := Regress(context.Background(), d, s)
	if !slices.Equal(r.Inclusion, again.Inclusion) || !slices.Equal(r.Coef, again.Coef) {
		t.Error("the same seed gives something else")
	}
	s.Seed = 4
	if other, _ := Regress(context.Background(), d, s); slices.Equal(r.Inclusion, other.Inclusion) {
		t.Error("another seed gives the same inclusion probabilities")
	}
}

// Cross-validation finds nothing in noise: each fold's terms are chosen without it.
func TestNoTermsInNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	some := 0
	for range 20 {
		d := &Data{N: 60, P: 35}
		for range d.N {
			var v [4]float64
			for i := range v {
				v[i] = rng.NormFloat64()
			}
			for a := range 5 { // monomials of 1 and four inputs up to the third degree
				for b := a; b < 5; b++ {
					for c := b; c < 5; c++ {
						w := append([]float64{1}, v[:]...)
						d.X = append(d.X, w[a]*w[b]*w[c])
					}
				}
			}
			d.Y = append(d.Y, rng.NormFloat64())
		}
		r, err := Regress(context.Background(), d, Settings{Criterion: "cv", Options: Options{"size": 4}})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Set) > 0 {
			some++
		}
	}
	if some > 3 {
		t.Errorf("terms are found in %d of 20 tables of noise", some)
	}
}

// Standard errors of a series are those of its coefficients, whether its residuals draw together or pull apart.
func TestSeriesErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, rho := range []float64{0.9, 0, -0.8} {
		var miss, claimed float64
		const trials, n = 200, 600
		for range trials {
			d := &Data{N: n, P: 1, Series: true}
			e := 0.0
			for i := range n {
				e = rho*e + rng.NormFloat64()
				x := 1.5 + math.Sin(float64(i)/30)
				d.X, d.Y = append(d.X, x), append(d.Y, 2*x+e)
			}
			r, err := Regress(context.Background(), d, Settings{})
			if err != nil {
				t.Fatal(err)
			}
			miss += (r.Coef[0] - 2) * (r.Coef[0] - 2) / trials
			claimed += r.StdErr[0] * r.StdErr[0] / trials
		}
		if q := math.Sqrt(claimed / miss); q < 0.7 || q > 1.5 {
			t.Errorf("with a correlation of %g between neighbours the standard error claimed is %.2f of the error", rho, q)
		}
	}
}

// How fine the search looks is as asked: down to rounding, where nothing is looked away from.
func TestAccuracy(t *testing.T) {
	d := &Data{P: 2}
	for i := range 200 {
		x := float64(i) / 10
		d.N, d.X, d.Y = d.N+1, append(d.X, math.Cos(x), math.Sin(x)), append(d.Y, -math.Cos(x)+1e-7*math.Sin(x))
	}
	for accuracy, want := range map[float64]int{0: 1, 1e-4: 1, 1e-9: 2, -1: 2} {
		if r, err := Regress(context.Background(), d, Settings{Accuracy: accuracy}); err != nil || len(r.Set) != want {
			t.Errorf("accuracy %g finds %v, not %d terms: %v", accuracy, r, want, err)
		}
	}
}

// What makes no sense is an error.
func TestRefused(t *testing.T) {
	d, _, _ := planted(rand.New(rand.NewPCG(9, 9)), 20, 3, 1, 0)
	ctx := context.Background()
	for name, s := range map[string]Settings{
		"method":    {Method: "lasso"},
		"option":    {Method: "stlsq", Options: Options{"nu": 1}},
		"negative":  {Method: "stlsq", Options: Options{"ridge": -1}},
		"criterion": {Criterion: "hqc"},
		"folds":     {Criterion: "cv", Folds: 1},
	} {
		if _, err := Regress(ctx, d, s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	d.X[4] = math.NaN()
	if _, err := Regress(ctx, d, Settings{}); err == nil {
		t.Error("a term that is not a number is accepted")
	}
	if _, err := Regress(ctx, &Data{N: 1, P: 1, X: []float64{1}, Y: []float64{1}}, Settings{}); err == nil {
		t.Error("a single sample is accepted")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	d.X[4] = 1
	if _, err := Regress(stopped, d, Settings{Method: "stlsq"}); err == nil {
		t.Error("a cancelled search goes on")
	}
}

// Nothing is found in nothing, and a constant in a constant.
func TestTrivial(t *testing.T) {
	d := &Data{N: 10, P: 2, X: make([]float64, 20), Y: make([]float64, 10)}
	for i := range 10 {
		d.X[2*i], d.X[2*i+1] = 1, float64(i)
	}
	for _, m := range Methods() {
		r, err := Regress(context.Background(), d, Settings{Method: m.Name})
		if err != nil || len(r.Set) != 0 {
			t.Errorf("%s finds %v in zeros, %v", m.Name, r, err)
		}
	}
	for i := range d.Y {
		d.Y[i] = 3
	}
	for _, m := range Methods() {
		r, err := Regress(context.Background(), d, Settings{Method: m.Name})
		if err != nil || !slices.Equal(r.Set, []int{0}) || math.Abs(r.Coef[0]-3) > 1e-12 {
			t.Errorf("%s finds %v in a constant, %v", m.Name, r, err)
		}
	}
}
