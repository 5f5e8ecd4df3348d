package stdlib

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// representations are the forms an unknown function may take, interchangeable in one word.
// Their inputs form a vector; with many points at once, the rows of a matrix.
var representations = []Row{
	{Builtin: sig.Builtin{Name: "NN", Kind: sig.Representation, Result: "learnable function",
		Doc: "Fully connected network. The output layer starts at zero, so that the untrained model is the model without it.",
		Params: []sig.Param{
			{Name: "hidden", Type: "list of whole numbers", Default: "[16, 16]", Doc: "units of the hidden layers"},
			{Name: "act", Type: "activation", Default: "tanh", Doc: "of the hidden layers"},
			{Name: "out_act", Type: "activation", Default: "identity", Doc: "of the output layer"},
			{Name: "init", Type: "word", Default: "glorot", Doc: "glorot (Glorot and Bengio 2010), he (He et al. 2015) or lecun (LeCun et al. 1998) for the hidden layers"},
			{Name: "scale", Type: "auto, number or list", Default: "auto", Doc: "what each input is divided by; auto: the largest magnitude of its data, else of its bound, else 1"},
		},
		Example: "unknown U(x, y) -> (gx, gy) = NN(hidden = [5, 5], act = tanh)", Weights: nnWeights}, Rep: nn},
	{Builtin: sig.Builtin{Name: "poly", Kind: sig.Representation, Result: "learnable function",
		Doc:     "Polynomial in all inputs, divided by scale, up to a total degree, c[k, m] the coefficient of monomial m in output k, monomials by degree, then as x^2, x*y, y^2. Starts at zero.",
		Params:  []sig.Param{{Name: "degree", Type: "whole number", Default: "2"}, scaleParam("auto")},
		Example: "unknown f(x) = poly(degree = 3)",
		Weights: func(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
			d, err := whole(o, "degree", 2, 0, 30)
			if err != nil {
				return nil, err
			}
			return linear(o, nIn, nOut, len(monomials(nIn, d)), 0)
		}}, Rep: basis(func(o sig.Options, nIn int) features {
		d, _ := whole(o, "degree", 2, 0, 30)
		return monomialFeatures(nIn, d)
	})},
	{Builtin: sig.Builtin{Name: "fourier", Kind: sig.Representation, Result: "learnable function",
		Doc:     "1, cos(k*pi*x), sin(k*pi*x) for k = 1…n in each input, x divided by scale (period 2*scale). Starts at zero.",
		Params:  []sig.Param{{Name: "n", Type: "whole number", Default: "4"}, scaleParam("auto")},
		Example: "unknown f(x) = fourier(n = 4)",
		Weights: func(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
			n, err := whole(o, "n", 4, 1, 1000)
			if err != nil {
				return nil, err
			}
			return linear(o, nIn, nOut, 1+2*n*nIn, 0)
		}}, Rep: basis(func(o sig.Options, nIn int) features {
		n, _ := whole(o, "n", 4, 1, 1000)
		return perInput(nIn, func(g *ir.Graph, x ir.ID) []ir.ID {
			var f []ir.ID
			for k := 1; k <= n; k++ {
				a := g.Mul(g.Num(float64(k)*math.Pi), x)
				f = append(f, g.Do(ir.OpCos, a), g.Do(ir.OpSin, a))
			}
			return f
		})
	})},
	{Builtin: sig.Builtin{Name: "chebyshev", Kind: sig.Representation, Result: "learnable function",
		Doc:     "Chebyshev polynomials T_0…T_n in each input divided by scale. Starts at zero.",
		Params:  []sig.Param{{Name: "n", Type: "whole number", Default: "5"}, scaleParam("auto")},
		Example: "unknown f(x) = chebyshev(n = 5)", Cite: "DLMF, section 18.9(i)",
		Weights: recurrenceWeights}, Rep: basis(recurrence(func(k int) (a, b float64) { return 2, 1 }))},
	{Builtin: sig.Builtin{Name: "legendre", Kind: sig.Representation, Result: "learnable function",
		Doc:     "Legendre polynomials P_0…P_n in each input divided by scale. Starts at zero.",
		Params:  []sig.Param{{Name: "n", Type: "whole number", Default: "5"}, scaleParam("auto")},
		Example: "unknown f(x) = legendre(n = 5)", Cite: "DLMF, section 18.9(i)",
		Weights: recurrenceWeights}, Rep: basis(recurrence(func(k int) (a, b float64) {
		return float64(2*k+1) / float64(k+1), float64(k) / float64(k+1)
	}))},
	{Builtin: sig.Builtin{Name: "rbf", Kind: sig.Representation, Result: "learnable function",
		Doc:     "Gaussian bumps exp(-r^2/(2 w^2)) round fixed centres, on a grid over [-1, 1] in each input divided by scale, w the grid's spacing. Starts at zero.",
		Params:  []sig.Param{{Name: "centers", Type: "whole number or list", Default: "5", Doc: "how many in each input, or where (of a single input)"}, scaleParam("auto")},
		Example: "unknown f(x) = rbf(centers = 7)",
		Weights: func(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
			c, err := centers(o, nIn)
			if err != nil {
				return nil, err
			}
			return linear(o, nIn, nOut, len(c.at), 0)
		}}, Rep: basis(rbfFeatures)},
}

