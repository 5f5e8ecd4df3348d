package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed c/*.c c/*.h
var sources embed.FS

// flags are those of the C side. -ffast-math is not among them: it would compute something else.
var flags = []string{"-O3", "-march=native"}

// gccVersion is the first line that gcc says of itself, "" without gcc.
func gccVersion() string {
	out, err := exec.Command("gcc", "--version").Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// buildC compiles the C side in dir and gives the program's path.
func buildC(dir string) (string, error) {
	entries, err := sources.ReadDir("c")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "cside")
	args := append([]string{"-o", bin}, flags...)
	for _, e := range entries {
		b, err := sources.ReadFile("c/" + e.Name())
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, e.Name())
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return "", err
		}
		if strings.HasSuffix(file, ".c") {
			args = append(args, file)
		}
	}
	args = append(args, "-lm", "-lpthread")
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return bin, nil
}
