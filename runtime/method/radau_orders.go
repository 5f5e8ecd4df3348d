package method

// Of is the family's method of one order, as a solver of its own; false when the family has none. The methods are shared.
func (m *Radau) Of(order int) (*Radau, bool) {
	for _, v := range []*Radau{m, &radau9, &radau13} {
		if 2*v.Stages[0]-1 == order {
			return v, true
		}
	}
	return nil, false
}

var (
	radau9  = radauOf(5, "RadauIIA5(order = 9)")
	radau13 = radauOf(7, "RadauIIA5(order = 13)")
)

func radauOf(stages int, name string) Radau {
	m := radau
	m.Name, m.Stages = name, []int{stages}
	return m
}
