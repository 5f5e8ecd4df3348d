package verb

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// mostBands is how many quantities of an ensemble a plot shows: more bands over each other cannot be told apart.
const mostBands = mostSeries / 2

// Scalar is one scalar of a state, for what shows a few of many.
type Scalar struct {
	State, Name, Unit string // u, u[2], m
	Index             int    // in the state, row-major from 0
}

// Scalars are the scalars of the states; of more than most, some, evenly spread. all is how many there are.
func Scalars(sys *system.System, most int) (shown []Scalar, all int) {
	var list []Scalar
	for _, sl := range sys.States {
		for j, name := range system.Names([]system.Slot{sl}) {
			list = append(list, Scalar{sl.Name, name, sl.Unit, j})
		}
	}
	if all = len(list); all <= most {
		return list, all
	}
	for k := range most {
		shown = append(shown, list[k*(all-1)/max(most-1, 1)])
	}
	return shown, all
}

// bands draws an ensemble: of each state the median and the band in which nine members of ten lie. A sweep of few members is drawn as
// the curves that it is.
func bands(p *value.Plot, e *value.Ensemble) error {
	if len(e.Res.T) < 2 {
		return fmt.Errorf("an ensemble at one time has no course to draw: ask for more, `t = 0..10 by 0.1`")
	}
	p.XLabel = label("t", e.Model.TimeUnit())
	shown, all := Scalars(e.Model.C.System, mostBands)
	if all > len(shown) {
		p.Title = strings.TrimSpace(fmt.Sprintf("%s (%d of %d states)", p.Title, len(shown), all))
	}
	if e.Grid != nil && e.Res.N*len(shown) <= mostSeries {
		for i := range e.Res.N {
			for _, s := range shown {
				p.Series = append(p.Series, trace.Series{Name: label(s.Name, s.Unit) + ", " + valuesOf(e, i), X: e.Res.T, Y: e.Curve(i, s.State, s.Index),
					Color: len(p.Series) + 1})
			}
		}
		return nil
	}
	for _, s := range shown {
		q := e.Column(s.State, s.Index, value.Quantile(0.05), value.Quantile(0.5), value.Quantile(0.95))
		color := len(p.Series) + 1
		p.Series = append(p.Series,
			trace.Series{Name: label(s.Name, s.Unit) + ", 5–95 %", X: e.Res.T, Y: q[0], Hi: q[2], Style: trace.Band, Color: color},
			trace.Series{Name: label(s.Name, s.Unit) + ", median", X: e.Res.T, Y: q[1], Color: color})
	}
	return nil
}

// spread draws a statistic of an ensemble, a curve for each state.
func spread(p *value.Plot, s *value.Spread) error {
	shown, all := Scalars(s.E.Model.C.System, mostSeries)
	p.XLabel = label("t", s.E.Model.TimeUnit())
	if all > len(shown) {
		p.Title = strings.TrimSpace(fmt.Sprintf("%s (%d of %d states)", p.Title, len(shown), all))
	}
	for _, sc := range shown {
		p.Series = append(p.Series, trace.Series{Name: s.What + " of " + label(sc.Name, sc.Unit), X: s.E.Res.T, Y: s.Curve(sc.State, sc.Index), Color: len(p.Series) + 1})
	}
	return nil
}