func scaleParam(def string) sig.Param {
	return sig.Param{Name: "scale", Type: "auto, number or list", Default: def, Doc: "what each input is divided by"}
}

// whole reads an option that is a whole number within limits.
func whole(o sig.Options, name string, def, lo, hi int) (int, error) {
	v, ok := o[name]
	if !ok {
		return def, nil
	}
	if len(v.Nums) != 1 || v.Nums[0] != math.Trunc(v.Nums[0]) || v.Nums[0] < float64(lo) || v.Nums[0] > float64(hi) {
		return 0, fmt.Errorf("`%s` must be a whole number from %d to %d", name, lo, hi)
	}
	return int(v.Nums[0]), nil
}

// scaleOf makes the input scale's weight. def 0 means auto.
func scaleOf(o sig.Options, nIn int, def float64) (sig.Weight, error) {
	w := sig.Weight{Name: "scale", Shape: types.Shape{nIn}, Fixed: true}
	vals := make([]float64, nIn)
	v, ok := o["scale"]
	switch {
	case ok && v.Word == "auto" || !ok && def == 0:
		w.Role = "scale"
		for i := range vals {
			vals[i] = 1
		}
	case !ok:
		for i := range vals {
			vals[i] = def
		}
	case len(v.Nums) == 1 || len(v.Nums) == nIn:
		for i := range vals {
			vals[i] = v.Nums[i%len(v.Nums)]
			if !(vals[i] > 0) || math.IsInf(vals[i], 0) {
				return w, fmt.Errorf("`scale` must be positive, this is %g", vals[i])
			}
		}
	default:
		return w, fmt.Errorf("`scale` is `auto`, one number, or one for each of the %d inputs", nIn)
	}
	w.Init = func(x []float64, _ *rand.Rand) { copy(x, vals) }
	return w, nil
}

// scaled divides the inputs by the scale.
func scaled(g *ir.Graph, in ir.ID, w map[string]ir.ID) ir.ID {
	// Of θ alone, so the division is made once for many evaluations.
	return g.Mul(in, rowsLike(g, g.Div(g.Num(1), w["scale"]), in))
}

// rowsLike repeats a vector for each row of a matrix; beside a vector it is itself.
func rowsLike(g *ir.Graph, v, like ir.ID) ir.ID {
	s := g.Shape(like)
	if len(s) < 2 {
		return v
	}
	return g.Expand(v, types.Shape{s[0], g.Shape(v)[0]}, []int{-1, 0})
}

// ---- NN ----

func layers(o sig.Options, nOut int) ([]int, error) {
	hidden := []float64{16, 16}
	if h, ok := o["hidden"]; ok {
		hidden = h.Nums
	}
	var out []int
	for _, h := range hidden {
		if h != math.Trunc(h) || h < 1 || h > 1<<16 {
			return nil, fmt.Errorf("`hidden` is a list of whole numbers of units, such as [16, 16]")
		}
		out = append(out, int(h))
	}
	return append(out, nOut), nil
}

// spreads are the bounds of the uniform distributions that the hidden layers start from.
var spreads = map[string]func(in, out int) float64{
	"glorot": func(in, out int) float64 { return math.Sqrt(6 / float64(in+out)) },
	"he":     func(in, _ int) float64 { return math.Sqrt(6 / float64(in)) },
	"lecun":  func(in, _ int) float64 { return math.Sqrt(3 / float64(in)) },
}

func zero(w []float64, _ *rand.Rand) { clear(w) }

