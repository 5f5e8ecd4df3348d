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
	how         code.Options
	timeless    bool // nobody asks for derivatives by t, which may not exist
	steps       perMethod[*code.StepProgram]
	reverses    perMethod[*code.ReverseProgram]
	solvers     solvers
	directions  directions
	sys         *system.System // of a right-hand side
	jac         jacobians
}

// lazy is a program made once.
type lazy struct {
	once sync.Once
	prog *code.Program
	err  error
}

func (l *lazy) get(how code.Options, derive func() (*ir.Graph, error)) *code.Program {
	l.once.Do(func() {
		var g *ir.Graph
		if g, l.err = derive(); l.err == nil {
			l.prog, l.err = code.CompileWith(opt.Run(g), how)
		}
	})
	if l.err != nil {
		// Compile refuses models whose functions have no derivative before any is asked for.
		panic(l.err)
	}
	return l.prog
}

func (s *shared) vjpProgram() *code.Program {
	return s.vjp.get(s.how, func() (*ir.Graph, error) {
		if s.timeless {
			return ad.VJPAtTime(s.g)
		}
		return ad.VJP(s.g)
	})
}

func (s *shared) jvpProgram() *code.Program {
	return s.jvp.get(s.how, func() (*ir.Graph, error) { return ad.JVP(s.g) })
}

// once is for functions that are evaluated too seldom for generated code to be worth its making.
var once = code.Options{Portable: true}

// fn implements system.Func by compiled programs.
type fn struct {
	s              *shared
	eval, vjp, jvp derived
	t, dt, gt      [1]float64
	th             []float64 // prepared
	version        int       // of th
	small          code.Small
	isSmall        bool
	quick          bool      // small may be used for the θ that is prepared
	noGx, noGth    []float64 // where unwanted cotangents go
	zeroX, zeroTh  []float64 // tangents not given
}

// derived is one of a function's programs, the version of θ that it was prepared for, and what it reads and writes.
type derived struct {
	*code.Exec
	version int
	in      code.Banks
	out     [3][]float64
	changed code.Changed // since its last run
}

// bind makes the program's Exec, with what stays in place.
func (d *derived) bind(p *code.Program, f *fn) {
	d.Exec = p.New()
	d.in[ir.BankT], d.in[ir.BankTheta], d.in[ir.BankDT], d.out[2] = f.t[:], f.th, f.dt[:], f.gt[:]
	d.changed = code.All
}

// reads and writes set a bank and a result. Storing a pointer, and telling generated code of it, costs as much as some arithmetic, so
// what is there already is left alone.
func (d *derived) reads(b ir.Bank, x []float64) {
	if other(d.in[b], x) {
		d.in[b] = x
		d.changed |= code.Bank(b)
	}
}

func (d *derived) writes(v int, x []float64) {
	if other(d.out[v], x) {
		d.out[v] = x
		d.changed |= code.Result(v)
	}
}

func other(x, y []float64) bool {
	return len(x) != len(y) || len(x) > 0 && &x[0] != &y[0]
}

func (d *derived) run() {
	d.RunChanged(&d.in, d.out[:], d.changed)
	d.changed = 0
}

var _ system.Func = (*fn)(nil)

// newFunc compiles a graph that reads t, x and θ and writes the nz numbers of output vector 0.
func newFunc(g *ir.Graph, nx, nth, nz int, how code.Options) (*fn, error) {
	g = opt.Run(g)
	p, err := code.CompileWith(g, how)
	if err != nil {
		return nil, err
	}
	return (&shared{g: g, nx: nx, nth: nth, nz: nz, eval: p, how: how}).bind(), nil
}

func (s *shared) bind() *fn { return &fn{s: s, th: make([]float64, s.nth), version: 1} }

// Dims implements system.Func.
func (f *fn) Dims() (x, th, z int) { return f.s.nx, f.s.nth, f.s.nz }

// Clone implements system.Func.
func (f *fn) Clone() system.Func { return f.s.bind() }

