package block

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/udl-lang/udl/internal/exact"
)

// kernel is a function that blocks are built of, with its reference.
type kernel struct {
	name   string
	build  func(g *Builder, x, y Value) Value
	ref    func(x, y float64) *big.Float // nil where std alone says
	std    func(x, y float64) float64    // for special values
	ranges [][2]float64                  // where arguments are drawn from; a bound beyond 1e3 means by exponent
	bound  float64                       // ulps
}

func one2(f func(float64) float64) func(x, y float64) float64 {
	return func(x, _ float64) float64 { return f(x) }
}

func un(f func(g *Builder, x Value) Value) func(g *Builder, x, y Value) Value {
	return func(g *Builder, x, _ Value) Value { return f(g, x) }
}

var kernels = []kernel{
	{"exp", un((*Builder).Exp), func(x, _ float64) *big.Float { return exact.Exp(exact.Num(x)) }, one2(math.Exp),
		[][2]float64{{-1, 1}, {-746, 710}, {-745.2, -707}, {707, 710}}, 1},
	{"expm1", un((*Builder).Expm1), func(x, _ float64) *big.Float { return exact.Expm1(exact.Num(x)) }, one2(math.Expm1),
		[][2]float64{{-1, 1}, {-40, 40}, {-1e-5, 1e-5}, {-750, 710}}, 1.5},
	{"log", un((*Builder).Log), func(x, _ float64) *big.Float { return exact.Log(exact.Num(x)) }, one2(math.Log),
		[][2]float64{{0.5, 2}, {0.99, 1.01}, {0, 5}, {math.SmallestNonzeroFloat64, 1e308}}, 1},
	{"log1p", un((*Builder).Log1p), func(x, _ float64) *big.Float { return exact.Log1p(exact.Num(x)) }, one2(math.Log1p),
		[][2]float64{{-0.99999, 1}, {-0.01, 0.01}, {-0.5, 5}, {math.SmallestNonzeroFloat64, 1e308}}, 1},
	{"tanh", un((*Builder).Tanh), func(x, _ float64) *big.Float { return exact.Tanh(x) }, one2(math.Tanh), [][2]float64{{-1, 1}, {-25, 25}, {-0.01, 0.01}, {0.1, 0.6}}, 1},
	{"sigmoid", un((*Builder).Sigmoid), func(x, _ float64) *big.Float { return exact.Sigmoid(x) }, one2(func(x float64) float64 {
		if x < 0 {
			e := math.Exp(x)
			return e / (1 + e)
		}
		return 1 / (1 + math.Exp(-x))
	}), [][2]float64{{-1, 1}, {-40, 40}, {-745, -700}, {-745, 745}}, 1.5},
	{"sin", un((*Builder).Sin), func(x, _ float64) *big.Float { return exact.Sin(x) }, one2(math.Sin),
		[][2]float64{{-1, 1}, {-30, 30}, {-0x1p20, 0x1p20}, {1e5, math.MaxFloat64}, {-0x1p21, 0x1p21}}, 1},
	{"cos", un((*Builder).Cos), func(x, _ float64) *big.Float { return exact.Cos(x) }, one2(math.Cos),
		[][2]float64{{-1, 1}, {-30, 30}, {-0x1p20, 0x1p20}, {1e5, math.MaxFloat64}, {-0x1p21, 0x1p21}}, 1},
	{"sqrt", un((*Builder).Sqrt), func(x, _ float64) *big.Float { return exact.Sqrt(x) }, one2(math.Sqrt),
		[][2]float64{{0, 5}, {math.SmallestNonzeroFloat64, 1e308}}, 0.5},
	{"pow", (*Builder).Pow, func(x, y float64) *big.Float { return exact.Pow(x, y) }, math.Pow, nil, 1.5},
}

// eval runs a kernel by the interpreter.
func eval(t testing.TB, k *kernel, x, y []float64) []float64 {
	g := NewBuilder(Layout{}, Layout{}, Layout{})
	g.Store(2, 0, k.build(g, g.Load(0, 0), g.Load(1, 0)))
	b, err := g.Done()
	if err != nil {
		t.Fatal(k.name, err)
	}
	it, err := NewInterp(b, 1)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(x))
	if err := it.Run([][]float64{x, y, out}, len(x)); err != nil {
		t.Fatal(err)
	}
	return out
}

func draw(r *rand.Rand, lo, hi float64) float64 {
	if hi > 1e6 && (lo > 0 || lo < -1e6) && hi/2 > 0x1p21 {
		return min(hi, math.Exp(math.Log(lo)+r.Float64()*(math.Log(hi)-math.Log(lo))))
	}
	return lo + r.Float64()*(hi-lo)
}

