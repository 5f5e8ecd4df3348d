package method

import "strings"

// table is THE list of explicit Runge–Kutta methods, by order.
var table = [...]*RK{
	&euler,
	&heun,
	&midpoint,
	&bs3,
	&ssprk43,
	&rk4,
	&dp5,
	&tsit5,
	&vern7,
	&vern9,
}

// All lists the methods by order. The slice is the caller's, the methods are shared.
func All() []*RK { return append([]*RK(nil), table[:]...) }

// Lookup finds a method by its name, in upper or lower case: "Tsit5", "tsit5".
func Lookup(name string) (*RK, bool) {
	for _, m := range table {
		if strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return nil, false
}

// Default is the method for a problem of which nothing is known: Tsit5.
func Default() *RK { return &tsit5 }
