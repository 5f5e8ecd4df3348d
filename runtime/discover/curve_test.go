package discover

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/udl-lang/udl/runtime/train"
)

// bent is a model with p terms in each of two outputs, whose data depend on the coefficients in a way that is not linear,
// and on a level of its own.
type bent struct {
	p, n int
	x    []float64 // n × p
	y    [2][]float64
	bad  bool // nowhere a solution
}

var _ train.LeastSquares = (*bent)(nil)

func (b *bent) Dim() int               { return 2*b.p + 1 }
func (b *bent) Squares() (int, string) { return 2 * b.n, "" }

func (b *bent) model(u []float64, o, i int) float64 {
	s := 0.0
	for j := range b.p {
		s += u[o*b.p+j] * b.x[i*b.p+j]
	}
	return u[2*b.p] + s + 0.1*s*s*s
}

func (b *bent) Residuals(_ context.Context, u, r []float64) (bool, error) {
	for o := range 2 {
		for i := range b.n {
			r[o*b.n+i] = b.model(u, o, i) - b.y[o][i]
		}
	}
	return !b.bad, nil
}

func (b *bent) Jacobian(_ context.Context, u, j []float64) (bool, error) {
	m := b.Dim()
	clear(j)
	for o := range 2 {
		for i := range b.n {
			s := 0.0
			for k := range b.p {
				s += u[o*b.p+k] * b.x[i*b.p+k]
			}
			row := j[(o*b.n+i)*m:]
			for k := range b.p {
				row[o*b.p+k] = (1 + 0.3*s*s) * b.x[i*b.p+k]
			}
			row[2*b.p] = 1
		}
	}
	return !b.bad, nil
}

func (b *bent) Eval(ctx context.Context, u, _ []float64) (float64, error) {
	r := make([]float64, 2*b.n)
	b.Residuals(ctx, u, r)
	return dot(r, r), nil
}

// curveOf is a search with noise that differs between the outputs.
func curveOf(rng *rand.Rand, truth []float64, noise [2]float64) *Curve {
	b := &bent{p: len(truth) / 2, n: 40}
	for range b.n * b.p {
		b.x = append(b.x, rng.NormFloat64())
	}
	u := append(slices.Clone(truth), 0.7)
	for o := range 2 {
		for i := range b.n {
			b.y[o] = append(b.y[o], b.model(u, o, i)+noise[o]*rng.NormFloat64())
		}
	}
	c := &Curve{Res: b, Terms: b.p, Outs: 2, Start: make([]float64, b.Dim()), Floor: []float64{1e-9, 1e-9}}
	for i := range 2 * b.n {
		c.Groups = append(c.Groups, i/b.n)
	}
	c.Guess = func(set []int) []float64 {
		v := make([]float64, len(set))
		for i := range v {
			v[i] = 0.3
		}
		return v
	}
	return c
}

// The search finds the planted terms from seeds that are far from them, their coefficients, the level, and the noise of
// each output, which differ by a factor of ten.
func TestCurve(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	wrong := 0
	for range 10 {
		truth := make([]float64, 16)
		set := rng.Perm(16)[:3]
		slices.Sort(set)
		for _, j := range set {
			truth[j] = 0.5 + rng.Float64()
		}
		c := curveOf(rng, truth, [2]float64{0.02, 0.2})
		f, err := c.Search(context.Background(), [][]int{nil, {0}, {5, 9}}, Settings{Ensemble: 20, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.Set, set) {
			wrong++
			continue
		}
		for k, j := range set {
			if math.Abs(f.Coef[k]-truth[j]) > 5*f.StdErr[k] {
				t.Errorf("coefficient %d is %g ± %g, in truth %g", j, f.Coef[k], f.StdErr[k], truth[j])
			}
			if f.Inclusion[j] < 0.8 {
				t.Errorf("term %d is included in %g only", j, f.Inclusion[j])
			}
		}
		if math.Abs(f.Sigma[0]-0.02) > 0.01 || math.Abs(f.Sigma[1]-0.2) > 0.1 || math.Abs(f.V[16]-0.7) > 0.05 {
			t.Errorf("noise %v, level %g", f.Sigma, f.V[16])
		}
	}
	if wrong > 1 {
		t.Errorf("%d of 10 searches end elsewhere", wrong)
	}
}

// The same seed gives the same, and what cannot be searched is an error.
func TestCurveRefused(t *testing.T) {
	ctx := context.Background()
	truth := []float64{1, 0, 0, 0, 0, 1}
	make1 := func() *Curve { return curveOf(rand.New(rand.NewPCG(2, 2)), truth, [2]float64{0.1, 0.1}) }
	c := make1()
	a, err := c.Search(ctx, [][]int{nil}, Settings{Ensemble: 10})
	if err != nil || !slices.Equal(a.Set, []int{0, 5}) {
		t.Fatal(a, err)
	}
	b, _ := make1().Search(ctx, [][]int{nil}, Settings{Ensemble: 10})
	if !slices.Equal(a.V, b.V) || !slices.Equal(a.Inclusion, b.Inclusion) {
		t.Error("the same search gives something else")
	}
	c = make1()
	c.Guess = nil
	if n, err := c.Search(ctx, [][]int{nil, {1}}, Settings{}); err != nil || !slices.Equal(n.Set, []int{0, 5}) {
		t.Error("without guesses", n, err)
	}
	// Each criterion's inclusion is its own: that which charges least takes most.
	taken := map[string]float64{}
	for _, k := range []string{"ebic", "bic", "aicc"} {
		c = make1()
		f, err := c.Search(ctx, [][]int{nil}, Settings{Criterion: k, Ensemble: 50})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range f.Inclusion {
			taken[k] += v
		}
	}
	if !(taken["ebic"] < taken["bic"] && taken["bic"] < taken["aicc"]) {
		t.Errorf("terms taken on average: %v", taken)
	}
	if _, err := make1().Search(ctx, nil, Settings{Criterion: "cv"}); err == nil {
		t.Error("cross-validation of a curve")
	}
	c = make1()
	c.Res.(*bent).bad = true
	if _, err := c.Search(ctx, [][]int{{1}}, Settings{}); err == nil {
		t.Error("a model without a solution")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := make1().Search(stopped, [][]int{{1}}, Settings{}); err == nil {
		t.Error("a search goes on")
	}
}
