package verb

import (
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// smoothPoints is about how many points a curve is drawn with: a step of a good method is long, and no straight line.
const smoothPoints = 400

// smooth is a solution as it is drawn: between its outputs by dense output, where it has any, and upright where an event changes it.
type smooth struct {
	sol *solve.Solution
	at  []spot
}

// spot is a point of a curve.
type spot struct {
	t      float64
	x      []float64 // all states; nil for an output
	output int
}

// smoothed gathers the points of a solution's curves.
func smoothed(sol *solve.Solution) *smooth {
	s := &smooth{sol: sol}
	n := len(sol.T)
	fill := 0
	if n > 1 && sol.NumSteps() > 0 {
		fill = smoothPoints / (n - 1)
	}
	dir := 1.0
	if n > 1 && sol.T[n-1] < sol.T[0] {
		dir = -1
	}
	next := 0 // of the events
	events := func(to float64) {
		for ; next < len(sol.Events) && (sol.Events[next].T-to)*dir <= 0; next++ {
			f := &sol.Events[next]
			if n > 0 && (f.T-sol.T[0])*dir > 0 {
				s.at = append(s.at, spot{t: f.T, x: f.Before}, spot{t: f.T, x: f.After})
			}
		}
	}
	for i, t := range sol.T {
		if i > 0 {
			last := sol.T[i-1]
			for k := 1; k < fill; k++ {
				x, at := make([]float64, sol.NX), last+(t-last)*float64(k)/float64(fill)
				if sol.At(at, x) != nil {
					fill = 0
					break
				}
				events(at)
				s.at = append(s.at, spot{t: at, x: x})
			}
			events(t)
		}
		s.at = append(s.at, spot{t: t, output: i})
	}
	return s
}

// curve is scalar state i, of which values are the outputs.
func (s *smooth) curve(i int, values []float64) (x, y []float64) {
	for _, p := range s.at {
		v := math.NaN()
		switch {
		case p.x == nil:
			v = values[p.output]
		case i < len(p.x):
			v = p.x[i]
		}
		x, y = append(x, p.t), append(y, v)
	}
	return x, y
}

// mostMarks is how many events are marked in a plot: more would hide the curve.
const mostMarks = 60

// eventMarks marks where events changed scalar state i, in the colour of its curve.
func eventMarks(p *value.Plot, sol *solve.Solution, i int) {
	m := trace.Series{Style: trace.Points, Color: p.Series[len(p.Series)-1].Color}
	for _, f := range sol.Events {
		if f.Before[i] != f.After[i] {
			m.X, m.Y = append(m.X, f.T), append(m.Y, f.After[i])
		}
	}
	if len(m.X) > 0 && len(m.X) <= mostMarks {
		p.Series = append(p.Series, m)
	}
}
