package eval

import (
	"fmt"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// learned evaluates an unknown function of a model with its present weights: best.U(x, y). Each argument is one input
// of the function, or, where all its inputs are scalars, arrays of one shape for many points.
func (in *Interp) learned(f *value.Learned, args []*value.Array) (value.Value, error) {
	u := f.Unknown
	if len(args) != len(u.Params) {
		return nil, fmt.Errorf("`%s` takes %d arguments, here are %d", u.Name, len(u.Params), len(args))
	}
	points, shape := 1, types.Shape(nil)
	for i, p := range u.Params {
		a := args[i].Shape
		switch {
		case a.Equal(p.Shape), a.IsScalar() && p.Shape.IsScalar():
		case p.Shape.IsScalar() && (shape == nil || shape.Equal(a)):
			shape, points = a, a.Size()
		default:
			return nil, fmt.Errorf("the argument `%s` of `%s` is %s, this has %s", p.Name, u.Name, p.Shape, a)
		}
	}
	sys := f.Model.C.System
	call := &model.Expr{Op: model.CallU, Unk: u, Shape: u.Shape, Span: u.Span}
	var inputs []lower.Series
	nx := 0
	for _, p := range u.Params {
		s := &model.Symbol{Name: p.Name, Kind: model.Given, Shape: p.Shape}
		inputs = append(inputs, lower.Series{Sym: s, Bank: ir.BankX, Off: nx})
		nx += p.Shape.Size()
		call.Args = append(call.Args, &model.Expr{Op: model.Ref, Sym: s, Shape: p.Shape, Span: u.Span})
	}
	for _, p := range f.Model.C.Layout.Theta {
		if p.Role != system.RoleInit && p.Role != system.RoleFlag {
			inputs = append(inputs, lower.Series{Sym: p.Sym, Bank: ir.BankTheta, Off: p.Off})
		}
	}
	fn, err := compiler.Lambda(&model.Lambda{Body: call}, inputs, nx, sys.NTheta, in.table)
	if err != nil {
		return nil, err
	}
	out := &value.Array{Shape: append(append(types.Shape{}, shape...), u.Shape...)}
	if len(out.Shape) == 0 {
		out.Shape = nil
	}
	x, z := make([]float64, nx), make([]float64, u.Shape.Size())
	for k := range points {
		off := 0
		for i, p := range u.Params {
			n := p.Shape.Size()
			if n == 1 && len(args[i].Data) > 1 {
				x[off] = args[i].Data[k]
			} else {
				copy(x[off:off+n], args[i].Data)
			}
			off += n
		}
		fn.Eval(z, 0, x, f.Model.Theta)
		out.Data = append(out.Data, z...)
	}
	return out, nil
}
