package native

import (
	"errors"
	"fmt"
	"slices"

	"github.com/udl-lang/udl/compiler/code/native/asm"
	"github.com/udl-lang/udl/compiler/code/native/block"
)

// The general registers. RSP, RBP, R14 and R15 belong to Go and are never touched.
const (
	contextReg = asm.RDI
	poolReg    = asm.R9
	spillReg   = asm.R8
	countReg   = asm.RCX
	rowReg     = asm.R13 // counts rows, where there are any
	scratchReg = asm.RAX // also counts as the second scratch of the prologue, with countReg
)

// addressRegs hold the bases.
var addressRegs = [...]asm.Reg{asm.RBX, asm.RSI, asm.RDX, asm.R10, asm.R11, asm.R12, asm.R13}

// itemKind is what stands at a position of the order.
type itemKind uint8

const (
	compute itemKind = iota
	coldBegin
	coldEnd
)

type item struct {
	kind itemKind
	v    block.Value
}

// segment is the translation of one block at one width.
type segment struct {
	*asm.Assembler
	b    *block.Block
	w    int
	aw   asm.Width
	pool *pool

	items []item
	loop  int // position where the loop's body begins, -1 without a loop
	uses  []int32
	start []int32 // of each value's uses
	pos   int32

	loc         []whereabouts
	vecs, masks bank
	loads       [block.MaxBases][]block.Value

	freeSlots []int32
	slots     int32 // bytes of the spill area
	spills    int

	address [len(addressRegs)]int8 // base that each register holds, -1 for none
	victim  int
	moving  [block.MaxBases]int8 // in the loop, the register that moves along with a base; -1 for none

	invariant []bool
	saved     snapshot
	err       error
}

func (s *segment) fail(text string) {
	if s.err == nil {
		s.err = errors.New("native: " + text)
	}
}

// translate appends the code of a segment.
func translate(a *asm.Assembler, p *pool, seg *Segment) (*segment, error) {
	b, w, groups := seg.Block, seg.Width, seg.Groups
	s := &segment{Assembler: a, b: b, w: w, aw: asm.Width(w), pool: p, loop: -1}
	s.vecs.count = 16
	if w == 8 {
		s.vecs.count = 32
		s.masks.first, s.masks.count = 1, 8 // k0 means "no mask" where masks are used
	}
	s.vecs.reset()
	s.masks.reset()
	s.order(groups != 1 || seg.Rows > 1)
	s.forget()
	for i := range s.items {
		if i == s.loop {
			break
		}
		s.item(i)
	}
	if s.loop >= 0 {
		s.body(seg)
	}
	if s.err == nil {
		s.err = a.Err
	}
	return s, s.err
}

// order lists the instructions and where each value is used.
func (s *segment) order(looped bool) {
	plan := block.NewPlan(s.b, looped)
	s.invariant = plan.Invariant
	for _, v := range plan.Pre {
		s.items = append(s.items, item{compute, v})
	}
	if looped {
		s.loop = len(s.items)
	}
	for _, v := range plan.Body {
		if s.b.Instrs[v].Op != block.OpCold {
			s.items = append(s.items, item{compute, v})
			continue
		}
		s.items = append(s.items, item{coldBegin, v})
		for _, r := range plan.Cold[v] {
			s.items = append(s.items, item{compute, r})
		}
		s.items = append(s.items, item{coldEnd, v})
	}
	n := len(s.b.Instrs)
	s.start = make([]int32, n+1)
	s.each(func(_ int, v block.Value) { s.start[v+1]++ })
	for i := range n {
		s.start[i+1] += s.start[i]
	}
	s.uses = make([]int32, s.start[n])
	at := slices.Clone(s.start)
	s.each(func(i int, v block.Value) {
		s.uses[at[v]] = int32(i)
		at[v]++
	})
	s.loc = make([]whereabouts, n)
	for i := range s.loc {
		l, in := &s.loc[i], &s.b.Instrs[i]
		l.reg, l.next = -1, s.start[i]
		if s.start[i] == s.start[i+1] {
			continue
		}
		switch in.Op {
		case block.OpConst:
			l.home, l.addr = inPool, s.pool.constant(in.Bits, s.w)
		case block.OpLoad:
			l.home = inInput
			s.loads[in.Base] = append(s.loads[in.Base], block.Value(i))
		}
	}
}

