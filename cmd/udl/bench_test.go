package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Process start: `udl version`, and a file up to its printed result. The test binary stands for udl; it
// is somewhat heavier.
func BenchmarkStart(b *testing.B) {
	file := filepath.Join(b.TempDir(), "lv.udl")
	text := "model LV { param a = 1.5; param b = 1; param c = 3; param d = 1; state x = 1, y = 1; x' = a*x - b*x*y; y' = d*x*y - c*y }\n" +
		"s = solve(LV, t = 0..10)\nprint(s.x[end])\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
	}{{"version", []string{"version"}}, {"trajectory", []string{"run", file}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if out, err := self(b, c.args...).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
		})
	}
}
