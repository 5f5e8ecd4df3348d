// Package asm encodes the amd64 instructions that straight-line float64 code needs: AVX2 and FMA3 with VEX prefixes,
// AVX-512 (F, DQ, VL) with EVEX prefixes, mask registers, and the handful of integer instructions of a prologue and a
// loop. One table (table.go) says what each instruction is; encode.go turns a row and its operands into bytes;
// print.go says the same in the notation of the Intel manual, which the golden tests give to a real assembler.
//
// The package knows nothing of blocks, registers' meaning or memory; it imports nothing of this module.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapters 2.3 (VEX) and 2.7 (EVEX).
package asm