// each calls f with every use of a value, in order.
func (s *segment) each(f func(at int, v block.Value)) {
	for i, it := range s.items {
		in := &s.b.Instrs[it.v]
		switch it.kind {
		case coldBegin:
			f(i, in.A)
			f(i, in.C)
		default:
			for _, a := range in.Args() {
				f(i, a)
			}
		}
	}
}

// forget marks all address registers as holding nothing.
func (s *segment) forget() {
	for i := range s.address {
		s.address[i] = -1
	}
	for i := range s.moving {
		s.moving[i] = -1
	}
}

// item emits what stands at a position.
func (s *segment) item(i int) {
	s.pos = int32(i)
	s.vecs.pinned, s.masks.pinned = 0, 0
	it := s.items[i]
	in := &s.b.Instrs[it.v]
	for _, a := range in.Args() {
		if r := s.loc[a].reg; r >= 0 { // so that bringing in one operand does not give up another
			s.bankOf(a).pinned |= 1 << r
		}
	}
	switch it.kind {
	case coldBegin:
		s.begin(it.v, in)
	case coldEnd:
		s.end(it.v, in)
	default:
		s.emit(it.v, in)
	}
	for _, a := range in.Args() {
		if it.kind != coldBegin || a != in.B {
			s.release(a)
		}
	}
}

// base gives the register that holds a base's address.
func (s *segment) base(b uint8) asm.Reg {
	if r := s.moving[b]; r >= 0 {
		return addressRegs[r]
	}
	for i, held := range s.address {
		if held == int8(b) {
			return addressRegs[i]
		}
	}
	k := s.victim
	s.victim = (s.victim + 1) % len(addressRegs)
	s.address[k] = int8(b)
	s.LoadGP(addressRegs[k], contextReg, baseOffset(int(b)))
	return addressRegs[k]
}

// input is the address of an element of a base, for the group at hand.
func (s *segment) input(in *block.Instr) asm.RM {
	at := in.Index * 8
	if s.b.Bases[in.Base].Rows > 0 && !in.Broadcast {
		at *= int32(s.w)
	}
	return asm.M(s.base(in.Base), at)
}

// broadcast is the address of a number for all lanes, as operand of an AVX-512 instruction.
func (s *segment) broadcast(in *block.Instr) asm.RM {
	return asm.MBroadcast(s.base(in.Base), in.Index*8)
}

// body emits the loop over the groups.
func (s *segment) body(seg *Segment) {
	registers := len(addressRegs)
	if seg.Rows > 1 {
		registers--
	}
	s.settle()
	s.forget()
	// Each base that is read or written by lanes gets a register that moves on with the groups.
	s.LoadGP(scratchReg, contextReg, firstOffset)
	var steps, gaps []int32
	var regs []asm.Reg
	for b := range s.b.Bases {
		if _, lanes := s.b.Uses(b); !lanes {
			continue
		}
		k := len(regs)
		if k == registers {
			s.err = fmt.Errorf("%w, more than %d", ErrBases, registers)
			return
		}
		step := int32(s.w * 8 * max(1, s.b.Bases[b].Rows))
		s.LoadGP(addressRegs[k], contextReg, baseOffset(b))
		s.MulImm(countReg, scratchReg, step)
		s.AddGP(addressRegs[k], countReg)
		s.moving[b] = int8(k)
		regs, steps, gaps = append(regs, addressRegs[k]), append(steps, step), append(gaps, int32(8*seg.gap(b)))
	}
	rows := 0
	if seg.Rows > 1 {
		s.MoveImm32(rowReg, uint32(seg.Rows))
		rows = len(s.Code)
	}
	if seg.Groups == 0 {
		s.LoadGP(countReg, contextReg, groupsOffset)
	} else {
		s.MoveImm32(countReg, uint32(seg.Groups))
	}
	s.AlignLoop(16)
	top := len(s.Code)
	for i := s.loop; i < len(s.items); i++ {
		s.item(i)
	}
	for i, r := range regs {
		s.AddImm(r, steps[i])
	}
	s.SubImm(countReg, 1)
	s.JumpNotZero(top)
	if seg.Rows > 1 {
		for i, r := range regs {
			if gaps[i] != 0 {
				s.AddImm(r, gaps[i])
			}
		}
		s.SubImm(rowReg, 1)
		s.JumpNotZero(rows)
	}
}

