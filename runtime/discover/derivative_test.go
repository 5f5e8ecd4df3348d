package discover

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every way of differentiating is right for a smooth curve on uneven times, and gets better with more samples.
func TestDerivatives(t *testing.T) {
	for _, d := range Derivatives() {
		if d.Doc == "" || d.Cite == "" {
			t.Errorf("%s lacks a doc or a source", d.Name)
		}
		var last float64
		for _, n := range []int{40, 80, 160} {
			ts, ys := make([]float64, n), make([]float64, n)
			for i := range ts {
				s := float64(i) / float64(n-1)
				ts[i] = 3*s + 0.1*math.Sin(5*s)
				ys[i] = math.Sin(2 * ts[i])
			}
			_, rate, err := Differentiate(d.Name, ts, ys)
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i := n / 8; i < n-n/8; i++ {
				worst = math.Max(worst, math.Abs(rate[i]-2*math.Cos(2*ts[i])))
			}
			if last > 0 && worst > last/4 {
				t.Errorf("%s: the error with %d samples is %g, with half of them %g", d.Name, n, worst, last)
			}
			last = worst
		}
		if last > 1e-3 {
			t.Errorf("%s: error %g", d.Name, last)
		}
		if _, _, err := Differentiate(d.Name, []float64{0, 1}, []float64{0, 1}); err == nil {
			t.Errorf("%s differentiates two samples", d.Name)
		}
	}
	if _, _, err := Differentiate("magic", nil, nil); err == nil {
		t.Error("magic works")
	}
}

// The smoothing spline takes noise out: its derivative is much nearer than that of differences.
func TestSplineSmooths(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	n := 200
	ts, ys := make([]float64, n), make([]float64, n)
	for i := range ts {
		ts[i] = 6 * float64(i) / float64(n-1)
		ys[i] = math.Sin(ts[i]) + 0.05*rng.NormFloat64()
	}
	err := func(name string) float64 {
		_, rate, e := Differentiate(name, ts, ys)
		if e != nil {
			t.Fatal(e)
		}
		s := 0.0
		for i := 10; i < n-10; i++ {
			s += math.Pow(rate[i]-math.Cos(ts[i]), 2)
		}
		return math.Sqrt(s / float64(n-20))
	}
	if s, d := err("spline"), err("differences"); s > 0.1 || s > d/10 {
		t.Errorf("spline %g, differences %g", s, d)
	}
}

// The weak form holds for a solution: x' = −x.
func TestWeak(t *testing.T) {
	n := 101
	ts, ys := make([]float64, n), make([]float64, n)
	for i := range ts {
		ts[i] = 0.05 * float64(i)
		ys[i] = math.Exp(-ts[i])
	}
	d, err := Weak(ts, ys, ys, 1, 41, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Y {
		if math.Abs(d.Y[i]+d.X[i]) > 1e-5*math.Abs(d.X[i]) {
			t.Errorf("row %d: %g and %g", i, d.Y[i], d.X[i])
		}
	}
	if _, err := Weak(ts, ys, ys, 1, 200, 5); err == nil {
		t.Error("a window longer than the data fits")
	}
}

// Few samples under each bump, and uneven ones, give no bias: it would be the same in all rows, so that no residual tells of it.
func TestWeakOfFewSamples(t *testing.T) {
	for _, n := range []int{11, 21, 41, 81} {
		for _, uneven := range []float64{0, 0.3} {
			ts, ys := make([]float64, n), make([]float64, n)
			for i := range ts {
				s := float64(i) / float64(n-1)
				ts[i] = 3*s + uneven*math.Sin(9*s)/3
				ys[i] = math.Exp(-ts[i])
			}
			d, err := Weak(ts, ys, ys, 1, 7, 1)
			if err != nil {
				t.Fatal(err)
			}
			for i := range d.Y {
				if math.Abs(d.Y[i]+d.X[i]) > 2e-4*math.Abs(d.X[i]) {
					t.Errorf("%d samples, row %d: %g and %g", n, i, d.Y[i], d.X[i])
				}
			}
		}
	}
}

// Two samples of almost one time magnify no noise: what each weighs is of the order of its share of the time.
func TestWeakOfCloseSamples(t *testing.T) {
	n := 40
	ts, ys := make([]float64, n), make([]float64, n)
	for i := range ts {
		ts[i] = 0.1 * float64(i)
	}
	ts[20] = ts[19] + 1e-7
	ys[20] = 1
	d, err := Weak(ts, ys, ys, 1, 15, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Y {
		if math.Abs(d.X[i]) > 0.2 || math.Abs(d.Y[i]) > 1 {
			t.Errorf("row %d: %g and %g of one sample", i, d.Y[i], d.X[i])
		}
	}
}
