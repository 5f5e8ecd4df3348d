package kernels

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/internal/exact"
)

// builders say what each function means; its interpreter is the reference to the bit.
var builders = [numFunctions]func(g *block.Builder, x block.Value) block.Value{
	fExp: (*block.Builder).Exp, fLog: (*block.Builder).Log, fTanh: (*block.Builder).Tanh, fSigmoid: (*block.Builder).Sigmoid,
	fSin: (*block.Builder).Sin, fCos: (*block.Builder).Cos, fSqrt: (*block.Builder).Sqrt,
}

var functionNames = [numFunctions]string{"exp", "log", "tanh", "sigmoid", "sin", "cos", "sqrt"}

// meaning interprets a block over x and y.
func meaning(t testing.TB, build func(g *block.Builder, x, y block.Value) block.Value, x, y []float64) []float64 {
	t.Helper()
	g := block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{})
	g.Store(2, 0, build(g, g.Load(0, 0), g.Load(1, 0)))
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	it, err := block.NewInterp(b, 1)
	if err != nil {
		t.Fatal(err)
	}
	d := make([]float64, len(x))
	if err := it.Run([][]float64{x, y, d}, len(x)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (f function) meaning(t testing.TB, x []float64) []float64 {
	return meaning(t, func(g *block.Builder, x, _ block.Value) block.Value { return builders[f](g, x) }, x, x)
}

// corners are arguments where functions have ends, joints and exceptions.
var corners = []float64{
	0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1.5, -1.5, 1e-5, math.Inf(1), math.Inf(-1), math.NaN(),
	math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, -0x1p-1022, 0x1.fffffffffffffp-1023, 1e-310, -1e-310, 1e-300, 0x1p-60,
	math.MaxFloat64, -math.MaxFloat64, 1e300, -1e300, 0x1p52, 0x1p53, 0x1p53 - 1, -0x1p53 + 1, 0x1p54, 1 - 0x1p-53, 1 + 0x1p-52, -1 + 0x1p-53,
	math.Pi, math.Pi / 2, math.Pi / 4, -math.Pi, math.Sqrt2, math.Sqrt2 / 2, math.Ln2, math.Ln2 / 2,
	708, -708, 708.0000000000001, -708.0000000000001, 709.782712893384, 709.7827128933841, -709, -745.1332191019411, -745.1332191019412, -745.2, -1000, 1000,
	0x1p20, 0x1p20 + 0x1p-32, -0x1p20 - 1, 6381956970095103 * 0x1p797, 5.319372648326541e255, 20, 37, -37, 19.06, 40, -40, 1024, -1075, 0x1p1023, 0x1p-1074 * 5,
}

func anyNumber(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return corners[r.IntN(len(corners))]
	case 1:
		return math.Float64frombits(r.Uint64())
	}
	return r.NormFloat64() * math.Ldexp(1, r.IntN(14)-6)
}

// points are arguments over the whole range.
func points(n int) (x, y []float64) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, a := range corners {
		for _, b := range corners {
			x, y = append(x, a), append(y, b)
		}
	}
	for range n {
		a, b := anyNumber(r), anyNumber(r)
		if r.IntN(2) == 0 {
			a = math.Abs(a)
		}
		x, y = append(x, a), append(y, b)
	}
	return x, y
}

// TestMeaning compares the functions with the interpreter of their blocks, to the bit.
func TestMeaning(t *testing.T) {
	x, y := points(20000)
	d := make([]float64, len(x))
	want := meaning(t, (*block.Builder).Pow, x, y)
	for _, s := range Available()[1:] {
		s.Pow(d, x, y)
		compare(t, s.String()+", pow", d, want)
	}
	for f := range numFunctions {
		want := f.meaning(t, x)
		for _, s := range Available()[1:] {
			s.unary(f, d, x)
			compare(t, s.String()+", "+functionNames[f], d, want)
		}
	}
}

