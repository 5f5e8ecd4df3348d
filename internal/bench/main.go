package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/udl-lang/udl/runtime/trace"
)

// childArg makes a process that answers requests on standard input, as the C side does: what the lab starts under
// another environment, and no flag of the user's.
const childArg = "-child"

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 1 && args[0] == childArg {
		root, err := moduleRoot()
		if err != nil {
			return err
		}
		return serve(newInside(root), stdin, stdout)
	}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	asJSON := fs.Bool("json", false, "print JSON")
	match := fs.String("row", "", "measure the rows whose name matches this regular `expression`")
	rounds := fs.Int("rounds", 15, "rounds for each row")
	plots := fs.String("plots", "", "save the work–precision plots of the rows cvode/… in this `folder`")
	write := fs.Bool("write", false, "write docs/benchmarks.md and the plots beside it too; only without -row")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	re, err := regexp.Compile(*match)
	if err != nil {
		return err
	}
	if *rounds < 1 {
		return fmt.Errorf("-rounds %d: at least one is needed", *rounds)
	}
	if *write && *match != "" {
		return fmt.Errorf("-write needs all rows, so it does not go with -row")
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	l, err := newLab(root, gccVersion())
	if err != nil {
		return err
	}
	defer l.close()
	m := describe(l.gcc)
	if !*asJSON {
		fmt.Fprintln(stdout, m)
		fmt.Fprintln(stdout, "median of the ratio udl/C over the rounds (least–greatest), target, verdict; lower is better, but for dense; docs/benchmarks.md says what a row compares")
		if l.gcc == "" {
			fmt.Fprintln(stdout, "there is no gcc, so there are no ratios to C; udl's own times stand alone")
		}
	}
	var results []result
	failed := 0
	for i := range rows {
		r := &rows[i]
		if !re.MatchString(r.name) {
			continue
		}
		f, err := r.measure(l, *rounds)
		if err != nil {
			failed++
		}
		res := newResult(r, f, err)
		results = append(results, res)
		if !*asJSON {
			res.line(stdout)
		}
	}
	if *asJSON {
		if err := writeJSON(stdout, m, results); err != nil {
			return err
		}
	}
	if *write {
		if err := writeDocument(filepath.Join(root, "docs", "benchmarks.md"), m, *rounds, results, l.works); err != nil {
			return err
		}
		if err := writePlots(filepath.Join(root, "docs"), l.works); err != nil {
			return err
		}
	}
	if *plots != "" {
		if err := writePlots(*plots, l.works); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d rows disagree or do not run", failed, len(results))
	}
	if len(results) == 0 {
		return fmt.Errorf("no row matches %q", *match)
	}
	return nil
}

func writeDocument(path string, m machine, rounds int, results []result, works []work) error {
	return trace.WriteFile(path, func(w io.Writer) error {
		writeMarkdown(w, m, rounds, results)
		writeWorks(w, works)
		return nil
	})
}
