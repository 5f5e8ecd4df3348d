package main

import (
	"errors"
	"fmt"
	"strings"
)

// measure is how a row is measured.
type measure func(l *lab, rounds int) (figure, error)

// How far two sides may differ, relatively: exactly is the same formulas in another order of rounding; solved is solutions to the tolerance of the solve,
// whose steps are others; trained is what is left of a last bit after 500 iterations.
const (
	unlike  = 0 // not compared
	exactly = 1e-9
	solved  = 1e-5
	trained = 1e-2
)

// ratio measures the time of one unit of work of num against that of the fastest of dens.
func ratio(num meter, tol float64, dens ...meter) measure {
	return func(l *lab, rounds int) (figure, error) {
		all := append(dens[:len(dens):len(dens)], num) // one round: the baselines, then what is compared with them
		each, units := make([][]float64, len(all)), make([]int64, len(all))
		var ratios []float64
		for range rounds {
			last := make([]outcome, len(all))
			for i, m := range all {
				o, err := l.measure(m)
				if errors.Is(err, errNoC) {
					return l.alone(num, rounds)
				}
				if err != nil {
					return figure{}, err
				}
				last[i] = o
				each[i] = append(each[i], o.each())
				units[i] = o.work / int64(l.reps[m])
			}
			best := 0
			for i, m := range dens {
				if tol != unlike {
					if err := agree(num, m, last[len(dens)].values, last[i].values, tol); err != nil {
						return figure{}, err
					}
				}
				if last[i].each() < last[best].each() {
					best = i
				}
			}
			ratios = append(ratios, last[len(dens)].each()/last[best].each())
		}
		f := spread(ratios)
		f.detail = times(num, dens, each, units)
		return f, nil
	}
}

// times says the medians behind a ratio: "udl 12 ns, C 10 ns". Where one repetition is many units, such as the steps of a
// solve, it says how many: what takes less time for each may take more of them.
func times(num meter, dens []meter, each [][]float64, units []int64) string {
	say := func(m meter, others []meter, i int) string {
		s := label(m, others) + " " + duration(median(each[i]))
		if units[i] > 1 {
			s += fmt.Sprintf(" × %d", units[i])
		}
		return s
	}
	s := []string{say(num, dens, len(dens))}
	for i, m := range dens {
		s = append(s, say(m, append(dens[:len(dens):len(dens)], num), i))
	}
	return strings.Join(s, ", ")
}

// label is a side's name, with the kind of job where others do something else on the same side.
func label(m meter, others []meter) string {
	for _, o := range others {
		if o.side == m.side && o.job != m.job {
			kind, _, _ := strings.Cut(m.job, "/")
			return m.side + " " + kind
		}
	}
	return m.side
}

// alone measures without the C side.
func (l *lab) alone(m meter, rounds int) (figure, error) {
	var each []float64
	for range rounds {
		o, err := l.measure(m)
		if err != nil {
			return figure{}, err
		}
		each = append(each, o.each())
	}
	return figure{absent: "no C", detail: fmt.Sprintf("%s %s", m.side, duration(median(each)))}, nil
}

// few caps the rounds of a measurement that takes long.
func few(n int, m measure) measure {
	return func(l *lab, rounds int) (figure, error) { return m(l, min(n, rounds)) }
}

// training measures the fit in seconds. The target scales with the machine: it is limit where C's right-hand side of the
// network takes 0.6 µs.
func training(limit float64) measure {
	return func(l *lab, rounds int) (figure, error) {
		var fits, cs []float64
		for range rounds {
			c, err := l.measure(meter{inC, "rhs/node50"})
			if err != nil && !errors.Is(err, errNoC) {
				return figure{}, err
			}
			if err == nil {
				cs = append(cs, c.each())
			}
			o, err := l.measure(meter{udl, "train/spiral"})
			if err != nil {
				return figure{}, err
			}
			fits = append(fits, o.each()/1e9)
		}
		f := spread(fits)
		if len(cs) == 0 {
			f.absent, f.detail = "no C", fmt.Sprintf("udl %.3g s", f.median)
			return f, nil
		}
		f.target = limit * median(cs) / 600
		f.detail = fmt.Sprintf("C's right-hand side takes %s", duration(median(cs)))
		return f, nil
	}
}

// perStep measures a fit of the gallery in milliseconds for each of its steps, on all cores; its loss must end at or below a bound.
func perStep(file string, steps int, bound float64) measure {
	return func(l *lab, rounds int) (figure, error) {
		var each []float64
		loss := 0.0
		for range rounds {
			o, err := l.measure(meter{udl, "train/" + file})
			if err != nil {
				return figure{}, err
			}
			if loss = o.values[0]; !(loss <= bound) {
				return figure{}, fmt.Errorf("%s ends at a loss of %g, above %g", file, loss, bound)
			}
			each = append(each, o.each()/1e6/float64(steps))
		}
		f := spread(each)
		f.detail = fmt.Sprintf("the loss ends at %.3g, it must be at or below %g", loss, bound)
		return f, nil
	}
}
