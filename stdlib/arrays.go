package stdlib

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

var v1 = []sig.Param{{Name: "v", Type: "array"}}

func reduction(name, doc, example string, unit sig.UnitRule, f lower.Func) Row {
	return Row{Builtin: sig.Builtin{Name: name, Kind: sig.Function, Params: v1, Result: "number", Doc: doc,
		Example: example, Shaper: sig.Reduction, Unit: unit}, Lower: f}
}

func shaped(name, doc, example string, params []sig.Param, unit sig.UnitRule, shape func([]types.Shape) (types.Shape, error), f lower.Func) Row {
	return Row{Builtin: sig.Builtin{Name: name, Kind: sig.Function, Params: params, Result: "array", Doc: doc,
		Example: example, Shaper: sig.Special, Shape: shape, Unit: unit}, Lower: f}
}

func all(g *ir.Graph, op ir.Op, a ir.ID) ir.ID {
	axes := make([]int, len(g.Shape(a)))
	for i := range axes {
		axes[i] = i
	}
	return g.Reduce(op, a, axes...)
}

func mean(g *ir.Graph, a ir.ID) ir.ID {
	return g.Div(g.Sum(a), g.Num(float64(g.Shape(a).Size())))
}

func variance(g *ir.Graph, a ir.ID) ir.ID {
	d := g.Sub(a, mean(g, a))
	return g.Div(g.Sum(g.Mul(d, d)), g.Num(float64(g.Shape(a).Size()-1)))
}

// minmax is min or max: of an array, or element by element of two.
func minmax(name, doc, example string, two, one ir.Op) Row {
	return shaped(name, doc, example, []sig.Param{{Name: "x", Type: "number or array"}, {Name: "y", Type: "number or array", Default: "none", Variadic: true}}, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			if len(a) == 1 {
				return types.Scalar, nil
			}
			return common(a)
		},
		func(g *ir.Graph, a []ir.ID) ir.ID {
			if len(a) == 1 {
				return all(g, one, a[0])
			}
			r := a[0]
			for _, x := range a[1:] {
				r = g.Do(two, r, x)
			}
			return r
		})
}

func common(a []types.Shape) (types.Shape, error) {
	var s types.Shape
	for _, x := range a {
		if x.IsScalar() {
			continue
		}
		if s != nil && !s.Equal(x) {
			return nil, fmt.Errorf("the arguments have %v and %v", s, x)
		}
		s = x
	}
	return s, nil
}

func sameVectors(a []types.Shape) (types.Shape, error) {
	if !a[0].Equal(a[1]) {
		return nil, fmt.Errorf("the arguments have %v and %v, they must be equal", a[0], a[1])
	}
	return types.Scalar, nil
}

func matmulShape(a []types.Shape) (types.Shape, error) {
	x, y := a[0], a[1]
	if len(x) == 0 || len(y) == 0 {
		return nil, fmt.Errorf("`@` is the product of matrices and vectors; for a scalar use `*`")
	}
	if len(x) > 2 || len(y) > 2 {
		return nil, fmt.Errorf("`@` takes vectors and matrices, not %v and %v", x, y)
	}
	if x[len(x)-1] != y[0] {
		return nil, fmt.Errorf("%v @ %v: the inner extents %d and %d differ", x.Brackets(), y.Brackets(), x[len(x)-1], y[0])
	}
	var s types.Shape
	if len(x) == 2 {
		s = append(s, x[0])
	}
	if len(y) == 2 {
		s = append(s, y[1])
	}
	return s, nil
}

var uv = []sig.Param{{Name: "u", Type: "array"}, {Name: "v", Type: "array"}}