// TestLengths runs slices of every length, between numbers that must stay, into another slice and in place.
func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	lengths := []int{chunk - 1, chunk, chunk + 1, 2*chunk + 3}
	for n := range 71 {
		lengths = append(lengths, n)
	}
	for _, s := range Available()[1:] {
		for _, n := range lengths {
			a, b, d := newGuarded(r, n), newGuarded(r, n), newGuarded(r, n)
			for i := range a.slice() {
				a.slice()[i], b.slice()[i] = anyNumber(r), anyNumber(r)
			}
			check := func(what string, want []float64) {
				t.Helper()
				what = fmt.Sprintf("%s, %s of %d", s, what, n)
				compare(t, what, d.slice(), want)
				for _, g := range []guarded{a, b, d} {
					g.check(t, what)
				}
			}
			for f := range numFunctions {
				want := f.meaning(t, a.slice())
				s.unary(f, d.slice(), a.slice())
				check(functionNames[f], want)
				copy(d.slice(), a.slice())
				s.unary(f, d.slice(), d.slice())
				check(functionNames[f]+" in place", want)
			}
			want := meaning(t, (*block.Builder).Pow, a.slice(), b.slice())
			s.Pow(d.slice(), a.slice(), b.slice())
			check("pow", want)
			copy(d.slice(), a.slice())
			s.Pow(d.slice(), d.slice(), b.slice())
			check("pow in place", want)
			copy(d.slice(), b.slice())
			s.Pow(d.slice(), a.slice(), d.slice())
			check("pow in place of the exponent", want)
			same := make([]float64, n)
			for i := range same {
				same[i] = 2.5
			}
			s.Pow(d.slice(), a.slice(), []float64{2.5})
			check("pow of a number", meaning(t, (*block.Builder).Pow, a.slice(), same))
			s.Pow(d.slice(), []float64{2.5}, b.slice())
			check("pow to a number", meaning(t, (*block.Builder).Pow, same, b.slice()))
		}
	}
}

// TestAccuracy measures every set, the portable one too, against series in 220 bits. UDL_ULP_POINTS asks for more points.
func TestAccuracy(t *testing.T) {
	n := 1500
	if testing.Short() {
		n = 300
	}
	if os.Getenv("UDL_ULP_POINTS") != "" {
		n = 100_000
	}
	type span = [2]float64 // a lower bound above nought and an upper one that is far off mean by exponent
	spans := [numFunctions][]span{
		fExp: {{-1, 1}, {-746, 710}, {-745.2, -707}}, fLog: {{0.5, 2}, {0.99, 1.01}, {5e-324, 1e308}}, fTanh: {{-1, 1}, {-25, 25}, {-0.01, 0.01}},
		fSigmoid: {{-1, 1}, {-40, 40}, {-745, -700}}, fSin: {{-1, 1}, {-30, 30}, {-0x1p20, 0x1p20}, {1e5, 1e308}}, fCos: {{-1, 1}, {-30, 30}, {-0x1p20, 0x1p20}, {1e5, 1e308}},
		fSqrt: {{0, 5}, {5e-324, 1e308}},
	}
	r := rand.New(rand.NewPCG(9, 10))
	for f := range numFunctions {
		x, d := make([]float64, n), make([]float64, n)
		for i := range x {
			s := spans[f][i%len(spans[f])]
			x[i] = s[0] + r.Float64()*(s[1]-s[0])
			if s[0] > 0 && s[1] > 1e10 {
				x[i] = math.Exp(math.Log(s[0]) + r.Float64()*(math.Log(s[1])-math.Log(s[0])))
			}
		}
		accuracy(t, functionNames[f], d, func(s Set) { s.unary(f, d, x) }, func(i int) float64 { return exact.Ulps(d[i], exactly[f](x[i])) }, x, x)
	}
	x, y, d := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = math.Exp(r.NormFloat64() * []float64{1e-4, 0.1, 1, 100}[i%4])
		if x[i] == 1 || x[i] == 0 || math.IsInf(x[i], 0) {
			x[i] = 1.5
		}
		y[i] = (r.Float64()*1460 - 748) / math.Log(x[i])
	}
	accuracy(t, "pow", d, func(s Set) { s.Pow(d, x, y) }, func(i int) float64 { return exact.Ulps(d[i], exact.Pow(x[i], y[i])) }, x, y)
}

