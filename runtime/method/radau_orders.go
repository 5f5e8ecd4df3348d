package method

// Of is the family's method of one order, as a solver of its own; false when the family has none. The methods are shared.
func (m *Radau) Of(order int) (*Radau, bool) {
	for _, v := range []*Radau{&radau, &radau9, &radau13} {
		if 2*v.Stages[0]-1 == order {
			return v, true
		}
	}
	return nil, false
}

// Varying is the family as a solver that changes its order as the problem goes.
func (m *Radau) Varying() *Radau { return &radauVarying }

var (
	radau9       = radauOf("RadauIIA5(order = 9)", false, 5)
	radau13      = radauOf("RadauIIA5(order = 13)", false, 7)
	radauVarying = radauOf("RadauIIA5(order = auto)", true, radau.Stages...)
)

func radauOf(name string, varies bool, stages ...int) Radau {
	m := radau
	m.Name, m.Varies, m.Stages = name, varies, stages
	return m
}
