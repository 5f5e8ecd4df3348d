// Command gen writes the assembly of package kernels into its directory.
package main

import (
	"fmt"
	"os"

	"github.com/udl-lang/udl/compiler/code/kernels/gen/asmgen"
)

func main() {
	files, err := asmgen.Files()
	if err == nil {
		for name, text := range files {
			if err = os.WriteFile(name, []byte(text), 0o644); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
