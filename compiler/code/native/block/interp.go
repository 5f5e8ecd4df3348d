package block

import (
	"errors"
	"fmt"
	"math"
)

// MaxLanes is the largest number of lanes that Interp takes at once.
const MaxLanes = 64

// ErrShort tells of a base with fewer elements than the block touches.
var ErrShort = errors.New("a base has too few elements")

// step is an instruction with its operands' places in the interpreter's memory.
type step struct {
	Instr
	d, a, b, c int32
	cold       []step
	table      []float64
}

// Interp runs a block, lane by lane in plain Go, and is what the block means. It belongs to one goroutine.
type Interp struct {
	b         *Block
	w         int
	fixed     []step // constants
	shared    []step // broadcast loads
	pre       []step
	body      []step
	mem       []float64
	extent    [MaxBases][2]int // elements wanted of a base by lanes: at the first group, and more with each one
	broadcast [MaxBases]int    // and for all lanes
	moved     [MaxBases]int    // of the row at hand: how far on its lanes lie
}

// NewInterp prepares a run with w lanes to a group, 1 ≤ w ≤ MaxLanes. The result does not depend on w, where the layout does not.
func NewInterp(b *Block, w int) (*Interp, error) {
	if w < 1 || w > MaxLanes {
		return nil, fmt.Errorf("block: %d lanes, not 1 to %d", w, MaxLanes)
	}
	it := &Interp{b: b, w: w}
	for base := range b.Bases {
		shared, first := b.Extents(base, w, 1)
		_, second := b.Extents(base, w, 2)
		it.broadcast[base], it.extent[base] = shared, [2]int{first, second - first}
	}
	newPlacer(b, it).all()
	return it, nil
}

// placer gives each value a place in the memory; places of values that are no longer wanted are used again.
type placer struct {
	b     *Block
	it    *Interp
	place []int32
	last  []int32 // position of the last use
	free  []int32
	n     int32
	pos   int32
	loads [MaxBases][]Value
}

func newPlacer(b *Block, it *Interp) *placer {
	p := &placer{b: b, it: it, place: make([]int32, len(b.Instrs)), last: make([]int32, len(b.Instrs))}
	for i := range p.place {
		p.place[i] = -1
		if in := &b.Instrs[i]; in.Op == OpLoad {
			p.loads[in.Base] = append(p.loads[in.Base], Value(i))
		}
	}
	return p
}

func (p *placer) all() {
	plan := NewPlan(p.b, true)
	const forever = math.MaxInt32
	for i := range p.b.Instrs {
		if plan.Invariant[i] {
			p.last[i] = forever
		}
	}
	pos := int32(0)
	var mark func(list []Value, at int32)
	mark = func(list []Value, at int32) {
		for _, v := range list {
			if at < 0 {
				pos++
			}
			for _, a := range p.b.Instrs[v].Args() {
				p.last[a] = max(p.last[a], pos)
			}
			mark(plan.Cold[v], pos) // a region's operands are wanted until its end
		}
	}
	mark(plan.Pre, -1)
	mark(plan.Body, -1)
	for _, v := range plan.Pre {
		p.it.pre = p.emit(p.it.pre, v, plan, false)
	}
	for _, v := range plan.Body {
		p.it.body = p.emit(p.it.body, v, plan, false)
	}
	p.it.mem = make([]float64, int(p.n)*p.it.w)
	for i := range p.it.fixed {
		s := &p.it.fixed[i]
		fill(p.it.at(s.d), math.Float64frombits(s.Bits))
	}
}

func fill(d []float64, x float64) {
	for i := range d {
		d[i] = x
	}
}

func (p *placer) take() int32 {
	if k := len(p.free); k > 0 {
		v := p.free[k-1]
		p.free = p.free[:k-1]
		return v
	}
	p.n++
	return p.n - 1
}

