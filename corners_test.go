package udl_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/udl-lang/udl"
)

// From all 64 corners of a box of ±30 % around its best values, over a growing time span, the classical model meets the pelts of hares and
// lynx as well as it can. The values are those of an independent Gauss–Newton iteration.
func TestPeltsFromAllCorners(t *testing.T) {
	const sse = 2.0186611551936933
	names := []string{"alpha", "beta", "gamma", "delta", "x", "y"}
	best := []float64{0.5401589923066267, 0.027165357158820284, 0.7963860434603209, 0.023694638358262674, 34.60242437189107, 5.844506139738818}
	m, err := udl.Load("models/pelts.udl")
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.ReadCSV(context.Background(), "lynx_hare.csv", "year")
	if err != nil {
		t.Fatal(err)
	}
	options := func(c int) udl.FitOptions {
		o := udl.FitOptions{Data: data, Match: map[string]string{"x": "hare", "y": "lynx"}, Loss: "sse(scale = log)", Free: names, Method: "shooting(grow = 4)"}
		o.Rtol, o.Set = 1e-8, map[string]any{}
		for i, n := range names {
			o.Set[n] = best[i] * (0.7 + 0.6*float64(c>>i&1))
		}
		return o
	}
	worst, begin := 0.0, time.Now()
	for c := range 64 {
		f, err := m.Fit(context.Background(), options(c))
		if err != nil {
			t.Fatalf("corner %06b: %v", c, err)
		}
		off := math.Abs(f.Loss()/sse - 1)
		if worst = max(worst, off); !(off < 1e-7) {
			t.Errorf("corner %06b: loss %.10g\n%s", c, f.Loss(), f.Report())
		}
	}
	t.Logf("loss %.8g, off by %.2g of it at most, in %v", sse, worst, time.Since(begin))
	o := options(0)
	o.Train, o.Method = "bfgs", ""
	f, err := m.Fit(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("at once, by bfgs, from all −30 %%: %.5g", f.Loss()); !(f.Loss() > 5*sse) {
		t.Errorf("over the whole span at once bfgs ends at %v, so that growing proves nothing", f.Loss())
	}
}
