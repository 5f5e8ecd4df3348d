package compiler

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/system"
)

// Digest is a hash of what a compiled system computes, by which a checkpoint knows the model it was made of: its graphs, names and tables of inputs, not
// the text. Comments and the places of things do not count; another version of udl may give another digest. A system that was not compiled
// here counts by its names and shapes alone.
func Digest(sys *system.System) string {
	d := digest{h: sha256.New(), sys: sys}
	d.text(sys.Name)
	for _, slots := range [][]system.Slot{sys.States, sys.Outs} {
		for _, s := range slots {
			d.text(fmt.Sprint(s.Name, s.Shape, s.Off))
		}
	}
	for _, s := range sys.Theta {
		d.text(fmt.Sprint(s.Name, s.Shape, s.Off, s.Role))
		d.numbers(s.Lo, s.Hi)
	}
	for _, f := range []system.Func{sys.Init, sys.RHS, sys.Output, sys.Guards, sys.Invariants} {
		d.function(f)
	}
	if sys.Mass != nil {
		d.function(sys.Mass.Values)
	}
	for i := range sys.Events {
		e := &sys.Events[i]
		d.text(fmt.Sprint(e.Kind, e.Direction, e.Initially, e.Guard, e.Priority, e.Changes))
		for _, f := range []system.Func{e.Time, e.Delay, e.Reset} {
			d.function(f)
		}
	}
	for _, j := range sys.Jumps {
		d.text(fmt.Sprint(j.Value, j.Guard, j.Steps, j.Closed))
	}
	d.numbers(sys.Kinks...)
	return d.sum()
}

// DigestFunc is that of one function.
func DigestFunc(f system.Func) string {
	d := digest{h: sha256.New()}
	d.function(f)
	return d.sum()
}

type digest struct {
	h   hash.Hash
	sys *system.System
}

func (d *digest) sum() string { return hex.EncodeToString(d.h.Sum(nil)) }

func (d *digest) text(s string) {
	d.numbers(float64(len(s)))
	d.h.Write([]byte(s))
}

func (d *digest) numbers(v ...float64) {
	b := make([]byte, 0, 8*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	d.h.Write(b)
}

func (d *digest) function(f system.Func) {
	c, ok := f.(*fn)
	if !ok {
		d.text("none")
		return
	}
	d.graph(c.s.g)
}

func (d *digest) graph(g *ir.Graph) {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		d.text(fmt.Sprint(n.Op, n.Args, n.Shape, n.Ints))
		d.numbers(n.Data...)
		if n.Ext != nil {
			d.external(n.Ext)
		}
	}
	for _, in := range g.Inputs {
		d.text(fmt.Sprint(in.Name, in.Bank, in.Off, in.Shape))
	}
	for _, o := range g.Outputs {
		d.text(fmt.Sprint(o.Vec, o.Off, o.Node, o.Add))
	}
}

// external is a Go function, known by its name; the table of an input is looked at where it bends and in between.
func (d *digest) external(e *ir.External) {
	d.text(e.Name)
	if d.sys == nil || len(d.sys.Signals) == 0 || e.N != 1 {
		return
	}
	at := func(t float64) { d.numbers(e.Eval([]float64{t})) }
	for i, t := range d.sys.Kinks {
		at(t)
		if i > 0 {
			at((t + d.sys.Kinks[i-1]) / 2)
		}
	}
	for _, s := range d.sys.Signals {
		d.text(s.Name)
		d.numbers(s.Lo, s.Hi)
		lo, hi := max(s.Lo, -1e6), min(s.Hi, 1e6)
		const probes = 257
		for i := range probes {
			at(lo + (hi-lo)*float64(i)/(probes-1))
		}
	}
}
