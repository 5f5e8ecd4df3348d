package train

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// AutoScale asks for the input scales of an unknown: each input is divided by the largest
// magnitude of its matched column, else of its bound, else by 1.
type AutoScale struct {
	Slot   string   // the slot of θ, "U.scale", of role RoleScale
	Inputs []string // per entry the state, let or parameter that goes in; "" for an expression
}

// FillScales writes input scales into th. Columns without a value other than 0 say nothing.
// Scales belong to the weights trained with them: fill them once, not when a fit is resumed.
func FillScales(sys *system.System, th []float64, d *Data, scales []AutoScale) error {
	return fillScales(sys, th, []*Data{d}, scales)
}

func fillScales(sys *system.System, th []float64, d []*Data, scales []AutoScale) error {
	for _, a := range scales {
		s := sys.Find(a.Slot, system.RoleScale)
		if s == nil || len(a.Inputs) != s.Size() {
			return fmt.Errorf("the system has no input scale %s with %d entries", a.Slot, len(a.Inputs))
		}
		for k, name := range a.Inputs {
			th[s.Off+k] = magnitude(sys, d, name)
		}
	}
	return nil
}

func magnitude(sys *system.System, all []*Data, name string) float64 {
	m := 0.0
	for _, d := range all {
		if d == nil || name == "" {
			continue
		}
		for k := range d.Columns {
			c := &d.Columns[k]
			if c.Of.name(sys) != name {
				continue
			}
			for _, v := range c.Values {
				if a := math.Abs(v); a > m && !math.IsInf(a, 0) {
					m = a
				}
			}
		}
	}
	if m == 0 {
		if s := sys.Find(name, system.RoleParam); s != nil {
			for _, b := range [...]float64{s.Lo, s.Hi} {
				if a := math.Abs(b); a > m && !math.IsInf(a, 0) {
					m = a
				}
			}
		}
	}
	if m == 0 {
		return 1
	}
	return m
}
