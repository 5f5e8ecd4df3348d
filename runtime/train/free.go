package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
)

// Free is a piece of θ that training may move.
type Free struct {
	Name   string  // of the slot: "alpha", "U.W1", or a state's for its initial value
	Index  []int   // entries of θ, of a slot in its order
	Lo, Hi float64 // bounds; none where infinite, or both 0
	// Weight marks weights of an unknown: they are not scaled, weight decay acts on them, and the report
	// counts them instead of listing them. Select sets it for the arrays of an unknown, not for
	// the scalar parameters of a formula.
	Weight bool
	Shape  []int // of the slot, for the names of its elements; nil for a scalar or an entry by itself

	taken bool // of an initial value: Select took it out of its expression
}

// NameError is a name that cannot be trained.
type NameError struct {
	Name   string
	Reason string
	Known  []string // what can be trained
	Price  bool     // it has a price in Regularise; it is not that it should be free
}

// Error says why, and what can be trained.
func (e *NameError) Error() string {
	if e.Price {
		return fmt.Sprintf("%s cannot have a price: %s", e.Name, e.Reason)
	}
	s := fmt.Sprintf("%s cannot be trained: %s", e.Name, e.Reason)
	if len(e.Known) > 0 {
		s += "; it can be " + strings.Join(e.Known, ", ")
	}
	return s
}

