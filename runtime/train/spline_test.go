package train

import (
	"math"
	"math/rand/v2"
	"testing"
)

var (
	smoothT = []float64{0, 0.3, 0.5, 1.1, 1.4, 2.2, 2.5, 3.1, 3.3, 4.0, 4.6, 5.0}
	smoothY = []float64{0.05, 0.350188, 0.685186, 0.930105, 0.989109, 0.317886, -0.178195, -0.766068, -0.862112, -0.923455, -0.268562, 0.19512}
	smoothW = []float64{1, 2, 1, 1, 0.5, 1, 3, 1, 1, 0.25, 1, 2}
)

// Values and slopes are those of SciPy 1.17, scipy.interpolate.make_smoothing_spline(t, y, w, lam), typed from its output.
func TestSplineAgainstSciPy(t *testing.T) {
	at := []float64{0, 0.7, 2.9, 5}
	for _, c := range []struct {
		lambda    float64
		w         []float64
		v, slopes [4]float64
	}{
		{0.01, nil, [4]float64{0.05727911398645902, 0.7841543522641636, -0.5879720550796846, 0.19169517137076875},
			[4]float64{1.1676150455850598, 0.6894315837226751, -0.9493763334319716, 1.2262400070375583}},
		{0.5, nil, [4]float64{0.382264951451039, 0.6010103290257173, -0.37804053916756014, -0.12437012228095728},
			[4]float64{0.37053516758564276, 0.19056067583027544, -0.6041466976141869, 0.5804766215450425}},
		{0.02, smoothW, [4]float64{0.06310646461935115, 0.7613658602016439, -0.5933513002417956, 0.18418821444986305},
			[4]float64{1.1065422509286034, 0.6985825117489115, -0.9069806920870478, 1.183220765710964}},
	} {
		s := newSpline(smoothT, smoothY, c.w, c.lambda)
		for i, x := range at {
			v, d := s.at(x)
			if math.Abs(v-c.v[i]) > 1e-12 || math.Abs(d-c.slopes[i]) > 1e-12 {
				t.Errorf("λ = %v at %v: %v, slope %v; SciPy has %v, %v", c.lambda, x, v, d, c.v[i], c.slopes[i])
			}
		}
	}
}

// The penalty of least score is that of the same formulas with dense matrices, A = (W + λ Q R⁻¹ Qᵀ)⁻¹ W, in NumPy 2 and SciPy's
// minimize_scalar, with the factor 1.4.
func TestSplineCrossValidation(t *testing.T) {
	for _, c := range []struct {
		w                    []float64
		lambda, score, trace float64
	}{
		{nil, 0.03515887906859597, 0.03435109384487488, 6.034416053010063},
		{smoothW, 0.03435736656260198, 0.0358626172930622, 5.988252203783824},
	} {
		s := newSpline(smoothT, smoothY, c.w, -1)
		if math.Abs(s.lambda/c.lambda-1) > 1e-5 || math.Abs(s.score/c.score-1) > 1e-10 || math.Abs(s.freedom/c.trace-1) > 1e-6 {
			t.Errorf("λ = %v, score %v, trace %v; want %v, %v, %v", s.lambda, s.score, s.freedom, c.lambda, c.score, c.trace)
		}
	}
}

// Data on a line are met by a line, whatever the penalty; data without noise hardly get any; noise alone is smoothed to a line.
func TestSplineLimits(t *testing.T) {
	line, exact, noise := make([]float64, 60), make([]float64, 60), make([]float64, 60)
	times := make([]float64, 60)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range times {
		times[i] = 1900 + 0.1*float64(i) + 0.03*rng.Float64()
		line[i] = 3 - 2*(times[i]-1900)
		exact[i] = math.Sin(2 * times[i])
		noise[i] = rng.NormFloat64()
	}
	for _, lambda := range []float64{0, 1e-3, 1e9, -1} {
		s := newSpline(times, line, nil, lambda)
		if v, d := s.at(1902.345); math.Abs(v-(3-2*2.345)) > 1e-6 || math.Abs(d+2) > 1e-6 {
			t.Errorf("a line with λ = %v: %v, slope %v", lambda, v, d)
		}
	}
	s := newSpline(times, exact, nil, -1)
	for _, x := range []float64{1901, 1903.03, 1905} {
		if v, d := s.at(x); math.Abs(v-math.Sin(2*x)) > 1e-3 || math.Abs(d-2*math.Cos(2*x)) > 1e-2 {
			t.Errorf("a sine at %v: %v, slope %v, with %v", x, v, d, s)
		}
	}
	if s := newSpline(times, noise, nil, -1); s.freedom > 6 {
		t.Errorf("noise is worth %v", s)
	}
	// Beyond the ends it goes on straight.
	v, d := s.at(times[59])
	if w, e := s.at(times[59] + 1); math.Abs(w-v-d) > 1e-9 || math.Abs(d-e) > 1e-9 {
		t.Errorf("beyond the end %v, slope %v after %v, slope %v", w, e, v, d)
	}
}
