package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine is what the figures were measured on.
type machine struct {
	CPU   string   `json:"cpu"`
	Flags []string `json:"flags"` // of those that matter
	Cores int      `json:"cores"`
	OS    string   `json:"os"`
	Go    string   `json:"go"`
	GCC   string   `json:"gcc,omitempty"`
	Date  string   `json:"date"`
}

func describe(gcc string) machine {
	m := machine{CPU: "unknown processor", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), GCC: gcc, Date: time.Now().Format(time.DateOnly)}
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "model name":
			m.CPU = value
		case "flags", "Features":
			has := strings.Fields(value)
			m.Flags = nil
			for _, f := range []string{"avx2", "fma", "avx512f", "avx512dq", "avx512vl", "asimd", "sve"} {
				if slices.Contains(has, f) {
					m.Flags = append(m.Flags, f)
				}
			}
		}
	}
	return m
}

func (m machine) String() string {
	gcc := m.GCC
	if gcc == "" {
		gcc = "no gcc"
	} else {
		gcc += " " + strings.Join(flags, " ")
	}
	return fmt.Sprintf("%s (%s), %d cores, %s; %s; %s; %s", m.CPU, strings.Join(m.Flags, " "), m.Cores, m.OS, m.Go, gcc, m.Date)
}
