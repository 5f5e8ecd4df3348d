package train

import (
	"context"
	"math"
	"testing"
)

// Problems with certified results of the Statistical Reference Datasets for nonlinear regression, National
// Institute of Standards and Technology, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
// (public domain), of its lower and higher levels of difficulty.
type nistProblem struct {
	name    string
	formula string
	model   func(x float64, b []float64) float64
	starts  [2][]float64
	best    []float64
	sse     float64
	xy      [][2]float64
}

var nist = []nistProblem{
	{"Misra1a", "b1 (1 − exp(−b2 x))", saturation, [2][]float64{{500, 0.0001}, {250, 0.0005}},
		[]float64{2.3894212918e+02, 5.5015643181e-04}, 1.2455138894e-01,
		[][2]float64{{77.6, 10.07}, {114.9, 14.73}, {141.1, 17.94}, {190.8, 23.93}, {239.9, 29.61}, {289, 35.18}, {332.8, 40.02}, {378.4, 44.82},
			{434.8, 50.76}, {477.3, 55.05}, {536.8, 61.01}, {593.1, 66.40}, {689.1, 75.47}, {760, 81.78}}},
	{"BoxBOD", "b1 (1 − exp(−b2 x))", saturation, [2][]float64{{1, 1}, {100, 0.75}},
		[]float64{2.1380940889e+02, 5.4723748542e-01}, 1.1680088766e+03,
		[][2]float64{{1, 109}, {2, 149}, {3, 149}, {5, 191}, {7, 213}, {10, 224}}},
	{"MGH09", "b1 (x² + x b2)/(x² + x b3 + b4)",
		func(x float64, b []float64) float64 { return b[0] * (x*x + x*b[1]) / (x*x + x*b[2] + b[3]) },
		[2][]float64{{25, 39, 41.5, 39}, {0.25, 0.39, 0.415, 0.39}},
		[]float64{1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01}, 3.0750560385e-04,
		[][2]float64{{4, 0.1957}, {2, 0.1947}, {1, 0.1735}, {0.5, 0.16}, {0.25, 0.0844}, {0.167, 0.0627}, {0.125, 0.0456}, {0.1, 0.0342},
			{0.0833, 0.0323}, {0.0714, 0.0235}, {0.0625, 0.0246}}},
	{"Rat43", "b1/(1 + exp(b2 − b3 x))^(1/b4)",
		func(x float64, b []float64) float64 { return b[0] / math.Pow(1+math.Exp(b[1]-b[2]*x), 1/b[3]) },
		[2][]float64{{100, 10, 1, 1}, {700, 5, 0.75, 1.3}},
		[]float64{6.9964151270e+02, 5.2771253025e+00, 7.5962938329e-01, 1.2792483859e+00}, 8.7864049080e+03,
		[][2]float64{{1, 16.08}, {2, 33.83}, {3, 65.80}, {4, 97.20}, {5, 191.55}, {6, 326.20}, {7, 386.87}, {8, 520.53}, {9, 590.03}, {10, 651.92},
			{11, 724.93}, {12, 699.56}, {13, 689.96}, {14, 637.56}, {15, 717.41}}},
	{"Eckerle4", "(b1/b2) exp(−((x − b3)/b2)²/2)",
		func(x float64, b []float64) float64 { z := (x - b[2]) / b[1]; return b[0] / b[1] * math.Exp(-z*z/2) },
		[2][]float64{{1, 10, 500}, {1.5, 5, 450}},
		[]float64{1.5543827178e+00, 4.0888321754e+00, 4.5154121844e+02}, 1.4635887487e-03,
		[][2]float64{{400, 0.0001575}, {405, 0.0001699}, {410, 0.0002350}, {415, 0.0003102}, {420, 0.0004917}, {425, 0.0008710}, {430, 0.0017418},
			{435, 0.0046400}, {436.5, 0.0065895}, {438, 0.0097302}, {439.5, 0.0149002}, {441, 0.0237310}, {442.5, 0.0401683}, {444, 0.0712559},
			{445.5, 0.1264458}, {447, 0.2073413}, {448.5, 0.2902366}, {450, 0.3445623}, {451.5, 0.3698049}, {453, 0.3668534}, {454.5, 0.3106727},
			{456, 0.2078154}, {457.5, 0.1164354}, {459, 0.0616764}, {460.5, 0.0337200}, {462, 0.0194023}, {463.5, 0.0117831}, {465, 0.0074357},
			{470, 0.0022732}, {475, 0.0008800}, {480, 0.0004579}, {485, 0.0002345}, {490, 0.0001586}, {495, 0.0001143}, {500, 0.0000710}}},
	{"Thurber", "(b1 + b2 x + b3 x² + b4 x³)/(1 + b5 x + b6 x² + b7 x³)",
		func(x float64, b []float64) float64 {
			return (b[0] + x*(b[1]+x*(b[2]+x*b[3]))) / (1 + x*(b[4]+x*(b[5]+x*b[6])))
		},
		[2][]float64{{1000, 1000, 400, 40, 0.7, 0.3, 0.03}, {1300, 1500, 500, 75, 1, 0.4, 0.05}},
		[]float64{1.2881396800e+03, 1.4910792535e+03, 5.8323836877e+02, 7.5416644291e+01, 9.6629502864e-01, 3.9797285797e-01, 4.9727297349e-02}, 5.6427082397e+03,
		[][2]float64{{-3.067, 80.574}, {-2.981, 84.248}, {-2.921, 87.264}, {-2.912, 87.195}, {-2.840, 89.076}, {-2.797, 89.608}, {-2.702, 89.868},
			{-2.699, 90.101}, {-2.633, 92.405}, {-2.481, 95.854}, {-2.363, 100.696}, {-2.322, 101.060}, {-1.501, 401.672}, {-1.460, 390.724},
			{-1.274, 567.534}, {-1.212, 635.316}, {-1.100, 733.054}, {-1.046, 759.087}, {-0.915, 894.206}, {-0.714, 990.785}, {-0.566, 1090.109},
			{-0.545, 1080.914}, {-0.400, 1122.643}, {-0.309, 1178.351}, {-0.109, 1260.531}, {-0.103, 1273.514}, {0.010, 1288.339}, {0.119, 1327.543},
			{0.377, 1353.863}, {0.790, 1414.509}, {0.963, 1425.208}, {1.006, 1421.384}, {1.115, 1442.962}, {1.572, 1464.350}, {1.841, 1468.705},
			{2.047, 1447.894}, {2.200, 1457.628}}},
}

