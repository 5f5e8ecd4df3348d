package asmgen

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestWords has LLVM, where it is installed, read every arm64 instruction, and compares what it says with the comment.
func TestWords(t *testing.T) {
	path, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip(err)
	}
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	var in, want []string
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`WORD \$0x(..)(..)(..)(..) // (.*)`).FindAllStringSubmatch(files["functions_neon_arm64.s"]+files["products_neon_arm64.s"], -1) {
		if !seen[m[0]] {
			seen[m[0]] = true
			in = append(in, "0x"+m[4]+" 0x"+m[3]+" 0x"+m[2]+" 0x"+m[1])
			want = append(want, m[5])
		}
	}
	c := exec.Command(path, "--disassemble", "-triple=aarch64")
	c.Stdin = strings.NewReader(strings.Join(in, "\n"))
	out, err := c.Output()
	if err != nil {
		t.Skip(err) // without arm64
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.HasPrefix(line, ".") {
			got = append(got, line)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d instructions, not %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s is %q, not %q", in[i], got[i], want[i])
		}
	}
}
