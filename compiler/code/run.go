package code

import (
	"math"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/ir/libm"
)

// opcode is an operation of the scalar machine.
type opcode uint16

const (
	codeKernel opcode = iota
	codeAdd
	codeSub
	codeMul
	codeDiv
	codeNeg
	codeMulAdd // a·b + c, the product rounded first, as in all that follow
	codeMulSub // a·b − c
	codeSubMul // c − a·b
	codeMulMul // a·b·c
	codeSelect
	codeTanh
	codeExp
	codeLog
	codeSin
	codeCos
	codeSqrt
	codeSigmoid
	codeTable // an operation without a code of its own: codeTable + ir.Op, by the table's Eval
)

// codes lists the operations that have an opcode of their own.
var codes = map[ir.Op]opcode{
	ir.OpAdd: codeAdd, ir.OpSub: codeSub, ir.OpMul: codeMul, ir.OpDiv: codeDiv, ir.OpNeg: codeNeg, ir.OpSelect: codeSelect,
	ir.OpTanh: codeTanh, ir.OpExp: codeExp, ir.OpLog: codeLog, ir.OpSin: codeSin, ir.OpCos: codeCos, ir.OpSqrt: codeSqrt, ir.OpSigmoid: codeSigmoid,
}

// Exec runs a program on scratch memory of its own; it serves one goroutine.
type Exec struct {
	p      *Program
	mem    []float64
	sp     [numSpaces][]float64
	prep   *Exec
	out    [1][]float64
	fixed  []float64       // what prep computed, and what it was laid out anew as
	m      *machine        // generated code, nil for none
	frames []*native.Frame // by the steps of m
}

// Prepare computes what depends on θ alone. It must come before RunPrepared, whenever θ changes.
func (e *Exec) Prepare(in *Banks) {
	if e.prep != nil {
		e.out[0] = e.fixed
		e.prep.Run(in, e.out[:])
	}
	in[ir.BankPrep] = e.fixed
	if e.m != nil {
		e.m.lay(e, in)
		return
	}
	e.load(e.p.fixed, in)
}

// Small is a shorter way to RunPrepared for programs that read t, x and θ and give one result.
type Small struct{ f *native.Frame }

// Small fixes the slices of t and θ. ok is false where there is no shorter way.
func (e *Exec) Small(t, th []float64) (s Small, ok bool) {
	if e.m == nil {
		return s, false
	}
	if s.f = e.m.single(e); s.f == nil {
		return s, false
	}
	s.f.Bind(int(ir.BankT), t)
	s.f.Bind(int(ir.BankTheta), th)
	return s, true
}

// Run evaluates the program; it is false, and nothing has been done, when a slice is too short.
func (s Small) Run(x, z []float64) bool { return s.f.Between(int(ir.BankX), x, int(spaceOut), z) }

// Run is Prepare and RunPrepared.
func (e *Exec) Run(in *Banks, out [][]float64) {
	e.Prepare(in)
	e.RunPrepared(in, out)
}

// RunPrepared evaluates the program, for the θ of the last Prepare: it reads in, and writes or adds to out[Vec] for every output of the
// graph. The slices must reach as far as the graph's inputs and outputs say, and no vector of out may
// overlap another or a bank. It allocates nothing, except what registered Go functions do.
//
// The bank BankPrep of in belongs to the Exec.
func (e *Exec) RunPrepared(in *Banks, out [][]float64) { e.RunChanged(in, out, All) }

// Changed is a set of banks and results.
type Changed uint32

// All is everything.
const All = ^Changed(0)

// Bank is the set of one bank, Result that of one result vector.
func Bank(b ir.Bank) Changed { return 1 << b }

// Result is the set of one result vector.
func Result(v int) Changed { return 1 << (int(spaceOut) + v) }

// RunChanged is RunPrepared where only the slices of changed are others than in the last run, by either.
func (e *Exec) RunChanged(in *Banks, out [][]float64, changed Changed) {
	p, m := e.p, e.mem
	in[ir.BankPrep] = e.fixed
	if e.m != nil {
		e.m.run(e, in, out, changed)
		return
	}
	if len(p.kernels) > 0 {
		copy(e.sp[:], in[:])
		copy(e.sp[spaceOut:], out)
	}
	e.load(p.loads, in)
	code := p.code
	for i := range code {
		c := &code[i]
		switch c.code {
		case codeKernel:
			e.kernel(&p.kernels[c.a])
		case codeAdd:
			m[c.d] = m[c.a] + m[c.b]
		case codeSub:
			m[c.d] = m[c.a] - m[c.b]
		case codeMul:
			m[c.d] = m[c.a] * m[c.b]
		case codeDiv:
			m[c.d] = m[c.a] / m[c.b]
		case codeNeg:
			m[c.d] = -m[c.a]
		case codeMulAdd:
			m[c.d] = float64(m[c.a]*m[c.b]) + m[c.c]
		case codeMulSub:
			m[c.d] = float64(m[c.a]*m[c.b]) - m[c.c]
		case codeSubMul:
			m[c.d] = m[c.c] - float64(m[c.a]*m[c.b])
		case codeMulMul:
			m[c.d] = m[c.a] * m[c.b] * m[c.c]
		case codeSelect:
			if m[c.a] != 0 {
				m[c.d] = m[c.b]
			} else {
				m[c.d] = m[c.c]
			}
		case codeTanh:
			m[c.d] = libm.Tanh(m[c.a])
		case codeExp:
			m[c.d] = libm.Exp(m[c.a])
		case codeLog:
			m[c.d] = libm.Log(m[c.a])
		case codeSin:
			m[c.d] = libm.Sin(m[c.a])
		case codeCos:
			m[c.d] = libm.Cos(m[c.a])
		case codeSqrt:
			m[c.d] = math.Sqrt(m[c.a])
		case codeSigmoid:
			m[c.d] = libm.Sigmoid(m[c.a])
		default:
			m[c.d] = ir.Op(c.code-codeTable).Info().Eval(m[c.a], m[c.b], m[c.c])
		}
	}
	for i := range p.stores {
		s := &p.stores[i]
		if s.n == 1 && !s.add && s.src.space == spaceMem {
			out[s.vec][s.off] = m[s.src.off]
			continue
		}
		e.store(s, in, out)
	}
}

// load copies numbers of banks into the scratch memory.
func (e *Exec) load(list []load, in *Banks) {
	m := e.mem
	for i := range list {
		l := &list[i]
		if l.n == 1 {
			m[l.d] = in[l.bank][l.off]
			continue
		}
		d, s := m[l.d:l.d+l.n], in[l.bank][l.off:]
		for k := range d {
			d[k] = s[k]
		}
	}
}

func (e *Exec) store(s *store, in *Banks, out [][]float64) {
	d := out[s.vec][s.off : s.off+s.n]
	if s.kernel >= 0 {
		k := &e.p.kernels[s.kernel]
		e.p.fast.OuterAdd(d, e.at(k.a, k.m), e.at(k.b, k.n))
		return
	}
	src := e.sp[s.src.space]
	if s.src.space < spaceMem {
		src = in[s.src.space]
	}
	src = src[s.src.off : s.src.off+s.n]
	if !s.add {
		copy(d, src)
		return
	}
	for i, v := range src {
		d[i] += v
	}
}
