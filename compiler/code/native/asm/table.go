package asm

// Op is a vector, mask or transfer instruction: a row of the table.
type Op uint8

// The instructions. What each takes stands in its row.
const (
	Load Op = iota // dst ← memory
	Store
	Move // dst ← register, all lanes
	Broadcast
	Add
	Sub
	Mul
	Div
	Min // second operand when either is NaN or both are zero
	Max
	Sqrt
	Round // immediate: 8 even, 9 floor, 10 ceiling, 11 truncation, all quiet
	RoundScale
	And
	AndNot // complement of the first, and the second
	Or
	Xor
	AddQ
	SubQ
	ShiftLeft
	ShiftRight
	ShiftRightArith
	CmpEqQ
	CmpGtQ
	Cmp
	CmpMask // into a mask register
	BlendV  // second where the sign of the last register is set
	BlendM  // second where the mask is set
	Ternary
	MaskToQ
	QToMask
	FMAdd132
	FMAdd213
	FMAdd231
	FMSub132
	FMSub213
	FMSub231
	FNMAdd132
	FNMAdd213
	FNMAdd231
	FNMSub132
	FNMSub213
	FNMSub231
	Gather     // AVX2: the mask is a vector register
	GatherMask // AVX-512: the mask is a mask register
	CvtD2PD
	CvtPD2D
	CvtTPD2D
	CvtQ2PD
	CvtPD2Q
	CvtTPD2Q
	CvtSI2SD
	CvtSD2SI
	CvtTSD2SI
	MoveQToGP
	MoveQFromGP
	MoveMask
	KMove
	KStore
	KAnd
	KAndNot
	KOr
	KXor
	KXnor
	KNot
	KOrTest
	numOps
)

// shape says which operands an instruction has and where they are encoded.
type shape uint8

const (
	rvm  shape = iota // dst in reg, first source in vvvv, second in r/m
	rm                // dst in reg, source in r/m
	mr                // memory in r/m, source in reg
	vmi               // dst in vvvv, source in r/m, immediate; reg holds the opcode's extension
	rvmr              // rvm, and a register in the immediate's high half
	vsib              // gather: dst in reg, memory with vector index, AVX2's mask in vvvv
)

// file is the kind of register an operand is.
type file uint8

const (
	vec file = iota
	mask
	gp
	gp32
	half // vector of half the width: 32-bit integers
	low  // the low lane of a vector
)

// form is what distinguishes the prefix: compulsory prefix, opcode map, opcode, width bit.
type form struct {
	pp, mm, opcode byte
	w              byte // the W bit under VEX; the others ignore it or take w512
}

// tuple is how the compressed displacement of EVEX scales.
type tuple uint8

const (
	full   tuple = iota // the whole vector, or 8 bytes when it broadcasts
	scalar              // 8 bytes
	halfT               // half the vector, or 4 bytes when it broadcasts
)

// encodings that a row has.
const (
	hasVEX = 1 << iota
	hasEVEX
	hasImm
	only128 // length bit zero, whatever the width
	length1 // VEX.L is set (mask operations on two sources)
	noBcast // no embedded broadcast
)

// row is an instruction. A row without packed or scalar name does not exist in that form.
type row struct {
	packed, scalar string // mnemonics; the packed one serves widths 2, 4 and 8
	shape          shape
	p, s           form // packed and scalar
	w512           byte // EVEX.W
	ext            byte // opcode extension of shape vmi
	has            uint8
	tuple          tuple
	dst, src       file
}

// Compulsory prefixes and opcode maps.
const (
	none, p66, pF3, pF2 = 0, 1, 2, 3
	m0F, m0F38, m0F3A   = 1, 2, 3
)

const both = hasVEX | hasEVEX

// arith is a row of two sources that exists packed and scalar.
func arith(stem string, opcode byte) row {
	return row{packed: stem + "pd", scalar: stem + "sd", shape: rvm, p: form{p66, m0F, opcode, 0}, s: form{pF2, m0F, opcode, 0}, w512: 1, has: both}
}

// bits is a packed row of two sources on whole registers.
func bits(name string, mm, opcode byte, has uint8) row {
	return row{packed: name, shape: rvm, p: form{p66, mm, opcode, 0}, w512: 1, has: has}
}

