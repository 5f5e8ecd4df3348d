package value

import (
	"math"

	"github.com/udl-lang/udl/runtime/train"
)

// Profile is the profile likelihood of a parameter.
type Profile struct{ Of *train.Profile }

// Type implements Value.
func (*Profile) Type() string { return "a profile" }

// Member implements members: the interval, the grid and the loss along it, and what the other parameters do.
func (p *Profile) Member(name string) (Value, bool) {
	o := p.Of
	column := func(of func(q *train.ProfilePoint) float64) Value {
		v := make([]float64, len(o.Points))
		for i := range o.Points {
			v[i] = of(&o.Points[i])
		}
		return Vec(v)
	}
	switch name {
	case "grid":
		return column(func(q *train.ProfilePoint) float64 { return q.Value }), true
	case "loss":
		return column(func(q *train.ProfilePoint) float64 { return q.Loss }), true
	case "others":
		r := &Record{}
		for k, n := range o.Names {
			r.Put(n, column(func(q *train.ProfilePoint) float64 {
				if k >= len(q.Others) {
					return math.NaN()
				}
				return q.Others[k]
			}))
		}
		return r, true
	case "estimate":
		return Num(o.Estimate), true
	case "threshold":
		return Num(o.Threshold), true
	case "level":
		return Num(o.Level), true
	case "interval":
		return Vec([]float64{o.Lo, o.Hi}), true
	case "identifiable":
		return Bool(o.OpenLo == "" && o.OpenHi == ""), true
	}
	return nil, false
}

// Names implements members.
func (*Profile) Names() []string {
	return []string{"estimate", "interval", "identifiable", "grid", "loss", "others", "threshold", "level"}
}
