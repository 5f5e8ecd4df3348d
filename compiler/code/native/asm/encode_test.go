package asm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden encodings with the system's assembler (needs as)")

const golden = "testdata/encodings.txt"

// places are the memory operands worth a test: bases that need an index byte or a displacement, and displacements on
// both sides of what one byte holds, compressed or not.
var places = []RM{
	M(RDI, 0), M(RDI, 8), M(RSI, 127), M(RSI, 128), M(R8, -128), M(R12, 0), M(R12, 64), M(R13, 0), M(RBP, 0), M(RBX, 4096),
	M(R9, -512), M(RDX, 8128), M(RDX, 8192), M(RSP, 32), M(R10, -8192), M(R11, 1016),
}

// sweep lists instructions that reach every row, width, register bank and kind of operand.
func sweep() []Inst {
	var all []Inst
	for op := range numOps {
		r := &table[op]
		for _, w := range []Width{1, 2, 4, 8} {
			if w == 1 && r.scalar == "" && r.dst != mask || w > 1 && r.packed == "" {
				continue
			}
			if r.has&hasEVEX == 0 && w == 8 || op == Broadcast && w < 4 || op == MoveMask && w < 2 || r.src == mask && r.dst == mask && w > 1 {
				continue
			}
			all = append(all, operands(op, r, w)...)
		}
	}
	return all
}

func operands(op Op, r *row, w Width) (all []Inst) {
	banks := [][4]Reg{{1, 2, 3, 4}, {9, 2, 3, 12}, {1, 10, 3, 4}, {1, 2, 11, 4}, {15, 14, 13, 12}}
	if r.has&hasEVEX != 0 && (r.has&only128 == 0) {
		banks = append(banks, [4]Reg{17, 2, 3, 4}, [4]Reg{1, 18, 3, 4}, [4]Reg{1, 2, 19, 4}, [4]Reg{31, 24, 25, 26}, [4]Reg{8, 23, 30, 1})
	}
	limit := func(f file, x Reg) Reg {
		switch f {
		case mask:
			return x & 7
		case gp, gp32:
			return x & 15
		}
		return x
	}
	add := func(in Inst) {
		in.Op, in.W = op, w
		if r.has&hasImm != 0 {
			in.Imm = 11
		}
		all = append(all, in)
	}
	dst, src := r.dst, r.src
	if r.shape == mr {
		dst, src = src, dst
	}
	for _, b := range banks {
		in := Inst{Dst: limit(dst, b[0]), A: limit(src, b[1]), C: b[3]}
		if r.dst == mask && r.src == vec {
			in.A = b[1]
		}
		if op == CvtSI2SD {
			in.A = b[1]
		}
		if (r.shape != mr || op == MoveQToGP) && r.shape != vsib && op != Load {
			in.B = R(limit(src, b[2]))
			if op == CvtD2PD || op == Store {
				in.B = R(b[2])
			}
			add(in)
			if r.has&hasEVEX != 0 && dst == vec && r.src == vec && (r.shape == rvm || r.shape == rm) && w > 1 {
				in.K = 3
				add(in)
				in.Zeroes = true
				add(in)
				in.K, in.Zeroes = 0, false
			}
		}
	}
	if r.src == mask != (r.dst == mask) && r.shape == rm || r.shape == vmi || op == Move || op == MoveQToGP || op == MoveQFromGP || op == KNot || op == KOrTest || op == MoveMask ||
		r.src == mask && r.shape == rvm {
		return all // registers only, or of memory nothing else is used
	}
	for i, m := range places {
		if op > Add && (i+int(op))%4 != 0 {
			continue // every place with the first rows, a quarter of them with the others
		}
		in := Inst{Dst: limit(dst, Reg(i)), A: limit(src, Reg(15-i)), B: m, C: Reg(i / 2)}
		if r.shape == vsib {
			in.Dst, in.A = 2, 5
			in.B = MGather(m.reg, Reg(i), m.disp)
			if r.has&hasEVEX != 0 {
				in.K, in.Dst = 4, 20
				add(in)
				in.B.idx = Reg(16 + i)
				if in.B.idx == 20 {
					in.Dst = 21
				}
			} else if i == 2 || i == 5 || i == 9 || i == 10 {
				in.Dst, in.A, in.B.idx = 13, 14, Reg(i)
			}
			add(in)
			continue
		}
		add(in)
		if r.has&hasEVEX != 0 && r.has&only128 == 0 {
			if dst == vec {
				in.Dst += 16
				add(in)
			}
			if r.has&noBcast == 0 && w > 1 && r.tuple != scalar {
				in.B.bcast = true
				add(in)
			}
		}
	}
	return all
}

