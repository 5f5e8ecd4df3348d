package native

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// CPU says what generated code may use.
type CPU struct {
	AVX2   bool // AVX2 and FMA3: one and four lanes
	AVX512 bool // F, DQ, BW and VL: eight lanes
	// Why is the reason when nothing may be generated.
	Why string
}

// Host is the machine that this program runs on. The processor's word alone does not do: x/sys/cpu also asks whether the operating system
// keeps the wide registers (XGETBV). UDL_NATIVE=off turns all of it off.
func Host() CPU {
	switch {
	case Off("UDL_NATIVE"):
		return CPU{Why: "UDL_NATIVE=" + os.Getenv("UDL_NATIVE")}
	case runtime.GOARCH != "amd64":
		return CPU{Why: "no generated code for " + runtime.GOARCH}
	case runtime.GOOS != "linux" && runtime.GOOS != "darwin" && runtime.GOOS != "windows":
		return CPU{Why: "no generated code under " + runtime.GOOS}
	}
	c := CPU{AVX2: cpu.X86.HasAVX2 && cpu.X86.HasFMA}
	c.AVX512 = c.AVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL
	if !c.AVX2 {
		c.Why = "the processor has no AVX2 and FMA"
	}
	return c
}

// Off reports whether a switch of the environment is off: off, 0, no or false.
func Off(name string) bool {
	switch strings.ToLower(os.Getenv(name)) {
	case "off", "0", "no", "false":
		return true
	}
	return false
}

// Widths are the numbers of lanes that the machine has registers for, the smallest first.
func (c CPU) Widths() []int {
	var w []int
	if c.AVX2 {
		w = append(w, 1, 4)
	}
	if c.AVX512 {
		w = append(w, 8)
	}
	return w
}

// Has reports whether code of a width may be generated.
func (c CPU) Has(width int) bool { return slices.Contains(c.Widths(), width) }

// Widest is the largest width, 0 when there is none.
func (c CPU) Widest() int {
	w := c.Widths()
	if len(w) == 0 {
		return 0
	}
	return w[len(w)-1]
}
