package verb

import (
	"math"

	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// OfDistribution is the type of parameters in which names of distributions come first.
const OfDistribution = "distribution"

var randomRow = verb("random", "array", "Numbers drawn from a distribution: noise for data that are made, starts for many fits. The same seed gives the same numbers, and the first of many are those of few.",
	"e = random(normal(0, 0.1), 31, seed = 7)\nE = random(uniform(0, 1), [31, 2], seed = 7)\nprint(E[.., 1])", randomVerb,
	arg("from", OfDistribution, "", "normal(0, 1), uniform(0, 1), lognormal(0, 0.1), …"),
	pos("n", "whole number or list", "none", "how many, or the shape of an array; one number when left out"),
	arg("seed", "whole number", "0", "of the numbers"))

func randomVerb(c *Call) (value.Value, error) {
	s, ok := c.Args["from"].(*value.Spec)
	if !ok {
		return nil, c.Bad("from", "`random` draws from a distribution, this is %s", value.Describe(c.Args["from"])).WithHelp("for example `random(normal(0, 1), 10)`")
	}
	var shape types.Shape
	size := 1
	if v, given := c.Args["n"]; given {
		a, ok := v.(*value.Array)
		if !ok || len(a.Shape) > 1 || len(a.Data) == 0 {
			return nil, c.Bad("n", "`n` must be a whole number, or a list of them, this is %s", value.Describe(v))
		}
		for _, x := range a.Data {
			if x != math.Trunc(x) || x < 0 || x > value.MaxPoints || float64(size)*x > value.MaxPoints {
				return nil, c.Bad("n", "`n` must be a whole number from 0 to %d, or a list of them, this is %s", value.MaxPoints, value.Format(x))
			}
			shape = append(shape, int(x))
			size *= int(x)
		}
	}
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	draw, err := c.sampler(s, nil)
	if err != nil {
		return nil, err
	}
	out := &value.Array{Shape: shape, Data: make([]float64, size)}
	own := newStream(seed, "random")
	for i := range out.Data {
		if i%65536 == 0 && c.Ctx.Err() != nil {
			return nil, c.Ctx.Err()
		}
		draw(own.at(i), out.Data[i:i+1])
	}
	return out, nil
}
