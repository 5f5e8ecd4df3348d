package eval

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/udl-lang/udl/lang/diag"
)

var update = flag.Bool("update", false, "write the golden files")

// TestBadInput runs every file of testdata/bad; what it prints, and the error it ends with, stand in the
// golden file beside it.
func TestBadInput(t *testing.T) {
	t.Setenv("UDL_NATIVE", "off") // the golden files quote last digits, which are the portable back end's
	t.Setenv("UDL_KERNELS", "off")
	fs, err := filepath.Glob("testdata/bad/*.udl")
	if err != nil || len(fs) == 0 {
		t.Fatal("no files", err)
	}
	for _, f := range fs {
		t.Run(filepath.Base(f), func(t *testing.T) {
			var out bytes.Buffer
			in := New(Options{Out: &out, Err: &out, FS: os.DirFS("testdata/bad")})
			err := in.RunFile(context.Background(), filepath.Base(f))
			switch l := diag.From(err); {
			case len(l) > 0:
				diag.RenderList(&out, l, false)
				for _, d := range l {
					if d.Code == "E0799" {
						t.Errorf("an internal error reached the user")
					}
					if d.Help == "" && len(d.Notes) == 0 {
						t.Logf("no help: %s", d.Error())
					}
				}
			case err != nil:
				t.Errorf("not a diagnostic: %v", err)
			case filepath.Base(f) != "empty.udl":
				t.Errorf("no error:\n%s", out.String())
			}
			golden := strings.TrimSuffix(f, ".udl") + ".golden"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			w, g := string(want), out.String()
			if runtime.GOARCH != "amd64" { // where Go fuses multiplications with additions, last digits differ
				digits := regexp.MustCompile(`[0-9.]+(e[+-][0-9]+)?`)
				w, g = digits.ReplaceAllString(w, "#"), digits.ReplaceAllString(g, "#")
			}
			if d := cmp.Diff(w, g); d != "" {
				t.Errorf("(-golden +got)\n%s", d)
			}
		})
	}
}
