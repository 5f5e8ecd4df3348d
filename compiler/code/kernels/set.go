package kernels

import (
	"os"
	"strings"
)

// level is an instruction set that there are kernels for.
type level uint8

const (
	portable level = iota
	avx2           // with FMA3: four lanes
	avx512         // F, DQ, BW and VL: eight lanes
	neon           // two lanes
	numLevels
)

var names = [numLevels]string{"Go", "AVX2", "AVX-512", "NEON"}

// Set is a choice of kernels. The zero value is the portable ones.
type Set struct {
	level level
	why   string // of the portable ones: why no others
}

// String says which kernels, and why if they are the portable ones: "AVX-512", "Go: UDL_KERNELS=off".
func (s Set) String() string {
	if s.why == "" {
		return names[s.level]
	}
	return names[s.level] + ": " + s.why
}

// Portable reports whether a set is the plain Go one.
func (s Set) Portable() bool { return s.level == portable }

// Host is the best set for the machine; UDL_KERNELS=off in the environment leaves the portable one.
func Host() Set { return choose(os.Getenv("UDL_KERNELS")) }

func choose(env string) Set {
	switch strings.ToLower(env) {
	case "off", "0", "no", "false":
		return Set{why: "UDL_KERNELS=" + env}
	}
	sets, why := sets()
	if len(sets) == 0 {
		return Set{why: why}
	}
	return sets[len(sets)-1]
}

// Available are the sets that the machine can run, the portable one first; for tests.
func Available() []Set {
	s, _ := sets()
	return append([]Set{{}}, s...)
}

// Level says which kernels are in use, and why if they are the portable ones.
func Level() string { return Host().String() }
