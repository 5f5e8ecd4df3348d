package check

import (
	"fmt"
	"sort"

	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// fakeEnv is a table of builtins just large enough for the tests.
type fakeEnv map[sig.Kind]map[string]*sig.Builtin

func (e fakeEnv) Lookup(name string, kinds ...sig.Kind) (*sig.Builtin, bool) {
	for _, k := range kinds {
		if b, ok := e[k][name]; ok {
			return b, true
		}
	}
	return nil, false
}

func (e fakeEnv) Names(kinds ...sig.Kind) []string {
	var out []string
	for _, k := range kinds {
		for n := range e[k] {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

func params(names ...string) []sig.Param {
	var out []sig.Param
	for _, n := range names {
		out = append(out, sig.Param{Name: n})
	}
	return out
}

func testEnv() fakeEnv {
	e := fakeEnv{}
	add := func(b sig.Builtin) {
		if e[b.Kind] == nil {
			e[b.Kind] = map[string]*sig.Builtin{}
		}
		e[b.Kind][b.Name] = &b
	}
	elementwise := func(n int, unit sig.UnitRule, names ...string) {
		for _, name := range names {
			add(sig.Builtin{Name: name, Kind: sig.Function, Params: params("x", "y")[:n], Shaper: sig.Elementwise, Unit: unit, Example: name + "(1)"})
		}
	}
	elementwise(1, sig.Dimensionless, "exp", "log", "sin", "cos", "tanh", "gamma", "sigmoid")
	elementwise(1, sig.SameUnit, "abs", "floor", "round", "relu")
	elementwise(1, sig.PlainResult, "sign")
	elementwise(1, sig.SqrtUnit, "sqrt")
	elementwise(1, sig.CbrtUnit, "cbrt")
	elementwise(1, sig.SquareUnit, "square")
	elementwise(2, sig.SameUnit, "hypot", "mod")
	elementwise(2, sig.AngleOf, "atan2")
	elementwise(2, sig.Dimensionless, "pow")
	for _, n := range []string{"sum", "mean", "norm"} {
		add(sig.Builtin{Name: n, Kind: sig.Function, Params: params("v"), Shaper: sig.Reduction, Unit: sig.SameUnit})
	}
	add(sig.Builtin{Name: "length", Kind: sig.Function, Params: params("v"), Shaper: sig.Reduction, Unit: sig.PlainResult})
	add(sig.Builtin{Name: "prod", Kind: sig.Function, Params: params("v"), Shaper: sig.Reduction})
	for _, n := range []string{"min", "max"} {
		add(sig.Builtin{Name: n, Kind: sig.Function, Params: []sig.Param{{Name: "x"}, {Name: "y", Default: "none", Variadic: true}}, Shaper: sig.Special, Unit: sig.SameUnit,
			Shape: func(a []types.Shape) (types.Shape, error) {
				if len(a) == 1 {
					return nil, nil
				}
				return a[0], nil
			}})
	}
	add(sig.Builtin{Name: "transpose", Kind: sig.Function, Params: params("A"), Shaper: sig.Special, Unit: sig.SameUnit, Example: "transpose([[1, 2], [3, 4]])",
		Shape: func(a []types.Shape) (types.Shape, error) {
			if len(a[0]) != 2 {
				return nil, fmt.Errorf("`transpose` takes a matrix, this has %v", a[0])
			}
			return types.Shape{a[0][1], a[0][0]}, nil
		}})
	add(sig.Builtin{Name: "dot", Kind: sig.Function, Params: params("u", "v"), Shaper: sig.Special, Unit: sig.ProductUnit,
		Shape: func(a []types.Shape) (types.Shape, error) {
			if !a[0].Equal(a[1]) {
				return nil, fmt.Errorf("the arguments have %v and %v", a[0], a[1])
			}
			return nil, nil
		}})
	add(sig.Builtin{Name: "NN", Kind: sig.Representation, Params: []sig.Param{{Name: "hidden", Type: "list of whole numbers", Default: "[16, 16]"},
		{Name: "act", Type: "activation", Default: "tanh"}, {Name: "init", Type: "word", Default: "glorot"}, {Name: "scale", Type: "auto, number or list", Default: "auto"}},
		Weights: func(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
			hidden := []float64{16, 16}
			if h, ok := o["hidden"]; ok {
				hidden = h.Nums
			}
			var ws []sig.Weight
			for k, h := range append(append([]float64(nil), hidden...), float64(nOut)) {
				n := int(h)
				if n < 1 {
					return nil, fmt.Errorf("`hidden` is a list of whole numbers of units")
				}
				ws = append(ws, sig.Weight{Name: fmt.Sprintf("W%d", k+1), Shape: types.Shape{n, nIn}}, sig.Weight{Name: fmt.Sprintf("b%d", k+1), Shape: types.Shape{n}})
				nIn = n
			}
			return ws, nil
		}})
	add(sig.Builtin{Name: "poly", Kind: sig.Representation, Params: []sig.Param{{Name: "degree", Type: "whole number", Default: "2"}},
		Weights: func(o sig.Options, nIn, nOut int) ([]sig.Weight, error) {
			return []sig.Weight{{Name: "c", Shape: types.Shape{nOut, 1 + nIn}}}, nil
		}})
	for _, n := range []string{"tanh", "relu", "sin", "identity"} {
		add(sig.Builtin{Name: n, Kind: sig.Activation, Params: params("x")})
	}
	add(sig.Builtin{Name: "normal", Kind: sig.Distribution, Params: params("mean", "sd")})
	add(sig.Builtin{Name: "lognormal", Kind: sig.Distribution, Params: params("mean", "sd")})
	add(sig.Builtin{Name: "gamma", Kind: sig.Distribution, Params: params("shape", "rate")})
	for _, n := range []string{"solve", "fit", "print", "csv"} {
		add(sig.Builtin{Name: n, Kind: sig.Verb})
	}
	return e
}