// Prepare implements system.Func.
func (f *fn) Prepare(th []float64) {
	copy(f.th, th)
	f.version++
	f.quick = false
}

// at sets the arguments of a run of d.
func (f *fn) at(d *derived, t float64, x, th []float64) {
	if th != nil {
		f.Prepare(th)
	}
	f.t[0] = t
	d.reads(ir.BankX, x)
	if d.version != f.version {
		d.Prepare(&d.in)
		d.version = f.version
	}
}

// Eval implements system.Func.
func (f *fn) Eval(z []float64, t float64, x, th []float64) {
	if f.quick && th == nil {
		f.t[0] = t
		if f.small.Run(x, z) {
			return
		}
	}
	f.evaluate(z, t, x, th)
}

// evaluate is Eval, the long way.
func (f *fn) evaluate(z []float64, t float64, x, th []float64) {
	if f.eval.Exec == nil {
		f.eval.bind(f.s.eval, f)
		f.small, f.isSmall = f.eval.Small(f.t[:], f.th)
	}
	f.at(&f.eval, t, x, th)
	f.eval.writes(0, z)
	f.eval.changed = code.All // the short way leaves its own slices behind
	f.eval.run()
	f.quick = f.isSmall
}

// VJP implements system.Func.
func (f *fn) VJP(gx, gth []float64, t float64, x, th, gz []float64) float64 {
	if f.vjp.Exec == nil {
		f.vjp.bind(f.s.vjpProgram(), f)
		f.noGx, f.noGth = make([]float64, f.s.nx), make([]float64, f.s.nth)
	}
	if gx == nil {
		gx = f.noGx
	}
	if gth == nil {
		gth = f.noGth
	}
	f.at(&f.vjp, t, x, th)
	f.vjp.reads(ir.BankGZ, gz)
	f.gt[0] = 0
	f.vjp.writes(0, gx)
	f.vjp.writes(1, gth)
	f.vjp.run()
	return f.gt[0]
}

// JVP implements system.Func.
func (f *fn) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	if f.jvp.Exec == nil {
		f.jvp.bind(f.s.jvpProgram(), f)
		f.zeroX, f.zeroTh = make([]float64, f.s.nx), make([]float64, f.s.nth)
	}
	if dx == nil {
		dx = f.zeroX
	}
	if dth == nil {
		dth = f.zeroTh
	}
	f.at(&f.jvp, t, x, th)
	f.dt[0] = dt
	f.jvp.reads(ir.BankDX, dx)
	f.jvp.reads(ir.BankDTheta, dth)
	f.jvp.writes(0, dz)
	f.jvp.run()
}

// Tangent implements system.Func.
func (f *fn) Tangent() system.Func {
	g, err := ad.Tangent(f.s.g, f.s.nx, f.s.nth)
	if err != nil {
		panic(err) // refused by Compile, as in get
	}
	t, err := newFunc(g, 2*f.s.nx, 2*f.s.nth, f.s.nz, f.s.how)
	if err != nil {
		panic(err)
	}
	t.s.timeless = f.s.timeless
	return t
}

// byTime implements system.System.ByTime.
func (s *shared) byTime() system.Func {
	g, err := ad.ByTime(s.g)
	if err != nil {
		panic(err) // refused by Compile, as in get
	}
	f, err := newFunc(g, s.nx, s.nth, s.nz, s.how)
	if err != nil {
		panic(err)
	}
	f.s.timeless = true
	return f
}

// Lambda compiles a lambda over given quantities to a function of (series, θ) with one result:
// nx numbers of series and nth of θ.
func Lambda(lam *model.Lambda, inputs []lower.Series, nx, nth int, b lower.Builtins) (system.Func, error) {
	g, err := lower.Lambda(lam, inputs, b)
	if err != nil {
		return nil, err
	}
	return newFunc(g, nx, nth, lam.Body.Shape.Size(), once)
}