func nnWeights(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
	ls, err := layers(o, nOut)
	if err != nil {
		return nil, err
	}
	word := "glorot"
	if v, ok := o["init"]; ok {
		word = v.Word
	}
	spread, ok := spreads[word]
	if !ok {
		return nil, fmt.Errorf("`init` is glorot, he or lecun")
	}
	scale, err := scaleOf(o, nIn, 0)
	if err != nil {
		return nil, err
	}
	ws := []sig.Weight{scale}
	in := nIn
	for k, n := range ls {
		init := zero
		if k < len(ls)-1 {
			r := spread(in, n)
			init = func(w []float64, rng *rand.Rand) {
				for i := range w {
					w[i] = r * (2*rng.Float64() - 1)
				}
			}
		}
		ws = append(ws,
			sig.Weight{Name: fmt.Sprintf("W%d", k+1), Shape: types.Shape{n, in}, Init: init},
			sig.Weight{Name: fmt.Sprintf("b%d", k+1), Shape: types.Shape{n}, Init: zero})
		in = n
	}
	return ws, nil
}

func nn(g *ir.Graph, o sig.Options, in ir.ID, w map[string]ir.ID, nOut int) ir.ID {
	ls, _ := layers(o, nOut)
	act := func(option, def string) func(*ir.Graph, []ir.ID) ir.ID {
		if v, ok := o[option]; ok {
			def = v.Word
		}
		for i := range activations {
			if activations[i].Name == def {
				return activations[i].Lower
			}
		}
		return activations[0].Lower
	}
	hidden, last := act("act", "tanh"), act("out_act", "identity")
	x := scaled(g, in, w)
	for k := range ls {
		W, b := w[fmt.Sprintf("W%d", k+1)], w[fmt.Sprintf("b%d", k+1)]
		if len(g.Shape(x)) == 2 {
			x = g.MatMul(x, W, false, true)
			x = g.Add(x, rowsLike(g, b, x))
		} else {
			x = g.Add(g.MatMul(W, x, false, false), b)
		}
		f := hidden
		if k == len(ls)-1 {
			f = last
		}
		x = f(g, []ir.ID{x})
	}
	return x
}

// ---- linear combinations of features ----

// features makes the features of the scaled inputs, each a scalar or, with many points, a vector;
// x are the inputs, one node each.
type features func(g *ir.Graph, x []ir.ID) []ir.ID

func linear(o sig.Options, nIn, nOut, n int, scale float64) ([]sig.Weight, error) {
	s, err := scaleOf(o, nIn, scale)
	if err != nil {
		return nil, err
	}
	if n > 1<<20 {
		return nil, fmt.Errorf("this representation would have %d coefficients", n)
	}
	return []sig.Weight{s, {Name: "c", Shape: types.Shape{nOut, n}, Init: zero}}, nil
}

// basis is the representation c @ features(x).
func basis(of func(o sig.Options, nIn int) features) func(g *ir.Graph, o sig.Options, in ir.ID, w map[string]ir.ID, nOut int) ir.ID {
	return func(g *ir.Graph, o sig.Options, in ir.ID, w map[string]ir.ID, nOut int) ir.ID {
		s := g.Shape(in)
		nIn := s[len(s)-1]
		x := scaled(g, in, w)
		cols := make([]ir.ID, nIn)
		points := 1
		if len(s) == 2 {
			points = s[0]
		}
		for i := range cols {
			if len(s) == 1 {
				cols[i] = g.Gather(x, []int{i}, nil)
				continue
			}
			idx := make([]int, points)
			for k := range idx {
				idx[k] = k*nIn + i
			}
			cols[i] = g.Gather(x, idx, types.Shape{points})
		}
		f := of(o, nIn)(g, cols)
		for i := range f {
			if len(s) == 2 && g.Shape(f[i]).IsScalar() {
				f[i] = g.Expand(f[i], types.Shape{points}, []int{-1})
			}
		}
		all := g.Concat(f...)
		if len(s) == 1 {
			return g.MatMul(w["c"], all, false, false)
		}
		// features × points, then points × outputs
		m := g.Reshape(all, types.Shape{len(f), points})
		return g.MatMul(m, w["c"], true, true)
	}
}

// monomials lists the exponents of all monomials up to a total degree, by degree, then
// in falling powers of the first inputs.
func monomials(n, degree int) [][]int {
	var out [][]int
	for d := 0; d <= degree; d++ {
		e := make([]int, n)
		var walk func(i, left int)
		walk = func(i, left int) {
			if i == n-1 {
				e[i] = left
				out = append(out, append([]int(nil), e...))
				return
			}
			for k := left; k >= 0; k-- {
				e[i] = k
				walk(i+1, left-k)
			}
		}
		if n > 0 {
			walk(0, d)
		}
	}
	return out
}

