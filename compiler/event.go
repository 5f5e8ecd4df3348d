package compiler

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// events compiles what happens at moments. Resets, times and delays are evaluated too seldom for generated code to be worth its making;
// guards are not.
func (c *Compiled) events(b lower.Builtins, how code.Options) error {
	m, lay, s := c.Model, c.Layout, c.System
	if len(m.Events) == 0 && len(lay.Jumps) == 0 {
		return nil
	}
	// Each lane would have events of its own, at times of its own.
	s.Lanes = func(method.Method, []int, bool) (func() system.Lanes, error) {
		if len(m.Events) == 0 {
			return nil, fmt.Errorf("%s has conditions whose changes are located, such as `%s`", m.Name, lay.Jumps[0].Name)
		}
		return nil, fmt.Errorf("%s has events", m.Name)
	}
	g, n, parts, err := lower.Guards(m, lay, b)
	if err != nil {
		return err
	}
	if n > 0 {
		f, err := newFunc(g, lay.NX, lay.NTheta, n, how)
		if err != nil {
			return err
		}
		s.Guards, s.GuardParts = f, parts
		c.without(f)
	}
	scalar := func(e *model.Expr, nx int) (system.Func, error) {
		if e == nil {
			return nil, nil
		}
		g, err := lower.EventScalar(m, lay, b, e)
		if err != nil {
			return nil, err
		}
		f, err := newFunc(g, nx, lay.NTheta, 1, once)
		if err != nil {
			return nil, err
		}
		c.without(f)
		return f, nil
	}
	guard := 0
	for _, ev := range m.Events {
		e := system.Event{Name: ev.Name, Where: ev.Span, Kind: system.EventKind(ev.Kind), Direction: system.Direction(ev.Direction),
			Initially: ev.Initially, Priority: ev.Priority, Guard: -1}
		if ev.Guard != nil {
			e.Guard = guard
			guard++
		}
		if e.Time, err = scalar(ev.Time, 0); err != nil {
			return err
		}
		if e.Delay, err = scalar(ev.After, lay.NX); err != nil {
			return err
		}
		if len(ev.Updates) > 0 {
			g, changes, err := lower.Reset(m, lay, b, ev)
			if err != nil {
				return err
			}
			f, err := newFunc(g, lay.NX, lay.NTheta, lay.NX, once)
			if err != nil {
				return err
			}
			c.without(f)
			e.Reset, e.Changes = f, changes
		}
		s.Events = append(s.Events, e)
	}
	for k, j := range lay.Jumps {
		s.Frozen = lay.SwitchAt()
		s.Jumps = append(s.Jumps, system.Jump{Name: j.Name, Where: j.Span, Value: s.Frozen + 1 + k, Guard: guard, Steps: j.Steps, Closed: j.Closed})
		guard += j.Guards
	}
	return nil
}

// without notes that a function of the system has no derivative, if so.
func (c *Compiled) without(f *fn) {
	if c.System.NoGradient == "" {
		c.System.NoGradient = noGradient(f.s.g)
	}
}
