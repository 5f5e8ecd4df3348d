package types

// The table of units follows the SI brochure (BIPM, 9th edition, 2019) and, for what is in use beside
// it, UCUM: a year is the Julian year of 365.25 days, a month its twelfth.

// unitRow is what a name means: so many of a product of base dimensions.
type unitRow struct {
	scale  float64
	dims   []Factor
	prefix bool // takes SI prefixes
}

func dim(pairs ...any) []Factor {
	var fs []Factor
	for i := 0; i < len(pairs); i += 2 {
		fs = append(fs, Factor{pairs[i].(string), Rat{pairs[i+1].(int), 1}})
	}
	return fs
}

const (
	day  = 86400
	year = 365.25 * day
)

var (
	timeDim   = dim("s", 1)
	force     = dim("g", 1, "m", 1, "s", -2)
	pressure  = dim("g", 1, "m", -1, "s", -2)
	energy    = dim("g", 1, "m", 2, "s", -2)
	power     = dim("g", 1, "m", 2, "s", -3)
	frequency = dim("s", -1)
	volume    = dim("m", 3)
	voltage   = dim("g", 1, "m", 2, "s", -3, "A", -1)
)

// units is the table. Base dimensions stand for themselves; the gram is the base of mass, so that prefixes work alike.
var units = map[string]unitRow{
	"m": {1, dim("m", 1), true}, "g": {1, dim("g", 1), true}, "s": {1, timeDim, true}, "A": {1, dim("A", 1), true},
	"K": {1, dim("K", 1), true}, "mol": {1, dim("mol", 1), true}, "cd": {1, dim("cd", 1), true},

	"sec": {1, timeDim, false}, "second": {1, timeDim, false}, "seconds": {1, timeDim, false},
	"min": {60, timeDim, false}, "minute": {60, timeDim, false}, "minutes": {60, timeDim, false},
	"h": {3600, timeDim, false}, "hr": {3600, timeDim, false}, "hour": {3600, timeDim, false}, "hours": {3600, timeDim, false},
	"d": {day, timeDim, false}, "day": {day, timeDim, false}, "days": {day, timeDim, false},
	"week": {7 * day, timeDim, false}, "weeks": {7 * day, timeDim, false}, "wk": {7 * day, timeDim, false},
	"month": {year / 12, timeDim, false}, "months": {year / 12, timeDim, false},
	"year": {year, timeDim, false}, "years": {year, timeDim, false}, "yr": {year, timeDim, false},

	"Hz": {1, frequency, true}, "Bq": {1, frequency, true},
	"N": {1e3, force, true}, "Pa": {1e3, pressure, true}, "bar": {1e8, pressure, true}, "atm": {101325e3, pressure, false},
	"mmHg": {133.322387415e3, pressure, false},
	"J":    {1e3, energy, true}, "cal": {4184, energy, true}, "eV": {1.602176634e-16, energy, true}, "Wh": {3.6e6, energy, true},
	"W": {1e3, power, true},
	"C": {1, dim("A", 1, "s", 1), true}, "V": {1e3, voltage, true},
	"F":   {1e-3, dim("A", 2, "s", 4, "g", -1, "m", -2), true},
	"ohm": {1e3, dim("g", 1, "m", 2, "s", -3, "A", -2), true}, "Ω": {1e3, dim("g", 1, "m", 2, "s", -3, "A", -2), true},
	"S":  {1e-3, dim("A", 2, "s", 3, "g", -1, "m", -2), true},
	"Wb": {1e3, dim("g", 1, "m", 2, "s", -2, "A", -1), true}, "T": {1e3, dim("g", 1, "s", -2, "A", -1), true},
	"H":   {1e3, dim("g", 1, "m", 2, "s", -2, "A", -2), true},
	"kat": {1, dim("mol", 1, "s", -1), true},

	"L": {1e-3, volume, true}, "l": {1e-3, volume, true}, "liter": {1e-3, volume, false}, "litre": {1e-3, volume, false},
	"M":  {1e3, dim("mol", 1, "m", -3), true},
	"Da": {1.66053906660e-24, dim("g", 1), true}, "tonne": {1e6, dim("g", 1), false},
	"ha": {1e4, dim("m", 2), false},

	"rad": {1, nil, false}, "sr": {1, nil, false}, "deg": {0.017453292519943295, nil, false},
	"percent": {1e-2, nil, false}, "ppm": {1e-6, nil, false},

	// pH would else be a picohenry.
	"pH": {1, dim("pH", 1), false},
}

// prefixes of the SI, longest first where one begins another.
var prefixes = []struct {
	name  string
	scale float64
}{
	{"da", 1e1}, {"d", 1e-1}, {"h", 1e2}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"E", 1e18}, {"c", 1e-2}, {"m", 1e-3},
	{"u", 1e-6}, {"µ", 1e-6}, {"μ", 1e-6}, {"n", 1e-9}, {"p", 1e-12}, {"f", 1e-15}, {"a", 1e-18},
}

// meaning looks a name up, with and then without an SI prefix. Any other name is a base unit of its own.
func meaning(name string) (scale float64, dims []Factor) {
	if u, ok := units[name]; ok {
		return u.scale, u.dims
	}
	for _, p := range prefixes {
		if len(name) > len(p.name) && name[:len(p.name)] == p.name {
			if u, ok := units[name[len(p.name):]]; ok && u.prefix {
				return p.scale * u.scale, u.dims
			}
		}
	}
	return 1, dim(name, 1)
}