// Select finds what names mean, in the order of θ and each entry once: a parameter, a weight
// ("U.W1"), one of their elements ("k[2]"), an unknown for all its weights ("U"), or a state for its initial value. The latter is taken
// out of its expression: its value at t0 is written into th, length NTheta, and its flag set.
// names nil means all parameters and weights. The error is *NameError.
func Select(sys *system.System, th []float64, names []string, t0 float64) ([]Free, error) {
	if len(th) != sys.NTheta {
		return nil, fmt.Errorf("%d parameter values were given, the system has %d", len(th), sys.NTheta)
	}
	want := make([]bool, len(sys.Theta))
	parts := make([]map[int]string, len(sys.Theta)) // elements that were named by themselves
	var states []*system.ThetaSlot
	for _, name := range names {
		found := false
		for i := range sys.Theta {
			s := &sys.Theta[i]
			if s.Role == system.RoleParam && s.Name == name || s.Role == system.RoleWeight && (s.Name == name || s.Owner == name) {
				want[i], found = true, true
			}
		}
		if found {
			continue
		}
		for i := range sys.Theta {
			if s := &sys.Theta[i]; s.Role == system.RoleInit && s.Name == name {
				want[i], found = true, true
				states = append(states, s)
			}
		}
		for i := range sys.Theta {
			s := &sys.Theta[i]
			if found || s.Shape == nil || !strings.HasPrefix(name, s.Name+"[") || s.Role != system.RoleParam && s.Role != system.RoleWeight {
				continue
			}
			if k := slices.Index(system.Names([]system.Slot{s.Slot}), name); k >= 0 {
				if found = true; parts[i] == nil {
					parts[i] = map[int]string{}
				}
				parts[i][k] = name
			}
		}
		if !found {
			return nil, unknownName(sys, name)
		}
	}
	taken := map[string]bool{}
	for _, s := range states {
		flag := sys.Find(s.Name, system.RoleFlag)
		taken[s.Name] = flag != nil && th[flag.Off] != 1
	}
	if err := giveInitial(sys, th, states, t0); err != nil {
		return nil, err
	}
	var out []Free
	for i := range sys.Theta {
		s := &sys.Theta[i]
		if want[i] || names == nil && (s.Role == system.RoleParam || s.Role == system.RoleWeight) {
			f := freeSlot(s)
			f.taken = s.Role == system.RoleInit && taken[s.Name]
			out = append(out, f)
			continue
		}
		for k := range s.Size() {
			if name, ok := parts[i][k]; ok {
				f := freeSlot(s)
				f.Name, f.Index, f.Shape = name, []int{s.Off + k}, nil
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func freeSlot(s *system.ThetaSlot) Free {
	// A scalar of an unknown is a parameter of its formula: it has a meaning and a magnitude of its own.
	weight := s.Role == system.RoleWeight && len(s.Shape) > 0
	f := Free{Name: s.Name, Lo: s.Lo, Hi: s.Hi, Weight: weight, Shape: s.Shape}
	if s.Role == system.RoleInit {
		f.Lo, f.Hi = math.Inf(-1), math.Inf(1)
	}
	for k := range s.Size() {
		f.Index = append(f.Index, s.Off+k)
	}
	return f
}

// giveInitial takes the initial values of states out of their expressions, at their present values.
func giveInitial(sys *system.System, th []float64, states []*system.ThetaSlot, t0 float64) error {
	if len(states) == 0 {
		return nil
	}
	if sys.Init == nil {
		return &NameError{Name: states[0].Name, Reason: "the system computes no initial values"}
	}
	x0 := make([]float64, sys.NX)
	sys.Init.Clone().Eval(x0, t0, nil, th)
	for _, s := range states {
		flag := sys.Find(s.Name, system.RoleFlag)
		if flag == nil {
			return &NameError{Name: s.Name, Reason: "its initial value is fixed"}
		}
		for _, x := range sys.States {
			if x.Name == s.Name && th[flag.Off] != 1 {
				copy(th[s.Off:s.Off+s.Size()], x0[x.Off:])
			}
		}
		th[flag.Off] = 1
	}
	return nil
}

func unknownName(sys *system.System, name string) error {
	e := &NameError{Name: name, Reason: "the model has no such parameter, unknown, weight or state"}
	owners := map[string]bool{}
	base, _, element := strings.Cut(name, "[")
	for i := range sys.Theta {
		s := &sys.Theta[i]
		if element && s.Name == base {
			switch s.Role {
			case system.RoleParam, system.RoleWeight:
				e.Reason = "there is no such element of " + base
			case system.RoleInit:
				e.Reason = "the initial value of " + base + " is free as a whole, not by its elements"
			}
		}
		switch s.Role {
		case system.RoleParam, system.RoleInit:
			e.Known = append(e.Known, s.Name)
		case system.RoleWeight:
			if s.Owner != "" && !owners[s.Owner] {
				owners[s.Owner] = true
				e.Known = append(e.Known, s.Owner)
			}
		case system.RoleConst:
			if s.Name == name {
				e.Reason = "it is a const; declare it as `param` to train it"
			}
		}
	}
	return e
}

// variable is one scalar that the optimiser moves.
type variable struct {
	name   string
	index  int // into θ
	weight bool
	Transform

	initial bool // of a state
	own     bool // of one trajectory: of says which of those trained on, and at where it stands in its values
	of, at  int
}

// variables prepares what is free: names, transforms, and starts on a bound moved inside, in th.
func variables(free []Free, th []float64) ([]variable, error) {
	var out []variable
	taken := make([]bool, len(th))
	for _, f := range free {
		lo, hi := f.Lo, f.Hi
		if lo == 0 && hi == 0 {
			lo, hi = math.Inf(-1), math.Inf(1)
		}
		names := f.names()
		large := 0.0
		for _, i := range f.Index {
			if i < 0 || i >= len(th) {
				return nil, fmt.Errorf("%s is entry %d of θ, which has %d", f.Name, i, len(th))
			}
			large = math.Max(large, math.Abs(th[i]))
		}
		for k, i := range f.Index {
			if taken[i] {
				continue
			}
			taken[i] = true
			t, err := NewTransform(lo, hi, f.scale(th[i], large, lo, hi))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", names[k], err)
			}
			v, ok := t.Inside(th[i])
			if !ok {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("%s starts at %v; training needs a start that is a finite number", names[k], v)
				}
				return nil, fmt.Errorf("%s starts at %v, outside its bounds %v..%v", names[k], v, lo, hi)
			}
			th[i] = v
			out = append(out, variable{name: names[k], index: i, weight: f.Weight, Transform: t})
		}
	}
	return out, nil
}

// smallScale is the least magnitude that a start is taken to say something about its scale.
const smallScale = 1e-12

// scale is the magnitude of an entry: of its start, measured from a single bound; where that is 0,
// of its slot's largest entry; else 1. Weights are near 1 by construction and are not scaled.
func (f *Free) scale(start, largest, lo, hi float64) float64 {
	if f.Weight {
		return 1
	}
	switch loInf, hiInf := math.IsInf(lo, 0), math.IsInf(hi, 0); {
	case !loInf && hiInf:
		start -= lo
	case loInf && !hiInf:
		start = hi - start
	}
	for _, s := range []float64{math.Abs(start), largest} {
		if s >= smallScale && !math.IsInf(s, 0) {
			return s
		}
	}
	return 1
}

func (f *Free) names() []string {
	size := 1
	for _, d := range f.Shape {
		size *= d
	}
	if f.Shape != nil && size == len(f.Index) {
		return system.Names([]system.Slot{{Name: f.Name, Shape: f.Shape}})
	}
	if len(f.Index) == 1 {
		return []string{f.Name}
	}
	return system.Names([]system.Slot{{Name: f.Name, Shape: []int{len(f.Index)}}})
}
