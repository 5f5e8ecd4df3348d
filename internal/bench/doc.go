// Command bench measures udl against C, and against itself, and compares with the targets:
//
//	go run ./internal/bench                  # all rows, a line each
//	go run ./internal/bench -row rhs         # those whose name matches a regular expression
//	go run ./internal/bench -json            # for machines
//	go run ./internal/bench -write           # docs/benchmarks.md and its plots too
//	go run ./internal/bench -row cvode -plots DIR   # work–precision plots alone
//
// The C sources lie in c/ and are built with gcc at each start; without gcc udl's times are printed alone. C is a process of its own that answers
// requests line by line, so that nothing here needs cgo. Both sides get the same numbers and must find the same results.
//
// A ratio is measured in rounds: some milliseconds of C, some of udl, in turns, so that a machine that is busy or changes its clock does
// so to both. The figure is the median over the rounds; the least and the greatest ratio stand beside it. A figure that misses its
// target is `short`, which is no error. An error is when results disagree or something does not run.
//
// The rows cvode/… need SUNDIALS, Debian's libsundials-dev, and say so without it. They compare the times to the same error at the end of a stiff
// problem: cvode.go is THE table of these problems and builds c/cvode, work.go measures both sides, precision.go compares the curves, plots.go draws
// them. data/ends.json has the ends, known from elsewhere.
//
// rows.go is THE table of rows. A row measures with one of the functions of ratio.go, dense.go, large.go, start.go and allocs.go; jobs.go is what udl does when measured, subjects.go
// on which models and numbers; lab.go keeps the sides, protocol.go talks to a process, cc.go builds C, report.go writes. The package imports
// whatever it measures, and nothing imports it.
package main
