package udl_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/code/native/execmem"
)

// refusing is an operating system that makes no memory executable.
type refusing struct{}

var errRefused = errors.New("the system refuses")

func (refusing) Map(n int) ([]byte, error) { return make([]byte, n), nil }
func (refusing) Protect([]byte) error      { return errRefused }
func (refusing) Unmap([]byte) error        { return nil }

// solveLV solves a small model and a network and says on what.
func solveLV(t *testing.T) (says []string, x []float64) {
	t.Helper()
	for _, text := range stressed[:2] {
		m, err := udl.Parse("m", text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 2, Seed: 1, At: []float64{1, 2}, Rtol: 1e-8, Atol: 1e-8})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Series("x")
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, v...)
		if _, _, err := m.Gradient(context.Background(), udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 1, By: 0.1}, Loss: "s -> s.x[end]"}); err != nil {
			t.Fatal(err)
		}
		says = append(says, s.Backend())
	}
	return says, x
}

// TestMemoryRefused holds that a model runs where no memory may be made executable, and says so.
func TestMemoryRefused(t *testing.T) {
	_, want := solveLV(t)
	old := execmem.System
	execmem.System = refusing{}
	defer func() { execmem.System = old }()
	says, got := solveLV(t)
	for _, s := range says {
		if os.Getenv("UDL_NATIVE") != "off" && !strings.Contains(s, errRefused.Error()) && !strings.Contains(s, "no generated code") {
			t.Errorf("the back end is %q", s)
		}
	}
	for i := range want {
		if d := got[i] - want[i]; d > 1e-7 || d < -1e-7 {
			t.Errorf("number %d is %v, not %v", i, got[i], want[i])
		}
	}
}

// TestOtherMachines runs the tests' own binary as if the processor could less.
func TestOtherMachines(t *testing.T) {
	if os.Getenv("UDL_CHILD") != "" {
		says, x := solveLV(t)
		t.Log(says, x)
		return
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("the switches are those of amd64")
	}
	native := ""
	if slices.Contains(code.Widths(), 4) {
		native = "native (AVX2), whole steps native (AVX2)"
	}
	for _, c := range []struct{ env, says string }{
		{"GODEBUG=cpu.avx512f=off", native},
		{"GODEBUG=cpu.avx2=off", "portable"},
		{"UDL_NATIVE=off", "UDL_NATIVE=off"},
		{"UDL_NATIVE=0", "UDL_NATIVE=0"},
		{"UDL_KERNELS=off", ""},
	} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestOtherMachines$", "-test.v")
		cmd.Env = append(os.Environ(), "UDL_CHILD=1", c.env)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v\n%s", c.env, err, out)
		}
		t.Logf("%s: %s", c.env, out)
	}
}