func saturation(x float64, b []float64) float64 { return b[0] * (1 - math.Exp(-b[1]*x)) }

var _ LeastSquares = (*regression)(nil)

// regression is such a problem in units of its start, as Fit would pose it. Derivatives are by central differences
// of the third kind, good to ten digits.
type regression struct {
	p     nistProblem
	start []float64
	b     []float64
}

func (o *regression) Dim() int               { return len(o.start) }
func (o *regression) Squares() (int, string) { return len(o.p.xy), "" }

func (o *regression) Residuals(_ context.Context, u, r []float64) (bool, error) {
	for i := range u {
		o.b[i] = u[i] * o.start[i]
	}
	for i, d := range o.p.xy {
		r[i] = o.p.model(d[0], o.b) - d[1]
	}
	return firstBad(r) < 0, nil
}

func (o *regression) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	m, n := len(o.p.xy), len(u)
	r := make([]float64, m)
	at := append([]float64(nil), u...)
	for k := range n {
		h := 1e-3 * math.Max(math.Abs(u[k]), 1e-3)
		for i := range m {
			j[i*n+k] = 0
		}
		for _, c := range []struct{ a, w float64 }{{1, 3. / 4}, {-1, -3. / 4}, {2, -3. / 20}, {-2, 3. / 20}, {3, 1. / 60}, {-3, -1. / 60}} {
			at[k] = u[k] + c.a*h
			if ok, err := o.Residuals(ctx, at, r); !ok {
				return false, err
			}
			for i := range m {
				j[i*n+k] += c.w * r[i] / h
			}
		}
		at[k] = u[k]
	}
	return true, nil
}

func (o *regression) Eval(ctx context.Context, u, g []float64) (float64, error) {
	m, n := len(o.p.xy), len(u)
	r, j := make([]float64, m), make([]float64, m*n)
	if ok, err := o.Residuals(ctx, u, r); !ok {
		return math.Inf(1), err
	}
	if g != nil {
		if ok, err := o.Jacobian(ctx, u, j); !ok {
			return math.Inf(1), err
		}
		clear(g)
		for i, v := range r {
			axpy(g, 2*v, j[i*n:(i+1)*n])
		}
	}
	return dot(r, r), nil
}

// Levenberg–Marquardt reaches the certified values from both starts, to six digits and more.
func TestNIST(t *testing.T) {
	for _, p := range nist {
		for k, start := range p.starts {
			o := &regression{p: p, start: start, b: make([]float64, len(start))}
			u := make([]float64, len(start))
			for i := range u {
				u[i] = 1
			}
			m := minimise(t, o, u, mustStage(t, "lm", nil))
			digits := -math.Log10(math.Abs(m.F/p.sse - 1))
			for i, want := range p.best {
				digits = math.Min(digits, -math.Log10(math.Abs(m.U[i]*start[i]/want-1)))
			}
			t.Logf("%s, start %d: %.1f digits, %d iterations, %d evaluations, %v", p.name, k+1, digits, m.Iters, m.Evals, m.Status)
			if !(digits >= 6.5) || m.Status != Converged {
				t.Errorf("%s (%s) from %v: %v at %v", p.name, p.formula, start, m.F, o.b)
			}
		}
	}
}
