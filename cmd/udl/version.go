package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/udl-lang/udl"
)

type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(con *console) error {
	_, err := fmt.Fprintf(con.out, "udl %s (language 1, %s %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is that of the module, else of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return udl.Version
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 8 {
			return udl.Version + " " + s.Value[:8]
		}
	}
	return udl.Version
}
