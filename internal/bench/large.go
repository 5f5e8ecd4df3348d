package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/internal/large"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/stdlib"
)

func parse(name, text string) (*ast.File, error) {
	f, errs := parser.Parse(diag.NewSource(name, text))
	return f, errs.Err()
}

// compile checks and compiles the models of a file and says how long each took, or with first, how long its first evaluation took.
func compile(f *ast.File, table *stdlib.Table, first bool) (names []string, took []time.Duration, err error) {
	scope := check.NewScope()
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Fn:
			scope.AddFn(s)
		case *ast.Unknown:
			scope.AddUnknown(s)
		case *ast.Decl:
			scope.AddConst(s)
		case *ast.Model:
			scope.AddModel(s)
		}
	}
	for _, s := range f.Stmts {
		a, ok := s.(*ast.Model)
		if !ok {
			continue
		}
		begin := time.Now()
		m, errs := check.Model(a, scope, table)
		if err := errs.Err(); err != nil {
			return nil, nil, err
		}
		c, err := compiler.Compile(m, table)
		if err != nil {
			return nil, nil, err
		}
		if first {
			begin = time.Now()
			z := make([]float64, c.System.NX)
			c.System.RHS.Clone().Eval(z, 0, z, c.System.Defaults())
		}
		took = append(took, time.Since(begin))
		names = append(names, a.Name.Name)
	}
	return names, took, nil
}

// largeParse measures parsing a model of 1,000 equations, in milliseconds.
func largeParse(_ *lab, rounds int) (figure, error) {
	text := large.Text(1000)
	var ms []float64
	for range rounds {
		begin := time.Now()
		if _, err := parse("large.udl", text); err != nil {
			return figure{}, err
		}
		ms = append(ms, float64(time.Since(begin))/1e6)
	}
	return spread(ms), nil
}

// largeCompile measures checking and compiling it, or, with first, the evaluation of its right-hand side that comes first and
// generates code.
func largeCompile(first bool) func(*lab, int) (figure, error) {
	return func(_ *lab, rounds int) (figure, error) {
		f, err := parse("large.udl", large.Text(1000))
		if err != nil {
			return figure{}, err
		}
		table := stdlib.New()
		var ms []float64
		for range rounds {
			_, took, err := compile(f, table, first)
			if err != nil {
				return figure{}, err
			}
			ms = append(ms, float64(took[0])/1e6)
		}
		return spread(ms), nil
	}
}

// galleryCompile measures the same for each model of the gallery; the figure is that of the slowest.
func galleryCompile(first bool) func(*lab, int) (figure, error) {
	return func(l *lab, rounds int) (figure, error) { return eachOfGallery(l, rounds, first) }
}

func eachOfGallery(l *lab, rounds int, first bool) (figure, error) {
	files, err := filepath.Glob(filepath.Join(l.root, "models", "*.udl"))
	if err != nil || len(files) == 0 {
		return figure{}, fmt.Errorf("there is no gallery: %v", err)
	}
	table := stdlib.New()
	ms := map[string][]float64{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return figure{}, err
		}
		f, err := parse(filepath.Base(file), string(b))
		if err != nil {
			return figure{}, err
		}
		for range rounds {
			names, took, err := compile(f, table, first)
			if err != nil {
				return figure{}, err
			}
			for i, n := range names {
				key := n + " of " + filepath.Base(file)
				ms[key] = append(ms[key], float64(took[i])/1e6)
			}
		}
	}
	var worst figure
	for name, x := range ms {
		if f := spread(x); f.median > worst.median {
			worst = f
			worst.detail = name
		}
	}
	return worst, nil
}