// settle decides where the loop finds what is the same in every round: as many of the most used as the loop's own values leave room for stay in
// registers, the others have or get a home in memory.
func (s *segment) settle() {
	s.pos = int32(s.loop) - 1
	s.vecs.pinned, s.masks.pinned = 0, 0
	var want []block.Value
	for i := range s.loc {
		v := block.Value(i)
		if s.invariant[v] && s.nextUse(v) != never {
			s.loc[v].keep = true
			want = append(want, v)
		}
	}
	for _, v := range want {
		// What is in a register now may not stay there; everything gets a home but what can be fetched anyway.
		l := &s.loc[v]
		if l.home == noHome || l.home == inInput {
			s.vecs.pinned, s.masks.pinned = 0, 0
			s.need(v)
			s.spill(v)
		}
	}
	for v := range s.loc {
		s.drop(block.Value(v))
	}
	s.vecs.pinned, s.masks.pinned = 0, 0
	slices.SortStableFunc(want, func(x, y block.Value) int { return s.remaining(y) - s.remaining(x) })
	vecs, masks := s.pressure()
	room := [2]int{max(0, s.vecs.count-vecs-2), max(0, s.masks.count-s.masks.first-masks-2)}
	if s.w == 8 {
		room[1] = min(room[1], 3)
	}
	room[0] = min(room[0], s.vecs.count-6) // what one instruction may hold at once
	for _, v := range want {
		k := s.bankOf(v)
		left := &room[0]
		if k == &s.masks {
			left = &room[1]
		}
		if *left == 0 || s.b.Instrs[v].Op == block.OpConst && s.b.Instrs[v].Bits == 0 {
			continue
		}
		*left--
		k.perm |= 1 << s.need(v)
	}
	s.vecs.pinned, s.masks.pinned = 0, 0
}

// remaining is the number of uses of a value from the current position on.
func (s *segment) remaining(v block.Value) int {
	s.nextUse(v)
	return int(s.start[v+1] - s.loc[v].next)
}

// pressure is the largest number of the loop's own values that are alive at a time, in each bank.
func (s *segment) pressure() (vecs, masks int) {
	type event struct{ vec, mask int }
	at := make([]event, len(s.items)+1)
	for i := s.loop; i < len(s.items); i++ {
		if s.items[i].kind == coldBegin {
			continue
		}
		v := s.items[i].v
		s.alive(v, i, func(from, to int) {
			if s.bankOf(v) == &s.masks {
				at[from].mask++
				at[to].mask--
			} else {
				at[from].vec++
				at[to].vec--
			}
		})
	}
	for i := range s.b.Instrs {
		if in := &s.b.Instrs[i]; in.Op == block.OpLoad && !s.invariant[i] && s.start[i+1]-s.start[i] > 1 {
			at[s.uses[s.start[i]]].vec++
			at[s.uses[s.start[i+1]-1]].vec--
		}
	}
	var now event
	for _, e := range at {
		now.vec += e.vec
		now.mask += e.mask
		vecs, masks = max(vecs, now.vec), max(masks, now.mask)
	}
	return vecs, masks
}

// alive calls f with the span from a value's definition to its last use.
func (s *segment) alive(v block.Value, def int, f func(from, to int)) {
	if n := s.start[v+1]; n > s.start[v] {
		f(def, int(s.uses[n-1]))
	}
}

// snapshot is the state of the registers where a cold region begins.
type snapshot struct {
	vecs, masks bank
	loc         []whereabouts // of the values in registers, first those of the vectors
	address     [len(addressRegs)]int8
	jump        int
	dst         asm.Reg
}

