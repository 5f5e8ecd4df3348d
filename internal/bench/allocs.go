package main

import (
	"context"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/solve"
)

// allocated counts the allocations of one run of what of gives for a subject; the figure is that of the worst subject.
func allocated(subjects []string, of func(m *model) (func() error, error)) measure {
	return func(l *lab, _ int) (figure, error) {
		var all []float64
		for _, name := range subjects {
			m, err := l.sides[udl].(*inside).model(name)
			if err != nil {
				return figure{}, err
			}
			f, err := of(m)
			if err != nil {
				return figure{}, err
			}
			all = append(all, testing.AllocsPerRun(20, func() {
				if e := f(); e != nil {
					err = e
				}
			}))
			if err != nil {
				return figure{}, err
			}
		}
		f := spread(all)
		f.median, f.detail = f.max, "the worst of "+strings.Join(subjects, ", ")
		return f, nil
	}
}

func rhsAllocs(m *model) (func() error, error) {
	f, th, z := m.sys.RHS.Clone(), m.theta(0), make([]float64, m.sys.NX)
	return func() error {
		f.Prepare(th)
		f.Eval(z, 0, m.u, nil)
		return nil
	}, nil
}

func vjpAllocs(m *model) (func() error, error) {
	f, th, gx, gth := m.sys.RHS.Clone(), m.theta(0), make([]float64, m.sys.NX), make([]float64, m.sys.NTheta)
	return func() error {
		f.VJP(gx, gth, 0, m.u, th, m.u)
		return nil
	}, nil
}

func jvpAllocs(m *model) (func() error, error) {
	f, th, z := m.sys.RHS.Clone(), m.theta(0), make([]float64, m.sys.NX)
	return func() error {
		f.JVP(z, 0, m.u, th, 1, m.u, th)
		return nil
	}, nil
}

// stepAllocs is a whole solve in a workspace that was used before: none for the solve is none for each step.
func stepAllocs(m *model) (func() error, error) {
	var w solve.Workspace
	p := &solve.Problem{Sys: m.sys, Theta: m.theta(0), X0: m.u, T1: 3, Times: []float64{3}, Rtol: tolerance, Atol: tolerance, NoDense: true}
	return func() error {
		sol, err := w.Solve(context.Background(), p)
		if err == nil && sol.Status != solve.Done {
			err = sol.Fault
		}
		return err
	}, nil
}