// arrays are reductions and matrices.
var arrays = []Row{
	{Builtin: sig.Builtin{Name: "@", Kind: sig.Function, Params: uv, Shaper: sig.Special, Shape: matmulShape, Unit: sig.ProductUnit}, Hidden: true,
		Lower: func(g *ir.Graph, a []ir.ID) ir.ID { return g.MatMul(a[0], a[1], false, false) }},
	reduction("sum", "Sum of all elements. `sum[j in 1..n] e` sums an expression over an index.", "sum([1, 2, 3])", sig.SameUnit,
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Sum(a[0]) }),
	reduction("prod", "Product of all elements.", "prod([1, 2, 3])", "", func(g *ir.Graph, a []ir.ID) ir.ID { return all(g, ir.OpProd, a[0]) }),
	reduction("mean", "Arithmetic mean of all elements.", "mean([1, 2, 3])", sig.SameUnit, func(g *ir.Graph, a []ir.ID) ir.ID { return mean(g, a[0]) }),
	reduction("var", "Sample variance (divides by n - 1).", "var([1, 2, 3])", sig.SquareUnit, func(g *ir.Graph, a []ir.ID) ir.ID { return variance(g, a[0]) }),
	reduction("std", "Sample standard deviation (divides by n - 1).", "std([1, 2, 3])", sig.SameUnit,
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(ir.OpSqrt, variance(g, a[0])) }),
	reduction("norm", "Euclidean norm of all elements.", "norm([3, 4])", sig.SameUnit,
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(ir.OpSqrt, g.Dot(a[0], a[0])) }),
	reduction("length", "Number of elements.", "length([1, 2, 3])", sig.PlainResult,
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Num(float64(g.Shape(a[0]).Size())) }),
	reduction("logsumexp", "log(sum(exp(v))) without overflow.", "logsumexp([1000, 1000])", "", func(g *ir.Graph, a []ir.ID) ir.ID {
		m := all(g, ir.OpRMax, a[0])
		// An infinite maximum is the answer itself.
		finite := g.Do(ir.OpLt, g.Do(ir.OpAbs, m), g.Num(math.Inf(1)))
		shift := g.Select(finite, m, g.Num(0))
		return g.Select(finite, g.Add(shift, g.Do(ir.OpLog, g.Sum(g.Do(ir.OpExp, g.Sub(a[0], shift))))), m)
	}),
	minmax("min", "Smallest element of an array, or the smaller of two or more, element by element.", "min(2, 3)", ir.OpMin, ir.OpRMin),
	minmax("max", "Largest element of an array, or the larger of two or more, element by element.", "max([1, 5, 3])", ir.OpMax, ir.OpRMax),
	shaped("dot", "Sum of products of two arrays of one shape.", "dot([1, 2], [3, 4])", uv, sig.ProductUnit, sameVectors,
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Dot(a[0], a[1]) }),
	shaped("transpose", "A matrix with its rows as columns.", "transpose([[1, 2], [3, 4]])", v1, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			if len(a[0]) != 2 {
				return nil, fmt.Errorf("`transpose` takes a matrix, this has %v", a[0])
			}
			return types.Shape{a[0][1], a[0][0]}, nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Transpose(a[0]) }),
	shaped("cross", "Vector product in three dimensions.", "cross([1, 0, 0], [0, 1, 0])", uv, sig.ProductUnit,
		func(a []types.Shape) (types.Shape, error) {
			if !a[0].Equal(types.Shape{3}) || !a[1].Equal(types.Shape{3}) {
				return nil, fmt.Errorf("`cross` takes two vectors of 3, these have %v and %v", a[0], a[1])
			}
			return types.Shape{3}, nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID {
			s := types.Shape{3}
			p := func(x ir.ID, i ...int) ir.ID { return g.Gather(x, i, s) }
			return g.Sub(g.Mul(p(a[0], 1, 2, 0), p(a[1], 2, 0, 1)), g.Mul(p(a[0], 2, 0, 1), p(a[1], 1, 2, 0)))
		}),
	shaped("trace", "Sum of the diagonal of a square matrix.", "trace([[1, 2], [3, 4]])", v1, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			if len(a[0]) != 2 || a[0][0] != a[0][1] {
				return nil, fmt.Errorf("`trace` takes a square matrix, this has %v", a[0])
			}
			return types.Scalar, nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID {
			n := g.Shape(a[0])[0]
			idx := make([]int, n)
			for i := range idx {
				idx[i] = i*n + i
			}
			return g.Sum(g.Gather(a[0], idx, types.Shape{n}))
		}),
	shaped("cumsum", "Running sums of a vector.", "cumsum([1, 2, 3])", v1, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			if len(a[0]) != 1 {
				return nil, fmt.Errorf("`cumsum` takes a vector, this has %v", a[0])
			}
			return a[0], nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID {
			n := g.Shape(a[0])[0]
			parts := make([]ir.ID, n)
			for i := range n {
				parts[i] = g.Gather(a[0], []int{i}, nil)
				if i > 0 {
					parts[i] = g.Add(parts[i-1], parts[i])
				}
			}
			return g.Concat(parts...)
		}),
	shaped("diff_of", "Differences of neighbours in a vector; one shorter.", "diff_of([1, 4, 9])", v1, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			if len(a[0]) != 1 || a[0][0] < 2 {
				return nil, fmt.Errorf("`diff_of` takes a vector of two or more, this has %v", a[0])
			}
			return types.Shape{a[0][0] - 1}, nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID {
			n := g.Shape(a[0])[0] - 1
			lo, hi := make([]int, n), make([]int, n)
			for i := range n {
				lo[i], hi[i] = i, i+1
			}
			s := types.Shape{n}
			return g.Sub(g.Gather(a[0], hi, s), g.Gather(a[0], lo, s))
		}),
	shaped("concat", "Arrays flattened and joined into one vector.", "concat([1, 2], 3)", []sig.Param{{Name: "parts", Type: "number or array", Variadic: true}}, sig.SameUnit,
		func(a []types.Shape) (types.Shape, error) {
			n := 0
			for _, s := range a {
				n += s.Size()
			}
			return types.Shape{n}, nil
		},
		func(g *ir.Graph, a []ir.ID) ir.ID { return g.Concat(a...) }),
}
