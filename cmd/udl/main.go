// Command udl runs, checks, formats and explains models written in .udl files, and holds the
// prompt. It is wiring: flags, exit codes, terminals and signals live here, and nothing else.
//
//	udl run FILE        run a file
//	udl repl [FILE]     the prompt; udl alone is the same
//	udl check FILES     find mistakes without running
//	udl fmt [-w|-d] …   the one canonical layout
//	udl doc [NAME]      explain a name; udl help [NAME] is the same
//	udl version
//
// It exits with 0; with 1 when a model or a run has an error, a failed assertion and a training that Ctrl-C stopped included; with
// 2 when it was called wrongly; with 130 when a second Ctrl-C ended it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// failure ends the program with a code; what went wrong has been said already.
type failure int

func (f failure) Error() string { return fmt.Sprintf("exit code %d", int(f)) }

// cli is the command line as kong reads it.
type cli struct {
	Run     runCmd     `cmd:"" help:"Run a file: solve, train, print, plot."`
	Repl    replCmd    `cmd:"" help:"The prompt (what udl alone does)."`
	Check   checkCmd   `cmd:"" help:"Find mistakes in files without running them."`
	Fmt     fmtCmd     `cmd:"" help:"Lay files out in the one canonical way."`
	Doc     docCmd     `cmd:"" aliases:"help" help:"Explain a name, or list all."`
	Version versionCmd `cmd:"" help:"Show the version."`

	NoColor bool `help:"No colours (the environment's NO_COLOR does the same)."`
}

// console is where a command reads and writes.
type console struct {
	in       *os.File
	out, err *os.File
	noColor  bool
}

func main() {
	os.Exit(execute(os.Args[1:], console{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// execute runs one command line and returns the exit code.
func execute(args []string, con console) (code int) {
	var c cli
	helped := false
	parser, err := kong.New(&c,
		kong.Name("udl"),
		kong.Description("A small equation language for universal differential equations."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(con.out, con.err),
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		fmt.Fprintf(con.err, "udl: %v\n", err)
		return exitUsage
	}
	if len(args) == 0 || len(args) == 1 && args[0] == "--no-color" {
		args = append(args, "repl")
	}
	ctx, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		usage(con.err, args, err)
		return exitUsage
	}
	con.noColor = c.NoColor
	err = ctx.Run(&con)
	var said failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &said):
		return int(said)
	}
	con.report(con.err, err)
	return exitError
}

// usage says what was wrong with a command line, and what was probably meant.
func usage(w io.Writer, args []string, err error) {
	fmt.Fprintf(w, "udl: %v\n", err)
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			continue
		}
		if strings.HasSuffix(a, ".udl") && a == args[0] {
			fmt.Fprintf(w, "  to run a file: udl run %s\n", a)
			return
		}
		break
	}
	fmt.Fprintln(w, "  udl --help shows how it is called")
}
