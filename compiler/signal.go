package compiler

import (
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// Signal is a function of time that takes the place of an input.
type Signal struct {
	Input    string
	Elements []*ir.External // of one argument, the time; one for each element of the input, row-major
	Kinks    []float64      // rising: the times that a step must end at for all elements to be smooth within it
	Lo, Hi   float64        // where it is known; infinite without a bound
}

// Inputs are the model's inputs, in source order.
func (c *Compiled) Inputs() []*model.Symbol {
	var out []*model.Symbol
	for _, l := range c.Model.Lets {
		if l.Input {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b *model.Symbol) int { return a.Span.Lo - b.Span.Lo })
	return out
}

// Signals are the functions of time in the place of inputs.
func (c *Compiled) Signals() []Signal { return c.signals }

// WithSignals compiles the model anew with functions of time in the place of inputs. θ is laid out as before. An input without one keeps the expression
// it was declared with, also where c had one.
func (c *Compiled) WithSignals(signals []Signal) (*Compiled, error) {
	inputs := c.Inputs()
	var kinks []float64
	var known []system.Signal
	var puts []func(*lower.Layout)
	for _, s := range signals {
		i := slices.IndexFunc(inputs, func(in *model.Symbol) bool { return in.Name == s.Input })
		if i < 0 || len(s.Elements) != inputs[i].Shape.Size() {
			return nil, fmt.Errorf("there is no input `%s` of %d elements", s.Input, len(s.Elements))
		}
		puts = append(puts, func(lay *lower.Layout) { lay.Signal(inputs[i], s.Elements) })
		kinks = append(kinks, s.Kinks...)
		known = append(known, system.Signal{Name: s.Input, Lo: s.Lo, Hi: s.Hi})
	}
	out, err := compile(c.source, func(lay *lower.Layout) {
		for _, put := range puts {
			put(lay)
		}
	}, c.builtins, c.how)
	if err != nil {
		return nil, err
	}
	slices.Sort(kinks)
	kinks = slices.Compact(kinks)
	out.System.Kinks, out.System.Signals = kinks, known
	out.signals = signals
	if out.System.Mass != nil && out.System.NoGradient == "" {
		for i := 1; i < len(kinks); i++ {
			if kinks[i] == math.Nextafter(kinks[i-1], math.Inf(1)) {
				out.System.NoGradient = "an input that jumps makes algebraic states jump, which no gradient method follows yet; join its values by `linear` or `cubic`"
				break
			}
		}
	}
	return out, nil
}