func (k *kernel) sample(r *rand.Rand, n int) (x, y []float64) {
	for i := range n {
		if k.ranges != nil {
			b := k.ranges[i%len(k.ranges)]
			x, y = append(x, draw(r, b[0], b[1])), append(y, 0)
			continue
		}
		// Powers over the whole range of results.
		a := math.Exp(r.NormFloat64() * []float64{1e-4, 0.1, 1, 100}[i%4])
		if a == 1 || math.IsInf(a, 0) || a == 0 {
			a = 1.5
		}
		x, y = append(x, a), append(y, (r.Float64()*1460-748)/math.Log(a))
	}
	return x, y
}

// TestAccuracy measures each kernel against series in 220 bits. UDL_ULP_POINTS asks for more points.
func TestAccuracy(t *testing.T) {
	n := 6000
	if testing.Short() {
		n = 1000
	}
	if os.Getenv("UDL_ULP_POINTS") != "" {
		n = 400_000
	}
	for i := range kernels {
		k := &kernels[i]
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			x, y := k.sample(rand.New(rand.NewPCG(7, uint64(i))), n)
			got := eval(t, k, x, y)
			worst, at := 0.0, 0
			for i := range x {
				if e := exact.Ulps(got[i], k.ref(x[i], y[i])); e > worst {
					worst, at = e, i
				}
			}
			t.Logf("worst error %.3f ulp at %v, %v: %v", worst, x[at], y[at], got[at])
			if worst > k.bound {
				t.Errorf("more than %v ulp", k.bound)
			}
		})
	}
}

// corners are arguments where functions have ends, joints and exceptions.
var corners = []float64{
	0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3, -3, 0.75, 1.5, -1.5, 4, 1e-5, math.Inf(1), math.Inf(-1), math.NaN(),
	math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, -0x1p-1022, 0x1.fffffffffffffp-1023, 1e-310, -1e-310, 1e-300, 0x1p-60, -0x1p-60,
	math.MaxFloat64, -math.MaxFloat64, 1e300, -1e300, 0x1p52, 0x1p53, 0x1p53 - 1, -0x1p53 + 1, 0x1p54, 1 - 0x1p-53, 1 + 0x1p-52, -1 + 0x1p-53, -1 - 0x1p-52,
	math.Pi, math.Pi / 2, math.Pi / 4, -math.Pi, math.Sqrt2, math.Sqrt2 / 2, math.Ln2, math.Ln2 / 2, -math.Ln2 / 2,
	708, -708, 708.0000000000001, -708.0000000000001, 709.5, 709.782712893384, 709.7827128933841, 710, 1000, -709, -744, -745.1332191019411, -745.1332191019412, -745.2, -1000,
	0x1p20, 0x1p20 + 0x1p-32, -0x1p20 - 1, 6381956970095103 * 0x1p797, 5.319372648326541e255, 20, 37, -37, 19.06, 40, -40, 1023, 1024, -1074, -1075,
	log1pLow, log1pHigh, -0.99999999999, 0x1p1023, 0x1p-1074 * 5, 11, -11,
}

// TestCorners compares special values with math's, which follow C's annex F, and the signs of noughts; the other corners with the references.
func TestCorners(t *testing.T) {
	for i := range kernels {
		k := &kernels[i]
		var x, y []float64
		for _, a := range corners {
			for _, b := range corners {
				if k.name != "pow" {
					b = 0
				}
				x, y = append(x, a), append(y, b)
				if k.name != "pow" {
					break
				}
			}
		}
		got := eval(t, k, x, y)
		for i := range x {
			k.corner(t, x[i], y[i], got[i])
		}
	}
}

func (k *kernel) corner(t *testing.T, x, y, got float64) {
	want := k.std(x, y)
	special := math.IsInf(x, 0) || x == 0 || x == -1 || k.name == "pow" && (math.IsInf(y, 0) || math.IsNaN(y) || y == 0)
	switch {
	case math.IsNaN(want) || math.IsNaN(got):
		if math.IsNaN(want) && math.IsNaN(got) {
			return
		}
	case math.Signbit(got) != math.Signbit(want):
	case special && (want == 0 || math.IsInf(want, 0) || math.Abs(want) == 1):
		if got == want {
			return
		}
	default:
		k.near(t, x, y, got, want)
		return
	}
	t.Errorf("%s(%v, %v) = %v, want %v", k.name, x, y, got, want)
}

// near compares an ordinary value at a corner with the reference, where the reference reaches.
func (k *kernel) near(t *testing.T, x, y, got, want float64) {
	switch {
	case want == 0:
		if math.Abs(got) > math.SmallestNonzeroFloat64 {
			t.Errorf("%s(%v, %v) = %v, want %v", k.name, x, y, got, want)
		}
		return
	case k.name == "pow" && x < 0: // only integers come here
		x, got = -x, math.Abs(got)
	case math.Abs(x) > 800 && (k.name == "tanh" || k.name == "sigmoid"): // flat
		if got != want {
			t.Errorf("%s(%v) = %v, want %v", k.name, x, got, want)
		}
		return
	}
	if e := exact.Ulps(got, k.ref(x, y)); e > k.bound {
		t.Errorf("%s(%v, %v) = %v, %.2f ulp off", k.name, x, y, got, e)
	}
}
