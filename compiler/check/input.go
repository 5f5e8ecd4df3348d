package check

import (
	"math"

	"github.com/udl-lang/udl/lang/model"
)

// settleInput makes the symbol of an input: a quantity of the time alone, which can be read off every solution like a `let`. The expression it
// is declared with holds where no table is given for a run, so it must be as free of the states as a table is.
func (c *checker) settleInput(e *entry) bool {
	it := e.item
	s := &model.Symbol{Name: e.name, Kind: model.Let, Input: true, Doc: it.Doc, Span: e.span, Unit: c.annotation(it.Unit), Lo: math.Inf(-1), Hi: math.Inf(1)}
	e.sym = s
	shape, ok := c.shapeOf(&ctx{stage: stageConst, what: "the shape of `" + e.name + "`"}, e.name, it.Shape)
	s.Shape = shape
	switch {
	case it.Bounds != nil:
		c.fail(nil, "E0220", it.Bounds.Span(), "an input has no bounds").At("`%s` is not trained", e.name).WithHelp("make it a `param`")
	case it.Prior != nil:
		c.fail(nil, "E0226", it.Prior.Span(), "an input has no prior").At("`%s` is not inferred", e.name).WithHelp("make it a `param`")
	}
	if it.Value == nil {
		c.fail(nil, "E0218", it.Span(), "`%s` has no value", e.name).At("an input has one for runs without a table").WithHelp("write `input %s = 0`", e.name)
		return false
	}
	cx := &ctx{stage: stageRun, what: "the input `" + e.name + "`"}
	v := c.expr(cx, it.Value)
	if v == nil || !ok || !c.fits(cx, v, s.Shape, e.name) {
		return false
	}
	if at := stateIn(v); at != nil {
		c.fail(cx, "E0216", at.Span, "an input comes from outside the model").At("`%s` is part of what the model computes", at.Sym.Name).
			WithHelp("make it a `let`, or write it in the time, parameters, constants and other inputs")
		return false
	}
	s.Def = fill(v, s.Shape)
	c.out.Lets = append(c.out.Lets, s)
	return true
}

// stateIn finds where an expression reads a state or a derivative, by way of `let`s too.
func stateIn(e *model.Expr) (at *model.Expr) {
	e.Walk(func(x *model.Expr) bool {
		switch {
		case at != nil:
		case x.Op == model.Deriv, x.Op == model.Ref && (x.Sym.Kind == model.State || x.Sym.Kind == model.Latent):
			at = x
		case x.Op == model.Ref && x.Sym.Kind == model.Let && !x.Sym.Input && stateIn(x.Sym.Def) != nil:
			at = x
		case x.Op == model.CallU && x.Unk.Formula != nil:
			at = stateIn(x.Unk.Formula)
		}
		return at == nil
	})
	return at
}