func accuracy(t *testing.T, name string, d []float64, run func(s Set), off func(i int) float64, x, y []float64) {
	for _, s := range Available() {
		run(s)
		worst, at := 0.0, 0
		for i := range d {
			if e := off(i); e > worst {
				worst, at = e, i
			}
		}
		t.Logf("%s, %s: worst error %.3f ulp at %v, %v", name, s, worst, x[at], y[at])
		if worst > 2 {
			t.Errorf("%s, %s: %.3f ulp at %v, %v", name, s, worst, x[at], y[at])
		}
	}
}

// standard are Go's functions, whose special values are C's.
var standard = [numFunctions]func(float64) float64{
	fExp: math.Exp, fLog: math.Log, fTanh: math.Tanh, fSin: math.Sin, fCos: math.Cos, fSqrt: math.Sqrt,
	fSigmoid: func(x float64) float64 {
		if x < 0 {
			return math.Exp(x) / (1 + math.Exp(x))
		}
		return 1 / (1 + math.Exp(-x))
	},
}

// special holds a result against the standard one where an argument or the result is NaN, an infinity or nought, and elsewhere against the exact value.
func special(t *testing.T, what string, got, want, x, y float64, ref func() *big.Float) {
	t.Helper()
	ends := func(v float64) bool { return v == 0 || math.IsInf(v, 0) || v != v }
	switch {
	case want != want || ends(x) || ends(y):
		if !same(got, want) {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	case got == 0 && math.Signbit(got) != math.Signbit(want):
		t.Errorf("%s = %v, want %v", what, got, want)
	default:
		if e := exact.Ulps(got, ref()); e > 2 {
			t.Errorf("%s = %v, %.2f ulp off", what, got, e)
		}
	}
}

// specials checks all functions of all sets at some numbers, and powers of them.
func specials(t *testing.T, x, y []float64) {
	d := make([]float64, len(x))
	for f := range numFunctions {
		memo := map[int]*big.Float{}
		for _, s := range Available() {
			s.unary(f, d, x)
			for i := range x {
				special(t, fmt.Sprintf("%s, %s(%v)", s, functionNames[f], x[i]), d[i], standard[f](x[i]), x[i], 1, func() *big.Float {
					if memo[i] == nil {
						memo[i] = exactly[f](x[i])
					}
					return memo[i]
				})
			}
		}
	}
	powers(t, x, y)
}

// powers checks powers of all sets.
func powers(t *testing.T, x, y []float64) {
	d := make([]float64, len(x))
	memo := map[int]*big.Float{}
	for _, s := range Available() {
		s.Pow(d, x, y)
		for i := range x {
			want := math.Pow(x[i], y[i])
			special(t, fmt.Sprintf("%s, pow(%v, %v)", s, x[i], y[i]), d[i], want, x[i], y[i], func() *big.Float {
				if memo[i] == nil {
					memo[i] = exact.Pow(math.Abs(x[i]), y[i])
					if x[i] < 0 && math.Mod(y[i], 2) != 0 {
						memo[i].Neg(memo[i])
					}
				}
				return memo[i]
			})
		}
	}
}

func TestSpecialValues(t *testing.T) {
	specials(t, corners, corners)
	x, y := points(0) // all pairs of corners
	if testing.Short() {
		x, y = x[:1500], y[:1500]
	}
	powers(t, x, y)
}

// FuzzFunctions compares all functions at any two numbers with their blocks and with the exact values.
func FuzzFunctions(f *testing.F) {
	for i, x := range corners {
		f.Add(math.Float64bits(x), math.Float64bits(corners[(7*i+3)%len(corners)]))
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		x, y := math.Float64frombits(a), math.Float64frombits(b)
		in := []float64{x, y, -x, x, y, y, 1 / x, 0.5, x, x, -y}
		ex := []float64{y, x, y, 2, 0.5, -y, y, y, 1 / y, x, x}
		specials(t, in, ex)
		d := make([]float64, len(in))
		for _, s := range Available()[1:] {
			for f := range numFunctions {
				s.unary(f, d, in)
				compare(t, s.String()+", "+functionNames[f], d, f.meaning(t, in))
			}
			s.Pow(d, in, ex)
			compare(t, s.String()+", pow", d, meaning(t, (*block.Builder).Pow, in, ex))
		}
	})
}
