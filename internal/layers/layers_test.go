// Package layers holds the test of the house's floors: imports point towards the ground only.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/udl-lang/udl"

// floors, ground first: a package may import packages of its own line and of lines above it in this list.
// Longer prefixes win.
var floors = [][]string{
	{"lang/diag", "lang/types"},
	{"lang/sig", "lang/ast"},
	{"lang/model"},
	{"parser"},
	{"runtime/method", "runtime/sparse", "runtime/signal"},
	{"runtime/system"},
	{"runtime/trace", "runtime/solve"},
	{"runtime/trace/figure"},
	{"runtime/sens", "runtime/ensemble"},
	{"runtime/train"},
	{"runtime/discover"},
	{"runtime/checkpoint"},
	{"compiler/ir"},
	{"compiler/check", "compiler/ad", "compiler/opt", "compiler/code", "compiler/lower"},
	{"compiler"},
	{"stdlib"},
	{"stdlib/data", "stdlib/value"},
	{"stdlib/verb"},
	{"stdlib/eval"},
	{""},
	{"models", "repl"},
	{"cmd/udl"},
}

// forbidden says what a package must not import at any depth of its own imports.
var forbidden = map[string][]string{
	"runtime":  {"lang", "parser", "compiler", "stdlib"},
	"compiler": {"runtime/signal", "runtime/solve", "runtime/sens", "runtime/train", "runtime/trace"},
}

// once lists the only importers of packages that must stay behind one file.
var once = map[string]string{
	"github.com/chzyer/readline": "repl",
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func floor(name string) int {
	best, at := -1, -1
	for i, row := range floors {
		for _, p := range row {
			if (name == p || p != "" && strings.HasPrefix(name, p+"/")) && len(p) > best {
				best, at = len(p), i
			}
		}
	}
	return at
}

func TestLayers(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if strings.HasPrefix(name, "internal/") {
			continue
		}
		mine := floor(name)
		if mine < 0 {
			t.Errorf("%s stands on no floor: give it one in this test", name)
			continue
		}
		for _, i := range p.Imports {
			if only, ok := once[i]; ok && name != only {
				t.Errorf("%s imports %s, which only %s may", name, i, only)
			}
			if !strings.HasPrefix(i, module) {
				continue
			}
			to := strings.TrimPrefix(strings.TrimPrefix(i, module), "/")
			if f := floor(to); f > mine {
				t.Errorf("%s imports %s, which stands above it", name, to)
			}
			for from, list := range forbidden {
				if name != from && !strings.HasPrefix(name, from+"/") {
					continue
				}
				for _, no := range list {
					if to == no || strings.HasPrefix(to, no+"/") {
						t.Errorf("%s must not import %s", name, to)
					}
				}
			}
		}
	}
}