func monomialFeatures(n, degree int) features {
	return func(g *ir.Graph, x []ir.ID) []ir.ID {
		pow := make([][]ir.ID, n) // pow[i][k] = x_i^k
		for i := range pow {
			pow[i] = []ir.ID{g.Num(1)}
			for k := 1; k <= degree; k++ {
				p := x[i]
				if k > 1 {
					p = g.Mul(pow[i][k-1], x[i])
				}
				pow[i] = append(pow[i], p)
			}
		}
		var out []ir.ID
		for _, e := range monomials(n, degree) {
			p := g.Num(1)
			first := true
			for i, k := range e {
				switch {
				case k == 0:
				case first:
					p, first = pow[i][k], false
				default:
					p = g.Mul(p, pow[i][k])
				}
			}
			out = append(out, p)
		}
		return out
	}
}

// perInput is 1 and some features of each input by itself.
func perInput(n int, f func(g *ir.Graph, x ir.ID) []ir.ID) features {
	return func(g *ir.Graph, x []ir.ID) []ir.ID {
		out := []ir.ID{g.Num(1)}
		for i := range n {
			out = append(out, f(g, x[i])...)
		}
		return out
	}
}

func recurrenceWeights(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
	n, err := whole(o, "n", 5, 0, 1000)
	if err != nil {
		return nil, err
	}
	return linear(o, nIn, nOut, 1+n*nIn, 0)
}

// recurrence builds polynomials by P_{k+1} = a_k x P_k − b_k P_{k−1}, P_0 = 1, P_1 = x.
func recurrence(ab func(k int) (a, b float64)) func(o sig.Options, nIn int) features {
	return func(o sig.Options, nIn int) features {
		n, _ := whole(o, "n", 5, 0, 1000)
		return perInput(nIn, func(g *ir.Graph, x ir.ID) []ir.ID {
			p := []ir.ID{g.Num(1), x}
			for k := 1; k < n; k++ {
				a, b := ab(k)
				p = append(p, g.Sub(g.Mul(g.Mul(g.Num(a), x), p[k]), g.Mul(g.Num(b), p[k-1])))
			}
			return p[1 : n+1]
		})
	}
}

// ---- rbf ----

type grid struct {
	at    [][]float64 // centre by centre, input by input
	width float64
}

func centers(o sig.Options, nIn int) (grid, error) {
	v, ok := o["centers"]
	if ok && v.List {
		if nIn != 1 {
			return grid{}, fmt.Errorf("a list of centres serves one input; give the number of centres in each of the %d inputs", nIn)
		}
		if len(v.Nums) < 2 {
			return grid{}, fmt.Errorf("`centers` needs two or more")
		}
		var gr grid
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, c := range v.Nums {
			gr.at = append(gr.at, []float64{c})
			lo, hi = math.Min(lo, c), math.Max(hi, c)
		}
		if !(hi > lo) {
			return grid{}, fmt.Errorf("`centers` must differ")
		}
		gr.width = (hi - lo) / float64(len(v.Nums)-1)
		return gr, nil
	}
	n, err := whole(o, "centers", 5, 2, 1000)
	if err != nil {
		return grid{}, err
	}
	if math.Pow(float64(n), float64(nIn)) > 1<<20 {
		return grid{}, fmt.Errorf("%d centres in each of %d inputs are too many", n, nIn)
	}
	gr := grid{width: 2 / float64(n-1)}
	at := make([]float64, nIn)
	var walk func(i int)
	walk = func(i int) {
		if i == nIn {
			gr.at = append(gr.at, append([]float64(nil), at...))
			return
		}
		for k := range n {
			at[i] = -1 + float64(k)*gr.width
			walk(i + 1)
		}
	}
	walk(0)
	return gr, nil
}

func rbfFeatures(o sig.Options, nIn int) features {
	return func(g *ir.Graph, x []ir.ID) []ir.ID {
		gr, _ := centers(o, nIn)
		k := g.Num(-0.5 / (gr.width * gr.width))
		var out []ir.ID
		for _, c := range gr.at {
			var r2 ir.ID
			for i := range x {
				d := g.Sub(x[i], g.Num(c[i]))
				d = g.Mul(d, d)
				if i == 0 {
					r2 = d
				} else {
					r2 = g.Add(r2, d)
				}
			}
			out = append(out, g.Do(ir.OpExp, g.Mul(k, r2)))
		}
		return out
	}
}
