package main

import (
	"sort"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/eval"
)

type checkCmd struct {
	Dump  string   `placeholder:"PASS" help:"Show every model's graphs after a pass: lower, or one of the optimiser's; last for the last."`
	Files []string `arg:"" help:"The files."`
}

// Run implements the command.
func (c *checkCmd) Run(con *console) error {
	bad := false
	for _, name := range c.Files {
		if err := c.file(con, name); err != nil {
			con.report(con.err, err)
			bad = true
		}
	}
	if bad {
		return failure(exitError)
	}
	return nil
}

func (c *checkCmd) file(con *console, name string) error {
	in := eval.New(con.options())
	f, err := in.Load(name)
	if err != nil {
		return err
	}
	l := in.Check(f)
	if l.HasErrors() {
		return l
	}
	if len(l) > 0 {
		diag.RenderList(con.err, l, con.color(con.err))
	}
	if c.Dump == "" {
		return nil
	}
	pass := c.Dump
	if pass == "last" {
		pass = ""
	}
	if err := in.Declare(f); err != nil {
		return err
	}
	models := in.Models()
	var names []string
	for n := range models {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if err := in.Dump(con.out, models[n], pass); err != nil {
			return err
		}
	}
	return nil
}
