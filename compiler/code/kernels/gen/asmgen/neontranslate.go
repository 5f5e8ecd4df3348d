package asmgen

import (
	"errors"
	"fmt"
	"math"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// Translation of a block to arm64: the instructions in the order of the plan, registers by one pass that gives up the value whose next use is
// furthest (Belady, IBM Systems Journal 5, 1966), as package native does for amd64. Masks are vectors whose lanes are all ones or all noughts.

// General registers. R18 and R26 to R30 belong to the system and to Go.
const (
	ptrD, ptrA, ptrB  = 0, 1, 2
	groups            = 3
	poolPtr           = 4
	tablePtr          = 5
	spillPtr          = 6
	scratch, scratch2 = 7, 8
	bufferPtr         = 9
)

const (
	nobody = block.Value(-1)
	never  = math.MaxInt
	vecs   = 32
)

type step struct {
	v    block.Value
	cold int // 1 and 2: where a cold region begins and ends
}

// translation of one block.
type translation struct {
	neon
	name  string
	b     *block.Block
	arity int
	c     *constants
	steps []step
	uses  [][]int // positions, by value
	pos   int

	reg    []int // -1: in none
	slot   []int // -1: none
	owner  [vecs]block.Value
	held   [vecs]bool // by the instruction at hand
	perm   [vecs]bool // for the loop, or a cold region
	free   []int
	slots  int
	inCold bool
	hot    int // instructions outside of cold regions
	label  int
	saved  saved
	err    error
}

type saved struct {
	owner [vecs]block.Value
	slot  []int
	free  []int
	dst   int
}

// translate writes the loop over the groups; keep constants stay in registers all the time.
func translate(name string, b *block.Block, arity int, c *constants, keep int) *translation {
	t := &translation{name: name, b: b, arity: arity, c: c}
	plan := block.NewPlan(b, false)
	for _, v := range plan.Body {
		if b.Instrs[v].Op != block.OpCold {
			t.steps = append(t.steps, step{v, 0})
			continue
		}
		t.steps = append(t.steps, step{v, 1})
		for _, r := range plan.Cold[v] {
			t.steps = append(t.steps, step{r, 0})
		}
		t.steps = append(t.steps, step{v, 2})
	}
	n := len(b.Instrs)
	t.uses, t.reg, t.slot = make([][]int, n), make([]int, n), make([]int, n)
	for i := range n {
		t.reg[i], t.slot[i] = -1, -1
	}
	hot := make([]int, n) // uses outside of cold regions
	cold := false
	for i, s := range t.steps {
		cold = cold && s.cold != 2
		for _, a := range t.args(s) {
			t.uses[a] = append(t.uses[a], i)
			if !cold {
				hot[a]++
			}
		}
		cold = cold || s.cold == 1
	}
	for i := range t.owner {
		t.owner[i] = nobody
	}
	t.pin(hot, keep)
	t.p("\n%sLoop:", name)
	for i, s := range t.steps {
		t.step(i, s)
	}
	for k := range arity {
		t.p("\tADD $16, R%d", ptrA+k)
	}
	t.p("\tADD $16, R%d\n\tSUBS $1, R%d\n\tBNE %sLoop", ptrD, groups, name)
	return t
}

// args are what a step reads.
func (t *translation) args(s step) []block.Value {
	in := &t.b.Instrs[s.v]
	switch s.cold {
	case 1:
		return []block.Value{in.A, in.C}
	case 2:
		return []block.Value{in.A, in.B}
	}
	return in.Args()
}

// pin loads the constants that the loop uses most into the last registers.
func (t *translation) pin(hot []int, keep int) {
	for r := vecs - 1; r >= vecs-keep; r-- {
		best := nobody
		for i := range t.b.Instrs {
			if v := block.Value(i); t.b.Instrs[i].Op == block.OpConst && t.reg[i] < 0 && hot[i] > 0 && (best < 0 || hot[i] > hot[best]) {
				best = v
			}
		}
		if best < 0 {
			return
		}
		t.load('q', r, poolPtr, t.c.constant(t.b.Instrs[best].Bits))
		t.reg[best], t.owner[r], t.perm[r] = r, best, true
	}
}

func (t *translation) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
}

