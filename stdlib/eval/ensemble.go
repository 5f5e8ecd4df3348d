package eval

import (
	"fmt"
	"io"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
)

// oneOf is a member of an ensemble, solved again by itself.
func (in *Interp) oneOf(e *value.Ensemble, i int, at ast.Node) (value.Value, error) {
	s, err := e.One(i, func(p *solve.Problem) (*solve.Solution, error) { return solve.Solve(in.ctx, p) })
	if err != nil {
		return nil, in.place(err, at)
	}
	return s, nil
}

// showEnsemble prints how many there are, what differs, and the median with the middle nine tenths at some times.
func (in *Interp) showEnsemble(w io.Writer, e *value.Ensemble) {
	var varied []string
	for _, sl := range e.Varied {
		varied = append(varied, sl.Name)
	}
	fmt.Fprintf(w, "%d trajectories of %s, which differ in %s\n", e.Res.N, e.Model.Name(), strings.Join(varied, ", "))
	if e.Res.Failed > 0 {
		fmt.Fprintf(w, "%d stopped early and are left out: %s\n", e.Res.Failed, e.Reasons())
	}
	f := &trace.Frame{}
	f.Columns = append(f.Columns, value.Column{Name: "t", Unit: e.Model.TimeUnit(), Values: e.Res.T})
	lo, mid, hi := e.Quantile(0.05), e.Quantile(0.5), e.Quantile(0.95)
	for _, sl := range e.Model.C.System.States {
		for j, name := range system.Names([]system.Slot{sl}) {
			if len(f.Columns) > 12 { // what fits a line; the rest is in E.median
				break
			}
			for _, q := range []struct {
				name string
				of   *value.Record
			}{{" 5 %", lo}, {" median", mid}, {" 95 %", hi}} {
				v, _ := q.of.Get(sl.Name)
				col := make([]float64, len(e.Res.T))
				for k := range col {
					col[k] = v.(*value.Array).Data[k*sl.Size()+j]
				}
				f.Columns = append(f.Columns, value.Column{Name: name + q.name, Unit: sl.Unit, Values: col})
			}
		}
	}
	trace.WriteTable(w, f, trace.TableOptions{Width: in.o.Width, Color: in.o.Color, Rows: 9})
}
