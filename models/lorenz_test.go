package models

import (
	"bytes"
	"context"
	"testing"

	"github.com/udl-lang/udl/stdlib/eval"
)

// TestLorenzSeeds finds Lorenz' equations among corrupt samples of other seeds than that of the file.
func TestLorenzSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds: left out with -short")
	}
	for _, seed := range []float64{2, 77} {
		var out bytes.Buffer
		in := eval.New(eval.Options{Out: &out, Err: &out, Quiet: true, Sets: map[string]float64{"seed": seed}})
		if err := in.RunFile(context.Background(), "lorenz_discover.udl"); err != nil {
			t.Errorf("seed %g: %s\n%s", seed, out.String(), explain(err))
		}
	}
}
