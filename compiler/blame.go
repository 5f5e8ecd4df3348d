package compiler

import (
	"math"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/system"
)

// blame finds the first operation whose derivative is not finite though what goes into it is: what makes a gradient not finite where the values are. It derives
// the function's graph anew, without the passes, so that every operation of a derivative still knows the place that it comes from.
func (c *Compiled) blame(f system.Func, t float64, x, th, gz []float64) *system.Fault {
	return blameIn(f, t, x, th, gz, c)
}

// BlameLambda does the same of a lambda.
func BlameLambda(f system.Func, x, th []float64) *system.Fault {
	return blameIn(f, 0, x, th, []float64{1}, nil)
}

func blameIn(f system.Func, t float64, x, th, gz []float64, c *Compiled) *system.Fault {
	p, ok := f.(*fn)
	if !ok {
		return nil
	}
	derive := ad.VJP
	if p.s.timeless {
		derive = ad.VJPAtTime
	}
	g, err := derive(p.s.g)
	if err != nil {
		return nil
	}
	var in ir.Banks
	in[ir.BankT], in[ir.BankX], in[ir.BankTheta], in[ir.BankGZ] = []float64{t}, x, th, gz
	v, err := ir.Values(g, &in)
	if err != nil {
		return nil
	}
	for id := range g.Nodes {
		n := &g.Nodes[id]
		at := notFinite(v[id])
		if at < 0 || n.Op == ir.OpInput {
			continue
		}
		fault := &system.Fault{Where: n.Span, Expr: n.Span.Text(), Value: v[id][at]}
		// The operation that is differentiated stands before its derivative, at the same place; of several the first reads what the others are made of.
		of := id
		for k := range id {
			if g.Nodes[k].Span == n.Span && len(g.Nodes[k].Args) > 0 && v[k] != nil && g.Nodes[k].Op.Info().Class != ir.Structural {
				of = k
				break
			}
		}
		if fault.Expr == "" {
			fault.Expr = ir.Format(g, ir.ID(of))
		}
		for _, a := range g.Nodes[of].Args {
			k := at
			if len(v[a]) <= k {
				k = 0
			}
			if g.Nodes[a].Op != ir.OpConst && len(v[a]) > 0 {
				fault.Operands = append(fault.Operands, system.Operand{Name: ir.Format(g, a), Value: v[a][k]})
			}
		}
		if c != nil {
			fault.Quantity = c.quantity(n.Span)
		}
		return fault
	}
	return nil
}

// notFinite is the first element that is not, −1 for none.
func notFinite(v []float64) int {
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return i
		}
	}
	return -1
}