// fused is one of the twelve fused multiply-adds.
func fused(stem string, opcode byte) row {
	return row{packed: stem + "pd", scalar: stem + "sd", shape: rvm, p: form{p66, m0F38, opcode, 1}, s: form{p66, m0F38, opcode + 1, 1}, w512: 1, has: both}
}

// kop is an operation on mask registers of eight bits (DQ).
func kop(name string, opcode byte, s shape, has uint8) row {
	return row{packed: name, shape: s, p: form{p66, m0F, opcode, 0}, has: hasVEX | has, dst: mask, src: mask}
}

var table = [numOps]row{
	Load:      {packed: "vmovupd", scalar: "vmovsd", shape: rm, p: form{p66, m0F, 0x10, 0}, s: form{pF2, m0F, 0x10, 0}, w512: 1, has: both | noBcast},
	Store:     {packed: "vmovupd", scalar: "vmovsd", shape: mr, p: form{p66, m0F, 0x11, 0}, s: form{pF2, m0F, 0x11, 0}, w512: 1, has: both | noBcast},
	Move:      {packed: "vmovapd", shape: rm, p: form{p66, m0F, 0x28, 0}, w512: 1, has: both | noBcast},
	Broadcast: {packed: "vbroadcastsd", shape: rm, p: form{p66, m0F38, 0x19, 0}, w512: 1, has: both | noBcast, tuple: scalar, src: low},

	Add: arith("vadd", 0x58), Sub: arith("vsub", 0x5C), Mul: arith("vmul", 0x59), Div: arith("vdiv", 0x5E),
	Min: arith("vmin", 0x5D), Max: arith("vmax", 0x5F),
	Sqrt: {packed: "vsqrtpd", scalar: "vsqrtsd", shape: rm, p: form{p66, m0F, 0x51, 0}, s: form{pF2, m0F, 0x51, 0}, w512: 1, has: both},
	Round: {packed: "vroundpd", scalar: "vroundsd", shape: rm, p: form{p66, m0F3A, 0x09, 0}, s: form{p66, m0F3A, 0x0B, 0},
		has: hasVEX | hasImm},
	RoundScale: {packed: "vrndscalepd", scalar: "vrndscalesd", shape: rm, p: form{p66, m0F3A, 0x09, 0}, s: form{p66, m0F3A, 0x0B, 0}, w512: 1,
		has: hasEVEX | hasImm},

	And: bits("vandpd", m0F, 0x54, both), AndNot: bits("vandnpd", m0F, 0x55, both), Or: bits("vorpd", m0F, 0x56, both), Xor: bits("vxorpd", m0F, 0x57, both),
	AddQ: bits("vpaddq", m0F, 0xD4, both), SubQ: bits("vpsubq", m0F, 0xFB, both),
	ShiftLeft:       {packed: "vpsllq", shape: vmi, p: form{p66, m0F, 0x73, 0}, w512: 1, ext: 6, has: both | hasImm},
	ShiftRight:      {packed: "vpsrlq", shape: vmi, p: form{p66, m0F, 0x73, 0}, w512: 1, ext: 2, has: both | hasImm},
	ShiftRightArith: {packed: "vpsraq", shape: vmi, p: form{p66, m0F, 0x72, 0}, w512: 1, ext: 4, has: hasEVEX | hasImm},
	CmpEqQ:          bits("vpcmpeqq", m0F38, 0x29, hasVEX), CmpGtQ: bits("vpcmpgtq", m0F38, 0x37, hasVEX),

	Cmp: {packed: "vcmppd", scalar: "vcmpsd", shape: rvm, p: form{p66, m0F, 0xC2, 0}, s: form{pF2, m0F, 0xC2, 0}, has: hasVEX | hasImm},
	CmpMask: {packed: "vcmppd", scalar: "vcmpsd", shape: rvm, p: form{p66, m0F, 0xC2, 0}, s: form{pF2, m0F, 0xC2, 0}, w512: 1,
		has: hasEVEX | hasImm, dst: mask},
	BlendV:  {packed: "vblendvpd", shape: rvmr, p: form{p66, m0F3A, 0x4B, 0}, has: hasVEX},
	BlendM:  bits("vblendmpd", m0F38, 0x65, hasEVEX),
	Ternary: bits("vpternlogq", m0F3A, 0x25, hasEVEX|hasImm),
	MaskToQ: {packed: "vpmovm2q", shape: rm, p: form{pF3, m0F38, 0x38, 0}, w512: 1, has: hasEVEX, src: mask},
	QToMask: {packed: "vpmovq2m", shape: rm, p: form{pF3, m0F38, 0x39, 0}, w512: 1, has: hasEVEX, dst: mask},

	FMAdd132: fused("vfmadd132", 0x98), FMAdd213: fused("vfmadd213", 0xA8), FMAdd231: fused("vfmadd231", 0xB8),
	FMSub132: fused("vfmsub132", 0x9A), FMSub213: fused("vfmsub213", 0xAA), FMSub231: fused("vfmsub231", 0xBA),
	FNMAdd132: fused("vfnmadd132", 0x9C), FNMAdd213: fused("vfnmadd213", 0xAC), FNMAdd231: fused("vfnmadd231", 0xBC),
	FNMSub132: fused("vfnmsub132", 0x9E), FNMSub213: fused("vfnmsub213", 0xAE), FNMSub231: fused("vfnmsub231", 0xBE),

	Gather:     {packed: "vgatherqpd", shape: vsib, p: form{p66, m0F38, 0x93, 1}, has: hasVEX},
	GatherMask: {packed: "vgatherqpd", shape: vsib, p: form{p66, m0F38, 0x93, 1}, w512: 1, has: hasEVEX, tuple: scalar},

	CvtD2PD:   {packed: "vcvtdq2pd", shape: rm, p: form{pF3, m0F, 0xE6, 0}, has: both, tuple: halfT, src: half},
	CvtPD2D:   {packed: "vcvtpd2dq", shape: rm, p: form{pF2, m0F, 0xE6, 0}, w512: 1, has: both, dst: half},
	CvtTPD2D:  {packed: "vcvttpd2dq", shape: rm, p: form{p66, m0F, 0xE6, 0}, w512: 1, has: both, dst: half},
	CvtQ2PD:   {packed: "vcvtqq2pd", shape: rm, p: form{pF3, m0F, 0xE6, 0}, w512: 1, has: hasEVEX},
	CvtPD2Q:   {packed: "vcvtpd2qq", shape: rm, p: form{p66, m0F, 0x7B, 0}, w512: 1, has: hasEVEX},
	CvtTPD2Q:  {packed: "vcvttpd2qq", shape: rm, p: form{p66, m0F, 0x7A, 0}, w512: 1, has: hasEVEX},
	CvtSI2SD:  {scalar: "vcvtsi2sd", shape: rvm, s: form{pF2, m0F, 0x2A, 1}, w512: 1, has: both, src: gp, tuple: scalar},
	CvtSD2SI:  {scalar: "vcvtsd2si", shape: rm, s: form{pF2, m0F, 0x2D, 1}, w512: 1, has: both, dst: gp, tuple: scalar},
	CvtTSD2SI: {scalar: "vcvttsd2si", shape: rm, s: form{pF2, m0F, 0x2C, 1}, w512: 1, has: both, dst: gp, tuple: scalar},

	MoveQToGP:   {scalar: "vmovq", shape: mr, s: form{p66, m0F, 0x7E, 1}, w512: 1, has: both | only128, dst: gp, tuple: scalar},
	MoveQFromGP: {scalar: "vmovq", shape: rm, s: form{p66, m0F, 0x6E, 1}, w512: 1, has: both | only128, src: gp, tuple: scalar},
	MoveMask:    {packed: "vmovmskpd", shape: rm, p: form{p66, m0F, 0x50, 0}, has: hasVEX, dst: gp32},

	KMove: kop("kmovb", 0x90, rm, only128), KStore: kop("kmovb", 0x91, mr, only128),
	KAnd: kop("kandb", 0x41, rvm, length1), KAndNot: kop("kandnb", 0x42, rvm, length1), KOr: kop("korb", 0x45, rvm, length1),
	KXor: kop("kxorb", 0x47, rvm, length1), KXnor: kop("kxnorb", 0x46, rvm, length1),
	KNot: kop("knotb", 0x44, rm, only128), KOrTest: kop("kortestb", 0x98, rm, only128),
}
