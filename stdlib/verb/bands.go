package verb

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// bands draws an ensemble: the median of each state and the band in which nine members of ten lie.
func bands(p *value.Plot, e *value.Ensemble) error {
	if len(e.Res.T) < 2 {
		return fmt.Errorf("an ensemble at one time has no course to draw: ask for more, `t = 0..10 by 0.1`")
	}
	p.XLabel = label("t", e.Model.TimeUnit())
	lo, mid, hi := e.Quantile(0.05), e.Quantile(0.5), e.Quantile(0.95)
	shown, all := 0, len(e.Model.C.System.StateNames())
	nt := len(e.Res.T)
	for _, sl := range e.Model.C.System.States {
		for j, name := range system.Names([]system.Slot{sl}) {
			if shown++; shown > mostSeries/2 {
				continue
			}
			column := func(r *value.Record) []float64 {
				v, _ := r.Get(sl.Name)
				a := v.(*value.Array)
				y := make([]float64, nt)
				for k := range y {
					y[k] = a.Data[k*sl.Size()+j]
				}
				return y
			}
			p.Series = append(p.Series,
				trace.Series{Name: label(name, sl.Unit) + ", 5–95 %", X: e.Res.T, Y: column(lo), Hi: column(hi), Style: trace.Band, Color: shown},
				trace.Series{Name: label(name, sl.Unit) + ", median", X: e.Res.T, Y: column(mid), Color: shown})
		}
	}
	if all > mostSeries/2 {
		p.Title = strings.TrimSpace(fmt.Sprintf("%s (%d of %d states)", p.Title, mostSeries/2, all))
	}
	return nil
}
