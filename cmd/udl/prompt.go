package main

import (
	"context"
	"io"
	"os"
	"os/signal"

	"github.com/udl-lang/udl/repl"
	"github.com/udl-lang/udl/stdlib/eval"
)

type replCmd struct {
	File string `arg:"" optional:"" help:"A file to run first."`
}

// Run implements the command: a person at a terminal gets prompts, history and completion, a pipe
// gets none of it and an exit code.
func (r *replCmd) Run(con *console) error {
	interactive := isTerminal(con.in) && isTerminal(con.out)
	o := con.options()
	var bar *progress
	if interactive {
		bar = &progress{w: con.err, width: con.width()}
		o.Progress, o.Out, o.Err = bar.report, bar.above(con.out), bar.above(con.err)
	}
	irq := &interrupts{w: con.err}
	if interactive {
		// Between a computation and the prompt a Ctrl-C is still a signal; it must not end the session.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	} else {
		irq.again = func() { os.Exit(exitInterrupted) }
	}
	o.Interruptible = irq.verb
	e := engine{eval.New(o)}
	s := repl.New(repl.Config{
		Engine: e, Out: con.out, Err: con.err, Interactive: interactive,
		Greeting: "udl " + version() + ": `help` explains, Tab completes, Ctrl-D leaves",
		Report: func(w io.Writer, err error) {
			if bar != nil {
				bar.clear()
			}
			con.report(w, err)
		},
		Interruptible: irq.watch,
	})
	ctx := context.Background()
	var lines repl.LineReader
	if interactive {
		var err error
		lines, err = repl.NewEditor(repl.EditorOptions{Stdin: con.in, Stdout: con.out, Stderr: con.err, History: repl.HistoryFile(), Complete: s.Complete})
		if err != nil {
			return err
		}
	} else {
		lines = repl.NewScanner(con.in)
	}
	defer lines.Close()
	if r.File != "" {
		s.Line(ctx, ":load "+r.File)
	}
	if code := s.Run(ctx, lines); code != 0 {
		return failure(code)
	}
	return nil
}
