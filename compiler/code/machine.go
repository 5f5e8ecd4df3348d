package code

import (
	"errors"
	"fmt"
	"sync"

	"github.com/udl-lang/udl/compiler/code/kernels"
	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/ir"
)

// machine is a program as generated code, with what the reference does in between.
type machine struct {
	steps   []unit
	kernels []kernel
	packs   []pack
	mem     int // numbers of scratch memory
	prep    int // numbers of BankPrep
	width   int
	near    bool
	bytes   int
}

// unit is one call of generated code, or a kernel.
type unit struct {
	code   *native.Code
	open   int
	bases  []uint8 // banks and results that it touches
	kernel int     // where there is no code
}

// lazyMachine is made when it is first wanted, so that a model that is only looked at costs nothing.
type lazyMachine struct {
	once sync.Once
	m    *machine
	why  string // there is none
}

// Options say how programs are run.
type Options struct {
	// Portable leaves out generated code.
	Portable bool
	// Plain leaves out the assembly kernels for arrays too: with both, a program says what the interpreter says to the bit.
	Plain bool
}

// CompileWith is Compile with a choice of back end. Generated code, where it can be had, is the default.
func CompileWith(g *ir.Graph, o Options) (*Program, error) {
	p, err := Compile(g)
	if err != nil {
		return nil, err
	}
	if !o.Plain {
		p.accelerate(kernels.Host())
	}
	if !o.Portable {
		p.native = new(lazyMachine)
	}
	return p, nil
}

// machine is the program's generated code, nil where there is none.
func (p *Program) machine() *machine {
	if p.native == nil {
		return nil
	}
	p.native.once.Do(func() {
		m, err := generate(p.g, p.prepared)
		if err != nil {
			p.native.why = err.Error()
			return
		}
		p.native.m = m
	})
	return p.native.m
}

// Backend says what runs the program, and why it is not generated code where it is not.
func (p *Program) Backend() (name, why string) {
	switch {
	case p.native == nil:
		return p.portable(), "generated code was not wanted"
	case p.machine() == nil:
		return p.portable(), p.native.why
	case p.native.m.width == 8:
		name = "native (AVX-512)"
	default:
		name = "native (AVX2)"
	}
	if len(p.native.m.kernels) > 0 {
		name += ", in part"
	}
	return name, ""
}

// portable names the back end where nothing is generated.
func (p *Program) portable() string {
	switch {
	case p.fast == (kernels.Set{}):
		return "portable"
	case p.fast.Portable():
		return "portable (" + p.fast.String() + ")"
	}
	return "portable with " + p.fast.String() + " kernels"
}

// generate makes machine code of a graph.
func generate(g *ir.Graph, prepared int) (*machine, error) {
	cpu := native.Host()
	if cpu.Widest() == 0 {
		return nil, fmt.Errorf("%w: %s", native.ErrCPU, cpu.Why)
	}
	return generateFor(g, prepared, cpu.Widest())
}

// generateFor is generate with at most so many lanes.
func generateFor(g *ir.Graph, prepared, wide int) (*machine, error) {
	m, err := generateWith(g, prepared, wide, false)
	if errors.Is(err, native.ErrBases) {
		m, err = generateWith(g, prepared, wide, true)
	}
	return m, err
}

// maxScalars is how many instructions may be written out one by one. More would not stay in the caches, and would take longer to make than
// many a solve.
const maxScalars = 30_000

func generateWith(g *ir.Graph, prepared, wide int, near bool) (*machine, error) {
	a := newAssembler(g, prepared, wide, near)
	if n := a.scalarInstructions(); n > maxScalars {
		return nil, fmt.Errorf("%w: some %d instructions, more than the %d that are worth it", native.ErrTooLarge, n, maxScalars)
	}
	if err := a.run(); err != nil {
		return nil, err
	}
	m := &machine{kernels: a.kernels, packs: a.packs, mem: int(a.mem) + 16, prep: roundUp(int(a.prep), 8) + 8, width: a.wide, near: near}
	some := false
	for _, s := range a.steps {
		u := unit{kernel: s.kernel, open: s.open}
		if len(s.segments) > 0 {
			c, err := native.Compile(native.Options{}, s.segments...)
			if err != nil {
				return nil, err
			}
			some = true
			m.bytes += c.Size
			u.code = c
			for b := range numBases {
				if b == int(spaceMem) || b >= int(spaceStore) || b == int(ir.BankPrep) || !c.Touches(b) {
					continue
				}
				u.bases = append(u.bases, uint8(b))
			}
		}
		m.steps = append(m.steps, u)
	}
	if !some {
		return nil, fmt.Errorf("nothing in it gains by generated code")
	}
	return m, nil
}

// bind makes an Exec that runs generated code.
func (m *machine) bind(e *Exec) {
	e.m = m
	e.mem, e.fixed = native.Aligned[float64](m.mem), native.Aligned[float64](m.prep)
	e.sp[spaceMem] = e.mem
	for _, u := range m.steps {
		var f *native.Frame
		if u.code != nil {
			f = u.code.NewFrame()
			f.Bind(int(spaceMem), e.mem)
			f.Bind(int(spaceStore), e.mem)
			f.Bind(int(spaceGrid), e.mem)
			f.Bind(int(spaceGridStore), e.mem)
			f.Bind(int(ir.BankPrep), e.fixed)
		}
		e.frames = append(e.frames, f)
	}
}

// single is the frame of a program that is one call of generated code reading nothing but t, x, θ and what was prepared, and
// writing one result; nil otherwise.
func (m *machine) single(e *Exec) *native.Frame {
	if len(m.steps) != 1 || m.steps[0].code == nil || m.steps[0].open > 0 {
		return nil
	}
	for _, b := range m.steps[0].bases {
		switch b {
		case uint8(ir.BankT), uint8(ir.BankX), uint8(ir.BankTheta), spaceOut:
		default:
			return nil
		}
	}
	return e.frames[0]
}

// lay lays out anew what lanes read of θ and of constants.
func (m *machine) lay(e *Exec, in *Banks) {
	for i := range m.packs {
		p := &m.packs[i]
		src := p.data
		if src == nil {
			bank := in[p.src.space]
			if ir.Bank(p.src.space) == ir.BankPrep {
				bank = e.fixed
			}
			src = bank[p.src.off:]
		}
		for k := range p.k {
			row := e.fixed[int(p.at)+k*int(p.stride):][:p.n]
			if p.across {
				copy(row, src[k*p.n:(k+1)*p.n])
				continue
			}
			for u := range row {
				row[u] = src[u*p.k+k]
			}
		}
	}
}

// run is RunPrepared by generated code.
func (m *machine) run(e *Exec, in *Banks, out [][]float64, changed Changed) {
	if len(m.kernels) > 0 {
		copy(e.sp[:], in[:])
		copy(e.sp[spaceOut:], out)
	}
	for i := range m.steps {
		u := &m.steps[i]
		if u.code == nil {
			e.kernel(&m.kernels[u.kernel])
			continue
		}
		f := e.frames[i]
		for _, b := range u.bases {
			if changed>>b&1 == 0 {
				continue
			}
			if b < uint8(ir.NumBanks) {
				f.Point(int(b), in[b])
			} else {
				f.Point(int(b), out[b-spaceOut])
			}
		}
		if err := f.Run(u.open); err != nil {
			panic("code: " + err.Error()) // a slice shorter than the graph says, as an index out of range is in the reference
		}
	}
}

// Widths are the numbers of lanes that generated code may have here, none where there is no such code.
func Widths() []int { return native.Host().Widths() }