// next is the first use after the current position.
func (t *translation) next(v block.Value) int {
	for _, u := range t.uses[v] {
		if u > t.pos {
			return u
		}
	}
	return never
}

// leaf reports whether a value can be loaded again from where it came.
func (t *translation) leaf(v block.Value) bool {
	op := t.b.Instrs[v].Op
	return op == block.OpConst || op == block.OpLoad
}

// alloc gives a register, if need be by giving up another value's.
func (t *translation) alloc() int {
	best, far := -1, -1
	for r := range vecs {
		if t.held[r] || t.perm[r] {
			continue
		}
		if t.owner[r] == nobody {
			best = r
			break
		}
		d := t.next(t.owner[r])
		if d != never {
			d *= 2
			if t.leaf(t.owner[r]) || t.slot[t.owner[r]] >= 0 {
				d += 8 // giving it up costs no store
			}
		}
		if d > far {
			best, far = r, d
		}
	}
	if best < 0 {
		t.fail("%s: no register left", t.name)
		return 0
	}
	if v := t.owner[best]; v != nobody {
		if !t.leaf(v) && t.slot[v] < 0 && t.next(v) != never {
			t.slot[v] = t.newSlot()
			t.store('q', best, spillPtr, t.slot[v])
		}
		t.reg[v], t.owner[best] = -1, nobody
	}
	t.held[best] = true
	return best
}

func (t *translation) newSlot() int {
	if k := len(t.free); k > 0 {
		s := t.free[k-1]
		t.free = t.free[:k-1]
		return s
	}
	t.slots++
	return 16 * (t.slots - 1)
}

// need brings a value into a register and holds it there for the step.
func (t *translation) need(v block.Value) int {
	r := t.reg[v]
	if r < 0 {
		r = t.alloc()
		t.fetch(r, v)
		t.reg[v], t.owner[r] = r, v
	}
	t.held[r] = true
	return r
}

// fetch loads a value from its home.
func (t *translation) fetch(r int, v block.Value) {
	switch in := &t.b.Instrs[v]; {
	case in.Op == block.OpConst && in.Bits == 0:
		t.zero(r)
	case in.Op == block.OpConst:
		t.load('q', r, poolPtr, t.c.constant(in.Bits))
	case in.Op == block.OpLoad:
		if in.Broadcast || in.Index != 0 || int(in.Base) >= t.arity {
			t.fail("%s: a load of another kind", t.name)
		}
		t.load('q', r, ptrA+int(in.Base), 0)
	case t.slot[v] >= 0:
		t.load('q', r, spillPtr, t.slot[v])
	default:
		t.fail("%s: a value is nowhere", t.name)
	}
}

// dies reports whether a value's register may be overwritten by the step.
func (t *translation) dies(v block.Value) bool {
	r := t.reg[v]
	return r >= 0 && !t.perm[r] && t.next(v) == never
}

// take gives a register for a result: that of an operand that is not wanted any more, or another.
func (t *translation) take(from ...block.Value) int {
	for _, v := range from {
		if t.dies(v) {
			r := t.reg[v]
			t.reg[v], t.owner[r] = -1, nobody
			return r // still held
		}
	}
	return t.alloc()
}

// own gives a register that has a value and may be overwritten.
func (t *translation) own(v block.Value) int {
	if t.reg[v] < 0 && t.leaf(v) { // loaded again for the next use, which is as good as a copy
		r := t.alloc()
		t.fetch(r, v)
		return r
	}
	r := t.need(v)
	if t.dies(v) {
		return t.take(v)
	}
	d := t.alloc()
	t.move(d, r)
	return d
}

func (t *translation) define(v block.Value, r int) { t.reg[v], t.owner[r] = r, v }

