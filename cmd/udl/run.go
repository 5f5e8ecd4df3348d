package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

type runCmd struct {
	File  string   `arg:"" help:"The file; - for standard input."`
	Set   []string `sep:"none" placeholder:"NAME=VALUE" help:"Set a parameter, constant or initial value in every solve and fit, or a constant of the script, a text too. May be repeated."`
	Seed  uint64   `placeholder:"N" help:"Seed of everything random that is given none."`
	Quiet bool     `short:"q" help:"Only what print says, and errors: no plots, no progress."`
}

// Run implements the command.
func (r *runCmd) Run(con *console) error {
	sets, texts, err := parseSets(r.Set)
	if err != nil {
		fmt.Fprintf(con.err, "udl: %v\n", err)
		return failure(exitUsage)
	}
	o := con.options()
	o.Seed, o.Quiet, o.Sets, o.Texts = r.Seed, r.Quiet, sets, texts
	var bar *progress
	if !r.Quiet && isTerminal(con.err) {
		bar = &progress{w: con.err, width: con.width()}
		o.Progress, o.Out, o.Err = bar.report, bar.above(con.out), bar.above(con.err)
		defer bar.clear()
	}
	irq := &interrupts{w: con.err, again: func() { os.Exit(exitInterrupted) }}
	o.Interruptible = irq.verb
	ctx, stop := irq.watch(context.Background())
	defer stop()
	in := eval.New(o)
	if r.File == "-" {
		var text []byte
		if text, err = io.ReadAll(con.in); err != nil {
			return fmt.Errorf("cannot read standard input: %w", err)
		}
		err = in.Run(ctx, diag.NewSource("<stdin>", string(text)))
	} else {
		err = in.RunFile(ctx, r.File)
	}
	if irq.wasEnded(err) {
		fmt.Fprintln(con.err, "\ninterrupted")
		return failure(exitInterrupted)
	}
	return err
}

// parseSets reads name=value pairs: all as texts, and the numbers among them.
func parseSets(pairs []string) (sets map[string]float64, texts map[string]string, err error) {
	sets, texts = map[string]float64{}, map[string]string{}
	for _, p := range pairs {
		name, text, ok := strings.Cut(p, "=")
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		if !ok || name == "" {
			return nil, nil, fmt.Errorf("--set wants NAME=VALUE, not `%s`", p)
		}
		if _, twice := texts[name]; twice {
			return nil, nil, fmt.Errorf("--set %s is given twice", name)
		}
		v, err := strconv.ParseFloat(text, 64)
		if err == nil && math.IsNaN(v) || text == "" {
			return nil, nil, fmt.Errorf("--set %s wants a number or a text, not `%s`", name, text)
		}
		if texts[name] = text; err == nil {
			sets[name] = v
		}
	}
	return sets, texts, nil
}
