package asmgen

import (
	"math"
	"strings"
)

// The elementary functions for arm64. What they compute is package block's; neontranslate.go makes instructions of it.

// constants are shared by all functions of a file.
type constants struct {
	words  []uint64
	at     map[uint64]int
	tables []uint64
	table  map[*float64]int
}

func (c *constants) constant(bits uint64) int {
	at, ok := c.at[bits]
	if !ok {
		at = 8 * len(c.words)
		c.at[bits] = at
		c.words = append(c.words, bits, bits)
	}
	return at
}

func (c *constants) tableAt(t []float64) int {
	at, ok := c.table[&t[0]]
	if !ok {
		at = 8 * len(c.tables)
		c.table[&t[0]] = at
		for _, x := range t {
			c.tables = append(c.tables, math.Float64bits(x))
		}
	}
	return at
}

// neonFunctions writes the elementary functions, as those of amd64: around each loop one of at most two rounds, over the whole pairs and then over what is left, in
// a buffer on the stack.
func neonFunctions() (string, error) {
	var body text
	c := &constants{at: map[uint64]int{}, table: map[*float64]int{}}
	for i := range functions {
		if err := neonFunction(&body, &functions[i], c); err != nil {
			return "", err
		}
	}
	var t text
	t.p("%s", notice)
	t.p("#include \"textflag.h\"\n")
	t.p("// Constants, once for each lane, and tables.")
	data(&t, "poolNEON", c.words)
	data(&t, "tablesNEON", c.tables)
	t.WriteString(body.String())
	return t.String(), nil
}

// count is the register with the number of elements; rest says that the buffers' round is under way, result where its result goes.
const (
	count  = 10
	rest   = 11
	result = 12
)

func neonFunction(t *text, f *function, c *constants) error {
	b, err := f.block()
	if err != nil {
		return err
	}
	// As many constants as leave the loop's own values room stay in registers: the number is found by trying.
	var best *translation
	for keep := range vecs - 8 {
		trial := &constants{at: map[uint64]int{}, table: map[*float64]int{}}
		if x := translate(f.name, b, f.arity, trial, keep); x.err == nil && (best == nil || x.hot < best.hot) {
			best = translate(f.name, b, f.arity, c, keep)
		} else if x.err != nil && best == nil {
			return x.err
		}
	}
	buffers := 16 * f.arity
	t.p("\n// func %sNEON(d, %s *float64, n int)", f.name, join(f.operands()[:f.arity]))
	t.p("TEXT ·%sNEON(SB), 0, $%d-%d", f.name, 8+buffers+16*best.slots, 8*(f.arity+2))
	t.p("\tMOVD d+0(FP), R%d", ptrD)
	for i, name := range f.operands()[:f.arity] {
		t.p("\tMOVD %s+%d(FP), R%d", name, 8*(i+1), ptrA+i)
	}
	t.p("\tMOVD n+%d(FP), R%d", 8*(f.arity+1), count)
	t.p("\tMOVD $poolNEON<>(SB), R%d\n\tMOVD $tablesNEON<>(SB), R%d", poolPtr, tablePtr)
	t.p("\tMOVD RSP, R%d\n\tADD $16, R%d\n\tADD $%d, R%d, R%d", bufferPtr, bufferPtr, buffers, bufferPtr, spillPtr)
	t.p("\tMOVD ZR, R%d\n\tLSR $1, R%d, R%d", rest, count, groups)
	loop := best.String()
	at := strings.Index(loop, "\n"+f.name+"Loop:") // what stands before it loads constants
	t.WriteString(loop[:at])
	t.p("\tCBZ R%d, rest\n\tPCALIGN $16", groups)
	t.WriteString(loop[at:])
	t.p("\tCBNZ R%d, store\n\nrest:\n\tTBZ $0, R%d, done\n\tMOVD $1, R%d", rest, count, rest)
	var n neon
	for i := range f.arity {
		n.broadcast(0, ptrA+i)
		n.store('q', 0, bufferPtr, 16*i)
	}
	n.p("\tMOVD R%d, R%d\n\tMOVD R%d, R%d\n\tMOVD R%d, R%d", ptrD, result, bufferPtr, ptrD, bufferPtr, ptrA)
	if f.arity == 2 {
		n.p("\tADD $16, R%d, R%d", bufferPtr, ptrB)
	}
	n.p("\tMOVD $1, R%d\n\tJMP %sLoop\n\nstore:", groups, f.name)
	n.load('d', 0, bufferPtr, 0)
	n.store('d', 0, result, 0)
	n.p("\ndone:\n\tRET")
	t.WriteString(n.String())
	return nil
}