// step emits what stands at a position.
func (t *translation) step(i int, s step) {
	t.pos = i
	t.held = [vecs]bool{}
	args := t.args(s)
	for _, a := range args { // so that bringing in one operand does not give up another
		if r := t.reg[a]; r >= 0 {
			t.held[r] = true
		}
	}
	before, cold := t.words, t.inCold
	switch s.cold {
	case 1:
		t.begin(s.v)
	case 2:
		t.end(s.v)
	default:
		t.emit(s.v, &t.b.Instrs[s.v])
	}
	if !cold {
		t.hot += t.words - before
	}
	for _, a := range append(args, s.v) {
		if t.next(a) != never || s.cold == 1 && a == s.v {
			continue
		}
		if r := t.reg[a]; r >= 0 && !t.perm[r] {
			t.reg[a], t.owner[r] = -1, nobody
		}
		if t.slot[a] >= 0 && !t.inCold { // within a cold region the slots are put back at its end
			t.free = append(t.free, t.slot[a])
			t.slot[a] = -1
		}
	}
}

// begin opens a cold region; see the same in package native. Whoever jumps over it finds the registers as they were, with the usual value in the
// result's.
func (t *translation) begin(v block.Value) {
	in := &t.b.Instrs[v]
	m := t.need(in.A)
	dst := t.own(in.C)
	t.define(v, dst)
	t.perm[dst] = true
	t.toGP(scratch, m, 0)
	t.toGP(scratch2, m, 1)
	t.label++
	t.p("\tORR R%d, R%d, R%d\n\tCBZ R%d, %sUsual%d", scratch2, scratch, scratch, scratch, t.name, t.label)
	t.saved = saved{owner: t.owner, slot: append([]int(nil), t.slot...), free: append([]int(nil), t.free...), dst: dst}
	t.inCold = true
}

// end closes it.
func (t *translation) end(v block.Value) {
	in := &t.b.Instrs[v]
	m, rare := t.need(in.A), t.need(in.B)
	t.op3("bit", t.saved.dst, rare, m)
	for r, u := range t.saved.owner {
		if u == nobody || t.owner[r] == u || t.next(u) == never {
			continue
		}
		t.fetch(r, u)
	}
	for i := range t.reg {
		t.reg[i] = -1
	}
	t.owner = t.saved.owner
	for r, u := range t.owner {
		switch {
		case u == nobody:
		case t.next(u) == never && !t.perm[r]:
			t.owner[r] = nobody
		default:
			t.reg[u] = r
		}
	}
	t.perm[t.saved.dst] = false
	t.slot, t.free = t.saved.slot, t.saved.free
	for u, s := range t.slot {
		if s >= 0 && t.next(block.Value(u)) == never {
			t.free, t.slot[u] = append(t.free, s), -1
		}
	}
	t.p("\n%sUsual%d:", t.name, t.label)
	t.inCold = false
	if t.next(v) == never {
		t.fail("%s: a result that nobody wants", t.name)
	}
}

var errOp = errors.New("no code for an operation")

var binaryOps = map[block.Op]string{
	block.OpAdd: "fadd", block.OpSub: "fsub", block.OpMul: "fmul", block.OpDiv: "fdiv", block.OpAddQ: "add", block.OpSubQ: "sub",
	block.OpAnd: "and", block.OpOr: "orr", block.OpXor: "eor", block.OpMaskAnd: "and", block.OpMaskOr: "orr", block.OpMaskXor: "eor",
}

var unaryOps = map[block.Op]string{block.OpNeg: "fneg", block.OpAbs: "fabs", block.OpSqrt: "fsqrt", block.OpMaskNot: "mvn"}

var roundings = map[uint8]string{block.ToEven: "frintn", block.ToFloor: "frintm", block.ToCeil: "frintp", block.ToTrunc: "frintz"}

