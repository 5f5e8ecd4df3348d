package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/system"
)

// A trial whose solve fails, whose loss is infinite or whose gradient is not finite is no error: optimisers go back from it. What happened is kept, in
// words, for the history and the report: most are steps that were too long, but a training that stands still because of them is told by nothing else.

// Failures are the trials of a training that had no finite loss or gradient.
type Failures struct {
	N           int
	First, Last string // "iteration 12 of adam: the solution stops at t = …"; "" where there are none
}

// failures are those of a minimisation.
type failures struct {
	Failures
	unsaid int    // since the last note
	why    string // of the last
}

// fail records a trial with the value f, or, with index from 0, whose gradient is not finite in that component.
func (r *run) fail(f float64, index int) {
	e := &r.failed
	e.N++
	e.unsaid++
	e.why = "its loss is " + inWords(f)
	if index >= 0 {
		e.why = fmt.Sprintf("component %d of its gradient is not finite", index+1)
	}
	if r.set.Why != nil {
		e.why = r.set.Why(&NonFiniteStart{Value: f, Gradient: index >= 0, Index: max(index, 0)})
	}
	iter := 1
	if n := len(r.history); n > 0 && r.history[n-1].Stage == r.stage {
		iter = r.history[n-1].Iter + 1
	}
	e.Last = fmt.Sprintf("iteration %d of %s: %s", iter, r.stages[r.stage].Optimiser.Name, e.why)
	if e.First == "" {
		e.First = e.Last
	}
}

// say adds what failed since the last note.
func (e *failures) say(note string) string {
	if e.unsaid == 0 {
		return note
	}
	s := e.why
	if e.unsaid > 1 {
		s = fmt.Sprintf("%d trials failed, the last: %s", e.unsaid, s)
	}
	if e.unsaid = 0; note != "" {
		s = note + ": " + s
	}
	return s
}

// why tells in words what startError tells of a start.
func why(ctx context.Context, p phase, bad *NonFiniteStart) string {
	err := p.startError(ctx, bad)
	var start *StartError
	if errors.As(err, &start) {
		return start.why()
	}
	return err.Error()
}

// why is the reason alone.
func (e *StartError) why() string {
	s := ""
	if e.Trajectory != "" {
		s = e.Trajectory + ": "
	}
	switch {
	case e.Method != nil:
		return s + e.Method.Reason
	case e.Free != "":
		s += "the derivative of the loss by " + e.Free + " is not finite"
		if e.Grad != nil {
			if b := e.Grad.Because(); b != "" {
				s += ": " + b + place(e.Grad.Source)
			} else if e.Grad.T == e.Grad.T {
				s += fmt.Sprintf(", from t = %.6g on, backwards", e.Grad.T)
			}
		}
		if e.Place != "" {
			s += "; data from " + e.Place + " on are concerned"
		}
		return s
	case e.Value != nil:
		return s + e.Value.Error()
	case e.Fault != nil:
		s += e.Fault.Error() + place(e.Fault.Source)
		if e.Place != "" {
			s += "; the first datum that is not reached is " + e.Place
		}
		return s
	}
	return s + "the solution is finite, so it is the loss function that is not"
}

// place is where a sub-expression stands, in brackets; "" where nobody knows.
func place(f *system.Fault) string {
	if f != nil {
		if w, ok := f.Where.(fmt.Stringer); ok && w.String() != "" {
			return " (" + w.String() + ")"
		}
	}
	return ""
}

// spoil looks for what makes a gradient not finite that no adjoint has met, such as that of least squares.
func (t *trial) spoil(ctx context.Context) {
	g := make([]float64, len(t.prob.Theta))
	for k, tr := range t.tr {
		p := tr.prob
		p.Theta = t.theta(tr)
		loss := t.loss
		if tr.data != nil {
			loss = tr.data
			if tr.data.lets {
				tr.data.outputs = newOutputs(p.Sys)
			}
		}
		if loss == nil {
			continue
		}
		if _, _, err := sens.Adjoint(ctx, &p, loss, g); errors.As(err, &t.spoilt) {
			t.at = k
			return
		}
	}
}

var _ sens.Blamed = (*DataLoss)(nil)

// Blame implements sens.Blamed: the let whose derivative is not finite where it is compared.
func (l *DataLoss) Blame(x, th []float64) (*system.Fault, int) {
	if !l.lets || l.sys.Blame == nil || l.outputs == nil {
		return nil, -1
	}
	nx := l.sys.NX
	gz := make([]float64, len(l.z))
	for row, t := range l.data.Times {
		if (row+1)*nx > len(x) {
			break
		}
		clear(gz)
		for k := range l.data.Columns {
			if c := &l.data.Columns[k]; c.Of.Output && !c.missing(row) {
				gz[c.Of.Index] = 1
			}
		}
		if f := l.sys.Blame(l.out, t, x[row*nx:(row+1)*nx], th, gz); f != nil {
			return f, row
		}
	}
	return nil, -1
}
