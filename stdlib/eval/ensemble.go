package eval

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/trace"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// ofDistributions is the type of parameters in which names of distributions come first.
const ofDistributions = "record of distributions or lists"

// oneOf is E[i], a member of an ensemble solved again by itself; of a sweep S[i, j] too, with an index for each quantity.
func (in *Interp) oneOf(f *frame, e *value.Ensemble, at *ast.Index) (value.Value, error) {
	extents := []int{e.Res.N}
	if len(at.Args) == len(e.Grid) {
		extents = e.Grid
	}
	if len(at.Args) != len(extents) {
		d := diag.New("E0709", at.Span(), "%d indices for an ensemble", len(at.Args))
		if len(e.Grid) > 1 {
			return nil, d.WithHelp("give the member's number, or an index for each of the %d quantities of the sweep", len(e.Grid))
		}
		return nil, d.WithHelp("`E[3]` is the third member, `E.x[3, 2]` its x at the second time")
	}
	i := 0
	for d, n := range extents {
		k, err := in.number(withEnd(f, n), at.Args[d])
		if err != nil {
			return nil, err
		}
		if k != math.Trunc(k) || k < 1 || k > float64(n) {
			return nil, diag.New("E0709", at.Args[d].Span(), "member %s is outside 1..%d", value.Format(k), n).
				WithHelp("members are counted from 1; `[end]` is the last")
		}
		i = i*n + int(k) - 1
	}
	s, p, err := e.One(in.ctx, i)
	if err != nil {
		return nil, in.place(err, at)
	}
	host := in.host
	c := &verb.Call{Host: &host, Ctx: in.ctx, Verb: in.verbs["solve"], Span: at.Span()}
	if d := c.Failure(s.Sol, p); d != nil {
		if in.ctx.Err() != nil {
			return nil, d
		}
		host.Warn(d.AsWarning(), false) // the run has been told of it by the ensemble
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
	// As many as fit a line, but one at least.
	most := 3
	shown, all := verb.Scalars(e.Model.C.System, most)
	for ; most > 1; most-- {
		wide := 6
		for _, s := range shown {
			n := len([]rune(s.Name))
			wide += max(n+4, 9) + max(n+7, 9) + max(n+5, 9) + 6
		}
		if wide <= in.o.Width {
			break
		}
		shown, all = verb.Scalars(e.Model.C.System, most-1)
	}
	for _, s := range shown {
		q := e.Column(s.State, s.Index, value.Quantile(0.05), value.Quantile(0.5), value.Quantile(0.95))
		for i, name := range []string{" 5 %", " median", " 95 %"} {
			f.Columns = append(f.Columns, value.Column{Name: s.Name + name, Unit: s.Unit, Values: q[i]})
		}
	}
	trace.WriteTable(w, f, trace.TableOptions{Width: in.o.Width, Color: in.o.Color, Rows: 9})
	if all > len(shown) {
		fmt.Fprintf(w, "(%d of %d states; `.median` has them all)\n", len(shown), all)
	}
	st := e.Res.Stats
	fmt.Fprintf(w, "%s: %d steps, %d rejected, %d evaluations\n", e.Res.Solver, st.Steps, st.Rejected, st.Evals)
}
