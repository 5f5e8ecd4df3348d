package code

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/system"
)

// Tangent directions as lanes: what does not depend on the direction is computed once, the derivative for a register's width of directions
// at a time.

// The bases of a block of directions.
const (
	dirTime = iota
	dirX
	dirTheta
	dirPrep
	dirDX // element j of direction q at j·stride + q
	dirDTheta
	dirDZ
	dirBases
)

// maxDirectionCost bounds the derivative's code, in instructions.
const maxDirectionCost = 5000

// WholeDirections compiles the derivatives along the unit vectors wrt of θ. jvp is the program of the directional derivative of a function of nx states with
// nz results. The error says why there is none.
func WholeDirections(jvp *Program, nx, nth, nz int, wrt []int) (*DirectionProgram, error) {
	host := native.Host()
	cost, ok := Cost(jvp.g)
	switch {
	case jvp.native == nil || host.Widest() < 4:
		return nil, native.ErrCPU
	case !ok:
		return nil, fmt.Errorf("a function without generated code")
	case cost > maxDirectionCost || len(wrt) < 2:
		return nil, fmt.Errorf("not worth it")
	}
	w := host.Widest()
	if len(wrt) <= 4 {
		w = 4
	}
	d := &DirectionProgram{p: jvp, nx: nx, nth: nth, nz: nz, n: len(wrt), stride: roundUp(len(wrt), w), groups: roundUp(len(wrt), w) / w}
	b := newBlocks(make([]block.Layout, dirBases)...)
	out, err := inline(b, jvp.g, 1, func(bank ir.Bank, off int) block.Value {
		switch bank {
		case ir.BankT:
			return b.LoadBroadcast(dirTime, 0)
		case ir.BankX:
			return b.LoadBroadcast(dirX, off)
		case ir.BankTheta:
			return b.LoadBroadcast(dirTheta, off)
		case ir.BankPrep:
			return b.LoadBroadcast(dirPrep, off)
		case ir.BankDX:
			return b.Load(dirDX, off*d.stride)
		case ir.BankDTheta:
			sum := b.Const(0)
			for k, i := range wrt { // an entry may be asked for more than once
				if i == off {
					if v := b.Load(dirDTheta, k*d.stride); sum == b.Const(0) {
						sum = v
					} else {
						sum = b.Add(sum, v)
					}
				}
			}
			return sum
		}
		return b.Const(0)
	})
	if err != nil {
		return nil, err
	}
	for j, v := range out[0] {
		if v != absent {
			b.Store(dirDZ, j*d.stride, v)
		}
	}
	blk, err := b.Done()
	if err != nil {
		return nil, err
	}
	if d.code, err = native.Compile(native.Options{}, native.Segment{Block: blk, Width: w}); err != nil {
		return nil, err
	}
	return d, nil
}

// DirectionProgram is compiled directions. It is immutable and may be shared by goroutines.
type DirectionProgram struct {
	p                      *Program
	code                   *native.Code
	nx, nth, nz, n, stride int
	groups                 int // of lanes; the program is open, so that many directions are more than one call
}

// Directions is a DirectionProgram with memory of its own; it serves one goroutine.
type Directions struct {
	*DirectionProgram
	held
	frame  *native.Frame
	t      [1]float64
	dx, dz []float64
}

var _ system.Directions = (*Directions)(nil)

// New makes Directions.
func (p *DirectionProgram) New() *Directions {
	d := &Directions{DirectionProgram: p, held: hold(p.p, p.nth), frame: p.code.NewFrame(), dx: native.Aligned[float64](max(1, p.nx) * p.stride), dz: native.Aligned[float64](p.nz * p.stride)}
	units := native.Aligned[float64](p.n * p.stride)
	for q := range p.n {
		units[q*p.stride+q] = 1
	}
	for base, x := range map[int][]float64{dirTime: d.t[:], dirTheta: d.th, dirPrep: d.in[ir.BankPrep], dirDX: d.dx, dirDTheta: units, dirDZ: d.dz} {
		d.frame.Bind(base, x)
	}
	return d
}

// Prepare implements system.Directions.
func (d *Directions) Prepare(th []float64) { d.fix(th) }

// Eval implements system.Directions.
func (d *Directions) Eval(dz []float64, t float64, x, s []float64) {
	for q := range d.n {
		for j, v := range s[q*d.nx : (q+1)*d.nx] {
			d.dx[j*d.stride+q] = v
		}
	}
	d.t[0] = t
	d.frame.Point(dirX, x)
	if err := d.frame.Run(d.groups); err != nil {
		panic("code: " + err.Error())
	}
	for q := range d.n {
		row := dz[q*d.nz : (q+1)*d.nz]
		for j := range row {
			row[j] = d.dz[j*d.stride+q]
		}
	}
}