// integers are the instructions without a row.
func integers(a *Assembler) []string {
	var text []string
	say := func(format string, args ...any) { text = append(text, fmt.Sprintf(format, args...)) }
	cut := []int{0}
	done := func() { cut = append(cut, len(a.Code)) }
	for _, m := range places {
		for _, d := range []Reg{RAX, RDI, R9, R15} {
			a.LoadGP(d, m.reg, m.disp)
			say("mov %s, %s", gpNames[d], strings.Replace((&table[MoveQFromGP]).operand(Inst{B: m, W: 1}), "qword ptr ", "", 1))
			done()
		}
		for _, idx := range []Reg{RAX, RCX, R10} {
			a.LoadScalarIndexed(Reg(idx+3), m.reg, idx, m.disp)
			place := fmt.Sprintf("[%s+%s*8", gpNames[m.reg], gpNames[idx])
			if m.disp != 0 {
				place += fmt.Sprintf("%+d", m.disp)
			}
			say("vmovsd xmm%d, qword ptr %s]", idx+3, place)
			done()
		}
	}
	for _, r := range []Reg{RAX, RCX, RSP, R8, R13} {
		for _, v := range []int32{1, 64, 127, 128, -128, -129, 100000} {
			a.AddImm(r, v)
			say("add %s, %d", gpNames[r], v)
			done()
			a.SubImm(r, v)
			say("sub %s, %d", gpNames[r], v)
			done()
			a.MulImm(r, R9, v)
			say("imul %s, r9, %d", gpNames[r], v)
			done()
		}
		a.AddGP(r, R11)
		say("add %s, r11", gpNames[r])
		done()
		a.MoveImm32(r, 77)
		say("mov %s, 77", gp32Names[r])
		done()
	}
	a.TestImm(15)
	say("test eax, 15")
	done()
	a.ZeroUpper()
	say("vzeroupper")
	done()
	a.Return()
	say("ret")
	done()
	for i := range text {
		text[i] += "\t" + hex.EncodeToString(a.Code[cut[i]:cut[i+1]])
	}
	return text
}

func encodings(t *testing.T) []string {
	var lines []string
	for _, in := range sweep() {
		var a Assembler
		a.Emit(in)
		if a.Err != nil {
			t.Fatal(a.Err)
		}
		lines = append(lines, in.String()+"\t"+hex.EncodeToString(a.Code))
	}
	var a Assembler
	return append(lines, integers(&a)...)
}

// TestEncodings compares every encoding with what the system's assembler said when the golden file was written.
func TestEncodings(t *testing.T) {
	got := encodings(t)
	if *update {
		assemble(t, got)
	}
	file, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(file)) {
		text, code, _ := strings.Cut(strings.TrimSpace(line), "\t")
		want[text] = code
	}
	bad := 0
	for _, line := range got {
		text, code, _ := strings.Cut(line, "\t")
		if w, ok := want[text]; !ok {
			t.Errorf("no golden encoding of %q: run with -update where there is an assembler", text)
			bad++
		} else if w != code {
			t.Errorf("%s: %s, the assembler says %s", text, code, w)
			bad++
		}
		if bad > 40 {
			t.Fatal("and more")
		}
	}
	if len(want) > len(got) {
		t.Errorf("the golden file has %d lines, the sweep %d: run with -update", len(want), len(got))
	}
}

// assemble writes the golden file.
func assemble(t *testing.T, lines []string) {
	dir := t.TempDir()
	var src bytes.Buffer
	src.WriteString(".intel_syntax noprefix\n")
	for _, line := range lines {
		text, _, _ := strings.Cut(line, "\t")
		src.WriteString(text + "\n")
	}
	in := filepath.Join(dir, "in.s")
	if err := os.WriteFile(in, src.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("as", "-al", "--listing-lhs-width=4", "-o", filepath.Join(dir, "out.o"), in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("as: %v\n%s", err, stderr.Bytes())
	}
	var w bytes.Buffer
	sc := bufio.NewScanner(bytes.NewReader(out))
	for sc.Scan() {
		left, text, ok := strings.Cut(sc.Text(), "\t")
		f := strings.Fields(left)
		if !ok || len(f) < 3 || strings.Contains(left, "GAS LISTING") { // the heading of a page
			continue
		}
		fmt.Fprintf(&w, "%s\t%s\n", strings.TrimSpace(text), strings.ToLower(strings.Join(f[2:], "")))
	}
	if err := os.WriteFile(golden, w.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestNoSuchInstruction(t *testing.T) {
	for _, in := range []Inst{
		{Op: BlendV, W: 8, B: R(1)},
		{Op: BlendV, W: 4, Dst: 17, B: R(1)},
		{Op: Broadcast, W: 1, B: M(RDI, 0)},
		{Op: CvtSI2SD, W: 4, B: R(1)},
		{Op: Load, W: 4, B: R(3)},
		{Op: Load, W: 8, B: MBroadcast(RDI, 0)},
		{Op: Store, W: 4, B: R(3)},
		{Op: Gather, W: 4, B: M(RDI, 0)},
		{Op: Gather, W: 8, B: MGather(RDI, 1, 0)},
		{Op: Add, W: 1, B: MBroadcast(RDI, 0)},
		{Op: Add, W: 4, B: MGather(RDI, 1, 0)},
		{Op: Round, W: 8, B: R(0)},
	} {
		var a Assembler
		a.Emit(in)
		if !errors.Is(a.Err, ErrOperands) || len(a.Code) != 0 {
			t.Errorf("%s: %v, % x", in, a.Err, a.Code)
		}
	}
}

// TestEveryRow holds that no row is empty and that each is reached by the sweep.
func TestEveryRow(t *testing.T) {
	seen := map[Op]int{}
	for _, in := range sweep() {
		seen[in.Op]++
	}
	for op := range numOps {
		if table[op].packed == "" && table[op].scalar == "" || seen[op] == 0 {
			t.Errorf("row %d: %q, reached %d times", op, table[op].packed, seen[op])
		}
	}
}

func TestJumps(t *testing.T) {
	var a Assembler
	top := len(a.Code)
	from := a.JumpZero()
	a.Return()
	a.Land(from)
	a.JumpNotZero(top)
	a.AlignLoop(16)
	// as: 1: je 2f; ret; 2: jne 1b; the rest is padding.
	want := "0f8401000000" + "c3" + "0f85f3ffffff" + "0f1f00"
	if got := hex.EncodeToString(a.Code); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
