package train

import (
	"math"
	"testing"
)

// Values, slopes and the choice of the bandwidth are those of weighted least squares with dense matrices in NumPy 2 and SciPy's minimize_scalar.
func TestKernelAgainstNumPy(t *testing.T) {
	at := []float64{0, 0.7, 2.9, 5}
	for _, c := range []struct {
		h    float64
		w    []float64
		want [4][2]float64
	}{
		{0.4, nil, [4][2]float64{{0.037657889068115076, 1.3369100796158295}, {0.7939341137482487, 0.6740295462959047},
			{-0.6089158133549346, -0.8803954442297639}, {0.19536046573485263, 1.196483816160629}}},
		{0.7, smoothW, [4][2]float64{{0.013804572716207091, 1.4746382929664845}, {0.7796619728557979, 0.6716683571142055},
			{-0.5329249154805468, -0.6824689121703881}, {0.20148326125018634, 1.4428712519031623}}},
	} {
		k := newKernel(smoothT, smoothY, c.w, c.h)
		for i, x := range at {
			if v, d := k.at(x); math.Abs(v-c.want[i][0]) > 1e-11 || math.Abs(d-c.want[i][1]) > 1e-11 {
				t.Errorf("bandwidth %v at %v: %v, slope %v; NumPy has %v", c.h, x, v, d, c.want[i])
			}
		}
	}
	for _, c := range []struct {
		w               []float64
		h, score, trace float64
	}{
		{nil, 0.6617377532644559, 0.012355152065221744, 6.295553369502836},
		{smoothW, 0.6541954034642081, 0.016993318273072412, 6.319408891375723},
	} {
		k := newKernel(smoothT, smoothY, c.w, 0)
		if math.Abs(k.h/c.h-1) > 1e-5 || math.Abs(k.score/c.score-1) > 1e-9 || math.Abs(k.freedom/c.trace-1) > 1e-5 {
			t.Errorf("bandwidth %v, score %v, trace %v; want %+v", k.h, k.score, k.freedom, c)
		}
	}
}

// A parabola is met by any bandwidth.
func TestKernelParabola(t *testing.T) {
	y := make([]float64, len(smoothT))
	for i, x := range smoothT {
		y[i] = 1 - 2*x + 3*x*x
	}
	for _, h := range []float64{0.5, 2, 30} {
		k := newKernel(smoothT, y, smoothW, h)
		for _, x := range []float64{0, 1.7, 5} {
			if v, d := k.at(x); math.Abs(v-(1-2*x+3*x*x)) > 1e-8 || math.Abs(d-(6*x-2)) > 1e-8 {
				t.Errorf("bandwidth %v at %v: %v, slope %v", h, x, v, d)
			}
		}
	}
}
