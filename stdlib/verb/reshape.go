package verb

import (
	"math"

	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// reshapeVerb gives an array another shape.
func reshapeVerb(c *Call) (value.Value, error) {
	a, ok := c.Args["a"].(*value.Array)
	if !ok {
		return nil, c.Bad("a", "`reshape` needs an array, this is %s", value.Describe(c.Args["a"]))
	}
	s, ok := c.Args["shape"].(*value.Array)
	if !ok || len(s.Shape) > 1 {
		return nil, c.Bad("shape", "`shape` is a list of whole numbers, this is %s", value.Describe(c.Args["shape"])).WithHelp("write `reshape(a, [2, 3])`")
	}
	out := &value.Array{Shape: types.Shape{}, Data: a.Data}
	n := 1
	for _, d := range s.Data {
		if !(d >= 1 && d == math.Trunc(d) && d <= 1e9) {
			return nil, c.Bad("shape", "`shape` is a list of whole numbers above 0, it holds %s", value.Format(d))
		}
		out.Shape = append(out.Shape, int(d))
		if n *= int(d); n > len(a.Data) {
			break
		}
	}
	if n != len(a.Data) {
		return nil, c.Bad("shape", "%s has %d elements, the shape asks for another number", value.Describe(a), len(a.Data)).WithHelp("the product of the shape must be %d", len(a.Data))
	}
	return out, nil
}
