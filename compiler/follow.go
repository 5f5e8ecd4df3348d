package compiler

import (
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// Follow brings constants that are written in others up to what th now holds, and, with params, the defaults of
// parameters too; those for which given says so have values of their own. The right-hand side follows computed
// constants by itself: this is for what is read off a model, and for parameters, whose defaults are taken once, at the
// start of a run.
func (c *Compiled) Follow(th []float64, params bool, given func(name string) bool) error {
	any := false
	for _, p := range c.Layout.Theta {
		any = any || p.Role == system.RoleConst && given(p.Name)
	}
	if !any {
		return nil
	}
	// A constant is what was given, or what it is written as.
	value := func(s *model.Symbol) []float64 {
		for i, p := range c.Layout.Theta {
			if p.Sym != s || p.Role != system.RoleConst {
				continue
			}
			if lower.Computed(s) && th[c.Layout.Theta[i+1].Off] == 0 {
				return nil
			}
			return th[p.Off : p.Off+p.Shape.Size()]
		}
		return nil
	}
	for i, p := range c.Layout.Theta {
		switch {
		case p.Sym.Def == nil || !lower.Computed(p.Sym) || given(p.Name):
			continue
		case p.Role == system.RoleConst && th[c.Layout.Theta[i+1].Off] == 0:
		case p.Role == system.RoleParam && params:
		default:
			continue
		}
		v, err := lower.ConstantAt(p.Sym.Def, c.builtins, value)
		if err != nil {
			return err
		}
		for k := range p.Shape.Size() {
			th[p.Off+k] = v[k%len(v)]
		}
	}
	return nil
}
