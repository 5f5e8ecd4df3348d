package code

import (
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// Interpreted runs what generated code would be made of by the blocks' interpreter: the same segments, packs and kernels. ok is false
// where there would be no generated code.
func Interpreted(p *Program, in *Banks, out [][]float64, wide int) (ok bool, err error) {
	if p.machine() == nil {
		return false, nil
	}
	a := newAssembler(p.g, p.prepared, wide, p.machine().near)
	if err := a.run(); err != nil {
		return false, nil
	}
	m := &machine{kernels: a.kernels, packs: a.packs, mem: int(a.mem) + 16, prep: roundUp(int(a.prep), 8) + 8}
	e := &Exec{p: p, mem: make([]float64, m.mem), fixed: make([]float64, m.prep), m: m}
	e.sp[spaceMem] = e.mem
	if p.prep != nil {
		e.prep = p.prep.New()
	}
	e.Prepare(in)
	copy(e.sp[:], in[:])
	copy(e.sp[spaceOut:], out)
	bases := make([][]float64, numBases)
	copy(bases, in[:])
	copy(bases[spaceOut:], out)
	for _, b := range []uint8{spaceMem, spaceStore, spaceGrid, spaceGridStore} {
		bases[b] = e.mem
	}
	for _, s := range a.steps {
		if s.kernel >= 0 {
			e.kernel(&m.kernels[s.kernel])
			continue
		}
		for _, seg := range s.segments {
			it, err := block.NewInterp(seg.Block, seg.Width)
			if err != nil {
				return true, err
			}
			groups := seg.Groups
			if s.open > 0 {
				groups = s.open
			}
			gap := seg.Gap
			if seg.Rows <= 1 {
				gap = nil
			}
			if err := it.RunRows(bases, groups, seg.Rows, gap); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// NativeProgram is the program with generated code of at most so many lanes.
func NativeProgram(g *ir.Graph, wide int) (*Program, error) {
	p, err := Compile(g)
	if err != nil {
		return nil, err
	}
	p.native = new(lazyMachine)
	p.native.once.Do(func() {
		m, err := generateFor(p.g, p.prepared, wide)
		if err != nil {
			p.native.why = err.Error()
			return
		}
		p.native.m = m
	})
	return p, nil
}