// begin opens a cold region. Whoever jumps over it finds the registers as they were, with the usual value in the result's. What the region
// pushes out of a register it saves itself, and brings back at its end, which costs nothing as long as nobody goes there.
func (s *segment) begin(v block.Value, in *block.Instr) {
	m, usual := s.need(in.A), s.need(in.C)
	dst := s.alloc(&s.vecs)
	s.Emit(asm.Inst{Op: asm.Move, W: max(2, s.aw), Dst: dst, B: asm.R(usual)})
	s.define(v, dst)
	s.vecs.perm |= 1 << dst
	if s.w == 8 {
		s.Emit(asm.Inst{Op: asm.KOrTest, W: 1, Dst: m, B: asm.R(m)})
	} else {
		s.Emit(asm.Inst{Op: asm.MoveMask, W: max(2, s.aw), Dst: scratchReg, B: asm.R(m)})
		s.TestImm(1<<s.w - 1)
	}
	s.saved = snapshot{vecs: s.vecs, masks: s.masks, address: s.address, dst: dst, jump: s.JumpZero()}
	s.saved.loc = s.saved.loc[:0]
	s.owners(func(u block.Value) {
		s.saved.loc = append(s.saved.loc, s.loc[u])
	})
}

// owners calls f with every value in a register that an instruction of the region could take.
func (s *segment) owners(f func(u block.Value)) {
	for _, k := range []*bank{&s.vecs, &s.masks} {
		for r := k.first; r < k.count; r++ {
			if u := k.owner[r]; u != nobody && k.perm>>r&1 == 0 {
				f(u)
			}
		}
	}
}

// end closes a cold region: the result is selected, and the registers are as they were at its beginning.
func (s *segment) end(v block.Value, in *block.Instr) {
	dst := s.saved.dst
	m, rare := s.need(in.A), s.need(in.B)
	s.blend(dst, m, asm.R(rare), s.need(in.C))
	now := [2]bank{s.vecs, s.masks}
	s.owners(func(u block.Value) { s.loc[u].reg = -1 })
	s.vecs.owner, s.masks.owner = s.saved.vecs.owner, s.saved.masks.owner
	i := 0
	s.owners(func(u block.Value) {
		if u == v {
			return
		}
		was := s.saved.loc[i]
		i++
		k, r := s.bankOf(u), was.reg
		slot := s.loc[u]
		if s.lastUse(u) && !slot.keep {
			// Its last use was in the region. Whoever jumped over it does not want it either.
			k.owner[r] = nobody
			if slot.home == inSlot {
				s.freeSlots = append(s.freeSlots, slot.addr)
			}
			s.loc[u].home = noHome
			return
		}
		before := now[0].owner[r]
		if k == &s.masks {
			before = now[1].owner[r]
		}
		if before != u {
			s.fetch(asm.Reg(r), u)
		}
		if was.home == noHome && slot.home == inSlot {
			s.freeSlots = append(s.freeSlots, slot.addr)
		}
		s.loc[u].home, s.loc[u].addr, s.loc[u].reg = was.home, was.addr, was.reg
	})
	for i := range s.address {
		if s.address[i] != s.saved.address[i] {
			s.address[i] = -1 // loaded only by those who came through the region
		}
	}
	s.vecs.perm &^= 1 << dst
	s.Land(s.saved.jump)
	if s.lastUse(v) {
		s.drop(v)
	}
}

// stored keeps loads that a store is about to overwrite. The stored value is in a register and stays there.
func (s *segment) stored(v block.Value, in *block.Instr) {
	held := s.vecs.pinned
	for _, l := range s.loads[in.Base] {
		if s.loc[l].home != inInput || !s.b.Overlaps(v, l, s.w) {
			continue
		}
		if s.nextUse(l) != never {
			s.vecs.pinned = held
			s.need(l)
		}
		s.loc[l].home = noHome
	}
}

// cost is a rough count of a segment's instructions, for one group.
func (s *segment) cost() int {
	n := 0
	for _, it := range s.items[max(0, s.loop):] {
		switch s.b.Instrs[it.v].Op {
		case block.OpDiv, block.OpSqrt:
			n += 8
		default:
			n++
		}
	}
	return n
}
