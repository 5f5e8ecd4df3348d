package asmgen

import "fmt"

// Instructions of arm64's vector unit on two lanes of 64 bits, as words. Source: Arm Architecture Reference Manual for A-profile, chapter C7. Go's assembler
// does not know most of them; loads of addresses, counts and jumps are left to it.

// neon collects the lines of a function.
type neon struct {
	text
	words int // instructions of vectors so far
}

// word emits an instruction, and says what it is.
func (n *neon) word(w uint32, format string, args ...any) {
	n.words++
	n.p("\tWORD $0x%08x // %s", w, fmt.Sprintf(format, args...))
}

// three are the instructions of three vector registers.
var three = map[string]uint32{
	"fadd": 0x4E60D400, "fsub": 0x4EE0D400, "fmul": 0x6E60DC00, "fdiv": 0x6E60FC00, "fmla": 0x4E60CC00, "fmls": 0x4EE0CC00, "faddp": 0x6E60D400,
	"fcmeq": 0x4E60E400, "fcmge": 0x6E60E400, "fcmgt": 0x6EE0E400, "add": 0x4EE08400, "sub": 0x6EE08400,
	"and": 0x4E201C00, "bic": 0x4E601C00, "orr": 0x4EA01C00, "eor": 0x6E201C00, "bsl": 0x6E601C00, "bit": 0x6EA01C00, "bif": 0x6EE01C00,
}

// two are those of two.
var two = map[string]uint32{
	"fneg": 0x6EE0F800, "fabs": 0x4EE0F800, "fsqrt": 0x6EE1F800, "frintn": 0x4E618800, "frintm": 0x4E619800, "frintp": 0x4EE18800, "frintz": 0x4EE19800,
	"mvn": 0x6E205800,
}

// form is how the manual writes the operands of an instruction: as bytes where it works on all bits.
func form(op string) string {
	switch op {
	case "and", "bic", "orr", "eor", "bsl", "bit", "bif", "mvn":
		return "16b"
	}
	return "2d"
}

func (n *neon) op3(op string, d, a, b int) {
	w, ok := three[op]
	if !ok {
		panic("no instruction " + op)
	}
	f := form(op)
	n.word(w|uint32(b)<<16|uint32(a)<<5|uint32(d), "%s v%d.%s, v%d.%s, v%d.%s", op, d, f, a, f, b, f)
}

func (n *neon) op2(op string, d, a int) {
	w, ok := two[op]
	if !ok {
		panic("no instruction " + op)
	}
	f := form(op)
	n.word(w|uint32(a)<<5|uint32(d), "%s v%d.%s, v%d.%s", op, d, f, a, f)
}

func (n *neon) move(d, a int) {
	n.word(three["orr"]|uint32(a)<<16|uint32(a)<<5|uint32(d), "mov v%d.16b, v%d.16b", d, a)
}

func (n *neon) shiftLeft(d, a, by int) {
	n.word(0x4F005400|uint32(64+by)<<16|uint32(a)<<5|uint32(d), "shl v%d.2d, v%d.2d, #%d", d, a, by)
}

func (n *neon) shiftRight(d, a, by int) {
	if by == 0 { // which the instruction cannot say
		n.move(d, a)
		return
	}
	n.word(0x6F000400|uint32(128-by)<<16|uint32(a)<<5|uint32(d), "ushr v%d.2d, v%d.2d, #%d", d, a, by)
}

// zero clears a register.
func (n *neon) zero(d int) {
	n.word(three["eor"]|uint32(d)<<16|uint32(d)<<5|uint32(d), "eor v%d.16b, v%d.16b, v%d.16b", d, d, d)
}

// load and store move 16 bytes, or 8 where q is 'd', in which case the upper lane is cleared; at is a multiple of that.
func (n *neon) load(q byte, d, base, at int)  { n.memory("ldr", q, d, base, at) }
func (n *neon) store(q byte, d, base, at int) { n.memory("str", q, d, base, at) }

func (n *neon) memory(op string, q byte, d, base, at int) {
	w, size := uint32(0x3D800000), 16
	if q == 'd' {
		w, size = 0xFD000000, 8
	}
	if op == "ldr" {
		w |= 0x00400000
	}
	if at%size != 0 || at/size > 4095 {
		panic("an address out of reach")
	}
	address := fmt.Sprintf("[x%d]", base)
	if at > 0 {
		address = fmt.Sprintf("[x%d, #%d]", base, at)
	}
	n.word(w|uint32(at/size)<<10|uint32(base)<<5|uint32(d), "%s %c%d, %s", op, q, d, address)
}

// pair loads two registers of 16 bytes and moves the address on.
func (n *neon) pair(d, e, base int) {
	n.word(0xACC10000|uint32(e)<<10|uint32(base)<<5|uint32(d), "ldp q%d, q%d, [x%d], #32", d, e, base)
}

// broadcast loads a number into both lanes.
func (n *neon) broadcast(d, base int) {
	n.word(0x4D40CC00|uint32(base)<<5|uint32(d), "ld1r { v%d.2d }, [x%d]", d, base)
}

// toGP moves a lane to a general register.
func (n *neon) toGP(x, a, lane int) {
	n.word(0x4E083C00|uint32(lane)<<20|uint32(a)<<5|uint32(x), "mov x%d, v%d.d[%d]", x, a, lane)
}

// upper copies the upper lane to the lower.
func (n *neon) upper(d, a int) {
	n.word(0x4E180400|uint32(a)<<5|uint32(d), "dup v%d.2d, v%d.d[1]", d, a)
}

// indexed loads the low lane from base + 8·index, clearing the upper one.
func (n *neon) indexed(d, base, index int) {
	n.word(0xFC607800|uint32(index)<<16|uint32(base)<<5|uint32(d), "ldr d%d, [x%d, x%d, lsl #3]", d, base, index)
}

// loadUpper loads the upper lane.
func (n *neon) loadUpper(d, base int) {
	n.word(0x4D408400|uint32(base)<<5|uint32(d), "ld1 { v%d.d }[1], [x%d]", d, base)
}
