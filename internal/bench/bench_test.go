package main

import (
	"context"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib"
)

// both runs a benchmark on Lotka–Volterra and on the universal differential equation.
func both(b *testing.B, f func(b *testing.B, s *subject, m *model)) {
	for _, name := range []string{"lv", "ude"} {
		s, err := findSubject(name)
		if err != nil {
			b.Fatal(err)
		}
		m, err := s.load()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f(b, s, m)
		})
	}
}

func BenchmarkParse(b *testing.B) {
	both(b, func(b *testing.B, s *subject, _ *model) {
		text := s.text()
		for b.Loop() {
			if _, err := parse(s.file, text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func declaration(b *testing.B, s *subject) *ast.Model {
	f, err := parse(s.file, s.text())
	if err != nil {
		b.Fatal(err)
	}
	for _, st := range f.Stmts {
		if m, ok := st.(*ast.Model); ok {
			return m
		}
	}
	b.Fatal("no model")
	return nil
}

func BenchmarkCheck(b *testing.B) {
	table := stdlib.New()
	both(b, func(b *testing.B, s *subject, _ *model) {
		a := declaration(b, s)
		for b.Loop() {
			if _, errs := check.Model(a, check.NewScope(), table); errs.HasErrors() {
				b.Fatal(errs)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	table := stdlib.New()
	both(b, func(b *testing.B, s *subject, _ *model) {
		m, errs := check.Model(declaration(b, s), check.NewScope(), table)
		if errs.HasErrors() {
			b.Fatal(errs)
		}
		for b.Loop() {
			if _, err := compiler.Compile(m, table); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRHS(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		f, z := m.sys.RHS.Clone(), make([]float64, m.sys.NX)
		f.Prepare(m.theta(0))
		for b.Loop() {
			f.Eval(z, 0, m.u, nil)
		}
	})
}

func BenchmarkJVP(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		f, z, th := m.sys.RHS.Clone(), make([]float64, m.sys.NX), m.theta(0)
		f.Prepare(th)
		for b.Loop() {
			f.JVP(z, 0, m.u, nil, 0, m.u, th)
		}
	})
}

func BenchmarkVJP(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		f, gx, gth := m.sys.RHS.Clone(), make([]float64, m.sys.NX), make([]float64, m.sys.NTheta)
		f.Prepare(m.theta(0))
		for b.Loop() {
			f.VJP(gx, gth, 0, m.u, nil, m.u)
		}
	})
}

// BenchmarkStep makes accepted steps one by one; the problem begins anew at its end.
func BenchmarkStep(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		st, err := solve.NewStepper(context.Background(), &solve.Problem{Sys: m.sys, Theta: m.theta(0), X0: m.u, T1: 3, MaxSteps: 1 << 60, Rtol: tolerance, Atol: tolerance})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !st.Step() {
				if st.Status() != solve.Done {
					b.Fatal(st.Status())
				}
				st.Restart(0, m.u)
			}
		}
	})
}

// BenchmarkSolve keeps dense output and 30 outputs, as a fit does.
func BenchmarkSolve(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		var w solve.Workspace
		p, loss := lossProblem(m)
		p.Times = loss.Times()
		for b.Loop() {
			if sol, err := w.Solve(context.Background(), p); err != nil || sol.Status != solve.Done {
				b.Fatal(err, sol)
			}
		}
	})
}

func BenchmarkGradient(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		var w sens.Workspace
		p, loss := lossProblem(m)
		g := make([]float64, m.sys.NTheta)
		for b.Loop() {
			if _, _, err := w.Adjoint(context.Background(), p, loss, g); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTrain is one iteration of Adam: a gradient and a step, with its share of the fit around it.
func BenchmarkTrain(b *testing.B) {
	both(b, func(b *testing.B, _ *subject, m *model) {
		p, loss := lossProblem(m)
		adam, err := train.NewStage("adam", map[string]float64{"rate": 1e-6, "iters": float64(b.N)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := train.Fit(context.Background(), train.Spec{Sys: m.sys, Theta: p.Theta, Problem: *p, Loss: loss, Stages: []train.Stage{adam}}); err != nil {
			b.Fatal(err)
		}
	})
}
