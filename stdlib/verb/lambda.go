package verb

import (
	"fmt"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/system"
)

// LambdaLoss is a compiled lambda over a solution: a number from the series of the states and lets
// that it reads.
type LambdaLoss struct {
	// F maps (series, θ) to the loss.
	F system.Func
	// Series says what each piece of F's x is.
	Series []Series
}

// Series is one quantity at all output times, time-major.
type Series struct {
	Kind Source
	Slot system.Slot // of a state or of an output; unused for the times
	Off  int         // in F's x
	Rows int         // of FromEvents: how many
}

// Source is where a series comes from.
type Source int

// The sources.
const (
	FromState Source = iota
	FromLet
	FromTime
	FromEvents // the times of the events
)

var _ sens.EventLoss = (*bound)(nil)

// bound is a LambdaLoss at given times; it implements sens.EventLoss.
type bound struct {
	*LambdaLoss
	f       system.Func
	out     system.Func
	sys     *system.System
	times   []float64
	buf, gb []float64
	outs    []float64
	gout    []float64
	z       [1]float64

	events []float64 // times of events; nil before they are known
	gte    []float64 // where the derivatives by them go, nil where they are not wanted
	want   int       // how many there are to be, −1 where they are not read

	byTimes []float64 // derivatives by the output times themselves
}

var _ sens.TimedLoss = (*bound)(nil)

// ByTimes implements sens.TimedLoss.
func (b *bound) ByTimes() []float64 { return b.byTimes }

// Bind makes the loss for one solving goroutine.
func (l *LambdaLoss) Bind(sys *system.System, times []float64) *bound {
	b := &bound{LambdaLoss: l, f: l.F.Clone(), sys: sys, times: times, want: -1, byTimes: make([]float64, len(times))}
	n, _, _ := l.F.Dims()
	b.buf, b.gb = make([]float64, n), make([]float64, n)
	for _, s := range l.Series {
		if s.Kind == FromEvents {
			b.want = s.Rows
		}
		if s.Kind == FromLet && b.out == nil {
			b.out = sys.Output.Clone()
			_, _, nz := b.out.Dims()
			b.outs, b.gout = make([]float64, nz*len(times)), make([]float64, nz)
		}
	}
	return b
}

// Clone implements train.CloneLoss.
func (b *bound) Clone() sens.Loss { return b.Bind(b.sys, b.times) }

// Events implements sens.EventLoss.
func (b *bound) Events(t, gt []float64) error {
	if b.want >= 0 && len(t) != b.want {
		return fmt.Errorf("the loss reads the times of %d events, but %d fire for these values: a loss over `s.events.t` needs their number to stay the same; take a shorter time span, or end it with `stop when`", b.want, len(t))
	}
	b.events, b.gte = t, gt
	return nil
}

var _ sens.Blamed = (*bound)(nil)

// Blame implements sens.Blamed: the sub-expression of the function, else of a let that it reads, whose derivative is not finite. The series are those of the
// last evaluation.
func (b *bound) Blame(x, th []float64) (*system.Fault, int) {
	if f := compiler.BlameLambda(b.f, b.buf, th); f != nil {
		return f, -1
	}
	if b.out == nil || b.sys.Blame == nil {
		return nil, -1
	}
	nx := b.sys.NX
	ones := make([]float64, len(b.gout))
	for i := range ones {
		ones[i] = 1
	}
	for i, t := range b.times {
		if f := b.sys.Blame(b.out, t, x[i*nx:(i+1)*nx], th, ones); f != nil {
			return f, i
		}
	}
	return nil, -1
}

// Times implements sens.Loss.
func (b *bound) Times() []float64 { return b.times }

// Eval implements sens.Loss: x is len(times) × NX, gx is overwritten, gth added to.
func (b *bound) Eval(x, th, gx, gth []float64) (float64, error) {
	nx, nt := b.sys.NX, len(b.times)
	nz := len(b.gout)
	if b.out != nil {
		for i, t := range b.times {
			b.out.Eval(b.outs[i*nz:(i+1)*nz], t, x[i*nx:(i+1)*nx], th)
		}
	}
	for _, s := range b.Series {
		if s.Kind == FromEvents {
			if len(b.events) != b.want {
				return 0, fmt.Errorf("the times of events are not known here")
			}
			copy(b.buf[s.Off:], b.events)
			continue
		}
		n := s.Slot.Size()
		for i := range nt {
			switch s.Kind {
			case FromState:
				copy(b.buf[s.Off+i*n:s.Off+(i+1)*n], x[i*nx+s.Slot.Off:])
			case FromLet:
				copy(b.buf[s.Off+i*n:s.Off+(i+1)*n], b.outs[i*nz+s.Slot.Off:])
			case FromTime:
				b.buf[s.Off+i] = b.times[i]
			}
		}
	}
	b.f.Eval(b.z[:], 0, b.buf, th)
	v := b.z[0]
	if gx == nil {
		return v, nil
	}
	clear(b.gb)
	clear(gx[:nt*nx])
	b.z[0] = 1
	b.f.VJP(b.gb, gth, 0, b.buf, th, b.z[:])
	for _, s := range b.Series {
		if s.Kind == FromEvents && b.gte != nil {
			copy(b.gte, b.gb[s.Off:s.Off+b.want])
		}
	}
	for i, t := range b.times {
		row := gx[i*nx : (i+1)*nx]
		lets := false
		clear(b.gout)
		b.byTimes[i] = 0
		for _, s := range b.Series {
			n := s.Slot.Size()
			switch s.Kind {
			case FromState:
				for k := range n {
					row[s.Slot.Off+k] += b.gb[s.Off+i*n+k]
				}
			case FromTime:
				b.byTimes[i] += b.gb[s.Off+i]
			case FromLet:
				lets = true
				for k := range n {
					b.gout[s.Slot.Off+k] += b.gb[s.Off+i*n+k]
				}
			}
		}
		if lets {
			b.byTimes[i] += b.out.VJP(row, gth, t, x[i*nx:(i+1)*nx], th, b.gout)
		}
	}
	return v, nil
}
