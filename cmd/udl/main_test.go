package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the command, in scripts and at a terminal.
func TestMain(m *testing.M) {
	if os.Getenv("UDL_TEST_MAIN") != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"udl": main})
}

// The command line as one types it: every script of testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "script"), Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code}})
}

// code runs udl and wants an exit code: code 2 run.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || neg {
		ts.Fatalf("usage: code N ARGUMENTS")
	}
	got := 0
	if err := ts.Exec("udl", args[1:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// self is the command as a process.
func self(t testing.TB, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), "UDL_TEST_MAIN=1")
	return cmd
}
