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
		{0.4, nil, [4][2]float64{{0.04783679108098537, 0.5027711425336192}, {0.7931411970112627, 0.6630974027211209},
			{-0.6072458257198823, -0.8895222679893299}, {0.19512086404004195, 0.9966233193717825}}},
		{0.7, smoothW, [4][2]float64{{0.029743123487439953, 1.3099187980843534}, {0.7750697383979848, 0.6801340830175784},
			{-0.5685738356973751, -0.9651602656368954}, {0.1970419759768858, 1.252544616313218}}},
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
		{nil, 1.0663951223846804, 0.03517946633579355, 5.509382211766498},
		{smoothW, 1.0573740938941585, 0.03980800366438925, 5.642740383289967},
	} {
		k := newKernel(smoothT, smoothY, c.w, 0)
		if math.Abs(k.h/c.h-1) > 1e-5 || math.Abs(k.score/c.score-1) > 1e-9 || math.Abs(k.freedom/c.trace-1) > 1e-5 {
			t.Errorf("bandwidth %v, score %v, trace %v; want %+v", k.h, k.score, k.freedom, c)
		}
	}
}

// A cubic is met by any bandwidth.
func TestKernelCubic(t *testing.T) {
	y := make([]float64, len(smoothT))
	for i, x := range smoothT {
		y[i] = 1 - 2*x + 3*x*x - x*x*x
	}
	for _, h := range []float64{0.5, 2, 30} {
		k := newKernel(smoothT, y, smoothW, h)
		for _, x := range []float64{0, 1.7, 5} {
			if v, d := k.at(x); math.Abs(v-(1-2*x+3*x*x-x*x*x)) > 1e-7 || math.Abs(d-(6*x-2-3*x*x)) > 1e-7 {
				t.Errorf("bandwidth %v at %v: %v, slope %v", h, x, v, d)
			}
		}
	}
}
