package models

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/udl-lang/udl/stdlib/eval"
)

// TestRecovery runs a part of the recovery loop, with other seeds, initial values and rates than those of the file: at low
// noise the equations must come out always but once, at 2.5 % in most cases. `make recovery` runs all of it.
func TestRecovery(t *testing.T) {
	if testing.Short() {
		t.Skip("some trainings: left out with -short")
	}
	var out bytes.Buffer
	in := eval.New(eval.Options{Out: &out, Err: &out, Quiet: true,
		Sets: map[string]float64{"first": 501, "seeds": 5, "x0": 0.8, "y0": 3, "a": 1.1, "b": 0.7, "c": 0.9, "d": 1.5}})
	if err := in.RunFile(context.Background(), "recovery_loop.udl"); err != nil {
		t.Fatalf("%s\n%s", out.String(), explain(err))
	}
	least := map[string]int{"0.001": 4, "0.025": 3}
	for _, l := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
		var level string
		var found, of int
		if _, err := fmt.Sscan(l, &level, &found, &of); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		if found < least[level] || of != 5 {
			t.Errorf("noise %s: %d of %d", level, found, of)
		}
		delete(least, level)
	}
	if len(least) > 0 {
		t.Errorf("levels are missing in\n%s", out.String())
	}
}
