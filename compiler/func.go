package compiler

import (
	"sync"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// shared is what all clones of a function have in common: the graph and its programs, the
// derivatives' made once on demand.
type shared struct {
	g           *ir.Graph // optimised
	nx, nth, nz int
	eval        *code.Program
	vjp, jvp    lazy
}

// lazy is a program made once.
type lazy struct {
	once sync.Once
	prog *code.Program
	err  error
}

func (l *lazy) get(derive func() (*ir.Graph, error)) *code.Program {
	l.once.Do(func() {
		var g *ir.Graph
		if g, l.err = derive(); l.err == nil {
			l.prog, l.err = code.Compile(opt.Run(g))
		}
	})
	if l.err != nil {
		// Compile refuses models whose functions have no derivative before any is asked for.
		panic(l.err)
	}
	return l.prog
}

// fn implements system.Func by compiled programs.
type fn struct {
	s              *shared
	eval, vjp, jvp *code.Exec
	in             code.Banks
	out            [3][]float64
	t, dt, gt      [1]float64
	noGx, noGth    []float64 // where unwanted cotangents go
	zeroX, zeroTh  []float64 // tangents not given
}

var _ system.Func = (*fn)(nil)

// newFunc compiles a graph that reads t, x and θ and writes the nz numbers of output vector 0.
func newFunc(g *ir.Graph, nx, nth, nz int) (*fn, error) {
	g = opt.Run(g)
	p, err := code.Compile(g)
	if err != nil {
		return nil, err
	}
	return (&shared{g: g, nx: nx, nth: nth, nz: nz, eval: p}).bind(), nil
}

func (s *shared) bind() *fn { return &fn{s: s, eval: s.eval.New()} }

// Dims implements system.Func.
func (f *fn) Dims() (x, th, z int) { return f.s.nx, f.s.nth, f.s.nz }

// Clone implements system.Func.
func (f *fn) Clone() system.Func { return f.s.bind() }

func (f *fn) at(t float64, x, th []float64) {
	f.t[0] = t
	f.in[ir.BankT], f.in[ir.BankX], f.in[ir.BankTheta] = f.t[:], x, th
}

// Eval implements system.Func.
func (f *fn) Eval(z []float64, t float64, x, th []float64) {
	f.at(t, x, th)
	f.out[0] = z
	f.eval.Run(&f.in, f.out[:1])
}

// VJP implements system.Func.
func (f *fn) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	if f.vjp == nil {
		f.vjp = f.s.vjp.get(func() (*ir.Graph, error) { return ad.VJP(f.s.g) }).New()
		f.noGx, f.noGth = make([]float64, f.s.nx), make([]float64, f.s.nth)
	}
	if gx == nil {
		gx = f.noGx
	}
	if gth == nil {
		gth = f.noGth
	}
	f.at(t, x, th)
	f.in[ir.BankGZ] = gz
	f.gt[0] = 0
	f.out = [3][]float64{gx, gth, f.gt[:]}
	f.vjp.Run(&f.in, f.out[:])
	return f.gt[0]
}

// JVP implements system.Func.
func (f *fn) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if f.jvp == nil {
		f.jvp = f.s.jvp.get(func() (*ir.Graph, error) { return ad.JVP(f.s.g) }).New()
		f.zeroX, f.zeroTh = make([]float64, f.s.nx), make([]float64, f.s.nth)
	}
	if dx == nil {
		dx = f.zeroX
	}
	if dth == nil {
		dth = f.zeroTh
	}
	f.at(t, x, th)
	f.dt[0] = dt
	f.in[ir.BankDT], f.in[ir.BankDX], f.in[ir.BankDTheta] = f.dt[:], dx, dth
	f.out[0] = dz
	f.jvp.Run(&f.in, f.out[:1])
}

// Tangent implements system.Func.
func (f *fn) Tangent() system.Func {
	g, err := ad.Tangent(f.s.g, f.s.nx, f.s.nth)
	if err != nil {
		panic(err) // refused by Compile, as in get
	}
	t, err := newFunc(g, 2*f.s.nx, 2*f.s.nth, f.s.nz)
	if err != nil {
		panic(err)
	}
	return t
}

// Lambda compiles a lambda over given quantities to a function of (series, θ) with one result:
// nx numbers of series and nth of θ.
func Lambda(lam *model.Lambda, inputs []lower.Series, nx, nth int, b lower.Builtins) (system.Func, error) {
	g, err := lower.Lambda(lam, inputs, b)
	if err != nil {
		return nil, err
	}
	return newFunc(g, nx, nth, lam.Body.Shape.Size())
}