// emit appends the instruction, and before it the loads that it is the first to want.
func (p *placer) emit(out []step, v Value, plan *Plan, cold bool) []step {
	if !cold {
		p.pos++
	}
	in := p.b.Instrs[v]
	for _, a := range in.Args() {
		out = p.leaf(out, a, plan)
	}
	if in.Op == OpStore {
		for _, l := range p.loads[in.Base] {
			if p.last[l] > p.pos && p.b.Overlaps(v, l, p.it.w) {
				out = p.leaf(out, l, plan)
			}
		}
	}
	s := step{Instr: in, d: -1}
	if in.Op == OpTable {
		s.table = p.b.Tables[in.Index]
	}
	region := plan.Cold[v]
	for _, r := range region {
		for _, a := range p.b.Instrs[r].Args() {
			if p.b.Instrs[a].region == 0 {
				out = p.leaf(out, a, plan) // outside, so that later uses find it
			}
		}
	}
	for _, r := range region {
		s.cold = p.emit(s.cold, r, plan, true)
	}
	ops := [3]*int32{&s.a, &s.b, &s.c}
	for i, a := range in.Args() {
		*ops[i] = p.place[a]
	}
	if table[in.Op].Result != Nothing {
		s.d = p.take() // never an operand's place, so that a step need not care in which order it reads and writes
		p.place[v] = s.d
	}
	if !cold {
		p.release(in.Args())
		for _, r := range region {
			p.release(p.b.Instrs[r].Args())
		}
		if s.d >= 0 && p.last[v] == 0 {
			p.free = append(p.free, s.d)
		}
	}
	return append(out, s)
}

func (p *placer) release(args []Value) {
	for _, a := range args {
		if p.last[a] == p.pos {
			p.last[a] = -1
			p.free = append(p.free, p.place[a])
		}
	}
}

func (p *placer) leaf(out []step, a Value, plan *Plan) []step {
	in := p.b.Instrs[a]
	if p.place[a] >= 0 || in.Op != OpConst && in.Op != OpLoad {
		return out
	}
	if plan.Invariant[a] { // filled before the groups, so at a place that nothing has used
		p.place[a] = p.n
		p.n++
	} else {
		p.place[a] = p.take()
	}
	s := step{Instr: in, d: p.place[a]}
	switch {
	case in.Op == OpConst:
		p.it.fixed = append(p.it.fixed, s)
	case plan.Invariant[a]:
		p.it.shared = append(p.it.shared, s)
	default:
		return append(out, s)
	}
	return out
}

func (it *Interp) at(k int32) []float64 { return it.mem[int(k)*it.w:][:it.w:it.w] }

// RunRows is Run for each of some rows; after a row the lanes of base b move gap[b] elements more than the groups did.
func (it *Interp) RunRows(bases [][]float64, groups, rows int, gap []int) error {
	defer func() { it.moved = [MaxBases]int{} }()
	for range max(1, rows) {
		if err := it.Run(bases, groups); err != nil {
			return err
		}
		for b := range gap {
			it.moved[b] += groups*it.w + gap[b]
		}
	}
	return nil
}

// Run computes so many groups of lanes over the bases. The error is ErrShort, and then nothing has been computed.
func (it *Interp) Run(bases [][]float64, groups int) error {
	if groups <= 0 {
		return nil
	}
	for i := range it.b.Bases {
		first, more := it.extent[i][0], it.extent[i][1]
		have := 0
		if i < len(bases) {
			have = len(bases[i])
		}
		if have < it.broadcast[i] {
			return ErrShort
		}
		have -= it.moved[i]
		if first > 0 && have < first || more > 0 && (have-first)/more < groups-1 {
			return ErrShort
		}
	}
	it.run(it.shared, bases, 0)
	it.run(it.pre, bases, 0)
	for g := range groups {
		it.run(it.body, bases, g)
	}
	return nil
}

// lanes is the part of a base that holds the lanes of an element.
func (it *Interp) lanes(s *step, bases [][]float64, g int) []float64 {
	at := int(s.Index) + g*it.w + it.moved[s.Base]
	if r := it.b.Bases[s.Base].Rows; r > 0 {
		at = (g*r + int(s.Index)) * it.w
	}
	return bases[s.Base][at:][:it.w]
}

func (it *Interp) run(list []step, bases [][]float64, g int) {
	for i := range list {
		s := &list[i]
		switch s.Op {
		case OpLoad:
			if s.Broadcast {
				fill(it.at(s.d), bases[s.Base][s.Index])
			} else {
				copy(it.at(s.d), it.lanes(s, bases, g))
			}
		case OpStore:
			copy(it.lanes(s, bases, g), it.at(s.a))
		case OpTable:
			d, a := it.at(s.d), it.at(s.a)
			for i, x := range a {
				d[i] = s.table[math.Float64bits(x)&uint64(len(s.table)-1)]
			}
		case OpCold:
			m, d := it.at(s.a), it.at(s.d)
			any := false
			for _, x := range m {
				any = any || set(x)
			}
			if !any {
				copy(d, it.at(s.c))
				continue
			}
			it.run(s.cold, bases, g)
			apply(&s.Instr, d, m, it.at(s.b), it.at(s.c))
		default:
			apply(&s.Instr, it.at(s.d), it.at(s.a), it.at(s.b), it.at(s.c))
		}
	}
}