// emit translates one instruction.
func (t *translation) emit(v block.Value, in *block.Instr) {
	if op, ok := binaryOps[in.Op]; ok {
		a, b := t.need(in.A), t.need(in.B)
		d := t.take(in.A, in.B)
		t.op3(op, d, a, b)
		t.define(v, d)
		return
	}
	if op, ok := unaryOps[in.Op]; ok {
		a := t.need(in.A)
		d := t.take(in.A)
		t.op2(op, d, a)
		t.define(v, d)
		return
	}
	switch in.Op {
	case block.OpStore:
		t.store('q', t.need(in.A), ptrD, 0)
	case block.OpAndNot, block.OpMaskAndNot: // the machine takes the complement of the second
		a, b := t.need(in.A), t.need(in.B)
		d := t.take(in.A, in.B)
		t.op3("bic", d, b, a)
		t.define(v, d)
	case block.OpFMA, block.OpFNMA, block.OpFMS, block.OpFNMS:
		t.fused(v, in)
	case block.OpMin, block.OpMax:
		a, b := t.need(in.A), t.need(in.B)
		d := t.alloc()
		if in.Op == block.OpMin {
			t.op3("fcmgt", d, b, a)
		} else {
			t.op3("fcmgt", d, a, b)
		}
		t.op3("bsl", d, a, b)
		t.define(v, d)
	case block.OpRound:
		a := t.need(in.A)
		d := t.take(in.A)
		t.op2(roundings[in.Mode], d, a)
		t.define(v, d)
	case block.OpShiftLeft, block.OpShiftRight:
		a := t.need(in.A)
		d := t.take(in.A)
		if in.Op == block.OpShiftLeft {
			t.shiftLeft(d, a, int(in.Mode))
		} else {
			t.shiftRight(d, a, int(in.Mode))
		}
		t.define(v, d)
	case block.OpCmp:
		t.compare(v, in)
	case block.OpSelect:
		t.choose(v, in)
	case block.OpTable:
		t.look(v, in)
	default:
		t.fail("%s: %w: %s", t.name, errOp, in.Op.Info().Name)
	}
}

// fused translates the fused operations; the machine's add to, or subtract from, the addend's register.
func (t *translation) fused(v block.Value, in *block.Instr) {
	a, b := t.need(in.A), t.need(in.B)
	var d int
	if in.Op == block.OpFMA || in.Op == block.OpFNMA {
		d = t.own(in.C)
	} else {
		c := t.need(in.C)
		d = t.alloc()
		t.op2("fneg", d, c)
	}
	if in.Op == block.OpFMA || in.Op == block.OpFMS {
		t.op3("fmla", d, a, b)
	} else {
		t.op3("fmls", d, a, b)
	}
	t.define(v, d)
}

func (t *translation) compare(v block.Value, in *block.Instr) {
	a, b := t.need(in.A), t.need(in.B)
	p := block.Pred(in.Mode)
	not := p >= block.NE
	d := t.alloc()
	switch p &^ 4 {
	case block.EQ:
		t.op3("fcmeq", d, a, b)
	case block.LT:
		t.op3("fcmgt", d, b, a)
	case block.LE:
		t.op3("fcmge", d, b, a)
	default: // ordered is what equals itself
		not = !not
		t.op3("fcmeq", d, a, a)
		if a != b {
			e := t.alloc()
			t.op3("fcmeq", e, b, b)
			t.op3("and", d, d, e)
		}
	}
	if not {
		t.op2("mvn", d, d)
	}
	t.define(v, d)
}

// choose is A ? B : C, in the register of whichever is not wanted any more.
func (t *translation) choose(v block.Value, in *block.Instr) {
	m, b, c := t.need(in.A), t.need(in.B), t.need(in.C)
	var d int
	switch {
	case t.dies(in.C) && in.C != in.B:
		d = t.take(in.C)
		t.op3("bit", d, b, m)
	case t.dies(in.B) && in.C != in.B:
		d = t.take(in.B)
		t.op3("bif", d, c, m)
	default:
		d = t.own(in.A)
		t.op3("bsl", d, b, c)
	}
	t.define(v, d)
}

// look translates the look-up in a table.
func (t *translation) look(v block.Value, in *block.Instr) {
	a := t.need(in.A)
	d := t.alloc()
	t.p("\tADD $%d, R%d, R%d", t.c.tableAt(t.b.Tables[in.Index]), tablePtr, scratch2)
	t.toGP(scratch, a, 0)
	t.indexed(d, scratch2, scratch)
	t.toGP(scratch, a, 1)
	t.p("\tADD R%d<<3, R%d, R%d", scratch, scratch2, scratch)
	t.loadUpper(d, scratch)
	t.define(v, d)
}
